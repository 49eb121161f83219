"""Open the bytes to be checked: a whole file, or a stretch of one, such as a member of a ZIP."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from provenance.regular_file import open_regular
from provenance.whole.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """`size` bytes of a file from byte `start` on; the whole file where `size` is None."""

    path: Path
    start: int = 0
    size: int | None = None

    @contextlib.contextmanager
    def window(
        self, *, hashing: bool = True, on_read: Callable[[int], None] | None = None
    ) -> Iterator[Window]:
        """Give a window on the bytes, as if they were a file of their own; closed at the end.

        `on_read` is told how many bytes come, as they are hashed.

        Raises:
            OSError: the file cannot be read, or is no regular file.
        """
        with open_regular(self.path) as source:
            if self.size is None:
                yield Window(source, hashing=hashing, on_read=on_read)
            else:
                within = _Within(source, self.start, self.size)
                yield Window(within, hashing=hashing, size=self.size, on_read=on_read)


class _Within:
    """A part of an open file; nothing before or after it is ever read."""

    def __init__(self, source: BinaryIO, start: int, size: int) -> None:
        self._source = source
        self._start = start
        self._size = size
        self._at = 0

    def fileno(self) -> int:
        return self._source.fileno()

    def seek(self, offset: int, /) -> int:
        self._at = min(offset, self._size)
        return self._at

    def read(self, size: int, /) -> bytes:
        self._source.seek(self._start + self._at)
        raw = self._source.read(max(min(size, self._size - self._at), 0))
        self._at += len(raw)
        return raw
