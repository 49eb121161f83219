"""The schema describes itself: on its page, in the file, and in Datasette."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette

from provenance.index import datasette_metadata, schema_markdown
from provenance.index.schema import TABLES
from provenance.index.views import VIEWS
from tests.index_builders import Extract, a_capture, build_index, library

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a small index."""
    texts = library(x=Extract(text="The harbour bridge."), y=Extract(text="港口的报告"))
    folder = tmp_path_factory.mktemp("schema")
    return build_index(folder, a_capture("a", "x"), a_capture("b", "y"), texts=texts)


def test_the_schema_page_is_made_from_the_code() -> None:
    """`docs/schema.md` is what the code says."""
    made = (ROOT / "docs" / "schema.md").read_text("utf-8")
    assert made == schema_markdown(), "run make docs"


def test_every_column_is_described_on_the_page(index: Path) -> None:
    """What SQLite says it has, tables, views and columns, stands on the page."""
    page = schema_markdown()
    connection = sqlite3.connect(index)
    names = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') "
        "AND name NOT GLOB '*_search_*' AND name NOT GLOB 'sqlite_*'"
    ).fetchall()
    for (name,) in names:
        part = page.split(f"### {name}\n", 1)[1].split("\n### ", 1)[0]
        for column in connection.execute("SELECT name FROM pragma_table_info(?)", (name,)):
            assert f"`{column[0]}`" in part, (name, column)
    connection.close()


def test_every_table_is_strict_with_a_natural_key(index: Path) -> None:
    """Tables are STRICT, have the key that the schema names, and never count by themselves."""
    connection = sqlite3.connect(index)
    strict = dict(connection.execute("SELECT name, strict FROM pragma_table_list").fetchall())
    for table in TABLES:
        assert strict[table.name] == 1
        keyed = connection.execute(
            "SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (table.name,)
        ).fetchall()
        assert tuple(name for (name,) in keyed) == table.key
    created = connection.execute("SELECT group_concat(sql) FROM sqlite_schema").fetchone()[0]
    connection.close()
    assert "AUTOINCREMENT" not in created.upper()


def test_the_file_explains_itself(index: Path) -> None:
    """`.schema` shows the description of each table and column beside it."""
    connection = sqlite3.connect(index)
    created = dict(connection.execute("SELECT name, sql FROM sqlite_schema").fetchall())
    connection.close()
    for table in TABLES:
        assert f"-- {table.about}\n" in created[table.name]
        for column in table.columns:
            commented = rf'-- {re.escape(column.about)}\n\s+"{column.name}" {column.type}'
            assert re.search(commented, created[table.name]), column
    for view in VIEWS:
        assert view.about in created[view.name]


def test_every_index_begins_differently_from_the_key() -> None:
    """No index repeats the beginning of the table's key or of another index."""
    for table in TABLES:
        every = [table.key, *table.indexes]
        for one in table.indexes:
            others = [other for other in every if other is not one]
            assert all(other[: len(one)] != one for other in others), (table.name, one)


def get(index: Path, path: str) -> Any:
    """Ask a real Datasette with the index's descriptions; return the JSON or the page."""

    async def ask() -> Any:
        datasette = Datasette([], immutables=[str(index)], metadata=datasette_metadata())
        await datasette.invoke_startup()
        response = await datasette.client.get(path)
        assert response.status_code == 200, response.text
        return json.loads(response.text) if ".json" in path else response.text

    return asyncio.run(ask())


def test_words_with_an_open_end_are_kept_by_their_first_letters(index: Path) -> None:
    """In both search tables, of one to three characters; longer ones are few words."""
    with closing(sqlite3.connect(index)) as conn:
        made = dict(
            conn.execute("SELECT name, sql FROM sqlite_master WHERE sql LIKE '%USING fts5%'")
        )
    assert set(made) == {"document_search", "text_search"}
    assert all("prefix='1 2 3'" in sql for sql in made.values())


def test_datasette_shows_the_descriptions(index: Path) -> None:
    """Each table page carries its description and those of its columns."""
    page = get(index, "/provenance/capture")
    assert "One row per outcome" in page
    assert "SHA-256 of the record that carries the capture." in page


def test_datasette_searches_text_and_documents(index: Path) -> None:
    """The search box of a table finds words, and single characters as a phrase."""
    for table, words, key in (
        ("text", "bridge", "text"),
        ("text", '"港 口"', "text"),
        ("document", "council", "document"),
    ):
        found = get(index, f"/provenance/{table}.json?_search={words}&_shape=objects")
        assert found["rows"] and key in found["rows"][0]
    assert get(index, "/provenance/text.json?_search=nowhere&_shape=objects")["rows"] == []
