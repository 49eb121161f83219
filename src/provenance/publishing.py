"""Write the files of a site's copy into a folder, which is there whole or as it was before.

Archived bytes stand in ZIP files alone: what a host or a browser takes a file for when its name or
its type is not known, it reads from the first bytes, and these are never a page's.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from provenance.errors import ProvenanceError, UsageError
from provenance.web.copying import ContentPart, FilePart

MANIFEST = "manifest-sha256.txt"
MARK = ".provenance-published"
_MARK_TEXT = (
    b"This folder was written by `provenance publish`, which replaces it as a whole.\n"
    b"manifest-sha256.txt names its files.\n"
)
_NO_JEKYLL = ".nojekyll"
"""Keeps the host that looks for this file from making something else of the files."""

_BIG = 1 << 31
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a folder holds now: `digest` is the SHA-256 of its manifest, which names every file."""

    files: int
    size: int
    digest: str


def write_copy(
    directory: Path, parts: Iterable[FilePart | ContentPart], *, database: Path | None
) -> Written:
    """Write `parts`, and a copy of the index `database`, so that `directory` is these files.

    Everything is written into a folder beside it first, which then takes its name. Whatever ends
    this early leaves `directory` as it was.

    Raises:
        UsageError: something is at `directory` that an earlier call has not written.
        ProvenanceError: a part cannot be had.
    """
    directory = directory.resolve()
    _check_replaceable(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    fresh = directory.with_name(f".{directory.name}.publishing")
    with _held(fresh):
        lines = _write_all(fresh, parts, database)
        raw = "".join(f"{digest}  {name}\n" for name, digest, _ in sorted(lines)).encode()
        _write(fresh, MANIFEST, raw)
        _check_replaceable(directory)
        _replace(directory, fresh)
    return Written(
        files=len(lines) + 1,
        size=sum(size for _, _, size in lines) + len(raw),
        digest=f"sha256:{hashlib.sha256(raw).hexdigest()}",
    )


def _check_replaceable(directory: Path) -> None:
    """See that nothing is lost where `directory` is replaced."""
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return
    try:
        own = (directory / MARK).read_bytes() == _MARK_TEXT
        listed = {line[66:] for line in (directory / MANIFEST).read_text("utf-8").splitlines()}
    except (OSError, UnicodeDecodeError):
        own, listed = False, set()
    hint = "Name another folder, or move away what is there."
    if not own:
        raise UsageError("something else is here", where=str(directory), hint=hint)
    for path in directory.rglob("*"):
        name = path.relative_to(directory).as_posix()
        if (path.is_symlink() or not path.is_dir()) and name not in listed | {MANIFEST}:
            raise UsageError(
                "the folder holds a file that is not of the copy", where=str(path), hint=hint
            )


@contextlib.contextmanager
def _held(fresh: Path) -> Iterator[None]:
    """Make the folder anew and keep it for this process; what is left of it at the end goes."""
    if fresh.is_symlink() or (fresh.exists() and not (fresh / MARK).is_file()):
        raise UsageError("something else is here", where=str(fresh), hint="Move it away.")
    fresh.mkdir(exist_ok=True)
    with (fresh / MARK).open("ab") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProvenanceError(
                "another command is publishing here",
                where=str(fresh),
                hint="Wait until it has ended.",
            ) from None
        try:
            for path in fresh.iterdir():
                if path.name != MARK:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            yield
        finally:
            if fresh.exists() and os.path.samestat(
                fresh.joinpath(MARK).stat(), os.fstat(mark.fileno())
            ):
                shutil.rmtree(fresh)


def _write_all(
    fresh: Path, parts: Iterable[FilePart | ContentPart], database: Path | None
) -> list[tuple[str, str, int]]:
    """Return (name, digest in hex, size) of each file."""
    lines = [_write(fresh, MARK, _MARK_TEXT), _write(fresh, _NO_JEKYLL, b"")]
    if database is not None:  # first, for the parts end with a look whether the index is still it
        shutil.copyfile(database, fresh / "provenance.db")
        lines.append(_line(fresh, "provenance.db"))
    for part in parts:
        if isinstance(part, FilePart):
            lines.append(_write(fresh, part.name, part.raw))
        else:
            _write_zip(fresh / part.name, part)
            lines.append(_line(fresh, part.name))
    return lines


def _write(fresh: Path, name: str, raw: bytes) -> tuple[str, str, int]:
    path = fresh / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return name, hashlib.sha256(raw).hexdigest(), len(raw)


def _line(fresh: Path, name: str) -> tuple[str, str, int]:
    with (fresh / name).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return name, digest, (fresh / name).stat().st_size


def _write_zip(path: Path, part: ContentPart) -> None:
    """Write a content as the one member of a ZIP file, stored as it is, so that it stays the same.

    Raises:
        ProvenanceError: the bytes are not those that the index names.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    info = zipfile.ZipInfo(part.saved_as, _EPOCH)
    info.create_system, info.external_attr = 3, 0o100644 << 16
    digest, size = hashlib.sha256(), 0
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive,
        archive.open(info, "w", force_zip64=part.size >= _BIG) as member,
    ):
        for piece in part.pieces:
            digest.update(piece)
            size += len(piece)
            if size > part.size:
                break
            member.write(piece)
    found = f"sha256:{digest.hexdigest()}"
    if size != part.size or found != part.content_id:
        raise ProvenanceError(
            "the stored content is not what the index names",
            where=part.content_id,
            expected=f"{part.size} bytes",
            found=f"{size} bytes with {found}",
            hint="Run `provenance verify`.",
        )


def _replace(directory: Path, fresh: Path) -> None:
    former = directory.with_name(f".{directory.name}.former")
    if former.exists():
        _check_replaceable(former)
        shutil.rmtree(former)
    if not directory.exists():
        fresh.rename(directory)
        return
    directory.rename(former)
    try:
        fresh.rename(directory)
    except OSError:
        former.rename(directory)
        raise
    shutil.rmtree(former)
