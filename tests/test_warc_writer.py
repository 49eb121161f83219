"""Groups reach a file whole or not at all; files roll, are listed, then named, and never mixed."""

from __future__ import annotations

import fcntl
import multiprocessing
import random
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance.errors import StorageError
from provenance.verify import verify_archive
from provenance.warc.draft import Draft
from provenance.warc.recovery import recover
from tests.warc_builders import (
    INSTANT,
    RUN,
    STAMP,
    Root,
    calls_seen,
    documents_in,
    end_run,
    info,
    make_root,
    members_of,
    response_of,
    still_runtime,
    sums_agree,
    write_capture,
)


def noise(size: int) -> bytes:
    """Return bytes that do not compress, the same at every call."""
    return random.Random(size).randbytes(size)


def findings(root: Root) -> list[str]:
    found: list[str] = []
    verify_archive(root.path, on_finding=lambda each: found.append(each.code))
    return found


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path)


def test_each_record_is_one_member_at_the_place_that_is_told(root: Root) -> None:
    """Offset and length cut the record out; its digest is that of header and block."""
    writer = root.writer()
    placed = write_capture(writer, "a") + write_capture(writer, "b")
    writer.close()
    raw = (root.archive / writer.name).read_bytes()
    by_offset = {member.offset: member for member in members_of(raw)}
    assert len(by_offset) == 7
    for place in placed:
        member = by_offset[place.offset]
        assert (place.warc, place.length) == (writer.name, member.length)
        assert place.digest == member.digest
    assert by_offset[0].header["WARC-Filename"] == writer.name
    assert root.listed().keys() == {writer.name}
    assert sums_agree(root)
    assert findings(root) == []


@pytest.mark.parametrize("size", [10, 9 << 20], ids=["held", "streamed"])
def test_a_group_that_is_given_up_leaves_nothing(root: Root, size: int) -> None:
    """What stood before and what comes after is whole; of the group not a byte is there."""
    writer = root.writer()
    write_capture(writer, "before")
    file = root.archive / f"{writer.name}.open"
    stood = file.read_bytes()
    with pytest.raises(KeyboardInterrupt), writer.group() as group:
        group.add(response_of("given-up", noise(size)))
        assert group.streaming == (size > 8 << 20)
        raise KeyboardInterrupt
    assert file.read_bytes() == stood
    write_capture(writer, "after")
    end_run(writer, 2)
    writer.close()
    assert documents_in(root) == ["after", "before"]
    assert b"given-up" not in (root.archive / writer.name).read_bytes()
    assert sums_agree(root)
    assert findings(root) == []


def test_a_group_given_up_after_it_was_written_leaves_nothing_either(root: Root) -> None:
    """Until the block of the group is left, none of it stays."""
    writer = root.writer()

    def refuse(_group: object) -> None:
        raise StorageError("no")

    with pytest.raises(StorageError), writer.group(after=refuse) as group:
        group.add(response_of("a", b"x"))
    write_capture(writer, "b")
    writer.close()
    assert documents_in(root) == ["b"]
    assert findings(root) == []


def test_a_large_group_streams_and_the_others_wait(root: Root) -> None:
    """Past 8 MiB the bytes go to the file before the group ends; no other group gets between."""
    writer = root.writer()
    write_capture(writer, "first")
    file = root.archive / f"{writer.name}.open"
    other = threading.Thread(target=write_capture, args=(writer, "other"))
    with writer.group() as group:
        group.add(response_of("a", noise(4 << 20)))
        size = file.stat().st_size
        group.add(response_of("b", noise(5 << 20)))
        assert file.stat().st_size > size + (8 << 20)
        other.start()
        group.add(response_of("c", noise(1000)))
    other.join()
    writer.close()
    uris = [
        member.header["WARC-Target-URI"].rpartition("/")[2]
        for member in members_of((root.archive / writer.name).read_bytes())
        if member.header["WARC-Type"] == "response"
    ]
    assert uris == ["first", "a", "b", "c", "other"]
    assert sums_agree(root)


def test_small_groups_do_not_wait_for_each_other_to_be_packed(root: Root) -> None:
    """Two groups may be under way at once; each then stands in one piece."""
    writer = root.writer()
    with writer.group() as outer:
        outer.add(response_of("outer", b"1"))
        done = threading.Thread(target=write_capture, args=(writer, "inner"))
        done.start()
        done.join(10)
        assert not done.is_alive()
        outer.add(response_of("outer-2", b"2"))
    writer.close()
    uris = [
        member.header.get("WARC-Target-URI", "").rpartition("/")[2]
        for member in members_of((root.archive / writer.name).read_bytes())
    ]
    assert uris == ["", "inner", "inner", "inner", "outer", "outer-2"]


def test_files_roll_at_the_size_and_only_between_groups(root: Root) -> None:
    """Each file opens with a warcinfo that names it, and holds whole captures."""
    writer = root.writer(roll_size=2000)
    for number in range(12):
        write_capture(writer, f"doc-{number:02d}", noise(700))
    end_run(writer, 12)
    writer.close()
    assert root.files() == writer.sealed
    assert len(writer.sealed) > 3
    for name in writer.sealed:
        members = list(members_of((root.archive / name).read_bytes()))
        assert members[0].header["WARC-Filename"] == name
        assert len(members) in (4, 7, 2, 5)
        last = sum(member.length for member in members[-3:])
        assert (root.archive / name).stat().st_size - last < 2000
    assert documents_in(root) == [f"doc-{number:02d}" for number in range(12)]
    assert sums_agree(root)
    assert findings(root) == []


def test_names_say_collection_instant_and_serial(root: Root) -> None:
    """COLLECTION-YYYYMMDDhhmmssSSS-SERIAL.warc.gz, of when the file was begun, in UTC."""
    instants = iter(INSTANT + timedelta(milliseconds=5 * number) for number in range(3))
    writer = root.writer("a-b", runtime=still_runtime(lambda: next(instants)), roll_size=1)
    for name in ("x", "y", "z"):
        write_capture(writer, name, collection="a-b")
    assert writer.name == "a-b-20261123094500133-00002.warc.gz"
    assert (root.archive / f"{writer.name}.open").exists()
    writer.close()
    assert root.files() == [
        f"a-b-20261123094500{ms}-0000{serial}.warc.gz"
        for ms, serial in ((123, 0), (128, 1), (133, 2))
    ]


def test_a_name_that_is_taken_is_passed_over(root: Root) -> None:
    """Neither a sealed file nor another run's open one is ever written to."""
    (root.archive / f"test-{STAMP}-00000.warc.gz").write_bytes(b"sealed")
    (root.archive / f"test-{STAMP}-00001.warc.gz.open").write_bytes(b"open")
    writer = root.writer()
    write_capture(writer, "a")
    writer.close()
    assert writer.sealed == [f"test-{STAMP}-00002.warc.gz"]
    assert (root.archive / f"test-{STAMP}-00000.warc.gz").read_bytes() == b"sealed"
    assert (root.archive / f"test-{STAMP}-00001.warc.gz.open").read_bytes() == b"open"


def test_sealing_syncs_the_file_lists_it_and_only_then_names_it(root: Root) -> None:
    """A sealed name without a synced line is never there, so it is always a finding."""
    writer = root.writer()
    write_capture(writer, "a")
    seen: list[tuple[str, str]] = []
    listed_at_rename: list[bool] = []

    def note(caller: str, called: str) -> None:
        if called in ("fsync", "rename"):
            seen.append((caller, called))
        if called == "rename":
            listed_at_rename.append(writer.name in root.listed())

    with calls_seen(note):
        writer.seal()
    assert seen == [
        ("sync", "fsync"),
        ("append_line", "fsync"),
        ("sync_directory", "fsync"),
        ("rename", "rename"),
        ("sync_directory", "fsync"),
    ]
    assert listed_at_rename == [True]


@pytest.mark.parametrize("at", [("sync", "fsync"), ("append_line", "fsync"), ("rename", "rename")])
def test_a_sealing_that_is_interrupted_can_be_done_again(root: Root, at: tuple[str, str]) -> None:
    """Ctrl-C between two steps, then closing: one line, one file, nothing lost."""
    writer = root.writer()
    write_capture(writer, "a")

    def note(*seen: str) -> None:
        if seen == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), calls_seen(note):
        writer.seal()
    writer.close()
    assert root.manifest.read_text().count("\n") == 1
    assert root.files() == [writer.name]
    assert findings(root) == []


def test_a_name_is_durable_before_anything_is_written_under_it(root: Root) -> None:
    """The folder is synced once the open file is there."""
    writer = root.writer()
    seen: list[tuple[str, str]] = []
    with calls_seen(lambda *each: seen.append(each)):
        write_capture(writer, "a")
    synced = seen.index(("sync_directory", "fsync"))
    assert synced < seen.index(("write_bytes", "write"))


def test_recovery_between_creating_and_locking_takes_nothing_away(root: Root) -> None:
    """The writer sees that its empty file was removed, and takes the next name."""
    writer = root.writer()
    removed: list[str] = []

    def note(caller: str, called: str) -> None:
        if (caller, called) == ("create_owned", "flock") and not removed:
            removed.extend(each.warc for each in recover(root.archive, root.metadata))

    with calls_seen(note):
        write_capture(writer, "a")
    writer.close()
    assert removed == [f"test-{STAMP}-00000.warc.gz"]
    assert root.files() == [f"test-{STAMP}-00001.warc.gz"]
    assert documents_in(root) == ["a"]
    assert findings(root) == []


def test_a_file_sealed_just_before_by_another_is_not_overwritten(root: Root) -> None:
    """Another run's file of the same name, sealed between looking and creating, stays."""
    other, writer = root.writer(run=RUN[:-1] + "2"), root.writer()
    write_capture(other, "first", run=RUN[:-1] + "2")
    file = root.archive / f"{other.name}.open"
    done: list[bool] = []

    def note(caller: str, called: str) -> None:
        # The other's open file is there when the name is tried, and sealed when the next is.
        if (caller, called) == ("create_owned", "flock") and not done:
            done.append(True)
            file.rename(root.archive / f"test-{STAMP}-00001.warc.gz")

    with calls_seen(note):
        write_capture(writer, "second")
    writer.close()
    assert writer.sealed == [f"test-{STAMP}-00002.warc.gz"]
    assert documents_in(root) == ["first", "second"]


def test_threads_share_a_writer_and_every_group_stays_in_one_piece(root: Root) -> None:
    """Records of one capture follow each other without a gap, whoever writes meanwhile."""
    writer = root.writer(roll_size=20_000)

    def write(number: int) -> None:
        for each in range(20):
            write_capture(writer, f"doc-{number}-{each}", noise(100 * number + each))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    end_run(writer, 160)
    writer.close()
    assert len(documents_in(root)) == 160
    assert len(writer.sealed) > 2
    assert sums_agree(root)
    assert findings(root) == []  # a group that is torn apart is one


def _write_many(path: Path, run: str, gate: Any) -> None:
    root = Root(path)
    writer = root.writer(run=run, roll_size=3000)
    gate.wait()
    for number in range(30):
        write_capture(writer, f"{run[-1]}-{number}", noise(200 + number), run=run)
        recover(root.archive, root.metadata)
    end_run(writer, 30, run=run)
    writer.close()


def test_two_runs_at_once_share_no_file_and_recover_none_of_each_other(root: Root) -> None:
    """Same collection, same clock: names differ, the manifest has every file once, all is there."""
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(2)
    runs = [RUN[:-1] + digit for digit in "12"]
    processes = [context.Process(target=_write_many, args=(root.path, run, gate)) for run in runs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert Counter(name[0] for name in documents_in(root)) == {"1": 30, "2": 30}
    assert sorted(root.listed()) == root.files()
    assert sums_agree(root)
    assert findings(root) == []


def test_a_closed_writer_takes_no_group_and_makes_no_file(root: Root) -> None:
    """What comes after the end of the run is refused."""
    writer = root.writer()
    writer.close()
    with pytest.raises(StorageError, match="the run is over"):
        write_capture(writer, "a")
    assert root.files() == []
    writer = root.writer()
    write_capture(writer, "a")
    writer.close()
    with pytest.raises(StorageError, match="the run is over"):
        write_capture(writer, "b")
    writer.sync()
    writer.seal()
    assert root.files() == writer.sealed


def test_a_writer_that_nobody_writes_to_makes_no_file(root: Root) -> None:
    """Nor does a group that nothing was added to before it was given up."""
    writer = root.writer()
    with pytest.raises(KeyError), writer.group():
        raise KeyError
    writer.sync()
    writer.close()
    assert root.files() == []
    assert not root.manifest.exists()


def test_a_file_whose_first_record_cannot_be_made_is_taken_back(root: Root) -> None:
    """No file without a warcinfo stays, and the next group begins one of its own."""
    faults = [ValueError("no")]

    def first_records(name: str) -> tuple[Draft, ...]:
        if faults:
            raise faults.pop()
        return (info(name),)

    writer = root.writer(first_records=first_records)
    with pytest.raises(ValueError, match="no"):
        write_capture(writer, "a")
    assert root.files() == []
    write_capture(writer, "b")
    writer.close()
    assert documents_in(root) == ["b"]
    assert findings(root) == []


def test_an_open_file_is_locked_until_it_has_its_name(root: Root) -> None:
    """Whoever finds the lock taken knows that the writer lives."""
    writer = root.writer()
    write_capture(writer, "a")
    with (root.archive / f"{writer.name}.open").open("r+b") as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        writer.abandon()
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_writer_tells_where_a_group_will_stand_only_once_it_is_written(root: Root) -> None:
    """Groups that wait are placed by where they end up, not by where they began."""
    writer = root.writer()
    with writer.group() as outer:
        outer.add(response_of("outer", b"1"))
        inner = write_capture(writer, "inner")
        outer.flush()
        (placed,) = outer.placed()
    assert placed.offset == inner[-1].offset + inner[-1].length
    writer.close()
