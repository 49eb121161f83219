"""The demo's web and server: exact bytes, clean framing, prompt ends."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from provenance.demo.bundle import (
    COLLECTION,
    LOCAL_DOCUMENT,
    read_page,
    write_local_file,
    write_seeds,
)
from provenance.demo.pdf import write_pdf
from provenance.demo.server import DemoServer
from provenance.demo.site import harbour_web
from provenance.demo.wire import chunk, parse_request
from provenance.model import AlternateRole, Document
from provenance.seeds import read_collections

WEB = harbour_web()
PAGES = [(host, path) for host, paths in WEB.first.items() for path in paths]
OPEN_ENDED = {("stoberg.example", "/presse/havnebroen.htm")}
CUT = ("deposit.example", "/keepers/openings-2020.html")
AUDIT = ("audit.example", "/reports/2021/harbour-bridge")
TIMEOUT_S = 10.0


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer() as running:
        yield running


def connect(server: DemoServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S)


def get(host: str, path: str, *fields: str, method: str = "GET") -> bytes:
    lines = (f"{method} {path} HTTP/1.1", f"Host: {host}", *fields)
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def read_all(client: socket.socket) -> bytes:
    received = b""
    while piece := client.recv(65536):
        received += piece
    return received


def read_exactly(client: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size and (piece := client.recv(size - len(received))):
        received += piece
    return received


def ask(server: DemoServer, request: bytes) -> bytes:
    """Send a request that ends the connection, and return all that comes back."""
    with connect(server) as client:
        client.sendall(request)
        return read_all(client)


def parse(raw: bytes) -> tuple[HTTPResponse, bytes]:
    """Read a response with the standard library's client, for want of a socket from memory."""

    class Wire:
        def makefile(self, *_: object) -> io.BytesIO:
            return io.BytesIO(raw)

    response = HTTPResponse(Wire())  # type: ignore[arg-type]
    response.begin()
    return response, response.read()


@pytest.mark.parametrize(("host", "path"), PAGES)
def test_every_page_arrives_byte_for_byte(server: DemoServer, host: str, path: str) -> None:
    """What a client receives is the page's bytes, and nothing after them."""
    received = ask(server, get(host, path, "Connection: close"))
    assert received == WEB.first[host][path].raw
    assert received.startswith(b"HTTP/1.")


@pytest.mark.parametrize("page", [*PAGES, ("nowhere.example", "/")])
def test_pages_are_framed_as_they_say(page: tuple[str, str]) -> None:
    """A page keeps the connection exactly when another client can tell where it ends."""
    served = WEB.page(*page, second=False)
    length = re.search(rb"(?im)^content-length:\s*(\d+)\r$", served.head)
    if length:
        assert (int(length[1]) == len(served.body)) is not served.closes
    elif b"\r\nTransfer-Encoding: chunked\r\n" in served.head:
        assert served.body.endswith(b"0\r\nX-Answers: 1287\r\n\r\n")
    else:
        assert page in OPEN_ENDED
        assert served.closes


def test_one_connection_carries_many_pages(server: DemoServer) -> None:
    """Well framed pages of any host follow each other on a kept connection."""
    kept = [page for page in PAGES if not WEB.page(*page, second=False).closes]
    assert len(kept) > 15
    with connect(server) as client:
        for host, path in kept:
            client.sendall(get(host, path))
            expected = WEB.first[host][path].raw
            assert read_exactly(client, len(expected)) == expected
    assert [(visit.host, visit.path) for visit in server.visits] == kept


def test_a_cut_page_ends_half_way(server: DemoServer) -> None:
    """The cut page announces its whole length, sends the first half and closes by itself."""
    received = ask(server, get(*CUT))
    head, _, body = received.partition(b"\r\n\r\n")
    whole = read_page("bridge-openings.html")
    assert f"Content-Length: {len(whole)}".encode() in head
    assert body == whole[: len(whole) // 2]


def test_the_page_without_a_length_ends_with_the_connection(server: DemoServer) -> None:
    """An HTTP/1.0 page without a length is closed after its last byte."""
    (page,) = OPEN_ENDED
    assert ask(server, get(*page)).endswith(b"</html>\n")


def test_the_second_version_comes_after_its_release(server: DemoServer) -> None:
    """One address answers with the first report, and after the release with the second."""
    first = ask(server, get(*AUDIT, "Connection: close"))
    server.release_second_version()
    second = ask(server, get(*AUDIT, "Connection: close"))
    assert b"52.1 million" in first and b"51.4 million" not in first
    assert b"51.4 million" in second and b"52.1 million" not in second
    others = [page for page in PAGES if page != AUDIT]
    assert all(WEB.page(*page, second=True) == WEB.page(*page, second=False) for page in others)


def test_a_known_entity_tag_gets_304(server: DemoServer) -> None:
    """Who has this version is told so without a body; who has another gets the page."""
    held = get(*AUDIT, 'If-None-Match: "x", W/"rao-2021-4-v1"', "Connection: close")
    answer = ask(server, held)
    assert answer.startswith(b"HTTP/1.1 304 ")
    assert answer.endswith(b'ETag: "rao-2021-4-v1"\r\n\r\n')
    server.release_second_version()
    assert b"51.4 million" in ask(server, held)


@pytest.mark.parametrize(
    ("host", "path"),
    [("nowhere.example", "/"), ("gazette.example", "/robots.txt"), ("gazette.example:81", "/")],
)
def test_what_is_not_there_is_a_clean_404(server: DemoServer, host: str, path: str) -> None:
    """An unknown host or path gets a whole 404 page."""
    response, body = parse(ask(server, get(host, path, "Connection: close")))
    assert response.status == 404
    assert len(body) == int(response.headers["content-length"]) > 0


@pytest.mark.parametrize("host", ["AUDIT.example", "audit.example:80"])
def test_the_host_field_is_read_as_an_authority(server: DemoServer, host: str) -> None:
    """Neither case nor the default port changes which host is meant."""
    assert b"52.1 million" in ask(server, get(host, AUDIT[1], "Connection: close"))


def test_head_gets_the_head_alone(server: DemoServer) -> None:
    """A HEAD request gets the same head and no body."""
    assert ask(server, get(*AUDIT, "Connection: close", method="HEAD")) == (
        WEB.first[AUDIT[0]][AUDIT[1]].head
    )


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: audit.example\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (get("audit.example", "/", method="DELETE"), 405),
        (get("audit.example", "/", "Content-Length: 4"), 405),
        (b"GET / HTTP/1.0\r\n\r\n", 404),
    ],
)
def test_other_requests_end_the_connection(
    server: DemoServer, request_bytes: bytes, status: int
) -> None:
    """A request that is broken, of another method or with a body is refused and the line closed."""
    response, _ = parse(ask(server, request_bytes))
    assert response.status == status


def test_an_endless_head_is_dropped(server: DemoServer) -> None:
    """The server reads no more than its bound of a head, and goes on with other clients."""
    with connect(server) as client, pytest.raises(OSError):
        for _ in range(1000):
            client.sendall(b"a" * 65536)
    assert server.visits == ()
    assert b"52.1 million" in ask(server, get(*AUDIT, "Connection: close"))


def test_visits_keep_the_request_bytes(server: DemoServer) -> None:
    """The log holds host, path with query, and the request as it was sent."""
    sent = get("Gazette.example", "/?q=%41", "X-ODD:value", "Connection: close")
    ask(server, sent)
    (visit,) = server.visits
    assert (visit.host, visit.path, visit.raw) == ("gazette.example", "/?q=%41", sent)


@pytest.mark.parametrize("name", ["gazette.example", "GAZETTE.EXAMPLE", "gazette.example."])
def test_the_resolver_leads_to_the_listener(server: DemoServer, name: str) -> None:
    """A host of the web is found at the listener, however its name is written."""
    assert server.resolve(name, 80) == ((socket.AF_INET, ("127.0.0.1", server.port)),)


def test_another_port_refuses(server: DemoServer) -> None:
    """At any port but 80 the resolver leads to an address that refuses."""
    ((_, where),) = server.resolve("council.example", 8080)
    assert where[1] != server.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(where, timeout=TIMEOUT_S)


@pytest.mark.parametrize("name", ["ferry-users.example", "localhost", "example.com", ""])
def test_other_hosts_do_not_resolve(server: DemoServer, name: str) -> None:
    """A host outside the web has no address."""
    with pytest.raises(socket.gaierror) as caught:
        server.resolve(name, 80)
    assert caught.value.errno == socket.EAI_NONAME


def test_leaving_ends_every_thread_and_connection() -> None:
    """After the context nothing listens, open connections are at their end, no thread is left."""
    before = set(threading.enumerate())
    with DemoServer() as server:
        where = ("127.0.0.1", server.port)
        idle, busy = connect(server), connect(server)
        busy.sendall(get(*AUDIT))
        assert busy.recv(1)
    assert set(threading.enumerate()) <= before
    with idle, busy:
        assert idle.recv(1) == b""
        read_all(busy)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(where, timeout=TIMEOUT_S)
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.port


def test_a_server_can_run_again() -> None:
    """The same server serves in a second context."""
    server = DemoServer()
    for _ in range(2):
        with server:
            assert b"52.1 million" in ask(server, get(*AUDIT, "Connection: close"))


def through_the_demo(server: DemoServer, url: str) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    session.proxies = {"http": f"http://127.0.0.1:{server.port}"}
    return session.get(url, timeout=TIMEOUT_S)


def test_the_redirects_cross_hosts(server: DemoServer) -> None:
    """The fund's address leads by 301 to another host and by 302 to the deed."""
    response = through_the_demo(server, "http://council.example/go/bridge-fund")
    assert [hop.status_code for hop in response.history] == [301, 302]
    assert response.url == "http://deposit.example/files/bridge-fund-2019.html"
    assert response.content == read_page("bridge-fund.html")


def test_a_client_gets_the_chunked_page_whole(server: DemoServer) -> None:
    """Chunks, an extension and a trailer come down to the page's own bytes."""
    url = "http://council.example/consultation/2019/answers"
    assert through_the_demo(server, url).content == read_page("council-consultation.html")
    raw = WEB.first["council.example"]["/consultation/2019/answers"].body
    assert raw.startswith(b"200;part=head\r\n")


def test_the_readings_are_packed_whatever_is_asked_for(server: DemoServer) -> None:
    """A client that asks for identity gets gzip all the same, and inside it the page."""
    url = "/studies/harbour-bridge/readings.html"
    asked = get("institute.example", url, "Accept-Encoding: identity", "Connection: close")
    response, body = parse(ask(server, asked))
    assert response.headers["content-encoding"] == "gzip"
    # After a change of the page: gzip -9nkf institute-readings.html
    assert gzip.decompress(body) == read_page("institute-readings.html")


def test_the_chinese_statement_is_gb18030(server: DemoServer) -> None:
    """The bytes decode as the field says, and not as the narrower set that the page names."""
    asked = get("lanwan-port.example", "/news/20201105.html", "Connection: close")
    response, body = parse(ask(server, asked))
    assert response.headers.get_content_charset() == "gb18030"
    assert "船舶平均等待时间为14分钟" in body.decode("gb18030")
    assert b"charset=gb2312" in body
    with pytest.raises(UnicodeDecodeError):
        body.decode("gb2312")
    with pytest.raises(UnicodeDecodeError):
        body.decode("gbk")


def test_the_danish_statement_is_latin_1_without_saying_so(server: DemoServer) -> None:
    """The page decodes as Latin-1, is no UTF-8, and names no charset anywhere."""
    raw = ask(server, get("stoberg.example", "/presse/havnebroen.htm"))
    assert "»Det er den største opgave, vi har løst" in raw.decode("latin-1")
    assert b"charset" not in raw.lower()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")


def test_header_oddities_are_sent() -> None:
    """The heads hold what real servers send: repeats, odd case and spacing, a fold, a raw byte."""
    heads = b"".join(page.head for paths in WEB.first.values() for page in paths.values())
    assert heads.count(b"\r\nSet-Cookie: ") == 2
    for oddity in (
        b"\r\nX-A:nospace\r\n",
        b"\r\nX-Padded:    four spaces before, two after  \r\n",
        b"\r\nX-Office: Harbour Office,\r\n\tCustom House, Vellhaven\r\n",
        b"\r\nX-Empty:\r\n",
        b"\r\nServer: St\xf8berg Web 1.3\r\n",
        b"HTTP/1.1 200 \r\n",
        b"\r\ncontent-LENGTH: ",
    ):
        assert heads.count(oddity) == 1, oddity


def test_the_challenge_carries_the_marks() -> None:
    """The bot wall answers 200 with the title, script path and field that give it away."""
    page = WEB.first["estuary-post.example"]["/2021/02/bridge-traffic"]
    assert page.head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\ncf-mitigated: challenge\r\n" in page.head
    assert b"<title>Just a moment...</title>" in page.body
    assert b"/cdn-cgi/challenge-platform/" in page.body


def test_the_minutes_are_a_pdf_of_three_pages() -> None:
    """A strict reader opens the minutes and finds title, author and each page's lines."""
    body = WEB.first["council.example"]["/minutes/2020-06-09.pdf"].body
    reader = PdfReader(io.BytesIO(body), strict=True)
    assert reader.metadata is not None
    assert (
        reader.metadata.title == "Town Council of Vellhaven: Minutes of the meeting of 9 June 2020"
    )
    assert reader.metadata.author == "Petra Lowe"
    expected = read_page("council-minutes.txt").decode().replace("# ", "").split("\f")
    found = [page.extract_text() for page in reader.pages]
    assert [squeeze(text) for text in found] == [squeeze(text) for text in expected]
    assert "stands at 48.6 million crowns" in found[1]


def squeeze(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_pdf_text_may_hold_special_characters() -> None:
    """Brackets, backslashes and letters beyond ASCII come back out of the PDF."""
    lines = ["a (b) c) (d \\ e", "Støberg § 12 – “so”"]
    raw = write_pdf([lines], title="(t)\\", author="Åse", created="D:20200101", language="da")
    reader = PdfReader(io.BytesIO(raw), strict=True)
    assert squeeze(reader.pages[0].extract_text()) == lines
    assert reader.metadata is not None
    assert reader.metadata.title == "(t)\\"


@settings(max_examples=50, deadline=None)
@given(
    body=st.binary(max_size=400),
    sizes=st.lists(st.integers(1, 90), max_size=6),
    extension=st.sampled_from([b"", b";a=b", b';a="b"']),
    trailer=st.sampled_from([(), (b"X-T: 1",), (b"X-T: 1", b"X-U: 2")]),
)
def test_chunks_are_read_back(
    body: bytes, sizes: list[int], extension: bytes, trailer: tuple[bytes, ...]
) -> None:
    """Whatever the sizes, a client puts the chunks together to the same body."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    framed = chunk(body, sizes=sizes, extension=extension, trailer=trailer)
    assert parse(head + framed)[1] == body


def test_an_absolute_target_outweighs_the_host_field() -> None:
    """As at a proxy, the target's authority is the host, its path and query the path."""
    request = parse_request(b"GET HTTP://A.example:80?q=1 HTTP/1.1\r\nHost: b.example\r\n\r\n")
    assert request is not None
    assert (request.host, request.path) == ("a.example", "/?q=1")


def test_no_byte_depends_on_zone_locale_or_hash_seed() -> None:
    """Another process in another zone, locale and hash seed builds the same web."""
    program = (
        "import hashlib; from provenance.demo.site import harbour_web; w = harbour_web();"
        "print(hashlib.sha256(b''.join(p.raw for r in (w.first, w.second)"
        " for h in r.values() for p in h.values())).hexdigest())"
    )
    environ = {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    printed = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, check=True, text=True
    )
    pages = (
        page
        for release in (WEB.first, WEB.second)
        for paths in release.values()
        for page in paths.values()
    )
    digest = hashlib.sha256(b"".join(page.raw for page in pages)).hexdigest()
    assert printed.stdout.strip() == digest


def documents_of(directory: Path) -> tuple[Document, ...]:
    write_seeds(directory)
    (collection,) = read_collections(directory)
    assert collection.id == COLLECTION
    return collection.documents


def test_the_seeds_ask_for_what_the_web_serves(tmp_path: Path) -> None:
    """Each address of the seeds has a page, but for the dead host and the dead port."""
    documents = documents_of(tmp_path)
    urls = [document.url for document in documents if document.url is not None]
    urls += [alternate.url for document in documents for alternate in document.alternates]
    pages = [(urlsplit(url).netloc, urlsplit(url).path) for url in urls]
    assert {page for page in pages if WEB.page(*page, second=False) is WEB.not_found} == {
        ("ferry-users.example", "/bridge/"),
        ("council.example:8080", "/counter"),
    }


def test_the_seeds_leave_two_documents_without_an_address(tmp_path: Path) -> None:
    """One document is wanted, and one is added from the local file."""
    wanted = [document.id for document in documents_of(tmp_path) if document.url is None]
    assert wanted == ["load-test-protocol", LOCAL_DOCUMENT]


def test_the_seeds_show_relations_and_alternates(tmp_path: Path) -> None:
    """The collection has several kinds of relation and of alternate address."""
    documents = documents_of(tmp_path)
    assert len({tie.kind for document in documents for tie in document.relations}) == 4
    assert {other.role for document in documents for other in document.alternates} == {
        AlternateRole.REPUBLICATION,
        AlternateRole.SAME_DOCUMENT,
    }


def test_the_article_links_to_the_documents(tmp_path: Path) -> None:
    """Every absolute link in the article is the address of a document of the collection."""
    urls = {document.url for document in documents_of(tmp_path)}
    article = read_page("gazette-article.html").decode("utf-8")
    links = set(re.findall(r'<a href="(http://[^"]+)"', article))
    assert len(links) == 10
    assert links <= urls


def test_the_local_file_is_a_letter_in_utf_8(tmp_path: Path) -> None:
    """The letter to add is written as it ships, with letters beyond ASCII."""
    path = write_local_file(tmp_path)
    raw = path.read_bytes()
    assert path.name == "pilots-letter.txt"
    assert raw.decode("utf-8").endswith("Wanja Thørn\n")
    assert not raw.isascii()
