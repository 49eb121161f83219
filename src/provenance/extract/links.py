"""Make absolute the addresses a document cites. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urljoin

MAX_ADDRESS: Final = 4096

_ABSOLUTE = re.compile("https?://", re.IGNORECASE)
_CONTROL = re.compile("[\0-\x20\x7f-\xa0\ud800-\udfff]")
_WEB = re.compile(r"(https?)://(?:[^\s/?#@]*@)?([^\s/?#@\\\[\]<>\"]+)([/?].*)?\Z", re.IGNORECASE)


def absolute_address(href: str, *, base: str | None) -> str | None:
    """Return `href` against `base` as an http or https address, or None.

    The fragment and any user name are dropped; an address with a control character or a space
    inside, one that leads nowhere but the same page, and one longer than 4096 is None.

    >>> absolute_address("../b?c#d", base="https://example.org/a/x")
    'https://example.org/b?c'
    """
    bare = href.strip("\t\n\f\r ").partition("#")[0]
    if not bare or len(bare) > MAX_ADDRESS or _CONTROL.search(bare):
        return None
    try:
        joined = bare if _ABSOLUTE.match(bare) else urljoin(base or "", bare)
    except ValueError:
        return None
    match = _WEB.match(joined)
    if not match or len(joined) > MAX_ADDRESS:
        return None
    return f"{match[1].lower()}://{match[2].lower()}{match[3] or '/'}"
