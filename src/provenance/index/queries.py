"""Look captures, documents and citations up in an open index. Reads only.

Every function takes the connection that `opening.open_index` gives.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from provenance.index.found import (
    CaptureRow,
    CitationRow,
    DocumentRow,
    SourceRow,
    T,
    columns_of,
    row_of,
)

NO_LIMIT = -1

_ORDER = "ORDER BY collection, position IS NULL, position, document"


def documents(
    connection: sqlite3.Connection,
    *,
    collection: str | None = None,
    role: str | None = None,
    publisher: str | None = None,
    language: str | None = None,
    in_seeds: bool | None = None,
    limit: int = NO_LIMIT,
    offset: int = 0,
) -> tuple[DocumentRow, ...]:
    """Return documents by collection and place in it, those outside the seeds last."""
    where, cells = _filter(
        collection=collection, role=role, publisher=publisher, language=language, in_seeds=in_seeds
    )
    return _rows(
        connection,
        DocumentRow,
        f"document_latest WHERE document IN (SELECT document FROM document {where} {_ORDER} "
        f"LIMIT ? OFFSET ?) {_ORDER}",
        *cells,
        limit,
        offset,
    )


def document(connection: sqlite3.Connection, identifier: str) -> DocumentRow | None:
    """Return one document, or None."""
    found = _rows(connection, DocumentRow, "document_latest WHERE document = ?", identifier)
    return found[0] if found else None


def captures(
    connection: sqlite3.Connection,
    *,
    collection: str | None = None,
    document: str | None = None,
    outcome: str | None = None,
    content_id: str | None = None,
    run: str | None = None,
    is_version: bool | None = None,
    limit: int = NO_LIMIT,
    offset: int = 0,
) -> tuple[CaptureRow, ...]:
    """Return captures, newest first."""
    where, cells = _filter(
        collection=collection,
        document=document,
        outcome=outcome,
        content_id=content_id,
        run=run,
        is_version=is_version,
    )
    return _rows(
        connection,
        CaptureRow,
        f"capture {where} ORDER BY captured_at DESC, capture_id DESC LIMIT ? OFFSET ?",
        *cells,
        limit,
        offset,
    )


def captures_of(connection: sqlite3.Connection, identifier: str) -> tuple[CaptureRow, ...]:
    """Return every capture of a document, newest first."""
    return captures(connection, document=identifier)


def capture(connection: sqlite3.Connection, capture_id: str) -> CaptureRow | None:
    """Return one capture, or None."""
    found = _rows(connection, CaptureRow, "capture WHERE capture_id = ?", capture_id)
    return found[0] if found else None


def note_of(connection: sqlite3.Connection, capture_id: str) -> Mapping[str, Any]:
    """Return the metadata record of a capture; empty where there is no such capture."""
    cell = connection.execute(
        "SELECT note FROM capture WHERE capture_id = ?", (capture_id,)
    ).fetchone()
    note = json.loads(cell[0]) if cell else {}
    return note if isinstance(note, dict) else {}


def citation(connection: sqlite3.Connection, capture_id: str) -> CitationRow | None:
    """Return all that a citation of a capture needs, or None."""
    found = _rows(connection, CitationRow, "citation WHERE capture_id = ?", capture_id)
    return found[0] if found else None


def source_files(connection: sqlite3.Connection) -> tuple[SourceRow, ...]:
    """Return the files that the index was made from; others on disk mean that it is stale."""
    return _rows(connection, SourceRow, "source ORDER BY kind, name")


def _filter(**wanted: str | bool | None) -> tuple[str, tuple[str | bool, ...]]:
    given = {name: value for name, value in wanted.items() if value is not None}
    clauses = " AND ".join(f'"{name}" = ?' for name in given)
    return (f"WHERE {clauses}" if clauses else ""), tuple(given.values())


def _rows(
    connection: sqlite3.Connection, kind: type[T], rest: str, *cells: str | int
) -> tuple[T, ...]:
    found = connection.execute(f"SELECT {columns_of(kind)} FROM {rest}", cells)
    return tuple(row_of(kind, tuple(row)) for row in found)
