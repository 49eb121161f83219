"""`verify` reports every tampering that rung *whole* and the manifest can see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.verify_builders import (
    NAME,
    Rec,
    capture,
    changed,
    good_records,
    packed,
    reknown,
    sha256,
    told,
    write_root,
)

Records = list[Rec]
RESPONSE = 2


def body_byte(records: Records) -> Records:
    return changed(records, RESPONSE, lambda each: edited(each, b"opens", b"openz"))


def http_header_byte(records: Records) -> Records:
    return changed(records, RESPONSE, lambda each: edited(each, b"text/html", b"text/htmk"))


def backdated(records: Records) -> Records:
    return changed(
        records, RESPONSE, lambda each: each.having(WARC_Date="2020-11-23T09:45:00.000000Z")
    )


def backdated_throughout(records: Records) -> Records:
    date = "2020-11-23T09:45:00.000000Z"
    return [
        each.having(WARC_Date=date) if index in (1, 2, 3) else each
        for index, each in enumerate(records)
    ]


def other_target(records: Records) -> Records:
    return changed(
        records, RESPONSE, lambda each: each.having(WARC_Target_URI="http://elsewhere.example/")
    )


def dropped_pair(records: Records) -> Records:
    return [*records[:4], *records[6:]]


def dropped_capture(records: Records) -> Records:
    return [*records[:4], *records[7:]]


def reordered(records: Records) -> Records:
    return [*records[:2], records[3], records[2], *records[4:]]


def digests_remade(records: Records) -> Records:
    def edit(each: Rec) -> Rec:
        other = each.holding(each.block.replace(b"opens", b"shuts"))
        body = other.block.partition(b"\r\n\r\n")[2]
        return other.having(WARC_Payload_Digest=sha256(body))

    return changed(records, RESPONSE, edit)


def digests_stripped(records: Records) -> Records:
    def edit(each: Rec) -> Rec:
        other = edited(each, b"opens", b"shuts")
        return other.having(WARC_Block_Digest=None, WARC_Payload_Digest=None)

    return changed(records, RESPONSE, edit)


def other_address(records: Records) -> Records:
    return changed(records, RESPONSE, lambda each: each.having(WARC_IP_Address="198.51.100.9"))


def forged_capture(records: Records) -> Records:
    return [*records[:4], *capture(70).records, *records[4:]]


def request_edited(records: Records) -> Records:
    return changed(records, 1, lambda each: edited(each, b"council", b"counsel"))


def edited(each: Rec, old: bytes, new: bytes) -> Rec:
    assert old in each.block
    return Rec(fields=each.fields, block=each.block.replace(old, new))


TAMPERINGS: dict[Callable[[Records], Records], set[str]] = {
    body_byte: {"block_digest", "payload_digest", "metadata_disagrees"},
    http_header_byte: {"block_digest", "metadata_disagrees"},
    backdated: {"metadata_disagrees", "records_disagree"},
    backdated_throughout: {"metadata_disagrees"},
    other_target: {"metadata_disagrees", "records_disagree"},
    dropped_pair: {"concurrent_missing"},
    dropped_capture: {"outcomes_disagree"},
    reordered: {"records_disordered"},
    digests_remade: {"metadata_disagrees"},
    digests_stripped: {"field_missing", "metadata_disagrees"},
    other_address: {"metadata_disagrees", "records_disagree"},
    forged_capture: {"outcomes_disagree"},
    request_edited: {"block_digest"},
}


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda each: str(each.__name__))
def test_tampering_is_found_with_and_without_a_new_manifest(
    tmp_path: Path, tamper: Callable[[Records], Records]
) -> None:
    """The manifest sees each; rung whole sees each too where the manifest was made anew."""
    raw = packed(tamper(good_records()))
    root = write_root(tmp_path, {NAME: packed(good_records())})
    (root / "archive" / NAME).write_bytes(raw)
    assert "file_digest" in told(root).codes
    heard = told(write_root(root, {NAME: raw}))
    assert "file_digest" not in heard.codes
    assert TAMPERINGS[tamper] <= heard.codes
    assert all(each.warc == NAME for each in heard.findings)
    assert all(each.expected and each.found and each.hint for each in heard.findings)


def test_a_cut_last_member_is_found_with_a_new_manifest(tmp_path: Path) -> None:
    """The eleventh way: the end of the file is missing."""
    raw = packed(good_records())[:-30]
    assert "gzip_cut" in told(write_root(tmp_path, {NAME: raw})).codes


def test_what_rung_whole_cannot_see_is_not_claimed(tmp_path: Path) -> None:
    """A capture forged throughout, manifest too, passes: that is what the log will be for."""
    records = good_records()
    forged = reknown(capture(10, b"<p>The bridge shuts.</p>"))
    heard = told(write_root(tmp_path, {NAME: packed([records[0], *forged.records, records[10]])}))
    assert heard.findings == [] and heard.report is not None
    assert heard.report.rungs.whole == 2 and heard.report.rungs.sealed == 0


GOOD = packed(good_records())


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = write_root(tmp_path_factory.mktemp("sealed"), {NAME: GOOD})
    assert told(root).findings == []
    yield root


def spoil(raw: bytes, how: str, at: int, to: int, value: int) -> bytes:
    """Change, cut, add or move one byte."""
    at %= len(raw)
    without = raw[:at] + raw[at + 1 :]
    if how == "changed":
        return raw[:at] + bytes([value]) + raw[at + 1 :]
    if how == "cut":
        return without
    if how == "added":
        return raw[:at] + bytes([value]) + raw[at:]
    to %= len(raw)
    return without[:to] + raw[at : at + 1] + without[to:]


@given(
    how=st.sampled_from(["changed", "cut", "added", "moved"]),
    at=st.integers(0, 1 << 20),
    to=st.integers(0, 1 << 20),
    value=st.integers(0, 255),
    manifest=st.booleans(),
)
@settings(max_examples=250, deadline=None)
def test_one_byte_changed_cut_added_or_moved_is_a_finding(
    sealed: Path, how: str, at: int, to: int, value: int, *, manifest: bool
) -> None:
    """In any region of a sealed file, and of the manifest."""
    path = sealed / ("metadata/manifest-sha256.txt" if manifest else f"archive/{NAME}")
    before = path.read_bytes()
    after = spoil(before, how, at, to, value)
    assume(after != before)
    try:
        path.write_bytes(after)
        assert told(sealed).findings
    finally:
        path.write_bytes(before)


@given(
    at=st.integers(0, len(GOOD) - 1),
    value=st.integers(0, 255),
    how=st.sampled_from(["changed", "cut", "added"]),
)
@example(at=3750, value=0, how="changed").via("a member that inflates on into the next ones")
@settings(max_examples=150, deadline=None)
def test_damage_costs_only_the_members_it_touches(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int, how: str
) -> None:
    """Whatever byte is spoilt, at most two of the twelve records are lost to the reader."""
    raw = spoil(GOOD, how, at, 0, value)
    assume(raw != GOOD)
    root = tmp_path_factory.getbasetemp() / "damaged"
    root.mkdir(exist_ok=True)
    heard = told(write_root(root, {NAME: raw}))
    assert heard.report is not None and heard.report.records >= 10
