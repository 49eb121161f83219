"""Turn HTML and XML into text by the rules of `text-v1`. Pure.

The text is what a reader sees with scripts turned off and no style sheet loaded, whole and in the
order of the source. It depends on element names and text alone: no attribute enters or changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from provenance.extract.declared import DeclaredFields
from provenance.extract.derivative import Derivative, Hyperlink
from provenance.extract.fold import CELL_BREAK, LINE_BREAK, fold_flow, fold_one
from provenance.extract.links import absolute_address
from provenance.extract.markup import named_letters, read_broken_xml, read_html, read_xml

MAX_LINKS: Final = 20_000
MAX_LABEL: Final = 200
MAX_TITLE: Final = 1000


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


# HTML Standard §15.3.1 (hidden elements), §4.8.8 and §4.8.9 (content of audio and video is for
# browsers without them), §4.8.5 (nothing inside iframe is shown), MathML Core §4 and SVG 2 §5
# (elements never rendered). `head` is not here: all it may hold is. `rp` is not: it brackets a
# ruby text wherever ruby cannot be set, as here.
_HIDDEN: Final = _names(
    "audio datalist iframe link meta noembed noframes param script style template title video "
    "annotation annotation-xml desc metadata"
)
# HTML Standard §15.3.3 to §15.3.12: what is rendered as a block, list item, table part or legend.
_BLOCKS: Final = _names(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li "
    "listing main menu nav ol optgroup option p plaintext pre search section select summary table "
    "tbody textarea tfoot thead tr ul xmp"
)
_LINED: Final = frozenset({"listing", "plaintext", "pre", "textarea", "xmp"})
_CELLS: Final = frozenset({"td", "th"})
# Rendered as boxes of their own within a line: what stands before and after is not one word.
_BOXES: Final = _names(
    "audio button canvas embed iframe img input meter object progress rt svg text textpath video"
)


_LINKS: Final = frozenset({"a", "area"})
_NOTED: Final = _LINED | _LINKS | {"base", "body", "h1", "html", "svg"}
# What an element puts into the text at its start and at its end.
_MARKS: Final = {
    **dict.fromkeys(_BLOCKS | {"br"}, LINE_BREAK),
    **dict.fromkeys(_CELLS, CELL_BREAK),
    **dict.fromkeys(_BOXES, " "),
}


@dataclass(slots=True)
class _OpenLink:
    href: str | None
    start: int


class _HtmlReader:
    """Gathers text, metadata and links while the stream goes by."""

    def __init__(self, base: str | None) -> None:
        self.declared = DeclaredFields()
        self.pieces: list[str] = []
        self.titles: list[str] = []
        self.heading: str | None = None
        self.links: list[Hyperlink] = []
        self._base = base
        self._base_seen = False
        self._addresses: dict[str, str | None] = {}
        self._hidden = 0
        self._lined = 0
        self._svg = 0
        self._in_title = False
        self._heading_start: int | None = None
        self._open: list[_OpenLink] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in _HIDDEN:
            self._hidden += 1
            self._start_hidden(name, attributes)
        if self._hidden <= (name in _HIDDEN) and (mark := _MARKS.get(name)):
            self.pieces.append(mark)
        if name in _NOTED and not self._hidden:
            self._start_noted(name, attributes)

    def end(self, name: str) -> None:
        if name in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
            self._in_title = False
        elif not self._hidden:
            if mark := _MARKS.get(name):
                self.pieces.append(mark)
            if name in _NOTED:
                self._end_noted(name)

    def data(self, text: str) -> None:
        if self._hidden:
            if self._in_title and len(self.titles) < 100:
                self.titles.append(text)
        elif self._lined:
            self.pieces.append(text.replace("\r", "\n").replace("\n", LINE_BREAK))
        else:
            self.pieces.append(text)

    def close(self) -> None:
        """Close what the source left open."""
        while self._open:
            self._close_link()
        self._close_heading()

    def _start_hidden(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "meta":
            self.declared.add_meta(attributes)
        elif name == "title":
            # The first title counts; one inside a drawing is its tooltip.
            self._in_title = not self.titles and not self._svg and self._hidden == 1

    def _start_noted(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in _LINKS:
            self._open.append(_OpenLink(href=attributes.get("href"), start=len(self.pieces)))
        elif name in _LINED:
            self._lined += 1
        elif name == "svg":
            self._svg += 1
        elif name == "h1":
            if self.heading is None and self._heading_start is None:
                self._heading_start = len(self.pieces)
        elif name == "base":
            self._set_base(attributes.get("href"))
        else:
            self.declared.add_language(attributes.get("lang") or attributes.get("xml:lang") or "")

    def _end_noted(self, name: str) -> None:
        if name in _LINKS:
            self._close_link()
        elif name in _LINED:
            self._lined = max(0, self._lined - 1)
        elif name == "svg":
            self._svg = max(0, self._svg - 1)
        elif name == "h1":
            self._close_heading()

    def _set_base(self, href: str | None) -> None:
        if href is not None and not self._base_seen:
            self._base_seen = True
            self._base = absolute_address(href, base=self._base) or self._base
            self._addresses.clear()

    def _close_heading(self) -> None:
        if self.heading is None and self._heading_start is not None:
            self.heading = _line(self.pieces, self._heading_start, MAX_TITLE) or None
            self._heading_start = None

    def _close_link(self) -> None:
        link = self._open.pop() if self._open else None
        if link is None or link.href is None or len(self.links) >= MAX_LINKS:
            return
        if link.href not in self._addresses:
            self._addresses[link.href] = absolute_address(link.href, base=self._base)
        url = self._addresses[link.href]
        if url is not None:
            label = _line(self.pieces, link.start, MAX_LABEL)
            self.links.append(Hyperlink(url=url, label=label))


class _XmlReader:
    """Gathers the text of any XML, one line for each element that holds text."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.titles: list[str] = []
        self.language: str | None = None
        self._in_title = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.pieces.append(LINE_BREAK)
        self._in_title = name == "title" and not self.titles
        if self.language is None:
            self.language = attributes.get("{http://www.w3.org/XML/1998/namespace}lang")

    def end(self, name: str) -> None:
        self.pieces.append(LINE_BREAK)
        self._in_title = False

    def data(self, text: str) -> None:
        self.pieces.append(text)
        if self._in_title and len(self.titles) < 100:
            self.titles.append(text)

    def close(self) -> None:
        """Do nothing: an open element has given its text."""


def html_derivative(source: str, *, charset: str, base_url: str | None) -> Derivative:
    """Return the derivative of an HTML document."""
    reader = _HtmlReader(base_url)
    read_html(source, reader)
    return _finished(reader, charset)


def xhtml_derivative(source: str, *, charset: str, base_url: str | None) -> Derivative:
    """Return the derivative of an XHTML document; one that is not well-formed is read as HTML."""
    reader = _HtmlReader(base_url)
    if read_xml(named_letters(source), reader):
        return _finished(reader, charset)
    return html_derivative(source, charset=charset, base_url=base_url)


def xml_derivative(source: str, *, charset: str) -> Derivative:
    """Return the derivative of any other XML document."""
    reader = _XmlReader()
    read_broken_xml(source, reader)
    text = fold_flow(reader.pieces)
    return Derivative(
        text=text,
        title=fold_one("".join(reader.titles))[:MAX_TITLE] or None,
        charset=charset,
        fault=None if text else "broken_xml",
    )


def _finished(reader: _HtmlReader, charset: str) -> Derivative:
    declared = reader.declared
    text = fold_flow(reader.pieces)
    title = fold_one("".join(reader.titles))[:MAX_TITLE]
    return Derivative(
        text=text,
        title=title or declared.title or reader.heading,
        author=declared.author,
        published=declared.published,
        language=declared.language,
        charset=charset,
        links=tuple(dict.fromkeys(reader.links)),
        fault=None if text else "no_text",
    )


def _line(pieces: list[str], start: int, limit: int) -> str:
    # A link that is never closed may hold the rest of the document; look at a bounded part.
    joined = "".join(piece[: 4 * limit] for piece in pieces[start : start + 64])
    return fold_one(joined.replace(LINE_BREAK, " ").replace(CELL_BREAK, " "))[:limit].rstrip()
