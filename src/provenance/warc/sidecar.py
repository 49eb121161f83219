"""The sidecar of a sealed WARC file: one JSON line for each thing that later runs ask of it.

The last line names the file, its SHA-256 and the number of lines before it. A sidecar that is
torn, stale or of another form is no error: it is made again from the WARC.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import TextIO

from provenance.digest import Digest
from provenance.holdings import Capture, KeptRequisite, Run, Stretch, Survey, WarcRecord

FORM = 4
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


class _Gathering:
    """Makes a part out of lines, one after the other."""

    def __init__(self) -> None:
        self._runs: list[KnownRun] = []
        self._captures: list[KnownCapture] = []
        self._requisites: list[KeptRequisite] = []
        self._gathered: set[tuple[str, str]] = set()
        self.lines = 0

    def take(self, line: Mapping[str, object]) -> None:
        self.lines += 1
        match line["type"]:
            case "run":
                self._runs.append(_run(line))
            case "capture":
                self._captures.append(_capture(line))
            case "requisite":
                self._requisites.append(_requisite(line))
            case "gathered":
                self._gathered.add((intern(str(line["run"])), str(line["document"])))

    def part(self) -> Part:
        return Part(
            runs=tuple(self._runs),
            captures=tuple(self._captures),
            requisites=tuple(self._requisites),
            gathered=frozenset(self._gathered),
        )


def parse_sidecar(lines: Iterable[bytes], digest: Digest) -> Part:
    """Return what the lines of a sidecar say of the file with this digest.

    Raises:
        ValueError, LookupError, TypeError: it is torn, of another file or of another form.
    """
    gathering = _Gathering()
    last: Mapping[str, object] | None = None
    for raw in lines:
        line = json.loads(raw)
        if last is not None or not raw.endswith(b"\n"):
            raise ValueError("not the whole sidecar, or more than it")
        if line["type"] == "file":
            last = line
            if line["form"] != FORM or line["sha256"] != digest or line["lines"] != gathering.lines:
                raise ValueError("not the whole sidecar of this file")
        else:
            gathering.take(line)
    if last is None:
        raise ValueError("not the whole sidecar of this file")
    return gathering.part()


def keep_sidecar(sidecar: Path, pieces: Iterable[Stretch]) -> Part:
    """Write the sidecar of one file, in one piece, if the disk lets it; return what it says."""
    gathering, fresh = _Gathering(), _Fresh(sidecar)
    try:
        for piece in pieces:
            for line in to_lines(piece):
                gathering.take(line)
                fresh.write(line)
            if isinstance(piece, Survey):
                fresh.write(_last_line(piece, gathering.lines))
    except BaseException:
        fresh.drop()
        raise
    fresh.put_in_place()
    return gathering.part()


def _last_line(held: Survey, lines: int) -> dict[str, object]:
    return {
        "type": "file",
        "form": FORM,
        "warc": held.file.warc,
        "sha256": held.file.sha256,
        "lines": lines,
    }


class _Fresh:
    """A sidecar that is being written beside its place; it does without where the disk refuses."""

    def __init__(self, sidecar: Path) -> None:
        self._sidecar = sidecar
        self._path = sidecar.with_name(f"{sidecar.name}.{os.getpid()}")
        self._file: TextIO | None = None
        with suppress(OSError):
            sidecar.parent.mkdir(exist_ok=True)
            self._file = self._path.open("w", encoding="ascii")

    def write(self, line: Mapping[str, object]) -> None:
        if self._file is not None:
            try:
                self._file.write(json.dumps(line, sort_keys=True) + "\n")
            except OSError:
                self.drop()

    def put_in_place(self) -> None:
        if self._file is not None:
            try:
                self._file.close()
                self._path.replace(self._sidecar)
            except OSError:
                self.drop()

    def drop(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                self._path.unlink()
            self._file = None


def to_lines(held: Stretch) -> Iterator[dict[str, object]]:
    """Yield the sidecar's lines for some records of a file."""
    for capture, record in zip(held.captures, held.anchors, strict=True):
        yield _capture_line(capture, record)
    for one in held.requisites:
        yield {
            "type": "requisite",
            "url": one.url,
            "record_id": one.record_id,
            "date": one.date,
            "payload_digest": one.payload_digest,
        }
    for run, name in held.gathered:
        yield {"type": "gathered", "run": run, "document": name}
    if isinstance(held, Survey):
        yield from map(_run_line, held.runs)


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
    # What many captures have alike is in memory once.
    payload_digest, content_id = _text(line["payload_digest"]), _text(line["content_id"])
    media_type = _text(line["media_type"])
    return KnownCapture(
        run=intern(str(line["run"])),
        collection=intern(str(line["collection"])),
        document=str(line["document"]),
        outcome=intern(str(line["outcome"])),
        url=_text(line["url"]),
        status=_number(line["status"]),
        payload_digest=payload_digest,
        record_type=intern(str(line["record_type"])),
        record_id=str(line["record_id"]),
        date=str(line["date"]),
        content_id=payload_digest if content_id == payload_digest else content_id,
        size=_number(line["size"]),
        payload_size=_number(line["payload_size"]),
        media_type=media_type and intern(media_type),
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
