"""Say in which tables and rows two indexes differ. Reads both, changes neither."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from provenance.index.dump import Section, dump, sections
from provenance.index.rows import Row

_PER_TABLE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One row (or table, view or index) that differs.

    `kind` is missing, unexpected, changed or unreadable; `key` is the row's natural key as text, or
    what SQLite says of a table it cannot read; `columns` are those whose cells differ.
    """

    table: str
    key: str
    kind: str
    columns: tuple[str, ...] = ()


def differences(wanted: sqlite3.Connection, found: sqlite3.Connection) -> tuple[Difference, ...]:
    """Return the first few differences of each table, and those of the schema itself."""
    try:
        listed = list(_schema_differences(wanted, found))
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return (Difference(table="sqlite_schema", key=str(error), kind="unreadable"),)
    for section in sections():
        try:
            rows = _row_differences(section, dump(wanted, section), dump(found, section))
            listed.extend(islice(rows, _PER_TABLE))
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            listed.append(Difference(table=section.table, key=str(error), kind="unreadable"))
    return tuple(listed)


def _schema_differences(
    wanted: sqlite3.Connection, found: sqlite3.Connection
) -> Iterator[Difference]:
    select = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
    expected, present = (dict(each.execute(select).fetchall()) for each in (wanted, found))
    for name in sorted(expected.keys() | present.keys()):
        if name not in present:
            yield Difference(table="sqlite_schema", key=name, kind="missing")
        elif name not in expected:
            yield Difference(table="sqlite_schema", key=name, kind="unexpected")
        elif expected[name] != present[name]:
            yield Difference(table="sqlite_schema", key=name, kind="changed", columns=("sql",))


def _row_differences(
    section: Section, wanted: Iterator[Row], found: Iterator[Row]
) -> Iterator[Difference]:
    """Walk two sorted lists of rows side by side."""
    left, right = next(wanted, None), next(found, None)
    while left is not None or right is not None:
        side = _order(section, left, right)
        if side < 0:
            yield _difference(section, left, "missing")
        elif side > 0:
            yield _difference(section, right, "unexpected")
        elif left != right:
            yield _difference(section, left, "changed", right)
        left = next(wanted, None) if side <= 0 else left
        right = next(found, None) if side >= 0 else right


def _order(section: Section, left: Row | None, right: Row | None) -> int:
    if left is None or right is None:
        return 1 if left is None else -1
    one, other = ([_sort_key(row[index]) for index in section.key] for row in (left, right))
    return (one > other) - (one < other)


def _sort_key(cell: object) -> tuple[int, float, bytes]:
    # SQLite's own order: null, then numbers, then text by its UTF-8 bytes, then blobs.
    match cell:
        case None:
            return (0, 0, b"")
        case int() | float():
            return (1, cell, b"")
        case bytes():
            return (3, 0, cell)
        case _:
            return (2, 0, str(cell).encode())


def _difference(
    section: Section, row: Row | None, kind: str, other: Row | None = None
) -> Difference:
    cells = row or ()
    columns = (
        tuple(
            name for name, one, two in zip(section.columns, cells, other, strict=True) if one != two
        )
        if other is not None
        else ()
    )
    key = " ".join(str(cells[index]) for index in section.key)
    return Difference(table=section.table, key=key, kind=kind, columns=columns)
