"""A Datasette with the pages, asked without a network; for the tests of the pages."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from provenance.web.site import create_site
from tests.web_fixture import Shelf


class Client:
    """Ask a site for paths, in one event loop of its own."""

    def __init__(self, shelf: Shelf, folder: Path, **options: Any) -> None:
        self.shelf = shelf
        self.path = shelf.write(folder)
        self.datasette = create_site(self.path, shelf, title="Vellhaven archive", **options)
        self._runner = asyncio.Runner()

    def get(self, path: str, **more: Any) -> Any:
        """Return the response to a GET."""
        return self._runner.run(self.datasette.client.get(path, **more))

    def head(self, path: str, **more: Any) -> Any:
        """Return the response to a HEAD."""
        return self._runner.run(self.datasette.client.head(path, **more))

    def run(self, work: Any) -> Any:
        """Return what a coroutine does in the site's event loop."""
        return self._runner.run(work)

    def close(self) -> None:
        """Close the event loop and the connections to the index."""
        self._runner.close()

    def newest(self, document: str) -> str:
        """Return the capture id of a document's newest capture."""
        return self.shelf.of(document)[-1].capture_id
