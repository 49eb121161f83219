"""Tell by its first bytes what a requisite may be shown as; pictures and fonts alone. Pure.

A name that a server gives counts for nothing: browsers look at the bytes too, but for SVG, which
has no signature. What is neither is not shown.

Source: WHATWG MIME Sniffing §6.1, §6.3.
"""

from __future__ import annotations

import re
from typing import Final

_SIGNATURES: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"RIFF....WEBPVP", re.DOTALL), "image/webp"),
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), "image/avif"),
    (re.compile(rb"BM"), "image/bmp"),
    (re.compile(rb"\x00\x00[\x01\x02]\x00"), "image/x-icon"),
    (re.compile(rb"wOF2"), "font/woff2"),
    (re.compile(rb"wOFF"), "font/woff"),
    (re.compile(rb"OTTO"), "font/otf"),
    (re.compile(rb"\x00\x01\x00\x00|true"), "font/ttf"),
)
_SVG = "image/svg+xml"


def shown_as(content: bytes, declared: str) -> str | None:
    """Return the media type of a picture or a font, or None where it is neither.

    >>> shown_as(b"GIF89a...", "text/html"), shown_as(b"<html>", "image/png")
    ('image/gif', None)
    """
    for signature, media_type in _SIGNATURES:
        if signature.match(content):
            return media_type
    return _SVG if declared == _SVG else None
