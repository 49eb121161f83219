"""Keep a log as plain files: tiles, bundles, checkpoints. The wing's only door to the disk.

Below `metadata/log/`, as any web server may publish it (C2SP tlog-tiles):

    checkpoint                   the newest
    checkpoints/<size>           every one that was made
    tile/<L>/<N>[.p/<W>]         hashes
    tile/entries/<N>[.p/<W>]     leaves
    timestamps/<size>/           what authorities say of a checkpoint (see `stamps`)
    operator.pub                 the verifier key line of who signs, where somebody does

Tiles are written and synced before the checkpoint that needs them, so that a crash leaves the old
checkpoint and, at most, tiles that nothing refers to yet.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from provenance.errors import LogFormatError, ProofError, ProvenanceError, StorageError
from provenance.log.checkpoint import Checkpoint, parse_checkpoint, text_of
from provenance.log.merkle import CompactRange
from provenance.log.strict import parse_decimal, to_base64
from provenance.log.tiles import FULL, StoredHashes, Tile, cut, grow, parse_bundle, partial_tiles

CHECKPOINT, CHECKPOINTS, OPERATOR = "checkpoint", "checkpoints", "operator.pub"
STAMPS = "timestamps"
WAITING = ".new"
"""How the name of a file ends while it is written."""

_ABSENT = (FileNotFoundError, NotADirectoryError)

_LIMIT = 1 << 25
"""Bytes that a file of the log may have: 256 entries of 64 KiB, and their lengths."""


class LogFolder:
    """The log of an archive, below its metadata directory."""

    def __init__(self, metadata: Path, *, lenient: bool = False) -> None:
        """Open it; with `lenient`, folders that cannot be read are empty to the other methods.

        That is for who tells of them, by `unreadable`.
        """
        self.path = metadata / "log"
        self._lenient = lenient

    @classmethod
    def at(cls, path: Path, *, lenient: bool = False) -> LogFolder:
        """Return the log whose files lie in a folder of any name, such as a copy of one."""
        made = cls(path, lenient=lenient)
        made.path = path
        return made

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file of the log, None where it is not there.

        Raises:
            StorageError: it cannot be read.
            LogFormatError: it is larger than any file of a log.
        """
        path = self.path / name
        try:
            # A pipe would be waited for, for ever.
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as source:
                if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                    raise LogFormatError("no file of the log", where=str(path))
                # Room for the limit, made for each of many tiles, would take longer than reading.
                size = os.fstat(source.fileno()).st_size
                raw = source.read(min(size, _LIMIT) + 1)
        except _ABSENT:
            return None
        except OSError as fault:
            raise StorageError(f"cannot read ({fault.strerror})", where=str(path)) from fault
        if len(raw) > _LIMIT:
            raise LogFormatError("too large for a file of the log", where=str(path))
        return raw

    def read_tile(self, tile: Tile) -> bytes:
        """Return the bytes of a tile or bundle, of the width asked for.

        Raises:
            LogFormatError: it is not there, or not of its form.
        """
        raw = self.read(tile.path)
        if raw is None and not tile.is_full:
            whole = self.read(tile.full.path)
            raw = cut(whole, tile) if whole is not None else None
        if raw is None:
            raise LogFormatError(
                "a part of the log is missing",
                where=str(self.path / tile.path),
                hint="Restore it from a copy; `provenance verify` says what else is damaged.",
            )
        return raw

    def newest(self) -> tuple[Checkpoint, bytes] | None:
        """Return the newest checkpoint and its bytes, None where there is no log yet.

        It is the largest that was kept: a command that was killed between its last two files has
        kept it already.

        Raises:
            LogFormatError: what is there is no checkpoint.
        """
        newest = self._checkpoint(CHECKPOINT)
        for size in self.sizes()[-1:]:
            if newest is None or size > newest[0].size:
                newest = self._checkpoint(f"{CHECKPOINTS}/{size}")
        return newest

    def _checkpoint(self, name: str) -> tuple[Checkpoint, bytes] | None:
        raw, where = self.read(name), str(self.path / name)
        if raw is None:
            return None
        return parse_checkpoint(text_of(raw, where=where), where=where), raw

    def sizes(self) -> tuple[int, ...]:
        """Return the sizes of the checkpoints that were kept, the smallest first.

        Raises:
            StorageError: their folder cannot be read, here and below.
        """
        return self._numbers(CHECKPOINTS)

    def entries(self, size: int) -> Iterator[tuple[int, bytes]]:
        """Yield (index, leaf) for all leaves of a log of `size`, in order.

        Raises:
            LogFormatError: a part is missing, or not of its form.
        """
        for first in range(0, size, FULL):
            tile = Tile(level=None, index=first // FULL, width=min(FULL, size - first))
            yield from enumerate(parse_bundle(self.read_tile(tile), tile), first)

    def root(self, size: int) -> bytes:
        """Return the root over the first `size` leaves, as the tiles give it."""
        return CompactRange.from_nodes(size, self.hashes(size)).root()

    def hashes(self, size: int) -> StoredHashes:
        """Return the reader of node hashes for the first `size` leaves."""
        return StoredHashes(size, self.read_tile)

    def check(self, head: Checkpoint) -> None:
        """Check that the tiles give the root of a checkpoint.

        Raises:
            ProofError: they do not.
        """
        found = self.root(head.size)
        if found != head.root:
            raise ProofError(
                "the tiles of the log are not those of its checkpoint",
                where=str(self.path),
                expected=to_base64(head.root),
                found=to_base64(found),
                hint="`provenance verify` says which; restore them from a copy.",
            )

    def stamped_sizes(self) -> tuple[int, ...]:
        """Return the sizes of the checkpoints that have time-stamps, the smallest first."""
        return self._numbers(STAMPS)

    def append(self, size: int, entries: Sequence[bytes]) -> None:
        """Write the tiles that `entries` add to a log of `size` leaves, synced to disk.

        Raises:
            StorageError: the disk refused; the checkpoint is as it was.
        """
        for tile, raw in grow(size, entries, self.read_tile):
            self.put(tile.path, raw)

    def put(self, name: str, raw: bytes) -> None:
        """Write a file of the log whole or not at all, synced to disk.

        Raises:
            StorageError: the disk refused.
        """
        write_whole(self.path / name, raw, what="The log")

    def drop_unwritten(self) -> None:
        """Remove what a command that was killed had not written to its end."""
        for name in self.names():
            if name.endswith(WAITING):
                (self.path / name).unlink(missing_ok=True)

    def publish(self, size: int, raw: bytes) -> None:
        """Keep a checkpoint over `size` leaves, and make it the newest."""
        self.put(f"{CHECKPOINTS}/{size}", raw)
        self.put(CHECKPOINT, raw)

    def drop_outgrown(self, old: int, new: int) -> None:
        """Remove the partial tiles of the tree of `old` leaves that the tree of `new` replaces.

        Source: C2SP tlog-tiles, Partial Tiles.
        """
        kept = {tile.path for tile in partial_tiles(new)}
        for tile in partial_tiles(old):
            if tile.path not in kept:
                path = self.path / tile.path
                path.unlink(missing_ok=True)
                if not any(path.parent.iterdir()):
                    path.parent.rmdir()

    def names(self) -> Iterator[str]:
        """Yield the name of every file below the folder, in order."""
        for folder, folders, files in os.walk(self.path, onerror=self._refuse):
            folders.sort()
            for each in sorted(files):
                yield (Path(folder) / each).relative_to(self.path).as_posix()

    def names_in(self, folder: str) -> tuple[str, ...]:
        """Return the names of what lies in a folder of the log, in order; none where it is not."""
        try:
            return tuple(sorted(each.name for each in (self.path / folder).iterdir()))
        except OSError as fault:
            self._refuse(fault)
            return ()

    def unreadable(self) -> Iterator[tuple[str, str]]:
        """Yield each folder of the log that cannot be read, and why."""
        faults: dict[str, OSError] = {}

        def keep(fault: OSError) -> None:
            if not isinstance(fault, _ABSENT):
                faults.setdefault(str(fault.filename), fault)

        for _ in os.walk(self.path, onerror=keep):
            pass
        stamped = (
            f"{STAMPS}/{size}" for size in LogFolder.at(self.path, lenient=True).stamped_sizes()
        )
        # Those that are links are not walked through, and yet read.
        for name in (CHECKPOINTS, STAMPS, *stamped):
            try:
                next((self.path / name).iterdir(), None)
            except OSError as fault:
                keep(fault)
        for path, kept in sorted(faults.items()):
            name = Path(path).relative_to(self.path).as_posix()
            yield ("" if name == "." else name), f"cannot read ({kept.strerror})"

    def _numbers(self, folder: str) -> tuple[int, ...]:
        names = self.names_in(folder)
        return tuple(sorted(int(name) for name in names if parse_decimal(name) is not None))

    def _refuse(self, fault: OSError) -> None:
        if not (self._lenient or isinstance(fault, _ABSENT)):
            where = str(fault.filename)
            raise StorageError(f"cannot read ({fault.strerror})", where=where) from fault


def write_whole(path: Path, raw: bytes, *, what: str) -> None:
    """Write a file whole or not at all, with the folders that it needs, synced to disk.

    `what` is called as it was where the disk refuses.

    Raises:
        StorageError: the disk refused; what was there still is.
    """
    waiting = path.with_name(f"{path.name}{WAITING}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with waiting.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        waiting.replace(path)
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as fault:
        with contextlib.suppress(OSError):
            waiting.unlink(missing_ok=True)
        raise StorageError(
            f"cannot write ({fault.strerror})",
            where=str(path),
            hint=f"{what} is as it was; make room or allow writing, and run it again.",
        ) from fault


def read_given(path: Path) -> bytes:
    """Return the bytes of a small file that a person named: a checkpoint, a proof, certificates.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        with path.open("rb") as source:
            return source.read(_LIMIT)
    except OSError as fault:
        raise StorageError(f"cannot read ({fault.strerror})", where=str(path)) from fault


def log_head(metadata: Path) -> str | None:
    """Return the newest checkpoint as a run's records name it: origin, size and root in a line.

    None where there is none that can be read: whoever verifies is told of that.
    """
    try:
        newest = LogFolder(metadata).newest()
    except ProvenanceError:
        return None
    if newest is None:
        return None
    head = newest[0]
    return f"{head.origin} {head.size} {to_base64(head.root)}"
