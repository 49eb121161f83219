"""Decide from a robots.txt exchange whether an address may be fetched. The only door to protego.

Steps of reading:
(1) Bytes: at most 500 KiB; what is no printable ASCII is percent-encoded, so that any charset and
    any byte is a path like another.
(2) Groups: the groups that name the agent's product token are joined; without one, those of `*`.
(3) Rules: the longest match wins, and `Allow` among equals; `*` and `$` as the standard has them.

Protego matches paths; groups are chosen here, because it takes a token for a name's beginning
(`User-agent: prov` would bind `provenance`) and no version for what it is (`provenance/1.0`).

Source: RFC 9309 §2.2 and §2.3.1: 4xx allows, 5xx disallows; no answer disallows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from protego import Protego

ROBOTS_LIMIT = 500 << 10
"""Bytes of a robots.txt that are read. Source: RFC 9309 §2.5."""

_LONGEST_DELAY_S = 30.0
_BOM = b"\xef\xbb\xbf"
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_UNPRINTABLE = re.compile(rb"[^\t\n\r\x20-\x7e]")
_AGENT = re.compile(r"[ \t]*user[- ]?agent[ \t]*[: \t][ \t]*(.*)", re.IGNORECASE)
# With the misspellings that are common enough for protego to know them. Crawl-delay is no record of
# the standard, but whoever writes it means it for the agents above, and for them alone.
_RULE = re.compile(
    r"[ \t]*(?:allow|disallow|dissallow|dissalow|disalow|diasllow|disallaw|crawl[- ]delay)"
    r"[ \t]*(?:[: \t]|\Z)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[a-z_-]+", re.IGNORECASE)


@dataclass(slots=True)
class _Group:
    agents: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    ruled: bool = False


class Rules:
    """What a robots.txt says to each agent."""

    def __init__(self, content: bytes) -> None:
        """Read the groups out of `content`, at most `ROBOTS_LIMIT` bytes of it."""
        self._groups = _groups(content)
        self._parsed: dict[str, Protego] = {}

    def of(self, agent: str) -> Protego:
        """Return the rules that bind `agent`, a product token, to be asked as the agent `*`."""
        token = agent.lower()
        if not any(token in group.agents for group in self._groups):
            token = "*"
        if token not in self._parsed:
            mine = [line for group in self._groups if token in group.agents for line in group.lines]
            self._parsed[token] = Protego.parse("\n".join(["User-agent: *", *mine]))
        return self._parsed[token]


def _groups(content: bytes) -> tuple[_Group, ...]:
    found = [_Group()]
    for line in _lines(content):
        if agent := _AGENT.match(line):
            if found[-1].ruled:
                found.append(_Group())
            found[-1].agents |= _product_token(agent[1])
        elif found[-1].agents:
            # A record of another kind ends no group. Source: RFC 9309 §2.2.4.
            found[-1].ruled = found[-1].ruled or _RULE.match(line) is not None
            found[-1].lines.append(line)
    return tuple(found)


def _lines(content: bytes) -> Iterator[str]:
    read = content[:ROBOTS_LIMIT]
    if len(content) >= ROBOTS_LIMIT:
        # The limit may cut a rule in two, and half a rule forbids more than the whole.
        read = read[: max(read.rfind(b"\n"), read.rfind(b"\r")) + 1]
    text = _UNPRINTABLE.sub(lambda found: b"%%%02X" % found[0][0], read.removeprefix(_BOM))
    for line in re.split(r"[\r\n]+", text.decode("ascii")):
        if bare := line.partition("#")[0].strip(" \t"):
            yield bare


def _product_token(value: str) -> set[str]:
    if value == "*" or value.startswith(("* ", "*\t")):
        return {"*"}
    found = _TOKEN.match(value)
    return {found[0].lower()} if found else set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """What a host's robots.txt says: rules, or a `reason` why nothing may be fetched.

    `failed` tells that robots.txt failed in transport, with the reason of an exchange.
    """

    url: str
    rules: Rules | None = None
    reason: str | None = None
    failed: bool = False

    def allows(self, url: str, agent: str) -> bool:
        """Return True when the rules let this agent fetch `url`."""
        if self.reason is not None:
            return False
        return self.rules is None or bool(self.rules.of(agent).can_fetch(url, "*"))

    def delay_s(self, agent: str) -> float:
        """Return the crawl delay asked for, in seconds, at most 30."""
        asked = self.rules.of(agent).crawl_delay("*") if self.rules else None
        return min(float(asked), _LONGEST_DELAY_S) if asked else 0.0


def host_of(url: str) -> str:
    """Return the authority of a URL as hosts are told apart: lower case, no default port.

    >>> host_of("HTTP://user@Example.org:80/a?b"), host_of("https://[::1]:80/")
    ('example.org', '[::1]:80')
    """
    parts = urlsplit(url)
    host, colon, port = parts.netloc.rpartition("@")[2].lower().rpartition(":")
    if not colon or port.endswith("]"):
        host, port = f"{host}{colon}{port}", ""
    kept = f":{port}" if port and port != _DEFAULT_PORTS.get(parts.scheme) else ""
    return f"{host}{kept}"


def robots_url(url: str) -> str:
    """Return the address of the robots.txt that speaks for `url`, the same for all of a host.

    >>> robots_url("HTTP://user@Example.org:80/a?b")
    'http://example.org/robots.txt'
    """
    return f"{urlsplit(url).scheme}://{host_of(url)}/robots.txt"


def read_robots(url: str, status: int, content: bytes) -> Robots:
    """Return what a robots.txt answer means; `content` is its decoded beginning."""
    if status == 206:
        # A part that nobody asked for: what else is forbidden is not known.
        return Robots(url=url, reason="robots_unavailable")
    if 200 <= status < 300:
        return Robots(url=url, rules=Rules(content))
    if status >= 500:
        return Robots(url=url, reason="robots_unavailable")
    return Robots(url=url)
