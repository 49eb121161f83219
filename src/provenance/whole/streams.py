"""Plain bytes to cut records from: of a file itself or of a gzip member, with a look-ahead."""

from __future__ import annotations

from collections.abc import Callable
from re import Pattern
from typing import Protocol

from provenance.whole.window import Window

STEP = 1 << 18
"""How many bytes are read at once."""


class FaultSink(Protocol):
    """Takes a fault of the framing and its place."""

    def __call__(
        self,
        code: str,
        offset: int,
        *,
        field: str | None = None,
        expected: object = None,
        found: object = None,
    ) -> None:
        """Take one fault."""


class Source(Protocol):
    """Where a stream's bytes come from; `fault` tells why they ended, if not by themselves."""

    fault: tuple[str, str | None, str | None] | None

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, `b""` at the end."""


class PlainSource:
    """The file itself as a source; `at` is where the next bytes come from."""

    def __init__(self, window: Window) -> None:
        self.fault: tuple[str, str | None, str | None] | None = None
        self.at = 0
        self._window = window

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes from `at` on, fewer only at the end."""
        raw = bytes(self._window.at(self.at, size))
        self.at += len(raw)
        return raw

    def seek(self, offset: int) -> bool:
        """Go back to `offset`; False when the file's allowance is spent."""
        self._window.spent += max(self.at - offset, 0)
        if self._window.exhausted:
            return False
        self.at = offset
        return True


class Stream:
    """Plain bytes with a look-ahead; `taken` counts those that were taken out, and those before."""

    def __init__(
        self, source: Source, seek: Callable[[int], bool] | None = None, *, taken: int = 0
    ) -> None:
        self.source = source
        self.taken = taken
        self._seek = seek
        self._buffer = b""
        self._at = 0

    def fill(self, size: int = 1) -> bool:
        """Read ahead until there are `size` bytes; False where fewer are left."""
        while len(self._buffer) - self._at < size:
            piece = self.source.read(STEP)
            if not piece:
                return False
            self._buffer = (
                self._buffer[self._at :] + piece if self._at < len(self._buffer) else piece
            )
            self._at = 0
        return True

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end, and leave them there."""
        self.fill(size)
        return self._buffer[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """Return 1 to `size` of the next bytes, `b""` at the end, and go past them."""
        self.fill()
        if self._at or size < len(self._buffer):
            piece = self._buffer[self._at : self._at + size]
        else:
            piece = self._buffer
        self._at += len(piece)
        self.taken += len(piece)
        return piece

    def go_back(self, taken: int) -> bool:
        """Return to where `taken` bytes had been taken; False where the source cannot."""
        if self._seek is None or not self._seek(taken):
            return False
        self.taken, self._buffer, self._at = taken, b"", 0
        return True

    def take_through(self, pattern: Pattern[bytes], *, overlap: int, limit: int) -> bytes | None:
        """Take bytes up to the end of the first match; None where none is within `limit`.

        A match that lies across two pieces has at most `overlap` bytes in the first.
        """
        searched = 0
        while True:
            if match := pattern.search(self._buffer, self._at + max(searched - overlap, 0)):
                return self.take(match.end() - self._at)
            searched = len(self._buffer) - self._at
            if searched > limit or not self.fill(searched + 1):
                return None

    def skip_to(self, pattern: Pattern[bytes], longest: int) -> tuple[int, bool]:
        """Take bytes up to the next match; return how many, and whether there is one.

        A match has `longest` bytes or fewer.
        """
        start = self.taken
        while True:
            more = self.fill(longest + 1)
            if match := pattern.search(self._buffer, self._at):
                self.take(match.start() - self._at)
                return self.taken - start, True
            if not more:
                while self.fill():
                    self.take(STEP)
                return self.taken - start, False
            self.take(len(self._buffer) - self._at - longest)
