"""Open the connections: resolve in bounded time, check each address, connect, wrap in TLS.

The only place where sockets are opened. The address that was checked is the one connected to.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from itertools import chain, product, zip_longest
from typing import Any

from provenance.exchange.addresses import AddressPolicy, spelled_addresses
from provenance.exchange.faults import ExchangeFault
from provenance.exchange.pace import Pace, PacedWire
from provenance.exchange.proxies import Proxy
from provenance.exchange.trust import Trust
from provenance.exchange.tunnels import ask_connect, authority_of, dial_socks
from provenance.exchange.values import TlsSession
from provenance.runtime import Address

ATTEMPT_S = 5.0
"""Seconds that connecting to one address may take while another is left to try."""

_MOST_ADDRESSES = 16
_TELLING = ("timeout", "refused", "disconnect", "unreachable", "network")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A connection and whom it leads to; `wire` is a socket, or TLS over one."""

    wire: Any
    peer: tuple[str, int]
    addresses: tuple[str, ...]
    tls: TlsSession | None


class Dialer:
    """Opens connections for one client, in the pace of its exchange."""

    def __init__(self, policy: AddressPolicy, trust: Trust, pace: Pace) -> None:
        self._policy = policy
        self._trust = trust
        self._pace = pace
        self.peer: tuple[str, int] | None = None
        self.addresses: tuple[str, ...] = ()

    def open(self, host: str, port: int, *, encrypted: bool, proxy: Proxy | None) -> Opened:
        """Connect to a target, through `proxy` where there is one.

        While it is under way, `peer` and `addresses` say how far it got.

        Raises:
            ExchangeFault: dns, private_address, timeout, refused, unreachable, disconnect,
            network, proxy or tls.
        """
        self.peer, self.addresses = None, ()
        wire: Any
        inside = False
        if proxy is None:
            wire = self._connect(authority_of(host, port), self._public(host, port))
        elif proxy.is_socks:
            wire = self._through_socks(host, port, proxy)
        else:
            wire, inside = self._through_http(host, port, proxy, tunnel=encrypted)
        tls = None
        if encrypted:
            since = self._pace.now()
            wire = self._encrypt(wire, host, inside=inside)
            tls = self._trust.session_of(wire)
            self._pace.clocked("tls", since)
        if self.peer is None:
            raise ExchangeFault("network", "the connection has no other end")
        return Opened(wire=wire, peer=self.peer, addresses=self.addresses, tls=tls)

    def _encrypt(self, wire: Any, host: str, *, inside: bool) -> Any:
        if inside:
            return self._trust.wrap_inside(PacedWire(wire, self._pace), host)
        wire.settimeout(self._pace.patience())
        return self._trust.wrap(wire, host)

    def _public(self, host: str, port: int) -> tuple[Address, ...]:
        """Resolve the target and return the addresses that the policy opens."""
        since = self._pace.now()
        try:
            found = self._resolve(host, port)
        finally:
            self._pace.clocked("resolve", since)
        self.addresses = tuple(dict.fromkeys(where[0] for _, where in found))
        allowed = tuple(each for each in found if self._policy.allows(each[1][0]))
        if found and not allowed:
            raise ExchangeFault(
                "private_address",
                f"{host} has only addresses that are not public ({', '.join(self.addresses)})",
            )
        return allowed

    def check_spelled(self, host: str) -> None:
        """Check an address that `host` spells out, where a proxy will be the one to resolve it.

        For every request, since a kept connection to a proxy leads anywhere; `open` does not.

        Raises:
            ExchangeFault: private_address.
        """
        closed = [each for each in spelled_addresses(host) if not self._policy.allows(each)]
        if closed:
            raise ExchangeFault("private_address", f"{closed[0]} is not a public address ({host})")

    def _resolve(self, host: str, port: int) -> tuple[Address, ...]:
        runtime = self._pace.runtime
        patience = self._pace.patience()
        try:
            return runtime.lookups.within(patience, lambda: runtime.resolve(host, port))
        except TimeoutError as fault:
            what = f"looking up {host} took more than {patience:.3g} s"
            raise ExchangeFault("timeout", what) from fault
        except (OSError, UnicodeError) as fault:
            raise ExchangeFault("dns", f"no address for {host} ({fault})") from fault

    def _connect(self, name: str, found: tuple[Address, ...]) -> socket.socket:
        """Try the addresses in turn within the connect time-out; return the first connection."""
        since = self._pace.now()
        until = since + self._pace.patience()
        tries = in_turn(found)
        faults: list[OSError] = []
        for number, (family, where) in enumerate(tries):
            left = until - self._pace.now()
            if left <= 0:
                break
            others = len(tries) - number - 1
            patience = min(left / (others + 1), ATTEMPT_S) if others else left
            try:
                wire = _dial(family, where, patience)
            except OSError as fault:
                faults.append(fault)
                continue
            self.peer = where
            self._pace.clocked("connect", since)
            return wire
        raise _no_connection(name, tries, faults)

    def _to_proxy(self, proxy: Proxy) -> socket.socket:
        """Connect to the proxy itself, whose address is the user's own choice."""
        try:
            return self._connect(proxy.address, self._resolve(proxy.host, proxy.port))
        except ExchangeFault as raised:
            reason = "timeout" if raised.fault.reason == "timeout" else "proxy"
            raise ExchangeFault(reason, f"the proxy: {raised.fault.detail}") from raised

    def _through_http(
        self, host: str, port: int, proxy: Proxy, *, tunnel: bool
    ) -> tuple[Any, bool]:
        """Return the connection, and whether it is inside a TLS connection to the proxy."""
        wire: Any = self._to_proxy(proxy)
        since = self._pace.now()
        inside = proxy.scheme == "https"
        if inside:
            wire = self._encrypt(wire, proxy.host, inside=False)
        if tunnel:
            try:
                ask_connect(wire, host, port, proxy, self._pace)
            except (OSError, ValueError):
                wire.close()
                raise
        self._pace.clocked("proxy", since)
        return wire, inside

    def _through_socks(self, host: str, port: int, proxy: Proxy) -> socket.socket:
        if proxy.resolves:
            return self._first_through(proxy, [(host, port)])
        return self._first_through(proxy, [where for _, where in in_turn(self._public(host, port))])

    def _first_through(self, proxy: Proxy, targets: list[tuple[str, int]]) -> socket.socket:
        """Ask the proxy for one target after the other; return the first connection."""
        doors = in_turn(self._resolve(proxy.host, proxy.port))
        since = self._pace.now()
        until = since + self._pace.patience()
        raised = ExchangeFault("proxy", f"no address for {proxy.address}")
        for target, (family, where) in product(targets, doors):
            if self._pace.now() > until:
                break
            try:
                wire = dial_socks(family, where, proxy, target, self._pace)
            except ExchangeFault as fault:
                raised = fault
                continue
            self.peer = where
            self._pace.clocked("proxy", since)
            return wire
        raise raised


def in_turn(found: tuple[Address, ...]) -> tuple[Address, ...]:
    """Return the addresses in the order to try: the families by turns, 16 at most.

    Source: RFC 8305 §4, without its overlapping attempts.
    """
    families = list(dict.fromkeys(family for family, _ in found))
    lanes = [[each for each in found if each[0] == family] for family in families]
    mixed = chain.from_iterable(zip_longest(*lanes))
    return tuple(dict.fromkeys(each for each in mixed if each is not None))[:_MOST_ADDRESSES]


def _dial(family: int, where: tuple[str, int], patience: float) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(patience)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.connect(where)
    except OSError:
        opened.close()
        raise
    return opened


def _no_connection(name: str, tries: tuple[Address, ...], faults: list[OSError]) -> ExchangeFault:
    """Tell why no address could be connected to; the most telling reason stands for all."""
    if not tries:
        return ExchangeFault("dns", f"no address for {name}")
    if not faults:
        return ExchangeFault("timeout", f"{name}: no time was left to connect")
    reasons = {_reason(fault) for fault in faults}
    reason = next(each for each in _TELLING if each in reasons)
    said = "; ".join(
        f"{where[0]}: {fault}" for (_, where), fault in zip(tries, faults, strict=False)
    )
    return ExchangeFault(reason, f"{name}: {said}")


def _reason(fault: OSError) -> str:
    if isinstance(fault, TimeoutError):
        return "timeout"
    if isinstance(fault, ConnectionRefusedError):
        return "refused"
    if isinstance(fault, ConnectionError):
        return "disconnect"
    return "unreachable" if fault.errno else "network"
