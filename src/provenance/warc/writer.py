"""Write a run's WARC file: groups of records whole or not at all, synced, rolled and sealed.

Order when sealing: sync the file, list it in the manifest, then rename it; so a sealed name that is
not listed is always a finding, and recovery can finish a listed rename.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from provenance.dates import format_stamp17
from provenance.digest import Digest, from_hex
from provenance.errors import StorageError
from provenance.runtime import Runtime
from provenance.warc.draft import Draft
from provenance.warc.manifest import append_line
from provenance.warc.open_file import create_owned, give_sealed_name, open_name
from provenance.warc.pack import pack

ROLL_SIZE = 1 << 30
"""Bytes after which the next group starts a new file."""

_HELD_LIMIT = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a record stands: sealed file name, offset and compressed length; and its digest."""

    warc: str
    offset: int
    length: int
    digest: Digest


class Group:
    """Records that belong together: they reach the file in one piece, or not at all.

    Small groups are packed in memory and written at the end; once a group passes 8 MiB it takes the
    file for itself and streams.
    """

    def __init__(self, writer: WarcWriter) -> None:
        self._writer = writer
        self._held: list[bytes] = []
        self._size = 0
        self._flushed = 0
        self.streaming = False
        self._placed: list[tuple[int, int, Digest]] = []

    def add(self, draft: Draft) -> Digest:
        """Pack one record; return its digest."""
        start = self._size
        packed = pack(draft, self._take)
        self._placed.append((start, packed.length, packed.digest))
        return packed.digest

    def _take(self, piece: bytes) -> None:
        self._held.append(piece)
        self._size += len(piece)
        if self._size - self._flushed > _HELD_LIMIT:
            self.flush()

    def flush(self) -> None:
        """Hand what is held to the file, taking the file first if need be."""
        if not self.streaming:
            self._writer.take_file()
            self.streaming = True
        self._writer.write_bytes(b"".join(self._held))
        self._held.clear()
        self._flushed = self._size

    def placed(self) -> tuple[Placed, ...]:
        """Return the places of the records, once the group is written."""
        name, start = self._writer.name, self._writer.group_start
        return tuple(
            Placed(warc=name, offset=start + at, length=length, digest=digest)
            for at, length, digest in self._placed
        )


class WarcWriter:
    """The files that one run writes for one collection, one open at a time; safe for threads.

    `first_records` makes the drafts that open a file, given its sealed name. Where a file cannot be
    synced, put right or sealed, the writer leaves it to recovery and takes no more.
    """

    def __init__(
        self,
        *,
        archive: Path,
        metadata: Path,
        collection: str,
        runtime: Runtime,
        first_records: Callable[[str], tuple[Draft, ...]],
        roll_size: int = ROLL_SIZE,
    ) -> None:
        self._archive = archive
        self._metadata = metadata
        self._collection = collection
        self._runtime = runtime
        self._first_records = first_records
        self._roll_size = roll_size
        self._lock = threading.RLock()
        self._serial = 0
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self._saved_hash = self._hash
        self._position = 0
        self._closed = False
        self._fault: StorageError | None = None
        self.name = ""
        self.group_start = 0
        self.sealed: list[str] = []

    @contextmanager
    def group(self, *, after: Callable[[Group], None] | None = None) -> Iterator[Group]:
        """Write a group of records; where the block raises, or the disk does, none of it stays.

        `after` is called with the written group while the file is still this group's own.

        Raises:
            StorageError: the disk refused.
        """
        group = Group(self)
        try:
            yield group
            group.flush()
            if after is not None:
                after(group)
        except BaseException:
            if group.streaming:
                self._drop_group()
            raise
        finally:
            if group.streaming:
                self._lock.release()

    def take_file(self) -> None:
        """Hold the file for one group, rolling or opening it first."""
        self._lock.acquire()
        try:
            if self._fault is not None:
                raise self._fault
            if self._closed:
                raise StorageError("the run is over; nothing more is written")
            if self._file is not None and self._position >= self._roll_size:
                self.seal()
            if self._file is None:
                self._open_next()
        except BaseException:
            self._lock.release()
            raise
        self.group_start = self._position
        self._saved_hash = self._hash.copy()

    def write_bytes(self, raw: bytes) -> None:
        """Append compressed bytes to the file held by the current group."""
        if self._file is None:
            raise StorageError("no file is open")
        try:
            left = memoryview(raw)
            while left:
                left = left[self._file.write(left) :]
        except OSError as fault:
            raise self._refused("write", fault) from fault
        self._hash.update(raw)
        self._position += len(raw)

    def sync(self) -> None:
        """Make everything written so far durable.

        Raises:
            StorageError: the disk refused; what was written may be lost.
        """
        with self._lock:
            if self._fault is not None:
                raise self._fault
            if self._file is None:
                return
            try:
                os.fsync(self._file.fileno())
            except OSError as fault:
                # A second fsync could say that all is well after the first one lost pages.
                raise self._given_up(self._refused("sync", fault)) from fault

    def seal(self) -> None:
        """Close the open file, list it and give it its sealed name; nothing open: nothing done.

        Raises:
            StorageError: the disk refused; the file waits for recovery.
        """
        with self._lock:
            if self._file is None:
                return
            self.sync()
            try:
                append_line(self._metadata, self.name, from_hex(self._hash.hexdigest()))
                give_sealed_name(self._archive / open_name(self.name))
            except StorageError as fault:
                raise self._given_up(fault) from fault.__cause__
            except OSError as fault:
                raise self._given_up(self._refused("seal", fault)) from fault
            self._file.close()
            self._file = None
            self.sealed.append(self.name)

    def close(self) -> None:
        """Seal what stands and take no more groups."""
        with self._lock:
            self._closed = True
            self.seal()

    def abandon(self) -> None:
        """Close the open file as it is; the next command recovers it."""
        with self._lock:
            if self._file is not None:
                try:
                    self._file.close()
                except OSError:
                    pass  # what could not be flushed is not in the file; recovery sees the rest
                self._file = None

    def _given_up(self, fault: StorageError) -> StorageError:
        """Let go of the open file for good; return the reason."""
        self._fault = fault
        self.abandon()
        return fault

    def _open_next(self) -> None:
        stamp = format_stamp17(self._runtime.now())
        file: BinaryIO | None = None
        while file is None:
            self.name = f"{self._collection}-{stamp}-{self._serial:05d}.warc.gz"
            self._serial += 1
            try:
                file = create_owned(self._archive / open_name(self.name))
            except OSError as fault:
                raise self._refused("create", fault) from fault
        self._file = file
        self._hash, self._position = hashlib.sha256(), 0
        try:
            for draft in self._first_records(self.name):
                pack(draft, self.write_bytes)
        except BaseException:
            self._discard()
            raise

    def _discard(self) -> None:
        """Remove the open file: it has no group yet."""
        try:
            (self._archive / open_name(self.name)).unlink()
        except OSError:
            pass  # recovery removes it
        self.abandon()

    def _drop_group(self) -> None:
        if self._file is None:
            return
        self._hash = self._saved_hash
        self._position = self.group_start
        try:
            self._file.truncate(self._position)
            self._file.seek(self._position)
        except OSError as fault:
            self._given_up(self._refused("put right", fault))

    def _refused(self, verb: str, fault: OSError) -> StorageError:
        return StorageError(
            f"cannot {verb} ({fault.strerror})",
            where=str(self._archive / self.name),
            hint="What was reported as saved is kept; make room or mend the disk, and run again.",
        )
