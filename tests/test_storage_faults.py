"""Disks that are full, read-only, failing or forbidden: said clearly, and nothing is lost."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance.digest import digest_of
from provenance.errors import StorageError
from provenance.exchange import Client, ClientSettings
from provenance.exchange.addresses import AddressPolicy
from provenance.runtime import system_runtime
from provenance.verify import verify_archive
from provenance.warc.manifest import MANIFEST, append_line, format_line, read_manifest
from provenance.warc.recovery import recover
from tests import warc_builders
from tests.storage_builders import (
    FETCH,
    PROGRAM,
    Disk,
    Ran,
    captures_in,
    codes,
    hosts,
    left_open,
    listed,
    make_root,
    mounted,
    run,
    sealed,
    verify,
    without_privileges,
    write_seeds,
)
from tests.warc_builders import documents_in, end_run, write_capture
from tests.wire import playing

SIZES = (900, 2_500, 300_000, 1_200, 3_000_000, 700)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk") as made:
        yield made


@pytest.fixture
def urls() -> Iterator[list[str]]:
    """Addresses of small and large documents on two hosts."""
    with hosts(2) as wires:
        yield [f"{wires[at % 2].url}/{at}-{size}" for at, size in enumerate(SIZES)]


def assert_told(ran: Ran, *says: str) -> None:
    """One line that says what and where, and what to do; status 1."""
    assert ran.status == 1, ran.err
    (line,) = [each for each in ran.err.splitlines() if each.startswith("error: ")]
    for each in says:
        assert each in line
    assert line.count(". ") >= 1, f"no advice: {line}"


def assert_nothing_half_listed(root: Path) -> None:
    """Each sealed file is listed with the digest it has, and nothing else is listed."""
    on_disk = {
        name: hashlib.sha256((root / "archive" / name).read_bytes()).hexdigest()
        for name in sealed(root)
    }
    waiting = {name.removesuffix(".open") for name in left_open(root)}
    assert on_disk.items() <= listed(root).items()
    assert listed(root).keys() - on_disk.keys() <= waiting


def told_captures(ran: Ran) -> set[str]:
    return {each["capture_id"] for each in ran.of_type("outcome") if each["capture_id"]}


# A disk that fills


@pytest.mark.parametrize("free", [0, 12 << 10, 330 << 10, 2 << 20, 3 << 20, 7 << 20])
def test_a_fetch_that_fills_the_disk_keeps_what_it_told(
    disk: Disk, urls: list[str], free: int
) -> None:
    """However much fits: an error, all of it verifies, and with room the next run does the rest.

    What it told is what it kept: no more, and no less.
    """
    root = make_root(disk.path / "root", before=[urls[0].replace("/0-", "/before-")])
    assert run(root, *FETCH).status == 0
    before = captures_in(root).keys()
    write_seeds(root, "more", urls)
    disk.leave_free(free)
    ran = run(root, *FETCH, "more")
    if ran.status:
        assert_told(ran, "No space left on device", str(root))
    assert ran.status == (0 if free == 7 << 20 else 1)
    assert set(ran.outcomes().values()) <= {"captured"}
    full = verify(root)
    assert (full.status, codes(full)) == (0, [])
    assert_nothing_half_listed(root)
    disk.resize(64 << 20)
    assert codes(verify(root)) == []
    held = captures_in(root)
    assert told_captures(ran) == held.keys() - before
    assert left_open(root) == []
    if ran.status:
        again = run(root, *FETCH, "more")
        assert again.status == 0
        assert set(again.outcomes()) == {f"more-{at}" for at in range(len(SIZES))}
        for document, outcome in again.outcomes().items():
            assert outcome == "skipped" or document not in ran.outcomes()
    # What the disk refused is no server's failure: no record says that a document failed.
    assert set(captures_in(root).values()) == {"captured"}
    assert codes(verify(root)) == []
    assert run(root, "index", "--no-text").status == 0


def test_where_only_the_metadata_has_no_room_the_files_wait(disk: Disk, urls: list[str]) -> None:
    """No line, no sealed name; other commands say so and work; with room all is sealed."""
    root = make_root(disk.path.parent / "root", more=urls[:4])
    shutil.rmtree(root / "metadata")
    (root / "metadata").symlink_to(disk.path)
    (disk.path / "spool").mkdir()
    disk.leave_free(0)
    ran = run(root, *FETCH)
    assert_told(ran, "cannot list a sealed file (No space left on device)", "manifest-sha256.txt")
    assert set(ran.outcomes().values()) == {"captured"}
    assert (sealed(root), listed(root)) == ([], {})
    waiting = left_open(root)
    full = verify(root)
    assert (full.status, codes(full)) == (0, [])
    assert f"not recovered {waiting[0].removesuffix('.open')}" in full.err
    assert "No space left on device" in full.err
    assert [each["code"] for each in full.of_type("note")] == ["interrupted"]
    disk.resize(8 << 20)
    after = verify(root)
    assert (after.status, codes(after), left_open(root)) == (0, [], [])
    assert f"recovered {sealed(root)[0]}" in after.err
    assert told_captures(ran) <= captures_in(root).keys()


def test_a_body_that_finds_no_room_to_be_kept_is_no_failure_of_its_server(
    disk: Disk, urls: list[str]
) -> None:
    """A large body is spooled before it is written: the run ends, and records nothing untrue."""
    root = make_root(disk.path.parent / "root", more=urls[2:5])
    (root / "metadata" / "spool").symlink_to(disk.path)
    disk.leave_free(0)
    ran = run(root, *FETCH)
    assert_told(ran, "what arrives cannot be kept", "No space left", str(root / "metadata/spool"))
    assert set(captures_in(root).values()) <= {"captured"}
    disk.resize(8 << 20)
    assert run(root, *FETCH).status == 0
    assert list(captures_in(root).values()) == ["captured"] * 3


def test_the_last_bytes_of_a_body_that_find_no_room_are_missed_too(disk: Disk) -> None:
    """They wait in a buffer until the body is read again; no exchange comes of it."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1117068\r\n\r\n"
    whole = head + bytes(17 * 65536 + 3000 - len(head))
    assert len(whole) == len(head) + 1117068
    disk.leave_free(17 * 65536)
    with playing(whole, closes=False) as wire:
        settings = ClientSettings(fields=(), spool_dir=disk.path)
        client = Client(system_runtime(), settings, AddressPolicy(allow_private=True))
        with pytest.raises(StorageError, match="what arrives cannot be kept") as raised:
            client.get(f"{wire.url}/large")
        client.close()
        assert raised.value.where == str(disk.path)


@pytest.mark.parametrize("pages", range(18))
def test_a_writer_that_finds_little_room_leaves_whole_groups(disk: Disk, pages: int) -> None:
    """Page by page: what was synced is there, no file is without a warcinfo, nothing is found."""
    root = warc_builders.make_root(disk.path / "root")
    (root.metadata / "set-aside").mkdir()
    disk.leave_free(pages * 4096)
    writer = root.writer(roll_size=9000)
    synced: list[str] = []
    with pytest.raises(StorageError, match="No space left on device"):
        for number in range(40):
            body = hashlib.sha256(b"%d" % number).digest() * 8 * (1 + number % 3)
            write_capture(writer, f"doc-{number:02d}", body)
            writer.sync()
            synced.append(f"doc-{number:02d}")
    with contextlib.suppress(StorageError):
        writer.close()
    writer.abandon()
    found: list[str] = []
    verify_archive(root.path, on_finding=lambda each: found.append(each.code))
    assert set(found) <= {"empty_archive"}
    disk.resize(1 << 20)
    told = recover(root.archive, root.metadata)
    assert [each.fault for each in told] == [None] * len(told)
    assert documents_in(root) == synced
    found.clear()
    verify_archive(root.path, on_finding=lambda each: found.append(each.code))
    assert found == ([] if synced else ["empty_archive"])
    assert sorted(root.listed()) == root.files()


def test_a_line_that_fits_in_part_leaves_the_manifest_as_it_was(disk: Disk) -> None:
    """The line would go over the end of the last page: not a byte of it stays."""
    lines = [format_line(f"{'x' * 40}-{number}", digest_of(b"%d" % number)) for number in range(99)]
    manifest = disk.path / MANIFEST
    listed_so_far = "".join(lines)[: 4096 * 2].rpartition("\n")[0] + "\n"
    assert len(listed_so_far) % 4096 > 4096 - 120
    manifest.write_text(listed_so_far)
    (disk.path / ".lock").touch()
    disk.leave_free(0)
    with pytest.raises(StorageError, match="No space left on device"):
        append_line(disk.path, "y" * 40, digest_of(b"y"))
    assert manifest.read_text() == listed_so_far
    disk.resize(1 << 20)
    append_line(disk.path, "y" * 40, digest_of(b"y"))
    assert len(read_manifest(disk.path)) == listed_so_far.count("\n") + 1


def test_a_tail_that_finds_no_room_stays_where_it_is(disk: Disk) -> None:
    """Nothing is cut off, no half of the tail lies about; with room it is set aside whole."""
    root = warc_builders.make_root(disk.path / "root")
    (root.metadata / "set-aside").mkdir()
    writer = root.writer()
    write_capture(writer, "a")
    writer.abandon()
    path = root.archive / f"{writer.name}.open"
    torn = os.urandom(20_000)
    with path.open("ab") as file:
        file.write(torn)
    before = path.read_bytes()
    disk.leave_free(8192)
    (told,) = recover(root.archive, root.metadata)
    assert told.fault is not None
    assert "cannot set a torn tail aside (No space left on device)" in told.fault
    assert list((root.metadata / "set-aside").iterdir()) == []
    assert path.read_bytes() == before
    disk.resize(1 << 20)
    (told,) = recover(root.archive, root.metadata)
    assert (told.fault, told.torn_bytes) == (None, len(torn))


def test_an_addition_that_does_not_fit_leaves_nothing(disk: Disk, tmp_path: Path) -> None:
    """The first file is kept, the second is not there at all; with room it is added."""
    root = make_root(disk.path / "root")
    small, large = tmp_path / "small.txt", tmp_path / "large.bin"
    small.write_bytes(b"a letter")
    large.write_bytes(os.urandom(400_000))
    disk.leave_free(100 << 10)
    ran = run(root, "add", "--json", str(small), str(large))
    assert_told(ran, "No space left on device", str(root / "archive"))
    assert len(told_captures(ran)) == 1
    assert codes(verify(root)) == []
    assert captures_in(root).keys() == told_captures(ran)
    disk.resize(8 << 20)
    assert run(root, "add", "--json", str(large)).status == 0
    assert len(captures_in(root)) == 2
    assert codes(verify(root)) == []


def test_an_index_that_does_not_fit_leaves_the_old_one(disk: Disk, urls: list[str]) -> None:
    """The error names the index; readers go on with the one that is there."""
    root = make_root(disk.path / "root", more=urls[:2])
    assert run(root, *FETCH).status == 0
    assert run(root, "index").status == 0
    before = (root / "metadata" / "provenance.db").read_bytes()
    disk.leave_free(20 << 10)
    assert_told(run(root, "index"), str(root / "metadata" / "provenance.db"), "disk")
    assert (root / "metadata" / "provenance.db").read_bytes() == before
    assert not (root / "metadata" / "provenance.db.new").exists()
    assert len(run(root, "list", "--json").objects) == 2
    disk.resize(64 << 20)
    assert run(root, "index", "--check").status == 0
    assert run(root, "index").status == 0


def test_an_archive_that_could_not_be_made_can_be_made_later(disk: Disk) -> None:
    """A full disk leaves no half example; the same command makes it whole with room."""
    disk.leave_free(0)
    new = disk.path / "new"
    assert_told(run(new, "init"), "No space left on device", str(new))
    assert not list(new.glob("seeds/*.toml"))
    disk.resize(1 << 20)
    assert run(new, "init").status == 0
    assert run(new, "index").status == 0


# A disk that may only be read


@pytest.fixture
def kept(disk: Disk, urls: list[str]) -> Path:
    """A root with captures and an index on a disk of its own, and an interrupted file."""
    root = make_root(disk.path / "root", more=urls[:3])
    assert run(root, *FETCH).status == 0
    assert run(root, "index").status == 0
    return root


def everything_in(root: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None
        for path in sorted(root.rglob("*"))
    }


READING = (
    ("verify",),
    ("index", "--check"),
    ("list",),
    ("show", "more-0"),
    ("search", "document"),
    ("cite", "more-0"),
    ("links", "more-0"),
)


def test_a_read_only_archive_is_read_and_says_so_where_it_should_be_written(
    kept: Path, disk: Disk, tmp_path: Path
) -> None:
    """Each reading command works; each writing one names the place, and what to do."""
    letter = tmp_path / "letter.txt"
    letter.write_bytes(b"a letter")
    before = everything_in(kept)
    disk.read_only()
    for arguments in READING:
        ran = run(kept, *arguments)
        assert ran.status == 0, (arguments, ran.err)
    writing: tuple[tuple[tuple[str, ...], Path], ...] = (
        (FETCH, kept / "archive"),
        (("add", str(letter)), kept / "archive"),
        (("index",), kept / "metadata"),
        (("init", str(kept / "new")), kept / "new"),
    )
    for call, place in writing:
        assert_told(run(kept, *call), "Read-only file system", str(place))
    disk.writable()
    assert everything_in(kept) == before
    assert run(kept, *FETCH).status == 0
    assert codes(verify(kept)) == []


def test_a_read_only_archive_of_an_interrupted_run_is_read(kept: Path, disk: Disk) -> None:
    """What waits for recovery waits on, as a note; where it may be written, it is recovered."""
    (name,) = sealed(kept)
    file = kept / "archive" / name
    file.rename(kept / "archive" / f"{name}.open")
    (kept / "metadata" / "manifest-sha256.txt").write_bytes(b"")
    disk.read_only()
    ran = verify(kept)
    assert (ran.status, codes(ran)) == (0, [])
    assert [each["code"] for each in ran.of_type("note")] == ["interrupted"]
    assert run(kept, "list").status == 0
    disk.writable()
    assert f"recovered {name}" in run(kept, "list").err
    assert codes(verify(kept)) == []


def test_a_read_only_archive_is_served(kept: Path, disk: Disk) -> None:
    """Pages, and the bytes of a capture, come from a disk that nobody can write to."""
    (capture,) = [
        each["capture_id"]
        for each in run(kept, "list", "--json").objects
        if each["document"] == "more-0"
    ]
    disk.read_only()
    call = [*PROGRAM, "-C", str(kept), "serve", "--port", "0"]
    with subprocess.Popen(call, stderr=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stderr is not None
            address = next(line for line in serving.stderr if "Serving at" in line).split()[-1]
            for path in ("", "document/more-0", f"capture/{capture}", "provenance/capture"):
                with urllib.request.urlopen(address + path, timeout=20) as answer:
                    assert answer.status == 200
            assert json.load(
                urllib.request.urlopen(f"{address}provenance/capture.json?_shape=array")
            )
        finally:
            serving.send_signal(signal.SIGINT)
            serving.wait(20)


# Places where nothing may be written, or read


@pytest.mark.parametrize(
    ("place", "before"),
    [
        ("archive", False),
        ("metadata", False),
        ("archive", True),
        ("metadata/spool", True),
        ("metadata/manifest-sha256.txt", True),
        ("metadata/.lock", True),
    ],
)
def test_a_place_without_permission_is_named(
    tmp_path: Path, urls: list[str], place: str, before: bool
) -> None:
    """An error with the place; what was there verifies; with permission the next run works."""
    under = without_privileges()
    root = make_root(tmp_path / "root", more=[urls[0], urls[4]])
    if before:
        assert run(root, *FETCH, "more-0", under=under).status == 0
    path = root / place
    held = captures_in(root).keys()
    mode = path.stat().st_mode
    path.chmod(mode & 0o555)
    try:
        ran = run(root, *FETCH, under=under)
        assert_told(ran, "Permission denied", str(path))
        checked = run(root, "verify", "--json", under=under)
        assert set(codes(checked)) <= (set() if before else {"empty_archive"})
    finally:
        path.chmod(mode)
    after = run(root, "verify", "--json", under=under)
    assert set(codes(after)) <= (set() if held | told_captures(ran) else {"empty_archive"})
    assert left_open(root) == []
    assert held | told_captures(ran) <= captures_in(root).keys()
    assert run(root, *FETCH, under=under).status == 0
    assert codes(verify(root)) == []


def test_a_file_that_may_not_be_read_is_a_finding_and_the_rest_works(
    tmp_path: Path, urls: list[str]
) -> None:
    """`verify` names it; a fetch goes on without what it holds."""
    under = without_privileges()
    root = make_root(tmp_path / "root", more=urls[:2])
    assert run(root, *FETCH, "more-0", under=under).status == 0
    (name,) = sealed(root)
    (root / "archive" / name).chmod(0)
    shutil.rmtree(root / "metadata" / "lookup", ignore_errors=True)
    checked = run(root, "verify", "--json", under=under)
    assert checked.status == 4
    assert [(each["code"], each["warc"]) for each in checked.of_type("finding")] == [
        ("unreadable_file", name)
    ]
    assert run(root, *FETCH, "more-1", under=under).outcomes() == {"more-1": "captured"}
    assert_told(run(root, "index", under=under), "Permission denied", name)
    (root / "archive" / name).chmod(0o644)
    assert codes(verify(root)) == []


def test_a_limit_on_the_size_of_files_is_said(tmp_path: Path, urls: list[str]) -> None:
    """What fits below it is kept; without the limit the run is completed."""
    root = make_root(tmp_path / "root", more=urls[:4])
    under = ("bash", "-c", 'ulimit -f 100 && exec "$@"', "limited")
    ran = run(root, *FETCH, "--jobs", "1", under=under)
    assert_told(ran, "File too large", str(root / "archive"))
    assert codes(verify(root)) == []
    assert told_captures(ran) <= captures_in(root).keys()
    again = run(root, *FETCH)
    assert again.status == 0
    assert len(again.outcomes()) == 4
    assert list(captures_in(root).values()) == ["captured"] * 4


# What does not belong into the archive


def test_foreign_and_half_written_files_are_reported_and_left_alone(
    tmp_path: Path, urls: list[str]
) -> None:
    """Each is a finding or a note of `verify`; every other command works, and none touches them."""
    root = make_root(tmp_path / "root", more=urls[:2])
    assert run(root, *FETCH).status == 0
    archive = root / "archive"
    (ours,) = sealed(root)
    other = warc_builders.make_root(tmp_path / "other")
    writer = other.writer()
    write_capture(writer, "a")
    writer.close()
    whole = (other.archive / writer.name).read_bytes()
    stem = "x-20261123094500123-00000"
    (archive / "notes.txt").write_text("my notes")
    (archive / "download.warc.gz.part").write_bytes(whole[:300])
    (archive / "half.warc.gz").write_bytes(whole[:-300])
    (archive / "empty.warc.gz").write_bytes(b"")
    (archive / "rubbish.warc.gz").write_bytes(os.urandom(5000))
    (archive / "crawler.warc.gz.open").write_bytes(whole[:-300])
    (archive / "folder.warc.gz").mkdir()
    (archive / f"{stem}.warc.gz.open").mkdir()
    (archive / "link.warc.gz").symlink_to("nothing")
    os.mkfifo(archive / "pipe.warc.gz")
    os.mkfifo(archive / f"{stem}1.warc.gz.open")
    before = {path.name: path.lstat() for path in archive.iterdir()}
    contents = {path.name: path.read_bytes() for path in archive.iterdir() if path.is_file()}
    checked = verify(root)
    assert checked.status == 4
    found = {(each["warc"], each["code"]) for each in checked.of_type("finding")}
    assert found >= {
        ("notes.txt", "foreign_file"),
        ("download.warc.gz.part", "foreign_file"),
        ("half.warc.gz", "gzip_cut"),
        ("half.warc.gz", "not_in_manifest"),
        ("empty.warc.gz", "empty_file"),
        ("rubbish.warc.gz", "foreign_file"),
        ("folder.warc.gz", "foreign_file"),
        ("link.warc.gz", "foreign_file"),
        ("pipe.warc.gz", "foreign_file"),
        (f"{stem}.warc.gz.open", "foreign_file"),
        (f"{stem}1.warc.gz.open", "foreign_file"),
    }
    assert [each["warc"] for each in checked.of_type("note")] == ["crawler.warc.gz.open"]
    assert ours not in {name for name, _ in found}
    working: tuple[tuple[str, ...], ...] = (FETCH, ("index",), ("list",), ("search", "document"))
    for arguments in working:
        assert run(root, *arguments).status == 0, arguments
    for name, seen in before.items():
        assert (archive / name).lstat().st_mtime_ns == seen.st_mtime_ns
    for name, raw in contents.items():
        assert (archive / name).read_bytes() == raw


# A disk that fails


@contextlib.contextmanager
def failing_disk(tmp_path: Path) -> Iterator[tuple[Path, Disk]]:
    """Mount a file system whose own disk is too small for it: writing works, syncing fails."""
    if not shutil.which("mkfs.ext4"):
        pytest.skip("no mkfs.ext4")
    with mounted(tmp_path / "below", "1500k") as below:
        image, upper = below.path / "image", tmp_path / "upper"
        upper.mkdir()
        with image.open("wb") as file:
            file.truncate(32 << 20)
        call = ["mkfs.ext4", "-q", "-O", "^has_journal", str(image)]
        subprocess.run(call, check=True, capture_output=True)
        call = ["mount", "-o", "loop", str(image), str(upper)]
        if subprocess.run(call, check=False, capture_output=True).returncode:
            pytest.skip("no file may be mounted as a disk here")
        try:
            yield upper, below
        finally:
            subprocess.run(["umount", "--lazy", str(upper)], check=True, capture_output=True)


def test_a_file_that_could_not_be_synced_is_not_sealed_from_memory(tmp_path: Path) -> None:
    """A second sync would say that all is well: the writer gives the file up at the first one, and
    recovery lists what the disk has, whatever the cache still shows.
    """
    with failing_disk(tmp_path) as (upper, below):
        root = warc_builders.make_root(tmp_path / "root")
        root.archive.rmdir()
        root.archive.symlink_to(upper)
        writer = root.writer()
        with pytest.raises(StorageError, match="cannot sync") as raised:
            for number in range(40):
                write_capture(writer, f"doc-{number:02d}", os.urandom(100_000))
                writer.sync()
        assert raised.value.hint is not None
        refusing = (writer.sync, lambda: write_capture(writer, "x"), lambda: end_run(writer, 1))
        for refused in refusing:
            with pytest.raises(StorageError, match="cannot sync"):
                refused()
        writer.close()
        assert (writer.sealed, root.listed()) == ([], {})
        assert not list(upper.glob("*.warc.gz"))
        below.resize(64 << 20)
        (told,) = recover(root.archive, root.metadata)
        assert told.fault is None
        subprocess.run(["umount", str(upper)], check=True, capture_output=True)
        call = ["mount", "-o", "loop", str(below.path / "image"), str(upper)]
        subprocess.run(call, check=True, capture_output=True)
        assert len(documents_in(root)) > 2
        found: list[str] = []
        verify_archive(root.path, on_finding=lambda each: found.append(each.code))
        assert set(found) <= {"foreign_file"}  # lost+found
