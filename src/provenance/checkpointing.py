"""Add what was sealed to the log, and make a checkpoint over all of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from provenance.digest import Digest
from provenance.errors import ProofError, ProvenanceError, UsageError
from provenance.log.checkpoint import Checkpoint, format_checkpoint, open_checkpoint
from provenance.log.folder import CHECKPOINT, CHECKPOINTS, OPERATOR, LogFolder
from provenance.log.leaf import TYPES, CaptureLeaf, FileLeaf, RecordLeaf, format_leaf
from provenance.log.note import SigningKey, format_note, parse_note, sign_note
from provenance.log.strict import to_base64
from provenance.runtime import Runtime
from provenance.warc.groups import RecordGroup, read_groups
from provenance.warc.manifest import locked, read_manifest
from provenance.warc.reading import digest_of_file

_BATCH = 1 << 14
_ORIGIN = re.compile(r"[!-*,-~]{1,200}")
_FILE = re.compile(rb"file (\S+) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What a checkpoint covers, and what it added: files and leaves; `text` are its bytes.

    `signed_before` says that a checkpoint of this log carries a signature, this one or another.
    """

    origin: str
    size: int
    root: str
    files: int
    leaves: int
    signed: bool
    signed_before: bool
    text: str


def add_checkpoint(
    archive: Path,
    metadata: Path,
    runtime: Runtime,
    *,
    origin: str | None = None,
    key: SigningKey | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Added:
    """Add the leaves of each listed file that the log has not, and make a checkpoint over all.

    Where there is nothing to add the newest checkpoint stands; with a key that has not signed it,
    it is signed.

    Raises:
        ProofError: the log, or a file to be added, is not what it was.
        UsageError: `origin` is another than the log's, or the key another than the operator's.
        StorageError: the disk refused; the log is as it was.
    """
    with locked(metadata):
        folder = LogFolder(metadata)
        newest = folder.newest()
        size = newest[0].size if newest else 0
        name = _origin(newest[0].origin if newest else None, origin, key, runtime)
        _check_operator(folder, key)
        if newest:
            folder.check(newest[0])
        if key is not None and newest is not None:
            _check_signatures(folder, newest[1], key, name)
        names = list(logged_files(folder, size))
        logged = set(names)
        if len(names) != len(logged):
            raise ProofError(
                "the log closes a file twice, so nothing more is committed to",
                where=str(folder.path),
                expected="each file once",
                found=next(each for each in names if names.count(each) > 1),
                hint="`provenance verify` tells what is wrong; go back to a log that verifies.",
            )
        waiting = list(_waiting(archive, read_manifest(metadata), logged))
        if not waiting and newest is None:
            raise UsageError(
                "there is nothing to commit to",
                where=str(archive),
                expected="at least one sealed file",
                found="none",
                hint="`provenance fetch` or `provenance add` first.",
            )
        passed = list(_extend(folder, size, _leaves(archive, waiting, progress)))
        grown = passed[-1]
        root = folder.root(grown)
        text = format_checkpoint(Checkpoint(origin=name, size=grown, root=root))
        raw = format_note(sign_note(text, [key])) if key else text.encode()
        if newest is not None and grown == size and (key is None or _is_by(newest[1], key, name)):
            raw = newest[1]
        if raw != folder.read(CHECKPOINT):
            folder.drop_unwritten()
            if key is not None:
                folder.put(OPERATOR, f"{key.verifier.line}\n".encode())
            folder.publish(grown, raw)
            for each in passed[:-1]:
                folder.drop_outgrown(each, grown)
        return Added(
            origin=name,
            size=grown,
            root=to_base64(root),
            files=len(waiting),
            leaves=grown - size,
            signed=b"\n\n" in raw,
            signed_before=_is_signed(folder),
            text=raw.decode(),
        )


def _origin(has: str | None, wanted: str | None, key: SigningKey | None, runtime: Runtime) -> str:
    if has is None:
        made = wanted or (key.name if key else f"provenance-archive/{runtime.new_id()}")
        if not _ORIGIN.fullmatch(made):
            raise UsageError(
                "not a name for a log",
                expected="1 to 200 printable ASCII characters without spaces and +",
                found=ascii(made)[:200],
                hint="An address of yours without its scheme is good: example.org/archive.",
            )
        return made
    if wanted not in (None, has):
        raise UsageError(
            "the log has another origin",
            expected=has,
            found=str(wanted),
            hint="A log keeps its origin; leave --origin out.",
        )
    return has


def _is_by(raw: bytes, key: SigningKey, origin: str) -> bool:
    try:
        open_checkpoint(raw, [key.verifier], origin=origin)
    except ProvenanceError:
        return False
    return True


def _is_signed(folder: LogFolder) -> bool:
    """Say whether the log names who signs it, or any checkpoint of it is signed."""
    if folder.read(OPERATOR) is not None:
        return True
    return any(
        b"\n\n" in (folder.read(f"{CHECKPOINTS}/{size}") or b"")
        for size in reversed(folder.sizes())
    )


def _check_operator(folder: LogFolder, key: SigningKey | None) -> None:
    kept = folder.read(OPERATOR)
    if (
        key is not None
        and kept is not None
        and kept.decode("utf-8", "replace").strip() != (key.verifier.line)
    ):
        raise UsageError(
            "the log is signed by another key",
            where=str(folder.path / OPERATOR),
            expected=kept.decode("utf-8", "replace").strip()[:200],
            found=key.verifier.line,
            hint="Use the operator's key. Who verifies would be told of a changed key.",
        )


def _check_signatures(folder: LogFolder, raw: bytes, key: SigningKey, origin: str) -> None:
    """Refuse to sign in the place of another, where the file that names the operator is gone."""
    if folder.read(OPERATOR) is None and b"\n\n" in raw and not _is_by(raw, key, origin):
        raise UsageError(
            "the newest checkpoint is signed by another key",
            where=str(folder.path / CHECKPOINT),
            expected=key.verifier.line,
            found=", ".join(sorted({each.name for each in parse_note(raw).signatures})),
            hint="Use the operator's key; signing anew would take the other signatures away.",
        )


def logged_files(folder: LogFolder, size: int) -> Iterator[str]:
    """Yield the name of each file that the log of `size` leaves covers, in order."""
    for _, entry in folder.entries(size):
        if match := _FILE.match(entry):
            yield match[1].decode()


def _waiting(
    archive: Path, listed: Mapping[str, Digest], logged: Set[str]
) -> Iterator[tuple[str, Digest]]:
    """Yield the files to be added, up to one that a run is sealing: its line precedes its name.

    Those after it wait too, so that the log has the order of the manifest.
    """
    for name, digest in listed.items():
        if name not in logged:
            if (archive / f"{name}.open").exists() and not (archive / name).exists():
                return
            yield name, digest


def _leaves(
    archive: Path, waiting: list[tuple[str, Digest]], progress: Callable[[str], None]
) -> Iterator[bytes]:
    for name, listed in waiting:
        progress(name)
        path = archive / name
        records = 0
        for group in read_groups(path):
            for leaf in _leaves_of(group):
                yield format_leaf(leaf)
            records += len(group.others) + (group.anchor is not None)
        digest = digest_of_file(path)
        if digest != listed:
            raise ProofError(
                "the file is another than the manifest says, so it is not committed to",
                where=str(path),
                expected=listed,
                found=digest,
                hint="`provenance verify` says what is damaged; restore the file from a copy.",
            )
        yield format_leaf(FileLeaf(name=name, digest=digest, records=records))


def _leaves_of(group: RecordGroup) -> Iterator[CaptureLeaf | RecordLeaf]:
    if group.anchor is None:
        for _, digest in group.others:
            yield RecordLeaf(digest=digest)
        return
    others = tuple((kind if kind in TYPES else "other", each) for kind, each in group.others)
    yield CaptureLeaf(capture_id=group.anchor, others=others)


def _extend(folder: LogFolder, size: int, leaves: Iterator[bytes]) -> Iterator[int]:
    """Write the leaves; yield each size that the log goes through, the first and last too."""
    held: list[bytes] = []
    yield size
    for leaf in leaves:
        held.append(leaf)
        if len(held) == _BATCH:
            folder.append(size, held)
            size += len(held)
            held.clear()
            yield size
    if held:
        folder.append(size, held)
        yield size + len(held)
