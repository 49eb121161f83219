"""Whom the person who verifies trusts: authorities that date, and the key of who signs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.log.folder import STAMPS, LogFolder, read_given
from provenance.log.note import parse_verifier_key
from provenance.verify.findings import Finding, Note
from provenance.verify.sealed import SealTally
from provenance.verify.signed import SignatureCheck

if TYPE_CHECKING:
    from provenance.log.trusted import Anchors


class Trust:
    """Certificates in a PEM file, and a verifier key line; each may be None.

    `given` says that one of them is not.

    Raises:
        UsageError: one of them is not what it should be.
        StorageError: the file cannot be read.
    """

    def __init__(self, tsa_ca: Path | None, operator_key: str | None) -> None:
        self.given = tsa_ca is not None or operator_key is not None
        self._key = parse_verifier_key(operator_key.strip()) if operator_key is not None else None
        self._anchors: Anchors | None = None
        if tsa_ca is not None:
            # Certificates take long to import, and most archives have no time-stamp.
            from provenance.log.trusted import parse_anchors

            self._anchors = parse_anchors(read_given(tsa_ca), where=str(tsa_ca))

    def findings(self, metadata: Path, tally: SealTally) -> Iterator[Finding | Note]:
        """Check all stamps and signatures; note in `tally` what they vouch for."""
        folder = LogFolder(metadata)
        if (folder.path / STAMPS).exists():
            yield from self._stamps(folder, tally)
        yield from self._signatures(folder, tally)

    def findings_for(
        self, metadata: Path, tally: SealTally, least: int
    ) -> Iterator[Finding | Note]:
        """Check what vouches for checkpoints over `least` leaves or more, as `findings` does.

        Time-stamps only where somebody is trusted to date: nothing else can come of them.
        """
        folder = LogFolder(metadata)
        if self._anchors is not None:
            yield from self._stamps(folder, tally, least)
        yield from self._signatures(folder, tally, least)

    def _stamps(
        self, folder: LogFolder, tally: SealTally, least: int = 0
    ) -> Iterator[Finding | Note]:
        from provenance.log.trusted import NO_ANCHORS
        from provenance.verify.stamped import StampCheck

        anchors = self._anchors or NO_ANCHORS
        check = StampCheck(folder, _origin(tally), tally.roots, anchors, least=least)
        yield from check.findings()
        tally.dated = check.dated

    def _signatures(
        self, folder: LogFolder, tally: SealTally, least: int = 0
    ) -> Iterator[Finding | Note]:
        check = SignatureCheck(folder, _origin(tally), self._key, least=least)
        yield from check.findings()
        tally.signed = check.signed


def _origin(tally: SealTally) -> str:
    return tally.checkpoint.origin if tally.checkpoint else ""
