"""The values a citation is made of. Pure: holds them and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from provenance.digest import Digest
from provenance.model import CollectionId, DocumentId


class CitationFormat(StrEnum):
    """The forms a citation is written in."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    BIBTEX = "bibtex"
    RIS = "ris"
    CSL_JSON = "csl-json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """What is known of one capture and its document, as the seeds and the WARC record say it.

    `author` is as the seeds write it and may name several. `published` is `YYYY[-MM[-DD]]`.
    `url` is as asked, `final_url` where redirects led. `captured_at` is an instant with zone; of a
    file added by hand, the instant it was obtained. `imported_from` is None for what this archive
    observed itself. `locator` is a page or passage, in any words.
    """

    document: DocumentId
    collection: CollectionId
    title: str
    title_original: str | None = None
    author: str | None = None
    publisher: str | None = None
    published: str | None = None
    language: str | None = None
    media_type: str | None = None
    url: str | None = None
    final_url: str | None = None
    captured_at: str
    content_id: Digest
    capture_id: Digest
    outcome: str
    imported_from: str | None = None
    obtained_by_hand: bool = False
    locator: str | None = None
