"""Read one WARC file once and report what it shows by itself. Changes nothing.

Never ends early for what a file holds; memory stays flat at any size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from provenance.digest import Digest
from provenance.findings.finding import (
    FINDINGS_LIMIT,
    CaptureVerdict,
    Finding,
    Note,
    finding,
    listed,
    note,
)
from provenance.whole.arc import check_arc
from provenance.whole.captures import CaptureJudge
from provenance.whole.framing import (
    WARC,
    Form,
    FramedRecord,
    form_of,
    framed_records,
    record_at,
)
from provenance.whole.header import HeaderFault
from provenance.whole.inflate import member_header_size
from provenance.whole.ledger import Ledger
from provenance.whole.records import Facts, RecordJudge, Tallies, Wanted, anchor_id
from provenance.whole.rows import Spill
from provenance.whole.shortcut import Shortcut
from provenance.whole.stretch import Stretch
from provenance.whole.window import Window

_PATIENCE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What one file by itself shows; `ledger` is for the checks across files."""

    warc: str
    sha256: Digest | None
    size: int
    records: int
    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]
    ledger: Ledger

    @property
    def whole(self) -> int:
        """How many captures no finding touches, as far as the checks done so far say."""
        return sum(group not in self.ledger.damaged for group in self.ledger.outcomes.numbers())

    @property
    def sealed(self) -> int:
        """How many captures are as the log has them, where the log covers the file."""
        return sum(group not in self.ledger.unsealed for group in self.ledger.outcomes.numbers())

    def witnessed(self, *, cosigned: bool) -> int:
        """How many captures have a content that another archive holds too.

        Where a witness has cosigned what covers the file, those that are as the log has them too.
        """
        return sum(
            group in self.ledger.witnessed or (cosigned and group not in self.ledger.unsealed)
            for group in self.ledger.outcomes.numbers()
        )

    def verdicts(self, logged: tuple[str, ...] = ()) -> Iterator[CaptureVerdict]:
        """Yield each capture with its rungs, as far as the checks done so far say.

        `logged` are the rungs that the log gives to what it covers of the file.
        """
        for capture_id, group in self.ledger.outcomes:
            rungs = [] if group in self.ledger.damaged else ["whole"]
            rungs += logged if group not in self.ledger.unsealed else ()
            if group in self.ledger.witnessed and "witnessed" not in rungs:
                rungs.append("witnessed")
            yield CaptureVerdict(capture_id=capture_id, warc=self.warc, rungs=tuple(rungs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a stretch of one gzip file shows: the captures that begin in it, judged.

    They stand from byte `start` up to `end`, where the next capture begins. `met` says that a
    record was seen at the byte that should be one, `framed` that the framing is without fault.
    `ours` tells whose records came before the stretch and whose at its end.
    """

    start: int
    end: int
    met: bool
    framed: bool
    ours: tuple[bool, bool]
    records: int
    findings: tuple[Finding, ...]
    unlisted: int
    notes: tuple[Note, ...]
    tallies: Tallies
    ledger: Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What stands at one place: the record looked for, None where it is not there, and all judged.

    `part` holds what was found wrong with the capture at that place, and maybe with its neighbour.
    """

    facts: Facts | None
    part: Part


class _FileAudit:
    """Judge the records of one open file, or of a stretch of it."""

    def __init__(
        self,
        source: Stretch,
        name: str,
        window: Window,
        *,
        short: bool = True,
        spill: Spill | None = None,
    ) -> None:
        self._source = source
        self._short = short
        self._name = name
        self._window = window
        self._ledger = Ledger(spill=spill)
        self._findings: list[Finding] = []
        self._unlisted = 0
        self._faults = 0
        self._framed = True
        self._met = False
        self._held_from = 0
        self._places: dict[int, int] = {}
        self._records = 0
        self._notes: list[Note] = []
        self._wanted: Wanted | None = None
        self._seen: Facts | None = None
        self._judge = RecordJudge(self._take_fault, self._block_again)
        self._captures = CaptureJudge(self._ledger, self._complain, self._remark, self._close)

    def run(self) -> FileReport:
        form = form_of(self._window)
        if form is Form.EMPTY:
            self._add(finding("empty_file", warc=self._name, expected="records", found="0 bytes"))
        elif form is Form.FOREIGN:
            start = bytes(self._window.at(0, 16))
            self._add(finding("foreign_file", warc=self._name, expected="a WARC", found=start))
        elif form in (Form.ARC, Form.ARC_GZIP):
            self._records = check_arc(self._window, form, self._fault)
            self._notes.append(note("arc_undigested", warc=self._name, found=form.value))
        else:
            self._run_records(form)
        return FileReport(
            warc=self._name,
            sha256=self._window.digest(),
            size=self._window.size,
            records=self._records,
            findings=listed(self._name, self._findings, self._unlisted),
            notes=(*self._notes, *reading_notes(self._name, self._judge.tallies)),
            ledger=self._ledger,
        )

    def run_part(self, start: int, until: int | None, *, ours: bool) -> Part:
        """Judge the captures from the first that begins after the record at `start`.

        With `start` 0 from the first of the file. The last is the one at `until`, or the last of
        the file.
        """
        self._judge.ours = ours
        first = self._next_capture(start, until) if start else 0
        return self._part(first, self._run_gzip(first, until), ours=ours)

    def run_capture(self, start: int, wanted: Wanted, *, ours: bool) -> Sighting:
        """Judge in full the capture whose first record is at `start`, and look for a record in it.

        Where one gzip member holds more captures, all of them are judged.
        """
        self._judge.ours = ours
        self._wanted = wanted
        end = start
        if member_header_size(self._window, start) is not None:
            end = self._run_full(start, start, captures=1)
        elif bytes(self._window.at(start, 5)).startswith(WARC):
            end = self._run_full(start, start, captures=1, form=Form.PLAIN)
        return Sighting(facts=self._seen, part=self._part(start, end, ours=ours))

    def _part(self, start: int, end: int, *, ours: bool) -> Part:
        return Part(
            start=start,
            end=end,
            met=self._met,
            framed=self._framed,
            ours=(ours, self._judge.ours),
            records=self._records,
            findings=tuple(self._findings),
            unlisted=self._unlisted,
            notes=tuple(self._notes),
            tallies=self._judge.tallies,
            ledger=self._ledger,
        )

    def _next_capture(self, offset: int, until: int | None) -> int:
        before: str | None = None
        for record in framed_records(self._window, Form.GZIP, self._framing_fault, start=offset):
            anchor = anchor_id(record.header)
            if before is not None and (anchor != before or not anchor):
                return record.offset
            self._met |= record.offset == until
            before = anchor
        return self._window.size

    def _run_records(self, form: Form) -> None:
        if form is Form.GZIP:
            self._run_gzip(0, None)
        else:
            for record in framed_records(self._window, form, self._framing_fault):
                self._judge_record(record, anchor_id(record.header))
            self._captures.close(at_end=True)
        if not self._records:
            self._add(finding("no_record", warc=self._name, expected="a record", found="none"))

    def _run_gzip(self, offset: int, until: int | None) -> int:
        """Judge captures up to the first that begins after `until`; return where that is.

        Records of ours go the short way as far as it leads, and then in full for some captures:
        for one, and for more where the short way did not lead on.
        """
        short = Shortcut(self._window, self._ledger, until)
        vain = 0
        while offset < self._window.size and (until is None or offset <= until):
            if self._short and self._judge.ours:
                before, offset = offset, short.run(offset)
                vain = vain + 1 if offset == before else 0
            if offset < self._window.size and (until is None or offset <= until):
                offset = self._run_full(offset, until, captures=1 << min(vain, _PATIENCE))
        self._records += short.records
        self._met |= short.met
        return offset

    def _run_full(
        self, offset: int, until: int | None, *, captures: int, form: Form = Form.GZIP
    ) -> int:
        """Judge records in full, for so many captures; return where the next begins."""
        faults = 0
        for record in framed_records(self._window, form, self._framing_fault, start=offset):
            anchor = anchor_id(record.header)
            if self._captures.ends_before(anchor):
                captures -= 1
                # Nowhere but at the clean beginning of a member can the other way take over.
                clean = record.ordinal == 0 and faults == self._faults
                past = until is not None and record.offset > until
                if past or (captures <= 0 and clean and self._short and self._judge.ours):
                    self._captures.close()
                    return record.offset
            self._met |= record.offset == until
            self._judge_record(record, anchor)
            faults = self._faults
        self._captures.close(at_end=True)
        return self._window.size

    def _judge_record(self, record: FramedRecord, anchor: str) -> None:
        self._records += 1
        self._places[record.offset] = self._captures.begin(anchor)
        facts = self._judge.judge(record)
        if self._wanted is not None and self._seen is None and self._wanted.is_in(facts):
            self._seen = facts
        self._captures.take(facts)

    def _block_again(self, record: FramedRecord) -> Iterator[bytes]:
        with self._source.window(hashing=False) as window:
            for again in record_at(window, record.offset, record.ordinal):
                yield from again.pieces()

    # Faults

    def _framing_fault(
        self,
        code: str,
        offset: int,
        *,
        field: str | None = None,
        expected: object = None,
        found: object = None,
    ) -> None:
        self._framed = False
        self._fault(code, offset, field=field, expected=expected, found=found)

    def _fault(
        self,
        code: str,
        offset: int,
        *,
        field: str | None = None,
        expected: object = None,
        found: object = None,
    ) -> None:
        self._faults += 1
        if offset in self._places:
            self._ledger.damaged.add(self._places[offset])
        self._add(
            finding(
                code,
                warc=self._name,
                offset=offset,
                field=field,
                expected=expected,
                found=found,
            )
        )

    def _take_fault(self, record: FramedRecord, fault: HeaderFault) -> None:
        self._fault(
            fault.code,
            record.offset,
            field=fault.field,
            expected=fault.expected,
            found=fault.found,
        )

    def _complain(
        self,
        code: str,
        facts: Facts,
        *,
        field: str | None = None,
        expected: object = None,
        found: object = None,
    ) -> None:
        self._fault(code, facts.offset, field=field, expected=expected, found=found)

    def _remark(self, code: str, facts: Facts, *, found: object = None) -> None:
        self._notes.append(note(code, warc=self._name, offset=facts.offset, found=found))

    def _add(self, fault: Finding) -> None:
        if len(self._findings) < FINDINGS_LIMIT:
            self._findings.append(fault)
        else:
            self._unlisted += 1

    def _close(self, capture_id: Digest | None) -> None:
        """Name the capture in the findings on its records; called when its last record is read."""
        for index in range(self._held_from, len(self._findings)):
            held = self._findings[index]
            if held.offset in self._places and held.capture_id is None:
                self._findings[index] = replace(held, capture_id=capture_id)
        self._held_from = len(self._findings)
        self._places.clear()


def reading_notes(name: str, tallies: Tallies) -> Iterator[Note]:
    """Yield what was counted and is no fault."""
    counts = (
        ("payload_reading", "WARC-Payload-Digest", tallies.readings),
        ("algorithm_unknown", None, tallies.unknown),
        ("type_unknown", "WARC-Type", tallies.types),
    )
    for code, field, counter in counts:
        if counter:
            found = ", ".join(f"{word} {count}" for word, count in sorted(counter.items()))
            yield note(code, warc=name, field=field, found=found)


def read_file(
    path: Path,
    *,
    sealed_name: str | None = None,
    short: bool = True,
    spill: Spill | None = None,
    on_read: Callable[[int], None] | None = None,
) -> FileReport:
    """Read one file and check it by itself, in bounded memory where there is a `spill`.

    `sealed_name` is the name to report where the file still has another. Without `short` every
    record is judged in full; the report is the same. `on_read` is told how many bytes come.
    """
    source = Stretch(path=path)
    name = sealed_name or path.name
    return read_stretch(source, name, short=short, spill=spill, on_read=on_read)


def read_stretch(
    source: Stretch,
    name: str,
    *,
    short: bool = True,
    spill: Spill | None = None,
    on_read: Callable[[int], None] | None = None,
) -> FileReport:
    """Read a stretch of a file as a WARC file of this name, as `read_file` does."""
    try:
        with source.window(on_read=on_read) as window:
            return _FileAudit(source, name, window, short=short, spill=spill).run()
    except OSError as error:
        fault = finding("unreadable_file", warc=name, expected="a file", found=error.strerror)
        return FileReport(
            warc=name,
            sha256=None,
            size=0,
            records=0,
            findings=(fault,),
            notes=(),
            ledger=Ledger(),
        )


def read_part(path: Path, start: int, until: int | None, *, ours: bool) -> Part:
    """Judge a stretch of one gzip file, as `Part` says; the file is not hashed.

    Raises:
        OSError: the file cannot be read.
    """
    source = Stretch(path=path)
    with source.window(hashing=False) as window:
        return _FileAudit(source, path.name, window).run_part(start, until, ours=ours)


def read_capture(path: Path, start: int, wanted: Wanted, *, ours: bool) -> Sighting:
    """Judge the one capture whose first record is at `start`; nothing past its end is read.

    Raises:
        OSError: the file cannot be read.
    """
    source = Stretch(path=path)
    with source.window(hashing=False) as window:
        return _FileAudit(source, path.name, window).run_capture(start, wanted, ours=ours)
