"""Compose WARC records as values: which fields each type carries, and in what order. Pure.

Source: WARC 1.1 §5, §6; `WARC-Protocol` as proposed in the IIPC's issue tracker and written by
several crawlers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO
from uuid import UUID, uuid5

from provenance.digest import Digest, digest_of, to_ni
from provenance.holdings import CERTIFICATES
from provenance.warc.record import CONFORMS_TO, PROFILE_IDENTICAL, PROFILE_NOT_MODIFIED

HTTP_REQUEST = "application/http;msgtype=request"
HTTP_RESPONSE = "application/http;msgtype=response"
JSON = "application/json"
FIELDS = "application/warc-fields"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record to be written: named fields in order (all but Content-Length) and the block.

    `block` is bytes, or a stream of `block_size` bytes read from where it stands.
    """

    fields: tuple[tuple[str, str], ...]
    block: bytes | BinaryIO
    block_size: int

    @property
    def record_id(self) -> str:
        """The record's `urn:uuid:` id, without angle brackets."""
        return next(value for name, value in self.fields if name == "WARC-Record-ID")[1:-1]


@lru_cache(maxsize=512)
def record_urn(run: str, *names: object) -> str:
    """Return the record id derived from the run and what the record is.

    Source: RFC 9562 §5.5 (UUIDv5, the run's UUID as the name space).
    """
    return uuid5(UUID(run), "/".join(str(name) for name in names)).urn


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What the records of one exchange share: ids from one stem, date, address, peer, protocols."""

    run: str
    stem: tuple[object, ...]
    date: str
    target_uri: str
    ip: str | None = None
    protocols: tuple[str, ...] = ()

    def urn(self, kind: str) -> str:
        """Return the id of this visit's record of the given kind."""
        return record_urn(self.run, *self.stem, kind)

    def fields(self, kind: str, warc_type: str) -> list[tuple[str, str]]:
        """Return the leading fields of this visit's record."""
        lead = [
            ("WARC-Type", warc_type),
            ("WARC-Record-ID", f"<{self.urn(kind)}>"),
            ("WARC-Date", self.date),
            ("WARC-Target-URI", self.target_uri),
        ]
        if warc_type in ("request", "response", "revisit"):
            lead += [("WARC-IP-Address", self.ip)] if self.ip else []
            lead += [("WARC-Protocol", protocol) for protocol in self.protocols]
        return lead


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The record that a revisit refers to."""

    record_id: str
    target_uri: str
    date: str


def request_draft(visit: Visit, raw: bytes) -> Draft:
    """Return the request record: the request as sent, credentials already redacted."""
    fields = visit.fields("request", "request")
    fields.append(("WARC-Concurrent-To", f"<{visit.urn('response')}>"))
    return _draft(fields, HTTP_REQUEST, raw)


def response_draft(
    visit: Visit,
    block: BinaryIO,
    *,
    block_size: int,
    block_digest: Digest,
    payload_digest: Digest | None,
    truncated: str | None,
) -> Draft:
    """Return the response record; `payload_digest` is None where two readers would differ."""
    fields = visit.fields("response", "response")
    if payload_digest:
        fields.append(("WARC-Payload-Digest", payload_digest))
    if truncated:
        fields.append(("WARC-Truncated", truncated))
    fields += [("WARC-Block-Digest", block_digest), ("Content-Type", HTTP_RESPONSE)]
    return Draft(fields=tuple(fields), block=block, block_size=block_size)


def revisit_draft(visit: Visit, head: bytes, original: Original, payload_digest: Digest) -> Draft:
    """Return the revisit record of an identical payload: the response's head alone.

    Source: WARC 1.1 §6.7.2. No WARC-Truncated: a revisit's block is whole in itself.
    """
    fields = visit.fields("response", "revisit")
    fields += [
        ("WARC-Profile", PROFILE_IDENTICAL),
        ("WARC-Refers-To", f"<{original.record_id}>"),
        ("WARC-Refers-To-Target-URI", original.target_uri),
        ("WARC-Refers-To-Date", original.date),
        ("WARC-Payload-Digest", payload_digest),
    ]
    return _draft(fields, HTTP_RESPONSE, head)


def not_modified_draft(visit: Visit, head: bytes, original: Original) -> Draft:
    """Return the revisit record of an answer that says: not modified (status 304).

    Source: WARC 1.1 §6.7.3. No payload digest: there is no payload that a reader could hash.
    """
    fields = visit.fields("response", "revisit")
    fields += [
        ("WARC-Profile", PROFILE_NOT_MODIFIED),
        ("WARC-Refers-To", f"<{original.record_id}>"),
        ("WARC-Refers-To-Target-URI", original.target_uri),
        ("WARC-Refers-To-Date", original.date),
    ]
    return _draft(fields, HTTP_RESPONSE, head)


def chain_draft(run: str, collection: str, date: str, pem: bytes) -> Draft:
    """Return the metadata record that keeps a certificate chain once for a run and collection."""
    digest = digest_of(pem)
    fields = [
        ("WARC-Type", "metadata"),
        ("WARC-Record-ID", f"<{record_urn(run, collection, 'certificates', digest)}>"),
        ("WARC-Date", date),
        ("WARC-Target-URI", to_ni(digest)),
    ]
    return _draft(fields, CERTIFICATES, pem)


def resource_draft(
    visit: Visit, block: BinaryIO, *, block_size: int, digest: Digest, media_type: str
) -> Draft:
    """Return the resource record of a local file: the block is the file.

    No payload digest: it would be the block's, and FastWARC looks for an HTTP payload all the same.
    """
    fields = visit.fields("response", "resource")
    fields += [("WARC-Block-Digest", digest), ("Content-Type", media_type)]
    return Draft(fields=tuple(fields), block=block, block_size=block_size)


def metadata_draft(visit: Visit, note: Mapping[str, object], *, alone: bool) -> Draft:
    """Return the metadata record; `alone` where nothing came that it could go with."""
    fields = visit.fields("metadata", "metadata")
    if not alone:
        fields.append(("WARC-Concurrent-To", f"<{visit.urn('response')}>"))
    return _draft(fields, JSON, to_json(note))


def requisites_draft(
    run: str,
    document: str,
    *,
    date: str,
    target_uri: str,
    page: str,
    note: Mapping[str, object],
) -> Draft:
    """Return the metadata record that ties the page with record id `page` to its requisites.

    Source: WARC 1.1 §5.11 (WARC-Refers-To associates a metadata record with another).
    """
    fields = [
        ("WARC-Type", "metadata"),
        ("WARC-Record-ID", f"<{record_urn(run, document, 'requisites')}>"),
        ("WARC-Date", date),
        ("WARC-Target-URI", target_uri),
        ("WARC-Refers-To", f"<{page}>"),
    ]
    return _draft(fields, JSON, to_json(note))


def run_draft(run: str, name: str, date: str, note: Mapping[str, object]) -> Draft:
    """Return the metadata record that closes a run's file `name`."""
    fields = [
        ("WARC-Type", "metadata"),
        ("WARC-Record-ID", f"<{record_urn(run, name, 'end')}>"),
        ("WARC-Date", date),
        ("WARC-Target-URI", UUID(run).urn),
    ]
    return _draft(fields, JSON, to_json(note))


def warcinfo_draft(
    run: str, name: str, date: str, lines: Iterable[tuple[str, str]], software: str
) -> Draft:
    """Return the warcinfo record that opens the file `name`.

    Source: WARC 1.1 §6.2; the block is `application/warc-fields`.
    """
    block = "".join(
        f"{key}: {value}\r\n"
        for key, value in (
            ("software", software),
            ("format", "WARC File Format 1.1"),
            ("conformsTo", CONFORMS_TO),
            *lines,
        )
    )
    fields = [
        ("WARC-Type", "warcinfo"),
        ("WARC-Record-ID", f"<{record_urn(run, name, 'warcinfo')}>"),
        ("WARC-Date", date),
        ("WARC-Filename", name),
    ]
    return _draft(fields, FIELDS, block.encode())


def to_json(note: Mapping[str, object]) -> bytes:
    """Return the one JSON form that notes are written in: sorted keys, UTF-8, a key a line."""
    lines = (f"{_quoted(key)}: {_value(note[key])}" for key in sorted(note))
    return ("{\n " + ",\n ".join(lines) + "\n}\n").encode()


_encoded = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
_quoted = json.encoder.encode_basestring


def _value(value: object) -> str:
    # Most values are texts or null; the encoder's own way to those is long.
    if value is None:
        return "null"
    return _quoted(value) if type(value) is str else _encoded(value)


def _draft(fields: list[tuple[str, str]], content_type: str, block: bytes) -> Draft:
    fields = [*fields, ("WARC-Block-Digest", digest_of(block)), ("Content-Type", content_type)]
    return Draft(fields=tuple(fields), block=block, block_size=len(block))
