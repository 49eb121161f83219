"""Ask a proxy for a way to the target, before any byte of the exchange: CONNECT and SOCKS.

The only door to PySocks.
"""

from __future__ import annotations

import re
import socket
from typing import Any

import socks

from provenance.exchange.faults import ExchangeFault
from provenance.exchange.pace import Pace, send_all
from provenance.exchange.proxies import Proxy
from provenance.http_message import parse_response_head

_HEAD_LIMIT = 1 << 14
_HEAD_ENDS = (b"\n\r\n", b"\n\n")
_LONGEST_NAME = 127
_VERSIONS = {
    "socks4": socks.SOCKS4,
    "socks4a": socks.SOCKS4,
    "socks5": socks.SOCKS5,
    "socks5h": socks.SOCKS5,
}
_SOCKS5_REASONS = {3: "unreachable", 4: "unreachable", 5: "refused", 6: "timeout"}
"""Replies of a SOCKS5 proxy that tell of the target. Source: RFC 1928 §6."""


def authority_of(host: str, port: int) -> str:
    """Return `host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def ask_connect(wire: Any, host: str, port: int, proxy: Proxy, pace: Pace) -> None:
    """Have an HTTP proxy connect `wire` to the target.

    Source: RFC 9110 §9.3.6.

    Raises:
        ExchangeFault: proxy or timeout.
    """
    target = authority_of(host, port)
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.login is not None:
        lines.append(f"Proxy-Authorization: {proxy.login.basic()}")
    try:
        send_all(wire, "\r\n".join([*lines, "", ""]).encode("ascii"), pace)
        raw = _read_head(wire, pace)
    except TimeoutError as fault:
        raise ExchangeFault("timeout", f"{proxy.address} did not answer in time") from fault
    except OSError as fault:
        raise ExchangeFault("proxy", f"{proxy.address} ended the connection") from fault
    head = parse_response_head(raw) if raw.endswith(_HEAD_ENDS) else None
    if head is None:
        raise ExchangeFault("proxy", f"{proxy.address} answers no HTTP head: {raw[:40]!r}")
    if not 200 <= head.status < 300:
        said = head.reason[:80].decode("latin-1")
        raise ExchangeFault("proxy", f"{proxy.address} answers {head.status} {said}")


def _read_head(wire: Any, pace: Pace) -> bytes:
    # Byte by byte: what follows the head is not the proxy's any more.
    head = bytearray()
    while not head.endswith(_HEAD_ENDS) and len(head) < _HEAD_LIMIT:
        wire.settimeout(pace.patience())
        piece = wire.recv(1)
        if not piece:
            break
        head += piece
    return bytes(head)


class _PacedSocks(socks.socksocket):  # type: ignore[misc]
    """A SOCKS socket whose every wait keeps the pace."""

    pace: Pace

    def recv_into(self, *arguments: Any) -> int:
        socket.socket.settimeout(self, self.pace.patience())
        return socket.socket.recv_into(self, *arguments)


def dial_socks(
    family: int, where: tuple[str, int], proxy: Proxy, target: tuple[str, int], pace: Pace
) -> socket.socket:
    """Connect to the SOCKS proxy at the address `where`, and through it to the target.

    The target is an IP address, or a name where the proxy resolves.

    Raises:
        ExchangeFault: proxy, or what the proxy says of the target.
    """
    host, port = target
    _check_name(host, proxy)
    wire = _PacedSocks(family, socket.SOCK_STREAM)
    wire.pace = pace
    login = proxy.login
    try:
        wire.set_proxy(
            _VERSIONS[proxy.scheme],
            where[0],
            where[1],
            rdns=proxy.resolves,
            username=login.user if login else None,
            password=login.password if login else None,
        )
        wire.settimeout(pace.patience())
        wire.connect((host, port))
        return socket.socket(fileno=wire.detach())
    except (socks.ProxyError, OSError, ValueError) as raised:
        wire.close()
        raise _socks_fault(raised, proxy, target) from None


def _check_name(host: str, proxy: Proxy) -> None:
    if len(host) > _LONGEST_NAME:
        # PySocks writes the length as UTF-8, which a longer one would break.
        what = f"a name of more than {_LONGEST_NAME} bytes cannot be asked of {proxy.address}"
        raise ExchangeFault("proxy", what)
    if ":" in host and proxy.scheme.startswith("socks4"):
        raise ExchangeFault("proxy", f"{proxy.address} cannot reach the IPv6 address {host}")


def _socks_fault(raised: Exception, proxy: Proxy, target: tuple[str, int]) -> ExchangeFault:
    # PySocks wraps what happened, its own faults too.
    beneath = getattr(raised, "socket_err", None) or raised
    if isinstance(beneath, TimeoutError):
        return ExchangeFault("timeout", f"{proxy.address} did not answer in time")
    said = getattr(beneath, "msg", None) or str(beneath) or type(beneath).__name__
    code = re.match(r"0x([0-9a-f]{2}):", said) if isinstance(beneath, socks.SOCKS5Error) else None
    reason = _SOCKS5_REASONS.get(int(code[1], 16), "proxy") if code else "proxy"
    return ExchangeFault(reason, f"{proxy.address} says of {authority_of(*target)}: {said}")
