"""Look records up by their address and date, or by their id, in an open index. Reads only."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, fields

_HOLD = "type IN ('response', 'revisit', 'resource')"
"""Which records hold something of their address; as the index on them has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """One record that holds, or stands for, something of an address; with its place."""

    warc: str
    offset: int
    ordinal: int
    type: str
    date: str
    content_type: str | None
    content_length: int
    block_digest: str
    refers_to: str | None


class RecordsOf:
    """The records of an index by address; those whose body was cut are passed over."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def has(self, url: str) -> bool:
        """Whether there is any record of an address."""
        sql = f"SELECT 1 FROM record WHERE target_uri = ? AND {_HOLD} LIMIT 1"
        return self._connection.execute(sql, (url,)).fetchone() is not None

    def near(self, url: str, date: str, *, limit: int) -> tuple[RecordRow, ...]:
        """Return up to `limit` records of an address up to `date`, and as many after it."""
        found: list[RecordRow] = []
        for than, order in (("<=", "DESC"), (">", "ASC")):
            found += self._rows(
                f"target_uri = ? AND {_HOLD} AND date {than} ? ORDER BY date {order} LIMIT ?",
                (url, date, limit),
            )
        return tuple(found)

    def named(self, record_id: str) -> RecordRow | None:
        """Return the response or resource record of an id, the first in the order of files."""
        rows = self._rows(
            "record_id = ? AND type IN ('response', 'resource') ORDER BY warc, offset LIMIT 1",
            (record_id,),
        )
        return rows[0] if rows else None

    def _rows(self, where: str, values: tuple[str | int, ...]) -> list[RecordRow]:
        names = [field.name for field in fields(RecordRow)]
        sql = f"SELECT {', '.join(names)} FROM record WHERE truncated IS NULL AND {where}"
        found = self._connection.execute(sql, values)
        return [RecordRow(**dict(zip(names, row, strict=True))) for row in found]
