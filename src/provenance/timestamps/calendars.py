"""Keep OpenTimestamps proofs of checkpoints: ask a calendar, lay its answer out, read it back.

For the checkpoint of a log of N leaves, under `metadata/log/timestamps/<N>/`:

    checkpoint                    the bytes that the proof is over, as they were (see `stamps`)
    <calendar>.<digits>.ots       a proof by way of this calendar, as any OpenTimestamps client
                                  reads it; the digits are the first 16 of its own SHA-256

A file is written once. A proof that has grown is another file, beside the one that it grew from;
together they say what both say. The digits let a changed byte be seen where nothing else could
tell: what a calendar has only promised proves itself in nothing. The network is an argument.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from provenance.digest import digest_of
from provenance.errors import ProvenanceError, StorageError, UsageError
from provenance.log.folder import STAMPS, LogFolder
from provenance.timestamps.ots import (
    Branch,
    Proof,
    Step,
    apply,
    blinding_steps,
    parse_answer,
    parse_proof,
    write_proof,
)
from provenance.timestamps.refusals import Reason, TimestampError
from provenance.timestamps.stamps import authority_name

NONCE_BYTES = 16
ANSWER_LIMIT = 10_000
"""Bytes of a calendar's answer that are read, as by the reference client."""

MOST_PROMISES = 16
"""Addresses in one proof that are asked; a calendar gives one, a pool of them a few."""

_SHOWN = 120

Post = Callable[[str, bytes], bytes]
"""Send a body to a URL by HTTP POST, and return the answer's."""

Get = Callable[[str], bytes | None]
"""Return what is at a URL, None where the calendar says that nothing is there yet."""

_NAME = re.compile(r"([a-z0-9](?:[a-z0-9.-]{0,78}[a-z0-9])?)\.([0-9a-f]{16})\.ots\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptProof:
    """One `.ots` file, as it is kept with its checkpoint; nothing of it is checked.

    `digits` are those in its name.
    """

    size: int
    calendar: str
    digits: str
    checkpoint: bytes
    raw: bytes

    @property
    def name(self) -> str:
        """Its path below the log's folder."""
        return f"{STAMPS}/{self.size}/{self.calendar}.{self.digits}.ots"


def ask_calendar(
    checkpoint: bytes, *, size: int, url: str, nonce: bytes, post: Post
) -> tuple[KeptProof, Proof]:
    """Ask the calendar at `url` to take a checkpoint in, and return the proof so far.

    `nonce` are 16 random bytes, which keep the checkpoint's digest from the calendar.

    Raises:
        TimestampError: the answer is no part of a proof.
        UsageError: the URL is no calendar's.
    """
    calendar = authority_name(url)
    digest = hashlib.sha256(checkpoint).digest()
    steps = blinding_steps(nonce)
    asked = apply(steps, digest)
    answer = post(f"{url.rstrip('/')}/digest", asked)
    given = parse_answer(answer, asked, where=f"the answer of {calendar}")
    proof = Proof(digest, _below(steps, given))
    if not (proof.pending or proof.in_blocks):
        raise TimestampError(
            Reason.NOT_GRANTED,
            "the calendar promises nothing that is known here",
            where=f"the answer of {calendar}",
            hint="Ask another calendar.",
        )
    return _kept(proof, size=size, calendar=calendar, checkpoint=checkpoint), proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A proof after its calendars were asked; `kept` is as it was where they gave nothing new.

    `said` are the reasons for which nothing came of an address; `failed` says that a calendar that
    was asked gave no answer, or none that is part of a proof.
    """

    kept: KeptProof
    proof: Proof
    said: tuple[str, ...] = ()
    failed: bool = False


def complete(kept: KeptProof, proof: Proof, *, get: Get, asks: Callable[[str], bool]) -> Completed:
    """Ask the calendars that have promised to go on, and return the proof with what they gave.

    `asks` says of an address in the proof whether it may be asked; of those at most
    `MOST_PROMISES` are. One that fails keeps no other from being asked.
    """
    grown, said, failed = proof, list[str](), False
    asked = [each for each in proof.pending if asks(each.attestation.uri or "")]
    refused = [each.attestation.uri or "" for each in proof.pending if each not in asked]
    for promise in asked[:MOST_PROMISES]:
        uri = (promise.attestation.uri or "").rstrip("/")
        try:
            answer = get(f"{uri}/timestamp/{promise.message.hex()}")
            if answer is not None:
                given = parse_answer(answer, promise.message, where=f"the answer of {uri}")
                larger = grown.having(_below(promise.steps, given))
                _refuse_large(write_proof(larger), where=f"the proof with the answer of {uri}")
                grown = larger
        except ProvenanceError as fault:
            failed = True
            said.append(str(fault))
    if len(asked) > MOST_PROMISES:
        said.append(f"{len(asked) - MOST_PROMISES} more addresses in the proof were not asked")
    if refused:
        more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
        said.append(f"{refused[0][:_SHOWN]}{more} not asked, as nobody named it (--calendar)")
    if grown.branches != proof.branches:
        kept = _kept(grown, size=kept.size, calendar=kept.calendar, checkpoint=kept.checkpoint)
    return Completed(kept=kept, proof=grown, said=tuple(said), failed=failed)


def check_kept(kept: KeptProof) -> Proof:
    """Return what a kept proof says of its checkpoint, without a network.

    Raises:
        TimestampError: it is no proof, of other bytes, or not as it was written.
    """
    found = hashlib.sha256(kept.raw).hexdigest()
    if found[:16] != kept.digits:
        raise TimestampError(
            Reason.NOT_READABLE,
            "the file is not as it was written",
            where=kept.name,
            expected=f"a SHA-256 that begins with {kept.digits}, as its name says",
            found=found[:16],
            hint="It was changed or damaged; restore it from a copy.",
        )
    proof = parse_proof(kept.raw, where=kept.name)
    if proof.digest != hashlib.sha256(kept.checkpoint).digest():
        raise TimestampError(
            Reason.WRONG_IMPRINT,
            "the proof is of other bytes",
            where=kept.name,
            expected=digest_of(kept.checkpoint),
            found=f"sha256:{proof.digest.hex()}",
        )
    return proof


def write_kept(log: LogFolder, kept: KeptProof) -> None:
    """Write a proof into the log's folder, durably; the checkpoint first, where it is not there.

    Raises:
        UsageError: another checkpoint of this size has been dated; nothing is written.
        StorageError: the disk refused.
    """
    checkpoint = f"{STAMPS}/{kept.size}/checkpoint"
    there = log.read(checkpoint)
    if there not in (None, kept.checkpoint):
        raise UsageError(
            "another checkpoint of this size has been dated", where=str(log.path / checkpoint)
        )
    if there is None:
        log.put(checkpoint, kept.checkpoint)
    log.put(kept.name, kept.raw)


def read_kept(log: LogFolder) -> Iterator[KeptProof]:
    """Yield every proof in the log's folder, by size and then by calendar.

    Raises:
        StorageError, LogFormatError: as for `read_proof`.
    """
    for name in kept_names(log):
        yield read_proof(log, name)


def kept_names(log: LogFolder, *, least: int = 0) -> Iterator[str]:
    """Yield the path of each proof below the log's folder, read or not.

    Those of checkpoints over fewer than `least` leaves are passed over.
    """
    for size in log.stamped_sizes():
        for name in log.names_in(f"{STAMPS}/{size}") if size >= least else ():
            if _NAME.match(name):
                yield f"{STAMPS}/{size}/{name}"


def read_proof(log: LogFolder, name: str) -> KeptProof:
    """Return the proof at a path that `kept_names` gives.

    Raises:
        StorageError: a file is missing or cannot be read.
        LogFormatError: a file is larger than is read, or none.
    """
    folder, _, file = name.rpartition("/")
    calendar, digits = file.removesuffix(".ots").rsplit(".", 1)
    return KeptProof(
        size=int(folder.rpartition("/")[2]),
        calendar=calendar,
        digits=digits,
        checkpoint=_there(log, f"{folder}/checkpoint"),
        raw=_there(log, name),
    )


def together(
    checked: Iterable[tuple[KeptProof, Proof]],
) -> tuple[tuple[KeptProof, Proof], ...]:
    """Return one proof for each checkpoint and calendar, with the file that has the most of it."""
    found: dict[tuple[int, str], tuple[KeptProof, Proof]] = {}
    for kept, proof in checked:
        key = kept.size, kept.calendar
        most, whole = found.get(key, (kept, proof))
        if len(proof.branches) > len(whole.branches):
            most = kept
        found[key] = most, whole.having(proof.branches)
    return tuple(found.values())


def is_here(log: LogFolder, size: int, calendar: str) -> bool:
    """Say whether a proof of this checkpoint by way of this calendar is kept."""
    found = map(_NAME.match, log.names_in(f"{STAMPS}/{size}"))
    return any(match is not None and match[1] == calendar for match in found)


def _below(steps: tuple[Step, ...], branches: tuple[Branch, ...]) -> tuple[Branch, ...]:
    return tuple(Branch((*steps, *each.steps), each.message, each.attestation) for each in branches)


def _kept(proof: Proof, *, size: int, calendar: str, checkpoint: bytes) -> KeptProof:
    raw = write_proof(proof)
    _refuse_large(raw, where="the proof as it would be kept")
    digits = hashlib.sha256(raw).hexdigest()[:16]
    return KeptProof(size=size, calendar=calendar, digits=digits, checkpoint=checkpoint, raw=raw)


def _refuse_large(raw: bytes, *, where: str) -> None:
    """Hold a proof to its bounds, before it is kept."""
    parse_proof(raw, where=where)


def _there(log: LogFolder, name: str) -> bytes:
    raw = log.read(name)
    if raw is None:
        raise StorageError(
            "a file of a time-stamp is missing",
            where=str(log.path / name),
            hint="Restore it from a copy.",
        )
    return raw
