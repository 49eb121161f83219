"""The pages on a loopback port, as `provenance serve` serves them, and a client of raw bytes."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from provenance.web.renewal import RenewedSite
from provenance.web.serving import SiteServer
from provenance.web.site import create_site
from tests.web_fixture import Shelf


@contextlib.contextmanager
def running(site: RenewedSite, **options: Any) -> Iterator[str]:
    """Serve a site; give its address without a slash at the end."""
    addresses: queue.Queue[str] = queue.Queue()
    server = SiteServer(site, host="127.0.0.1", port=0, announce=addresses.put, **options)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield addresses.get(timeout=30).rstrip("/")
    finally:
        server.stop()
        thread.join(timeout=30)


def site_over(
    shelf: Shelf, path: Path, *, report: Callable[[str], None] = print, **options: Any
) -> RenewedSite:
    """Return the site of an index that the shelf has written to `path`."""
    return RenewedSite(
        lambda: create_site(path, shelf, title="Vellhaven archive", **options), path, report=report
    )


@contextlib.contextmanager
def served(shelf: Shelf, folder: Path, **options: Any) -> Iterator[str]:
    """Serve the shelf's site; give its address without a slash at the end."""
    with running(site_over(shelf, shelf.write(folder), **options)) as address:
        yield address


def exchanged(address: str, sent: bytes) -> bytes:
    """Send these bytes on a connection of their own; return all that comes until it closes."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(sent)
        received = bytearray()
        while piece := connection.recv(65_536):
            received += piece
    return bytes(received)
