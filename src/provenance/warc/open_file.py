"""Create, own and rename the files that are being written; knows names and locks, no records.

A file under way is `NAME.open`, and its writer holds a lock on it: a file whose lock is free was
left by a dead run.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from provenance.warc.manifest import sync_directory

_SUFFIX = ".open"
_OURS = re.compile(r".+-\d{17}-\d{5,}\.warc\.gz\.open\Z", re.ASCII)


def open_name(sealed: str) -> str:
    """Return the name that a file has while it is written."""
    return sealed + _SUFFIX


def sealed_path(path: Path) -> Path:
    """Return the path that an open file gets when it is sealed."""
    return path.with_name(path.name.removesuffix(_SUFFIX))


def open_files(archive: Path) -> tuple[Path, ...]:
    """Return the open files with names of our form, sorted; other programs' are not ours to touch.

    A symbolic link is no file of ours, wherever it leads.
    """
    return tuple(
        path
        for path in sorted(archive.glob("*" + _SUFFIX))
        if _OURS.match(path.name) and path.is_file() and not path.is_symlink()
    )


def create_owned(path: Path) -> BinaryIO | None:
    """Create an open file and lock it, its name durable; return None where the name is taken.

    Between creating and locking, recovery may take the empty file for a dead run's and remove it,
    and another run may have sealed a file of that name just before: the next name is tried then.

    Raises:
        OSError: the disk refused; no file is left.
    """
    try:
        file = path.open("xb", buffering=0)
    except FileExistsError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        if _is_at(file, path):
            if not sealed_path(path).exists():
                sync_directory(path.parent)
                return file
            path.unlink()
    except BaseException:
        file.close()
        path.unlink(missing_ok=True)
        raise
    file.close()
    return None


@contextmanager
def owned(path: Path) -> Iterator[bool]:
    """Hold the lock of an open file; False where its writer lives, or it may not be written."""
    try:
        file = path.open("r+b", buffering=0)
    except OSError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield _is_at(file, path)


def give_sealed_name(path: Path) -> None:
    """Rename an open file to its sealed name, durably; one that has it already is left so."""
    sealed = sealed_path(path)
    try:
        path.rename(sealed)
    except FileNotFoundError:
        if not sealed.exists():
            raise
    sync_directory(path.parent)


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
