"""Describe the index to people: the schema page, and what Datasette shows of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from provenance.index.schema import (
    APPLICATION_ID,
    CORE,
    DERIVED,
    DOCUMENT_SEARCH,
    LINK,
    SCHEMA_VERSION,
    TABLES,
    TEXT,
    TEXT_SEARCH,
    Column,
    SearchTable,
    Table,
)
from provenance.index.views import VIEWS, View

DATABASE_NAME = "provenance"
"""The name Datasette gives the database, after the file `provenance.db`."""

Described: TypeAlias = dict[str, object]

_SEARCHES = (DOCUMENT_SEARCH, TEXT_SEARCH)

_ABOUT = (
    "Everything that the pages of this site say, as tables: made from the WARC files and the seeds"
    " by the command provenance index, and to be made again from them at any time. Tables and"
    " columns say what they hold; the views document_latest and citation are a good beginning."
)

_OPENING = f"""# Index schema

Made from `src/provenance/index/schema.py` and `views.py` by `make docs`; edit those, not this page.

`metadata/provenance.db` is an SQLite database made by `provenance index` out of the WARC files
and the seeds, and out of nothing else. It can be deleted at any time. Its tables are `STRICT`,
their keys are natural, and `.schema` in the `sqlite3` shell shows these same descriptions.

- Instants are text in UTC, `2026-11-23T23:49:33.123456Z`; their order as text is their order in
  time.
- Digests are text, `sha256:` and 64 hexadecimal digits. Truth values are 0 and 1.
- `PRAGMA application_id` is {APPLICATION_ID} (the letters `Prov`), `PRAGMA user_version` is
  {SCHEMA_VERSION}. Another version is another schema: the index is built anew, never migrated.

"""

_DUMP = """## The dump, and its digest

The digest that `provenance index` prints is the SHA-256 of the *dump*: UTF-8 text, one line for
each row, each line a JSON array of the table's name and the cells in the order of the columns,
without spaces and with nothing escaped that JSON does not require, ended by a line feed. Rows
come in the order of their keys (text by its UTF-8 bytes), tables in this order:

{order}

The `core_digest` covers the first {core} only, which do not depend on the extraction of text. Of
a search table, a line holds the key of the row it belongs to and its columns. What SQLite keeps
beside the rows (page layout, rowids, indexes, the shadow tables of FTS5) is no part of the dump,
and neither are views.

"""

_SEARCHING = """## Searching by hand

The search tables hold each Han or kana character as a word of its own, parted from its neighbours
by U+200B. So a word of several such characters is looked for as a phrase of single ones:

```sql
SELECT t.content_id, t.title FROM text_search s JOIN text t ON t.rowid = s.rowid
WHERE text_search MATCH '"港 口"';
```
"""


def schema_markdown() -> str:
    """Return the schema page, `docs/schema.md`."""
    parts = [_OPENING, "## Tables\n\n"]
    parts += [_table_part(table) for table in TABLES]
    parts.append("## Search tables\n\n")
    parts += [_search_part(search) for search in _SEARCHES]
    parts.append("## Views\n\n")
    parts += [_view_part(view) for view in VIEWS]
    parts += [_dump_part(), _SEARCHING]
    return "".join(parts)


def _table_part(table: Table) -> str:
    rows = "".join(_column_line(column, table) for column in table.columns)
    return (
        f"### {table.name}\n\n{table.about}\n\n"
        f"| column | type | what it holds |\n|---|---|---|\n{rows}\n"
    )


def _column_line(column: Column, table: Table) -> str:
    key = "key, " if column.name in table.key else ""
    null = ", may be null" if column.null else ""
    target = f" → `{'.'.join(column.refers_to)}`" if column.refers_to else ""
    about = column.about.replace("|", "\\|")
    return f"| `{column.name}` | {key}{column.type.lower()}{null} | {about}{target} |\n"


def _search_part(search: SearchTable) -> str:
    columns = ", ".join(f"`{name}`" for name in search.columns)
    return (
        f"### {search.name}\n\n{search.about}\n\n"
        f"Columns: {columns}; its `rowid` is that of a row of `{search.of}`.\n\n"
    )


def _view_part(view: View) -> str:
    rows = "".join(f"| `{name}` | {about} |\n" for name, _, about in view.columns)
    return f"### {view.name}\n\n{view.about}\n\n| column | what it holds |\n|---|---|\n{rows}\n"


def _dump_part() -> str:
    core = [f"`{table.name}`" for table in CORE if table is not LINK]
    core += [f"`{DOCUMENT_SEARCH.name}`", "the redirects of `link`"]
    rest = ["the hyperlinks of `link`", *(f"`{table.name}`" for table in DERIVED)]
    rest.append(f"`{TEXT_SEARCH.name}`")
    order = "\n".join(f"{n}. {name}" for n, name in enumerate((*core, *rest), start=1))
    return _DUMP.format(order=order, core=len(core))


def datasette_metadata() -> Described:
    """Return descriptions of every table, view and column in the form of Datasette's metadata.

    Source: Datasette 0.65 documentation, "Metadata"; 1.0 takes the same keys.
    """
    tables: dict[str, Described] = {table.name: _described(table) for table in TABLES}
    tables |= {view.name: _described(view) for view in VIEWS}
    tables |= {search.name: {"description": search.about} for search in _SEARCHES}
    tables[TEXT.name] |= {"fts_table": TEXT_SEARCH.name, "fts_pk": "rowid"}
    tables["document"] |= {"fts_table": DOCUMENT_SEARCH.name, "fts_pk": "rowid"}
    return {"databases": {DATABASE_NAME: {"description": _ABOUT, "tables": tables}}}


def _described(source: Table | View) -> Described:
    return {"description": source.about, "columns": dict(_column_abouts(source))}


def _column_abouts(source: Table | View) -> Iterable[tuple[str, str]]:
    if isinstance(source, View):
        return ((name, about) for name, _, about in source.columns)
    return ((column.name, column.about) for column in source.columns)
