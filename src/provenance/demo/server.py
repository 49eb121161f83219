"""Serve the demo's web on a loopback port, byte for byte; connects to nobody else.

Each connection is one worker's task: read a request head, answer with the page's bytes, and go on
with the next request until a page or the client closes.
"""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from provenance.demo.site import Web, harbour_web
from provenance.demo.wire import Page, Request, parse_request
from provenance.runtime import Address

_LOOPBACK = "127.0.0.1"
_HTTP_PORT = 80
_MAX_CONNECTIONS = 64
_MAX_HEAD = 64 * 1024
_IDLE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request as the server read it; `raw` runs through the head's empty line."""

    host: str
    path: str
    raw: bytes


class DemoServer:
    """The demo's hosts behind one listener on 127.0.0.1; a context manager.

    While it runs, `port` is the listener's, and `resolve` leads the demo's hosts there. At most 64
    connections are served at once. Leaving the context closes every connection and ends every
    thread.
    """

    def __init__(self, web: Web | None = None) -> None:
        self._web = web if web is not None else harbour_web()
        self._lock = Lock()
        self._connections: set[socket.socket] = set()
        self._visits: list[Visit] = []
        self._second = False
        self._stopping = False
        self._resources = ExitStack()
        self._port = self._dead_port = 0

    def __enter__(self) -> Self:
        with ExitStack() as resources:
            listener = resources.enter_context(socket.create_server((_LOOPBACK, 0)))
            # Bound but not listening: it refuses, and nobody else can take it meanwhile.
            refusing = resources.enter_context(socket.socket())
            refusing.bind((_LOOPBACK, 0))
            self._stopping = False
            self._port = listener.getsockname()[1]
            self._dead_port = refusing.getsockname()[1]
            workers = ThreadPoolExecutor(_MAX_CONNECTIONS, thread_name_prefix="demo-worker")
            resources.callback(workers.shutdown)
            acceptor = Thread(target=self._accept, args=(listener, workers), name="demo-acceptor")
            acceptor.start()
            resources.callback(self._stop, acceptor)
            self._resources = resources.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._resources.close()
        self._port = self._dead_port = 0

    @property
    def port(self) -> int:
        """The listener's port.

        Raises:
            RuntimeError: the server is not running.
        """
        if not self._port:
            raise RuntimeError("the demo server is not running; enter it with `with` first")
        return self._port

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Every request read so far, in the order of reading."""
        with self._lock:
            return tuple(self._visits)

    def release_second_version(self) -> None:
        """From now on, answer with the second versions where the web has one."""
        with self._lock:
            self._second = True

    def resolve(self, host: str, port: int) -> tuple[Address, ...]:
        """Lead the demo's hosts to the listener at port 80, and to a refusing port at any other.

        Raises:
            socket.gaierror: the web has no such host.
        """
        if host.lower().removesuffix(".") not in self._web.first:
            raise socket.gaierror(socket.EAI_NONAME, "no such host in the demo's web")
        listening = self.port
        target = listening if port == _HTTP_PORT else self._dead_port
        return ((socket.AF_INET, (_LOOPBACK, target)),)

    def _accept(self, listener: socket.socket, workers: ThreadPoolExecutor) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except ConnectionAbortedError:
                continue
            with self._lock:
                if self._stopping:
                    connection.close()
                    return
                self._connections.add(connection)
                workers.submit(self._serve, connection)

    def _stop(self, acceptor: Thread) -> None:
        """End the acceptor and wake every worker; the pool then waits for the workers."""
        with self._lock:
            self._stopping = True
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        # Closing a listener does not wake `accept` everywhere; a last connection does.
        with suppress(OSError):
            socket.create_connection((_LOOPBACK, self._port), timeout=_IDLE_S).close()
        acceptor.join()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(_IDLE_S)
            self._converse(connection)
        except OSError:
            pass  # The client left, idled or was cut off by `_stop`; there is nobody to tell.
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _converse(self, connection: socket.socket) -> None:
        buffer = bytearray()
        while (head := _read_head(connection, buffer)) is not None:
            request = parse_request(head)
            page = self._choose(request, head)
            connection.sendall(_answer(page, request))
            if page.closes or request is None or request.closes:
                return

    def _choose(self, request: Request | None, head: bytes) -> Page:
        if request is None:
            return self._web.bad_request
        with self._lock:
            self._visits.append(Visit(host=request.host, path=request.path, raw=head))
            second = self._second
        if request.method not in {"GET", "HEAD"} or request.has_body:
            return self._web.not_allowed
        return self._web.page(request.host, request.path, second=second)


def _answer(page: Page, request: Request | None) -> bytes:
    if request is None:
        return page.raw
    if page.not_modified is not None and page.etag in request.if_none_match:
        return page.not_modified
    return page.head if request.method == "HEAD" else page.raw


def _read_head(connection: socket.socket, buffer: bytearray) -> bytes | None:
    """Take one request head off the connection; None where it ends or the head is too long."""
    while (end := buffer.find(b"\r\n\r\n")) < 0:
        if len(buffer) > _MAX_HEAD:
            return None
        received = connection.recv(_MAX_HEAD)
        if not received:
            return None
        buffer += received
    head = bytes(buffer[: end + 4])
    del buffer[: end + 4]
    return head
