"""Read documents that could not be had, and how often it was tried. Reads only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from provenance.reading.lookup import CHOSEN, LAST, rows_of


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


def read_lacking(conn: sqlite3.Connection, rowids: Sequence[int]) -> tuple[Lacking, ...]:
    """Read documents by their rowids, in the order of these."""
    return rows_of(
        conn,
        Lacking,
        f"""
        select d.document, d.collection, d.title, d.title_original, d.language, d.publisher, d.url,
          coalesce(last.outcome, case when d.url is null then 'wanted' else 'waiting' end) as state,
          last.reason, last.status, last.capture_id, last.captured_at as last_at,
          (select min(c.captured_at) from capture as c where c.document = d.document) as first_at,
          (select count(*) from capture as c where c.document = d.document) as visits,
          exists (select 1 from capture as k
            where k.document = d.document and k.is_version = 1) as kept
        from document as d join {CHOSEN} left join capture as last on last.capture_id = {LAST}
        order by one.key
        """,
        (json.dumps(list(rowids)),),
    )
