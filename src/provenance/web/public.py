"""The address under which the public reaches a site. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from provenance.errors import UsageError

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_BASE = re.compile(r"/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*/)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAddress:
    """Where a site stands: `origin` ends without a slash, `base` begins and ends with one."""

    origin: str
    base: str
    host: str

    def __str__(self) -> str:
        return self.origin + self.base


def parse_public_address(url: str) -> PublicAddress:
    """Return the parts of a site's address; a slash at its end may be missing.

    Raises:
        UsageError: it is none: http or https, a host, and folders of plain letters.

    >>> parse_public_address("https://Archive.example:8443/bridge")
    PublicAddress(origin='https://archive.example:8443', base='/bridge/', host='archive.example')
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _unfit(url) from None
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    base = parts.path if parts.path.endswith("/") else f"{parts.path}/"
    plain = parts.scheme in ("http", "https") and "@" not in parts.netloc and url.isprintable()
    if not plain or parts.query or parts.fragment or url.endswith(("?", "#")):
        raise _unfit(url)
    if not _HOST.fullmatch(shown) or not _BASE.fullmatch(base):
        raise _unfit(url)
    place = shown if port is None else f"{shown}:{port}"
    return PublicAddress(origin=f"{parts.scheme}://{place}", base=base, host=host)


def _unfit(url: str) -> UsageError:
    return UsageError(
        "this is no address of a site",
        where=repr(url[:200]),
        expected="one such as https://archive.example/ or https://archive.example/bridge/",
    )
