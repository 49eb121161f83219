"""Finish the files that a killed run left open: keep complete records, set the torn tail aside."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provenance.digest import Digest, from_hex
from provenance.errors import WarcFormatError
from provenance.warc.manifest import append_line, read_manifest, sync_directory
from provenance.warc.reader import read_records
from provenance.warc.writer import OPEN_SUFFIX

SET_ASIDE = "set-aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """One interrupted file that was sealed (or, holding no record, set aside whole)."""

    warc: str
    records: int
    torn_bytes: int


def recover(archive: Path, metadata: Path) -> tuple[Recovered, ...]:
    """Seal every open file whose writer is gone; files of living runs are left alone.

    Steps for each file:
    (1) Take its lock; a living writer holds it.
    (2) A manifest line that fits: only the rename was missing.
    (3) Find the end of the last complete record.
    (4) Copy what follows to `metadata/set-aside/`, synced, then cut it off.
    (5) List and rename, as sealing does.
    """
    found: list[Recovered] = []
    for path in sorted(archive.glob("*.warc.gz" + OPEN_SUFFIX)):
        with _owned(path) as owned:
            if owned and path.is_file():
                found.append(_finish(path, metadata))
    return tuple(found)


@contextmanager
def _owned(path: Path) -> Iterator[bool]:
    try:
        file = path.open("r+b")
    except OSError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # (1)
        except OSError:
            yield False
            return
        yield True


def _finish(path: Path, metadata: Path) -> Recovered:
    name = path.name.removesuffix(OPEN_SUFFIX)
    listed = read_manifest(metadata).get(name)
    if listed is not None and listed == _digest(path):  # (2)
        records, _ = _complete(path)
        _rename(path, name)
        return Recovered(warc=name, records=records, torn_bytes=0)
    records, end = _complete(path)  # (3)
    torn = path.stat().st_size - end
    if torn:
        _set_aside(path, metadata, name, end)  # (4)
    if not records:
        path.unlink()
        sync_directory(path.parent)
    else:
        append_line(metadata, name, _digest(path))  # (5)
        _rename(path, name)
    return Recovered(warc=name, records=records, torn_bytes=torn)


def _complete(path: Path) -> tuple[int, int]:
    """Return the number of complete records and the byte just past the last one."""
    records, end = 0, 0
    try:
        last = None
        for record in read_records(path):
            if last is not None and last.length is not None:
                records, end = records + 1, last.offset + last.length
            last = record
        if last is not None and last.length is not None:
            records, end = records + 1, last.offset + last.length
    except WarcFormatError:
        if last is not None and last.length is not None and last.offset + last.length > end:
            records, end = records + 1, last.offset + last.length
    return records, end


def _set_aside(path: Path, metadata: Path, name: str, end: int) -> None:
    folder = metadata / SET_ASIDE
    folder.mkdir(exist_ok=True)
    tail = folder / f"{name}-{end}.tail"
    with path.open("rb") as source, tail.open("wb") as target:
        source.seek(end)
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
    sync_directory(folder)
    with path.open("r+b") as file:
        file.truncate(end)
        os.fsync(file.fileno())


def _rename(path: Path, name: str) -> None:
    path.rename(path.parent / name)
    sync_directory(path.parent)


def _digest(path: Path) -> Digest:
    with path.open("rb") as file:
        return from_hex(hashlib.file_digest(file, "sha256").hexdigest())
