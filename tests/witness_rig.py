"""A log in memory that signs what it is told to, and a witness as a program of its own."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from provenance.log.checkpoint import Checkpoint, CosigningKey, sign_checkpoint
from provenance.log.keyfile import write_key_file
from provenance.log.merkle import CompactRange, consistency_path, fold, hash_leaf
from provenance.log.note import SigningKey
from provenance.log.submission import format_submission
from provenance.witness.folder import WitnessFolder

LIMIT_S = 60
LOG = SigningKey(name="archive.example/operator", seed=bytes([5]) * 32)
WITNESS = CosigningKey(name="witness.example/w1", seed=bytes([7]) * 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log whose leaves are texts of one's own: two with other texts have forked."""

    texts: tuple[str, ...]
    key: SigningKey = LOG
    origin: str = LOG.name

    def node(self, level: int, index: int) -> bytes:
        width = 1 << level
        return fold([hash_leaf(each.encode()) for each in self.texts[index * width :][:width]])

    def head(self, size: int) -> Checkpoint:
        tree = CompactRange()
        for each in self.texts[:size]:
            tree.append(hash_leaf(each.encode()))
        return Checkpoint(origin=self.origin, size=size, root=tree.root())

    def signed(self, size: int) -> bytes:
        return sign_checkpoint(self.head(size), [self.key])

    def path(self, old: int, new: int) -> tuple[bytes, ...]:
        return consistency_path(old, new, self.node)

    def request(self, old: int, new: int, path: Sequence[bytes] | None = None) -> bytes:
        path = self.path(min(old, new), new) if path is None else path
        return format_submission(old, path, self.signed(new))


def log_of(size: int, *, forked_at: int | None = None) -> Log:
    """Return a log of so many leaves, the leaves from `forked_at` on being other ones."""
    texts = [f"leaf {at}" for at in range(size)]
    if forked_at is not None:
        texts[forked_at:] = [f"{each} anew" for each in texts[forked_at:]]
    return Log(texts=tuple(texts))


@dataclass(slots=True)
class Answered:
    """What came back over HTTP."""

    status: int
    media_type: str
    body: bytes


@dataclass(slots=True)
class Program:
    """A witness that runs as a program of its own; `said` is what it wrote for people so far."""

    url: str
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def send(self, raw: bytes, *, path: str = "/add-checkpoint", method: str = "POST") -> Answered:
        place = urlsplit(self.url)
        line = http.client.HTTPConnection(place.netloc, timeout=LIMIT_S)
        with contextlib.closing(line):
            line.request(method, path, raw)
            answer = line.getresponse()
            kind = answer.getheader("Content-Type") or ""
            return Answered(answer.status, kind, answer.read())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=LIMIT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A witness' installation: its folder and key file."""

    folder: Path
    key_file: Path

    @contextlib.contextmanager
    def serving(self, *, warned: bool = False) -> Iterator[Program]:
        """Run the program on a free port of this machine until the block ends.

        With `warned`, it may say what is wrong before it says where it is.
        """
        words = ["witness", "serve", str(self.folder), "--key", str(self.key_file), "--port", "0"]
        with running(sys.executable, "-m", "provenance", *words, warned=warned) as program:
            yield program

    def seen(self, origin: str = LOG.name) -> int:
        known = WitnessFolder(self.folder).find(origin)
        assert known is not None
        return known.head.size


@contextlib.contextmanager
def running(*call: str, warned: bool = False) -> Iterator[Program]:
    """Run a program that says where it witnesses; it ends with the block, without a traceback."""
    process = subprocess.Popen(
        call, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=os.environ
    )
    assert process.stderr is not None
    program = Program(url="", process=process)
    reader: threading.Thread | None = None
    try:
        first = process.stderr.readline()
        while warned and first.startswith("error: "):
            program.said.append(first)
            first = process.stderr.readline()
        assert first.startswith("Witnessing at http://127.0.0.1:"), first
        program.url = first.split()[-1]
        stream = process.stderr
        reader = threading.Thread(target=lambda: program.said.extend(stream), daemon=True)
        reader.start()
        yield program
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(timeout=LIMIT_S)
        if reader is not None:
            reader.join(timeout=LIMIT_S)
        process.stderr.close()
    assert "Traceback" not in "".join(program.said), program.said


def desk(folder: Path, *, key: CosigningKey = WITNESS, knows: SigningKey | None = LOG) -> Desk:
    """Set up a witness that knows a log, or none."""
    made = Desk(folder=folder / "witness", key_file=folder / "keys" / "witness.key")
    write_key_file(made.key_file, key)
    if knows is not None:
        WitnessFolder(made.folder).add(knows.name, knows.verifier)
    return made
