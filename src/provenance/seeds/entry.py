"""Write a document as the `[[document]]` entry that would be read back as it. Pure."""

from __future__ import annotations

import re

from provenance.model import Document, PublisherKind, Role

_FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def to_toml(document: Document) -> str:
    """Return the TOML entry of a document: no collection, no trailing blank line.

    For every document that `parse_collection` can return, reading the entry gives an equal one.
    Characters that do not print are escaped, so that the text is safe on a terminal.

    Source: TOML 1.0.0, "String" (basic strings) and "Array of Tables".
    """
    lines = ["[[document]]"]
    lines += _pairs(
        ("id", document.id),
        ("title", document.title),
        ("title_original", document.title_original),
        ("title_status", document.title_status),
        ("role", document.role),
        ("publisher", document.publisher),
        ("publisher_kind", document.publisher_kind),
        ("author", document.author),
        ("published", document.published),
        ("language", document.language),
        ("url", document.url),
        ("url_status", document.url_status),
        ("media_type", document.media_type),
        ("note", document.note),
    )
    for alternate in document.alternates:
        lines += ["", "[[document.alternate]]"]
        lines += _pairs(
            ("url", alternate.url),
            ("role", alternate.role),
            ("status", alternate.status),
            ("note", alternate.note),
        )
    for relation in document.relations:
        lines += ["", "[[document.relation]]"]
        lines += _pairs(
            ("kind", relation.kind), ("document", relation.document), ("note", relation.note)
        )
    return "\n".join(lines) + "\n"


def to_complete(name: str, url: str) -> str:
    """Return the beginning of an entry: what a person alone can say is empty, with its choices.

    An empty text is a fault, so that no entry is taken for complete before it is.
    """
    words = {
        "title": "as printed",
        "role": " | ".join(Role),
        "publisher": "as the publisher writes its name",
        "publisher_kind": " | ".join(PublisherKind),
    }
    blank = "".join(f'{key} = ""  # {choices}\n' for key, choices in words.items())
    return f"[[document]]\nid = {quote_toml(name)}\n{blank}url = {quote_toml(url)}\n"


def quote_toml(text: str) -> str:
    """Return `text` as a TOML basic string.

    >>> print(quote_toml('a "b"'))
    "a \\"b\\""
    """
    return '"' + "".join(_escape(character) for character in text) + '"'


def _pairs(*pairs: tuple[str, str | None]) -> list[str]:
    return [f"{key} = {_value(key, text)}" for key, text in pairs if text is not None]


def _value(key: str, text: str) -> str:
    if key == "published" and _FULL_DATE.fullmatch(text):
        return text
    return quote_toml(text)


def _escape(character: str) -> str:
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
