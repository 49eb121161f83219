"""Say where in the WARC files a capture's records stand, as an open index has it. Reads only.

A place is a hint and no proof: who reads there checks what is found.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from provenance.digest import Digest

_NEAR = 64
"""Records before a capture's own that may belong to it."""

_FILES = """
SELECT c.capture_id, c.warc, CASE WHEN c.record_type = 'revisit' AND c.content_id IS NOT NULL
  THEN coalesce((SELECT o.warc FROM capture o
    WHERE o.content_id = c.content_id AND o.record_type <> 'revisit'
    ORDER BY o.captured_at DESC, o.capture_id DESC LIMIT 1), c.warc) ELSE c.warc END
FROM json_each(?) AS one JOIN capture c ON c.capture_id = one.value"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A record's place: its file, its byte, and the byte where the records of its capture begin."""

    warc: str
    start: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """What of a capture a PWID names."""

    capture_id: Digest
    collection: str
    captured_at: str
    url: str | None
    final_url: str | None
    content_id: Digest | None


def place_of_capture(connection: sqlite3.Connection, capture_id: str) -> Place | None:
    """Return where a capture's record stands, None where the index has no such capture."""
    found = connection.execute(
        "SELECT warc, offset, ordinal FROM capture WHERE capture_id = ?", (capture_id,)
    ).fetchone()
    return _place(connection, *found) if found else None


def places_of_record(connection: sqlite3.Connection, record_id: str) -> tuple[Place, ...]:
    """Return where the records of this id stand; more than one only where ids are repeated."""
    found = connection.execute(
        "SELECT warc, offset, ordinal FROM record WHERE record_id = ? ORDER BY 1, 2, 3 LIMIT 4",
        (record_id,),
    ).fetchall()
    return tuple(_place(connection, *each) for each in found)


def place_of_digest(connection: sqlite3.Connection, record_digest: str) -> Place | None:
    """Return where a record of this digest stands, or None."""
    found = connection.execute(
        "SELECT warc, offset, ordinal FROM record WHERE record_digest = ? LIMIT 1",
        (record_digest,),
    ).fetchone()
    return _place(connection, *found) if found else None


def beginning_of(connection: sqlite3.Connection, record_digest: str) -> tuple[str, int] | None:
    """Return file and byte of a record of this digest, or None; with one look at the index."""
    found = connection.execute(
        "SELECT warc, offset FROM record WHERE record_digest = ? LIMIT 1", (record_digest,)
    ).fetchone()
    return (found[0], int(found[1])) if found else None


def warcinfo_before(connection: sqlite3.Connection, warc: str, offset: int) -> int | None:
    """Return the byte of the last warcinfo record before `offset`; reads the rows of the file."""
    found = connection.execute(
        "SELECT max(offset) FROM record WHERE warc = ? AND offset < ? AND type = 'warcinfo'",
        (warc, offset),
    ).fetchone()
    return int(found[0]) if found and found[0] is not None else None


def captures_with(connection: sqlite3.Connection, content_id: str) -> tuple[Digest, ...]:
    """Return the ids of the captures that have this content, oldest first."""
    found = connection.execute(
        "SELECT capture_id FROM capture WHERE content_id = ? ORDER BY captured_at, capture_id",
        (content_id,),
    )
    return tuple(Digest(each[0]) for each in found)


def files_of(
    connection: sqlite3.Connection, capture_ids: Sequence[str]
) -> tuple[tuple[str, str, str], ...]:
    """Return (capture id, file of its record, file of its content) of those that there are.

    The content of a revisit stands with the newest capture of the same content that is none.
    """
    found = connection.execute(_FILES, (json.dumps(list(capture_ids)),)).fetchall()
    return tuple((row[0], row[1], row[2]) for row in found)


def content_of(connection: sqlite3.Connection, capture_id: str) -> Digest | None:
    """Return the content that the index gives a capture, or None."""
    found = connection.execute(
        "SELECT content_id FROM capture WHERE capture_id = ?", (capture_id,)
    ).fetchone()
    return Digest(found[0]) if found and found[0] is not None else None


def captures_between(connection: sqlite3.Connection, first: str, end: str) -> Iterator[Dated]:
    """Yield the captures made from instant `first` on and before `end`, in order."""
    found = connection.execute(
        "SELECT capture_id, collection, captured_at, url, final_url, content_id FROM capture "
        "WHERE captured_at >= ? AND captured_at < ? ORDER BY captured_at, capture_id",
        (first, end),
    )
    for row in found:
        yield Dated(
            capture_id=row[0],
            collection=row[1],
            captured_at=row[2],
            url=row[3],
            final_url=row[4],
            content_id=row[5],
        )


def _place(connection: sqlite3.Connection, warc: str, offset: int, ordinal: int) -> Place:
    """Go back from a record to the first of those that are named after the same one."""
    own = connection.execute(
        "SELECT type, record_id, concurrent_to FROM record "
        "WHERE warc = ? AND offset = ? AND ordinal = ?",
        (warc, offset, ordinal),
    ).fetchone()
    start = offset
    anchor = _anchor(*own) if own else None
    before = connection.execute(
        "SELECT type, record_id, concurrent_to, offset FROM record "
        "WHERE warc = ? AND (offset, ordinal) < (?, ?) "
        "ORDER BY offset DESC, ordinal DESC LIMIT ?",
        (warc, offset, ordinal, _NEAR),
    )
    for kind, record_id, concurrent_to, its_offset in before:
        if anchor is None or _anchor(kind, record_id, concurrent_to) != anchor:
            break
        start = int(its_offset)
    return Place(warc=warc, start=start, offset=offset)


def _anchor(kind: str, record_id: str, concurrent_to: str) -> str:
    if kind in ("response", "revisit", "resource"):
        return record_id
    try:
        named = json.loads(concurrent_to)
    except ValueError:  # written by somebody else than us: a hint that is none
        return record_id
    return str(named[0]) if isinstance(named, list) and named else record_id
