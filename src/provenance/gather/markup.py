"""Read HTML and XML as a stream of elements; this wing's only door to lxml. Opens nothing.

No tree is built, so that neither nesting nor size costs more than its own length.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from lxml import etree  # type: ignore[import-untyped]


class Reader(Protocol):
    """What receives the stream; names of elements in lower case, a namespace cut off."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Open an element."""

    def end(self, name: str) -> None:
        """Close an element; comes for each that was opened, also where no end tag stands."""

    def data(self, text: str) -> None:
        """Take a piece of text, character references resolved."""

    def instruction(self, name: str, text: str) -> None:
        """Take a processing instruction; HTML has none."""


def read_html(text: str, reader: Reader) -> None:
    """Send `text`, read as HTML without scripting, to `reader`, as far as it can be read.

    Source: HTML Standard §13.2.5 (tokenization).
    """
    parser = etree.HTMLParser(target=_Target(reader), encoding="utf-8", huge_tree=True)
    _feed(parser, text)


def read_xml(text: str, reader: Reader) -> bool:
    """Send `text`, read as XML, to `reader`, to its first fault; return whether it has none.

    No entity but the five of XML is resolved, and no external one is ever opened. Nothing is read
    past a fault, since libxml2 may look through all the rest at each one.
    """
    parser = etree.XMLParser(
        target=_Target(reader),
        encoding="utf-8",
        huge_tree=True,
        resolve_entities=False,
        no_network=True,
    )
    return _feed(parser, text)


def _feed(parser: etree.HTMLParser | etree.XMLParser, text: str) -> bool:
    try:
        parser.feed(text.encode("utf-8", "replace"))
        parser.close()
    except etree.XMLSyntaxError:
        return False  # nothing more can be read; what came so far has reached the reader
    return True


class _Target:
    """Hands on the parser's events under local names."""

    def __init__(self, reader: Reader) -> None:
        self.data = reader.data
        self._reader = reader

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if "}" in tag or any("}" in name for name in attributes):
            attributes = {name.rpartition("}")[2]: value for name, value in attributes.items()}
        self._reader.start(tag.rpartition("}")[2].lower(), attributes)

    def end(self, tag: str) -> None:
        self._reader.end(tag.rpartition("}")[2].lower())

    def pi(self, target: str, text: str | None) -> None:
        self._reader.instruction(target, text or "")

    def close(self) -> None:
        """Do nothing: the stream's end needs no word."""
