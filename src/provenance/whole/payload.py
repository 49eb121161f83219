"""Hash a record's payload while its block streams by, in the readings that writers use.

Source: WARC 1.1 §5.9 and §6.3.2: the payload is the entity body without transfer coding; other
writers hash the body as stored, or decoded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from provenance.digest import from_hex
from provenance.http_body import BodyDigests, BodyMeter, content_pieces
from provenance.http_message import (
    HEAD_LIMIT,
    BodyShape,
    Dechunker,
    Framing,
    ResponseHead,
    body_shape,
    head_end,
    parse_field_lines,
    parse_response_head,
)

_BODILESS = BodyShape(framing=Framing.CLOSE)


class PayloadGauge:
    """Take a block in; give the payload's digests in each reading.

    `http` says that the block opens with an HTTP head. `algorithm` is that of the declared digest,
    None where there is none. `measured` asks for payload and content as this tool names them.
    """

    def __init__(self, *, http: bool, algorithm: str | None, measured: bool, cut: bool) -> None:
        self.head: ResponseHead | None = None
        self.shape = _BODILESS
        self.body_size = 0
        self.head_size = 0
        self._http = http
        self.measured = measured
        self._cut = cut
        self._pending: bytearray | None = bytearray() if http else None
        self._algorithm = algorithm
        self._stored = hashlib.new(algorithm, usedforsecurity=False) if algorithm else None
        self._plain = hashlib.sha256() if measured and algorithm != "sha256" else None
        self._dechunker: Dechunker | None = None
        self._dechunked: hashlib._Hash | None = None
        self._meter: BodyMeter | None = None

    def feed(self, piece: bytes) -> None:
        """Take in the next bytes of the block."""
        if self._pending is None:
            self._feed_body(piece)
            return
        start = len(self._pending)
        self._pending += piece
        end = head_end(self._pending, start)
        if end is not None or len(self._pending) > HEAD_LIMIT:
            self._begin_body(end)

    def _begin_body(self, end: int | None) -> None:
        raw, self._pending = bytes(self._pending or b""), None
        if end is None:
            end = len(raw) if len(raw) <= HEAD_LIMIT else 0
        self.head_size = end
        self.head = parse_response_head(raw[:end])
        self.shape = _shape_of(raw[:end], self.head)
        if self.shape.framing is Framing.CHUNKED and self._algorithm:
            self._dechunker = Dechunker()
            self._dechunked = hashlib.new(self._algorithm, usedforsecurity=False)
        if self.measured and (self.shape.framing is Framing.CHUNKED or self.shape.codings):
            self._meter, self._plain = BodyMeter(self.shape), None
        if raw[end:]:
            self._feed_body(raw[end:])

    def _feed_body(self, piece: bytes) -> None:
        self.body_size += len(piece)
        if self._stored is not None:
            self._stored.update(piece)
        if self._plain is not None:
            self._plain.update(piece)
        if self._dechunker is not None and self._dechunked is not None:
            self._dechunked.update(self._dechunker.feed(piece))
        if self._meter is not None:
            self._meter.feed(piece)

    def finish(self) -> None:
        """Say that the block has ended."""
        if self._pending is not None:
            self._begin_body(None)

    @property
    def stored(self) -> bytes | None:
        """The declared algorithm's digest of the body as stored."""
        return self._stored.digest() if self._stored is not None else None

    @property
    def dechunked(self) -> bytes | None:
        """The declared algorithm's digest of the de-chunked body, None where it is not chunked."""
        if self._dechunker is None or self._dechunker.fault or self._dechunked is None:
            return None
        return self._dechunked.digest()

    def digests(self) -> BodyDigests:
        """Return payload and content as this tool names them; only where `measured`."""
        if self._meter is not None:
            return self._meter.finish(cut=self._cut)
        plain = self._plain or self._stored or hashlib.sha256()
        digest = from_hex(plain.hexdigest())
        return BodyDigests(
            payload_digest=digest,
            payload_size=self.body_size,
            content_id=digest,
            content_size=self.body_size,
            undecoded=None,
        )


def _shape_of(raw: bytes, head: ResponseHead | None) -> BodyShape:
    if head is not None:
        return body_shape(head)
    for name, value in parse_field_lines(raw):
        if name.lower() == b"transfer-encoding" and b"chunked" in value.lower():
            return BodyShape(framing=Framing.CHUNKED)
    return _BODILESS


def decoded_digest(shape: BodyShape, body: Callable[[], Iterable[bytes]], algorithm: str) -> bytes:
    """Return the digest of a body with its codings removed; `body()` starts it afresh."""
    hashed = hashlib.new(algorithm, usedforsecurity=False)
    for piece in content_pieces(shape, body, cut=True):
        hashed.update(piece)
    return hashed.digest()
