"""The response headers that keep pages and archived bytes apart, and put a policy on everything.

Nothing archived runs in the pages' origin: our pages allow no inline script or style, archived
bytes go out sandboxed, and what Datasette itself answers gets a policy its pages work under.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "form-action 'self'; frame-src 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'none'"
)
ARCHIVED_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
ASSEMBLED_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline' data:; img-src data:; font-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
"""For a page with its parts put in, which are in it as `data:` addresses: no network either."""
DOWNLOAD_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
DATASETTE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; form-action 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

PAGE_HEADERS: Mapping[str, str] = MappingProxyType(
    {"content-security-policy": PAGE_POLICY, "cache-control": "no-cache"}
)
NO_CONNECTION = "()"
"""An empty Connection-Allowlist: the browser opens no connection for the page at all.

A content policy forbids requests, not connections: Chromium connects to the host of a frame or a
link that the policy then blocks, and that host learns who reads the archive, and when. Browsers
that do not know the header pass it over.

Source: WICG, Connection Allowlists.
"""
ARCHIVED_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": ARCHIVED_POLICY,
        "connection-allowlist": NO_CONNECTION,
        "x-frame-options": "SAMEORIGIN",
        "x-dns-prefetch-control": "off",
        "x-robots-tag": "noindex",
    }
)
ASSEMBLED_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        **ARCHIVED_HEADERS,
        "content-security-policy": ASSEMBLED_POLICY,
        "cache-control": "private, max-age=3600",
    }
)
DOWNLOAD_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": DOWNLOAD_POLICY,
        "connection-allowlist": NO_CONNECTION,
        "accept-ranges": "none",
        "x-robots-tag": "noindex",
    }
)
"""A part of a download could not be checked against the content id, so there are no ranges."""

_EVERYWHERE = (
    (b"content-security-policy", DATASETTE_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def with_policy(app: App) -> App:
    """Wrap an ASGI app so that every response, errors included, carries the headers.

    A header that a response sets itself stands. An exception that reaches the wrapper before a
    response has begun is answered with a plain 500 and raised on, for the server's log.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        begun = False

        async def send_with_policy(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message = {**message, "headers": _completed(message.get("headers") or [])}
            await send(message)

        try:
            await app(scope, receive, send_with_policy)
        except Exception:
            if not begun:
                await _send_plain_500(send_with_policy)
            raise

    return guarded


def _completed(headers: Any) -> list[tuple[bytes, bytes]]:
    stands = [(bytes(name), bytes(value)) for name, value in headers]
    names = {name.lower() for name, _ in stands}
    return stands + [(name, value) for name, value in _EVERYWHERE if name not in names]


async def _send_plain_500(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": b"500: the server met an error.\n"})
