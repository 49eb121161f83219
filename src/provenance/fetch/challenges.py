"""Recognise answers that stand in front of a document: bot walls, consent and login pages. Pure.

The rules are data. Each names the marks it looks for and says why they are enough; the id of the
rule that matched is kept with the capture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from provenance.http_message import ResponseHead

LOOKED_AT = 1 << 16
"""Bytes of decoded content that the rules see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """All given marks must be there; `marks` are byte patterns that must each occur in the page.

    `field` is (field name, pattern of its value). `led_to` is a pattern of the final address, which
    counts only where redirects led away from the one asked.
    """

    id: str
    why: str
    statuses: tuple[int, ...] = ()
    field: tuple[str, str] | None = None
    marks: tuple[bytes, ...] = ()
    led_to: str | None = None


RULES: tuple[Rule, ...] = (
    Rule(
        id="cloudflare-mitigated",
        why="Cloudflare states in this field that it answered with a challenge of its own.",
        field=("cf-mitigated", r"challenge"),
    ),
    Rule(
        id="cloudflare-interstitial",
        why="The interstitial's title together with the address of its challenge script.",
        marks=(
            rb"<title>\s*(Just a moment|Attention Required!)",
            rb"/cdn-cgi/challenge-platform/|_cf_chl_opt",
        ),
    ),
    Rule(
        id="aws-waf",
        why="AWS WAF names the action that it took instead of passing the request on.",
        field=("x-amzn-waf-action", r"challenge|captcha"),
    ),
    Rule(
        id="imperva",
        why="A page whose body is little more than Imperva's frame or script.",
        marks=(rb"/_Incapsula_Resource\?", rb"Request unsuccessful|SWJIYLWA|incident_id"),
    ),
    Rule(
        id="datadome",
        why="DataDome's captcha host is called from a page that DataDome's field marks.",
        field=("x-datadome", r"."),
        marks=(rb"captcha-delivery\.com",),
    ),
    Rule(
        id="perimeterx",
        why="HUMAN's captcha element stands in an answer that denies access.",
        statuses=(403, 429),
        marks=(rb"px-captcha",),
    ),
    Rule(
        id="akamai-denied",
        why="Akamai's denial page gives a reference number at its own host.",
        statuses=(403,),
        marks=(rb"<title>\s*Access Denied", rb"errors\.edgesuite\.net"),
    ),
    Rule(
        id="ddos-guard",
        why="DDoS-Guard's check script in a page served by DDoS-Guard.",
        field=("server", r"^ddos-guard"),
        marks=(rb"/\.well-known/ddos-guard/|check\.ddos-guard\.net",),
    ),
    Rule(
        id="google-sorry",
        why="Google sends clients that it takes for robots to this address.",
        led_to=r"^https?://(www\.)?google\.[a-z.]+/sorry/",
    ),
    Rule(
        id="consent-host",
        why="The host serves nothing but consent pages, and redirects led to it.",
        led_to=r"^https?://(consent\.(google|youtube|yahoo)\.[a-z.]+|guce\.[a-z.]+)/",
    ),
    Rule(
        id="login-page",
        why="Redirects led to an address whose path says that it asks who is there.",
        led_to=r"^https?://[^/]+/([^?#]*/)?(login|signin|sign-in|log-in|sso)(\.[a-z]+)?/?([?#]|$)",
        marks=(rb"type\s*=\s*[\"']?password",),
    ),
)


def matching_rule(head: ResponseHead, content: bytes, *, asked: str, final: str) -> Rule | None:
    """Return the first rule that the answer matches; `content` is its decoded beginning."""
    for rule in RULES:
        if _matches(rule, head, content[:LOOKED_AT], led_away=asked != final, final=final):
            return rule
    return None


def _matches(rule: Rule, head: ResponseHead, content: bytes, *, led_away: bool, final: str) -> bool:
    if rule.statuses and head.status not in rule.statuses:
        return False
    if rule.field is not None:
        name, pattern = rule.field
        if not any(re.search(pattern, value, re.IGNORECASE) for value in head.values(name)):
            return False
    if rule.led_to is not None and not (led_away and re.search(rule.led_to, final, re.IGNORECASE)):
        return False
    return all(re.search(mark, content, re.IGNORECASE) for mark in rule.marks)
