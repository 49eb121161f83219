"""Hash leaves into a Merkle tree; make and check proofs about it. Pure: reads through a function.

The tree is the one of RFC 6962 §2.1, with SHA-256. A proof binds leaves to a root; it does not bind
the number of leaves, which a verifier takes from the same signed checkpoint as the root.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from provenance.errors import LogFormatError, ProofError, UsageError
from provenance.log.strict import HASH_BYTES, MAX_SIZE

NodeReader = Callable[[int, int], bytes]
"""Takes (level, index), returns the hash over the leaves from index · 2^level to before
(index + 1) · 2^level. Asked for complete subtrees only."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of the tree without leaves (RFC 6962 §2.1)."""

_SENT_AGAIN = "Ask for the proof again, or take it from another copy of the log."


def hash_leaf(entry: bytes) -> bytes:
    """Return the hash of one entry, 32 bytes.

    Source: RFC 6962 §2.1, MTH({d(0)}) = SHA-256(0x00 || d(0)).

    >>> hash_leaf(b"").hex()
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
    """
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the hash over two neighbouring subtrees, 32 bytes.

    Source: RFC 6962 §2.1, SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])).
    """
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over the hashes of equal, complete subtrees, as many as a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = [hash_node(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


class CompactRange:
    """Keep the head of a growing tree: the roots of its complete subtrees, the largest first.

    Their sizes are the bits set in the number of leaves, so a million leaves take 20 hashes.

    Raises:
        LogFormatError: the hashes are not those of a tree of `size` leaves.
    """

    __slots__ = ("_hashes", "_size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self._size = size
        self._hashes = list(hashes)
        _check_size(size)
        if len(self._hashes) != size.bit_count():
            raise LogFormatError(
                f"not the head of a tree of {size} leaves",
                expected=f"{size.bit_count()} hashes",
                found=f"{len(self._hashes)}",
            )
        _check_lengths(self._hashes)

    @classmethod
    def from_nodes(cls, size: int, read: NodeReader) -> CompactRange:
        """Return the head of the tree of `size` leaves whose hashes `read` gives."""
        _check_size(size)
        return cls(size, [read(level, index) for level, index in _complete(0, size)])

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, the largest first."""
        return tuple(self._hashes)

    def append(self, leaf_hash: bytes) -> None:
        """Take one more leaf, given by its hash."""
        node, size = leaf_hash, self._size
        while size & 1:
            node = hash_node(self._hashes.pop(), node)
            size >>= 1
        self._hashes.append(node)
        self._size += 1

    def root(self) -> bytes:
        """Return the Merkle tree head, 32 bytes.

        Source: RFC 6962 §2.1.
        """
        return _join(self._hashes) if self._hashes else EMPTY_ROOT


def inclusion_path(index: int, size: int, read: NodeReader) -> tuple[bytes, ...]:
    """Return the proof that leaf `index`, counted from 0, is in the tree of `size` leaves.

    The leaf's sibling comes first, the root's child last.

    Raises:
        UsageError: there is no such leaf.

    Source: RFC 6962 §2.1.1, PATH(m, D[n]).
    """
    _check_size(size)
    if not 0 <= index < size:
        raise UsageError(
            "no such leaf", expected=f"an index from 0 to below {size}", found=str(index)
        )
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_root_of(middle, end, read))
            end = middle
        else:
            path.append(_root_of(start, middle, read))
            start = middle
    return tuple(reversed(path))


def consistency_path(old: int, new: int, read: NodeReader) -> tuple[bytes, ...]:
    """Return the proof that the tree of `new` leaves begins with that of `old` leaves.

    Empty where nothing is to prove: for equal sizes, and for the empty tree.

    Raises:
        UsageError: `old` is larger than `new`.

    Source: RFC 6962 §2.1.2, PROOF(m, D[n]) and SUBPROOF(m, D[n], b).
    """
    _check_size(new)
    if not 0 <= old <= new:
        raise UsageError("no older tree", expected=f"a size from 0 to {new}", found=str(old))
    if old == 0:
        return ()
    path, start, end = [], 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_root_of(middle, end, read))
            end = middle
        else:
            path.append(_root_of(start, middle, read))
            start = middle
    if start:  # b is false: the verifier does not have this hash as the old root
        path.append(_root_of(start, end, read))
    return tuple(reversed(path))


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that the tree of `size` leaves with this root has this leaf at `index`.

    Raises:
        ProofError: it has not, or the proof is not one for this place in such a tree.

    Source: RFC 9162 §2.1.3.2.
    """
    _check_hashes(root)
    computed = root_by_inclusion(leaf_hash, index, size, path)
    _check_root("leaf and proof do not give the root of the tree", root, computed)


def root_by_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that a leaf and its proof give: what to compare with a root one trusts.

    Raises:
        ProofError: the proof is not one for this place in such a tree.

    Source: RFC 9162 §2.1.3.2, all but the comparison.
    """
    _check_hashes(leaf_hash, *path)
    if not 0 <= index < size <= MAX_SIZE:  # (1)
        raise ProofError(
            "the proof is for no leaf of the tree",
            expected=f"an index from 0 to below {size}",
            found=str(index),
            hint=_SENT_AGAIN,
        )
    at, last, computed = index, size - 1, leaf_hash  # (2), (3)
    for value in path:  # (4)
        if last == 0:
            raise _wrong_length("inclusion", len(path))
        if at & 1 or at == last:
            computed = hash_node(value, computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed = hash_node(computed, value)
        at, last = at >> 1, last >> 1
    if last:  # (5)
        raise _wrong_length("inclusion", len(path))
    return computed


def verify_consistency(
    old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the tree of `new` leaves begins with the tree of `old` leaves, given by the roots.

    Two trees of one size must be the same tree, and any tree begins with the empty one.

    Raises:
        ProofError: it does not, or the proof is not one for trees of these sizes.

    Source: RFC 9162 §2.1.4.2.
    """
    _check_hashes(old_root, new_root, *path)
    if not 0 <= old <= new <= MAX_SIZE:
        raise ProofError(
            "the tree has become smaller",
            expected=f"at least {old} leaves",
            found=str(new),
            hint="The log was cut or replaced; keep the older checkpoint as evidence.",
        )
    if old in (0, new):
        if path:
            raise _wrong_length("consistency", len(path))
        _check_root("the older tree has another root", old_root, new_root if old else EMPTY_ROOT)
        return
    if not path:  # (1)
        raise _wrong_length("consistency", 0)
    values = list(path)
    if old & (old - 1) == 0:  # (2)
        values.insert(0, old_root)
    at, last = old - 1, new - 1  # (3)
    while at & 1:  # (4)
        at, last = at >> 1, last >> 1
    old_computed = new_computed = values[0]  # (5)
    for value in values[1:]:  # (6)
        if last == 0:
            raise _wrong_length("consistency", len(path))
        if at & 1 or at == last:
            old_computed = hash_node(value, old_computed)
            new_computed = hash_node(value, new_computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new_computed = hash_node(new_computed, value)
        at, last = at >> 1, last >> 1
    if last:  # (7)
        raise _wrong_length("consistency", len(path))
    _check_root("the proof does not give the root of the older tree", old_root, old_computed)
    # Where `old` is a power of two, the older root is all that the newer is computed from.
    what = "the proof does not lead from the older tree to the root of the newer"
    _check_root(what, new_root, new_computed)


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size` (RFC 6962 §2.1, k)."""
    return 1 << (size - 1).bit_length() - 1


def _complete(start: int, end: int) -> Iterable[tuple[int, int]]:
    """Yield (level, index) of the complete subtrees from `start` to `end`, the largest first.

    `start` is a multiple of the largest of them.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _root_of(start: int, end: int, read: NodeReader) -> bytes:
    return _join([read(level, index) for level, index in _complete(start, end)])


def _join(hashes: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees that shrink from left to right."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = hash_node(left, root)
    return root


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise UsageError(
            "not the size of a tree", expected=f"0 to {MAX_SIZE} leaves", found=str(size)
        )


def _check_lengths(hashes: Iterable[bytes]) -> None:
    for value in hashes:
        if len(value) != HASH_BYTES:
            raise LogFormatError(
                "not a hash", expected=f"{HASH_BYTES} bytes", found=f"{len(value)} bytes"
            )


def _check_hashes(*hashes: bytes) -> None:
    for value in hashes:
        if len(value) != HASH_BYTES:
            raise ProofError(
                "the proof holds what is no hash",
                expected=f"{HASH_BYTES} bytes",
                found=f"{len(value)} bytes",
                hint=_SENT_AGAIN,
            )


def _check_root(what: str, root: bytes, computed: bytes) -> None:
    if root != computed:
        raise ProofError(what, expected=root.hex(), found=computed.hex(), hint=_SENT_AGAIN)


def _wrong_length(kind: str, found: int) -> ProofError:
    return ProofError(
        f"the {kind} proof has not the length that the sizes ask for",
        found=f"{found} hashes",
        hint=_SENT_AGAIN,
    )
