"""Go the whole way once on the bundled web: seeds, fetch, add, log, index, verify, cite."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from provenance.archive import Archive
from provenance.cite import CitationFormat
from provenance.demo.bundle import LOCAL_DOCUMENT, write_local_file, write_seeds
from provenance.demo.server import DemoServer
from provenance.errors import UsageError
from provenance.fetch import FetchSettings
from provenance.index import IndexSummary
from provenance.model import Outcome
from provenance.runtime import system_runtime
from provenance.verify import Finding, Report

MARK = ".provenance-demo"
LOG = "harbour.example/archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What the demo made."""

    root: Path
    first: tuple[Outcome, ...]
    second: tuple[Outcome, ...]
    added: tuple[Outcome, ...]
    index: IndexSummary
    report: Report
    findings: tuple[Finding, ...]
    citation: str


def run_demo(root: Path) -> DemoResult:
    """Make the demo's archive at `root`, anew where an earlier demo left one.

    Raises:
        UsageError: something else is at `root`.
    """
    _clear(root)
    with DemoServer() as server:
        runtime = replace(system_runtime(), resolve=server.resolve)
        for name in ("seeds", "archive", "metadata"):
            (root / name).mkdir(parents=True)
        (root / MARK).touch()
        write_seeds(root / "seeds")
        archive = Archive(root, runtime)
        settings = FetchSettings(
            delay_s=0, retries=0, timeout_s=10, allow_private=True, trust_env=False
        )
        first = tuple(archive.fetch((), settings).outcomes)
        archive.checkpoint(origin=LOG)
        server.release_second_version()
        second = tuple(archive.fetch((), settings).outcomes)
    letter = write_local_file(root)
    added = tuple(_add(archive, letter))
    archive.checkpoint()
    summary = archive.index()
    findings: list[Finding] = []
    report = archive.verify(
        on_finding=findings.append, on_note=lambda _note: None, on_capture=lambda _verdict: None
    )
    _, text = archive.cite("audit-report", CitationFormat.TEXT)
    return DemoResult(
        root=root,
        first=first,
        second=second,
        added=added,
        index=summary,
        report=report,
        findings=tuple(findings),
        citation=text,
    )


def _add(archive: Archive, letter: Path) -> Iterator[Outcome]:
    return archive.add(
        [letter],
        document=LOCAL_DOCUMENT,
        note="A copy handed over by the writer; part of the demo.",
    )


def _clear(root: Path) -> None:
    if (root / MARK).is_file():
        shutil.rmtree(root)
    elif root.exists() and any(root.iterdir()):
        raise UsageError(
            "something else is here", where=str(root), hint="Name another DIRECTORY for the demo."
        )
