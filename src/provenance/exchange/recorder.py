"""Sit between the HTTP client and the socket: copy every byte that passes.

One recorder serves one client in one thread; `begin` starts it afresh for each exchange.
"""

from __future__ import annotations

import io
from typing import Any

from provenance.exchange.dialing import Dialer, Opened
from provenance.exchange.pace import Pace, send_all
from provenance.exchange.proxies import Proxy
from provenance.exchange.values import TlsSession

UNPARSED_LIMIT = 1 << 16
"""Bytes kept of what arrived where it is no HTTP response."""

_BUFFER = 1 << 16


class Recorder:
    """What is known of the exchange under way."""

    def __init__(self, dialer: Dialer, pace: Pace) -> None:
        self._dialer = dialer
        self.pace = pace
        self.received = 0
        self.begin()

    def begin(self) -> None:
        """Forget the last exchange."""
        self.sent = bytearray()
        self.received = 0
        self.heard = bytearray()
        self.peer: tuple[str, int] | None = None
        self.proxy: str | None = None
        self.addresses: tuple[str, ...] = ()
        self.tls: TlsSession | None = None
        self.interim: list[bytes] = []
        self.head_bytes = b""
        self.reused = True
        self.answered = False

    def open(
        self, host: str, port: int, *, encrypted: bool, proxy: Proxy | None
    ) -> RecordingSocket:
        """Open a connection whose bytes are copied.

        Raises:
            ExchangeFault: there is none to be had.
        """
        self.reused = False
        self.proxy = proxy.address if proxy else None
        try:
            opened = self._dialer.open(host, port, encrypted=encrypted, proxy=proxy)
        finally:
            self.peer, self.addresses = self._dialer.peer, self._dialer.addresses
        return RecordingSocket(opened, self, self.proxy)

    def hear(self, raw: memoryview) -> None:
        """Take note of bytes that have arrived."""
        timings = self.pace.timings
        if raw and "first_byte" not in timings:
            self.pace.clocked("first_byte", self.pace.started)
        self.received += len(raw)
        if not self.answered:
            self.heard += raw[: UNPARSED_LIMIT - len(self.heard)]


class RecordingSocket:
    """A connection whose sent and received bytes are copied."""

    def __init__(self, opened: Opened, recorder: Recorder, proxy: str | None) -> None:
        self._opened = opened
        self._recorder = recorder
        self._proxy = proxy

    def sendall(self, raw: bytes) -> None:
        """Send `raw` and keep a copy."""
        recorder, opened = self._recorder, self._opened
        recorder.peer, recorder.addresses = opened.peer, opened.addresses
        recorder.tls, recorder.proxy = opened.tls, self._proxy
        recorder.sent += raw
        send_all(opened.wire, raw, recorder.pace)

    def makefile(self, mode: str = "rb", *_: object, **__: object) -> io.BufferedReader:
        """Return a buffered reader that counts what arrives; to close it leaves the wire open."""
        return io.BufferedReader(_RecordingReader(self._opened.wire, self._recorder), _BUFFER)

    def fileno(self) -> int:
        """Return the socket's number, to see whether something waits to be read."""
        number: int = self._opened.wire.fileno()
        return number

    def close(self) -> None:
        """Close the connection."""
        self._opened.wire.close()


class _RecordingReader(io.RawIOBase):
    def __init__(self, wire: Any, recorder: Recorder) -> None:
        self._wire = wire
        self._recorder = recorder

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        recorder = self._recorder
        self._wire.settimeout(recorder.pace.patience())
        count: int = self._wire.recv_into(buffer)
        recorder.hear(memoryview(buffer)[:count])
        return count
