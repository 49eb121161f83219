"""Whom the person who verifies trusts: authorities and blocks that date, the key of who signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.errors import ProvenanceError
from provenance.log.folder import CHECKPOINT, CHECKPOINTS, OPERATOR, LogFolder, read_given
from provenance.log.note import parse_verifier_key
from provenance.verify.findings import Finding, Note
from provenance.verify.sealed import SealTally

if TYPE_CHECKING:
    from provenance.log.block import BlockHeader
    from provenance.log.trusted import Anchors


class Trust:
    """Certificates in a PEM file, and a verifier key line, each may be None; headers of blocks.

    Raises:
        UsageError: one of them is not what it should be.
        StorageError: the file cannot be read.
    """

    def __init__(
        self,
        tsa_ca: Path | None,
        operator_key: str | None,
        headers: Sequence[BlockHeader] = (),
    ) -> None:
        self._headers = tuple(headers)
        self._key = parse_verifier_key(operator_key.strip()) if operator_key is not None else None
        self._anchors: Anchors | None = None
        if tsa_ca is not None:
            # Certificates take long to import, and most archives have no time-stamp.
            from provenance.log.trusted import parse_anchors

            self._anchors = parse_anchors(read_given(tsa_ca), where=str(tsa_ca))

    def findings(self, metadata: Path, tally: SealTally) -> Iterator[Finding | Note]:
        """Check stamps and signatures; note in `tally` what they vouch for."""
        folder = LogFolder(metadata)
        asked = self._key or self._headers
        if not (folder.stamped_sizes() or _is_signed(folder) or asked):
            return
        from provenance.log.trusted import NO_ANCHORS
        from provenance.verify.vouched import VouchCheck

        origin = tally.checkpoint.origin if tally.checkpoint else ""
        check = VouchCheck(
            folder,
            origin,
            tally.roots,
            anchors=self._anchors or NO_ANCHORS,
            key=self._key,
            headers=self._headers,
        )
        yield from check.findings()
        tally.dated, tally.signed = check.tally.dated, check.tally.signed


def _is_signed(folder: LogFolder) -> bool:
    names = [CHECKPOINT, *(f"{CHECKPOINTS}/{size}" for size in folder.sizes())]
    try:
        return folder.read(OPERATOR) is not None or any(
            b"\n\n" in (folder.read(name) or b"") for name in names
        )
    except ProvenanceError:
        return True  # what cannot be read is told where each is checked
