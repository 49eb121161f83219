"""Lay a log out in tiles: names, contents, growth, and node hashes read back. Opens no file.

A tile holds up to 256 hashes of one level of the tree, an entry bundle up to 256 entries. Once full
neither changes, so a log is a folder of plain files. Where tiles come from is the caller's matter.

Source: C2SP tlog-tiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from provenance.errors import LogFormatError, UsageError
from provenance.log.merkle import fold, hash_leaf
from provenance.log.strict import HASH_BYTES, MAX_SIZE, shown

FULL = 256
"""Hashes in a full tile, entries in a full bundle."""

MAX_ENTRY_BYTES = 0xFFFF
"""The longest entry that a bundle's uint16 length can tell."""

TILE_LEVELS = 8
"""Levels of the tree in one tile: 256 is 2^8."""

_MAX_LEVEL = 63
_PATH = re.compile(
    r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])"
    r"/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?\Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One tile of hashes or, where `level` is None, one bundle of entries.

    `level` is the tile's, 0 for leaf hashes; `index` counts tiles of the level from 0; `width` is
    the number of hashes or entries, 1 to 256.

    Raises:
        UsageError: no log has such a tile.

    Source: C2SP tlog-tiles, Merkle Tree and Log entries.

    >>> Tile(level=0, index=1234067).path
    'tile/0/x001/x234/067'
    >>> Tile(level=None, index=273, width=112).path
    'tile/entries/273.p/112'
    """

    level: int | None
    index: int
    width: int = FULL

    def __post_init__(self) -> None:
        if self.level is not None and not 0 <= self.level <= _MAX_LEVEL:
            raise UsageError("no tile", expected="a level from 0 to 63", found=str(self.level))
        if not 0 <= self.index <= MAX_SIZE:
            raise UsageError(
                "no tile", expected=f"an index from 0 to {MAX_SIZE}", found=str(self.index)
            )
        if not 1 <= self.width <= FULL:
            raise UsageError("no tile", expected="a width from 1 to 256", found=str(self.width))

    @property
    def path(self) -> str:
        """The path below the log's prefix, `tile/<L>/<N>[.p/<W>]`, with `/` between its parts."""
        digits = str(self.index)
        digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = "entries" if self.level is None else str(self.level)
        return f"tile/{level}/{number}" + ("" if self.is_full else f".p/{self.width}")

    @property
    def is_full(self) -> bool:
        """Whether it never changes any more."""
        return self.width == FULL

    @property
    def full(self) -> Tile:
        """The full tile that this one is, or grows into."""
        return replace(self, width=FULL)


ReadTile = Callable[[Tile], bytes]
"""Returns the bytes of a tile or bundle, exactly of the width asked for."""


def parse_tile_path(path: str) -> Tile:
    """Return the tile or bundle that a path below the log's prefix names.

    Raises:
        LogFormatError: it names none, or not in the one way in which it is written.

    Source: C2SP tlog-tiles, Merkle Tree: `<L>`, `<N>` and `.p/<W>`.
    """
    if match := _PATH.match(path):
        level, number, width = match.groups()
        index = int(number.replace("/", "").replace("x", ""))
        if index <= MAX_SIZE and (width is None or int(width) < FULL):
            tile = Tile(
                level=None if level == "entries" else int(level),
                index=index,
                width=FULL if width is None else int(width),
            )
            if tile.path == path:  # a leading group x000 would be a second spelling
                return tile
    raise LogFormatError(
        "not the path of a tile",
        expected="tile/<level>/<index> or tile/entries/<index>, with .p/<width> if partial",
        found=shown(path),
    )


def tiles_between(old: int, new: int) -> Iterator[Tile]:
    """Yield each tile and bundle of the tree of `new` leaves that the tree of `old` leaves lacks.

    Bundles come first, then hash tiles by level: written in this order, none refers to what is not
    there. From 0, these are all tiles of the tree.

    Raises:
        UsageError: `old` is larger than `new`.

    Source: C2SP tlog-tiles, Partial Tiles.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise UsageError(
            "a log does not shrink", expected=f"a size from {old} to {MAX_SIZE}", found=str(new)
        )
    yield from _grown(None, old, new)
    level = 0
    while old < new:
        yield from _grown(level, old, new)
        old, new, level = old // FULL, new // FULL, level + 1


def partial_tiles(size: int) -> Iterator[Tile]:
    """Yield the partial tiles and bundle of the tree of `size` leaves.

    Each may be deleted once its `full` tile is there.

    Source: C2SP tlog-tiles, Partial Tiles: floor(s / 256^l) mod 256 entries.
    """
    if size % FULL:
        yield Tile(level=None, index=size // FULL, width=size % FULL)
    level = 0
    while size:
        if size % FULL:
            yield Tile(level=level, index=size // FULL, width=size % FULL)
        size, level = size // FULL, level + 1


def grow(size: int, entries: Sequence[bytes], read: ReadTile) -> Iterator[tuple[Tile, bytes]]:
    """Yield what to write when `entries` are appended to a log of `size` leaves: tile and bytes.

    The tiles are those of `tiles_between`. `read` is asked for partial tiles of the old tree.

    Raises:
        LogFormatError: an entry is too long, or an old tile is not of its form.
    """
    if not entries:
        return
    old = _old_part(None, size, read)
    for tile, chunk in _filled(None, size, [*old, *entries]):
        yield tile, format_bundle(chunk)
    level, added = 0, [hash_leaf(entry) for entry in entries]
    while added:
        hashes = [*_old_part(level, size, read), *added]
        added = []
        for tile, chunk in _filled(level, size, hashes):
            yield tile, b"".join(chunk)
            if tile.is_full:
                added.append(fold(chunk))
        size, level = size // FULL, level + 1


def parse_hash_tile(raw: bytes, tile: Tile) -> tuple[bytes, ...]:
    """Return the hashes of a tile, 32 bytes each.

    Raises:
        LogFormatError: it does not hold exactly `tile.width` hashes.

    Source: C2SP tlog-tiles, Merkle Tree.
    """
    if len(raw) != tile.width * HASH_BYTES:
        raise LogFormatError(
            "not the tile of its name",
            where=tile.path,
            expected=f"{tile.width * HASH_BYTES} bytes",
            found=f"{len(raw)} bytes",
            hint="Restore the file from a copy.",
        )
    return tuple(raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES))


def parse_bundle(raw: bytes, tile: Tile) -> tuple[bytes, ...]:
    """Return the entries of a bundle.

    Raises:
        LogFormatError: it does not hold exactly `tile.width` entries, or more than them.

    Source: C2SP tlog-tiles, Log entries: big-endian uint16 length-prefixed.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(raw) and len(entries) < tile.width:
        begin = at + 2
        at = begin + int.from_bytes(raw[at:begin], "big")
        if at > len(raw):
            break
        entries.append(raw[begin:at])
    if at != len(raw) or len(entries) != tile.width:
        raise LogFormatError(
            "not the bundle of its name",
            where=tile.path,
            expected=f"{tile.width} whole entries and no more",
            found=f"{len(entries)} in {len(raw)} bytes",
            hint="Restore the file from a copy.",
        )
    return tuple(entries)


def format_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the bytes of a bundle.

    Raises:
        LogFormatError: an entry is longer than 65,535 bytes.

    Source: C2SP tlog-tiles, Log entries.
    """
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise LogFormatError(
                "the entry is too long for the log",
                expected=f"at most {MAX_ENTRY_BYTES} bytes",
                found=f"{len(entry)} bytes",
            )
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def cut(raw: bytes, tile: Tile) -> bytes:
    """Return the bytes of a partial tile or bundle out of those of the full one it grew into.

    Raises:
        LogFormatError: the full one is not of its form.

    Source: C2SP tlog-tiles, Partial Tiles: a partial one may be gone once the full one is there.
    """
    if tile.level is None:
        return format_bundle(parse_bundle(raw, tile.full)[: tile.width])
    return b"".join(parse_hash_tile(raw, tile.full)[: tile.width])


class StoredHashes:
    """Read node hashes of the tree of `size` leaves out of its tiles: a `merkle.NodeReader`.

    What tiles say is not checked against any root here; a proof made of them is worth what
    verifying it gives. The 64 tiles read last are kept.
    """

    def __init__(self, size: int, read: ReadTile) -> None:
        self._size = size
        self._tile = lru_cache(maxsize=64)(lambda tile: parse_hash_tile(read(tile), tile))

    def __call__(self, level: int, index: int) -> bytes:
        """Return the hash over the leaves from index · 2^level, 2^level of them.

        Raises:
            UsageError: the tree has no such complete subtree.
            LogFormatError: a tile is not of its form.
        """
        if level < 0 or index < 0 or (index + 1) << level > self._size:
            raise UsageError(
                "no complete subtree",
                expected=f"one within {self._size} leaves",
                found=f"level {level}, index {index}",
            )
        tile_level, height = divmod(level, TILE_LEVELS)
        number, offset = divmod(index << height, FULL)
        width = min(FULL, (self._size >> level - height) - number * FULL)
        hashes = self._tile(Tile(level=tile_level, index=number, width=width))
        return fold(hashes[offset : offset + (1 << height)])


def entry_at(index: int, size: int, read: ReadTile) -> bytes:
    """Return entry `index`, counted from 0, of a log of `size` leaves.

    Raises:
        UsageError: there is no such entry.
        LogFormatError: its bundle is not of its form.
    """
    if not 0 <= index < size:
        raise UsageError(
            "no such entry", expected=f"an index from 0 to below {size}", found=str(index)
        )
    number = index // FULL
    tile = Tile(level=None, index=number, width=min(FULL, size - number * FULL))
    return parse_bundle(read(tile), tile)[index % FULL]


def _grown(level: int | None, old: int, new: int) -> Iterator[Tile]:
    """Yield the tiles of a level whose number of hashes goes from `old` to `new`."""
    if old < new:
        for index in range(old // FULL, -(-new // FULL)):
            yield Tile(level=level, index=index, width=min(FULL, new - index * FULL))


def _old_part(level: int | None, count: int, read: ReadTile) -> Sequence[bytes]:
    """Return what the last, partial tile of a level holds; nothing where there is none."""
    if not count % FULL:
        return ()
    tile = Tile(level=level, index=count // FULL, width=count % FULL)
    return (parse_bundle if level is None else parse_hash_tile)(read(tile), tile)


def _filled(
    level: int | None, old: int, values: Sequence[bytes]
) -> Iterator[tuple[Tile, Sequence[bytes]]]:
    """Yield each new tile of a level with its values; `values` begin where its first tile does."""
    first = old // FULL
    for tile in _grown(level, old, first * FULL + len(values)):
        begin = (tile.index - first) * FULL
        yield tile, values[begin : begin + tile.width]
