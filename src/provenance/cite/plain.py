"""Make foreign text fit for one line and foreign addresses fit for a link. Pure."""

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
_WEB = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)
_NO_URI_CHARACTER = re.compile(r'[\x00-\x20"<>\\^`{|}\x7f-\xa0]')


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


def uri_characters(address: str) -> str:
    """Return `address` on one line with the characters that no URI may hold percent-encoded.

    Letters beyond ASCII stay as they are.

    Source: RFC 3986 §2 (characters) and Appendix C (delimiting a URI in text).
    """
    return _NO_URI_CHARACTER.sub(_percent, one_line(address))


def web_address(address: str | None) -> str | None:
    """Return `address`, fit for a link, if it is http or https with a host; otherwise None."""
    if address is None or not _WEB.match(one_line(address)):
        return None
    return uri_characters(address)


def other_address(address: str | None) -> str | None:
    """Return `address`, to be shown and never linked, if it is of no web scheme."""
    return None if web_address(address) else clean(address)


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{octet:02X}" for octet in match[0].encode())
