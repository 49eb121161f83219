"""The list of sealed files: one whole line each, as sha256sum writes and reads it."""

from __future__ import annotations

import fcntl
import hashlib
import multiprocessing
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.digest import Digest, digest_of
from provenance.warc.manifest import (
    MANIFEST,
    append_line,
    format_line,
    parse_manifest,
    read_manifest,
)
from tests.warc_builders import calls_seen

NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,30}-\d{17}-\d{5}\.warc\.gz", fullmatch=True)
DIGESTS = st.binary(min_size=32, max_size=32).map(lambda raw: Digest(f"sha256:{raw.hex()}"))


@settings(deadline=None)
@given(st.dictionaries(NAMES, DIGESTS, max_size=8))
def test_reading_gives_what_was_written(listed: dict[str, Digest]) -> None:
    """parse ∘ format is the identity, in the order of the lines."""
    raw = "".join(format_line(*each) for each in listed.items()).encode()
    assert list(parse_manifest(raw).items()) == list(listed.items())


@settings(deadline=None)
@given(st.dictionaries(NAMES, DIGESTS, min_size=1, max_size=4), st.data())
def test_a_torn_last_line_does_not_count(listed: dict[str, Digest], data: st.DataObject) -> None:
    """Cut anywhere: exactly the lines that have their end."""
    lines = [format_line(*each).encode() for each in listed.items()]
    raw = b"".join(lines)
    cut = data.draw(st.integers(0, len(raw)))
    whole = raw[:cut].count(b"\n")
    assert list(parse_manifest(raw[:cut]).items()) == list(listed.items())[:whole]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_reading_fail(raw: bytes) -> None:
    """Lines of another form are passed over; saying so is for verify."""
    line = format_line("a.warc.gz", digest_of(b"a")).encode()
    assert parse_manifest(raw + b"\n" + line)["a.warc.gz"] == digest_of(b"a")


def test_sha256sum_writes_the_same_line(tmp_path: Path) -> None:
    """`sha256sum archive/*` from the root gives the manifest, and `-c` accepts it."""
    (tmp_path / "archive").mkdir()
    (tmp_path / "metadata").mkdir()
    for name in ("a-1.warc.gz", "b-2.warc.gz"):
        (tmp_path / "archive" / name).write_bytes(name.encode())
        append_line(tmp_path / "metadata", name, digest_of(name.encode()))
    call = ["sha256sum", "archive/a-1.warc.gz", "archive/b-2.warc.gz"]
    printed = subprocess.run(call, cwd=tmp_path, capture_output=True, check=True).stdout
    assert (tmp_path / "metadata" / MANIFEST).read_bytes() == printed
    call = ["sha256sum", "--check", "--strict", f"metadata/{MANIFEST}"]
    subprocess.run(call, cwd=tmp_path, capture_output=True, check=True)


@pytest.mark.parametrize("torn", [b"", b"0", b"ab" * 32, b"\0" * 4096, b"ab" * 32 + b"  archive/x"])
def test_a_torn_line_is_taken_away_before_the_next_is_written(tmp_path: Path, torn: bytes) -> None:
    """What a power cut left neither swallows the next line nor stays."""
    first, second = digest_of(b"1"), digest_of(b"2")
    whole = format_line("one", first).encode()
    (tmp_path / MANIFEST).write_bytes(whole + torn)
    append_line(tmp_path, "two", second)
    assert (tmp_path / MANIFEST).read_bytes() == whole + format_line("two", second).encode()


def test_a_line_that_lacks_its_end_alone_is_kept(tmp_path: Path) -> None:
    """An editor may save the file so: the line names a whole file, and the next begins anew."""
    first, second = digest_of(b"1"), digest_of(b"2")
    whole = format_line("one.warc.gz", first).encode()
    for listed in (("two.warc.gz", second), ("one.warc.gz", first)):
        (tmp_path / MANIFEST).write_bytes(whole.rstrip(b"\n"))
        append_line(tmp_path, *listed)
        assert (tmp_path / MANIFEST).read_bytes().startswith(whole)
        assert read_manifest(tmp_path) == {"one.warc.gz": first, listed[0]: listed[1]}


def test_a_line_is_written_once(tmp_path: Path) -> None:
    """A sealing done again after an interruption lists the file once; another digest shows."""
    for _ in range(3):
        append_line(tmp_path, "one", digest_of(b"1"))
        append_line(tmp_path, "two", digest_of(b"2"))
    assert (tmp_path / MANIFEST).read_bytes().count(b"\n") == 2
    append_line(tmp_path, "one", digest_of(b"other"))
    assert (tmp_path / MANIFEST).read_bytes().count(b"\n") == 3


def test_a_missing_manifest_lists_nothing(tmp_path: Path) -> None:
    """A new archive has none."""
    assert read_manifest(tmp_path) == {}


def _append_many(metadata: Path, who: int, gate: Any) -> None:
    gate.wait()
    for number in range(100):
        name = f"{who}-{number}"
        append_line(metadata, name, digest_of(name.encode()))


def test_two_processes_append_at_once(tmp_path: Path) -> None:
    """Every line of each is there, whole."""
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(3)
    processes = [
        context.Process(target=_append_many, args=(tmp_path, who, gate)) for who in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    lines = (tmp_path / MANIFEST).read_text().splitlines()
    expected = {f"{who}-{number}" for who in range(3) for number in range(100)}
    assert {line[66:].removeprefix("archive/") for line in lines} == expected
    assert len(lines) == 300
    for line in lines:
        name = line[66:].removeprefix("archive/")
        assert line[:64] == hashlib.sha256(name.encode()).hexdigest()


def test_the_manifest_is_read_and_written_under_the_archives_lock(tmp_path: Path) -> None:
    """Taking a torn line away must not meet another run's line."""
    seen: list[str] = []
    with calls_seen(lambda _caller, called: seen.append(called)):
        append_line(tmp_path, "one", digest_of(b"1"))
    assert seen.index("flock") < seen.index("read") < seen.index("write") < seen.index("fsync")
    with (tmp_path / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # free again
