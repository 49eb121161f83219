"""Check who signed the checkpoints of a log: rung *signed*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provenance.errors import ProvenanceError
from provenance.findings.finding import Finding, Note, note
from provenance.log.checkpoint import open_checkpoint
from provenance.log.folder import CHECKPOINT, CHECKPOINTS, OPERATOR, LogFolder
from provenance.log.note import VerifierKey, parse_verifier_key
from provenance.rungs.levels import log_finding


class SignatureCheck:
    """The signatures of a log; `key` is the operator's where who verifies knows it.

    `roots` holds the roots that the log's leaves give: only of those a signature says anything.

    Else that of the archive is taken. Of checkpoints over fewer than `least` leaves nothing is
    looked at. `signed` is the largest size that the operator has signed, `operator` the key that
    was used, and `any_signed` says that there are lines of signatures at all, once `findings` was
    read to its end.
    """

    def __init__(
        self,
        folder: LogFolder,
        origin: str,
        roots: Mapping[int, bytes],
        key: VerifierKey | None,
        *,
        least: int = 0,
    ) -> None:
        self._folder = folder
        self._origin = origin
        self._roots = roots
        self._key = key
        self._least = least
        self.signed = 0
        self.operator = key
        self.any_signed = False

    def findings(self) -> Iterator[Finding | Note]:
        """Yield what is wrong with signatures, and whether nobody said whose they should be."""
        own: VerifierKey | None = None
        try:
            kept = self._folder.read(OPERATOR)
            if kept is not None:
                own = parse_verifier_key(kept.decode("utf-8", "replace").removesuffix("\n"))
                if kept != f"{own.line}\n".encode():
                    expected, found = f"{own.line} and a line end", kept
                    yield log_finding("operator_key_unreadable", OPERATOR, expected, found)
        except ProvenanceError as fault:
            yield log_finding("operator_key_unreadable", OPERATOR, "a verifier key line", fault)
        if own is not None and self._key is not None and own != self._key:
            yield log_finding("operator_key_changed", OPERATOR, self._key.line, own.line)
        self.operator = self._key or own
        yield from self._checkpoints(self.operator)
        if own is not None and self._key is None and self.signed:
            yield note("operator_key_unasked", field=f"metadata/log/{OPERATOR}", found=own.line)

    def _checkpoints(self, key: VerifierKey | None) -> Iterator[Finding]:
        sizes = (size for size in self._folder.sizes() if size >= self._least)
        for name in (CHECKPOINT, *(f"{CHECKPOINTS}/{size}" for size in sizes)):
            try:
                raw = self._folder.read(name)
            except ProvenanceError:
                continue  # told where the tree is checked
            if raw is None or b"\n\n" not in raw:
                continue
            self.any_signed = True
            if key is None:
                yield log_finding("operator_key_unreadable", OPERATOR, "the operator's key", "none")
                return
            try:
                signed = open_checkpoint(raw, [key], origin=self._origin)
            except ProvenanceError as fault:
                yield log_finding("signature_refused", name, f"a signature by {key.name}", fault)
                continue
            head = signed.checkpoint
            if self._roots.get(head.size) == head.root:  # else told where the tree is checked
                self.signed = max(self.signed, head.size)
