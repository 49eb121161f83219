"""Cosign a log from a copy of it that lies on the same machine, without a network."""

from __future__ import annotations

from pathlib import Path

from provenance.errors import ProofError, UsageError
from provenance.log.checkpoint import CosigningKey
from provenance.log.damage import prove_consistency
from provenance.log.folder import CHECKPOINT, LogFolder
from provenance.log.submission import format_answer, format_submission, parse_submission
from provenance.log.watched import SubmissionError
from provenance.runtime import Runtime
from provenance.witness.folder import WitnessFolder
from provenance.witness.service import Service

_PLACES = ("metadata/log", "log", ".")


def cosign_copy(folder: Path, key: CosigningKey, runtime: Runtime, copy: Path) -> bytes:
    """Return the signature lines for the newest checkpoint of a log, from a copy of its files.

    `copy` is an archive root, its `metadata` or the folder of the log. The proof is made from its
    tiles, and judged as if the log had sent it.

    Raises:
        UsageError: there is no signed checkpoint, or the log is not known.
        ProofError: it does not go on from what was cosigned, or is not signed by the log.
        LogFormatError, StorageError: the copy, or what is known, is damaged.
    """
    log = next(
        (each for each in map(copy.joinpath, _PLACES) if (each / CHECKPOINT).is_file()), copy
    )
    files = LogFolder.at(log)
    newest = files.newest()
    if newest is None or b"\n\n" not in newest[1]:
        raise UsageError(
            "there is no signed checkpoint to cosign",
            where=str(copy),
            hint="Its operator makes one with `provenance log checkpoint --key FILE`.",
        )
    head, raw = newest
    known = WitnessFolder(folder)
    watched = known.find(head.origin)
    if watched is None:
        raise UsageError(
            "this witness does not know the log",
            where=head.origin,
            hint="`provenance witness add` makes it known.",
        )
    if any(key.verifier.public == each.public for each in watched.keys):
        raise UsageError("a log is no witness for itself", where=head.origin)
    if watched.head.size > head.size:
        raise ProofError(
            "the log has lost leaves since it was cosigned",
            where=str(copy),
            expected=f"at least {watched.head.size} leaves",
            found=str(head.size),
            hint="It was rolled back, or this is an old copy of it.",
        )
    files.check(head)
    _, path = prove_consistency(files, watched.head.size, head)
    submission = parse_submission(format_submission(watched.head.size, path, raw))
    try:
        made = Service(known, key, runtime).cosign(submission)
    except SubmissionError as fault:
        raise ProofError(
            fault.what, where=str(copy), expected=fault.expected, found=fault.found
        ) from None
    return format_answer([made])
