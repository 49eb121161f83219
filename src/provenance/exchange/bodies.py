"""Read one body off the wire into its spool: where it ends, what it hashes to, why it was cut."""

from __future__ import annotations

import contextlib
import hashlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from provenance.digest import from_hex
from provenance.errors import StorageError
from provenance.exchange.values import Answer, Surplus
from provenance.http_body import BodyMeter
from provenance.http_message import Framing, MessageEnd, ResponseHead, body_shape

IN_MEMORY = 1 << 20
"""Bytes of a block that are held in memory; a larger one goes to a file without a name."""

_PIECE = 1 << 16
_CODED_PIECE = 1 << 12


class Spool:
    """What is kept of a block while it arrives.

    Raises:
        StorageError: the disk refused.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file: BinaryIO = io.BytesIO()
        self._room = IN_MEMORY

    def write(self, raw: bytes) -> None:
        """Append `raw`."""
        self._room -= len(raw)
        try:
            if self._room < 0 and isinstance(self._file, io.BytesIO):
                self._to_disk(self._file.getvalue())
            self._file.write(raw)
        except OSError as fault:
            raise self._refused(fault) from fault

    def _to_disk(self, raw: bytes) -> None:
        self._file = cast(BinaryIO, tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115
        self._file.write(raw)

    def finished(self) -> BinaryIO:
        """Return the file, wound back; its reader closes it."""
        try:
            self._file.seek(0)  # what is buffered is written only now
        except OSError as fault:
            raise self._refused(fault) from fault
        return self._file

    def drop(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _refused(self, fault: OSError) -> StorageError:
        self.drop()
        return StorageError(
            f"what arrives cannot be kept while it is read ({fault.strerror or fault})",
            where=str(self._folder or tempfile.gettempdir()),
            hint="What was reported as saved is kept; make room or mend the disk, and run again.",
        )


class BodyReading:
    """The state of reading one body: spool, hashes, and where the message ends."""

    def __init__(self, spool: Spool, head_bytes: bytes, head: ResponseHead) -> None:
        self.head = head
        self.shape = body_shape(head)
        self.end = MessageEnd(self.shape)
        self.meter = BodyMeter(self.shape, self.end.dechunker)
        self.rest = b""
        self.taken = len(head_bytes)
        self.spool = spool
        self._block = hashlib.sha256(head_bytes)
        # Decoding can take long: the time is looked at more often then.
        self.piece_size = _CODED_PIECE if self.shape.codings else _PIECE
        spool.write(head_bytes)

    def read(
        self, next_piece: Callable[[int], bytes], patience: Callable[[], float], *, max_bytes: int
    ) -> str | None:
        """Read to the message's end; return why it was cut, or None.

        Raises:
            StorageError: the disk refused.
        """
        while not self.end.done:
            if self.end.size >= max_bytes:
                return "length"
            try:
                patience()
                piece = next_piece(self.piece_size)
            except TimeoutError:
                return "time"
            except OSError:
                return "disconnect"
            if not piece:
                ended = self.shape.framing is Framing.CLOSE
                return None if ended else "disconnect"
            self._take(piece, room=max_bytes - self.end.size)
        return None

    def _take(self, piece: bytes, *, room: int) -> None:
        belongs = self.end.feed(piece[:room])
        kept = piece[:belongs]
        self.rest = piece[belongs:]
        self.spool.write(kept)
        self._block.update(kept)
        self.meter.feed(kept, self.end.payload)
        self.taken += belongs

    def answer(
        self, *, cut: str | None, interim: tuple[bytes, ...], surplus: Surplus | None
    ) -> Answer:
        """Return the finished answer, its spool wound back.

        Raises:
            StorageError: the disk refused.
        """
        dechunker = self.end.dechunker
        return Answer(
            spool=self.spool.finished(),
            block_size=self.taken,
            block_digest=from_hex(self._block.hexdigest()),
            body_digest=self.meter.body_digest,
            head=self.head,
            shape=self.shape,
            digests=self.meter.finish(cut=cut is not None),
            chunk_sizes=tuple(dechunker.sizes) if dechunker else (),
            chunk_count=dechunker.count if dechunker else 0,
            cut=cut,
            interim=interim,
            surplus=surplus,
        )
