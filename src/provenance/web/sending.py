"""Send answers at the pace of whoever reads them, few large ones at once, and to nobody for ever.

What a server may send and nobody takes stays in its memory. So bytes go out in small pieces, each
once the one before it is on its way (uvicorn holds 64 KiB for a connection before it lets wait);
the bytes of documents that are under way, and those of answers held whole, are bounded together;
and who takes no piece for long is let go.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from provenance.web.policy import App, Message, Receive, Scope, Send

BLOCK = 1 << 16
"""Bytes that are sent at once."""

STREAMS = 64
"""Documents that are read and sent at once."""

HELD = 128 << 20
"""Bytes of whole answers that are sent at once, each counted once however many read it."""

STALLED_S = 60.0
"""How long a connection of our own server may take nothing."""

PIECE_S = 600.0
"""How long a piece may wait for its reader, whatever the server: its buffers may be megabytes, of
which a slow reader takes a part before the next piece goes in."""

_EACH = 2 * BLOCK
"""Bytes that wait for one reader beside the answer itself: in the server, and on the way there."""

_ENDING = "provenance.ending"
"""Where a scope has what is done when its request ends."""

Busy = Callable[[Scope, Receive], Any]
"""Makes the answer, with `asgi_send`, for who has to come again."""


class Sending:
    """What is under way. For the threads of one event loop: its own."""

    def __init__(self, *, streams: int = STREAMS, held: int = HELD) -> None:
        self.most_streams, self.most_held = streams, held
        self._streams = 0
        self._bodies: dict[int, tuple[bytes, int]] = {}  # each with its readers; kept, so ids stay

    def begin_stream(self, scope: Scope) -> bool:
        """Count one stream until the request with this scope ends; False where there are too many.

        Asked before anything is opened for it.
        """
        if self._streams >= self.most_streams:
            return False
        self._streams += 1
        scope[_ENDING].callback(self._end_stream)
        return True

    def _end_stream(self) -> None:
        self._streams -= 1

    @contextlib.contextmanager
    def whole(self, body: bytes) -> Iterator[bool]:
        """Count one reader of an answer held whole; give False where too much is held.

        One answer is always taken, whatever its size.
        """
        key = id(body)
        if self._bodies and self._held(body) > self.most_held:
            yield False
            return
        self._bodies[key] = (body, self._bodies.get(key, (body, 0))[1] + 1)
        try:
            yield True
        finally:
            readers = self._bodies.pop(key)[1] - 1
            if readers:
                self._bodies[key] = (body, readers)

    def _held(self, new: bytes) -> int:
        """Return the bytes that are held with one more reader of `new`."""
        held = sum(len(body) + _EACH * readers for body, readers in self._bodies.values())
        return held + _EACH + (0 if id(new) in self._bodies else len(new))


def paced(app: App, sending: Sending, busy: Busy, *, stalled_s: float = PIECE_S) -> App:
    """Wrap an ASGI app so that what it sends goes out in pieces, and waits `stalled_s` at most.

    Who takes no piece for so long gets no more: the answer is left without its end, and the server
    closes the connection.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        pace = _Pace(scope, send, sending, lambda: busy(scope, receive), stalled_s)
        with contextlib.suppress(_StalledError), contextlib.ExitStack() as ending:
            await app({**scope, _ENDING: ending}, receive, pace.send)

    return guarded


class _StalledError(BaseException):
    """The reader takes nothing. No `Exception`, which an app would try to answer."""


class _Pace:
    """The way of one answer, whose head is held back until it is known how much follows it."""

    def __init__(
        self,
        scope: Scope,
        send: Send,
        sending: Sending,
        busy: Callable[[], Any],
        stalled_s: float,
    ) -> None:
        self._bodiless = scope["method"] == "HEAD"
        self._onward, self._sending, self._busy = send, sending, busy
        self._stalled_s = stalled_s
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        """Take a message of the app."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        body = message.get("body", b"")
        if self._start is None or self._bodiless or message.get("more_body") or len(body) <= BLOCK:
            await self._follow(message)
            return
        with self._sending.whole(body) as admitted:
            if admitted:
                await self._follow(message)
                return
        answer, self._start = self._busy(), None
        await answer.asgi_send(self._pass)

    async def _follow(self, message: Message) -> None:
        if self._start is not None:
            start, self._start = self._start, None
            await self._pass(start)
        body = message.get("body", b"")
        if len(body) <= BLOCK:
            await self._pass(message)
            return
        more, view = message.get("more_body", False), memoryview(body)
        for at in range(0, len(body), BLOCK):
            piece, goes_on = bytes(view[at : at + BLOCK]), at + BLOCK < len(body)
            await self._pass({**message, "body": piece, "more_body": more or goes_on})

    async def _pass(self, message: Message) -> None:
        try:
            async with asyncio.timeout(self._stalled_s):
                await self._onward(message)
        except TimeoutError:
            raise _StalledError from None
