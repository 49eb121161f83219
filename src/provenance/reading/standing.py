"""Read once how every document stands, and keep it in few bytes, so that lists need no search.

The index is immutable while it is served, so what is read here holds as long as it is open.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, islice

from provenance.reading.facts import (
    TROUBLE_OUTCOMES,
    VERSION_OUTCOMES,
    CollectionCard,
    Home,
    Tally,
)
from provenance.reading.lookup import LAST, LAST_OUTCOME, ROLE_ORDER, read_documents, read_newest

NEWEST_TROUBLE = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """How many documents the last visit to which ended so; `kept` of them had a version before.

    `state` is an outcome, `wanted` or `waiting`; `detail` the reason or the HTTP status, or empty.
    """

    state: str
    detail: str
    documents: int
    kept: int

    @property
    def key(self) -> str:
        """What `?why=` says to mean this reason."""
        return f"{self.state}:{self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The documents of one collection in the order of its page, by rowid.

    `kinds` has for each the number of its (role, state) in `words`.
    """

    rowids: array[int]
    kinds: array[int]
    words: Sequence[tuple[str | None, str]]

    def chosen(
        self, *, role: str | None, states: Container[str], limit: int, offset: int
    ) -> list[int]:
        """Return rowids of a role (`""`: without one; None: any) and of `states` (empty: any)."""
        if role is None and not states:
            return list(self.rowids[offset : offset + limit])
        fits = [
            (role is None or (word or "") == role) and (not states or state in states)
            for word, state in self.words
        ]
        found = compress(self.rowids, (fits[kind] for kind in self.kinds))
        return list(islice(found, offset, offset + limit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Every document counted and in order: those of each collection, and those not had.

    `lacking` are rowids, those never had first; `why` says for each the place of its reason in
    `reasons`, which has the most frequent first. `kept` counts the documents with a version;
    `trouble` are the rowids of those that brought no version most lately.
    """

    shelves: Mapping[str, Shelf]
    tallies: tuple[Tally, ...]
    kept: int
    lacking: array[int]
    why: array[int]
    reasons: tuple[Reason, ...]
    trouble: tuple[int, ...]

    def lacking_for(self, why: str | None, *, limit: int, offset: int) -> list[int]:
        """Return rowids of documents that were not had for a reason (`Reason.key`), or for any."""
        if why is None:
            return list(self.lacking[offset : offset + limit])
        place = next((at for at, reason in enumerate(self.reasons) if reason.key == why), None)
        found = compress(self.lacking, (each == place for each in self.why))
        return list(islice(found, offset, offset + limit))


def read_standing(conn: sqlite3.Connection) -> Standing:
    """Read how every document stands; takes time in proportion to the number of documents."""
    shelves: dict[str, Shelf] = {}
    numbers: dict[tuple[str | None, str], int] = {}
    words: list[tuple[str | None, str]] = []
    tallies: Counter[tuple[str, int]] = Counter()
    lacking: list[int] = []
    kept = 0
    rows = conn.execute(
        f"select d.rowid, d.collection, d.role, d.url is null, {LAST_OUTCOME},"
        " exists (select 1 from capture as k where k.document = d.document and k.is_version = 1)"
        f" from document as d order by d.collection, {ROLE_ORDER}, d.position, d.document"
    )
    for rowid, collection, role, unknown, outcome, had in rows:
        state = outcome or ("wanted" if unknown else "waiting")
        number = numbers.setdefault((role, state), len(words))
        if number == len(words):
            words.append((role, state))
        shelf = shelves.get(collection)
        if shelf is None:
            shelf = Shelf(rowids=array("q"), kinds=array("L"), words=words)
            shelves[collection] = shelf
        shelf.rowids.append(rowid)
        shelf.kinds.append(number)
        tallies[collection, number] += 1
        kept += had
        if not had or state not in VERSION_OUTCOMES:
            lacking.append(rowid)
    found, why, reasons, trouble = _read_reasons(conn, lacking)
    return Standing(
        shelves=shelves,
        tallies=tuple(
            Tally(collection=name, role=words[at][0], state=words[at][1], documents=count)
            for (name, at), count in tallies.items()
        ),
        kept=kept,
        lacking=found,
        why=why,
        reasons=reasons,
        trouble=trouble,
    )


def _read_reasons(
    conn: sqlite3.Connection, lacking: Sequence[int]
) -> tuple[array[int], array[int], tuple[Reason, ...], tuple[int, ...]]:
    """Return the rowids in the order of the page, each one's reason, the reasons, the newest."""
    documents: Counter[tuple[str, str]] = Counter()
    had: Counter[tuple[str, str]] = Counter()
    found = array("q")
    causes: list[tuple[str, str]] = []
    troubled: list[tuple[str, str, int]] = []
    rows = conn.execute(
        f"""
        select d.rowid, d.document,
          coalesce(last.outcome, case when d.url is null then 'wanted' else 'waiting' end),
          case when last.outcome in ('error_status', 'challenge') then cast(last.status as text)
            else last.reason end, last.captured_at,
          exists (select 1 from capture as k where k.document = d.document and k.is_version = 1)
        from json_each(?) as one join document as d on d.rowid = one.value
          left join capture as last on last.capture_id = {LAST}
        order by 6, d.collection, d.position, d.document
        """,
        (json.dumps(lacking),),
    )
    for rowid, document, state, detail, captured_at, kept in rows:
        cause = (state, detail or "")
        found.append(rowid)
        causes.append(cause)
        documents[cause] += 1
        had[cause] += kept
        if state in TROUBLE_OUTCOMES:
            troubled.append((captured_at, document, rowid))
    reasons = tuple(
        Reason(state=cause[0], detail=cause[1], documents=count, kept=had[cause])
        for cause, count in sorted(documents.items(), key=lambda each: (-each[1], each[0]))
    )
    places = {(reason.state, reason.detail): at for at, reason in enumerate(reasons)}
    troubled.sort(key=lambda each: each[1])
    troubled.sort(key=lambda each: each[0], reverse=True)
    return (
        found,
        array("L", (places[cause] for cause in causes)),
        reasons,
        tuple(rowid for _, _, rowid in troubled[:NEWEST_TROUBLE]),
    )


def read_home(conn: sqlite3.Connection, standing: Standing) -> Home:
    """Read the front page; how the documents stand has been read before."""
    return Home(
        collections=read_collections(conn, standing),
        newest=read_newest(conn, None, limit=7),
        trouble=read_documents(conn, standing.trouble),
        kept=standing.kept,
        captures=_count(conn, "select count(*) from capture"),
        contents=_count(conn, "select count(*) from content"),
        warc_files=_count(conn, "select count(*) from warc_file"),
        warc_bytes=_count(conn, "select coalesce(sum(size), 0) from warc_file"),
    )


def read_collections(conn: sqlite3.Connection, standing: Standing) -> tuple[CollectionCard, ...]:
    """Read every collection with its documents counted by role and state."""
    tallies: dict[str, list[Tally]] = {}
    for tally in standing.tallies:
        tallies.setdefault(tally.collection, []).append(tally)
    cursor = conn.execute("select collection, title, about, seeds_file from collection order by 1")
    return tuple(
        CollectionCard(
            collection=row[0],
            title=row[1] or row[0],
            about=row[2],
            seeds_file=row[3],
            tallies=tuple(tallies.get(row[0], ())),
        )
        for row in cursor.fetchall()
    )


def _count(conn: sqlite3.Connection, sql: str) -> int:
    return int(conn.execute(sql).fetchone()[0])
