"""`verify` reads what other projects wrote: no traceback, and no digest blamed that agrees."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provenance.verify import verify_file
from provenance.verify.wacz import verify_wacz
from tests.cli_program import run, small_root

CORPORA = Path(__file__).parents[1].parent / "shared" / "corpora"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CORPORA.is_dir(), reason="no shared corpora beside the checkout"),
]

DIGEST_CODES = {"block_digest", "payload_digest", "digest_unreadable"}
WARC_KINDS = {"warc", "malformed-warc"}


def entries() -> list[Mapping[str, Any]]:
    if not CORPORA.is_dir():
        return []
    listed: list[Mapping[str, Any]] = json.loads((CORPORA / "MANIFEST.json").read_bytes())["files"]
    return listed


ENTRIES = entries()
BAD_BLOCKS = ("False",)
BAD_PAYLOADS = ("NOTHING", "undecodable")


def faulty(entry: Mapping[str, Any]) -> bool:
    """Say whether another reading of the file found a digest that does not agree."""
    blocks = entry.get("declared_block_digests_ok") or {}
    payloads = entry.get("declared_payload_digests") or {}
    return any(blocks.get(each) for each in BAD_BLOCKS) or any(
        payloads.get(each) for each in BAD_PAYLOADS
    )


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["file"]))
def test_any_file_is_judged_without_a_traceback(entry: Mapping[str, Any]) -> None:
    """Every finding has a place, and what was expected and found; the file's digest is right."""
    report = verify_file(CORPORA / entry["file"])
    assert report.sha256 == "sha256:" + entry["sha256"]
    for each in report.findings:
        assert each.warc == Path(entry["file"]).name
        assert each.expected and each.found and each.hint
        assert each.expected.isprintable() and each.found.isprintable()
    if entry["kind"] not in WARC_KINDS | {"arc"}:
        assert [each.code for each in report.findings] == ["foreign_file"]


AGREED = [
    entry
    for entry in ENTRIES
    if entry["kind"] in WARC_KINDS
    and entry.get("agreed_record_count")
    and entry.get("compression") in ("none", "gz")
]

UNENDED = {
    "f2b6cb57-fold.warc",
    "53920dd9-utf8field.warc",
    "8fa6d1cc-test-missing-fields.warc",
}
"""Files that end inside their only record header: other readers count a record, we name the end."""


@pytest.mark.parametrize("entry", AGREED, ids=lambda entry: str(entry["file"]))
def test_as_many_records_are_found_as_other_readers_agree_on(entry: Mapping[str, Any]) -> None:
    """FastWARC, warcio and JWAT count the same; so do we."""
    report = verify_file(CORPORA / entry["file"])
    if Path(entry["file"]).name in UNENDED:
        assert {each.code for each in report.findings} == {"header_unending", "no_record"}
    else:
        assert report.records == entry["agreed_record_count"]


ARC = [entry for entry in ENTRIES if entry["kind"] == "arc"]
ARC_JUDGED: dict[str, tuple[int, set[str], str]] = {
    "6cf2572a-badexample.arc.gz": (
        4,
        {"gzip_many_records", "arc_field", "arc_length"},
        "one gzip member for the file: warcio and JWAT stop after a record",
    ),
    "02afe5b6-hello-world2.arc": (2, {"arc_length"}, "the version block is shorter than it says"),
    "e84c1c8b-hello-world.arc": (2, {"arc_length"}, "the version block is shorter than it says"),
    "e83988ef-bad.arc": (4, {"arc_length", "arc_field"}, "JWAT counts an empty line as a record"),
    "ff5540f2-space-in-url.arc": (
        3,
        {"arc_field", "arc_short"},
        "JWAT reads no line whose address has spaces; the file ends 8 bytes early",
    ),
    "adc00522-test-arc-1.0-dashed-fields.arc": (
        2,
        {"arc_field", "arc_length"},
        "80 bytes more than the line says",
    ),
}
"""What is wrong with ARC files, and why others count their records differently where they do."""


@pytest.mark.parametrize("entry", ARC, ids=lambda entry: str(entry["file"]))
def test_the_records_of_arc_files_are_counted_and_judged(entry: Mapping[str, Any]) -> None:
    """Where warcio and JWAT agree, the count is theirs."""
    report = verify_file(CORPORA / entry["file"])
    name, agreed = Path(entry["file"]).name, entry["agreed_record_count"]
    records, codes, why = ARC_JUDGED.get(name, (agreed, set(), "no fault"))
    assert (report.records, {each.code for each in report.findings}) == (records, codes), why
    assert agreed in (None, report.records)


@pytest.mark.parametrize("entry", AGREED, ids=lambda entry: str(entry["file"]))
def test_a_digest_is_blamed_where_it_was_recomputed_as_wrong_and_nowhere_else(
    entry: Mapping[str, Any],
) -> None:
    """The manifest of the corpora has each digest recomputed by other code."""
    report = verify_file(CORPORA / entry["file"])
    blamed = {each.code for each in report.findings} & DIGEST_CODES
    if not faulty(entry):
        assert blamed == set()
    elif "segment" not in entry["file"] and "continuation" not in entry["file"]:
        # The payload digest of a segment is the whole record's (WARC 1.1 §5.9): not judged here.
        assert blamed
    bad = (entry.get("declared_block_digests_ok") or {}).get("False", 0)
    assert sum(each.code == "block_digest" for each in report.findings) == bad


# Record by record


@pytest.mark.parametrize("entry", AGREED, ids=lambda entry: str(entry["file"]))
def test_records_stand_where_others_found_them_and_the_faulty_are_blamed(
    entry: Mapping[str, Any],
) -> None:
    """`expected/` has each record's byte, and which digests another reading found to be wrong."""
    if Path(entry["file"]).name in UNENDED:
        pytest.skip("no record header ends")
    detail = json.loads((CORPORA / entry["expected_detail"]).read_bytes())["records"]
    report = verify_file(CORPORA / entry["file"])
    assert list(report.ledger.records.column(1)) == [each["offset"] for each in detail]
    blamed = {
        code: sorted(each.offset or 0 for each in report.findings if each.code == code)
        for code in ("block_digest", "payload_digest", "digest_unreadable")
    }
    assert blamed["block_digest"] == [
        each["offset"] for each in detail if each.get("block_digest_ok") is False
    ]
    if "segment" not in entry["file"] and "continuation" not in entry["file"]:
        of = {each["offset"]: each.get("declared_payload_digest_is_of") for each in detail}
        assert blamed["payload_digest"] == [at for at in of if of[at] == "NOTHING"]
        assert set(blamed["digest_unreadable"]) >= {at for at in of if of[at] == "undecodable"}


WHOLE_GZIP = "one gzip member for the file: warcio and JWAT stop after a record, FastWARC reads on"
LF_ONLY = "lines end with LF alone: FastWARC stops, warcio and JWAT read on, we too and say so"
UNTYPED = "no Content-Length: the record is none for warcio, an empty one for FastWARC and JWAT"
OLD = "WARC/0.17: FastWARC stops at it"

DISPUTED: Mapping[str, tuple[int, set[str], str]] = {
    "097892de-block-sized-records.warc.lz4": (
        0,
        {"foreign_file"},
        "FastWARC alone unpacks LZ4, which the standard does not know",
    ),
    "b8203776-example.com.warc.gz": (5, {"gzip_many_records", "field_not_allowed"}, WHOLE_GZIP),
    "d1173524-good.warc.gz.open": (50, {"gzip_many_records"}, WHOLE_GZIP),
    "6592c9f1-skip-non-open.warc.gz": (10, {"gzip_many_records"}, WHOLE_GZIP),
    "6a3ccd9a-salam-home.warc.gz": (6, {"gzip_many_records"}, WHOLE_GZIP),
    "2fb33d4b-example-bad-non-chunked.warc.gz": (
        6,
        {"gzip_many_records", "block_digest"},
        WHOLE_GZIP,
    ),
    "f90265e0-corrupted-trailing-bytes.warc.gz.open": (
        30,
        {"gzip_many_records", "stray_bytes"},
        "as above, with damage behind the member",
    ),
    "30e6fa98-empty.warc.gz.open": (0, {"foreign_file"}, "a gzip member without a byte in it"),
    "1f563e1b-example-wrong-chunks.warc.gz": (
        2,
        {"content_length", "stray_bytes"},
        "members end inside records: the digest that others call wrong is of a block cut there",
    ),
    "05396c19-link-extraction-test.warc": (
        7,
        {"field_missing", "content_length", "record_trailer"},
        "two lengths are wrong: warcio stops, FastWARC and JWAT find the next record as we do",
    ),
    "67f46072-invalid-warcfile-record-then-garbage.warc": (
        1,
        {"stray_bytes"},
        "all find one record; FastWARC and warcio stop with an error, we name the rest",
    ),
    "cbf487f4-test-utf8.warc": (1, {"version_unknown"}, OLD),
    "672a46ce-valid-warcfile-fields-warcinfo.warc": (1, {"version_unknown"}, OLD),
    "7780dcc7-test-contenttype-recommended.warc": (
        7,
        {
            "version_unknown",
            "stray_bytes",
            "payload_digest",
            "record_trailer",
            "record_id_duplicate",
        },
        "warcio stops at a trailer of other line ends, FastWARC and JWAT read on as we do",
    ),
    "bfb783c0-invalid-warcfile-duplicate-fields.warc": (
        1,
        {"field_repeated"},
        "all find one record; FastWARC ends with an error after it",
    ),
    "c1468f36-invalid-warcfile-lonely-revisit.warc": (
        1,
        {"field_missing", "content_length_illegal"},
        UNTYPED,
    ),
    "30440107-test-lonely-revisit.warc": (1, {"field_missing", "content_length_illegal"}, UNTYPED),
    "690d2e78-invalid-warcfile-lonely-warcinfo-metadata.warc": (
        2,
        {"field_missing", "content_length_illegal"},
        UNTYPED,
    ),
    "767f7242-valid-warcfile-upper-lower-case.warc": (
        3,
        {"stray_bytes", "field_illegal"},
        "warcio and JWAT take `warc/1.0` in small letters too, FastWARC stops; to us it is stray",
    ),
    "fa9b5a49-1memento.warc": (
        4,
        {"header_line_end", "record_trailer", "payload_digest", "record_id_duplicate"},
        LF_ONLY,
    ),
    "a4c1d9d5-2mementos.warc": (
        5,
        {"header_line_end", "record_trailer", "payload_digest", "record_id_duplicate"},
        LF_ONLY,
    ),
    "a3c09ca7-2mementos_queryString.warc": (
        3,
        {"header_line_end", "record_trailer", "payload_digest", "record_id_duplicate"},
        LF_ONLY,
    ),
    "d5f00947-3mementos.warc": (
        6,
        {"header_line_end", "record_trailer", "payload_digest", "record_id_duplicate"},
        LF_ONLY,
    ),
    "725e7215-5mementos.warc": (
        8,
        {"header_line_end", "record_trailer", "payload_digest", "record_id_duplicate"},
        LF_ONLY,
    ),
    "64441ebe-mementos.warc": (
        5,
        {"header_line_end", "record_trailer", "payload_digest", "record_id_duplicate"},
        LF_ONLY,
    ),
    "52b10381-1memento_noContentType.warc": (
        2,
        {"header_line_end", "record_trailer", "payload_digest"},
        LF_ONLY,
    ),
    "30d1666e-slash.warc": (2, {"header_line_end", "record_trailer", "payload_digest"}, LF_ONLY),
    "891ff170-redirect.warc": (2, {"header_line_end", "record_trailer", "block_short"}, LF_ONLY),
    "1d8c4a11-HTTP204.warc": (
        3,
        {"content_length", "payload_digest", "record_trailer"},
        "two lengths are wrong: FastWARC stops, warcio and JWAT find the next record as we do",
    ),
    "2a0e1bea-standard-torture-validate-field.warc": (
        3,
        {"field_repeated", "field_illegal", "record_trailer", "field_missing", "header_unending"},
        "JWAT counts a header that never ends as a fourth record",
    ),
}
"""Files whose records other readers count differently: our count, our findings, and why."""


@pytest.mark.parametrize(
    "entry",
    [
        each
        for each in ENTRIES
        if each["kind"] in WARC_KINDS and not each.get("agreed_record_count")
    ],
    ids=lambda entry: str(entry["file"]),
)
def test_where_readers_disagree_our_reading_is_stated(entry: Mapping[str, Any]) -> None:
    """No disputed file is without its reason."""
    records, codes, why = DISPUTED[Path(entry["file"]).name]
    report = verify_file(CORPORA / entry["file"])
    assert (report.records, {each.code for each in report.findings}) == (records, codes), why


# The command


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a root in which nothing of the corpora is archived."""
    return small_root(tmp_path_factory.mktemp("corpora") / "root").root


ARCHIVE_KINDS = WARC_KINDS | {"arc", "wacz"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["file"]))
def test_any_file_goes_through_the_command(root: Path, entry: Mapping[str, Any]) -> None:
    """Archives end with 0 or 4 and a summary of what was told; all else is unknown, status 2."""
    path = CORPORA / entry["file"]
    ended = run("verify", path, "--json", cwd=root)
    if entry["kind"] not in ARCHIVE_KINDS:
        assert (ended.status, ended.out) == (2, "")
        assert "no capture has this content" in ended.err
        return
    *lines, summary = [json.loads(line) for line in ended.out.splitlines()]
    findings = [each for each in lines if each["type"] == "finding"]
    captures = [each for each in lines if each["type"] == "capture"]
    assert ended.status == (4 if findings else 0)
    assert (summary["type"], summary["findings"]) == ("summary", len(findings))
    assert summary["captures"] == len(captures)
    assert summary["rungs"]["whole"] == sum(each["rungs"] == ["whole"] for each in captures)
    if entry["kind"] != "wacz":
        report = verify_file(path)
        assert summary["records"] == report.records
        assert [(each["code"], each["offset"]) for each in findings] == [
            (each.code, each.offset) for each in dict.fromkeys(report.findings)
        ]


def test_memory_is_bounded() -> None:
    """All files, one after the other in one process."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from provenance.verify.asked import verify_targets\n"
        "for path in sys.argv[1:]:\n"
        "    verify_targets([path], root=None, index=None, on_finding=lambda _: None,"
        " on_note=lambda _: None, jobs=1)\n"
        # Not getrusage: its peak is that of the process that started this one, too.
        "told = Path('/proc/self/status').read_text()\n"
        "print(told.split('VmHWM:')[1].split()[0])\n"
    )
    paths = [str(CORPORA / entry["file"]) for entry in ENTRIES if entry["kind"] in ARCHIVE_KINDS]
    ended = subprocess.run(
        [sys.executable, "-c", script, *paths], capture_output=True, check=True, timeout=300
    )
    assert int(ended.stdout) < 128 << 10  # KiB


# Packages

PACKAGES = [entry for entry in ENTRIES if entry["kind"] == "wacz"]

PACKAGE_REASONS: Mapping[str, tuple[set[str], str]] = {
    "e6ee7e18-before.wacz": (
        {"wacz_resource_digest"},
        "js-wacz lists another digest than the stored file has; players never look",
    ),
    "40946593-valid_example_0.wacz": (
        {"wacz_package_missing"},
        "version 0.1.0 has its list in webarchive.yaml; py-wacz calls it outdated too",
    ),
    "4344790d-valid_example_2.wacz": (
        {"wacz_resource_size"},
        "the digest of the index agrees and the size beside it does not; py-wacz reads neither",
    ),
    "7204852a-invalid_example_1.wacz": (
        {"wacz_resource_missing", "wacz_resource_unlisted", "wacz_no_warc"},
        "py-wacz stops at the missing version",
    ),
}
"""What is wrong with a package as such, and why other tools say otherwise.

py-wacz 0.6.0 also refuses three packages of Scoop for the colons in their resource names, and all
of version 1.0.0 or none; what they list agrees with what they hold, so that we find no fault.
"""


@pytest.mark.parametrize("entry", PACKAGES, ids=lambda entry: str(entry["file"]))
def test_a_package_is_what_its_list_says_as_others_recomputed_it(
    entry: Mapping[str, Any],
) -> None:
    """Each resource, what is not listed, the digest of the list, and whether it is signed."""
    expected = entry["expected"]
    report = verify_wacz(CORPORA / entry["file"])
    told = {(each.code, each.field) for each in report.findings}
    for path, state in expected["resources"] or ():
        wrong = ("wacz_resource_digest", path) in told
        assert wrong == (state == "HASH-MISMATCH"), path
        assert (("wacz_resource_missing", path) in told) == (state == "missing"), path
    for path, state in expected.get("resources_stats_hash") or ():
        assert state in ("stats-hash-ok", "missing")
        assert ("wacz_resource_unhashed", path) not in told
    unlisted = {path for code, path in told if code == "wacz_resource_unlisted"}
    assert unlisted == set(expected["unlisted_files"] or ())
    codes = {each.code for each in report.findings}
    notes = {each.code for each in report.notes}
    assert codes == PACKAGE_REASONS.get(Path(entry["file"]).name, (set(), ""))[0]
    assert (expected["datapackage_digest_ok"] is None) == bool(
        notes & {"wacz_digest_missing"} or codes & {"wacz_package_missing"}
    )
    assert ("wacz_signature_unchecked" in notes) == expected["signed"]
    assert "zip_stray" not in notes


@pytest.mark.parametrize("entry", PACKAGES, ids=lambda entry: str(entry["file"]))
def test_a_file_in_a_package_is_judged_as_it_is_by_itself(entry: Mapping[str, Any]) -> None:
    """As many records and faulty digests as were counted of it."""
    report = verify_wacz(CORPORA / entry["file"])
    found = {file.warc.partition("/")[2]: file for file in report.files}
    assert found.keys() == (entry.get("inner_warcs") or {}).keys()
    for name, inner in (entry.get("inner_warcs") or {}).items():
        file = found[name]
        assert file.sha256 == "sha256:" + inner["sha256"]
        assert file.records == inner["reference"]["warcio"]["records"]
        # JWAT's counts: FastWARC reads one of these files another way than JWAT and warcio do.
        for code in ("block_digest", "payload_digest"):
            _, wrong = inner["reference"]["jwat"][f"{code}_ok_bad"]
            assert sum(each.code == code for each in file.findings) == wrong
