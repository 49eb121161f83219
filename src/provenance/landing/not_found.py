"""Recognise pages that say, with a status of success, that the document is not there. Pure.

Words count only as a whole title or heading, and not at all in a page that declares itself an
article or has more running text than a notice has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from urllib.parse import SplitResult, urlsplit

from provenance.landing.not_found_rules import LED, MARKED, SAID, NotFoundRule

_GAPS = re.compile(r"[^\w']+|_+")
_MARKS = re.compile(r"[\u0640\u200b-\u200f\u2060\ufeff\u00ad]")
_NARROW = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_NARROW_GAP = re.compile(rf"(?<=[{_NARROW}]) | (?=[{_NARROW}])")
_PARTS = re.compile(rf"[|｜»«·•_]|\s[-–—:/>]+\s|(?<=[{_NARROW}])[-–—]+|[-–—]+(?=[{_NARROW}])")
_LONGEST_TITLE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a page says: `elements` are names with their attributes, `prose` counts characters in
    paragraphs.
    """

    title: str = ""
    headings: tuple[str, ...] = ()
    prose: int = 0
    is_article: bool = False
    elements: tuple[tuple[str, Mapping[str, str]], ...] = ()


def not_found_rule(said: Said, *, asked: str, final: str) -> NotFoundRule | None:
    """Return the first rule that says the document is not there, or None."""
    for rule in MARKED:
        if any(_is_marked(rule, *each) for each in said.elements):
            return rule
    whole = frozenset() if said.is_article else frozenset(_whole_phrases(said))
    for rule in SAID:
        if said.prose <= rule.prose and not whole.isdisjoint(_phrases_of(rule.id)):
            return rule
    return _rule_of_way(asked, final) if asked != final else None


def may_be_said(said: Said) -> bool:
    """Return True where a title or heading is one of the rules' phrases, whatever else is there."""
    whole = {folded(each) for each in said.headings}
    parts = [folded(part) for part in _PARTS.split(said.title[:_LONGEST_TITLE], 8)]
    whole.update(parts, (folded(f"{first} {second}") for first, second in pairwise(parts)))
    return any(not whole.isdisjoint(_phrases_of(rule.id)) for rule in SAID)


def folded(text: str) -> str:
    """Return `text` as phrases are compared: without case, punctuation and added marks.

    >>> folded("Oops! That page can\u2019t be found."), folded("404 — 页面 不存在！")
    ("oops that page can't be found", '404页面不存在')
    """
    short = text[:_LONGEST_TITLE].replace("\u2019", "'")
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", short).casefold())
    bare = "".join(each for each in _MARKS.sub("", plain) if unicodedata.category(each) != "Mn")
    return _NARROW_GAP.sub("", _GAPS.sub(" ", bare).strip(" '"))


@cache
def _phrases_of(rule_id: str) -> frozenset[str]:
    return frozenset(
        folded(phrase) for rule in SAID if rule.id == rule_id for phrase in rule.phrases
    )


def _whole_phrases(said: Said) -> Iterator[str]:
    headings = tuple(folded(heading) for heading in said.headings)
    yield from headings
    parts = [folded(part) for part in _PARTS.split(said.title[:_LONGEST_TITLE], 8)]
    for part in (*parts, *(folded(f"{first} {second}") for first, second in pairwise(parts))):
        # A heading that goes on where the title's part ends is an article's.
        if not any(part in heading for heading in headings):
            yield part


def _is_marked(rule: NotFoundRule, name: str, attributes: Mapping[str, str]) -> bool:
    if rule.element is None or rule.element[0] != name:
        return False
    return bool(re.search(rule.element[2], attributes.get(rule.element[1], "")[:2000]))


def _rule_of_way(asked: str, final: str) -> NotFoundRule | None:
    try:
        start, end = urlsplit(asked), urlsplit(final)
        fell = _same_site(start, end) and not end.query and _is_deep(start.path)
    except ValueError:
        return None
    for rule in LED:
        pattern = rule.led_to or ""
        led = re.match(pattern, end.path, re.IGNORECASE)
        if (
            led
            and not re.match(pattern, start.path, re.IGNORECASE)
            and (fell or not rule.from_deep)
        ):
            return rule
    return None


def _same_site(start: SplitResult, end: SplitResult) -> bool:
    hosts = [(each.hostname or "").removeprefix("www.") for each in (start, end)]
    return hosts[0] == hosts[1]


def _is_deep(path: str) -> bool:
    # A short single part is as likely a name for the front page.
    return len([part for part in path.split("/") if part]) > 1 or len(path) > 16
