"""A log that is witnessed: two installations, an archive's and a witness', as separate programs.

Source: C2SP tlog-witness; C2SP tlog-cosignature.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provenance.archive import Archive
from provenance.errors import ProofError, ProvenanceError, UsageError
from provenance.exchange.posting import Reply
from provenance.log.checkpoint import CosigningKey, cosignatures_of
from provenance.log.folder import LogFolder
from provenance.log.keyfile import public_witness_key, write_key_file
from provenance.log.note import SigningKey, format_note, parse_note
from provenance.log.submission import SIZE_TYPE, format_answer, parse_submission
from provenance.runtime import system_runtime
from provenance.verify import Finding, verify_archive
from provenance.witness.folder import WitnessFolder
from provenance.witness.service import Service
from provenance.witnessing import Witnessed, add_cosignature, address_of
from tests.cli_program import Ended, run, small_root
from tests.witness_rig import LOG, WITNESS, Desk, Program, desk

OTHER = CosigningKey(name="second.example/w2", seed=bytes([8]) * 32)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one root with a capture and a signed checkpoint; nobody changes it."""
    folder = tmp_path_factory.mktemp("signed")
    archive = small_root(folder / "root")
    write_key_file(folder / "operator.key", LOG)
    archive.checkpoint(key_file=folder / "operator.key")
    return archive.root


@pytest.fixture
def root(signed: Path, tmp_path: Path) -> Path:
    shutil.copy(signed.parent / "operator.key", tmp_path / "operator.key")
    return Path(shutil.copytree(signed, tmp_path / "root"))


@pytest.fixture
def witness(tmp_path: Path) -> Desk:
    return desk(tmp_path)


@pytest.fixture
def program(witness: Desk) -> Iterator[Program]:
    with witness.serving() as made:
        yield made


def grow(root: Path, text: str, document: str = "minutes") -> int:
    """Seal one more file, commit to it, and return the size of the log."""
    path = root.parent / "minutes.txt"
    path.write_text(text)
    archive = Archive(root)
    assert len(list(archive.add([path], document=document))) == 1
    return archive.checkpoint(key_file=root.parent / "operator.key").size


def ask(root: Path, program: Program, *more: str, key: str = WITNESS.verifier.line) -> Ended:
    return run("log", "witness", program.url, "--witness-key", key, *more, cwd=root)


def log_files(root: Path) -> dict[str, bytes]:
    folder = root / "metadata" / "log"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def verified(root: Path, *words: str | Path) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """Return the status of `verify`, what it told, and its summary."""
    ended = run("verify", "--json", *words, cwd=root)
    told = [json.loads(line) for line in ended.out.splitlines()]
    return ended.status, told[:-1], told[-1]


def codes(told: list[dict[str, Any]], kind: str = "finding") -> list[str]:
    return [each["code"] for each in told if each["type"] == kind]


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


def served(witness: Desk, change: Callable[[bytes, Reply], Reply]) -> Callable[[str, bytes], Reply]:
    """Return a way to a real witness service that changes what it answers."""
    service = Service(WitnessFolder(witness.folder), WITNESS, system_runtime())

    def ask_it(_address: str, body: bytes) -> Reply:
        said = service.add_checkpoint(body)
        whole = Reply(
            status=said.status, media_type=said.media_type.partition(";")[0], body=said.body
        )
        return change(body, whole)

    return ask_it


def asked(root: Path, way: Callable[[str, bytes], Reply]) -> Witnessed:
    return add_cosignature(
        root / "metadata", system_runtime(), "http://w.example", WITNESS.verifier, ask=way
    )


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


def test_any_byte_of_a_cosignature_counts(root: Path, witness: Desk) -> None:
    """Below a kept checkpoint, with the witness' key given: a finding, or the word is not there."""
    asked(root, served(witness, lambda _, reply: reply))
    grow(root, "Minutes.\n")
    path = root / "metadata" / "log" / f"checkpoints/{sizes(root)[0]}"
    whole = path.read_bytes()
    start = whole.rindex("\N{EM DASH} ".encode())
    for at in range(start, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        found: list[Finding] = []
        report = verify_archive(
            root,
            on_finding=found.append,
            jobs=1,
            witness_keys=[WITNESS.verifier.line],
        )
        (said,) = report.witnesses
        assert (said.size, report.rungs.witnessed) == (0, 0)
        named = whole.index(b" ", start + 4) + 6  # the key id goes on to here
        assert found or at <= named, at


# Without a network


def cosign(witness: Desk, copy: Path) -> Ended:
    """Cosign a copy of a log at the witness' desk."""
    return run("witness", "cosign", witness.folder, copy, "--key", witness.key_file, cwd=copy)


def test_a_copy_is_cosigned_on_a_desk_and_the_answer_kept(
    root: Path, witness: Desk, tmp_path: Path
) -> None:
    """An archive, its metadata or its log; the operator puts the answer below the checkpoint."""
    answer = tmp_path / "answer"
    key = ("--witness-key", WITNESS.verifier.line)
    for number, place in enumerate((".", "metadata", "metadata/log")):
        copy = Path(shutil.copytree(root, tmp_path / f"copy-{number}"))
        ended = cosign(witness, copy / place)
        assert ended.status == 0, ended.err
        assert witness.seen() == sizes(root)[-1]
        answer.write_text(ended.out)
        kept = run("log", "witness", "--answer", answer, *key, cwd=root)
        assert kept.status == 0, kept.err
        assert kept.out.endswith(f"cosigned {sizes(root)[-1]} leaves\n")
        again = run("log", "witness", "--answer", answer, *key, "--json", cwd=root)
        said = json.loads(again.out)
        assert (said["new"], said["url"]) == (False, None)
        grow(root, f"Minutes {number}.\n")
    status, told, summary = verified(root, *key)
    assert (status, codes(told)) == (0, [])
    assert (summary["rungs"]["witnessed"], summary["captures"]) == (3, 4)


def test_an_answer_for_an_older_checkpoint_goes_to_that(
    root: Path, witness: Desk, tmp_path: Path
) -> None:
    """The log has grown while the copy was on its way."""
    ended = cosign(witness, root)
    old = sizes(root)[-1]
    grow(root, "Minutes.\n")
    (tmp_path / "answer").write_text(ended.out)
    key = ("--witness-key", WITNESS.verifier.line)
    kept = run("log", "witness", "--answer", tmp_path / "answer", *key, cwd=root)
    assert kept.out.endswith(f"cosigned {old} leaves\n")
    assert verified(root, *key)[2]["rungs"]["witnessed"] == 1


@pytest.mark.parametrize("answer", ["", "x\n", "— a AAAAAAA=\n", "— witness.example/w1 AAAA\n"])
def test_an_answer_that_is_none_is_told(root: Path, tmp_path: Path, answer: str) -> None:
    """It is not kept, and no byte of the log changes."""
    before = log_files(root)
    (tmp_path / "answer").write_text(answer)
    key = ("--witness-key", WITNESS.verifier.line)
    ended = run("log", "witness", "--answer", tmp_path / "answer", *key, cwd=root)
    assert (ended.status in (1, 4), ended.out) == (True, "")
    assert "error: the answer" in ended.err
    assert log_files(root) == before


def test_an_answer_by_another_key_is_told(root: Path, witness: Desk, tmp_path: Path) -> None:
    """A real cosignature, and not by the witness that was named."""
    (tmp_path / "answer").write_text(cosign(witness, root).out)
    key = ("--witness-key", OTHER.verifier.line)
    ended = run("log", "witness", "--answer", tmp_path / "answer", *key, cwd=root)
    assert (ended.status, "did not sign with the key that is known" in ended.err) == (4, True)
    both = run("log", "witness", "http://a", "--answer", tmp_path / "answer", *key, cwd=root)
    assert (both.status, "Give the URLs of witnesses, or --answer" in both.err) == (2, True)


def test_a_desk_refuses_what_the_service_refuses(root: Path, witness: Desk, tmp_path: Path) -> None:
    """A fork, a copy that is older, a log that is unknown, unsigned, damaged or none."""
    older = Path(shutil.copytree(root, tmp_path / "older"))
    fork = Path(shutil.copytree(root, tmp_path / "fork"))
    grow(root, "Minutes.\n")
    grow(fork, "Other minutes.\n")
    assert cosign(witness, root).status == 0
    for copy, status, words in (
        (fork, 4, "cosigned another tree of this size"),
        (older, 4, "the log has lost leaves since it was cosigned"),
        (tmp_path, 2, "there is no signed checkpoint"),
        (small_root(tmp_path / "bare" / "root").root, 2, "there is no signed checkpoint"),
    ):
        ended = cosign(witness, copy)
        assert (ended.status, ended.out, words in ended.err) == (status, "", True), ended
    assert len(list(witness.folder.glob("conflicts/*/*"))) == 1
    no = desk(tmp_path / "else", knows=SigningKey(name="b.example", seed=bytes(32)))
    ended = cosign(no, root)
    assert (ended.status, "does not know the log" in ended.err) == (2, True)
    (tile,) = (root / "metadata" / "log" / "tile" / "0").rglob("*.p/*")
    tile.write_bytes(bytes(len(tile.read_bytes())))
    assert cosign(witness, root).status == 4


# What verify says


@pytest.fixture
def witnessed(root: Path, witness: Desk) -> Path:
    asked(root, served(witness, lambda _, reply: reply))
    return root


def test_without_a_key_a_cosignature_is_a_note(witnessed: Path) -> None:
    """It names who has signed; nothing is counted."""
    status, told, summary = verified(witnessed)
    assert (status, codes(told)) == (0, [])
    (noted,) = [each for each in told if each["code"] == "cosignature_unasked"]
    assert (noted["type"], noted["found"]) == ("note", "witness.example/w1")
    assert summary["rungs"]["witnessed"] == 0
    assert summary["witnesses"] == []


def test_a_cosignature_that_does_not_hold_is_a_finding(witnessed: Path) -> None:
    """With the key of the witness that it names; another witness' key knows nothing of it."""
    for name in ("checkpoint", *(f"checkpoints/{size}" for size in sizes(witnessed))):
        path = witnessed / "metadata" / "log" / name
        note = parse_note(path.read_bytes())
        raw = note.signatures[-1].raw
        bad = replace(note.signatures[-1], raw=raw[:-1] + bytes([raw[-1] ^ 1]))
        path.write_bytes(format_note(replace(note, signatures=(*note.signatures[:-1], bad))))
    status, told, summary = verified(witnessed, "--witness-key", WITNESS.verifier.line)
    assert (status, set(codes(told))) == (4, {"cosignature_refused"})
    assert {each["field"] for each in told if each["type"] == "finding"} >= {
        "metadata/log/checkpoint"
    }
    assert summary["rungs"]["witnessed"] == 0
    status, told, summary = verified(witnessed, "--witness-key", OTHER.verifier.line)
    assert (status, codes(told)) == (0, [])
    assert [each["size"] for each in summary["witnesses"]] == [0]
    assert summary["witnesses"][0]["cosigned_at"] is None


def sizes(root: Path) -> tuple[int, ...]:
    return LogFolder(root / "metadata").sizes()


def test_a_cosignature_of_another_log_s_checkpoint_counts_for_nothing(witnessed: Path) -> None:
    """Moved under this log's text it does not fit."""
    folder = LogFolder(witnessed / "metadata")
    grow(witnessed, "Minutes.\n")
    old, new = sizes(witnessed)
    line = parse_note(folder.read(f"checkpoints/{old}") or b"").signatures[-1]
    note = parse_note(folder.read("checkpoint") or b"")
    folder.publish(new, format_note(replace(note, signatures=(*note.signatures, line))))
    status, told, summary = verified(witnessed, "--witness-key", WITNESS.verifier.line)
    assert (status, set(codes(told))) == (4, {"cosignature_refused"})
    assert (summary["rungs"]["witnessed"], summary["captures"]) == (1, 2)


def test_an_archive_that_was_changed_is_not_witnessed(witnessed: Path) -> None:
    """A cosignature is on the log; a capture that the log has otherwise stands on no rung of it."""
    (warc,) = (witnessed / "archive").glob("*.warc.gz")
    raw = bytearray(warc.read_bytes())
    raw[len(raw) // 2] ^= 1
    warc.write_bytes(raw)
    status, _, summary = verified(witnessed, "--witness-key", WITNESS.verifier.line)
    assert status == 4
    assert summary["rungs"]["witnessed"] == 0


def test_a_log_made_anew_has_no_cosignature(witnessed: Path, witness: Desk) -> None:
    """The archive, its log and the operator's signature can be made anew, the witness' not."""
    shutil.rmtree(witnessed / "metadata" / "log")
    (warc,) = (witnessed / "archive").glob("*.warc.gz")
    warc.unlink()
    (witnessed / "metadata" / "manifest-sha256.txt").unlink()
    grow(witnessed, "Nothing was ever here.\n")
    status, _, summary = verified(witnessed, "--witness-key", WITNESS.verifier.line)
    assert (status, summary["rungs"]["signed"], summary["rungs"]["witnessed"]) == (0, 1, 0)
    with pytest.raises(ProofError):
        asked(witnessed, served(witness, lambda _, reply: reply))


def test_the_operator_is_no_witness_for_itself(root: Path) -> None:
    """The same key under the other type is refused, whoever put the line there."""
    own = CosigningKey(name="witness.example/w1", seed=LOG.seed)
    folder = LogFolder(root / "metadata")
    note = parse_note(folder.read("checkpoint") or b"")
    line = own.cosign(note.text, 1700000000)
    folder.publish(sizes(root)[-1], format_note(replace(note, signatures=(*note.signatures, line))))
    status, told, summary = verified(root, "--witness-key", own.verifier.line)
    assert (status, codes(told)) == (4, ["cosignature_refused"])
    assert (summary["rungs"]["witnessed"], summary["witnesses"]) == (0, [])


def test_people_are_told_who_when_and_what_not(witnessed: Path) -> None:
    """The rung, a line for each witness, and what a witness has not seen."""
    key = WITNESS.verifier.line
    words = run("verify", "--witness-key", key, "--witness-key", OTHER.verifier.line, cwd=witnessed)
    assert "witnessed  1 of 1 captures: a witness that you named cosigned" in words.out
    assert f"witness.example/w1: cosigned {sizes(witnessed)[-1]} leaves at 2" in words.out
    assert "second.example/w2: none yet" in words.out
    assert "A witness saw sizes and hashes of a log that only grew, and no document." in words.out
    words = run("verify", cwd=witnessed)
    assert "witnessed  0 of 1 captures: no witness was named, and no other archive" in words.out


def test_both_ways_of_being_witnessed_count_once(witnessed: Path, tmp_path: Path) -> None:
    """A capture that is cosigned and that another archive holds too is one capture."""
    other = small_root(tmp_path / "other" / "root").root
    line = WITNESS.verifier.line
    _, _, summary = verified(witnessed, "--witness-key", line, "--against", other)
    assert summary["rungs"]["witnessed"] == 1


def test_a_proof_carries_its_witnesses(witnessed: Path, tmp_path: Path) -> None:
    """With nothing else at hand: who cosigned its checkpoint, and when."""
    proof = tmp_path / "letter.tlog-proof"
    assert run("log", "proof", "letter", "-o", proof, cwd=witnessed).status == 0
    words = [sys.executable, "-m", "provenance", "verify", "--proof", str(proof)]
    line = WITNESS.verifier.line

    def check(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*words, *more], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
        )

    done = check("--witness-key", line, "--key", LOG.verifier.line, "--json")
    assert done.returncode == 0, done.stderr
    (said,) = map(json.loads, done.stdout.splitlines())
    (told,) = said["witnesses"]
    assert (told["witness"], told["key"], said["signed"]) == ("witness.example/w1", line, True)
    assert "The witness witness.example/w1 cosigned it at 2" in check("--witness-key", line).stdout
    refused = check("--witness-key", OTHER.verifier.line)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "this witness has not cosigned the proof's checkpoint" in refused.stderr
    raw = proof.read_text("utf-8").removesuffix("\n")
    proof.write_text(raw[:-4] + ("AAA=" if raw[-4:] != "AAA=" else "BBA=") + "\n", "utf-8")
    assert check("--witness-key", line).returncode in (1, 4)
    assert json.loads(check("--json").stdout)["witnesses"] == []


# The page


PAGE = Path(__file__).parents[1] / "docs" / "log.md"
SHIM = """
provenance() {{ {python} -m provenance "$@"; }}
set -eu
export HOME={home}
cd {root}
"""


def test_the_steps_of_the_page_work(root: Path, tmp_path: Path) -> None:
    """Each block of the section, run by a shell in order, with a witness that is left serving."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    assert len(blocks) == 5
    home = tmp_path / "home"
    write_key_file(home / "keys" / "operator.key", LOG)
    script = SHIM.format(python=sys.executable, home=home, root=root) + "\n".join(blocks)
    keyed, added, served = (line for line in blocks[0].splitlines())
    in_place = f"""{keyed.partition(" #")[0]} > line
WITNESS_LINE=$(cat line) FRIENDS_LINE='{LOG.verifier.line}' DOCUMENT=letter COPY=metadata/log
{added}
{sys.executable} -m {served} --port 0 2> told &
trap 'kill $!; wait $! || :' EXIT
until grep -q Witnessing told; do kill -0 $!; done
WITNESS_URL=$(sed -n 's/^Witnessing at //p' told)
"""
    script = script.replace(blocks[0], in_place)
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "witnessed  1 of 1 captures" in done.stdout
    assert "The witness witness.example/w1 cosigned it at" in done.stdout
    assert "cosigned 4 leaves before\n" in done.stdout  # the answer of the desk is taken too
    assert "Signature Verified Successfully" in done.stdout
