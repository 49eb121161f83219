"""One exchange of a request and a response, as a value with its bytes beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from provenance.digest import Digest
from provenance.http_body import BodyDigests
from provenance.http_message import BodyShape, ResponseHead


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why nothing came: a stable reason word and a detail for people.

    Reasons: dns, refused, unreachable, tls, timeout, disconnect, private_address, proxy,
    bad_response, bad_url, network.
    """

    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSession:
    """What TLS agreed on; `certificates` are DER, the server's own first."""

    version: str
    cipher: str
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surplus:
    """Bytes that came after the end of the message."""

    size: int
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response: its block as it came, in a spool file read from its start, and what it says.

    `cut` is None, or `length`, `time` or `disconnect` where the body is incomplete (the words of
    WARC-Truncated).
    """

    spool: BinaryIO
    block_size: int
    block_digest: Digest
    body_digest: Digest
    head: ResponseHead
    shape: BodyShape
    digests: BodyDigests
    chunk_sizes: tuple[int, ...]
    cut: str | None
    interim: tuple[bytes, ...]
    surplus: Surplus | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what became of it: either `answer` or `fault` is set.

    `request` is the request as sent, credentials replaced by `redacted` (`redacted` lists the field
    names); `unparsed` is what arrived (the first 64 KiB) where it is no HTTP response.
    `timings_ms` holds resolve, connect, tls, first_byte and total, as far as they happened.
    """

    url: str
    started_at: datetime
    request: bytes
    redacted: tuple[str, ...]
    answer: Answer | None
    fault: Fault | None
    peer: tuple[str, int] | None
    addresses: tuple[str, ...]
    tls: TlsSession | None
    timings_ms: tuple[tuple[str, float], ...]
    unparsed: bytes
    reconnected: bool
