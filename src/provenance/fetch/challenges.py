"""Recognise answers that stand in front of a document: bot walls, consent and login pages. Pure.

The rules are data. Each names the marks it looks for and says why they are enough; the id of the
rule that matched is kept with the capture.
"""

from __future__ import annotations

from provenance.fetch.bot_walls import BOT_WALLS
from provenance.fetch.cn_bot_walls import CN_BOT_WALLS
from provenance.fetch.gate_pages import GATE_PAGES
from provenance.fetch.rule import LOOKED_AT, Kind, Rule, matches, sight
from provenance.http_message import ResponseHead

__all__ = ["LOOKED_AT", "RULES", "Kind", "Rule", "matching_rule", "to_markdown"]

RULES: tuple[Rule, ...] = BOT_WALLS + CN_BOT_WALLS + GATE_PAGES
"""Every rule, in the order in which they are asked."""


def matching_rule(head: ResponseHead, content: bytes, *, asked: str, final: str) -> Rule | None:
    """Return the first rule that the answer matches; `content` is its decoded beginning."""
    seen = sight(head, content, asked=asked, final=final)
    return next((rule for rule in RULES if matches(rule, seen)), None)


_TITLES = {
    Kind.BOT_WALL: "Bot walls",
    Kind.DENIAL: "Denials",
    Kind.CONSENT: "Consent pages",
    Kind.LOGIN: "Login pages",
}


def to_markdown() -> str:
    """Return the part of `docs/challenges.md` that shows the rules."""
    lines: list[str] = []
    for kind, title in _TITLES.items():
        rules = [rule for rule in RULES if rule.kind is kind]
        lines += ["", f"## {title}", "", "| rule | why its marks are enough | counts only |"]
        lines += ["|---|---|---|"]
        lines += [f"| `{rule.id}` | {rule.why} | {_bounds(rule)} |" for rule in rules]
    return "\n".join(lines) + "\n"


def marks_text() -> str:
    """Return every rule's patterns, one a line, for the same page."""
    lines: list[str] = []
    for rule in RULES:
        lines.append(rule.id)
        if rule.field:
            lines.append(f"  field {rule.field[0]}: {rule.field[1]}")
        if rule.led_to:
            lines.append(f"  led to {rule.led_to}")
        lines += [f"  mark {mark.decode('latin-1')}" for mark in rule.marks]
    return "\n".join(lines) + "\n"


def _bounds(rule: Rule) -> str:
    bounds: list[str] = []
    if rule.statuses:
        bounds.append(f"with status {' or '.join(map(str, rule.statuses))}")
    if rule.field:
        bounds.append(f"with the field `{rule.field[0]}`")
    if rule.led_to:
        bounds.append("where redirects led there")
    if rule.longest:
        bounds.append(f"up to {rule.longest >> 10} KiB")
    return ", ".join(bounds)
