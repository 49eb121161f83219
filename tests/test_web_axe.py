"""Every kind of page, in every width and theme, as axe-core reads it: WCAG 2.2 A and AA.

The rules are a separate program, run in a real Chromium over what a reader would have before them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web_browser import WIDTHS, Reader, chromium
from tests.web_fixture import Shelf, harbour
from tests.web_server import served

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    made = harbour()
    made.missing.add(made.of("institute-study")[0].capture_id)
    return made


@pytest.fixture(scope="module")
def site(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(shelf, tmp_path_factory.mktemp("axe")) as address:
        yield address


def pages(shelf: Shelf) -> list[str]:
    """Return the path of a page of each kind, those with most on them."""
    captures = shelf.of("gazette-article")
    first, *_, last = (str(one.capture_id) for one in captures if one.content_id)
    (failed,) = (str(one.capture_id) for one in captures if not one.content_id)
    pdf = next(c for c in shelf.captures.values() if c.media_type == "application/pdf")
    lost = shelf.of("institute-study")[0].capture_id
    return [
        "/",
        "/collection/harbour-bridge",
        "/collection/harbour-bridge?state=attention",
        "/document/gazette-article",
        "/document/load-test",
        f"/capture/{last}",
        f"/capture/{failed}",
        f"/diff/{first}/{last}",
        f"/diff/{last}/{first}?view=inline&mask=1",
        "/failures",
        "/search?q=bridge",
        "/search?q=nosuchword&since=never",
        f"/view/{last}",
        f"/view/{pdf.capture_id}",
        f"/view/{pdf.capture_id}?page=2",
        f"/view/{pdf.capture_id}?page=9",
        f"/view/{lost}",
        f"/capture/{lost}",
        f"/content/{lost}",
        "/no-such-page",
        "/document/gazette-articel",
    ]


def faults(tab: Any) -> list[str]:
    """Return what axe-core finds: the rule, and where."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    found = Axe().run(tab, options=RULES).response["violations"]
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}"
        for rule in found
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_no_page_keeps_anyone_out(
    browser: Any, site: str, shelf: Shelf, width: int, theme: str
) -> None:
    """Contrast, names, structure, targets: nothing is found on any page."""
    reader = Reader(browser, width=width, theme=theme, bypass_csp=True)
    try:
        found = {path: faults(reader.open(site + path)) for path in pages(shelf)}
    finally:
        reader.close()
    assert {path: each for path, each in found.items() if each} == {}


def test_the_rules_find_what_is_wrong(browser: Any) -> None:
    """A page with faults has them; so silence means something."""
    reader = Reader(browser)
    try:
        reader.tab.set_content('<title>x</title><p style="color:#ccc">pale</p><img src="data:,">')
        assert {each.split(":")[0] for each in faults(reader.tab)} >= {
            "color-contrast",
            "html-has-lang",
            "image-alt",
        }
    finally:
        reader.close()
