"""Say, as values, everything that one WARC file holds, a stretch of it at a time. Judges nothing.

What is told of a capture is told as soon as its metadata record comes, for the records of a capture
stand together. So a file of any size needs no more memory than a stretch of it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from provenance.digest import Digest, from_hex
from provenance.holdings import Run, Stretch, Survey, WarcFile, WarcRecord
from provenance.model import CollectionId, RunId
from provenance.warc.captures import capture_of, requisite_of
from provenance.warc.reading import Body, Reading, Told, digest_of_file, readings

_HELD = 1000
"""Bodies that a metadata record is looked for, the ones before it."""

_Note: TypeAlias = tuple[WarcRecord, Mapping[str, object]]


class Settling:
    """Make stretches of the readings of one file, which come in file order.

    A metadata record goes with the nearest of the bodies before it that it names. One that names
    none of the last thousand waits until the file was read through, and is settled by reading it
    again. So the values are those of the file, however it was divided into readings.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bodies: dict[str, Body] = {}
        self._late: list[_Note] = []
        self._count = 0
        self._told = Told(info={}, info_date="", end={})

    def stretch(self, reading: Reading) -> Stretch:
        """Return what the next reading tells."""
        self._count += len(reading.records)
        if not self._told.info:
            self._told = replace(
                self._told, info=reading.told.info, info_date=reading.told.info_date
            )
        self._told = replace(self._told, end=reading.told.end or self._told.end)
        return _told_by(self._settled(reading), reading)

    def survey(self, reading: Reading, sha256: Digest) -> Survey:
        """Return the end of the file: the last reading, and what is known of the whole."""
        last = self.stretch(reading)
        late = _told_by(self._settled_late(), Reading())
        runs = _runs(self._told)
        return Survey(
            records=last.records,
            captures=last.captures + late.captures,
            anchors=last.anchors + late.anchors,
            requisites=last.requisites + late.requisites,
            gathered=last.gathered,
            file=WarcFile(
                warc=self._path.name,
                sha256=sha256,
                size=self._path.stat().st_size,
                records=self._count,
                collection=runs[0].collection if runs else None,
                run=runs[0].run if runs else None,
            ),
            runs=runs,
            faults=(reading.fault,) if reading.fault is not None else (),
        )

    def _settled(self, reading: Reading) -> Iterator[tuple[_Note, Body | None]]:
        bodies = deque(reading.bodies)
        for note in reading.notes:
            record, _ = note
            while bodies and _place(bodies[0].record) < _place(record):
                self._hold(bodies.popleft())
            body = _named(record, self._bodies)
            if body is None and record.concurrent_to:
                self._late.append(note)
            else:
                yield note, body
        for body in bodies:
            self._hold(body)

    def _hold(self, body: Body) -> None:
        name = body.record.record_id
        self._bodies.pop(name, None)
        self._bodies[name] = body
        if len(self._bodies) > _HELD:
            del self._bodies[next(iter(self._bodies))]

    def _settled_late(self) -> Iterator[tuple[_Note, Body | None]]:
        wanted = {name for record, _ in self._late for name in record.concurrent_to}
        found = {
            body.record.record_id: body
            for reading in (readings(self._path) if wanted else ())
            for body in reading.bodies
            if body.record.record_id in wanted
        }
        for note in self._late:
            yield note, _named(note[0], found)


def _place(record: WarcRecord) -> tuple[int, int]:
    return record.offset, record.ordinal


def _named(record: WarcRecord, bodies: Mapping[str, Body]) -> Body | None:
    return next((bodies[one] for one in record.concurrent_to if one in bodies), None)


def _told_by(settled: Iterable[tuple[_Note, Body | None]], reading: Reading) -> Stretch:
    captures, anchors, requisites = [], [], []
    for (record, note), body in settled:
        if (capture := capture_of(record, note, body)) is not None:
            captures.append(capture)
            anchors.append(body.record if body is not None else record)
        if (requisite := requisite_of(note, body)) is not None:
            requisites.append(requisite)
    return Stretch(
        records=tuple(reading.records),
        captures=tuple(captures),
        anchors=tuple(anchors),
        requisites=tuple(requisites),
        gathered=tuple(reading.gathered),
    )


def stretches(
    path: Path,
    *,
    start: int = 0,
    settling: Settling | None = None,
    sha256: Digest | None = None,
) -> Iterator[Stretch]:
    """Yield what the WARC file at `path` holds; the last stretch is a `Survey`.

    What is unreadable ends up in its `faults`. Where the file was read up to a record at byte
    `start`, `settling` has what stands before it; `sha256` is the file's, where it is known.

    Raises:
        StorageError: the file cannot be opened.
    """
    settling = settling or Settling(path)
    last: Reading | None = None
    for reading in readings(path, start=start):
        if last is not None:
            yield settling.stretch(last)
        last = reading
    yield settling.survey(last or Reading(), sha256 or digest_of_file(path))


def joined(pieces: Iterable[Stretch]) -> Iterator[Survey]:
    """Yield one survey for each file, whose stretches come one after the other."""
    before: list[Stretch] = []
    for piece in pieces:
        before.append(piece)
        if isinstance(piece, Survey):
            yield replace(
                piece,
                records=tuple(each for one in before for each in one.records),
                captures=tuple(each for one in before for each in one.captures),
                anchors=tuple(each for one in before for each in one.anchors),
                requisites=tuple(each for one in before for each in one.requisites),
                gathered=tuple(each for one in before for each in one.gathered),
            )
            before = []


def survey(path: Path) -> Survey:
    """Return everything that the WARC file at `path` holds, as one value.

    Raises:
        StorageError: the file cannot be opened.
    """
    return next(joined(stretches(path)))


def _runs(told: Told) -> tuple[Run, ...]:
    """Return the run that the file's warcinfo names, if it names one of ours."""
    info = told.info
    if "run" not in info or "collection" not in info:
        return ()
    seeds = info.get("seeds-sha256") or ""
    outcomes = told.end.get("outcomes")
    ended = told.end.get("ended_at")
    return (
        Run(
            run=RunId(info["run"]),
            collection=CollectionId(info["collection"]),
            command=info.get("command", ""),
            started_at=info.get("started-at", told.info_date),
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
