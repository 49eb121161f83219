"""List what a page or a style sheet names that a later replay needs. Pure: fetches nothing.

The text is decoded by the caller, who has the HTTP field: for HTML and XML with the archive's own
charset detection, for CSS with that and `css.charset_rule`.

No content makes this raise. The work is linear in the length of the text; the number of addresses,
of references looked at, and of characters is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from provenance.gather.css import StyleReader
from provenance.gather.elements import Form, namings
from provenance.gather.kinds import LIMIT, Kind, Requisite, Requisites
from provenance.gather.markup import read_html, read_xml
from provenance.gather.srcset import candidates
from provenance.uri import web_address

MAX_TEXT: Final = 2**24
"""Characters of a page or style sheet that are read."""

_LOOKED_AT: Final = 20
"""References looked at for each address that may be listed; most name what is listed already."""

_SRCDOC_DEPTH: Final = 3
_SHEET_ADDRESS = re.compile(r"""(?:^|\s)href\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def requisites_of_page(text: str, *, url: str, xml: bool = False, limit: int = LIMIT) -> Requisites:
    """Return what an HTML page names; with `xml`, an XHTML page or an SVG image.

    `url` is the page's own address, at the end of redirects. XML that is not well-formed is read as
    HTML. The page itself is no requisite of its own.

    >>> requisites_of_page("<img src=a.png>", url="https://example.org/b/").found[0].url
    'https://example.org/b/a.png'
    """
    if xml:
        reader = _PageReader(_Gathering(url, limit))
        if read_xml(text[:MAX_TEXT], reader):
            return reader.gathering.result(text)
    reader = _PageReader(_Gathering(url, limit))
    read_html(text[:MAX_TEXT], reader)
    return reader.gathering.result(text)


def requisites_of_sheet(text: str, *, url: str, limit: int = LIMIT) -> Requisites:
    """Return what a style sheet at `url` (at the end of redirects) names.

    >>> requisites_of_sheet("@import 'a.css'", url="https://example.org/b/c").found[0].kind
    <Kind.STYLE: 'style'>
    """
    gathering = _Gathering(url, limit)
    gathering.add_css(text[:MAX_TEXT])
    return gathering.result(text)


class _Gathering:
    """The addresses so far: each once, in order, up to the limit."""

    def __init__(self, url: str, limit: int) -> None:
        self.base = url
        self._own = web_address(url, base=url)
        self._limit = max(limit, 0)
        self._looks = self._limit * _LOOKED_AT
        self._reached = False
        self._seen: set[tuple[str, Kind, bool]] = set()
        self._found: dict[str, Requisite] = {}
        self._styles = StyleReader()

    def add(self, reference: str, kind: Kind, *, lazy: bool = False) -> None:
        if (reference, kind, lazy) in self._seen or self._reached:
            return
        self._looks -= 1
        if self._looks < 0:
            self._reached = True
            return
        self._seen.add((reference, kind, lazy))
        url = web_address(reference, base=self.base)
        if url is None or url == self._own:
            return
        known = self._found.get(url)
        if known is None and len(self._found) >= self._limit:
            self._reached = True
        elif known is None or (known.lazy and not lazy):
            # What a script would load counts as loaded by the page where the page does it too.
            self._found[url] = Requisite(url=url, kind=kind, lazy=lazy)

    def add_css(self, text: str) -> None:
        for each in self._styles.references(text):
            self.add(each.reference, each.kind)
            if self._reached:
                return

    def rebase(self, href: str) -> None:
        base = web_address(href, base=self.base)
        if base is not None and base != self.base:
            self.base = base
            self._seen.clear()

    def result(self, text: str) -> Requisites:
        reached = self._reached or self._styles.limit_reached or len(text) > MAX_TEXT
        return Requisites(found=tuple(self._found.values()), limit_reached=reached)


class _PageReader:
    """Takes the stream of elements, and hands what they name to the gathering."""

    def __init__(self, gathering: _Gathering, depth: int = 0) -> None:
        self.gathering = gathering
        self._depth = depth
        self._based = False
        self._style: list[str] | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "base":
            self._set_base(attributes.get("href"))
        elif name == "style":
            kind = attributes.get("type", "").strip().lower()
            self._style = [] if kind in ("", "text/css") else None
        if attributes:
            self._add_all(name, attributes)

    def end(self, name: str) -> None:
        if name == "style" and self._style is not None:
            self.gathering.add_css("".join(self._style))
            self._style = None

    def data(self, text: str) -> None:
        if self._style is not None:
            self._style.append(text)

    def instruction(self, name: str, text: str) -> None:
        match = _SHEET_ADDRESS.search(text) if name == "xml-stylesheet" else None
        if match is not None:
            self.gathering.add(match[1] or match[2] or "", Kind.STYLE)

    def _add_all(self, name: str, attributes: Mapping[str, str]) -> None:
        for naming, value in namings(name, attributes):
            if naming.form is Form.ADDRESS:
                self.gathering.add(value, naming.kind, lazy=naming.lazy)
            elif naming.form is Form.SRCSET:
                for candidate in candidates(value):
                    self.gathering.add(candidate, naming.kind, lazy=naming.lazy)
            elif naming.form is Form.CSS:
                self.gathering.add_css(value)
            elif self._depth < _SRCDOC_DEPTH:
                self._read_inner(value)

    def _read_inner(self, page: str) -> None:
        # A page in an attribute has the base of the page around it, and may set its own.
        outer = self.gathering.base
        read_html(page, _PageReader(self.gathering, self._depth + 1))
        self.gathering.rebase(outer)

    def _set_base(self, href: str | None) -> None:
        if href is not None and not self._based:
            self._based = True
            self.gathering.rebase(href)
