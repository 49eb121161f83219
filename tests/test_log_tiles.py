"""The tiles of the log: their names, what is in them, how they grow, and hashes read back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import LogFormatError, UsageError
from provenance.log.merkle import (
    CompactRange,
    consistency_path,
    hash_leaf,
    inclusion_path,
    verify_consistency,
    verify_inclusion,
)
from provenance.log.tiles import (
    StoredHashes,
    Tile,
    cut,
    entry_at,
    format_bundle,
    grow,
    parse_bundle,
    parse_hash_tile,
    parse_tile_path,
    partial_tiles,
    tiles_between,
)

LEVELS = st.one_of(st.none(), st.integers(0, 63))
TILES = st.builds(
    lambda level, index, width: Tile(level=level, index=index, width=width),
    LEVELS,
    st.one_of(st.integers(0, 2000), st.integers(0, 2**63 - 1)),
    st.integers(1, 256),
)


class Store:
    """A log's folder, in memory: what `grow` says, under the paths of the tiles."""

    def __init__(self) -> None:
        self.size = 0
        self.files: dict[str, bytes] = {}

    def read(self, tile: Tile) -> bytes:
        return self.files[tile.path]

    def append(self, entries: Sequence[bytes]) -> list[Tile]:
        written = []
        for tile, raw in grow(self.size, entries, self.read):
            assert self.files.setdefault(tile.path, raw) == raw
            written.append(tile)
        self.size += len(entries)
        return written


def entries_of(start: int, end: int) -> list[bytes]:
    return [f"entry {number}\n".encode() for number in range(start, end)]


def head_of(entries: Sequence[bytes]) -> CompactRange:
    head = CompactRange()
    for entry in entries:
        head.append(hash_leaf(entry))
    return head


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(level=0, index=0), "tile/0/000"),
        (Tile(level=0, index=999), "tile/0/999"),
        (Tile(level=0, index=1000), "tile/0/x001/000"),
        (Tile(level=1, index=1234067), "tile/1/x001/x234/067"),
        (Tile(level=63, index=1234067, width=1), "tile/63/x001/x234/067.p/1"),
        (Tile(level=0, index=273, width=112), "tile/0/273.p/112"),
        (Tile(level=None, index=0), "tile/entries/000"),
        (Tile(level=None, index=1234067, width=255), "tile/entries/x001/x234/067.p/255"),
        (
            Tile(level=0, index=2**63 - 1),
            "tile/0/x009/x223/x372/x036/x854/x775/807",
        ),
    ],
)
def test_paths_of_tiles(tile: Tile, path: str) -> None:
    """Three digits to a part, all but the last with an x: the form of C2SP tlog-tiles."""
    assert tile.path == path
    assert parse_tile_path(path) == tile


@given(TILES)
def test_a_path_gives_its_tile_again(tile: Tile) -> None:
    """parse ∘ format is the identity."""
    assert parse_tile_path(tile.path) == tile
    assert tile.full.is_full


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/x000/001",  # 001 has one spelling
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/x001/x002",
        "tile/0/X001/002",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/data/000",
        "tile/8/0/000",
        "tile/entries",
        "tile/entries/0",
        "tile/Entries/000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/1000",
        "tile/0/000.p/1/",
        "tile/0/000.p/-1",
        "tile/0/000/p/1",
        "tile/0/000\n",
        "tile/0/000 ",
        " tile/0/000",
        "/tile/0/000",
        "./tile/0/000",
        "tile//000",
        "tile/0/../0/000",
        "tile/0/000.p/../000",
        "tile\\0\\000",
        "checkpoint",
        "tile/0/x009/x223/x372/x036/x854/x775/808",  # 2^63
        "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
        "tile/٠/000",  # a digit, but not of ASCII
        "tile/0/٠٠٠",
        "tile/0/000.p/١",
    ],
)
def test_any_other_path_is_refused(path: str) -> None:
    """A path that is not of the one form names no tile, so none leads out of the log's folder."""
    with pytest.raises(LogFormatError, match="not the path of a tile"):
        parse_tile_path(path)


@given(st.text(alphabet="tile/xp.0123459 -entries", max_size=40))
def test_what_is_taken_for_a_path_is_its_tile_s_path(text: str) -> None:
    """Whatever is accepted is written back the same."""
    try:
        tile = parse_tile_path(f"tile/{text}")
    except LogFormatError:
        return
    assert tile.path == f"tile/{text}"


@pytest.mark.parametrize(
    "fields",
    [
        {"level": -1, "index": 0},
        {"level": 64, "index": 0},
        {"level": 0, "index": -1},
        {"level": 0, "index": 2**63},
        {"level": 0, "index": 0, "width": 0},
        {"level": None, "index": 0, "width": 257},
    ],
)
def test_no_such_tile(fields: dict[str, int]) -> None:
    """A tile that no log has cannot be named."""
    with pytest.raises(UsageError, match="no tile"):
        Tile(**fields)


def test_the_tiles_of_seventy_thousand_leaves() -> None:
    """The example of C2SP tlog-tiles, Partial Tiles."""
    tiles = list(tiles_between(0, 70_000))
    for level in (None, 0):
        of_level = [tile for tile in tiles if tile.level == level]
        assert [tile.width for tile in of_level] == [256] * 273 + [112]
        assert [tile.index for tile in of_level] == list(range(274))
    assert [tile.path for tile in tiles[548:]] == [
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert list(partial_tiles(70_000)) == [tile for tile in tiles if not tile.is_full]


def test_the_tiles_of_256_leaves() -> None:
    """A full tile, and a partial one above it: the other example."""
    paths = [tile.path for tile in tiles_between(0, 256)]
    assert paths == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        (0, 0, []),
        (7, 7, []),
        (0, 1, ["tile/entries/000.p/1", "tile/0/000.p/1"]),
        (3, 5, ["tile/entries/000.p/5", "tile/0/000.p/5"]),
        (255, 256, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]),
        (256, 257, ["tile/entries/001.p/1", "tile/0/001.p/1"]),
        (
            500,
            520,
            [
                *("tile/entries/001", "tile/entries/002.p/8"),
                *("tile/0/001", "tile/0/002.p/8", "tile/1/000.p/2"),
            ],
        ),
    ],
)
def test_which_tiles_a_growth_changes(old: int, new: int, paths: list[str]) -> None:
    """Bundles first, then hash tiles by level, and no tile that stays as it was."""
    assert [tile.path for tile in tiles_between(old, new)] == paths


def test_a_log_does_not_shrink() -> None:
    """Growth to fewer leaves is refused."""
    with pytest.raises(UsageError, match="does not shrink"):
        list(tiles_between(5, 4))


@given(st.lists(st.integers(0, 700), min_size=1, max_size=4))
def test_growth_in_steps_gives_the_tiles_of_growth_at_once(steps: list[int]) -> None:
    """What is written is what changed; every tile, old or new, is that of its tree."""
    store, reached = Store(), 0
    for step in steps:
        written = store.append(entries_of(reached, reached + step))
        assert written == list(tiles_between(reached, reached + step))
        reached += step
    once = Store()
    once.append(entries_of(0, reached))
    assert {path: store.files[path] for path in once.files} == once.files
    assert set(once.files) == {tile.path for tile in tiles_between(0, reached)}


def test_tiles_hold_the_hashes_of_the_specification() -> None:
    """MTH(D[(n · 256 + i) · 256^l : (n · 256 + i + 1) · 256^l]), and entries that hash to them."""
    entries = entries_of(0, 1000)
    store = Store()
    store.append(entries)
    for tile in tiles_between(0, 1000):
        raw = store.read(tile)
        span = 1 if tile.level is None else 256**tile.level
        for number in range(tile.width):
            start = (tile.index * 256 + number) * span
            if tile.level is None:
                assert parse_bundle(raw, tile)[number] == entries[start]
            else:
                expected = head_of(entries[start : start + span]).root()
                assert parse_hash_tile(raw, tile)[number] == expected


def test_three_levels_of_tiles() -> None:
    """A tree past 65,536 leaves: root and proofs out of its tiles."""
    entries = entries_of(0, 65_536 + 300)
    store = Store()
    store.append(entries)
    head = head_of(entries)
    read = StoredHashes(store.size, store.read)
    assert CompactRange.from_nodes(store.size, read).root() == head.root()
    assert store.files["tile/2/000.p/1"] == head.hashes[0]
    for index in (0, 255, 256, 65_535, 65_536, store.size - 1):
        proof = inclusion_path(index, store.size, read)
        verify_inclusion(hash_leaf(entries[index]), index, store.size, proof, head.root())
        assert entry_at(index, store.size, store.read) == entries[index]
    old = 65_300
    verify_consistency(
        old,
        store.size,
        consistency_path(old, store.size, read),
        head_of(entries[:old]).root(),
        head.root(),
    )


@given(st.integers(1, 1500), st.data())
def test_proofs_out_of_tiles_verify(size: int, data: st.DataObject) -> None:
    """For any size: the root, an inclusion proof and a consistency proof."""
    entries = entries_of(0, size)
    store = Store()
    store.append(entries)
    read = StoredHashes(size, store.read)
    root = CompactRange.from_nodes(size, read).root()
    assert root == head_of(entries).root()
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    leaf = hash_leaf(entry_at(index, size, store.read))
    verify_inclusion(leaf, index, size, inclusion_path(index, size, read), root)
    old_root = head_of(entries[:old]).root()
    verify_consistency(old, size, consistency_path(old, size, read), old_root, root)


@pytest.mark.parametrize(("level", "index"), [(-1, 0), (0, -1), (0, 10), (3, 1), (4, 0)])
def test_only_complete_subtrees_are_stored(level: int, index: int) -> None:
    """A subtree that the tree has not, or not whole, has no stored hash."""
    store = Store()
    store.append(entries_of(0, 10))
    with pytest.raises(UsageError, match="no complete subtree"):
        StoredHashes(10, store.read)(level, index)
    with pytest.raises(UsageError, match="no such entry"):
        entry_at(10, 10, store.read)


@given(st.integers(1, 256), st.integers(-64, 64))
def test_a_tile_of_another_length_is_refused(width: int, change: int) -> None:
    """A tile that was cut, or holds more than its name says, is refused, and named."""
    tile = Tile(level=0, index=1, width=width)
    raw = bytes(max(0, width * 32 + change))
    if change:
        with pytest.raises(LogFormatError, match=f"{tile.path}: not the tile"):
            parse_hash_tile(raw, tile)
    else:
        assert parse_hash_tile(raw, tile) == (bytes(32),) * width


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
def test_a_bundle_gives_its_entries_again(entries: list[bytes]) -> None:
    """parse ∘ format is the identity; lengths are big-endian uint16."""
    raw = format_bundle(entries)
    tile = Tile(level=None, index=0, width=len(entries))
    assert list(parse_bundle(raw, tile)) == entries
    assert raw[:2] == len(entries[0]).to_bytes(2, "big")


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=9), st.data())
def test_a_bundle_that_was_cut_or_added_to_is_refused(
    entries: list[bytes], data: st.DataObject
) -> None:
    """Too short, too long, or of another number of entries: refused, and named."""
    raw = format_bundle(entries)
    tile = Tile(level=None, index=2, width=len(entries))
    shorter = raw[: data.draw(st.integers(0, len(raw) - 1))]
    longer = raw + data.draw(st.binary(min_size=1, max_size=9))
    for altered in (shorter, longer):
        with pytest.raises(LogFormatError, match=f"{tile.path}: not the bundle"):
            parse_bundle(altered, tile)


def test_the_longest_entry() -> None:
    """65,535 bytes fit into a bundle, and no more."""
    longest = bytes(65_535)
    tile = Tile(level=None, index=0, width=1)
    assert parse_bundle(format_bundle([longest]), tile) == (longest,)
    with pytest.raises(LogFormatError, match="too long"):
        format_bundle([longest + b"\0"])
    with pytest.raises(LogFormatError, match="too long"):
        Store().append([longest + b"\0"])


def test_a_full_tile_stands_in_for_a_partial_one() -> None:
    """What a partial tile or bundle held is the beginning of the full one."""
    before, after = Store(), Store()
    before.append(entries_of(0, 200))
    after.append(entries_of(0, 256))
    for tile in partial_tiles(200):
        assert cut(after.read(tile.full), tile) == before.read(tile)
    with pytest.raises(LogFormatError):
        cut(bytes(32), Tile(level=0, index=0, width=1))


def test_a_tile_s_bytes_are_its_hashes_one_after_the_other() -> None:
    """Nothing but hashes: a tile of three can be made by hand."""
    store = Store()
    store.append([b"a", b"b", b"c"])
    by_hand = b"".join(hashlib.sha256(b"\0" + each).digest() for each in (b"a", b"b", b"c"))
    assert store.files["tile/0/000.p/3"] == by_hand
    assert store.files["tile/entries/000.p/3"] == b"\0\1a\0\1b\0\1c"
