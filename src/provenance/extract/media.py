"""Decide by which rules bytes are read, from the declared media type and their first bytes. Pure.

Source: WHATWG MIME Sniffing, §7. Where the code departs from it, a comment says why.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

HEAD_BYTES: Final = 1445
"""As many first bytes as any rule here looks at (MIME Sniffing §5.2)."""

MAX_BYTES: Final = 64 * 2**20
"""The largest content that is read; for a PDF four times as much."""


class Format(StrEnum):
    """The rules for reading a document."""

    HTML = "html"
    XHTML = "xhtml"
    XML = "xml"
    PDF = "pdf"
    PLAIN = "plain"


_ESSENCE = re.compile(r"[\w!#$%&'*+.^`|~-]+/[\w!#$%&'*+.^`|~-]+\Z", re.ASCII)
_UNKNOWN = frozenset(
    # The first four are "unknown" in §7; servers give the others for want of a better one, and
    # here nothing is ever run, so that looking further cannot do harm.
    {"", "unknown/unknown", "application/unknown", "*/*"}
    | {"application/octet-stream", "binary/octet-stream", "application/x-download"}
)
_NOT_PROSE = frozenset({"text/css", "text/javascript", "text/ecmascript", "text/rtf"})
_JSON = frozenset({"application/json", "application/x-ndjson", "application/jsonl"})
_PDF = frozenset({"application/pdf", "application/x-pdf"})

# §7.1, the patterns of the table; a tag name ends in a space or ">".
_HTML = re.compile(
    rb"<!--|<(?:!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P)"
    rb"[\x20>]",
    re.IGNORECASE,
)
_BLANK = b"\t\n\x0c\r\x20"
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_BOM = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")
# §6 and §7.1: images, fonts, archives; bytes that begin like this are never a text.
_MAGIC = (
    *(b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"\xff\xd8\xff", b"\x00\x00\x01\x00"),
    *(b"PK\x03\x04", b"\x1f\x8b\x08", b"Rar \x1a\x07\x00", b"wOFF", b"wOF2", b"OggS\x00"),
    *(b"%!PS-Adobe-", b"{\\rtf", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"7z\xbc\xaf\x27\x1c"),
)
_XHTML = re.compile(rb"<(?:\w+:)?html\s[^>]*http://www\.w3\.org/1999/xhtml", re.IGNORECASE)


def essence_of(media_type: str | None) -> str:
    """Return `type/subtype` in lower case, parameters dropped; "" for none or no such form.

    Source: MIME Sniffing §4.4.

    >>> essence_of("Text/HTML; charset=utf-8"), essence_of("text/html charset=utf-8")
    ('text/html', '')
    """
    essence = (media_type or "").partition(";")[0].strip("\t\n\r ").lower()
    return essence if _ESSENCE.match(essence) else ""


def format_of(head: bytes, *, media_type: str | None) -> Format | None:
    """Return the format of a document that begins with `head`, or None: not one we read.

    `head` is the first `HEAD_BYTES` bytes, or more, or all.
    """
    head = head[:HEAD_BYTES]
    if head.startswith(b"%PDF-"):
        # §7 lets a declared text type stand. Read as text, a PDF is of no use to anyone.
        return Format.PDF
    if head.startswith(_MAGIC):
        return None
    essence = essence_of(media_type)
    if essence in _PDF:
        # A login or error page under the document's own type is read as what it is.
        return Format.PDF if b"%PDF-" in head[:1024] else _sniffed(head) or Format.PDF
    if essence in _UNKNOWN:
        return _sniffed(head)
    return _declared(essence, head)


def refusal(head: bytes, *, media_type: str | None, size: int) -> str | None:
    """Return the fault that a document of `size` bytes has before it is read, or None.

    Lets a caller leave a huge or foreign content where it is.
    """
    if size == 0:
        return "empty"
    form = format_of(head, media_type=media_type)
    if form is None:
        return "unsupported_media_type"
    limit = 4 * MAX_BYTES if form is Format.PDF else MAX_BYTES
    return "too_large" if size > limit else None


def _declared(essence: str, head: bytes) -> Format | None:
    if essence == "text/html":
        return Format.HTML
    if essence == "application/xhtml+xml":
        return Format.XHTML
    if essence.endswith("+xml") or essence in {"text/xml", "application/xml"}:
        return Format.XHTML if _XHTML.search(head) else Format.XML
    if essence in _JSON or essence.endswith("+json"):
        return Format.PLAIN
    if essence.startswith("text/") and essence not in _NOT_PROSE:
        # §7.2: what is declared as text and holds binary bytes is none; and it stays plain text
        # however much it looks like HTML.
        return None if _is_binary(head) else Format.PLAIN
    return None


def _sniffed(head: bytes) -> Format | None:
    bare = head
    for mark in _BOM[:1]:
        bare = bare.removeprefix(mark)
    bare = bare.lstrip(_BLANK)
    if _XHTML.search(head):
        return Format.XHTML
    if bare.startswith(b"<?xml"):
        return Format.XML
    if _HTML.match(bare):
        return Format.HTML
    return None if _is_binary(head) else Format.PLAIN


def _is_binary(head: bytes) -> bool:
    return not head.startswith(_BOM) and _BINARY.search(head) is not None
