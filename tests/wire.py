"""A loopback server that plays exact bytes; it knows no HTTP beyond the request's end."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"(?mi)^content-length: ([0-9]+)")

Script = Callable[[bytes], bytes | None]
"""Request head in, bytes to send out; None hangs up without a byte."""


@dataclass(slots=True)
class Wire:
    """A listener on loopback; `requests` holds every request head as it arrived."""

    play: Script
    closes: bool = True
    context: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    address: str = "127.0.0.1"
    port: int = 0

    @property
    def url(self) -> str:
        scheme = "https" if self.context else "http"
        return f"{scheme}://{self.address}:{self.port}"

    def serve_one(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError), raw:
            wire = self.context.wrap_socket(raw, server_side=True) if self.context else raw
            with wire:
                while head := self._head(wire):
                    self.requests.append(head)
                    answer = self.play(head)
                    wire.sendall(answer or b"")
                    if self.closes or answer is None:
                        wire.shutdown(socket.SHUT_WR)
                        while wire.recv(65536):
                            pass
                        return

    @staticmethod
    def _head(wire: socket.socket) -> bytes:
        head, end = b"", b""
        body = 0
        while not end or body > 0:
            piece = wire.recv(65536)
            if not piece:
                return b""
            if end:
                body -= len(piece)
                continue
            head, end, rest = (head + piece).partition(b"\r\n\r\n")
            told = _LENGTH.search(head)
            body = (int(told[1]) if told else 0) - len(rest)
        return head + end


@contextlib.contextmanager
def playing(
    play: Script | bytes,
    *,
    closes: bool = True,
    context: ssl.SSLContext | None = None,
    address: str = "127.0.0.1",
) -> Iterator[Wire]:
    """Serve until the block ends; `bytes` are played to every request."""
    script = play if callable(play) else lambda _head: play
    wire = Wire(play=script, closes=closes, context=context, address=address)
    with socket.create_server((address, 0)) as listener:
        wire.port = listener.getsockname()[1]

        def accept() -> None:
            while True:
                try:
                    raw, _ = listener.accept()
                except OSError:
                    return
                raw.settimeout(10)
                wire.connections += 1
                threading.Thread(target=wire.serve_one, args=(raw,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield wire
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
