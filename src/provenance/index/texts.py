"""Fill the tables of text extraction and the search tables, over one open connection.

It reads no archived byte: the extraction is a callable that it is handed.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator

from provenance.digest import Digest
from provenance.errors import ProvenanceError
from provenance.index.load import insert, insert_sql
from provenance.index.rows import Row, storable
from provenance.index.schema import (
    CAPTURE,
    DOCUMENT_SEARCH,
    LINK,
    PAGE,
    TEXT,
    TEXT_SEARCH,
    SearchTable,
)
from provenance.index.segment import segment
from provenance.index.sources import ContentSource, Derive, Derived, source_of_row


def load_texts(connection: sqlite3.Connection, derive: Derive) -> None:
    """Fill `text`, `page`, the hyperlinks of `link` and the search tables.

    Raises:
        ProvenanceError: `derive` gave another number of extractions than it took contents.
    """
    pending: deque[Digest] = deque()
    for derived in derive(_sources(connection, pending)):
        if not pending:
            raise ProvenanceError("text extraction gave more texts than there are contents")
        _load_text(connection, pending.popleft(), derived)
    if pending:
        raise ProvenanceError(f"text extraction gave no text for {pending[0]}")
    _fill_document_search(connection)
    for search in (DOCUMENT_SEARCH, TEXT_SEARCH):
        connection.execute(f"INSERT INTO {search.name}({search.name}) VALUES ('optimize')")


def _sources(connection: sqlite3.Connection, pending: deque[Digest]) -> Iterator[ContentSource]:
    # In the order of the files, so that neighbours on disk are read one after the other.
    names = ", ".join(f'c."{name}"' for name in CAPTURE.names)
    found = connection.execute(
        f"SELECT {names} FROM content t JOIN capture c ON c.capture_id = t.first_capture_id "
        'ORDER BY c.warc, c."offset", c.ordinal, c.capture_id'
    )
    for row in found:
        source = source_of_row(row)
        pending.append(source.content_id)
        yield source


def _load_text(connection: sqlite3.Connection, content_id: Digest, derived: Derived) -> None:
    row = _text_row(content_id, derived)
    title, text = (row[TEXT.names.index(name)] or "" for name in ("title", "text"))
    added = connection.execute(insert_sql(TEXT), row).lastrowid
    connection.execute(
        f"INSERT INTO {TEXT_SEARCH.name}(rowid, title, text) VALUES (?, ?, ?)",
        (added, segment(str(title)), segment(str(text))),
    )
    insert(connection, PAGE, ((content_id, n, at) for n, at in enumerate(derived.pages, start=1)))
    insert(
        connection,
        LINK,
        (
            storable(("hyperlink", content_id, position, url, label, None))
            for position, (url, label) in enumerate(derived.links, start=1)
        ),
    )


def _text_row(content_id: Digest, derived: Derived) -> Row:
    return storable(
        (
            content_id,
            derived.algorithm,
            derived.text_id,
            derived.title,
            derived.author,
            derived.published,
            derived.language,
            derived.charset,
            len(derived.text),
            derived.fault,
            derived.text,
        )
    )


def _fill_document_search(connection: sqlite3.Connection) -> None:
    names = ", ".join(DOCUMENT_SEARCH.columns)
    cards = connection.execute(f"SELECT rowid, {names} FROM document ORDER BY document").fetchall()
    connection.executemany(
        _search_sql(DOCUMENT_SEARCH),
        ((card[0], *(segment(cell or "") for cell in card[1:])) for card in cards),
    )


def _search_sql(search: SearchTable) -> str:
    marks = ", ".join("?" * (len(search.columns) + 1))
    return f"INSERT INTO {search.name}(rowid, {', '.join(search.columns)}) VALUES ({marks})"
