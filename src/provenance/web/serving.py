"""Serve the pages over HTTP, under the names that the site goes by, until told to stop."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

from provenance.listening import AddressError, AppServer
from provenance.web.gate import gated
from provenance.web.policy import with_policy
from provenance.web.renewal import RenewedSite
from provenance.web.sending import STALLED_S

__all__ = ["AddressError", "SiteServer", "known_names"]


def known_names(host: str, names: Sequence[str]) -> frozenset[str] | None:
    """Return the host names that a site served on `host` goes by; None means any.

    On this machine alone (loopback) it goes by no name but those given. Opened to a network it goes
    by any, unless names are given.
    """
    if not names and not _is_loopback(host):
        return None
    return frozenset(name.lower().rstrip(".") for name in (*names, host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class SiteServer(AppServer):
    """One server for one site; `announce` gets its URL once it takes requests.

    Port 0 means any free port; the URL names the one that was taken. `names` as in `known_names`.
    Whoever takes nothing of what is sent for `stalled_s` seconds is let go.
    """

    def __init__(
        self,
        site: RenewedSite,
        *,
        host: str,
        port: int,
        announce: Callable[[str], None],
        names: Sequence[str] = (),
        stalled_s: float = STALLED_S,
    ) -> None:
        super().__init__(
            with_policy(gated(site, names=known_names(host, names), base=site.base)),
            host=host,
            port=port,
            announce=lambda address: announce(address + site.base),
            what="the site",
            stalled_s=stalled_s,
        )
