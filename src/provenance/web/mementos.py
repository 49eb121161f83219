"""Read which mementos of an address the index has: versions with content. Reads only.

A capture is a memento of the address that was asked for, and of the one that answered.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from provenance.dates import format_http_date, format_instant, format_seconds, parse_instant
from provenance.web.display import Display, display_of
from provenance.web.originals import Spellings, without_fragment

_COLUMNS = "capture_id, captured_at, url, final_url, media_type, undecoded, size"
_HELD = f"""with held as materialized (
  select {_COLUMNS} from capture
  where is_version = 1 and content_id is not null and size is not null and ({{by_url}})
  union all
  select {_COLUMNS} from capture
  where is_version = 1 and content_id is not null and size is not null and ({{by_final}})
    and not coalesce({{by_url}}, 0)
) """
_FIRST = "order by captured_at, capture_id limit 1"
_LAST = "order by captured_at desc, capture_id desc limit 1"
_SPAN = " union all ".join(
    f"select * from (select '{role}', {_COLUMNS} from held {chosen})"
    for role, chosen in (
        ("first", _FIRST),
        ("last", _LAST),
        ("before", f"where captured_at < ? {_LAST}"),
        ("after", f"where captured_at >= ? {_FIRST}"),
    )
)
"""Read in one go, for all that an address has is gone through each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memento:
    """A capture as a memento of `original`.

    `asked` tells that this is the address asked for, and another answered.
    """

    capture_id: str
    captured_at: str
    original: str
    asked: bool
    shown: bool

    @property
    def instant(self) -> datetime:
        """When it was captured, to the second, as Memento knows no fraction (RFC 7089 §2.1.1)."""
        return parse_instant(self.captured_at).replace(microsecond=0)

    @property
    def http_date(self) -> str:
        """The value of the Memento-Datetime field."""
        return format_http_date(self.instant)

    @property
    def date(self) -> str:
        """The same as JSON has it."""
        return format_seconds(self.instant)

    @property
    def path(self) -> str:
        """The path of its bytes on this site: shown in the sandbox, else saved."""
        way = f"/view/{self.capture_id}/raw" if self.shown else f"/content/{self.capture_id}"
        return f"{way}?asked=1" if self.asked else way


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The first and the last memento of an address, and the one that was chosen."""

    first: Memento
    last: Memento
    chosen: Memento


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Some mementos of an address in order of time, `start` before them, `count` in all.

    `before` and `after` are the nearest that are on other pages.
    """

    mementos: tuple[Memento, ...]
    start: int
    count: int
    before: Memento | None
    after: Memento | None


def read_span(conn: sqlite3.Connection, wanted: Spellings, at: datetime | None) -> Span | None:
    """Read the memento nearest to `at`, the last where that is None; None where there is none.

    Of two equally near the earlier. Near spellings count where there is nothing under the same.
    """
    for addresses in filter(None, (wanted.same, wanted.near)):
        sql, bound = _sources(addresses)
        end = _end_of_second(at)
        same = frozenset(addresses)
        rows = conn.execute(sql + _SPAN, (*bound, end, end))
        found = {row[0]: _row(row[1:], same) for row in rows}
        if found:
            chosen = found["last"] if at is None else _nearer(found, at)
            return Span(first=found["first"], last=found["last"], chosen=chosen)
    return None


def read_listing(
    conn: sqlite3.Connection, wanted: Spellings, *, start: int, limit: int
) -> Listing | None:
    """Read up to `limit` mementos from the `start`th on; None where there is none."""
    lead = min(start, 1)
    for addresses in filter(None, (wanted.same, wanted.near)):
        order = "order by captured_at, capture_id limit ? offset ?"
        sql, bound = _sources(addresses)
        same = frozenset(addresses)
        page = (lead + limit + 1, start - lead)
        rows = conn.execute(f"{sql} select {_COLUMNS} from held {order}", (*bound, *page))
        found = tuple(_row(row, same) for row in rows)
        if len(found) > lead:
            listed = found[lead : lead + limit]
            whole = start + len(listed)
            if len(found) > lead + limit:
                whole = _count(conn, addresses)
            return Listing(
                mementos=listed,
                start=start,
                count=whole,
                before=found[0] if lead else None,
                after=found[lead + limit] if len(found) > lead + limit else None,
            )
    return None


def memento_of(
    capture_id: str,
    captured_at: str,
    url: str | None,
    final_url: str | None,
    *,
    asked: bool,
    shown: bool,
) -> Memento | None:
    """Return a capture as a memento of the address that answered, or of that `asked` for."""
    final = without_fragment(final_url or url or "")
    first = without_fragment(url or final)
    original = first if asked else final
    if not original:
        return None
    return Memento(
        capture_id=capture_id,
        captured_at=captured_at,
        original=original,
        asked=asked and first != final,
        shown=shown,
    )


def _end_of_second(at: datetime | None) -> str:
    try:
        return format_instant((at or datetime.max.replace(tzinfo=UTC)) + timedelta(seconds=1))
    except OverflowError:
        return "~"  # after any date


def _nearer(found: Mapping[str, Memento], at: datetime) -> Memento:
    before, after = found.get("before"), found.get("after")
    if before is None or after is None:
        return before or after or found["last"]
    return before if at - before.instant <= after.instant - at else after


def _count(conn: sqlite3.Connection, addresses: Sequence[str]) -> int:
    sql, bound = _sources(addresses)
    return int(conn.execute(f"{sql} select count(*) from held", bound).fetchone()[0])


def _sources(addresses: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return what a query for captures by address begins with, and its values.

    A fragment that is stored makes no other address.
    """
    bound = tuple(part for one in addresses for part in (one, f"{one}#", f"{one}$"))
    each = "{0} = ? or ({0} >= ? and {0} < ?)"
    conditions = {
        name: " or ".join(each.format(column) for _ in addresses)
        for name, column in (("by_url", "url"), ("by_final", "final_url"))
    }
    return _HELD.format(**conditions), (*bound, *bound, *bound)


def _row(row: Sequence[Any], same: frozenset[str]) -> Memento:
    capture_id, captured_at, url, final_url, media_type, undecoded, size = row
    display = display_of(media_type, undecoded=bool(undecoded), size=size)
    answered = without_fragment(final_url or "") in same
    made = memento_of(
        capture_id,
        captured_at,
        url,
        final_url,
        asked=not answered,
        shown=display is not Display.EXTRACTED,
    )
    assert made is not None  # one of the two addresses is among those looked for
    return made
