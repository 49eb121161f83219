"""Finish the files that a killed run left open: keep complete records, set the torn tail aside."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from provenance.digest import from_hex
from provenance.errors import ProvenanceError, StorageError, WarcFormatError
from provenance.warc.manifest import append_line, read_manifest, sync_directory
from provenance.warc.open_file import give_sealed_name, open_files, owned, sealed_path
from provenance.warc.reader import Record, read_records

SET_ASIDE = "set-aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """One interrupted file that was sealed (or, holding no record, set aside whole).

    `fault` says why that could not be done; the file is then as it was.
    """

    warc: str
    records: int = 0
    torn_bytes: int = 0
    fault: str | None = None


def recover(archive: Path, metadata: Path) -> tuple[Recovered, ...]:
    """Seal every open file whose writer is gone; files of living runs are left alone.

    Steps for each file:
    (1) Take its lock; a living writer holds it.
    (2) A sealed file of its name: this one is a copy made meanwhile, and is set aside whole.
    (3) Find the end of the last complete record.
    (4) Copy what follows to `metadata/set-aside/`, synced, then cut it off.
    (5) Sync, list and rename, as sealing does. A file that is listed needs the rename only; where
        it is not as listed, `verify` says so.
    """
    found: list[Recovered] = []
    for path in open_files(archive):
        try:
            with owned(path) as ours:  # (1)
                if ours:
                    found.append(_finish(path, metadata))
        except (OSError, ProvenanceError) as fault:
            found.append(Recovered(warc=sealed_path(path).name, fault=str(fault)))
    return tuple(found)


def _finish(path: Path, metadata: Path) -> Recovered:
    sealed = sealed_path(path)
    _settle(path)
    records, end = (0, 0) if sealed.exists() else _complete(path)  # (2), (3)
    torn = path.stat().st_size - end
    if torn:
        _set_aside(path, metadata, end)  # (4)
    if records:
        _seal(path, metadata)  # (5)
    else:
        path.unlink()
        sync_directory(path.parent)
    return Recovered(warc=sealed.name, records=records, torn_bytes=torn)


def _settle(path: Path) -> None:
    """Sync the file and forget what memory shows of it: what the disk has is what counts.

    After a sync that failed, memory may show bytes that never reached the disk, and the next sync
    says nothing of it.
    """
    with path.open("r+b") as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _complete(path: Path) -> tuple[int, int]:
    """Return the number of complete records and the byte just past the last one."""
    records, end = 0, 0
    waiting: list[Record] = []
    reading = read_records(path)
    while True:
        try:
            record = next(reading, None)
        except WarcFormatError:
            record = None
        for one in waiting:
            if one.length is not None:
                records, end = records + 1, one.offset + one.length
        if record is None:
            return records, end
        waiting = [one for one in waiting if one.length is None] + [record]


def _set_aside(path: Path, metadata: Path, end: int) -> None:
    """Move what follows byte `end` to the folder for torn tails; it is there before it is cut."""
    folder = metadata / SET_ASIDE
    tail = folder / f"{sealed_path(path).name}-{end}.tail"
    try:
        folder.mkdir(exist_ok=True)
        with path.open("rb") as source, tail.open("wb") as target:
            source.seek(end)
            shutil.copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())
        sync_directory(folder)
        sync_directory(metadata)
    except OSError as fault:
        with suppress(OSError):
            tail.unlink()
        raise StorageError(
            f"cannot set a torn tail aside ({fault.strerror})",
            where=str(tail),
            hint="The file is as it was; make room or allow writing, and run any command.",
        ) from fault
    os.truncate(path, end)


def _seal(path: Path, metadata: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
        digest = from_hex(hashlib.file_digest(file, "sha256").hexdigest())
    name = sealed_path(path).name
    if name not in read_manifest(metadata):
        append_line(metadata, name, digest)
    give_sealed_name(path)
