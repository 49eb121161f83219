"""What the index says of an archive: the part of the hall that reads the index and nothing else.

A method imports what it needs itself, as in the hall.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provenance.cite import Citation, CitationFormat
    from provenance.index import CaptureRow, DocumentRow, LinkRow, Resolved, SearchHit


class Catalogue:
    """The index at `index_path`; every method raises `IndexMissingError` where there is none."""

    def __init__(self, index_path: Path) -> None:
        self.index_path = index_path

    def resolve(self, identifier: str) -> Resolved:
        """Return what an id or a prefix stands for."""
        from provenance.index import open_index, resolve

        with open_index(self.index_path) as connection:
            return resolve(connection, identifier)

    def documents(self, **filters: str | None) -> tuple[DocumentRow, ...]:
        """Return documents by collection, role, publisher or language."""
        from provenance.index import documents, open_index

        with open_index(self.index_path) as connection:
            return documents(connection, **filters)  # type: ignore[arg-type]

    def document(self, name: str) -> DocumentRow | None:
        """Return one document."""
        from provenance.index import document, open_index

        with open_index(self.index_path) as connection:
            return document(connection, name)

    def newest_of(self, rows: Sequence[DocumentRow]) -> tuple[CaptureRow | None, ...]:
        """Return the newest version of each document, None where it has none."""
        from provenance.index import capture, open_index

        with open_index(self.index_path) as connection:
            ids = (row.capture_id for row in rows)
            return tuple(capture(connection, one) if one else None for one in ids)

    def captures_of(self, name: str) -> tuple[CaptureRow, ...]:
        """Return the captures of one document."""
        from provenance.index import captures_of, open_index

        with open_index(self.index_path) as connection:
            return captures_of(connection, name)

    def note_of(self, capture_id: str) -> dict[str, Any]:
        """Return the JSON note of one capture."""
        from provenance.index import note_of, open_index

        with open_index(self.index_path) as connection:
            return dict(note_of(connection, capture_id))

    def links(self, row: CaptureRow) -> tuple[LinkRow, ...]:
        """Return the addresses that a capture leads to, and what is archived of them."""
        from provenance.index import links_of, open_index

        with open_index(self.index_path) as connection:
            return links_of(connection, row)

    def search(self, words: str, *, limit: int = 20) -> tuple[SearchHit, ...]:
        """Return the documents that have the words, best first."""
        from provenance.index import search

        return search(self.index_path, words, limit=limit)

    def cite(
        self, identifier: str, form: CitationFormat, locator: str | None = None
    ) -> tuple[Citation, str]:
        """Return the citation of a capture with content, as values and as text."""
        from provenance.citing import cite

        return cite(self.index_path, identifier, form, locator)
