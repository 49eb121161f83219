"""Decide whether an exchange is tried again, and after how long. Pure.

Source: RFC 9110 §5.6.7 (dates), §10.2.3 (Retry-After), RFC 6585 §4 (429).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from provenance.exchange import Exchange

LONGEST_PAUSE_S = 120.0
"""Seconds that a document waits for another attempt; asked for more, it is not tried again."""

_BUSY = (429, 503)
_TRANSIENT_STATUSES = (*_BUSY, 502, 504)
_TRANSIENT_FAULTS = ("timeout", "disconnect", "network")


def is_transient(exchange: Exchange) -> bool:
    """Return True when another attempt may fare better."""
    if exchange.fault is not None:
        return exchange.fault.reason in _TRANSIENT_FAULTS
    return exchange.answer is not None and exchange.answer.head.status in _TRANSIENT_STATUSES


def is_busy(exchange: Exchange) -> bool:
    """Return True when the host says that it is asked too much."""
    return exchange.answer is not None and exchange.answer.head.status in _BUSY


def asked_pause_s(exchange: Exchange, now: datetime) -> float:
    """Return the seconds that the answer's Retry-After asks for, 0 where it asks for none."""
    value = exchange.answer.head.value("retry-after") if exchange.answer else None
    if value is None:
        return 0.0
    if re.fullmatch(r"[0-9]+", value):
        return float(value)  # too many digits for an integer are a very long time, not none
    try:
        until = parsedate_to_datetime(value)
        if until.tzinfo is None:  # the asctime form names no zone; HTTP dates are UTC
            until = until.replace(tzinfo=UTC)
        return max((until - now).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def pause_s(*, attempt: int, asked: float, jitter: float) -> float | None:
    """Return the seconds before the attempt after number `attempt`, None where it is too long.

    The pause doubles with each attempt and is spread by `jitter` (0 to 1) to between a half and one
    and a half of that; it is never less than what the host asked for.
    """
    backoff: float = min(2.0 ** (attempt - 1) * (0.5 + jitter), LONGEST_PAUSE_S)
    return None if asked > LONGEST_PAUSE_S else max(asked, backoff)
