"""The one tree of exceptions: what went wrong, where, what was expected, and what to do next.

An exception means that the command cannot go on. The fate of one item is a value instead
(`model.Outcome`, `verify.Finding`).
"""

from __future__ import annotations

from collections.abc import Sequence


class ProvenanceError(Exception):
    """A command cannot go on; `str()` of it is the one line a person reads.

    `exit_code` is the process exit status: 1 failed, 2 usage, 4 damage (DESIGN: exit codes).
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.expected = expected
        self.found = found
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.expected is not None:
            text += f": expected {self.expected}"
            if self.found is not None:
                text += f", found {self.found}"
        elif self.found is not None:
            text += f": found {self.found}"
        return f"{text}. {self.hint}" if self.hint else text


class UsageError(ProvenanceError):
    """The call cannot be understood or does not fit what is there."""

    exit_code = 2


class NotARootError(UsageError):
    """The directory is no archive root."""


class SeedsError(UsageError):
    """One or more seeds files are faulty; `faults` holds every fault, one line each."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        noun = "fault" if len(self.faults) == 1 else "faults"
        super().__init__(
            f"{len(self.faults)} {noun} in the seeds",
            hint="Nothing was fetched; mend the seeds and run the command again.",
        )


class UnknownIdError(UsageError):
    """No document, capture or content has this id or prefix."""


class AmbiguousIdError(UsageError):
    """A prefix fits several ids; `candidates` lists them."""

    def __init__(self, prefix: str, candidates: Sequence[str]) -> None:
        self.candidates = tuple(candidates)
        shown = ", ".join(self.candidates[:10])
        super().__init__(
            f"{prefix!r} fits {len(self.candidates)} ids",
            found=shown,
            hint="Give more digits.",
        )


class IndexMissingError(ProvenanceError):
    """There is no index, or it is of another schema."""


class StorageError(ProvenanceError):
    """The disk refused: full, read-only or failing."""


class WarcFormatError(ProvenanceError):
    """Bytes that should be a WARC record are not; `offset` is the byte where it starts."""

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        offset: int | None = None,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
    ) -> None:
        place = f"{where} at byte {offset}" if where is not None and offset is not None else where
        super().__init__(what, where=place, expected=expected, found=found, hint=hint)
        self.offset = offset


class TruncatedRecordError(WarcFormatError):
    """The file ends inside a record or gzip member."""


class LogFormatError(ProvenanceError):
    """Text or bytes that should belong to a transparency log are not of its form."""


class ProofError(ProvenanceError):
    """A Merkle proof or a signature does not hold."""

    exit_code = 4
