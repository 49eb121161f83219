"""Documents and captures for other programs: endings, links in headers, ids sent on."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from provenance.digest import Digest, to_ni
from provenance.web.signposting import FORMS, link
from tests.web_client import Client
from tests.web_fixture import Shelf, a_collection, a_document, an_html_visit, harbour

ORIGIN = "http://localhost"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(harbour(), tmp_path_factory.mktemp("machines"))
    yield client
    client.close()


def links_of(header: str) -> list[tuple[str, str, str | None]]:
    """Return (relation, target, type) of each link of a `Link` header."""
    found = re.findall(r'<([^>]*)>; rel="([^"]+)"(?:; type="([^"]+)")?(?:, |$)', header)
    assert (
        ", ".join(
            f'<{to}>; rel="{rel}"' + (f'; type="{kind}"' if kind else "") for to, rel, kind in found
        )
        == header
    )
    return [(rel, to, kind or None) for to, rel, kind in found]


def path_of(target: str) -> str:
    assert target.startswith(f"{ORIGIN}/")
    return target.removeprefix(ORIGIN)


@pytest.mark.parametrize("document", ["gazette-article", "port-statement"])
@pytest.mark.parametrize(
    ("ending", "form"), [("bib", "bibtex"), ("ris", "ris"), ("csl.json", "csl-json")]
)
def test_citations_have_addresses(site: Client, document: str, ending: str, form: str) -> None:
    """The same bytes as in the cite box, for a document those of its newest version."""
    capture = next(c for c in reversed(site.shelf.of(document)) if c.content_id)
    wanted = site.shelf.cite(str(capture.capture_id), form, None)
    for path in (f"/document/{document}.{ending}", f"/capture/{capture.capture_id}.{ending}"):
        answer = site.get(path)
        assert answer.status_code == 200
        assert answer.text == wanted
        kind = next(each.media_type for each in FORMS if each.ending == ending)
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"


@pytest.mark.parametrize("ending", ["bib", "ris", "csl.json"])
def test_what_is_not_kept_cannot_be_cited(site: Client, ending: str) -> None:
    """A document without a version says so; an unknown one as everywhere."""
    assert site.get(f"/document/load-test.{ending}").status_code == 404
    assert "none to cite" in site.get(f"/document/load-test.{ending}").text
    assert site.get(f"/document/no-such.{ending}").status_code == 404
    assert site.get(f"/document/gazette-article.{ending}x").status_code == 404


def test_json_ld_says_who_made_what_and_how_it_came_here(site: Client) -> None:
    """Document, visit and content are one graph; every id in it is an absolute address or a URI."""
    capture = next(c for c in reversed(site.shelf.of("gazette-article")) if c.content_id)
    raw = site.shelf.contents[str(capture.content_id)]
    graph = json.loads(site.get(f"/capture/{capture.capture_id}.jsonld").text)
    nodes = {node["@id"]: node for node in graph["@graph"]}
    work = nodes[f"{ORIGIN}/document/gazette-article"]
    visit = nodes[f"{ORIGIN}/capture/{capture.capture_id}"]
    content = nodes[to_ni(Digest(str(capture.content_id)))]
    assert "prov:Entity" in work["@type"] and work["schema:name"]
    assert visit["@type"] == "prov:Activity"
    assert visit["prov:endedAtTime"]["@value"] == capture.captured_at
    assert content["schema:sha256"] == hashlib.sha256(raw).hexdigest()
    assert content["schema:contentSize"] == f"{len(raw)} B"
    assert content["prov:wasGeneratedBy"]["@id"] == visit["@id"]
    assert content["schema:encodesCreativeWork"]["@id"] == work["@id"]
    assert site.get(path_of(content["schema:contentUrl"]["@id"])).content == raw
    prefixes = {key.split(":")[0] for node in nodes.values() for key in node if key[0] != "@"}
    assert prefixes <= graph["@context"].keys()
    # The document's own address answers with the same graph, of its newest version.
    assert json.loads(site.get("/document/gazette-article.jsonld").text) == graph


def test_the_forms_name_the_same_authors(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A line that lists several is divided alike everywhere, and no name is called a person's."""
    visit = an_html_visit("pier", "2026-01-02T03:04:05Z", "https://a.example/", "<p>pier</p>")
    document = a_document("pier", author="Harbour Board and Council; Marrow, Ida")
    client = Client(Shelf(a_collection(document), [visit]), tmp_path_factory.mktemp("authors"))
    names = ["Harbour Board and Council", "Marrow, Ida"]
    try:
        work, *_ = json.loads(client.get("/document/pier.jsonld").text)["@graph"]
        assert [one["schema:name"] for one in work["schema:author"]] == names
        assert {one["@type"] for one in work["schema:author"]} == {"prov:Agent"}
        (item,) = json.loads(client.get("/document/pier.csl.json").text)
        assert [one["literal"] for one in item["author"]] == names
        assert re.findall("AU  - (.*)", client.get("/document/pier.ris").text) == names
        entry = client.get("/document/pier.bib").text
        assert f"author = {{{{{names[0]}}} and {{{names[1]}}}}}" in entry
    finally:
        client.close()


def test_json_ld_does_not_take_an_error_page_for_the_document(site: Client) -> None:
    """It was kept, and is no encoding of the work."""
    page = next(c for c in site.shelf.captures.values() if str(c.outcome) == "error_status")
    graph = json.loads(site.get(f"/capture/{page.capture_id}.jsonld").text)["@graph"]
    content = next(node for node in graph if "schema:sha256" in node)
    assert "schema:encodesCreativeWork" not in content


def test_json_ld_of_what_never_came(site: Client) -> None:
    """A failed visit is an activity without content; a wanted document is a work alone."""
    failed = next(c for c in site.shelf.of("gazette-article") if not c.content_id)
    graph = json.loads(site.get(f"/capture/{failed.capture_id}.jsonld").text)["@graph"]
    assert [node["@type"] for node in graph][1:] == ["prov:Activity"]
    wanted = json.loads(site.get("/document/load-test.jsonld").text)["@graph"]
    assert [node["@id"] for node in wanted] == [f"{ORIGIN}/document/load-test"]


def test_pages_point_machines_to_all_that_belongs_to_them(site: Client) -> None:
    """Signposting: what to cite, the kind of page, descriptions and content, all of them there."""
    capture = next(c for c in reversed(site.shelf.of("gazette-article")) if c.content_id)
    for path in ("/document/gazette-article", f"/capture/{capture.capture_id}"):
        page = site.get(path)
        links = links_of(page.headers["link"])
        relations = [rel for rel, _, _ in links]
        assert relations.count("cite-as") == 1 and relations.count("item") == 1
        assert ("type", "https://schema.org/AboutPage", None) in links
        (cited,) = [to for rel, to, _ in links if rel == "cite-as"]
        assert unquote(cited) == f"{ORIGIN}/capture/{capture.capture_id}"
        described = [(to, kind) for rel, to, kind in links if rel == "describedby"]
        assert len(described) == len(FORMS)
        for target, kind in described:
            answer = site.get(path_of(target))
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(str(kind))
            back = links_of(answer.headers["link"])
            assert back == [("describes", f"{ORIGIN}{path}", "text/html")]
            assert f'href="{unquote(path_of(target))}"' in page.text
        (item,) = [(to, kind) for rel, to, kind in links if rel == "item"]
        content = site.get(path_of(item[0]))
        assert content.content == site.shelf.contents[str(capture.content_id)]
        assert "collection" in [rel for rel, _, _ in links_of(content.headers["link"])]


def test_pages_of_what_is_not_there_point_to_less(site: Client) -> None:
    """No item where nothing came, nothing to cite where there is no version; never a dead link."""
    failed = next(c for c in site.shelf.of("gazette-article") if not c.content_id)
    for path in ("/document/load-test", f"/capture/{failed.capture_id}"):
        links = links_of(site.get(path).headers["link"])
        assert "item" not in [rel for rel, _, _ in links]
        for rel, target, _ in links:
            if rel in ("describedby", "cite-as"):
                assert site.get(path_of(target)).status_code == 200


def test_bytes_that_are_not_at_hand_are_promised_nowhere(site: Client) -> None:
    """Neither in the header nor in the twins nor in the list of visits."""
    newest = site.newest("institute-study")
    site.shelf.missing.update(one.capture_id for one in site.shelf.of("institute-study"))
    try:
        for path in ("/document/institute-study", f"/capture/{newest}"):
            page = site.get(path)
            assert "item" not in [rel for rel, _, _ in links_of(page.headers["link"])]
            assert 'href="/content/' not in page.text
            assert ">look</a>" not in page.text
        assert site.get(f"/capture/{newest}.json").json()["links"]["content"] is None
        assert "/content/" not in site.get(f"/capture/{newest}.jsonld").text
        hit = site.get("/search?q=clearance").text
        assert f'href="/view/{newest}">read its text</a>' in hit
        assert f'href="/view/{newest}">look</a>' not in hit
    finally:
        site.shelf.missing.clear()


def test_what_never_came_has_no_citation(site: Client) -> None:
    """A failed visit's page offers none, and its address says why."""
    failed = next(c for c in site.shelf.of("gazette-article") if not c.content_id)
    page = site.get(f"/capture/{failed.capture_id}").text
    for ending in ("bib", "ris", "csl.json"):
        answer = site.get(f"/capture/{failed.capture_id}.{ending}")
        assert answer.status_code == 404 and "nothing to cite" in answer.text
        assert f"{failed.capture_id}.{ending}" not in page


def test_a_digest_is_sent_on_to_what_has_it(site: Client) -> None:
    """RFC 6920: a content's leads to its bytes, a capture's to the page about it."""
    capture = next(c for c in reversed(site.shelf.of("gazette-article")) if c.content_id)
    raw = site.shelf.contents[str(capture.content_id)]
    value = to_ni(Digest(str(capture.content_id))).rsplit(";", 1)[1]
    assert value == base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()
    answer = site.get(f"/.well-known/ni/sha-256/{value}")
    assert answer.status_code == 307
    assert site.get(answer.headers["location"]).content == raw
    value = to_ni(Digest(str(capture.capture_id))).rsplit(";", 1)[1]
    answer = site.get(f"/.well-known/ni/sha-256/{value}")
    assert answer.headers["location"] == f"/capture/{capture.capture_id}"


@pytest.mark.parametrize("value", ["x", "A" * 42, "A" * 44, "%00" * 8, "A" * 5000, "+" * 43, "ü"])
def test_no_digest_is_sent_on(site: Client, value: str) -> None:
    """Bad ones and unknown ones are not found, and say why."""
    assert site.get(f"/.well-known/ni/sha-256/{value}").status_code == 404
    assert site.get(f"/.well-known/ni/sha-256/{'A' * 43}").status_code == 404


@pytest.mark.parametrize("kind", ['text/html"; rel="x', "text/html\r\nX: y", "text", "a/b/c", None])
def test_a_media_type_that_is_none_stays_out_of_the_header(kind: str | None) -> None:
    """What a server declared is not ours; it may end no quotes and no line."""
    assert link("https://a.example/", "item", kind) == '<https://a.example/>; rel="item"'
