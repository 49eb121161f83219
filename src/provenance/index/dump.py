"""Write the rows of an index in their one canonical order, and digest them. Changes nothing.

The dump is UTF-8 text with one line for each row: a JSON array of the table's name and the row's
cells in the order of `schema`, with no space and nothing escaped that JSON does not require.
Tables come in the order of `schema.CORE`, then the hyperlinks of `link`, then `schema.DERIVED`,
then the search tables; rows in the order of their keys. The core is the part before the hyperlinks.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from provenance.digest import Digest, from_hex
from provenance.index.rows import Row
from provenance.index.schema import (
    CORE,
    DERIVED,
    DOCUMENT_SEARCH,
    LINK,
    TEXT_SEARCH,
    SearchTable,
    Table,
)

_LINES_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the dump: the rows of one table; the first `key` cells of a row are its key."""

    table: str
    columns: tuple[str, ...]
    key: tuple[int, ...]
    select: str
    core: bool


def sections() -> tuple[Section, ...]:
    """Return the parts of the dump, in order."""
    core = [_section(table, core=True) for table in CORE if table is not LINK]
    cards = _search_section(DOCUMENT_SEARCH, core=True)
    redirects = _section(LINK, core=True, where=" WHERE kind = 'redirect'")
    hyperlinks = _section(LINK, core=False, where=" WHERE kind <> 'redirect'")
    derived = [_section(table, core=False) for table in DERIVED]
    return (
        *core,
        cards,
        redirects,
        hyperlinks,
        *derived,
        _search_section(TEXT_SEARCH, core=False),
    )


def _section(table: Table, *, core: bool, where: str = "") -> Section:
    names = ", ".join(f'"{name}"' for name in table.names)
    order = ", ".join(f'"{name}"' for name in table.key)
    return Section(
        table=table.name,
        columns=table.names,
        key=tuple(table.names.index(name) for name in table.key),
        select=f'SELECT {names} FROM "{table.name}"{where} ORDER BY {order}',
        core=core,
    )


def _search_section(search: SearchTable, *, core: bool) -> Section:
    names = ", ".join(f's."{name}"' for name in search.columns)
    return Section(
        table=search.name,
        columns=(search.key, *search.columns),
        key=(0,),
        select=f"SELECT t.{search.key}, {names} FROM {search.name} s "
        f"LEFT JOIN {search.of} t ON t.rowid = s.rowid ORDER BY 1",
        core=core,
    )


def dump(connection: sqlite3.Connection, section: Section) -> Iterator[Row]:
    """Yield the rows of one part, in order."""
    cursor = connection.cursor()
    cursor.row_factory = None
    yield from cursor.execute(section.select)


def dump_lines(connection: sqlite3.Connection) -> Iterator[tuple[bool, bytes]]:
    """Yield (in the core, lines) for the whole dump, some lines at a time."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for section in sections():
        lines: list[str] = []
        for row in dump(connection, section):
            lines.append(encode((section.table, *row)))
            if len(lines) == _LINES_AT_ONCE:
                yield section.core, ("\n".join(lines) + "\n").encode()
                lines.clear()
        if lines:
            yield section.core, ("\n".join(lines) + "\n").encode()


def digests(connection: sqlite3.Connection) -> tuple[Digest, Digest]:
    """Return (digest, core digest) of an open index."""
    whole, core = hashlib.sha256(), hashlib.sha256()
    for in_core, lines in dump_lines(connection):
        whole.update(lines)
        if in_core:
            core.update(lines)
    return from_hex(whole.hexdigest()), from_hex(core.hexdigest())
