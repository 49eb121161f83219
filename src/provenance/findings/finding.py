"""What `verify` reports, as frozen values: findings, notes, captures, the report. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from provenance.digest import Digest
from provenance.findings.codes import CODES
from provenance.findings.note_codes import NOTES

_SHOWN = 300

FINDINGS_LIMIT = 10_000
"""Findings that are kept for one file; the rest are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault: its code, its place, what the archive declares and what its bytes say.

    `warc` is a file's base name, `offset` the byte where the gzip member (or the plain record)
    starts in it; both are None where the fault has no such place.
    """

    code: str
    warc: str | None = None
    offset: int | None = None
    capture_id: Digest | None = None
    field: str | None = None
    expected: str | None = None
    found: str | None = None
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something worth knowing that is no fault; the same keys as a finding, less the capture."""

    code: str
    warc: str | None = None
    offset: int | None = None
    field: str | None = None
    expected: str | None = None
    found: str | None = None
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureVerdict:
    """The rungs of the assurance ladder that hold for one capture.

    `dated_at` and `dated_by` are the earliest date of a checkpoint that covers it, and whose word
    that is; None where nobody who is trusted has dated one, or a whole archive is verified.
    """

    capture_id: Digest
    warc: str
    rungs: tuple[str, ...]
    dated_at: str | None = None
    dated_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rungs:
    """How many captures stand on each rung."""

    whole: int = 0
    sealed: int = 0
    dated: int = 0
    signed: int = 0
    witnessed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestTally:
    """How many lines the manifest has, and how many of them agree with a file."""

    listed: int = 0
    agreed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """What the newest checkpoint says: the log's origin, its leaves, and the root in Base64."""

    origin: str
    size: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedBy:
    """That somebody who is trusted dated the checkpoint over `size` leaves.

    `way` is `rfc3161`, with the name in the signer's certificate in `by`, or `bitcoin`, with the
    block's hash.
    """

    size: int
    dated_at: str
    by: str
    way: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessState:
    """What a witness that was named has cosigned: leaves, when, and how many captures it covers.

    `key` is its verifier key line; `cosigned_at` is None where it has cosigned nothing here.
    """

    witness: str
    key: str
    size: int
    cosigned_at: str | None
    captures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The end of a verification: counts of captures, records and findings.

    `asked_of_log` is how many of the captures were held against the log. `log` is None where there
    is no checkpoint that can be read, or the log was not asked; `witnesses` has each that was
    named, in the order given. `dates` are those of checkpoints, the smallest checkpoint first.
    """

    captures: int
    records: int
    findings: int
    rungs: Rungs
    manifest: ManifestTally
    asked_of_log: int = 0
    log: LogState | None = None
    witnesses: tuple[WitnessState, ...] = ()
    dates: tuple[DatedBy, ...] = ()


Sink = Callable[[Finding], None]
"""Takes each finding as it is made."""


def finding(
    code: str,
    *,
    warc: str | None = None,
    offset: int | None = None,
    capture_id: Digest | str | None = None,
    field: str | None = None,
    expected: object = None,
    found: object = None,
) -> Finding:
    """Return a finding with the hint of its code; texts are cut to 300 characters and escaped."""
    return Finding(
        code=code,
        warc=warc,
        offset=offset,
        capture_id=Digest(capture_id) if capture_id is not None else None,
        field=field,
        expected=shown(expected),
        found=shown(found),
        hint=CODES[code].hint,
    )


def note(
    code: str,
    *,
    warc: str | None = None,
    offset: int | None = None,
    field: str | None = None,
    expected: object = None,
    found: object = None,
) -> Note:
    """Return a note with the hint of its code."""
    return Note(
        code=code,
        warc=warc,
        offset=offset,
        field=field,
        expected=shown(expected),
        found=shown(found),
        hint=NOTES[code].hint,
    )


def listed(name: str, findings: Sequence[Finding], unlisted: int) -> tuple[Finding, ...]:
    """Return at most `FINDINGS_LIMIT` findings, and one that counts those left out."""
    unlisted += max(len(findings) - FINDINGS_LIMIT, 0)
    if not unlisted:
        return tuple(findings)
    more = finding(
        "more_findings",
        warc=name,
        expected=f"at most {FINDINGS_LIMIT} listed",
        found=f"{unlisted} more",
    )
    return (*findings[:FINDINGS_LIMIT], more)


def shown(value: object) -> str | None:
    r"""Return a text that is safe to print: control characters escaped, long texts cut.

    An empty text becomes `nothing`.

    >>> shown("a\x1b[2J")
    'a\\x1b[2J'
    """
    if value is None:
        return None
    if isinstance(value, bytes):
        text = repr(value[:_SHOWN])[2:-1]
    else:
        text = str(value)[: _SHOWN + 1]
        if not text.isprintable():
            text = "".join(
                each if each.isprintable() else each.encode("unicode_escape").decode()
                for each in text
            )
    if len(text) > _SHOWN:
        text = text[: _SHOWN - 1] + "…"
    return text or "nothing"
