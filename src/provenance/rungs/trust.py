"""Whom who verifies trusts: authorities and blocks that date, who signs, and who witnesses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.findings.finding import Finding, Note
from provenance.log.folder import STAMPS, LogFolder, read_given
from provenance.log.keyfile import public_witness_key
from provenance.log.note import parse_verifier_key
from provenance.rungs.sealed import SealTally
from provenance.rungs.signed import SignatureCheck

if TYPE_CHECKING:
    from provenance.rungs.cosigned import WitnessWord
    from provenance.timestamps.block import BlockHeader
    from provenance.timestamps.trusted import Anchors


class Trust:
    """Certificates in a PEM file, and a verifier key line, which may be None; and more, if any.

    `witness_keys` are verifier key lines of witnesses, or files that have them; `headers` those of
    Bitcoin blocks that are known to be in the chain. `given` says that anything was given.

    Raises:
        UsageError: one of them is not what it should be.
        StorageError: the file cannot be read.
    """

    def __init__(
        self,
        tsa_ca: Path | None,
        operator_key: str | None,
        witness_keys: Sequence[str] = (),
        headers: Sequence[BlockHeader] = (),
    ) -> None:
        self.given = bool(tsa_ca or operator_key is not None or witness_keys or headers)
        self._headers = tuple(headers)
        self._key = parse_verifier_key(operator_key.strip()) if operator_key is not None else None
        self._witnesses = tuple(dict.fromkeys(map(public_witness_key, witness_keys)))
        self._anchors: Anchors | None = None
        if tsa_ca is not None:
            # Certificates take long to import, and most archives have no time-stamp.
            from provenance.timestamps.trusted import parse_anchors

            self._anchors = parse_anchors(read_given(tsa_ca), where=str(tsa_ca))

    def unheard(self) -> tuple[WitnessWord, ...]:
        """Return the witnesses that were named, before anything is known of what they said."""
        from provenance.rungs.cosigned import WitnessWord

        return tuple(WitnessWord(key=key) for key in self._witnesses)

    def findings(self, metadata: Path, tally: SealTally) -> Iterator[Finding | Note]:
        """Check all stamps and signatures; note in `tally` what they vouch for."""
        folder = LogFolder(metadata, lenient=True)
        if (folder.path / STAMPS).exists() or self._headers:
            yield from self._stamps(folder, tally)
        yield from self._signatures(folder, tally)

    def findings_for(
        self, metadata: Path, tally: SealTally, least: int
    ) -> Iterator[Finding | Note]:
        """Check what vouches for checkpoints over `least` leaves or more, as `findings` does.

        Time-stamps only where somebody is trusted to date: nothing else can come of them.
        """
        folder = LogFolder(metadata, lenient=True)
        if self._anchors is not None or self._headers:
            yield from self._stamps(folder, tally, least)
        yield from self._signatures(folder, tally, least)

    def _stamps(
        self, folder: LogFolder, tally: SealTally, least: int = 0
    ) -> Iterator[Finding | Note]:
        from provenance.rungs.stamped import StampCheck
        from provenance.timestamps.trusted import NO_ANCHORS

        anchors = self._anchors or NO_ANCHORS
        check = StampCheck(folder, _origin(tally), tally.roots, anchors, self._headers, least=least)
        yield from check.findings()
        tally.dates = tuple(check.dates)

    def _signatures(
        self, folder: LogFolder, tally: SealTally, least: int = 0
    ) -> Iterator[Finding | Note]:
        check = SignatureCheck(folder, _origin(tally), tally.roots, self._key, least=least)
        yield from check.findings()
        tally.signed = check.signed
        if not self._witnesses and not (check.operator or check.any_signed):
            return
        from provenance.rungs.cosigned import CosignCheck

        cosigned = CosignCheck(
            folder, _origin(tally), tally.roots, self._witnesses, check.operator, least=least
        )
        yield from cosigned.findings()
        tally.cosigned = cosigned.words


def _origin(tally: SealTally) -> str:
    return tally.checkpoint.origin if tally.checkpoint else ""
