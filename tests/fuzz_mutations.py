"""Change bytes at random, as damage and malice do: anywhere, in numbers, in words, in gzip, in ZIP.

Everything comes from the generator that is given, so that one seed gives one run.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import random
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence

LARGEST = 1 << 18
"""Bytes of an input; longer ones are cut."""

_NUMBER = re.compile(rb"[0-9]+")
_WORD = re.compile(rb"[A-Za-z0-9_-]{3,40}")
_NUMBERS = (
    b"0", b"1", b"-1", b"00", b"255", b"256", b"65535", b"65536", b"2147483648", b"4294967296",
    b"9223372036854775807", b"9223372036854775808", b"18446744073709551616", b"1e9", b"0x10",
    b"9" * 30, b"9" * 4301, b"99999999999",
)  # fmt: skip
_PIECES = (
    b"\x00", b"\xff", b"\r\n", b"\n", b"\r\n\r\n", b"\r", b"\t", b" ", b"\x1b[2J", b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80", "\u202e".encode(), "\u0661".encode(), b"\xef\xbb\xbf", b"\xff\xfe", b"%00",
    b"%ff", b"../", b"//", b":", b";", b"=", b'"', b"'", b"<", b">", b"[", b"]", b"{", b"}", b"(",
    b"1970-01-01T00:00:00Z", b"9999-12-31T23:59:60Z", b"0000-00-00", b"sha256:", b"sha1:", b"ni:",
    b"http://[", b"http://a:b@[::1]:99999/", b"urn:uuid:", b"WARC/1.1\r\n", b"WARC/1.0\r\n",
    b"chunked", b"gzip", b"br", b"zstd", b"deflate", b"NaN", b"Infinity", b"null", b"true",
)  # fmt: skip


class Mutator:
    """Make changed copies of inputs; `words` are what else may be put in."""

    def __init__(self, rng: random.Random, words: Sequence[bytes] = ()) -> None:
        self._rng = rng
        self._words = tuple(words) or _PIECES
        self._ways: tuple[Callable[[bytes], bytes], ...] = (
            self._flip, self._set, self._insert, self._insert, self._remove, self._repeat,
            self._cut, self._number, self._number, self._word, self._swap, self._line, self._flood,
        )  # fmt: skip

    def changed(self, raw: bytes, other: bytes) -> bytes:
        """Return `raw` changed one to a dozen times; `other` is what pieces may be taken from."""
        if self._rng.random() < 0.75:
            for unpack in (_as_gzip, _as_zip):
                found = unpack(raw, self)
                if found is not None:
                    return found[:LARGEST]
        return self.plainly(raw, other)

    def plainly(self, raw: bytes, other: bytes = b"") -> bytes:
        """Return `raw` changed, whatever it holds."""
        for _ in range(self._rng.choice((1, 1, 1, 2, 2, 3, 5, 12))):
            if other and self._rng.random() < 0.05:
                raw = self._spliced(raw, other)
            else:
                raw = self._rng.choice(self._ways)(raw)
        return raw[:LARGEST]

    def chosen(self, count: int) -> int:
        """Return a number below `count`."""
        return self._rng.randrange(count)

    def _place(self, raw: bytes) -> int:
        return self._rng.randrange(len(raw) + 1)

    def _flip(self, raw: bytes) -> bytes:
        if not raw:
            return b"\x00"
        at = self._rng.randrange(len(raw))
        return raw[:at] + bytes([raw[at] ^ 1 << self._rng.randrange(8)]) + raw[at + 1 :]

    def _set(self, raw: bytes) -> bytes:
        at = self._place(raw)
        return raw[:at] + bytes([self._rng.choice((0, 10, 13, 32, 127, 128, 255))]) + raw[at + 1 :]

    def _insert(self, raw: bytes) -> bytes:
        at = self._place(raw)
        piece = self._rng.choice(self._rng.choice((_PIECES, self._words)))
        return raw[:at] + piece * self._rng.choice((1, 1, 1, 2, 3, 300)) + raw[at:]

    def _flood(self, raw: bytes) -> bytes:
        """Put one piece in very many times, as whoever looks for slow patterns does."""
        at = self._place(raw)
        size = self._rng.choice((1, 2, 3, 8, 30))
        piece = raw[at : at + size] or self._rng.choice(_PIECES)
        return raw[:at] + piece * (self._rng.choice((5_000, 60_000)) // len(piece)) + raw[at:]

    def _remove(self, raw: bytes) -> bytes:
        at = self._place(raw)
        return raw[:at] + raw[at + self._rng.choice((1, 1, 2, 8, 64, 1024)) :]

    def _repeat(self, raw: bytes) -> bytes:
        at = self._place(raw)
        piece = raw[at : at + self._rng.choice((1, 2, 16, 128, 1024))]
        return raw[:at] + piece * self._rng.choice((2, 3, 50)) + raw[at + len(piece) :]

    def _cut(self, raw: bytes) -> bytes:
        return raw[: self._place(raw)]

    def _number(self, raw: bytes) -> bytes:
        return self._replaced(raw, _NUMBER, self._rng.choice(_NUMBERS))

    def _word(self, raw: bytes) -> bytes:
        return self._replaced(raw, _WORD, self._rng.choice(self._words))

    def _replaced(self, raw: bytes, what: re.Pattern[bytes], by: bytes) -> bytes:
        found = what.search(raw, self._place(raw)) or what.search(raw)
        return raw if found is None else raw[: found.start()] + by + raw[found.end() :]

    def _swap(self, raw: bytes) -> bytes:
        first, second = sorted((self._place(raw), self._place(raw)))
        size = self._rng.choice((1, 4, 32, 256))
        return (
            raw[:first]
            + raw[second : second + size]
            + raw[first + size : second]
            + raw[first : first + size]
            + raw[second + size :]
        )

    def _line(self, raw: bytes) -> bytes:
        lines = raw.split(b"\n")
        lines.insert(self._rng.randrange(len(lines) + 1), self._rng.choice(lines))
        return b"\n".join(lines)

    def _spliced(self, raw: bytes, other: bytes) -> bytes:
        return raw[: self._place(raw)] + other[self._place(other) :]


def words_of(seeds: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the words that stand in the inputs, for a `Mutator` to use."""
    found: dict[bytes, None] = {}
    for each in seeds:
        found.update(dict.fromkeys(_WORD.findall(each[:20_000])[:300]))
    return tuple(found)[:5000]


def _as_gzip(raw: bytes, mutator: Mutator) -> bytes | None:
    """Change what gzip members hold, and pack it in as many again."""
    if raw[:2] != b"\x1f\x8b":
        return None
    members: list[bytes] = []
    with contextlib.suppress(zlib.error):
        rest = raw
        while rest[:2] == b"\x1f\x8b" and len(members) < 1000:
            inflating = zlib.decompressobj(31)
            members.append(inflating.decompress(rest, LARGEST))
            rest = inflating.unused_data
    if not members:
        return None
    at = mutator.chosen(len(members))
    members[at] = mutator.plainly(members[at], members[mutator.chosen(len(members))])
    return b"".join(gzip.compress(each, 1, mtime=0) for each in members)


def _as_zip(raw: bytes, mutator: Mutator) -> bytes | None:
    """Change one member of a ZIP, and pack all of them again."""
    if raw[:2] != b"PK":
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as source:
            infos = source.infolist()
            members = [source.open(each).read(LARGEST) for each in infos]
    except Exception:  # whatever the library makes of a broken one
        return None
    if not members:
        return None
    at = mutator.chosen(len(members))
    changed = mutator.changed(members[at], members[mutator.chosen(len(members))])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for number, (info, held) in enumerate(zip(infos, members, strict=True)):
            fresh = zipfile.ZipInfo(info.filename)
            with contextlib.suppress(ValueError):
                target.writestr(fresh, changed if number == at else held, info.compress_type)
    return packed.getvalue()
