"""Fill the tables of text extraction and the search tables, over one open connection.

It reads no archived byte: the extraction is a callable that it is handed.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence

from provenance.digest import Digest
from provenance.errors import ProvenanceError
from provenance.index.load import insert
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

_TEXTS_AT_ONCE = 200
_CHARACTERS_AT_ONCE = 1 << 21


def load_texts(connection: sqlite3.Connection, derive: Derive) -> None:
    """Fill `text`, `page`, the hyperlinks of `link` and `text_search`.

    Raises:
        ProvenanceError: `derive` gave another number of extractions than it took contents.
    """
    pending: deque[Digest] = deque()
    batch: list[tuple[Digest, Derived]] = []
    rowid = characters = 0
    for derived in derive(_sources(connection, pending)):
        if not pending:
            raise ProvenanceError("text extraction gave more texts than there are contents")
        batch.append((pending.popleft(), derived))
        characters += len(derived.text)
        if len(batch) == _TEXTS_AT_ONCE or characters > _CHARACTERS_AT_ONCE:
            _load_batch(connection, batch, rowid)
            rowid += len(batch)
            batch, characters = [], 0
    if pending:
        raise ProvenanceError(f"text extraction gave no text for {pending[0]}")
    _load_batch(connection, batch, rowid)


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


def _load_batch(
    connection: sqlite3.Connection, batch: Sequence[tuple[Digest, Derived]], rowid: int
) -> None:
    # Rowids count from 1 without a gap, so that even VACUUM leaves them to their search rows.
    texts = [_text_row(content_id, derived) for content_id, derived in batch]
    insert(connection, TEXT, texts)
    insert(connection, PAGE, (row for each in batch for row in _page_rows(*each)))
    insert(connection, LINK, (row for each in batch for row in _link_rows(*each)))
    title, text = TEXT.names.index("title"), TEXT.names.index("text")
    connection.executemany(
        _search_sql(TEXT_SEARCH),
        (
            (place, segment(str(row[title] or "")), segment(str(row[text])))
            for place, row in enumerate(texts, start=rowid + 1)
            if row[title] or row[text]
        ),
    )


def _page_rows(content_id: Digest, derived: Derived) -> Iterator[Row]:
    for page, start in enumerate(derived.pages, start=1):
        yield content_id, page, start


def _link_rows(content_id: Digest, derived: Derived) -> Iterator[Row]:
    for position, (url, label) in enumerate(derived.links, start=1):
        yield storable(("hyperlink", content_id, position, url, label, None))


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


def load_cards(connection: sqlite3.Connection) -> None:
    """Fill `document_search`."""
    names = ", ".join(DOCUMENT_SEARCH.columns)
    cards = connection.execute(f"SELECT rowid, {names} FROM document ORDER BY document")
    connection.executemany(
        _search_sql(DOCUMENT_SEARCH),
        ((card[0], *(segment(cell or "") for cell in card[1:])) for card in cards),
    )


def settle_search(connection: sqlite3.Connection) -> None:
    """Merge each search table into one piece, which is searched fastest."""
    for search in (DOCUMENT_SEARCH, TEXT_SEARCH):
        connection.execute(f"INSERT INTO {search.name}({search.name}) VALUES ('optimize')")


def _search_sql(search: SearchTable) -> str:
    marks = ", ".join("?" * (len(search.columns) + 1))
    return f"INSERT INTO {search.name}(rowid, {', '.join(search.columns)}) VALUES ({marks})"
