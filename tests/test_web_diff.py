"""The page that compares two captures, and its JSON twin."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from html import unescape
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from provenance.web.attachment import site_of
from provenance.web.leafing import comparison
from provenance.web.recent import WAITING
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


def crowded(client: Client, paths: list[str]) -> list[Any]:
    """Return the answers to all of these, asked for at the same time."""

    async def crowd() -> list[Any]:
        return await asyncio.gather(*(client.datasette.client.get(path) for path in paths))

    found: list[Any] = client.run(crowd())
    return found


def test_a_crowd_that_turns_pages_has_its_texts_read_and_compared_once(tmp_path: Path) -> None:
    """Every page of a long comparison, both ways to leaf and the twin, three readers for each."""
    texts = [
        "\n".join(f"{'old' if not at and n % 25 == 0 else 'line'} {n}" for n in range(6_000))
        for at in (0, 1)
    ]
    made = comparison(*texts)
    assert len(made.whole) > len(made.brief) > 10
    visits = [a_text_visit("pier", f"2026-01-0{at}T00:00:00Z", texts[at - 1]) for at in (1, 2)]
    shelf = Shelf(a_collection(a_document("pier")), visits)
    client = Client(shelf, tmp_path, settings={"num_sql_threads": 1})
    site = site_of(client.datasette)
    assert site is not None
    seen: list[str] = []
    try:
        client.run(site.read(lambda conn: conn.set_trace_callback(seen.append)))
        here = "/diff/{}/{}".format(*versions(client, "pier"))
        brief, whole = (
            [f"{here}?page={number}{more}" for number in range(1, len(pages) + 1)]
            for pages, more in ((made.brief, ""), (made.whole, "&all=1"))
        )
        twins = [f"{here}.json?page={number}" for number in range(1, 6)]
        asked = [*brief, *whole, *twins] * 3
        answers = crowded(client, asked)
        assert {answer.status_code for answer in answers} == {200}
        assert sum(line.startswith("select substr(text,") for line in seen) == 2
        shown = dict(zip(asked, answers, strict=True))
        for paths in (brief, whole):
            found = [re.findall(r"<del>old</del> (\d+)", shown[path].text) for path in paths]
            assert [*chain(*found)] == [str(n) for n in range(0, 6_000, 25)]
        cells = (re.findall(r'<td class="line">(\d+)</td>', shown[path].text) for path in whole)
        assert "".join(chain(*cells)) == "".join(str(n) * 2 for n in range(1, 6_001))
        rows = [row["before_line"] for path in twins for row in shown[path].json()["rows"]]
        assert rows == [row.before_line for row in made.open_rows]
    finally:
        client.close()


def test_who_comes_while_too_many_wait_is_told_to_come_again(
    tmp_path: Path,
) -> None:
    """503 for a comparison that is not there; one that is there is shown, and all are later."""
    visits = [a_text_visit("notes", f"2026-11-23T23:{at:02}:00Z", f"line {at}") for at in range(3)]
    client = Client(Shelf(a_collection(a_document("notes")), visits), tmp_path)
    first, second, third = versions(client, "notes")
    site = site_of(client.datasette)
    assert site is not None
    compared = site.compared

    async def crowd() -> None:
        released = asyncio.Event()

        async def make() -> None:
            await released.wait()

        get = client.datasette.client.get
        assert (await get(f"/diff/{first}/{second}")).status_code == 200
        others = [asyncio.ensure_future(compared.get(n, make)) for n in range(WAITING)]
        await asyncio.sleep(0)
        for ending in ("", ".json", "?page=2", "?all=1"):
            assert (await get(f"/diff/{first}/{second}{ending}")).status_code == 200
            refused = await get(f"/diff/{first}/{third}{ending}")
            assert refused.status_code == 503
            assert "Other comparisons are being made. Ask again in a moment." in refused.text
        released.set()
        await asyncio.gather(*others)
        assert (await get(f"/diff/{first}/{third}")).status_code == 200

    try:
        client.run(crowd())
    finally:
        client.close()
