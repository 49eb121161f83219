"""A proof out of a damaged log is not written, and the part that is damaged is named."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from provenance.digest import Digest
from provenance.errors import ProofError, ProvenanceError, UsageError
from provenance.log.checkpoint import Checkpoint, format_checkpoint, sign_checkpoint
from provenance.log.damage import damaged_parts
from provenance.log.folder import LogFolder
from provenance.log.merkle import CompactRange, hash_leaf
from provenance.log.proof import parse_proof, verify_path
from provenance.proving import consistency_with, proof_of
from provenance.runtime import system_runtime
from provenance.witness.desk import cosign_copy
from tests.cli_program import run
from tests.witness_rig import LOG, WITNESS, desk
from tests.witness_roots import asked, served, signed_root

SIZE = 256 * 3 + 44
"""Leaves of a log with two levels of tiles, both of which end in a part of one."""


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def leaf(number: int) -> bytes:
    if number == SIZE - 1:
        return f"file some.warc.gz {digest('some')} {3 * SIZE}\n".encode()
    return f"capture {digest(f'c{number}')} request {digest(f'r{number}')}\n".encode()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    metadata = tmp_path_factory.mktemp("metadata")
    folder = LogFolder(metadata)
    folder.append(0, [leaf(number) for number in range(SIZE)])
    head = Checkpoint(origin="log.example", size=SIZE, root=folder.root(SIZE))
    folder.publish(SIZE, format_checkpoint(head).encode())
    return metadata


@pytest.fixture
def metadata(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "metadata"))


def head_of(metadata: Path) -> Checkpoint:
    newest = LogFolder(metadata).newest()
    assert newest is not None
    return newest[0]


def flip(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def test_a_whole_log_has_no_damaged_part(whole: Path) -> None:
    assert damaged_parts(LogFolder(whole), head_of(whole)) == ()
    for number in (0, 255, 256, 600, SIZE - 2):
        proof = parse_proof(proof_of(whole, Digest(digest(f"c{number}"))))
        assert proof.extra == leaf(number)
        verify_path(proof, leaf(number))


PARTS = (
    "tile/entries/000",
    "tile/entries/002",
    "tile/entries/003.p/44",
    "tile/0/000",
    "tile/0/002",
    "tile/0/003.p/44",
    "tile/1/000.p/3",
)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
def test_the_damaged_part_is_named_and_no_other(metadata: Path, part: str, how: str) -> None:
    """Whichever it is; a proof that it has to do with is refused, and the others still hold."""
    path = metadata / "log" / part
    if how == "flipped":
        flip(path, 40)
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    assert damaged_parts(LogFolder(metadata), head_of(metadata)) == (part,)
    refused = 0
    for number in (0, 1, 255, 256, 512, 600, 767, 768, SIZE - 2):
        try:
            raw = proof_of(metadata, Digest(digest(f"c{number}")))
        except ProvenanceError as fault:
            assert part in str(fault)
            refused += 1
            continue
        proof = parse_proof(raw)
        verify_path(proof, leaf(number))
    assert refused


def test_every_hash_of_a_tile_counts(metadata: Path) -> None:
    """One hash is used by the proofs of its neighbours; each of them is refused or holds."""
    flip(metadata / "log" / "tile/0/001", 32 * 7)
    for number in range(256, 270):
        try:
            verify_path(parse_proof(proof_of(metadata, Digest(digest(f"c{number}")))), leaf(number))
        except ProofError as fault:
            assert "tile/0/001" in str(fault)
            assert fault.exit_code == 4


def test_two_damaged_parts_are_both_named(metadata: Path) -> None:
    flip(metadata / "log" / "tile/0/000", 3)
    flip(metadata / "log" / "tile/0/002", 3)
    found = damaged_parts(LogFolder(metadata), head_of(metadata))
    assert found == ("tile/0/000", "tile/0/002")


def test_where_nothing_is_to_go_by_both_sides_are_named(metadata: Path) -> None:
    """Leaves and tiles lead to other roots than the checkpoint's: what disagrees is told."""
    flip(metadata / "log" / "tile/entries/000", 40)
    flip(metadata / "log" / "tile/1/000.p/3", 70)
    found = damaged_parts(LogFolder(metadata), head_of(metadata))
    assert set(found) >= {"tile/entries/000", "tile/1/000.p/3"}


def test_another_checkpoint_is_named_where_the_tiles_agree(metadata: Path) -> None:
    head = head_of(metadata)
    other = Checkpoint(origin=head.origin, size=head.size, root=bytes(32))
    LogFolder(metadata).publish(SIZE, format_checkpoint(other).encode())
    assert damaged_parts(LogFolder(metadata), other) == ("checkpoint",)
    with pytest.raises(ProofError, match="checkpoint"):
        proof_of(metadata, Digest(digest("c1")))


def test_a_capture_that_a_damaged_leaf_hides_is_not_said_to_be_uncovered(metadata: Path) -> None:
    """Nor is one that is not there said to be hidden where the log is whole."""
    with pytest.raises(UsageError, match="does not cover"):
        proof_of(metadata, Digest(digest("nothing")))
    flip(metadata / "log" / "tile/entries/000", 2 + len("capture sha256:") + 3)
    with pytest.raises(ProofError, match="tile/entries/000"):
        proof_of(metadata, Digest(digest("c0")))


def test_no_file_is_written_by_the_command(tmp_path: Path) -> None:
    root = signed_root(tmp_path)
    (tile,) = (root / "metadata" / "log" / "tile" / "0").rglob("*.p/*")
    for at in range(0, tile.stat().st_size, 32):
        flip(tile, at)
    target = tmp_path / "letter.tlog-proof"
    for words in (("-o", target), ()):
        ended = run("log", "proof", "letter", *words, cwd=root)
        assert (ended.status, ended.out) == (4, "")
        assert tile.relative_to(root / "metadata" / "log").as_posix() in ended.err
    assert not target.exists()


# A damaged tile is no second history


def damaged_within(metadata: Path) -> str:
    """Damage a tile that neither the newest root nor any root at a tile's end needs."""
    flip(metadata / "log" / "tile/0/001", 5)
    flip(metadata / "log" / "tile/0/001", 32 * 200)
    return "tile/0/001"


def older(size: int) -> bytes:
    tree = CompactRange()
    for number in range(size):
        tree.append(hash_leaf(leaf(number)))
    head = Checkpoint(origin="log.example", size=size, root=tree.root())
    return format_checkpoint(head).encode()


@pytest.mark.parametrize("size", [300, 400, 511])
def test_consistency_out_of_a_damaged_log_names_the_part(metadata: Path, size: int) -> None:
    """It does not say that the log was made anew."""
    kept = older(size)
    assert consistency_with(metadata, kept, where="kept").old_size == size
    part = damaged_within(metadata)
    with pytest.raises(ProofError) as refused:
        consistency_with(metadata, kept, where="kept")
    assert part in str(refused.value)
    assert "made anew" not in str(refused.value)


def test_a_log_that_was_made_anew_is_still_said_to_be_so(metadata: Path) -> None:
    other = Checkpoint(origin="log.example", size=300, root=bytes(32))
    with pytest.raises(ProofError, match="does not begin with what this checkpoint covers"):
        consistency_with(metadata, format_checkpoint(other).encode(), where="kept")


def grow_signed(metadata: Path, old: int, size: int) -> None:
    """Add leaves to a log of `witness_rig.LOG`, and sign a checkpoint over all."""
    folder = LogFolder(metadata)
    folder.append(old, [leaf(number) for number in range(old, size)])
    head = Checkpoint(origin=LOG.name, size=size, root=folder.root(size))
    folder.publish(size, sign_checkpoint(head, [LOG]))


def test_a_witness_is_not_asked_with_a_proof_that_does_not_hold(tmp_path: Path) -> None:
    """Else it would keep it, and say that there are two histories."""
    metadata = tmp_path / "root" / "metadata"
    witness = desk(tmp_path)
    grow_signed(metadata, 0, 300)
    way = served(witness, lambda _body, reply: reply)
    assert asked(metadata.parent, way).size == 300
    grow_signed(metadata, 300, SIZE)
    part = damaged_within(metadata)
    with pytest.raises(ProofError) as refused:
        asked(metadata.parent, way)
    assert part in str(refused.value)
    for by_hand in (metadata.parent, metadata / "log"):
        with pytest.raises(ProofError) as refused:
            cosign_copy(witness.folder, WITNESS, system_runtime(), by_hand)
        assert part in str(refused.value)
    assert witness.seen() == 300
    assert not (witness.folder / "unproved").exists()
