"""Check the OpenTimestamps proofs of a log: what a calendar promised, and blocks that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from provenance.dates import format_seconds
from provenance.errors import ProvenanceError
from provenance.findings.finding import DatedBy, Finding, Note, finding, note
from provenance.log.checkpoint import Checkpoint, parse_checkpoint, text_of
from provenance.log.folder import STAMPS, LogFolder
from provenance.log.strict import to_base64
from provenance.timestamps.block import BlockHeader, shown_hash
from provenance.timestamps.calendars import KeptProof, check_kept, kept_names, read_proof, together
from provenance.timestamps.ots import Proof


class PromiseCheck:
    """The proofs by way of calendars; `is_ours` tells a checkpoint of this log of that size.

    Of checkpoints over fewer than `least` leaves nothing is told. After `findings`, `names` are the
    files that were looked at, `holding` the checkpoints that a proof is of, by their sizes, and
    `dates` what blocks date whose headers were given.
    """

    def __init__(
        self,
        folder: LogFolder,
        is_ours: Callable[[Checkpoint, int], bool],
        headers: Sequence[BlockHeader],
        *,
        least: int = 0,
    ) -> None:
        self._folder = folder
        self._is_ours = is_ours
        self._headers = headers
        self._least = least
        self._fitting: set[bytes] = set()
        self.names: set[str] = set()
        self.dates: list[DatedBy] = []
        self.holding: dict[int, bytes] = {}

    def findings(self) -> Iterator[Finding | Note]:
        """Yield what is wrong with a proof, and how far each that holds leads."""
        checked: list[tuple[KeptProof, Proof]] = []
        for name in kept_names(self._folder, least=self._least):
            self.names.add(name)
            try:
                kept = read_proof(self._folder, name)
            except ProvenanceError as fault:
                yield _refused(name, "a whole proof", fault)
                continue
            self.names.add(f"{STAMPS}/{kept.size}/checkpoint")
            yield from self._check(kept, checked)
        for kept, proof in together(checked):
            yield from self._told(kept, proof)
        for header in self._headers:
            if header.hash not in self._fitting:
                yield note("block_unneeded", field="--bitcoin-header", found=header.name)

    def _check(self, kept: KeptProof, checked: list[tuple[KeptProof, Proof]]) -> Iterator[Finding]:
        try:
            head = parse_checkpoint(text_of(kept.checkpoint))
            proof = check_kept(kept)
        except ProvenanceError as fault:
            yield _refused(kept.name, "a proof that holds", fault)
            return
        self.holding[kept.size] = kept.checkpoint
        if self._is_ours(head, kept.size):
            checked.append((kept, proof))
        else:
            dated = f"{head.origin}, {head.size} leaves, root {to_base64(head.root)}"
            yield _refused(kept.name, "a checkpoint of this log", dated)

    def _told(self, kept: KeptProof, proof: Proof) -> Iterator[Note]:
        field = f"metadata/log/{kept.name}"
        for each in proof.in_blocks:
            height, root = each.attestation.height, each.message
            fitting = [header for header in self._headers if header.merkle_root == root]
            for header in fitting:
                self._fitting.add(header.hash)
                self.dates.append(
                    DatedBy(
                        size=kept.size,
                        dated_at=format_seconds(header.time),
                        by=f"Bitcoin block {header.name}",
                        way="bitcoin",
                    )
                )
                yield note(
                    "block_unasked",
                    field=field,
                    expected=f"block {height}",
                    found=f"{format_seconds(header.time)} by the clock of the block {header.name},"
                    f" which took about 2^{header.work.bit_length() - 1} hashes",
                )
            if not fitting:
                yield note(
                    "proof_unchecked",
                    field=field,
                    expected=f"merkle root {shown_hash(root)}",
                    found=f"in Bitcoin block {height} by the proof;"
                    " not checked here without the block header",
                )
        if not proof.in_blocks:
            places = ", ".join(str(each.attestation.uri) for each in proof.pending)
            yield note("proof_pending", field=field, found=f"pending at {places or 'nowhere'}")


def _refused(name: str, expected: object, found: object) -> Finding:
    return finding("stamp_refused", field=f"metadata/log/{name}", expected=expected, found=found)
