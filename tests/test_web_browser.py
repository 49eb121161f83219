"""The pages in a real Chromium: they fit, they obey their policy, and nothing archived runs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.web_browser import WIDTHS, Reader, Trap, chromium, listening
from tests.web_fixture import Shelf, harbour
from tests.web_hostile import hostile
from tests.web_server import served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return harbour()


@pytest.fixture(scope="module")
def site(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(shelf, tmp_path_factory.mktemp("site")) as address:
        yield address


@pytest.fixture(scope="module")
def lure() -> Iterator[Trap]:
    with listening(Trap()) as server:
        yield server


@pytest.fixture(scope="module")
def evil(lure: Trap) -> Shelf:
    return hostile(lure.address)


def test_the_trap_notices(browser: Any, lure: Trap) -> None:
    """A page without our policy does reach the trap; so its silence means something."""
    reader = Reader(browser)
    try:
        reader.tab.set_content(f'<img src="{lure.address}/x.png">')
        reader.tab.wait_for_load_state("networkidle")
        assert lure.connections > 0
        lure.connections = 0
    finally:
        reader.close()


@pytest.fixture(scope="module")
def evil_site(evil: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(evil, tmp_path_factory.mktemp("evil")) as address:
        yield address


def pages(shelf: Shelf) -> dict[str, str]:
    article = shelf.of("gazette-article")[-1].capture_id
    return {
        "home": "/",
        "collection": "/collection/harbour-bridge",
        "document": "/document/gazette-article",
        "chinese": "/document/port-statement",
        "arabic": "/document/harbour-notice",
        "capture": f"/capture/{article}",
        "failed": f"/capture/{shelf.of('ferry-users')[-1].capture_id}",
        "pdf": f"/view/{shelf.of('council-minutes')[-1].capture_id}",
        "picture": f"/view/{shelf.of('institute-photo')[-1].capture_id}",
        "search": "/search?q=bridge",
        "chinese search": "/search?q=大桥",
        "nothing found": "/search?q=zeppelin",
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values())
def test_pages_fit_and_obey_their_policy(
    browser: Any, site: str, shelf: Shelf, width: int, theme: str
) -> None:
    """No page is wider than its window, breaks its policy or asks anyone else for anything."""
    reader = Reader(browser, width=width, theme=theme)
    try:
        for name, path in pages(shelf).items():
            tab = reader.open(site + path, settled=False)
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            assert tab.locator("h1").count() == 1, name
            assert tab.evaluate("document.styleSheets[1].cssRules.length") > 50, name
            dark = tab.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (dark == "rgb(22, 23, 26)") is (theme == "dark"), name
        assert reader.complaints == []
        assert {url for url in reader.answered if not url.startswith(site)} == set()
    finally:
        reader.close()


def test_the_keyboard_leads_through_a_page(browser: Any, site: str) -> None:
    """The first key shows the way past the head; every stop can be seen, in both themes."""
    for theme in ("light", "dark"):
        reader = Reader(browser, theme=theme)
        try:
            tab = reader.open(f"{site}/document/gazette-article", settled=False)
            tab.keyboard.press("Tab")
            skip = tab.evaluate("document.activeElement.getBoundingClientRect().toJSON()")
            assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
            assert skip["left"] >= 0 and skip["top"] >= 0
            for _ in range(25):
                tab.keyboard.press("Tab")
                stop = tab.evaluate(
                    "[document.activeElement.tagName,"
                    " getComputedStyle(document.activeElement).outlineStyle]"
                )
                assert stop[1] == "solid", stop
        finally:
            reader.close()


LIGHT_PARTS = """
[...document.querySelectorAll("header, footer, td, form input[type=text], form select")]
    .filter(part => part.offsetParent)
    .map(part => [part.tagName, getComputedStyle(part)])
    .filter(([_, look]) => look.backgroundImage.includes("gradient")
        || [look.backgroundColor, look.borderRightColor].includes("rgb(255, 255, 255)"))
    .map(([name]) => name)
"""
"""The names of elements that show white, or a gradient, where the reader's device is dark."""


def test_datasettes_pages_have_our_colours_and_fit_a_phone(browser: Any, site: str) -> None:
    """Tables, rows and queries are no wider than a phone, and dark where the reader's device is."""
    reader = Reader(browser, width=360, theme="dark")
    try:
        for path in (
            "/provenance",
            "/provenance/capture",
            "/provenance/document/gazette-article",
            "/provenance/record",
            "/provenance?sql=select+*+from+text",
        ):
            tab = reader.open(site + path, settled=False)
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            dark = tab.evaluate("getComputedStyle(document.body).backgroundColor")
            assert dark == "rgb(22, 23, 26)", path
            assert tab.evaluate(LIGHT_PARTS) == [], path
    finally:
        reader.close()


def test_pages_work_without_javascript(browser: Any, site: str) -> None:
    """Search, filters, citations and links need no script."""
    reader = Reader(browser, java_script_enabled=False)
    try:
        tab = reader.open(f"{site}/")
        tab.fill("#q", "大桥")
        tab.press("#q", "Enter")
        tab.wait_for_url("**/search?q=*")
        assert tab.locator("mark").first.text_content() == "大桥"
        tab.click(".hits .title")
        tab.wait_for_url("**/document/port-statement")
        tab.click("summary:has-text('BibTeX')")
        assert "@online{" in tab.locator("details[open] pre").last.text_content()
        tab.click("text=Evidence")
        tab.wait_for_url("**/capture/*")
    finally:
        reader.close()


def test_the_copy_button_copies(browser: Any, site: str) -> None:
    """With scripts on, the button puts the citation on the clipboard."""
    reader = Reader(browser, permissions=["clipboard-read", "clipboard-write"])
    try:
        tab = reader.open(f"{site}/document/gazette-article")
        tab.locator(".cite .copy").first.click()
        tab.locator(".copy:has-text('Copied')").wait_for()
        copied = tab.evaluate("navigator.clipboard.readText()")
        assert copied == tab.locator(".citation").first.text_content()
        assert reader.complaints == []
    finally:
        reader.close()


def test_a_kept_page_is_shown_and_nothing_in_it_runs(browser: Any, site: str, shelf: Shelf) -> None:
    """The frame shows the article; its script, refresh, style sheet and picture do nothing."""
    capture = shelf.of("gazette-article")[-1]
    reader = Reader(browser)
    try:
        tab = reader.open(f"{site}/view/{capture.capture_id}")
        frame = tab.frame_locator("iframe.kept")
        frame.locator("text=This sentence was corrected").wait_for()
        assert frame.locator("html").get_attribute("data-ran") is None
        assert frame.locator("body").get_attribute("data-ran") is None
        assert "ran" not in tab.title()
        inside = f"{site}/view/{capture.capture_id}/raw"
        own = (f"{site}/view/{capture.capture_id}", inside)
        asked = [url for url in reader.answered if not url.startswith((*own, f"{site}/-/"))]
        assert asked == []
        assert tab.frames[1].url == inside
    finally:
        reader.close()


def test_chinese_bytes_are_read_with_their_charset(browser: Any, site: str, shelf: Shelf) -> None:
    """A GB18030 page is Chinese in the frame."""
    reader = Reader(browser)
    try:
        tab = reader.open(f"{site}/view/{shelf.of('port-statement')[-1].capture_id}")
        frame = tab.frame_locator("iframe.kept")
        assert frame.locator("h1").text_content() == "关于港口大桥提升设备的说明"
    finally:
        reader.close()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/collection/harbour-bridge",
        "/document/every-string",
        "/capture/{first}",
        "/capture/{failed}",
        "/view/{first}",
        "/view/{picture}",
        "/view/{first}/raw",
        "/view/{first}/assembled",
        "/view/{picture}/raw",
        "/capture/{saved}",
        "/view/{saved}",
        "/document/saved",
        "/search?q=harbour",
        "/search?q=%3Cscript%3Ewindow.pwned=1%3C/script%3E",
        "/document/%22%3E%3Cscript%3Ewindow.pwned=1%3C%2Fscript%3E",
        "/provenance/document",
        "/provenance/capture",
        "/provenance/text",
    ],
)
def test_nothing_archived_runs_anywhere(
    browser: Any, evil_site: str, evil: Shelf, lure: Trap, path: str
) -> None:
    """Every string of the hostile archive is inert on every page, Datasette's tables included."""
    first, failed = (capture.capture_id for capture in evil.of("every-string"))
    picture = evil.of("picture")[0].capture_id
    saved = evil.of("saved")[0].capture_id
    names = {"first": first, "failed": failed, "picture": picture, "saved": saved}
    address = evil_site + path.format(**names)
    reader = Reader(browser)
    try:
        tab = reader.open(address)
        for summary in tab.locator("summary:visible").all():
            summary.click()
        assert [frame.evaluate("window.pwned") for frame in tab.frames] == [None] * len(tab.frames)
        assert tab.url.startswith(evil_site)
        assert "taken" not in tab.url and "taken" not in tab.title()
        assert reader.dialogs == []
        assert {url for url in reader.answered if not url.startswith((evil_site, "data:"))} == set()
        assert lure.connections == 0
    finally:
        reader.close()


def test_a_form_in_a_kept_page_cannot_be_sent(browser: Any, evil_site: str, evil: Shelf) -> None:
    """The button of an archived form leads nowhere."""
    capture_id = evil.of("page")[0].capture_id
    reader = Reader(browser)
    try:
        tab = reader.open(f"{evil_site}/view/{capture_id}")
        before = tab.url
        tab.frame_locator("iframe.kept").locator("#submit").click()
        tab.wait_for_load_state("networkidle")
        assert tab.url == before
        assert not [url for url in reader.answered if "/search" in url]
    finally:
        reader.close()


def test_a_download_is_saved_and_never_shown(browser: Any, evil_site: str, evil: Shelf) -> None:
    """Opening a content address saves a file that hashes to the content id."""
    from provenance.digest import digest_of

    content_id = evil.of("page")[0].content_id
    reader = Reader(browser, accept_downloads=True)
    try:
        tab = reader.open(f"{evil_site}/document/page")
        with tab.expect_download() as waiting:
            tab.click("text=Save it")
        saved = waiting.value
        assert digest_of(Path(saved.path()).read_bytes()) == content_id
        assert saved.suggested_filename.endswith(".html")
        assert "/document/page" in tab.url
    finally:
        reader.close()


def test_datasette_pages_keep_working_under_their_policy(browser: Any, site: str) -> None:
    """Tables, facets and the SQL editor run their own scripts without a complaint."""
    reader = Reader(browser)
    try:
        tab = reader.open(f"{site}/provenance/capture?_facet=outcome")
        assert tab.locator("table.rows-and-columns tbody tr").count() > 10
        tab.click("summary:has(svg)")
        assert tab.locator(".nav-menu-inner >> text=Search archived texts").is_visible()
        tab = reader.open(f"{site}/provenance?sql=select+1+as+one")
        assert tab.locator("td").first.text_content().strip() == "1"
        for path in ("/provenance", "/provenance/document/gazette-article", "/-/patterns"):
            reader.open(site + path)
        if not version("datasette").startswith("0."):
            for path in ("/-/", "/-/api", "/-/queries", "/-/allowed", "/provenance/-/schema"):
                reader.open(site + path)
        assert [text for text in reader.complaints if "Security Policy" in text] == []
    finally:
        reader.close()


def test_a_page_prints_without_its_furniture(browser: Any, site: str) -> None:
    """On paper the search box and the buttons are gone and the citation is whole."""
    reader = Reader(browser)
    try:
        tab = reader.open(f"{site}/document/gazette-article")
        tab.emulate_media(media="print")
        assert not tab.locator(".find").is_visible()
        assert not tab.locator(".actions").first.is_visible()
        assert tab.locator(".citation").first.is_visible()
    finally:
        reader.close()
