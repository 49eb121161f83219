"""`verify` sees what records say of each other: captures, revisits, redirects, runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.verify_builders import (
    Cap,
    Rec,
    capture,
    changed,
    closing,
    failure,
    good_records,
    packed,
    rec,
    reknown,
    revisit,
    sha256,
    to_json,
    told,
    told_of,
    urn,
    warcinfo,
    write_root,
)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("capture_id", "sha256:" + "0" * 64),
        ("capture_record", urn(99)),
        ("content_id", "sha256:" + "0" * 64),
        ("payload_digest", "sha256:" + "0" * 64),
        ("payload_size", 1),
        ("size", 1),
        ("status", 404),
        ("captured_at", "2020-01-01T00:00:00.000000Z"),
        ("target_uri", "http://elsewhere.example/"),
        ("truncated", "length"),
        ("undecoded", "coding_broken"),
        ("outcome", "denied"),
        ("outcome", "unchanged"),
        ("outcome", None),
        ("kind", "snapshot"),
        ("kind", "redirect"),
    ],
)
def test_a_statement_that_the_bytes_deny_is_a_finding(
    tmp_path: Path, said: str, value: object
) -> None:
    """`expected` is what the metadata record says, `found` what the records are."""
    cap = capture(10).saying(**{said: value})
    fault = told_of(tmp_path, [warcinfo(), *cap.records]).only("metadata_disagrees")
    assert fault.field == ("outcome" if said == "kind" and value == "redirect" else said)
    assert fault.offset == len(packed([warcinfo(), *cap.records[:2]]))
    wanted = value if said == "capture_id" else cap.said["capture_id"]
    assert fault.capture_id == wanted


def test_findings_name_the_capture_even_before_its_response_is_read(tmp_path: Path) -> None:
    """A fault of the request carries the capture id, which only the later records give."""
    records = good_records()
    records = changed(records, 4, lambda each: each.having(WARC_Date="never"))
    heard = told_of(tmp_path, records)
    assert {each.capture_id for each in heard.findings} == {records[5].digest}
    assert heard.report is not None
    assert (heard.report.captures, heard.report.rungs.whole) == (4, 3)


@pytest.mark.parametrize(
    ("dropped", "codes"),
    [
        (0, {"warcinfo_missing"}),
        (1, {"request_missing"}),
        (2, {"concurrent_missing", "revisit_target_missing"}),
        (3, {"metadata_missing", "outcomes_disagree"}),
        (10, {"outcomes_disagree"}),
    ],
)
def test_a_dropped_record_is_missed(tmp_path: Path, dropped: int, codes: set[str]) -> None:
    """Warcinfo, request, response, metadata and a failure's record: each leaves a gap."""
    records = good_records()
    del records[dropped]
    assert told_of(tmp_path, records).codes == codes


def test_records_of_a_capture_in_another_order_are_a_finding(tmp_path: Path) -> None:
    """Request, response, metadata; and those of one capture stand together."""
    records = good_records()
    swapped = [records[0], records[2], records[1], *records[3:]]
    assert told_of(tmp_path, swapped).codes == {"records_disordered"}
    apart = [*records[:3], *records[4:7], records[3], *records[7:]]
    assert {"metadata_missing", "concurrent_missing"} <= told_of(tmp_path, apart).codes


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("WARC_Date", "2026-11-23T09:45:01.000000Z"),
        ("WARC_Target_URI", "http://elsewhere.example/"),
        ("WARC_IP_Address", "192.0.2.99"),
    ],
)
def test_a_request_that_differs_from_its_response_is_a_finding(
    tmp_path: Path, field: str, value: str
) -> None:
    """Date, target and address are those of one visit."""
    records = changed(good_records(), 1, lambda each: each.having(**{field: value}))
    assert "records_disagree" in told_of(tmp_path, records).codes


def test_a_record_id_may_stand_once_in_an_archive(tmp_path: Path) -> None:
    """Also across files; the second place is named, and the first in `found`."""
    name = "other-20261123094500000-00000.warc.gz"
    root = write_root(
        tmp_path,
        {"bridge.warc.gz": packed([warcinfo()]), name: packed([warcinfo(), failure(40)])},
    )
    fault = told(root).only("record_id_duplicate")
    assert (fault.warc, fault.offset) == (name, 0)
    assert fault.found == f"{urn(1)}, as in bridge.warc.gz at byte 0"


def test_a_metadata_record_that_is_no_json_is_a_finding(tmp_path: Path) -> None:
    """Bytes that are no JSON object of a known profile say nothing that could be checked."""
    cap = capture(10)
    for block in (b"{", b"[]", b'{"profile": "other"}', b"[" * 100_000, b"\xff"):
        records = [warcinfo(), *cap.records[:2], cap.metadata.holding(block)]
        assert told_of(tmp_path, records).codes == {"metadata_unreadable"}


# Revisits


def revisiting(tmp_path: Path, change: Callable[[Rec], Rec]) -> Mapping[str, str | None]:
    """Return field → found for what a changed revisit disagrees on."""
    first = capture(10)
    again = revisit(30, first)
    again = reknown(again.with_anchor(change(again.anchor)))
    again = again.saying(payload_digest=again.anchor.value("WARC-Payload-Digest"))
    heard = told_of(tmp_path, [warcinfo(), *first.records, *again.records])
    assert heard.codes <= {"revisit_disagrees"}
    assert all(each.capture_id == again.anchor.digest for each in heard.findings)
    return {str(each.field): each.found for each in heard.findings}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("WARC-Refers-To-Target-URI", "http://elsewhere.example/"),
        ("WARC-Refers-To-Date", "2026-11-23T09:45:00Z"),
        ("WARC-Payload-Digest", "sha256:" + "0" * 64),
    ],
)
def test_a_revisit_says_of_its_original_what_it_is(tmp_path: Path, field: str, value: str) -> None:
    """Target URI, date and payload digest are the original's."""
    assert revisiting(tmp_path, lambda each: each) == {}
    found = revisiting(tmp_path, lambda each: each.having(**{field.replace("-", "_"): value}))
    assert list(found) == [field]
    assert capture(10).anchor.value(
        {"WARC-Refers-To-Target-URI": "WARC-Target-URI", "WARC-Refers-To-Date": "WARC-Date"}.get(
            field, field
        )
    ) in str(found[field])


def test_a_revisit_says_the_content_of_its_original(tmp_path: Path) -> None:
    """The content id in a revisit's metadata record is the original's."""
    first = capture(10)
    again = revisit(30, first).saying(content_id=sha256(b"other"))
    heard = told_of(tmp_path, [warcinfo(), *first.records, *again.records])
    fault = heard.only("revisit_disagrees")
    assert str(first.said["content_id"]) in str(fault.found)


def test_a_revisit_may_refer_to_another_file_but_not_to_nothing(tmp_path: Path) -> None:
    """The original is looked for in the whole archive."""
    first, again = capture(10), revisit(30, capture(10))
    later = [warcinfo().having(WARC_Record_ID=f"<{urn(2)}>"), *again.records]
    files = {"a.warc.gz": packed([warcinfo(), *first.records]), "b.warc.gz": packed(later)}
    assert told(write_root(tmp_path, files)).findings == []
    (tmp_path / "archive" / "a.warc.gz").unlink()
    heard = told(write_root(tmp_path, {"b.warc.gz": files["b.warc.gz"]}))
    fault = heard.only("revisit_target_missing")
    assert (fault.field, fault.expected) == ("WARC-Refers-To", urn(11))


def test_a_revisit_of_a_revisit_is_a_finding(tmp_path: Path) -> None:
    """A chain would hang on a record that holds no payload."""
    first = capture(10)
    second = revisit(30, first)
    third = revisit(50, first)
    chained = third.anchor.having(WARC_Refers_To=second.anchor.value("WARC-Record-ID"))
    records = [warcinfo(), *first.records, *second.records]
    records += reknown(third.with_anchor(chained)).records
    assert told_of(tmp_path, records).codes == {"revisit_target_is_revisit"}


# Redirects and runs


def hop_to(cap: Cap, capture_id: str) -> Cap:
    hop = {"url": "http://a.example/", "status": 301, "location": "/b", "capture_id": capture_id}
    return cap.saying(redirects=[hop])


def test_the_hops_of_a_redirect_chain_are_in_the_archive(tmp_path: Path) -> None:
    """Each hop is a capture of its own, named by its capture id; a missing one is told."""
    first = capture(10).saying(kind="redirect", outcome=None)
    last = hop_to(capture(20), first.anchor.digest)
    heard = told_of(tmp_path, [warcinfo(), *first.records, *last.records])
    assert heard.findings == [] and heard.report is not None and heard.report.captures == 1
    heard = told_of(tmp_path, [warcinfo(), *last.records])
    assert heard.only("redirect_missing").expected == first.anchor.digest
    assert heard.report is not None and heard.report.rungs.whole == 0


def test_the_closing_record_counts_the_outcomes_of_all_files_of_a_run(tmp_path: Path) -> None:
    """A run may fill several files; `skipped` writes no record and is not looked for."""
    files = {
        "a.warc.gz": packed([warcinfo(), *capture(10).records]),
        "b.warc.gz": packed(
            [
                warcinfo().having(WARC_Record_ID=f"<{urn(2)}>"),
                failure(40),
                closing(captured=1, failed=1, skipped=3),
            ]
        ),
    }
    assert told(write_root(tmp_path, files)).findings == []
    wrong = packed([warcinfo(), failure(40), closing(captured=7, failed=1)])
    (tmp_path / "archive" / "a.warc.gz").unlink()
    fault = told(write_root(tmp_path, {"b.warc.gz": wrong})).only("outcomes_disagree")
    assert (fault.expected, fault.found) == ("captured 7, failed 1", "failed 1")


def test_captures_of_foreign_files_count_too(tmp_path: Path) -> None:
    """Each response, revisit or resource is a capture; other writers give no metadata."""
    foreign = rec("warcinfo", 1, b"software: other/1\r\n", "application/warc-fields")
    anchors = [capture(10).anchor, capture(20).anchor]
    report = told_of(tmp_path, [foreign, *anchors]).report
    assert report is not None
    assert (report.captures, report.rungs.whole, report.findings) == (2, 2, 0)


def test_statements_of_ours_under_a_foreign_warcinfo_are_a_finding(tmp_path: Path) -> None:
    """A file whose warcinfo was exchanged would be held to less."""
    foreign = rec("warcinfo", 1, b"software: other/1\r\n", "application/warc-fields")
    heard = told_of(tmp_path, [foreign, *capture(10).records, *capture(20).records])
    assert heard.codes == {"warcinfo_missing"}


def test_a_statement_longer_than_the_limit_is_not_read(tmp_path: Path) -> None:
    """A metadata record of many MiB is named, not parsed."""
    said = to_json({"profile": "provenance-capture-1", "pad": "x" * (8 << 20)})
    cap = capture(10)
    records = [warcinfo(), *cap.records[:2], cap.metadata.holding(said)]
    assert told_of(tmp_path, records).codes == {"metadata_unreadable"}
