"""Feed the index: survey the WARC files, and hand each distinct content to text extraction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from provenance.digest import Digest
from provenance.errors import ProvenanceError
from provenance.extract import TEXT_ALGORITHM, Derivative, refusal, text_id
from provenance.extract.pool import ExtractJob, ExtractorPool
from provenance.holdings import Survey
from provenance.index import ContentSource, Derived
from provenance.warc.contents import read_content
from provenance.warc.survey import survey

WARC_SUFFIXES = (".warc", ".warc.gz")


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


def survey_all(archive: Path) -> Iterator[Survey]:
    """Yield the survey of each sealed WARC file."""
    return map(survey, warc_paths(archive))


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
