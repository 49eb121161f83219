"""Fill the tables from collections and surveys, over one open connection. Extracts no text.

Stretches are taken one at a time and let go, so that an archive of any size fits. What depends on
all of them (first captures, version numbers, documents outside the seeds) is settled afterwards.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import count

from provenance.errors import UsageError
from provenance.holdings import Run, Stretch, Survey
from provenance.index import rows
from provenance.index.rows import Row
from provenance.index.schema import (
    ALTERNATE,
    CAPTURE,
    COLLECTION,
    DOCUMENT,
    RECORD,
    RELATION,
    RUN,
    SOURCE,
    WARC_FILE,
    Table,
)
from provenance.model import Collection

_PLACE = '"warc", "offset", "ordinal", "collection", "document", "run", "note"'

_ARRIVED_LINK = """CREATE TEMP TABLE arrived_link(
  warc TEXT, "offset" INTEGER, ordinal INTEGER,
  kind TEXT, source TEXT, position INTEGER, url TEXT, label TEXT, status INTEGER)"""

_KEEP_LINKS = """INSERT OR IGNORE INTO link
SELECT a.kind, a.source, a.position, a.url, a.label, a.status
FROM arrived_link a JOIN capture c ON c.capture_id = a.source
WHERE (a.warc, a."offset", a.ordinal) = (c.warc, c."offset", c.ordinal)
ORDER BY a.source, a.position, a.url, a.label, a.status"""

_RESOLVE_REVISITS = """UPDATE capture SET
  content_id = o.content_id,
  payload_digest = coalesce(capture.payload_digest, o.payload_digest),
  size = coalesce(capture.size, o.size),
  media_type = coalesce(capture.media_type, o.media_type),
  charset = coalesce(capture.charset, o.charset),
  undecoded = o.undecoded
FROM (
  SELECT v.capture_id AS revisit, min(c.capture_id) AS original
  FROM capture v
  JOIN record r ON (r.warc, r."offset", r.ordinal) = (v.warc, v."offset", v.ordinal)
  JOIN record t ON t.record_id = r.refers_to
  JOIN capture c ON (c.warc, c."offset", c.ordinal) = (t.warc, t."offset", t.ordinal)
  WHERE v.record_type = 'revisit' AND v.content_id IS NULL AND c.content_id IS NOT NULL
  GROUP BY v.capture_id
) f JOIN capture o ON o.capture_id = f.original
WHERE capture.capture_id = f.revisit"""

_UNLISTED_DOCUMENTS = """INSERT INTO document(document, collection, url, in_seeds)
SELECT document, collection, url, 0 FROM (
  SELECT document, collection, url, row_number() OVER (
    PARTITION BY document ORDER BY captured_at DESC, capture_id DESC) AS n
  FROM capture WHERE document NOT IN (SELECT document FROM document))
WHERE n = 1"""

_CONTENTS = """INSERT INTO content
SELECT content_id, size, media_type, charset, undecoded, capture_id FROM (
  SELECT content_id, size, media_type, charset, undecoded, capture_id, row_number() OVER (
    PARTITION BY content_id
    ORDER BY record_type = 'revisit', captured_at, capture_id) AS n
  FROM capture WHERE content_id IS NOT NULL)
WHERE n = 1"""

_VERSIONS = """UPDATE capture SET version = f.version FROM (
  SELECT document, content_id, row_number() OVER (
    PARTITION BY document ORDER BY captured_at, capture_id) AS version
  FROM (
    SELECT document, content_id, captured_at, capture_id, row_number() OVER (
      PARTITION BY document, content_id ORDER BY captured_at, capture_id) AS n
    FROM capture WHERE is_version = 1 AND content_id IS NOT NULL)
  WHERE n = 1) f
WHERE capture.is_version = 1
  AND capture.document = f.document AND capture.content_id = f.content_id"""


def load(
    connection: sqlite3.Connection, collections: Iterable[Collection], surveys: Iterable[Stretch]
) -> None:
    """Fill every table but those of text extraction.

    The stretches of a file come one after the other, the last of them a `Survey`.

    Raises:
        UsageError: two WARC files have one name, two seeds list one document, or a relation leads
            to a document that is nowhere.
    """
    _load_collections(connection, collections)
    _load_surveys(connection, surveys)
    for statement in (_KEEP_LINKS, _RESOLVE_REVISITS, _UNLISTED_DOCUMENTS, _CONTENTS, _VERSIONS):
        connection.execute(statement)
    _load_unlisted_collections(connection)
    _check_relations(connection)


def insert(connection: sqlite3.Connection, table: Table, arriving: Iterable[Row]) -> None:
    """Insert rows in the column order of `table`."""
    connection.executemany(insert_sql(table), arriving)


def insert_sql(table: Table) -> str:
    """Return the INSERT statement of `table`."""
    names = ", ".join(f'"{name}"' for name in table.names)
    return f'INSERT INTO "{table.name}"({names}) VALUES ({", ".join("?" * len(table.names))})'


def _load_collections(connection: sqlite3.Connection, collections: Iterable[Collection]) -> None:
    for seeds in collections:
        _load_collection(connection, seeds)


def _load_collection(connection: sqlite3.Connection, seeds: Collection) -> None:
    documents = seeds.documents
    insert(connection, COLLECTION, (rows.collection_row(seeds),))
    insert(connection, SOURCE, (("seeds", seeds.seeds_file, seeds.seeds_digest),))
    try:
        insert(connection, DOCUMENT, map(rows.document_row, documents, count(1)))
    except sqlite3.IntegrityError as error:
        raise UsageError("two seeds files list the same document", found=str(error)) from error
    insert(connection, ALTERNATE, (row for each in documents for row in rows.alternate_rows(each)))
    insert(connection, RELATION, (row for each in documents for row in rows.relation_rows(each)))


def _load_surveys(connection: sqlite3.Connection, surveys: Iterable[Stretch]) -> None:
    connection.execute(_ARRIVED_LINK)
    capture_sql = _smallest_place_sql()
    runs: list[tuple[str, Run]] = []
    for piece in surveys:
        _load_records(connection, piece)
        connection.executemany(capture_sql, map(rows.capture_row, piece.captures))
        connection.executemany(
            "INSERT INTO arrived_link VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (row for capture in piece.captures for row in rows.redirect_rows(capture)),
        )
        if isinstance(piece, Survey):
            runs.extend((piece.file.warc, run) for run in piece.runs)
    insert(connection, RUN, rows.run_rows(runs))


def _load_records(connection: sqlite3.Connection, piece: Stretch) -> None:
    try:
        insert(connection, RECORD, map(rows.record_row, piece.records))
        if isinstance(piece, Survey):
            file = piece.file
            insert(connection, WARC_FILE, (rows.warc_file_row(file),))
            insert(connection, SOURCE, (rows.storable(("warc", file.warc, file.sha256)),))
    except sqlite3.IntegrityError as error:
        # The records of two files are kept apart by the file's name.
        name = piece.file.warc if isinstance(piece, Survey) else piece.records[0].warc
        raise UsageError(
            "two WARC files have this name", where=name, hint="Rename one of them."
        ) from error


def _smallest_place_sql() -> str:
    """Of two copies of one capture, keep the one whose place comes first, in whatever order."""
    taken = ", ".join(f'"{name}" = excluded."{name}"' for name in CAPTURE.names)
    columns = _PLACE.split(", ")
    new, old = (", ".join(f"{side}.{name}" for name in columns) for side in ("excluded", "capture"))
    return (
        f"{insert_sql(CAPTURE)} ON CONFLICT(capture_id) DO UPDATE SET {taken} "
        f"WHERE ({new}) < ({old})"
    )


def _load_unlisted_collections(connection: sqlite3.Connection) -> None:
    named = connection.execute(
        "SELECT collection FROM capture UNION SELECT collection FROM run "
        "UNION SELECT collection FROM warc_file WHERE collection IS NOT NULL "
        "EXCEPT SELECT collection FROM collection"
    ).fetchall()
    insert(connection, COLLECTION, (rows.unlisted_collection_row(name) for (name,) in named))


def _check_relations(connection: sqlite3.Connection) -> None:
    lost = connection.execute(
        "SELECT document, kind, target FROM relation "
        "WHERE target NOT IN (SELECT document FROM document) ORDER BY document, kind, target"
    ).fetchone()
    if lost:
        raise UsageError(
            f"{lost[1]} leads to no document",
            where=f"document {lost[0]}",
            found=lost[2],
            hint="Mend the seeds file.",
        )
