"""The whole ladder from the command line: sealed, dated, signed, witnessed, and each one's end."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provenance.archive import Archive
from provenance.demo.run import run_demo
from provenance.verify import CaptureVerdict
from tests.time_authority import CA, Workshop, serving, workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A demo archive, checkpointed with a key and dated; what a verifier knows lies beside it."""

    root: Path
    key: Path
    line: str
    anchors: Path
    url: str


def provenance(
    root: Path | None, *words: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    where = ["-C", str(root)] if root is not None else []
    call = [sys.executable, "-m", "provenance", *where, *map(str, words)]
    return subprocess.run(call, capture_output=True, text=True, timeout=120, check=False, env=env)


def said(root: Path, *words: str | Path) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """Verify; return exit status, what was said, and the summary."""
    done = provenance(root, "verify", "--json", *words)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert told, done.stderr
    return done.returncode, told[:-1], told[-1]


def codes(told: list[dict[str, Any]]) -> list[str]:
    return [each["code"] for each in told if each["type"] == "finding"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    made = workshop(tmp_path_factory.mktemp("authority"))
    made.issue("root", extensions=CA)
    made.issue("tsa", "root")
    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, shop: Workshop) -> Iterator[Kept]:
    folder = tmp_path_factory.mktemp("ladder")
    root, key = folder / "archive", folder / "keys" / "operator.key"
    run_demo(root)
    made = provenance(None, "key", "new", key, "--name", "harbour.example/operator")
    assert made.returncode == 0, made.stderr
    assert made.stdout == provenance(None, "key", "show", key).stdout
    signed = provenance(root, "log", "checkpoint", "--key", key)
    assert signed.returncode == 0, signed.stderr
    with serving(shop, "tsa") as url:
        dated = provenance(root, "log", "timestamp", url, "--tsa-ca", shop.folder / "root.pem")
        assert dated.returncode == 0, dated.stderr
        assert "authority checked" in dated.stdout
        yield Kept(
            root=root,
            key=key,
            line=made.stdout.strip(),
            anchors=shop.folder / "root.pem",
            url=url,
        )


@pytest.fixture
def kept(whole: Kept, tmp_path: Path) -> Kept:
    root = Path(shutil.copytree(whole.root, tmp_path / "root"))
    return Kept(root=root, key=whole.key, line=whole.line, anchors=whole.anchors, url=whole.url)


def test_every_rung_holds_and_is_said(whole: Kept, tmp_path: Path) -> None:
    """All captures stand on every rung; contents of another run of the demo witness most."""
    other = tmp_path / "other"
    run_demo(other)
    status, told, summary = said(
        whole.root, "--tsa-ca", whole.anchors, "--key", whole.line, "--against", other
    )
    assert (status, codes(told)) == (0, [])
    captures, rungs = summary["captures"], summary["rungs"]
    assert captures == rungs["whole"] == rungs["sealed"] == rungs["dated"] == rungs["signed"]
    assert 0 < rungs["witnessed"] < captures  # failures and denials have no content
    words = provenance(whole.root, "verify", "--tsa-ca", whole.anchors, "--key", whole.line).stdout
    for rung in ("whole", "sealed", "dated", "signed", "witnessed"):
        assert f"  {rung:<10} " in words


def test_without_trust_nothing_is_dated_and_both_are_said(whole: Kept) -> None:
    """A token without a trusted authority, and the archive's own key, are notes."""
    status, told, summary = said(whole.root)
    assert (status, codes(told)) == (0, [])
    assert {each["code"] for each in told} == {"stamp_unchecked", "operator_key_unasked"}
    assert summary["rungs"]["dated"] == 0
    assert summary["rungs"]["signed"] == summary["captures"]


def rungs_of(root: Path, targets: Sequence[str] = (), **trust: Any) -> dict[str, set[str]]:
    """Verify in this process, all or some; return the rungs of each capture."""
    found: dict[str, set[str]] = {}

    def take(each: CaptureVerdict) -> None:
        found.setdefault(each.capture_id, set()).update(each.rungs)

    Archive(root).verify(
        targets, on_finding=lambda _: None, on_note=lambda _: None, on_capture=take, **trust
    )
    return found


def test_each_capture_by_itself_stands_on_the_rungs_that_the_whole_archive_gives_it(
    kept: Kept, tmp_path: Path
) -> None:
    """With both trusted, with neither, with a wrong key; before and after what nobody signed."""
    other = provenance(None, "key", "new", tmp_path / "k", "--name", "harbour.example/operator")
    trusts: tuple[dict[str, Any], ...] = (
        {"tsa_ca": kept.anchors, "operator_key": kept.line},
        {"tsa_ca": kept.anchors},
        {},
        {"operator_key": other.stdout.strip()},
    )
    letter = tmp_path / "letter.txt"
    letter.write_text("One more letter.")
    for later in (False, True):
        if later:  # a file that a checkpoint covers which is neither dated nor signed
            assert provenance(kept.root, "add", letter).returncode == 0
            assert provenance(kept.root, "log", "checkpoint").returncode == 0
            assert provenance(kept.root, "index").returncode == 0
        for trust in trusts:
            whole = rungs_of(kept.root, **trust)
            assert rungs_of(kept.root, list(whole), **trust) == whole
        lowest = min(rungs_of(kept.root, **trusts[0]).values(), key=len)
        assert lowest == {"whole", "sealed", *(() if later else ("dated", "signed"))}


def test_who_vouches_for_one_capture_is_said(kept: Kept) -> None:
    """In words and as JSON; what does not hold of a signature or a time-stamp is a finding."""
    trust = ("--tsa-ca", kept.anchors, "--key", kept.line)
    status, told, summary = said(kept.root, "audit-report", *trust)
    assert (status, codes(told), summary["captures"]) == (0, [], 1)
    assert told[-1]["rungs"] == ["whole", "sealed", "dated", "signed"]
    words = provenance(kept.root, "verify", "audit-report", *trust).stdout
    for rung in ("sealed", "dated", "signed"):
        assert f"  {rung:<10} 1 of 1 captures: " in words
    log = kept.root / "metadata" / "log"
    (stamp,) = log.glob("timestamps/*/*.tsr")
    raw = bytearray(stamp.read_bytes())
    raw[len(raw) // 2] ^= 1
    stamp.write_bytes(raw)
    for name in ("checkpoint", f"checkpoints/{summary['log']['size']}"):
        text, _, line = (log / name).read_text("utf-8").partition("\n\n")
        (log / name).write_text(f"{text}\n\n{line[:-8]}AAAA{line[-4:]}", "utf-8")
    status, told, summary = said(kept.root, "audit-report", *trust)
    assert (status, set(codes(told))) == (4, {"stamp_refused", "signature_refused"})
    assert told[-1]["rungs"] == ["whole", "sealed"]
    assert (
        codes(said(kept.root, "audit-report", "--key", kept.line)[1]) == ["signature_refused"] * 2
    )


def test_a_checkpoint_that_was_kept_elsewhere_is_held_against_the_log(
    kept: Kept, tmp_path: Path
) -> None:
    """The log goes on from its own; one rolled back to before it does not."""
    mine = tmp_path / "kept"
    mine.write_bytes((kept.root / "metadata" / "log" / "checkpoint").read_bytes())
    assert said(kept.root, "--checkpoint", mine)[0] == 0
    earlier = provenance(kept.root, "log", "consistency", mine)
    assert earlier.returncode == 0, earlier.stderr
    lines = mine.read_text("utf-8").split("\n")
    mine.write_text("\n".join([lines[0], str(int(lines[1]) + 1), lines[2], ""]), "utf-8")
    status, told, _ = said(kept.root, "--checkpoint", mine)
    assert (status, codes(told)) == (4, ["log_rolled_back"])
    assert provenance(kept.root, "log", "consistency", mine).returncode == 4


def test_another_operators_key_is_a_finding(kept: Kept, tmp_path: Path) -> None:
    """Given by the verifier or put in place in the archive, and refused when signing."""
    other = tmp_path / "other.key"
    line = provenance(None, "key", "new", other, "--name", "harbour.example/operator").stdout
    status, told, summary = said(kept.root, "--key", line.strip())
    assert status == 4
    assert set(codes(told)) == {"operator_key_changed", "signature_refused"}
    assert summary["rungs"]["signed"] == 0
    refused = provenance(kept.root, "log", "checkpoint", "--key", other)
    assert refused.returncode == 2
    assert "signed by another key" in refused.stderr
    (kept.root / "metadata" / "log" / "operator.pub").write_text(line, "utf-8")
    assert set(codes(said(kept.root)[1])) == {"signature_refused"}
    assert "operator_key_changed" in codes(said(kept.root, "--key", kept.line)[1])


@pytest.mark.parametrize("name", ["checkpoint", "tsq", "tsr", "pem"])
def test_a_byte_changed_in_a_time_stamp_is_a_finding(kept: Kept, name: str) -> None:
    """In each of its files; and the captures are not dated any more."""
    (path,) = (kept.root / "metadata" / "log" / "timestamps").glob(
        "*/checkpoint" if name == "checkpoint" else f"*/*.{name}"
    )
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    status, told, summary = said(kept.root, "--tsa-ca", kept.anchors)
    assert (status, codes(told)) == (4, ["stamp_refused"])
    assert summary["rungs"]["dated"] == 0


def test_an_authority_that_nobody_trusts_dates_nothing(
    kept: Kept, shop: Workshop, tmp_path: Path
) -> None:
    """Its token is refused when it is asked for, and found when it is verified."""
    shop.issue(f"stranger-{tmp_path.name}", extensions=CA)
    stranger = shop.folder / f"stranger-{tmp_path.name}.pem"
    status, told, _ = said(kept.root, "--tsa-ca", stranger)
    assert (status, codes(told)) == (4, ["stamp_refused"])
    shutil.rmtree(kept.root / "metadata" / "log" / "timestamps")
    refused = provenance(kept.root, "log", "timestamp", kept.url, "--tsa-ca", stranger)
    assert refused.returncode == 1, refused.stderr
    assert not (kept.root / "metadata" / "log" / "timestamps").exists()


def test_a_signature_taken_off_a_dated_checkpoint_is_a_finding(kept: Kept, tmp_path: Path) -> None:
    """Of an older one that was kept: the time-stamp has the bytes that were dated."""
    log = kept.root / "metadata" / "log"
    (older,) = (log / "timestamps").iterdir()
    letter = tmp_path / "letter.txt"
    letter.write_text("One more letter.")
    assert provenance(kept.root, "add", letter).returncode == 0
    assert provenance(kept.root, "log", "checkpoint", "--key", kept.key).returncode == 0
    path = log / "checkpoints" / older.name
    raw = path.read_text("utf-8")
    assert codes(said(kept.root, "--tsa-ca", kept.anchors)[1]) == []
    path.write_text(f"{raw}\u2014 a.example/witness {raw.rpartition(' ')[2]}", "utf-8")
    assert "checkpoint_disagrees" not in codes(said(kept.root)[1])  # it may get more of them
    path.write_text(raw.partition("\n\n")[0] + "\n", "utf-8")
    for trust in ((), ("--tsa-ca", kept.anchors)):
        status, told, _ = said(kept.root, *trust)
        assert (status, codes(told)) == (4, ["checkpoint_disagrees"])


def test_what_answers_no_time_stamp_is_an_error_and_keeps_nothing(kept: Kept) -> None:
    """Nobody there, and a second token of the same authority."""
    gone = provenance(kept.root, "log", "timestamp", "http://127.0.0.1:9/tsr")
    assert gone.returncode == 1
    again = provenance(kept.root, "log", "timestamp", kept.url)
    assert again.returncode == 2
    assert "already" in again.stderr


def test_a_key_file_is_its_owners_alone_and_lies_in_no_archive(kept: Kept, tmp_path: Path) -> None:
    """Mode 600, never overwritten, never in the archive; and the archive holds the public line."""
    assert kept.key.stat().st_mode & 0o777 == 0o600
    assert provenance(None, "key", "new", kept.key, "--name", "a").returncode == 2
    inside = provenance(None, "key", "new", kept.root / "metadata" / "k", "--name", "a")
    assert inside.returncode == 2
    secret = kept.key.read_text("utf-8").strip().split("+", 4)[4].encode()  # Base64 has + too
    for path in kept.root.rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes()
    open_to_all = tmp_path / "open.key"
    shutil.copy(kept.key, open_to_all)
    open_to_all.chmod(0o644)
    refused = provenance(kept.root, "log", "checkpoint", "--key", open_to_all)
    assert refused.returncode == 2
    assert "chmod 600" in refused.stderr


def test_a_proof_is_held_to_the_key_that_is_given(kept: Kept, tmp_path: Path) -> None:
    """The operator's holds; another one, or a proof that nobody signed, does not."""
    proof = tmp_path / "a.tlog-proof"
    made = provenance(kept.root, "log", "proof", "audit-report", "-o", proof)
    assert made.returncode == 0, made.stderr
    told = json.loads(provenance(None, "verify", "--json", "--proof", proof).stdout)
    assert told["signed"] is False  # nobody said whose signature counts
    held = provenance(None, "verify", "--json", "--proof", proof, "--key", kept.line)
    assert json.loads(held.stdout)["signed"] is True
    other = provenance(None, "key", "new", tmp_path / "k", "--name", "harbour.example/operator")
    refused = provenance(None, "verify", "--proof", proof, "--key", other.stdout.strip())
    assert refused.returncode == 4, refused.stdout
    head, _, checkpoint = proof.read_text("utf-8").partition("\n\n")
    proof.write_text(f"{head}\n\n" + checkpoint.partition("\n\n")[0] + "\n", "utf-8")
    unsigned = provenance(None, "verify", "--proof", proof, "--key", kept.line)
    assert unsigned.returncode == 4, unsigned.stdout
    assert provenance(None, "verify", "--record", proof).returncode == 2
    assert provenance(None, "verify", "--proof", proof, "a-target").returncode == 2


def test_a_signature_that_is_none_does_not_keep_the_operator_from_signing(kept: Kept) -> None:
    """What stands below the newest checkpoint is replaced, where the key has not made it."""
    log = kept.root / "metadata" / "log"
    raw = (log / "checkpoint").read_text("utf-8")
    text, _, line = raw.partition("\n\n")
    forged = f"{text}\n\n{line[:-8]}AAAA{line[-4:]}"
    size = text.split("\n")[1]
    for path in (log / "checkpoint", log / "checkpoints" / size):
        path.write_text(forged, "utf-8")
    assert "signature_refused" in codes(said(kept.root)[1])
    again = provenance(kept.root, "log", "checkpoint", "--key", kept.key)
    assert again.returncode == 0, again.stderr
    assert (log / "checkpoint").read_text("utf-8") == raw
    assert codes(said(kept.root)[1]) == []
