"""Read what could not be had, why, and how often it was tried. Reads only."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from provenance.web.reading import LAST, STATE, rows_of

_DETAIL = """case when last.outcome in ('error_status', 'challenge') then cast(last.status as text)
  else coalesce(last.reason, '') end"""

_KEPT = """exists (select 1 from capture as kept
  where kept.document = d.document and kept.is_version = 1)"""

_FROM = f"from document as d left join capture as last on last.capture_id = {LAST}"

_LACKING = f"""where (not {_KEPT}
  or last.outcome not in ('captured', 'unchanged', 'truncated'))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """How many documents the last visit to which ended so; `kept` of them had a version before.

    `state` is an outcome, `wanted` or `waiting`; `detail` the reason or the HTTP status, or empty.
    """

    state: str
    detail: str
    documents: int
    kept: int

    @property
    def key(self) -> str:
        """What `?why=` says to mean this reason."""
        return f"{self.state}:{self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """A document that could not be had at the last visit, or at any; instants are of visits."""

    document: str
    collection: str
    title: str | None
    title_original: str | None
    language: str | None
    publisher: str | None
    url: str | None
    state: str
    reason: str | None
    status: int | None
    capture_id: str | None
    first_at: str | None
    last_at: str | None
    visits: int
    kept: int

    @property
    def label(self) -> str:
        """The best name there is for it."""
        return self.title or self.title_original or self.url or self.document


def read_reasons(conn: sqlite3.Connection) -> tuple[Reason, ...]:
    """Read every reason with its documents, the most frequent first."""
    return rows_of(
        conn,
        Reason,
        f"select {STATE} as state, {_DETAIL} as detail, count(*) as documents,"
        f" sum({_KEPT}) as kept {_FROM} {_LACKING} group by 1, 2 order by 3 desc, 1, 2",
    )


def read_lacking(
    conn: sqlite3.Connection, why: str | None, *, limit: int, offset: int
) -> tuple[Lacking, ...]:
    """Read the documents of one reason (`Reason.key`), or of all, those never had first."""
    chosen = "" if why is None else f" and {STATE} || ':' || {_DETAIL} = :why"
    return rows_of(
        conn,
        Lacking,
        f"""
        select d.document, d.collection, d.title, d.title_original, d.language, d.publisher, d.url,
          {STATE} as state, last.reason, last.status, last.capture_id, last.captured_at as last_at,
          (select min(c.captured_at) from capture as c where c.document = d.document) as first_at,
          (select count(*) from capture as c where c.document = d.document) as visits,
          {_KEPT} as kept
        {_FROM} {_LACKING}{chosen}
        order by kept, d.collection, d.position, d.document limit :limit offset :offset
        """,
        {"why": why, "limit": limit, "offset": offset},
    )
