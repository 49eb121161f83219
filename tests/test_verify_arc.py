"""`verify` of ARC files: every fault of the framing is named, and what comes after it is read."""

from __future__ import annotations

import gzip
import json
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from provenance.verify import verify_file
from tests.cli_program import run, small_root
from tests.peers import peer

ONE = b"URL IP-address Archive-date Content-type Archive-length"
TWO = (
    b"URL IP-address Archive-date Content-type Result-code Checksum Location Offset"
    b" Filename Archive-length"
)
LINE = b"http://bridge.example/%d 192.0.2.7 20040925001013 text/html %d\n"
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nminutes %d"


def version(number: int = 1) -> bytes:
    """Return the version block of a file, its empty line left to the document after it."""
    words = ONE if number == 1 else TWO
    block = b"%d 0 Gazette\n%s\n" % (number, words)
    if number == 1:
        return b"filedesc://a.arc 0.0.0.0 20040925001013 text/plain %d\n%s" % (len(block), block)
    return b"filedesc://a.arc 0.0.0.0 20040925001013 text/plain 200 - - 0 a.arc %d\n%s" % (
        len(block),
        block,
    )


def document(number: int, *, more: int = 0) -> bytes:
    """Return a record of version 1; its line says `more` bytes than there are."""
    body = BODY % number
    return LINE % (number, len(body) + more) + body


def plain(*records: bytes) -> bytes:
    return b"".join(record + b"\n" for record in records)


GOOD = (version(), document(1), document(2), document(3))


def codes(folder: Path, raw: bytes, name: str = "a.arc") -> tuple[int, list[tuple[str, int]]]:
    """Return how many records are found, and each finding's code and place."""
    path = folder / name
    path.write_bytes(raw)
    report = verify_file(path)
    if raw.startswith((b"filedesc:", b"\x1f\x8b")):
        assert [each.code for each in report.notes] == ["arc_undigested"]
    return report.records, [(each.code, each.offset or 0) for each in report.findings]


def test_a_file_without_a_fault_gives_no_finding(tmp_path: Path) -> None:
    """Plain, with CR LF, without a last line end, and as gzip members."""
    raw = plain(*GOOD)
    assert codes(tmp_path, raw) == (4, [])
    assert codes(tmp_path, raw[:-1]) == (4, [])
    members = b"".join(gzip.compress(each + b"\n") for each in GOOD)
    assert codes(tmp_path, members, "a.arc.gz") == (4, [])


def test_version_two_has_ten_fields(tmp_path: Path) -> None:
    """The version block tells of which version the lines are."""
    body = BODY % 1
    line = b"http://bridge.example/1 192.0.2.7 20040925001013 text/html 200 ab12 - 209 a.arc %d\n"
    assert codes(tmp_path, plain(version(2), line % len(body) + body)) == (2, [])
    wrong = line.replace(b"200 ab12", b"OK ab12").replace(b" 209 ", b" x ")
    raw = plain(version(2), wrong % len(body) + body)
    report = verify_file(_written(tmp_path, raw))
    assert [(each.code, each.field) for each in report.findings] == [
        ("arc_field", "Result-code"),
        ("arc_field", "Offset"),
    ]


def _written(folder: Path, raw: bytes) -> Path:
    path = folder / "a.arc"
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("more", [-3, -1, 1, 4, 90])
def test_a_wrong_length_is_named_and_the_next_document_found(tmp_path: Path, more: int) -> None:
    """The document goes on to the next line of a record, whatever its own line says."""
    raw = plain(version(), document(1), document(2, more=more), document(3))
    place = len(plain(version(), document(1)))
    assert codes(tmp_path, raw) == (4, [("arc_length", place)])


def test_a_wrong_length_of_the_last_document(tmp_path: Path) -> None:
    """Too few bytes are a file that is cut; too many are a length that is wrong."""
    place = len(plain(version(), document(1)))
    assert codes(tmp_path, plain(version(), document(1), document(2, more=7))) == (
        3,
        [("arc_short", place)],
    )
    assert codes(tmp_path, plain(version(), document(1), document(2, more=-7))) == (
        3,
        [("arc_length", place)],
    )


def test_a_cut_anywhere_is_found_but_between_documents(tmp_path: Path) -> None:
    """For every byte at which the file may end."""
    raw = plain(*GOOD)
    ends = [len(plain(*GOOD[:count])) for count in range(1, len(GOOD) + 1)]
    silent = [size for size in range(1, len(raw)) if not codes(tmp_path, raw[:size])[1]]
    # The format says nowhere how many documents a file has.
    assert silent == [size for end in ends for size in (end - 1, end) if size < len(raw)]


def test_bytes_between_documents_are_found(tmp_path: Path) -> None:
    """Added at every place between two bytes of the separators."""
    ends = [len(plain(*GOOD[:count])) for count in range(1, len(GOOD))]
    raw = plain(*GOOD)
    for end in ends:
        for added in (b"\0", b"\n\n\n", b"\0" * 500, b"a line\n"):
            records, found = codes(tmp_path, raw[:end] + added + raw[end:])
            assert found
            # A line that something stands before is none: its document is the one before's end.
            assert records == 4 - added.startswith(b"\0")
    for end in ends:
        assert codes(tmp_path, raw[: end - 1] + raw[end:])[1], "the line end is gone"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b"192.0.2.7", b"192.0.2.777", "IP-address"),
        (b"20040925001013", b"20041325001013", "Archive-date"),
        (b"20040925001013", b"2004", "Archive-date"),
        (b"text/html", b"html", "Content-type"),
        (b"example/2", b"example/2 and more", "URL"),
    ],
)
def test_a_field_that_is_not_legal_is_named(
    tmp_path: Path, old: bytes, new: bytes, field: str
) -> None:
    """The document is read all the same."""
    raw = plain(version(), document(1), document(2).replace(old, new), document(3))
    report = verify_file(_written(tmp_path, raw))
    assert report.records == 4
    assert [(each.code, each.field) for each in report.findings] == [("arc_field", field)]


@pytest.mark.parametrize("length", [b"-1", b"abc", b"9" * 30])
def test_a_length_that_is_no_number(tmp_path: Path, length: bytes) -> None:
    """What follows is looked for by its line."""
    raw = plain(*GOOD).replace(b"text/html %d\n" % len(BODY % 1), b"text/html %s\n" % length, 1)
    place = len(plain(version()))
    assert codes(tmp_path, raw) == (4, [("arc_length", place)])


def test_the_version_block_is_judged(tmp_path: Path) -> None:
    """Another version, another description of the lines, a second block."""
    other = version().replace(b"\n1 0 Gazette", b"\n7 0 Gazette")
    assert codes(tmp_path, plain(other, document(1))) == (2, [("arc_version", 0)])
    other = version().replace(b"Content-type", b"Content-size")
    assert codes(tmp_path, plain(other, document(1))) == (2, [("arc_version", 0)])
    place = len(plain(version(), document(1)))
    assert codes(tmp_path, plain(version(), document(1), version())) == (
        3,
        [("arc_version", place)],
    )


def test_damage_in_a_member_leaves_the_others(tmp_path: Path) -> None:
    """A damaged member is named; those after it are read."""
    parts = [gzip.compress(each + b"\n") for each in GOOD]
    starts = [sum(map(len, parts[:count])) for count in range(len(parts))]
    broken = bytearray(b"".join(parts))
    broken[starts[2] - 6] ^= 0xFF
    records, found = codes(tmp_path, bytes(broken), "a.arc.gz")
    assert (records, found) == (4, [("gzip_crc", starts[1])])
    whole = gzip.compress(plain(*GOOD))
    records, found = codes(tmp_path, whole, "a.arc.gz")
    assert records == 4
    assert {code for code, _ in found} == {"gzip_many_records"}


def test_time_is_bounded_on_a_file_of_lying_lengths(tmp_path: Path) -> None:
    """Every line claims the rest of the file: going back each time ends at an allowance."""
    body = b"x" * 40
    records = [LINE % (number, 1 << 22) + body + b"\n" for number in range(40_000)]
    report = verify_file(_written(tmp_path, plain(version()) + b"".join(records)))
    assert {each.code for each in report.findings} >= {"arc_length", "scan_abandoned"}


def test_as_many_records_as_warcio_finds(tmp_path: Path) -> None:
    """Read by another program, each at the same byte."""
    path = _written(tmp_path, plain(*GOOD))
    done = subprocess.run(
        [peer("warcio"), "index", "-f", "offset,length", path],
        capture_output=True,
        check=True,
        timeout=60,
    )
    offsets = [int(json.loads(line)["offset"]) for line in done.stdout.splitlines()]
    assert verify_file(path).records == len(offsets) == 4
    assert [b - a for a, b in pairwise(offsets)] == [len(each) + 1 for each in GOOD[:-1]]


def test_the_command_says_what_an_arc_file_cannot_show(tmp_path: Path) -> None:
    """It has no digests: that its framing is whole says nothing of a document's bytes."""
    root = small_root(tmp_path / "root").root
    path = _written(tmp_path, plain(*GOOD))
    ended = run("verify", path, cwd=root)
    assert ended.status == 0
    assert "4 records checked, 0 findings." in ended.out
    assert "arc_undigested" in ended.err + ended.out
