"""Keep the C library from giving many threads a heap each. The only door to its settings."""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8


def share_heaps(most: int = 2) -> None:
    """Let all threads, those begun later too, take memory from `most` heaps; glibc alone does.

    Without it there are up to eight heaps for each processor, and what a thread frees in one is of
    no use in another: a run of many threads takes more and more, though it holds no more.

    Source: mallopt(3), M_ARENA_MAX.
    """
    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, most)
    except (AttributeError, OSError, TypeError):
        pass  # another C library, which does as it likes
