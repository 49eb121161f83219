"""Parse, write, make and verify proofs that stand alone: that an entry is in a log. Opens no file.

A proof holds the entry's place, the hashes up to the root, and the signed checkpoint with that
root. Of other entries it holds hashes alone.

Source: C2SP tlog-proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provenance.errors import LogFormatError
from provenance.log.checkpoint import (
    Checkpoint,
    CosignerKey,
    SignedCheckpoint,
    open_checkpoint,
    parse_checkpoint,
    text_of,
)
from provenance.log.merkle import NodeReader, hash_leaf, inclusion_path, verify_inclusion
from provenance.log.note import MAX_NOTE_BYTES, VerifierKey
from provenance.log.strict import HASH_BYTES, parse_base64, parse_decimal, shown, to_base64

HEADER = "c2sp.org/tlog-proof@v1"

MAX_PATH = 63
"""Hashes from a leaf to the root of the largest tree."""

MAX_PROOF_BYTES = 2 * MAX_NOTE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That entry `index`, counted from 0, is in the log of the checkpoint; unverified.

    `path` has the leaf's sibling first; `checkpoint` is the signed note, byte for byte (or, of a
    log without a key, its text alone, which C2SP tlog-proof does not know); `extra` is
    not covered by any signature and must not be believed.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None


def make_proof(
    index: int, checkpoint: bytes, read: NodeReader, *, extra: bytes | None = None
) -> Proof:
    """Return the proof for entry `index` in the tree of a checkpoint, signed or not.

    Raises:
        LogFormatError: it is no checkpoint.
        UsageError: the tree has no such entry.
    """
    size = parse_checkpoint(text_of(checkpoint)).size
    path = inclusion_path(index, size, read)
    return Proof(index=index, path=path, checkpoint=checkpoint, extra=extra)


def parse_proof(raw: bytes, *, where: str = "proof") -> Proof:
    """Return what a proof says; nothing of it is verified.

    Raises:
        LogFormatError: it is no proof, or is larger than is read.

    Source: C2SP tlog-proof, Format.
    """
    if len(raw) > MAX_PROOF_BYTES:
        raise LogFormatError(
            "the proof is too large",
            where=where,
            expected=f"at most {MAX_PROOF_BYTES} bytes",
            found=f"{len(raw)} bytes",
        )
    head, empty, checkpoint = raw.partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    if lines[0] != HEADER:
        raise _malformed(where, 1, HEADER, lines[0])
    if not empty:
        raise LogFormatError(
            "not a proof", where=where, expected="an empty line before the checkpoint"
        )
    path: list[bytes] = []
    at, extra = 1, None
    if lines[at:] and lines[at].startswith("extra "):
        extra = parse_base64(lines[at].removeprefix("extra "))
        if not extra:  # without extra data the line is omitted
            raise _malformed(where, at + 1, "extra <base64>", lines[at])
        at += 1
    line = lines[at] if lines[at:] else ""
    index = parse_decimal(line.removeprefix("index ")) if line.startswith("index ") else None
    if index is None:
        raise _malformed(where, at + 1, "index <number without leading zeroes>", line)
    for number, line in enumerate(lines[at + 1 :], at + 2):
        value = parse_base64(line)
        if value is None or len(value) != HASH_BYTES or len(path) == MAX_PATH:
            raise _malformed(
                where, number, f"the Base64 of {HASH_BYTES} bytes, at most {MAX_PATH} times", line
            )
        path.append(value)
    place = f"{where}: checkpoint"
    size = parse_checkpoint(text_of(checkpoint, where=place), where=place).size
    if index >= size:
        raise LogFormatError(
            "the proof is for no entry of the log",
            where=where,
            expected=f"an index from 0 to below {size}",
            found=str(index),
        )
    return Proof(index=index, path=tuple(path), checkpoint=checkpoint, extra=extra)


def format_proof(proof: Proof) -> bytes:
    """Return the bytes of a `.tlog-proof` file.

    Raises:
        LogFormatError: it cannot be written as a proof that reads back the same.

    Source: C2SP tlog-proof, Format.
    """
    lines = [HEADER]
    if proof.extra is not None:
        lines.append(f"extra {to_base64(proof.extra)}")
    lines.append(f"index {proof.index}")
    lines += (to_base64(value) for value in proof.path)
    raw = "".join(f"{line}\n" for line in lines).encode() + b"\n" + proof.checkpoint
    if parse_proof(raw) != proof:
        raise LogFormatError("the proof cannot be written", expected="one that reads back the same")
    return raw


def verify_proof(
    proof: Proof,
    entry: bytes,
    keys: Sequence[VerifierKey | CosignerKey],
    *,
    origin: str | None = None,
    where: str = "proof",
) -> SignedCheckpoint:
    """Check that the entry is in the log that these keys sign for; return the verified checkpoint.

    Keys and `origin` are as in `open_checkpoint`.

    Raises:
        LogFormatError: the checkpoint is none.
        ProofError: a signature does not fit, none is by a key of the log, or the entry is not at
            this place of the tree.

    Source: C2SP tlog-proof; RFC 9162 §2.1.3.2.
    """
    signed = open_checkpoint(proof.checkpoint, keys, origin=origin, where=f"{where}: checkpoint")
    head = signed.checkpoint
    verify_inclusion(hash_leaf(entry), proof.index, head.size, proof.path, head.root)
    return signed


def verify_path(proof: Proof, entry: bytes, *, where: str = "proof") -> Checkpoint:
    """Check that the entry is in the tree of the proof's own checkpoint, whoever made that.

    Raises:
        LogFormatError: the checkpoint is none.
        ProofError: the entry is not at this place of the tree.
    """
    place = f"{where}: checkpoint"
    head = parse_checkpoint(text_of(proof.checkpoint, where=place), where=place)
    verify_inclusion(hash_leaf(entry), proof.index, head.size, proof.path, head.root)
    return head


def _malformed(where: str, number: int, expected: str, line: str) -> LogFormatError:
    return LogFormatError(
        "not a proof", where=f"{where}, line {number}", expected=expected, found=shown(line)
    )
