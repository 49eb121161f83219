"""Searches narrowed by date of publication, and put newest first."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.web_client import Client
from tests.web_fixture import Shelf, a_collection, a_document, an_html_visit

DATES = {"a": "2019", "b": "2021-03", "c": "2021-03-08", "d": "2022-12-31", "e": None}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    visits = [
        an_html_visit(
            name,
            f"2026-01-0{day}T00:00:00.000000Z",
            f"https://council.example/{name}",
            # The best match was captured first.
            f"<title>Pier {name}</title><p>{'pier ' * (9 - day)} and {'other words ' * day}</p>",
        )
        for day, name in enumerate(DATES, start=1)
    ]
    documents = [a_document(name, published=date) for name, date in DATES.items()]
    client = Client(Shelf(a_collection(*documents), visits), tmp_path_factory.mktemp("dates"))
    yield client
    client.close()


def found(site: Client, **query: str) -> list[str]:
    answer = site.get("/search.json", params={"q": "pier", **query})
    assert answer.status_code == 200
    return [one["document"] for one in answer.json()["results"]]


@pytest.mark.parametrize(
    ("since", "until", "wanted"),
    [
        ("", "", "abcde"),
        ("2019", "", "abcd"),
        ("2020", "", "bcd"),
        ("2021-03-08", "", "bcd"),  # March 2021 may be the 8th or later
        ("2021-03-09", "", "bd"),
        ("", "2021", "abc"),
        ("", "2021-03-07", "ab"),
        ("", "2018", ""),
        ("2021-03", "2021-03", "bc"),
        ("2022-12-31", "2022-12-31", "d"),
    ],
)
def test_dates_narrow_as_far_as_they_are_known(
    site: Client, since: str, until: str, wanted: str
) -> None:
    """A date of fewer parts may be any day in it; a document without a date is never between."""
    assert sorted(found(site, since=since, until=until)) == sorted(wanted)


def test_the_newest_capture_can_come_first(site: Client) -> None:
    """Instead of the best match; the page keeps the choice."""
    assert found(site, order="newest") == list("edcba")
    assert found(site)[0] == "a"
    page = site.get("/search?q=pier&order=newest&since=2021").text
    assert re.search(r'<option value="newest" selected>', page)
    assert 'name="since" type="search" value="2021"' in page


@pytest.mark.parametrize(
    ("since", "until"), [("2022", "2021"), ("2021-03", "2021-02-28"), ("2021-03-09", "2021-03-08")]
)
def test_dates_the_wrong_way_round_are_said(site: Client, since: str, until: str) -> None:
    """As other faults are: in words on the page, and with status 400 as JSON."""
    query = {"q": "pier", "since": since, "until": until}
    page = site.get("/search", params=query)
    assert page.status_code == 200
    alert = page.text.split('role="alert">')[1].split("</p>")[0]
    assert alert.endswith(f"{since} is later than {until}")
    assert "No archived text" not in page.text
    answer = site.get("/search.json", params=query)
    assert (answer.status_code, answer.json()["error"]) == (400, alert)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"q": "pier", "until": "2018"}, "No archived text with these words fits the filters"),
        ({"q": "pier", "role": "none"}, "No archived text with these words fits the filters"),
        ({"q": "zeppelin"}, "No archived text has these words"),
        ({"q": "zeppelin", "order": "newest"}, "No archived text has these words"),
    ],
)
def test_what_filters_left_out_is_not_said_to_be_absent(
    site: Client, query: dict[str, str], said: str
) -> None:
    """The page then leads to the search without them."""
    card = site.get("/search", params=query).text.split('<section class="card">')[1]
    assert card.startswith(f"<h2>{said}</h2>")
    assert ('href="/search?q=pier"' in card) is ("filters" in said)


@pytest.mark.parametrize("date", ["yesterday", "2021-13", "2021-02-30", "21", "<script>"])
def test_what_is_no_date_is_said(site: Client, date: str) -> None:
    """On the page, and with status 400 as JSON; nothing is searched for."""
    page = site.get("/search", params={"q": "pier", "since": date})
    assert page.status_code == 200
    assert 'role="alert"' in page.text
    assert "<script>" not in page.text.split("<main")[1]
    answer = site.get("/search.json", params={"q": "pier", "until": date})
    assert (answer.status_code, answer.json()["ok"]) == (400, False)
