"""Search archived text and the catalogue in the index. Reads only; snippets are original text."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

MARK, UNMARK, JOINT = "\x02", "\x03", "\u200b"
_PIECES = re.compile(f"({MARK}[^{MARK}{UNMARK}]*{UNMARK})")
_NOISE = re.compile(f"[{JOINT}{MARK}{UNMARK}]")


_MOST = 2_000
"""The best matching texts that are looked at where nothing narrows a search: a word that is in
every text would take the time of all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of a snippet's text; `marked` where it matches the words sought."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a search is narrowed to; None means any. `everything` adds error pages and the like.

    `since` and `until` are dates of one to three parts between which the document was published, as
    far as its own date tells; `newest` puts the newest capture first instead of the best match.
    """

    role: str | None = None
    publisher: str | None = None
    language: str | None = None
    since: str | None = None
    until: str | None = None
    newest: bool = False
    everything: bool = False

    @property
    def narrowed(self) -> bool:
        """Whether anything is asked for but words."""
        return self != Filters()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A document whose text matches, with the capture that first brought its newest such text."""

    document: str
    title: str | None
    title_original: str | None
    text_title: str | None
    role: str | None
    publisher: str | None
    published: str | None
    language: str | None
    text_language: str | None
    url: str | None
    capture_id: str
    content_id: str
    captured_at: str
    outcome: str
    version: int | None
    versions: int
    snippet: tuple[Piece, ...]

    @property
    def label(self) -> str:
        """The best name there is for its document."""
        return self.title or self.title_original or self.text_title or self.url or self.document


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The values that filters can have."""

    roles: tuple[str, ...]
    publishers: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueHit:
    """A document whose description has the words sought."""

    document: str
    title: str
    language: str | None
    publisher: str | None


_HITS = """
with hit as materialized (
  select rowid as id, bm25(text_search, 8.0, 1.0) as score
  from text_search where text_search match :expression
  order by score limit :most
), found as (
  select hit.id, c.document, c.content_id, c.capture_id, c.captured_at, c.outcome, c.version,
    min(hit.score) over (partition by c.document) as best,
    row_number() over (
      partition by c.document order by c.version desc, c.captured_at, c.capture_id
    ) as place
  from hit
    join text as t on t.rowid = hit.id
    join capture as c on c.content_id = t.content_id
  where c.is_version = 1 or :everything
)
select found.id, d.document, d.title, d.title_original, t.title as text_title, d.role, d.publisher,
  d.published, d.language, t.language as text_language, d.url, found.capture_id, found.content_id,
  found.captured_at, found.outcome, found.version,
  (select coalesce(max(v.version), 0) from capture as v where v.document = d.document) as versions
from found
  join document as d on d.document = found.document
  join text as t on t.rowid = found.id
where found.place = 1
  and (:role is null or d.role = :role)
  and (:publisher is null or d.publisher = :publisher)
  and (:language is null or d.language = :language)
  and (:since is null or d.published >= substr(:since, 1, length(d.published)))
  and (:until is null or substr(d.published, 1, length(:until)) <= :until)
order by case when :newest then found.captured_at end desc, found.best, d.document
limit :limit offset :offset
"""


def search(
    conn: sqlite3.Connection, expression: str, filters: Filters, *, limit: int, offset: int
) -> tuple[Hit, ...]:
    """Return matching documents, best first; `expression` is FTS5's language."""
    cursor = conn.cursor()
    cursor.row_factory = sqlite3.Row
    rows = cursor.execute(
        _HITS,
        {
            "expression": expression,
            "role": filters.role,
            "publisher": filters.publisher,
            "language": filters.language,
            "since": filters.since,
            "until": filters.until,
            "newest": filters.newest,
            "most": -1 if filters.narrowed else max(_MOST, 20 * (offset + limit)),
            "everything": filters.everything,
            "limit": limit,
            "offset": offset,
        },
    ).fetchall()
    return tuple(
        Hit(
            **{name: row[name] for name in row.keys() if name != "id"},  # noqa: SIM118
            snippet=_snippet(conn, expression, row["id"]),
        )
        for row in rows
    )


def _snippet(conn: sqlite3.Connection, expression: str, rowid: int) -> tuple[Piece, ...]:
    row = conn.execute(
        "select snippet(text_search, 1, ?, ?, ' … ', 48) from text_search"
        " where text_search match ? and rowid = ?",
        (MARK, UNMARK, expression, rowid),
    ).fetchone()
    return parse_snippet(row[0] or "") if row else ()


def parse_snippet(marked: str) -> tuple[Piece, ...]:
    """Split a marked-up snippet into pieces of original text; stray marks are dropped.

    >>> parse_snippet("the \\x02harbour\\x03 bridge")[1]
    Piece(text='harbour', marked=True)
    """
    pieces: list[Piece] = []
    for part in _PIECES.split(marked.replace(JOINT, "")):
        text = re.sub(r"\s+", " ", _NOISE.sub("", part))
        hit = part.startswith(MARK)
        if not text:
            continue
        if pieces and pieces[-1].marked == hit:
            text = pieces.pop().text + text
        pieces.append(Piece(text=text, marked=hit))
    return tuple(pieces)


def search_catalogue(
    conn: sqlite3.Connection, expression: str, *, limit: int
) -> tuple[CatalogueHit, ...]:
    """Return documents whose own description matches, captured or not, best first."""
    rows = conn.execute(
        "select d.document, coalesce(d.title, d.title_original, d.url, d.document), d.language,"
        " d.publisher from document_search join document as d on d.rowid = document_search.rowid"
        " where document_search match ? order by rank, d.document limit ?",
        (expression, limit),
    )
    return tuple(
        CatalogueHit(document=row[0], title=row[1], language=row[2], publisher=row[3])
        for row in rows
    )


def read_choices(conn: sqlite3.Connection) -> Choices:
    """Read the roles, publishers (the 200 with most documents) and languages there are."""

    def values(column: str) -> tuple[str, ...]:
        rows = conn.execute(
            f"select {column} from document where {column} is not null"
            f" group by 1 order by count(*) desc, 1 limit 200"
        )
        return tuple(sorted((row[0] for row in rows), key=str.casefold))

    return Choices(
        roles=values("role"), publishers=values("publisher"), languages=values("language")
    )
