"""A proof of one capture, checked with nothing at hand but its bytes and a checkpoint."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provenance.archive import Archive
from provenance.demo.run import run_demo
from provenance.digest import digest_of


def verify(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Check a proof where there is no archive."""
    call = [sys.executable, "-m", "provenance", "verify", *map(str, words)]
    return subprocess.run(call, capture_output=True, text=True, timeout=60, check=False, cwd=folder)


class Held:
    """What somebody was handed: a proof, the capture's gzip members, a checkpoint of the log."""

    def __init__(self, folder: Path, root: Path, document: str) -> None:
        archive = Archive(root)
        capture = archive.resolve(document).capture
        assert capture is not None
        assert capture.warc is not None
        self.capture_id = str(capture.capture_id)
        note = archive.note_of(self.capture_id)
        whole = (root / "archive" / capture.warc).read_bytes()
        self.member = whole[capture.offset : capture.offset + capture.length]
        self.plain = gzip.decompress(self.member)
        self.uri = note["target_uri"]
        self.proof = folder / "letter.tlog-proof"
        self.proof.write_bytes(archive.proof(document))
        self.checkpoint = folder / "checkpoint"
        self.checkpoint.write_bytes((root / "metadata" / "log" / "checkpoint").read_bytes())
        self.warc = folder / "whole.warc.gz"
        self.warc.write_bytes(whole)
        self.folder = folder

    def file(self, raw: bytes) -> Path:
        path = self.folder / "capture"
        path.write_bytes(raw)
        return path

    def said(self, *words: str | Path) -> dict[str, Any]:
        done = verify(self.folder, "--json", "--proof", self.proof, *words)
        assert done.returncode == 0, done.stderr
        (told,) = map(json.loads, done.stdout.splitlines())
        assert isinstance(told, dict)
        return told


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("demo") / "root"
    run_demo(made)
    return made


@pytest.fixture
def held(root: Path, tmp_path: Path) -> Held:
    return Held(tmp_path, root, "audit-report")


def test_a_proof_is_small_and_reveals_no_other_capture(held: Held, root: Path) -> None:
    """Of all ids of the archive it names this capture's records alone, in its leaf."""
    raw = held.proof.read_bytes()
    assert len(raw) < 4096
    others = {str(row.capture_id) for row in Archive(root).documents()} - {held.capture_id, "None"}
    assert others
    assert not any(other.encode() in raw for other in others)
    assert held.said()["capture_id"] == held.capture_id


def test_the_record_is_compared_in_every_form(held: Held) -> None:
    """Its gzip member, its plain bytes with and without the record's end, and the whole file."""
    forms = (held.member, held.plain, held.plain.removesuffix(b"\r\n\r\n"))
    for raw in forms:
        told = held.said("--record", held.file(raw), "--checkpoint", held.checkpoint)
        assert (told["records"], told["expected_checkpoint"]) == (["capture"], True)
    told = held.said("--record", held.warc)
    assert told["records"] == ["capture", "request", "metadata"]
    words = verify(held.folder, "--proof", held.proof).stdout
    assert "Not looked at: its bytes" in words
    assert "Not proved: that this is the log you mean" in words


def test_any_other_record_is_refused(held: Held) -> None:
    """A changed byte, another capture, and what is no record at all."""
    for at in (10, len(held.plain) // 2, len(held.plain) - 5):
        raw = bytearray(held.plain)
        raw[at] ^= 1
        done = verify(held.folder, "--proof", held.proof, "--record", held.file(bytes(raw)))
        assert done.returncode == 4, done.stdout
        assert "is not the one that the log has" in done.stderr
    assert digest_of(held.plain.removesuffix(b"\r\n\r\n")) == held.capture_id


def test_another_checkpoint_or_an_altered_proof_is_refused(held: Held) -> None:
    """The checkpoint must be the one that was given, and every line of the proof counts."""
    name, size, root, _ = held.checkpoint.read_text("utf-8").split("\n")
    for lines in ((name, size, root[::-1]), ("other.example", size, root), (name, "9", root)):
        other = held.folder / "other"
        other.write_text("\n".join([*lines, ""]), "utf-8")
        done = verify(held.folder, "--proof", held.proof, "--checkpoint", other)
        assert done.returncode in (1, 4), done.stdout
    text = held.proof.read_text("utf-8")
    for number, line in enumerate(text.split("\n")):
        if len(line) > 9 and " " not in line and "@" not in line and line != name:
            altered = text.split("\n")
            altered[number] = ("A" if line[0] != "A" else "B") + line[1:]
            held.proof.write_text("\n".join(altered), "utf-8")
            done = verify(held.folder, "--proof", held.proof)
            assert done.returncode == 4, (number, done.stdout)
            assert done.stdout == ""
    held.proof.write_text("no proof\n", "utf-8")
    assert verify(held.folder, "--proof", held.proof).returncode == 1
    assert verify(held.folder, "--proof", held.folder / "nothing").returncode == 1


def test_a_failed_fetch_can_be_proved_too(root: Path, tmp_path: Path) -> None:
    """Its one record, a metadata record, is a leaf of its own."""
    failed = Held(tmp_path, root, "traffic-counter")
    told = failed.said("--record", failed.file(failed.member))
    assert told["capture_id"] == failed.capture_id
    assert told["records"] == ["capture"]
