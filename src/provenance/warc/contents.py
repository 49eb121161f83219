"""Get what a capture record holds: its content, its HTTP head, its JSON note, or itself."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from isal import isal_zlib

from provenance.digest import Digest, from_hex
from provenance.errors import StorageError, WarcFormatError
from provenance.http_body import content_pieces
from provenance.http_message import HEAD_LIMIT, body_shape, head_end, parse_response_head
from provenance.warc.reader import Record, read_records
from provenance.warc.record import RecordHeader

_PIECE = 1 << 18
_AFTER = b"\r\n\r\n"
"""What ends each record in its file; its digest does not cover it."""


def read_content(path: Path, offset: int, ordinal: int = 0) -> Iterator[bytes]:
    """Yield the decoded content of the response or resource record at `offset`, in pieces.

    Raises:
        WarcFormatError: there is no such record, or it holds no content.
        StorageError: the file cannot be read.
    """
    header, head_raw = read_head(path, offset, ordinal)
    if header.type not in ("response", "resource"):
        raise WarcFormatError(
            "no content here", where=path.name, offset=offset, found=f"a {header.type} record"
        )
    head = parse_response_head(head_raw) if head_raw else None
    if head is None:
        yield from _block(path, offset, ordinal, skip=0)
        return

    def body() -> Iterable[bytes]:
        return _block(path, offset, ordinal, skip=head.size)

    cut = header.value("WARC-Truncated") is not None
    yield from content_pieces(body_shape(head), body, cut=cut)


def read_head(path: Path, offset: int, ordinal: int = 0) -> tuple[RecordHeader, bytes]:
    """Return the record's header and the HTTP head at the start of its block (`b""` if none)."""
    with closing(_records(path, offset)) as records:
        record = _nth(records, path, offset, ordinal)
        return record.header, _head_of(record)


def read_head_of(
    path: Path, offset: int, ordinal: int, *, digest: Digest, size: int, limit: int
) -> bytes:
    """Return the HTTP head (`b""` if none) of the record that an index names: digest, block's size.

    A block of more than `limit` bytes is not read to its end, so that its digest is not held
    against that of the index.

    Raises:
        WarcFormatError: another record stands there, or none.
        StorageError: the file cannot be read.
    """
    with closing(_records(path, offset)) as records:
        record = _nth(records, path, offset, ordinal)
        is_it = record.block_size == size
        head = _head_of(record) if is_it else b""
        if is_it and size <= limit:
            record.finish()
            is_it = record.digest == digest
    if not is_it:
        raise _other_record(path, offset, expected=digest, found=record.digest)
    return head


def _head_of(record: Record) -> bytes:
    if not (record.header.value("Content-Type") or "").lower().startswith("application/http"):
        return b""
    raw = b""
    for piece in record.pieces():
        raw += piece
        if head_end(raw) is not None or len(raw) > HEAD_LIMIT:
            break
    return raw[: head_end(raw)]


def _other_record(
    path: Path, offset: int, *, expected: Digest, found: str | None
) -> WarcFormatError:
    return WarcFormatError(
        "not the record that the index names",
        where=path.name,
        offset=offset,
        expected=expected,
        found=found or "another",
        hint="Run `provenance verify`.",
    )


def read_block(path: Path, offset: int, ordinal: int = 0, *, limit: int) -> bytes:
    """Return the first `limit` bytes of the block of the record at `offset`, whatever its type.

    Raises:
        WarcFormatError: there is no such record.
    """
    found = bytearray()
    for piece in _block(path, offset, ordinal, skip=0):
        found += piece
        if len(found) >= limit:
            break
    return bytes(found[:limit])


def _block(path: Path, offset: int, ordinal: int, *, skip: int) -> Iterator[bytes]:
    with closing(_records(path, offset)) as records:
        for piece in _nth(records, path, offset, ordinal).pieces():
            if skip >= len(piece):
                skip -= len(piece)
                continue
            yield piece[skip:]
            skip = 0


def _records(path: Path, offset: int) -> Generator[Record, None, None]:
    yield from read_records(path, start=offset)


def _nth(records: Iterator[Record], path: Path, offset: int, ordinal: int) -> Record:
    for number, record in enumerate(records):
        if number == ordinal:
            return record
    raise WarcFormatError("no record here", where=path.name, offset=offset)


def read_member(path: Path, offset: int, length: int, digest: Digest) -> Iterator[bytes]:
    """Yield the gzip member at `offset`, `length` bytes as they are stored, in pieces.

    The last piece comes only once the member is known to hold the one record whose digest is
    `digest`, two line ends after it, and nothing else.

    Raises:
        WarcFormatError: it does not; what was yielded before is not to be used.
        StorageError: the file cannot be read.
    """
    inside, held = _Inside(), b""
    try:
        with path.open("rb") as source:
            source.seek(offset)
            while length and (piece := source.read(min(length, _PIECE))):
                length -= len(piece)
                inside.feed(piece)
                if held:
                    yield held
                held = piece
    except isal_zlib.error as fault:  # type: ignore[misc]
        raise WarcFormatError(
            f"the gzip member is damaged ({fault})", where=path.name, offset=offset
        ) from fault
    except OSError as fault:
        raise StorageError(f"cannot read ({fault.strerror})", where=path.name) from fault
    if length or inside.digest() != digest:
        found = inside.digest() or "no gzip member with one whole record"
        raise _other_record(path, offset, expected=digest, found=found)
    yield held


class _Inside:
    """The digest of the record inside a gzip member that is fed piece by piece."""

    def __init__(self) -> None:
        self._inflate = isal_zlib.decompressobj(wbits=31)
        self._hash = hashlib.sha256()
        self._last = b""

    def feed(self, raw: bytes) -> None:
        while not self._inflate.eof:
            plain = self._inflate.decompress(raw, _PIECE)
            raw = self._inflate.unconsumed_tail
            if not plain and not raw:
                return
            plain = self._last + plain
            self._hash.update(plain[: -len(_AFTER)])
            self._last = plain[-len(_AFTER) :]

    def digest(self) -> Digest | None:
        """Return the record's digest, None where the member is not whole or more follows it."""
        whole = self._inflate.eof and not self._inflate.unused_data and self._last == _AFTER
        return from_hex(self._hash.hexdigest()) if whole else None
