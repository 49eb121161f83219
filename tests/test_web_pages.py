"""What the pages say: home, collection, document, capture, search, and what is not there."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import fields, replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest
from markupsafe import escape

from provenance.reading.facts import CaptureFacts
from provenance.web.attachment import site_of
from provenance.web.faults import answer_fault, answer_foreign
from provenance.web.site import create_site
from provenance.web.words import STATES, what_happened
from tests.index_builders import a_capture, build_index, library
from tests.web_client import Client
from tests.web_fixture import Shelf, a_collection, a_document, an_html_visit, harbour


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(harbour(), tmp_path_factory.mktemp("pages"))
    yield client
    client.close()


def test_home_counts_what_is_kept_and_what_is_not(site: Client) -> None:
    """The front page gives documents, versions kept, and each state with its number."""
    page = site.get("/")
    assert page.status_code == 200
    assert "8 of 14 documents kept, each byte as it was received" in page.text
    assert "The harbour bridge at Vellhaven" in page.text
    for words in ("captured", "cut short", "error page", "challenge page", "failed", "not allowed"):
        assert words in page.text
    assert 'href="/provenance"' in page.text


def test_home_says_what_the_log_commits_to(
    site: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The root and the number of entries, or that there is no log."""
    assert "The archive has no log yet" in site.get("/").text
    shelf = harbour()
    shelf.proofs[site.newest("gazette-article")] = b"proof"
    client = Client(shelf, tmp_path_factory.mktemp("logged"))
    try:
        head, text = shelf.log(), client.get("/").text
        assert head is not None
        assert f'<code class="digest">{escape(head.root)}</code>' in text
        assert "commits to 1 entry by" in text
        assert head.origin in text
    finally:
        client.close()


def test_home_lists_what_needs_attention_and_nothing_that_went_well(site: Client) -> None:
    """A document whose last visit brought a version does not need attention."""
    attention = site.get("/").text.split('id="attention"')[1].split("</section>")[0]
    for document in ("ferry-users", "gazette-column", "bridge-fund", "harbour-forum"):
        assert f'href="/document/{document}"' in attention
    assert "council-minutes" not in attention


def test_home_of_an_empty_archive_says_how_to_begin(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """An archive without documents has a front page all the same."""
    client = Client(Shelf(a_collection(), ()), tmp_path_factory.mktemp("empty"))
    try:
        page = client.get("/")
        assert page.status_code == 200
        assert "No documents yet" in page.text
        assert "Nothing has been fetched yet" in page.text
    finally:
        client.close()


def test_home_says_nothing_of_visits_that_never_were(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Where nothing has been fetched, the page does not say that all went well."""
    client = Client(Shelf(a_collection(a_document("pier")), ()), tmp_path_factory.mktemp("unasked"))
    try:
        text = client.get("/").text
        assert "No document has been visited yet" in text
        assert "brought a version" not in text
    finally:
        client.close()


@pytest.mark.parametrize("path", ["/", "/collection/harbour-bridge"])
def test_every_mark_is_explained_where_marks_stand(site: Client, path: str) -> None:
    """The list of marks has each state with its meaning, in words that need no pointer."""
    marks = site.get(path).text.split('<details class="marks">')[1].split("</details>")[0]
    for label, meaning in STATES.values():
        assert label in marks
        assert str(escape(meaning)) in marks


def test_a_collection_names_its_seeds_file_once(site: Client) -> None:
    """The path of the seeds file is shown as the index holds it."""
    assert "<code>seeds/harbour-bridge.toml</code>" in site.get("/collection/harbour-bridge").text


def test_a_collection_groups_documents_by_role(site: Client) -> None:
    """Source comes before official, official before independent, each document in its group."""
    text = site.get("/collection/harbour-bridge").text
    groups = [text.index(f'id="role-{role}"') for role in ("source", "official", "independent")]
    assert groups == sorted(groups)
    assert groups[0] < text.index("/document/gazette-article") < groups[1]
    assert groups[1] < text.index("/document/council-minutes") < groups[2]
    assert groups[2] < text.index("/document/pilots-letter")


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("state=failed", "ferry-users", "harbour-forum"),
        ("state=attention", "harbour-forum", "gazette-article"),
        ("state=wanted", "load-test", "tender-2018"),
        ("state=waiting", "tender-2018", "load-test"),
        ("role=source", "gazette-article", "council-minutes"),
    ],
)
def test_a_collection_is_narrowed(site: Client, query: str, shown: str, hidden: str) -> None:
    """`?state=` and `?role=` leave the documents of that state or role."""
    text = site.get(f"/collection/harbour-bridge?{query}").text
    assert f'href="/document/{shown}"' in text
    assert f'href="/document/{hidden}"' not in text


def test_a_document_shows_every_visit_with_its_outcome(site: Client) -> None:
    """Four visits stand on the timeline, newest first, the failed one with its reason."""
    text = site.get("/document/gazette-article").text
    timeline = text.split('<ol class="timeline"')[1].split("</ol>")[0]
    at = [timeline.index(capture.captured_at) for capture in site.shelf.of("gazette-article")]
    assert at == sorted(at, reverse=True)
    assert "no answer came in time" in timeline
    assert timeline.count("version 1") == 2
    assert timeline.count("version 2") == 1


def test_a_document_shows_its_original_title_in_its_language(site: Client) -> None:
    """Chinese and Arabic titles carry their language; `bdi` keeps their direction to themselves."""
    assert (
        '<bdi lang="zh-Hans">关于港口大桥提升设备的说明</bdi>'
        in site.get("/document/port-statement").text
    )
    assert '<bdi lang="ar">إشعار' in site.get("/document/harbour-notice").text


def test_relations_stand_on_both_documents(site: Client) -> None:
    """What one document cites says of itself that it is cited."""
    citing = site.get("/document/gazette-article").text
    cited = site.get("/document/port-statement").text
    assert "cites</span>" in citing and 'href="/document/port-statement"' in citing
    assert "is cited by</span>" in cited and 'href="/document/gazette-article"' in cited
    assert "republication" in citing and "https://mirror.example/" in citing


def test_a_document_offers_every_form_of_citation(site: Client) -> None:
    """Six forms stand on the page, each with the content id, escaped where it is markup."""
    text = site.get("/document/gazette-article").text
    content_id = str(site.shelf.of("gazette-article")[-1].content_id)
    for label in ("Plain text", "Markdown", "HTML", "BibTeX", "RIS", "CSL-JSON"):
        assert f"<summary>{label}</summary>" in text
    assert text.count(content_id.removeprefix("sha256:")) >= 6
    assert "@online{" in text
    assert "data-versiondate=&#34;" in text


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("load-test", "gives no address"),
        ("tender-2018", "has no record of a visit to it"),
        ("ferry-users", "No version is on record"),
    ],
)
def test_a_document_without_a_version_says_so(site: Client, document: str, words: str) -> None:
    """A document that was never had is a page, offers no citation and invents nothing."""
    text = site.get(f"/document/{document}").text
    assert words in text
    assert 'id="cite"' not in text


def test_the_evidence_page_shows_exchange_place_and_command(site: Client) -> None:
    """Sent and received heads, the record's place and the shell line are on the page."""
    capture = site.shelf.of("gazette-article")[-1]
    text = site.get(f"/capture/{capture.capture_id}").text
    for shown in (
        "GET /2021/03/08/harbour-bridge-half-a-year.html HTTP/1.1",
        "X-Odd:nospace",
        "192.0.2.17 port 443",
        "TLSv1.3",
        "until the first byte",
        f"{capture.offset:,}",
        f"tail -c +{capture.offset + 1} archive/{capture.warc}",
        "hash://sha256/",
        "ni:///sha-256;",
        "payload digest agrees",
        "beyond its TLS certificate",
    ):
        assert shown in text
    assert "authentic" not in text.lower()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("ferry-users", "nothing came: the host name was not found"),
        ("harbour-forum", "was not asked for: the site&#39;s robots.txt says no"),
        ("bridge-fund", "asks for something first"),
        ("gazette-column", "error status 410"),
        ("audit-report", "then the answer was cut: the connection broke off"),
        ("pilots-letter", "a person added a file of 71 bytes by hand"),
    ],
)
def test_the_evidence_page_says_what_happened(site: Client, document: str, words: str) -> None:
    """One sentence tells each outcome."""
    assert words in site.get(f"/capture/{site.newest(document)}").text


def test_an_unchanged_capture_leads_to_the_first(site: Client) -> None:
    """A revisit names the capture that brought its content."""
    first, revisit = site.shelf.of("gazette-article")[:2]
    text = site.get(f"/capture/{revisit.capture_id}").text
    assert f'href="/capture/{first.capture_id}">the first capture that brought it' in text


@pytest.mark.parametrize("document", ["ferry-users", "harbour-forum"])
def test_where_no_server_answered_nothing_is_said_of_encryption(
    site: Client, document: str
) -> None:
    """A refused or forbidden visit claims neither TLS nor plain HTTP."""
    assert "<dt>Encryption</dt>" not in site.get(f"/capture/{site.newest(document)}").text


def test_a_file_without_an_address_is_not_said_to_have_one() -> None:
    """An added file whose address is not known is told so."""
    said = what_happened(replace(an_added_capture(), url=None))
    assert "No address was given" in said
    assert "address given" not in said.replace("No address was given", "")


def an_added_capture() -> CaptureFacts:
    """Return the facts of a file that was added by hand."""
    values: dict[str, object] = dict.fromkeys(field.name for field in fields(CaptureFacts))
    values |= {"captured_at": "2026-11-23T23:51:00.000000Z", "size": 71, "obtained": "added"}
    return CaptureFacts(**{**values, "url": "https://pilots.example/"})  # type: ignore[arg-type]


def a_visit_without_robots(**more: object) -> CaptureFacts:
    """Return the facts of a visit that ended when robots.txt did not come."""
    note = {"robots": {"verdict": "denied", "reason": "refused"}, **more}
    return replace(
        an_added_capture(),
        obtained="fetched",
        outcome="failed",
        reason="refused",
        note=json.dumps(note),
    )


def test_where_robots_txt_did_not_come_the_document_is_not_said_to_have_been_asked_for() -> None:
    """The reason is that of robots.txt; after a redirect that of the other site's."""
    said = what_happened(a_visit_without_robots())
    assert "robots.txt was asked for first and did not come: the server refused" in said
    assert "The document itself was therefore not asked for." in said
    redirected = what_happened(a_visit_without_robots(redirects=[{"url": "https://a.example/"}]))
    assert "not asked for at the address that it was redirected to." in redirected
    allowed = a_visit_without_robots(robots={"verdict": "allowed", "reason": None})
    assert "the document was asked for and nothing came" in what_happened(allowed)


def test_a_plain_http_capture_says_that_nothing_names_the_server(site: Client) -> None:
    """Without TLS the page claims no server."""
    text = site.get(f"/capture/{site.newest('council-minutes')}").text
    assert "plain HTTP, so nothing shows that the named server answered" in text


@pytest.mark.parametrize("form", ["{}", "sha256:{}", "hash:%2F%2Fsha256%2F{}"])
def test_a_capture_is_found_by_any_form_of_its_id(site: Client, form: str) -> None:
    """Plain hex, `sha256:` and the hash URI lead to the same page, and so does a prefix."""
    hexadecimal = site.newest("audit-report").removeprefix("sha256:")
    assert site.get("/capture/" + form.format(hexadecimal)).status_code == 200
    assert site.get(f"/capture/{hexadecimal[:10]}").status_code == 200


def test_a_content_id_leads_to_its_first_capture(site: Client) -> None:
    """`/capture/` takes a content id for the capture that first brought it."""
    first = site.shelf.of("gazette-article")[0]
    text = site.get(f"/capture/{first.content_id}").text
    assert first.captured_at in text


def test_twins_answer_json(site: Client) -> None:
    """Document and capture have the keys of an outcome as JSON."""
    capture = site.shelf.of("gazette-article")[-1]
    document = site.get("/document/gazette-article.json").json()
    assert document["type"] == "document"
    assert document["capture_id"] == capture.capture_id
    assert len(document["captures"]) == 4
    twin = site.get(f"/capture/{capture.capture_id}.json").json()
    keys = "collection document url outcome reason status captured_at content_id capture_id"
    assert set(
        f"{keys} payload_digest size media_type warc offset length truncated".split()
    ) <= set(twin)
    assert twin["flags"] == []
    assert twin["note"]["profile"] == "provenance-capture-1"


def test_search_marks_words_in_original_text(site: Client) -> None:
    """A snippet is the text as it stands, the words sought marked."""
    text = site.get("/search?q=approach+roads").text
    assert "without the <mark>approach roads</mark>" in text
    assert 'href="/document/gazette-article"' in text


def test_search_finds_a_chinese_word_inside_a_sentence(site: Client) -> None:
    """Two characters without spaces around them are found and marked as one word."""
    text = site.get("/search?q=大桥").text
    assert "<mark>大桥</mark>" in text
    assert "\u200b" not in text
    assert 'lang="zh-Hans"' in text


def test_search_shows_a_document_once_with_its_newest_matching_version(site: Client) -> None:
    """Two versions that both match are one result."""
    results = site.get("/search.json?q=ropewalk+OR+lifting").json()["results"]
    assert results == []
    results = site.get("/search.json?q=machinery+pilots").json()["results"]
    assert [(hit["document"], hit["version"], hit["versions"]) for hit in results] == [
        ("gazette-article", 2, 2)
    ]


def test_search_is_narrowed_by_role_publisher_and_language(site: Client) -> None:
    """Each filter leaves only what fits it."""

    def found(query: str) -> set[str]:
        return {hit["document"] for hit in site.get(f"/search.json?{query}").json()["results"]}

    assert found("q=bridge&role=source") == {"gazette-article"}
    assert found("q=bridge&publisher=Institute+for+Estuary+Structures") == {"institute-study"}
    assert found("q=14&language=zh-Hans") == {"port-statement"}


def test_search_leaves_error_and_challenge_pages_out_unless_asked(site: Client) -> None:
    """What is no version is found only with `all=1`."""
    assert site.get("/search.json?q=withdrawn").json()["results"] == []
    results = site.get("/search.json?q=withdrawn&all=1").json()["results"]
    assert [hit["outcome"] for hit in results] == ["error_status"]


def test_search_finds_documents_that_could_not_be_had(site: Client) -> None:
    """A wanted document is found by the words of its description."""
    text = site.get("/search?q=load+test").text
    assert 'href="/document/load-test"' in text


def test_search_without_words_or_results_helps(site: Client) -> None:
    """Nothing to look for, nothing found, and only punctuation each get an answer."""
    assert "How to search" in site.get("/search").text
    assert "No archived text has these words" in site.get("/search?q=zeppelin").text
    assert "at least one word" in site.get("/search?q=%22%22").text
    assert site.get("/search.json?q=").status_code == 400


def test_search_pages_lead_on_and_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Twenty-one results make two pages; a page past the end leads back; a bad number is 1."""
    names = [f"pier-{number:02d}" for number in range(21)]
    visits = [
        an_html_visit(name, f"2026-11-23T23:50:{n:02d}.000000Z", f"https://p.example/{n}", name)
        for n, name in enumerate(names)
    ]
    shelf = Shelf(a_collection(*(a_document(name) for name in names)), visits)
    client = Client(shelf, tmp_path_factory.mktemp("many"))
    try:
        first = client.get("/search?q=pier").text
        assert 'rel="next" href="/search?q=pier&amp;page=2"' in first
        second = client.get("/search?q=pier&page=2").text
        assert second.count('class="snippet"') == 1
        assert 'rel="prev" href="/search?q=pier&amp;page=1"' in second
        assert "no results on page 9" in client.get("/search?q=pier&page=9").text
        for number in ("٣", "-1", "x"):
            assert client.get(f"/search?q=pier&page={number}").text == first
    finally:
        client.close()


ODD = ("a/b", "a?b", "a#b", "a%2Fb", "a b", "a.json", "a&b=c", "~x", "大桥", "a\\b", '"><b>', "-")


def test_a_document_of_any_id_is_reached_by_its_links(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Ids from foreign archives may be anything; pages, results, tables and hints lead to them."""
    visits = [
        an_html_visit(
            name, f"2026-11-23T23:50:{n:02d}.000000Z", f"https://p.example/{n}", "harbour"
        )
        for n, name in enumerate(ODD)
    ]
    shelf = Shelf(a_collection(*(a_document(name) for name in ODD)), visits)
    client = Client(shelf, tmp_path_factory.mktemp("odd"))
    try:
        for path in ("/collection/harbour-bridge", "/search?q=harbour", "/provenance/capture"):
            found = set(re.findall(r'href="(/document/[^"]+)"', client.get(path).text))
            assert len(found) == len(ODD)
            titles = [client.get(unescape(link)).text.split("<h1>")[1] for link in found]
            assert {f"Title of {name}" for name in ODD} == {
                unescape(re.sub(r"<.*", "", re.sub(r"^\s*<bdi>", "", title), flags=re.DOTALL))
                for title in titles
            }
        hint = re.findall(r'href="(/document/[^"]+)"', client.get("/document/a%3Fbb").text)
        assert hint and all(client.get(unescape(link)).status_code == 200 for link in hint)
    finally:
        client.close()


def test_an_unknown_document_is_answered_with_near_ids(site: Client) -> None:
    """A misspelt id gets a 404 in our design that names the right one."""
    page = site.get("/document/gazete-article")
    assert page.status_code == 404
    assert 'href="/document/gazette-article"' in page.text
    twin = site.get("/document/gazete-article.json")
    assert twin.status_code == 404
    assert twin.json()["near"][0] == "/document/gazette-article"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/provenance/none", 404, "Not found"),
        ("/provenance/capture/none", 404, "Not found"),
        ("/provenance?sql=update+capture+set+url=1", 400, "Request not understood"),
        ("/-/threads", 404, "Not found"),
    ],
)
def test_errors_of_the_tables_are_told_in_our_design(
    site: Client, path: str, status: int, words: str
) -> None:
    """An error among Datasette's pages has a way back, to the collections and to the tables."""
    page = site.get(path, follow_redirects=True)
    assert page.status_code == status
    assert f"<h1>{words}</h1>" in page.text
    assert 'href="/provenance"' in page.text


def test_an_error_of_datasette_tells_nothing_of_the_machine(site: Client) -> None:
    """An exception nobody foresaw is a page, or JSON, without its message."""
    request = SimpleNamespace(path="/provenance/capture")
    attached = site_of(site.datasette)
    assert attached is not None
    page = answer_foreign(attached, request, OSError("/home-of/somebody/provenance.db"))
    assert page is not None and page.status == 500
    assert b"somebody" not in page.body
    request.path += ".json"
    told = answer_foreign(attached, request, OSError("/home-of/somebody/provenance.db"))
    assert told is not None and told.status == 500
    assert b"somebody" not in told.body and b'"ok": false' in told.body


def test_a_reading_that_takes_too_long_is_given_up(site: Client) -> None:
    """A page's reading ends at its limit and the answer says so."""
    attached = site_of(site.datasette)
    assert attached is not None
    endless = (
        "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c"
    )

    async def ask() -> None:
        await attached.read(lambda conn: conn.execute(endless).fetchone(), limit_ms=50)

    with pytest.raises(sqlite3.OperationalError) as given_up:
        asyncio.run(ask())
    answer = answer_fault(attached, SimpleNamespace(path="/search"), given_up.value)
    assert answer.status == 503
    assert b"longer than a page may take" in answer.body


def test_unknown_addresses_are_answered_in_our_design(site: Client) -> None:
    """No address outside Datasette's own gets its error page."""
    for path in (
        "/nonsense",
        "/capture/deadbeef00",
        "/capture/xyz",
        "/collection/none",
        "/view/zz",
    ):
        page = site.get(path)
        assert page.status_code == 404, path
        assert "site.css" in page.text, path


def test_an_ambiguous_prefix_lists_the_candidates(tmp_path: Path) -> None:
    """A prefix that fits several captures is answered with links to each of them."""
    ids = [f"sha256:abcdef01{digit * 56}" for digit in "23"]
    captures = [
        a_capture("minutes", text, at=n, capture_id=one)
        for n, (one, text) in enumerate(zip(ids, ("one", "two"), strict=True))
    ]
    database = build_index(tmp_path, *captures, texts=library("one", "two"))
    datasette = create_site(database, harbour())
    page = asyncio.run(datasette.client.get("/capture/abcdef01"))
    assert page.status_code == 300
    assert [f'href="/capture/{one}"' in page.text for one in ids] == [True, True]


def test_an_evidence_page_without_its_warc_file_says_so(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Where the file is not at hand, the page stands without the exchange."""
    shelf = harbour()
    client = Client(shelf, tmp_path_factory.mktemp("missing"))
    try:
        capture_id = client.newest("gazette-article")
        shelf.missing.add(capture_id)
        page = client.get(f"/capture/{capture_id}")
        assert page.status_code == 200
        assert "The WARC file that holds this capture is not at this site" in page.text
        assert "Check it now" not in page.text and "Look at it" not in page.text
        for path in ("/content/{}", "/view/{}/raw", "/view/{}/assembled", "/capture/{}.warc.gz"):
            for ask in (client.get, client.head):
                lost = ask(path.format(capture_id))
                assert lost.status_code == 404, path
            assert "id" in client.get(path.format(capture_id)).text
    finally:
        client.close()


def test_pages_work_below_a_base_url(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every link of ours starts with Datasette's base URL."""
    client = Client(harbour(), tmp_path_factory.mktemp("base"), settings={"base_url": "/archive/"})
    try:
        text = client.get("/document/gazette-article").text
        own = [
            link for link in re.findall(r'(?:href|src|action)="([^"]+)"', text) if link[0] == "/"
        ]
        assert own
        assert [link for link in own if not link.startswith("/archive/")] == []
    finally:
        client.close()


def test_a_collection_without_dates_of_publication_shows_its_years(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Captures of two years are enough for bars."""
    url = "https://council.example/pier"
    visits = [
        an_html_visit("pier", f"{year}-01-01T00:00:00.000000Z", url, f"<title>{year}</title>")
        for year in (2026, 2027)
    ]
    client = Client(Shelf(a_collection(a_document("pier")), visits), tmp_path_factory.mktemp("two"))
    try:
        page = client.get("/collection/harbour-bridge")
        assert page.status_code == 200
        assert 'class="years"' in page.text
    finally:
        client.close()


@pytest.mark.parametrize("path", ["/failures", "/search?q=bridge", "/collection/harbour-bridge"])
def test_a_page_number_of_any_length_is_no_fault(site: Client, path: str) -> None:
    """It is the last page that there may be."""
    joint = "&" if "?" in path else "?"
    assert site.get(f"{path}{joint}page={'9' * 5000}").status_code == 200


def test_a_page_behind_the_last_does_not_say_that_nothing_is_missing(site: Client) -> None:
    """It is empty, and says no more."""
    assert "Nothing: the last visit" not in site.get("/failures?page=99").text


def test_many_who_ask_at_once_have_the_front_page_read_once(site: Client) -> None:
    """All wait for the same reading."""
    found = site_of(site.datasette)
    assert found is not None
    reads = 0

    def ask(_conn: sqlite3.Connection) -> int:
        nonlocal reads
        reads += 1
        return reads

    async def many() -> list[int]:
        return list(await asyncio.gather(*(found.once("test", ask) for _ in range(9))))

    assert site.run(many()) == [1] * 9
