"""Keep `metadata/manifest-sha256.txt`, the list of sealed files that `sha256sum -c` checks."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from provenance.digest import Digest, from_hex, hex_of
from provenance.errors import StorageError

MANIFEST = "manifest-sha256.txt"
_LINE = re.compile(r"([0-9a-f]{64})  archive/([^/\n]+)\Z")
_UNENDED = re.compile(rb"[0-9a-f]{64}  archive/[^/\n]+\.warc\.gz")


def format_line(warc: str, digest: Digest) -> str:
    """Return the manifest's line for a sealed file, as `sha256sum` prints it from the root."""
    return f"{hex_of(digest)}  archive/{warc}\n"


def parse_manifest(raw: bytes) -> dict[str, Digest]:
    """Return the sealed files and their digests; lines of another form are passed over.

    A last line without its line end was never finished and does not count.
    """
    whole = raw[: raw.rfind(b"\n") + 1].decode("utf-8", "replace")
    matches = (_LINE.match(line) for line in whole.split("\n"))
    return {match[2]: from_hex(match[1]) for match in matches if match}


def read_manifest(metadata: Path) -> dict[str, Digest]:
    """Return the sealed files listed in the manifest of this metadata directory."""
    try:
        return parse_manifest((metadata / MANIFEST).read_bytes())
    except FileNotFoundError:
        return {}


def append_line(metadata: Path, warc: str, digest: Digest) -> None:
    """List a file, synced to disk; the file may be renamed to its sealed name afterwards.

    A torn last line, left by a power cut, is taken away first; one that lacks its line end alone,
    as an editor may leave it, gets that. A line that is there already, from a sealing that was
    interrupted, is not written twice.

    Raises:
        StorageError: the disk refused; the manifest is as it was.
    """
    path = metadata / MANIFEST
    try:
        with locked(metadata), path.open("a+b", buffering=0) as file:
            file.seek(0)
            raw = file.read()
            kept = raw.rfind(b"\n") + 1
            if _UNENDED.fullmatch(raw, kept):
                _append(file, b"\n", len(raw))
                raw, kept = raw + b"\n", len(raw) + 1
            elif kept != len(raw):
                file.truncate(kept)
            line = format_line(warc, digest).encode()
            if line not in raw[:kept].splitlines(keepends=True):
                _append(file, line, kept)
            os.fsync(file.fileno())
        sync_directory(metadata)
    except OSError as fault:
        raise StorageError(
            f"cannot list a sealed file ({fault.strerror})",
            where=str(fault.filename or path),
            hint=f"{warc} is kept; make room or allow writing, and the next command seals it.",
        ) from fault


def _append(file: FileIO, line: bytes, at: int) -> None:
    try:
        left = memoryview(line)
        while left:
            left = left[file.write(left) :]
    except OSError:
        file.truncate(at)
        raise


@contextmanager
def locked(metadata: Path) -> Iterator[None]:
    """Hold the archive's lock, so that two runs do not write the manifest at once."""
    with (metadata / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sync_directory(directory: Path) -> None:
    """Make a created, renamed or removed name in `directory` durable."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
