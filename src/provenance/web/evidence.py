"""Make a capture's metadata record and HTTP heads readable. Pure; trusts no archived value.

A note may come from anybody's WARC file, so each value is checked for its shape before it is shown;
what has another shape is left out here and still stands in the JSON itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from provenance.reading.facts import CaptureFacts

HEAD_SHOWN = 64 * 1024
"""Bytes of a head, and characters of a note, that a page shows."""

_TIMINGS = (
    ("resolve", "looking up the name"),
    ("connect", "connecting"),
    ("tls", "setting up encryption"),
    ("first_byte", "until the first byte of the answer"),
    ("total", "in all"),
)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


_INSTANT = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-9:.]{8,15}Z")
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate of the server's chain: the SHA-256 of its DER bytes, and its PEM text."""

    fingerprint: str
    pem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One redirect, or one earlier attempt."""

    url: str
    status: int | None
    location: str | None
    capture_id: str | None
    reason: str | None
    started_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The readable parts of a metadata record; None or empty where it is silent.

    `added_at` is when a person added a file, `stated_at` when that person says it was obtained.
    """

    target_uri: str | None
    detail: str | None
    peer: str | None
    dns: tuple[str, ...]
    tls_version: str | None
    tls_cipher: str | None
    certificates: tuple[Certificate, ...]
    timings: tuple[tuple[str, str], ...]
    clock_offset: str | None
    redirects: tuple[Hop, ...]
    attempts: tuple[Hop, ...]
    redacted: tuple[str, ...]
    added_at: str | None
    stated_at: str | None
    added_note: str | None
    added_file: str | None
    archive: str | None
    memento: str | None
    retrieved_at: str | None
    archive_body: str | None
    proxy: str | None
    leads_on_to: str | None
    canonical: str | None
    soft_404: str | None
    robots: str | None
    robots_reason: str | None
    surplus: int | None


def parse_note(text: str | None) -> Mapping[str, object]:
    """Return the note's JSON object, or an empty one where it is no such thing."""
    try:
        note = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return note if isinstance(note, dict) else {}


def read_evidence(note: Mapping[str, object], chain: bytes | None = None) -> Evidence:
    """Take the readable parts out of a note; `chain` is the certificate chain that it names."""
    tls, obtained = _object(note, "tls"), _object(note, "obtained")
    landing = _object(note, "landing")
    robots, offset = _object(note, "robots"), note.get("clock_offset_s")
    return Evidence(
        target_uri=_text(note, "target_uri"),
        detail=_text(note, "detail"),
        peer=_peer(_object(note, "peer")),
        dns=_texts(note, "dns"),
        tls_version=_text(tls, "version"),
        tls_cipher=_text(tls, "cipher"),
        certificates=tuple(_certificates(chain or b"")),
        timings=tuple(_timings(_object(note, "timings_ms"))),
        clock_offset=offset_words(offset) if _is_number(offset) else None,
        redirects=tuple(_hops(note, "redirects")),
        attempts=tuple(_hops(note, "attempts")),
        redacted=_texts(note, "redacted"),
        added_at=_text(obtained, "added_at"),
        stated_at=_text(obtained, "at") if obtained.get("at_stated") is True else None,
        added_note=_text(obtained, "note"),
        added_file=_text(obtained, "file_name"),
        archive=_text(obtained, "archive"),
        memento=_text(obtained, "memento"),
        retrieved_at=_text(obtained, "retrieved_at"),
        archive_body=_text(obtained, "body"),
        proxy=_text(_object(note, "proxy"), "address"),
        leads_on_to=_text(landing, "meta_refresh"),
        canonical=_text(landing, "canonical"),
        soft_404=_text(landing, "soft_404"),
        robots=_text(robots, "verdict"),
        robots_reason=_text(robots, "reason"),
        surplus=_whole(_object(note, "surplus"), "size"),
    )


def came_at(capture: CaptureFacts) -> str | None:
    """Return the instant when the archive got a capture, None where its note does not say.

    What was fetched is dated by that; the date of all else is the word of another.
    """
    if capture.obtained == "fetched":
        return capture.captured_at
    evidence = read_evidence(parse_note(capture.note))
    told = evidence.added_at if capture.obtained == "added" else evidence.retrieved_at
    return told if told and _INSTANT.fullmatch(told) else None


def head_text(raw: bytes) -> str:
    """Return a head as text: UTF-8 or else Latin-1, what cannot be seen written as an escape.

    >>> head_text(b"HTTP/1.1 200 OK\\r\\nX: a\\x00b\\r\\n\\r\\n")
    'HTTP/1.1 200 OK\\nX: a\\\\x00b'
    """
    shown = raw[:HEAD_SHOWN]
    try:
        text = shown.decode("utf-8")
    except UnicodeDecodeError:
        text = shown.decode("latin-1")
    more = f"\n… {len(raw) - HEAD_SHOWN:,} more bytes" if len(raw) > HEAD_SHOWN else ""
    return visible(text.replace("\r\n", "\n").rstrip("\n")) + more


def offset_words(offset_s: float) -> str:
    """Say by how much our clock is ahead of another, or behind it.

    >>> offset_words(-0.4), offset_words(7200.0)
    ('0.4 seconds behind', '2 hours ahead')
    """
    amount, unit = abs(offset_s), "seconds"
    for size, name in ((60, "minutes"), (60, "hours"), (24, "days")):
        if amount < 2 * size:
            break
        amount, unit = amount / size, name
    said = f"{amount:.1f}" if unit == "seconds" else f"{amount:,.0f}"
    return f"{said} {unit} {'ahead' if offset_s >= 0 else 'behind'}"


def visible(text: str) -> str:
    """Return text with control, zero-width and direction-changing characters as escapes."""
    return _UNSEEN.sub(
        lambda match: f"\\x{ord(match[0]):02x}" if match[0] < "\xa0" else f"\\u{ord(match[0]):04x}",
        text,
    )


def _text(held: Mapping[str, object], key: str) -> str | None:
    value = held.get(key)
    return value if isinstance(value, str) and value else None


def _texts(held: Mapping[str, object], key: str) -> tuple[str, ...]:
    return tuple(value for value in _list(held, key) if isinstance(value, str))


def _list(held: Mapping[str, object], key: str) -> list[object]:
    value = held.get(key)
    return value[:100] if isinstance(value, list) else []


def _object(held: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = held.get(key)
    return value if isinstance(value, dict) else {}


def _whole(held: Mapping[str, object], key: str) -> int | None:
    value = held.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def _peer(peer: Mapping[str, object]) -> str | None:
    address, port = _text(peer, "ip"), _whole(peer, "port")
    if address is None:
        return None
    shown = f"[{address}]" if ":" in address else address
    return shown if port is None else f"{shown} port {port}"


def _timings(timings: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, label in _TIMINGS:
        value = timings.get(key)
        if _is_number(value):
            yield label, f"{value:,.0f} ms"


def _certificates(chain: bytes) -> Iterator[Certificate]:
    for encoded in _PEM.findall(chain):
        try:
            raw = base64.b64decode(b"".join(encoded.split()), validate=True)
        except (binascii.Error, ValueError):
            continue
        lines = textwrap.wrap(base64.b64encode(raw).decode(), 64)
        pem = "\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----"))
        yield Certificate(fingerprint=f"sha256:{hashlib.sha256(raw).hexdigest()}", pem=pem)


def _hops(note: Mapping[str, object], key: str) -> Iterator[Hop]:
    for value in _list(note, key):
        if isinstance(value, dict):
            yield Hop(
                url=_text(value, "url") or "",
                status=_whole(value, "status"),
                location=_text(value, "location"),
                capture_id=_text(value, "capture_id"),
                reason=_text(value, "reason"),
                started_at=_text(value, "started_at"),
            )
