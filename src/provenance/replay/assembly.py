"""Put the pictures, style sheets and fonts that the archive has of a page into the page. Pure core.

They go in as `data:` addresses, so that whoever shows the page needs no other request and no wider
policy than for the page alone: nothing is fetched, and no requisite has an address of its own that
could be opened as a page. Scripts, frames, sound and films are never put in.

Bounded are the size of all that is put in, the number of addresses looked up, and how deep style
sheets import each other; the size of one requisite is by whoever holds it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote

from provenance.extract.charset import decode_text
from provenance.extract.prescan import html_charset, xml_charset
from provenance.gather import Kind, charset_rule
from provenance.gather.page_rewriting import rewritten_page
from provenance.gather.sheet_rewriting import rewritten_sheet
from provenance.replay.holding import Held
from provenance.replay.kinds import shown_as
from provenance.uri import web_address
from provenance.web.source import Assembled, Lack, Lacking

_PUT_IN: Final = 32 << 20
_LOOKED_UP: Final = 1_000
_DEEP: Final = 5
_TOLD: Final = 50


class Archive(Protocol):
    """What is held of addresses around the page's date."""

    def has(self, url: str) -> bool:
        """Whether anything is held of an address."""

    def find(self, url: str) -> Held | Lack:
        """Return the content of an address nearest to the date, or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An archived page; `media_type` and `charset` as declared, `url` that which answered."""

    content: bytes
    url: str
    media_type: str
    charset: str | None


def assemble(page: Page, archive: Archive) -> Assembled:
    """Return the page with what is held of the parts that it names."""
    xml = page.media_type == "application/xhtml+xml"
    declared = xml_charset if xml else html_charset
    text = decode_text(page.content, http=page.charset, declared=declared).text
    parts = _Parts(archive)
    made = rewritten_page(text, url=page.url, put=parts.put, held=parts.held, xml=xml)
    return parts.result(made)


class _Parts:
    """What was named so far, and what became of each address."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._left = _PUT_IN
        self._limited = False
        self._has: dict[str, bool] = {}
        self._made: dict[tuple[str, Kind], tuple[str, str] | Lack] = {}
        self._shown: dict[str, str] = {}
        self._lacks: dict[str, Lack] = {}
        self._within: list[str] = []

    def held(self, reference: str, base: str) -> bool:
        """Whether anything is held of what a reference means."""
        url = web_address(reference, base=base)
        return url is not None and self._has_of(url)

    def put(self, reference: str, kind: Kind, base: str) -> str | None:
        """Return the `data:` address of what a reference means, or None."""
        url = web_address(reference, base=base)
        if url is None:
            return None
        if (url, kind) not in self._made:
            self._made[url, kind] = self._of_kind(url, kind)
        made = self._made[url, kind]
        if not isinstance(made, Lack) and len(made[0]) > self._left:
            made = self._made[url, kind] = Lack.BEYOND
        if isinstance(made, Lack):
            if url in self._has:
                self._lacks.setdefault(url, made)
            return None
        address, self._shown[url] = made
        self._left -= len(address)
        fragment = reference.partition("#")[2]
        return f"{address}#{quote(fragment, safe='')}" if fragment else address

    def result(self, text: str) -> Assembled:
        """Return the page `text` with the count of what it names."""
        dates = sorted(self._shown.values())
        lacks = {url: why for url, why in self._lacks.items() if url not in self._shown}
        return Assembled(
            page=text.encode("utf-8", "replace"),
            named=len(self._shown) + len(lacks),
            shown=len(self._shown),
            lacking=tuple(_lacking(lacks)),
            repeated=sum(
                self._made.get((url, kind)) is Lack.BEYOND for url in self._shown for kind in Kind
            ),
            first=dates[0] if dates else None,
            last=dates[-1] if dates else None,
            limited=self._limited,
        )

    def _has_of(self, url: str) -> bool:
        if url not in self._has:
            if len(self._has) >= _LOOKED_UP:
                self._limited = True
                return False
            self._has[url] = self._archive.has(url)
        return self._has[url]

    def _of_kind(self, url: str, kind: Kind) -> tuple[str, str] | Lack:
        """Return the `data:` address and the date of what is held, or why nothing is."""
        held = self._archive.find(url) if self._has_of(url) else Lack.ABSENT
        if isinstance(held, Lack):
            return held
        made = self._made_of(held, kind)
        return made if isinstance(made, Lack) else (made, held.date)

    def _made_of(self, held: Held, kind: Kind) -> str | Lack:
        if kind is not Kind.STYLE:
            media_type = shown_as(held.content, held.media_type)
            return _data(media_type, held.content) if media_type else Lack.UNFIT
        if held.media_type not in ("text/css", ""):
            return Lack.UNFIT
        if held.url in self._within or len(self._within) >= _DEEP:
            return Lack.BEYOND
        text = decode_text(held.content, http=held.charset, declared=charset_rule).text
        self._within.append(held.url)
        try:
            made = rewritten_sheet(text, lambda old, inner: self.put(old, inner, held.url))
        finally:
            self._within.pop()
        return _data("text/css;charset=utf-8", made.encode("utf-8", "replace"))


def _lacking(lacks: Mapping[str, Lack]) -> Iterator[Lacking]:
    """Yield what is not shown by its reason, that which nothing here can mend first."""
    for why in reversed(Lack):
        urls = [url for url, each in lacks.items() if each is why]
        if urls:
            yield Lacking(why=why, count=len(urls), urls=tuple(urls[:_TOLD]))


def _data(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
