"""Decide which of the addresses that a proof names are asked. Pure.

A proof may come from anybody, and its addresses with it. Asked are the calendars that have been run
for everybody for years, the one that a proof was asked of, and those that the user names.

Source: python-opentimestamps 0.4.5, `calendar.py`, whose list is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from provenance.errors import UsageError
from provenance.timestamps.stamps import authority_name

LISTED = (".calendar.opentimestamps.org", ".calendar.eternitywall.com", ".calendar.catallaxy.com")
"""How the hosts of the calendars end that are asked without being named, over HTTPS alone."""


def is_listed(uri: str, *, asked: str, named: Sequence[str] = ()) -> bool:
    """Say whether a calendar at `uri` may be asked.

    `asked` is the calendar that the proof was first asked of, as file names have it; `named` are
    addresses that the user named.

    >>> is_listed("https://alice.btc.calendar.opentimestamps.org", asked="a.example")
    True
    """
    try:
        name, parts = authority_name(uri), urlsplit(uri)
    except UsageError:
        return False
    if name == asked or is_named(uri, named):
        return True
    plain = parts.scheme == "https" and parts.port is None and parts.path in ("", "/")
    return plain and (parts.hostname or "").endswith(LISTED)


def is_named(uri: str, named: Sequence[str]) -> bool:
    """Say whether the user named this very address, but for a slash at its end."""
    return uri.rstrip("/") in {each.rstrip("/") for each in named}
