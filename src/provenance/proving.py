"""Prove captures and consistency from the log, and check such a proof with nothing else at hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provenance.dates import format_instant, from_epoch
from provenance.digest import Digest, from_hex
from provenance.errors import LogFormatError, ProofError, UsageError, WarcFormatError
from provenance.log.checkpoint import (
    Checkpoint,
    CosignerKey,
    cosignatures_of,
    is_by_a_signer,
    parse_checkpoint,
    text_of,
)
from provenance.log.damage import damaged_error, prove_consistency
from provenance.log.folder import LogFolder
from provenance.log.leaf import CaptureLeaf, FileLeaf, parse_leaf
from provenance.log.note import parse_note, parse_verifier_key
from provenance.log.proof import format_proof, make_proof, parse_proof, verify_path, verify_proof
from provenance.log.strict import to_base64
from provenance.warc.groups import read_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """That a log still begins with all that an older checkpoint covered; the proof's hashes."""

    origin: str
    old_size: int
    size: int
    proof: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenWitness:
    """That a witness has cosigned the proof's checkpoint: its name and key line, and when."""

    witness: str
    key: str
    cosigned_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """That a log covers a capture: its place, the log's head, and which records were compared.

    `records` are the kinds of the records whose bytes were at hand and are those of the leaf.
    `signed` tells whether a key was given and its signature holds, `expected_checkpoint` whether
    the head is that of the checkpoint that was given; `witnesses` are those that were given.
    """

    capture_id: Digest
    index: int
    origin: str
    size: int
    root: str
    signed: bool
    records: tuple[str, ...]
    expected_checkpoint: bool
    witnesses: tuple[ProvenWitness, ...] = ()


def proof_of(metadata: Path, capture_id: Digest) -> bytes:
    """Return the proof that the log covers the capture, with its leaf; a `.tlog-proof` file.

    It has been checked against the checkpoint that it carries.

    Raises:
        UsageError: there is no log, or it has no such capture yet.
        ProofError, LogFormatError: a part of the log is damaged, so that no proof would hold.
    """
    folder = LogFolder(metadata)
    checkpoint, raw = _needed(folder)
    wanted = capture_id.encode()
    for index, entry in folder.entries(checkpoint.size):
        if entry.startswith((b"capture " + wanted, b"record " + wanted)):
            proof = make_proof(index, raw, folder.hashes(checkpoint.size), extra=entry)
            try:
                verify_path(proof, entry)
            except ProofError:
                break
            return format_proof(proof)
    # What is damaged may have hidden the capture, too.
    raise damaged_error(folder, checkpoint) or UsageError(
        "the log does not cover this capture",
        where=str(folder.path),
        expected=capture_id,
        found=f"{checkpoint.size} leaves without it",
        hint="`provenance log checkpoint` adds what was sealed since the last one.",
    )


def consistency_with(metadata: Path, old: bytes, *, where: str) -> Consistency:
    """Return the proof that the log begins with all that the `old` checkpoint covers.

    Raises:
        LogFormatError: `old` is no checkpoint.
        ProofError: the log does not begin with it: it was rolled back, or is another; or a part of
            it is damaged.
    """
    folder = LogFolder(metadata)
    newest, _ = _needed(folder)
    earlier = parse_checkpoint(text_of(old, where=where), where=where)
    if earlier.origin != newest.origin:
        raise ProofError(
            "a checkpoint of another log",
            where=where,
            expected=newest.origin,
            found=earlier.origin,
        )
    if earlier.size > newest.size:
        raise ProofError(
            "the log has lost leaves since this checkpoint",
            where=where,
            expected=f"at least {earlier.size} leaves",
            found=f"{newest.size}",
            hint="It was rolled back, or this is an old copy: find one that goes on from there.",
        )
    folder.check(newest)
    begins, path = prove_consistency(folder, earlier.size, newest)
    if begins != earlier.root:
        # Of a size that is a power of two, the proof has no hash that would tell: its verifier sees
        # no more than that it does not lead to the newer root.
        raise ProofError(
            "the log does not begin with what this checkpoint covers",
            where=where,
            expected=f"the root {to_base64(earlier.root)} at {earlier.size} leaves",
            found=to_base64(begins),
            hint="The log was made anew, or the checkpoint is no copy of one; keep both.",
        )
    return Consistency(
        origin=newest.origin,
        old_size=earlier.size,
        size=newest.size,
        proof=tuple(map(to_base64, path)),
    )


def check_proof(
    raw: bytes,
    *,
    where: str,
    capture: Path | None = None,
    checkpoint: bytes | None = None,
    operator_key: str | None = None,
    witness_keys: Sequence[CosignerKey] = (),
) -> Proven:
    """Check a proof: that its leaf is in the tree of its checkpoint, and what the leaf is of.

    `capture` is a file with the capture's records as WARC, compressed or not, or its uncompressed
    record alone (header and block); `checkpoint` is the one that is trusted, and
    `operator_key` the verifier key line of who must have signed. Each of `witness_keys` must have
    cosigned. No archive is needed.

    Raises:
        LogFormatError: it is no proof, or it does not carry its leaf.
        ProofError: it does not hold, or is of another capture or under another checkpoint.
        StorageError: a file cannot be read.
    """
    proof = parse_proof(raw, where=where)
    if proof.extra is None:
        raise LogFormatError("the proof does not carry its leaf", where=where)
    leaf = parse_leaf(proof.extra, where=where)
    if isinstance(leaf, FileLeaf):
        raise LogFormatError("the proof is of a file", where=where, expected="one of a capture")
    head = verify_path(proof, proof.extra, where=where)
    if operator_key is not None:
        key = parse_verifier_key(operator_key.strip())
        if b"\n\n" not in proof.checkpoint:
            raise ProofError("nobody signed the proof's checkpoint", where=where, expected=key.name)
        verify_proof(proof, proof.extra, [key], origin=head.origin, where=where)
    witnesses = tuple(_cosigned(proof.checkpoint, key, where) for key in witness_keys)
    if checkpoint is not None and text_of(checkpoint) != text_of(proof.checkpoint):
        given = parse_checkpoint(text_of(checkpoint))
        raise ProofError(
            "the proof is under another checkpoint than the one given",
            where=where,
            expected=f"{given.origin}, {given.size} leaves, root {to_base64(given.root)}",
            found=f"{head.origin}, {head.size} leaves, root {to_base64(head.root)}",
            hint="Ask for a proof made under it, or for the consistency of the two.",
        )
    named = leaf.capture_id if isinstance(leaf, CaptureLeaf) else leaf.digest
    others = leaf.others if isinstance(leaf, CaptureLeaf) else ()
    return Proven(
        capture_id=named,
        index=proof.index,
        origin=head.origin,
        size=head.size,
        root=to_base64(head.root),
        signed=operator_key is not None,
        records=_compared(capture, named, others) if capture is not None else (),
        expected_checkpoint=checkpoint is not None,
        witnesses=witnesses,
    )


def _cosigned(checkpoint: bytes, key: CosignerKey, where: str) -> ProvenWitness:
    note = parse_note(checkpoint, where=where) if b"\n\n" in checkpoint else None
    said = cosignatures_of(note, [key], where=where) if note is not None else ()
    if note is not None and is_by_a_signer(note, key):
        raise ProofError(
            "the log's own operator is no witness",
            where=where,
            expected="the key of somebody else",
            found=key.line,
        )
    if not said:
        raise ProofError(
            "this witness has not cosigned the proof's checkpoint",
            where=where,
            expected=key.line,
            found=", ".join(each.name for each in note.signatures[:3]) if note else "no signature",
            hint="Ask for a proof under a checkpoint that it has cosigned.",
        )
    at = format_instant(from_epoch(said[0].time_s))
    return ProvenWitness(witness=key.name, key=key.line, cosigned_at=at)


def _compared(path: Path, named: Digest, others: tuple[tuple[str, Digest], ...]) -> tuple[str, ...]:
    """Return the kinds of the leaf's records that the file has; what it has must be the leaf's.

    Of a file with many captures, the one that is meant is compared, if it is there.
    """
    expected = [("capture", named), *others]
    found = _records_in(path, named)
    for kind, digest in found:
        if digest not in [each for _, each in expected]:
            raise ProofError(
                f"the {kind} record is not the one that the log has",
                where=str(path),
                expected=", ".join(f"{kind} {each}" for kind, each in expected),
                found=digest,
            )
    digests = {digest for _, digest in found}
    return tuple(kind for kind, digest in expected if digest in digests)


def _records_in(path: Path, named: Digest) -> list[tuple[str, Digest]]:
    groups: list[list[tuple[str, Digest]]] = []
    try:
        for group in read_groups(path):
            anchor = [("capture", group.anchor)] if group.anchor is not None else []
            groups.append([*anchor, *group.others])
    except WarcFormatError:
        groups = []
    meant = [group for group in groups if any(digest == named for _, digest in group)]
    if groups:
        return [pair for group in meant or groups for pair in group]
    with path.open("rb") as source:
        return [("capture", from_hex(hashlib.file_digest(source, "sha256").hexdigest()))]


def _needed(folder: LogFolder) -> tuple[Checkpoint, bytes]:
    newest = folder.newest()
    if newest is None:
        raise UsageError(
            "there is no log yet",
            where=str(folder.path),
            hint="`provenance log checkpoint` begins it.",
        )
    return newest
