"""Recognise answers that stand in front of a document: bot walls, consent and login pages. Pure.

The rules are data. Each names the marks it looks for and says why they are enough; the id of the
rule that matched is kept with the capture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from provenance.http_message import ResponseHead
from provenance.landing.bot_walls import BOT_WALLS
from provenance.landing.cn_bot_walls import CN_BOT_WALLS
from provenance.landing.gate_pages import GATE_PAGES
from provenance.landing.rule import LOOKED_AT, Kind, Matcher, Rule, sight

__all__ = ["LOOKED_AT", "RULES", "Kind", "Rule", "matching_rule", "to_markdown"]

RULES: tuple[Rule, ...] = BOT_WALLS + CN_BOT_WALLS + GATE_PAGES
"""Every rule, in the order in which they are asked."""


def matching_rule(head: ResponseHead, content: bytes, *, asked: str, final: str) -> Rule | None:
    """Return the first rule that the answer matches; `content` is its decoded beginning."""
    seen = sight(head, content, asked=asked, final=final)
    by_field, pages, others = _matchers()
    fitting: Iterable[Matcher] = pages if seen.is_page else others
    named = [each for name in seen.names & by_field.keys() for each in by_field[name]]
    if named:
        fitting = sorted([*fitting, *named], key=lambda each: each.number)
    return next((each.rule for each in fitting if each.matches(seen)), None)


_Matchers = tuple[Mapping[str, tuple[Matcher, ...]], tuple[Matcher, ...], tuple[Matcher, ...]]


@cache
def _matchers() -> _Matchers:
    """Return the rules that ask for a field, by its name; those for pages; those for any answer.

    They are compiled when the first answer is looked at: most commands look at none.
    """
    every = [Matcher(number, rule) for number, rule in enumerate(RULES)]
    names = {each.field for each in every if each.field}
    by_field = {name: tuple(each for each in every if each.field == name) for name in names}
    pages = tuple(each for each in every if each.field is None)
    others = tuple(each for each in pages if not each.rule.marks)
    return by_field, pages, others


_SECTIONS = {
    Kind.BOT_WALL: ("Bot walls", "A check or a captcha that came in place of the document."),
    Kind.DENIAL: ("Denials", "A firewall's own page that says no, whatever its status."),
    Kind.CONSENT: ("Consent pages", "A page that wants consent before it shows the document."),
    Kind.LOGIN: ("Login pages", "A page that wants to know who is there."),
}


def to_markdown() -> str:
    """Return the part of `docs/challenges.md` that shows the rules and their exact marks."""
    lines: list[str] = []
    for kind, (title, about) in _SECTIONS.items():
        lines += [f"## {title}", "", about, ""]
        lines += ["| rule | what it goes by | counts only |", "|---|---|---|"]
        lines += [
            f"| `{rule.id}` | {rule.why} | {_bounds(rule)} |" for rule in RULES if rule.kind is kind
        ]
        lines += [""]
    lines += ["## The marks", "", "Regular expressions, for content in lower case.", "", "```text"]
    lines += [line for rule in RULES for line in _marks(rule)]
    return "\n".join([*lines, "```", ""])


def _bounds(rule: Rule) -> str:
    bounds: list[str] = []
    if rule.statuses:
        bounds.append(f"with status {' or '.join(map(str, rule.statuses))}")
    if rule.field:
        bounds.append(f"with the field `{rule.field[0]}`")
    if rule.led_to:
        bounds.append("where redirects led there")
    if rule.paragraphs:
        bounds.append(f"up to {rule.paragraphs} paragraphs")
    if rule.longest:
        bounds.append(f"up to {rule.longest >> 10} KiB")
    return ", ".join(bounds)


def _marks(rule: Rule) -> list[str]:
    lines = [rule.id]
    lines += [f"  status  {' or '.join(map(str, rule.statuses))}"] if rule.statuses else []
    lines += [f"  field   {rule.field[0]}: {rule.field[1]}"] if rule.field else []
    lines += [f"  led to  {rule.led_to}"] if rule.led_to else []
    return lines + [f"  mark    {mark.decode('ascii', 'backslashreplace')}" for mark in rule.marks]
