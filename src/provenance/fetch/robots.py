"""Decide from a robots.txt exchange whether an address may be fetched. The only door to protego.

Source: RFC 9309 §2.3.1: 4xx allows, 5xx disallows; no answer disallows.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from protego import Protego

ROBOTS_LIMIT = 500 << 10
"""Bytes of a robots.txt that are read. Source: RFC 9309 §2.5."""

_LONGEST_DELAY_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """What a host's robots.txt says: rules, or a `reason` why nothing may be fetched.

    `failed` tells that robots.txt failed in transport, with the reason of an exchange.
    """

    url: str
    rules: Protego | None = None
    reason: str | None = None
    failed: bool = False

    def allows(self, url: str, agent: str) -> bool:
        """Return True when the rules let this agent fetch `url`."""
        if self.reason is not None:
            return False
        return self.rules is None or bool(self.rules.can_fetch(url, agent))

    def delay_s(self, agent: str) -> float:
        """Return the crawl delay asked for, in seconds, at most 30."""
        asked = self.rules.crawl_delay(agent) if self.rules else None
        return min(float(asked), _LONGEST_DELAY_S) if asked else 0.0


def robots_url(url: str) -> str:
    """Return the address of the robots.txt that speaks for `url`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/robots.txt"


def read_robots(url: str, status: int, content: bytes) -> Robots:
    """Return what a robots.txt answer means."""
    if 200 <= status < 300:
        text = content[:ROBOTS_LIMIT].decode("utf-8", "replace").removeprefix("\ufeff")
        return Robots(url=url, rules=Protego.parse(text))
    if status >= 500:
        return Robots(url=url, reason="robots_unavailable")
    return Robots(url=url)
