"""Read the text of one page of a paged document. Reads only."""

from __future__ import annotations

import sqlite3

PAGE_SHOWN = 50_000
"""Characters of one page's text that are shown."""


def read_page_text(conn: sqlite3.Connection, content_id: str, number: int) -> str:
    """Read the text of page `number`, from 1; empty where there is none."""
    row = conn.execute(
        """
        select substr(t.text, p.start + 1, min(
          coalesce((select min(n.start) from page as n where n.content_id = p.content_id
            and n.page > p.page), length(t.text)) - p.start, ?))
        from page as p join text as t on t.content_id = p.content_id
        where p.content_id = ? and p.page = ?
        """,
        (PAGE_SHOWN, content_id, number),
    ).fetchone()
    return str(row[0]).strip("\n") if row and row[0] else ""


def is_paged(conn: sqlite3.Connection, content_id: str) -> bool:
    """Whether the index knows of pages in a content."""
    row = conn.execute("select 1 from page where content_id = ? limit 1", (content_id,)).fetchone()
    return row is not None
