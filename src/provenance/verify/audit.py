"""Verify a whole archive: every file, the manifest, and what records of different files say.

Changes nothing and repairs nothing; foreign and half-written files are reported and left alone.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from provenance.errors import StorageError, UsageError
from provenance.findings.finding import (
    CaptureVerdict,
    Finding,
    ManifestTally,
    Note,
    Report,
    Rungs,
    WitnessState,
    finding,
    note,
)
from provenance.log.checkpoint import Checkpoint
from provenance.parallel import processors
from provenance.regular_file import open_regular
from provenance.rungs.heads import read_kept
from provenance.rungs.sealed import SealCheck, SealTally
from provenance.rungs.trust import Trust
from provenance.seeds.directory import SIZE_LIMIT
from provenance.timestamps.block import BlockHeader
from provenance.verify.manifest import MANIFEST, ManifestCheck, parse_manifest
from provenance.whole.across import Across
from provenance.whole.files import FileReport
from provenance.whole.ledger import NONE, Ledger
from provenance.whole.parts import read_files, size_of
from provenance.whole.progress import Meter, Progress
from provenance.whole.relations import Reread
from provenance.whole.rows import Spill

_SUFFIXES = (".warc.gz", ".warc", ".arc.gz", ".arc")
_ALLOWED = frozenset({"README.md", ".gitignore", ".gitkeep"})
_MANIFEST_LIMIT = 1 << 28
_PIECE = 1 << 20


def _ignore(_: object) -> None:
    pass


def verify_archive(
    root: Path,
    *,
    on_finding: Callable[[Finding], None] = _ignore,
    on_note: Callable[[Note], None] = _ignore,
    on_capture: Callable[[CaptureVerdict], None] | None = None,
    jobs: int | None = None,
    checkpoints: Sequence[Path] = (),
    against: Sequence[Path] = (),
    tsa_ca: Path | None = None,
    bitcoin_headers: Sequence[BlockHeader] = (),
    operator_key: str | None = None,
    witness_keys: Sequence[str] = (),
    on_progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Check every file of the archive at `root`, the manifest, and the records across files.

    Each finding and note goes to its callback as soon as its file is read, each capture's verdict
    at the end. Foreign and half-written files are reported and left alone. Up to `jobs` processes
    read (as many as there are processors, where it is None); what is reported, and in which order,
    is the same. `on_progress` is told how far the reading is, several times for a large file.

    `checkpoints` are files with checkpoints of this log that were kept elsewhere: the log must go
    on from each. `against` are the roots of other archives, of other observers: a capture whose
    content one of them holds, in a file without a fault there, is *witnessed*. `tsa_ca` is a PEM
    file with the certificates that are trusted to date, `bitcoin_headers` those of blocks that the
    caller knows to be in the chain, `operator_key` the verifier key line of who must have signed,
    `witness_keys` the lines of witnesses, or files that have them: a capture that a checkpoint
    cosigned by one of them covers is *witnessed* too.

    Raises:
        StorageError: `archive/`, the manifest or a checkpoint's file cannot be read.
        LogFormatError: a file that is said to hold a checkpoint does not.
        UsageError: `against` names this archive itself, or what is no archive.
    """
    trust = Trust(tsa_ca, operator_key, witness_keys, bitcoin_headers)
    kept = read_kept(checkpoints)
    for other in against:
        _check_other(root, other)
    jobs = processors() if jobs is None else jobs
    meter = Meter(on_progress)
    audit = _ArchiveAudit(root, on_finding, on_note, meter, jobs=jobs, kept=kept, trust=trust)
    return audit.run(on_capture, against)


class _ArchiveAudit:
    def __init__(
        self,
        root: Path,
        on_finding: Callable[[Finding], None],
        on_note: Callable[[Note], None],
        meter: Meter,
        *,
        jobs: int,
        kept: Sequence[tuple[str, Checkpoint]],
        trust: Trust,
    ) -> None:
        self._trust = trust
        self._root = root
        self._kept = kept
        self._jobs = jobs
        self._on_finding = on_finding
        self._on_note = on_note
        self._meter = meter
        self._reports: list[FileReport] = []
        self._spill = Spill()

    def run(
        self, on_capture: Callable[[CaptureVerdict], None] | None, against: Sequence[Path]
    ) -> Report:
        paths = self._survey()
        # Runs may seal files meanwhile, the line before the rename: the manifest is read after the
        # folder, and what it lists beyond the folder is looked for once more.
        raw = self._manifest()
        beyond = parse_manifest(raw or b"").files.keys() - paths.keys()
        waiting = {name for name in beyond if self._is_there(name)}
        manifest = ManifestCheck(raw, present=paths.keys(), waiting=waiting)
        for fault in manifest.opening():
            self._tell(fault)
        ordered = [paths[name] for name in sorted(paths)]
        others = [path for other in against for path in _warcs_of(other)]
        self._meter.expect(map(size_of, [*ordered, *others]))
        for report in self._read(ordered):
            self._take(report, manifest)
        self._check_across(paths)
        log = self._check_log(paths)
        for fault in manifest.compare_order(log.files):
            self._tell(fault)
        self._note_seeds()
        if against:
            self._compare_contents(others)
        return self._report(manifest.tally, log, on_capture)

    def _survey(self) -> dict[str, Path]:
        """Name the WARC files of `archive/`; report what else lies there."""
        paths: dict[str, Path] = {}
        waiting = False
        for path in _listdir(self._root / "archive"):
            if path.name in _ALLOWED:
                continue
            size = _size(path)
            if path.name.endswith(".open") and size is not None:
                waiting = True
                self._tell(note("interrupted", warc=path.name, found=f"{size} bytes"))
            elif not os.path.lexists(path):
                waiting = True  # sealed or recovered since the folder was listed
            elif path.name.endswith(_SUFFIXES) and size is not None:
                paths[path.name] = path
            else:
                kind = "a directory" if path.is_dir() else "a file of another kind"
                self._tell(
                    finding("foreign_file", warc=path.name, expected="WARC files only", found=kind)
                )
        if not (paths or waiting):
            self._tell(finding("empty_archive", expected="at least one WARC file", found="none"))
        return paths

    def _is_there(self, name: str) -> bool:
        """Say whether a file is there, under the name it is written with or, then, its own."""
        folder = self._root / "archive"
        return any(_size(folder / each) is not None for each in (f"{name}.open", name))

    def _manifest(self) -> bytes | None:
        path = self._root / "metadata" / MANIFEST
        try:
            with open_regular(path) as source:
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
        report.ledger.put_away(self._spill)
        self._reports.append(replace(report, findings=(), notes=()))

    def _check_across(self, paths: dict[str, Path]) -> None:
        files = [(report.warc, report.ledger) for report in self._reports]
        for each in Across(files, Reread(paths).facts, complete=True).findings():
            self._tell(each)

    def _check_log(self, paths: dict[str, Path]) -> SealTally:
        reports = {report.warc: report for report in self._reports}
        check = SealCheck(self._root / "metadata", reports, Reread(paths).leaf, self._kept)
        for each in check.findings():
            self._tell(each)
        check.tally.cosigned = self._trust.unheard()
        if check.tally.checkpoint is not None:
            for each in self._trust.findings(self._root / "metadata", check.tally):
                self._tell(each)
        return check.tally

    def _read(self, paths: Sequence[Path]) -> Iterator[FileReport]:
        return read_files(paths, jobs=self._jobs, spill=self._spill, meter=self._meter)

    def _compare_contents(self, others: Sequence[Path]) -> None:
        """Mark the captures whose content another archive's files hold too."""
        held: set[int] = set()
        for report in self._read(others):
            held.update(
                content
                for content, group in report.ledger.originals.contents()
                if group not in report.ledger.damaged
            )
        held.discard(NONE)
        for report in self._reports:
            for column in (report.ledger.originals, report.ledger.revisits):
                report.ledger.witnessed.update(
                    group for content, group in column.contents() if content in held
                )

    def _note_seeds(self) -> None:
        seeds = {pair for report in self._reports for pair in report.ledger.seeds}
        for name, recorded in sorted(seeds):
            path = self._root / "seeds" / Path(name).name
            now = _hex_of_seeds(path)
            if now != recorded:
                self._tell(
                    note("seeds_changed", field=f"seeds/{path.name}", expected=recorded, found=now)
                )

    def _report(
        self,
        tally: ManifestTally,
        log: SealTally,
        on_capture: Callable[[CaptureVerdict], None] | None,
    ) -> Report:
        whole = sum(report.whole for report in self._reports)
        logged = [report for report in self._reports if log.rungs_of(report.warc)]
        if on_capture is not None:
            for report in self._reports:
                for verdict in report.verdicts(log.rungs_of(report.warc)):
                    on_capture(verdict)
        covered = {
            word.key: sum(each.sealed for each in logged if log.ends[each.warc] <= word.size)
            for word in log.cosigned
        }
        cosigned = {each.warc for each in logged if log.ends[each.warc] <= log.witnessed}
        return Report(
            captures=sum(len(report.ledger.outcomes) for report in self._reports),
            records=sum(report.records for report in self._reports),
            findings=self._meter.findings,
            rungs=Rungs(
                whole=whole,
                sealed=sum(report.sealed for report in logged),
                dated=sum(each.sealed for each in logged if log.ends[each.warc] <= log.dated),
                signed=sum(each.sealed for each in logged if log.ends[each.warc] <= log.signed),
                witnessed=sum(
                    report.witnessed(cosigned=report.warc in cosigned) for report in self._reports
                ),
            ),
            manifest=tally,
            asked_of_log=sum(len(report.ledger.outcomes) for report in self._reports),
            log=log.state(),
            dates=log.dates,
            witnesses=tuple(
                WitnessState(
                    witness=word.key.name,
                    key=word.key.line,
                    size=word.size,
                    cosigned_at=word.cosigned_at,
                    captures=covered[word.key],
                )
                for word in log.cosigned
            ),
        )

    def _tell(self, each: Finding | Note) -> None:
        if isinstance(each, Finding):
            self._meter.findings += 1
            self._on_finding(each)
        else:
            self._on_note(each)


def _warcs_of(root: Path) -> list[Path]:
    return [
        path
        for path in _listdir(root / "archive")
        if path.name.endswith(_SUFFIXES) and _size(path) is not None
    ]


def _check_other(root: Path, other: Path) -> None:
    if not (other / "archive").is_dir():
        raise UsageError(
            "not another archive",
            where=str(other),
            expected="a folder with archive/ in it",
            found="none",
        )
    if (root / "archive").samefile(other / "archive"):
        raise UsageError(
            "an archive is no witness for itself",
            where=str(other),
            hint="Name the copy of another observer.",
        )


def _hex_of_seeds(path: Path) -> str:
    """Return the SHA-256 of a seeds file, or why it has none; it may be as large as a disk."""
    hashed, left = hashlib.sha256(), SIZE_LIMIT
    try:
        with open_regular(path) as source:
            while piece := source.read(_PIECE):
                hashed.update(piece)
                left -= len(piece)
                if left < 0:
                    return f"over {SIZE_LIMIT} bytes"
    except (FileNotFoundError, NotADirectoryError):
        return "no such file"
    except OSError as fault:
        return f"cannot read ({fault.strerror})"
    return hashed.hexdigest()


def _size(path: Path) -> int | None:
    """Return the size of a regular file, None where it is another thing or gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _listdir(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"cannot read ({error.strerror})", where=str(folder)) from error
