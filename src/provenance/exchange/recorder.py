"""Sit between urllib3 and the socket: dial checked addresses, copy every byte that passes.

One recorder serves one client in one thread; `begin` starts it afresh for each exchange.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable
from http.client import HTTPMessage, HTTPResponse
from typing import Any

from provenance.exchange.addresses import AddressPolicy
from provenance.exchange.values import Fault, TlsSession
from provenance.http_message import HEAD_LIMIT, ResponseHead, parse_response_head
from provenance.runtime import Runtime

_BUFFER = 1 << 16
_INTERIM_LIMIT = 16


class ExchangeFault(OSError):
    """The exchange cannot go on; carries the `Fault`. An OSError, so that urllib3 lets go."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(reason=reason, detail=detail)


class Recorder:
    """What is known of the exchange under way, and the only place where sockets are opened."""

    def __init__(self, runtime: Runtime, policy: AddressPolicy) -> None:
        self._runtime = runtime
        self._policy = policy
        self._peers: dict[int, tuple[tuple[str, int], tuple[str, ...], TlsSession | None]] = {}
        self.begin(idle_s=60.0, deadline=float("inf"))

    def begin(self, *, idle_s: float, deadline: float) -> None:
        """Forget the last exchange; `deadline` is an instant of the monotonic clock."""
        self.idle_s = idle_s
        self.deadline = deadline
        self.started = self._runtime.monotonic()
        self.timings: dict[str, float] = {}
        self.sent = bytearray()
        self.received = 0
        self.peer: tuple[str, int] | None = None
        self.addresses: tuple[str, ...] = ()
        self.tls: TlsSession | None = None
        self.interim: list[bytes] = []
        self.head_bytes = b""
        self.reused = True
        self.response: RecordingResponse | None = None

    def clocked(self, name: str, since: float) -> float:
        """Note the milliseconds from `since` to now under `name`; return now."""
        now = self._runtime.monotonic()
        self.timings[name] = round((now - since) * 1000, 3)
        return now

    def patience(self) -> float:
        """Return how many seconds the next socket operation may take.

        Raises:
            TimeoutError: the time for the whole document is used up.
        """
        left = self.deadline - self._runtime.monotonic()
        if left <= 0:
            raise TimeoutError("the time limit for one document is reached")
        return min(self.idle_s, left)

    def dial(self, host: str, port: int, *, to_proxy: bool) -> socket.socket:
        """Resolve, check and connect; the addresses are tried in the order given.

        Raises:
            ExchangeFault: dns, private_address, timeout, refused, unreachable or network.
        """
        self.reused = False
        begun = self._runtime.monotonic()
        try:
            found = self._runtime.resolve(host, port)
        except (OSError, UnicodeError) as fault:
            raise ExchangeFault("dns", f"no address for {host} ({fault})") from fault
        begun = self.clocked("resolve", begun)
        self.addresses = tuple(dict.fromkeys(where[0] for _, where in found))
        if not to_proxy:
            found = tuple(each for each in found if self._policy.allows(each[1][0]))
            if self.addresses and not found:
                raise ExchangeFault(
                    "private_address",
                    f"{host} has only addresses that are not public ({', '.join(self.addresses)})",
                )
        last: OSError = OSError(f"no address for {host}")
        for family, where in found:
            try:
                connected = self._connect(family, where)
            except OSError as fault:
                last = fault
                continue
            self.clocked("connect", begun)
            return connected
        raise ExchangeFault(_reason_of_connect(last), f"{host} port {port}: {last}") from last

    def _connect(self, family: int, where: tuple[str, int]) -> socket.socket:
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(self.patience())
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.connect(where)
        except OSError:
            opened.close()
            raise
        return opened

    def connected(self, wire: socket.socket, *, since: float) -> RecordingSocket:
        """Wrap a connected (and, for https, TLS-wrapped) socket so that its bytes are copied."""
        name = wire.getpeername()
        tls = _tls_session(wire)
        if tls is not None:
            spent = self.clocked("tls", since) - since
            earlier = self.timings.get("resolve", 0.0) + self.timings.get("connect", 0.0)
            self.timings["tls"] = round(max(spent * 1000 - earlier, 0.0), 3)
        return RecordingSocket(wire, self, (str(name[0]), int(name[1])), self.addresses, tls)

    def monotonic(self) -> float:
        """Return the injected monotonic clock's reading, in seconds."""
        return self._runtime.monotonic()


def _reason_of_connect(fault: OSError) -> str:
    if isinstance(fault, TimeoutError):
        return "timeout"
    if isinstance(fault, ConnectionRefusedError):
        return "refused"
    if isinstance(fault, ConnectionError):
        return "disconnect"
    return "unreachable" if fault.errno else "network"


def _tls_session(wire: socket.socket) -> TlsSession | None:
    if not isinstance(wire, ssl.SSLSocket):
        return None
    chain: tuple[bytes, ...] = ()
    unverified: Callable[[], list[bytes]] | None = getattr(wire, "get_unverified_chain", None)
    if unverified is not None:
        chain = tuple(unverified())
    else:
        own = wire.getpeercert(binary_form=True)
        chain = (own,) if own else ()
    cipher = wire.cipher()
    return TlsSession(
        version=wire.version() or "", cipher=cipher[0] if cipher else "", certificates=chain
    )


class RecordingSocket:
    """A socket whose sent and received bytes are copied; everything else is the real socket's."""

    def __init__(
        self,
        wire: socket.socket,
        recorder: Recorder,
        peer: tuple[str, int],
        addresses: tuple[str, ...],
        tls: TlsSession | None,
    ) -> None:
        self._wire = wire
        self._recorder = recorder
        self._known = (peer, addresses, tls)

    def sendall(self, raw: Any) -> None:
        """Send `raw` and keep a copy."""
        recorder = self._recorder
        recorder.peer, recorder.addresses, recorder.tls = self._known
        self._wire.settimeout(recorder.patience())
        self._wire.sendall(raw)
        recorder.sent += raw

    def makefile(self, mode: str = "rb", *_: object, **__: object) -> io.BufferedReader:
        """Return a buffered reader that counts what arrives."""
        raw = self._wire.makefile("rb", buffering=0)
        return io.BufferedReader(_RecordingReader(self._wire, raw, self._recorder), _BUFFER)

    def close(self) -> None:
        """Close the socket (a reader that is still open keeps the wire, as with any socket)."""
        self._wire.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)


class _RecordingReader(io.RawIOBase):
    def __init__(self, wire: socket.socket, raw: io.RawIOBase, recorder: Recorder) -> None:
        self._wire = wire
        self._raw = raw
        self._recorder = recorder

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        recorder = self._recorder
        # The raw reader refuses to go on after one time-out, so the wire is asked directly.
        self._wire.settimeout(recorder.patience())
        count = self._wire.recv_into(buffer)
        if count and "first_byte" not in recorder.timings:
            recorder.clocked("first_byte", recorder.started)
        recorder.received += count
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class RecordingResponse(HTTPResponse):
    """A response whose head is read by our own rules; the body is read from `fp` by the client.

    Steps of `begin`:
    (1) Head: read lines up to the empty one, within the limit.
    (2) Interim: a 1xx other than 101 is set aside, and the next head is read.
    (3) Words: fill in what http.client and requests expect to find.

    Source: RFC 9112 §2.2, §4; RFC 9110 §15.2.
    """

    recorder: Recorder
    message: ResponseHead

    def begin(self) -> None:
        """Read the head of the final response.

        Raises:
            ExchangeFault: disconnect or bad_response.
        """
        while True:
            raw = self._read_head()  # (1) Head
            head = parse_response_head(raw)
            if head is None:
                raise ExchangeFault("bad_response", f"not HTTP: {raw[:40]!r}")
            if not 100 <= head.status < 200 or head.status == 101:
                break
            self.recorder.interim.append(raw)  # (2) Interim
            self.recorder.head_bytes = b""
            if len(self.recorder.interim) > _INTERIM_LIMIT:
                raise ExchangeFault("bad_response", "no end of interim responses")
        self.message = head
        self.recorder.response = self
        self._fill_in(head)  # (3) Words

    def _read_head(self) -> bytes:
        recorder = self.recorder
        while not recorder.head_bytes.endswith((b"\n\r\n", b"\n\n")):
            line = self.fp.readline(_BUFFER)
            recorder.head_bytes += line
            if not line:
                word = "disconnect" if recorder.received == 0 else "bad_response"
                raise ExchangeFault(word, "the connection ended before a response head")
            if recorder.head_bytes[:5] != b"HTTP/"[: len(recorder.head_bytes)]:
                raise ExchangeFault("bad_response", f"not HTTP: {recorder.head_bytes[:40]!r}")
            if len(recorder.head_bytes) > HEAD_LIMIT:
                raise ExchangeFault("bad_response", f"a head of more than {HEAD_LIMIT} bytes")
        return recorder.head_bytes

    def _fill_in(self, head: ResponseHead) -> None:
        self.code = self.status = head.status
        self.reason = head.reason.decode("latin-1")
        self.version = 10 if head.version == "1.0" else 11
        self.headers = self.msg = HTTPMessage()
        for name, value in head.fields:
            self.headers[name.decode("latin-1")] = value.decode("latin-1")
        self.chunked = False
        self.length = None
        connection = ",".join(head.values("connection")).lower()
        kept = "keep-alive" in connection if head.version == "1.0" else "close" not in connection
        self.will_close = not kept
