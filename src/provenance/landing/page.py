"""Read out of a page's markup what it says of itself. Pure; markup of any quality is read.

What stands in `noscript` and `template` is not counted: whoever runs scripts does not see it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

from provenance.http_message import ResponseHead, media_type_of
from provenance.landing.not_found import Said, may_be_said

LOOKED_AT = 1 << 16
"""Bytes of decoded content that are looked at."""

_HTML = ("text/html", "application/xhtml+xml")
_STARTS_AS_HTML = re.compile(
    rb"(\xef\xbb\xbf)?\s{0,999}<(!doctype\s+html|html|head|body|title|meta|script|h1|p)\b",
    re.IGNORECASE,
)
_SMALL = 1 << 12
_REFRESH = re.compile(r"http-equiv\s*=\s*[\"']?\s*refresh")
_MARKS = ("prerender-status-code", "data-dgst", "error404", "/404/")
_TITLE = re.compile(r"<title\b[^>]{0,500}>([^<]{0,1000})")
_HEADING = re.compile(r"<h1\b[^>]{0,1000}>(.{0,2000}?)</h1\b", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_LOOKED_FOR = frozenset({"body", "script", "template"})
_TEXT = frozenset({"p", "h1", "h2", "article", "main", "table"})
_OF_ARTICLES = re.compile(
    r"(article:published_time|citation_(title|date)|dc\.date(\.issued)?|parsely-pub-date"
    r"|articletitle|pubdate)\Z"
)
_ARTICLE_DATA = re.compile(r"\"@type\"\s{0,9}:\s{0,9}\"[A-Za-z]{0,40}Article\"")


class Page:
    """Receives the stream of a page's markup and keeps what is looked for."""

    def __init__(self) -> None:
        self.is_html = False
        self.base: str | None = None
        self.refreshes: list[str] = []
        self.canonicals: list[str] = []
        self._elements: list[tuple[str, Mapping[str, str]]] = []
        self._title: list[str] = []
        self._has_title = False
        self._headings: list[list[str]] = []
        self._prose = 0
        self._is_article = False
        self._has_text = False
        self._open: dict[str, int] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Open an element."""
        self._open[name] = self._open.get(name, 0) + 1
        self._has_text = self._has_text or name in _TEXT
        if name in _LOOKED_FOR:
            self._elements.append((name, attributes))
        if name == "h1":
            self._headings.append([])
        if self._is_in("noscript", "template"):
            return
        if name == "meta":
            self._meta(attributes)
        elif name == "base" and self.base is None:
            self.base = attributes.get("href")
        elif name == "link" and not self._has_text and _names_canonical(attributes):
            self.canonicals.append(attributes.get("href", ""))

    def _meta(self, attributes: Mapping[str, str]) -> None:
        content = attributes.get("content", "")
        if attributes.get("http-equiv", "").strip().lower() == "refresh":
            self.refreshes.append(content)
        name = (attributes.get("property") or attributes.get("name") or "").strip().lower()
        self._elements.append(("meta", {name: content}))
        declared = name == "og:type" and content.strip().lower() == "article"
        if declared or (content.strip() and _OF_ARTICLES.match(name)):
            self._is_article = True

    def end(self, name: str) -> None:
        """Close an element."""
        self._open[name] = max(self._open.get(name, 0) - 1, 0)
        if name == "title" and not self._is_in("svg"):
            self._has_title = True

    def data(self, text: str) -> None:
        """Take a piece of text."""
        if self._is_in("script"):
            self._is_article = self._is_article or bool(_ARTICLE_DATA.search(text))
        elif self._is_in("title") and not self._has_title and not self._is_in("svg"):
            self._title.append(text)
        elif self._is_in("h1"):
            self._headings[-1].append(text)
        elif self._is_in("p"):
            self._prose += len(" ".join(text.split()))

    def close(self) -> None:
        """Take note that the stream has ended."""

    def _is_in(self, *names: str) -> bool:
        return any(self._open.get(name) for name in names)

    def said(self) -> Said:
        """Return what the rules for pages that are not there look at."""
        return Said(
            title="".join(self._title),
            headings=tuple("".join(heading) for heading in self._headings[:5]),
            prose=self._prose,
            is_article=self._is_article,
            elements=tuple(self._elements),
        )


def _names_canonical(attributes: Mapping[str, str]) -> bool:
    return "canonical" in attributes.get("rel", "").lower().split()


def read_page(head: ResponseHead, content: bytes) -> Page:
    """Return what a page says of itself; of anything but HTML, an empty page.

    Reading markup costs more than all else that is done with an answer. So where nothing after the
    page's head can matter (`may_matter`), the head alone is read.
    """
    from provenance.extract.charset import decode_text
    from provenance.extract.markup import read_html
    from provenance.extract.media import Format, format_of
    from provenance.extract.prescan import html_charset

    page = Page()
    media_type, charset = media_type_of(head)
    looked_at = content[:LOOKED_AT]
    sniffed = media_type is None and _STARTS_AS_HTML.match(looked_at) is not None
    if media_type in _HTML or sniffed:
        page.is_html = True
        if format_of(looked_at, media_type=media_type) in (None, Format.PDF):
            return page  # Pictures and PDFs are often declared as text/html.
        text = decode_text(looked_at, http=charset, declared=html_charset).text
        if len(text) > _SMALL and not may_matter(text):
            text = _head_of(text)
            if "canonical" not in text.lower():
                return page
        read_html(text, page)
    return page


def may_matter(text: str) -> bool:
    """Return True where a page may hold a refresh, or say that it is not there.

    A title or heading is taken from between its tags, wherever those stand.
    """
    small = text.lower()
    if any(mark in small for mark in _MARKS):
        return True
    if "http-equiv" in small and _REFRESH.search(small):
        return True
    said = Said(
        title=" ".join(_told(_TITLE.findall(small))), headings=tuple(_told(_HEADING.findall(small)))
    )
    return may_be_said(said)


def _head_of(text: str) -> str:
    ends = [text.lower().find(tag) for tag in ("</head", "<body")]
    return text[: min((end for end in ends if end >= 0), default=_SMALL)]


def _told(pieces: list[str]) -> list[str]:
    return [unescape(_TAG.sub("", piece)) for piece in pieces[:5]]
