"""Find documents by the words of their texts and cards. Reads only.

One hit for each document: its newest version that has the words, or its card alone. Documents
whose card (title, title in the original, publisher, author) has all the words come first, then
the others by BM25. Words are looked for in one place: all in one text, or all on one card.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provenance.index.found import CaptureRow
from provenance.index.opening import open_index
from provenance.index.queries import capture
from provenance.index.segment import HAN_KANA, unsegment
from provenance.index.words import Query, parse_words
from provenance.model import CollectionId, DocumentId

# Two noncharacters, which no text has: Unicode 15.1 §23.7.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_MARKED = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_WORDS_SHOWN, _CHARACTERS_SHOWN = 32, 60

_HITS = """WITH
matching AS MATERIALIZED (
  SELECT rowid AS id, bm25(text_search, 8.0, 1.0) AS rank
  FROM text_search WHERE text_search MATCH :query),
placed AS (
  SELECT c.document, c.capture_id, m.rank, row_number() OVER (
    PARTITION BY c.document ORDER BY c.captured_at DESC, c.capture_id DESC) AS n
  FROM matching m JOIN text t ON t.rowid = m.id
  JOIN capture c ON c.content_id = t.content_id AND c.is_version = 1),
card AS MATERIALIZED (
  SELECT rowid AS id, bm25(document_search, 8.0, 8.0, 1.0, 1.0) AS rank
  FROM document_search WHERE document_search MATCH :query),
hit AS (
  SELECT document, capture_id, rank, 0 AS on_card FROM placed WHERE n = 1
  UNION ALL
  SELECT d.document, NULL, k.rank, 1 FROM card k JOIN document d ON d.rowid = k.id),
merged AS (
  SELECT document, max(capture_id) AS matching_id, max(on_card) AS on_card,
    coalesce(max(CASE WHEN on_card THEN rank END), max(rank)) AS rank
  FROM hit GROUP BY document),
shown AS (
  SELECT m.*, coalesce(m.matching_id, (
    SELECT capture_id FROM capture n WHERE n.document = m.document AND n.is_version = 1
    ORDER BY n.captured_at DESC, n.capture_id DESC LIMIT 1)) AS capture_id
  FROM merged m)
SELECT s.document, s.capture_id, s.matching_id IS NOT NULL, s.on_card, s.rank, t.rowid,
  d.collection, d.title, d.title_original, t.title, d.role, d.publisher,
  coalesce(d.language, t.language)
FROM shown s JOIN document d ON d.document = s.document
LEFT JOIN capture c ON c.capture_id = s.capture_id
LEFT JOIN text t ON t.content_id = c.content_id
WHERE (:role IS NULL OR d.role = :role)
  AND (:publisher IS NULL OR d.publisher = :publisher)
  AND (:language IS NULL OR coalesce(d.language, t.language) = :language){without}
ORDER BY s.on_card DESC, s.rank, s.document
LIMIT :limit OFFSET :offset"""

_WITHOUT = """
  AND d.rowid NOT IN (
    SELECT rowid FROM document_search WHERE document_search MATCH :unwanted)
  AND (t.rowid IS NULL OR t.rowid NOT IN (
    SELECT rowid FROM text_search WHERE text_search MATCH :unwanted))"""

_SNIPPET = """SELECT snippet(text_search, 1, ?, ?, ' … ', ?) FROM text_search
WHERE text_search MATCH ? AND rowid = ?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A document that has the words.

    `capture` is its newest version with the words in the text, else its newest version, else None.
    `snippet` is original text in (text, is match) pieces, empty where only the card matches.
    `in_text` and `on_card` say where the words stand; `rank` orders within each (less is better).
    `title` is that of the seeds file; `text_title` the one the content gives itself.
    """

    document: DocumentId
    collection: CollectionId
    title: str | None
    title_original: str | None
    text_title: str | None
    role: str | None
    publisher: str | None
    language: str | None
    capture: CaptureRow | None
    snippet: tuple[tuple[str, bool], ...]
    in_text: bool
    on_card: bool
    rank: float


def search(
    path: Path,
    words: str,
    *,
    limit: int = 20,
    offset: int = 0,
    role: str | None = None,
    publisher: str | None = None,
    language: str | None = None,
) -> tuple[SearchHit, ...]:
    """Return the documents that have the words, best first; `words` as `words.fts_query` says.

    Raises:
        UsageError: there is no word to look for.
        IndexMissingError: there is no index at `path`.
    """
    query = parse_words(words)
    wanted = {
        "query": query.whole,
        "unwanted": query.unwanted,
        "role": role,
        "publisher": publisher,
        "language": language,
        "limit": limit,
        "offset": offset,
    }
    sql = _HITS.replace("{without}", _WITHOUT if query.unwanted else "")
    with open_index(path) as connection:
        found = connection.execute(sql, wanted).fetchall()
        return tuple(_hit(connection, query, row) for row in found)


def _hit(connection: sqlite3.Connection, query: Query, row: tuple[object, ...]) -> SearchHit:
    document, capture_id, in_text, on_card, rank, rowid, *card = row
    collection, title, title_original, text_title, role, publisher, language = (
        None if cell is None else str(cell) for cell in card
    )
    return SearchHit(
        document=DocumentId(str(document)),
        collection=CollectionId(str(collection)),
        title=title,
        title_original=title_original,
        text_title=text_title,
        role=role,
        publisher=publisher,
        language=language,
        capture=capture(connection, str(capture_id)) if capture_id else None,
        snippet=_snippet(connection, query.wanted, rowid) if in_text else (),
        in_text=bool(in_text),
        on_card=bool(on_card),
        rank=float(str(rank)),
    )


def _snippet(
    connection: sqlite3.Connection, wanted: str, rowid: object
) -> tuple[tuple[str, bool], ...]:
    shown = _CHARACTERS_SHOWN if HAN_KANA.search(wanted) else _WORDS_SHOWN
    row = connection.execute(_SNIPPET, (_OPEN, _CLOSE, shown, wanted, rowid)).fetchone()
    return tuple(snippet_pieces(row[0])) if row else ()


def snippet_pieces(marked: str) -> Iterator[tuple[str, bool]]:
    """Yield (text, is match) pieces of a marked snippet, the zero-width spaces taken out."""
    for number, piece in enumerate(_MARKED.split(unsegment(marked))):
        text = piece.replace(_OPEN, "").replace(_CLOSE, "")
        if text:
            yield text, number % 2 == 1
