"""Work that takes time is done once, little of it at once, and what came last is kept in bounds."""

from __future__ import annotations

import asyncio
import functools
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

        async def make() -> bytes:
            calls.append(1)
            await asyncio.sleep(0)
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

        def making(name: str, size: int) -> Callable[[], Awaitable[bytes]]:
            async def make() -> bytes:
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
    """Two are being made, some wait, the next is told to come again; a fault is not kept."""
    most, under_way = [0], [0]

    async def work() -> None:
        recent: Made = Recent(len, number=4, bytes_kept=100)
        released, begun = asyncio.Event(), asyncio.Semaphore(0)

        async def make() -> bytes:
            begun.release()
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
            await released.wait()
            under_way[0] -= 1
            raise ValueError

        waiting = [asyncio.ensure_future(recent.get(number, make)) for number in range(WAITING)]
        for _ in range(AT_ONCE):
            await asyncio.wait_for(begun.acquire(), 60)
        with pytest.raises(BusyError):
            await recent.get("one more", make)
        known = asyncio.ensure_future(recent.get(WAITING - 1, make))
        released.set()
        faults = await asyncio.gather(*waiting, known, return_exceptions=True)
        assert [type(fault) for fault in faults] == [ValueError] * (WAITING + 1)
        assert await recent.get(0, now) == b"now"

    async def now() -> bytes:
        return b"now"

    run(work)
    assert most == [AT_ONCE]


def test_who_goes_away_takes_nothing_from_who_waits() -> None:
    """What is being made is made to its end, and kept."""

    async def work() -> None:
        recent: Made = Recent(len, number=4, bytes_kept=100)
        begun, released = asyncio.Event(), asyncio.Event()

        async def make() -> bytes:
            begun.set()
            await released.wait()
            return b"made"

        async def never() -> bytes:
            raise AssertionError("made again")

        first = asyncio.ensure_future(recent.get("a", make))
        await begun.wait()
        second = asyncio.ensure_future(recent.get("a", never))
        first.cancel()
        await asyncio.sleep(0)
        released.set()
        assert await second == await recent.get("a", never) == b"made"
        assert first.cancelled()

    run(work)


def test_the_newest_can_be_kept_whatever_its_size() -> None:
    """Who turns its pages does not wait for it again; it goes when another comes."""
    calls: list[bytes] = []

    async def work() -> None:
        recent: Made = Recent(len, number=4, bytes_kept=3, newest=True)

        async def make(made: bytes) -> bytes:
            calls.append(made)
            return made

        for made in (b"large", b"large", b"larger", b"larger", b"large"):
            assert await recent.get(made, functools.partial(make, made)) == made

    run(work)
    assert calls == [b"large", b"larger", b"large"]
