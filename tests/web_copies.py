"""Copies of the tests' sites made of files, and a reader of their links that shares no code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from provenance.publishing import Written, write_copy
from provenance.web.copying import SiteCopy
from provenance.web.offer import Offer
from provenance.web.public import parse_public_address
from provenance.web.site import create_site
from tests.web_fixture import Shelf

AT = "https://archive.example/bridge/"
LEADING = ("href", "src", "action", "formaction", "data", "poster", "srcset", "srcdoc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A copy that was written, and how."""

    folder: Path
    written: Written
    copy: SiteCopy


def published(
    shelf: Shelf,
    folder: Path,
    *,
    contents: bool = False,
    base_url: str | None = None,
    database: bool = False,
    directory: Path | None = None,
    **options: Any,
) -> Published:
    """Write the copy of a shelf's site below `folder`, or into `directory`."""
    path = shelf.write(folder / "index")
    datasette = create_site(
        path,
        shelf,
        title="Vellhaven archive",
        offer=Offer(live=False, sql=False, contents=contents, database=database),
        address=parse_public_address(base_url) if base_url else None,
        **options,
    )
    copy = SiteCopy(datasette)
    target = directory or folder / "copy"
    written = write_copy(target, copy.parts(), database=path if database else None)
    return Published(folder=target, written=written, copy=copy)


def files_in(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Elements(HTMLParser):
    """Every element of a page, with its attributes as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def ids(self) -> set[str]:
        """Return the names of places in the page."""
        return {attributes["id"] for _, attributes in self.found if "id" in attributes}

    def links(self) -> Iterator[tuple[str, str]]:
        """Yield (element, address) of all that leads somewhere."""
        for tag, attributes in self.found:
            for name in LEADING:
                if name in attributes:
                    yield tag, attributes[name]


def resolved(folder: Path, address: str, *, base: str = "/") -> Path | None:
    """Return the file that a plain host of files gives for an address below `base`, or None."""
    path = unquote(urlsplit(address).path)
    if not path.startswith(base):
        return None
    file = folder / path.removeprefix(base)
    file = file / "index.html" if file.is_dir() else file
    return file if file.is_file() else None
