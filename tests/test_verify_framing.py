"""`verify` sees every fault of compression and framing, says where, and goes on after it."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.verify import FileReport, verify_file
from tests.verify_builders import NAME, Rec, capture, good_records, packed, told_of, warcinfo


def judged(tmp_path: Path, raw: bytes, name: str = NAME) -> FileReport:
    path = tmp_path / name
    path.write_bytes(raw)
    return verify_file(path)


def codes(report: FileReport) -> set[str]:
    return {each.code for each in report.findings}


def middle(records: list[Rec]) -> tuple[int, int]:
    """Return where the fourth member starts and ends."""
    start = len(packed(records[:3]))
    return start, start + len(records[3].member)


def test_an_undamaged_file_gives_no_finding(tmp_path: Path) -> None:
    """Everything agrees: no finding, all captures whole."""
    heard = told_of(tmp_path, good_records())
    assert heard.findings == [] and heard.notes == []
    assert heard.report is not None
    assert (heard.report.captures, heard.report.rungs.whole, heard.report.records) == (4, 4, 12)
    assert (heard.report.manifest.listed, heard.report.manifest.agreed) == (1, 1)


def test_warcio_takes_the_undamaged_file_for_good(tmp_path: Path) -> None:
    """What these tests call undamaged, another program does too."""
    pytest.importorskip("warcio")
    path = tmp_path / NAME
    path.write_bytes(packed(good_records()))
    command = [sys.executable, "-c", "from warcio.cli import main; main()", "check", str(path)]
    assert subprocess.run(command, check=False, timeout=60).returncode == 0


def test_plain_and_gzip_files_are_judged_alike(tmp_path: Path) -> None:
    """Without compression the same records are found."""
    plain = judged(tmp_path, b"".join(each.plain for each in good_records()), "plain.warc")
    packed_report = judged(tmp_path, packed(good_records()))
    assert plain.findings == () and plain.records == packed_report.records
    assert list(plain.ledger.records.column(0)) == list(packed_report.ledger.records.column(0))


def crc_changed(raw: bytes, start: int, end: int) -> bytes:
    return raw[: end - 8] + bytes([raw[end - 8] ^ 1]) + raw[end - 7 :]


def size_changed(raw: bytes, start: int, end: int) -> bytes:
    return raw[: end - 1] + bytes([raw[end - 1] ^ 1]) + raw[end:]


def deflate_changed(raw: bytes, start: int, end: int) -> bytes:
    return raw[: start + 10] + b"\xff\xff\xff\xff" + raw[start + 14 :]


def magic_changed(raw: bytes, start: int, end: int) -> bytes:
    return raw[:start] + b"\x00" + raw[start + 1 :]


def reserved_flag_set(raw: bytes, start: int, end: int) -> bytes:
    return raw[: start + 3] + b"\x80" + raw[start + 4 :]


def bytes_between(raw: bytes, start: int, end: int) -> bytes:
    return raw[:start] + b"junk" + raw[start:]


@pytest.mark.parametrize(
    ("damage", "code", "records"),
    [
        (crc_changed, "gzip_crc", 12),
        (size_changed, "gzip_size", 12),
        (deflate_changed, "gzip_damaged", 11),
        (magic_changed, "stray_bytes", 11),
        (reserved_flag_set, "stray_bytes", 11),
        (bytes_between, "stray_bytes", 12),
    ],
)
def test_a_broken_member_is_named_and_the_others_are_read(
    tmp_path: Path, damage: object, code: str, records: int
) -> None:
    """The fault stands at the member's offset; records before and after it are judged."""
    start, end = middle(good_records())
    assert callable(damage)
    report = judged(tmp_path, damage(packed(good_records()), start, end))
    fault = next(each for each in report.findings if each.code == code)
    assert fault.offset == start and fault.warc == NAME
    assert fault.expected and fault.found and fault.hint
    assert report.records == records


def test_a_crc_is_given_as_stored_and_as_computed(tmp_path: Path) -> None:
    """`expected` is the stored CRC-32, `found` that of the bytes."""
    raw = warcinfo().member
    crc = struct.unpack("<I", raw[-8:-4])[0]
    report = judged(tmp_path, raw[:-8] + struct.pack("<I", crc ^ 0xFF) + raw[-4:])
    fault = report.findings[0]
    assert (fault.expected, fault.found) == (f"{crc ^ 0xFF:08x}", f"{crc:08x}")


@pytest.mark.parametrize("cut", [1, 7, 8, 9, 40])
def test_a_file_cut_in_its_last_member_is_a_finding(tmp_path: Path, cut: int) -> None:
    """The end of the file inside a member is seen, wherever it is cut."""
    report = judged(tmp_path, packed(good_records())[:-cut])
    assert "gzip_cut" in codes(report) and report.records >= 11


@pytest.mark.parametrize("tail", [b"\n", b"\0" * 512, b"\x1f\x8b", b"WARC/1.1\r\n"])
def test_bytes_after_the_last_member_are_a_finding(tmp_path: Path, tail: bytes) -> None:
    """Nothing may follow the last record."""
    report = judged(tmp_path, packed(good_records()) + tail)
    assert codes(report) == {"stray_bytes"} and report.records == 12


def test_bytes_before_the_first_member_are_a_finding(tmp_path: Path) -> None:
    """Nothing may stand before the first record; the records are found all the same."""
    report = judged(tmp_path, b"\xef\xbb\xbf" + packed(good_records()))
    assert codes(report) == {"stray_bytes"} and report.records == 12


def test_two_records_in_a_member_are_a_finding(tmp_path: Path) -> None:
    """Each record has a gzip member of its own."""
    raw = gzip.compress(b"".join(each.plain for each in good_records()))
    report = judged(tmp_path, raw)
    assert codes(report) == {"gzip_many_records"} and report.records == 12


def test_an_empty_member_is_a_finding(tmp_path: Path) -> None:
    """A gzip member without a record does not belong in the file."""
    report = judged(tmp_path, packed(good_records()) + gzip.compress(b""))
    assert codes(report) == {"no_record"}


def test_a_member_with_extra_fields_and_a_name_is_read(tmp_path: Path) -> None:
    """Optional gzip header fields are legal (RFC 1952 §2.3.1)."""
    member = warcinfo().member
    optional = b"\x04\x00sl\x00\x00" + b"name.warc\0" + b"comment\0"
    raw = member[:3] + bytes([4 | 8 | 16]) + member[4:10] + optional + member[10:]
    assert judged(tmp_path, raw).findings == ()


def test_a_wrong_gzip_header_crc_is_a_finding(tmp_path: Path) -> None:
    """Where a gzip header has a CRC of its own, it must fit."""
    member = warcinfo().member
    raw = member[:3] + bytes([2]) + member[4:10] + b"\x12\x34" + member[10:]
    assert "foreign_file" in codes(judged(tmp_path, raw))


@pytest.mark.parametrize("suffix", [".warc", ".warc.gz"])
@pytest.mark.parametrize("by", [5, 300, -1, -4, -20])
def test_a_wrong_content_length_is_told_with_the_true_one(
    tmp_path: Path, suffix: str, by: int
) -> None:
    """`expected` is what the field says, `found` how long the block is; the next record is read."""
    block = b"a resource of some length"
    right = capture(10).anchor.holding(block).having(WARC_Type="resource")
    wrong = replace(right, length=len(block) + by)
    records = [wrong, right.having(WARC_Record_ID="<urn:x:2>")]
    raw = b"".join(each.member if suffix.endswith("gz") else each.plain for each in records)
    report = judged(tmp_path, raw, "foreign" + suffix)
    assert report.records == 2
    fault = next(each for each in report.findings if each.code == "content_length")
    assert (fault.field, fault.offset) == ("Content-Length", 0)
    assert (fault.expected, fault.found) == (f"{len(block) + by} bytes", f"{len(block)} bytes")


@pytest.mark.parametrize("trailer", [b"", b"\r\n", b"\n\n", b"\r\n\r\n\r\n", b"\r\n\r\nx"])
def test_a_record_ends_with_two_line_ends_and_nothing_else(tmp_path: Path, trailer: bytes) -> None:
    """Any other trailer is a finding, in members and in plain files."""
    record = warcinfo()
    member = gzip.compress(record.header + record.block + trailer)
    other = capture(10).anchor
    for raw, name in (
        (member + other.member, "a.warc.gz"),
        (record.header + record.block + trailer + other.plain, "a.warc"),
    ):
        report = judged(tmp_path, raw, name)
        assert codes(report) & {"record_trailer", "stray_bytes"}, name
        assert report.records == 2, name


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"WARC-Date: ", b"WARC-Date\xff: ", "header_line"),
        (b"WARC-Date: ", b"WARC-Date ", "header_line"),
        (b"WARC-Date: ", b"Warc Date: ", "header_line"),
        (b"\r\nWARC-Date", b"\nWARC-Date", "header_line_end"),
        (b"WARC/1.1", b"WARC/2.0", "version_unknown"),
        (b"WARC/1.1", b"WARC/1.1 ", "stray_bytes"),
        (b"WARC/1.1", b"warc/1.1", "stray_bytes"),
        (b"\r\n\r\n", b"\r\n", "header_unending"),
        (b"http:", b"http:\xff", "header_not_utf8"),
        (b"http:", b"http:\x07", "header_line"),
        (b"Content-Length: ", b"Content-Length: x", "content_length_illegal"),
        (b"Content-Length: ", b"Content-Lenght: ", "content_length_illegal"),
    ],
)
def test_a_spoilt_header_is_a_finding(tmp_path: Path, old: bytes, new: bytes, code: str) -> None:
    """Header lines are held to the grammar of WARC 1.1 §4."""
    record = capture(10).anchor.holding(b"no line ends").having(WARC_Type="resource")
    plain = record.plain.replace(b"\r\n\r\n", b"", 1) if code == "header_unending" else record.plain
    spoilt = plain.replace(old, new, 1)
    assert spoilt != record.plain
    if code == "stray_bytes" and new.startswith(b"WARC"):
        code = "version_unknown"
    report = judged(tmp_path, warcinfo().member + gzip.compress(spoilt), "spoilt.warc.gz")
    assert code in codes(report), report.findings


def test_a_folded_field_of_ours_is_a_finding_and_a_foreign_one_is_not(tmp_path: Path) -> None:
    """The standard allows folding; this tool never folds."""
    record = capture(10).anchor
    folded = gzip.compress(record.plain.replace(b"WARC-Type: ", b"WARC-Type:\r\n "))
    assert "header_folded" in codes(judged(tmp_path, warcinfo().member + folded))
    assert codes(judged(tmp_path, folded)) == set()


def test_memory_stays_flat_while_a_large_record_is_read(tmp_path: Path) -> None:
    """A record of 48 MiB, coded and not, is judged within 8 MiB."""
    body = bytes(48 << 20)
    path = tmp_path / NAME
    records = [warcinfo(), *capture(10, body).records]
    path.write_bytes(packed(records))
    del body, records
    tracemalloc.start()
    report = verify_file(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.findings == () and peak < 8 << 20
