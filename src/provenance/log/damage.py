"""Say which tiles of a log are damaged, where they do not lead to the root of a checkpoint.

Everything is read: it is for the case that something is wrong. What can be trusted decides what is
blamed: leaves that give the root, or else tiles that do; where neither does, all that disagrees is.
"""

from __future__ import annotations

from collections.abc import Iterator

from provenance.errors import ProofError, ProvenanceError
from provenance.log.checkpoint import Checkpoint
from provenance.log.folder import CHECKPOINT, LogFolder
from provenance.log.merkle import (
    CompactRange,
    consistency_path,
    fold,
    hash_leaf,
    verify_consistency,
)
from provenance.log.tiles import FULL, TILE_LEVELS, Tile, parse_bundle, parse_hash_tile

Hashes = tuple[bytes, ...]

_NAMED = 3


def damaged_parts(folder: LogFolder, head: Checkpoint) -> tuple[str, ...]:
    """Return the paths of the tiles and bundles below the log's folder that are damaged.

    Of a log that leads to the root of `head` there is none; where every part agrees with every
    other, it is the checkpoint.
    """
    search = _Search(folder, head)
    search.climb()
    found = {*search.unreadable}
    if search.leaves_root == head.root:
        found |= {above for above, _ in search.differing}
    elif search.tiles_root() == head.root:
        found |= set(search.descend())
    else:
        found |= {part for pair in search.differing for part in pair}
        found = found or {CHECKPOINT}
    return tuple(sorted(found))


def damaged_error(folder: LogFolder, head: Checkpoint) -> ProofError | None:
    """Return the error that names what is damaged, None of a log that leads to the root of `head`.

    It takes reading all of the log.
    """
    found = damaged_parts(folder, head)
    if not found:
        return None
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ProofError(
        "a part of the log is damaged, so that nothing can be proved from it",
        where=str(folder.path),
        expected=f"what leads to the root of the checkpoint over {head.size} leaves",
        found=", ".join(found[:_NAMED]) + more,
        hint="Restore it from a copy; `provenance verify` says what else is damaged.",
    )


def prove_consistency(
    folder: LogFolder, old: int, head: Checkpoint
) -> tuple[bytes, tuple[bytes, ...]]:
    """Return the root over the first `old` leaves, and the proof that the log goes on from there.

    Both have been held against `head`, so that what is damaged is not taken for another history.

    Raises:
        ProofError, LogFormatError: a part of the log is damaged.
    """
    hashes = folder.hashes(head.size)
    root = CompactRange.from_nodes(old, hashes).root()
    path = consistency_path(old, head.size, hashes) if old else ()
    try:
        verify_consistency(old, head.size, path, root, head.root)
    except ProofError as fault:
        raise damaged_error(folder, head) or fault from None
    return root, path


class _Search:
    """The parts of a log, read from the leaves up and from the top down.

    After `climb`, `leaves_root` is the root that the leaves give, None where some cannot be read;
    `differing` has each tile that is not what is beneath it gives, with the part beneath.
    """

    def __init__(self, folder: LogFolder, head: Checkpoint) -> None:
        self._folder = folder
        self._size = head.size
        self.unreadable: set[str] = set()
        self.differing: list[tuple[str, str]] = []
        self.leaves_root: bytes | None = None

    def climb(self) -> None:
        """Compute every tile from what is beneath it, and compare."""
        tree, lost = CompactRange(), False
        above: list[bytes] = []
        for index in range(-(-self._size // FULL)):
            tile = self._tile(0, index)
            stored, leaves = self._hashes(tile), self._leaves(index)
            lost = lost or leaves is None
            hashes = leaves or stored or (bytes(32),) * tile.width
            for each in hashes:
                tree.append(each)
            if stored is not None and stored != hashes:
                self.differing.append((tile.path, self._tile(None, index).path))
            if tile.is_full:
                above.append(fold(hashes))
        level = 1
        while above:
            beneath, above = above, []
            for first in range(0, len(beneath), FULL):
                tile, hashes = self._tile(level, first // FULL), tuple(beneath[first:][:FULL])
                stored = self._hashes(tile)
                if stored is not None and stored != hashes:
                    other = next(at for at, each in enumerate(hashes) if stored[at] != each)
                    child = self._tile(level - 1, first + other)
                    self.differing.append((tile.path, child.path))
                if tile.is_full:
                    above.append(fold(hashes))
            level += 1
        self.leaves_root = None if lost else tree.root()

    def tiles_root(self) -> bytes | None:
        """Return the root that the tiles give, None where one cannot be read."""
        try:
            return self._folder.root(self._size)
        except ProvenanceError:
            return None

    def descend(self) -> Iterator[str]:
        """Yield the parts that are not what is above them says, where the top can be trusted."""
        depth = 0
        while self._size >> TILE_LEVELS * depth:
            depth += 1
        upper: dict[int, Hashes] = {}
        good: dict[int, Hashes] = {}
        for level in reversed(range(depth)):
            upper, good = good, {}
            for index in range(-(-(self._size >> TILE_LEVELS * level) // FULL)):
                tile = self._tile(level, index)
                stored = self._hashes(tile)
                if stored is None:
                    continue
                if tile.is_full and _entry(upper, index) not in (None, fold(stored)):
                    yield tile.path
                else:
                    good[index] = stored
        # `good` has the tiles of leaf hashes now, and `upper` those above them.
        for index in range(-(-self._size // FULL)):
            leaves = self._leaves(index)
            if leaves is None:
                continue
            stored = good.get(index)
            if stored is not None:
                agrees = leaves == stored
            else:
                agrees = len(leaves) < FULL or _entry(upper, index) in (None, fold(leaves))
            if not agrees:
                yield self._tile(None, index).path

    def _tile(self, level: int | None, index: int) -> Tile:
        count = self._size >> TILE_LEVELS * (level or 0)
        return Tile(level=level, index=index, width=min(FULL, count - index * FULL))

    def _hashes(self, tile: Tile) -> Hashes | None:
        try:
            return parse_hash_tile(self._folder.read_tile(tile), tile)
        except ProvenanceError:
            self.unreadable.add(tile.path)
            return None

    def _leaves(self, index: int) -> Hashes | None:
        tile = self._tile(None, index)
        try:
            entries = parse_bundle(self._folder.read_tile(tile), tile)
        except ProvenanceError:
            self.unreadable.add(tile.path)
            return None
        return tuple(map(hash_leaf, entries))


def _entry(tiles: dict[int, Hashes], index: int) -> bytes | None:
    above = tiles.get(index // FULL)
    return above[index % FULL] if above is not None else None
