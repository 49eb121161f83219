"""Put other addresses in the place of those of a page's pictures and style sheets. Pure.

The text stays as it is written but for the values that are replaced: the page is cut into tags as
browsers cut it, no tree is built and nothing is written anew. Work is linear in the length of the
text. Security does not rest on it. What is missed, and what is taken for a tag and is none, stands
as it was; whoever shows the result must have a policy under which nothing runs or is fetched.

(1) A comment, and what stands in elements of plain text (scripts, titles), holds no tags.
(2) Of a set of images one is kept: the one that suits a screen of common width.
(3) An image that only a script would load (`data-src`) is loaded at once: there are no scripts.
(4) Where a style sheet is replaced, its `integrity` is emptied: it names other bytes.
(5) A policy of the page's own is left out: it is about the addresses that are replaced.

Source: HTML Standard §13.2.5 (tokenization), §4.8.4 (images), §4.2.4 (link).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape, unescape

from provenance.gather.elements import Form, naming_attributes
from provenance.gather.kinds import Kind
from provenance.gather.sheet_rewriting import rewritten_sheet
from provenance.gather.srcset import described_candidates
from provenance.uri import web_address

Put = Callable[[str, Kind, str], str | None]
"""Takes a reference as it is written, what it is for, and the base that it is relative to. Gives
the address to write instead, which needs no escape in an attribute or a style sheet, or None.
"""
Held = Callable[[str, str], bool]
"""Takes a reference and the base; says whether there is anything to put in its place."""

_TAG = re.compile(r"<(?:!--(?P<comment>)|(?P<end>/)?(?P<name>[A-Za-z][^\t\n\f\r />]*+))")
_COMMENT_END = re.compile(r"-?>|.*?(?:--!?>|\Z)", re.DOTALL)
_ATTRIBUTE = re.compile(
    r"[\t\n\f\r /]*+(?P<name>[^\t\n\f\r />][^\t\n\f\r />=]*+)(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+"
    r"(?P<value>\"[^\"]*+\"|'[^']*+'|[^\t\n\f\r >\"'][^\t\n\f\r >]*+)?)?"
)
_TAG_END = re.compile(r"[\t\n\f\r ]*+(?:/[\t\n\f\r /]*+)?>")
_PLAIN = frozenset(
    ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext")
)
_SIZE = re.compile(r"(?<![0-9.])([0-9.]{1,20})[wx]\b")
_WIDTH, _DENSITY = 1000, 1.0
"""What suits a common screen: candidates from this width, or density, on."""

_SHOWN = frozenset(("img", "image", "source", "input", "video", "link")) | frozenset(
    ("body", "table", "thead", "tbody", "tfoot", "tr", "td", "th")
)
"""Elements whose addresses are replaced; all others hold what is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attribute:
    """Where the value of an attribute stands, quotes included, and the value without escapes."""

    start: int
    end: int
    value: str


def rewritten_page(text: str, *, url: str, put: Put, held: Held, xml: bool = False) -> str:
    """Return an HTML page (with `xml`, an XHTML page) at `url` with what `put` gives in it.

    >>> rewritten_page("<img src=a.png alt=a>", url="https://example.org/b/",
    ...     put=lambda old, kind, base: f"x:{old}", held=lambda old, base: True)
    '<img src="x:a.png" alt=a>'
    """
    edits = _Page(text, url, put, held, xml=xml).edits()
    parts: list[str] = []
    at = 0
    for edit in edits:
        parts += (text[at : edit.start], edit.text)
        at = edit.end
    return "".join((*parts, text[at:]))


class _Page:
    """Goes through the text once and yields what to replace, in order."""

    def __init__(self, text: str, url: str, put: Put, held: Held, *, xml: bool) -> None:
        self._text = text
        self._base = url
        self._based = False
        self._put = put
        self._held = held
        self._xml = xml

    def edits(self) -> Iterator[_Edit]:
        at = 0
        while tag := _TAG.search(self._text, at):
            if tag["comment"] is not None:  # (1)
                end = _COMMENT_END.match(self._text, tag.end())
                at = end.end() if end else len(self._text)
                continue
            attributes, closing = self._attributes(tag.end())
            if closing is None:
                return  # a tag without an end is none, nor is anything after it
            at = closing.end()
            if tag["end"]:
                continue
            name = tag["name"].lower()
            yield from self._of_element(name.rpartition(":")[2] if self._xml else name, attributes)
            if name in _PLAIN and not (self._xml and "/" in closing[0]):
                start, at = at, self._end_of(name, at)
                if name == "style":
                    yield from self._styled(start, at, self._text[start:at], quoted=False)

    def _attributes(self, at: int) -> tuple[dict[str, _Attribute], re.Match[str] | None]:
        found: dict[str, _Attribute] = {}
        while True:
            closing = _TAG_END.match(self._text, at)
            one = None if closing else _ATTRIBUTE.match(self._text, at)
            if one is None:
                return found, closing
            at = one.end()
            if one["value"] is not None:
                start, end = one.span("value")
                bare = one["value"]
                bare = bare[1:-1] if bare[0] in "\"'" else bare
                name = one["name"].lower()
                found.setdefault(name, _Attribute(start=start, end=end, value=unescape(bare)))
            elif self._text[at : at + 1] in ('"', "'"):
                return found, None  # a value that nothing ends

    def _end_of(self, name: str, at: int) -> int:
        end = re.compile(rf"</{re.escape(name)}(?=[\t\n\f\r />])", re.IGNORECASE)
        found = end.search(self._text, at) if name != "plaintext" else None
        return found.start() if found else len(self._text)

    def _of_element(self, name: str, attributes: Mapping[str, _Attribute]) -> Iterator[_Edit]:
        if name == "base" and "href" in attributes and not self._based:
            self._based = True
            self._base = web_address(attributes["href"].value, base=self._base) or self._base
        elif name == "meta" and "http-equiv" in attributes:  # (5)
            kind = attributes["http-equiv"]
            if kind.value.strip().lower().startswith("content-security-policy"):
                yield _Edit(start=kind.start, end=kind.end, text='"left-out"')
        elif attributes:
            edits = self._replaced(name, attributes)
            yield from sorted(edits, key=lambda edit: edit.start)

    def _replaced(self, name: str, attributes: Mapping[str, _Attribute]) -> list[_Edit]:
        edits: dict[str, _Edit] = {}
        values = {key: each.value for key, each in attributes.items()}
        late: list[tuple[str, str]] = []
        named = naming_attributes(name, values)
        for key, naming, value in sorted(named, key=lambda each: each[1].form is not Form.SRCSET):
            place = attributes[key]
            if naming.form is Form.CSS:
                for edit in self._styled(place.start, place.end, value, quoted=True):
                    edits[key] = edit
            elif not _is_shown(name, naming.kind, values):
                continue
            elif naming.lazy:
                late.append((key, value))
            elif naming.form is Form.SRCSET:
                if (new := self._one_of(value)) is not None:
                    edits[key] = _edit(place, new)
            elif name == "img" and "srcset" in edits:
                continue  # browsers take it for those that know no sets
            elif (new := self._put(value, naming.kind, self._base)) is not None:
                edits[key] = _edit(place, new)
        if late and name == "img":
            self._load_late(late, attributes, edits)
        if name == "link" and "href" in edits and "integrity" in attributes:  # (4)
            edits["integrity"] = _edit(attributes["integrity"], "")
        return list(edits.values())

    def _load_late(
        self,
        late: list[tuple[str, str]],
        attributes: Mapping[str, _Attribute],
        edits: dict[str, _Edit],
    ) -> None:
        for key, value in late:  # (3)
            if "srcset" in edits:
                return
            new = (
                self._one_of(value)
                if key.endswith("srcset")
                else self._put(value, Kind.IMAGE, self._base)
            )
            if new is None:
                continue
            own = "srcset" if key.endswith("srcset") else "src"
            if own in attributes:
                edits[own] = _edit(attributes[own], new)
            else:
                place = attributes[key]
                edits[key] = _Edit(start=place.start, end=place.end, text=f'"" {own}="{new}"')
            return

    def _one_of(self, srcset: str) -> str | None:
        """Return a set of one image out of a set, or None where none of them is held."""
        described = list(described_candidates(srcset))
        held = [each for each in described if self._held(each[0], self._base)]
        chosen = _suiting(held or described)  # (2)
        if chosen is None:
            return None
        new = self._put(chosen[0], Kind.IMAGE, self._base)
        return None if new is None else f"{new} {chosen[1]}".strip()

    def _styled(self, start: int, end: int, css: str, *, quoted: bool) -> Iterator[_Edit]:
        new = rewritten_sheet(css, lambda old, kind: self._put(old, kind, self._base))
        if new != css:
            text = f'"{escape(new)}"' if quoted else new
            yield _Edit(start=start, end=end, text=text)


def _is_shown(name: str, kind: Kind, values: Mapping[str, str]) -> bool:
    if name == "link":
        return "stylesheet" in values.get("rel", "").lower().split()
    return name in _SHOWN and kind is Kind.IMAGE


def _edit(place: _Attribute, value: str) -> _Edit:
    return _Edit(start=place.start, end=place.end, text=f'"{value}"')


def _suiting(described: list[tuple[str, str]]) -> tuple[str, str] | None:
    """Return the smallest candidate that suits a common screen, or else the largest."""

    def size(each: tuple[str, str]) -> float:
        found = _SIZE.search(each[1])
        try:
            number = float(found[1]) if found else _DENSITY
        except ValueError:
            return 0.0
        return number / (_WIDTH if "w" in each[1] else _DENSITY)

    enough = [each for each in described if size(each) >= 1]
    return min(enough, key=size) if enough else max(described, key=size, default=None)
