"""`log checkpoint`, `log proof` and `log consistency`: what they do, refuse, and leave behind."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.checkpointing import Added, add_checkpoint
from provenance.digest import Digest
from provenance.errors import LogFormatError, ProofError, UsageError
from provenance.log.merkle import verify_consistency, verify_inclusion
from provenance.log.proof import parse_proof, verify_path
from provenance.log.strict import parse_base64, to_base64
from provenance.proving import consistency_with, proof_of
from provenance.runtime import system_runtime
from provenance.warc.draft import Visit, metadata_draft
from tests.cli_program import Ended, run, small_root
from tests.storage_builders import PROGRAM, mounted, without_privileges
from tests.storage_builders import run as run_program
from tests.tamper_rig import heard
from tests.warc_builders import (
    DATE,
    Root,
    make_root,
    members_of,
    write_capture,
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one root with a capture and an index; nobody changes it."""
    return small_root(tmp_path_factory.mktemp("kept") / "root").root


@pytest.fixture
def root(kept: Path, tmp_path: Path) -> Path:
    """Copy that root for a test that changes it."""
    return Path(shutil.copytree(kept, tmp_path / "root"))


def log_of(root: Path) -> dict[str, bytes]:
    """Return every file of the log, by its name below metadata/log."""
    folder = root / "metadata" / "log"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def add_another(root: Path, text: str = "Minutes.\n") -> None:
    """Seal one more file."""
    path = root.parent / "minutes.txt"
    path.write_text(text)
    assert len(list(Archive(root).add([path], document="minutes"))) == 1


def assert_told(ended: Ended, status: int, *says: str) -> None:
    """One error that says these words; nothing on stdout."""
    assert (ended.status, ended.out) == (status, ""), ended
    (line,) = [each for each in ended.err.splitlines() if each.startswith("error: ")]
    for each in says:
        assert each in line, line


# log checkpoint


@pytest.mark.parametrize("command", [["proof", "letter"], ["consistency", "old"]])
def test_without_a_log_there_is_nothing_to_prove(root: Path, command: list[str]) -> None:
    """What is missing is said, and how it is begun; nothing is made."""
    (root / "old").write_text(f"a\n0\n{EMPTY}\n")
    assert_told(run("log", *command, cwd=root), 2, "there is no log yet", "log checkpoint")
    assert not (root / "metadata" / "log").exists()


EMPTY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_an_archive_with_nothing_sealed_is_not_committed_to(tmp_path: Path) -> None:
    """No file, no log."""
    root = Archive.init(tmp_path / "root").root
    ended = run("log", "checkpoint", cwd=root)
    assert_told(ended, 2, "nothing to commit to", "provenance fetch")
    assert not (root / "metadata" / "log").exists()


def test_a_checkpoint_is_what_stands_on_stdout_and_in_the_log(root: Path) -> None:
    """Three lines: origin, size, root; people's words go to stderr."""
    ended = run("log", "checkpoint", "--origin", "example.org/archive", cwd=root)
    assert ended.status == 0
    assert "leaves added from 1 files" in ended.err
    origin, size, root_hash = ended.out.splitlines()
    (warc,) = (root / "archive").glob("*.gz")
    leaves = leaves_of([warc])
    assert (origin, int(size)) == ("example.org/archive", len(leaves))
    assert parse_base64(root_hash) == Tree(leaves).mth(0, len(leaves))
    files = log_of(root)
    assert files["checkpoint"] == files[f"checkpoints/{size}"] == ended.out.encode()
    told = heard(root)
    assert (told.findings, told.notes) == ([], [])
    assert told.report.rungs.sealed == told.report.captures == 1


def test_a_second_checkpoint_without_change_is_the_first(root: Path) -> None:
    """Byte for byte, and no file of the log is touched."""
    first = run("log", "checkpoint", cwd=root)
    before = log_of(root)
    second = run("log", "checkpoint", cwd=root)
    assert (second.status, second.out) == (0, first.out)
    assert "0 leaves added from 0 files" in second.err
    assert log_of(root) == before


def test_a_checkpoint_as_json(root: Path) -> None:
    """One object, which says the same as the text that it carries."""
    (said,) = map(json.loads, run("log", "checkpoint", "--json", cwd=root).out.splitlines())
    assert said["type"] == "checkpoint"
    assert said["text"] == f"{said['origin']}\n{said['size']}\n{said['root']}\n"
    assert (said["files"], said["leaves"], said["signed"]) == (1, said["size"], False)


def test_a_log_keeps_its_origin(root: Path) -> None:
    """Another is refused, the same may be named again; one that cannot be written never begins."""
    for wrong in ("with space", "a+b", "", "x" * 201, "\u540d"):
        ended = run("log", "checkpoint", "--origin", wrong, cwd=root)
        if wrong:
            assert_told(ended, 2, "not a name for a log")
            assert not (root / "metadata" / "log").exists()
    shutil.rmtree(root / "metadata" / "log", ignore_errors=True)
    assert run("log", "checkpoint", "--origin", "a.example/log", cwd=root).status == 0
    add_another(root)
    before = log_of(root)
    ended = run("log", "checkpoint", "--origin", "b.example/log", cwd=root)
    assert_told(ended, 2, "another origin", "expected a.example/log", "found b.example/log")
    assert log_of(root) == before
    again = run("log", "checkpoint", "--origin", "a.example/log", cwd=root)
    assert again.out.startswith("a.example/log\n")


@pytest.mark.parametrize("how", ["byte", "cut", "recompressed", "gone"])
def test_a_listed_file_that_changed_is_not_committed_to(root: Path, how: str) -> None:
    """Whether it can still be read or not: said with the file's name; the log stays as it was."""
    run("log", "checkpoint", cwd=root)
    add_another(root)
    *_, path = sorted((root / "archive").glob("*.gz"))
    raw = path.read_bytes()
    path.unlink()
    if how == "byte":
        path.write_bytes(raw[:4] + b"\x01" + raw[5:])
    elif how == "cut":
        path.write_bytes(raw[:-20])
    elif how == "recompressed":
        import gzip

        path.write_bytes(b"".join(gzip.compress(each.plain, 1) for each in members_of(raw)))
    before = log_of(root)
    ended = run("log", "checkpoint", cwd=root)
    assert_told(ended, ended.status, path.name)
    assert ended.status in (1, 4)
    if how in ("byte", "recompressed"):
        assert_told(ended, 4, "another than the manifest says")
    assert log_of(root) == before
    path.write_bytes(raw)
    assert run("log", "checkpoint", cwd=root).status == 0
    assert heard(root).findings == []


def test_nothing_is_added_to_a_damaged_log(root: Path) -> None:
    """Where the tiles do not give the checkpoint's root, or are gone, nothing is built on them."""
    run("log", "checkpoint", cwd=root)
    sound = log_of(root)
    add_another(root)
    tiles = [name for name in sound if name.startswith("tile/0")]
    bundles = [name for name in sound if name.startswith("tile/entries")]
    for name, raw, says in (
        (tiles[0], b"\0" + sound[tiles[0]][1:], "not those of its checkpoint"),
        (tiles[0], sound[tiles[0]][:-1], "not the tile of its name"),
        (bundles[0], sound[bundles[0]][:-1], "not the bundle of its name"),
        ("checkpoint", sound["checkpoint"][:-1], "not a checkpoint"),
    ):
        (root / "metadata/log" / name).write_bytes(raw)
        before = log_of(root)
        ended = run("log", "checkpoint", cwd=root)
        assert_told(ended, ended.status, says)
        assert ended.status in (1, 4)
        assert log_of(root) == before
        (root / "metadata/log" / name).write_bytes(sound[name])
    (root / "metadata/log" / tiles[0]).unlink()
    assert_told(run("log", "checkpoint", cwd=root), 1, "a part of the log is missing")
    (root / "metadata/log" / tiles[0]).write_bytes(sound[tiles[0]])
    assert run("log", "checkpoint", cwd=root).status == 0
    assert heard(root).findings == []


# The disk


def test_a_log_that_may_not_be_written_is_as_it_was(root: Path) -> None:
    """The error names the place; with leave to write, the same command works."""
    under = without_privileges()
    run("log", "checkpoint", cwd=root)
    add_another(root)
    before = log_of(root)
    folders = [root / "metadata/log", *(root / "metadata/log").rglob("*")]
    modes = {each: each.stat().st_mode for each in folders if each.is_dir()}
    for each in modes:
        each.chmod(0o555)
    ended = run_program(root, "log", "checkpoint", under=under)
    for each, mode in modes.items():
        each.chmod(mode)
    assert ended.status == 1
    assert "Permission denied" in ended.err and "metadata/log" in ended.err
    assert "The log is as it was" in ended.err
    assert log_of(root) == before
    assert run("log", "checkpoint", cwd=root).status == 0


def test_a_disk_that_fills_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    """However much fits; with room the same command goes on, and nothing is found."""
    with mounted(tmp_path / "disk") as disk:
        root = small_root(disk.path / "root").root
        assert run("log", "checkpoint", cwd=root).status == 0
        add_another(root)
        before = log_of(root)
        for pages in range(8):
            disk.leave_free(pages * 4096)
            ended = run("log", "checkpoint", cwd=root)
            if ended.status == 0:
                assert pages
                break
            assert_told(ended, 1, "No space left on device", "metadata/log")
            assert log_of(root)["checkpoint"] == before["checkpoint"]
            assert heard(root).findings == []
        disk.resize(8 << 20)
        assert run("log", "checkpoint", cwd=root).status == 0
        assert heard(root).findings == []


# Commands that are killed, and two at once

KILLED = """
import os, signal, sys
left = int(sys.argv.pop(1))
def hook(event, arguments):
    global left
    written = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if written or event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir"):
        if "/metadata/log" in os.fspath(arguments[0]):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
from provenance.cli import main
main()
"""
"""The program, killed before it changes the log for the so-manieth time."""


def kill_at(root: Path, changes: int) -> int:
    call = [sys.executable, "-c", KILLED, str(changes), "-C", str(root), "log", "checkpoint"]
    return subprocess.run(call, capture_output=True, check=False, timeout=60).returncode


@pytest.mark.parametrize("held", [0, 4, 254], ids=["the-first", "a-later-one", "over-a-tile"])
def test_a_checkpoint_that_is_killed_is_made_by_the_next(
    root: Path, tmp_path: Path, held: int
) -> None:
    """At any change to the log: no fault comes of it, also where more is sealed in between."""
    if held > 4:
        write_many(Root(root), 0, held - 3)  # three records of a capture are one leaf
    if held:
        begun = run("log", "checkpoint", cwd=root)
        assert begun.out.splitlines()[1] == str(held)
        add_another(root)
    kills = 0
    for changes in range(100):
        copy = Path(shutil.copytree(root, tmp_path / f"copy-{changes}"))
        status = kill_at(copy, changes)
        assert status in (0, -signal.SIGKILL)
        told = heard(copy)
        if not held and (copy / "metadata/log/checkpoints").exists():
            # Only a log that has a checkpoint can have lost its newest.
            assert told.codes <= {"checkpoint_missing"}
        else:
            assert told.findings == []
        if changes % 2:
            add_another(copy, "Other minutes.\n")
        assert run("log", "checkpoint", cwd=copy).status == 0
        told = heard(copy)
        assert told.findings == [], changes
        assert {each.code for each in told.notes} <= {"log_unfinished"}
        assert told.report.rungs.sealed == told.report.captures
        assert not [name for name in log_of(copy) if name.endswith(".new")]
        shutil.rmtree(copy)
        if status == 0:
            break
        kills += 1
    assert kills >= 10


def test_a_file_that_is_being_sealed_waits_and_those_after_it_too(root: Path) -> None:
    """Its line is there before its name: the log has the order of the manifest all the same."""
    (first,) = (root / "archive").glob("*.gz")
    add_another(root)
    waiting = first.rename(first.with_name(f"{first.name}.open"))
    with pytest.raises(UsageError, match="nothing to commit to"):
        Archive(root).checkpoint()
    waiting.rename(first)
    assert Archive(root).checkpoint().files == 2
    add_another(root, "Other minutes.\n")
    *_, last = sorted((root / "archive").glob("*.gz"))
    add_another(root, "More minutes.\n")
    waiting = last.rename(last.with_name(f"{last.name}.open"))
    assert Archive(root).checkpoint().files == 0
    waiting.rename(last)
    assert Archive(root).checkpoint().files == 2
    assert heard(root).findings == []


def test_two_checkpoints_at_once_are_one_after_the_other(root: Path) -> None:
    """Both end well with the same text, and nothing is found."""
    add_another(root)
    call = [*PROGRAM, "-C", str(root), "log", "checkpoint"]
    both = [subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in "ab"]
    outs = [each.communicate(timeout=60)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0]
    assert outs[0] == outs[1] == log_of(root)["checkpoint"]
    assert heard(root).findings == []


# Proofs


def test_a_proof_holds_with_the_leaf_and_the_checkpoint_alone(root: Path, tmp_path: Path) -> None:
    """As bytes on stdout or in a file; of a capture that is not covered there is none."""
    made = run("log", "checkpoint", cwd=root)
    ended = run("log", "proof", "letter", cwd=root)
    assert ended.status == 0
    proof = parse_proof(ended.out.encode())
    assert proof.extra is not None
    assert proof.checkpoint == made.out.encode()
    (warc,) = (root / "archive").glob("*.gz")
    leaves = leaves_of([warc])
    assert proof.extra == leaves[proof.index]
    assert list(proof.path) == Tree(leaves).path(proof.index, 0, len(leaves))
    verify_path(proof, proof.extra)
    written = run("log", "proof", "letter", "-o", tmp_path / "letter.tlog-proof", cwd=root)
    assert (written.status, written.out) == (0, "")
    assert (tmp_path / "letter.tlog-proof").read_bytes() == ended.out.encode()
    add_another(root)
    assert run("index", cwd=root).status == 0
    assert_told(run("log", "proof", "minutes", cwd=root), 2, "does not cover", "log checkpoint")
    assert_told(run("log", "proof", "nothing", cwd=root), 2, "nothing")


def test_consistency_from_the_command_line(root: Path, tmp_path: Path) -> None:
    """With the first checkpoint it holds; with another log's, a longer or a changed one, not."""
    first = run("log", "checkpoint", "--origin", "a.example/log", cwd=root)
    add_another(root)
    second = run("log", "checkpoint", cwd=root)
    old = tmp_path / "old"
    old.write_text(first.out)
    ended = run("log", "consistency", old, cwd=root)
    assert ended.status == 0
    told, *lines = ended.out.splitlines()
    size, now = (int(each.splitlines()[1]) for each in (first.out, second.out))
    assert told == f"The log of {now} leaves begins with the {size} of that checkpoint."
    roots = [parse_base64(each.splitlines()[2]) or b"" for each in (first.out, second.out)]
    verify_consistency(size, now, [parse_base64(each) or b"" for each in lines], *roots)
    (said,) = map(json.loads, run("log", "consistency", "--json", old, cwd=root).out.splitlines())
    assert (said["type"], said["old_size"], said["size"]) == ("consistency", size, now)
    assert said["proof"] == lines
    origin, _, root_hash = first.out.splitlines()
    for text, status, says in (
        (f"b.example/log\n{size}\n{root_hash}\n", 4, "a checkpoint of another log"),
        (f"{origin}\n{now + 1}\n{root_hash}\n", 4, "has lost leaves"),
        (f"{origin}\n{size}\n{EMPTY}\n", 4, "does not begin with what this checkpoint covers"),
        (f"{origin}\n0{size}\n{root_hash}\n", 1, "not the size of a tree"),
        ("", 1, "not a checkpoint"),
    ):
        old.write_text(text)
        assert_told(run("log", "consistency", old, cwd=root), status, says)
    old.write_text(f"{origin}\n0\n{EMPTY}\n")
    assert run("log", "consistency", old, cwd=root).status == 0
    assert run("log", "consistency", tmp_path / "none", cwd=root).status == 1


# Many leaves: RFC 6962 §2.1, word by word, over leaves that are read by another way


def leaves_of(paths: Sequence[Path]) -> list[bytes]:
    """Return the leaves of these files, by the page that says what a leaf is."""
    leaves: list[bytes] = []
    for path in paths:
        raw = path.read_bytes()
        held: list[tuple[str, str]] = []
        anchor, count = "", 0
        for member in members_of(raw):
            count += 1
            kind, own = member.header["WARC-Type"], member.header["WARC-Record-ID"]
            after = own if kind in _ANCHORS else member.header.get("WARC-Concurrent-To", own)
            if after != anchor:
                leaves += _lines(held)
                held = []
            anchor = after
            held.append((kind, member.digest))
        leaves += _lines(held)
        digest = hashlib.sha256(raw).hexdigest()
        leaves.append(f"file {path.name} sha256:{digest} {count}\n".encode())
    return leaves


_ANCHORS = ("response", "revisit", "resource")


def _lines(held: list[tuple[str, str]]) -> Iterator[bytes]:
    first = next((each for each in held if each[0] in _ANCHORS), None)
    if first is None:
        yield from (f"record {digest}\n".encode() for _, digest in held)
    else:
        others = "".join(f" {kind} {digest}" for kind, digest in held if (kind, digest) != first)
        yield f"capture {first[1]}{others}\n".encode()


class Tree:
    """MTH, PATH and SUBPROOF over leaves."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = leaves
        self.mth = cache(self._mth)

    def _mth(self, start: int, end: int) -> bytes:
        if end == start:
            return hashlib.sha256().digest()
        if end - start == 1:
            return hashlib.sha256(b"\x00" + self._leaves[start]).digest()
        k = start + largest_power_below(end - start)
        return hashlib.sha256(b"\x01" + self.mth(start, k) + self.mth(k, end)).digest()

    def path(self, m: int, start: int, end: int) -> list[bytes]:
        """PATH(m, D[start:end]), RFC 6962 §2.1.1."""
        if end - start == 1:
            return []
        k = largest_power_below(end - start)
        if m < k:
            return [*self.path(m, start, start + k), self.mth(start + k, end)]
        return [*self.path(m - k, start + k, end), self.mth(start, start + k)]

    def subproof(self, m: int, start: int, end: int, *, known: bool = True) -> list[bytes]:
        """SUBPROOF(m, D[start:end], known), RFC 6962 §2.1.2."""
        if m == end - start:
            return [] if known else [self.mth(start, end)]
        k = largest_power_below(end - start)
        if m <= k:
            return [*self.subproof(m, start, start + k, known=known), self.mth(start + k, end)]
        left = self.mth(start, start + k)
        return [*self.subproof(m - k, start + k, end, known=False), left]


def largest_power_below(n: int) -> int:
    return 1 << ((n - 1).bit_length() - 1)


SIZES = (3, 252, 1, 256, 700, 18_900)
"""Records of the files that are sealed before each checkpoint."""


def write_many(root: Root, number: int, records: int) -> None:
    """Seal a file of a few captures and many failures, each of which is a leaf."""
    run = str(uuid.UUID(int=number + 1))
    writer = root.writer(f"many-{number}", run=run)
    captures = 1 if records > 6 else 0
    for at in range(captures):
        write_capture(writer, f"doc-{number}-{at}", collection=f"many-{number}", run=run)
    left = records - 1 - 3 * captures
    with writer.group() as group:
        for at in range(left):
            visit = Visit(
                run=run,
                stem=(f"gone-{number}-{at}", 1, 0, "document"),
                date=DATE,
                target_uri=f"http://gone.example/{at}",
                ip=None,
                protocols=(),
            )
            note = {
                "profile": "provenance-capture-1",
                "kind": "document",
                "run": run,
                "collection": f"many-{number}",
                "document": f"gone-{number}-{at}",
                "outcome": "failed",
                "reason": "refused",
                "captured_at": DATE,
                "capture_id": None,
                "capture_record": None,
            }
            group.add(metadata_draft(visit, note, alone=True))
    writer.close()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Root, tuple[Added, ...]]:
    """Make a log of some 20,000 leaves, grown in six steps; nobody changes it."""
    root = make_root(tmp_path_factory.mktemp("large"))
    made = []
    for number, records in enumerate(SIZES):
        write_many(root, number, records)
        made.append(add_checkpoint(root.archive, root.metadata, system_runtime()))
    return root, tuple(made)


def test_a_large_log_is_the_tree_of_its_leaves(large: tuple[Root, tuple[Added, ...]]) -> None:
    """Each checkpoint has the root that RFC 6962 gives for the leaves of the files so far."""
    root, made = large
    tree = Tree(leaves := leaves_in_order(root))
    assert len(leaves) == made[-1].size > 20_000
    for each in made:
        assert parse_base64(each.root) == tree.mth(0, each.size)
        assert (root.metadata / f"log/checkpoints/{each.size}").read_text() == each.text
    assert {each.origin for each in made} == {made[0].origin}
    names = {name for name in log_of(root.path) if name.startswith("tile/")}
    assert {name.split("/")[1] for name in names} == {"0", "1", "entries"}
    partial = [name for name in names if ".p/" in name]
    assert len(partial) == sum(bool(size % 256) for size in (len(leaves), len(leaves) // 256)) + 1
    assert len(names - set(partial)) == 2 * (len(leaves) // 256)
    told = heard(root.path)
    assert (told.findings, told.notes) == ([], [])
    assert told.report.rungs.sealed == told.report.captures > 19_000


def leaves_in_order(root: Root) -> list[bytes]:
    return leaves_of([root.archive / name for name in root.listed()])


def test_proofs_from_a_large_log(large: tuple[Root, tuple[Added, ...]]) -> None:
    """For captures and lone records at the edges of tiles; each is RFC 6962's path."""
    root, made = large
    leaves = leaves_in_order(root)
    tree, size = Tree(leaves), made[-1].size
    edges = {0, 1, 255, 256, 257, 511, 512, 16_383, 16_384, size // 256 * 256 - 1, size - 2}
    captures = [at for at, each in enumerate(leaves) if each.startswith(b"capture ")]
    for index in sorted({*edges, *captures}):
        words = leaves[index].split()
        if words[0] == b"file":
            continue
        proof = parse_proof(proof_of(root.metadata, Digest(words[1].decode())))
        assert (proof.index, proof.extra) == (index, leaves[index])
        assert list(proof.path) == tree.path(index, 0, size)
        verify_path(proof, leaves[index])
        verify_inclusion(
            hashlib.sha256(b"\x00" + leaves[index]).digest(),
            index,
            size,
            proof.path,
            tree.mth(0, size),
        )
        with pytest.raises(ProofError):
            verify_path(proof, leaves[index][:-1])
    with pytest.raises(UsageError, match="does not cover"):
        proof_of(root.metadata, Digest("sha256:" + 64 * "0"))


def test_a_large_log_goes_on_from_each_earlier_checkpoint(
    large: tuple[Root, tuple[Added, ...]],
) -> None:
    """The proof is RFC 6962's; other logs, longer ones and other roots are refused."""
    root, made = large
    tree, size = Tree(leaves_in_order(root)), made[-1].size
    for each in made:
        proven = consistency_with(root.metadata, each.text.encode(), where="old")
        assert (proven.old_size, proven.size, proven.origin) == (each.size, size, each.origin)
        values = [parse_base64(value) for value in proven.proof]
        assert values == tree.subproof(each.size, 0, size)
        changed = each.text.replace(each.root, made[0].root if each != made[0] else made[1].root)
        with pytest.raises(ProofError):
            consistency_with(root.metadata, changed.encode(), where="old")
        foreign = each.text.replace(each.origin, "other.example/log")
        with pytest.raises(ProofError, match="another log"):
            consistency_with(root.metadata, foreign.encode(), where="old")
    longer = made[-1].text.replace(f"\n{size}\n", f"\n{size + 1}\n")
    with pytest.raises(ProofError, match="lost leaves"):
        consistency_with(root.metadata, longer.encode(), where="old")
    with pytest.raises(LogFormatError):
        consistency_with(root.metadata, b"\xff\n1\nx\n", where="old")


def test_a_checkpoint_of_other_leaves_is_told_at_every_size(
    large: tuple[Root, tuple[Added, ...]],
) -> None:
    """At powers of two, where the proof has no hash of the older tree, as at any other size."""
    root, made = large
    tree = Tree(leaves_in_order(root))
    for size in (1, 2, 3, 4, 7, 8, 255, 256, 257, 512, 16_384, made[-1].size):
        text = f"{made[0].origin}\n{size}\n{EMPTY}\n"
        with pytest.raises(ProofError, match="does not begin with") as refused:
            consistency_with(root.metadata, text.encode(), where="old")
        assert refused.value.where == "old"
        assert refused.value.expected == f"the root {EMPTY} at {size} leaves"
        assert refused.value.found == to_base64(tree.mth(0, size))


def test_one_hash_of_a_large_log_is_found_at_its_place(
    large: tuple[Root, tuple[Added, ...]], tmp_path: Path
) -> None:
    """On either level of tiles; the root that the upper one gives is not believed."""
    root, _ = large
    copy = make_root(tmp_path / "copy")
    shutil.copytree(root.path, copy.path, dirs_exist_ok=True)
    log = log_of(copy.path)
    for name in ("tile/0/001", next(each for each in log if each.startswith("tile/1/"))):
        path = copy.metadata / "log" / name
        path.write_bytes(log[name][:64] + bytes([log[name][64] ^ 1]) + log[name][65:])
        fields = {each.field for each in heard(copy.path).findings if each.code == "log_damaged"}
        assert fields == {f"metadata/log/{name} hash 2"}
        path.write_bytes(log[name])
