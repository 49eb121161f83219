"""Put an exchange and its fate into the note of a metadata record. Pure.

The keys are the profile `provenance-capture-1` (docs/warc-profile.md).
"""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TypeAlias

from provenance.dates import format_instant
from provenance.digest import Digest, digest_of
from provenance.exchange import Exchange
from provenance.fetch.settings import Errand
from provenance.holdings import CAPTURE_PROFILE, CaptureKind, Known, Obtained, Redirect
from provenance.http_message import Framing, ResponseHead, media_type_of
from provenance.landing.notice import Landing
from provenance.model import DocumentId, OutcomeKind

Note: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """An attempt that was followed by another."""

    attempt: int
    url: str
    started_at: datetime
    reason: str | None
    detail: str | None
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """Where a capture was imported from: what the archive says of it, and what it was asked.

    `memento_datetime` is the instant that the archive states, `body` whether it gives the body as
    it was archived (`raw`, `rewritten`, `unknown`), `basis` what `accept_datetime` comes from.
    """

    archive: str
    timegate: str
    memento: str
    memento_datetime: str
    original: str | None
    same_original: bool | None
    accept_datetime: str
    basis: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How an exchange was come by: its errand, hop and attempt, and what went before.

    `requisites` counts what a page names for its replay, where that is fetched too. `imported` says
    which archive gave it, `memento` why an archive that was asked gave nothing.
    """

    run: str
    errand: Errand
    kind: CaptureKind
    url: str
    hop: int = 0
    via: str | None = None
    attempt: int = 1
    given_up: tuple[GivenUp, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    robots: Note | None = None
    requisites: int | None = None
    imported: Imported | None = None
    memento: Note | None = None

    @property
    def document(self) -> DocumentId | None:
        """The document that it was made for; None where it serves whoever asks next as well."""
        shared = self.kind in (CaptureKind.ROBOTS, CaptureKind.REQUISITE)
        return None if shared else self.errand.document

    @property
    def stem(self) -> tuple[object, ...]:
        """The names that the record ids are derived from."""
        name: object = self.document
        if self.kind is CaptureKind.ROBOTS:
            name = " ".join((self.errand.url or "", *self.errand.networks))
        elif self.kind is CaptureKind.REQUISITE:
            name = f"{self.errand.collection} {self.errand.url}"
        return (name, self.attempt, self.hop, self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of the document: outcome (None for exchanges on the way), reason and marks.

    `landing` is what the answer says of its own address.
    """

    outcome: OutcomeKind | None = None
    reason: str | None = None
    detail: str | None = None
    rule: str | None = None
    flags: tuple[str, ...] = field(default=())
    landing: Landing | None = None


def way_note(way: Way, fate: Fate, captured_at: str) -> Note:
    """Return the part of the note that says what was asked and what became of it."""
    return {
        "profile": CAPTURE_PROFILE,
        "kind": way.kind,
        "run": way.run,
        "collection": way.errand.collection,
        "document": way.document,
        "url": way.errand.url,
        "target_uri": way.url,
        "outcome": fate.outcome,
        "reason": fate.reason,
        "detail": fate.detail,
        "rule": fate.rule,
        "flags": list(fate.flags),
        "landing": _landing_note(fate.landing),
        "captured_at": way.imported.memento_datetime if way.imported else captured_at,
        "hop": way.hop,
        "via": way.via,
        "redirects": [
            {
                "url": hop.url,
                "status": hop.status,
                "location": hop.location,
                "capture_id": hop.capture_id,
            }
            for hop in way.redirects
        ],
        "attempt": way.attempt,
        "attempts": [
            {
                "attempt": one.attempt,
                "url": one.url,
                "started_at": format_instant(one.started_at),
                "reason": one.reason,
                "detail": one.detail,
                "status": one.status,
            }
            for one in way.given_up
        ],
        "obtained": _obtained(way, captured_at),
        "memento": way.memento,
        "robots": way.robots,
        "requisites": way.requisites,
    }


def _obtained(way: Way, retrieved_at: str) -> Note:
    if way.imported is None:
        return {"how": Obtained.FETCHED}
    return {"how": Obtained.IMPORTED, "retrieved_at": retrieved_at, **asdict(way.imported)}


def _landing_note(landing: Landing | None) -> Note | None:
    if landing is None:
        return None
    return {
        "meta_refresh": landing.meta_refresh,
        "refresh_delay_s": landing.refresh_delay_s,
        "canonical": landing.canonical,
        "soft_404": landing.soft_404,
    }


def chain_pem(certificates: tuple[bytes, ...]) -> bytes:
    """Return a certificate chain as PEM, the server's own first.

    Source: RFC 7468 §5; `application/pem-certificate-chain` is RFC 8555 §9.1.
    """
    lines: list[bytes] = []
    for each in certificates:
        text = base64.b64encode(each)
        lines.append(b"-----BEGIN CERTIFICATE-----")
        lines += [text[at : at + 64] for at in range(0, len(text), 64)]
        lines.append(b"-----END CERTIFICATE-----")
    return b"".join(line + b"\n" for line in lines)


def chain_id(certificates: tuple[bytes, ...]) -> Digest | None:
    """Return the digest of the chain's PEM: the block digest of the record that keeps it."""
    return digest_of(chain_pem(certificates)) if certificates else None


def wire_note(exchange: Exchange) -> Note:
    """Return the part of the note that says how the bytes came."""
    peer = {"ip": exchange.peer[0], "port": exchange.peer[1]} if exchange.peer else None
    tls = exchange.tls
    return {
        "peer": peer if exchange.proxy is None else None,
        "proxy": {"address": exchange.proxy, **(peer or {})} if exchange.proxy else None,
        "dns": list(exchange.addresses),
        "tls": {
            "version": tls.version,
            "cipher": tls.cipher,
            "verified": True,
            "custom_ca": tls.custom_ca,
            "chain": chain_id(tls.certificates),
        }
        if tls
        else None,
        "timings_ms": dict(exchange.timings_ms),
        "redacted": list(exchange.redacted),
        "credentials_kept": list(exchange.credentials_kept),
        "credentials_given": list(exchange.credentials_given),
        "reconnected": exchange.reconnected,
        "unparsed": {
            "size": len(exchange.unparsed),
            "digest": digest_of(exchange.unparsed),
            "base64": base64.b64encode(exchange.unparsed).decode(),
        }
        if exchange.unparsed
        else None,
    }


def answer_note(
    exchange: Exchange, *, capture_id: Digest, capture_record: str, final: bool
) -> Note:
    """Return the part of the note that says what the answer is; the exchange must have one."""
    answer = exchange.answer
    if answer is None:
        raise ValueError("an exchange without an answer has no such note")
    media_type, charset = media_type_of(answer.head)
    return {
        "status": answer.head.status,
        "final_url": exchange.url if final else None,
        "capture_id": capture_id,
        "capture_record": capture_record,
        "media_type": media_type,
        "charset": charset,
        "content_id": answer.digests.content_id,
        "size": answer.digests.content_size,
        "payload_digest": answer.digests.payload_digest,
        "payload_size": answer.digests.payload_size,
        "undecoded": answer.digests.undecoded,
        "truncated": answer.cut,
        "validators": _validators(answer.head),
        "interim": [base64.b64encode(raw).decode() for raw in answer.interim],
        "surplus": {"size": answer.surplus.size, "digest": answer.surplus.digest}
        if answer.surplus
        else None,
        "clock_offset_s": _clock_offset(exchange),
    }


def not_modified_note(known: Known) -> Note:
    """Return what the server said has not changed: the body of the answer that the archive has."""
    return {
        "media_type": known.media_type,
        "content_id": known.content_id,
        "size": known.size,
        "payload_digest": known.payload_digest,
        "payload_size": known.payload_size,
        "validators": {"etag": known.etag, "last_modified": known.last_modified},
    }


def _validators(head: ResponseHead) -> Note:
    return {"etag": head.value("etag"), "last_modified": head.value("last-modified")}


def framing_note(exchange: Exchange) -> Note:
    """Return what the framing of a body was that a revisit leaves out."""
    answer = exchange.answer
    if answer is None:
        raise ValueError("an exchange without an answer has no framing")
    chunked = answer.shape.framing is Framing.CHUNKED
    return {
        "framing": {
            "transfer_encoding": answer.head.value("transfer-encoding"),
            "body_size": answer.block_size - answer.head.size,
            "body_digest": answer.body_digest,
            "chunk_sizes": list(answer.chunk_sizes) if chunked else [],
            "chunk_count": answer.chunk_count,
        }
    }


def _clock_offset(exchange: Exchange) -> float | None:
    answer = exchange.answer
    date = answer.head.value("date") if answer else None
    try:
        served = parsedate_to_datetime(date) if date else None
        return round((exchange.started_at - served).total_seconds(), 1) if served else None
    except (ValueError, TypeError, OverflowError):
        return None
