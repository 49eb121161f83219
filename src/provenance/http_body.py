"""Turn a stored HTTP body into payload and content, and name both by digest. Opens no file.

Payload is the body with the transfer coding removed; content is the payload with the content
codings removed. Where a coding is unknown or broken, content is the payload, and the flag says so.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from provenance.digest import Digest, from_hex
from provenance.http_message import BodyShape, Dechunker, Framing, Undecoded

CONTENT_LIMIT = 2 << 30
"""Bytes that a coded body may decode to, all layers of coding together; beyond it content is the
payload (`too_large`).
"""

CODINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd"})
"""The content codings that are taken off. Source: RFC 9110 §8.4.1, RFC 7932, RFC 8878."""

STRIDE = 1 << 12
"""Bytes of payload that are decoded at a time, counted from the payload's start."""

BURST_LIMIT = 1 << 26
"""Bytes that one stride may decode to, all layers of coding together; beyond it the coding is a
bomb and content is the payload (`too_large`). gzip gives 1,032 for one byte at most, so that no
body with a single gzip coding gets there.
"""

CODINGS_LIMIT = 4
"""How many layers of coding are taken off; more count as unknown."""

ZSTD_WINDOW = 1 << 23
"""Bytes of a zstd window. Source: RFC 9659 §3."""

_STEP = 1 << 20
_STEP_COST = 1 << 12
_BITE = 256


class _CodingFault(Exception):
    pass


class _Bomb(_CodingFault):
    pass


class _Coding(Protocol):
    def decode(self, raw: bytes) -> Iterator[bytes]:
        """Yield what `raw` decodes to, in pieces of bounded size."""

    def whole(self) -> bool:
        """Return True when the coded stream ended where it should."""


class _Zlib:
    """gzip (members in a row) and deflate (with the zlib wrapper or, as some send it, without)."""

    def __init__(self, coding: str) -> None:
        self._gzip = coding != "deflate"
        self._inflate = zlib.decompressobj(wbits=31) if self._gzip else None
        self._started = False
        self._first = b""

    def decode(self, raw: bytes) -> Iterator[bytes]:
        raw = self._first + raw
        if self._inflate is None:
            if len(raw) < 2:
                self._first = raw
                return
            wrapped = raw[0] & 0x0F == 8 and (raw[0] << 8 | raw[1]) % 31 == 0
            self._inflate = zlib.decompressobj(wbits=15 if wrapped else -15)
            self._first = b""
        while raw:
            if self._inflate.eof:
                if not self._gzip:
                    raise _CodingFault
                self._inflate = zlib.decompressobj(wbits=31)
            self._started = True
            try:
                piece = self._inflate.decompress(raw, _STEP)
            except zlib.error as fault:
                raise _CodingFault from fault
            raw = self._inflate.unconsumed_tail or self._inflate.unused_data
            yield piece

    def whole(self) -> bool:
        if not self._started:
            return not self._first
        return self._inflate is not None and self._inflate.eof


class _Brotli:
    def __init__(self) -> None:
        import brotli

        self._decoder = brotli.Decompressor()
        self._fault = brotli.error
        self._started = False

    def decode(self, raw: bytes) -> Iterator[bytes]:
        self._started = self._started or bool(raw)
        try:
            plain = self._decoder.process(raw, output_buffer_limit=_STEP)
            # It says that it can take more while it still holds output: ask until it has none.
            while plain:
                yield plain
                plain = self._decoder.process(b"", output_buffer_limit=_STEP)
        except self._fault as fault:
            raise _CodingFault from fault

    def whole(self) -> bool:
        return not self._started or bool(self._decoder.is_finished())


class _Zstd:
    def __init__(self) -> None:
        import zstandard

        self._new = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj
        self._decoder = self._new()
        self._fault = zstandard.ZstdError
        self._started = False

    def decode(self, raw: bytes) -> Iterator[bytes]:
        # The decoder has no bound on what one call returns, so it gets small bites: one block
        # (RFC 8878 §3.1.1.2) decodes to 128 KiB at most, and needs four bytes or more for it.
        for start in range(0, len(raw), _BITE):
            bite = raw[start : start + _BITE]
            while bite:
                if self._decoder.eof:
                    self._decoder = self._new()
                self._started = True
                try:
                    yield self._decoder.decompress(bite)
                except self._fault as fault:
                    raise _CodingFault from fault
                bite = self._decoder.unused_data if self._decoder.eof else b""

    def whole(self) -> bool:
        return not self._started or bool(self._decoder.eof)


def _coding(name: str) -> _Coding:
    if name == "br":
        return _Brotli()
    if name == "zstd":
        return _Zstd()
    return _Zlib(name)


class _Chain:
    """Several codings, the last applied taken off first, within bounds.

    What is decoded depends on the payload alone, not on the pieces it is fed in: strides are
    counted from its start.
    """

    def __init__(self, codings: tuple[str, ...]) -> None:
        self._codings = tuple(_coding(name) for name in reversed(codings))
        self._room = STRIDE
        self._burst = 0
        self._total = 0

    def decode(self, raw: bytes) -> Iterator[bytes]:
        """Yield what `raw` decodes to.

        Raises:
            _CodingFault: the bytes do not follow the coding; `_Bomb`: they decode to too much.
        """
        at = 0
        while at < len(raw):
            bite = raw[at : at + self._room]
            at += len(bite)
            pieces: Iterable[bytes] = (bite,)
            for coding in self._codings:
                pieces = self._through(coding, pieces)
            yield from pieces
            self._room -= len(bite)
            if not self._room:
                self._room, self._burst = STRIDE, 0

    def _through(self, coding: _Coding, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            for plain in coding.decode(piece):
                # A step costs time even where nothing comes of it, as with empty gzip members.
                self._burst += len(plain) + _STEP_COST
                self._total += len(plain)
                if self._burst > BURST_LIMIT or self._total > CONTENT_LIMIT:
                    raise _Bomb
                yield plain

    def whole(self) -> bool:
        return all(coding.whole() for coding in self._codings)


def _through(chain: _Chain, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from chain.decode(piece)


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyDigests:
    """Payload and content of one body: digests, sizes in bytes, and why content is undecoded."""

    payload_digest: Digest
    payload_size: int
    content_id: Digest
    content_size: int
    undecoded: Undecoded | None


class BodyMeter:
    """Hash a body, its payload and its content while it streams by, in bounded memory.

    `dechunker` is one that the caller feeds with the same bytes; the caller then hands over what
    it gave as `payload`.
    """

    def __init__(self, shape: BodyShape, dechunker: Dechunker | None = None) -> None:
        self._fed = dechunker is not None
        self._dechunker = dechunker
        self._undecoded: Undecoded | None = None
        self._chain: _Chain | None = None
        if not CODINGS.issuperset(shape.codings) or len(shape.codings) > CODINGS_LIMIT:
            self._undecoded = Undecoded.CODING_UNKNOWN
        elif shape.codings:
            self._chain = _Chain(shape.codings)
            self._content, self._content_size = hashlib.sha256(), 0
        self._raw, self._raw_size = hashlib.sha256(), 0
        self._payload, self._payload_size = self._raw, 0
        if shape.framing is Framing.CHUNKED:
            self._dechunker = dechunker or Dechunker()
            self._payload = hashlib.sha256()

    def feed(self, raw: bytes, payload: bytes = b"") -> None:
        """Take in the next bytes of the body as stored."""
        self._raw.update(raw)
        self._raw_size += len(raw)
        if self._dechunker is None:
            payload = raw
        else:
            payload = payload if self._fed else self._dechunker.feed(raw)
            self._payload.update(payload)
        self._payload_size += len(payload)
        if self._chain is not None and not self._undecoded:
            self._feed_content(self._chain, payload)

    def _feed_content(self, chain: _Chain, payload: bytes) -> None:
        try:
            for piece in chain.decode(payload):
                self._content.update(piece)
                self._content_size += len(piece)
        except _Bomb:
            self._undecoded = Undecoded.TOO_LARGE
        except _CodingFault:
            self._undecoded = Undecoded.CODING_BROKEN

    @property
    def body_digest(self) -> Digest:
        """The digest of the body as stored, so far."""
        return from_hex(self._raw.hexdigest())

    def finish(self, *, cut: bool) -> BodyDigests:
        """Return the digests; `cut` says that the body is known to be incomplete."""
        payload, payload_size = self._payload, self._payload_size
        if self._dechunker is not None and self._broken_chunking(cut=cut):
            payload, payload_size = self._raw, self._raw_size
            self._undecoded = Undecoded.CHUNKING
        if self._chain and not (self._undecoded or cut or self._chain.whole()):
            self._undecoded = Undecoded.CODING_BROKEN
        content, content_size = payload, payload_size
        if self._chain and not self._undecoded:
            content, content_size = self._content, self._content_size
        return BodyDigests(
            payload_digest=from_hex(payload.hexdigest()),
            payload_size=payload_size,
            content_id=from_hex(content.hexdigest()),
            content_size=content_size,
            undecoded=self._undecoded,
        )

    def _broken_chunking(self, *, cut: bool) -> bool:
        dechunker = self._dechunker
        if dechunker is None or dechunker.fault:
            return dechunker is not None
        whole = dechunker.done and dechunker.consumed == self._raw_size
        return not (whole or (cut and not dechunker.done))


def payload_pieces(
    shape: BodyShape, body: Iterable[bytes], undecoded: Undecoded | None
) -> Iterator[bytes]:
    """Yield the payload of `body`, given what `BodyMeter` found out about it."""
    if shape.framing is not Framing.CHUNKED or undecoded is Undecoded.CHUNKING:
        yield from body
        return
    dechunker = Dechunker()
    for piece in body:
        if plain := dechunker.feed(piece):
            yield plain


def content_pieces(
    shape: BodyShape, body: Callable[[], Iterable[bytes]], *, cut: bool
) -> Iterator[bytes]:
    """Yield the content of a body; `body()` starts it afresh and may be called twice.

    Where the body is coded it is read once to see whether the coding holds, then once to decode.
    """
    undecoded: Undecoded | None = None
    if shape.codings or shape.framing is Framing.CHUNKED:
        meter = BodyMeter(shape)
        for piece in body():
            meter.feed(piece)
        undecoded = meter.finish(cut=cut).undecoded
    payload = payload_pieces(shape, body(), undecoded)
    if not shape.codings or undecoded:
        yield from payload
    else:
        yield from _through(_Chain(shape.codings), payload)


def content_start(
    shape: BodyShape, body: Iterable[bytes], *, undecoded: Undecoded | None, limit: int
) -> bytes:
    """Return the first `limit` bytes of content, as far as they can be decoded."""
    pieces: Iterable[bytes] = payload_pieces(shape, body, undecoded)
    if shape.codings and not undecoded:
        pieces = _through(_Chain(shape.codings), pieces)
    start = b""
    try:
        for piece in pieces:
            start += piece
            if len(start) >= limit:
                break
    except _CodingFault:
        pass  # what was decoded up to the fault is the start
    return start[:limit]
