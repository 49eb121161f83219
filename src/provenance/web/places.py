"""Say where each address of a site stands in a copy made of files, or that it is not in it. Pure.

A page is the file `index.html` of the folder that has its address, so that any host of files serves
it at the address of the live site. Links lead to the folder with a slash at its end: that is where
a host would send the browser on to, at times under another scheme or port.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from provenance.web import words
from provenance.web.offer import Offer
from provenance.web.render import STATIC
from provenance.web.signposting import FORMS

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")
_REASON = re.compile(r"[a-z_]{1,40}:[a-z0-9_]{0,60}")
_FITS: dict[str, Callable[[str], object]] = {
    "role": lambda text: text in words.ROLES,
    "state": lambda text: text in words.STATES or text == "attention",
    "page": _NUMBER.fullmatch,
    "why": _REASON.fullmatch,
}
_ENDINGS = frozenset(form.ending for form in FORMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The ids that the index has, as far as they make plain names of folders."""

    collections: frozenset[str]
    documents: frozenset[str]
    captures: frozenset[str]
    contents: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One file of a copy.

    `target` is what the live site is asked for, `address` where links lead, `file` the name of the
    file in the copy. `target` is empty where the site itself has no such address.
    """

    target: str
    address: str
    file: str


def is_plain(name: str) -> bool:
    """Whether an id is a safe name of a folder, on any file system and whatever its letters' case.

    >>> is_plain("council-minutes"), is_plain(".."), is_plain("a.json"), is_plain("A")
    (True, False, False, False)
    """
    return _PLAIN.fullmatch(name) is not None


def place_of(target: str, known: Known, offer: Offer, *, addressed: bool) -> Place | None:
    """Return the place of a path with its query, without the base URL; None where it has none.

    `addressed` says that the copy knows its address, which feed, site map and JSON-LD need.
    """
    parts = urlsplit(target)
    path = tuple(unquote(each) for each in parts.path.split("/")[1:])
    if not path or (path != ("",) and any(not each or "/" in each for each in path)):
        return None
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    if path[:2] == ("-", "provenance") and len(path) == 3 and path[2] in STATIC:
        return Place(target=parts.path, address=target, file="/".join(path))
    if query:
        return _narrowed(path, dict(query), known)
    if path[0] == "content" and len(path) == 2 and path[1] in known.contents and offer.contents:
        return Place(target="", address=f"{target}.zip", file=f"content/{path[1]}.zip")
    if _is_page(path, known, offer):
        return _page(target, path)
    if _is_file(path, known, offer, addressed=addressed):
        return Place(target=target, address=target, file="/".join(path))
    return None


def _page(target: str, path: tuple[str, ...]) -> Place:
    folder = "".join(f"{each}/" for each in path if each)
    return Place(target=target, address=f"/{folder}", file=f"{folder}index.html")


def _is_page(path: tuple[str, ...], known: Known, offer: Offer) -> bool:
    match path:
        case ("",) | ("failures",):
            return True
        case ("collection", name):
            return name in known.collections
        case ("document", name):
            return name in known.documents
        case ("capture", name):
            return name in known.captures
        case ("view", name):
            return offer.contents and name in known.captures
        case ("diff", before, after):
            return before in known.captures and after in known.captures
    return False


def _is_file(path: tuple[str, ...], known: Known, offer: Offer, *, addressed: bool) -> bool:
    match path:
        case ("feed.atom",) | ("sitemap.xml",):
            return addressed
        case ("sitemap", _):
            return addressed
        case ("manifest-sha256.txt",) | ("failures.json",):
            return True
        case ("provenance.db",):
            return offer.database
        case ("collection", name, "feed.atom"):
            return addressed and name in known.collections
        case ("document" | "capture" as kind, last):
            name, _, ending = last.partition(".")
            held = known.documents if kind == "document" else known.captures
            return name in held and ending in _ENDINGS and (addressed or ending != "jsonld")
        case ("diff", before, last):
            after, _, ending = last.partition(".")
            return {before, after} <= known.captures and ending == "json"
        case ("content", last):
            name, _, ending = last.partition(".")
            return offer.contents and name in known.contents and ending == "zip"
    return False


def _narrowed(path: tuple[str, ...], query: dict[str, str], known: Known) -> Place | None:
    """Return the place of a list that is narrowed or further on: a folder a choice.

    A host of files gives the same page whatever the query is.
    """
    choices: tuple[str, ...]
    match path:
        case ("collection", name) if name in known.collections:
            choices = ("role", "state", "page")
        case ("diff", before, after) if {before, after} <= known.captures:
            choices = ("page",)
        case ("document", name) if name in known.documents:
            choices = ("page",)
        case ("failures",):
            choices = ("why", "page")
        case _:
            return None
    if not query.keys() <= {*choices} or not all(_FITS[name](query[name]) for name in query):
        return None
    chosen = [name for name in choices if name in query]
    folders = (each or "-" for name in chosen for each in (name, *query[name].split(":")))
    asked = "&".join(f"{name}={query[name]}" for name in chosen)
    return _page(f"/{'/'.join(path)}?{asked}", (*path, *folders))
