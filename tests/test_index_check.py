"""Comparing an index with what it is made from: every change is told, nothing is changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.errors import IndexMissingError, ProvenanceError
from provenance.index import Comparison, check
from provenance.index.dump import sections
from tests.index_builders import (
    Extract,
    a_capture,
    a_collection,
    a_document,
    a_redirect,
    a_run,
    a_survey,
    build_index,
    library,
    with_redirects,
)

CAPTURE = with_redirects(a_capture("a", "x"), a_redirect("http://a.example/", "/b"))
TEXTS = library(x=Extract(text="one two", title="t", pages=(0,), links=(("https://b/", "b"),)))


def made(folder: Path) -> Path:
    """Build a small index with a row in nearly every table."""
    return build_index(folder, CAPTURE, a_capture("b", None, 1), texts=TEXTS)


def compare(path: Path) -> Comparison:
    """Compare with what `made` builds."""
    return check(
        path=path,
        collections=(a_collection(a_document("a"), a_document("b")),),
        surveys=(a_survey(CAPTURE, a_capture("b", None, 1), runs=(a_run(),)),),
        derive=TEXTS,
    )


def change(path: Path, *statements: str) -> None:
    """Change an index as another program would."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def rows(path: Path) -> list[tuple[object, ...]]:
    """Return what the tables that people read hold."""
    connection = sqlite3.connect(path)
    found: list[tuple[object, ...]] = []
    for table in ("capture", "document", "content", "text", "link", "source"):
        found += sorted(connection.execute(f"SELECT * FROM {table}").fetchall())
    connection.close()
    return found


def test_an_index_as_built_is_the_same(tmp_path: Path) -> None:
    """Nothing differs, and neither the file nor its folder is touched."""
    path = made(tmp_path)
    before = path.read_bytes()
    found = compare(path)
    assert found.same and found.found == found.expected.digest and found.differences == ()
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_read_only_folder_is_enough(tmp_path: Path) -> None:
    """A check writes nothing beside the index."""
    path = made(tmp_path)
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        assert compare(path).same
    finally:
        tmp_path.chmod(0o755)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE document SET title = 'other' WHERE document = 'a'",
         ("document", "a", "changed", ("title",))),
        ("DELETE FROM capture WHERE document = 'b'", ("capture", "sha256:", "missing", ())),
        ("INSERT INTO document(document, collection, in_seeds) VALUES ('aa', 'harbour', 1)",
         ("document", "aa", "unexpected", ())),
        ("UPDATE text SET text = 'one three'", ("text", "sha256:", "changed", ("text",))),
        ("UPDATE text_search SET text = 'one three'",
         ("text_search", "sha256:", "changed", ("text",))),
        ("DELETE FROM page", ("page", "sha256:", "missing", ())),
        ("UPDATE link SET url = 'https://c/' WHERE kind = 'hyperlink'",
         ("link", "hyperlink sha256:", "changed", ("url",))),
        ("UPDATE link SET url = 'https://c/' WHERE kind = 'redirect'",
         ("link", "redirect sha256:", "changed", ("url",))),
        ("DROP VIEW citation", ("sqlite_schema", "citation", "missing", ())),
        ("CREATE TRIGGER t AFTER INSERT ON page BEGIN SELECT 1; END",
         ("sqlite_schema", "t", "unexpected", ())),
        ("DROP TABLE page", ("page", "no such table", "unreadable", ())),
    ],
)  # fmt: skip
def test_each_change_is_told(
    tmp_path: Path, statement: str, told: tuple[str, str, str, tuple[str, ...]]
) -> None:
    """A row changed, dropped or added is told with its table, key and columns."""
    path = made(tmp_path)
    change(path, statement)
    found = compare(path)
    assert not found.same
    assert any(
        (each.table, each.kind, each.columns) == (told[0], told[2], told[3])
        and each.key.startswith(told[1])
        for each in found.differences
    ), found.differences


def test_a_blob_in_place_of_text_is_told(tmp_path: Path) -> None:
    """Cells that no index holds are told, and raise nothing."""
    path = made(tmp_path)
    change(
        path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'page'",
    )
    change(path, "INSERT INTO page VALUES (x'ff00', 1.5, 'text'), (CAST(x'ff' AS TEXT), 1, 2)")
    found = compare(path)
    assert found.found is None and not found.same
    assert "page" in {each.table for each in found.differences}


def test_only_the_first_differences_of_a_table_are_listed(tmp_path: Path) -> None:
    """A thousand wrong rows are five lines."""
    path = made(tmp_path)
    change(
        path,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
        "INSERT INTO source SELECT 'warc', i, 'x' FROM n",
    )
    assert len(compare(path).differences) == 5


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damage_is_told_or_named(tmp_path: Path, data: st.DataObject) -> None:
    """A file with bytes overwritten anywhere is compared, or named as no index: never a crash."""
    path = made(tmp_path)
    whole = rows(path)
    raw = bytearray(path.read_bytes())
    for _ in range(4):
        at = data.draw(st.integers(0, len(raw) - 16))
        raw[at : at + 16] = data.draw(st.binary(min_size=16, max_size=16))
    path.write_bytes(raw)
    try:
        found = compare(path)
    except ProvenanceError:
        return
    assert not found.same or rows(path) == whole


def test_an_index_that_is_missing_is_named(tmp_path: Path) -> None:
    """There is nothing to compare with."""
    with pytest.raises(IndexMissingError, match="provenance index"):
        compare(tmp_path / "provenance.db")


def test_the_core_is_the_first_part_of_the_dump() -> None:
    """Every part after the first that is not core is not core either."""
    core = [section.core for section in sections()]
    assert core == sorted(core, reverse=True) and not all(core)
