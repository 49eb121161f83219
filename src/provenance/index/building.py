"""Build the index as a new file and put it in the place of the old one; compare one with the other.

It opens no WARC file and no socket: surveys, collections and the extraction of text are handed in.
An interrupted build leaves the old index as it was.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from provenance.digest import Digest
from provenance.errors import StorageError
from provenance.holdings import Stretch
from provenance.index.difference import Difference, differences
from provenance.index.dump import digests
from provenance.index.load import load
from provenance.index.opening import open_index
from provenance.index.sources import Derive
from provenance.index.texts import load_cards, load_texts, settle_search
from provenance.model import Collection

_CACHE_KIB = 65_536
"""Half of it makes an index of a hundred thousand documents slower, twice as much no faster."""

_SIDE_FILES = ("-journal", "-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSummary:
    """What a build made: digests of the dump and of its core, and the number of rows."""

    digest: Digest
    core_digest: Digest
    captures: int
    contents: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a check found: the index as it ought to be, the digest found, and what differs.

    `found` is None where the file cannot be read as an index of this schema.
    """

    expected: IndexSummary
    found: Digest | None
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether the index is what it ought to be."""
        return self.found == self.expected.digest and not self.differences


def build(
    *,
    path: Path,
    collections: Iterable[Collection],
    surveys: Iterable[Stretch],
    derive: Derive | None,
) -> IndexSummary:
    """Build the index at `path`, a pure function of the other arguments, whatever their order.

    Without `derive` the index has no texts and no hyperlinks; its core is the same.

    Raises:
        StorageError: the disk refuses, or another build of this index is at work.
        UsageError: the collections and surveys contradict each other.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with _storage_faults(path), _only_builder(path.parent):
        try:
            new.unlink(missing_ok=True)
            made = _build_file(new, path, collections, surveys, derive)
            _put_in_place(new, path)
        finally:
            new.unlink(missing_ok=True)
    return made


def check(
    *,
    path: Path,
    collections: Iterable[Collection],
    surveys: Iterable[Stretch],
    derive: Derive | None,
) -> Comparison:
    """Compare the index at `path` with what the other arguments make; change nothing.

    Raises:
        IndexMissingError: there is no index at `path`.
        StorageError: the disk refuses.
    """
    with (
        open_index(path) as found,
        tempfile.TemporaryDirectory(prefix="provenance-") as folder,
        _storage_faults(path),
    ):
        fresh = Path(folder) / path.name
        expected = _build_file(fresh, path, collections, surveys, derive)
        with open_index(fresh) as wanted:
            return Comparison(
                expected=expected,
                found=_digest_or_none(found),
                differences=differences(wanted, found),
            )


def dump_digest(path: Path) -> tuple[Digest, Digest]:
    """Return (digest, core digest), computed anew from the index at `path`.

    Raises:
        IndexMissingError: there is no index of this schema.
    """
    with open_index(path) as connection:
        return digests(connection)


def _digest_or_none(connection: sqlite3.Connection) -> Digest | None:
    try:
        return digests(connection)[0]
    except (sqlite3.DatabaseError, UnicodeDecodeError, TypeError):
        return None  # damaged, or holding what no index holds: `differences` says where


def _build_file(
    new: Path,
    path: Path,
    collections: Iterable[Collection],
    surveys: Iterable[Stretch],
    derive: Derive | None,
) -> IndexSummary:
    # sqlite-utils takes long to import, and those who only read an index do without it.
    from provenance.index.database import create_indexes, create_tables

    with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as connection:
        # The file is nobody's until it is whole, so it needs no journal; DELETE is the plain mode.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            connection.execute(f"PRAGMA {pragma}")
        create_tables(connection)
        connection.execute("BEGIN")
        load(connection, collections, surveys)
        if derive is not None:
            load_texts(connection, derive)
        load_cards(connection)
        settle_search(connection)
        connection.execute("COMMIT")
        create_indexes(connection)
        digest, core_digest = digests(connection)
        captures, contents = (
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("capture", "content")
        )
    return IndexSummary(
        digest=digest, core_digest=core_digest, captures=captures, contents=contents, path=path
    )


def _put_in_place(new: Path, path: Path) -> None:
    with new.open("rb+") as written:
        os.fsync(written.fileno())
    for suffix in _SIDE_FILES:
        # A journal left by another program would be played back into the new file.
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _only_builder(folder: Path) -> Iterator[None]:
    """Hold the lock on the folder, so that two builds never write the same new file."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(
                "another build of the index is at work", where=str(folder), hint="Wait for it."
            ) from error
        except OSError:
            pass  # A file system without locks: go on, as before.
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def _storage_faults(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        raise StorageError(
            f"the index cannot be written: {error}",
            where=str(path),
            hint="Make room or allow writing, then run `provenance index` again.",
        ) from error
