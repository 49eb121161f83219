"""The pages as a Memento service (RFC 7089): TimeGate, TimeMaps, mementos, and odd addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.dates import format_http_date, format_instant
from provenance.gather.memento import MementoHead, read_memento_head
from provenance.gather.timemaps import TimeMap, nearest, read_timemap
from provenance.http_message import parse_response_head
from provenance.model import OutcomeKind
from provenance.web.originals import in_link, spellings
from provenance.web.policy import ARCHIVED_HEADERS, DOWNLOAD_HEADERS
from provenance.web.timegates import MAP_SIZE
from tests.web_client import Client
from tests.web_fixture import Shelf, Visit, a_collection, a_document, an_html_visit, harbour
from tests.web_server import exchanged, served

ORIGIN = "http://localhost"
ARTICLE = "https://gazette.example/2021/03/08/harbour-bridge-half-a-year.html"
MINUTES = "http://council.example/minutes/2020-06-09.pdf"
ASKED = "https://audit.example/reports/2021/harbour-bridge"
ANSWERED = "https://audit.example/en/reports/2021/harbour-bridge/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(harbour(), tmp_path_factory.mktemp("memento"))
    yield client
    client.close()


def head_of(answer: object, url: str) -> MementoHead:
    """Return an answer as our own client of archives reads it."""
    lines = [f"HTTP/1.1 {answer.status_code} X"]  # type: ignore[attr-defined]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]  # type: ignore[attr-defined]
    head = parse_response_head("\r\n".join([*lines, "", ""]).encode("latin-1"))
    assert head is not None
    return read_memento_head(head, url=url)


def gate(site: Client, original: str, at: str | None = None) -> MementoHead:
    """Ask the TimeGate."""
    fields = {} if at is None else {"accept-datetime": at}
    url = f"{ORIGIN}/timegate/{original}"
    return head_of(site.get(f"/timegate/{original}", headers=fields), url)


def listed(site: Client, original: str, form: str = "link") -> TimeMap:
    """Read a TimeMap with our own client."""
    answer = site.get(f"/timemap/{form}/{original}")
    assert answer.status_code == 200
    return read_timemap(answer.text, url=f"{ORIGIN}/timemap/{form}/{original}")


def kept(site: Client, document: str) -> list[str]:
    return [
        str(capture.capture_id)
        for capture in site.shelf.of(document)
        if capture.outcome in ("captured", "unchanged", "truncated")
    ]


@pytest.mark.parametrize(
    ("at", "place"),
    [
        (None, 2),
        ("Mon, 08 Mar 2021 20:00:00 GMT", 0),
        ("Tue, 01 Sep 2026 08:02:11 GMT", 0),
        ("Thu, 01 Oct 2026 08:02:12 GMT", 1),
        ("Mon, 02 Nov 2026 08:02:11 GMT", 2),
        ("Sun, 01 Jan 2090 00:00:00 GMT", 2),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 2),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 0),
    ],
)
def test_the_gate_sends_on_to_the_nearest_version(site: Client, at: str | None, place: int) -> None:
    """Without a date to the newest; a failed visit is none, whatever its date."""
    found = gate(site, ARTICLE, at)
    versions = kept(site, "gazette-article")
    assert found.status == 302
    assert found.location == f"{ORIGIN}/view/{versions[place]}/raw"
    assert found.negotiated and found.instant is None
    assert found.original == ARTICLE
    assert found.links.timemap == f"{ORIGIN}/timemap/link/{ARTICLE}"
    assert found.links.timegate is None
    assert found.links.first == datetime(2026, 9, 1, 8, 2, 11, tzinfo=UTC)
    assert found.links.last == datetime(2026, 11, 23, 23, 49, 33, tzinfo=UTC)
    assert found.location in [url for url, _ in found.links.mementos]


def test_of_two_equally_near_the_earlier_is_chosen(site: Client) -> None:
    """The middle between two whole seconds belongs to the first."""
    first = datetime(2026, 9, 1, 8, 2, 11, tzinfo=UTC)
    second = datetime(2026, 10, 1, 8, 2, 12, tzinfo=UTC)
    middle = first + (second - first) // 2
    versions = kept(site, "gazette-article")
    for at, place in ((middle, 0), (middle + timedelta(seconds=1), 1)):
        location = gate(site, ARTICLE, format_http_date(at)).location
        assert location == f"{ORIGIN}/view/{versions[place]}/raw"


@pytest.mark.parametrize("at", ["", "yesterday", "2026-09-01T08:02:11Z", "Tue, 31 Feb 2026 0:0:0"])
def test_a_date_that_is_none_is_told(site: Client, at: str) -> None:
    """400, with the links and the Vary field that any answer of a gate has."""
    found = gate(site, ARTICLE, at)
    assert (found.status, found.negotiated) == (400, True)
    assert found.original == ARTICLE and found.links.timemap is not None


@pytest.mark.parametrize(
    "original",
    [
        "https://gazette.example/never",
        "https://council.example/go/bridge-fund",
        "https://gazette.example/columns/2021/01/waiting-for-the-bridge.html",
        "https://ferry-users.example/bridge/",
        "urn:isbn:0",
        "x" * 9000,
        "%FF%00",
        "http:",
    ],
)
def test_what_has_no_version_is_not_found(site: Client, original: str) -> None:
    """Unknown addresses, challenge pages, error pages and failures are no mementos."""
    for way in ("timegate/", "timemap/link/", "timemap/json/", "timegate/2026id_/"):
        assert site.get(f"/{way}{original}").status_code == 404
    assert "accept-datetime" in site.get(f"/timegate/{original}").headers["vary"]


@pytest.mark.parametrize("document", ["gazette-article", "council-minutes", "institute-photo"])
def test_a_memento_says_of_what_and_of_when_it_is(site: Client, document: str) -> None:
    """The bytes of the capture under the headers that archived bytes always have."""
    for capture_id in kept(site, document):
        capture = site.shelf.captures[capture_id]
        (memento,) = [
            one for one in listed(site, str(capture.url)).mementos if capture_id in one.url
        ]
        shown = "/view/" in memento.url
        assert shown == (document != "council-minutes")
        answer = site.get(memento.url.removeprefix(ORIGIN))
        assert answer.content == site.shelf.contents[str(capture.content_id)]
        told = head_of(answer, memento.url)
        assert told.instant == memento.instant
        assert format_instant(memento.instant)[:19] == capture.captured_at[:19]
        assert told.original == capture.url
        assert told.links.timegate == f"{ORIGIN}/timegate/{capture.url}"
        assert told.links.timemap == f"{ORIGIN}/timemap/link/{capture.url}"
        assert 'rel="collection"' in answer.headers["link"]
        for name, value in (ARCHIVED_HEADERS if shown else DOWNLOAD_HEADERS).items():
            assert answer.headers[name] == value
        assert site.head(memento.url.removeprefix(ORIGIN)).headers["memento-datetime"]


def test_what_was_added_by_hand_counts_under_its_address(site: Client) -> None:
    """With the date that the index has, and a link to the page that tells how it came."""
    (capture,) = site.shelf.of("pilots-letter")
    found = gate(site, str(capture.url))
    assert found.location == f"{ORIGIN}/view/{capture.capture_id}/raw"
    memento = site.get(found.location.removeprefix(ORIGIN))
    assert memento.headers["memento-datetime"] == "Mon, 23 Nov 2026 23:51:00 GMT"
    assert f"/capture/{capture.capture_id}>" in memento.headers["link"]


def test_a_document_page_leads_to_the_timemaps(site: Client, odd: Client) -> None:
    """Of the newest version's address, odd ones too; none where there is no version."""
    for client in (site, odd):
        for document in {str(one.document) for one in client.shelf.captures.values()}:
            page = client.get(f"/document/{document}").text
            paths = re.findall(r'href="(/timemap/[^"]+)"', page)
            assert len(paths) == (2 if kept(client, document) else 0)
            for path in paths:
                assert client.get(unescape(path)).status_code == 200


def test_a_content_has_no_date_of_its_own(site: Client) -> None:
    """Two visits brought the same bytes: their content's address is a memento of neither."""
    capture = site.shelf.of("gazette-article")[0]
    for name in (str(capture.content_id), str(capture.capture_id)[:20]):
        answer = site.get(f"/content/{name}")
        assert answer.status_code == 200 and "memento-datetime" not in answer.headers
    refused = next(c for c in site.shelf.of("bridge-fund"))
    assert "memento-datetime" not in site.get(f"/content/{refused.capture_id}").headers


def test_a_redirected_visit_is_a_memento_of_both_addresses(site: Client) -> None:
    """Of the one that answered, and of the one asked for; each says which it is of."""
    (capture_id,) = kept(site, "audit-report")
    for original, path in ((ANSWERED, "raw"), (ASKED, "raw?asked=1")):
        found = gate(site, original)
        assert found.original == original
        assert found.location == f"{ORIGIN}/view/{capture_id}/{path}"
        answer = site.get(found.location.removeprefix(ORIGIN))
        assert head_of(answer, found.location).original == original
        assert [one.url for one in listed(site, original).mementos] == [found.location]


def test_timemaps_have_every_version_in_both_forms(site: Client) -> None:
    """Oldest first, the first and the last marked; JSON says the same."""
    answer = site.get(f"/timemap/link/{ARTICLE}")
    assert answer.headers["content-type"] == "application/link-format"
    assert answer.text.count('rel="first memento"') == answer.text.count('rel="last memento"') == 1
    assert f'<{ORIGIN}/timemap/link/{ARTICLE}>; rel="self"' in answer.text
    assert 'from="Tue, 01 Sep 2026 08:02:11 GMT"; until="Mon, 23 Nov 2026' in answer.text
    links, values = listed(site, ARTICLE), listed(site, ARTICLE, "json")
    assert links.mementos == values.mementos
    assert [one.url for one in links.mementos] == [
        f"{ORIGIN}/view/{capture_id}/raw" for capture_id in kept(site, "gazette-article")
    ]
    assert links.original == values.original == ARTICLE
    assert links.timegate == values.timegate == f"{ORIGIN}/timegate/{ARTICLE}"
    assert links.pages == values.pages == ()
    assert 'rel="first last memento"' in site.get(f"/timemap/link/{MINUTES}").text


def test_gate_and_timemap_choose_alike(site: Client) -> None:
    """The gate's choice is the one that a client makes from the list."""
    mementos = listed(site, ARTICLE).mementos
    day = datetime(2026, 8, 20, tzinfo=UTC)
    for _ in range(60):
        day += timedelta(days=2, seconds=1)
        chosen = nearest(mementos, day)
        assert chosen is not None
        assert gate(site, ARTICLE, format_http_date(day)).location == chosen.url


def test_a_memento_can_be_had_by_its_date(site: Client) -> None:
    """As replay tools build addresses: at once with the exact date, by a redirect with another."""
    content = site.shelf.contents[str(site.shelf.of("gazette-article")[0].content_id)]
    exact = f"/timegate/20260901080211id_/{ARTICLE}"
    answer = site.get(exact)
    assert answer.content == content
    assert answer.headers["memento-datetime"] == "Tue, 01 Sep 2026 08:02:11 GMT"
    assert answer.headers["content-location"].endswith(f"{kept(site, 'gazette-article')[0]}/raw")
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    for stamp in ("2021", "20260901id_", "20260901080210", "20260901080212id_"):
        answer = site.get(f"/timegate/{stamp}/{ARTICLE}")
        assert (answer.status_code, answer.headers["location"]) == (302, ORIGIN + exact)
        assert "memento-datetime" not in answer.headers
    assert site.get(f"/timegate/20261301000000id_/{ARTICLE}").status_code == 404
    saved = site.get(f"/timegate/2026id_/{MINUTES}").headers["location"]
    assert "attachment" in site.get(saved.removeprefix(ORIGIN)).headers["content-disposition"]


def test_other_sites_may_read_where_datasettes_cors_is_on(tmp_path: Path) -> None:
    """The same rule as for every other answer to programs."""
    client = Client(harbour(), tmp_path)
    try:
        ways = [f"/{way}/{ARTICLE}" for way in ("timegate", "timemap/link", "timemap/json")]
        for path in ways:
            assert "access-control-allow-origin" not in client.get(path).headers
        client.datasette.cors = True
        for path in ways:
            assert client.get(path).headers["access-control-allow-origin"] == "*"
    finally:
        client.close()


AT = "2026-11-23T23:50:00.000000Z"
HELD = (
    "https://h.example/a?b=1&c=%2Fd",
    "https://h.example/桥",
    "https://h.example/%E8%B7%AF",
    "http://h.example/f#part",
    "http://h.example",
    "https://h.example/x//y",
    "https://h.example/a%20b;c,d?e=%2Ff&&g",
    "https://h.example/both",
    "http://h.example/both",
    "https://h.example/plus?q=a+b",
    "https://h.example/%25",
    "http://h.example:8080/p",
    "https://h.example/timemap/link/x",
    "https://h.example/doc.json",
)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    shelf = Shelf(
        a_collection(*(a_document(f"d{place}", url=url) for place, url in enumerate(HELD))),
        [
            an_html_visit(f"d{place}", AT, url, f"<p>document {place}</p>")
            for place, url in enumerate(HELD)
        ],
    )
    client = Client(shelf, tmp_path_factory.mktemp("odd"))
    yield client
    client.close()


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ("https://h.example/a?b=1&c=%2Fd", 0),
        ("https:/h.example/a?b=1&c=%2Fd", 0),
        ("HTTPS://H.Example/a?b=1&c=%2Fd", 0),
        ("https://h.example:443/a?b=1&c=%2Fd", 0),
        ("https%3A%2F%2Fh.example%2Fa%3Fb%3D1%26c%3D%252Fd", 0),
        ("https%3a//h.example/a%3Fb=1&c=%252Fd%23there", 0),
        ("h.example/a?b=1&c=%2Fd", 0),
        ("http://h.example/a?b=1&c=%2Fd", 0),
        ("https://h.example/%E6%A1%A5", 1),
        ("https://h.example/%e6%a1%a5", 1),
        ("https://h.example/%E8%B7%AF", 2),
        ("http://h.example/f", 3),
        ("http://h.example/f/", 3),
        ("http://h.example/", 4),
        ("http://h.example", 4),
        ("https://h.example", 4),
        ("h.example", 4),
        ("https://h.example/x//y", 5),
        ("https://h.example/a%20b;c,d?e=%2Ff&&g", 6),
        ("https://h.example/both", 7),
        ("http://h.example/both", 8),
        ("https://h.example/plus?q=a+b", 9),
        ("https://h.example/%25", 10),
        ("https%3A%2F%2Fh.example%2F%2525", 10),
        ("h.example:8080/p", 11),
        ("https://h.example/timemap/link/x", 12),
        ("https://h.example/doc.json", 13),
    ],
)
def test_an_address_is_found_as_the_index_has_it(odd: Client, asked: str, place: int) -> None:
    """Queries, escapes, letters, fragments, no scheme, one slash, the other scheme."""
    (capture,) = odd.shelf.of(f"d{place}")
    found = gate(odd, asked)
    assert found.location == f"{ORIGIN}/view/{capture.capture_id}/raw"
    assert [one.url for one in listed(odd, asked).mementos] == [found.location]
    # What the answer names leads back to the same memento.
    told = head_of(odd.get(found.location.removeprefix(ORIGIN)), found.location)
    assert told.original == found.original and told.links.timegate is not None
    assert odd.get(told.links.timegate.removeprefix(ORIGIN)).headers["location"] == found.location
    by_date = odd.get(f"/timegate/20261123235000id_/{asked}")
    assert by_date.text == f"<p>document {place}</p>"


@pytest.mark.parametrize(
    "asked",
    [
        "https://h.example/a?b=1",
        "https://h.example/a",
        "https://h.example/A?b=1&c=%2Fd",
        "https://h.example/a?b=1&c=/d",
        "https://h.example/plus?q=a%20b",
        "https://h.example/x/y/z",
        "https://h.example/%2525",
        "http://h.example:8081/p",
    ],
)
def test_another_address_is_not_found(odd: Client, asked: str) -> None:
    """No guess: another query, another case, another escape is another resource."""
    assert odd.get(f"/timegate/{asked}").status_code == 404


def test_both_schemes_count_where_none_is_named(odd: Client) -> None:
    """Of `h.example/both` there are two mementos, under two addresses."""
    assert len(listed(odd, "h.example/both").mementos) == 2


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_has_spellings_and_a_form_for_links(path: str, query: str) -> None:
    """Whatever is asked, nothing breaks, and a link stays a link of one line."""
    found = spellings(path, query)
    assert not set(found.same) & set(found.near)
    for one in (path, *found.same, *found.near):
        linked = in_link(one)
        assert linked.isascii() and not set(linked) & set('<>"\r\n #\\')
        assert in_link(linked) == linked


def test_more_mementos_than_one_page_takes(tmp_path: Path) -> None:
    """Pages lead to each other, and together list every capture once; the gate knows them all."""
    url = "https://h.example/often"
    start = datetime(2020, 1, 1, tzinfo=UTC)
    visits = [
        Visit(
            document="often",
            at=format_instant(start + timedelta(hours=hour)),
            url=url,
            outcome=OutcomeKind.CAPTURED if hour == 0 else OutcomeKind.UNCHANGED,
            head=b"HTTP/1.1 200 OK\r\n\r\n",
            content=b"same",
            media_type="text/plain",
        )
        for hour in range(MAP_SIZE + 3)
    ]
    client = Client(Shelf(a_collection(a_document("often", url=url)), visits), tmp_path)
    try:
        for form in ("link", "json"):
            one, two = listed(client, url, form), listed(client, f"2/{url}", form)
            assert (len(one.mementos), len(two.mementos)) == (MAP_SIZE, 3)
            assert len({each.url for each in one.mementos + two.mementos}) == MAP_SIZE + 3
            assert [page.url for page in one.pages] == [f"{ORIGIN}/timemap/{form}/2/{url}"]
            assert [page.url for page in two.pages] == [f"{ORIGIN}/timemap/{form}/{url}"]
        links = listed(client, url)
        assert links.pages[0].since == start + timedelta(hours=MAP_SIZE)
        text = client.get(f"/timemap/link/{url}").text
        assert 'rel="first memento"' in text and "last memento" not in text
        assert 'rel="last memento"' in client.get(f"/timemap/link/2/{url}").text
        assert client.get(f"/timemap/link/3/{url}").status_code == 404
        at = start + timedelta(hours=4321, minutes=12)
        (wanted,) = [one for one in links.mementos if one.instant == at - timedelta(minutes=12)]
        assert gate(client, url, format_http_date(at)).location == wanted.url
    finally:
        client.close()


def test_addresses_reach_a_real_server_as_they_are(tmp_path: Path) -> None:
    """Two slashes, dots, escapes and queries pass; what is no HTTP does no harm."""
    dotted = "https://h.example/x/../y//z?a=/../&b=%2e%2e"
    visit = an_html_visit("dots", AT, dotted, "<p>dots</p>")
    shelf = Shelf(a_collection(a_document("dots", url=dotted)), [visit])
    with served(shelf, tmp_path) as address:

        def ask(target: bytes) -> tuple[int, bytes]:
            lines = [b"GET " + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close"]
            answer = exchanged(address, b"\r\n".join([*lines, b"", b""]))
            return int(answer.split()[1]), answer

        status, answer = ask(b"/timegate/" + dotted.encode())
        memento = f"/view/{shelf.of('dots')[0].capture_id}/raw".encode()
        assert status == 302 and b"\r\nlocation: http://localhost" + memento in answer
        status, answer = ask(memento)
        assert f"<http://localhost/timegate/{dotted}>".encode() in answer
        assert ask(b"/timegate/20261123235000id_/" + dotted.encode())[0] == 200
        assert ask(b"http://other.example/timegate/" + dotted.encode())[0] == 400
        for odd_target in (b"/timegate/https://\xe6\xa1\xa5.example/", b"/timegate/..//..//"):
            assert ask(odd_target)[0] in (400, 404)
