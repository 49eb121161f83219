"""Decide what a witness answers: which logs it knows, what it saw of each, what it cosigns. Pure.

A witness follows each log by its origin. It cosigns a checkpoint that one of the log's keys signed,
and that goes on from the largest one that it has cosigned before.

Source: C2SP tlog-witness, add-checkpoint.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import Enum

from provenance.errors import LogFormatError, ProofError, ProvenanceError, UsageError
from provenance.log.checkpoint import (
    Checkpoint,
    format_checkpoint,
    parse_checkpoint,
)
from provenance.log.merkle import EMPTY_ROOT, verify_consistency
from provenance.log.note import (
    Note,
    Signature,
    VerifierKey,
    format_note,
    parse_note,
    parse_verifier_key,
    verify_note,
)
from provenance.log.strict import shown, to_base64
from provenance.log.submission import Submission

MAX_KEYS = 16
"""Keys of one log: the one that signs, and those that it had before."""

_NONE = b"none\n"
_ANY = Signature(name="a", key_id=bytes(4), raw=b"\0")


class Refused(Enum):
    """Why a witness does not cosign; the value is the status of its answer.

    Source: C2SP tlog-witness, add-checkpoint.
    """

    MALFORMED = 400
    NOT_SIGNED = 403
    UNKNOWN_LOG = 404
    OTHER_SIZE = 409
    NOT_CONSISTENT = 422


class SubmissionError(ProvenanceError):
    """A witness does not cosign a checkpoint.

    `refused` says why. `size` is what the witness has cosigned, where its answer tells that;
    `contradicts` says that the log's own key signed what is not known to go on from there.
    """

    def __init__(
        self,
        refused: Refused,
        what: str,
        *,
        size: int | None = None,
        contradicts: bool = False,
        expected: str | None = None,
        found: str | None = None,
    ) -> None:
        super().__init__(what, expected=expected, found=found)
        self.refused = refused
        self.size = size
        self.contradicts = contradicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A log that a witness knows: its keys, and the largest checkpoint that it has cosigned.

    `latest` is that checkpoint with the log's signatures, None before the first.
    """

    origin: str
    keys: tuple[VerifierKey, ...]
    latest: Note | None = None

    @property
    def head(self) -> Checkpoint:
        """The largest checkpoint; that of the tree without leaves before the first."""
        if self.latest is None:
            return Checkpoint(origin=self.origin, size=0, root=EMPTY_ROOT)
        return parse_checkpoint(self.latest.text)


def watch(origin: str, key: VerifierKey) -> Watched:
    """Return a log to be known from now on.

    Raises:
        UsageError: no checkpoint can have this origin.
    """
    try:
        format_checkpoint(Checkpoint(origin=origin, size=0, root=EMPTY_ROOT))
        format_note(Note(text=f"{origin}\n", signatures=(_ANY,)))
    except LogFormatError:
        raise UsageError(
            "no log is called this", expected="a line of text", found=shown(origin)
        ) from None
    return Watched(origin=origin, keys=(key,))


def with_key(watched: Watched, key: VerifierKey) -> Watched:
    """Return the log with one more key that may sign for it.

    Raises:
        UsageError: it has as many as a log may have.
    """
    if key in watched.keys:
        return watched
    if len(watched.keys) == MAX_KEYS:
        raise UsageError(
            "the log has too many keys", where=shown(watched.origin), expected=f"at most {MAX_KEYS}"
        )
    return replace(watched, keys=(*watched.keys, key))


def judge(submission: Submission, watched: Watched | None) -> Watched:
    """Return what a witness knows of a log once it has cosigned what was submitted.

    `watched` is what it knows before, None where it does not know the log.

    Raises:
        SubmissionError: it does not cosign; what it knows is as it was.

    1. The log is known.
    2. One of its keys signed, and none of them wrongly.
    3. The old size is not above that of the checkpoint.
    4. It is the size that the witness has cosigned.
    5. Of two trees of one size the roots are the same.
    6. The proof shows that the tree goes on from the one that was cosigned.

    Source: C2SP tlog-witness, add-checkpoint.
    """
    new = submission.checkpoint
    if watched is None:  # (1)
        raise SubmissionError(
            Refused.UNKNOWN_LOG, "this witness does not know the log", found=shown(new.origin)
        )
    try:  # (2)
        verified = verify_note(submission.note, watched.keys)
    except ProofError as fault:
        raise SubmissionError(
            Refused.NOT_SIGNED, f"the checkpoint is not signed as it should be: {fault.what}"
        ) from None
    if submission.old_size > new.size:  # (3)
        raise SubmissionError(
            Refused.MALFORMED,
            "the old size is larger than that of the checkpoint",
            expected=f"at most {new.size}",
            found=str(submission.old_size),
        )
    seen = watched.head
    if submission.old_size != seen.size:  # (4)
        raise SubmissionError(
            Refused.OTHER_SIZE,
            "this witness has cosigned another size",
            size=seen.size,
            expected=f"old {seen.size}",
            found=f"old {submission.old_size}",
        )
    if new.size == seen.size and new.root != seen.root:  # (5)
        raise SubmissionError(
            Refused.OTHER_SIZE,
            "this witness has cosigned another tree of this size",
            size=seen.size,
            contradicts=True,
            expected=to_base64(seen.root),
            found=to_base64(new.root),
        )
    try:  # (6)
        verify_consistency(seen.size, new.size, submission.path, seen.root, new.root)
    except ProofError as fault:
        raise SubmissionError(
            Refused.NOT_CONSISTENT,
            f"the proof does not show that the log goes on from what was cosigned: {fault.what}",
            contradicts=True,
        ) from None
    own = tuple(dict.fromkeys(each.signature for each in verified))
    return replace(watched, latest=Note(text=submission.note.text, signatures=own))


def signed_part(submission: Submission, watched: Watched) -> bytes:
    """Return what was submitted with the signatures of the log's keys alone: evidence, as a note.

    Raises:
        ProofError: a key of the log has not signed it.
    """
    verified = verify_note(submission.note, watched.keys)
    own = tuple(dict.fromkeys(each.signature for each in verified))
    return format_note(Note(text=submission.note.text, signatures=own))


def format_watched(watched: Watched) -> bytes:
    """Return a log as a witness keeps it: a hash of the rest, origin, keys, largest checkpoint."""
    lines = [f"origin {watched.origin}\n", *(f"key {key.line}\n" for key in watched.keys), "\n"]
    latest = format_note(watched.latest) if watched.latest is not None else _NONE
    rest = "".join(lines).encode() + latest
    return f"sha256:{hashlib.sha256(rest).hexdigest()}\n".encode() + rest


def parse_watched(raw: bytes, *, where: str) -> Watched:
    """Return a log as a witness kept it.

    Raises:
        LogFormatError: a byte is not as it was written.
    """
    first, _, rest = raw.partition(b"\n")
    computed = f"sha256:{hashlib.sha256(rest).hexdigest()}"
    if first != computed.encode():
        raise _damaged(where, computed, shown(first.decode("latin-1")))
    head, _, latest = rest.partition(b"\n\n")
    origin, *keys = head.decode("utf-8", "replace").split("\n")
    note = None if latest == _NONE else parse_note(latest, where=where)
    try:
        known = tuple(parse_verifier_key(line.removeprefix("key ")) for line in keys)
        watched = Watched(origin=origin.removeprefix("origin "), keys=known, latest=note)
        if format_watched(watched) != raw or watched.head.origin != watched.origin:
            raise _damaged(where, "a log as it is kept here", "another form")
    except UsageError as fault:
        raise _damaged(where, "verifier key lines", str(fault)) from None
    return watched


def _damaged(where: str, expected: str, found: str) -> LogFormatError:
    return LogFormatError(
        "what the witness knows of a log is damaged, so nothing is cosigned for it",
        where=where,
        expected=expected,
        found=found,
        hint="An older copy would let the log be rolled back to it: see docs/log.md.",
    )
