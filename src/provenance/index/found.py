"""What is found in an index, as frozen rows whose fields are named as the JSON keys. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, TypeVar

from provenance.digest import Digest
from provenance.model import CollectionId, DocumentId, OutcomeKind, RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRow:
    """One capture; the keys of an outcome first, in their order, then the rest of its columns."""

    collection: CollectionId
    document: DocumentId
    url: str | None
    outcome: OutcomeKind
    reason: str | None
    status: int | None
    captured_at: str
    content_id: Digest | None
    capture_id: Digest
    payload_digest: Digest | None
    size: int | None
    media_type: str | None
    warc: str
    offset: int
    length: int
    truncated: str | None
    final_url: str | None
    run: RunId
    flags: tuple[str, ...]
    charset: str | None
    undecoded: str | None
    obtained: str
    rule: str | None
    record_type: str
    ordinal: int
    is_version: bool
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """One document with its newest version and its last outcome: a row of `document_latest`."""

    document: DocumentId
    collection: CollectionId
    position: int | None
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
    media_type_expected: str | None
    note: str | None
    in_seeds: bool
    text_title: str | None
    capture_id: Digest | None
    content_id: Digest | None
    captured_at: str | None
    final_url: str | None
    outcome: OutcomeKind | None
    status: int | None
    size: int | None
    media_type: str | None
    version: int | None
    versions: int
    captures: int
    last_capture_id: Digest | None
    last_captured_at: str | None
    last_outcome: OutcomeKind | None
    last_reason: str | None
    last_status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CitationRow:
    """All that a citation of one capture needs: a row of the view `citation`."""

    capture_id: Digest
    content_id: Digest | None
    collection: CollectionId
    document: DocumentId
    title: str | None
    title_original: str | None
    title_status: str | None
    text_title: str | None
    author: str | None
    text_author: str | None
    published: str | None
    text_published: str | None
    language: str | None
    text_language: str | None
    publisher: str | None
    publisher_kind: str | None
    role: str | None
    in_seeds: bool
    url: str | None
    final_url: str | None
    captured_at: str
    outcome: OutcomeKind
    status: int | None
    is_version: bool
    version: int | None
    size: int | None
    media_type: str | None
    undecoded: str | None
    truncated: str | None
    obtained: str
    run: RunId
    software: str | None
    operator: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A file the index was made from; `kind` is warc or seeds."""

    kind: str
    name: str
    sha256: Digest


class IdKind(StrEnum):
    """What an id names."""

    DOCUMENT = "document"
    CAPTURE = "capture"
    CONTENT = "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What an id or prefix stands for.

    `id` is the whole id. `capture` is the capture itself, or else the newest version of the
    document, or with the content, or else the newest capture; None for a document without any.
    """

    kind: IdKind
    id: str
    document: DocumentId
    capture: CaptureRow | None


class Near(StrEnum):
    """How an archived address fits a link: the same but for a fragment, or a near variant.

    Near means http for https, or a slash more or less at the end.
    """

    EXACT = "exact"
    NEAR = "near"


class ListedBy(StrEnum):
    """Where an address stands: in a version of the document, or only in its seeds entry."""

    CAPTURE = "capture"
    SEEDS = "seeds"
    ALTERNATE = "alternate"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTarget:
    """A document at the address of a link.

    `url` is the address as the archive has it; `capture_id` the newest version captured there
    (for SEEDS and ALTERNATE: of the document), None while there is none.
    """

    document: DocumentId
    url: str
    match: Near
    by: ListedBy
    capture_id: Digest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """An address that a capture leads to; `archived` are the documents found there, best first."""

    kind: str
    position: int
    url: str
    label: str | None
    status: int | None
    archived: tuple[LinkTarget, ...]


_TRUTHS = frozenset({"is_version", "in_seeds"})
_OUTCOMES = frozenset({"outcome", "last_outcome"})

T = TypeVar("T", CaptureRow, DocumentRow, CitationRow, SourceRow)


def columns_of(kind: type[T], prefix: str = "") -> str:
    """Return the columns that `row_of` wants, for a SELECT."""
    return ", ".join(f'{prefix}"{each.name}"' for each in fields(kind))


def row_of(kind: type[T], cells: Sequence[Any]) -> T:
    """Return the row that these cells, in the order of the fields, make."""
    names = (each.name for each in fields(kind))
    return kind(**{name: _value(name, cell) for name, cell in zip(names, cells, strict=True)})


def _value(name: str, cell: Any) -> Any:
    if name in _TRUTHS:
        return bool(cell)
    if name in _OUTCOMES:
        return OutcomeKind(cell) if cell is not None else None
    return tuple(json.loads(cell)) if name == "flags" else cell
