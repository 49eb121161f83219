"""Say what an answer is: a document, a challenge, an error page, cut. Pure, but for the spool."""

from __future__ import annotations

from provenance.exchange import Exchange
from provenance.exchange.values import Answer
from provenance.fetch.challenges import LOOKED_AT, Rule, matching_rule
from provenance.fetch.notes import Fate, Way
from provenance.http_body import content_start
from provenance.http_message import media_type_of
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
    flags = _flags(way, exchange, answer)
    rule = rule_of(exchange, asked=way.errand.url or way.url)
    if rule is not None:
        return Fate(outcome=OutcomeKind.CHALLENGE, reason=rule.id, rule=rule.id, flags=flags)
    if answer.cut is not None:
        return Fate(outcome=OutcomeKind.TRUNCATED, reason=answer.cut, flags=flags)
    if not 200 <= answer.head.status < 300:
        reason = f"http_{answer.head.status}"
        return Fate(outcome=OutcomeKind.ERROR_STATUS, reason=reason, flags=flags)
    return Fate(outcome=OutcomeKind.CAPTURED, flags=flags)


def _flags(way: Way, exchange: Exchange, answer: Answer) -> tuple[str, ...]:
    media_type, _ = media_type_of(answer.head)
    expected = way.errand.media_type
    found = {
        "unexpected_media_type": expected and media_type and expected != media_type,
        "undecoded": answer.digests.undecoded,
        "surplus_bytes": answer.surplus,
        "authenticated": "authorization" in (*exchange.redacted, *exchange.credentials_kept),
        "credentials_kept": exchange.credentials_kept,
    }
    return tuple(flag for flag, holds in found.items() if holds)
