"""Kept files of every kind in a real Chromium: shown, they reach no server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web_beacons import beacons, files
from tests.web_browser import Plain, Reader, Trap, chromium, listening
from tests.web_fixture import Shelf
from tests.web_server import served

pytestmark = pytest.mark.browser

FOLLOWED = frozenset(
    (
        *("img", "srcset", "picture", "input", "background", "video", "poster", "audio"),
        *("iframe", "srcdoc", "object", "embed", "stylesheet", "preload", "import", "css-image"),
        *("css-content", "css-font", "svg-image", "script", "fetch", "form"),
        *("refresh", "x-css", "x-img", "svg-image", "svg-img", "svg-frame", "xml"),
    )
)
"""Ways that Chromium follows where no policy forbids them; others may be followed by others."""

KINDS = tuple(files(""))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Shelf, Trap]]:
    with listening(Trap()) as lure:
        shelf = beacons(lure.address)
        with served(shelf, tmp_path_factory.mktemp("beacons")) as address:
            yield address, shelf, lure


def opened(browser: Any, address: str) -> list[str]:
    """Open an address in a window of its own; return what the browser asked for and was given."""
    reader = Reader(browser)
    try:
        reader.tab.goto(address)
        reader.tab.wait_for_load_state("networkidle")
        assert "taken" not in reader.tab.title()
        return list(reader.answered)
    finally:
        reader.close()


def test_without_a_policy_the_files_do_reach_out(browser: Any) -> None:
    """The same files from a plain server reach the trap; so its silence below means something."""
    with listening(Trap()) as lure, listening(Plain(files(lure.address))) as plain:
        for kind in KINDS:
            reader = Reader(browser)
            try:
                reader.tab.goto(f"{plain.address}/{kind}", wait_until="commit")
                reader.tab.wait_for_load_state("networkidle")
            except Exception as error:  # a page that leaves for the trap, or is a download
                assert "net::" in str(error) or "Download" in str(error)
            finally:
                reader.close()
        missed = FOLLOWED - lure.paths
    assert missed == set()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["/view/{}", "/view/{}/raw", "/view/{}/assembled"])
def test_a_kept_file_reaches_no_server(
    browser: Any, looked_at: tuple[str, Shelf, Trap], kind: str, place: str
) -> None:
    """In the frame and by its own address, no file of any kind connects to anybody else."""
    site, shelf, lure = looked_at
    lure.connections = 0
    answered = opened(browser, site + place.format(shelf.of(kind)[0].capture_id))
    assert lure.paths == set()
    assert lure.connections == 0
    outside = {url for url in answered if not url.startswith((site, "data:"))}
    assert outside == set()


@pytest.mark.parametrize("link", ["away", "in", "popup", "top"])
def test_a_link_in_a_kept_page_leads_nowhere(
    browser: Any, looked_at: tuple[str, Shelf, Trap], link: str
) -> None:
    """A click in the frame opens no other site, no window, and no page of ours inside it."""
    site, shelf, lure = looked_at
    lure.connections = 0
    reader = Reader(browser)
    try:
        tab = reader.open(f"{site}/view/{shelf.of('links')[0].capture_id}")
        before = tab.url
        tab.frame_locator("iframe.kept").locator(f"#{link}").click()
        tab.wait_for_load_state("networkidle")
        assert tab.url == before
        assert len(reader.context.pages) == 1
        assert lure.connections == 0
        frame = tab.frames[-1]
        assert frame.locator("input[name=q]").count() == 0
    finally:
        reader.close()
