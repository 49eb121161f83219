"""Open an index for reading only, or say how to make one. Looks nothing up."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from provenance.errors import IndexMissingError
from provenance.index.schema import APPLICATION_ID, SCHEMA_VERSION

_HINT = "Run `provenance index` to build it."


@contextlib.contextmanager
def open_index(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection to the index that cannot write; closed at the end.

    Not opened as immutable: another program may hold the file open in a mode of its own.

    Raises:
        IndexMissingError: there is no such file, or it is of another schema.
    """
    if not path.is_file():
        raise IndexMissingError("there is no index", where=str(path), hint=_HINT)
    with contextlib.closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    ) as connection:
        _check_mark(connection, path)
        yield connection


def _check_mark(connection: sqlite3.Connection, path: Path) -> None:
    try:
        marks = tuple(
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
    except sqlite3.DatabaseError as error:
        raise IndexMissingError(
            f"this is no index: {error}", where=str(path), hint=_HINT
        ) from error
    if marks != (APPLICATION_ID, SCHEMA_VERSION):
        raise IndexMissingError(
            "this is no index of this version's schema",
            where=str(path),
            expected=f"schema {SCHEMA_VERSION}",
            found=f"application id {marks[0]}, schema {marks[1]}",
            hint=_HINT,
        )
