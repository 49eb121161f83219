"""Cite a capture: what the index knows of it, put into one of the forms of a citation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from provenance.cite import Citation, CitationFormat, render
from provenance.errors import UsageError
from provenance.index import citation, note_of, open_index, resolve


def cite(
    index_path: Path, identifier: str, form: CitationFormat, locator: str | None = None
) -> tuple[Citation, str]:
    """Return the citation of a capture with content, as values and as text.

    Raises:
        UsageError: the id stands for nothing that could be cited.
    """
    with open_index(index_path) as connection:
        found = resolve(connection, identifier).capture
        row = citation(connection, found.capture_id) if found else None
        note = note_of(connection, row.capture_id) if row and row.obtained == "imported" else {}
    if row is None or row.content_id is None:
        raise UsageError(f"{identifier} has no content to cite", hint="`provenance show` says why.")
    cited = Citation(
        document=row.document,
        collection=row.collection,
        title=row.title or row.text_title or row.url or str(row.document),
        title_original=row.title_original,
        author=row.author or row.text_author,
        publisher=row.publisher,
        published=row.published or row.text_published,
        language=row.language or row.text_language,
        media_type=row.media_type,
        url=row.url,
        final_url=row.final_url,
        captured_at=row.captured_at,
        content_id=row.content_id,
        capture_id=row.capture_id,
        outcome=row.outcome.value,
        obtained_by_hand=row.obtained == "added",
        imported_from=_archive_in(note),
        locator=locator,
    )
    return cited, render(cited, form)


def _archive_in(note: Mapping[str, object]) -> str | None:
    """Return the address that an archive gave the capture under, where it was imported."""
    obtained = note.get("obtained")
    memento = obtained.get("memento") if isinstance(obtained, dict) else None
    return memento if isinstance(memento, str) else None
