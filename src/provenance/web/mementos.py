"""Read which mementos of an address the index has: versions with content. Reads only.

A capture is a memento of the address that was asked for, and of the one that answered.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from provenance.dates import format_http_date, format_instant, format_seconds, parse_instant
from provenance.web.display import Display, display_of
from provenance.web.originals import Spellings, without_fragment

_HELD = """with held as materialized (
  select capture_id, captured_at, url, final_url, media_type, undecoded, size from capture
  where is_version = 1 and content_id is not null and size is not null and ({by_url})
  union
  select capture_id, captured_at, url, final_url, media_type, undecoded, size from capture
  where is_version = 1 and content_id is not null and size is not null and ({by_final})
) select capture_id, captured_at, url, final_url, media_type, undecoded, size from held """
_LATEST = "order by captured_at desc, capture_id desc limit 1"
_EARLIEST = "order by captured_at, capture_id limit 1"


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
    for addresses in (wanted.same, wanted.near):
        last = _one(conn, addresses, _LATEST)
        first = _one(conn, addresses, _EARLIEST)
        if last is not None and first is not None:
            chosen = last if at is None else _nearest(conn, addresses, at) or last
            return Span(first=first, last=last, chosen=chosen)
    return None


def read_listing(
    conn: sqlite3.Connection, wanted: Spellings, *, start: int, limit: int
) -> Listing | None:
    """Read up to `limit` mementos from the `start`th on; None where there is none."""
    lead = min(start, 1)
    for addresses in (wanted.same, wanted.near):
        order = "order by captured_at, capture_id limit ? offset ?"
        found = _held(conn, addresses, order, (lead + limit + 1, start - lead))
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


def _nearest(conn: sqlite3.Connection, addresses: Sequence[str], at: datetime) -> Memento | None:
    try:
        end = format_instant(at + timedelta(seconds=1))
    except OverflowError:
        return None
    before = _one(conn, addresses, f"where captured_at < ? {_LATEST}", (end,))
    after = _one(conn, addresses, f"where captured_at >= ? {_EARLIEST}", (end,))
    if before is None or after is None:
        return before or after
    return before if at - before.instant <= after.instant - at else after


def _one(
    conn: sqlite3.Connection, addresses: Sequence[str], rest: str, more: Sequence[object] = ()
) -> Memento | None:
    return next(iter(_held(conn, addresses, rest, more)), None)


def _held(
    conn: sqlite3.Connection, addresses: Sequence[str], rest: str, more: Sequence[object] = ()
) -> tuple[Memento, ...]:
    if not addresses:
        return ()
    sql, bound = _sources(addresses)
    same = frozenset(addresses)
    return tuple(_row(row, same) for row in conn.execute(sql + rest, (*bound, *more)))


def _count(conn: sqlite3.Connection, addresses: Sequence[str]) -> int:
    sql, bound = _sources(addresses)
    return int(conn.execute(f"select count(*) from ({sql})", bound).fetchone()[0])


def _sources(addresses: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the query for captures by address; a stored fragment makes no other address."""
    bound = tuple(part for one in addresses for part in (one, f"{one}#", f"{one}$"))
    each = "{0} = ? or ({0} >= ? and {0} < ?)"
    conditions = {
        name: " or ".join(each.format(column) for _ in addresses)
        for name, column in (("by_url", "url"), ("by_final", "final_url"))
    }
    return _HELD.format(**conditions), (*bound, *bound)


def _row(
    row: tuple[str, str, str | None, str | None, str | None, str | None, int], same: frozenset[str]
) -> Memento:
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
