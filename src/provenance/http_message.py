"""Read HTTP/1.x messages out of bytes: head, framing, chunking, content codings. Opens no socket.

Nothing here changes a byte. A head is interpreted leniently, as user agents do; the bytes it was
read from are what is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum

HEAD_LIMIT = 1 << 20
"""Bytes a response head may have before it counts as no HTTP."""

CHUNKS_LISTED = 10_000
"""How many chunk sizes of one body are remembered; the others are only counted."""

_HEAD_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/(\d)\.(\d)[ \t]+(\d{3})(?:[ \t]+(.*))?\Z", re.DOTALL)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?\Z", re.DOTALL)
_WHOLE_RANGE = re.compile(r"bytes[ \t]+0-([0-9]{1,18})/([0-9]{1,18})", re.IGNORECASE)
_LINE_LIMIT = 1 << 16


class Framing(Enum):
    """How the end of a body is known.

    Source: RFC 9112 §6.3.
    """

    NONE = "none"
    CHUNKED = "chunked"
    LENGTH = "length"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHead:
    """A response's status line and fields; `size` counts its bytes, empty line included."""

    version: str
    status: int
    reason: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    size: int

    def values(self, name: str) -> tuple[str, ...]:
        """Return the values of every field of this name, in order, decoded as Latin-1."""
        wanted = name.lower().encode("latin-1")
        size = len(wanted)  # most names are of another length, and a look at it is cheap
        return tuple(
            [
                value.decode("latin-1")
                for key, value in self.fields
                if len(key) == size and key.lower() == wanted
            ]
        )

    def value(self, name: str) -> str | None:
        """Return the first value of this name, or None."""
        return next(iter(self.values(name)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyShape:
    """How a body is framed and coded; `length` only where the framing is LENGTH."""

    framing: Framing
    length: int | None = None
    codings: tuple[str, ...] = ()


class Undecoded(StrEnum):
    """Why content is not what the head promises: the bytes stand as they came."""

    CHUNKING = "chunking"
    CODING_UNKNOWN = "coding_unknown"
    CODING_BROKEN = "coding_broken"
    TOO_LARGE = "too_large"


def head_end(raw: bytes | bytearray, start: int = 0) -> int | None:
    """Return the index just past the empty line that ends a head, or None while it is missing."""
    match = _HEAD_END.search(raw, max(start - 3, 0))
    return match.end() if match else None


def parse_response_head(raw: bytes) -> ResponseHead | None:
    """Parse the head at the start of `raw` (which may go on with a body); None if it is no HTTP.

    A missing empty line means that the head goes to the end of `raw`.

    Source: RFC 9112 §4, §5; folded lines (§5.2) are joined with one space.
    """
    size = head_end(raw)
    size = len(raw) if size is None else size
    lines = raw[:size].split(b"\n")
    match = _STATUS_LINE.match(lines[0].rstrip(b"\r"))
    if not match:
        return None
    return ResponseHead(
        version=f"{match[1].decode()}.{match[2].decode()}",
        status=int(match[3]),
        reason=match[4] or b"",
        fields=_parse_fields(lines[1:]),
        size=size,
    )


def parse_field_lines(raw: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Parse the field lines of any HTTP head (its first line left out) into ordered pairs."""
    return _parse_fields(raw.split(b"\n")[1:])


def _parse_fields(lines: Iterable[bytes]) -> tuple[tuple[bytes, bytes], ...]:
    fields: list[tuple[bytes, list[bytes]]] = []
    for line in lines:
        line = line.rstrip(b"\r")
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1][1].append(line.strip())
        elif b":" in line:
            name, value = line.split(b":", 1)
            fields.append((name.strip(), [value.strip(b" \t\r")]))
    return tuple((name, b" ".join(part for part in parts if part)) for name, parts in fields)


def body_shape(head: ResponseHead, *, method: str = "GET") -> BodyShape:
    """Return how the body after `head` is framed and coded.

    Source: RFC 9112 §6.3; a Content-Length that is no number, or of two minds, counts as absent.
    """
    codings = _tokens(head.values("content-encoding"))
    if method == "HEAD" or head.status in (204, 304) or 100 <= head.status < 200:
        return BodyShape(framing=Framing.NONE)
    transfer = _tokens(head.values("transfer-encoding"))
    if transfer:
        if transfer[-1] == "chunked":
            return BodyShape(framing=Framing.CHUNKED, codings=codings + transfer[:-1])
        return BodyShape(framing=Framing.CLOSE, codings=codings + transfer)
    lengths = {part.strip() for value in head.values("content-length") for part in value.split(",")}
    if len(lengths) == 1 and re.fullmatch(r"[0-9]{1,18}", next(iter(lengths))):
        return BodyShape(framing=Framing.LENGTH, length=int(lengths.pop()), codings=codings)
    return BodyShape(framing=Framing.CLOSE, codings=codings)


def is_part(head: ResponseHead) -> bool:
    """Return True where the body is said to be a part of the document, not the whole of it.

    Source: RFC 9110 §14.4, §15.3.7.
    """
    if head.status != 206:
        return False
    match = _WHOLE_RANGE.fullmatch(head.value("content-range") or "")
    return match is None or int(match[1]) + 1 != int(match[2])


def _tokens(values: Iterable[str]) -> tuple[str, ...]:
    tokens = (part.strip().lower() for value in values for part in value.split(","))
    return tuple(token for token in tokens if token and token != "identity")


def media_type_of(head: ResponseHead) -> tuple[str | None, str | None]:
    """Return (media type, charset) as the Content-Type field declares them, both lower-cased.

    Source: RFC 9110 §8.3; with several fields the last one counts, as in browsers.
    """
    values = head.values("content-type")
    if not values:
        return None, None
    kind, _, parameters = values[-1].partition(";")
    match = re.search(r"charset\s*=\s*[\"']?([^\s\"';,]+)", parameters, re.IGNORECASE)
    kind = kind.strip().lower()
    known = kind if re.fullmatch(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+*-]+", kind) else None
    return known, match[1].lower() if match else None


class Dechunker:
    """Take the chunked transfer coding off, piece by piece.

    `done` is True past the last trailer line; `fault` is True once the bytes are no chunked coding
    (a size line of 64 KiB or more, or more than 64 KiB of trailers, is none either); `consumed`
    counts the bytes of the coded body; `count` counts the chunks, and `sizes` lists the sizes of
    the first `CHUNKS_LISTED` of them.

    Source: RFC 9112 §7.1; a bare LF is taken for a line end.
    """

    def __init__(self) -> None:
        self.done = False
        self.fault = False
        self.consumed = 0
        self.count = 0
        self.sizes: list[int] = []
        self._step: Callable[[bytes, int], int] = self._size_line
        self._pending = b""
        self._plain: list[bytes] = []
        self._left = 0
        self._trailer = 0

    def feed(self, raw: bytes) -> bytes:
        """Return the payload bytes that `raw` brings; bytes past the end are left uncounted."""
        raw = self._pending + raw
        at = 0
        while not (self.done or self.fault):
            after = self._step(raw, at)
            if after == at:
                break
            at = after
        self.consumed += at
        self._pending = raw[at:]
        plain, self._plain = b"".join(self._plain), []
        return plain

    # Each step reads from `raw` at `at` and returns where it got to; no way on is `at` itself.

    def _line_end(self, raw: bytes, at: int) -> int:
        end = raw.find(b"\n", at, at + _LINE_LIMIT)
        if end < 0:
            self.fault = len(raw) - at >= _LINE_LIMIT
        return end

    def _size_line(self, raw: bytes, at: int) -> int:
        end = self._line_end(raw, at)
        if end < 0:
            return at
        match = _CHUNK_SIZE.match(raw[at:end].rstrip(b"\r\n"))
        if not match:
            self.fault = True
            return end + 1
        self._left = int(match[1], 16)
        self.count += 1
        if self.count <= CHUNKS_LISTED:
            self.sizes.append(self._left)
        self._step = self._chunk if self._left else self._trailer_line
        return end + 1

    def _chunk(self, raw: bytes, at: int) -> int:
        piece = raw[at : at + self._left]
        self._plain.append(piece)
        self._left -= len(piece)
        if not self._left:
            self._step = self._chunk_end
        return at + len(piece)

    def _chunk_end(self, raw: bytes, at: int) -> int:
        end = raw[at : at + 2]
        if end == b"\r\n" or end[:1] == b"\n":
            self._step = self._size_line
            return at + (1 if end[:1] == b"\n" else 2)
        self.fault = len(end) == 2 or end not in (b"", b"\r")
        return at

    def _trailer_line(self, raw: bytes, at: int) -> int:
        end = self._line_end(raw, at)
        if end < 0:
            return at
        line = raw[at:end].rstrip(b"\r\n")
        self._trailer += len(line)
        self.done = not line
        self.fault = self._trailer > _LINE_LIMIT
        return end + 1


class MessageEnd:
    """Say, while bytes arrive, where a body ends: the number of bytes that belong to it.

    `done` turns True when the framing says that the body is complete. A body that is framed by the
    closing of the connection, or whose chunking is broken, has no such place. `payload` is what the
    last `feed` brought without its chunking.
    """

    def __init__(self, shape: BodyShape) -> None:
        self.size = 0
        self.done = shape.framing is Framing.NONE or shape.length == 0
        self.framing = shape.framing
        self.payload = b""
        self._length = shape.length
        self.dechunker = Dechunker() if shape.framing is Framing.CHUNKED else None

    def feed(self, raw: bytes) -> int:
        """Count `raw` in; return how many of its bytes belong to the body."""
        self.payload = b""
        if self.done:
            return 0
        belongs = len(raw)
        if self.dechunker is not None:
            if not self.dechunker.fault:
                self.payload = self.dechunker.feed(raw)
            if self.dechunker.done:
                self.done = True
                belongs = self.dechunker.consumed - self.size
        elif self._length is not None:
            belongs = min(len(raw), self._length - self.size)
            self.done = self.size + belongs == self._length
        self.size += belongs
        return belongs
