"""Say what earlier runs captured, for deduplication and resuming; rebuilt from WARCs at need.

Each sealed file has a sidecar `metadata/lookup/NAME.jsonl`: a line on the file and its run, then a
line per capture. A sidecar that is missing or of another file is made again from the WARC.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from provenance.digest import Digest
from provenance.errors import ProvenanceError
from provenance.holdings import Survey
from provenance.warc.draft import Original
from provenance.warc.manifest import read_manifest
from provenance.warc.survey import survey

LOOKUP = "lookup"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """One file's part of a run."""

    run: str
    collection: str
    command: str
    started_at: str
    ended: bool
    resumes: str | None
    seeds_digest: str | None
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCapture:
    """What deduplication and resuming need of one capture; `date` is its record's WARC-Date."""

    run: str
    collection: str
    document: str
    outcome: str
    url: str | None
    status: int | None
    payload_digest: str | None
    record_type: str
    record_id: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All earlier captures and runs."""

    runs: tuple[KnownRun, ...]
    captures: tuple[KnownCapture, ...]

    def originals(self) -> dict[tuple[str, str], Original]:
        """Return the first full response for each (address, payload digest)."""
        found: dict[tuple[str, str], Original] = {}
        for each in sorted(self.captures, key=lambda capture: (capture.date, capture.record_id)):
            if each.outcome == "captured" and each.record_type == "response":
                if each.url is None or each.payload_digest is None:
                    continue
                original = Original(record_id=each.record_id, target_uri=each.url, date=each.date)
                found.setdefault((each.url, each.payload_digest), original)
        return found

    def interrupted(
        self, collection: str, seeds_digest: str | None, targets: tuple[str, ...]
    ) -> tuple[str | None, frozenset[str]]:
        """Return the newest fetch of this collection, if it was cut short, and what it has.

        It counts only when it read the same seeds and was asked for the same targets; what the
        runs that it completes have counts too.
        """
        runs = [run for run in self.runs if run.collection == collection and run.command == "fetch"]
        if not runs:
            return None, frozenset()
        newest = max(runs, key=lambda run: (run.started_at, run.run))
        same = newest.seeds_digest == seeds_digest and newest.targets == targets
        if not same or any(run.ended for run in runs if run.run == newest.run):
            return None, frozenset()
        resumed = {run.run: run.resumes for run in runs}
        chain: list[str] = []
        at: str | None = newest.run
        while at is not None and at not in chain:
            chain.append(at)
            at = resumed.get(at)
        had = (one.document for one in self.captures if one.run in chain)
        return newest.run, frozenset(had)


def read_history(archive: Path, metadata: Path) -> History:
    """Return the history of all sealed files, from sidecars or, where need be, from WARCs."""
    listed = read_manifest(metadata)
    runs: list[KnownRun] = []
    captures: list[KnownCapture] = []
    for path in sorted(archive.glob("*.warc.gz")):
        if not path.is_file():
            continue  # a folder, or a pipe that nothing would ever come out of
        lines = _sidecar(path, metadata / LOOKUP, listed.get(path.name))
        for line in lines:
            if line["type"] == "run":
                runs.append(_run(line))
            elif line["type"] == "capture":
                captures.append(_capture(line))
    return History(runs=tuple(runs), captures=tuple(captures))


def _sidecar(path: Path, folder: Path, digest: Digest | None) -> list[dict[str, object]]:
    sidecar = folder / f"{path.name}.jsonl"
    try:
        lines = [json.loads(line) for line in sidecar.read_text("utf-8").splitlines()]
        if digest is not None and lines[0]["sha256"] == digest:
            return lines
    except (OSError, ValueError, LookupError, TypeError):
        pass  # missing, torn or of another form: it is made again
    try:
        lines = to_lines(survey(path))
    except ProvenanceError:
        return []  # unreadable files are `verify`'s matter; a fetch goes on without them
    _write(sidecar, lines)
    return lines


def to_lines(held: Survey) -> list[dict[str, object]]:
    """Return the sidecar's lines for one file."""
    ids = {(one.offset, one.ordinal): one for one in held.records}
    lines: list[dict[str, object]] = [
        {"type": "file", "warc": held.file.warc, "sha256": held.file.sha256}
    ]
    for run in held.runs:
        lines.append(
            {
                "type": "run",
                "run": run.run,
                "collection": run.collection,
                "command": run.command,
                "started_at": run.started_at,
                "ended": run.ended_at is not None,
                "resumes": run.resumes,
                "seeds_digest": run.seeds_digest,
                "targets": list(run.targets),
            }
        )
    for capture in held.captures:
        record = ids[capture.offset, capture.ordinal]
        lines.append(
            {
                "type": "capture",
                "run": capture.run,
                "collection": capture.collection,
                "document": capture.document,
                "outcome": capture.outcome,
                "url": record.target_uri,
                "status": capture.status,
                "payload_digest": capture.payload_digest,
                "record_type": capture.record_type,
                "record_id": record.record_id,
                "date": record.date or "",
            }
        )
    return lines


def _write(sidecar: Path, lines: Iterable[Mapping[str, object]]) -> None:
    text = "".join(json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n" for line in lines)
    fresh = sidecar.with_name(f"{sidecar.name}.{os.getpid()}")
    try:
        sidecar.parent.mkdir(exist_ok=True)
        fresh.write_text(text, "utf-8")
        fresh.replace(sidecar)
    except (OSError, UnicodeEncodeError):
        pass  # a read-only archive works without sidecars, and so does a name that is no text


def _run(line: Mapping[str, object]) -> KnownRun:
    targets = line["targets"]
    return KnownRun(
        run=str(line["run"]),
        collection=str(line["collection"]),
        command=str(line["command"]),
        started_at=str(line["started_at"]),
        ended=bool(line["ended"]),
        resumes=_text(line["resumes"]),
        seeds_digest=_text(line["seeds_digest"]),
        targets=tuple(map(str, targets)) if isinstance(targets, list) else (),
    )


def _capture(line: Mapping[str, object]) -> KnownCapture:
    status = line["status"]
    return KnownCapture(
        run=str(line["run"]),
        collection=str(line["collection"]),
        document=str(line["document"]),
        outcome=str(line["outcome"]),
        url=_text(line["url"]),
        status=status if isinstance(status, int) else None,
        payload_digest=_text(line["payload_digest"]),
        record_type=str(line["record_type"]),
        record_id=str(line["record_id"]),
        date=str(line["date"]),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
