"""What WARC files hold, as frozen values: files, records, captures, runs. Pure: knows no file.

The `warc` wing makes these out of files; `index`, `verify` and the hall read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from provenance.digest import Digest
from provenance.http_message import Undecoded
from provenance.model import CollectionId, DocumentId, OutcomeKind, RunId

CAPTURE_PROFILE = "provenance-capture-1"
"""The `profile` of the JSON in a capture's metadata record."""

RUN_PROFILE = "provenance-run-1"
"""The `profile` of the JSON in the metadata record that closes a run's file."""

REQUISITES_PROFILE = "provenance-requisites-1"
"""The `profile` of the JSON that ties a page to what its replay needs."""

CERTIFICATES = "application/pem-certificate-chain"
"""The Content-Type of the metadata record that keeps a certificate chain (RFC 8555 §9.1)."""


class CaptureKind(StrEnum):
    """What an exchange was made for; only DOCUMENT carries an outcome."""

    DOCUMENT = "document"
    REDIRECT = "redirect"
    ATTEMPT = "attempt"
    ROBOTS = "robots"
    REQUISITE = "requisite"
    TIMEGATE = "timegate"
    LIVE = "live"


class Obtained(StrEnum):
    """How a capture came to be."""

    FETCHED = "fetched"
    ADDED = "added"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A full answer that the archive has of an address, and by what its server would know it again.

    `etag` and `last_modified` are the validators that the answer gave, as they came; the digests,
    sizes and the media type are those of its body.
    """

    url: str
    record_id: str
    date: str
    etag: str | None
    last_modified: str | None
    content_id: Digest
    size: int
    payload_digest: Digest
    payload_size: int
    media_type: str | None

    @property
    def condition(self) -> tuple[tuple[str, str], ...]:
        """The request fields that ask for a body only if there is another one.

        Source: RFC 9110 §13.1.2, §13.1.3.
        """
        named = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return tuple((name, value) for name, value in named if value)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcFile:
    """One WARC file: base name, SHA-256 of its bytes as stored, size in bytes, record count."""

    warc: str
    sha256: Digest
    size: int
    records: int
    collection: CollectionId | None
    run: RunId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcRecord:
    """One record and its place; `ordinal` counts the records inside one gzip member, from 0.

    `record_digest` covers header and block, `block_digest` the block; ids bare of angle brackets.
    `payload_digest` is the one the header declares, `content_length` the block's size.
    """

    warc: str
    offset: int
    ordinal: int
    length: int
    record_id: str
    type: str
    date: str | None
    target_uri: str | None
    content_type: str | None
    content_length: int
    record_digest: Digest
    block_digest: Digest
    payload_digest: str | None
    concurrent_to: tuple[str, ...]
    refers_to: str | None
    truncated: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """One hop that led on: the address asked, its status, and where it pointed."""

    url: str
    status: int
    location: str
    capture_id: Digest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """The fate of one document in one run, as the archive holds it (failures included).

    Digests, sizes and codings are recomputed from the record, not taken from its metadata.
    `capture_id` is the digest of the response, revisit or resource record, or of the metadata
    record where nothing came; `offset`, `length` and `ordinal` place that record. For a revisit
    `content_id`, `payload_digest` and `size` are the original's. `size` counts content bytes.
    `note` is the whole JSON object of the metadata record, for people and pages.
    """

    capture_id: Digest
    collection: CollectionId
    document: DocumentId
    run: RunId
    url: str | None
    final_url: str | None
    outcome: OutcomeKind
    reason: str | None
    status: int | None
    captured_at: str
    content_id: Digest | None
    payload_digest: Digest | None
    size: int | None
    media_type: str | None
    charset: str | None
    undecoded: Undecoded | None
    truncated: str | None
    obtained: Obtained
    rule: str | None
    flags: tuple[str, ...]
    redirects: tuple[Redirect, ...]
    record_type: str
    warc: str
    offset: int
    ordinal: int
    length: int
    note: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one file says of the run that wrote it.

    `ended_at` and `outcomes` are None and empty where the run was interrupted, and in every file
    of a run but the last; `resumes` names the interrupted run that this one completes.
    """

    run: RunId
    collection: CollectionId
    command: str
    started_at: str
    ended_at: str | None
    software: str | None
    operator: str | None
    seeds_digest: Digest | None
    targets: tuple[str, ...]
    outcomes: tuple[tuple[str, int], ...]
    resumes: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRequisite:
    """A whole answer with status 200 to 299 that was kept as a page's requisite."""

    url: str
    record_id: str
    date: str
    payload_digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Some records of one WARC file that stand together, in file order, and what is told of them.

    `captures` are those whose metadata record stands here, or whose other records were found late;
    `anchors`, one for each, the records that they are named after. `gathered` holds (run, document)
    of the pages whose requisites were asked for to the last.
    """

    records: tuple[WarcRecord, ...]
    captures: tuple[Capture, ...]
    anchors: tuple[WarcRecord, ...] = ()
    requisites: tuple[KeptRequisite, ...] = ()
    gathered: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey(Stretch):
    """The last stretch of a WARC file, or all of it, and what is known once it was read through.

    `faults` are messages on what is unreadable; records before a fault stand.
    """

    file: WarcFile
    runs: tuple[Run, ...]
    faults: tuple[str, ...] = ()
