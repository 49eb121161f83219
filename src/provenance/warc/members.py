"""Read gzip members of a file one after another in bounded memory; knows nothing of WARC.

Source: RFC 1952; isal's inflate checks each member's CRC and length.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from isal import isal_zlib

from provenance.errors import TruncatedRecordError, WarcFormatError

_READ = 1 << 16
_STEP = 1 << 18

GZIP_MAGIC = b"\x1f\x8b"
_MEMBER_MAGIC = GZIP_MAGIC + b"\x08"
_OPENING = 1 << 12


class Member:
    """One gzip member: plain bytes through `read`, `length` (compressed) once it is read out."""

    def __init__(self, source: BinaryIO, offset: int, ahead: bytes, where: str) -> None:
        self.offset = offset
        self.length: int | None = None
        self.ahead = ahead
        """Compressed bytes that were read from the file and belong to what follows."""
        self._source = source
        self._where = where
        self._inflate = isal_zlib.decompressobj(wbits=31)
        self._taken = 0

    def read(self, size: int) -> bytes:
        """Return 1 to `size` plain bytes, or `b""` at the member's end.

        Raises:
            TruncatedRecordError: the file ends inside the member.
            WarcFormatError: the bytes are no gzip, or CRC or length do not agree.
        """
        while self.length is None:
            if not self.ahead:
                self.ahead = self._source.read(_READ)
            if not self.ahead:
                raise TruncatedRecordError(
                    "the file ends inside a gzip member",
                    where=self._where,
                    offset=self.offset,
                    hint="The file was cut; restore it from a copy.",
                )
            plain = self._decompress(min(size, _STEP))
            if self._inflate.eof:
                self.length = self._taken
            if plain:
                return plain
        return b""

    def _decompress(self, size: int) -> bytes:
        given = self.ahead
        try:
            plain: bytes = self._inflate.decompress(given, size)
        except isal_zlib.error as fault:  # type: ignore[misc]
            raise WarcFormatError(
                f"the gzip member is damaged ({fault})", where=self._where, offset=self.offset
            ) from fault
        self.ahead = (
            self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
        )
        self._taken += len(given) - len(self.ahead)
        return plain

    def skip_rest(self) -> int:
        """Read the member out; return how many plain bytes were left."""
        left = 0
        while piece := self.read(_STEP):
            left += len(piece)
        return left


def read_members(source: BinaryIO, *, start: int = 0, where: str) -> Iterator[Member]:
    """Yield each gzip member from byte `start` of `source`; a member is read out before the next.

    Raises:
        WarcFormatError: as `Member.read`; the iteration cannot go on after it.
    """
    source.seek(start)
    ahead = b""
    while ahead := ahead or source.read(_READ):
        member = Member(source, start, ahead, where)
        yield member
        member.skip_rest()
        start += member.length or 0
        ahead = member.ahead


def find_member(source: BinaryIO, start: int, opening: bytes, *, within: int) -> int | None:
    """Return where a member begins whose plain bytes open so, if one does `within` so many bytes.

    The first from byte `start`. It may be no member of the file at all, but bytes inside one that
    look like it: whoever reads from there proves it.
    """
    source.seek(start)
    raw = source.read(within)
    at = raw.find(_MEMBER_MAGIC)
    while at >= 0:
        inflate = isal_zlib.decompressobj(wbits=31)
        try:
            if inflate.decompress(raw[at : at + _OPENING], len(opening)) == opening:
                return start + at
        except isal_zlib.error:  # type: ignore[misc]
            pass
        at = raw.find(_MEMBER_MAGIC, at + 1)
    return None
