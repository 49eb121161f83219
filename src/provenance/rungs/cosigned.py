"""Check who cosigned the checkpoints of a log: rung *witnessed*, as far as the log gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from provenance.dates import format_instant, from_epoch
from provenance.errors import ProvenanceError
from provenance.findings.finding import Finding, Note, finding, note
from provenance.log.checkpoint import Cosigned, CosignerKey, cosignatures_of, parse_checkpoint
from provenance.log.folder import CHECKPOINT, CHECKPOINTS, LogFolder
from provenance.log.note import Note as SignedNote
from provenance.log.note import VerifierKey, parse_note

_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessWord:
    """What a witness that was named has cosigned of a log: the largest size, and when.

    0 and None where it has cosigned nothing that is here.
    """

    key: CosignerKey
    size: int = 0
    cosigned_at: str | None = None


class CosignCheck:
    """The cosignatures below a log's checkpoints; `roots` are the roots that its leaves give.

    `operator` is the key that signs the log, where one is known; its lines are none of a witness.
    Of checkpoints over fewer than `least` leaves nothing is looked at.
    """

    def __init__(
        self,
        folder: LogFolder,
        origin: str,
        roots: Mapping[int, bytes],
        keys: Sequence[CosignerKey],
        operator: VerifierKey | None,
        *,
        least: int = 0,
    ) -> None:
        self._folder = folder
        self._origin = origin
        self._roots = roots
        self._operator = operator
        self._least = least
        self._words = {key: WitnessWord(key=key) for key in keys}

    @property
    def words(self) -> tuple[WitnessWord, ...]:
        """What each witness that was named has cosigned, in the order given."""
        return tuple(self._words.values())

    def findings(self) -> Iterator[Finding | Note]:
        """Yield what is wrong with cosignatures, and that there are some which nobody asked for."""
        for key in list(self._words):
            if self._operator is not None and self._operator.public == key.public:
                del self._words[key]
                yield finding(
                    "cosignature_refused",
                    field="metadata/log",
                    expected="the key of somebody else",
                    found=f"the operator's own, as {key.line}",
                )
        unknown: dict[str, None] = {}
        sizes = (size for size in self._folder.sizes() if size >= self._least)
        for name in (CHECKPOINT, *(f"{CHECKPOINTS}/{size}" for size in sizes)):
            signed = self._read(name)
            if signed is not None:
                yield from self._check(name, signed)
                unknown.update(dict.fromkeys(self._unknown_in(signed)))
        if unknown:
            more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
            found = ", ".join(list(unknown)[:_NAMED]) + more
            yield note("cosignature_unasked", field="metadata/log", found=found)

    def _read(self, name: str) -> SignedNote | None:
        try:
            raw = self._folder.read(name)
            return parse_note(raw) if raw is not None and b"\n\n" in raw else None
        except ProvenanceError:
            return None  # told where the tree is checked

    def _check(self, name: str, signed: SignedNote) -> Iterator[Finding]:
        for key in self._words:
            try:
                said = cosignatures_of(signed, [key])
            except ProvenanceError as fault:
                place, expected = f"metadata/log/{name}", f"a cosignature by {key.name}"
                yield finding("cosignature_refused", field=place, expected=expected, found=fault)
                continue
            for each in said:
                self._take(each, signed)

    def _take(self, said: Cosigned, signed: SignedNote) -> None:
        """Count a cosignature, if it is on a tree that this log had."""
        try:
            head = parse_checkpoint(signed.text)
        except ProvenanceError:
            return  # told where the tree is checked
        ours = head.origin == self._origin and self._roots.get(head.size) == head.root
        if ours and head.size > self._words[said.key].size:
            at = format_instant(from_epoch(said.time_s))
            self._words[said.key] = WitnessWord(key=said.key, size=head.size, cosigned_at=at)

    def _unknown_in(self, signed: SignedNote) -> Iterator[str]:
        known = {(key.name, key.key_id) for key in self._words}
        if self._operator is not None:
            known.add((self._operator.name, self._operator.key_id))
        for each in signed.signatures:
            if (each.name, each.key_id) not in known:
                yield each.name
