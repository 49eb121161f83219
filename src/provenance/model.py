"""The words of the domain as frozen values: documents, outcomes, captures. Pure: knows no file."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from provenance.digest import Digest

DocumentId = NewType("DocumentId", str)
CollectionId = NewType("CollectionId", str)
RunId = NewType("RunId", str)

ADHOC = CollectionId("adhoc")
"""The collection of captures that no seeds file asks for."""


class Role(StrEnum):
    """What part a document plays around the article."""

    SOURCE = "source"
    OFFICIAL = "official"
    INDEPENDENT = "independent"


class PublisherKind(StrEnum):
    """What sort of body published a document."""

    STATE_MEDIA = "state-media"
    GOVERNMENT = "government"
    INTERGOVERNMENTAL = "intergovernmental"
    NGO = "ngo"
    ACADEMIC = "academic"
    JOURNALISM = "journalism"
    INDUSTRY = "industry"
    PRIVATE = "private"


class AlternateRole(StrEnum):
    """What another address of, or near, a document holds."""

    REPUBLICATION = "republication"
    SAME_DOCUMENT = "same-document-other-address"
    RECORD = "record"
    RELATED = "report-or-related"


class RelationKind(StrEnum):
    """How one document stands to another."""

    CITES = "cites"
    RESPONDS_TO = "responds-to"
    REPORTS_ON = "reports-on"
    VERSION_OF = "version-of"
    TRANSLATION_OF = "translation-of"
    PART_OF = "part-of"
    RELATED_TO = "related-to"


class AddressStatus(StrEnum):
    """How well an address is known: seen cited elsewhere, or given from memory."""

    CONFIRMED = "confirmed"
    RECALLED = "recalled"


class TitleStatus(StrEnum):
    """How well a title is known."""

    CONFIRMED = "confirmed"
    RECALLED = "recalled"
    DESCRIPTIVE = "descriptive"
    NOT_RECOVERED = "not-recovered"


class OutcomeKind(StrEnum):
    """The fate of one document in one run."""

    CAPTURED = "captured"
    UNCHANGED = "unchanged"
    TRUNCATED = "truncated"
    ERROR_STATUS = "error_status"
    CHALLENGE = "challenge"
    FAILED = "failed"
    DENIED = "denied"
    SKIPPED = "skipped"


VERSIONS = frozenset({OutcomeKind.CAPTURED, OutcomeKind.UNCHANGED, OutcomeKind.TRUNCATED})
"""The outcomes that give a document a version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternate:
    """Another address of, or near, a document."""

    url: str
    role: AlternateRole
    status: AddressStatus | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A directed tie to another document of the same archive root."""

    kind: RelationKind
    document: DocumentId
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One entry of a collection; `url` is None while the document is wanted."""

    id: DocumentId
    collection: CollectionId
    title: str
    role: Role
    publisher: str
    publisher_kind: PublisherKind
    title_original: str | None = None
    title_status: TitleStatus | None = None
    author: str | None = None
    published: str | None = None
    language: str | None = None
    url: str | None = None
    url_status: AddressStatus | None = None
    media_type: str | None = None
    alternates: tuple[Alternate, ...] = ()
    relations: tuple[Relation, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One seeds file: what it is about, its documents in file order, and the file's digest."""

    id: CollectionId
    title: str
    about: str
    seeds_file: str
    seeds_digest: Digest
    documents: tuple[Document, ...]
    allow_networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one document in one run; the keys of the `outcome` object (DESIGN: JSON).

    `size` is the content's, in bytes; `offset` and `length` place the capture record's gzip member
    in the WARC file `warc`.
    """

    collection: CollectionId
    document: DocumentId
    url: str | None
    outcome: OutcomeKind
    reason: str | None = None
    status: int | None = None
    captured_at: str | None = None
    content_id: Digest | None = None
    capture_id: Digest | None = None
    payload_digest: Digest | None = None
    size: int | None = None
    media_type: str | None = None
    warc: str | None = None
    offset: int | None = None
    length: int | None = None
    truncated: str | None = None
    final_url: str | None = None
    run: RunId | None = None
    flags: tuple[str, ...] = field(default=())
