"""Decide how archived bytes may be shown and under which name they are saved. Pure."""

from __future__ import annotations

import codecs
import re
from enum import Enum
from urllib.parse import quote

SHOWN_BYTES = 32 * 1024 * 1024
"""Content above this size is offered as a download only."""

_IMAGES = frozenset(
    f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "avif", "bmp", "svg+xml")
)
_TEXTS = frozenset(
    f"application/{kind}" for kind in ("json", "xml", "ld+json", "rss+xml", "atom+xml", "x-ndjson")
)
_EXTENSIONS = {
    "text/html": "html",
    "application/xhtml+xml": "xhtml",
    "text/plain": "txt",
    "text/css": "css",
    "text/csv": "csv",
    "text/xml": "xml",
    "text/markdown": "md",
    "application/json": "json",
    "application/xml": "xml",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/gzip": "gz",
    "application/epub+zip": "epub",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/svg+xml": "svg",
}


class Display(Enum):
    """The way in which a content is shown."""

    HTML = "html"
    TEXT = "text"
    IMAGE = "image"
    EXTRACTED = "extracted"


def display_of(media_type: str | None, *, undecoded: bool, size: int) -> Display:
    """Return how a content may be shown; EXTRACTED means its extracted text and a download."""
    if undecoded or size > SHOWN_BYTES or media_type is None:
        return Display.EXTRACTED
    if media_type in ("text/html", "application/xhtml+xml"):
        return Display.HTML
    if media_type in _IMAGES:
        return Display.IMAGE
    if media_type.startswith("text/") or media_type in _TEXTS:
        return Display.TEXT
    return Display.EXTRACTED


def raw_content_type(display: Display, media_type: str | None, charset: str | None) -> str:
    """Return the Content-Type under which the sandboxed view sends archived bytes.

    Only types that `display_of` lets through; any text that is no HTML goes as `text/plain`.
    """
    label = known_charset(charset)
    suffix = f"; charset={label}" if label else ""
    if display is Display.TEXT:
        return f"text/plain{suffix}"
    if display is Display.HTML and media_type in ("text/html", "application/xhtml+xml"):
        return f"{media_type}{suffix}"
    if display is Display.IMAGE and media_type in _IMAGES:
        return media_type
    return "application/octet-stream"


def known_charset(charset: str | None) -> str | None:
    """Return the charset's label if it is a plain token and Python knows it, else None."""
    if not charset or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}", charset):
        return None
    try:
        codecs.lookup(charset)
    except LookupError:
        return None
    return charset.lower()


def attachment(document: str, content_id: str, media_type: str | None) -> str:
    """Return a Content-Disposition that saves a content under a name no system trips over.

    Source: RFC 6266 §4, RFC 8187 §3.2.
    """
    return saved_as(document, content_id, extension_of(media_type))


def extension_of(media_type: str | None) -> str:
    """Return the extension under which a content is saved, from a fixed list."""
    return _EXTENSIONS.get(media_type or "", "bin")


def saved_as(document: str, digest: str, extension: str) -> str:
    """Return a Content-Disposition with a name made as in `attachment`.

    >>> saved_as("minutes", "sha256:0123456789", "txt")
    'attachment; filename="minutes-01234567.txt"'
    """
    name = saved_name(document, digest, extension)
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")
    value = f'attachment; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"


def saved_name(document: str, digest: str, extension: str) -> str:
    """Return the name of a file that is saved.

    It is made of the document id, eight digits of a digest and an extension; nothing a server
    chose enters it.
    """
    stem = re.sub(r"[^\w.-]+", "-", document).strip("-._")[:80] or "document"
    short = re.sub(r"[^0-9a-f]", "", digest.removeprefix("sha256:"))[:8]
    return f"{stem}-{short}.{extension}"
