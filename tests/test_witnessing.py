"""A log that is witnessed: two installations, an archive's and a witness', as separate programs.

Source: C2SP tlog-witness; C2SP tlog-cosignature.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.errors import ProofError, ProvenanceError, UsageError
from provenance.exchange.posting import Reply
from provenance.log.checkpoint import CosigningKey, cosignatures_of
from provenance.log.folder import LogFolder
from provenance.log.keyfile import public_witness_key
from provenance.log.note import SigningKey, format_note, parse_note
from provenance.log.submission import SIZE_TYPE, format_answer, parse_submission
from provenance.runtime import system_runtime
from provenance.witnessing import address_of
from tests.cli_program import run, small_root
from tests.witness_rig import LOG, WITNESS, Desk, Program, desk
from tests.witness_roots import (
    OTHER,
    ask,
    asked,
    codes,
    copy_of,
    grow,
    log_files,
    served,
    signed_root,
    sizes,
    verified,
)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one root; nobody changes it."""
    return signed_root(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def root(signed: Path, tmp_path: Path) -> Path:
    return copy_of(signed, tmp_path)


@pytest.fixture
def witness(tmp_path: Path) -> Desk:
    return desk(tmp_path)


@pytest.fixture
def program(witness: Desk) -> Iterator[Program]:
    with witness.serving() as made:
        yield made


# The whole way


def test_a_growing_log_is_witnessed_step_by_step(
    root: Path, witness: Desk, program: Program
) -> None:
    """Each checkpoint gets its line, in both of its files; the rung follows."""
    first = ask(root, program)
    assert first.status == 0, first.err
    size = LogFolder(root / "metadata").sizes()[-1]
    assert first.out.endswith(f"Z witness.example/w1 cosigned {size} leaves\n")
    assert witness.seen() == size
    files = log_files(root)
    assert files["checkpoint"] == files[f"checkpoints/{size}"]
    assert cosignatures_of(parse_note(files["checkpoint"]), [WITNESS.verifier])
    status, told, summary = verified(root, "--witness-key", WITNESS.verifier.line)
    assert (status, codes(told)) == (0, [])
    assert summary["rungs"]["witnessed"] == summary["captures"] == 1
    (said,) = summary["witnesses"]
    assert said["witness"] == "witness.example/w1"
    assert said["key"] == WITNESS.verifier.line
    assert (said["size"], said["captures"]) == (size, 1)
    assert first.out.startswith(said["cosigned_at"])
    grown = grow(root, "Minutes.\n")
    _, told, summary = verified(root, "--witness-key", WITNESS.verifier.line)
    assert (summary["rungs"]["witnessed"], summary["captures"]) == (1, 2)
    assert ask(root, program).status == 0
    assert witness.seen() == grown
    _, told, summary = verified(root, "--witness-key", WITNESS.verifier.line)
    assert (summary["rungs"]["witnessed"], summary["captures"]) == (2, 2)
    assert log_files(root)[f"checkpoints/{size}"] == files[f"checkpoints/{size}"]


def test_a_witness_that_has_cosigned_is_not_asked_again(root: Path, program: Program) -> None:
    """The second call changes no byte, even where nobody answers."""
    assert ask(root, program).status == 0
    before = log_files(root)
    program.kill()
    again = ask(root, program)
    assert again.status == 0
    assert again.out.endswith(" leaves before\n")
    assert log_files(root) == before


def test_several_witnesses_and_one_that_fails(root: Path, tmp_path: Path, program: Program) -> None:
    """Each that answers is kept, whatever the others do; the worst status is the command's."""
    second = desk(tmp_path / "second", key=OTHER)
    with second.serving() as other:
        ended = run(
            "log", "witness", program.url, "http://127.0.0.1:9/", other.url, "--json",
            "--witness-key", WITNESS.verifier.line, "--witness-key", WITNESS.verifier.line,
            "--witness-key", OTHER.verifier.line, cwd=root,
        )  # fmt: skip
    assert ended.status == 0, ended.err  # the second is the same witness: it has cosigned
    third = CosigningKey(name="third.example", seed=bytes([3]) * 32).verifier.line
    failed = run("log", "witness", "http://127.0.0.1:9/", "--witness-key", third, cwd=root)
    assert (failed.status, failed.out) == (1, "")
    assert "error: http://127.0.0.1:9/add-checkpoint: no answer came" in failed.err
    said = [json.loads(line) for line in ended.out.splitlines()]
    assert [(each["type"], each["witness"], each["new"]) for each in said] == [
        ("witness", "witness.example/w1", True),
        ("witness", "witness.example/w1", False),
        ("witness", "second.example/w2", True),
    ]
    lines = ("--witness-key", WITNESS.verifier.line, "--witness-key", OTHER.verifier.line)
    status, told, summary = verified(root, *lines)
    assert (status, codes(told)) == (0, [])
    assert [each["captures"] for each in summary["witnesses"]] == [1, 1]


def test_a_failing_witness_does_not_lose_the_answer_of_a_later_one(
    root: Path, program: Program
) -> None:
    """The first does not answer, the second does: it is kept, and the status tells of the first."""
    ended = run(
        "log", "witness", "http://127.0.0.1:9/", program.url,
        "--witness-key", OTHER.verifier.line, "--witness-key", WITNESS.verifier.line, cwd=root,
    )  # fmt: skip
    assert ended.status == 1
    assert "witness.example/w1 cosigned" in ended.out
    assert cosignatures_of(parse_note(log_files(root)["checkpoint"]), [WITNESS.verifier])


def test_the_key_may_be_in_a_file(root: Path, program: Program, tmp_path: Path) -> None:
    """As `key show` prints it; for `log witness` and for `verify`."""
    path = tmp_path / "w1.pub"
    path.write_text(f"{WITNESS.verifier.line}\n")
    assert ask(root, program, key=str(path)).status == 0
    assert verified(root, "--witness-key", path)[2]["rungs"]["witnessed"] == 1
    assert public_witness_key(str(path)) == WITNESS.verifier


# What a witness does not cosign


def test_a_fork_is_refused_and_said_plainly(root: Path, program: Program, signed: Path) -> None:
    """The same log with another second file: damage, and the checkpoint stays as it was."""
    fork = Path(shutil.copytree(root, root.parent / "fork"))
    assert ask(root, program).status == 0
    grow(root, "Minutes.\n")
    assert ask(root, program).status == 0
    grow(fork, "Other minutes.\n")
    before = log_files(fork)
    ended = ask(fork, program)
    assert (ended.status, ended.out) == (4, "")
    assert "cosigned another log of this size and name" in ended.err
    assert log_files(fork) == before
    grow(fork, "More.\n", "letter")
    ended = ask(fork, program)
    assert ended.status == 4
    assert "the log does not go on from what it has cosigned" in ended.err
    assert "status 422" in ended.err


def test_a_log_that_was_rolled_back_is_told_so(root: Path, program: Program) -> None:
    """An older copy of the archive: the witness has seen more than it has."""
    older = Path(shutil.copytree(root, root.parent / "older"))
    grown = grow(root, "Minutes.\n")
    assert ask(root, program).status == 0
    ended = ask(older, program)
    assert (ended.status, ended.out) == (4, "")
    assert f"expected at least {grown} leaves" in ended.err


def test_a_stale_old_size_is_asked_for_once_more(root: Path, program: Program) -> None:
    """The archive does not remember what the witness saw: it tells, and gets the right proof."""
    assert ask(root, program).status == 0
    folder = LogFolder(root / "metadata")
    size = folder.sizes()[-1]
    plain = LogFolder(root / "metadata").read(f"checkpoints/{size}")
    assert plain is not None
    note = parse_note(plain)
    folder.publish(size, format_note(replace(note, signatures=note.signatures[:1])))
    grow(root, "Minutes.\n")
    ended = ask(root, program)
    assert ended.status == 0, ended.err


def test_an_unknown_log_and_a_foreign_key_are_told_apart(
    root: Path, tmp_path: Path, program: Program
) -> None:
    """404 and 403, each with what to do."""
    with desk(
        tmp_path / "else", knows=SigningKey(name="b.example", seed=bytes(32))
    ).serving() as no:
        ended = ask(root, no)
    assert (ended.status, ended.out) == (1, "")
    assert "the witness does not know this log" in ended.err
    assert "Give it the public key line and the origin" in ended.err
    stranger = SigningKey(name=LOG.name, seed=bytes(32))
    with desk(tmp_path / "third", knows=stranger).serving() as no:
        ended = ask(root, no)
    assert ended.status == 1
    assert "the witness knows the log by another key" in ended.err


def test_a_witness_with_another_key_than_the_known_one_is_not_kept(
    root: Path, program: Program
) -> None:
    """Under the same name too: damage, and nothing of it stands below the checkpoint."""
    before = log_files(root)
    other = CosigningKey(name=WITNESS.name, seed=bytes(32)).verifier.line
    ended = ask(root, program, key=other)
    assert (ended.status, ended.out) == (4, "")
    assert "did not sign with the key that is known" in ended.err
    assert log_files(root) == before


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://a/", "http://", "http://u:p@a/", "http://a/?q", "http://a/#f",
     "http://a:99999/", "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(UsageError, match="not the address of a witness"):
        address_of(url)


def test_the_call_stands_below_the_submission_prefix() -> None:
    """With and without a slash, and where somebody gave the whole address."""
    for url in ("http://a.example/w", "http://a.example/w/", "http://a.example/w/add-checkpoint"):
        assert address_of(url) == "http://a.example/w/add-checkpoint"


def test_a_key_may_be_longer_than_a_file_name(tmp_path: Path) -> None:
    """A line is a line, whatever its length; what is neither line nor file is told."""
    key = CosigningKey(name="w" * 600, seed=bytes(32)).verifier
    assert public_witness_key(f" {key.line}\n") == key
    with pytest.raises(ProvenanceError, match="cannot read"):
        public_witness_key(str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match="not a verifier key"):
        public_witness_key("a+b")


def test_an_unsigned_log_and_missing_keys_are_told(tmp_path: Path, root: Path) -> None:
    """A witness takes what a key signed; each URL has its key."""
    bare = small_root(tmp_path / "bare").root
    key = WITNESS.verifier.line
    for _ in range(2):  # without a log, and with one that nobody signed
        ended = run("log", "witness", "http://127.0.0.1:9", "--witness-key", key, cwd=bare)
        assert ended.status == 2
        assert "there is no signed checkpoint to cosign" in ended.err
        Archive(bare).checkpoint()
    ended = run("log", "witness", "http://a", "http://b", "--witness-key", key, cwd=root)
    assert (ended.status, "2 wanted, 1 given" in ended.err) == (2, True)
    ended = run("log", "witness", "http://a", "--witness-key", LOG.verifier.line, cwd=root)
    assert (ended.status, "the key of a log, and not of a witness" in ended.err) == (2, True)


# Answers of any kind: a witness of our own whose answer is put in the way


ANSWERS = [
    lambda _, reply: replace(reply, body=b""),
    lambda _, reply: replace(reply, body=reply.body[:-1]),
    lambda _, reply: replace(reply, body=b"<html>\n"),
    lambda _, reply: replace(reply, body=reply.body.replace(b"A", b"B")),
    lambda _, reply: replace(reply, body=b"evil.example\n7\nAAAA=\n\n" + reply.body),
    lambda _, reply: replace(reply, status=204),
    lambda _, reply: replace(reply, status=302),
    lambda _, reply: replace(reply, status=500, body=b"\x1b[2J" * 1000),
    lambda _, reply: replace(reply, status=409, media_type="text/plain", body=b"0\n"),
    lambda _, reply: replace(reply, status=409, media_type=SIZE_TYPE, body=b"0\n"),
    lambda _, reply: replace(reply, status=409, media_type=SIZE_TYPE, body=b"-1\n"),
    lambda _, reply: replace(reply, status=409, media_type=SIZE_TYPE, body=b"9" * 1000 + b"\n"),
    lambda _, reply: replace(reply, status=409, media_type=SIZE_TYPE, body=b"999\n"),
    lambda _, reply: replace(reply, status=409, media_type="", body=b""),
]


@pytest.mark.parametrize("number", range(len(ANSWERS)))
def test_an_answer_that_is_none_is_not_kept(root: Path, witness: Desk, number: int) -> None:
    """Whatever is wrong with it, it is told, and no byte of the log changes."""
    before = log_files(root)
    with pytest.raises(ProvenanceError) as caught:
        asked(root, served(witness, ANSWERS[number]))
    assert len(str(caught.value)) < 1500
    assert log_files(root) == before


def test_a_witness_that_tells_size_after_size_is_left(root: Path, witness: Desk) -> None:
    """Asked twice, and no more."""
    calls: list[int] = []

    def change(body: bytes, reply: Reply) -> Reply:
        calls.append(parse_submission(body).old_size)
        told = b"%d\n" % (len(calls) % 2 + 1)
        return replace(reply, status=409, media_type=SIZE_TYPE, body=told)

    with pytest.raises(ProvenanceError, match="one size after another"):
        asked(root, served(witness, change))
    assert calls == [0, 2]


@pytest.mark.parametrize(
    ("seconds", "taken"), [(0, True), (-(10**6), True), (500, True), (700, False)]
)
def test_a_time_in_the_future_is_refused(
    root: Path, witness: Desk, seconds: int, taken: bool
) -> None:
    """Ten minutes may lie between two clocks (C2SP tlog-cosignature: verifiers may reject)."""
    now = int(system_runtime().now().timestamp()) + seconds

    def change(body: bytes, reply: Reply) -> Reply:
        text = parse_submission(body).note.text
        return replace(reply, body=format_answer([WITNESS.cosign(text, now)]))

    if taken:
        assert asked(root, served(witness, change)).new
        return
    with pytest.raises(ProofError, match="the clocks of the witness"):
        asked(root, served(witness, change))


def test_beside_a_cosignature_that_is_damaged_no_other_is_put(root: Path, witness: Desk) -> None:
    """It is told, as `verify` tells it: the checkpoint is to be restored from a copy."""
    asked(root, served(witness, lambda _, reply: reply))
    folder = LogFolder(root / "metadata")
    note = parse_note(folder.read("checkpoint") or b"")
    bad = replace(note.signatures[-1], raw=bytes(72))
    folder.publish(
        sizes(root)[-1], format_note(replace(note, signatures=(*note.signatures[:-1], bad)))
    )
    before = log_files(root)
    with pytest.raises(ProofError, match="does not fit the text"):
        asked(root, served(witness, lambda _, reply: reply))
    assert log_files(root) == before


def test_a_checkpoint_that_grew_meanwhile_keeps_what_came_for_the_old_one(
    root: Path, witness: Desk
) -> None:
    """While the witness is asked the archive is free: the answer goes below the kept checkpoint."""
    size = LogFolder(root / "metadata").sizes()[-1]

    def change(_: bytes, reply: Reply) -> Reply:
        grow(root, "Minutes.\n")
        return reply

    assert asked(root, served(witness, change)).size == size
    files = log_files(root)
    assert cosignatures_of(parse_note(files[f"checkpoints/{size}"]), [WITNESS.verifier])
    assert not cosignatures_of(parse_note(files["checkpoint"]), [WITNESS.verifier])
    status, told, summary = verified(root, "--witness-key", WITNESS.verifier.line)
    assert (status, codes(told)) == (0, [])
    assert (summary["rungs"]["witnessed"], summary["captures"]) == (1, 2)


def test_a_command_that_is_killed_between_the_two_files_leaves_a_note(
    root: Path, program: Program
) -> None:
    """The kept checkpoint has the line, the newest not yet: no finding; the next one ends it."""
    before = log_files(root)["checkpoint"]
    assert ask(root, program).status == 0
    (root / "metadata" / "log" / "checkpoint").write_bytes(before)
    status, told, summary = verified(root, "--witness-key", WITNESS.verifier.line)
    assert (status, codes(told), codes(told, "note")) == (
        0,
        [],
        ["operator_key_unasked", "log_unfinished"][::-1],
    )
    assert summary["rungs"]["witnessed"] == 1
    program.kill()
    assert ask(root, program).out.endswith(" before\n")
    files = log_files(root)
    assert files["checkpoint"] == files[f"checkpoints/{summary['log']['size']}"]
    assert codes(verified(root)[1], "note") == ["operator_key_unasked", "cosignature_unasked"]
