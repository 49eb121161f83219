"""Lay out an index file: tables, indexes, views and search tables. The only door to sqlite-utils.

It moves no rows; `load` and `texts` do that over the same connection.
"""

from __future__ import annotations

import re
import sqlite3

import sqlite_utils

from provenance.index.schema import (
    APPLICATION_ID,
    DOCUMENT_SEARCH,
    SCHEMA_VERSION,
    TABLES,
    TEXT_SEARCH,
    SearchTable,
    Table,
)
from provenance.index.views import VIEWS

_TYPES: dict[str, type] = {"TEXT": str, "INTEGER": int}

TOKENIZER = "unicode61 remove_diacritics 2"
"""The FTS5 tokenizer: case and diacritics folded.

Source: SQLite, FTS5 §4.3.1.
"""

OPENINGS = "1 2 3"
"""Characters of which the search tables also keep every beginning of a word, with its places.

A word with an open end is otherwise put together out of all words that begin so, anew for each
time that it is looked up: of `a*` that may be each tenth word of all texts, and takes seconds. Of
four characters and more the words are few enough.

Source: SQLite, FTS5 §4.2.
"""


def create_tables(connection: sqlite3.Connection) -> None:
    """Create every table, view and search table, empty, and mark the file with the schema."""
    database = sqlite_utils.Database(connection, recursive_triggers=False, execute_plugins=False)
    for table in TABLES:
        database.execute(_commented(_create_sql(database, table), table))
    for search in (DOCUMENT_SEARCH, TEXT_SEARCH):
        database.execute(_search_sql(search))
    for view in VIEWS:
        database.create_view(view.name, f"-- {view.about}\n{view.select}")
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def create_indexes(connection: sqlite3.Connection) -> None:
    """Create the indexes of every table; called after the rows are in, which is faster."""
    database = sqlite_utils.Database(connection, recursive_triggers=False, execute_plugins=False)
    for table in TABLES:
        for columns in table.indexes:
            name = f"{table.name}_by_{'_'.join(columns)}"
            database.table(table.name).create_index(columns, index_name=name)
        for columns, rows in table.partial:
            name = f"{table.name}_by_{'_'.join(columns)}"
            listed = ", ".join(f'"{column}"' for column in columns)
            database.execute(f'CREATE INDEX "{name}" ON "{table.name}" ({listed}) WHERE {rows}')


def _create_sql(database: sqlite_utils.Database, table: Table) -> str:
    return str(
        database.create_table_sql(
            table.name,
            {column.name: _TYPES[column.type] for column in table.columns},
            pk=table.key[0] if len(table.key) == 1 else table.key,
            foreign_keys=[
                (column.name, *column.refers_to) for column in table.columns if column.refers_to
            ],
            not_null={column.name for column in table.columns if not column.null},
            strict=True,
        )
    )


def _commented(sql: str, table: Table) -> str:
    # SQLite keeps the comments of CREATE TABLE, so `.schema` explains itself to a stranger.
    about = {column.name: column.about for column in table.columns}
    lines: list[str] = []
    for line in sql.strip().rstrip(";").splitlines():
        match = re.match(r'\s+"(\w+)" (?:TEXT|INTEGER)', line)
        if match:
            lines.append(f"   -- {about[match[1]]}")
        lines.append(line)
    return "\n".join([f"{lines[0]} -- {table.about}", *lines[1:]])


def _search_sql(search: SearchTable) -> str:
    columns = ", ".join(f'"{name}"' for name in search.columns)
    kept = f"tokenize='{TOKENIZER}', prefix='{OPENINGS}'"
    return f'CREATE VIRTUAL TABLE "{search.name}" USING fts5({columns}, {kept})'
