"""Whom the log's words are taken from: no key is told, and nobody vouches for what is another's."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.errors import LogFormatError, ProofError, UsageError
from provenance.log.checkpoint import Checkpoint, CosigningKey, format_checkpoint
from provenance.log.folder import CHECKPOINT, OPERATOR, LogFolder
from provenance.log.keyfile import write_key_file
from provenance.log.note import SigningKey, format_note, sign_note
from provenance.log.submission import format_answer
from provenance.proving import check_proof
from provenance.runtime import system_runtime
from provenance.verify import Finding, Note
from provenance.witnessing import keep_answer
from tests.cli_program import run, small_root
from tests.witness_rig import LOG
from tests.witness_roots import signed_root

OWN = CosigningKey(name="independent.example", seed=LOG.seed)
STRANGER = SigningKey(name="other.example", seed=bytes([5]) * 32)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return signed_root(tmp_path)


@pytest.mark.parametrize("given", ["--key", "--witness-key"])
def test_a_private_key_in_the_place_of_a_public_one_is_not_repeated(root: Path, given: str) -> None:
    """Messages end up in logs: what is told is that it was one, and how to have the other."""
    line = (root.parent / "operator.key").read_text().strip()
    ended = run("verify", given, line, cwd=root)
    assert ended.status == 2
    assert line not in ended.err and line.split("+")[-1] not in ended.err
    assert "provenance key show" in ended.err or "private key" in ended.err
    ended = run("verify", "--proof", root.parent / "operator.key", cwd=root)
    assert ended.status and line.split("+")[-1] not in ended.err


def test_a_file_in_the_place_of_a_public_line_is_told_what_is_wanted(root: Path) -> None:
    """Whoever has a key file has the line at once."""
    proof = root.parent / "letter.tlog-proof"
    assert run("log", "proof", "letter", "-o", proof, cwd=root).status == 0
    for words in ((), ("letter",), ("--proof", proof)):
        ended = run("verify", *words, "--key", root.parent / "operator.key", cwd=root)
        assert ended.status == 2
        assert "The public line is wanted, which `provenance key show FILE` prints" in ended.err
    ended = run("witness", "add", root.parent / "w", "operator.key", cwd=root.parent)
    assert ended.status == 2
    assert "provenance key show" in ended.err


def test_a_checkpoint_without_a_key_in_a_signed_log_says_so(root: Path) -> None:
    """It is made, and nobody takes it for a signed one; with the key it is signed later."""
    letter = root.parent / "more.txt"
    letter.write_text("More.\n")
    assert run("log", "checkpoint", cwd=root).err.count("signed") == 0  # it stands as it was
    assert run("add", letter, "--document", "minutes", cwd=root).status == 0
    for _ in range(2):
        ended = run("log", "checkpoint", cwd=root)
        assert ended.status == 0
        assert "note: this checkpoint is not signed, and the log was signed before" in ended.err
        assert "--key" in ended.err
    said = json.loads(run("log", "checkpoint", "--json", cwd=root).out)
    assert (said["signed"], said["signed_before"]) == (False, True)
    (root / "metadata" / "log" / OPERATOR).unlink()
    ended = run("log", "checkpoint", cwd=root)
    assert "note: this checkpoint is not signed" in ended.err  # earlier ones still are
    ended = run("log", "checkpoint", "--key", root.parent / "operator.key", cwd=root)
    assert (ended.status, "note: " in ended.err) == (0, False)
    said = json.loads(run("log", "checkpoint", "--json", cwd=root).out)
    assert (said["signed"], said["signed_before"]) == (True, True)


def test_a_log_that_nobody_signs_says_nothing_of_it(tmp_path: Path) -> None:
    archive = small_root(tmp_path / "root")
    for _ in range(2):
        assert "note: " not in run("log", "checkpoint", cwd=archive.root).err
    assert (
        json.loads(run("log", "checkpoint", "--json", cwd=archive.root).out)["signed_before"]
        is False
    )


def test_the_operators_key_under_another_name_is_no_witness(root: Path) -> None:
    """Neither is its word kept, nor does a proof count on it."""
    folder = LogFolder(root / "metadata")
    newest = folder.newest()
    assert newest is not None
    text = newest[1].partition(b"\n\n")[0].decode() + "\n"
    made = OWN.cosign(text, 1_700_000_000)
    answer = format_answer([made])
    with pytest.raises(UsageError, match="no witness"):
        keep_answer(root / "metadata", system_runtime(), answer, OWN.verifier)
    archive = Archive(root)
    archive.index()
    capture = next(row.capture_id for row in archive.newest_of(archive.documents()) if row)
    raw = archive.proof(str(capture))
    with pytest.raises(ProofError, match="no witness"):
        check_proof(raw, where="x", operator_key=LOG.verifier.line, witness_keys=[OWN.verifier])


def test_a_signature_on_another_tree_signs_nothing_of_this_log(root: Path) -> None:
    """The operator's word counts for the trees that the leaves give, and for no other."""
    folder = LogFolder(root / "metadata")
    newest = folder.newest()
    assert newest is not None
    (root / "metadata" / "log" / OPERATOR).unlink()
    bare = format_checkpoint(newest[0]).encode()
    for path in (folder.path / CHECKPOINT, folder.path / "checkpoints" / str(newest[0].size)):
        path.write_bytes(bare)
    other = Checkpoint(origin=newest[0].origin, size=1000, root=bytes(32))
    signed = format_note(sign_note(format_checkpoint(other), [LOG]))
    (folder.path / "checkpoints" / "2").write_bytes(signed)
    findings: list[Finding] = []
    report = Archive(root).verify(
        on_finding=findings.append, on_note=lambda _note: None, operator_key=LOG.verifier.line
    )
    assert report.rungs.signed == 0
    assert {each.code for each in findings} == {"checkpoint_disagrees"}


def test_another_key_does_not_sign_in_the_operators_place(root: Path, tmp_path: Path) -> None:
    """Also where the file that names the operator is gone; what is there stays."""
    write_key_file(tmp_path / "other.key", STRANGER)
    (root / "metadata" / "log" / OPERATOR).unlink()
    before = (root / "metadata" / "log" / CHECKPOINT).read_bytes()
    with pytest.raises(UsageError, match="signed by another key"):
        Archive(root).checkpoint(key_file=tmp_path / "other.key")
    assert (root / "metadata" / "log" / CHECKPOINT).read_bytes() == before


def test_a_log_that_closes_a_file_twice_is_not_gone_on_with(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever added its leaves again would have them signed."""
    folder = LogFolder(root / "metadata")
    newest = folder.newest()
    assert newest is not None
    monkeypatch.setattr(
        LogFolder, "entries", lambda self, size, of=LogFolder.entries: [*of(self, size)] * 2
    )
    with pytest.raises(ProofError, match="closes a file twice"):
        Archive(root).checkpoint(key_file=root.parent / "operator.key")


def test_a_pipe_in_the_log_is_not_waited_for(root: Path) -> None:
    """It is no file of the log."""
    os.mkfifo(root / "metadata" / "log" / "checkpoints" / "70")
    with pytest.raises(LogFormatError, match="no file of the log"):
        LogFolder(root / "metadata").read("checkpoints/70")
    findings: list[Finding] = []
    notes: list[Note] = []
    Archive(root).verify(on_finding=findings.append, on_note=notes.append)
    assert findings


@pytest.mark.parametrize(
    "words",
    [
        ("log", "checkpoint", "--key"),
        ("key", "show"),
        ("key", "new", "--name", "a.example"),
        ("witness", "cosign", "w", "copy", "--key"),
        ("witness", "serve", "w", "--key"),
        ("verify", "--key"),
        ("verify", "--witness-key"),
        ("witness", "add", "w"),
    ],
)
@pytest.mark.parametrize("before", ["", "key: ", " "])
def test_a_private_key_in_the_place_of_its_file_is_not_repeated(
    root: Path, words: tuple[str, ...], before: str
) -> None:
    """Such as out of a variable that holds the key itself: messages end up in logs of runs."""
    line = (root.parent / "operator.key").read_text().strip()
    for where in (root, root.parent):
        ended = run(*words, f"{before}{line}", cwd=where)
        assert ended.status
        assert line.split("+")[-1][:12] not in ended.out + ended.err
    key = {"PROVENANCE_KEY": line, "PROVENANCE_WITNESS_KEY": line}
    for env_words in (("log", "checkpoint"), ("witness", "serve", "w")):
        ended = run(*env_words, cwd=root, environ=key)
        assert ended.status
        assert line.split("+")[-1][:12] not in ended.out + ended.err
    assert not [each for each in root.parent.iterdir() if "PRIVATE" in each.name]
