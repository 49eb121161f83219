"""Decide which network addresses may be spoken to. Pure: resolves nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """Which addresses are open: all of them, or the public ones and some named networks."""

    allow_private: bool = False
    networks: tuple[IpNetwork, ...] = ()

    def allows(self, address: str) -> bool:
        """Return True when `address` (an IP address in text form) may be connected to.

        Closed by default: loopback, private, link-local, shared, multicast, reserved and
        unspecified addresses, also inside IPv4-mapped, 6to4, Teredo and NAT64 forms.

        Source: the IANA special-purpose address registries, as kept by `ipaddress`.
        """
        ip = ipaddress.ip_address(address.partition("%")[0])
        if self.allow_private:
            return True
        return all(self._open(each) for each in _meanings(ip))

    def _open(self, ip: IpAddress) -> bool:
        if any(ip in network for network in self.networks):
            return True
        return ip.is_global and not ip.is_multicast


def policy(*, allow_private: bool, networks: Iterable[str] = ()) -> AddressPolicy:
    """Return a policy from CIDR texts, as seeds hold them."""
    parsed = tuple(ipaddress.ip_network(network, strict=False) for network in networks)
    return AddressPolicy(allow_private=allow_private, networks=parsed)


def literal_address(host: str) -> str | None:
    """Return the IP address that `host` spells out, or None when it is a name.

    The bare name `localhost` counts as loopback (RFC 6761 §6.3).
    """
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        return None


def _meanings(ip: IpAddress) -> Iterator[IpAddress]:
    if isinstance(ip, ipaddress.IPv4Address):
        yield ip
        return
    inner: list[IpAddress | None] = [ip.ipv4_mapped, ip.sixtofour]
    if ip.teredo:
        inner.append(ip.teredo[1])
    if ip in _NAT64:
        inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    found = [each for each in inner if each is not None]
    if not ip.ipv4_mapped:
        yield ip
    yield from found
