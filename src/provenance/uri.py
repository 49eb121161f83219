"""Turn a reference in a page, a style sheet or a redirect into what a browser asks for. Pure.

The order of work, after the URL Standard:
(1) Trim: white space and controls at the ends, tabs and line ends anywhere, the fragment.
(2) Scheme: http and https only; a backslash counts as a slash, but for the query.
(3) Host: credentials dropped, percent-escapes undone, IDNA, lower case, the default port dropped.
    An IPv4 address in any form but four decimal numbers is no address here.
(4) Path: joined to the base, dot segments removed.
(5) What may not stand in a URI is percent-escaped; what is escaped already stays as it is.

Source: URL Standard §4.4 for http and https; RFC 3986 §2.1.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

MAX_ADDRESS: Final = 8000

_ENDS: Final = "".join(map(chr, range(0x21)))
_INSIDE: Final = dict.fromkeys(map(ord, "\t\n\r"))
_SURROGATE = re.compile("[\ud800-\udfff]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile(r"[^/\\?]*")
_HOST_AND_PORT = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(?::([0-9]*))?\Z", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_-]{1,63}\Z", re.ASCII)
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z", re.ASCII)
_ESCAPED_DOT = re.compile("%2e", re.IGNORECASE)
_PORTS: Final = {"http": 80, "https": 443}
_KEPT: Final = "%/:=&?~#+!$,;'@()*[]|"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    scheme: str
    host: str
    path: str
    query: str

    def text(self) -> str:
        return f"{self.scheme}://{self.host}" + quote(self.path + self.query, safe=_KEPT)


def web_address(reference: str, *, base: str) -> str | None:
    """Return the http(s) address that `reference` means in a document at `base`, or None.

    None where it is no such address, only names a place in the same document, or is longer than
    8000 characters.

    >>> web_address("../b\\\\c.png?d#e", base="https://Example.org/a/x/y")
    'https://example.org/a/b/c.png?d'
    >>> web_address("data:text/css,a", base="https://example.org/") is None
    True
    """
    if len(reference) > MAX_ADDRESS:
        reference = reference.strip(_ENDS)[: MAX_ADDRESS + 1]
    bare = _trimmed(reference)  # (1)
    if not bare or len(bare) > MAX_ADDRESS:
        return None
    found = _resolved(bare, _base(base))
    text = found.text() if found else ""  # (5)
    return text if 0 < len(text) <= MAX_ADDRESS else None


def same_resource(one: str, other: str) -> bool:
    """Return whether archives would file both addresses under one key, roughly.

    The scheme, a leading `www.`, the case of the host, a default port, an empty path, a slash at
    the end and the spelling of percent-escapes tell no two apart.
    """
    return _key(one) == _key(other)


def with_small_scheme(url: str) -> str:
    """Return an address with its scheme in small letters, which is the same address.

    Readers of WARC files look for `http:` as it stands to tell where a record's payload begins.

    Source: RFC 3986 §6.2.2.1.

    >>> with_small_scheme("HTTP://Example.org/A:b")
    'http://Example.org/A:b'
    """
    scheme, colon, rest = url.partition(":")
    return f"{scheme.lower()}{colon}{rest}"


def _key(url: str) -> str:
    address = web_address(url, base="") or url
    host, _, rest = address.partition("://")[2].partition("/")
    escapes = re.sub("%[0-9A-Fa-f]{2}", lambda escape: escape[0].upper(), rest)
    return host.removeprefix("www.") + "/" + escapes.rstrip("/")


def _trimmed(reference: str) -> str:
    bare = reference.strip(_ENDS).translate(_INSIDE).partition("#")[0]
    return _SURROGATE.sub("\ufffd", bare)


@lru_cache(maxsize=16)
def _base(base: str) -> _Address | None:
    return _resolved(_trimmed(base[: MAX_ADDRESS + 1]), None)


def _resolved(bare: str, base: _Address | None) -> _Address | None:
    scheme = _SCHEME.match(bare)  # (2)
    if scheme is not None:
        name, rest = scheme[1].lower(), bare[scheme.end() :]
        if name not in _PORTS:
            return None
        relative = base is not None and name == base.scheme and not _has_authority(rest)
        if not relative:
            return _absolute(name, rest.lstrip("/\\"))
        bare = rest
    if base is None:
        return None
    if _has_authority(bare):
        return _absolute(base.scheme, bare.lstrip("/\\"))
    return _joined(bare, base)


def _has_authority(rest: str) -> bool:
    return rest[:2] in ("//", "/\\", "\\/", "\\\\")


def _absolute(scheme: str, rest: str) -> _Address | None:
    end = _AUTHORITY.match(rest)
    authority = end[0] if end else ""
    host = _host(authority.rpartition("@")[2], _PORTS[scheme])  # (3)
    if host is None:
        return None
    path, query = _path_and_query(rest[len(authority) :])
    return _Address(scheme=scheme, host=host, path=_without_dots(path), query=query)


def _joined(bare: str, base: _Address) -> _Address:  # (4)
    path, query = _path_and_query(bare)
    if not path:
        path, query = base.path, query if query else base.query
    elif not path.startswith("/"):
        path = base.path.rpartition("/")[0] + "/" + path
    return _Address(scheme=base.scheme, host=base.host, path=_without_dots(path), query=query)


def _path_and_query(rest: str) -> tuple[str, str]:
    path, mark, query = rest.partition("?")
    return path.replace("\\", "/"), mark + query


def _without_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.removeprefix("/").split("/")
    for number, segment in enumerate(segments):
        word = _ESCAPED_DOT.sub(".", segment) if "%" in segment else segment
        last = number == len(segments) - 1
        if word == "..":
            del kept[-1:]
        if word not in (".", ".."):
            kept.append(segment)
        elif last:
            kept.append("")
    return "/" + "/".join(kept)


def _host(text: str, default_port: int) -> str | None:
    match = _HOST_AND_PORT.match(text)
    if match is None:
        return None
    port = int(match[2].lstrip("0")[:6] or 0) if match[2] else default_port
    name = _ipv6(match[1]) if match[1].startswith("[") else _name(match[1])
    if name is None or port > 65535:
        return None
    return name if port == default_port else f"{name}:{port}"


def _ipv6(text: str) -> str | None:
    try:
        return f"[{ipaddress.IPv6Address(text[1:-1])}]" if "%" not in text else None
    except ValueError:
        return None


def _name(text: str) -> str | None:
    name = unquote(text).lower()
    if not name.isascii():
        import idna

        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, ValueError):
            return None
    labels = name.removesuffix(".").split(".")
    if len(name) > 253 or not all(map(_LABEL.match, labels)):
        return None
    return name if not _NUMBER.match(labels[-1]) or _is_ipv4(name) else None


def _is_ipv4(text: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(text)) == text
    except ValueError:
        return False
