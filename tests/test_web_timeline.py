"""A document that was visited often: its captures on further pages, in the site and in a copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest

from provenance.model import OutcomeKind
from provenance.web.views import VISITS
from tests.web_client import Client
from tests.web_copies import published
from tests.web_fixture import Shelf, a_collection, a_document, an_html_visit

URL = "https://council.example/pier"
COUNT = 2 * VISITS + 3


def watched() -> Shelf:
    """Return an archive of one document; no version came at the newest visits of a whole page.

    Each version before is another.
    """
    visits = [
        an_html_visit(
            "pier",
            f"2026-01-01T{n // 60:02d}:{n % 60:02d}:00.000000Z",
            URL,
            f"<title>Pier</title><p>Version {n}</p>",
        )
        if n < COUNT - VISITS - 1
        else an_html_visit(
            "pier",
            f"2026-01-01T{n // 60:02d}:{n % 60:02d}:00.000000Z",
            URL,
            f"gone {n}",
            status=404,
            outcome=OutcomeKind.ERROR_STATUS,
        )
        for n in range(COUNT)
    ]
    return Shelf(a_collection(a_document("pier")), visits)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(watched(), tmp_path_factory.mktemp("watched"))
    yield client
    client.close()


def timeline(text: str) -> list[str]:
    """Return the captures on the timeline of a page."""
    listed = text.split('<ol class="timeline"')[1].split("</ol>", maxsplit=1)[0]
    return re.findall(r'class="moment"><a href="/capture/(sha256:[0-9a-f]{64})', listed)


def test_every_capture_is_on_one_page_the_newest_first(site: Client) -> None:
    """Counted down to 1 across pages, which lead on and back."""
    captures = [str(one.capture_id) for one in reversed(site.shelf.of("pier"))]
    pages = [site.get(f"/document/pier?page={number}").text for number in (1, 2, 3)]
    assert [each for page in pages for each in timeline(page)] == captures
    for number, page in enumerate(pages):
        assert f'reversed start="{COUNT - number * VISITS}"' in page
        assert ('rel="prev"' in page, 'rel="next"' in page) == (number > 0, number < 2)
        assert f"{COUNT} visits in all" in page
    assert pages[0] == site.get("/document/pier").text


def test_the_newest_version_is_told_wherever_it_stands(site: Client) -> None:
    """On every page, also where every visit of the first brought none."""
    newest = [one for one in site.shelf.of("pier") if str(one.outcome) == "captured"][-1]
    for number in (1, 2, 3):
        text = site.get(f"/document/pier?page={number}").text
        copy = text.split('id="copy"')[1].split("</section>")[0]
        assert f'href="/capture/{newest.capture_id}"' in copy
        assert str(newest.content_id).removeprefix("sha256:") in text.split('id="cite"')[1]
    assert site.get("/document/pier.json").json()["capture_id"] == newest.capture_id


def test_what_changed_is_offered_across_the_end_of_a_page(site: Client) -> None:
    """The oldest version of a page is compared with the newest of the next."""
    kept = [str(one.capture_id) for one in site.shelf.of("pier") if str(one.outcome) == "captured"]
    pairs = [
        pair
        for number in (1, 2, 3)
        for pair in re.findall(
            r'href="/diff/([^/"]+)/([^/"]+)"', site.get(f"/document/pier?page={number}").text
        )
    ]
    assert sorted(pairs) == sorted(pairwise(kept))


def test_a_page_behind_the_last_leads_back(site: Client) -> None:
    """And does not say that no visit is on record."""
    text = site.get("/document/pier?page=9").text
    assert "There are no visits on page 9" in text
    assert "No visit is on record" not in text
    assert 'rel="prev"' in text


def test_a_copy_has_every_page(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each a folder of its own, and the evidence of every visit is reached from one of them."""
    copy = published(watched(), tmp_path_factory.mktemp("copy"))
    files = {str(path.relative_to(copy.folder)) for path in copy.folder.rglob("index.html")}
    assert {"document/pier/page/2/index.html", "document/pier/page/3/index.html"} <= files
    listed = {
        each
        for part in ("", "page/2/", "page/3/")
        for each in re.findall(
            r'href="/capture/(sha256:[0-9a-f]{64})/"',
            (copy.folder / f"document/pier/{part}index.html").read_text(),
        )
    }
    assert listed >= {str(one.capture_id) for one in watched().of("pier")}
