"""Do work that takes time and memory, little of it at once, and keep what came last."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

AT_ONCE = 2
WAITING = 16

T = TypeVar("T")


class BusyError(Exception):
    """Too much is waiting for its turn already."""


class Recent(Generic[T]):
    """Results by their key: at most `number`, together at most `bytes_kept` as `size` counts them.

    With `newest` the newest is kept whatever its size. What is asked for while it is being
    made is made once.
    """

    def __init__(
        self, size: Callable[[T], int], *, number: int, bytes_kept: int, newest: bool = False
    ) -> None:
        self._size = size
        self._number = number
        self._bytes = bytes_kept
        self._least = 1 if newest else 0
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[T]] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return what is kept under `key`, or what `make` gives; it is called when its turn comes.

        Raises:
            BusyError: too much is waiting for its turn.
        """
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if key not in self._making:
            if len(self._making) >= WAITING:
                raise BusyError
            self._making[key] = asyncio.ensure_future(self._made(key, make))
        return await asyncio.shield(self._making[key])

    async def _made(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        try:
            async with self._turn:
                made = await make()
        finally:
            del self._making[key]
        self._kept[key] = made
        while len(self._kept) > self._least and self._is_too_much():
            self._kept.popitem(last=False)
        return made

    def _is_too_much(self) -> bool:
        held = sum(map(self._size, self._kept.values()))
        return len(self._kept) > self._number or held > self._bytes
