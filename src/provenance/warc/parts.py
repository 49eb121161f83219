"""Survey a WARC file in parts, so that several processes may, and join what they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any

from provenance.digest import Digest
from provenance.errors import ProvenanceError
from provenance.holdings import Survey, WarcRecord
from provenance.http_body import BodyDigests
from provenance.warc.reader import read_records
from provenance.warc.survey import Body, Reading, to_survey

_RECORD = tuple(each.name for each in fields(WarcRecord))
_SUMS = tuple(each.name for each in fields(BodyDigests))
_row_of, _sums_of = attrgetter(*_RECORD), attrgetter(*_SUMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a stretch of a file holds; `end` is where the next one's first record was met.

    `end` is None where the file ended, or `fault` says why it could not be read on.
    """

    start: int
    end: int | None
    fault: str | None
    reading: Reading

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpacked, (self.start, self.end, self.fault, _packed(self.reading))


def survey_part(path: Path, start: int, until: int | None) -> Part:
    """Return what the file holds from a record at byte `start` up to one at byte `until`.

    Raises:
        StorageError: the file cannot be opened.
    """
    reading = Reading()
    fault, end = None, None
    try:
        for record in read_records(path, start=start):
            reading.place()
            if until is not None and record.offset >= until:
                end = record.offset
                break
            reading.take(record)
    except ProvenanceError as found:
        fault = str(found)
    reading.place()
    return Part(start=start, end=end, fault=fault, reading=reading)


def join_parts(path: Path, sha256: Digest, parts: Sequence[Part]) -> Survey | None:
    """Return the survey that the parts of a file make; None where they are not proven to fit.

    They fit when each ends at a record where the next one begins, and none has a fault.
    """
    fit = all(one.end == other.start for one, other in pairwise(parts)) and parts[-1].end is None
    if not fit or any(part.fault is not None for part in parts):
        return None
    whole = Reading()
    for part in parts:
        whole.extend(part.reading)
    return to_survey(path, sha256, whole, None)


def _packed(reading: Reading) -> tuple[Any, ...]:
    """Return a reading as plain rows: on the way to another process objects would cost more."""
    places = {id(record): place for place, record in enumerate(reading.records)}
    bodies = [
        (
            name,
            places[id(body.record)],
            body.status,
            body.digests and _sums_of(body.digests),
            body.media_type,
            body.charset,
        )
        for name, body in reading.bodies.items()
    ]
    notes = [(places[id(record)], note) for record, note in reading.notes]
    return list(map(_row_of, reading.records)), bodies, notes, reading.rest


def _unpacked(start: int, end: int | None, fault: str | None, packed: tuple[Any, ...]) -> Part:
    rows, bodies, notes, rest = packed
    reading = Reading()
    records = [WarcRecord(**dict(zip(_RECORD, row, strict=True))) for row in rows]
    reading.records = records
    for name, place, status, sums, media_type, charset in bodies:
        reading.bodies[name] = Body(
            record=records[place],
            status=status,
            digests=sums and BodyDigests(**dict(zip(_SUMS, sums, strict=True))),
            media_type=media_type,
            charset=charset,
        )
    reading.notes = [(records[place], note) for place, note in notes]
    reading.rest = rest
    return Part(start=start, end=end, fault=fault, reading=reading)
