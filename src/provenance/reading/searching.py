"""Search archived text and the catalogue in the index. Reads only; snippets are original text."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, islice

from provenance.reading.belonging import Belonging
from provenance.reading.lookup import CHOSEN
from provenance.reading.matching import Ranked, matching, rank, rank_among

MARK, UNMARK, JOINT = "\x02", "\x03", "\u200b"
_PIECES = re.compile(f"({MARK}[^{MARK}{UNMARK}]*{UNMARK})")
_BETWEEN = re.compile(f"{UNMARK}(\\s*){MARK}")
_NOISE = re.compile(f"[{JOINT}{MARK}{UNMARK}]")


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

    @property
    def of_documents(self) -> bool:
        """Whether anything is asked of the documents themselves."""
        return any((self.role, self.publisher, self.language, self.since, self.until))


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
    obtained: str
    version: int | None
    versions: int
    snippet: tuple[Piece, ...]

    @property
    def label(self) -> str:
        """The best name there is for its document."""
        return self.title or self.title_original or self.text_title or self.url or self.document


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of hits. `texts` have the words and fit the filters; about one of `each` was ranked.

    Error and challenge pages count among the texts where nothing narrows the search.
    """

    hits: tuple[Hit, ...] = ()
    texts: int = 0
    each: int = 1


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


_HOLDERS = """
select distinct d.rowid from text as t join capture as c on c.content_id = t.content_id
  join document as d on d.document = c.document
where t.rowid = ? and (c.is_version = 1 or ?) order by 1
"""

_FITTING = """
select json_group_array(d.rowid) from document as d
where (:role is null or d.role = :role)
  and (:publisher is null or d.publisher = :publisher)
  and (:language is null or d.language = :language)
  and (:since is null or d.published >= substr(:since, 1, length(d.published)))
  and (:until is null or substr(d.published, 1, length(:until)) <= :until)
"""

_TEXTS = """
select t.rowid, d.document, d.title, d.title_original, t.title as text_title, d.role, d.publisher,
  d.published, d.language, t.language as text_language, d.url, c.capture_id, c.content_id,
  c.captured_at, c.outcome, c.obtained, c.version,
  (select coalesce(max(v.version), 0) from capture as v where v.document = d.document) as versions
from document as d
  join capture as c on c.document = d.document
  join text as t on t.content_id = c.content_id
where d.rowid = ? and (c.is_version = 1 or ?)
order by c.version desc, c.captured_at, c.capture_id
"""


_SNIPPET = """
select snippet(text_search, 1, ?, ?, ' … ', 48) from text_search
where text_search match ? and rowid = ?
"""

_LONG_OPEN = re.compile(r'[^"]{4,}" \*')
"""A word or phrase with an open end that is longer than the beginnings that the index keeps."""

_SNIPPETS = """
select rowid, coalesce(snippet(text_search, 1, ?, ?, ' … ', 48), '') from text_search
where text_search match ? and +rowid in (
  select t.rowid from json_each(?) as one join document as d on d.rowid = one.value
    join capture as c on c.document = d.document join text as t on t.content_id = c.content_id)
"""


def search(
    conn: sqlite3.Connection,
    expression: str,
    filters: Filters,
    belonging: Belonging | None,
    *,
    limit: int,
    offset: int,
) -> Found:
    """Return documents whose texts match, best first; `expression` is FTS5's language.

    `belonging` is needed where the filters ask for anything of documents, or for the newest.
    """
    documents: Iterable[int]
    if belonging is None:
        ranked = rank(conn, expression)
        documents = _holders(conn, ranked, everything=filters.everything)
        texts, each = ranked.texts, ranked.each
    else:
        documents, texts, each = _narrowed(
            conn, expression, filters, belonging, most=offset + limit
        )
    chosen = list(islice(documents, offset, offset + limit))
    snippets = _Snippets(conn, expression, chosen)
    hits = (_hit(conn, snippets, one, everything=filters.everything) for one in chosen)
    return Found(hits=tuple(hit for hit in hits if hit is not None), texts=texts, each=each)


def _narrowed(
    conn: sqlite3.Connection, expression: str, filters: Filters, belonging: Belonging, *, most: int
) -> tuple[Iterable[int], int, int]:
    """Return documents in order, how many texts fit, and one of how many was ranked."""
    names = ("role", "publisher", "language", "since", "until")
    asked = {name: getattr(filters, name) for name in names}
    left = belonging.left(
        tuple(asked.values()), lambda: _fitting(conn, asked), everything=filters.everything
    )
    if filters.newest:
        fitting = left.out_of(matching(conn, expression))
        return belonging.newest(fitting, left, most=most), fitting.count(1), 1
    ranked = rank_among(conn, expression, left.texts)
    documents = _once(document for text in ranked.rowids for document in belonging.of(text, left))
    return documents, ranked.texts, ranked.each


def _fitting(conn: sqlite3.Connection, asked: Mapping[str, str | None]) -> bytearray:
    """Return the documents that the filters leave, as `Left` has them."""
    last = conn.execute("select coalesce(max(rowid), 0) from document").fetchone()[0]
    documents = bytearray(last + 1)
    for document in json.loads(conn.execute(_FITTING, asked).fetchone()[0]):
        documents[document] = 1
    return documents


def _holders(conn: sqlite3.Connection, ranked: Ranked, *, everything: bool) -> Iterator[int]:
    """Yield each document once, in the order of its best text; no further than is asked for."""
    return _once(
        document
        for text in ranked.rowids
        for (document,) in conn.execute(_HOLDERS, (text, everything)).fetchall()
    )


def _once(documents: Iterable[int]) -> Iterator[int]:
    seen: set[int] = set()
    for document in documents:
        if document not in seen:
            seen.add(document)
            yield document


def _hit(
    conn: sqlite3.Connection, snippets: _Snippets, document: int, *, everything: bool
) -> Hit | None:
    """Return the newest text of a document that matches, with the capture that first brought it."""
    cursor = conn.cursor()
    cursor.row_factory = sqlite3.Row
    looked_at: set[int] = set()
    for row in cursor.execute(_TEXTS, (document, everything)):
        if row["rowid"] in looked_at:
            continue
        looked_at.add(row["rowid"])
        snippet = snippets.of(row["rowid"])
        if snippet is not None:
            values = {name: row[name] for name in row.keys() if name != "rowid"}  # noqa: SIM118
            return Hit(**values, snippet=snippet)
    return None


class _Snippets:
    """The words sought as they stand in texts of some documents.

    A word whose end is open stands for many, which are put together for each text anew where the
    index keeps no words by so long a beginning; so all that may be asked for are looked up at once.
    """

    def __init__(self, conn: sqlite3.Connection, expression: str, documents: list[int]) -> None:
        self._conn = conn
        self._expression = expression
        self._known: dict[int, str] | None = None
        if _LONG_OPEN.search(expression):
            rows = conn.execute(_SNIPPETS, (MARK, UNMARK, expression, json.dumps(documents)))
            self._known = dict(rows.fetchall())

    def of(self, text: int) -> tuple[Piece, ...] | None:
        """Return the pieces of one text, or None where it does not match."""
        marked = self._looked_up(text) if self._known is None else self._known.get(text)
        return None if marked is None else parse_snippet(marked)

    def _looked_up(self, text: int) -> str | None:
        row = self._conn.execute(_SNIPPET, (MARK, UNMARK, self._expression, text)).fetchone()
        return None if row is None else str(row[0] or "")


def parse_snippet(marked: str) -> tuple[Piece, ...]:
    """Split a marked-up snippet into pieces of original text; stray marks are dropped.

    Words that match and stand beside each other are one piece, with the space between them.

    >>> parse_snippet("the \\x02harbour\\x03 \\x02bridge\\x03 is")[1]
    Piece(text='harbour bridge', marked=True)
    """
    pieces: list[Piece] = []
    for part in _PIECES.split(_BETWEEN.sub(r"\1", marked.replace(JOINT, ""))):
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
    ranked = rank(conn, expression, table="document_search")
    rows = conn.execute(
        "select d.document, coalesce(d.title, d.title_original, d.url, d.document), d.language,"
        f" d.publisher from document as d join {CHOSEN} order by one.key",
        (json.dumps(list(islice(ranked.rowids, limit))),),
    )
    return tuple(
        CatalogueHit(document=row[0], title=row[1], language=row[2], publisher=row[3])
        for row in rows
    )


_CHOICES, _CHOICES_BYTES = 200, 6_000
"""Publishers and the like that a page of the search offers: so many, and of so many bytes."""


def read_choices(conn: sqlite3.Connection) -> Choices:
    """Read the roles, publishers and languages there are, of many those with most documents."""

    def values(column: str) -> tuple[str, ...]:
        rows = conn.execute(
            f"select {column} from document where {column} is not null"
            f" group by 1 order by count(*) desc, 1 limit {_CHOICES}"
        ).fetchall()
        sizes = accumulate(len(row[0].encode("utf-8", "replace")) for row in rows)
        fit = [row[0] for row, size in zip(rows, sizes, strict=True) if size <= _CHOICES_BYTES]
        return tuple(sorted(fit, key=str.casefold))

    return Choices(
        roles=values("role"), publishers=values("publisher"), languages=values("language")
    )
