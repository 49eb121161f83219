"""Lay out HTTP/1.x responses byte for byte, and read requests. Pure: opens no socket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

CRLF = b"\r\n"

LENGTH = b"{length}"
"""Stands in a field line for the number of bytes of the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One response as it goes over the wire.

    `head` runs through the empty line; `body` is framed and coded already. `closes` says that the
    server closes the connection after it. `not_modified` is the whole answer to a request whose
    If-None-Match names `etag`.
    """

    head: bytes
    body: bytes
    closes: bool = False
    etag: bytes | None = None
    not_modified: bytes | None = None

    @property
    def raw(self) -> bytes:
        """Every byte of the response."""
        return self.head + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the server goes by in a request; `host` is lower-case and without port 80."""

    method: str
    host: str
    path: str
    closes: bool
    has_body: bool
    if_none_match: tuple[bytes, ...] = ()


def lay_out(*lines: bytes, body: bytes, closes: bool = False) -> Page:
    """Return the page of a status line, field lines and a body; `{length}` is filled in."""
    count = str(len(body)).encode()
    head = CRLF.join(line.replace(LENGTH, count) for line in lines) + CRLF + CRLF
    return Page(head=head, body=body, closes=closes)


def with_validator(page: Page, *, etag: bytes, fields: Iterable[bytes]) -> Page:
    """Return `page` with an answer of 304 to whoever has it already.

    Source: RFC 9110 §13.1.2, §15.4.5.
    """
    lines = (b"HTTP/1.1 304 Not Modified", *fields, b"ETag: " + etag)
    return replace(page, etag=etag, not_modified=CRLF.join(lines) + CRLF + CRLF)


def chunk(
    body: bytes, *, sizes: Iterable[int], extension: bytes = b"", trailer: tuple[bytes, ...] = ()
) -> bytes:
    """Return `body` in chunks of the given sizes, what is left over as the last of them.

    `extension` (as `;name=value`) follows the first chunk's size; `trailer` holds field lines.

    Source: RFC 9112 §7.1.
    """
    framed, start = b"", 0
    for size in (*sizes, len(body)):
        piece = body[start : start + size]
        if piece:
            framed += b"%X" % len(piece) + extension + CRLF + piece + CRLF
        start, extension = start + size, b""
    return framed + b"0" + CRLF + b"".join(line + CRLF for line in trailer) + CRLF


def parse_request(head: bytes) -> Request | None:
    """Read a request head, empty line included; None if it is no HTTP/1.x request.

    A target in absolute form counts before the Host field (RFC 9112 §3.2.2), so that a client can
    be pointed at the demo as at a proxy.
    """
    request_line, *field_lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = request_line.split(" ")
    if len(words) != 3 or words[2] not in {"HTTP/1.0", "HTTP/1.1"}:
        return None
    fields: dict[str, str] = {}
    for line in field_lines:
        name, colon, value = line.partition(":")
        if not colon:
            return None
        fields[name.lower()] = value.strip(" \t")
    host, path = _split_target(words[1], fields.get("host", ""))
    default = "close" if words[2] == "HTTP/1.0" else "keep-alive"
    return Request(
        method=words[0],
        host=host.lower().removesuffix(":80"),
        path=path,
        closes=fields.get("connection", default).lower() == "close",
        has_body="transfer-encoding" in fields or fields.get("content-length", "0") != "0",
        if_none_match=_parse_etags(fields.get("if-none-match", "")),
    )


def _split_target(target: str, host: str) -> tuple[str, str]:
    if not target.lower().startswith("http://"):
        return host, target
    parts = urlsplit(target)
    return parts.netloc, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _parse_etags(listed: str) -> tuple[bytes, ...]:
    etags = (part.strip(" \t").removeprefix("W/") for part in listed.split(","))
    return tuple(etag.encode("latin-1") for etag in etags if etag)
