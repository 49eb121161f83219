"""Read a WARC file and keep what its records say, some records at a time. Judges nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from provenance.digest import Digest, from_hex
from provenance.errors import ProvenanceError
from provenance.holdings import CAPTURE_PROFILE, REQUISITES_PROFILE, RUN_PROFILE, WarcRecord
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
from provenance.warc.reader import Record, opened, read_records
from provenance.warc.record import strip_brackets

NOTE_LIMIT = 16 << 20
"""Bytes of a metadata record's JSON that are read."""

_CAPTURED = ("response", "revisit", "resource")

_RECORDS = 1000
_NOTED = 4 << 20
"""Records, and bytes of their notes, after which a reading is handed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a capture record's block says: status (of HTTP), digests, declared type."""

    record: WarcRecord
    status: int | None
    digests: BodyDigests | None
    media_type: str | None
    charset: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of a file as a whole: the fields of its warcinfo record and the run's end."""

    info: Mapping[str, str]
    info_date: str
    end: Mapping[str, object]


class Reading:
    """What has been read of one file, in file order, since the last part of it was handed on."""

    def __init__(self) -> None:
        self.records: list[WarcRecord] = []
        self.bodies: list[Body] = []
        self.notes: list[tuple[WarcRecord, Mapping[str, object]]] = []
        self.gathered: list[tuple[str, str]] = []
        self.told = Told(info={}, info_date="", end={})
        self.fault: str | None = None
        """Why the file cannot be read on."""
        self._noted = 0
        self._pending: list[tuple[Record, object]] = []
        self._ordinal = (-1, 0)

    @property
    def full(self) -> bool:
        """Whether so much was read that it should be handed on."""
        return len(self.records) >= _RECORDS or self._noted >= _NOTED

    def handed_on(self) -> Reading:
        """Return what was read so far, and go on without it."""
        done = Reading()
        for name in ("records", "bodies", "notes", "gathered"):
            setattr(done, name, getattr(self, name))
            setattr(self, name, [])
        done.told = self.told
        self._noted = 0
        return done

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
        elif kind == "warcinfo" and not self.told.info:
            info = _warc_fields(record.block(NOTE_LIMIT))
            self.told = replace(self.told, info=info, info_date=record.header.date or "")
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
            self.bodies.append(
                Body(
                    record=placed,
                    status=head.status if head is not None else None,
                    digests=digests,
                    media_type=media_type,
                    charset=charset,
                )
            )
        elif kind == "metadata" and isinstance(seen, dict):
            if seen.get("profile") == CAPTURE_PROFILE:
                self.notes.append((placed, seen))
                self._noted += record.block_size
            elif seen.get("profile") == RUN_PROFILE:
                self.told = replace(self.told, end=seen)
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


def readings(path: Path, *, start: int = 0) -> Iterator[Reading]:
    """Yield what a WARC file holds from a record at byte `start` on, some records at a time.

    The last one has the `fault` that the file cannot be read on for, if there is one.

    Raises:
        StorageError: the file cannot be opened.
    """
    reading = Reading()
    fault = None
    try:
        for record in read_records(path, start=start):
            reading.place()
            if reading.full:
                yield reading.handed_on()
            reading.take(record)
    except ProvenanceError as found:
        fault = str(found)
    reading.place()
    reading.fault = fault
    yield reading


def read_stretch(path: Path, start: int, until: int | None) -> tuple[Reading, int | None]:
    """Return what the file holds from a record at byte `start` up to one at byte `until`.

    And where that was met; None where the file ended or has a fault before.

    Raises:
        StorageError: the file cannot be opened.
    """
    reading = Reading()
    end = None
    try:
        for record in read_records(path, start=start):
            reading.place()
            if until is not None and record.offset >= until:
                end = record.offset
                break
            reading.take(record)
    except ProvenanceError as found:
        reading.fault = str(found)
    reading.place()
    return reading, end


def digest_of_file(path: Path) -> Digest:
    """Return the SHA-256 of a file's bytes as stored."""
    with opened(path) as file:
        return from_hex(hashlib.file_digest(file, "sha256").hexdigest())  # type: ignore[arg-type]
