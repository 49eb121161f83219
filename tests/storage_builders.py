"""Roots, seeds, a loopback server of documents of any size, and commands run as programs."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from provenance.archive import Archive
from provenance.holdings import Survey
from provenance.indexing import survey_all
from tests.wire import Wire, playing

PROGRAM = (sys.executable, "-c", "from provenance.cli import main; main()")
FETCH = ("fetch", "--json", "--allow-private", "--delay", "0", "--retries", "0")
HEAD = '[collection]\nid = "{name}"\ntitle = "{name}"\nabout = "Made by a test."\n'
DOCUMENT = (
    '[[document]]\nid = "{id}"\ntitle = "A document"\nrole = "official"\n'
    'publisher = "The council"\npublisher_kind = "government"\nurl = "{url}"\n'
)
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@cache
def body_of(path: bytes) -> bytes:
    """Return the body at `/NAME-SIZE`: so many bytes that do not compress, the same each time."""
    return random.Random(path).randbytes(int(path.rpartition(b"-")[2]))


def play(head: bytes) -> bytes:
    path = head.split()[1]
    if path == b"/robots.txt":
        return NOT_FOUND
    body = body_of(path)
    fields = b"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 200 OK\r\n%s\r\n%s" % (fields, body)


@contextlib.contextmanager
def hosts(count: int) -> Iterator[list[Wire]]:
    """Serve on so many ports, each a host of its own to the fetcher."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(playing(play, closes=False)) for _ in range(count)]


def write_seeds(root: Path, name: str, urls: Sequence[str]) -> None:
    entries = (DOCUMENT.format(id=f"{name}-{at}", url=url) for at, url in enumerate(urls))
    (root / "seeds" / f"{name}.toml").write_text(HEAD.format(name=name) + "".join(entries))


def make_root(path: Path, **collections: Sequence[str]) -> Path:
    """Make an archive root with a seeds file for each collection: its documents' addresses."""
    Archive.init(path)
    (path / "seeds" / "example.toml").unlink()
    for name, urls in collections.items():
        write_seeds(path, name, urls)
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended: its status, the JSON objects on stdout, and stderr."""

    status: int
    out: str
    err: str
    objects: tuple[dict[str, Any], ...] = field(default=())

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.objects if each["type"] == kind]

    def outcomes(self) -> dict[str, str]:
        """Return document → outcome."""
        return {each["document"]: each["outcome"] for each in self.of_type("outcome")}


def objects_in(out: str) -> tuple[dict[str, Any], ...]:
    """Return the JSON objects of whole lines; a line that a kill cut off was never told."""
    lines = out.split("\n")[:-1]
    return tuple(json.loads(line) for line in lines if line.startswith("{"))


def run(root: Path, *arguments: str, under: Sequence[str] = ()) -> Ran:
    """Run the program on an archive root to its end; `under` is a program to run it by."""
    call = [*under, *PROGRAM, "-C", str(root), *arguments]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(
        status=done.returncode, out=done.stdout, err=done.stderr, objects=objects_in(done.stdout)
    )


def verify(root: Path) -> Ran:
    return run(root, "verify", "--json")


def codes(ran: Ran) -> list[str]:
    """Return the codes of the findings."""
    return [each["code"] for each in ran.of_type("finding")]


def captures_in(root: Path) -> dict[str, str]:
    """Return capture id → outcome, as a survey of the sealed files has them."""
    found = {}
    for held in survey_all(root / "archive"):
        assert not isinstance(held, Survey) or held.faults == ()
        found.update({str(one.capture_id): one.outcome.value for one in held.captures})
    return found


def listed(root: Path) -> dict[str, str]:
    path = root / "metadata" / "manifest-sha256.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return {line[66:].removeprefix("archive/"): line[:64] for line in lines}


def sealed(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "archive").glob("*.warc.gz"))


def left_open(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "archive").glob("*.open"))


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system of its own, in memory, with a size."""

    path: Path

    def resize(self, size: int) -> None:
        """Set its size in bytes, rounded up to whole pages."""
        self._remount(f"size={size}")

    def leave_free(self, free: int) -> None:
        """Make it as large as what is on it and `free` bytes more."""
        (self.path / "filler").write_bytes(bytes(4096))  # a size of nothing would be no limit
        held = os.statvfs(self.path)
        self.resize((held.f_blocks - held.f_bfree) * held.f_frsize + free)

    def read_only(self) -> None:
        self._remount("ro")

    def writable(self) -> None:
        self._remount("rw")

    def _remount(self, option: str) -> None:
        call = ["mount", "-o", f"remount,{option}", str(self.path)]
        subprocess.run(call, check=True, capture_output=True)


@contextlib.contextmanager
def mounted(path: Path, size: str = "64m") -> Iterator[Disk]:
    """Mount a disk at `path` until the block ends; skip the test where that is not allowed."""
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root may mount a file system")
    path.mkdir(parents=True, exist_ok=True)
    call = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(path)]
    if subprocess.run(call, capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        yield Disk(path)
    finally:
        # Lazily: a test that failed may hold files of it, and the next must find nothing mounted.
        subprocess.run(["umount", "--lazy", str(path)], check=True, capture_output=True)


def without_privileges() -> tuple[str, ...]:
    """Return the program under which file permissions bind root too; skip where there is none."""
    if os.geteuid():
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("root cannot give up its privileges without setpriv")
    call = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    if subprocess.run([*call, "true"], capture_output=True, check=False).returncode:
        pytest.skip("privileges cannot be given up here")
    return call
