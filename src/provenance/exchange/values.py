"""One exchange of a request and a response, as a value with its bytes beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from http.cookiejar import Cookie
from pathlib import Path
from typing import BinaryIO

from provenance.digest import Digest
from provenance.http_body import BodyDigests
from provenance.http_message import BodyShape, ResponseHead


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """How to ask: `timeout_s` bounds connecting and each wait for bytes, `max_time_s` one exchange,
    `max_bytes` the body as it comes over the wire. `fields` are request fields in order.

    `proxy` is the one named by the user, with its credentials; an empty text means none at all.
    `ca_file` is a file or a directory of PEM certificates that alone are trusted. `client_cert` is
    a PEM file with the certificate, and with the key unless that is in `client_key`. `cookies` are
    the user's own, sent to the hosts that they name.

    With `trust_env`, what these leave open is taken from the environment as requests does:
    http_proxy, https_proxy, all_proxy and no_proxy, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and
    SSL_CERT_FILE, and the passwords in NETRC or .netrc.
    """

    fields: tuple[tuple[str, str], ...]
    timeout_s: float = 60.0
    max_time_s: float = 3600.0
    max_bytes: int = 8 << 30
    proxy: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    cookies: tuple[Cookie, ...] = field(default=(), repr=False)
    trust_env: bool = False
    keep_credentials: bool = False
    spool_dir: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why nothing came: a stable reason word and a detail for people.

    Reasons: dns, refused, unreachable, tls, timeout, disconnect, private_address, proxy,
    bad_response, bad_url, network. The detail of `tls` opens with a word of its own
    (`faults.TLS_WORDS`) and a colon.
    """

    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSession:
    """What TLS agreed on; `certificates` are DER, as sent, the server's own first.

    `custom_ca` is True where the chain was verified against authorities that the user named,
    not against those that browsers trust.
    """

    version: str
    cipher: str
    certificates: tuple[bytes, ...]
    custom_ca: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Surplus:
    """Bytes that came after the end of the message."""

    size: int
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response: its block as it came, in a spool file read from its start, and what it says.

    `cut` is None, or `length`, `time` or `disconnect` where the body is incomplete (the words of
    WARC-Truncated). `chunk_sizes` holds the first 10,000 sizes of `chunk_count` chunks.
    """

    spool: BinaryIO
    block_size: int
    block_digest: Digest
    body_digest: Digest
    head: ResponseHead
    shape: BodyShape
    digests: BodyDigests
    chunk_sizes: tuple[int, ...]
    chunk_count: int
    cut: str | None
    interim: tuple[bytes, ...]
    surplus: Surplus | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what became of it: either `answer` or `fault` is set.

    `url` is the address as asked for, without user name and password. `request` is the request as
    sent; `redacted` names the credential fields whose values were replaced in it, and
    `credentials_kept` those whose values were kept because that was asked for.
    `credentials_given` names the fields in which the user's own passwords or cookies were sent.

    `peer` is the address spoken to: the server's, or that of `proxy` (its address without
    credentials) where the exchange went through one. `addresses` are those that the server's name
    resolved to; none where a proxy resolved it. `unparsed` is what arrived (the first 64 KiB)
    where it is no HTTP response. `timings_ms` holds resolve, connect, proxy (the handshake with
    one), tls, first_byte and total, as far as they happened.
    """

    url: str
    started_at: datetime
    request: bytes
    redacted: tuple[str, ...]
    credentials_kept: tuple[str, ...]
    credentials_given: tuple[str, ...]
    answer: Answer | None
    fault: Fault | None
    peer: tuple[str, int] | None
    proxy: str | None
    addresses: tuple[str, ...]
    tls: TlsSession | None
    timings_ms: tuple[tuple[str, float], ...]
    unparsed: bytes
    reconnected: bool
