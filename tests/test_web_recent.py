"""Work that takes time is done once, little of it at once, and what came last is kept in bounds."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Awaitable, Callable

import pytest

from provenance.web.recent import AT_ONCE, WAITING, BusyError, Recent

Made = Recent[bytes]


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await work()

    asyncio.run(whole())


def test_what_is_asked_for_at_once_is_made_once() -> None:
    """All who wait get the same, and so do those who come later."""
    calls: list[int] = []

    async def work() -> None:
        recent: Made = Recent(len, number=4, bytes_kept=100)

        def make() -> bytes:
            calls.append(1)
            return b"made"

        assert await asyncio.gather(*(recent.get("a", make) for _ in range(5))) == [b"made"] * 5
        assert await recent.get("a", make) == b"made"

    run(work)
    assert calls == [1]


def test_the_oldest_goes_where_it_is_too_much() -> None:
    """By number and by size; one that is larger than all may be is given and not kept."""
    calls: list[str] = []

    async def work() -> None:
        recent: Made = Recent(len, number=2, bytes_kept=10)

        def making(name: str, size: int) -> Callable[[], bytes]:
            def make() -> bytes:
                calls.append(name)
                return bytes(size)

            return make

        for name, size in (("a", 4), ("b", 4), ("a", 4), ("c", 4), ("a", 4), ("b", 4)):
            await recent.get(name, making(name, size))
        assert calls == ["a", "b", "c", "b"]
        assert await recent.get("large", making("large", 11)) == bytes(11)
        await recent.get("large", making("large", 11))
        assert calls[-2:] == ["large", "large"]

    run(work)


def test_little_is_done_at_once_and_much_is_refused() -> None:
    """Two in threads, some waiting, the next is told to come again; a fault is not kept."""
    least, most, under_way = threading.Event(), [0], [0]
    lock = threading.Lock()

    def make() -> bytes:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        least.wait(30)
        with lock:
            under_way[0] -= 1
        raise ValueError

    async def work() -> None:
        recent: Made = Recent(len, number=4, bytes_kept=100)
        waiting = [asyncio.ensure_future(recent.get(number, make)) for number in range(WAITING)]
        while under_way[0] < AT_ONCE:
            await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await recent.get("one more", make)
        least.set()
        faults = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(fault) for fault in faults} == {ValueError}
        assert await recent.get(0, lambda: b"now") == b"now"

    run(work)
    assert most == [AT_ONCE]


def test_the_newest_can_be_kept_whatever_its_size() -> None:
    """Who turns its pages does not wait for it again; it goes when another comes."""
    calls: list[bytes] = []

    async def work() -> None:
        recent: Made = Recent(len, number=4, bytes_kept=3, newest=True)

        def make(made: bytes) -> bytes:
            calls.append(made)
            return made

        for made in (b"large", b"large", b"larger", b"larger", b"large"):
            assert await recent.get(made, functools.partial(make, made)) == made

    run(work)
    assert calls == [b"large", b"larger", b"large"]
