"""The page that compares two captures, and its JSON twin."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from provenance.web import comparing
from provenance.web.difference import Difference, compare
from provenance.web.recent import AT_ONCE, WAITING
from tests.web_client import Client
from tests.web_fixture import Shelf, Visit, a_collection, a_document, an_answer, harbour


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(harbour(), tmp_path_factory.mktemp("diff"))
    yield client
    client.close()


def a_text_visit(document: str, at: str, text: str) -> Visit:
    """Return a visit that brought plain text."""
    return Visit(
        document=document,
        at=at,
        url=f"https://council.example/{document}",
        head=an_answer("text/plain; charset=utf-8", text.encode()),
        content=text.encode(),
        media_type="text/plain",
        charset="utf-8",
    )


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


def test_two_documents_did_not_change_into_each_other(site: Client) -> None:
    """The title names both, and says that something changed of one document alone."""
    first, *_, last = versions(site, "gazette-article")
    other = versions(site, "pilots-letter")[0]
    titles = {
        one: site.get(f"/document/{one}").text.split("<title>")[1].split(" · ")[0]
        for one in ("gazette-article", "pilots-letter")
    }
    same = site.get(f"/diff/{first}/{last}").text.split("<title>")[1].split("</title>")[0]
    assert same.startswith(f"What changed: {titles['gazette-article']}, ")
    text = site.get(f"/diff/{last}/{other}").text
    both = text.split("<title>")[1].split("</title>")[0]
    assert "changed" not in both
    assert both.startswith(f"Compared: {titles['gazette-article']}, ")
    assert f", and {titles['pilots-letter']}, " in both
    assert text.split("<h1>")[1].split("</h1>")[0].count("<bdi") == 2


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


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Two versions of one document: 2,500 lines each, every third of them another."""
    texts = [
        "\n".join(f"{'old' if not at and n % 3 == 0 else 'line'} {n}" for n in range(2_500))
        for at in (0, 1)
    ]
    visits = [
        a_text_visit("pier", f"2026-01-0{at + 1}T00:00:00.000000Z", text)
        for at, text in enumerate(texts)
    ]
    client = Client(
        Shelf(a_collection(a_document("pier")), visits), tmp_path_factory.mktemp("long")
    )
    yield client
    client.close()


def test_a_long_comparison_goes_on_on_further_pages(long: Client) -> None:
    """Every change is on one of them, once, and what was chosen stays chosen."""
    first, last = versions(long, "pier")
    seen: list[str] = []
    path: str | None = f"/diff/{first}/{last}?view=inline"
    while path:
        text = long.get(path).text
        seen += re.findall(r"<del>old</del><ins>line</ins> (\d+)", text)
        assert 'class="diff inline"' in text
        following = re.search(r'rel="next" href="([^"]+)"', text)
        path = unescape(following[1]) if following else None
    assert seen == [str(n) for n in range(0, 2_500, 3)]
    assert "Page 1 of" in long.get(f"/diff/{first}/{last}?page=0").text
    count = re.search(r"Page (\d+) of \1\.", long.get(f"/diff/{first}/{last}?page=9999").text)
    assert count and int(count[1]) > 3


def test_the_twin_of_a_long_comparison_says_that_it_is_cut(long: Client) -> None:
    """Its pages have all rows, a thousand at most in each, and the last says that it is that."""
    first, last = versions(long, "pier")
    rows: list[int] = []
    for number in range(1, 9):
        answer = long.get(f"/diff/{first}/{last}.json?page={number}").json()
        assert (answer["page"], answer["compared_to"]) == (number, None)
        assert len(answer["rows"]) <= 1_000
        rows += [row["before_line"] for row in answer["rows"]]
        if not answer["cut"]:
            break
    assert number == 3
    assert rows == list(range(1, 2_501))
    beyond = long.get(f"/diff/{first}/{last}.json?page=4").json()
    assert (beyond["rows"], beyond["cut"]) == ([], False)


def test_a_short_comparison_is_whole(site: Client) -> None:
    """On one page and in one answer."""
    first, *_, last = versions(site, "gazette-article")
    assert "Page 1 of" not in site.get(f"/diff/{first}/{last}").text
    assert site.get(f"/diff/{first}/{last}.json").json()["cut"] is False


def test_how_far_very_long_texts_are_compared_is_told(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """On the page and in its twin."""
    visits = [
        a_text_visit("pier", f"2026-01-0{at}T00:00:00.000000Z", f"{at}\n" + "word\n" * 70_000)
        for at in (1, 2)
    ]
    client = Client(Shelf(a_collection(a_document("pier")), visits), tmp_path_factory.mktemp("far"))
    try:
        first, last = versions(client, "pier")
        page = client.get(f"/diff/{first}/{last}").text
        assert "Only the first 300,000 characters of each text were compared" in page
        answer = client.get(f"/diff/{first}/{last}.json").json()
        assert (answer["compared_to"], answer["cut"]) == (300_000, False)
    finally:
        client.close()


def test_comparisons_are_made_once_and_too_many_are_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at a time, sixteen in all: the next gets 503; who asks for the same waits for it."""
    visits = [a_text_visit("notes", f"2026-11-23T23:{at:02}:00Z", f"line {at}") for at in range(20)]
    client = Client(Shelf(a_collection(a_document("notes")), visits), tmp_path)
    released, calls, most = threading.Event(), [0], [0]
    under_way = [0]
    lock = threading.Lock()

    def slow(before: str, after: str, *, mask: bool) -> Difference:
        with lock:
            calls[0] += 1
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        released.wait()
        with lock:
            under_way[0] -= 1
        return compare(before, after, mask=mask)

    monkeypatch.setattr(comparing, "compare", slow)
    first, *others = (one.capture_id for one in client.shelf.of("notes"))

    async def crowd() -> list[int]:
        get = client.datasette.client.get
        asked = [asyncio.ensure_future(get(f"/diff/{first}/{one}")) for one in others]
        asked += [asyncio.ensure_future(get(f"/diff/{first}/{others[0]}"))]
        refused = len(others) - WAITING
        while sum(one.done() for one in asked) < refused or most[0] < AT_ONCE:
            await asyncio.sleep(0)
        released.set()
        return sorted(one.status_code for one in await asyncio.gather(*asked))

    try:
        assert client.run(crowd()) == [200] * (WAITING + 1) + [503] * (len(others) - WAITING)
        assert (calls[0], most[0]) == (WAITING, AT_ONCE)
    finally:
        released.set()
        client.close()
