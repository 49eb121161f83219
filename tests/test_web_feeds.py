"""The feed, the site map, OpenSearch, and what reference managers read of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import pytest

from provenance.dates import parse_instant
from provenance.web import feeds
from tests.web_client import Client
from tests.web_fixture import Shelf, a_collection, a_document, an_html_visit, harbour

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
SEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(harbour(), tmp_path_factory.mktemp("feeds"))
    yield client
    client.close()


def xml(site: Client, path: str, kind: str) -> ET.Element:
    answer = site.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return ET.fromstring(answer.content)


def text(element: ET.Element, name: str) -> str:
    found = element.find(name)
    assert found is not None and found.text
    return found.text


def test_the_feed_has_every_capture_newest_first(site: Client) -> None:
    """With what RFC 4287 §4.1 wants of feed and entry; failures are captures too."""
    feed = xml(site, "/feed.atom", "application/atom+xml")
    entries = feed.findall(f"{ATOM}entry")
    captures = sorted(site.shelf.captures.values(), key=lambda c: c.captured_at, reverse=True)
    assert [text(e, f"{ATOM}updated") for e in entries] == [c.captured_at for c in captures][:50]
    assert text(feed, f"{ATOM}updated") == captures[0].captured_at
    for entry in entries:
        assert text(entry, f"{ATOM}id").startswith("ni:///sha-256;")
        assert text(entry, f"{ATOM}title") and text(entry, f"{ATOM}summary")
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert site.get(link.attrib["href"].removeprefix("http://localhost")).status_code == 200
        assert parse_instant(text(entry, f"{ATOM}updated"))
    assert len({text(entry, f"{ATOM}id") for entry in entries}) == len(entries)
    assert 'type="application/atom+xml"' in site.get("/").text


def test_a_collection_has_a_feed_of_its_own(site: Client) -> None:
    """Its page leads there; an unknown one is not found."""
    path = "/collection/harbour-bridge/feed.atom"
    assert f'href="{path}"' in site.get("/collection/harbour-bridge").text
    feed = xml(site, path, "application/atom+xml")
    assert len(feed.findall(f"{ATOM}entry")) == len(site.shelf.captures)
    assert site.get("/collection/no-such/feed.atom").status_code == 404


def test_an_archive_without_captures_has_an_empty_feed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """And a site map with the documents that are wanted."""
    client = Client(Shelf(a_collection(a_document("pier")), ()), tmp_path_factory.mktemp("none"))
    try:
        assert not xml(client, "/feed.atom", "application/atom+xml").findall(f"{ATOM}entry")
        urls = xml(client, "/sitemap/1.xml", "application/xml").findall(f"{MAP}url")
        assert [text(url, f"{MAP}loc") for url in urls] == ["http://localhost/document/pier"]
    finally:
        client.close()


def test_the_site_map_has_every_document(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts, which its first page lists; each address answers."""
    monkeypatch.setattr(feeds, "MAP_SIZE", 5)
    index = xml(site, "/sitemap.xml", "application/xml")
    found: list[str] = []
    for part in index.findall(f"{MAP}sitemap"):
        path = text(part, f"{MAP}loc").removeprefix("http://localhost")
        urls = xml(site, path, "application/xml").findall(f"{MAP}url")
        assert 1 <= len(urls) <= 5
        found += [text(url, f"{MAP}loc") for url in urls]
    wanted = [f"http://localhost/document/{one.id}" for one in site.shelf.collection.documents]
    assert set(wanted) <= set(found)
    assert len(found) == len(set(found))
    for url in found:
        assert site.get(url.removeprefix("http://localhost")).status_code == 200
    assert site.get("/sitemap/999.xml").status_code == 404
    assert site.get("/sitemap/0.xml").status_code == 404


def test_browsers_learn_how_to_search(site: Client) -> None:
    """The template leads to results."""
    assert 'type="application/opensearchdescription+xml"' in site.get("/").text
    root = xml(site, "/opensearch.xml", "application/opensearchdescription+xml")
    assert len(text(root, f"{SEARCH}ShortName")) <= 16
    for url in root.findall(f"{SEARCH}Url"):
        template = url.attrib["template"]
        path = template.replace("{searchTerms}", "bridge").replace("{startPage?}", "1")
        answer = site.get(path.removeprefix("http://localhost"))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(url.attrib["type"])


def test_a_host_with_braces_is_no_template(site: Client) -> None:
    """What a reader calls the site is put into the address as it is."""
    assert site.get("/opensearch.xml", headers={"host": "{x}"}).status_code in (200, 400, 421)


def test_what_xml_cannot_write_does_not_break_a_feed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Control characters and markup in titles and addresses are text, or left out."""
    visit = an_html_visit(
        "pier", "2026-01-02T03:04:05.000000Z", "https://a.example/?<&>\"'\x0b", "<title>x</title>"
    )
    collection = a_collection(a_document("pier", title="<b>&amp;</b> \ufffe \u202e pier"))
    client = Client(Shelf(collection, [visit]), tmp_path_factory.mktemp("odd"))
    try:
        (entry,) = xml(client, "/feed.atom", "application/atom+xml").findall(f"{ATOM}entry")
        assert text(entry, f"{ATOM}title").startswith("<b>&amp;</b> \ufffd pier: captured")
    finally:
        client.close()


def test_reference_managers_find_the_document_in_its_page(site: Client) -> None:
    """COinS and Dublin Core in meta elements say the same as the card."""
    page = site.get("/document/gazette-article").text
    card = next(one for one in site.shelf.collection.documents if one.id == "gazette-article")
    (title,) = re.findall(r'<span class="Z3988" title="([^"]*)"', page)
    fields = parse_qs(unescape(title))
    assert fields["rft_val_fmt"] == ["info:ofi/fmt:kev:mtx:dc"]
    assert fields["rft.title"] == [card.title]
    assert fields["rft.identifier"] == [card.url]
    metas = dict(re.findall(r'<meta name="(DC[^"]*)" content="([^"]*)">', page))
    assert unescape(metas["DC.title"]) == card.title
    assert unescape(metas["DC.publisher"]) == card.publisher
    assert metas["DC.date"] == card.published
