"""Verify what is asked for: files, packages, single captures of an archive. Changes nothing."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from provenance.digest import Digest
from provenance.errors import UsageError
from provenance.findings.finding import (
    CaptureVerdict,
    DatedBy,
    Finding,
    ManifestTally,
    Note,
    Report,
    Rungs,
)
from provenance.parallel import processors
from provenance.rungs.heads import read_kept
from provenance.rungs.trust import Trust
from provenance.timestamps.block import BlockHeader
from provenance.verify.inclusion import LogAudit, Logged
from provenance.verify.lookup import Lookup
from provenance.verify.manifest import MANIFEST, ManifestCheck, parse_manifest
from provenance.verify.single import SingleAudit, SingleReport
from provenance.verify.targets import CaptureTarget, FileKind, FileTarget, Target, targets_in
from provenance.whole.files import FileReport
from provenance.whole.parts import read_files, size_of
from provenance.whole.progress import Meter, Progress
from provenance.whole.relations import with_relations

_MANIFEST_LIMIT = 1 << 28


def verify_targets(
    targets: Sequence[str],
    *,
    root: Path | None,
    index: Path | None,
    on_finding: Callable[[Finding], None],
    on_note: Callable[[Note], None],
    on_capture: Callable[[CaptureVerdict], None] | None = None,
    jobs: int | None = None,
    checkpoints: Sequence[Path] = (),
    tsa_ca: Path | None = None,
    operator_key: str | None = None,
    witness_keys: Sequence[str] = (),
    bitcoin_headers: Sequence[BlockHeader] = (),
    on_progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Check each target, as `targets.targets_in` tells what it is; count what was looked at.

    A capture of the archive is held against the log too. `checkpoints`, `tsa_ca`, `operator_key`,
    `witness_keys` and `bitcoin_headers` are as in `verify_archive`, and for such captures alone.

    WARC, ARC and WACZ files need no archive: `root` and `index` may be None for them. A file of
    the root's `archive/` is compared with the manifest too. The same finding is reported once.
    `on_progress` is told how far the reading of WARC and ARC files is.

    Raises:
        UsageError: a target is nothing that is known, or no capture of the archive was asked for
            that the log could say anything of; nothing was verified.
        IndexMissingError: something is to be looked up, and there is no index.
    """
    trust = Trust(tsa_ca, operator_key, witness_keys, bitcoin_headers)
    kept = read_kept(checkpoints)
    lookup = Lookup(index)
    with contextlib.closing(lookup):
        told = list(dict.fromkeys(each for text in targets for each in targets_in(text, lookup)))
        if (trust.given or kept) and not any(isinstance(each, CaptureTarget) for each in told):
            raise UsageError(
                "--checkpoint, --tsa-ca, --bitcoin-header, --key and --witness-key are for the"
                " archive and its captures",
                hint="Name a capture by an id, a citation or its saved document, or no target.",
            )
        run = _Run(
            root,
            lookup,
            LogAudit(root or Path(), lookup.of_leaf, trust, kept),
            on_finding=on_finding,
            on_note=on_note,
            on_capture=on_capture,
            jobs=jobs,
            meter=Meter(on_progress),
        )
        run.take_warcs(_batches(told))
        for each in told:
            run.take(each)
        return run.report()


def _batches(told: Sequence[Target]) -> list[dict[str, Path]]:
    """Put the WARC files together; those of equal names, as two copies have, apart."""
    batches: list[dict[str, Path]] = []
    for each in told:
        if isinstance(each, FileTarget) and each.kind is FileKind.WARC:
            name = each.path.name
            batch = next((known for known in batches if name not in known), None)
            if batch is None:
                batch = {}
                batches.append(batch)
            batch[name] = each.path
    return batches


class _Run:
    def __init__(
        self,
        root: Path | None,
        lookup: Lookup,
        log: LogAudit,
        *,
        on_finding: Callable[[Finding], None],
        on_note: Callable[[Note], None],
        on_capture: Callable[[CaptureVerdict], None] | None,
        jobs: int | None,
        meter: Meter,
    ) -> None:
        self._root = root
        self._single = SingleAudit((root or Path()) / "archive", lookup)
        self._log = log
        self._on_finding = on_finding
        self._on_note = on_note
        self._on_capture = on_capture
        self._jobs = jobs
        self._meter = meter
        self._told: set[Finding | Note] = set()
        self._captures = 0
        self._records = 0
        self._rungs: Counter[str] = Counter()
        self._asked_of_log = 0
        self._dates: set[DatedBy] = set()
        self._listed = 0
        self._agreed = 0

    def take(self, target: Target) -> None:
        if isinstance(target, Finding):
            self._tell([target])
        elif isinstance(target, CaptureTarget):
            found = self._single.verify(target.capture_id, content_id=target.content_id)
            self._tell([*found.findings, *found.notes])
            self._records += found.records
            self._judge(self._sealed(found))
        elif target.kind is FileKind.WACZ:
            from provenance.verify.wacz import verify_wacz

            package = verify_wacz(target.path)
            self._tell([*package.findings, *package.notes])
            for report in package.files:
                self._take_file(report)

    def _sealed(self, found: SingleReport) -> CaptureVerdict:
        """Hold a capture whose records were found against the log."""
        verdict = found.verdict
        self._asked_of_log += 1
        if not found.leaves:
            return verdict
        wanted = Logged(capture_id=verdict.capture_id, warc=verdict.warc, leaves=found.leaves)
        seal = self._log.verify(wanted)
        self._tell(seal.told)
        self._dates.update(seal.dates)
        return replace(
            verdict,
            rungs=(*verdict.rungs, *seal.rungs),
            dated_at=seal.earliest.dated_at if seal.earliest else None,
            dated_by=seal.earliest.by if seal.earliest else None,
        )

    def take_warcs(self, batches: Sequence[Mapping[str, Path]]) -> None:
        """Check files by their base names, and what the records of a batch say of each other."""
        jobs = processors() if self._jobs is None else self._jobs
        for paths in batches:
            self._meter.expect(map(size_of, paths.values()))
        for paths in batches:
            reports = list(read_files(list(paths.values()), jobs=jobs, meter=self._meter))
            for report in with_relations(reports, paths):
                self._take_file(report)
                self._tell(self._listing(paths[report.warc], report.sha256))

    def _take_file(self, report: FileReport) -> None:
        self._tell([*report.findings, *report.notes])
        self._records += report.records
        for verdict in report.verdicts():
            self._judge(verdict)

    def _listing(self, path: Path, digest: Digest | None) -> Iterator[Finding]:
        """Yield what the manifest says otherwise of a file of the archive."""
        archive = self._root / "archive" if self._root is not None else None
        if digest is None or archive is None or path.resolve().parent != archive.resolve():
            return
        manifest = archive.parent / "metadata" / MANIFEST
        raw = None
        if manifest.is_file():
            with manifest.open("rb") as source:
                raw = source.read(_MANIFEST_LIMIT)
        check = ManifestCheck(raw, present={path.name}, waiting=set())
        yield from check.compare(path.name, digest)
        self._listed += path.name in parse_manifest(raw or b"").files
        self._agreed += check.tally.agreed

    def _judge(self, verdict: CaptureVerdict) -> None:
        self._captures += 1
        self._rungs.update(verdict.rungs)
        if self._on_capture is not None:
            self._on_capture(verdict)

    def _tell(self, told: Iterator[Finding] | Sequence[Finding | Note]) -> None:
        for each in told:
            if each in self._told:
                continue
            self._told.add(each)
            if isinstance(each, Finding):
                self._meter.findings += 1
                self._on_finding(each)
            else:
                self._on_note(each)

    def report(self) -> Report:
        return Report(
            captures=self._captures,
            records=self._records,
            findings=self._meter.findings,
            rungs=Rungs(**self._rungs),
            manifest=ManifestTally(listed=self._listed, agreed=self._agreed),
            asked_of_log=self._asked_of_log,
            log=self._log.state if self._asked_of_log else None,
            dates=tuple(sorted(self._dates, key=lambda each: (each.size, each.dated_at, each.by))),
        )
