"""Payload and content of a body: the same in whatever pieces, and bounded whatever they hold."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable
from functools import cache

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance import http_body
from provenance.digest import digest_of, from_hex
from provenance.http_body import BodyDigests, BodyMeter, content_pieces, content_start
from provenance.http_message import BodyShape, Framing, Undecoded

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda raw: gzip.compress(raw, mtime=0),
    "deflate": zlib.compress,
    "br": lambda raw: brotli.compress(raw, quality=4),
    "zstd": lambda raw: zstandard.compress(raw, 3),
}


def shape(*codings: str, framing: Framing = Framing.CLOSE) -> BodyShape:
    return BodyShape(framing=framing, codings=codings)


def measured(raw: bytes, body: BodyShape, step: int = 1 << 16, *, cut: bool = False) -> BodyDigests:
    meter = BodyMeter(body)
    for at in range(0, len(raw), step):
        meter.feed(raw[at : at + step])
    return meter.finish(cut=cut)


@settings(deadline=None)
@given(
    plain=st.one_of(st.binary(max_size=300), st.integers(0, 30_000).map(lambda n: b"word " * n)),
    codings=st.lists(st.sampled_from(sorted(ENCODERS)), max_size=3),
    step=st.integers(1, 9000),
    chunked=st.booleans(),
)
def test_content_is_what_was_coded(
    plain: bytes, codings: list[str], step: int, chunked: bool
) -> None:
    """Through one to three codings, chunked or not, in any pieces; payload keeps the codings."""
    payload = plain
    for coding in codings:
        payload = ENCODERS[coding](payload)
    raw = payload
    if chunked:
        raw = b"".join(
            b"%x\r\n%s\r\n" % (len(payload[at : at + 700]), payload[at : at + 700])
            for at in range(0, len(payload), 700)
        )
        raw += b"0\r\n\r\n"
    body = shape(*codings, framing=Framing.CHUNKED if chunked else Framing.CLOSE)
    found = measured(raw, body, step)
    assert found.undecoded is None
    assert (found.payload_digest, found.payload_size) == (digest_of(payload), len(payload))
    assert (found.content_id, found.content_size) == (digest_of(plain), len(plain))
    assert b"".join(content_pieces(body, lambda: [raw], cut=False)) == plain


@settings(deadline=None)
@given(
    raw=st.binary(max_size=200),
    coding=st.sampled_from(sorted(ENCODERS)),
    spoil=st.integers(0, 200),
    step=st.integers(1, 50),
    cut=st.booleans(),
)
def test_a_spoiled_body_means_the_same_in_whatever_pieces(
    raw: bytes, coding: str, spoil: int, step: int, cut: bool
) -> None:
    """Digests and the word for what is wrong depend on the bytes alone."""
    coded = ENCODERS[coding](raw)
    coded = coded[: spoil % (len(coded) + 1)] + b"\x7f" * (spoil % 3) + coded[spoil:]
    assert measured(coded, shape(coding), step, cut=cut) == measured(coded, shape(coding), cut=cut)


@pytest.mark.parametrize("size", [1 << 20, 3 << 20, (5 << 20) + 7])
def test_a_last_piece_that_decodes_to_much_is_decoded_to_its_end(size: int) -> None:
    """Some decoders say that they are ready for more while they still hold output."""
    plain = b"ab" * (size // 2) + b"end"
    for coding, encode in ENCODERS.items():
        found = measured(encode(plain), shape(coding))
        assert (coding, found.undecoded) == (coding, None)
        assert found.content_id == digest_of(plain)


def test_members_of_gzip_and_frames_of_zstd_in_a_row_are_one_content() -> None:
    """Empty ones too."""
    for coding in ("gzip", "zstd"):
        encode = ENCODERS[coding]
        raw = b"".join(encode(part) for part in (b"one ", b"", b"two ", b"", b"three"))
        assert measured(raw, shape(coding), 3).content_id == digest_of(b"one two three")


def test_a_whole_body_in_one_coding_is_decoded_however_well_it_was_packed() -> None:
    """96 MiB of zeros in gzip are within the bounds, in whatever pieces they come."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(bytes(1 << 24)) for _ in range(6)) + packer.flush()
    plain = hashlib.sha256()
    for _ in range(6):
        plain.update(bytes(1 << 24))
    for step in (1 << 16, 1000):
        found = measured(packed, shape("gzip"), step)
        assert (found.undecoded, found.content_id) == (None, from_hex(plain.hexdigest()))


def twice(raw: bytes) -> bytes:
    return gzip.compress(gzip.compress(raw))


@cache
def bomb(name: str) -> tuple[bytes, tuple[str, ...]]:
    zeros = bytes(1 << 27)
    if name == "gzip in gzip":
        return twice(zeros), ("gzip", "gzip")
    if name == "brotli":
        return brotli.compress(zeros, quality=3), ("br",)
    if name == "zstd":
        return zstandard.compress(zeros), ("zstd",)
    if name == "zstd in gzip":
        return gzip.compress(zstandard.compress(zeros)), ("zstd", "gzip")
    return twice(gzip.compress(b"") * 500_000), ("gzip", "gzip", "gzip")


BOMBS = ("gzip in gzip", "brotli", "zstd", "zstd in gzip", "empty members")


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_left_as_it_came(name: str) -> None:
    """Content is the payload, and the flag says that it decodes to too much."""
    raw, codings = bomb(name)
    found = measured(raw, shape(*codings))
    assert found.undecoded is Undecoded.TOO_LARGE
    assert found.content_id == found.payload_digest == digest_of(raw)
    assert measured(raw, shape(*codings), 997) == found


def test_the_bounds_hold_for_what_is_shown_too() -> None:
    """Only the start of a bomb is decoded, and only as much as is asked for."""
    for raw, codings in map(bomb, BOMBS):
        start = content_start(shape(*codings), [raw], undecoded=None, limit=100)
        assert start in (bytes(100), b"")


def test_more_codings_than_four_count_as_unknown() -> None:
    """Each layer takes memory of its own."""
    raw = b"x"
    for _ in range(http_body.CODINGS_LIMIT + 1):
        raw = gzip.compress(raw)
    assert measured(raw, shape(*["gzip"] * 4)).undecoded is None
    assert measured(raw, shape(*["gzip"] * 5)).undecoded is Undecoded.CODING_UNKNOWN


def test_a_zstd_window_has_the_limit_of_the_standard() -> None:
    """8 MiB are decoded, 16 MiB are not (RFC 9659 §3)."""
    plain = b"0123456789" * 2_000_000
    for log, undecoded in ((23, None), (24, Undecoded.CODING_BROKEN)):
        parameters = zstandard.ZstdCompressionParameters(
            window_log=log, write_content_size=False, compression_level=1
        )
        packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        packed = packer.compress(plain) + packer.flush()
        assert measured(packed, shape("zstd")).undecoded is undecoded
