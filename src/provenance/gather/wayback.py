"""Read and write the addresses of Wayback-style archives: /…/YYYYMMDDhhmmss[modifier]/URL. Pure.

OpenWayback, pywb and the archives that run them keep the capture's instant and the original
address in the path; the modifier `id_` between them asks for the record as it was archived, without
rewritten links and without a banner. Other archives' addresses do not tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from provenance.dates import parse_stamp

RAW_MODIFIER = "id_"

# Without 14 digits a year in the path of an article would do: then the scheme must follow.
_PLACE = re.compile(
    r"""(?P<prefix>https?://[^/?\#]+/(?:[^?\#]*?/)??)
    (?:(?P<stamp>\d{14})(?P<modifier>(?:[a-z]{2,4}_)?)/(?=https?:/|[\w-]++(?:\.[\w-]++)+(?:[:/?]|\Z))
    |(?P<short>\d{4,13})(?P<short_modifier>(?:[a-z]{2,4}_)?)/(?=https?:/))
    (?P<original>.+)\Z""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
_COLLAPSED = re.compile(r"(https?):/+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaybackAddress:
    """The parts of such an address; `written` is the original address as the path has it."""

    prefix: str
    stamp: str
    modifier: str
    written: str

    @property
    def instant(self) -> datetime | None:
        """The instant that the digits name, or None where they name none."""
        return parse_stamp(self.stamp)

    @property
    def original(self) -> str:
        """The original address, with the scheme and slashes that the path may have lost."""
        whole = _COLLAPSED.match(self.written)
        if whole is None:
            return f"http://{self.written}"
        return f"{whole[1].lower()}://{self.written[whole.end() :]}"

    def text(self) -> str:
        """Return the address."""
        return f"{self.prefix}{self.stamp}{self.modifier}/{self.written}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawForm:
    """The address to ask for a memento's archived bytes.

    `known` is False where the archive's form of address is not known to have one; then `url` is the
    address as it was.
    """

    url: str
    known: bool


def read_wayback(url: str) -> WaybackAddress | None:
    """Return the parts of a Wayback-style address, or None.

    The outermost archive counts where an archive has archived another.

    >>> read_wayback("https://archive.example/web/20200301100000im_/http:/h.example/a?b").original
    'http://h.example/a?b'
    """
    match = _PLACE.match(url)
    if match is None:
        return None
    return WaybackAddress(
        prefix=match["prefix"],
        stamp=match["stamp"] or match["short"],
        modifier=(match["modifier"] or match["short_modifier"] or "").lower(),
        written=match["original"],
    )


def raw_form(url: str) -> RawForm:
    """Return the address of the memento at `url` as it was archived.

    >>> raw_form("https://archive.example/web/20200301100000/http://h.example/").url
    'https://archive.example/web/20200301100000id_/http://h.example/'
    """
    address = read_wayback(url)
    if address is None:
        return RawForm(url=url, known=False)
    return RawForm(url=replace(address, modifier=RAW_MODIFIER).text(), known=True)


def archive_host(url: str) -> str:
    """Return the host that a memento came from, in lower case."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
