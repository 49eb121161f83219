"""Whatever a dead run left: every complete record is kept, the rest set aside, nothing found."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from provenance.digest import digest_of
from provenance.errors import StorageError
from provenance.verify import Note, verify_archive
from provenance.warc.history import read_history
from provenance.warc.manifest import append_line
from provenance.warc.recovery import Recovered, recover
from tests.warc_builders import (
    RUN,
    Root,
    calls_seen,
    documents_in,
    end_run,
    locked_for_writing,
    make_root,
    members_of,
    sums_agree,
    write_capture,
)

CORPORA = Path(__file__).parents[1].parent / "shared" / "corpora"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A small file as it was sealed: its name, its bytes, and where its members end."""

    name: str
    raw: bytes
    ends: tuple[int, ...]

    @property
    def line(self) -> str:
        return f"{hashlib.sha256(self.raw).hexdigest()}  archive/{self.name}\n"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    root = make_root(tmp_path_factory.mktemp("sealed"))
    writer = root.writer()
    write_capture(writer, "a", b"")
    end_run(writer, 1)
    writer.close()
    raw = (root.archive / writer.name).read_bytes()
    ends = tuple(member.offset + member.length for member in members_of(raw))
    return Sealed(name=writer.name, raw=raw, ends=ends)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path)


@pytest.fixture
def root_in_memory(tmp_path: Path) -> Iterator[Root]:
    """An archive root where syncing costs nothing, for a test that does it thousands of times."""
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(dir=place, prefix="provenance-test-") as folder:
        yield make_root(Path(folder) / "root")


def leave_open(root: Root, name: str, raw: bytes) -> Path:
    path = root.archive / f"{name}.open"
    path.write_bytes(raw)
    return path


def set_aside(root: Root) -> dict[str, bytes]:
    folder = root.metadata / "set-aside"
    paths = folder.iterdir() if folder.exists() else ()
    return {path.name: path.read_bytes() for path in paths}


def findings(root: Root) -> list[str]:
    found: list[str] = []
    verify_archive(root.path, on_finding=lambda each: found.append(each.code))
    return found


def clear(root: Root) -> None:
    shutil.rmtree(root.path)
    make_root(root.path)


def test_wherever_a_file_is_cut_every_complete_record_is_kept(
    root_in_memory: Root, sealed: Sealed
) -> None:
    """At each byte: kept and set aside together are what was there; the file is listed and whole.

    `verify` finds nothing, also where a capture was cut between two of its records.
    """
    root = root_in_memory
    for cut in range(len(sealed.raw) + 1):
        leave_open(root, sealed.name, sealed.raw[:cut])
        whole = [end for end in sealed.ends if end <= cut]
        end = max(whole, default=0)
        (told,) = recover(root.archive, root.metadata)
        assert told == Recovered(warc=sealed.name, records=len(whole), torn_bytes=cut - end)
        tails = {f"{sealed.name}-{end}.tail": sealed.raw[end:cut]} if cut > end else {}
        assert set_aside(root) == tails
        if whole:
            assert root.files() == [sealed.name]
            kept = (root.archive / sealed.name).read_bytes()
            assert kept == sealed.raw[:end]
            assert root.listed() == {sealed.name: hashlib.sha256(kept).hexdigest()}
            assert findings(root) == []
        else:
            assert root.files() == []
            assert root.listed() == {}
        assert recover(root.archive, root.metadata) == ()
        clear(root)


@pytest.mark.parametrize(
    "rubbish",
    [bytes(5000), b"\xff" * 5000, b"\x1f\x8b", b"WARC/1.1\r\n", os.urandom(3000)],
    ids=["zeros", "ones", "magic", "plain", "noise"],
)
def test_a_tail_of_any_bytes_is_set_aside(root: Root, sealed: Sealed, rubbish: bytes) -> None:
    """After a power cut the end of a file may hold anything."""
    leave_open(root, sealed.name, sealed.raw + rubbish)
    (told,) = recover(root.archive, root.metadata)
    assert told.records == len(sealed.ends)
    assert list(set_aside(root).values()) == [rubbish]
    assert (root.archive / sealed.name).read_bytes() == sealed.raw
    assert findings(root) == []


def test_a_listed_file_needs_its_rename_only(root: Root, sealed: Sealed) -> None:
    """Cut off between manifest line and rename: the same line, once, and the same bytes."""
    leave_open(root, sealed.name, sealed.raw)
    root.manifest.write_text(sealed.line)
    (told,) = recover(root.archive, root.metadata)
    assert told == Recovered(warc=sealed.name, records=len(sealed.ends))
    assert root.manifest.read_text() == sealed.line
    assert (root.archive / sealed.name).read_bytes() == sealed.raw
    assert findings(root) == []


def test_a_torn_manifest_line_is_written_again(root: Root, sealed: Sealed) -> None:
    """At each byte of the line: after recovery it stands once and whole."""
    for cut in range(len(sealed.line)):
        leave_open(root, sealed.name, sealed.raw)
        root.manifest.write_text("0" * 64 + "  archive/other.warc.gz\n" + sealed.line[:cut])
        recover(root.archive, root.metadata)
        lines = root.manifest.read_text().splitlines(keepends=True)
        assert lines[1:] == [sealed.line]
        clear(root)


def test_a_sealed_file_is_left_alone(root: Root, sealed: Sealed) -> None:
    """Rename done and not yet synced, or synced: there is nothing to do."""
    (root.archive / sealed.name).write_bytes(sealed.raw)
    root.manifest.write_text(sealed.line)
    assert recover(root.archive, root.metadata) == ()
    assert findings(root) == []


def test_a_listed_file_with_other_bytes_stays_a_finding(root: Root, sealed: Sealed) -> None:
    """Recovery does not make a new line of it: the manifest says what was sealed."""
    leave_open(root, sealed.name, sealed.raw[:-30])
    root.manifest.write_text(sealed.line)
    (told,) = recover(root.archive, root.metadata)
    assert told.records == len(sealed.ends) - 1
    assert root.manifest.read_text() == sealed.line
    assert findings(root) == ["file_digest"]


def test_a_sealed_file_is_not_overwritten_by_an_older_copy(root: Root, sealed: Sealed) -> None:
    """A copy made while the file was written, beside the sealed one: it is set aside whole."""
    (root.archive / sealed.name).write_bytes(sealed.raw)
    root.manifest.write_text(sealed.line)
    older = sealed.raw[: sealed.ends[2] + 7]
    leave_open(root, sealed.name, older)
    (told,) = recover(root.archive, root.metadata)
    assert told == Recovered(warc=sealed.name, torn_bytes=len(older))
    assert set_aside(root) == {f"{sealed.name}-0.tail": older}
    assert root.files() == [sealed.name]
    assert (root.archive / sealed.name).read_bytes() == sealed.raw
    assert findings(root) == []


def test_a_living_writers_file_is_left_alone(root: Root) -> None:
    """Its lock is taken; after its end the file is recovered."""
    writer = root.writer()
    write_capture(writer, "a")
    assert recover(root.archive, root.metadata) == ()
    write_capture(writer, "b")
    writer.abandon()
    (told,) = recover(root.archive, root.metadata)
    assert told == Recovered(warc=writer.name, records=7)
    assert documents_in(root) == ["a", "b"]
    assert findings(root) == []


def test_verify_finds_nothing_while_a_file_is_being_written(root: Root) -> None:
    """The open file is a note, whatever part of a group stands in it."""
    writer = root.writer()
    write_capture(writer, "a")
    notes: list[str] = []
    report = verify_archive(root.path, on_note=lambda each: notes.append(each.code))
    assert (report.findings, notes) == (0, ["interrupted"])
    writer.close()


def test_two_recoveries_at_once_finish_each_file_once(root: Root, sealed: Sealed) -> None:
    """Commands may start together; one line for each file, and none is lost."""
    names = [f"test-2026112309450{number:04d}-00000.warc.gz" for number in range(1000, 1040)]
    for number, name in enumerate(names):
        leave_open(root, name, sealed.raw[: sealed.ends[3] + number])
    told: list[Recovered] = []
    threads = [
        threading.Thread(target=lambda: told.extend(recover(root.archive, root.metadata)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.warc for each in told) == names
    assert {each.fault for each in told} == {None}
    assert root.files() == names
    assert sorted(root.listed()) == names
    assert root.manifest.read_text().count("\n") == len(names)
    assert sums_agree(root)


def test_a_recovery_that_was_itself_killed_is_done_again(root: Root, sealed: Sealed) -> None:
    """With the tail half set aside, or the file cut but not listed, the end is the same."""
    end, cut = sealed.ends[3], sealed.ends[3] + 50
    folder = root.metadata / "set-aside"
    for kept, tail in ((cut, sealed.raw[end : end + 9]), (end, sealed.raw[end:cut])):
        leave_open(root, sealed.name, sealed.raw[:kept])
        folder.mkdir()
        (folder / f"{sealed.name}-{end}.tail").write_bytes(tail)
        recover(root.archive, root.metadata)
        assert (root.archive / sealed.name).read_bytes() == sealed.raw[:end]
        assert set_aside(root) == {f"{sealed.name}-{end}.tail": sealed.raw[end:cut]}
        assert findings(root) == []
        clear(root)


def test_what_cannot_be_finished_is_told_and_the_others_are(root: Root, sealed: Sealed) -> None:
    """One torn file without a place for its tail: it is as it was, and the next is sealed."""
    other = sealed.name.replace("test", "other")
    torn = sealed.raw[:-5]
    path = leave_open(root, sealed.name, torn)
    leave_open(root, other, sealed.raw)
    (root.metadata / "set-aside").write_bytes(b"a file where a folder should be")
    first, second = recover(root.archive, root.metadata)
    assert (first.warc, first.fault) == (other, None)
    assert second.warc == sealed.name
    assert second.fault is not None
    assert "cannot set a torn tail aside" in second.fault
    assert path.read_bytes() == torn
    assert root.files() == [other, path.name]
    (root.metadata / "set-aside").unlink()
    (again,) = recover(root.archive, root.metadata)
    assert (again.fault, again.torn_bytes > 0) == (None, True)


def test_an_unlistable_file_is_told_and_keeps_its_name(root: Root, sealed: Sealed) -> None:
    """Where the manifest cannot be written, no sealed name appears."""
    leave_open(root, sealed.name, sealed.raw)
    root.manifest.mkdir()
    (told,) = recover(root.archive, root.metadata)
    assert told.fault is not None
    assert "manifest-sha256.txt" in told.fault
    assert root.files() == [f"{sealed.name}.open"]


FOREIGN = (
    "wide-20260101120000123-00000-4711~crawler~8443.warc.gz.open",
    "good.warc.gz.open",
    "test-20261123-00000.warc.gz.open",
    "test-20261123094500123-00000.warc.open",
)


@pytest.mark.parametrize("name", FOREIGN)
def test_open_files_of_other_programs_are_left_alone(root: Root, sealed: Sealed, name: str) -> None:
    """Other writers name their files so too, and hold no lock: only names of our form are ours."""
    path = root.archive / name
    path.write_bytes(sealed.raw[:-5])
    assert recover(root.archive, root.metadata) == ()
    assert path.read_bytes() == sealed.raw[:-5]
    assert root.files() == [name]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no shared corpora")
@pytest.mark.shared
def test_real_open_files_of_another_writer_are_left_alone(root: Root) -> None:
    """Such files, as another project's tests have them, stay byte for byte."""
    paths = sorted((CORPORA / "files").glob("*/*.open"))
    assert len(paths) >= 4
    for path in paths:
        shutil.copyfile(path, root.archive / path.name)
    assert recover(root.archive, root.metadata) == ()
    for path in paths:
        assert (root.archive / path.name).read_bytes() == path.read_bytes()


def test_what_is_no_plain_file_is_left_alone(root: Root, sealed: Sealed, tmp_path: Path) -> None:
    """A link is not followed, a pipe not waited for, a folder not opened."""
    target = tmp_path / "elsewhere.warc.gz"
    target.write_bytes(sealed.raw[:-5])
    stem = sealed.name.replace("test", "x")
    (root.archive / f"link-{stem}.open").symlink_to(target)
    (root.archive / f"dangling-{stem}.open").symlink_to(tmp_path / "nothing")
    (root.archive / f"folder-{stem}.open").mkdir()
    os.mkfifo(root.archive / f"pipe-{stem}.open")
    before = root.files()
    assert recover(root.archive, root.metadata) == ()
    assert root.files() == before
    assert target.read_bytes() == sealed.raw[:-5]


def test_a_lock_alone_tells_that_a_writer_lives(root: Root, sealed: Sealed) -> None:
    """Whatever the file holds: nothing at all, half a record, a listed whole."""
    for raw, listed in ((b"", ""), (sealed.raw[:100], ""), (sealed.raw, sealed.line)):
        path = leave_open(root, sealed.name, raw)
        root.manifest.write_text(listed)
        with locked_for_writing(path):
            assert recover(root.archive, root.metadata) == ()
            assert path.read_bytes() == raw
        clear(root)


def test_a_file_is_synced_before_it_is_listed(root: Root, sealed: Sealed) -> None:
    """What a killed run had written may not be on disk yet; a listed file must be."""
    leave_open(root, sealed.name, sealed.raw)
    seen: list[str] = []

    def note(caller: str, called: str) -> None:
        if called in ("fsync", "rename"):
            seen.append(f"{caller} {called}")

    with calls_seen(note):
        recover(root.archive, root.metadata)
    assert seen[:3] == ["_settle fsync", "_seal fsync", "append_line fsync"]
    assert seen[-2:] == ["rename rename", "sync_directory fsync"]


def test_a_tail_is_on_disk_before_it_is_cut_off(root: Root, sealed: Sealed) -> None:
    """Its bytes, its name and its folder are synced first."""
    leave_open(root, sealed.name, sealed.raw[:-5])
    seen: list[str] = []

    def note(_caller: str, called: str) -> None:
        if called in ("fsync", "truncate"):
            seen.append(called)

    with calls_seen(note):
        recover(root.archive, root.metadata)
    assert seen[1:6] == ["fsync", "fsync", "fsync", "truncate", "fsync"]


def test_a_recovered_run_counts_as_interrupted(root: Root, sealed: Sealed) -> None:
    """Cut before its closing record, the run has no end, and the next fetch goes on from there."""
    leave_open(root, sealed.name, sealed.raw[:-5])
    recover(root.archive, root.metadata)
    history = read_history(root.archive, root.metadata)
    assert history.interrupted("test", None, ()) == (RUN, frozenset({"a"}))
    clear(root)
    leave_open(root, sealed.name, sealed.raw)
    recover(root.archive, root.metadata)
    history = read_history(root.archive, root.metadata)
    assert history.interrupted("test", None, ()) == (None, frozenset())


def test_the_manifest_of_a_full_archive_is_as_it_was(root: Root, sealed: Sealed) -> None:
    """A fault in listing is one error of the tree, with place and advice."""
    root.manifest.mkdir()
    with pytest.raises(StorageError, match=r"manifest-sha256\.txt: cannot list.*make room"):
        append_line(root.metadata, sealed.name, digest_of(sealed.raw))


def told_by_verify(root: Root, on_note: Callable[[Note], None]) -> list[str]:
    found: list[str] = []
    verify_archive(root.path, on_finding=lambda each: found.append(each.code), on_note=on_note)
    return found


def test_files_that_are_sealed_while_verify_looks_are_no_finding(root: Root) -> None:
    """Listed as open, then sealed; or begun and sealed after the folder was read."""
    first = root.writer("a")
    write_capture(first, "a", collection="a")
    later = root.writer("z", run=RUN[:-1] + "2")

    def seal(_note: Note) -> None:
        first.close()
        write_capture(later, "z", collection="z", run=RUN[:-1] + "2")
        later.close()

    assert told_by_verify(root, seal) == []
    assert len(root.listed()) == 2


def test_a_file_that_gets_its_name_between_two_looks_is_no_finding(root: Root) -> None:
    """Seen in the folder as open, gone under that name a moment later."""
    first, second = root.writer("a"), root.writer("b", run=RUN[:-1] + "2")
    write_capture(first, "a", collection="a")
    write_capture(second, "b", collection="b", run=RUN[:-1] + "2")
    assert told_by_verify(root, lambda _note: second.close()) == []
    first.close()
    assert findings(root) == []


def test_a_file_sealed_as_recovery_reaches_for_its_lock_is_its_writers(root: Root) -> None:
    """The lock is free because the writer is done: there is nothing to recover, and no fault."""
    writer = root.writer()
    write_capture(writer, "a")
    told: list[Recovered] = []

    def note(caller: str, called: str) -> None:
        if (caller, called) == ("owned", "flock"):
            writer.close()

    with calls_seen(note):
        told.extend(recover(root.archive, root.metadata))
    assert told == []
    assert root.files() == [writer.name]
    assert findings(root) == []


def test_a_member_of_several_records_is_kept_or_set_aside_whole(root: Root, sealed: Sealed) -> None:
    """Recompressed by another tool, a file may hold them: each record counts, none is torn."""
    plain = [member.plain for member in members_of(sealed.raw)]
    pairs = [gzip.compress(b"".join(plain[at : at + 2])) for at in (0, 2)]
    leave_open(root, sealed.name, pairs[0] + pairs[1])
    (told,) = recover(root.archive, root.metadata)
    assert told == Recovered(warc=sealed.name, records=4)
    clear(root)
    leave_open(root, sealed.name, pairs[0] + pairs[1][:-1])
    (told,) = recover(root.archive, root.metadata)
    assert told == Recovered(warc=sealed.name, records=2, torn_bytes=len(pairs[1]) - 1)
    assert (root.archive / sealed.name).read_bytes() == pairs[0]
