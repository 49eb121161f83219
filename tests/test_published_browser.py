"""A published copy in a real Chromium, from a host that sends no header but a type."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.web_browser import WIDTHS, Reader, Trap, chromium, listening
from tests.web_copies import published
from tests.web_fixture import harbour
from tests.web_hostile import hostile

pytestmark = pytest.mark.browser


class PlainHost(SimpleHTTPRequestHandler):
    """The host of files that comes with Python."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def hosted(folder: Path) -> ThreadingHTTPServer:
    return ThreadingHTTPServer(("127.0.0.1", 0), partial(PlainHost, directory=str(folder)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def lure() -> Iterator[Trap]:
    with listening(Trap()) as server:
        yield server


@pytest.fixture(scope="module", params=[True, False], ids=["whole", "bare"])
def copy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    made = published(harbour(), tmp_path_factory.mktemp("copy"), contents=request.param)
    with listening(hosted(made.folder)) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}"


def test_a_reader_goes_by_links_from_page_to_page(browser: Any, copy: str) -> None:
    """The styles and the script are there, pages fit a phone, and the policy is never broken."""
    reader = Reader(browser, width=WIDTHS["phone"])
    try:
        tab = reader.open(f"{copy}/")
        for step in ("/collection/", "/document/gazette-article", "/diff/", "/capture/"):
            tab.locator(f'main a[href*="{step}"]').first.click()
            tab.wait_for_load_state("networkidle")
            assert step in tab.url
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), step
            assert tab.locator("h1").count() == 1
            assert tab.evaluate("document.styleSheets[1].cssRules.length") > 50
            if step == "/capture/":
                assert tab.locator("button.copy").count() > 0  # made by our script
        assert tab.locator("form, iframe").count() == 0
        assert reader.complaints == []
        assert {url for url in reader.answered if not url.startswith(copy)} == set()
    finally:
        reader.close()


def test_an_address_of_the_live_site_leads_to_the_same_page(browser: Any, copy: str) -> None:
    """Typed without the slash, as it is cited."""
    reader = Reader(browser)
    try:
        tab = reader.open(f"{copy}/document/gazette-article")
        assert tab.url == f"{copy}/document/gazette-article/"
        assert "Half a year of the harbour bridge" in tab.locator("h1").inner_text()
    finally:
        reader.close()


def test_nothing_archived_acts_in_a_copy(
    browser: Any, lure: Trap, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every page of a hostile archive, contents and all: nothing runs, nobody else is asked."""
    made = published(hostile(lure.address), tmp_path_factory.mktemp("evil"), contents=True)
    pages = sorted(made.folder.rglob("index.html"))
    assert len(pages) > 15
    with listening(hosted(made.folder)) as server:
        at = f"http://127.0.0.1:{server.server_address[1]}"
        reader = Reader(browser)
        try:
            for page in pages:
                folder = page.parent.relative_to(made.folder).as_posix()
                tab = reader.open(f"{at}/{folder}/".replace("/./", "/"), settled=False)
                assert tab.evaluate("window.pwned") is None, folder
                assert tab.evaluate("location.origin") == at
            assert reader.complaints == []
            assert reader.dialogs == []
            assert {url for url in reader.answered if not url.startswith(at)} == set()
        finally:
            reader.close()
    assert lure.connections == 0
