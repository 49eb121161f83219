"""Verify one WARC file or a whole archive: read each file once, report findings as values.

Changes nothing, repairs nothing, and never ends early for what a file holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from provenance.digest import Digest, digest_of, hex_of
from provenance.errors import StorageError
from provenance.verify.across import Across
from provenance.verify.captures import CaptureJudge
from provenance.verify.findings import (
    CaptureVerdict,
    Finding,
    ManifestTally,
    Note,
    Report,
    Rungs,
    finding,
    note,
)
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
from provenance.verify.manifest import MANIFEST, ManifestCheck
from provenance.verify.records import Facts, RecordJudge
from provenance.verify.window import Window

FINDINGS_LIMIT = 10_000
"""Findings that are kept for one file; the rest are counted."""

_SUFFIXES = (".warc.gz", ".warc", ".arc.gz", ".arc")
_ALLOWED = frozenset({"README.md", ".gitignore", ".gitkeep"})
_MANIFEST_LIMIT = 1 << 28


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
        self._captures = CaptureJudge(self._ledger, self._complain, self._close)

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
            facts = self._judge.judge(record)
            self._captures.take(facts)
            self._places[record.offset] = self._ledger.groups[-1]
        self._captures.close()
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
        self._places.setdefault(record.offset, key_of(_anchor_of(record)))
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


def _anchor_of(record: FramedRecord) -> str:
    return Facts(
        offset=record.offset,
        ordinal=record.ordinal,
        ours=False,
        whole=False,
        header=record.header,
        record_digest=None,
        head=None,
        digests=None,
        text=None,
    ).anchor_id


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
    reread = _Reread({report.warc: path})
    across = Across([(report.warc, report.ledger)], reread.facts, complete=False)
    more = list(across.findings())
    return replace(
        report,
        findings=report.findings + tuple(each for each in more if isinstance(each, Finding)),
        notes=report.notes + tuple(each for each in more if isinstance(each, Note)),
    )


class _Reread:
    """Read single records again, measured."""

    def __init__(self, paths: dict[str, Path]) -> None:
        self._paths = paths

    def facts(self, name: str, offset: int, record: int) -> Facts | None:
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


def _ignore(_: object) -> None:
    pass


def verify_archive(
    root: Path,
    *,
    on_finding: Callable[[Finding], None] = _ignore,
    on_note: Callable[[Note], None] = _ignore,
    on_capture: Callable[[CaptureVerdict], None] = _ignore,
) -> Report:
    """Check every file of the archive at `root`, the manifest, and the records across files.

    Each finding and note goes to its callback as soon as its file is read, each capture's verdict
    at the end. Foreign and half-written files are reported and left alone.

    Raises:
        StorageError: `archive/` or the manifest cannot be read.
    """
    return _ArchiveAudit(root, on_finding, on_note).run(on_capture)


class _ArchiveAudit:
    def __init__(
        self,
        root: Path,
        on_finding: Callable[[Finding], None],
        on_note: Callable[[Note], None],
    ) -> None:
        self._root = root
        self._on_finding = on_finding
        self._on_note = on_note
        self._count = 0
        self._reports: list[FileReport] = []

    def run(self, on_capture: Callable[[CaptureVerdict], None]) -> Report:
        paths = self._survey()
        waiting = {
            path.name.removesuffix(".open")
            for path in _listdir(self._root / "archive")
            if path.name.endswith(".open")
        }
        manifest = ManifestCheck(self._manifest(), present=paths.keys(), waiting=waiting)
        for fault in manifest.opening():
            self._tell(fault)
        for name in sorted(paths):
            self._take(read_file(paths[name]), manifest)
        self._check_across(paths)
        self._note_seeds()
        return self._report(manifest.tally, on_capture)

    def _survey(self) -> dict[str, Path]:
        """Name the WARC files of `archive/`; report what else lies there."""
        paths: dict[str, Path] = {}
        waiting = False
        for path in _listdir(self._root / "archive"):
            if path.name in _ALLOWED:
                continue
            if path.name.endswith(".open") and path.is_file():
                waiting = True
                self._tell(
                    note("interrupted", warc=path.name, found=f"{path.stat().st_size} bytes")
                )
            elif path.name.endswith(_SUFFIXES) and path.is_file():
                paths[path.name] = path
            else:
                kind = "a directory" if path.is_dir() else "a file of another kind"
                self._tell(
                    finding("foreign_file", warc=path.name, expected="WARC files only", found=kind)
                )
        if not (paths or waiting):
            self._tell(finding("empty_archive", expected="at least one WARC file", found="none"))
        return paths

    def _manifest(self) -> bytes | None:
        path = self._root / "metadata" / MANIFEST
        try:
            with path.open("rb") as source:
                return source.read(_MANIFEST_LIMIT)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"cannot read ({error.strerror})", where=str(path)) from error

    def _take(self, report: FileReport, manifest: ManifestCheck) -> None:
        for fault in report.findings:
            self._tell(fault)
        for each in report.notes:
            self._tell(each)
        if report.sha256 is not None:
            for fault in manifest.compare(report.warc, report.sha256):
                self._tell(fault)
        same = [each for each in self._reports if each.sha256 == report.sha256 and report.size]
        if same and report.sha256 is not None:
            self._tell(
                finding(
                    "file_duplicate",
                    warc=report.warc,
                    field="sha256",
                    expected="bytes of its own",
                    found=f"the bytes of {same[0].warc}",
                )
            )
            report = replace(report, ledger=Ledger())
        self._reports.append(replace(report, findings=(), notes=()))

    def _check_across(self, paths: dict[str, Path]) -> None:
        files = [(report.warc, report.ledger) for report in self._reports]
        for each in Across(files, _Reread(paths).facts, complete=True).findings():
            self._tell(each)

    def _note_seeds(self) -> None:
        seeds = {pair for report in self._reports for pair in report.ledger.seeds}
        for name, recorded in sorted(seeds):
            path = self._root / "seeds" / Path(name).name
            try:
                now = hex_of(digest_of(path.read_bytes()))
            except OSError:
                now = "no such file"
            if now != recorded:
                self._tell(
                    note("seeds_changed", field=f"seeds/{path.name}", expected=recorded, found=now)
                )

    def _report(self, tally: ManifestTally, on_capture: Callable[[CaptureVerdict], None]) -> Report:
        captures = whole = 0
        for report in self._reports:
            for verdict in report.verdicts():
                captures += 1
                whole += "whole" in verdict.rungs
                on_capture(verdict)
        return Report(
            captures=captures,
            records=sum(report.records for report in self._reports),
            findings=self._count,
            rungs=Rungs(whole=whole),
            manifest=tally,
        )

    def _tell(self, each: Finding | Note) -> None:
        if isinstance(each, Finding):
            self._count += 1
            self._on_finding(each)
        else:
            self._on_note(each)


def _listdir(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"cannot read ({error.strerror})", where=str(folder)) from error
