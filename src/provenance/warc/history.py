"""Say what earlier runs captured, for deduplication and resuming; rebuilt from WARCs at need.

Each sealed file has a sidecar `metadata/lookup/NAME.jsonl`: a line on the file and its run, then a
line per capture. A sidecar that is missing or of another file is made again from the WARC.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from provenance.digest import Digest
from provenance.errors import ProvenanceError
from provenance.holdings import Known, Survey
from provenance.warc.draft import Original
from provenance.warc.manifest import read_manifest
from provenance.warc.survey import survey

LOOKUP = "lookup"

FORM = 2
"""The form of a sidecar's lines; one of another form is made again."""


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
    content_id: str | None = None
    size: int | None = None
    payload_size: int | None = None
    media_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None


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

    def known(self) -> dict[str, Known]:
        """Return the newest full answer of each address whose server gave validators for it.

        A revisit counts with the validators that it came with, for the record that it refers to.
        """
        originals = self.originals()
        found: dict[str, Known] = {}
        for each in sorted(self.captures, key=lambda capture: (capture.date, capture.record_id)):
            if each.outcome not in ("captured", "unchanged") or each.url is None:
                continue
            original = originals.get((each.url, each.payload_digest or ""))
            known = _known(each, original) if original else None
            if known is not None and known.condition:
                found[each.url] = known
            else:
                found.pop(each.url, None)
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


def _known(capture: KnownCapture, original: Original) -> Known | None:
    if capture.content_id is None or capture.payload_digest is None:
        return None
    if capture.size is None or capture.payload_size is None:
        return None
    return Known(
        url=original.target_uri,
        record_id=original.record_id,
        date=original.date,
        etag=capture.etag,
        last_modified=capture.last_modified,
        content_id=Digest(capture.content_id),
        size=capture.size,
        payload_digest=Digest(capture.payload_digest),
        payload_size=capture.payload_size,
        media_type=capture.media_type,
    )


def read_history(archive: Path, metadata: Path) -> History:
    """Return the history of all sealed files, from sidecars or, where need be, from WARCs."""
    listed = read_manifest(metadata)
    parts = [
        _part(path, metadata / LOOKUP, listed.get(path.name))
        for path in sorted(archive.glob("*.warc.gz"))
        if path.is_file()
    ]
    return History(
        runs=tuple(run for part in parts for run in part.runs),
        captures=tuple(capture for part in parts for capture in part.captures),
    )


def _part(path: Path, folder: Path, digest: Digest | None) -> History:
    """Return what one file adds, from its sidecar, made again where it cannot be used."""
    sidecar = folder / f"{path.name}.jsonl"
    if digest is not None:
        try:
            return parse_sidecar(sidecar.read_bytes(), digest)
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            pass  # missing, torn, stale or of another form
    try:
        lines = to_lines(survey(path))
    except ProvenanceError:
        return History(runs=(), captures=())  # `verify` says what is wrong with it
    _write(sidecar, lines)
    return _history(lines[1:])


def parse_sidecar(raw: bytes, digest: Digest) -> History:
    """Return what a sidecar says of the file with this digest.

    Raises:
        ValueError, LookupError, TypeError: it is torn, of another file or of another form.
    """
    first, *lines = [json.loads(line) for line in raw.splitlines()]
    same = first["form"] == FORM and first["sha256"] == digest
    if not same or first["lines"] != len(lines) or not raw.endswith(b"\n"):
        raise ValueError("not the whole sidecar of this file")
    return _history(lines)


def _history(lines: Sequence[Mapping[str, object]]) -> History:
    return History(
        runs=tuple(_run(line) for line in lines if line["type"] == "run"),
        captures=tuple(_capture(line) for line in lines if line["type"] == "capture"),
    )


def to_lines(held: Survey) -> list[dict[str, object]]:
    """Return the sidecar's lines for one file."""
    ids = {(one.offset, one.ordinal): one for one in held.records}
    lines: list[dict[str, object]] = [
        {
            "type": "file",
            "form": FORM,
            "warc": held.file.warc,
            "sha256": held.file.sha256,
            "lines": len(held.runs) + len(held.captures),
        }
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
        validators = capture.note.get("validators")
        given = validators if isinstance(validators, dict) else {}
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
                "content_id": capture.content_id,
                "size": capture.size,
                "payload_size": capture.note.get("payload_size"),
                "media_type": capture.media_type,
                "etag": given.get("etag"),
                "last_modified": given.get("last_modified"),
            }
        )
    return lines


def _write(sidecar: Path, lines: Iterable[Mapping[str, object]]) -> None:
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    fresh = sidecar.with_name(f"{sidecar.name}.{os.getpid()}")
    try:
        sidecar.parent.mkdir(exist_ok=True)
        fresh.write_text(text, "ascii")
        fresh.replace(sidecar)
    except OSError:  # a read-only or full archive works without sidecars
        with suppress(OSError):
            fresh.unlink()


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
    return KnownCapture(
        run=str(line["run"]),
        collection=str(line["collection"]),
        document=str(line["document"]),
        outcome=str(line["outcome"]),
        url=_text(line["url"]),
        status=_number(line["status"]),
        payload_digest=_text(line["payload_digest"]),
        record_type=str(line["record_type"]),
        record_id=str(line["record_id"]),
        date=str(line["date"]),
        content_id=_text(line["content_id"]),
        size=_number(line["size"]),
        payload_size=_number(line["payload_size"]),
        media_type=_text(line["media_type"]),
        etag=_text(line["etag"]),
        last_modified=_text(line["last_modified"]),
    )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
