"""The page that compares two captures, and its JSON twin."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.web_client import Client
from tests.web_fixture import harbour


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(harbour(), tmp_path_factory.mktemp("diff"))
    yield client
    client.close()


def versions(site: Client, document: str) -> list[str]:
    """Return the capture ids that brought content, oldest first."""
    return [str(c.capture_id) for c in site.shelf.of(document) if c.content_id]


def test_two_versions_are_shown_with_what_differs(site: Client) -> None:
    """Side by side, with struck and underlined words, and both captures named."""
    first, *_, last = versions(site, "gazette-article")
    page = site.get(f"/diff/{first}/{last}")
    assert page.status_code == 200
    assert re.search(r"<ins>[^<]+</ins>", page.text.split('class="compared"')[1])
    swapped = site.get(f"/diff/{last}/{first}").text
    assert re.search(r"<del>[^<]+</del>", swapped.split('class="compared"')[1])
    for capture in (first, last):
        assert f'href="/capture/{capture}"' in page.text
    assert "version 1" in page.text and "version 2" in page.text
    assert f'href="/diff/{last}/{first}"' in page.text


def test_the_other_ways_to_show_it(site: Client) -> None:
    """In one running text, and with dates and numbers masked; links keep what was chosen."""
    first, *_, last = versions(site, "gazette-article")
    inline = site.get(f"/diff/{first}/{last}?view=inline&mask=1").text
    assert 'class="diff inline"' in inline
    assert "Dates and numbers count as the same" in inline
    assert f'href="/diff/{first}/{last}?mask=1"' in inline
    assert f'href="/diff/{first}/{last}?view=inline"' in inline
    assert site.get(f"/diff/{first}/{last}?view=nonsense").status_code == 200


def test_a_document_leads_to_what_changed_between_its_versions(site: Client) -> None:
    """Only where the content changed."""
    text = site.get("/document/gazette-article").text
    first, *_, last = versions(site, "gazette-article")
    links = re.findall(r'href="(/diff/[^"]+)"', text)
    assert len(links) == 1
    assert links[0].endswith(f"/{last}")
    assert site.get(links[0]).status_code == 200
    assert first not in links[0] or len(versions(site, "gazette-article")) == 2


def test_captures_of_the_same_bytes_are_said_to_be_so(site: Client) -> None:
    """No table stands where nothing can differ."""
    first, second, *_ = versions(site, "gazette-article")
    page = site.get(f"/diff/{first}/{second}").text
    assert "hold the same bytes" in page
    assert "<table" not in page


def test_captures_without_content_and_unknown_ones_are_told(site: Client) -> None:
    """With the evidence of the attempt near, as JSON too."""
    (failed,) = [c for c in site.shelf.of("gazette-article") if not c.content_id]
    (first, *_) = versions(site, "gazette-article")
    page = site.get(f"/diff/{first}/{failed.capture_id}")
    assert page.status_code == 404
    assert f'href="/capture/{failed.capture_id}"' in page.text
    assert site.get(f"/diff/{first}/sha256:{'0' * 64}").status_code == 404
    answer = site.get(f"/diff/{first}/{failed.capture_id}.json")
    assert (answer.status_code, answer.json()["ok"]) == (404, False)


def test_the_twin_has_the_rows_that_the_page_shows(site: Client) -> None:
    """What is folded on the page is left out; ids of both are there."""
    first, *_, last = versions(site, "gazette-article")
    answer = json.loads(site.get(f"/diff/{first}/{last}.json").text)
    assert answer["type"] == "diff"
    assert answer["before"]["capture_id"] == first
    assert answer["after"]["capture_id"] == last
    assert answer["same_content"] is False
    assert answer["added"] > 0
    assert {row["kind"] for row in answer["rows"]} <= {"same", "changed", "added", "removed"}
    marked = [text for row in answer["rows"] for text, mark in row["after"] if mark]
    assert marked
    masked = json.loads(site.get(f"/diff/{first}/{last}.json?mask=1").text)
    assert masked["masked"] is True


def test_markup_in_a_text_is_text(site: Client) -> None:
    """Documents of different kinds can be compared too, and nothing of them becomes markup."""
    (one, *_) = versions(site, "gazette-article")
    (other, *_) = versions(site, "council-minutes")
    page = site.get(f"/diff/{one}/{other}")
    assert page.status_code == 200
    assert 'href="/document/council-minutes"' in page.text
    assert "<script>" not in page.text.split("<main")[1]
