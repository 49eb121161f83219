"""Have checkpoints dated by authorities or by calendars, and keep what they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from provenance.dates import format_instant
from provenance.errors import ProvenanceError, UsageError
from provenance.exchange.credentials import without_credentials
from provenance.exchange.posting import get_bytes, post_bytes
from provenance.log.checkpoint import Checkpoint
from provenance.log.folder import LogFolder, read_given
from provenance.runtime import Runtime
from provenance.timestamps.block import shown_hash
from provenance.timestamps.calendars import (
    ANSWER_LIMIT,
    NONCE_BYTES,
    KeptProof,
    ask_calendar,
    check_kept,
    complete,
    is_here,
    kept_names,
    read_proof,
    together,
    write_kept,
)
from provenance.timestamps.listed import is_listed
from provenance.timestamps.ots import Proof
from provenance.timestamps.stamps import (
    authority_name,
    bytes_to_date,
    refuse_dated,
    request_stamp,
    write_stamp,
)
from provenance.timestamps.trusted import NO_ANCHORS, parse_anchors
from provenance.warc.manifest import locked

_QUERY = "application/timestamp-query"
_DIGEST = "application/octet-stream"
_OTS = "application/vnd.opentimestamps.v1"
_SAID = 80
"""Characters of a calendar's refusal that are told."""


MOST_ASKED = 1000
"""Questions to calendars in one run, whatever the files name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """One authority's word on a checkpoint over `size` leaves; `standing` says what was checked."""

    authority: str
    size: int
    gen_time: str
    signer: str
    standing: str


class OtsState(StrEnum):
    """How far a proof by way of a calendar is."""

    PENDING = "pending"
    IN_BLOCK = "in_block"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBlock:
    """A Bitcoin block that a proof leads to, by its own word: height, and merkle root in hex."""

    height: int
    merkle_root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """A calendar's proof for a checkpoint over `size` leaves, in `file` below `metadata/log/`.

    `said` is what the calendar said instead of a proof, or why nothing came, else None.
    """

    calendar: str
    size: int
    state: OtsState
    blocks: tuple[NamedBlock, ...]
    file: str
    said: str | None = None


def add_stamp(
    metadata: Path,
    runtime: Runtime,
    url: str,
    *,
    anchors: Path | None = None,
    timeout_s: float = 60,
    post: Callable[[str, bytes], bytes] | None = None,
) -> Dated:
    """Ask the authority at `url` to date the newest checkpoint, check the answer, and keep it.

    `anchors` is a PEM file with the certificates that are trusted. The archive is not held while
    somebody is asked, here and below, so that a run may end meanwhile.

    Raises:
        UsageError: there is no checkpoint, the URL is none, or this authority has dated it already.
        ProofError: the log does not lead to its checkpoint.
        TimestampError: the answer is refused; nothing is kept.
        ProvenanceError: no answer came.
    """
    authority = authority_name(url)
    trusted = NO_ANCHORS
    if anchors is not None:
        trusted = parse_anchors(read_given(anchors), where=str(anchors))
    folder = LogFolder(metadata)
    head, raw = _newest(folder)
    refuse_dated(folder, head.size, authority)
    stamp, proved = request_stamp(
        bytes_to_date(folder, head.size, raw),
        size=head.size,
        url=url,
        nonce=int.from_bytes(runtime.random_bytes(8), "big"),
        now=runtime.now(),
        post=post
        or (lambda at, body: post_bytes(at, body, runtime, media_type=_QUERY, timeout_s=timeout_s)),
        anchors=trusted,
    )
    with locked(metadata):
        write_stamp(folder, stamp)
    return Dated(
        authority=stamp.authority,
        size=stamp.size,
        gen_time=format_instant(proved.gen_time),
        signer=proved.signer,
        standing=proved.standing,
    )


def add_promise(
    metadata: Path,
    runtime: Runtime,
    url: str,
    *,
    timeout_s: float = 60,
    post: Callable[[str, bytes], bytes] | None = None,
) -> Promised:
    """Ask the calendar at `url` to take the newest checkpoint in, and keep what it promises.

    Raises:
        UsageError: there is no checkpoint, the URL is none, or this calendar was asked already.
        TimestampError: the answer is no part of a proof; nothing is kept.
        ProvenanceError: no answer came.
    """
    calendar = authority_name(url)
    folder = LogFolder(metadata)
    head, raw = _newest(folder)
    if is_here(folder, head.size, calendar):
        raise UsageError(
            "this calendar has this checkpoint already",
            where=calendar,
            hint="`provenance log timestamp --upgrade` asks it what became of it.",
        )
    kept, proof = ask_calendar(
        bytes_to_date(folder, head.size, raw),
        size=head.size,
        url=url,
        nonce=runtime.random_bytes(NONCE_BYTES),
        post=post
        or (
            lambda at, body: post_bytes(
                at,
                body,
                runtime,
                media_type=_DIGEST,
                accept=_OTS,
                timeout_s=timeout_s,
                limit=ANSWER_LIMIT,
            )
        ),
    )
    with locked(metadata):
        write_kept(folder, kept)
    return _promised(kept, proof)


def complete_promises(
    metadata: Path,
    runtime: Runtime,
    *,
    calendars: Sequence[str] = (),
    allow_private: bool = False,
    timeout_s: float = 60,
) -> Iterator[Promised]:
    """Ask the calendars what became of what they promised; keep each proof that has grown.

    Of the addresses that the proofs name, those are asked that `listed.is_listed` takes;
    `calendars` are those that the user names, which may be at private addresses.

    Yields what is known of every proof, also of those that need no calendar any more. A calendar
    that does not answer is told of, and no error.

    Raises:
        UsageError: one of `calendars` is no address.
        TimestampError, StorageError, LogFormatError: a kept proof is damaged, after all others
            were asked for and told.
    """
    for each in calendars:
        authority_name(each)
    named = [without_credentials(each) for each in calendars]
    asking = _Asking(runtime, named, allow_private=allow_private, timeout_s=timeout_s)
    folder = LogFolder(metadata)
    checked, faults = _checked(folder)
    for kept, proof in together(checked):
        if proof.in_blocks:
            yield _promised(kept, proof)
            continue
        asking.said.clear()
        after = complete(
            kept,
            proof,
            get=asking.get,
            asks=partial(is_listed, asked=kept.calendar, named=named),
        )
        if after.kept != kept:
            with locked(metadata):
                write_kept(folder, after.kept)
        state = OtsState.UNANSWERED if after.failed and not after.proof.in_blocks else None
        said = "; ".join((*asking.said, *after.said)) or None
        yield _promised(after.kept, after.proof, said=said, state=state)
    for fault in faults:
        raise fault


def _checked(
    folder: LogFolder,
) -> tuple[list[tuple[KeptProof, Proof]], list[ProvenanceError]]:
    """Return the proofs that can be read, and what is wrong with the others."""
    checked, faults = list[tuple[KeptProof, Proof]](), list[ProvenanceError]()
    for name in kept_names(folder):
        try:
            kept = read_proof(folder, name)
            checked.append((kept, check_kept(kept)))
        except ProvenanceError as fault:
            faults.append(fault)
    return checked, faults


class _Asking:
    """What asks calendars in one run; `said` has their words instead of a proof.

    One that has given no answer is not waited for again.
    """

    def __init__(
        self, runtime: Runtime, named: Sequence[str], *, allow_private: bool, timeout_s: float
    ) -> None:
        self._runtime = runtime
        self._named = tuple(f"{each.rstrip('/')}/timestamp/" for each in named)
        self._allow_private = allow_private
        self._timeout_s = timeout_s
        self._silent: dict[str, str] = {}
        self._left = MOST_ASKED
        self.said: list[str] = []

    def get(self, url: str) -> bytes | None:
        host = authority_name(url)
        if self._left == 0:
            raise ProvenanceError("not asked, after so many others", where=url)
        if host in self._silent:
            raise ProvenanceError("not asked again", where=url, found=self._silent[host])
        self._left -= 1
        try:
            status, raw = get_bytes(
                url,
                self._runtime,
                accept=_OTS,
                timeout_s=self._timeout_s,
                limit=ANSWER_LIMIT,
                allow_private=self._allow_private or url.startswith(self._named),
            )
        except ProvenanceError as fault:
            self._silent[host] = fault.what
            raise
        if status == 200:
            return raw
        words = ascii(raw[:_SAID].decode("latin-1").strip())[1:-1] or f"{status}"
        if status != 404:
            raise ProvenanceError("refused", where=url, found=f"{status} {words}")
        self.said.append(words)
        return None


def _newest(folder: LogFolder) -> tuple[Checkpoint, bytes]:
    newest = folder.newest()
    if newest is None:
        raise UsageError(
            "there is no checkpoint to date",
            where=str(folder.path),
            hint="`provenance log checkpoint` makes one.",
        )
    folder.check(newest[0])
    return newest


def _promised(
    kept: KeptProof, proof: Proof, *, said: str | None = None, state: OtsState | None = None
) -> Promised:
    blocks = tuple(
        NamedBlock(height=each.attestation.height or 0, merkle_root=shown_hash(each.message))
        for each in proof.in_blocks
    )
    return Promised(
        calendar=kept.calendar,
        size=kept.size,
        state=state or (OtsState.IN_BLOCK if blocks else OtsState.PENDING),
        blocks=blocks,
        file=kept.name,
        said=said,
    )
