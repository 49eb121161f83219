"""A draft becomes one gzip member whose plain bytes are the standard's, and no other."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from provenance.digest import digest_of
from provenance.warc.draft import (
    Draft,
    Original,
    metadata_draft,
    request_draft,
    revisit_draft,
    run_draft,
)
from provenance.warc.pack import BlockEndedError, Packed, pack
from tests.warc_builders import DATE, RUN, http, info, response_of, visit_of

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True)
VALUES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=80)
TYPES = ("request", "response", "revisit", "metadata", "resource", "warcinfo", "conversion")


def packed(draft: Draft) -> tuple[bytes, Packed]:
    pieces: list[bytes] = []
    told = pack(draft, pieces.append)
    return b"".join(pieces), told


def plain_of(member: bytes) -> bytes:
    """Return the plain bytes of what must be exactly one gzip member."""
    inflate = zlib.decompressobj(wbits=31)
    plain = inflate.decompress(member)
    assert inflate.eof
    assert inflate.unused_data == b""
    return plain


def canonical(draft: Draft, block: bytes) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in draft.fields]
    return f"WARC/1.1\r\n{''.join(lines)}Content-Length: {len(block)}\r\n\r\n".encode() + block


@settings(deadline=None)
@given(
    kind=st.sampled_from(TYPES),
    fields=st.lists(st.tuples(NAMES, VALUES), max_size=5),
    block=st.binary(max_size=3000),
    streamed=st.booleans(),
)
def test_what_is_written_is_the_header_the_block_and_two_line_ends(
    kind: str, fields: list[tuple[str, str]], block: bytes, streamed: bool
) -> None:
    """Fields in order and as given, Content-Length, the block untouched; the digest is of that."""
    # A revisit's block is a head, which is always at hand.
    held = io.BytesIO(block) if streamed and kind != "revisit" else block
    draft = Draft(fields=(("WARC-Type", kind), *fields), block=held, block_size=len(block))
    member, told = packed(draft)
    expected = canonical(draft, block)
    assert plain_of(member) == expected + b"\r\n\r\n"
    assert told.digest == "sha256:" + hashlib.sha256(expected).hexdigest()
    assert told.length == len(member)


def test_the_same_draft_gives_the_same_bytes_and_no_time_of_day() -> None:
    """The gzip header names no file and no time (RFC 1952 §2.3.1)."""
    first, _ = packed(info("a.warc.gz"))
    second, _ = packed(info("a.warc.gz"))
    assert first == second
    assert first[:4] == b"\x1f\x8b\x08\x00"
    assert first[4:8] == b"\0\0\0\0"


def test_http_heads_are_not_written_anew() -> None:
    """Odd spacing, odd line ends and Latin-1 of a server stay as they came."""
    head = b"HTTP/1.0 200\r\nX-A:nospace\r\nX-B :  caf\xe9\nx-b: again\r\n\tfolded\r\n\r\n"
    original = Original(record_id=RUN, target_uri="http://council.example/", date=DATE)
    visit = visit_of("a")
    for draft in (
        revisit_draft(visit, head, original, digest_of(b"x")),
        request_draft(visit, head),
    ):
        assert plain_of(packed(draft)[0]).partition(b"\r\n\r\n")[2] == head + b"\r\n\r\n"


@pytest.mark.parametrize("value", ["a\r\nWARC-Type: response", "a\nb", "a\rb", "\n"])
def test_a_line_break_in_a_field_is_refused(value: str) -> None:
    """No value can smuggle in another field; nothing is written."""
    pieces: list[bytes] = []
    draft = Draft(fields=(("WARC-Type", "metadata"), ("X", value)), block=b"", block_size=0)
    with pytest.raises(ValueError, match="line break in X"):
        pack(draft, pieces.append)
    assert pieces == []


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(1, 50))
def test_a_block_of_another_size_is_never_written_silently(block: bytes, by: int) -> None:
    """One that ends early is an error; of a longer stream only what was announced is taken."""
    fields = (("WARC-Type", "resource"),)
    with pytest.raises(BlockEndedError):
        packed(Draft(fields=fields, block=io.BytesIO(block), block_size=len(block) + by))
    stream = io.BytesIO(block + b"surplus")
    member, _ = packed(Draft(fields=fields, block=stream, block_size=len(block)))
    assert plain_of(member).endswith(b"\r\n\r\n" + block + b"\r\n\r\n")
    assert stream.read() == b"surplus"


def test_a_large_block_goes_through_in_pieces() -> None:
    """Neither the stream is read nor the member handed on in one piece."""

    class Watched(io.BytesIO):
        asked: list[int | None]

        def read(self, size: int | None = -1) -> bytes:
            self.asked.append(size)
            return super().read(size)

    size = 20 << 20
    stream = Watched(hashlib.sha256(b"seed").digest() * (size // 32))
    stream.asked = []
    pieces: list[bytes] = []
    told = pack(
        Draft(fields=(("WARC-Type", "resource"),), block=stream, block_size=size), pieces.append
    )
    assert max(each or 0 for each in stream.asked) <= 1 << 20
    assert max(map(len, pieces)) <= 1 << 20
    assert told.length == sum(map(len, pieces))


def test_another_reader_finds_every_digest_right(tmp_path: Path) -> None:
    """Warcio checks block and payload digests of each record and reports none."""
    visit = visit_of("a")
    drafts = [
        info("a.warc.gz"),
        request_draft(visit, b"GET / HTTP/1.1\r\n\r\n"),
        response_of("a", b"<p>caf\xc3\xa9</p>"),
        metadata_draft(visit, {"profile": "x"}, alone=False),
        run_draft(RUN, "a.warc.gz", DATE, {"profile": "y"}),
    ]
    path = tmp_path / "a.warc.gz"
    path.write_bytes(b"".join(packed(each)[0] for each in drafts))
    seen = []
    with path.open("rb") as source:
        for record in ArchiveIterator(source, check_digests="raise"):
            seen.append((record.rec_type, record.raw_stream.read()))
    assert [kind for kind, _ in seen] == ["warcinfo", "request", "response", "metadata", "metadata"]
    raw = gzip.decompress(path.read_bytes())
    assert http(b"<p>caf\xc3\xa9</p>") in raw
