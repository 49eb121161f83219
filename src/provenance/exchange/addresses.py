"""Decide which network addresses may be spoken to. Pure: resolves nothing."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from urllib.parse import unquote

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_CLOSED_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    ]
)
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_6 = tuple(
    ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "3fff::/20")
)
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_ENDS_IN_IPV4 = tuple(
    ipaddress.IPv6Network(text)
    for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_ISATAP = 0x5EFE

_LOCAL_NAMES = frozenset(
    [
        "localhost",
        "localhost.localdomain",
        "localhost4",
        "localhost6",
        "localhost6.localdomain6",
        "ip6-localhost",
        "ip6-loopback",
        "loopback",
        "broadcasthost",
    ]
)
_LOOPBACKS = ("127.0.0.1", "::1")
_DOTS = re.compile("[\u3002\uff0e\uff61]")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """Which addresses are open: all of them, or the public ones and some named networks."""

    allow_private: bool = False
    networks: tuple[IpNetwork, ...] = ()

    def allows(self, address: str) -> bool:
        """Return True when `address` (an IP address in text form) may be connected to.

        Closed by default: loopback, private, link-local, shared, multicast, reserved, documentation
        and unspecified addresses, also inside IPv4-mapped, IPv4-compatible, IPv4-translated, 6to4,
        NAT64 and ISATAP forms; Teredo altogether. Every port is open.

        Source: the IANA special-purpose address registries (RFC 6890 and what updates it).
        """
        ip = ipaddress.ip_address(address.partition("%")[0])
        return self.allow_private or all(self._open(each) for each in _meanings(ip))

    def _open(self, ip: IpAddress) -> bool:
        return any(ip in network for network in self.networks) or _is_public(ip)


def policy(*, allow_private: bool, networks: Iterable[str] = ()) -> AddressPolicy:
    """Return a policy from CIDR texts, as seeds hold them."""
    parsed = tuple(ipaddress.ip_network(network, strict=False) for network in networks)
    return AddressPolicy(allow_private=allow_private, networks=parsed)


def _is_public(ip: IpAddress) -> bool:
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _CLOSED_4)
    if ip in _NAT64:
        return True  # as open as the address in it, which is looked at beside it
    return ip in _GLOBAL_6 and not any(ip in network for network in _CLOSED_6)


def _meanings(ip: IpAddress) -> Iterator[IpAddress]:
    """Yield every address that a packet to `ip` may end at."""
    if isinstance(ip, ipaddress.IPv4Address):
        yield ip
        return
    if ip not in _MAPPED:
        yield ip
    number = int(ip)
    if ip in _SIX_TO_FOUR:
        yield ipaddress.IPv4Address(number >> 80 & 0xFFFFFFFF)
    isatap = number >> 32 & 0xFDFFFFFF == _ISATAP
    if isatap or any(ip in network for network in _ENDS_IN_IPV4):
        yield ipaddress.IPv4Address(number & 0xFFFFFFFF)


def spelled_addresses(host: str) -> tuple[str, ...]:
    """Return every IP address that somebody may read out of `host`; none where it is a mere name.

    For hosts that a proxy resolves: it may read decimal, octal and hexadecimal numbers, short forms
    such as `127.1`, full-width digits and percent escapes, and knows `localhost` (RFC 6761 §6.3).

    >>> spelled_addresses("0x7f.1")
    ('127.0.0.1',)
    >>> spelled_addresses("example.org")
    ()
    """
    name = _DOTS.sub(".", unicodedata.normalize("NFKC", unquote(host)))
    name = name.strip().strip("[]").partition("%")[0].rstrip(".").lower()
    if name in _LOCAL_NAMES or name.endswith(".localhost"):
        return _LOOPBACKS
    try:
        return (str(ipaddress.ip_address(name)),)
    except ValueError:
        return tuple(dict.fromkeys(_numeric_readings(name)))


def _numeric_readings(name: str) -> Iterator[str]:
    """Yield the readings of one to four numbers with dots between them, as inet_aton takes them."""
    parts = name.split(".")
    if len(parts) > 4 or not all(len(part) < 20 and _NUMBER.fullmatch(part) for part in parts):
        return
    for numbers in product(*(_number_readings(part) for part in parts)):
        *high, last = numbers
        if all(number < 256 for number in high) and last < 256 ** (4 - len(high)):
            value = last + sum(number << 24 - 8 * at for at, number in enumerate(high))
            yield str(ipaddress.IPv4Address(value))


def _number_readings(part: str) -> tuple[int, ...]:
    """Return what a number may mean; with a leading zero some take it for octal, some do not."""
    if part[:2].lower() == "0x":
        return (int(part[2:] or "0", 16),)
    octal = part[0] == "0" and not set("89") & set(part)
    return (int(part, 8), int(part)) if octal else (int(part),)
