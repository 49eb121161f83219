"""Read HTML and XML as a stream of tags and text; the only door to lxml. Opens nothing.

The stream is read without building a tree, so that neither nesting nor size costs more than its
own length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from html.entities import html5
from typing import Protocol

from lxml import etree  # type: ignore[import-untyped]

_NAMED = re.compile(
    r"<!--(?:.*?-->|.*)|<!\[CDATA\[(?:.*?\]\]>|.*)|&([A-Za-z][A-Za-z0-9]*);", re.DOTALL
)
"""A reference, or what holds none; what has no end goes on to the end, so that time is linear."""

_OF_XML = ("amp", "lt", "gt", "quot", "apos")


class Reader(Protocol):
    """What receives the stream; element names in lower case, a namespace cut off."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Open an element."""

    def end(self, name: str) -> None:
        """Close an element; comes for each that was opened, also where no end tag stands."""

    def data(self, text: str) -> None:
        """Take a piece of text, character references resolved."""

    def close(self) -> None:
        """Take note that the stream has ended."""


def read_html(text: str, reader: Reader) -> None:
    """Send `text`, read as HTML, to `reader`; broken markup is read as far as it goes.

    Source: HTML Standard §13.2.5 (tokenization); a NUL in text is no character (§13.2.6.4.7).
    """
    parser = etree.HTMLParser(target=reader, encoding="utf-8", huge_tree=True)
    _feed(parser, text.replace("\0", ""))


def read_xml(text: str, reader: Reader) -> bool:
    """Send `text`, read as XML, to `reader`, to its first fault; return whether it has none.

    Only entities of XML, and those that the document itself declares, are resolved; none is ever
    fetched.
    """
    return _feed(_xml_parser(reader, recover=False), text)


def named_letters(text: str) -> str:
    """Return an XHTML document with letters in place of their names in HTML (`&eacute;`).

    Its type declares them, and browsers know them for it (HTML Standard §14.2). No type is ever
    fetched, so they would be lost: without a word where a type is named, as a fault where none is.
    """
    if "<!ENTITY" in text:
        return text
    return _NAMED.sub(lambda found: _letter(found[1]) or found[0], text)


def _letter(name: str | None) -> str | None:
    if name is None or name in _OF_XML:
        return None
    letter = html5.get(f"{name};")
    return escape(letter) if letter is not None else None


def read_broken_xml(text: str, reader: Reader) -> None:
    """Send `text`, read as XML, to `reader`, past its faults as far as it can be read."""
    _feed(_xml_parser(reader, recover=True), text)


def _xml_parser(reader: Reader, *, recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        target=_WithoutNamespaces(reader),
        encoding="utf-8",
        huge_tree=True,
        resolve_entities=False,
        no_network=True,
        recover=recover,
    )


def _feed(parser: etree.HTMLParser | etree.XMLParser, text: str) -> bool:
    try:
        parser.feed(text.encode("utf-8"))
        parser.close()
    except etree.XMLSyntaxError:
        # Nothing, or nothing more, can be read; what came so far has reached the reader.
        return False
    return True


class _WithoutNamespaces:
    """Hands on a stream of XML under local names."""

    def __init__(self, reader: Reader) -> None:
        self.data = reader.data
        self.close = reader.close
        self._reader = reader

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._reader.start(tag.rpartition("}")[2].lower(), attributes)

    def end(self, tag: str) -> None:
        self._reader.end(tag.rpartition("}")[2].lower())
