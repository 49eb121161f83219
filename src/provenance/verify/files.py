"""Read one WARC file once and report what it shows by itself. Changes nothing.

Never ends early for what a file holds; memory stays flat at any size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from provenance.digest import Digest
from provenance.verify.across import Across
from provenance.verify.captures import CaptureJudge
from provenance.verify.findings import CaptureVerdict, Finding, Note, finding, note
from provenance.verify.framing import (
    Form,
    FramedRecord,
    check_members,
    form_of,
    framed_records,
    record_at,
)
from provenance.verify.header import HeaderFault
from provenance.verify.ledger import Ledger, key_of
from provenance.verify.records import Facts, RecordJudge, anchor_id
from provenance.verify.window import Window

FINDINGS_LIMIT = 10_000
"""Findings that are kept for one file; the rest are counted."""


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

    def verdicts(self) -> Iterator[CaptureVerdict]:
        """Yield each capture with its rungs, as far as the checks done so far say."""
        for index in range(len(self.ledger.outcomes)):
            capture_id, group = self.ledger.outcomes.at(index)
            rungs = () if group in self.ledger.damaged else ("whole",)
            yield CaptureVerdict(capture_id=capture_id, warc=self.warc, rungs=rungs)


class _FileAudit:
    """Judge the records of one open file."""

    def __init__(self, path: Path, name: str, source: BinaryIO) -> None:
        self._path = path
        self._name = name
        self._window = Window(source)
        self._ledger = Ledger()
        self._findings: list[Finding] = []
        self._unlisted = 0
        self._held_from = 0
        self._places: dict[int, int] = {}
        self._records = 0
        self._notes: list[Note] = []
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
            if form is Form.ARC_GZIP:
                check_members(self._window, self._fault)
            self._notes.append(note("records_unread", warc=self._name, found=form.value))
        else:
            self._run_records(form)
        self._note_readings()
        return FileReport(
            warc=self._name,
            sha256=self._window.digest(),
            size=self._window.size,
            records=self._records,
            findings=self._listed(),
            notes=tuple(self._notes),
            ledger=self._ledger,
        )

    def _run_records(self, form: Form) -> None:
        for record in framed_records(self._window, form, self._fault):
            self._records += 1
            group = self._captures.begin(anchor_id(record.header))
            self._places[record.offset] = group
            self._captures.take(self._judge.judge(record))
        self._captures.close(at_end=True)
        if not self._records:
            self._add(finding("no_record", warc=self._name, expected="a record", found="none"))

    def _block_again(self, record: FramedRecord) -> Iterator[bytes]:
        with self._path.open("rb") as source:
            for again in record_at(Window(source), record.offset, record.ordinal):
                yield from again.pieces()

    # Faults

    def _fault(
        self,
        code: str,
        offset: int,
        *,
        field: str | None = None,
        expected: object = None,
        found: object = None,
    ) -> None:
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

    def _listed(self) -> tuple[Finding, ...]:
        if self._unlisted:
            more = finding(
                "more_findings",
                warc=self._name,
                expected=f"at most {FINDINGS_LIMIT} listed",
                found=f"{self._unlisted} more",
            )
            self._findings.append(more)
        return tuple(self._findings)

    def _note_readings(self) -> None:
        counts = (
            ("payload_reading", "WARC-Payload-Digest", self._judge.readings),
            ("algorithm_unknown", None, self._judge.unknown),
            ("type_unknown", "WARC-Type", self._judge.types),
        )
        for code, field, counter in counts:
            if counter:
                found = ", ".join(f"{word} {count}" for word, count in sorted(counter.items()))
                self._notes.append(note(code, warc=self._name, field=field, found=found))


def read_file(path: Path, *, sealed_name: str | None = None) -> FileReport:
    """Read one file and check it by itself, in bounded memory.

    `sealed_name` is the name to report where the file still has another.
    """
    name = sealed_name or path.name
    try:
        with path.open("rb") as source:
            return _FileAudit(path, name, source).run()
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


def verify_file(path: Path, *, sealed_name: str | None = None) -> FileReport:
    """Check one WARC file: framing, fields, digests, and what its records say of each other.

    What the file refers to in other files is a note; the manifest is not looked at.
    """
    report = read_file(path, sealed_name=sealed_name)
    reread = Reread({report.warc: path})
    across = Across([(report.warc, report.ledger)], reread.facts, complete=False)
    more = list(across.findings())
    return replace(
        report,
        findings=report.findings + tuple(each for each in more if isinstance(each, Finding)),
        notes=report.notes + tuple(each for each in more if isinstance(each, Note)),
    )


class Reread:
    """Read single records again, measured."""

    def __init__(self, paths: dict[str, Path]) -> None:
        self._paths = paths

    def facts(self, name: str, offset: int, record: int) -> Facts | None:
        """Return the record at `offset` whose id has the key `record`, None if it is not there."""
        try:
            with self._paths[name].open("rb") as source:
                for each in record_at(Window(source), offset, None):
                    judge = RecordJudge(lambda _record, _fault: None, lambda _record: ())
                    judge.ours = True
                    facts = judge.judge(each)
                    if key_of(facts.record_id) == record:
                        return facts
        except OSError:
            pass
        return None
