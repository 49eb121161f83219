"""Say which addresses a request for an original resource may mean, as an index may hold them. Pure.

The address comes as it stands in a path, so it can have lost something on the way:
(1) Some clients escape it whole: `https%3A%2F%2Fa.example%2F`.
(2) Servers in between make one slash of two: `https:/a.example/`.
(3) People leave the scheme out: `a.example/b`.
An index holds addresses as they were written in seeds or asked for, so each has several spellings.

Source: RFC 3986 §2.1, §6.2; RFC 3987 §3.2 for escapes that stand for letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from provenance.uri import MAX_ADDRESS, web_address

_ESCAPED = re.compile(r"https?%3a", re.IGNORECASE)
_SCHEME = re.compile(r"(https?):/*(?=[^/])", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?![0-9]+(?:[/?]|\Z))")
_LETTERS = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")
_IN_LINK = "%/:=&?~#+!$,;'@()*[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spellings:
    """Addresses without fragments: `same` are spellings of one, `near` differ from it a little.

    A near one has the other of http and https, or a slash more or less at the end.
    """

    same: tuple[str, ...]
    near: tuple[str, ...]


def spellings(path: str, query: str = "") -> Spellings:
    """Return what an address means that stands in a path, with the query that came after it.

    >>> spellings("https:/a.example/b", "c=1").same
    ('https://a.example/b?c=1',)
    >>> spellings("a.example").same
    ('http://a.example', 'http://a.example/', 'https://a.example', 'https://a.example/')
    """
    if _ESCAPED.match(path):  # (1)
        path = unquote(path)
    text = without_fragment(path + (f"?{query}" if query else ""))
    if len(text) > MAX_ADDRESS:
        return Spellings(same=(), near=())
    if _SCHEME.match(text):  # (2)
        whole = [_SCHEME.sub(lambda match: f"{match[1]}://", text, count=1)]
    elif _OTHER_SCHEME.match(text):
        return Spellings(same=(text,), near=())
    else:  # (3)
        whole = [f"http://{text}", f"https://{text}"]
    same = dict.fromkeys(form for one in whole for form in _forms(one))
    near = dict.fromkeys(form for one in same for form in _near(one))
    return Spellings(same=tuple(same), near=tuple(form for form in near if form not in same))


def without_fragment(url: str) -> str:
    """Return an address without its fragment, which names no other resource."""
    return url.partition("#")[0]


def in_link(url: str) -> str:
    """Return an address so that it can stand in a `Link` header: no fragment, ASCII, no brackets.

    >>> in_link("https://a.example/é?<b>#c")
    'https://a.example/%C3%A9?%3Cb%3E'
    """
    return quote(without_fragment(url), safe=_IN_LINK, errors="replace")


def _forms(url: str) -> list[str]:
    """Return an address as it came, as it is asked for, and with letters instead of escapes."""
    forms = [url]
    asked = web_address(url, base="")
    if asked is not None:
        forms.append(asked)
    return [*forms, *(_LETTERS.sub(_letters, form) for form in forms)]


def _letters(escapes: re.Match[str]) -> str:
    try:
        return unquote(escapes[0], errors="strict")
    except UnicodeDecodeError:
        return escapes[0]


def _near(url: str) -> list[str]:
    scheme, mark, rest = url.partition("://")
    other = {"http": "https", "https": "http"}.get(scheme.lower())
    path, question, query = rest.partition("?")
    turned = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    if other is None:
        return []
    return [
        f"{one}{mark}{way}{question}{query}" for one in (scheme, other) for way in (path, turned)
    ]
