"""Where HTTP messages end: heads, chunks and lengths, in whatever pieces the bytes come."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provenance.http_message import (
    CHUNKS_LISTED,
    BodyShape,
    Dechunker,
    Framing,
    MessageEnd,
    body_shape,
    is_part,
    parse_response_head,
)

LINE_LIMIT = 1 << 16
CODED = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([b"5\r\nhello\r\n", b"3\nabc\n", b"1;a=b\r\nx\r\n", b"0\r\n", b"\r\n",
                         b"T: x\r\n", b"0\r\n\r\n", b"g\r\n", b"2\r\nab", b"ffff\r\n", b"\r"]),
    ),
    max_size=8,
).map(b"".join)  # fmt: skip


def cut(raw: bytes, marks: list[int]) -> list[bytes]:
    """Return `raw` in pieces, cut at the marks."""
    places = sorted({0, len(raw), *(mark % (len(raw) + 1) for mark in marks)})
    return [raw[start:end] for start, end in pairwise(places)]


def dechunked(pieces: list[bytes]) -> tuple[object, ...]:
    dechunker = Dechunker()
    payload = b"".join(dechunker.feed(piece) for piece in pieces)
    return payload, dechunker.done, dechunker.fault, dechunker.consumed, dechunker.sizes


@settings(deadline=None)
@given(CODED, st.lists(st.integers(0, 200), max_size=8))
@example(b"5\r\nhello\r\n0\r\n\r\nmore", [3, 10, 17])
def test_chunks_mean_the_same_in_whatever_pieces_they_come(raw: bytes, marks: list[int]) -> None:
    """Payload, end, fault, bytes consumed and sizes depend on the bytes alone."""
    assert dechunked(cut(raw, marks)) == dechunked([raw])


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.binary(max_size=10))
def test_what_was_chunked_is_dechunked(chunks: list[bytes], after: bytes) -> None:
    """The payload is the chunks' bytes, and bytes past the end are left alone."""
    coded = b"".join(b'%X;x="\r\r"\r\n%s\r\n' % (len(each), each) for each in chunks)
    coded += b"0\r\nTrailer: x\r\n\r\n"
    payload, done, fault, consumed, sizes = dechunked([coded + after])
    assert (payload, done, fault, consumed) == (b"".join(chunks), True, False, len(coded))
    assert sizes == [*map(len, chunks), 0]


def test_a_size_line_and_trailers_have_a_limit() -> None:
    """Lines of 64 KiB are no chunked coding any more, in one piece or byte by byte."""
    for raw in (b"1;" + b"x" * LINE_LIMIT, b"0\r\n" + b"T: x\r\n" * 20_000):
        dechunker = Dechunker()
        dechunker.feed(raw)
        assert dechunker.fault
    dechunker = Dechunker()
    for _ in range(LINE_LIMIT // 64):
        assert not dechunker.fault
        dechunker.feed(b"0" * 64)
    assert dechunker.fault


def test_chunk_sizes_are_listed_up_to_a_number_and_counted_on() -> None:
    """A body of a hundred thousand chunks lists ten thousand."""
    dechunker = Dechunker()
    dechunker.feed(b"1\r\nx\r\n" * 100_000)
    assert len(dechunker.sizes) == CHUNKS_LISTED
    assert dechunker.count == 100_000


@settings(deadline=None)
@given(CODED, st.lists(st.integers(0, 200), max_size=8), st.integers(0, 30))
def test_the_end_of_a_message_is_at_the_same_byte_in_whatever_pieces(
    raw: bytes, marks: list[int], length: int
) -> None:
    """For every framing; and the payload that comes along is the dechunker's."""
    for shape in (
        BodyShape(framing=Framing.CHUNKED),
        BodyShape(framing=Framing.LENGTH, length=length),
        BodyShape(framing=Framing.CLOSE),
        BodyShape(framing=Framing.NONE),
    ):
        whole, parts = MessageEnd(shape), MessageEnd(shape)
        whole.feed(raw)
        payload = b""
        for piece in cut(raw, marks):
            parts.feed(piece)
            payload += parts.payload
        assert (parts.size, parts.done) == (whole.size, whole.done)
        assert payload == whole.payload


@pytest.mark.parametrize(
    ("fields", "framing", "length"),
    [
        (b"Content-Length: 5\r\n", Framing.LENGTH, 5),
        (b"Content-Length: 5, 5\r\nContent-Length: 5\r\n", Framing.LENGTH, 5),
        (b"Content-Length: 5\r\nContent-Length: 6\r\n", Framing.CLOSE, None),
        (b"Content-Length: +5\r\n", Framing.CLOSE, None),
        (b"Content-Length: \xb2\r\n", Framing.CLOSE, None),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Framing.CHUNKED, None),
        (b"Transfer-Encoding: chunked, gzip\r\n", Framing.CLOSE, None),
        (b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", Framing.LENGTH, 5),
        (b"", Framing.CLOSE, None),
    ],
)
def test_how_a_body_is_framed(fields: bytes, framing: Framing, length: int | None) -> None:
    """RFC 9112 §6.3; a length of two minds is none."""
    head = parse_response_head(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n")
    assert head is not None
    shape = body_shape(head)
    assert (shape.framing, shape.length) == (framing, length)


@pytest.mark.parametrize(
    ("start", "part"),
    [
        ("206 x\r\nContent-Range: bytes 0-3/1000", True),
        ("206 x\r\nContent-Range: bytes 4-7/8", True),
        ("206 x\r\nContent-Range: bytes 0-3/*", True),
        ("206 x\r\nContent-Type: multipart/byteranges; boundary=b", True),
        ("206 x\r\nContent-Range: bytes 0-7/8", False),
        ("200 x\r\nContent-Range: bytes 0-3/1000", False),
    ],
)
def test_a_206_is_a_part_unless_its_range_is_the_whole(start: str, part: bool) -> None:
    """With any other status the range says nothing (RFC 9110 §14.4)."""
    head = parse_response_head(f"HTTP/1.1 {start}\r\n\r\n".encode())
    assert head is not None
    assert is_part(head) is part
