"""No file makes `verify` keep more of its words than a few, or stops it."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.verify import verify_file
from provenance.whole.files import FileReport, read_file
from tests.test_verify_arc import version
from tests.test_verify_shortcut import put
from tests.verify_builders import (
    NAME,
    capture,
    failure,
    packed,
    revisit,
    sha256,
    warcinfo,
)

MEMORY = 40 << 20


def held(path: Path) -> tuple[FileReport, int]:
    """Return the report of a file, and how much memory the reading took at most, in bytes."""
    tracemalloc.start()
    try:
        report = read_file(path)
        return report, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_record_types_that_nobody_knows_are_counted_in_short(tmp_path: Path) -> None:
    """A hundred and fifty types of a name of 300,000 letters each."""
    head = (
        b"WARC/1.0\r\nWARC-Type: %d%s\r\nWARC-Record-ID: <urn:uuid:%d>\r\n"
        b"WARC-Date: 2021-01-01T00:00:00Z\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
    )
    path = tmp_path / NAME
    path.write_bytes(b"".join(gzip.compress(head % (n, b"a" * 300_000, n), 1) for n in range(150)))
    report, most = held(path)
    assert report.records == 150
    assert [each.code for each in report.notes] == ["type_unknown"]
    assert "(others) 50" in (report.notes[0].found or "")
    assert most < MEMORY


def test_runs_of_a_long_name_are_kept_in_short(tmp_path: Path) -> None:
    """Thirty runs of a name of two million letters each."""
    cap = failure(200)
    records = []
    for number in range(30):
        block = json.dumps(json.loads(cap.block) | {"run": f"{number}{'a' * 2_000_000}"}).encode()
        each = put(replace(cap, block=block), "WARC-Block-Digest", sha256(block))
        records.append(put(each, "WARC-Record-ID", f"<urn:uuid:{number}>"))
    (tmp_path / NAME).write_bytes(packed([warcinfo(), *records]))
    report, most = held(tmp_path / NAME)
    assert len(report.ledger.runs) == 30
    assert max(len(run) for run, _ in report.ledger.runs) <= 300
    assert most < MEMORY


@pytest.mark.parametrize("field", ["status", "captured_at", "run", "collection", "outcome"])
def test_deep_nesting_stops_nothing(tmp_path: Path, field: str) -> None:
    """A value that no text can be made of is told as what it is."""
    *others, note = capture(300).records
    said = json.loads(note.block) | {field: "@"}
    block = json.dumps(said).replace('"@"', "[" * 1000 + "]" * 1000).encode()
    note = put(replace(note, block=block), "WARC-Block-Digest", sha256(block))
    (tmp_path / NAME).write_bytes(packed([warcinfo(), *others, note, *capture(20).records]))
    report = read_file(tmp_path / NAME)
    assert report.records == 7
    if field in ("status", "captured_at"):
        (fault,) = report.findings
        assert (fault.code, fault.field) == ("metadata_disagrees", field)
        assert "a list" in (fault.expected or "")


def test_false_beginnings_of_members_cost_little(tmp_path: Path) -> None:
    """After a damaged member of an ARC file, a megabyte of what looks like a member's first bytes.

    Each is looked at once: the allowance of the file is not spent, and what is behind is found.
    """
    good = gzip.compress(version() + b"\n")
    path = tmp_path / "a.arc.gz"
    path.write_bytes(good + b"\x1f\x8b\x08\x08" * (1 << 16) + good)
    report = read_file(path)
    assert report.records == 2
    assert {each.code for each in report.findings} == {"stray_bytes", "arc_version"}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_revisit_of_what_is_not_whole_is_not_whole(tmp_path: Path, number: int) -> None:
    """Any record of the original damaged, its content as it was: so says `verify ID`, too."""
    first, later = capture(100), revisit(400, capture(100))
    before = packed([warcinfo(), *first.records[:number]])
    rest = packed([*first.records[number + 1 :], *capture(20).records, *later.records])
    member = bytearray(packed([first.records[number]]))
    member[-8] ^= 1
    (tmp_path / NAME).write_bytes(before + bytes(member) + rest)
    report = verify_file(tmp_path / NAME)
    assert [each.code for each in report.findings] == ["gzip_crc"]
    assert report.whole == 1
    rungs = {each.capture_id: each.rungs for each in report.verdicts()}
    assert sum(not each for each in rungs.values()) == 2
