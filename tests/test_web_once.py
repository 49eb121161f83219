"""What is read once for each index: how documents stand, whose texts they are, the file's hash."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from provenance.model import OutcomeKind
from provenance.reading.belonging import Left, read_belonging
from provenance.reading.lookup import read_documents
from provenance.reading.standing import read_standing
from provenance.web.attachment import site_of
from provenance.web.site import HASHED_AT_ONCE, create_site, inspect_database
from tests.index_builders import Extract, a_capture, build_index, library
from tests.web_client import Client
from tests.web_fixture import Shelf, a_collection, a_document, an_html_visit, harbour


@pytest.fixture(scope="module")
def conn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = harbour().write(tmp_path_factory.mktemp("once"))
    with closing(sqlite3.connect(path)) as opened:
        yield opened


def test_documents_stand_as_the_views_of_the_index_say(conn: sqlite3.Connection) -> None:
    """Against `document_latest`: every state and role, in the order of the collection's page."""
    standing = read_standing(conn)
    rows = conn.execute(
        "select document, coalesce(role, ''), coalesce(last_outcome,"
        " iif(url is null, 'wanted', 'waiting')), capture_id is not null from document_latest"
        " order by case role when 'source' then 0 when 'official' then 1"
        " when 'independent' then 2 else 3 end, position, document"
    ).fetchall()
    shelf = standing.shelves["harbour-bridge"]

    def found(role: str | None, states: tuple[str, ...]) -> list[str]:
        rowids = shelf.chosen(role=role, states=states, limit=99, offset=0)
        return [line.document for line in read_documents(conn, rowids)]

    for role in (None, "source", "official", "independent", "", "none"):
        for states in ((), ("captured", "truncated"), ("failed",), ("wanted",), ("none",)):
            assert found(role, states) == [
                name
                for name, part, state, _ in rows
                if (role is None or part == role) and (not states or state in states)
            ]
    assert standing.kept == sum(kept for *_, kept in rows)
    every = shelf.chosen(role=None, states=(), limit=99, offset=0)
    assert shelf.chosen(role=None, states=(), limit=3, offset=5) == every[5:8]
    assert sum(tally.documents for tally in standing.tallies) == len(rows)


def test_those_that_were_not_had_have_each_one_reason(conn: sqlite3.Connection) -> None:
    """Its documents are those that the count is of; an unknown reason has none."""
    standing = read_standing(conn)
    every = standing.lacking_for(None, limit=99, offset=0)
    parts = [standing.lacking_for(each.key, limit=99, offset=0) for each in standing.reasons]
    assert sorted(rowid for part in parts for rowid in part) == sorted(every)
    assert [len(part) for part in parts] == [each.documents for each in standing.reasons]
    assert standing.lacking_for("none:", limit=99, offset=0) == []
    assert standing.lacking_for(None, limit=2, offset=1) == every[1:3]


def test_a_text_of_several_documents_belongs_to_each(tmp_path: Path) -> None:
    """As a version to some, as an error page to others; the newest of each comes first."""
    path = build_index(
        tmp_path,
        a_capture("a", "shared", 1),
        a_capture("b", "shared", 9),
        a_capture("c", "shared", 5, outcome=OutcomeKind.ERROR_STATUS, status=404),
        a_capture("d", "own", 3),
        a_capture("d", "own", 30),
        a_capture("e", "wall", 7, outcome=OutcomeKind.CHALLENGE),
        texts=library(
            shared=Extract(text="pier"), own=Extract(text="pier"), wall=Extract(text="pier")
        ),
    )
    with closing(sqlite3.connect(path)) as conn:
        belonging = read_belonging(conn)
        texts = [row[0] for row in conn.execute("select rowid from text order by 1")]
        numbers = dict(conn.execute("select document, rowid from document").fetchall())
    names = {rowid: name for name, rowid in numbers.items()}

    def left(among: str, *, everything: bool) -> Left:
        documents = bytearray(max(names) + 1)
        for name in among:
            documents[numbers[name]] = 1
        return belonging.left(among, lambda: documents, everything=everything)

    def newest(among: str, most: int, *, everything: bool) -> str:
        those = left(among, everything=everything)
        found = belonging.newest(those.out_of(texts), those, most=most)
        assert found == belonging.newest(bytes([1] * (len(texts) + 1)), those, most=most)
        assert belonging.newest(those.out_of([]), those, most=most) == []
        return "".join(names[each] for each in found)

    assert newest("abcde", 9, everything=False) == "bda"
    assert newest("abcde", 9, everything=True) == "becda"
    assert newest("abcde", 2, everything=True) == "be"
    assert newest("ace", 9, everything=False) == "a"
    assert newest("ce", 9, everything=False) == ""
    assert left("abcde", everything=False).texts.count(1) == 2
    assert left("abcde", everything=True).texts.count(1) == 3
    assert left("ce", everything=False).texts.count(1) == 0
    assert left("c", everything=True).out_of(texts[:1]).count(1) == 1


def test_what_is_read_once_is_read_before_anyone_asks(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """After `prepare` no page reads it again."""
    client = Client(harbour(), tmp_path_factory.mktemp("prepared"))
    site = site_of(client.datasette)
    assert site is not None

    def never(_conn: sqlite3.Connection) -> None:
        raise AssertionError("read twice")

    try:
        client.run(site.prepare())
        for name in ("home", "standing", "choices", "belonging"):
            assert client.run(site.once(name, never)) is not None
    finally:
        client.close()


def test_a_large_index_is_hashed_when_its_hash_is_asked_for(tmp_path: Path) -> None:
    """To start, it is not read as a whole; asked for, the hash is that of the file."""
    path = harbour().write(tmp_path)
    os.truncate(path, HASHED_AT_ONCE + 1)  # SQLite passes over what follows its last page
    assert inspect_database(path)["hash"] is None
    datasette = create_site(path, harbour())

    async def asked() -> object:
        assert datasette.get_database("provenance").hash is None
        said = (await datasette.client.get("/-/databases.json")).json()
        return said["databases"][0]["hash"]

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert asyncio.run(asked()) == digest
    assert datasette.get_database("provenance").hash == digest


def test_the_hash_of_a_file_that_was_replaced_is_not_told(tmp_path: Path) -> None:
    """It would be that of another file than the one that is shown."""
    path = harbour().write(tmp_path)
    os.truncate(path, HASHED_AT_ONCE + 1)
    datasette = create_site(path, harbour())
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    other.replace(path)

    async def asked() -> object:
        return (await datasette.client.get("/-/databases.json")).json()["databases"][0]["hash"]

    assert asyncio.run(asked()) is None


def test_search_tables_are_counted_without_their_texts(tmp_path: Path) -> None:
    """The numbers are those of a count; of the pieces an index is in, none is told."""
    path = harbour().write(tmp_path)
    tables = inspect_database(path)["tables"]
    with closing(sqlite3.connect(path)) as conn:
        for name, told in tables.items():
            if name.endswith("_data"):
                assert told == {"count": None}
            else:
                (count,) = conn.execute(f'select count(*) from "{name}"').fetchone()
                assert told == {"count": count}, name


def test_the_tables_of_a_site_can_be_looked_at_with_the_hidden_ones(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Also where a number of rows is not told."""
    client = Client(harbour(), tmp_path_factory.mktemp("hidden"))
    try:
        page = client.get("/provenance?_show_hidden=1")
        assert page.status_code == 200
        assert "text_search_data" in page.text
    finally:
        client.close()


def test_more_reasons_than_find_room_are_told_by_number(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The most frequent are listed; the JSON has them all."""
    names = [f"pier-{number}" for number in range(40)]
    visits = [
        an_html_visit(
            name,
            f"2026-01-01T00:00:{n:02d}.000000Z",
            f"https://council.example/{name}",
            "gone",
            status=400 + n,
            outcome=OutcomeKind.ERROR_STATUS,
        )
        for n, name in enumerate(names)
    ]
    shelf = Shelf(a_collection(*(a_document(name) for name in names)), visits)
    client = Client(shelf, tmp_path_factory.mktemp("reasons"))
    try:
        text = client.get("/failures").text
        assert "The 20 most frequent of 40 reasons" in text
        assert text.count('href="/failures?why=') == 20
        assert len(client.get("/failures.json").json()["reasons"]) == 40
    finally:
        client.close()
