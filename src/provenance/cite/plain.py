"""Make foreign addresses fit for a link. Pure."""

from __future__ import annotations

import re

from provenance.plain_text import clean, one_line

_WEB = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)
_NO_URI_CHARACTER = re.compile(r'[\x00-\x20"<>\\^`{|}\x7f-\xa0]')


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
