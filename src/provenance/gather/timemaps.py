"""Read TimeMaps, in link format and in the JSON forms in use, and choose a memento. Pure.

A TimeMap that cannot be read is a value with a `fault`, never an exception.

Source: RFC 7089 §5 (link format, and TimeMaps of TimeMaps). JSON has no standard: read are the form
of the Memento project's guide (`mementos.list`, `timemap_index`), the rows of the Wayback Machine
(an array whose first row names the columns) and the lines of pywb (one object each). The last two
give no addresses of mementos; they follow from the TimeMap's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from provenance.dates import parse_http_date, parse_instant, parse_stamp
from provenance.errors import UsageError
from provenance.gather.linkformat import MAX_LINKS, Link, parse_links
from provenance.uri import web_address

MAX_TEXT: Final = 2**26
"""Characters of a TimeMap that are read."""

_MIDDLE: Final = "/timemap/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memento:
    """One memento as a TimeMap lists it; `status` where the map says what HTTP status it holds."""

    url: str
    instant: datetime
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeMapPage:
    """Another TimeMap that holds more, and the period it covers as far as that is said."""

    url: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeMap:
    """What an archive says it has of one address; mementos in order of time.

    `fault` is None, or why nothing is listed: `too_large`, `bad_json`, `no_mementos`.
    """

    original: str | None = None
    timegate: str | None = None
    mementos: tuple[Memento, ...] = ()
    pages: tuple[TimeMapPage, ...] = ()
    fault: str | None = None


def read_timemap(text: str, *, url: str) -> TimeMap:
    """Return the TimeMap that came from `url` (at the end of redirects), whatever its form."""
    if len(text) > MAX_TEXT:
        return TimeMap(fault="too_large")
    if text.lstrip("\ufeff\t\n\r ")[:1] in ("{", "["):
        return _read_json(text.lstrip("\ufeff"), url)
    return _finished(_read_links(parse_links(text, base=url), url))


def nearest(mementos: Iterable[Memento], instant: datetime) -> Memento | None:
    """Return the memento nearest in time to `instant`, of two equally near the earlier, or None.

    Those known to hold anything but a success (a redirect, an error page) count only where there
    are no others.
    """
    known = list(mementos)
    good = [one for one in known if one.status is None or 200 <= one.status < 300]
    return min(
        good or known, key=lambda one: (abs(one.instant - instant), one.instant), default=None
    )


def _finished(found: TimeMap) -> TimeMap:
    distinct = {(one.instant, one.url): one for one in found.mementos}
    mementos = tuple(distinct[key] for key in sorted(distinct))
    return TimeMap(
        original=found.original,
        timegate=found.timegate,
        mementos=mementos,
        pages=tuple(dict.fromkeys(found.pages)),
        fault=None if mementos or found.pages else "no_mementos",
    )


def _read_links(links: Iterable[Link], url: str) -> TimeMap:
    original: str | None = None
    timegate: str | None = None
    mementos: list[Memento] = []
    pages: list[TimeMapPage] = []
    for link in links:
        if "memento" in link.rel:
            instant = parse_http_date(link.value("datetime") or "")
            if instant is not None:
                mementos.append(Memento(url=link.target, instant=instant))
        elif "timemap" in link.rel and "self" not in link.rel and link.target != url:
            pages.append(_page(link.target, link.value("from"), link.value("until")))
        if "original" in link.rel:
            original = original or link.target
        if "timegate" in link.rel:
            timegate = timegate or link.target
    return TimeMap(
        original=original, timegate=timegate, mementos=tuple(mementos), pages=tuple(pages)
    )


def _page(url: str, since: object, until: object) -> TimeMapPage:
    return TimeMapPage(url=url, since=_instant(since), until=_instant(until))


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    found = parse_http_date(value) or parse_stamp(value)
    if found is None:
        try:
            found = parse_instant(value)
        except (UsageError, OverflowError):
            return None
    return found


def _read_json(text: str, url: str) -> TimeMap:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        read = list(_lines(text))
        if not read:
            return TimeMap(fault="bad_json")
    if isinstance(read, dict) and ("mementos" in read or "timemap_index" in read):
        return _finished(_read_guide(read, url))
    rows = [read] if isinstance(read, dict) else read if isinstance(read, list) else []
    return _finished(_read_rows(list(_with_names(rows[:MAX_LINKS])), url))


def _lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines()[:MAX_LINKS]:
        try:
            read = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(read, dict):
            yield read


def _read_guide(read: dict[str, Any], url: str) -> TimeMap:
    mementos: list[Memento] = []
    pages: list[TimeMapPage] = []
    for entry in _entries(read, "mementos"):
        instant = _instant(entry.get("datetime"))
        for address in _addresses(entry.get("uri"), url):
            if instant is not None:
                mementos.append(Memento(url=address, instant=instant))
    for entry in _entries(read, "timemap_index"):
        for address in _addresses(entry.get("uri"), url):
            pages.append(_page(address, entry.get("from"), entry.get("until")))
    near = read.get("pages")
    for entry in near.values() if isinstance(near, dict) else ():
        uri = entry.get("uri") if isinstance(entry, dict) else entry
        pages += [_page(address, None, None) for address in _addresses(uri, url)]
    return TimeMap(
        original=next(_addresses(read.get("original_uri"), url), None),
        timegate=next(_addresses(read.get("timegate_uri"), url), None),
        mementos=tuple(mementos),
        pages=tuple(page for page in pages if page.url != url),
    )


def _entries(read: dict[str, Any], key: str) -> list[dict[str, Any]]:
    held = read.get(key)
    listed = held.get("list", held.get("all")) if isinstance(held, dict) else held
    some = listed[:MAX_LINKS] if isinstance(listed, list) else []
    if isinstance(held, dict):
        some = [*some, *(held.get(name) for name in ("first", "closest", "last"))]
    return [each for each in some if isinstance(each, dict)]


def _addresses(value: object, base: str) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        address = web_address(each, base=base) if isinstance(each, str) else None
        if address is not None:
            yield address


def _with_names(rows: list[Any]) -> Iterator[dict[str, Any]]:
    names = rows[0] if rows and isinstance(rows[0], list) else []
    names = [name if isinstance(name, str) else "" for name in names]
    for row in rows:
        if isinstance(row, dict):
            yield row
        elif isinstance(row, list) and row is not rows[0]:
            yield dict(zip(names, row, strict=False))


def _read_rows(rows: list[dict[str, Any]], url: str) -> TimeMap:
    prefix, middle, _ = url.partition(_MIDDLE)
    originals = [row.get("url") or row.get("original") for row in rows]
    mementos = []
    for row, original in zip(rows, originals, strict=True):
        stamp = row.get("timestamp")
        instant = parse_stamp(stamp) if isinstance(stamp, str) else None
        if instant is None or not isinstance(original, str) or not middle:
            continue
        address = web_address(f"{prefix}/{stamp}/{original}", base=url)
        if address is not None:
            mementos.append(Memento(url=address, instant=instant, status=_status(row)))
    return TimeMap(
        original=next(_addresses(originals[:1], url), None),
        timegate=f"{prefix}/{originals[0]}" if middle and mementos else None,
        mementos=tuple(mementos),
    )


def _status(row: dict[str, Any]) -> int | None:
    value = row.get("status", row.get("statuscode"))
    text = str(value) if isinstance(value, str | int) else ""
    return int(text) if re.fullmatch("[1-5][0-9]{2}", text) else None
