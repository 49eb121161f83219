"""Check who dated the checkpoints of a log: rung *dated*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from provenance.dates import format_instant
from provenance.errors import ProvenanceError
from provenance.findings.finding import DatedBy, Finding, Note, note, shown
from provenance.log.checkpoint import Checkpoint, parse_checkpoint, text_of
from provenance.log.folder import CHECKPOINTS, STAMPS, WAITING, LogFolder
from provenance.log.strict import to_base64
from provenance.rungs.levels import log_finding
from provenance.rungs.promised import PromiseCheck
from provenance.timestamps.block import BlockHeader
from provenance.timestamps.refusals import Reason, TimestampError
from provenance.timestamps.stamps import Stamp, check_stamp, names_of, read_stamp, stamped
from provenance.timestamps.trusted import Anchors

_HOLDS = "a time-stamp that holds"


class StampCheck:
    """The time-stamps of a log; `roots` holds the roots that its leaves give.

    `headers` are those of Bitcoin blocks that are known. Of checkpoints over fewer than `least`
    leaves nothing is looked at. `dates` is what trusted authorities and known blocks have dated,
    once `findings` was read to its end.

    A token that holds and is by nobody who is trusted is a fault where nobody else has dated that
    checkpoint, and a note where somebody has: an archive gets no worse by a token more.
    """

    def __init__(
        self,
        folder: LogFolder,
        origin: str,
        roots: Mapping[int, bytes],
        anchors: Anchors,
        headers: Sequence[BlockHeader] = (),
        *,
        least: int = 0,
    ) -> None:
        self._folder = folder
        self._origin = origin
        self._roots = roots
        self._anchors = anchors
        self._headers = headers
        self._least = least
        self.dates: list[DatedBy] = []
        self._holding: dict[int, bytes] = {}
        self._strangers: list[tuple[Stamp, ProvenanceError, str]] = []

    def findings(self) -> Iterator[Finding | Note]:
        """Yield what is wrong with time-stamps, and which nobody was asked to trust."""
        known: set[str] = set()
        first: dict[tuple[int, bytes], str] = {}
        for size, authority in stamped(self._folder, least=self._least):
            known.update(names_of(size, authority))
            try:
                stamp = read_stamp(self._folder, size, authority)
            except ProvenanceError as fault:
                place = _place(size, authority)
                yield log_finding("stamp_refused", place, "a whole time-stamp", fault)
                continue
            before = first.setdefault((size, stamp.response), authority)
            if before != authority:
                place, other = _place(size, authority), _place(size, before)
                yield log_finding("stamp_refused", place, "bytes of its own", f"those of {other}")
                continue
            yield from self._stamp(stamp)
        promises = PromiseCheck(self._folder, self._is_ours, self._headers, least=self._least)
        yield from promises.findings()
        known.update(promises.names)
        self.dates += promises.dates
        for size, checkpoint in sorted({**promises.holding, **self._holding}.items()):
            yield from self._taken_off(size, checkpoint)
        yield from self._by_strangers()
        if not self._least:
            yield from self._strays(known)
        self.dates.sort(key=lambda each: (each.size, each.dated_at, each.by))

    def _by_strangers(self) -> Iterator[Finding | Note]:
        dated = {each.size for each in self.dates}
        for stamp, fault, signer in self._strangers:
            place = _place(stamp.size, stamp.authority)
            if stamp.size in dated:
                yield note("stamp_untrusted", field=f"metadata/log/{place}", found=signer)
            else:
                yield log_finding("stamp_refused", place, _HOLDS, fault)

    def _strays(self, known: set[str]) -> Iterator[Finding | Note]:
        for name in self._folder.names():
            if not name.startswith(f"{STAMPS}/") or name in known:
                continue
            if name.endswith((".tsq", ".pem", "/checkpoint", WAITING)):
                yield note("log_unfinished", field=f"metadata/log/{name}", found="no answer to it")
            else:
                yield log_finding("log_foreign_file", name, "the files of a time-stamp", "another")

    def _stamp(self, stamp: Stamp) -> Iterator[Finding | Note]:
        place = _place(stamp.size, stamp.authority)
        stranger: ProvenanceError | None = None
        try:
            head = parse_checkpoint(text_of(stamp.checkpoint))
            try:
                proved = check_stamp(stamp, anchors=self._anchors)
            except TimestampError as fault:
                if fault.reason is not Reason.NOT_TRUSTED:
                    raise
                stranger = fault
                proved = check_stamp(stamp)  # but for whose it is
        except ProvenanceError as fault:
            yield log_finding("stamp_refused", place, _HOLDS, fault)
            return
        self._holding[stamp.size] = stamp.checkpoint
        if not self._is_ours(head, stamp.size):
            dated = f"{head.origin}, {head.size} leaves, root {to_base64(head.root)}"
            yield log_finding("stamp_refused", place, "a checkpoint of this log", dated)
            return
        at = format_instant(proved.gen_time)
        if stranger is not None:
            self._strangers.append((stamp, stranger, f"{at} by {proved.signer}"))
        elif self._anchors.certificates:
            self.dates.append(
                DatedBy(size=stamp.size, dated_at=at, by=proved.signer, way="rfc3161")
            )
        else:
            found = f"{at} by {proved.signer}: {proved.standing}"
            yield note("stamp_unchecked", field=f"metadata/log/{place}", found=found)

    def _taken_off(self, size: int, checkpoint: bytes) -> Iterator[Finding]:
        """Report signatures that were dated with a checkpoint, and that the kept one has not."""
        name = f"{CHECKPOINTS}/{size}"
        try:
            kept = self._folder.read(name) or b""
        except ProvenanceError:
            return  # told where the tree is checked
        for line in checkpoint.partition(b"\n\n")[2].splitlines():
            if line not in kept.partition(b"\n\n")[2].splitlines():
                expected = f"the signature that was dated with it, {shown(line)}"
                yield log_finding("checkpoint_disagrees", name, expected, "without it")

    def _is_ours(self, head: Checkpoint, size: int) -> bool:
        root = self._roots.get(head.size)
        return head.origin == self._origin and head.size == size and root == head.root


def _place(size: int, authority: str) -> str:
    return f"{STAMPS}/{size}/{authority}.tsr"
