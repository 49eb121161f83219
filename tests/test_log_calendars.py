"""Proofs by way of calendars: asked, kept, completed, told; the reference client as judge."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provenance.archive import Archive
from provenance.demo.run import run_demo
from provenance.errors import ProvenanceError
from provenance.exchange.posting import get_bytes
from provenance.log.folder import LogFolder
from provenance.runtime import system_runtime
from provenance.timestamps.block import parse_header, shown_hash
from provenance.timestamps.calendars import check_kept, read_kept
from provenance.timestamps.ots import parse_proof, pending_at, write_proof
from provenance.timestamps.refusals import TimestampError
from provenance.verify import Finding, Note, Report
from tests.ots_calendar import answer_to, rest_of
from tests.peers import peer
from tests.test_log_ots import BLOCK_358391
from tests.wire import playing

TESTS = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An archive of the demo's with a checkpoint, and a calendar; `said` is the last answer."""

    root: Path
    url: str
    calendar: Path

    @property
    def stamps(self) -> Path:
        (folder,) = (self.root / "metadata" / "log" / "timestamps").iterdir()
        return folder

    @property
    def files(self) -> list[Path]:
        """The proofs, the smallest first: that is the pending one."""
        return sorted(self.stamps.glob("*.ots"), key=lambda path: path.stat().st_size)

    def log(self, *words: str) -> tuple[int, list[dict[str, Any]], str]:
        """Run `log timestamp`; return status, objects and what was said to people."""
        done = provenance(self.root, "log", "timestamp", "--json", *words)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def confirm(self, height: int = 900_000) -> None:
        """Let the calendar find its block."""
        (self.calendar / "height").write_text(str(height))


def provenance(root: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "provenance", "-C", str(root), *map(str, words)]
    return subprocess.run(call, capture_output=True, text=True, timeout=120, check=False)


@contextlib.contextmanager
def calendar_at(folder: Path) -> Iterator[str]:
    """Run the calendar as a program of its own; yield its address."""
    call = [sys.executable, str(TESTS / "ots_calendar.py"), str(folder)]
    with subprocess.Popen(
        call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin and program.stdout
        try:
            yield f"http://127.0.0.1:{int(program.stdout.readline())}"
        finally:
            program.stdin.close()
            program.wait(timeout=30)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("calendars") / "archive"
    run_demo(root)
    assert provenance(root, "log", "checkpoint").returncode == 0
    return root


@pytest.fixture
def kept(archive: Path, tmp_path: Path) -> Iterator[Kept]:
    """An archive that nobody has dated yet, and a calendar that has found no block yet."""
    root = Path(shutil.copytree(archive, tmp_path / "root"))
    folder = tmp_path / "calendar"
    folder.mkdir()
    with calendar_at(folder) as url:
        yield Kept(root=root, url=url, calendar=folder)


def verified(root: Path, **more: Any) -> tuple[Report, list[Finding], list[Note]]:
    findings: list[Finding] = []
    notes: list[Note] = []
    report = Archive(root).verify(on_finding=findings.append, on_note=notes.append, jobs=1, **more)
    return report, findings, notes


def told(notes: list[Note]) -> list[str]:
    return [each.code for each in notes]


def test_a_promise_is_kept_and_dates_nothing(kept: Kept) -> None:
    """Pending is said, at once and by `verify`; the calendar saw no digest of the checkpoint."""
    status, (said,), _ = kept.log("--ots", kept.url)
    assert (status, said["type"], said["state"], said["blocks"]) == (0, "calendar", "pending", [])
    (path,) = kept.files
    assert said["file"] == f"timestamps/{said['size']}/{path.name}"
    proof = parse_proof(path.read_bytes())
    assert [each.attestation for each in proof.branches] == [pending_at(kept.url)]
    sent = (kept.calendar / "sent").read_text().split()
    assert len(sent) == 1
    assert proof.digest.hex() not in sent
    report, findings, notes = verified(kept.root)
    assert (findings, told(notes), report.rungs.dated) == ([], ["proof_pending"], 0)
    assert notes[0].found == f"pending at {kept.url}"
    words = provenance(kept.root, "verify")
    assert words.returncode == 0
    assert "dated      0 of" in words.stdout
    assert "note: proof_pending" in words.stderr


def test_a_calendar_is_asked_once_for_a_checkpoint(kept: Kept) -> None:
    assert kept.log("--ots", kept.url)[0] == 0
    status, objects, words = kept.log("--ots", kept.url)
    assert (status, objects) == (2, [])
    assert "--upgrade" in words
    assert len(kept.files) == 1


def test_what_the_calendar_has_not_yet_stays_pending(kept: Kept) -> None:
    kept.log("--ots", kept.url)
    status, (said,), _ = kept.log("--upgrade", "--allow-private")
    assert (status, said["state"]) == (0, "pending")
    assert said["said"] == "Pending confirmation in Bitcoin blockchain"
    assert len(kept.files) == 1


def test_a_completed_proof_names_its_block_and_claims_no_more(kept: Kept) -> None:
    """Another file beside the first; without the header nothing is dated."""
    kept.log("--ots", kept.url)
    (pending,) = kept.files
    kept.confirm()
    status, (said,), _ = kept.log("--upgrade", "--allow-private")
    header = (kept.calendar / "header").read_bytes()
    root = shown_hash(header[36:68])
    assert (status, said["state"]) == (0, "in_block")
    assert said["blocks"] == [{"height": 900_000, "merkle_root": root}]
    assert kept.files[0] == pending
    assert len(kept.files) == 2
    report, findings, notes = verified(kept.root)
    assert (findings, told(notes), report.rungs.dated) == ([], ["proof_unchecked"], 0)
    assert notes[0].expected == f"merkle root {root}"
    assert "in Bitcoin block 900000 by the proof; not checked here" in str(notes[0].found)
    status, (again,), _ = kept.log("--upgrade")  # no calendar need be asked any more
    assert (status, again) == (0, said)
    words = provenance(kept.root, "log", "timestamp", "--upgrade").stdout
    assert "in Bitcoin block 900000 by the proof" in words
    assert "not checked here without the block header" in words


def test_a_block_whose_header_is_given_dates(kept: Kept) -> None:
    """Its own time, its hash and its work are told, and that the chain is for the user to check."""
    kept.log("--ots", kept.url)
    kept.confirm(358_391)
    kept.log("--upgrade", "--allow-private")
    raw = (kept.calendar / "header").read_bytes()
    header = parse_header(raw, where="x", least_work=1)
    report, findings, notes = verified(kept.root, bitcoin_headers=[header])
    assert (findings, told(notes)) == ([], ["block_unasked"])
    assert report.rungs.dated == report.captures
    assert header.name in str(notes[0].found)
    assert "2026-09-21T14:13:20Z by the clock of the block" in str(notes[0].found)
    assert "not checked here" in notes[0].hint or "Compare" in notes[0].hint
    refused = provenance(kept.root, "verify", "--bitcoin-header", raw.hex())
    assert refused.returncode == 2
    assert "too little proof of work" in refused.stderr


def test_a_header_of_another_block_dates_nothing(kept: Kept, tmp_path: Path) -> None:
    """A real one, given as a file: a note says that no proof leads there."""
    kept.log("--ots", kept.url)
    kept.confirm()
    kept.log("--upgrade", "--allow-private")
    given = tmp_path / "header"
    for raw in (BLOCK_358391, BLOCK_358391.hex().encode() + b"\n"):
        given.write_bytes(raw)
        done = provenance(kept.root, "verify", "--json", "--bitcoin-header", given)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == 0
        assert [each["code"] for each in lines[:-1]] == ["proof_unchecked", "block_unneeded"]
        assert lines[-1]["rungs"]["dated"] == 0


def test_every_byte_kept_is_held(kept: Kept) -> None:
    """A flipped bit in a promise, which proves nothing by itself, is a finding all the same."""
    kept.log("--ots", kept.url)
    (path,) = kept.files
    raw = path.read_bytes()
    (whole,) = read_kept(LogFolder(kept.root / "metadata"))
    for at in range(len(raw)):
        flipped = raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :]
        with pytest.raises(TimestampError, match="not as it was written"):
            check_kept(dataclasses.replace(whole, raw=flipped))
    path.write_bytes(flipped)
    _, findings, notes = verified(kept.root)
    assert ([each.code for each in findings], notes) == (["stamp_refused"], [])


def test_a_proof_of_other_bytes_and_a_stranger_are_findings(kept: Kept) -> None:
    kept.log("--ots", kept.url)
    (path,) = kept.files
    checkpoint = path.with_name("checkpoint")
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole.replace(b"\n", b"x\n", 1))
    assert [each.code for each in verified(kept.root)[1]] == ["stamp_refused"]
    checkpoint.write_bytes(whole)
    path.with_name("stray.ots").write_bytes(b"?")
    assert [each.code for each in verified(kept.root)[1]] == ["log_foreign_file"]
    path.with_name("stray.ots").unlink()
    checkpoint.unlink()
    assert [each.code for each in verified(kept.root)[1]] == ["stamp_refused"]


def test_what_a_killed_command_leaves_is_a_note(kept: Kept) -> None:
    """Half a proof under its passing name, and a checkpoint without one."""
    kept.log("--ots", kept.url)
    (path,) = kept.files
    path.replace(path.with_name(f"{path.name}.new"))
    _, findings, notes = verified(kept.root)
    assert (findings, set(told(notes))) == ([], {"log_unfinished"})
    assert kept.log("--ots", kept.url)[0] == 0


def test_a_calendar_inside_is_not_asked_unless_that_is_allowed(kept: Kept) -> None:
    """What an archive of another names may lead anywhere."""
    kept.log("--ots", kept.url)
    status, (said,), _ = kept.log("--upgrade")
    assert (status, said["state"]) == (1, "unanswered")
    assert "private_address" in said["said"]


@pytest.mark.parametrize("uri", ["file:///etc", "ftp://a.example", "//a.example", "", "a:b"])
def test_an_address_that_is_no_web_address_is_not_asked(uri: str) -> None:
    """Whatever a proof names."""
    with pytest.raises(ProvenanceError, match="bad_url"):
        get_bytes(
            f"{uri}/timestamp/00",
            system_runtime(),
            accept="",
            timeout_s=5,
            limit=10,
            allow_private=True,
        )


def test_a_calendar_that_is_gone_is_told_and_the_others_go_on(
    archive: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(archive, tmp_path / "root"))
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with calendar_at(second) as there:
        with calendar_at(first) as gone:
            kept = Kept(root=root, url=gone, calendar=second)
            assert [each["state"] for each in kept.log("--ots", gone, there)[1]] == ["pending"] * 2
        kept.confirm()
        status, objects, _ = kept.log("--upgrade", "--allow-private")
    assert status == 1
    assert {each["state"] for each in objects} == {"unanswered", "in_block"}


WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"


def answer(raw: bytes) -> bytes:
    return WHOLE % (len(raw), raw)


@pytest.mark.parametrize(
    ("played", "said"),
    [
        (answer(b"<html>busy</html>"), "not an OpenTimestamps proof"),
        (answer(b""), "not an OpenTimestamps proof"),
        (answer(bytes(10_001)), "too large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", "not whole"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "302"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\n\x1b[2J", "500 \\x1b[2J"),
        (b"SSH-2.0\r\n", "bad_response"),
    ],
)
def test_an_answer_that_is_no_proof_is_told_and_not_kept(
    archive: Path, tmp_path: Path, played: bytes, said: str
) -> None:
    """Whatever the calendar plays, when it is asked first and when it is asked again."""
    root = Path(shutil.copytree(archive, tmp_path / "root"))
    kind: list[bytes] = []

    def play(head: bytes) -> bytes:
        if head.startswith(b"POST") and not kind:
            return answer(answer_to(b"", wire.url))
        return played

    with playing(play) as wire:
        kept = Kept(root=root, url=wire.url, calendar=tmp_path)
        assert kept.log("--ots", wire.url)[0] == 0
        status, (told_of,), _ = kept.log("--upgrade", "--allow-private")
        assert (status, told_of["state"]) == (1, "unanswered")
        assert said in told_of["said"]
        assert len(kept.files) == 1
        shutil.rmtree(kept.stamps)
        kind.append(b"all")
        status, objects, words = kept.log("--ots", wire.url)
        assert (status, objects) == (1, [])
        assert words.startswith("error: ")
        assert not kept.root.joinpath("metadata/log/timestamps").exists() or not list(
            kept.root.joinpath("metadata/log/timestamps").rglob("*")
        )


def test_a_chunked_answer_is_read(archive: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(archive, tmp_path / "root"))

    def play(head: bytes) -> bytes:
        if head.startswith(b"POST"):
            return answer(answer_to(b"", wire.url))
        rest = rest_of(5)
        chunks = b"1\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (rest[:1], len(rest) - 1, rest[1:])
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks

    with playing(play) as wire:
        kept = Kept(root=root, url=wire.url, calendar=tmp_path)
        kept.log("--ots", wire.url)
        status, (said,), _ = kept.log("--upgrade", "--allow-private")
    assert (status, said["blocks"][0]["height"]) == (0, 5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "URL"),
        (["--upgrade", "http://a.example"], "--upgrade"),
        (["--ots", "--tsa-ca", "x", "http://a.example"], "--tsa-ca"),
        (["--allow-private", "http://a.example"], "--allow-private"),
        (["--ots", "ftp://a.example"], "not the address"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    archive: Path, words: list[str], said: str
) -> None:
    done = provenance(archive, "log", "timestamp", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_nothing_to_ask_is_said(archive: Path) -> None:
    done = provenance(archive, "log", "timestamp", "--upgrade")
    assert (done.returncode, done.stdout) == (0, "")
    assert "No calendar" in done.stderr


# The reference client (opentimestamps-client) reads what we write, and we read what it writes


def ots(*words: str | Path, at: Path) -> subprocess.CompletedProcess[str]:
    call = [peer("ots"), "--no-cache", "--no-bitcoin", *map(str, words)]
    return subprocess.run(call, capture_output=True, text=True, timeout=120, check=False, cwd=at)


def test_the_reference_client_reads_and_completes_our_proof_as_we_do(
    kept: Kept, tmp_path: Path
) -> None:
    """Its `info` shows what ours says; its `upgrade` makes the very bytes that ours makes."""
    kept.log("--ots", kept.url)
    (pending,) = kept.files
    copy = tmp_path / "copy.ots"
    copy.write_bytes(pending.read_bytes())
    shown = ots("info", copy, at=tmp_path)
    assert shown.returncode == 0, shown.stderr
    proof = parse_proof(copy.read_bytes())
    assert f"File sha256 hash: {proof.digest.hex()}" in shown.stdout
    assert f"PendingAttestation('{kept.url}')" in shown.stdout
    kept.confirm()
    done = ots("-l", kept.url, "upgrade", copy, at=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Timestamp complete" in done.stderr
    kept.log("--upgrade", "--allow-private")
    assert copy.read_bytes() == kept.files[1].read_bytes()
    checkpoint = pending.with_name("checkpoint")
    checked = ots("-l", kept.url, "verify", "-f", checkpoint, kept.files[1], at=tmp_path)
    root = shown_hash((kept.calendar / "header").read_bytes()[36:68])
    assert f"Bitcoin block 900000 has merkleroot {root}" in checked.stderr


def test_a_proof_of_the_reference_client_is_read_and_written_alike(
    kept: Kept, tmp_path: Path
) -> None:
    """One over a checkpoint by way of two calendars, before and after its completion."""
    second = tmp_path / "second"
    second.mkdir()
    source = tmp_path / "checkpoint"
    shutil.copy(kept.root / "metadata" / "log" / "checkpoint", source)
    with calendar_at(second) as other:
        both = ("-c", kept.url, "-c", other)
        made = ots("stamp", *both, "-m", "2", source, at=tmp_path)
        assert made.returncode == 0, made.stderr
        path = tmp_path / "checkpoint.ots"
        proof = parse_proof(path.read_bytes())
        assert {each.attestation.uri for each in proof.pending} == {kept.url, other}
        assert write_proof(proof) == path.read_bytes()
        kept.confirm()
        done = ots("-l", kept.url, "-l", other, "upgrade", path, at=tmp_path)
        assert done.returncode == 0, done.stderr
        proof = parse_proof(path.read_bytes())
        assert [each.attestation.height for each in proof.in_blocks] == [900_000]
        assert write_proof(proof) == path.read_bytes()
