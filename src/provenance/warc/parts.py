"""Survey a WARC file in parts, so that several processes may, and join what they read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from provenance.digest import Digest
from provenance.holdings import Stretch, WarcRecord
from provenance.http_body import BodyDigests
from provenance.warc.reading import Body, Reading, read_stretch
from provenance.warc.survey import Settling, stretches

_RECORD = tuple(each.name for each in fields(WarcRecord))
_SUMS = tuple(each.name for each in fields(BodyDigests))
_row_of, _sums_of = attrgetter(*_RECORD), attrgetter(*_SUMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a stretch of a file holds; `end` is where the next one's first record was met.

    `end` is None where the file ended, or could not be read on.
    """

    start: int
    end: int | None
    reading: Reading

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpacked, (self.start, self.end, _packed(self.reading))


def survey_part(path: Path, start: int, until: int | None) -> Part:
    """Return what the file holds from a record at byte `start` up to one at byte `until`.

    Raises:
        StorageError: the file cannot be opened.
    """
    reading, end = read_stretch(path, start, until)
    return Part(start=start, end=end, reading=reading)


def join_parts(path: Path, sha256: Digest, parts: Iterable[Part | None]) -> Iterator[Stretch]:
    """Yield what a file holds, each part let go before the next is asked for.

    A part is proven when the one before met a record where it begins. From the first that is not,
    or is not there, the file is read on in one piece.

    Raises:
        StorageError: the file cannot be opened.
    """
    settling = Settling(path)
    at: int | None = 0
    for part in parts:
        if at is None:
            continue  # the parts before ended with the file, or with what cannot be read
        if part is None or part.start != at:
            yield from stretches(path, start=at, settling=settling, sha256=sha256)
            at = None
        elif part.end is None:
            yield settling.survey(part.reading, sha256)
            at = None
        else:
            yield settling.stretch(part.reading)
            at = part.end
    if at is not None:
        yield from stretches(path, start=at, settling=settling, sha256=sha256)


def _packed(reading: Reading) -> tuple[Any, ...]:
    """Return a reading as plain rows: on the way to another process objects would cost more."""
    places = {id(record): place for place, record in enumerate(reading.records)}
    bodies = [
        (
            places[id(body.record)],
            body.status,
            body.digests and _sums_of(body.digests),
            body.media_type,
            body.charset,
        )
        for body in reading.bodies
    ]
    notes = [(places[id(record)], note) for record, note in reading.notes]
    rest = (reading.gathered, reading.told, reading.fault)
    return list(map(_row_of, reading.records)), bodies, notes, rest


def _unpacked(start: int, end: int | None, packed: tuple[Any, ...]) -> Part:
    rows, bodies, notes, rest = packed
    reading = Reading()
    records = [WarcRecord(**dict(zip(_RECORD, row, strict=True))) for row in rows]
    reading.records = records
    reading.bodies = [
        Body(
            record=records[place],
            status=status,
            digests=sums and BodyDigests(**dict(zip(_SUMS, sums, strict=True))),
            media_type=media_type,
            charset=charset,
        )
        for place, status, sums, media_type, charset in bodies
    ]
    reading.notes = [(records[place], note) for place, note in notes]
    reading.gathered, reading.told, reading.fault = rest
    return Part(start=start, end=end, reading=reading)
