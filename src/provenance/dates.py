"""Turn instants and partial dates into text and back; the only module that knows their forms."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime

from provenance.errors import UsageError

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?\Z", re.ASCII)
_INSTANT = re.compile(r"[0-9TZtz:+., W-]+\Z")
_HTTP_DATE = re.compile(
    r"[A-Za-z]{3}, (\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) (?:GMT|UTC)\Z", re.ASCII
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LAST_S = 253_402_300_799
_STAMP = re.compile(r"\d{4}(?:\d{2}){0,5}\Z", re.ASCII)


def format_instant(instant: datetime) -> str:
    """Return an aware datetime as `YYYY-MM-DDThh:mm:ss.ffffffZ`, in UTC.

    Source: WARC 1.1 §5.4 (W3C profile of ISO 8601, up to nanoseconds).
    """
    return _utc(instant).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_epoch(time_s: int) -> datetime:
    """Return the instant of POSIX seconds; one that no date has digits for is the last that has.

    >>> format_seconds(from_epoch(1679315147)), format_seconds(from_epoch(2**63 - 1))
    ('2023-03-20T12:25:47Z', '9999-12-31T23:59:59Z')
    """
    return datetime.fromtimestamp(min(time_s, _LAST_S), UTC)


def format_seconds(instant: datetime) -> str:
    """Return an aware datetime as `YYYY-MM-DDThh:mm:ssZ`, the fraction dropped."""
    return _utc(instant).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def format_stamp17(instant: datetime) -> str:
    """Return the 17 digits `YYYYMMDDhhmmssSSS` used in WARC file names."""
    utc = _utc(instant)
    return f"{utc.year:04d}{utc:%m%d%H%M%S}{utc.microsecond // 1000:03d}"


def format_http_date(instant: datetime) -> str:
    """Return an aware datetime as HTTP writes it, the fraction dropped.

    >>> format_http_date(datetime(2020, 3, 1, 10, tzinfo=UTC))
    'Sun, 01 Mar 2020 10:00:00 GMT'

    Source: RFC 9110 §5.6.7 (IMF-fixdate).
    """
    from email.utils import format_datetime  # few commands need it, and it takes a while

    return format_datetime(_utc(instant), usegmt=True)


def parse_http_date(text: str) -> datetime | None:
    """Return the instant of an HTTP date in its fixed form, or None; the weekday is not checked.

    Source: RFC 9110 §5.6.7; RFC 7089 §2.1.1.1, which allows no other form.
    """
    match = _HTTP_DATE.match(text.strip())
    month = match[2].lower() if match else ""
    if match is None or month not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match[group]) for group in (1, 3, 4, 5, 6))
    try:
        # A leap second (60) has no place in a datetime.
        return datetime(
            year, _MONTHS.index(month) + 1, day, hour, minute, min(second, 59), tzinfo=UTC
        )
    except ValueError:
        return None


def parse_stamp(text: str) -> datetime | None:
    """Return the first instant that the 4 to 14 digits `YYYY[MM[DD[hh[mm[ss]]]]]` cover, or None.

    >>> parse_stamp("202003")
    datetime.datetime(2020, 3, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    if not _STAMP.match(text):
        return None
    parts = [int(text[:4]), *(int(text[at : at + 2]) for at in range(4, len(text), 2))]
    year, month, day, hour, minute, second = parts + [0, 1, 1, 0, 0, 0][len(parts) :]
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None


def end_of_partial_date(text: str) -> datetime:
    """Return the last second, UTC, of the year, month or day that `text` names.

    Raises:
        UsageError: `text` is no partial date.
    """
    year, month, day = (*map(int, parse_partial_date(text).split("-")), 0, 0)[:3]
    month = month or 12
    return datetime(year, month, day or calendar.monthrange(year, month)[1], 23, 59, 59, tzinfo=UTC)


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
