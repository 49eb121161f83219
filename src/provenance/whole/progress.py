"""Count how far a reading of files is, and tell it as it grows. Opens no file, asks no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a verification is.

    `files` and `size` (in bytes) are all that is to be read, `files_done` and `read` what has been;
    `findings` counts those so far.
    """

    files: int = 0
    files_done: int = 0
    size: int = 0
    read: int = 0
    findings: int = 0


class Meter:
    """Count what is read, one file after the other; nobody is told where `tell` is None."""

    def __init__(self, tell: Callable[[Progress], None] | None = None) -> None:
        self._tell = tell
        self._files = 0
        self._files_done = 0
        self._size = 0
        self._before = 0
        """Bytes of the files that are done."""
        self._within = 0
        """Bytes of the one that is not."""
        self.findings = 0

    def expect(self, sizes: Iterable[int]) -> None:
        """Add files, each by its size, to what is to be read."""
        for size in sizes:
            self._files += 1
            self._size += size

    def read(self, size: int) -> None:
        """Count bytes of the file that is being read."""
        self._within += size
        self._show()

    def again(self) -> None:
        """Say that the file is read anew from its beginning."""
        self._within = 0

    def end(self, size: int) -> None:
        """Say that a file of this size is done."""
        self._files_done += 1
        self._before += size
        self._within = 0
        self._show()

    def _show(self) -> None:
        if self._tell is not None:
            self._tell(
                Progress(
                    files=self._files,
                    files_done=self._files_done,
                    size=self._size,
                    read=self._before + self._within,
                    findings=self.findings,
                )
            )
