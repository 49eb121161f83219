"""Feed the index: survey the WARC files, and hand each distinct content to text extraction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from provenance.digest import Digest
from provenance.errors import ProvenanceError
from provenance.extract import TEXT_ALGORITHM, Derivative, refusal, text_id
from provenance.extract.pool import ExtractJob, ExtractorPool
from provenance.holdings import Stretch
from provenance.index import ContentSource, Derived
from provenance.parallel import map_in_order, processors
from provenance.warc.contents import read_content
from provenance.warc.members import find_member
from provenance.warc.parts import Part, join_parts, survey_part
from provenance.warc.reader import opened
from provenance.warc.reading import digest_of_file
from provenance.warc.survey import stretches

WARC_SUFFIXES = (".warc", ".warc.gz")

_SHARE = 1 << 20
"""Bytes of a part: what is read of it is in memory at once, and of a few parts that wait."""

_SEARCHED = 1 << 22

_STRETCHES = 4
"""Stretches of a file in one piece that another process hands over; one of more is read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A derivative in the words of the index."""

    derivative: Derivative
    algorithm: str = TEXT_ALGORITHM

    @property
    def text(self) -> str:
        return self.derivative.text

    @property
    def text_id(self) -> Digest | None:
        return text_id(self.derivative) if self.derivative.text else None

    @property
    def title(self) -> str | None:
        return self.derivative.title

    @property
    def author(self) -> str | None:
        return self.derivative.author

    @property
    def published(self) -> str | None:
        return self.derivative.published

    @property
    def language(self) -> str | None:
        return self.derivative.language

    @property
    def charset(self) -> str | None:
        return self.derivative.charset

    @property
    def fault(self) -> str | None:
        return self.derivative.fault

    @property
    def pages(self) -> tuple[int, ...]:
        return self.derivative.pages

    @property
    def links(self) -> tuple[tuple[str, str | None], ...]:
        return tuple((link.url, link.label) for link in self.derivative.links)


def warc_paths(archive: Path) -> tuple[Path, ...]:
    """Return the sealed WARC files of an archive directory, sorted by name."""
    return tuple(
        path
        for path in sorted(archive.iterdir())
        if path.name.endswith(WARC_SUFFIXES) and path.is_file()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A file to survey in one piece, to hash alone, or to survey from `start` to `until`."""

    path: Path
    whole: bool = False
    start: int | None = None
    until: int | None = None


def survey_all(archive: Path, *, jobs: int | None = None, share: int = _SHARE) -> Iterator[Stretch]:
    """Return what each sealed WARC file holds, in order, read by up to `jobs` processes.

    Each file comes as stretches, of which the last is a `Survey`. None: a process for each
    processor. They begin at once. A large file is read in parts of `share` bytes, and in one piece
    from where these do not fit together.
    """
    jobs = processors() if jobs is None else jobs
    paths = warc_paths(archive)
    if jobs < 2 or sum(path.stat().st_size for path in paths) < 2 * share:
        return chain.from_iterable(map(stretches, paths))
    plans = [plan(path, share) for path in paths]
    results = map_in_order(_do, [task for tasks in plans for task in tasks], jobs=jobs)
    return (
        piece
        for path, tasks in zip(paths, plans, strict=True)
        for piece in _pieces(path, islice(results, len(tasks)))
    )


def plan(path: Path, share: int) -> list[_Task]:
    """Divide a gzip file of more than two shares into parts, and its digest; leave any other."""
    whole = [_Task(path=path, whole=True)]
    size = path.stat().st_size
    if size < 2 * share:
        return whole
    with opened(path) as source:
        starts = [0, *_starts(source, size, share)]
    parts = [
        _Task(path=path, start=start, until=until)
        for start, until in zip(starts, [*starts[1:], None], strict=True)
    ]
    return [_Task(path=path), *parts] if len(parts) > 1 else whole


def _starts(source: BinaryIO, size: int, share: int) -> Iterator[int]:
    at = share
    while at < size:
        found = find_member(source, at, b"WARC/", within=_SEARCHED)
        if found is not None:
            yield found
        at = share + (found if found is not None else at + _SEARCHED)


def _do(task: _Task) -> tuple[Stretch, ...] | Digest | Part | None:
    if task.whole:
        found = tuple(islice(stretches(task.path), _STRETCHES + 1))
        return found if len(found) <= _STRETCHES else None
    if task.start is None:
        return digest_of_file(task.path)
    return survey_part(task.path, task.start, task.until)


def _pieces(
    path: Path, results: Iterator[tuple[Stretch, ...] | Digest | Part | None]
) -> Iterator[Stretch]:
    first = next(results)
    if isinstance(first, tuple):
        yield from first
    elif isinstance(first, str):
        parts = (part if isinstance(part, Part) else None for part in results)
        yield from join_parts(path, first, parts)
    else:
        yield from stretches(path)


class Deriver:
    """Extracts the text of contents that lie in an archive's WARC files."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive

    def derive(self, sources: Iterable[ContentSource]) -> Iterator[Derived]:
        """Yield what each source says, in order; contents are read as they are needed."""
        with ExtractorPool() as pool:
            for derivative in pool.map(map(self._job, sources)):
                yield _Text(derivative=derivative)

    def _job(self, source: ContentSource) -> ExtractJob:
        return ExtractJob(
            content=self._content(source),
            media_type=source.media_type,
            charset=source.charset,
            base_url=source.base_url,
            size=source.capture.size,
        )

    def _content(self, source: ContentSource) -> bytes:
        capture = source.capture
        too_large = refusal(b"", media_type=source.media_type, size=capture.size or 0)
        pieces: list[bytes] = []
        try:
            for piece in read_content(
                self._archive / capture.warc, capture.offset, capture.ordinal
            ):
                pieces.append(piece)
                if too_large:
                    break
        except ProvenanceError:
            return b""  # unreadable now: `verify` says what is wrong with the record
        return b"".join(pieces)
