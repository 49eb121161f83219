"""Check who dated and who signed the checkpoints of a log: rungs *dated* and *signed*."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from provenance.dates import format_instant
from provenance.errors import ProvenanceError
from provenance.log.block import BlockHeader
from provenance.log.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, text_of
from provenance.log.folder import CHECKPOINT, CHECKPOINTS, OPERATOR, WAITING, LogFolder
from provenance.log.note import VerifierKey, parse_verifier_key
from provenance.log.stamps import FOLDER, Stamp, check_stamp, read_stamps
from provenance.log.strict import to_base64
from provenance.log.trusted import Anchors
from provenance.verify.findings import Finding, Note, finding, note
from provenance.verify.promised import PromiseCheck


@dataclass(slots=True)
class Vouched:
    """The largest sizes that somebody who is trusted has dated, and that the operator has signed.

    A block of Bitcoin dates where the person who verifies gave its header.
    """

    dated: int = 0
    signed: int = 0


class VouchCheck:
    """The stamps and signatures of a log; `roots` holds the roots that its leaves give.

    `key` is the operator's, where the person who verifies knows it; else that of the archive.
    """

    def __init__(
        self,
        folder: LogFolder,
        origin: str,
        roots: dict[int, bytes],
        *,
        anchors: Anchors,
        key: VerifierKey | None,
        headers: Sequence[BlockHeader] = (),
    ) -> None:
        self._folder = folder
        self._origin = origin
        self._roots = roots
        self._anchors = anchors
        self._key = key
        self._headers = headers
        self.tally = Vouched()

    def findings(self) -> Iterator[Finding | Note]:
        """Yield what is wrong with stamps and signatures, and whom nobody was asked to trust."""
        yield from self._stamps()
        yield from self._signatures()

    # Stamps

    def _stamps(self) -> Iterator[Finding | Note]:
        known: set[str] = set()
        try:
            for stamp in read_stamps(self._folder):
                known.update(name for name, _ in stamp.files())
                yield from self._stamp(stamp)
        except ProvenanceError as fault:
            yield _finding("stamp_refused", FOLDER, "a whole time-stamp", fault)
        promises = PromiseCheck(self._folder, self._is_ours, self._headers)
        yield from promises.findings()
        known.update(promises.names)
        self.tally.dated = max(self.tally.dated, promises.dated)
        for name in self._folder.names():
            if not name.startswith(f"{FOLDER}/") or name in known:
                continue
            if name.endswith((".tsq", ".pem", "/checkpoint", WAITING)):
                yield note("log_unfinished", field=f"metadata/log/{name}", found="no answer to it")
            else:
                yield _finding("log_foreign_file", name, "the files of a time-stamp", "another")

    def _stamp(self, stamp: Stamp) -> Iterator[Finding | Note]:
        place = f"{FOLDER}/{stamp.size}/{stamp.authority}.tsr"
        try:
            head = parse_checkpoint(text_of(stamp.checkpoint))
            proved = check_stamp(stamp, anchors=self._anchors)
        except ProvenanceError as fault:
            yield _finding("stamp_refused", place, "a time-stamp that holds", fault)
            return
        if not self._is_ours(head, stamp.size):
            dated = f"{head.origin}, {head.size} leaves, root {to_base64(head.root)}"
            yield _finding("stamp_refused", place, "a checkpoint of this log", dated)
        elif self._anchors.certificates:
            self.tally.dated = max(self.tally.dated, stamp.size)
        else:
            found = f"{format_instant(proved.gen_time)} by {proved.signer}: {proved.standing}"
            yield note("stamp_unchecked", field=f"metadata/log/{place}", found=found)

    def _is_ours(self, head: Checkpoint, size: int) -> bool:
        root = self._roots.get(head.size)
        return head.origin == self._origin and head.size == size and root == head.root

    # Signatures

    def _signatures(self) -> Iterator[Finding | Note]:
        own: VerifierKey | None = None
        try:
            kept = self._folder.read(OPERATOR)
            if kept is not None:
                own = parse_verifier_key(kept.decode("utf-8", "replace").removesuffix("\n"))
                if kept != f"{own.line}\n".encode():
                    expected, found = f"{own.line} and a line end", kept
                    yield _finding("operator_key_unreadable", OPERATOR, expected, found)
        except ProvenanceError as fault:
            yield _finding("operator_key_unreadable", OPERATOR, "a verifier key line", fault)
        if own is not None and self._key is not None and own != self._key:
            yield _finding("operator_key_changed", OPERATOR, self._key.line, own.line)
        key = self._key or own
        names = [CHECKPOINT, *(f"{CHECKPOINTS}/{size}" for size in self._folder.sizes())]
        for name in names:
            try:
                raw = self._folder.read(name)
            except ProvenanceError:
                continue  # told where the tree is checked
            if raw is None or b"\n\n" not in raw:
                continue
            if key is None:
                yield _finding("operator_key_unreadable", OPERATOR, "the operator's key", "none")
                return
            try:
                signed = open_checkpoint(raw, [key], origin=self._origin)
            except ProvenanceError as fault:
                yield _finding("signature_refused", name, f"a signature by {key.name}", fault)
                continue
            self.tally.signed = max(self.tally.signed, signed.checkpoint.size)
        if own is not None and self._key is None and self.tally.signed:
            yield note("operator_key_unasked", field=f"metadata/log/{OPERATOR}", found=own.line)


def _finding(code: str, name: str, expected: object, found: object) -> Finding:
    return finding(code, field=f"metadata/log/{name}", expected=expected, found=found)
