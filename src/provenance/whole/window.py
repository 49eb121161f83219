"""Give a file's bytes at any place while hashing each byte once; judges nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Protocol

from provenance.digest import Digest, from_hex

_SPAN = 1 << 18


class Source(Protocol):
    """What a window reads: a file, or a stretch of one."""

    def fileno(self) -> int:
        """Return the number of the open file."""

    def seek(self, offset: int, /) -> int:
        """Go to a byte, counted from the beginning."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, fewer only at the end."""


class Window:
    """Random access to a file with one read-ahead buffer, and SHA-256 of the whole on the way.

    `spent` counts the bytes that reading twice cost; `exhausted` turns True beyond the allowance
    (four times the file and 64 MiB), so that no hostile file makes verification quadratic.
    Without `hashing` the file is not hashed, and has no `digest`. `size` is that of the source,
    asked of the system where it is None. `on_read` takes the numbers of bytes as they are hashed.
    """

    def __init__(
        self,
        source: Source,
        *,
        hashing: bool = True,
        size: int | None = None,
        on_read: Callable[[int], None] | None = None,
    ) -> None:
        self.size = os.fstat(source.fileno()).st_size if size is None else size
        self.spent = 0
        self._source = source
        self._base = 0
        self._buffer = b""
        self._hash = hashlib.sha256()
        self._hashed = 0
        self._hashing = hashing
        self._on_read = on_read

    @property
    def exhausted(self) -> bool:
        """True when going back and trying has cost more than a file deserves."""
        return self.spent > 4 * self.size + (64 << 20)

    def at(self, offset: int, want: int) -> memoryview:
        """Return `want` bytes from `offset`, fewer only at the end of the file."""
        start = offset - self._base
        if start < 0 or start + want > len(self._buffer):
            self._fill(offset, max(want, _SPAN))
            start = 0
        return memoryview(self._buffer)[start : start + want]

    def ahead(self, offset: int, want: int) -> tuple[bytes, int]:
        """Return bytes that hold `want` from `offset` on (fewer at the end), and their place."""
        self.at(offset, min(want, self.size - offset))
        return self._buffer, self._base

    def _fill(self, offset: int, size: int) -> None:
        self._source.seek(offset)
        self._buffer = self._source.read(size)
        self._base = offset
        end = offset + len(self._buffer)
        if self._hashing and offset <= self._hashed < end:
            self._take(memoryview(self._buffer)[self._hashed - offset :])

    def _take(self, raw: bytes | memoryview) -> None:
        """Hash the next bytes of the file."""
        self._hash.update(raw)
        self._hashed += len(raw)
        if self._on_read is not None:
            self._on_read(len(raw))

    def digest(self) -> Digest:
        """Read what is still unread; return the SHA-256 of the whole file."""
        self._source.seek(self._hashed)
        while raw := self._source.read(1 << 20):
            self._take(raw)
        return from_hex(self._hash.hexdigest())
