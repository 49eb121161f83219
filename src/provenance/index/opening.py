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
        IndexMissingError: there is no such file, it is of another schema, or it cannot be read,
            which may show only while it is in use.
    """
    if not path.is_file():
        raise IndexMissingError("there is no index", where=str(path), hint=_HINT)
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        ) as connection:
            _check_mark(connection, path)
            yield connection
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        code = getattr(error, "sqlite_errorcode", None)
        if isinstance(error, sqlite3.ProgrammingError) or code == sqlite3.SQLITE_ERROR:
            raise  # the statement is at fault, not the file
        raise IndexMissingError(
            f"the index cannot be read: {error}", where=str(path), hint=_HINT
        ) from error


def _check_mark(connection: sqlite3.Connection, path: Path) -> None:
    marks = tuple(
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("application_id", "user_version")
    )
    if marks != (APPLICATION_ID, SCHEMA_VERSION):
        raise IndexMissingError(
            "this is no index of this version's schema",
            where=str(path),
            expected=f"schema {SCHEMA_VERSION}",
            found=f"application id {marks[0]}, schema {marks[1]}",
            hint=_HINT,
        )
