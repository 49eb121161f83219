"""Make foreign text fit for one line that our own words may follow. Pure."""

from __future__ import annotations

import re

# The ranges are spelled out, not asked of `unicodedata`, whose tables differ between Pythons:
# a citation must have the same bytes on each.
_SPACE = re.compile("[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad"  # C0, DEL, C1: terminal control; soft hyphen
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"  # bidi controls, invisible operators
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"  # byte order mark, annotations, tag characters
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def one_line(text: str) -> str:
    """Return `text` on one line, without control, bidi-control and invisible characters.

    White space of any kind becomes one space; a lone surrogate becomes U+FFFD. The joiners
    U+200C and U+200D stay: some scripts cannot be spelled without them.

    >>> one_line(" a\\r\\nER  - b\\x1b[2J\\u202e")
    'a ER - b[2J'
    """
    seen = _UNSEEN.sub("", _SPACE.sub(" ", text))
    return _SURROGATE.sub("\ufffd", _SPACE.sub(" ", seen)).strip(" ")


def clean(text: str | None) -> str | None:
    """Return `one_line(text)`, or None where nothing is left."""
    return (one_line(text) or None) if text is not None else None
