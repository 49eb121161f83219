"""Check who dated the checkpoints of a log: rung *dated*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from provenance.dates import format_instant
from provenance.errors import ProvenanceError
from provenance.log.checkpoint import Checkpoint, parse_checkpoint, text_of
from provenance.log.folder import CHECKPOINTS, STAMPS, WAITING, LogFolder
from provenance.log.strict import to_base64
from provenance.timestamps.block import BlockHeader
from provenance.timestamps.stamps import Stamp, check_stamp, read_stamps
from provenance.timestamps.trusted import Anchors
from provenance.verify.findings import Finding, Note, note, shown
from provenance.verify.levels import log_finding
from provenance.verify.promised import PromiseCheck


class StampCheck:
    """The time-stamps of a log; `roots` holds the roots that its leaves give.

    `headers` are those of Bitcoin blocks that are known. Of checkpoints over fewer than `least`
    leaves nothing is looked at. `dated` is the largest size that a trusted authority or a known
    block has dated, once `findings` was read to its end.
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
        self.dated = 0

    def findings(self) -> Iterator[Finding | Note]:
        """Yield what is wrong with time-stamps, and which nobody was asked to trust."""
        known: set[str] = set()
        try:
            for stamp in read_stamps(self._folder, least=self._least):
                known.update(name for name, _ in stamp.files())
                yield from self._stamp(stamp)
        except ProvenanceError as fault:
            yield log_finding("stamp_refused", STAMPS, "a whole time-stamp", fault)
        promises = PromiseCheck(self._folder, self._is_ours, self._headers, least=self._least)
        yield from promises.findings()
        known.update(promises.names)
        self.dated = max(self.dated, promises.dated)
        if not self._least:
            yield from self._strays(known)

    def _strays(self, known: set[str]) -> Iterator[Finding | Note]:
        for name in self._folder.names():
            if not name.startswith(f"{STAMPS}/") or name in known:
                continue
            if name.endswith((".tsq", ".pem", "/checkpoint", WAITING)):
                yield note("log_unfinished", field=f"metadata/log/{name}", found="no answer to it")
            else:
                yield log_finding("log_foreign_file", name, "the files of a time-stamp", "another")

    def _stamp(self, stamp: Stamp) -> Iterator[Finding | Note]:
        place = f"{STAMPS}/{stamp.size}/{stamp.authority}.tsr"
        try:
            head = parse_checkpoint(text_of(stamp.checkpoint))
            proved = check_stamp(stamp, anchors=self._anchors)
        except ProvenanceError as fault:
            yield log_finding("stamp_refused", place, "a time-stamp that holds", fault)
            return
        yield from self._taken_off(stamp)
        if not self._is_ours(head, stamp.size):
            dated = f"{head.origin}, {head.size} leaves, root {to_base64(head.root)}"
            yield log_finding("stamp_refused", place, "a checkpoint of this log", dated)
        elif self._anchors.certificates:
            self.dated = max(self.dated, stamp.size)
        else:
            found = f"{format_instant(proved.gen_time)} by {proved.signer}: {proved.standing}"
            yield note("stamp_unchecked", field=f"metadata/log/{place}", found=found)

    def _taken_off(self, stamp: Stamp) -> Iterator[Finding]:
        """Report signatures that were dated with a checkpoint, and that the kept one has not."""
        name = f"{CHECKPOINTS}/{stamp.size}"
        try:
            kept = self._folder.read(name) or b""
        except ProvenanceError:
            return  # told where the tree is checked
        for line in stamp.checkpoint.partition(b"\n\n")[2].splitlines():
            if line not in kept.partition(b"\n\n")[2].splitlines():
                expected = f"the signature that was dated with it, {shown(line)}"
                yield log_finding("checkpoint_disagrees", name, expected, "without it")

    def _is_ours(self, head: Checkpoint, size: int) -> bool:
        root = self._roots.get(head.size)
        return head.origin == self._origin and head.size == size and root == head.root
