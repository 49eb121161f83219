"""Read where an answer redirects to. Pure."""

from __future__ import annotations

from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from provenance.exchange import Exchange
from provenance.http_message import ResponseHead
from provenance.uri import web_address

MAX_REDIRECTS = 20
"""Redirects that are followed for one document."""

_STATUSES = (301, 302, 303, 307, 308)


def redirect_target(exchange: Exchange) -> str | None:
    """Return the address that the answer redirects to, or None."""
    answer = exchange.answer
    return redirect_target_of(answer.head, exchange.url) if answer else None


def redirect_target_of(head: ResponseHead, base: str) -> str | None:
    """Return the http(s) address in Location, without fragment or credentials, or None.

    Source: RFC 9110 §10.2.2.
    """
    location = head.value("location")
    if location is None or head.status not in _STATUSES:
        return None
    # The field's bytes are UTF-8 where they are no ASCII, as browsers read them.
    text = location.encode("latin-1").decode("utf-8", "replace")
    return web_address(text, base=base) or _as_it_stands(text, base)


def _as_it_stands(text: str, base: str) -> str | None:
    """Return what no browser would ask for, so that the outcome tells what is wrong with it."""
    try:
        target = urljoin(base, text.strip()).partition("#")[0]
        parts = urlsplit(target)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return quote(urlunsplit(bare), safe="%/:=&?~#+!$,;'@()*[]|")
