"""Say what a rule about answers is, and whether one matches. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from provenance.http_message import ResponseHead, media_type_of

LOOKED_AT = 1 << 16
"""Bytes of decoded content that the rules see."""

FEW = 16
"""Paragraphs that a wall may have; an article has more."""

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
    `paragraphs`: there are at most so many `p` elements, since an article has more.

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
    paragraphs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the rules see of an answer; `content` is its decoded beginning, in lower case.

    `names` are the names of its fields, in lower case.
    """

    head: ResponseHead
    names: frozenset[str]
    content: bytes
    asked: str
    final: str
    is_page: bool


def sight(head: ResponseHead, content: bytes, *, asked: str, final: str) -> Sight:
    """Return what the rules see; `content` is the decoded beginning."""
    media_type, _ = media_type_of(head)
    failed = not 200 <= head.status < 300
    is_page = media_type in _PAGES or (failed and (media_type or "").startswith("text/"))
    return Sight(
        head=head,
        names=frozenset(name.decode("latin-1").lower() for name, _ in head.fields),
        # Marks are looked for in pages alone; of anything else only the size counts.
        content=content[:LOOKED_AT].lower() if is_page else content[:LOOKED_AT],
        asked=asked,
        final=final,
        is_page=is_page,
    )


def alternatives(pattern: bytes) -> list[bytes]:
    """Return the patterns that `|` outside of all brackets parts.

    One by one they are found several times as fast as together: `re` looks for the fixed beginning
    of a pattern with a fast search, and a pattern of alternatives has none.

    >>> alternatives(rb"a(b|c)[|]\\||d")
    [b'a(b|c)[|]\\\\|', b'd']
    """
    parts, start, depth, in_set = [], 0, 0, False
    for found in re.finditer(rb"\\.|[\[\]()|]", pattern):
        token = found[0]
        if token in (b"[", b"]"):
            in_set = token == b"["
        elif in_set:
            continue
        elif token in (b"(", b")"):
            depth += 1 if token == b"(" else -1
        elif token == b"|" and not depth:
            parts.append(pattern[start : found.start()])
            start = found.end()
    return [*parts, pattern[start:]]


class Matcher:
    """One rule, its patterns compiled; `number` is its place among all rules."""

    def __init__(self, number: int, rule: Rule) -> None:
        self.number = number
        self.rule = rule
        self.field = rule.field[0].lower() if rule.field else None
        self._value = re.compile(rule.field[1], re.IGNORECASE) if rule.field else None
        self._led_to = re.compile(rule.led_to, re.IGNORECASE) if rule.led_to else None
        self._marks = tuple(tuple(map(re.compile, alternatives(mark))) for mark in rule.marks)

    def matches(self, seen: Sight) -> bool:
        """Return whether all that the rule gives holds; the cheapest is asked first."""
        rule = self.rule
        if self.field is not None and self.field not in seen.names:
            return False
        if self._marks and not seen.is_page:
            return False
        if rule.statuses and seen.head.status not in rule.statuses:
            return False
        if rule.longest is not None and len(seen.content) > rule.longest:
            return False
        if self._led_to is not None and not self._led(self._led_to, seen):
            return False
        if self._value is not None and not any(
            map(self._value.search, seen.head.values(self.field or ""))
        ):
            return False
        if rule.paragraphs is not None and _paragraphs(seen.content) > rule.paragraphs:
            return False
        return all(any(one.search(seen.content) for one in mark) for mark in self._marks)

    @staticmethod
    def _led(pattern: re.Pattern[str], seen: Sight) -> bool:
        return pattern.match(seen.final) is not None and pattern.match(seen.asked) is None


def _paragraphs(content: bytes) -> int:
    return content.count(b"<p>") + content.count(b"<p ")
