"""What the pages show, as frozen values. Pure: knows neither SQL nor HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

VERSION_OUTCOMES = frozenset({"captured", "unchanged", "truncated"})
TROUBLE_OUTCOMES = ("error_status", "challenge", "failed", "denied")


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """A document as one line of a list; `last_…` speak of its newest capture of any outcome."""

    document: str
    collection: str
    title: str | None
    title_original: str | None
    role: str | None
    publisher: str | None
    published: str | None
    language: str | None
    url: str | None
    in_seeds: int
    last_outcome: str | None
    last_reason: str | None
    last_status: int | None
    last_at: str | None
    last_obtained: str | None
    captures: int
    versions: int

    @property
    def label(self) -> str:
        """The best name there is for it."""
        return self.title or self.title_original or self.url or self.document

    @property
    def state(self) -> str:
        """The newest outcome, or else `wanted` (no address) or `waiting` (never asked)."""
        return self.last_outcome or ("waiting" if self.url else "wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureLine:
    """A capture as one line of a timeline.

    `recorded_at` is when the archive got it, where `captured_at` is the word of another: of whoever
    added a file by hand, or of the archive that it was imported from. Else it is None.
    """

    capture_id: str
    document: str
    title: str | None
    document_url: str | None
    language: str | None
    url: str | None
    outcome: str
    reason: str | None
    status: int | None
    captured_at: str
    content_id: str | None
    size: int | None
    media_type: str | None
    truncated: str | None
    obtained: str
    recorded_at: str | None
    is_version: int
    version: int | None

    @property
    def came_at(self) -> str:
        """When it came into the archive, as far as is known."""
        return self.recorded_at or self.captured_at

    @property
    def label(self) -> str:
        """The best name there is for its document."""
        return self.title or self.document_url or self.url or self.document


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many documents of one collection have this role and state."""

    collection: str
    role: str | None
    state: str
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionCard:
    """A collection with its tallies."""

    collection: str
    title: str
    about: str | None
    seeds_file: str | None
    tallies: tuple[Tally, ...]

    @property
    def documents(self) -> int:
        """How many documents it has."""
        return sum(tally.documents for tally in self.tallies)

    @property
    def by_state(self) -> Mapping[str, int]:
        """Documents counted by state."""
        return self._sums("state")

    @property
    def attention(self) -> int:
        """How many of its documents brought no version at the last visit."""
        return sum(self.by_state.get(state, 0) for state in TROUBLE_OUTCOMES)

    @property
    def by_role(self) -> Mapping[str, int]:
        """Documents counted by role; documents without one count under the empty word."""
        return self._sums("role")

    def _sums(self, key: str) -> dict[str, int]:
        sums: dict[str, int] = {}
        for tally in self.tallies:
            word = str(getattr(tally, key) or "")
            sums[word] = sums.get(word, 0) + tally.documents
        return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The front page; `kept` counts the documents that have a version."""

    collections: tuple[CollectionCard, ...]
    newest: tuple[CaptureLine, ...]
    trouble: tuple[DocumentLine, ...]
    kept: int
    captures: int
    contents: int
    warc_files: int
    warc_bytes: int

    @property
    def documents(self) -> int:
        """How many documents there are in all."""
        return sum(card.documents for card in self.collections)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternateLine:
    """Another address of, or near, a document."""

    url: str
    role: str
    status: str | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationLine:
    """A tie between the document of the page and another; `other_title` is None if unknown."""

    kind: str
    inward: int
    other: str
    other_title: str | None
    other_language: str | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFacts:
    """What text extraction found in a content; `excerpt` is the beginning of the text."""

    algorithm: str
    text_id: str | None
    title: str | None
    author: str | None
    published: str | None
    language: str | None
    charset: str | None
    characters: int | None
    fault: str | None
    excerpt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A document as its seeds entry describes it."""

    document: str
    collection: str
    collection_title: str
    title: str | None
    title_original: str | None
    title_status: str | None
    role: str | None
    publisher: str | None
    publisher_kind: str | None
    author: str | None
    published: str | None
    language: str | None
    url: str | None
    url_status: str | None
    media_type: str | None
    note: str | None
    in_seeds: int

    @property
    def label(self) -> str:
        """The best name there is for it."""
        return self.title or self.title_original or self.url or self.document


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPage:
    """Everything the document page shows but citations.

    `captures` are some of `capture_count`; `newest` is the newest version, `before` the newest that
    is older than all of `captures`.
    """

    description: Description
    captures: tuple[CaptureLine, ...]
    newest: CaptureLine | None
    before: CaptureLine | None
    capture_count: int
    alternates: tuple[AlternateLine, ...]
    relations: tuple[RelationLine, ...]
    text: TextFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureFacts:
    """One capture with its place in the archive."""

    capture_id: str
    collection: str
    document: str
    run: str
    url: str | None
    final_url: str | None
    outcome: str
    reason: str | None
    status: int | None
    captured_at: str
    content_id: str | None
    payload_digest: str | None
    size: int | None
    media_type: str | None
    charset: str | None
    undecoded: str | None
    truncated: str | None
    obtained: str
    rule: str | None
    flags: str | None
    record_type: str
    warc: str
    offset: int
    ordinal: int
    length: int
    is_version: int
    version: int | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFacts:
    """The WARC record of a capture; `declared_payload_digest` is what its own header says."""

    record_id: str
    type: str
    date: str | None
    target_uri: str | None
    record_digest: str
    block_digest: str
    declared_payload_digest: str | None
    content_length: int
    warc_sha256: str
    software: str | None
    operator: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturePage:
    """Everything the evidence page shows but the exchange."""

    capture: CaptureFacts
    description: Description
    record: RecordFacts | None
    text: TextFacts | None
    first: str | None
    earlier: CaptureLine | None
    later: CaptureLine | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPage:
    """One page of extracted text; `number` is None where the content has no pages."""

    number: int | None
    text: str
