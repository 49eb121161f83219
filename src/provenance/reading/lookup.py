"""Read rows of the index into the values that pages show. Reads only; every list has a bound."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from provenance.reading.facts import (
    AlternateLine,
    CaptureFacts,
    CaptureLine,
    CapturePage,
    Description,
    DocumentLine,
    DocumentPage,
    RecordFacts,
    RelationLine,
    TextFacts,
    TextPage,
)

EXCERPT = 1_500
TIMELINE = 200
"""Captures in a document's JSON."""

LAST = """(select newest.capture_id from capture as newest where newest.document = d.document
  order by newest.captured_at desc, newest.capture_id desc limit 1)"""
"""SQL: the id of the newest capture, of any outcome, of the document `d`."""

LAST_OUTCOME = LAST.replace("newest.capture_id from", "newest.outcome from", 1)
"""SQL: the outcome of that capture, which one index has: the row itself is not read."""

ROLE_ORDER = (
    "case d.role when 'source' then 0 when 'official' then 1 when 'independent' then 2 else 3 end"
)

_DOCUMENT_LINE = f"""
select d.document, d.collection, d.title, d.title_original, d.role, d.publisher, d.published,
  d.language, d.url, d.in_seeds, last.outcome as last_outcome, last.reason as last_reason,
  last.status as last_status, last.captured_at as last_at, last.obtained as last_obtained,
  (select count(*) from capture as c where c.document = d.document) as captures,
  (select coalesce(max(c.version), 0) from capture as c where c.document = d.document) as versions
from document as d left join capture as last on last.capture_id = {LAST}
"""

_RUNS = 200
"""Runs that are gone through at most for what came last."""

_RECORDED_AT = """case when c.obtained in ('added', 'imported') and json_valid(c.note)
  and coalesce(c.note ->> '$.obtained.added_at', c.note ->> '$.obtained.retrieved_at') glob
    '[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T*Z'
  then coalesce(c.note ->> '$.obtained.added_at', c.note ->> '$.obtained.retrieved_at') end"""
"""SQL: as `CaptureLine` says. A note may come from anybody's WARC file."""

_CAPTURE_LINE = f"""
select c.capture_id, c.document, d.title, d.url as document_url, d.language, c.url, c.outcome,
  c.reason, c.status, c.captured_at, c.content_id, c.size, c.media_type, c.truncated, c.obtained,
  {_RECORDED_AT} as recorded_at, c.is_version, c.version
from capture as c join document as d on d.document = c.document
"""

_DESCRIPTION = """
select d.document, d.collection, k.title as collection_title, d.title, d.title_original,
  d.title_status, d.role, d.publisher, d.publisher_kind, d.author, d.published, d.language, d.url,
  d.url_status, d.media_type, d.note, d.in_seeds
from document as d join collection as k on k.collection = d.collection
"""

CHOSEN = "json_each(?) as one on d.rowid = one.value"
"""SQL: join the documents whose rowids a JSON list has; `one.key` is the place in it."""

T = TypeVar("T")
Parameters = Sequence[object] | Mapping[str, object]


def rows_of(
    conn: sqlite3.Connection, kind: type[T], sql: str, args: Parameters = ()
) -> tuple[T, ...]:
    """Return the rows of a query as values of a dataclass, whose fields name its columns."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    cursor = conn.cursor()
    cursor.row_factory = sqlite3.Row
    return tuple(kind(**{name: row[name] for name in names}) for row in cursor.execute(sql, args))


def _row(conn: sqlite3.Connection, kind: type[T], sql: str, args: Parameters = ()) -> T | None:
    return next(iter(rows_of(conn, kind, sql, args)), None)


def _value(conn: sqlite3.Connection, sql: str, args: Parameters = ()) -> Any:
    row = conn.execute(sql, args).fetchone()
    return None if row is None else row[0]


def read_newest(
    conn: sqlite3.Connection, collection: str | None, *, limit: int
) -> tuple[CaptureLine, ...]:
    """Read what came last into one collection, or into all.

    A capture may be dated long before it came. The last runs are gone through for such, those that
    have no end first, until none can have anything later than what is found; what belongs to no run
    is found by its date alone.
    """
    of = "" if collection is None else " where c.collection = ?"
    among = () if collection is None else (collection,)
    found = rows_of(
        conn,
        CaptureLine,
        f"{_CAPTURE_LINE}{of} order by c.captured_at desc, c.capture_id limit ?",
        (*among, limit),
    )
    lines = {line.capture_id: line for line in found}
    runs = conn.execute(
        f"select c.run, c.collection, coalesce(c.ended_at, '9999') from run as c{of}"
        f" order by 3 desc, c.run limit {_RUNS}",
        among,
    ).fetchall()
    for *run, ended_at in runs:
        times = sorted((line.came_at for line in lines.values()), reverse=True)
        if len(times) >= limit and ended_at < times[limit - 1]:
            break
        came = rows_of(
            conn,
            CaptureLine,
            f"{_CAPTURE_LINE} where c.run = ? and c.collection = ?"
            f" order by coalesce({_RECORDED_AT}, c.captured_at) desc, c.capture_id limit ?",
            (*run, limit),
        )
        lines.update((line.capture_id, line) for line in came)
    ordered = sorted(lines.values(), key=lambda line: line.capture_id)
    ordered.sort(key=lambda line: line.came_at, reverse=True)
    return tuple(ordered[:limit])


def read_years(conn: sqlite3.Connection, collection: str) -> tuple[dict[int, int], dict[int, int]]:
    """Read how many documents of a collection were published, and captures made, in each year."""
    found = []
    for column, table in (("published", "document"), ("captured_at", "capture")):
        rows = conn.execute(
            f"select cast(substr({column}, 1, 4) as integer), count(*) from {table}"
            f" where collection = ? and {column} glob '[0-9][0-9][0-9][0-9]*' group by 1",
            (collection,),
        )
        found.append(dict(rows.fetchall()))
    return found[0], found[1]


def read_map(
    conn: sqlite3.Connection, *, limit: int, offset: int
) -> tuple[tuple[str, str | None], ...]:
    """Read (document, instant of its newest capture) of documents in the order of their ids."""
    return tuple(
        conn.execute(
            "select d.document, (select max(c.captured_at) from capture as c"
            " where c.document = d.document) from document as d order by 1 limit ? offset ?",
            (limit, offset),
        )
    )


def read_documents(conn: sqlite3.Connection, rowids: Sequence[int]) -> tuple[DocumentLine, ...]:
    """Read documents by their rowids, in the order of these."""
    return rows_of(
        conn,
        DocumentLine,
        f"{_DOCUMENT_LINE} join {CHOSEN} order by one.key",
        (json.dumps(list(rowids)),),
    )


def read_document(
    conn: sqlite3.Connection, document: str, *, limit: int = TIMELINE, offset: int = 0
) -> DocumentPage | None:
    """Read a document with captures, the newest first, or None if there is no such document."""
    described = _row(conn, Description, f"{_DESCRIPTION} where d.document = ?", (document,))
    if described is None:
        return None
    captures = rows_of(
        conn,
        CaptureLine,
        f"{_CAPTURE_LINE} where c.document = ?"
        " order by c.captured_at desc, c.capture_id desc limit ? offset ?",
        (document, limit, offset),
    )
    newest = _newest_version(conn, document, "")
    last = (captures[-1].captured_at, captures[-1].capture_id) if captures else None
    return DocumentPage(
        description=described,
        captures=captures,
        newest=newest,
        before=last
        and _newest_version(conn, document, " and (c.captured_at, c.capture_id) < (?, ?)", last),
        capture_count=_value(conn, "select count(*) from capture where document = ?", (document,)),
        alternates=rows_of(
            conn,
            AlternateLine,
            "select url, role, status, note from alternate where document = ? order by position",
            (document,),
        ),
        relations=_read_relations(conn, document),
        text=read_text_facts(conn, newest.content_id if newest else None),
    )


def _newest_version(
    conn: sqlite3.Connection, document: str, where: str, args: Sequence[str] = ()
) -> CaptureLine | None:
    return _row(
        conn,
        CaptureLine,
        f"{_CAPTURE_LINE} where c.document = ? and c.is_version = 1{where}"
        " order by c.captured_at desc, c.capture_id desc limit 1",
        (document, *args),
    )


def _read_relations(conn: sqlite3.Connection, document: str) -> tuple[RelationLine, ...]:
    return rows_of(
        conn,
        RelationLine,
        """
        select r.kind, 0 as inward, r.target as other, r.note, o.title as other_title,
          o.language as other_language
        from relation as r left join document as o on o.document = r.target
        where r.document = :document
        union all
        select r.kind, 1, r.document, r.note, o.title, o.language
        from relation as r left join document as o on o.document = r.document
        where r.target = :document
        order by inward, kind, other limit 400
        """,
        {"document": document},
    )


def read_text_facts(conn: sqlite3.Connection, content_id: str | None) -> TextFacts | None:
    """Read what text extraction found in a content, with the beginning of the text."""
    return _row(
        conn,
        TextFacts,
        f"""
        select algorithm, text_id, title, author, published, language, charset, characters, fault,
          substr(text, 1, {EXCERPT}) as excerpt
        from text where content_id = ?
        """,
        (content_id,),
    )


def read_capture_facts(conn: sqlite3.Connection, capture_id: str) -> CaptureFacts | None:
    """Read one capture by its whole id."""
    return _row(conn, CaptureFacts, "select * from capture where capture_id = ?", (capture_id,))


def read_capture(conn: sqlite3.Connection, capture_id: str) -> CapturePage | None:
    """Read the evidence page of one capture, or None if there is no such capture."""
    capture = read_capture_facts(conn, capture_id)
    if capture is None:
        return None
    described = _row(conn, Description, f"{_DESCRIPTION} where d.document = ?", (capture.document,))
    if described is None:
        return None
    moment = (capture.document, capture.captured_at, capture.capture_id)
    beside = "where c.document = ? and (c.captured_at, c.capture_id) {} (?, ?) order by {} limit 1"
    return CapturePage(
        capture=capture,
        description=described,
        record=_read_record(conn, capture),
        text=read_text_facts(conn, capture.content_id),
        first=_value(
            conn,
            "select first_capture_id from content where content_id = ?",
            (capture.content_id,),
        ),
        earlier=_row(
            conn,
            CaptureLine,
            _CAPTURE_LINE + beside.format("<", "c.captured_at desc, c.capture_id desc"),
            moment,
        ),
        later=_row(
            conn,
            CaptureLine,
            _CAPTURE_LINE + beside.format(">", "c.captured_at, c.capture_id"),
            moment,
        ),
    )


def _read_record(conn: sqlite3.Connection, capture: CaptureFacts) -> RecordFacts | None:
    return _row(
        conn,
        RecordFacts,
        """
        select r.record_id, r.type, r.date, r.target_uri, r.record_digest, r.block_digest,
          r.payload_digest as declared_payload_digest, r.content_length, w.sha256 as warc_sha256,
          (select software from run where run = :run and collection = :collection) as software,
          (select operator from run where run = :run and collection = :collection) as operator
        from record as r join warc_file as w on w.warc = r.warc
        where r.warc = :warc and r.offset = :offset and r.ordinal = :ordinal
        """,
        {
            "warc": capture.warc,
            "offset": capture.offset,
            "ordinal": capture.ordinal,
            "run": capture.run,
            "collection": capture.collection,
        },
    )


def read_plain(conn: sqlite3.Connection, content_id: str, *, limit: int) -> str | None:
    """Read the first `limit` characters of a content's text; None where there is no text."""
    text = _value(
        conn, "select substr(text, 1, ?) from text where content_id = ?", (limit, content_id)
    )
    return None if text is None else str(text)


def read_text_bytes(conn: sqlite3.Connection, content_id: str) -> bytes | None:
    """Read the whole text of a content in UTF-8; None where it was not looked for."""
    raw = _value(conn, "select cast(text as blob) from text where content_id = ?", (content_id,))
    return None if raw is None else bytes(raw)


def read_text(conn: sqlite3.Connection, content_id: str, *, limit: int) -> tuple[TextPage, ...]:
    """Read the first `limit` characters of a content's text, page by page where it has pages."""
    text = read_plain(conn, content_id, limit=limit)
    if not text:
        return ()
    starts = conn.execute(
        "select page, start from page where content_id = ? and start < ? order by page",
        (content_id, len(text)),
    ).fetchall()
    if not starts:
        return (TextPage(number=None, text=text),)
    ends = [start for _, start in starts[1:]] + [len(text)]
    return tuple(
        TextPage(number=page, text=text[start:end])
        for (page, start), end in zip(starts, ends, strict=True)
    )


def find_ids(conn: sqlite3.Connection, hexadecimal: str, *, limit: int = 12) -> tuple[str, ...]:
    """Return the capture ids that fit a hex prefix; content ids stand for their first capture."""
    span = (f"sha256:{hexadecimal}", f"sha256:{hexadecimal}g", limit)
    found = conn.execute(
        "select capture_id from capture where capture_id >= ? and capture_id < ?"
        " order by 1 limit ?",
        span,
    ).fetchall()
    found += conn.execute(
        "select first_capture_id from content where content_id >= ? and content_id < ?"
        " order by content_id limit ?",
        span,
    ).fetchall()
    return tuple(dict.fromkeys(row[0] for row in found))


def near_documents(conn: sqlite3.Connection, word: str) -> tuple[str, ...]:
    """Return up to 300 document ids that share their first letters with `word`."""
    for size in (4, 2, 1):
        head = word[:size]
        rows = conn.execute(
            "select document from document where substr(document, 1, ?) = ? order by 1 limit 300",
            (len(head), head),
        ).fetchall()
        if rows:
            return tuple(row[0] for row in rows)
    return ()
