"""Verify one capture at its place, in full, and nothing else of its file. Changes nothing.

The index says where to look. What is there is judged by the same code as a whole file is, and what
the index says of it is not believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from provenance.digest import Digest
from provenance.findings.finding import CaptureVerdict, Finding, Note, finding
from provenance.whole.across import Across
from provenance.whole.files import Part, Sighting, read_capture, reading_notes
from provenance.whole.framing import record_at
from provenance.whole.header import bare
from provenance.whole.ledger import key_of
from provenance.whole.records import KEPT_LIMIT, Facts, RecordJudge, Wanted, anchor_id
from provenance.whole.relations import Reread
from provenance.whole.stretch import Stretch

_CUT = "capture_cut"
_OTHERWISE = frozenset({_CUT, "revisit_elsewhere"})
"""Notes on what may be so in a file by itself, and is a fault of a capture that is asked for."""


class Place(Protocol):
    """Where a record is said to stand: its file, its byte, and where its capture begins."""

    @property
    def warc(self) -> str:
        """The file's base name."""

    @property
    def start(self) -> int:
        """The byte of the first record of the capture."""

    @property
    def offset(self) -> int:
        """The byte of the record."""


class Places(Protocol):
    """What knows the places of records, such as the index."""

    def of_capture(self, capture_id: Digest) -> Place | None:
        """Return the place of a capture's record, or None."""

    def of_record(self, record_id: str) -> tuple[Place, ...]:
        """Return the places of the records of this id."""

    def of_digest(self, record_digest: Digest) -> Place | None:
        """Return the place of a record of this digest, or None."""

    def warcinfo_before(self, warc: str, offset: int) -> int | None:
        """Return the byte of the last warcinfo record of a file before a byte, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafAt:
    """A leaf that records give: its hash, and the byte of the first of them."""

    hashed: bytes
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleReport:
    """What was found of one capture: whether it is whole, the records read, and what is wrong.

    `leaves` are those that its records should have in the log; none where they were not found.
    """

    verdict: CaptureVerdict
    records: int
    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]
    leaves: tuple[LeafAt, ...] = ()


class SingleAudit:
    """Verify captures of the files in `archive`, one by one."""

    def __init__(self, archive: Path, places: Places) -> None:
        self._archive = archive
        self._places = places

    def verify(self, capture_id: Digest, *, content_id: Digest | None = None) -> SingleReport:
        """Verify one capture, and that its content is `content_id`, where one is given.

        Steps:
        (1) Read the records at its place, in full; that of this capture id must be among them.
        (2) A revisit's original is read and judged too, and what the one says of the other.
        (3) The content that was measured, the original's for a revisit, is the one asked for.
        (4) What the capture's redirects name is where the index says.
        """
        place = self._places.of_capture(capture_id)
        if place is None:
            return _report(capture_id, "", [_elsewhere(capture_id, None, "no such capture")])
        try:
            return self._verify(capture_id, place, content_id)
        except (OSError, ValueError) as error:  # a name or place that no file has, too
            fault = finding(
                "unreadable_file",
                warc=place.warc,
                capture_id=capture_id,
                expected="a file",
                found=getattr(error, "strerror", None) or str(error),
            )
            return _report(capture_id, place.warc, [fault])

    def _verify(self, capture_id: Digest, place: Place, content_id: Digest | None) -> SingleReport:
        seen = self._read(place, Wanted(digest=capture_id))  # (1)
        part, facts = seen.part, seen.facts
        findings = [*_concerning(seen, place)]
        if facts is None:
            found = f"no record with that digest among {part.records} read"
            findings.insert(0, _elsewhere(capture_id, place, found))
            return _report(capture_id, place.warc, findings, records=part.records)
        own = key_of(anchor_id(facts.header))
        if own not in part.ledger.outcomes.numbers():
            findings += _cut(capture_id, part)
        notes = [*part.notes, *reading_notes(place.warc, part.tallies)]
        records = part.records
        measured = facts.digests.content_id if facts.digests is not None else None
        damaged = False
        if facts.kind == "revisit":  # (2)
            original = self._original(facts, place)
            records += original.records
            findings += original.findings
            notes += original.notes
            measured, damaged = original.content_id, original.damaged
            findings += self._compare(place, part, original)
        if content_id is not None and measured != content_id:  # (3)
            findings.append(_other_content(capture_id, place, content_id, measured))
        findings += self._lost_hops(capture_id, place, part)  # (4)
        whole = not damaged and own not in part.ledger.damaged and not _of(capture_id, findings)
        return SingleReport(
            verdict=CaptureVerdict(
                capture_id=capture_id, warc=place.warc, rungs=("whole",) if whole else ()
            ),
            records=records,
            findings=tuple(findings),
            notes=tuple(each for each in notes if each.code not in _OTHERWISE),
            leaves=tuple(_leaves(part, own)),
        )

    def _read(self, place: Place, wanted: Wanted) -> Sighting:
        path = self._path(place)
        return read_capture(path, place.start, wanted, ours=self._is_ours(path, place))

    def _path(self, place: Place) -> Path:
        return self._archive / Path(place.warc).name

    def _is_ours(self, path: Path, place: Place) -> bool:
        """Say whose records stand at a place: the warcinfo record before it tells.

        The first record of the file is asked; only where that is another's, one further on.
        """
        if _opens_ours(path, 0):
            return True
        later = self._places.warcinfo_before(place.warc, place.start)
        return later is not None and _opens_ours(path, later)

    def _original(self, revisit: Facts, place: Place) -> _Original:
        target = bare(revisit.header.value("WARC-Refers-To"))
        if not target:
            return _Original()  # a missing field is a finding already
        for its_place in self._places.of_record(target):
            try:
                seen = self._read(its_place, Wanted(record_id=target))
            except (OSError, ValueError):  # its file is gone, or none that can be read
                continue
            if seen.facts is None:
                continue
            content = seen.facts.digests.content_id if seen.facts.digests is not None else None
            return _Original(
                place=its_place,
                part=seen.part,
                content_id=content,
                records=seen.part.records,
                damaged=key_of(anchor_id(seen.facts.header)) in seen.part.ledger.damaged,
                findings=tuple(_concerning(seen, its_place)),
                notes=seen.part.notes,
            )
        lost = finding(
            "revisit_target_missing",
            warc=place.warc,
            offset=revisit.offset,
            capture_id=revisit.record_digest,
            field="WARC-Refers-To",
            expected=target,
            found="no such record where the index says",
        )
        return _Original(damaged=True, findings=(lost,))

    def _compare(self, place: Place, part: Part, original: _Original) -> Iterator[Finding]:
        if original.place is None or original.part is None:
            return
        same = (original.place.warc, original.place.start) == (place.warc, place.start)
        files = [(place.warc, part.ledger)]
        if not same:
            files.append((original.place.warc, original.part.ledger))
        paths = {each.warc: self._path(each) for each in (place, original.place)}
        for each in Across(files, Reread(paths).facts, complete=False).findings():
            if isinstance(each, Finding):
                yield each

    def _lost_hops(self, capture_id: Digest, place: Place, part: Part) -> Iterator[Finding]:
        for digest, offset in part.ledger.hops:
            its_place = self._places.of_digest(digest)
            if its_place is None or not self._stands(digest, its_place):
                yield finding(
                    "redirect_missing",
                    warc=place.warc,
                    offset=offset,
                    capture_id=capture_id,
                    field="redirects[].capture_id",
                    expected=digest,
                    found="no such capture where the index says",
                )

    def _stands(self, digest: Digest, place: Place) -> bool:
        try:
            return self._read(place, Wanted(digest=digest)).facts is not None
        except OSError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Original:
    """What a revisit refers to, as far as it was found."""

    place: Place | None = None
    part: Part | None = None
    content_id: Digest | None = None
    records: int = 0
    damaged: bool = False
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()


def _concerning(seen: Sighting, place: Place) -> Iterator[Finding]:
    """Yield what was found at the records of one capture, and not what was of its neighbour."""
    part = seen.part
    last = place.offset
    if seen.facts is not None:
        own = key_of(anchor_id(seen.facts.header))
        rows = part.ledger.records
        last = max((offset for _, offset, group in rows if group == own), default=last)
    for each in part.findings:
        if each.offset is None or place.start <= each.offset <= last:
            its_id = seen.facts.record_digest if seen.facts is not None else None
            yield each if each.capture_id is not None else replace(each, capture_id=its_id)


def _cut(capture_id: Digest, part: Part) -> Iterator[Finding]:
    """Yield a fault where the file ends inside the capture: the index knows it, so it was whole."""
    for each in part.notes:
        if each.code == _CUT:
            yield finding(
                "metadata_missing",
                warc=each.warc,
                offset=each.offset,
                capture_id=capture_id,
                expected="a metadata record",
                found=f"{each.found}, and the end of the file",
            )


def _leaves(part: Part, group: int) -> Iterator[LeafAt]:
    offsets = {at for _, at, its_group in part.ledger.records if its_group == group}
    for hashed, offset in zip(part.ledger.leaves.raws(), part.ledger.leaves.numbers(), strict=True):
        if offset in offsets:
            yield LeafAt(hashed=hashed, offset=offset)


def _of(capture_id: Digest, findings: list[Finding]) -> bool:
    return any(each.capture_id == capture_id for each in findings)


def _elsewhere(capture_id: Digest, place: Place | None, found: str) -> Finding:
    return finding(
        "capture_elsewhere",
        warc=place.warc if place is not None else None,
        offset=place.offset if place is not None else None,
        capture_id=capture_id,
        expected=capture_id,
        found=found,
    )


def _other_content(
    capture_id: Digest, place: Place, content_id: Digest, measured: Digest | None
) -> Finding:
    return finding(
        "content_other",
        warc=place.warc,
        offset=place.offset,
        capture_id=capture_id,
        field="content id",
        expected=content_id,
        found=measured or "no content",
    )


def _report(
    capture_id: Digest, warc: str, findings: list[Finding], *, records: int = 0
) -> SingleReport:
    return SingleReport(
        verdict=CaptureVerdict(capture_id=capture_id, warc=warc, rungs=()),
        records=records,
        findings=tuple(findings),
        notes=(),
    )


def _opens_ours(path: Path, offset: int) -> bool:
    """Say whether the record at `offset` is a warcinfo of ours."""
    first = warcinfo_at(path, offset)
    return first is not None and first.ours


def warcinfo_at(path: Path, offset: int) -> Facts | None:
    """Return the warcinfo record at a byte, None where there is none; a large one is passed over.

    Raises:
        OSError: the file cannot be read.
    """
    judge = RecordJudge(lambda _record, _fault: None, lambda _record: ())
    with Stretch(path=path).window(hashing=False) as window:
        for record in record_at(window, offset, 0):
            size = record.header.content_length or 0
            if record.header.value("WARC-Type") == "warcinfo" and size <= KEPT_LIMIT:
                return judge.judge(record)
            break
    return None
