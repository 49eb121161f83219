"""Turn away requests that no page is for: those that do not read, and those under foreign names.

A name check is what keeps another web site out of an archive on this machine: it can make its own
name stand for 127.0.0.1 and then read what answers there, as itself (DNS rebinding). An address in
digits, and `localhost`, cannot be made to stand for anything else.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from provenance.web.policy import PAGE_POLICY, App, Receive, Scope, Send

READING = ("GET", "HEAD")

_PLAIN_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A status and the words that go with it, in ASCII; `location` is where to ask instead."""

    status: int
    words: str
    location: str | None = None


ODD_HOST = Refusal(status=400, words="The Host field is not one plain host name.")


def gated(app: App, *, names: Collection[str] | None = None, base: str = "/") -> App:
    """Wrap an ASGI app so that it gets only requests that read, under one of its `names`.

    `names` are the host names that the site goes by beside addresses in digits and `localhost`;
    None means any. Whoever asks for `base`, below which the site lies, without the slash at its end
    is led there.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        refused = refusal(scope, names) if scope["type"] == "http" else None
        if refused is None and scope["type"] == "http" and f"{scope['path']}/" == base:
            refused = Refusal(status=308, words=f"The site lies below {base}", location=base)
        if refused is None:
            await app(scope, receive, send)
        else:
            await _answer(refused, send)

    return guarded


def refusal(scope: Scope, names: Collection[str] | None) -> Refusal | None:
    """Return why a request is turned away, or None where it is not.

    A Host field that is no plain name would get into links and header fields of the answer.

    Source: RFC 9110 §15.5.6 (405), §15.5.20 (421); RFC 9112 §3.2 (400 for a Host that is none).
    """
    if scope["method"] not in READING:
        return Refusal(status=405, words="This site can only be read.")
    target = scope.get("raw_path") or scope["path"].encode()
    if not target.startswith(b"/"):
        return Refusal(status=400, words="This site is no proxy; a path begins with a slash.")
    hosts = [value for name, value in scope["headers"] if name.lower() == b"host"]
    host = hosts[0].decode("latin-1") if hosts else ""
    if names is not None and not is_own_name(host, names):
        shown = host.encode("ascii", "backslashreplace").decode()[:100]
        hint = "Whoever runs it can add a name with `provenance serve --name NAME`."
        return Refusal(status=421, words=f"This site does not go by the name {shown!r}. {hint}")
    return None if has_plain_host(scope) else ODD_HOST


def has_plain_host(scope: Scope) -> bool:
    """Whether a request names one host in plain letters, with a port at most, or none at all."""
    hosts = [value for name, value in scope["headers"] if name.lower() == b"host" and value]
    return not hosts or (len(hosts) == 1 and bool(_PLAIN_HOST.fullmatch(hosts[0])))


def is_own_name(host: str, names: Collection[str]) -> bool:
    """Whether a Host field names this site; a field that is missing names it.

    >>> is_own_name("[::1]:8001", ()), is_own_name("127.0.0.1.evil.example", ())
    (True, False)
    """
    if not host:
        return True
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.netloc != host or "@" in host:
        return False
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        name = name.rstrip(".")
        return name == "localhost" or name.endswith(".localhost") or name in names


async def _answer(refused: Refusal, send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-security-policy", PAGE_POLICY.encode()),
    ]
    if refused.status == 405:
        headers.append((b"allow", ", ".join(READING).encode()))
    if refused.location is not None:
        headers.append((b"location", refused.location.encode()))
    body = f"{refused.status}: {refused.words}\n".encode()
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
