"""Serve an ASGI application over HTTP until it is told to stop. The only door to uvicorn."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from provenance.errors import ProvenanceError

_SEND_BUFFER = 1 << 18
"""Bytes of one answer that the system takes from us before its reader has them; Linux doubles it.

At 60 seconds that lets a reader go who takes less than about 3 kB a second; over a way of a tenth
of a second there and back it allows some 2.5 MB a second."""


class AddressError(ProvenanceError):
    """The host and port cannot be served on."""


class AppServer:
    """One server for one application; `announce` gets its URL once it takes requests.

    Port 0 means any free port; the URL names the one that was taken. `what` is served, for people.
    A connection ends after `connection_s` seconds, whatever it is at, or when nobody takes for
    `stalled_s` seconds what waits on it, and of more than `connections` at once those beyond are
    told to come again; None is without limit.
    """

    def __init__(
        self,
        app: Any,
        *,
        host: str,
        port: int,
        announce: Callable[[str], None],
        what: str,
        lifespan: bool = True,
        connection_s: float | None = None,
        stalled_s: float | None = None,
        connections: int | None = None,
    ) -> None:
        self._host, self._port, self._what = host, port, what
        config = uvicorn.Config(
            app,
            interface="asgi3",
            host=host,
            port=port,
            http=_impatient(connection_s, stalled_s),
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="on" if lifespan else "off",
            limit_concurrency=connections,
            timeout_graceful_shutdown=2,
        )
        self._server = _AnnouncingServer(config, announce)

    def run(self) -> None:
        """Serve until `stop` or Ctrl-C (then `KeyboardInterrupt` is raised at the end).

        Raises:
            AddressError: the address is taken, not allowed or not this machine's.
        """
        try:
            self._server.run()
        except BaseException as stopped:
            # uvicorn ends the whole process when it cannot bind; that is for the caller to say.
            if self._server.was_up or isinstance(stopped, KeyboardInterrupt):
                raise
            raise self._refused() from stopped
        if not self._server.was_up:
            raise self._refused()

    def stop(self) -> None:
        """Ask the server to end; it finishes what it is sending, for two seconds at most."""
        self._server.should_exit = True

    def _refused(self) -> AddressError:
        return AddressError(
            f"{self._what} cannot be served here",
            where=f"{self._host} port {self._port}",
            hint="Choose another --port (0 takes any free one) or --host.",
        )


class _AnnouncingServer(uvicorn.Server):
    """A uvicorn server that says where it is once it is there."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self.was_up = False
        self._announce = announce

    async def startup(self, sockets: Any = None) -> None:
        """Start as usual, then announce the first address."""
        await super().startup(sockets=sockets)
        if self.started and not self.should_exit:
            self.was_up = True
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._announce(f"http://{f'[{host}]' if ':' in host else host}:{port}")


def _impatient(connection_s: float | None, stalled_s: float | None) -> type[H11Protocol]:
    """Return a protocol whose connections end in time; uvicorn's wait for ever for the other side.

    Source: uvicorn 0.54, settings: there is a time-out between requests, none for a request and
    none for an answer. asyncio, Transports: `close` waits until all is sent, `abort` does not.
    """

    class Impatient(H11Protocol):
        """A connection that ends in time."""

        _waiting: asyncio.TimerHandle | None = None
        _ending: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Begin as usual, and end in time."""
            super().connection_made(transport)
            taken = transport.get_extra_info("socket")
            if stalled_s is not None and taken.family in (socket.AF_INET, socket.AF_INET6):
                # The system's own buffer grows to megabytes, and asks for more only once a third of
                # it is gone: a slow reader would look as if it took nothing.
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            if connection_s is not None:
                self.loop.call_later(connection_s, transport.close)

        def pause_writing(self) -> None:
            """Wait until somebody takes what is written, but not for ever."""
            super().pause_writing()
            if stalled_s is not None:
                self._waiting = self.loop.call_later(stalled_s, self.transport.abort)

        def resume_writing(self) -> None:
            """Go on."""
            super().resume_writing()
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

        def on_response_complete(self) -> None:
            """End as usual, and do not wait for ever until the last bytes are taken."""
            super().on_response_complete()
            if stalled_s is not None and self.transport.get_write_buffer_size():
                self._ending = self.loop.call_later(stalled_s, self._let_go)

        def connection_lost(self, exc: Exception | None) -> None:
            """End as usual, with nothing left to be done."""
            for timer in (self._waiting, self._ending):
                if timer is not None:
                    timer.cancel()
            super().connection_lost(exc)

        def _let_go(self) -> None:
            if self.transport.is_closing():  # else it took them, and asked for more
                self.transport.abort()

    return Impatient
