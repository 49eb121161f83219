"""Parse and write what a log sends to a witness, and what a witness answers. Pure: opens no file.

A request is the size that the witness knows, the proof from there on, an empty line, and the signed
checkpoint; an answer is the signature lines that the witness made.

Source: C2SP tlog-witness, add-checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provenance.errors import LogFormatError
from provenance.log.checkpoint import Checkpoint, parse_checkpoint
from provenance.log.note import Note, Signature, format_signature, parse_note
from provenance.log.strict import HASH_BYTES, parse_base64, parse_decimal, shown, to_base64

CALL = "add-checkpoint"
"""The path of the call below the submission prefix."""

SIZE_TYPE = "text/x.tlog.size"
"""Media type of an answer that tells the size that the witness has cosigned."""

MAX_PATH = 63
"""Hashes of a proof that a request may have."""

MAX_SUBMISSION_BYTES = 1 << 17
"""The longest request: its proof, and room for more signatures than any note of ours has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A request, unverified: the old size, the proof from it, and the checkpoint as it was sent."""

    old_size: int
    path: tuple[bytes, ...]
    raw: bytes
    note: Note
    checkpoint: Checkpoint


def parse_submission(raw: bytes) -> Submission:
    """Return what a request says; nothing of it is verified.

    Raises:
        LogFormatError: it is none, or is larger than is read.

    Source: C2SP tlog-witness, add-checkpoint.
    """
    if len(raw) > MAX_SUBMISSION_BYTES:
        raise LogFormatError(
            "the request is too large",
            expected=f"at most {MAX_SUBMISSION_BYTES} bytes",
            found=f"{len(raw)} bytes",
        )
    head, empty, rest = raw.partition(b"\n\n")
    first, *lines = head.decode("utf-8", "replace").split("\n")
    if not empty:
        raise LogFormatError("not a request", expected="an empty line before the checkpoint")
    old_size = parse_decimal(first.removeprefix("old ")) if first.startswith("old ") else None
    if old_size is None:
        raise LogFormatError(
            "not a request",
            where="line 1",
            expected="old <number without leading zeroes>",
            found=shown(first),
        )
    path = tuple(_hash(line, number) for number, line in enumerate(lines, 2))
    if len(path) > MAX_PATH:
        raise LogFormatError(
            "the proof is too long", expected=f"at most {MAX_PATH} hashes", found=str(len(path))
        )
    note = parse_note(rest)
    checkpoint = parse_checkpoint(note.text)
    return Submission(old_size=old_size, path=path, raw=rest, note=note, checkpoint=checkpoint)


def _hash(line: str, number: int) -> bytes:
    value = parse_base64(line)
    if value is None or len(value) != HASH_BYTES:
        raise LogFormatError(
            "not a request",
            where=f"line {number}",
            expected=f"the Base64 of {HASH_BYTES} bytes",
            found=shown(line),
        )
    return value


def format_submission(old_size: int, path: Iterable[bytes], checkpoint: bytes) -> bytes:
    """Return the bytes of a request.

    Raises:
        LogFormatError: it cannot be written as a request that reads back.
    """
    lines = [f"old {old_size}", *map(to_base64, path)]
    raw = "".join(f"{line}\n" for line in lines).encode() + b"\n" + checkpoint
    parse_submission(raw)
    return raw


def format_answer(signatures: Iterable[Signature]) -> bytes:
    """Return the bytes of an answer: signature lines."""
    return "".join(map(format_signature, signatures)).encode()


def parse_answer(raw: bytes, text: str) -> Note:
    """Return the cosigned text with the signatures of an answer, unverified.

    Raises:
        LogFormatError: the answer is no sequence of signature lines.

    Source: C2SP tlog-witness, add-checkpoint: an answer after a note's text makes a note.
    """
    note = parse_note(text.encode() + b"\n" + raw, where="the answer")
    if note.text != text:
        raise LogFormatError("not an answer", where="the answer", expected="signature lines alone")
    return note


def parse_size(raw: bytes) -> int | None:
    """Return the size that an answer with the status 409 tells, None where it tells none."""
    return parse_decimal(raw[:-1].decode("latin-1")) if raw.endswith(b"\n") else None
