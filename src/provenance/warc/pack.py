"""Turn a draft into one gzip member and its digest. The only door to warcio.

warcio writes the record; no HTTP head is handed to it parsed, so it re-serialises nothing.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass

from isal import isal_zlib
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from provenance.digest import Digest, from_hex
from provenance.warc.draft import Draft

GZIP_LEVEL = 2
"""isal's level; 3 is the smallest. Level 2 costs a few per cent of size and is much faster."""

_TRAILER = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What writing a record gave: its digest (header and block) and its compressed length."""

    digest: Digest
    length: int


class BlockEndedError(ValueError):
    """The stream of a block ended before the announced size."""


class _StoredHead:
    """What warcio takes for parsed HTTP headers of a revisit: the stored bytes, untouched."""

    def __init__(self, raw: bytes) -> None:
        self.headers_buff = raw

    def compute_headers_buffer(self, _header_filter: object = None) -> None:
        """Do nothing: the buffer is what it is."""


class _Writer(WARCWriter):  # type: ignore[misc]
    def ensure_digest(self, _record: object, block: bool = True, payload: bool = True) -> None:
        """Add no digest: drafts carry their own."""


class _MemberSink:
    """Take what warcio writes, hash all but the trailer, and hand on the compressed bytes."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._deflate = isal_zlib.compressobj(level=GZIP_LEVEL, wbits=31)
        self._hash = hashlib.sha256()
        self._last = b""
        self._length = 0

    def write(self, raw: bytes) -> None:
        self._hash.update(self._last)
        self._last = raw
        self._emit(self._deflate.compress(raw))

    def flush(self) -> None:
        """Do nothing: warcio flushes after each record, and the member has its own end."""

    def close(self) -> Packed:
        if self._last != _TRAILER:
            raise AssertionError("warcio ends a record with something else than CRLFCRLF")
        self._emit(self._deflate.flush())
        return Packed(digest=from_hex(self._hash.hexdigest()), length=self._length)

    def _emit(self, compressed: bytes) -> None:
        if compressed:
            self._length += len(compressed)
            self._write(compressed)


def pack(draft: Draft, write: Callable[[bytes], object]) -> Packed:
    """Hand the draft's gzip member to `write`, piece by piece.

    Raises:
        ValueError: a field holds a line break.
        BlockEndedError: the block is shorter than announced.
    """
    for name, value in draft.fields:
        if "\r" in value or "\n" in value:
            raise ValueError(f"line break in {name}: {value!r}")
    stream = io.BytesIO(draft.block) if isinstance(draft.block, bytes) else draft.block
    counted = _Counted(stream, draft.block_size)
    kind = draft.fields[0][1]
    head = None
    if kind == "revisit" and isinstance(draft.block, bytes):
        head = _StoredHead(draft.block)
        counted.left = 0
    fields = [*draft.fields, ("Content-Length", str(draft.block_size))]
    record = ArcWarcRecord(
        "warc",
        kind,
        StatusAndHeaders("", fields, protocol="WARC/1.1"),
        counted,
        head,
        None,
        draft.block_size,
        payload_length=0 if head else draft.block_size,
    )
    sink = _MemberSink(write)
    _Writer(sink, gzip=False, warc_version="1.1").write_record(record)
    if counted.left:
        raise BlockEndedError(f"the block ends {counted.left} bytes early")
    return sink.close()


class _Counted:
    """A stream of exactly so many bytes."""

    def __init__(self, stream: object, size: int) -> None:
        self._read: Callable[[int], bytes] = stream.read  # type: ignore[attr-defined]
        self.left = size

    def read(self, size: int = -1) -> bytes:
        piece = self._read(min(self.left, size if size >= 0 else self.left, 1 << 18))
        self.left -= len(piece)
        return piece
