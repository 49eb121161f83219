"""Say what an answer is: a document, a challenge, an error page, cut. Pure, but for the spool."""

from __future__ import annotations

from dataclasses import replace

from provenance.exchange import Exchange
from provenance.exchange.values import Answer
from provenance.fetch.notes import Fate, Way
from provenance.http_body import content_start
from provenance.http_message import is_part, media_type_of
from provenance.landing.challenges import LOOKED_AT, Rule, matching_rule
from provenance.landing.notice import notice
from provenance.model import OutcomeKind


def start_of(answer: Answer, limit: int) -> bytes:
    """Return the first `limit` bytes of the answer's content; the spool is wound back."""
    answer.spool.seek(answer.head.size)
    body = iter(lambda: answer.spool.read(LOOKED_AT), b"")
    content = content_start(answer.shape, body, undecoded=answer.digests.undecoded, limit=limit)
    answer.spool.seek(0)
    return content


def rule_of(exchange: Exchange, *, asked: str) -> Rule | None:
    """Return the rule that takes the answer for a challenge, None where none does."""
    answer = exchange.answer
    if answer is None:
        return None
    return matching_rule(answer.head, start_of(answer, LOOKED_AT), asked=asked, final=exchange.url)


def judge(way: Way, exchange: Exchange) -> Fate:
    """Return what became of the document, given the last answer of its way."""
    answer = exchange.answer
    if answer is None:
        raise ValueError("only an answer can be judged")
    asked, final = way.errand.url or way.url, exchange.url
    if way.imported is not None:  # what it says is about its own address, not the archive's
        asked = final = way.imported.original or asked
    content = start_of(answer, LOOKED_AT)
    landing = notice(answer.head, content, asked=asked, final=final)
    fate = Fate(flags=(*_flags(way, exchange, answer), *landing.flags), landing=landing)
    rule = matching_rule(answer.head, content, asked=asked, final=final)
    if rule is not None:
        return replace(fate, outcome=OutcomeKind.CHALLENGE, reason=rule.id, rule=rule.id)
    if answer.cut is not None:
        return replace(fate, outcome=OutcomeKind.TRUNCATED, reason=answer.cut)
    # Nobody asked for a part, and a part is no version of the document.
    if not 200 <= answer.head.status < 300 or is_part(answer.head):
        reason = f"http_{answer.head.status}"
        return replace(fate, outcome=OutcomeKind.ERROR_STATUS, reason=reason)
    return replace(fate, outcome=OutcomeKind.CAPTURED)


def not_modified(exchange: Exchange) -> Fate:
    """Return what became of a document of which the server says that it has not changed."""
    flags = tuple(flag for flag, holds in _wire_flags(exchange).items() if holds)
    return Fate(outcome=OutcomeKind.UNCHANGED, reason="not_modified", flags=flags)


def _flags(way: Way, exchange: Exchange, answer: Answer) -> tuple[str, ...]:
    media_type, _ = media_type_of(answer.head)
    expected = way.errand.media_type
    found = {
        "unexpected_media_type": expected and media_type and expected != media_type,
        "undecoded": answer.digests.undecoded,
        **_wire_flags(exchange),
        "imported": way.imported,
    }
    return tuple(flag for flag, holds in found.items() if holds)


def _wire_flags(exchange: Exchange) -> dict[str, object]:
    return {
        "surplus_bytes": exchange.answer and exchange.answer.surplus,
        "authenticated": exchange.credentials_given,
        "credentials_kept": exchange.credentials_kept,
    }
