"""Make a Datasette that serves an index with the pages, its settings kept in one place."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from datasette.app import Datasette
from datasette.plugins import pm

from provenance import __version__
from provenance.web import plugin
from provenance.web.attachment import Site, attach_site
from provenance.web.offer import LIVE, Offer
from provenance.web.public import PublicAddress
from provenance.web.renewal import mark_of
from provenance.web.source import SiteSource

HASHED_AT_ONCE = 1 << 26
"""Bytes of a database that is hashed before it is served."""

SETTINGS: Mapping[str, object] = MappingProxyType(
    {
        "suggest_facets": False,
        "default_page_size": 20,
        "max_returned_rows": 1_000,
        "num_sql_threads": 4,
        "sql_time_limit_ms": 1_000,
        "facet_time_limit_ms": 500,
        "trace_debug": False,
        "template_debug": False,
        "truncate_cells_html": 160,
        "cache_size_kb": 16_000,
        "max_csv_mb": 100,
    }
)
"""Datasette settings of the site. Without `suggest_facets` off, a table of a million rows takes
more than a second a page, because every column is tried as a facet. A row of `capture` is 4 kB."""


def create_site(
    database: Path,
    source: SiteSource,
    *,
    title: str = "Provenance",
    metadata: Mapping[str, Any] | None = None,
    settings: Mapping[str, object] | None = None,
    inspected: Mapping[str, Any] | None = None,
    offer: Offer = LIVE,
    address: PublicAddress | None = None,
) -> Datasette:
    """Return a Datasette over the immutable index `database`, with the pages active.

    `metadata` has Datasette's form (`{"databases": {name: {"tables": …}}}`) and describes tables
    and columns; `settings` go over SETTINGS; `inspected` is what `inspect_database` returned
    earlier for the same file. `address` is where the public reaches it.
    """
    name = database.stem
    facts = dict(inspected or inspect_database(database))
    datasette = Datasette(
        files=[],
        immutables=[str(database)],
        inspect_data={name: facts},
        metadata=dict(metadata or {}),
        settings={
            **SETTINGS,
            "default_allow_sql": offer.sql,
            "allow_download": offer.database,
            "base_url": address.base if address else "/",
            "force_https_urls": address is not None and address.origin.startswith("https:"),
            **(settings or {}),
        },
    )
    return attach(
        datasette,
        source,
        database=name,
        title=title,
        offer=offer,
        address=address,
        hash_later=None if facts.get("hash") else _hash_later(database),
    )


def attach(
    datasette: Datasette,
    source: SiteSource,
    *,
    database: str = "provenance",
    title: str,
    offer: Offer = LIVE,
    address: PublicAddress | None = None,
    hash_later: Callable[[], str | None] | None = None,
) -> Datasette:
    """Give a Datasette the pages over its database `database`, and return it.

    `hash_later` gives the file's SHA-256 where Datasette was not told of one.
    Call it before `datasette.app()`. An installed package registers the plugin by its entry
    point; one that is only on the path is registered here.
    """
    if not pm.is_registered(plugin):
        pm.register(plugin, name="provenance")
    attach_site(
        datasette,
        Site(
            datasette,
            source,
            database=database,
            title=title,
            software=f"provenance {__version__}",
            offer=offer,
            address=address,
            hash_later=hash_later,
        ),
    )
    datasette.client = type(datasette.client)(datasette)
    return datasette


def inspect_database(database: Path) -> dict[str, Any]:
    """Return Datasette's inspect values for one file: SHA-256, size in bytes, rows per table.

    With it Datasette counts no table while it serves. The hash of a file above `HASHED_AT_ONCE` is
    None: to read the whole of it would keep the first reader waiting. So is the number of pieces in
    which SQLite keeps the words of a search table, which says nothing.
    """
    size = database.stat().st_size
    conn = sqlite3.connect(f"{database.resolve().as_uri()}?immutable=1", uri=True)
    try:
        names = [
            row[0] for row in conn.execute("select name from sqlite_master where type = 'table'")
        ]
        counts = {name: _count(conn, name, names) for name in names}
    finally:
        conn.close()
    return {
        "hash": _hash(database) if size <= HASHED_AT_ONCE else None,
        "size": size,
        "file": database.name,
        "tables": {name: {"count": count} for name, count in counts.items()},
    }


def _hash(database: Path) -> str:
    with database.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _hash_later(database: Path) -> Callable[[], str | None]:
    mark = mark_of(database)

    def hashed() -> str | None:
        found = _hash(database)
        return found if mark_of(database) == mark else None  # another file has its name by now

    return hashed


def _count(conn: sqlite3.Connection, table: str, names: Collection[str]) -> int | None:
    searched = table.removesuffix("_content").removesuffix("_data")
    if f"{searched}_docsize" in names:
        # The rows of a search table hold its texts, and to count them is to read past these.
        if table.endswith("_data"):
            return None
        table = f"{searched}_docsize"
    quoted = table.replace('"', '""')
    try:
        return int(conn.execute(f'select count(*) from "{quoted}"').fetchone()[0])
    except sqlite3.DatabaseError:
        return 0
