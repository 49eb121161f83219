"""Keep rows of numbers in order, most of them in a temporary file; knows no record.

The file has no name and goes with the process. Where the disk refuses, the rows stay in memory.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO

_BLOCK = 4096
"""Rows that are read at once."""

_NUMBER = 8
"""Bytes of a number."""


class Spill:
    """A temporary file that many lists of rows are written to; made when the first one is.

    `folder` is where; None: where the system has its own.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._size = 0
        self._refused = False

    def write(self, raw: bytes) -> int | None:
        """Return where the bytes are now; None where the disk refused, now or before."""
        if self._refused:
            return None
        start = self._size
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(  # noqa: SIM115, it is kept open
                    buffering=0, dir=self._folder
                )
            at = start
            while at - start < len(raw):
                at += os.pwrite(self._file.fileno(), raw[at - start :], at)
        except OSError:
            self._refused = True
            return None
        self._size = at
        return start

    def read(self, at: int, size: int) -> bytes:
        """Return bytes that were written."""
        if self._file is None:
            return b""
        return os.pread(self._file.fileno(), size, at)


class Rows:
    """Rows of `width` numbers of up to 64 bits."""

    __slots__ = ("_ends", "_held", "_places", "_spill", "width")

    def __init__(self, width: int, raw: bytes = b"") -> None:
        self.width = width
        self._held = array("Q", raw)
        self._spill: Spill | None = None
        self._places = array("Q")
        """Where the pieces that were spilled stand."""
        self._ends = array("Q")
        """How many rows end with each piece."""

    def add(self, *numbers: int) -> None:
        """Add a row, or several that follow each other."""
        self._held.extend(numbers)

    def add_bytes(self, raw: bytes) -> None:
        """Add a row, given as bytes."""
        self._held.frombytes(raw)

    def extend(self, other: Rows) -> None:
        """Add the rows of another list."""
        for block in other._blocks():
            self._held.extend(block)

    def settle(self, spill: Spill, *, most: int = _BLOCK) -> None:
        """Write the rows to `spill`, the same each time, once more than `most` are in memory."""
        if len(self._held) <= most * self.width:
            return
        place = spill.write(self._held.tobytes())
        if place is not None:
            self._spill = spill
            self._ends.append(len(self))
            self._places.append(place)
            self._held = array("Q")

    def column(self, number: int) -> Iterator[int]:
        """Yield one number of each row."""
        return chain.from_iterable(block[number :: self.width] for block in self._blocks())

    def _blocks(self) -> Iterator[array[int]]:
        """Yield the numbers, many rows at a time."""
        begun = 0
        for place, end in zip(self._places, self._ends, strict=True):
            for at in range(begun, end, _BLOCK):
                rows = min(_BLOCK, end - at)
                yield self._read(place, at - begun, rows)
            begun = end
        yield self._held

    def _read(self, place: int, first: int, rows: int) -> array[int]:
        size = _NUMBER * self.width
        raw = self._spill.read(place + first * size, rows * size) if self._spill else b""
        return array("Q", raw)

    @property
    def held(self) -> int:
        """How many rows are in memory."""
        return len(self._held) // self.width

    def __len__(self) -> int:
        spilled = self._ends[-1] if self._ends else 0
        return spilled + self.held

    def __iter__(self) -> Iterator[array[int]]:
        width = self.width
        for block in self._blocks():
            for at in range(0, len(block), width):
                yield block[at : at + width]

    def __getitem__(self, index: int) -> array[int]:
        piece = bisect_right(self._ends, index)
        begun = self._ends[piece - 1] if piece else 0
        if piece < len(self._places):
            return self._read(self._places[piece], index - begun, 1)
        at = (index - begun) * self.width
        return self._held[at : at + self.width]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type[Rows], tuple[int, bytes]]:
        return Rows, (self.width, b"".join(block.tobytes() for block in self._blocks()))
