"""Get what a capture record holds: its content, its HTTP head, its JSON note."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from provenance.errors import WarcFormatError
from provenance.http_body import content_pieces
from provenance.http_message import HEAD_LIMIT, body_shape, head_end, parse_response_head
from provenance.warc.reader import Record, read_records
from provenance.warc.record import RecordHeader


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
        if not (record.header.value("Content-Type") or "").lower().startswith("application/http"):
            return record.header, b""
        raw = b""
        for piece in record.pieces():
            raw += piece
            if head_end(raw) is not None or len(raw) > HEAD_LIMIT:
                break
        return record.header, raw[: head_end(raw)]


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
