"""Inflate gzip members one by one and check all that RFC 1952 lets one check. Knows no WARC.

Reads the member header and trailer itself, so that a fault is named and the next member found.
"""

from __future__ import annotations

import struct
from typing import cast

from isal import isal_zlib

from provenance.whole.window import Window

_DeflateError = cast(type[Exception], isal_zlib.error)

MAGIC = b"\x1f\x8b\x08"
_FEED = 1 << 16
_HEADER_LIMIT = 1 << 17
_SCAN = 1 << 18
_PLAIN_HEADER = 10
_UNFLAGGED = MAGIC + b"\0"
_SMALL = 1 << 20
_SMALL_PLAIN = 1 << 21
"""What a member may have, compressed and plain, to be inflated at once."""


def member_header_size(window: Window, offset: int) -> int | None:
    """Return the size of the gzip header at `offset`, or None when there is none.

    Source: RFC 1952 §2.3; reserved flag bits must be zero.
    """
    head = bytes(window.at(offset, 10))
    if len(head) < 10 or head[:3] != MAGIC or head[3] & 0xE0:
        return None
    if not head[3]:
        return 10
    raw = bytes(window.at(offset, min(_HEADER_LIMIT, window.size - offset)))
    return _skip_optional(raw, head[3])


def _skip_optional(raw: bytes, flags: int) -> int | None:
    at = 10
    if flags & 4:
        at += 2 + (int.from_bytes(raw[at : at + 2], "little") if len(raw) > at + 1 else len(raw))
    for bit in (8, 16):
        if flags & bit:
            at = raw.find(b"\0", at) + 1 or len(raw) + 1
    if flags & 2:
        expected = isal_zlib.crc32(raw[:at]) & 0xFFFF
        if int.from_bytes(raw[at : at + 2], "little") != expected:
            return None
        at += 2
    return at if at <= len(raw) else None


class Member:
    """One gzip member: plain bytes through `read`; then `end`, or `fault` where it is broken.

    `fault` is (code, expected, found). `end` is the offset past the member, None when unknown.
    """

    def __init__(self, window: Window, offset: int, header_size: int) -> None:
        self.offset = offset
        self.end: int | None = None
        self.fault: tuple[str, str | None, str | None] | None = None
        self._window = window
        self._at = offset + header_size
        self._inflate = isal_zlib.decompressobj(wbits=-15)
        self._crc = 0
        self._size = 0
        self._done = False

    def read(self, size: int) -> bytes:
        """Return 1 to `size` plain bytes, `b""` at the end of the member or at its fault."""
        while not self._done:
            raw = self._window.at(self._at, _FEED)
            try:
                plain: bytes = self._inflate.decompress(raw, size)
            except _DeflateError as error:
                self._stop("gzip_damaged", "a deflate stream", str(error))
                return b""
            ended = self._inflate.eof
            left = self._inflate.unused_data if ended else self._inflate.unconsumed_tail
            self._at += len(raw) - len(left)
            self._crc = isal_zlib.crc32(plain, self._crc)
            self._size += len(plain)
            if ended:
                self._check_trailer()
            elif not (len(raw) or plain):
                self._stop("gzip_cut", "the rest of the member", "the end of the file")
            if plain:
                return plain
        return b""

    def _stop(self, code: str, expected: str | None, found: str | None) -> None:
        self._done = True
        self.fault = (code, expected, found)

    def _check_trailer(self) -> None:
        self._done = True
        raw = bytes(self._window.at(self._at, 8))
        if len(raw) < 8:
            self._stop("gzip_cut", "8 bytes of CRC-32 and length", f"{len(raw)} bytes")
            return
        self.end = self._at + 8
        crc, size = struct.unpack("<II", raw)
        if crc != self._crc:
            self.fault = ("gzip_crc", f"{crc:08x}", f"{self._crc:08x}")
        elif size != self._size & 0xFFFFFFFF:
            self.fault = ("gzip_size", str(size), str(self._size))


def find_member(
    window: Window, start: int, openings: tuple[bytes, ...], *, within: int | None = None
) -> int | None:
    """Return the first offset from `start` of a gzip member whose plain bytes open as wanted.

    None when there is none (`within` so many bytes), or when the window's allowance is exhausted.
    """
    stop = window.size if within is None else min(start + within, window.size)
    while start < stop and not window.exhausted:
        span = bytes(window.at(start, _SCAN))
        at = span.find(MAGIC)
        while at >= 0:
            window.spent += 512
            if opening(window, start + at).startswith(openings):
                return start + at
            if window.exhausted:
                return None
            at = span.find(MAGIC, at + 1)
        start += max(len(span) - len(MAGIC) + 1, 1)
    return None


def opening(window: Window, offset: int) -> bytes:
    """Return the first plain bytes (at most 16) of the member at `offset`, `b""` if it is none."""
    header_size = member_header_size(window, offset)
    if header_size is None:
        return b""
    raw = window.at(offset + header_size, 4096)
    try:
        plain: bytes = isal_zlib.decompressobj(wbits=-15).decompress(raw, 16)
    except _DeflateError:
        return b""
    return plain


class SmallMembers:
    """Inflate members of a window at once where they are small, as they mostly are."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._raw, self._base = b"", 0

    def at(self, offset: int) -> tuple[bytes, int] | None:
        """Return the plain bytes of the member at `offset`, and the offset past it.

        None when there is no member, or it is large, of an unusual form, or damaged in any way.
        """
        found = self._inflate(offset)
        if found is None:
            self._raw, self._base = self._window.ahead(offset, _SMALL)
            found = self._inflate(offset)
        return found

    def _inflate(self, offset: int) -> tuple[bytes, int] | None:
        """Inflate the member if its end, or that of the file, is among the bytes read ahead."""
        raw, base = self._raw, self._base
        start = offset - base
        header = raw[start : start + _PLAIN_HEADER] if start >= 0 else b""
        # With no flag set the header is ten bytes long; isal checks CRC and length.
        if not header.startswith(_UNFLAGGED):
            return None
        # A member ends where the next begins, with the same header or that of another time.
        end = raw.find(header, start + _PLAIN_HEADER)
        if end < 0:
            end = raw.find(_UNFLAGGED, start + _PLAIN_HEADER)
        if end < 0 and base + len(raw) == self._window.size:
            end = len(raw)
        size = int.from_bytes(raw[end - 4 : end], "little")
        if end < 0 or size > _SMALL_PLAIN:
            return None
        inflate = isal_zlib.decompressobj(wbits=31)
        try:
            plain = inflate.decompress(memoryview(raw)[start:end], size + 1)
        except _DeflateError:
            return None
        return (plain, base + end) if inflate.eof and not inflate.unused_data else None
