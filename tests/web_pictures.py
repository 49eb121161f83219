"""Take the pictures of the pages that the documentation shows.

    python -m tests.web_pictures docs/images

The archive in them is the fictional one of the tests. Each picture is what a window shows, not the
whole page, and stays below 200 kB.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.web_browser import Reader, chromium
from tests.web_fixture import Shelf, harbour
from tests.web_server import served

LIMIT = 200_000


def pictures(shelf: Shelf) -> dict[str, tuple[str, int, str]]:
    """Return picture name → (path, width of the window, theme)."""
    article = shelf.of("gazette-article")[-1].capture_id
    return {
        "home": ("/", 1280, "light"),
        "collection": ("/collection/harbour-bridge", 1280, "light"),
        "document": ("/document/gazette-article", 1280, "light"),
        "document-dark": ("/document/gazette-article", 820, "dark"),
        "capture": (f"/capture/{article}", 1280, "light"),
        "capture-dark": (f"/capture/{article}", 1280, "dark"),
        "view": (f"/view/{article}", 1280, "light"),
        "search": ("/search?q=大桥", 820, "light"),
        "home-phone": ("/", 390, "light"),
        "document-phone": ("/document/port-statement", 390, "dark"),
    }


def take(browser: Any, address: str, shelf: Shelf, folder: Path) -> None:
    """Write every picture into `folder` as NAME.png."""
    for name, (path, width, theme) in pictures(shelf).items():
        reader = Reader(browser, width=width, theme=theme)
        reader.open(address + path)
        target = folder / f"{name}.png"
        reader.tab.screenshot(path=str(target))
        reader.close()
        if target.stat().st_size > LIMIT:
            raise SystemExit(f"{target} is larger than {LIMIT} bytes")


def main() -> None:
    """Take the pictures into the folder that the command line names."""
    shelf, folder = harbour(), Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        served(shelf, Path(scratch)) as address,
        chromium() as browser,
    ):
        take(browser, address, shelf, folder)


if __name__ == "__main__":
    main()
