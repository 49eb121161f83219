"""What cosignatures are worth: to `verify`, in a proof, and without a network at all.

Source: C2SP tlog-cosignature.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.errors import ProofError
from provenance.log.checkpoint import CosigningKey
from provenance.log.folder import LogFolder
from provenance.log.keyfile import write_key_file
from provenance.log.note import SigningKey, format_note, parse_note
from provenance.verify import Finding, verify_archive
from tests.cli_program import Ended, run, small_root
from tests.witness_rig import LOG, WITNESS, Desk, desk
from tests.witness_roots import (
    OTHER,
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


def test_a_witness_of_an_archive_without_a_log_has_said_nothing(tmp_path: Path) -> None:
    """It was named, and is told as one that has cosigned nothing."""
    bare = small_root(tmp_path / "bare" / "root").root
    status, told, summary = verified(bare, "--witness-key", WITNESS.verifier.line)
    assert (status, codes(told), summary["log"]) == (0, [], None)
    assert [each["size"] for each in summary["witnesses"]] == [0]
    words = run("verify", "--witness-key", WITNESS.verifier.line, cwd=bare).out
    assert "witness.example/w1: none yet" in words


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
