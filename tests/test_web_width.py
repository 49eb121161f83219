"""No page is wider than its window, whatever the names in it are, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from provenance.model import Alternate, AlternateRole, OutcomeKind, RelationKind
from tests.web_browser import Reader, chromium
from tests.web_fixture import (
    Shelf,
    a_collection,
    a_document,
    a_png,
    a_relation,
    an_answer,
    an_html_visit,
    harbour,
)
from tests.web_server import served

pytestmark = pytest.mark.browser

WIDTHS = (320, 390, 1280)
LONG = "Hafenbrückenhubwerk" * 26
"""More signs without a space than any window has room for."""

TOO_WIDE = """
[...document.querySelectorAll("body *")]
    .filter(part => part.getBoundingClientRect().right > innerWidth + 1)
    .slice(-3).map(part => `${part.tagName}.${part.className}`)
"""


def unbroken() -> Shelf:
    """Return an archive in which nothing that a person may write has a space."""
    names = ("pier", "mole", "quay", "lock", "wharf")
    documents = [
        a_document(
            name,
            title=LONG,
            title_original=f"{LONG}:",
            author=LONG,
            publisher=LONG,
            note=LONG,
            url=f"https://council.example/{LONG}",
            published="2021-03-08",
            relations=(a_relation(RelationKind.CITES, "mole", LONG),),
            alternates=(
                Alternate(
                    url=f"https://a.example/{LONG}", role=AlternateRole.REPUBLICATION, note=LONG
                ),
            ),
        )
        for name in names
    ]
    url, text = f"https://council.example/{LONG}", f"<title>{LONG}</title><p>pier</p>"
    visits = [
        *(
            an_html_visit("pier", f"2026-01-0{day}T00:00:00Z", url, f"{text}<p>{LONG} {day}</p>")
            for day in (1, 2)
        ),
        an_html_visit("mole", "2026-01-03T00:00:00Z", url, text),
        an_html_visit(
            "quay",
            "2026-01-04T00:00:00Z",
            url,
            text,
            outcome=OutcomeKind.FAILED,
            head=None,
            content=None,
            reason="robots_unavailable",
            status=None,
        ),
        an_html_visit(
            "lock",
            "2026-01-05T00:00:00Z",
            url,
            LONG,
            media_type="text/plain",
            head=an_answer("text/plain", LONG.encode()),
        ),
        an_html_visit(
            "wharf",
            "2026-01-06T00:00:00Z",
            url,
            text,
            content=a_png(),
            media_type="image/png",
            head=an_answer("image/png", a_png()),
        ),
    ]
    collection = replace(a_collection(*documents), title=LONG, about=LONG)
    return Shelf(collection, visits)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return unbroken()


@pytest.fixture(scope="module")
def site(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(shelf, tmp_path_factory.mktemp("unbroken")) as address:
        yield address


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(harbour(), tmp_path_factory.mktemp("town")) as address:
        yield address


def wide(reader: Reader, addresses: list[str]) -> dict[str, object]:
    """Return how wide each page is that is wider than its window, and by which of its parts."""
    found: dict[str, object] = {}
    for address in addresses:
        tab = reader.open(address, settled=False)
        assert tab.locator("h1").count() == 1, address
        # What is folded is opened first: it is a part of the page.
        tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        size = tab.evaluate("document.documentElement.scrollWidth")
        if size > tab.evaluate("innerWidth"):
            found[address] = (size, tab.evaluate(TOO_WIDE))
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_no_name_makes_a_page_wider_than_its_window(
    browser: Any, site: str, shelf: Shelf, width: int
) -> None:
    """Titles, authors, publishers, notes, addresses and texts of 490 signs without a space."""
    first, second = (capture.capture_id for capture in shelf.of("pier"))
    captures = [shelf.of(name)[0].capture_id for name in ("pier", "quay", "lock", "wharf")]
    paths = [
        *("/", "/collection/harbour-bridge", "/failures"),
        *("/search?q=pier", f"/search?q=pier+{LONG[:300]}", f"/search?q=pier&publisher={LONG}"),
        *("/document/pier", "/document/quay", f"/document/{LONG[:150]}"),
        *(f"/capture/{one}" for one in captures),
        *(f"/view/{shelf.of(name)[0].capture_id}" for name in ("pier", "lock", "wharf")),
        *(f"/diff/{first}/{second}", f"/diff/{first}/{captures[2]}?view=inline"),
    ]
    reader = Reader(browser, width=width)
    try:
        assert wide(reader, [site + path for path in paths]) == {}
    finally:
        reader.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_kind_of_failure_fits_its_window(browser: Any, town: str, width: int) -> None:
    """The table of reasons is no wider than the narrowest phone."""
    reader = Reader(browser, width=width)
    try:
        paths = ("/failures", "/", "/collection/harbour-bridge", "/document/gazette-article")
        assert wide(reader, [town + path for path in paths]) == {}
    finally:
        reader.close()
