"""The sidecar of a sealed WARC file: one JSON line for each thing that later runs ask of it.

The first line names the file, its SHA-256 and the number of lines that follow. A sidecar that is
torn, stale or of another form is no error: it is made again from the WARC.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from provenance.digest import Digest
from provenance.holdings import Capture, KeptRequisite, Run, Survey, WarcRecord

FORM = 3
"""The form of the lines; a sidecar of another form is made again."""


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
    names_requisites: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one file adds to the history.

    `gathered` holds (run, document) of the pages whose requisites are all there.
    """

    runs: tuple[KnownRun, ...] = ()
    captures: tuple[KnownCapture, ...] = ()
    requisites: tuple[KeptRequisite, ...] = ()
    gathered: frozenset[tuple[str, str]] = frozenset()


def parse_sidecar(raw: bytes, digest: Digest) -> Part:
    """Return what a sidecar says of the file with this digest.

    Raises:
        ValueError, LookupError, TypeError: it is torn, of another file or of another form.
    """
    first, *lines = [json.loads(line) for line in raw.splitlines()]
    same = first["form"] == FORM and first["sha256"] == digest
    if not same or first["lines"] != len(lines) or not raw.endswith(b"\n"):
        raise ValueError("not the whole sidecar of this file")
    return part_of(lines)


def part_of(lines: Sequence[Mapping[str, object]]) -> Part:
    """Return what the lines after the first say."""

    def of(kind: str) -> Iterator[Mapping[str, object]]:
        return (line for line in lines if line["type"] == kind)

    return Part(
        runs=tuple(map(_run, of("run"))),
        captures=tuple(map(_capture, of("capture"))),
        requisites=tuple(map(_requisite, of("requisite"))),
        gathered=frozenset((str(line["run"]), str(line["document"])) for line in of("gathered")),
    )


def to_lines(held: Survey) -> list[dict[str, object]]:
    """Return the sidecar's lines for one file."""
    ids = {(one.offset, one.ordinal): one for one in held.records}
    lines = [_run_line(run) for run in held.runs]
    lines += [_capture_line(one, ids[one.offset, one.ordinal]) for one in held.captures]
    lines += [
        {
            "type": "requisite",
            "url": one.url,
            "record_id": one.record_id,
            "date": one.date,
            "payload_digest": one.payload_digest,
        }
        for one in held.requisites
    ]
    lines += [{"type": "gathered", "run": run, "document": name} for run, name in held.gathered]
    first = {
        "type": "file",
        "form": FORM,
        "warc": held.file.warc,
        "sha256": held.file.sha256,
        "lines": len(lines),
    }
    return [first, *lines]


def _run_line(run: Run) -> dict[str, object]:
    return {
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


def _capture_line(capture: Capture, record: WarcRecord) -> dict[str, object]:
    validators = capture.note.get("validators")
    given = validators if isinstance(validators, dict) else {}
    return {
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
        "names_requisites": bool(capture.note.get("requisites")),
    }


def write_sidecar(sidecar: Path, lines: Iterable[Mapping[str, object]]) -> None:
    """Write a sidecar in one piece, if the disk lets it."""
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
        names_requisites=line["names_requisites"] is True,
    )


def _requisite(line: Mapping[str, object]) -> KeptRequisite:
    return KeptRequisite(
        url=str(line["url"]),
        record_id=str(line["record_id"]),
        date=str(line["date"]),
        payload_digest=Digest(str(line["payload_digest"])),
    )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
