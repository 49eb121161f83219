"""Find which rows of a search table have the words, and put the best first. Reads only.

To say how well a text matches takes some microseconds, and a common word is in very many. Where
more than `MOST` have the words, about one in two, three … of them is ranked: the same ones every
time, spread evenly over the archive, and who shows them says so.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

MOST = 10_000
"""Rows that are ranked for one search, about."""

_SPREAD = "((rowid * 2654435761 & 4294967295) >> 16)"
"""SQL: a number that goes with a row and with nothing else: documents may alternate in language,
and so would every second row. Source: Knuth, The Art of Computer Programming 3, §6.4."""

_AMONG = "substr(:among, rowid + 1, 1) = x'01'"
"""SQL: whether a blob with a byte for each row has a 1 for this one. To hand over the rowids
themselves, and look each up, would take several times as long."""

_WEIGHTS = {"text_search": "8.0, 1.0", "document_search": "1.0, 1.0, 1.0, 1.0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Rowids, best match first, out of `texts` that have the words: about one of `each` of them.

    The rowids can be gone through once.
    """

    rowids: Iterator[int]
    texts: int
    each: int


def rank(
    conn: sqlite3.Connection, expression: str, *, table: str = "text_search", most: int = MOST
) -> Ranked:
    """Return the rows of a search table that match `expression`, in FTS5's language."""
    count = conn.execute(
        f"select count(*) from {table} where {table} match ?", (expression,)
    ).fetchone()[0]
    each = max(-(-count // most), 1)
    return Ranked(rowids=_ranked(conn, expression, table, each), texts=count, each=each)


def rank_among(
    conn: sqlite3.Connection, expression: str, texts: bytes | bytearray, *, most: int = MOST
) -> Ranked:
    """Return the rows of `text_search` that match and that `texts` has a 1 for, by rowid."""
    count = conn.execute(
        f"select count(*) from text_search where text_search match :words and {_AMONG}",
        {"words": expression, "among": texts},
    ).fetchone()[0]
    each = max(-(-count // most), 1)
    found = _ranked(conn, expression, "text_search", each, texts)
    return Ranked(rowids=found, texts=count, each=each)


def _ranked(
    conn: sqlite3.Connection,
    expression: str,
    table: str,
    each: int,
    among: bytes | bytearray | None = None,
) -> Iterator[int]:
    rows = conn.execute(
        f"select rowid, bm25({table}, {_WEIGHTS[table]}) from {table}"
        f" where {table} match :words and {_SPREAD} % :each = 0"
        f" and {_AMONG if among is not None else 'true'} order by 2, 1",
        {"words": expression, "each": each, "among": among},
    )
    return (row[0] for row in rows)


def matching(conn: sqlite3.Connection, expression: str) -> list[int]:
    """Return every row of `text_search` that matches, in the order of the table."""
    # As one value: a row of its own for each would take three times as long.
    told = conn.execute(
        "select json_group_array(rowid) from text_search where text_search match ?", (expression,)
    ).fetchone()[0]
    found: list[int] = json.loads(told)
    return found
