"""Serve a site over HTTP until it is told to stop. The only door to uvicorn."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

import uvicorn

from provenance.errors import ProvenanceError
from provenance.web.gate import gated
from provenance.web.policy import with_policy
from provenance.web.renewal import RenewedSite


class AddressError(ProvenanceError):
    """The host and port cannot be served on."""


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


class SiteServer:
    """One server for one site; `announce` gets its URL once it takes requests.

    Port 0 means any free port; the URL names the one that was taken. `names` as in `known_names`.
    """

    def __init__(
        self,
        site: RenewedSite,
        *,
        host: str,
        port: int,
        announce: Callable[[str], None],
        names: Sequence[str] = (),
    ) -> None:
        self._host, self._port = host, port
        known = known_names(host, names)
        config = uvicorn.Config(
            with_policy(gated(site, names=known)),
            interface="asgi3",
            host=host,
            port=port,
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=2,
        )
        self._server = _AnnouncingServer(config, lambda address: announce(address + site.base))

    def run(self) -> None:
        """Serve until `stop` or Ctrl-C (then `KeyboardInterrupt` is raised at the end).

        Raises:
            AddressError: the address is taken, not allowed or not this machine's.
        """
        try:
            self._server.run()
        except BaseException as stopped:
            # uvicorn ends the whole process when it cannot bind; that is for the caller to say.
            if self._server.was_up or isinstance(stopped, KeyboardInterrupt):
                raise
            raise self._refused() from stopped
        if not self._server.was_up:
            raise self._refused()

    def stop(self) -> None:
        """Ask the server to end; it finishes what it is sending, for two seconds at most."""
        self._server.should_exit = True

    def _refused(self) -> AddressError:
        return AddressError(
            "the site cannot be served here",
            where=f"{self._host} port {self._port}",
            hint="Choose another --port (0 takes any free one) or --host.",
        )


class _AnnouncingServer(uvicorn.Server):
    """A uvicorn server that says where it is once it is there."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self.was_up = False
        self._announce = announce

    async def startup(self, sockets: Any = None) -> None:
        """Start as usual, then announce the first address."""
        await super().startup(sockets=sockets)
        if self.started and not self.should_exit:
            self.was_up = True
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._announce(f"http://{f'[{host}]' if ':' in host else host}:{port}")
