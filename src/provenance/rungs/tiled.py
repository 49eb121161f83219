"""Read single leaves of a log out of its tiles, and the roots that they lead to. Changes nothing.

Nothing that a tile says is believed before it has led to the root of a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache

from provenance.errors import ProvenanceError
from provenance.findings.finding import Finding, Note
from provenance.log.folder import LogFolder
from provenance.log.merkle import (
    CompactRange,
    consistency_path,
    hash_node,
    inclusion_path,
    root_by_inclusion,
)
from provenance.log.strict import HASH_BYTES
from provenance.log.tiles import (
    FULL,
    TILE_LEVELS,
    StoredHashes,
    Tile,
    parse_bundle,
    parse_hash_tile,
)
from provenance.rungs.levels import log_finding
from provenance.whole.leaves import leaf_hash

_FILE = b"file "
_MARK = b"l"
"""A letter of a file's line that no line of a capture or record has: a quick way past those."""


class RefusedError(Exception):
    """The log does not show what it is to show; `told` says why."""

    def __init__(self, *told: Finding | Note) -> None:
        super().__init__(", ".join(each.code for each in told))
        self.told = told


class TiledLog:
    """The leaves of a log of `size`, each read with what stands in its tile.

    Raises, where a part that is needed is missing or not of its form:
        RefusedError: with the finding.
    """

    def __init__(self, folder: LogFolder, size: int) -> None:
        self._folder = folder
        self.size = size
        self._node = cache(StoredHashes(size, self._read))
        self._bundle = lru_cache(maxsize=32)(self._parse_bundle)

    def line(self, index: int) -> str:
        """Return the line of a leaf, as it stands there."""
        return self._bundle(index // FULL)[index % FULL].decode("utf-8", "replace")

    def hash_at(self, index: int) -> bytes:
        """Return the hash of a leaf, as it stands there."""
        return self._node(0, index)

    def search(self, hashed: bytes) -> Iterator[int]:
        """Yield each place of a leaf of this hash, out of all the log's leaf hashes."""
        for number in range(-(-self.size // FULL)):
            raw = self._read(self._tile(0, number))
            at = raw.find(hashed)
            while at >= 0:
                if at % HASH_BYTES == 0:
                    yield number * FULL + at // HASH_BYTES
                at = raw.find(hashed, at + 1)

    def closing(self, index: int) -> tuple[int, str] | None:
        """Return place and name of the file that a leaf belongs to: the first after it."""
        return next(self.files(index), None)

    def files(self, first: int = 0) -> Iterator[tuple[int, str]]:
        """Yield place and name of the lines of files, from a leaf on."""
        for number in range(first // FULL, -(-self.size // FULL)):
            raw = self._read(self._tile(None, number))
            if raw.endswith(b"\n") and _MARK not in raw:
                continue
            for index, entry in enumerate(self._bundle(number), number * FULL):
                if index >= first and entry.startswith(_FILE):
                    yield index, entry.split(b" ")[1].decode("utf-8", "replace")

    def check_around(self, index: int, hashed: bytes) -> None:
        """Check that the bundle and the tile that a leaf stands in, and those above, agree.

        Raises:
            RefusedError: they do not, or the leaf at this place is of another hash.
        """
        number = index // FULL
        self.check_bundles(number, number + 1)
        stands = self.hash_at(index)
        if stands != hashed:
            place = f"{self._tile(0, number).path} hash {index % FULL}"
            raise RefusedError(log_finding("log_damaged", place, hashed.hex(), stands.hex()))
        self._check_above(index)

    def check_bundles(self, first: int, end: int) -> None:
        """Check that bundles, from one number to before another, have the leaves of their tiles.

        Raises:
            RefusedError: one has not.
        """
        for number in range(first, end):
            bundle, raw = self._tile(None, number), self._read(self._tile(0, number))
            for at, entry in enumerate(self._bundle(number)):
                stands = raw[at * HASH_BYTES : (at + 1) * HASH_BYTES]
                given = leaf_hash(entry.decode("utf-8", "replace"))
                if stands != given:
                    place = f"{bundle.path} leaf {number * FULL + at}"
                    raise RefusedError(log_finding("log_damaged", place, stands.hex(), given.hex()))

    def _check_above(self, index: int) -> None:
        """Check the hash that each tile above has for the full tile below it, as a leaf leads up.

        A proof computes these hashes and reads none of them.
        """
        for level in range(TILE_LEVELS, self.size.bit_length(), TILE_LEVELS):
            at = index >> level
            if at + 1 > self.size >> level:
                return
            given = hash_node(self._node(level - 1, 2 * at), self._node(level - 1, 2 * at + 1))
            stands = self._node(level, at)
            if stands != given:
                upper, number = level // TILE_LEVELS, at // FULL
                width = min(FULL, (self.size >> level) - number * FULL)
                tile = Tile(level=upper, index=number, width=width)
                place = f"{tile.path} hash {at % FULL}"
                raise RefusedError(log_finding("log_damaged", place, given.hex(), stands.hex()))

    def root_with(self, hashed: bytes, index: int, size: int) -> bytes:
        """Return the root at `size` that a leaf and the tiles beside its way give.

        Source: RFC 9162 §2.1.3.2.
        """
        return root_by_inclusion(hashed, index, size, inclusion_path(index, size, self._node))

    def root_at(self, size: int) -> bytes:
        """Return the root over the first `size` leaves, as the tiles have it."""
        return CompactRange.from_nodes(size, self._node).root()

    def consistency(self, old: int) -> tuple[bytes, ...]:
        """Return the proof that the log begins with its first `old` leaves."""
        return consistency_path(old, self.size, self._node)

    def _tile(self, level: int | None, number: int) -> Tile:
        return Tile(level=level, index=number, width=min(FULL, self.size - number * FULL))

    def _read(self, tile: Tile) -> bytes:
        try:
            raw = self._folder.read_tile(tile)
            if tile.level is not None and len(raw) != tile.width * HASH_BYTES:
                parse_hash_tile(raw, tile)  # to say what is wrong
        except ProvenanceError as fault:
            raise _damaged(tile, "hashes", fault) from fault
        return raw

    def _parse_bundle(self, number: int) -> tuple[bytes, ...]:
        tile = self._tile(None, number)
        try:
            return parse_bundle(self._read(tile), tile)
        except ProvenanceError as fault:
            raise _damaged(tile, "leaves", fault) from fault


def _damaged(tile: Tile, what: str, fault: ProvenanceError) -> RefusedError:
    return RefusedError(log_finding("log_damaged", tile.path, f"{tile.width} {what}", fault))
