"""Say what a rule about answers is, and whether one matches. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from provenance.http_message import ResponseHead, media_type_of

LOOKED_AT = 1 << 16
"""Bytes of decoded content that the rules see."""

_PAGES = (None, "text/html", "application/xhtml+xml")


class Kind(StrEnum):
    """What stands in front of the document."""

    BOT_WALL = "bot wall"
    DENIAL = "denial"
    CONSENT = "consent page"
    LOGIN = "login page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """All that is given must hold.

    `statuses`: the HTTP status is one of them. `field`: a field of this name has a value in which
    the pattern occurs. `led_to`: redirects led to an address that the pattern matches, and the
    address asked for does not. `marks`: each occurs in the page; they are patterns for content in
    which ASCII letters are lower-case. `longest`: the whole content has at most so many bytes.

    Marks count in HTML, and in text of any kind that comes with an error status: a text file that
    quotes a wall is not one.
    """

    id: str
    kind: Kind
    why: str
    statuses: tuple[int, ...] = ()
    field: tuple[str, str] | None = None
    led_to: str | None = None
    marks: tuple[bytes, ...] = ()
    longest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the rules see of an answer; `content` is its decoded beginning, in lower case."""

    head: ResponseHead
    content: bytes
    asked: str
    final: str
    is_page: bool


def sight(head: ResponseHead, content: bytes, *, asked: str, final: str) -> Sight:
    """Return what the rules see; `content` is the decoded beginning."""
    media_type, _ = media_type_of(head)
    failed = not 200 <= head.status < 300
    return Sight(
        head=head,
        content=content[:LOOKED_AT].lower(),
        asked=asked,
        final=final,
        is_page=media_type in _PAGES or (failed and (media_type or "").startswith("text/")),
    )


def matches(rule: Rule, seen: Sight) -> bool:
    """Return whether all that the rule gives holds; the cheapest is asked first."""
    if rule.statuses and seen.head.status not in rule.statuses:
        return False
    if rule.marks and not seen.is_page:
        return False
    if rule.longest is not None and len(seen.content) > rule.longest:
        return False
    if rule.field is not None:
        name, pattern = rule.field
        if not any(re.search(pattern, each, re.IGNORECASE) for each in seen.head.values(name)):
            return False
    if rule.led_to is not None and not _led(rule.led_to, seen):
        return False
    return all(re.search(mark, seen.content) for mark in rule.marks)


def _led(pattern: str, seen: Sight) -> bool:
    if not re.match(pattern, seen.final, re.IGNORECASE):
        return False
    return re.match(pattern, seen.asked, re.IGNORECASE) is None
