"""Put the pictures, style sheets and fonts that the archive has of a page into the page. Pure core.

They go in as `data:` addresses, so that whoever shows the page needs no other request and no wider
policy than for the page alone: nothing is fetched, and no requisite has an address of its own that
could be opened as a page. Scripts, frames, sound and films are never put in.

Bounded are the size of all that is put in, the number of addresses looked up, and how deep style
sheets import each other; the size of one requisite is by whoever holds it.
"""

from __future__ import annotations

import base64
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
from provenance.web.source import Assembled

_PUT_IN: Final = 32 << 20
_LOOKED_UP: Final = 1_000
_DEEP: Final = 5
_TOLD: Final = 50


class Archive(Protocol):
    """What is held of addresses around the page's date."""

    @property
    def is_spent(self) -> bool:
        """Whether so much was read that nothing more is."""

    def has(self, url: str) -> bool:
        """Whether anything is held of an address."""

    def find(self, url: str) -> Held | None:
        """Return the content of an address nearest to the date, or None."""


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
        self._made: dict[tuple[str, Kind], tuple[str | None, str | None]] = {}
        self._named: dict[str, str | None] = {}
        self._found: set[str] = set()
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
        made, date = self._made[url, kind]
        if made is None or self._spent(len(made)):
            self._made[url, kind] = (None, None)
            return None
        self._named[url] = date
        fragment = reference.partition("#")[2]
        return f"{made}#{quote(fragment, safe='')}" if fragment else made

    def result(self, text: str) -> Assembled:
        """Return the page `text` with the count of what it names."""
        dates = sorted(date for date in self._named.values() if date)
        absent = [url for url in self._named if url not in self._found]
        shown = len(dates)
        return Assembled(
            page=text.encode("utf-8", "replace"),
            named=len(self._named),
            shown=shown,
            absent=len(absent),
            unfit=len(self._named) - shown - len(absent),
            missing=tuple(absent[:_TOLD]),
            first=dates[0] if dates else None,
            last=dates[-1] if dates else None,
            limited=self._limited or self._archive.is_spent,
        )

    def _has_of(self, url: str) -> bool:
        if url not in self._has:
            if len(self._has) >= _LOOKED_UP:
                self._limited = True
                return False
            self._has[url] = self._archive.has(url)
        return self._has[url]

    def _of_kind(self, url: str, kind: Kind) -> tuple[str | None, str | None]:
        """Return the `data:` address and the date of what is held, None where nothing fit is."""
        has = self._has_of(url)
        if url in self._has:
            self._named.setdefault(url, None)
        held = self._archive.find(url) if has else None
        if held is None:
            return None, None
        self._found.add(url)
        return self._made_of(held, kind), held.date

    def _made_of(self, held: Held, kind: Kind) -> str | None:
        if kind is not Kind.STYLE:
            media_type = shown_as(held.content, held.media_type)
            return _data(media_type, held.content) if media_type else None
        if held.media_type not in ("text/css", ""):
            return None
        if held.url in self._within or len(self._within) >= _DEEP:
            self._limited = self._limited or held.url not in self._within
            return None
        text = decode_text(held.content, http=held.charset, declared=charset_rule).text
        self._within.append(held.url)
        try:
            made = rewritten_sheet(text, lambda old, inner: self.put(old, inner, held.url))
        finally:
            self._within.pop()
        return _data("text/css;charset=utf-8", made.encode("utf-8", "replace"))

    def _spent(self, size: int) -> bool:
        if size > self._left:
            self._limited = True
            return True
        self._left -= size
        return False


def _data(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
