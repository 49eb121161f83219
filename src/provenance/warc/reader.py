"""Stream the records of a WARC file, plain or gzip, and hash each as it goes by.

The reader follows the framing and stops with an error where it breaks; judging is `verify`'s task.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from provenance.digest import Digest, from_hex
from provenance.errors import StorageError, TruncatedRecordError, WarcFormatError
from provenance.warc.members import GZIP_MAGIC, read_members
from provenance.warc.record import HEADER_LIMIT, RecordHeader, parse_header

_STEP = 1 << 18
_TRAILER = b"\r\n\r\n"
_EMPTY_LINE = re.compile(rb"\r\n\r\n|\n\n")


class _Plain(Protocol):
    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, `b""` at the end."""


class _Buffered:
    """Plain bytes with a look-ahead, cut into header, block and trailer."""

    def __init__(self, source: _Plain, ahead: bytes = b"") -> None:
        self._source = source
        self.ahead = ahead

    def fill(self, size: int = 1) -> bool:
        while len(self.ahead) < size:
            piece = self._source.read(_STEP)
            if not piece:
                return False
            self.ahead += piece
        return True

    def take(self, size: int) -> bytes:
        if not self.ahead:
            self.ahead = self._source.read(_STEP)
        taken, self.ahead = self.ahead[:size], self.ahead[size:]
        return taken

    def header(self) -> bytes | None:
        """Return the bytes through the empty line, or None at the end of the source."""
        searched = 0
        while True:
            # A header with bare LF may stand before a block that has the other mark.
            if found := _EMPTY_LINE.search(self.ahead, max(searched - 3, 0)):
                return self.take(found.end())
            searched = len(self.ahead)
            if searched > HEADER_LIMIT or not self.fill(searched + 1):
                return None


class Record:
    """One record: its header, its block as a stream, and, once read out, its digests and place.

    `offset` and `length` place the gzip member (or the plain record, trailer included) in the file.
    `digest` is SHA-256 over header and block (the capture id, where the record is a capture);
    `block_digest` over the block alone. Both are None until the block is read out, as `length` is
    until the iteration went on or `finish` was called.
    """

    def __init__(self, *, warc: str, offset: int, header: RecordHeader, source: _Buffered) -> None:
        self.warc = warc
        self.offset = offset
        self.header = header
        self.length: int | None = None
        self.digest: Digest | None = None
        self.block_digest: Digest | None = None
        self.block_size = header.content_length or 0
        self._source = source
        self._left = self.block_size
        self._block_hash = hashlib.sha256()
        self._whole_hash = hashlib.sha256(header.raw)

    def read(self, size: int = _STEP) -> bytes:
        """Return 1 to `size` bytes of the block, or `b""` at its end.

        Raises:
            TruncatedRecordError: the record or its gzip member ends before Content-Length.
        """
        if not self._left:
            self._note_digests()
            return b""
        piece = self._source.take(min(size, self._left))
        if not piece:
            raise TruncatedRecordError(
                f"the block ends {self._left} bytes early",
                where=self.warc,
                offset=self.offset,
                expected=f"{self.block_size} bytes",
                found=f"{self.block_size - self._left}",
            )
        self._left -= len(piece)
        self._block_hash.update(piece)
        self._whole_hash.update(piece)
        return piece

    def pieces(self) -> Iterator[bytes]:
        """Yield the rest of the block."""
        while piece := self.read():
            yield piece

    def block(self, limit: int) -> bytes:
        """Return the rest of the block, at most `limit` bytes of it."""
        pieces: list[bytes] = []
        left = limit
        while left > 0 and (piece := self.read(left)):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def finish(self) -> None:
        """Read the block out, so that the digests stand."""
        while self.read():
            pass

    def _note_digests(self) -> None:
        if self.digest is None:
            self.digest = from_hex(self._whole_hash.hexdigest())
            self.block_digest = from_hex(self._block_hash.hexdigest())


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file to read; turn the system's refusal, then or later, into `StorageError`."""
    try:
        with path.open("rb") as source:
            yield source
    except OSError as fault:
        raise StorageError(
            f"cannot read ({fault.strerror})",
            where=str(path),
            hint="Mend the disk or the permissions, or restore the file from a copy.",
        ) from fault


def read_records(path: Path, *, start: int = 0) -> Iterator[Record]:
    """Yield every record of the WARC file at `path` from byte `start`, in file order.

    Each record's block is read out, and its `length` set, before the next one is yielded; the last
    one's by the end of the iteration. A gzip member may hold several records, as other writers do;
    `offset` is then the member's and `length` the member's for each.

    Raises:
        WarcFormatError: what is there is no WARC record, or gzip is damaged.
        TruncatedRecordError: the file ends inside a record.
        StorageError: the file cannot be read.
    """
    with opened(path) as source:
        if source.read(2) == GZIP_MAGIC:
            yield from _gzip_records(source, path.name, start)
        else:
            yield from _plain_records(source, path.name, start)


def read_record_at(path: Path, offset: int) -> Iterator[Record]:
    """Yield the one record that starts at byte `offset` of the file (a generator, to be closed)."""
    for record in read_records(path, start=offset):
        yield record
        return


def _gzip_records(source: BinaryIO, name: str, start: int) -> Iterator[Record]:
    for member in read_members(source, start=start, where=name):
        buffered = _Buffered(member)
        held: list[Record] = []
        while (record := _next_record(buffered, name, member.offset)) is not None:
            held.append(record)
            yield record
            record.finish()
            _skip_trailer(buffered)
        member.skip_rest()
        for record in held:
            record.length = member.length


def _plain_records(source: BinaryIO, name: str, start: int) -> Iterator[Record]:
    source.seek(start)
    buffered = _Buffered(source)
    offset = start
    while (record := _next_record(buffered, name, offset)) is not None:
        yield record
        record.finish()
        trailer = _skip_trailer(buffered)
        record.length = len(record.header.raw) + record.block_size + trailer
        offset += record.length


def _next_record(buffered: _Buffered, name: str, offset: int) -> Record | None:
    if not buffered.fill():
        return None
    raw = buffered.header()
    if raw is None:
        if buffered.ahead.startswith(b"WARC/") and len(buffered.ahead) <= HEADER_LIMIT:
            raise TruncatedRecordError(
                "the file ends inside a record header", where=name, offset=offset
            )
        parse_header(buffered.ahead[:80] + b"\r\n", where=name, offset=offset)
        raise WarcFormatError("the record header has no end", where=name, offset=offset)
    header = parse_header(raw, where=name, offset=offset)
    if header.content_length is None:
        raise WarcFormatError(
            "the record has no usable Content-Length",
            where=name,
            offset=offset,
            found=repr(header.value("Content-Length")),
        )
    return Record(warc=name, offset=offset, header=header, source=buffered)


def _skip_trailer(buffered: _Buffered) -> int:
    buffered.fill(len(_TRAILER))
    if buffered.ahead == _TRAILER and not buffered.fill(len(_TRAILER) + 1):
        return len(buffered.take(len(_TRAILER)))
    size = 0
    while buffered.ahead[:1] in (b"\r", b"\n"):
        size += len(buffered.take(1))
        buffered.fill()
    return size
