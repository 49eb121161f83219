"""Errors are answered in the form asked for, in plain words; a Host that is no name is one."""

from __future__ import annotations

import asyncio
import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.web.gate import refusal
from provenance.web.policy import PAGE_POLICY
from provenance.web.renewal import Opening, _hold
from tests.cli_program import small_root
from tests.web_client import Client
from tests.web_fixture import harbour

NOWHERE = "https://nowhere.example/a"
PLAIN = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?\Z")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(harbour(), tmp_path_factory.mktemp("errors"))
    yield client
    client.close()


@pytest.mark.parametrize(
    "path",
    [
        f"/timemap/json/{NOWHERE}",
        f"/timemap/json/{NOWHERE}.html",
        f"/timemap/json/2/{NOWHERE}",
        f"/timegate/timemap/json/{NOWHERE}",
        "/document/none.json",
        "/document/none.jsonld",
        "/document/none.csl.json",
        "/capture/deadbeef00.json",
        "/capture/nothing.jsonld",
        "/diff/deadbeef00/deadbeef01.json",
    ],
)
def test_json_is_answered_with_json(site: Client, path: str) -> None:
    """A program that reads JSON gets what went wrong as JSON."""
    answer = site.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    said = answer.json()
    assert said["ok"] is False and said["error"] and isinstance(said["near"], list)


@pytest.mark.parametrize(
    "path",
    [
        f"/timemap/link/{NOWHERE}",
        f"/timemap/link/{NOWHERE}.json",
        f"/timemap/link/2/{NOWHERE}",
        f"/timegate/timemap/link/{NOWHERE}",
    ],
)
def test_a_list_of_links_is_answered_with_plain_text(site: Client, path: str) -> None:
    """Link format has no form for errors, and a page is none of it."""
    answer = site.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    assert answer.text.startswith("404: No version of")
    assert "<" not in answer.text and answer.text.endswith("\n")


@pytest.mark.parametrize(
    "path",
    [
        f"/timegate/{NOWHERE}",
        f"/timegate/{NOWHERE}.json",
        "/document/none",
        "/capture/deadbeef00.txt",
        "/capture/deadbeef00.warc.gz",
        "/view/deadbeef00",
        "/.well-known/ni/sha-256/xyz",
    ],
)
def test_people_get_a_page(site: Client, path: str) -> None:
    """What an original's address ends in says nothing of the form."""
    answer = site.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Not found</h1>" in answer.text


def test_a_digest_of_what_is_elsewhere_leads_to_words(site: Client) -> None:
    """`/.well-known/ni` sends on to a page that says that the bytes are not here."""
    capture = site.shelf.of("pilots-letter")[0]
    site.shelf.missing.add(str(capture.capture_id))
    try:
        value = bytes.fromhex(str(capture.content_id).removeprefix("sha256:"))
        name = base64.urlsafe_b64encode(value).decode().rstrip("=")
        sent = site.get(f"/.well-known/ni/sha-256/{name}")
        assert sent.status_code == 307
        answer = site.get(sent.headers["location"])
        assert answer.status_code == 404
        assert "The bytes are not at this site" in answer.text
        assert f'href="/capture/{capture.capture_id}"' in answer.text
    finally:
        site.shelf.missing.clear()


def test_the_forms_hold_below_a_base_url(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The folder in which a site stands is no part of the form."""
    folder = tmp_path_factory.mktemp("below")
    client = Client(harbour(), folder, settings={"base_url": "/timegate/"})
    try:
        kinds = {
            f"/timemap/json/{NOWHERE}": "application/json",
            f"/timemap/link/{NOWHERE}": "text/plain",
            f"/timegate/{NOWHERE}.json": "text/html",
            "/document/none.json": "application/json",
            "/document/none": "text/html",
        }
        for path, kind in kinds.items():
            answer = client.get(path)
            assert answer.status_code == 404, path
            assert answer.headers["content-type"].startswith(kind), path
    finally:
        client.close()


def test_the_words_of_errors_are_plain(site: Client) -> None:
    """They say what is so; what is near is named and no more guessed at."""
    near = site.get("/document/gazette-articel").text
    assert "See also:" in near and "gazette-article" in near
    for path in ("/document/x", "/view/zz", "/-/threads", "/provenance?sql=update+x"):
        text = site.get(path).text
        for word in ("Perhaps", "Given up", "Not open", "Something is wrong"):
            assert word not in text


HOSTS = [
    'a.example"; rel="next',
    "a.example>; rel=x",
    "a.example, <https://evil.example/>",
    "a b",
    "user@a.example",
    "a.example/path",
    "a.example:port",
    "a.example:80:80",
    "[::1",
    "[a]b",
    "\x1b[2Ja",
    "a\x00",
    "é.example",
    "<script>",
]


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_none_gets_into_no_link(site: Client, host: str) -> None:
    """It is refused before any page could name it."""
    fields = {"host": host.encode("utf-8")}
    for path in ("/document/gazette-article", f"/timemap/link/{NOWHERE}", "/sitemap.xml"):
        answer = site.get(path, headers=fields)
        assert answer.status_code == 400
        assert "link" not in answer.headers
        assert answer.text == "400: The Host field is not one plain host name.\n"


@pytest.mark.parametrize(
    "host", ["localhost", "a.example:8443", "[::1]:80", "127.0.0.1", "a_b", ""]
)
def test_a_plain_host_is_named(site: Client, host: str) -> None:
    """Names, addresses and ports of any site."""
    answer = site.get("/document/gazette-article", headers={"host": host})
    assert answer.status_code == 200
    assert f"<http://{host or 'localhost'}/capture/sha256:" in answer.headers["link"]


@given(st.lists(st.binary(max_size=30), max_size=2))
def test_what_passes_is_plain(hosts: list[bytes]) -> None:
    """Whatever bytes come as Host, only one plain name or none goes on."""
    headers = [(b"Host", value) for value in hosts]
    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "headers": headers}
    named = [value for value in hosts if value]
    plain = len(named) < 2 and all(PLAIN.match(one) for one in named)
    assert (refusal(scope, None) is None) == plain


@pytest.mark.parametrize("asked", ["_sort=zzz", "_sort_desc=zzz", "_sort=url&_sort_desc=url"])
def test_an_order_that_there_is_not_is_an_error_of_who_asks(site: Client, asked: str) -> None:
    """As a page and as JSON; neither calls it a fault of the site."""
    page = site.get(f"/provenance/capture?{asked}")
    assert page.status_code == 400 and "not yours" not in page.text
    assert site.get(f"/provenance/capture.json?{asked}").status_code == 400


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("/document/gazette-article?page=9999", "/document/gazette-article?page=1"),
        ("/collection/harbour-bridge?page=9999", "/collection/harbour-bridge?page=1"),
        ("/search?q=bridge&page=9999", "/search?q=bridge&amp;page=1"),
    ],
)
def test_a_page_beyond_the_end_leads_back_to_one_that_there_is(
    site: Client, path: str, back: str
) -> None:
    """Not to the one before it, which is as empty."""
    assert f'rel="prev" href="{back}"' in site.get(path).text


def test_damaged_bytes_leave_the_text_and_lead_to_the_evidence(tmp_path: Path) -> None:
    """The view says so beside the text; what would be saved leads to the page that checks it."""
    client = Client(harbour(), tmp_path)
    try:
        capture_id = client.newest("gazette-article")
        client.shelf.damaged.add(capture_id)
        view = client.get(f"/view/{capture_id}")
        assert view.status_code == 200
        assert "is damaged, so it cannot be shown" in view.text and "Save it" not in view.text
        assert "Below is the text taken out of it" in view.text
        for path in (
            f"/content/{client.shelf.captures[capture_id].content_id}",
            f"/view/{capture_id}/raw",
            f"/capture/{capture_id}.warc.gz",
        ):
            answer = client.get(path)
            assert answer.status_code == 500
            assert re.search(r'href="/capture/[^"]+"><bdi>the evidence', answer.text), path
        assert "Check it now" in client.get(f"/capture/{capture_id}").text
    finally:
        client.close()


def test_an_index_that_is_gone_is_told_in_plain_words(tmp_path: Path) -> None:
    """It may be being made anew: pages that need its file say so, and the others still answer."""
    archive = small_root(tmp_path / "root")
    document = archive.document("letter")
    assert document is not None
    (capture,) = archive.newest_of([document])
    assert capture is not None
    capture_id = capture.capture_id
    with asyncio.Runner() as runner:
        datasette = archive.site()
        # As `serve` does: else a thread that first reads later finds no file to open.
        runner.run(_hold(Opening(datasette=datasette, app=datasette.app(), mark=None)))

        def get(path: str) -> Any:
            return runner.run(datasette.client.get(path))

        paths = [f"/capture/{capture_id}", f"/capture/{capture_id}?check=1", "/document/letter"]
        paths += [f"/view/{capture_id}", f"/capture/{capture_id}.warc.gz", "/search?q=bridge"]
        assert [get(path).status_code for path in paths] == [200] * len(paths)
        archive.index_path.unlink()
        for path in paths:
            answer = get(path)
            assert answer.status_code == 503, path
            assert "The index of this site is not there" in answer.text
            assert str(tmp_path) not in answer.text
        assert get(f"/capture/{capture_id}.json").json()["ok"] is False
        assert [get(path).status_code for path in ("/", "/failures", "/feed.atom")] == [200] * 3


@pytest.mark.parametrize("kept", [8192, 0])
def test_an_index_that_was_cut_short_is_told_like_one_that_is_gone(
    tmp_path: Path, kept: int
) -> None:
    """In place, while it is served: no page calls it an error that nobody knows the cause of."""
    archive = small_root(tmp_path / "root")
    document = archive.document("letter")
    assert document is not None
    (capture,) = archive.newest_of([document])
    assert capture is not None
    with asyncio.Runner() as runner:
        datasette = archive.site()
        # As `serve` does: else a thread that first reads later finds no file to open.
        runner.run(_hold(Opening(datasette=datasette, app=datasette.app(), mark=None)))

        def get(path: str) -> Any:
            return runner.run(datasette.client.get(path))

        assert get("/").status_code == 200
        os.truncate(archive.index_path, kept)
        paths = ["/search?q=bridge", "/search.json?q=bridge", "/document/letter"]
        paths += [f"/capture/{capture.capture_id}", f"/view/{capture.capture_id}"]
        paths += ["/timegate/https://a.example/"]
        if kept:  # a file without a byte is a database without tables to who opens it only now
            paths += ["/provenance/capture", "/provenance/capture.json"]
        for path in paths:
            answer = get(path)
            assert answer.status_code == 503, path
            assert "The index of this site is not there" in answer.text
            assert str(tmp_path) not in answer.text
        assert get("/search.json?q=bridge").json()["ok"] is False
        assert get("/").status_code == 200
