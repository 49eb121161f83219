"""Turn instants and partial dates into text and back; the only module that knows their forms."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime

from provenance.errors import UsageError

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?\Z", re.ASCII)
_INSTANT = re.compile(r"[0-9TZtz:+., W-]+\Z")


def format_instant(instant: datetime) -> str:
    """Return an aware datetime as `YYYY-MM-DDThh:mm:ss.ffffffZ`, in UTC.

    Source: WARC 1.1 §5.4 (W3C profile of ISO 8601, up to nanoseconds).
    """
    return _utc(instant).isoformat(timespec="microseconds").replace("+00:00", "Z")


def format_seconds(instant: datetime) -> str:
    """Return an aware datetime as `YYYY-MM-DDThh:mm:ssZ`, the fraction dropped."""
    return _utc(instant).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def format_stamp17(instant: datetime) -> str:
    """Return the 17 digits `YYYYMMDDhhmmssSSS` used in WARC file names."""
    utc = _utc(instant)
    return f"{utc.year:04d}{utc:%m%d%H%M%S}{utc.microsecond // 1000:03d}"


def parse_instant(text: str) -> datetime:
    """Parse an ISO 8601 date or datetime with zone; a bare date means its first instant, UTC.

    Fractions beyond microseconds are dropped.

    Raises:
        UsageError: `text` is no such time, or a time of day without a zone.
    """
    trimmed = re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text.strip())
    try:
        instant = datetime.fromisoformat(trimmed if _INSTANT.match(trimmed) else "")
        if instant.tzinfo is None and len(trimmed) <= 10:
            instant = instant.replace(tzinfo=UTC)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):  # the zone may lead out of the years 1 to 9999
        pass
    raise UsageError("not a time", expected="a form like 2021-02-22T09:30:00Z", found=repr(text))


def parse_partial_date(text: str) -> str:
    """Return `text` if it is `YYYY`, `YYYY-MM` or `YYYY-MM-DD` and names real days.

    Source: W3C note "Date and Time Formats", the first three granularities.

    Raises:
        UsageError: otherwise.
    """
    match = _PARTIAL.match(text)
    year, month, day = (
        (int(part) if part else None for part in match.groups()) if match else (0,) * 3
    )
    real = bool(year) and (month is None or 1 <= month <= 12)
    if real and year and month and day is not None:
        real = 1 <= day <= calendar.monthrange(year, month)[1]
    if not real:
        raise UsageError("not a date", expected="YYYY, YYYY-MM or YYYY-MM-DD", found=repr(text))
    return text


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("a naive datetime has no place here")
    return instant.astimezone(UTC)
