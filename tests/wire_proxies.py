"""Small proxies on loopback: HTTP (forwarding and CONNECT), SOCKS4, SOCKS4a and SOCKS5."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Handler = Callable[[socket.socket], None]


@contextlib.contextmanager
def listening(handle: Handler, *, host: str = "127.0.0.1") -> Iterator[int]:
    """Give each connection to `handle` in a thread until the block ends; yield the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:

        def serve(raw: socket.socket) -> None:
            with contextlib.suppress(OSError, EOFError, ValueError), raw:
                handle(raw)

        def accept() -> None:
            while True:
                try:
                    raw, _ = listener.accept()
                except OSError:
                    return
                raw.settimeout(10)
                threading.Thread(target=serve, args=(raw,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@dataclass(slots=True)
class ProxyPlan:
    """What a proxy does: `hosts` leads names to addresses; `asked` holds what it was asked for.

    `login` is (user, password) that it demands; `refuses` is a SOCKS5 reply or an HTTP status that
    it gives instead of connecting.
    """

    hosts: Mapping[str, str] = field(default_factory=dict)
    login: tuple[str, str] | None = None
    refuses: int | None = None
    asked: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    port: int = 0

    def dial(self, host: str, port: int) -> socket.socket:
        self.asked.append(f"{host}:{port}")
        return socket.create_connection((self.hosts.get(host, host), port), timeout=10)


def relay(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until both sides end; in one thread, as TLS wants it."""
    sinks = {one: other, other: one}
    reading = [one, other]
    while reading:
        held = [each for each in reading if isinstance(each, ssl.SSLSocket) and each.pending()]
        ready = held or select.select(reading, [], [], 10)[0]
        if not ready:
            break
        for source in ready:
            piece = source.recv(65536)
            if piece:
                sinks[source].sendall(piece)
                continue
            reading.remove(source)
            with contextlib.suppress(OSError):
                sinks[source].shutdown(socket.SHUT_WR)
    other.close()


def read_exactly(wire: socket.socket, size: int) -> bytes:
    raw = b""
    while len(raw) < size:
        piece = wire.recv(size - len(raw))
        if not piece:
            raise EOFError
        raw += piece
    return raw


def read_until(wire: socket.socket, end: bytes) -> bytes:
    raw = b""
    while not raw.endswith(end):
        raw += read_exactly(wire, 1)
    return raw


def http_proxy(plan: ProxyPlan, context: ssl.SSLContext | None = None) -> Handler:
    """Forward requests in absolute form, and open tunnels; over TLS where `context` is given."""

    def handle(raw: socket.socket) -> None:
        wire = context.wrap_socket(raw, server_side=True) if context else raw
        with wire:
            while head := read_until(wire, b"\r\n\r\n"):
                plan.heads.append(head)
                if not one(wire, head):
                    return

    def one(wire: socket.socket, head: bytes) -> bool:
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        status = plan.refuses
        if plan.login and f"Basic {basic(*plan.login)}".encode() not in head:
            status = 407
        if status is not None:
            wire.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)
            return True
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            upstream = plan.dial(host.strip("[]"), int(port))
            wire.sendall(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
            relay(wire, upstream)
            return False
        parts = urlsplit(target)
        upstream = plan.dial(parts.hostname or "", parts.port or 80)
        path = target.partition(parts.netloc)[2] or "/"
        rest = head.split(b"\r\n", 1)[1]
        upstream.sendall(f"{method} {path} HTTP/1.1\r\n".encode() + rest)
        relay(wire, upstream)
        return False

    return handle


def basic(user: str, password: str) -> str:
    import base64

    return base64.b64encode(f"{user}:{password}".encode()).decode()


def socks5_proxy(plan: ProxyPlan) -> Handler:
    """Speak SOCKS5 (RFC 1928) with or without a password (RFC 1929)."""

    def handle(wire: socket.socket) -> None:
        version, count = read_exactly(wire, 2)
        methods = read_exactly(wire, count)
        wanted = 2 if plan.login else 0
        if version != 5 or wanted not in methods:
            wire.sendall(b"\x05\xff")
            return
        wire.sendall(bytes([5, wanted]))
        if plan.login and not password_is_right(wire):
            return
        _, _, _, kind = read_exactly(wire, 4)
        host = read_host(wire, kind)
        (port,) = struct.unpack(">H", read_exactly(wire, 2))
        if plan.refuses is not None:
            plan.asked.append(f"{host}:{port}")
            wire.sendall(bytes([5, plan.refuses, 0, 1]) + bytes(6))
            return
        upstream = plan.dial(host, port)
        wire.sendall(b"\x05\x00\x00\x01" + bytes(6))
        relay(wire, upstream)

    def password_is_right(wire: socket.socket) -> bool:
        read_exactly(wire, 1)
        user = read_exactly(wire, read_exactly(wire, 1)[0]).decode()
        password = read_exactly(wire, read_exactly(wire, 1)[0]).decode()
        right = (user, password) == plan.login
        wire.sendall(b"\x01\x00" if right else b"\x01\x01")
        return right

    return handle


def read_host(wire: socket.socket, kind: int) -> str:
    if kind == 1:
        return socket.inet_ntop(socket.AF_INET, read_exactly(wire, 4))
    if kind == 4:
        return socket.inet_ntop(socket.AF_INET6, read_exactly(wire, 16))
    return read_exactly(wire, read_exactly(wire, 1)[0]).decode()


def socks4_proxy(plan: ProxyPlan) -> Handler:
    """Speak SOCKS4, and SOCKS4a where a name follows; `login`'s user is the user id it demands."""

    def handle(wire: socket.socket) -> None:
        version, _, port = struct.unpack(">BBH", read_exactly(wire, 4))
        raw = read_exactly(wire, 4)
        user = read_until(wire, b"\0")[:-1].decode()
        host = socket.inet_ntop(socket.AF_INET, raw)
        if raw[:3] == bytes(3) and raw[3]:
            host = read_until(wire, b"\0")[:-1].decode()
        if version != 4 or (plan.login and user != plan.login[0]):
            wire.sendall(b"\x00\x5d" + bytes(6))
            return
        upstream = plan.dial(host, port)
        wire.sendall(b"\x00\x5a" + bytes(6))
        relay(wire, upstream)

    return handle


@contextlib.contextmanager
def proxying(
    make: Callable[[ProxyPlan], Handler],
    *,
    hosts: Mapping[str, str] | None = None,
    login: tuple[str, str] | None = None,
    refuses: int | None = None,
) -> Iterator[ProxyPlan]:
    """Run a proxy until the block ends."""
    plan = ProxyPlan(hosts=hosts or {}, login=login, refuses=refuses)
    with listening(make(plan)) as port:
        plan.port = port
        yield plan
