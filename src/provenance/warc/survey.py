"""Read one WARC file through and say, as values, everything it holds. Judges nothing.

Digests and sizes are recomputed from the bytes; the metadata records say only what bytes cannot:
which document, which run, which outcome.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provenance.digest import Digest, from_hex
from provenance.errors import ProvenanceError
from provenance.holdings import (
    CAPTURE_PROFILE,
    REQUISITES_PROFILE,
    RUN_PROFILE,
    Capture,
    CaptureKind,
    KeptRequisite,
    Obtained,
    Redirect,
    Run,
    Survey,
    WarcFile,
    WarcRecord,
)
from provenance.http_body import BodyDigests, BodyMeter
from provenance.http_message import (
    HEAD_LIMIT,
    BodyShape,
    Framing,
    ResponseHead,
    body_shape,
    head_end,
    media_type_of,
    parse_response_head,
)
from provenance.model import CollectionId, DocumentId, OutcomeKind, RunId
from provenance.warc.reader import Record, opened, read_records
from provenance.warc.record import strip_brackets

NOTE_LIMIT = 16 << 20
"""Bytes of a metadata record's JSON that are read."""

_CAPTURED = ("response", "revisit", "resource")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a capture record's block says: status (of HTTP), digests, declared type."""

    record: WarcRecord
    status: int | None
    digests: BodyDigests | None
    media_type: str | None
    charset: str | None


def survey(path: Path) -> Survey:
    """Return what the WARC file at `path` holds; what is unreadable ends up in `faults`.

    Raises:
        StorageError: the file cannot be opened.
    """
    reading = Reading()
    fault = None
    try:
        for record in read_records(path):
            reading.place()
            reading.take(record)
    except ProvenanceError as found:
        fault = str(found)
    reading.place()
    return to_survey(path, digest_of_file(path), reading, fault)


def to_survey(path: Path, sha256: Digest, reading: Reading, fault: str | None) -> Survey:
    """Return what was read of a file as one value."""
    records = tuple(reading.records)
    runs = reading.runs()
    return Survey(
        file=WarcFile(
            warc=path.name,
            sha256=sha256,
            size=path.stat().st_size,
            records=len(records),
            collection=runs[0].collection if runs else None,
            run=runs[0].run if runs else None,
        ),
        records=records,
        captures=tuple(reading.captures()),
        runs=runs,
        faults=(fault,) if fault is not None else (),
        requisites=tuple(reading.requisites()),
        gathered=tuple(reading.gathered),
    )


def digest_of_file(path: Path) -> Digest:
    """Return the SHA-256 of a file's bytes as stored."""
    with opened(path) as file:
        return from_hex(hashlib.file_digest(file, "sha256").hexdigest())  # type: ignore[arg-type]


class Reading:
    """What has been read so far of one file."""

    def __init__(self) -> None:
        self.records: list[WarcRecord] = []
        self.bodies: dict[str, Body] = {}
        self.notes: list[tuple[WarcRecord, Mapping[str, object]]] = []
        self._info: dict[str, str] = {}
        self._info_date = ""
        self._end: Mapping[str, object] = {}
        self.gathered: list[tuple[str, str]] = []
        self._pending: list[tuple[Record, object]] = []
        self._ordinal = (-1, 0)

    def extend(self, other: Reading) -> None:
        """Add what a later part of the file holds."""
        self.records += other.records
        self.bodies |= other.bodies
        self.notes += other.notes
        if not self._info:
            self._info, self._info_date = other._info, other._info_date
        self._end = other._end or self._end
        self.gathered += other.gathered

    @property
    def rest(self) -> tuple[Any, ...]:
        """What is neither record nor body nor note."""
        return self._info, self._info_date, self._end, self.gathered

    @rest.setter
    def rest(self, rest: tuple[Any, ...]) -> None:
        """Take what another reading's `rest` gave."""
        self._info, self._info_date, self._end, self.gathered = rest

    def take(self, record: Record) -> None:
        """Read a record's block; `place` completes it once its length is known."""
        kind = record.header.type
        seen: object = None
        if kind in ("response", "revisit") and _is_http(record):
            seen = _http_body(record)
        elif kind in _CAPTURED:
            seen = _plain_body(record)
        elif kind == "metadata" and record.block_size <= NOTE_LIMIT:
            seen = _json(record.block(NOTE_LIMIT))
        elif kind == "warcinfo" and not self._info:
            self._info = _warc_fields(record.block(NOTE_LIMIT))
            self._info_date = record.header.date or ""
        self._pending.append((record, seen))
        record.finish()

    def place(self) -> None:
        """Note the records that were read through, each once its gzip member was, too."""
        noted = 0
        for record, seen in self._pending:
            if record.length is None:
                break
            self._note(record, seen)
            noted += 1
        del self._pending[:noted]

    def _note(self, record: Record, seen: object) -> None:
        kind = record.header.type
        placed = self._warc_record(record)
        self.records.append(placed)
        if isinstance(seen, tuple):
            head, digests, media_type, charset = seen
            self.bodies[placed.record_id] = Body(
                record=placed,
                status=head.status if head is not None else None,
                digests=digests,
                media_type=media_type,
                charset=charset,
            )
        elif kind == "metadata" and isinstance(seen, dict):
            if seen.get("profile") == CAPTURE_PROFILE:
                self.notes.append((placed, seen))
            elif seen.get("profile") == RUN_PROFILE:
                self._end = seen
            elif seen.get("profile") == REQUISITES_PROFILE:
                self.gathered.append((str(seen.get("run")), str(seen.get("document"))))

    def _warc_record(self, record: Record) -> WarcRecord:
        header = record.header
        offset, ordinal = self._ordinal
        ordinal = ordinal + 1 if offset == record.offset else 0
        self._ordinal = (record.offset, ordinal)
        refers_to = header.value("WARC-Refers-To")
        return WarcRecord(
            warc=record.warc,
            offset=record.offset,
            ordinal=ordinal,
            length=record.length or 0,
            record_id=header.record_id,
            type=header.type,
            date=header.date,
            target_uri=header.target_uri,
            content_type=header.value("Content-Type"),
            content_length=record.block_size,
            record_digest=record.digest or Digest(""),
            block_digest=record.block_digest or Digest(""),
            payload_digest=header.value("WARC-Payload-Digest"),
            concurrent_to=header.concurrent_to,
            refers_to=strip_brackets(refers_to) if refers_to else None,
            truncated=header.value("WARC-Truncated"),
        )

    def runs(self) -> tuple[Run, ...]:
        """Return the run that the file's warcinfo names, if it names one of ours."""
        info = self._info
        if "run" not in info or "collection" not in info:
            return ()
        seeds = info.get("seeds-sha256") or ""
        outcomes = self._end.get("outcomes")
        ended = self._end.get("ended_at")
        return (
            Run(
                run=RunId(info["run"]),
                collection=CollectionId(info["collection"]),
                command=info.get("command", ""),
                started_at=info.get("started-at", self._info_date),
                ended_at=ended if isinstance(ended, str) else None,
                software=info.get("software"),
                operator=info.get("operator"),
                seeds_digest=from_hex(seeds) if re.fullmatch(r"[0-9a-f]{64}", seeds) else None,
                targets=tuple(info.get("targets", "").split()),
                resumes=RunId(info["resumes"]) if "resumes" in info else None,
                outcomes=tuple(
                    sorted((str(word), n) for word, n in outcomes.items() if isinstance(n, int))
                )
                if isinstance(outcomes, dict)
                else (),
            ),
        )

    def captures(self) -> list[Capture]:
        """Return the captures whose metadata record tells an outcome."""
        made = (self._capture(record, note) for record, note in self.notes)
        return [capture for capture in made if capture is not None]

    def requisites(self) -> Iterator[KeptRequisite]:
        """Yield the whole answers that were kept as requisites of pages."""
        for record, note in self.notes:
            if note.get("kind") != CaptureKind.REQUISITE:
                continue
            body = self._body_of(record)
            if body is None or body.digests is None or body.status is None:
                continue
            kept = body.record
            if 200 <= body.status < 300 and kept.truncated is None and kept.target_uri:
                yield KeptRequisite(
                    url=kept.target_uri,
                    record_id=kept.record_id,
                    date=kept.date or "",
                    payload_digest=body.digests.payload_digest,
                )

    def _body_of(self, record: WarcRecord) -> Body | None:
        return next((self.bodies[one] for one in record.concurrent_to if one in self.bodies), None)

    def _capture(self, record: WarcRecord, note: Mapping[str, object]) -> Capture | None:
        if note.get("outcome") is None:
            return None
        try:
            return _to_capture(record, note, self._body_of(record))
        except (ValueError, TypeError, KeyError, ProvenanceError):
            return None  # a note that is no note of ours; `verify` reports it


def _is_http(record: Record) -> bool:
    return (record.header.value("Content-Type") or "").lower().startswith("application/http")


_Seen = tuple[ResponseHead | None, BodyDigests | None, str | None, str | None]


def _http_body(record: Record) -> _Seen:
    raw = b""
    for piece in record.pieces():
        raw += piece
        if head_end(raw) is not None or len(raw) > HEAD_LIMIT:
            break
    head = parse_response_head(raw)
    if head is None:
        return None, None, None, None
    media_type, charset = media_type_of(head)
    if record.header.type == "revisit":
        return head, None, media_type, charset
    meter = BodyMeter(body_shape(head))
    meter.feed(raw[head.size :])
    for piece in record.pieces():
        meter.feed(piece)
    cut = record.header.value("WARC-Truncated") is not None
    return head, meter.finish(cut=cut), media_type, charset


def _plain_body(record: Record) -> _Seen:
    meter = BodyMeter(BodyShape(framing=Framing.CLOSE))
    for piece in record.pieces():
        meter.feed(piece)
    kind, _, _ = (record.header.value("Content-Type") or "").partition(";")
    return None, meter.finish(cut=False), kind.strip().lower() or None, None


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _warc_fields(raw: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in raw.decode("utf-8", "replace").splitlines())
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


def _to_capture(record: WarcRecord, note: Mapping[str, object], body: Body | None) -> Capture:
    place = body.record if body else record
    told = _Told(note)
    digests = body.digests if body else None
    content_id, payload_digest, size = None, None, None
    if digests is not None:
        content_id, payload_digest = digests.content_id, digests.payload_digest
        size = digests.content_size
    elif place.type == "revisit":
        content_id, payload_digest = told.digest("content_id"), told.digest("payload_digest")
        size = told.number("size")
    return Capture(
        capture_id=place.record_digest,
        collection=CollectionId(told.needed("collection")),
        document=DocumentId(told.needed("document")),
        run=RunId(told.needed("run")),
        url=told.text("url"),
        final_url=told.text("final_url"),
        outcome=OutcomeKind(told.needed("outcome")),
        reason=told.text("reason"),
        status=body.status if body else None,
        captured_at=told.needed("captured_at"),
        content_id=content_id,
        payload_digest=payload_digest,
        size=size,
        media_type=_media_type(body, told),
        charset=body.charset if body else None,
        undecoded=digests.undecoded if digests else None,
        truncated=place.truncated if body else None,
        obtained=Obtained(told.how()),
        rule=told.text("rule"),
        flags=told.words("flags"),
        redirects=told.redirects(),
        record_type=place.type,
        warc=place.warc,
        offset=place.offset,
        ordinal=place.ordinal,
        length=place.length,
        note=note,
    )


def _media_type(body: Body | None, told: _Told) -> str | None:
    if body is None:
        return None
    if body.media_type is None and body.record.type == "revisit":
        return told.text("media_type")  # a 304 need not repeat it (RFC 9110 §15.4.5)
    return body.media_type


class _Told:
    """What a note tells, each value checked for its kind."""

    def __init__(self, note: Mapping[str, object]) -> None:
        self._note = note

    def text(self, key: str) -> str | None:
        value = self._note.get(key)
        return value if isinstance(value, str) else None

    def needed(self, key: str) -> str:
        value = self.text(key)
        if value is None:
            raise ValueError(key)
        return value

    def number(self, key: str) -> int | None:
        value = self._note.get(key)
        return value if isinstance(value, int) else None

    def digest(self, key: str) -> Digest | None:
        value = self.text(key)
        return from_hex(value.removeprefix("sha256:")) if value else None

    def words(self, key: str) -> tuple[str, ...]:
        value = self._note.get(key)
        return tuple(str(each) for each in value) if isinstance(value, list) else ()

    def how(self) -> str:
        obtained = self._note.get("obtained")
        return str(obtained.get("how")) if isinstance(obtained, dict) else Obtained.FETCHED

    def redirects(self) -> tuple[Redirect, ...]:
        value = self._note.get("redirects")
        hops = (
            [_Told(each) for each in value if isinstance(each, dict)]
            if isinstance(value, list)
            else []
        )
        return tuple(
            Redirect(
                url=hop.needed("url"),
                status=hop.number("status") or 0,
                location=hop.text("location") or "",
                capture_id=hop.digest("capture_id"),
            )
            for hop in hops
        )
