"""The Merkle tree of the log, against RFC 6962 written out, and against its published vectors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provenance.errors import LogFormatError, ProofError, UsageError
from provenance.log.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_path,
    hash_leaf,
    hash_node,
    inclusion_path,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).parents[2] / "shared/corpora/other/tlog/rfc6962-merkle-vectors.json"
LARGEST = 300

ENTRIES = tuple(
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                 "606162636465666768696a6b6c6d6e6f")
)  # fmt: skip
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The trees of 0 to 8 leaves that implementations of RFC 6962 share, from the CT project."""


# RFC 6962 §2.1, word by word, over ranges D[start:end] of the leaves "0", "1", "2", ...


def k_of(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


@cache
def mth(start: int, end: int) -> bytes:
    """MTH(D[start:end])."""
    n = end - start
    if n == 0:
        return hashlib.sha256().digest()
    if n == 1:
        return hashlib.sha256(b"\x00" + str(start).encode()).digest()
    k = k_of(n)
    return hashlib.sha256(b"\x01" + mth(start, start + k) + mth(start + k, end)).digest()


def path(m: int, start: int, end: int) -> list[bytes]:
    """PATH(m, D[start:end]), RFC 6962 §2.1.1."""
    n = end - start
    if n == 1:
        return []
    k = k_of(n)
    if m < k:
        return [*path(m, start, start + k), mth(start + k, end)]
    return [*path(m - k, start + k, end), mth(start, start + k)]


def subproof(m: int, start: int, end: int, b: bool) -> list[bytes]:
    """SUBPROOF(m, D[start:end], b), RFC 6962 §2.1.2."""
    n = end - start
    if m == n:
        return [] if b else [mth(start, end)]
    k = k_of(n)
    if m <= k:
        return [*subproof(m, start, start + k, b), mth(start + k, end)]
    return [*subproof(m - k, start + k, end, False), mth(start, start + k)]


def sides(m: int, n: int) -> list[str]:
    """On which side of the path each value of PATH(m, D[n]) stands."""
    if n == 1:
        return []
    k = k_of(n)
    return [*sides(m, k), "right"] if m < k else [*sides(m - k, n - k), "left"]


def shape(m: int, n: int, b: bool) -> list[str]:
    """On which side each value of SUBPROOF(m, D[n], b) stands, the first one's apart."""
    if m == n:
        return [] if b else ["start"]
    k = k_of(n)
    return [*shape(m, k, b), "right"] if m <= k else [*shape(m - k, n - k, False), "left"]


def read(level: int, index: int) -> bytes:
    """Give node hashes as a store would: of complete subtrees only."""
    return mth(index << level, (index + 1) << level)


def head_of(leaf_hashes: Sequence[bytes]) -> CompactRange:
    head = CompactRange()
    for each in leaf_hashes:
        head.append(each)
    return head


def test_the_known_trees_have_their_known_roots() -> None:
    """The eight entries of the CT project give its nine roots."""
    head = CompactRange()
    assert EMPTY_ROOT.hex() == ROOTS[0]
    assert head.root().hex() == ROOTS[0]
    for size, entry in enumerate(ENTRIES, 1):
        head.append(hash_leaf(entry))
        assert (head.size, head.root().hex()) == (size, ROOTS[size])


def test_leaves_and_nodes_cannot_stand_for_each_other() -> None:
    """The prefixes 0x00 and 0x01 keep an entry from being taken for two subtrees."""
    left, right = hash_leaf(b"a"), hash_leaf(b"b")
    assert hash_leaf(left + right) != hash_node(left, right)
    assert hash_leaf(b"\x01" + left + right) != hash_node(left, right)


def vectors() -> dict[str, Any]:
    if not VECTORS.is_file():
        pytest.skip("no shared corpora beside the checkout")
    found: dict[str, Any] = json.loads(VECTORS.read_text("utf-8"))
    return found


def test_the_published_leaves_and_roots() -> None:
    """Leaf hashes and roots are those of transparency-dev/merkle."""
    given_by = vectors()
    hashes = [hash_leaf(bytes.fromhex(each)) for each in given_by["leaf_inputs_hex"]]
    assert [each.hex() for each in hashes] == given_by["leaf_hashes"]
    for size, root in given_by["root_hash_by_size"].items():
        assert head_of(hashes[: int(size)]).root().hex() == root


def test_the_published_inclusion_proofs() -> None:
    """Its inclusion proofs verify, and are those made here."""
    given_by = vectors()
    hashes = [bytes.fromhex(each) for each in given_by["leaf_hashes"]]
    checked = 0
    for each in given_by["inclusion"]:
        index, size = each["leaf_index_1based"] - 1, each["tree_size"]
        if size == 0:  # the source's trivial case: there is nothing to prove
            with pytest.raises(UsageError):
                inclusion_path(index, size, of(hashes))
            continue
        proof = tuple(map(bytes.fromhex, each["proof"]))
        verify_inclusion(hashes[index], index, size, proof, head_of(hashes[:size]).root())
        assert inclusion_path(index, size, of(hashes)) == proof
        checked += 1
    assert checked == 3


def test_the_published_consistency_proofs() -> None:
    """Its consistency proofs verify, and are those made here."""
    given_by = vectors()
    hashes = [bytes.fromhex(each) for each in given_by["leaf_hashes"]]
    for each in given_by["consistency"]:
        old, new = each["size1"], each["size2"]
        proof = tuple(map(bytes.fromhex, each["proof"]))
        roots = [head_of(hashes[:size]).root() for size in (old, new)]
        verify_consistency(old, new, proof, *roots)
        assert consistency_path(old, new, of(hashes)) == proof
    assert len(given_by["consistency"]) == 3


def of(hashes: Sequence[bytes]) -> Callable[[int, int], bytes]:
    """Return a reader of node hashes over these leaf hashes."""

    def read_node(level: int, index: int) -> bytes:
        return head_of(hashes[index << level : (index + 1) << level]).root()

    return read_node


def test_heads_of_all_sizes() -> None:
    """Sizes 0 to 300: the compact range, appended to and read from nodes, gives MTH."""
    head = CompactRange()
    for size in range(LARGEST + 1):
        assert head.root() == mth(0, size)
        assert len(head.hashes) == size.bit_count()
        again = CompactRange.from_nodes(size, read)
        assert (again.hashes, again.root()) == (head.hashes, head.root())
        head.append(mth(size, size + 1))


def test_inclusion_of_every_leaf_in_all_sizes() -> None:
    """Sizes 1 to 300, every leaf: the proof is PATH of the RFC, and verifies."""
    for size in range(1, LARGEST + 1):
        root = mth(0, size)
        for index in range(size):
            proof = inclusion_path(index, size, read)
            assert list(proof) == path(index, 0, size)
            verify_inclusion(mth(index, index + 1), index, size, proof, root)


def test_consistency_of_all_pairs_of_sizes() -> None:
    """Sizes 1 to 300, every older size: the proof is PROOF of the RFC, and verifies."""
    for new in range(1, LARGEST + 1):
        for old in range(1, new + 1):
            proof = consistency_path(old, new, read)
            assert list(proof) == subproof(old, 0, new, True)
            verify_consistency(old, new, proof, mth(0, old), mth(0, new))


def test_every_tree_begins_with_the_empty_one() -> None:
    """From size 0 nothing is proved, and only the root of the empty tree will do."""
    assert consistency_path(0, 7, read) == ()
    verify_consistency(0, 7, (), EMPTY_ROOT, mth(0, 7))
    verify_consistency(0, 0, (), EMPTY_ROOT, EMPTY_ROOT)
    with pytest.raises(ProofError):
        verify_consistency(0, 7, (), mth(0, 1), mth(0, 7))
    with pytest.raises(ProofError):
        verify_consistency(0, 7, (mth(0, 1),), EMPTY_ROOT, mth(0, 7))


def test_one_size_is_one_tree() -> None:
    """Two roots of one size are a fork, whatever is given as proof."""
    with pytest.raises(ProofError, match="another root"):
        verify_consistency(5, 5, (), mth(0, 5), mth(1, 6))
    with pytest.raises(ProofError):
        verify_consistency(5, 5, (mth(0, 1),), mth(0, 5), mth(0, 5))


SIZES = st.integers(1, LARGEST)


@st.composite
def inclusions(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(SIZES)
    return draw(st.integers(0, size - 1)), size


@st.composite
def growths(draw: st.DrawFn) -> tuple[int, int]:
    new = draw(st.integers(2, LARGEST))
    return draw(st.integers(1, new - 1)), new


def flipped(draw: Callable[[st.SearchStrategy[int]], int], raw: bytes) -> bytes:
    bit = draw(st.integers(0, len(raw) * 8 - 1))
    return (int.from_bytes(raw, "big") ^ 1 << bit).to_bytes(len(raw), "big")


@given(inclusions(), st.data())
def test_no_altered_inclusion_verifies(at: tuple[int, int], data: st.DataObject) -> None:
    """One bit of leaf, root or any hash of the proof changed: refused."""
    index, size = at
    parts = [mth(index, index + 1), mth(0, size), *inclusion_path(index, size, read)]
    chosen = data.draw(st.integers(0, len(parts) - 1))
    parts[chosen] = flipped(data.draw, parts[chosen])
    leaf, root, *proof = parts
    with pytest.raises(ProofError):
        verify_inclusion(leaf, index, size, proof, root)


@given(inclusions(), st.integers(-2, LARGEST + 2))
def test_no_leaf_is_included_at_another_index(at: tuple[int, int], other: int) -> None:
    """A proof for one index is none for another in the same tree."""
    index, size = at
    assume(other != index)
    with pytest.raises(ProofError):
        verify_inclusion(
            mth(index, index + 1), other, size, inclusion_path(index, size, read), mth(0, size)
        )


@given(inclusions(), st.integers(-2, LARGEST + 200))
def test_another_size_is_refused_unless_the_way_up_is_the_same(
    at: tuple[int, int], other: int
) -> None:
    """The proof shows the way from leaf to root, and no more of the tree's size than that.

    So a size of which the leaf's way is the same is not told apart here; the signed checkpoint
    binds size and root (see the tests of proofs).
    """
    index, size = at
    assume(other != size)
    proof, root = inclusion_path(index, size, read), mth(0, size)
    if other > index and sides(index, other) == sides(index, size):
        verify_inclusion(mth(index, index + 1), index, other, proof, root)
    else:
        with pytest.raises(ProofError):
            verify_inclusion(mth(index, index + 1), index, other, proof, root)


@given(inclusions(), st.data())
def test_no_shorter_or_longer_inclusion_proof_verifies(
    at: tuple[int, int], data: st.DataObject
) -> None:
    """A hash dropped, repeated, added or moved: refused."""
    index, size = at
    leaf, root = mth(index, index + 1), mth(0, size)
    for altered in rearranged(inclusion_path(index, size, read), data):
        with pytest.raises(ProofError):
            verify_inclusion(leaf, index, size, altered, root)


def rearranged(proof: Sequence[bytes], data: st.DataObject) -> list[list[bytes]]:
    """Return the proof with a hash added at any place, dropped, or two neighbours exchanged."""
    place = data.draw(st.integers(0, len(proof)))
    added = data.draw(st.one_of(st.binary(min_size=32, max_size=32), st.sampled_from([mth(0, 1)])))
    found = [[*proof[:place], added, *proof[place:]]]
    if proof:
        gone = data.draw(st.integers(0, len(proof) - 1))
        found.append([*proof[:gone], *proof[gone + 1 :]])
    for at, (left, right) in enumerate(pairwise(proof)):
        if left != right:
            found.append([*proof[:at], right, left, *proof[at + 2 :]])
    return found


@given(growths(), st.data())
def test_no_altered_consistency_verifies(at: tuple[int, int], data: st.DataObject) -> None:
    """One bit of either root or any hash of the proof changed: refused."""
    old, new = at
    parts = [mth(0, old), mth(0, new), *consistency_path(old, new, read)]
    chosen = data.draw(st.integers(0, len(parts) - 1))
    parts[chosen] = flipped(data.draw, parts[chosen])
    old_root, new_root, *proof = parts
    with pytest.raises(ProofError):
        verify_consistency(old, new, proof, old_root, new_root)


@given(growths(), st.data())
def test_no_shorter_or_longer_consistency_proof_verifies(
    at: tuple[int, int], data: st.DataObject
) -> None:
    """A hash dropped, repeated, added or moved: refused."""
    old, new = at
    for altered in rearranged(consistency_path(old, new, read), data):
        with pytest.raises(ProofError):
            verify_consistency(old, new, altered, mth(0, old), mth(0, new))


@given(growths())
def test_a_log_that_shrank_or_was_rewritten_is_refused(at: tuple[int, int]) -> None:
    """Sizes exchanged, or a newer tree that lacks the first leaf: refused."""
    old, new = at
    proof = consistency_path(old, new, read)
    with pytest.raises(ProofError, match="smaller"):
        verify_consistency(new, old, proof, mth(0, new), mth(0, old))
    with pytest.raises(ProofError):
        verify_consistency(old, new, proof, mth(0, old), mth(1, new + 1))


def test_a_subtree_is_not_taken_for_the_tree() -> None:
    """A proof longer than the size asks for is refused, even where its hashes lead to the root."""
    for at, size in ((1, 2), (3, 4), (5, 6), (4, 5), (299, 300)):
        proof = inclusion_path(at, size, read)
        assert sides(at, size) == ["left"] * len(proof)
        for claimed in range(len(proof)):
            with pytest.raises(ProofError, match="length"):
                verify_inclusion(
                    mth(at, at + 1), (1 << claimed) - 1, 1 << claimed, proof, mth(0, size)
                )


def test_other_sizes_of_a_growth_are_refused_unless_the_proof_has_the_same_shape() -> None:
    """Sizes up to 24: a proof with its two roots, under any other pair of sizes.

    Where the shape is the same, the signed checkpoints tell the sizes apart.
    """
    pairs = [(old, new) for new in range(2, 25) for old in range(1, new)]

    def shape_of(old: int, new: int) -> tuple[bool, list[str]]:
        return old.bit_count() == 1, shape(old, new, True)

    for old, new in pairs:
        proof, roots = consistency_path(old, new, read), (mth(0, old), mth(0, new))
        for other in pairs:
            if shape_of(*other) == shape_of(old, new):
                verify_consistency(*other, proof, *roots)
            else:
                with pytest.raises(ProofError):
                    verify_consistency(*other, proof, *roots)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_what_is_no_hash_is_refused(length: int) -> None:
    """A hash of another length is refused wherever it stands."""
    good, bad = mth(0, 1), bytes(length)
    for leaf, value, root in ((bad, good, good), (good, bad, good), (good, good, bad)):
        with pytest.raises(ProofError, match="no hash"):
            verify_inclusion(leaf, 0, 2, [value], root)
        with pytest.raises(ProofError, match="no hash"):
            verify_consistency(1, 2, [value], leaf, root)
    with pytest.raises(LogFormatError, match="not a hash"):
        CompactRange(1, [bad])


def test_a_head_has_a_hash_for_each_bit_of_its_size() -> None:
    """A head that was cut, or given another size, is refused."""
    with pytest.raises(LogFormatError, match="expected 2 hashes, found 1"):
        CompactRange(3, [mth(0, 2)])
    with pytest.raises(UsageError):
        CompactRange(2**63, [mth(0, 1)])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3), (0, 2**63)])
def test_there_is_no_proof_for_what_is_not_there(index: int, size: int) -> None:
    """Index and size must be of a leaf and a tree."""
    with pytest.raises(UsageError):
        inclusion_path(index, size, read)
    with pytest.raises(ProofError):
        verify_inclusion(mth(0, 1), index, size, [], mth(0, 1))
    with pytest.raises(UsageError):
        consistency_path(5, 4, read)


def test_the_largest_tree_has_a_proof() -> None:
    """2^63 - 1 leaves: 63 hashes at most, and no arithmetic that ends before."""
    size = 2**63 - 1

    def same(level: int, index: int) -> bytes:
        assert (index + 1) << level <= size
        return hashlib.sha256(f"{level} {index}".encode()).digest()

    proof = inclusion_path(0, size, same)
    assert len(proof) == 63
    root = CompactRange.from_nodes(size, same)
    assert len(root.hashes) == 63
    assert len(consistency_path(size - 1, size, same)) <= 64
