"""Read the seeds files of an archive root and check them against each other; writes nothing."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from provenance.errors import SeedsError
from provenance.model import ADHOC, Collection
from provenance.seeds.faults import did_you_mean, show_name
from provenance.seeds.file import Draft, draft_collection, path_of_id

SIZE_LIMIT = 16 * 1024 * 1024
"""The most bytes a seeds file may have."""

_HINTS = 20  # looking for a near id costs time in proportion to the number of documents


def read_collections(seeds_dir: Path) -> tuple[Collection, ...]:
    """Return the collections of every `*.toml` file in `seeds_dir`, sorted by file name.

    Raises:
        SeedsError: as `each_collection` does.
    """
    return tuple(each_collection(seeds_dir))


def each_collection(seeds_dir: Path) -> Iterator[Collection]:
    """Yield the collections of every `*.toml` file in `seeds_dir`, sorted by file name.

    A file is read when its collection is asked for, and its documents are not kept here. Whoever
    reads them acts on none before the last: faults, those between files included, are raised after
    it.

    Names that begin with a dot are passed over. A collection's `seeds_file` is `seeds/` and the
    file's name, whatever path `seeds_dir` was reached by.

    Raises:
        SeedsError: with every fault of every file, those between files included.
    """
    try:
        paths = [path for path in seeds_dir.iterdir() if _is_seeds_name(path.name)]
    except OSError as fault:
        raise SeedsError([f"seeds: cannot be listed: {fault.strerror}"]) from fault
    drafts: list[Draft] = []
    for path in sorted(paths, key=lambda path: path.name):
        yield from _collection_in(path, drafts)
    faults = [line for draft in drafts for line in draft.faults]
    faults += check_together(drafts)
    if faults:
        raise SeedsError(faults)


def _collection_in(path: Path, drafts: list[Draft]) -> Iterator[Collection]:
    """Yield the collection of one file, if it is whole, and let it go when the next is wanted."""
    draft = _read_draft(path)
    drafts.append(draft.bare())
    collection = None if draft.faults else draft.collection
    del draft
    if collection is not None:
        yield collection


def check_together(drafts: list[Draft]) -> list[str]:
    """Return the faults that only show between the files of one root. Pure.

    Relations are looked up only when every file could be read as TOML: a target may be in the one
    that could not.
    """
    faults = []
    collections = {str(ADHOC): "the collection of addresses in no seeds file"}
    for draft in drafts:
        own = draft.collection.id if draft.collection else ""
        if own and own in collections and own != ADHOC:
            faults.append(f'{_at(draft)}: collection.id: "{own}" is the id of {collections[own]}')
        if own:
            collections.setdefault(own, f"the collection in {_at(draft)}")
    documents: dict[str, str] = {}
    twice = _perhaps_twice(drafts) | {hash(each) for each in collections}
    for draft in drafts:
        for number, identifier in draft.ids:
            if hash(identifier) not in twice:
                continue
            if identifier in collections:
                also = f"also {collections[identifier]}"
            elif (other := documents.setdefault(identifier, draft.name)) != draft.name:
                also = f"the id of a document in {other} already"
            else:
                continue
            documents.setdefault(identifier, draft.name)
            faults.append(f'{_at(draft)}: {path_of_id(number)}: "{identifier}" is {also}')
    if all(draft.collection for draft in drafts):
        faults += _unknown_targets(drafts)
    return faults


def _perhaps_twice(drafts: list[Draft]) -> set[int]:
    """Return the hashes that more than one id has; of all other ids nothing need be kept."""
    seen: set[int] = set()
    again: set[int] = set()
    for draft in drafts:
        for _, identifier in draft.ids:
            (again if hash(identifier) in seen else seen).add(hash(identifier))
    return again


def _unknown_targets(drafts: list[Draft]) -> list[str]:
    unknown = {target for draft in drafts for _, target, _ in draft.targets}
    if unknown:
        unknown.difference_update(identifier for draft in drafts for _, identifier in draft.ids)
    known = [identifier for draft in drafts for _, identifier in draft.ids] if unknown else []
    faults: list[str] = []
    for draft in drafts:
        for path, target, owner in draft.targets:
            if target in unknown:
                searched = known if len(faults) < _HINTS else ()
                near = did_you_mean(target, searched) or "name one that is in seeds/"
                suffix = f' (document "{owner}")' if owner else ""
                faults.append(f'{_at(draft)}: {path}: no document "{target}"; {near}{suffix}')
    return faults


def _read_draft(path: Path) -> Draft:
    name = f"seeds/{path.name}"
    try:
        if not name.isprintable():
            return _unread(name, "its name has characters that do not print; rename it")
        if not stat.S_ISREG(path.lstat().st_mode):
            return _unread(name, "expected a regular file, found a link, folder or device")
        with path.open("rb") as stream:
            raw = stream.read(SIZE_LIMIT + 1)
    except OSError as fault:
        return _unread(name, f"cannot be read: {fault.strerror}")
    if len(raw) > SIZE_LIMIT:
        return _unread(name, f"expected at most {SIZE_LIMIT} bytes; split the collection")
    return draft_collection(raw, name=name)


def _unread(name: str, message: str) -> Draft:
    return Draft(name=name, faults=(f"{show_name(name)}: {message}",))


def _is_seeds_name(name: str) -> bool:
    return name.endswith(".toml") and not name.startswith(".")


def _at(draft: Draft) -> str:
    return show_name(draft.name)
