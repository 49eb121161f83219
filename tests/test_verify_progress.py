"""How far `verify` is: what is counted, and the line that a terminal shows of it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from itertools import pairwise
from pathlib import Path

import pytest

from provenance.verify import Progress, verify_archive
from provenance.verify.asked import verify_targets
from provenance.whole.parts import read_files, size_of
from provenance.whole.progress import Meter
from tests.cli_program import PROGRAM
from tests.test_verify_shortcut import SHARE, many_records
from tests.test_verify_tamper import spoil
from tests.verify_builders import NAME, good_records, packed, write_root

OTHER = NAME.replace("00000.warc", "00001.warc")
THIRD = NAME.replace("00000.warc", "00002.warc")

WATCHED = """
import sys, threading
from pathlib import Path
from provenance.cli.progress import reading_shown
from provenance.verify import verify_archive

print("begun")
with reading_shown(quiet=False, every_s=0) as line:
    def tell(each):
        line.clear()
        print(each.code, flush=True)
    verify_archive(Path(sys.argv[1]), on_finding=tell, on_progress=line.show, jobs=2)
print("threads:", threading.active_count())
"""
"""A verification whose line moves at once, and not only after the time that is nobody's wait."""


def files_of(records: bytes) -> dict[str, bytes]:
    """Return three files: one with findings, one with other records, one that is no WARC."""
    return {NAME: records, OTHER: b"WARC/1.0\r\n", THIRD: b"nothing"}


def drawn(*command: str | Path) -> str:
    """Run a program with a terminal as its stdout and stderr; return all that it drew."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONUTF8": "1"},
    ) as process:
        os.close(theirs)
        raw = b""
        while piece := _read(ours):
            raw += piece
        process.wait(timeout=60)
    os.close(ours)
    return raw.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so at the end of a terminal
        return b""


def seen(text: str) -> list[str]:
    """Return the lines that stand on a screen on which all this was drawn."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        cells: list[str] = []
        for piece in line.split("\r"):
            cells[: len(piece)] = piece
        lines.append("".join(cells).rstrip())
    return lines


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_byte_of_every_file_is_counted(tmp_path: Path, jobs: int) -> None:
    """The count only grows, and ends with all files and all bytes."""
    paths = [tmp_path / name for name in (NAME, OTHER, THIRD)]
    for path, raw in zip(paths, files_of(packed(many_records())).values(), strict=True):
        path.write_bytes(raw)
    told: list[Progress] = []
    meter = Meter(told.append)
    meter.expect(map(size_of, paths))
    list(read_files(paths, jobs=jobs, smallest=SHARE, meter=meter))
    size = sum(path.stat().st_size for path in paths)
    assert (told[-1].files, told[-1].files_done) == (3, 3)
    assert (told[-1].size, told[-1].read) == (size, size)
    assert all(one.read <= other.read <= size for one, other in pairwise(told))
    assert len(told) > 4


def test_a_damaged_file_that_is_read_again_counts_once(tmp_path: Path) -> None:
    """Its parts do not fit, so that it is read in one piece: the count begins anew with it."""
    raw = packed(many_records())
    path = tmp_path / NAME
    path.write_bytes(spoil(raw, "cut", len(raw) // 2, 0, 0))
    told: list[Progress] = []
    meter = Meter(told.append)
    meter.expect([size_of(path)])
    (report,) = read_files([path], jobs=2, smallest=SHARE, meter=meter)
    assert report.findings
    assert told[-1].read == told[-1].size == size_of(path)
    assert max(each.read for each in told) == size_of(path)


def test_findings_and_other_archives_are_counted(tmp_path: Path) -> None:
    """What `--against` names is read too, and expected from the beginning."""
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
        write_root(tmp_path / name, files_of(packed(good_records())))
    told: list[Progress] = []
    report = verify_archive(
        tmp_path / "own", against=[tmp_path / "other"], on_progress=told.append, jobs=2
    )
    assert {each.files for each in told} == {6}
    assert told[-1].files_done == 6
    assert 0 < told[-1].findings == report.findings


def test_files_that_are_named_are_counted(tmp_path: Path) -> None:
    """All of them, those of one name too."""
    paths = [tmp_path / name for name in ("a.warc.gz", "b.warc.gz", "c/a.warc.gz")]
    (tmp_path / "c").mkdir()
    for path in paths:
        path.write_bytes(packed(good_records()))
    told: list[Progress] = []
    verify_targets(
        [str(path) for path in paths],
        root=None,
        index=None,
        on_finding=lambda _: None,
        on_note=lambda _: None,
        on_progress=told.append,
    )
    assert (told[0].files, told[-1].files_done) == (3, 3)


def test_the_line_makes_way_for_findings_and_goes(tmp_path: Path) -> None:
    """On the screen only the findings are left; and no thread is, which would forbid a fork."""
    root = write_root(tmp_path, files_of(packed(good_records())))
    text = drawn(sys.executable, "-c", WATCHED, root)
    told: list[str] = []
    verify_archive(root, on_finding=lambda each: told.append(each.code))
    assert re.search(r"\d/3 files, \d+\.\d/\d+\.\d MB, \d findings? \[00:\d\d, ", text)
    assert seen(text) == ["begun", *told, "threads: 1", ""]


def test_a_terminal_shows_at_last_what_a_pipe_gets(tmp_path: Path) -> None:
    """Whether or not there was time for the line to be seen."""
    root = write_root(tmp_path, files_of(packed(good_records())))
    command = (*PROGRAM, "-C", root, "verify")
    piped = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert piped.returncode == 4
    notes = piped.stderr.decode().splitlines()
    assert [line for line in seen(drawn(*command)) if line not in notes] == [
        *piped.stdout.decode().splitlines(),
        "",
    ]
    assert not any("files, " in line for line in notes)


def test_with_json_there_is_no_line(tmp_path: Path) -> None:
    """A terminal shows the same bytes as a pipe gets."""
    root = write_root(tmp_path, files_of(packed(good_records())))
    command = (*PROGRAM, "-C", root, "verify", "--json")
    piped = subprocess.run(command, stdout=subprocess.PIPE, check=False, timeout=60)
    assert drawn(*command).replace("\r\n", "\n") == piped.stdout.decode()
