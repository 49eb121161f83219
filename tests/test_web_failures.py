"""The page of what could not be had, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest

from provenance.model import OutcomeKind
from tests.web_client import Client
from tests.web_fixture import Shelf, a_collection, a_document, an_html_visit, harbour


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(harbour(), tmp_path_factory.mktemp("failures"))
    yield client
    client.close()


def test_every_document_that_was_not_had_is_there_and_no_other(site: Client) -> None:
    """Counted from the captures themselves: never a version, or none at the last visit."""
    versions = {"captured", "unchanged", "truncated"}
    lacking = set()
    for card in site.shelf.collection.documents:
        visits = [str(capture.outcome) for capture in site.shelf.of(str(card.id))]
        if not versions & set(visits) or visits[-1] not in versions:
            lacking.add(str(card.id))
    answer = site.get("/failures.json").json()
    assert {one["document"] for one in answer["documents"]} == lacking
    assert sum(reason["documents"] for reason in answer["reasons"]) == len(lacking)
    text = site.get("/failures").text
    listed = set(re.findall(r'class="title" href="/document/([^"]+)"', text))
    assert listed == lacking


def test_reasons_are_counted_and_lead_to_their_documents(site: Client) -> None:
    """Every reason's link lists as many documents as it counts."""
    reasons = site.get("/failures.json").json()["reasons"]
    assert {"failed", "error_status", "challenge", "wanted"} <= {one["state"] for one in reasons}
    links = re.findall(r'href="(/failures\?why=[^"]+)"', site.get("/failures").text)
    assert len(links) == len(reasons)
    for link, reason in zip(links, reasons, strict=True):
        text = site.get(unescape(link)).text
        assert text.count('class="title" href="/document/') == reason["documents"]
    for reason in reasons:
        found = site.get("/failures.json", params={"why": reason["why"]}).json()
        assert len(found["documents"]) == reason["documents"]
        assert sum(one["kept"] for one in found["documents"]) == reason["kept"]


def test_how_often_it_was_tried_is_told(site: Client) -> None:
    """With the first and the last time, and the evidence of the last."""
    found = site.get("/failures.json").json()["documents"]
    for one in found:
        visits = site.shelf.of(one["document"])
        assert one["visits"] == len(visits)
        assert one["first_at"] == (visits[0].captured_at if visits else None)
        assert one["last_at"] == (visits[-1].captured_at if visits else None)
        if visits:
            assert f'href="/capture/{visits[-1].capture_id}"' in site.get("/failures").text


def test_a_document_that_was_had_before_stands_apart(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Its copy is kept: it is not counted among those that were never had."""
    at = "2026-01-0{}T00:00:00.000000Z"
    url = "https://council.example/pier"
    visits = [
        an_html_visit("pier", at.format(1), url, "<title>Pier</title>"),
        an_html_visit(
            "pier", at.format(2), url, "gone", status=404, outcome=OutcomeKind.ERROR_STATUS
        ),
    ]
    shelf = Shelf(a_collection(a_document("pier"), a_document("quay")), visits)
    client = Client(shelf, tmp_path_factory.mktemp("before"))
    try:
        text = client.get("/failures").text
        assert "Of 2 documents there is no copy of 1; 1 more was had before" in text
        assert text.index('id="had-0"') < text.index("/document/quay") < text.index('id="had-1"')
        assert text.index('id="had-1"') < text.index("/document/pier")
    finally:
        client.close()


def test_where_nothing_is_lacking_the_page_says_so(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """And an unknown reason is no error."""
    visit = an_html_visit(
        "pier", "2026-01-01T00:00:00.000000Z", "https://council.example/pier", "<title>x</title>"
    )
    client = Client(
        Shelf(a_collection(a_document("pier")), [visit]), tmp_path_factory.mktemp("all")
    )
    try:
        assert "Nothing: the last visit" in client.get("/failures").text
        page = client.get("/failures?why=%22%3E%3Cscript%3E&page=9")
        assert page.status_code == 200
        assert "which no document has" in page.text
        assert "<script>" not in page.text.split("<main")[1]
    finally:
        client.close()
