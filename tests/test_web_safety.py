"""Nothing archived reaches a page unescaped, and every response carries its policy."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from datasette.app import Datasette

from provenance.web import plugin
from provenance.web.attachment import site_of
from provenance.web.policy import (
    ARCHIVED_POLICY,
    DATASETTE_POLICY,
    DOWNLOAD_POLICY,
    PAGE_POLICY,
    Message,
    Receive,
    Scope,
    Send,
    with_policy,
)
from tests.web_client import Client
from tests.web_fixture import Shelf, a_collection, a_document, an_html_visit, harbour
from tests.web_hostile import RUN, hostile

OURS = frozenset({"site.js"})


class Elements(HTMLParser):
    """Collect the tags, attributes and text that a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(hostile(), tmp_path_factory.mktemp("hostile"))
    yield client
    client.close()


def paths(site: Client) -> list[str]:
    failed, first = site.newest("every-string"), site.shelf.of("every-string")[0].capture_id
    picture = site.newest("picture")
    saved, challenge = (capture.capture_id for capture in site.shelf.of("saved"))
    return [
        "/",
        "/collection/harbour-bridge",
        "/collection/%22%3E%3Cscript%3E",
        "/collection/harbour-bridge?state=%22%3E%3Cscript%3Ex&role=%3Cimg%20src=x%20onerror=1%3E",
        "/document/every-string",
        "/document/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        f"/capture/{first}",
        f"/capture/{failed}",
        "/capture/%3Cscript%3E",
        f"/view/{first}",
        f"/view/{picture}",
        f"/capture/{saved}",
        f"/capture/{challenge}",
        f"/view/{saved}",
        f"/view/{challenge}",
        "/document/saved",
        "/search?q=harbour&all=1",
        "/search?q=%3Cscript%3Ewindow.pwned%3C/script%3E&role=%22%3E%3Cscript%3E",
        "/%3Cscript%3E",
    ]


def test_no_archived_string_becomes_markup(site: Client) -> None:
    """On no page of ours is there a script, handler, style or link but those in the templates."""
    for path in paths(site):
        text = site.get(path, follow_redirects=True).text
        for tag, attributes in Elements(text).found:
            if tag == "script":
                assert "site.js" in str(attributes.get("src")), path
            assert tag not in ("object", "embed", "base", "style"), path
            assert not [name for name in attributes if name.startswith("on")], path
            assert "style" not in attributes, path
            for name in ("href", "src", "action"):
                value = attributes.get(name) or ""
                assert re.match(r"/|https?://|#", value) or not value, (path, value)


def test_links_to_the_outside_are_marked(site: Client) -> None:
    """A link that leaves the site says `noopener noreferrer nofollow`; `javascript:` is text."""
    text = site.get("/document/every-string").text
    away = [a for tag, a in Elements(text).found if tag == "a" and "://" in str(a.get("href"))]
    assert away
    assert all(a.get("rel") == "noopener noreferrer nofollow" for a in away)
    assert "javascript:" in text


def test_what_cannot_be_seen_is_shown_as_an_escape(site: Client) -> None:
    """Control and direction-changing characters in heads and notes stand as escapes."""
    first = site.shelf.of("every-string")[0].capture_id
    text = site.get(f"/capture/{first}").text
    assert "\\u202e" in text
    assert "\\x00\\x1b[2J" in text
    wire = "".join(re.findall(r'<pre class="wire".*?</pre>', text, re.DOTALL))
    assert not re.search("[\x00\x1b\u202a-\u202e]", wire)


TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_a_title_cannot_turn_what_stands_behind_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Titles of windows, feeds, pages and lists have no direction of their own making; JSON has."""
    title = f"pier {TURNING}fdp.exe"
    visits = [
        an_html_visit(name, f"2026-01-0{day}T00:00:00Z", f"https://a.example/{name}", "<p>pier</p>")
        for day, name in enumerate(("pier", "mole"), start=1)
    ]
    collection = replace(
        a_collection(a_document("pier", title=title), a_document("mole", title=title)), title=title
    )
    client = Client(Shelf(collection, visits), tmp_path_factory.mktemp("turning"))
    try:
        pier, mole = client.newest("pier"), client.newest("mole")
        for path in (
            *("/", "/collection/harbour-bridge", "/document/pier", f"/capture/{pier}"),
            *(f"/view/{pier}", f"/diff/{pier}/{mole}", "/search?q=pier", "/failures"),
            *("/feed.atom", "/collection/harbour-bridge/feed.atom"),
        ):
            text = client.get(path).text
            titles = re.findall(r"<title>.*?</title>|<h1>.*?</h1>|<bdi.*?</bdi>", text, re.DOTALL)
            assert titles and "<title>" in titles[0], path
            assert not set("".join(titles)) & set(TURNING), path
            assert "pier fdp.exe" in text or path == "/failures", path
        asked = client.get("/search", params={"q": f"pier{TURNING}"}).text
        assert "<title>pier · Search" in asked
        lost = client.get(f"/collection/pier{TURNING}").text.split("<main")[1]
        assert "There is no collection “pier”." in lost
        assert client.get("/document/pier.json").json()["title"] == title
    finally:
        client.close()


def test_a_language_that_is_none_is_not_written(site: Client) -> None:
    """A language tag of another shape is left out of the `lang` attribute."""
    text = site.get("/document/every-string").text
    languages = {a["lang"] for _, a in Elements(text).found if a.get("lang")}
    assert languages == {"en"}


def test_snippets_show_markup_as_text(site: Client) -> None:
    """Archived text that looks like markup is escaped around the marks."""
    text = site.get("/search?q=harbour").text
    assert "<mark>harbour</mark>" in text
    assert f"&lt;script&gt;{RUN}" in text


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/", PAGE_POLICY),
        ("/search?q=harbour", PAGE_POLICY),
        ("/search.json?q=harbour", PAGE_POLICY),
        ("/document/every-string", PAGE_POLICY),
        ("/document/every-string.json", PAGE_POLICY),
        ("/document/none", PAGE_POLICY),
        ("/capture/none", PAGE_POLICY),
        ("/nowhere", PAGE_POLICY),
        ("/-/provenance/site.css", PAGE_POLICY),
        ("/-/provenance/none", PAGE_POLICY),
        ("/provenance", DATASETTE_POLICY),
        ("/provenance/capture", DATASETTE_POLICY),
        ("/provenance/capture.json", DATASETTE_POLICY),
        ("/provenance/none", PAGE_POLICY),
        ("/provenance/none.json", DATASETTE_POLICY),
        ("/provenance?sql=select+1", DATASETTE_POLICY),
        ("/provenance?sql=nonsense", PAGE_POLICY),
        ("/provenance?sql=select+nonsense", DATASETTE_POLICY),
        ("/provenance.db", DATASETTE_POLICY),
        ("/_internal", PAGE_POLICY),
        ("/-/databases", PAGE_POLICY),
        ("/-/static/app.css", DATASETTE_POLICY),
        ("/-/static/none.css", DATASETTE_POLICY),
        ("/-/versions.json", DATASETTE_POLICY),
    ],
)
def test_every_response_has_a_policy(site: Client, path: str, policy: str) -> None:
    """Pages, twins, tables, static files and errors each carry their headers."""
    headers = site.get(path, follow_redirects=True).headers
    assert headers["content-security-policy"] == policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_archived_bytes_go_out_sandboxed(site: Client) -> None:
    """The frame's bytes may be framed by us alone; the download may not be shown at all."""
    capture = site.shelf.of("every-string")[0]
    raw = site.get(f"/view/{capture.capture_id}/raw").headers
    assert raw["content-security-policy"] == ARCHIVED_POLICY
    assert raw["content-security-policy"].startswith("sandbox;")
    assert "allow-" not in ARCHIVED_POLICY and "'self'" not in ARCHIVED_POLICY.split("frame-")[0]
    assert raw["x-frame-options"] == "SAMEORIGIN"
    assert raw["x-content-type-options"] == "nosniff"
    saved = site.get(f"/content/{capture.content_id}").headers
    assert saved["content-security-policy"] == DOWNLOAD_POLICY
    assert saved["content-type"] == "application/octet-stream"
    assert saved["content-disposition"].startswith("attachment; ")


def test_strict_means_strict() -> None:
    """Our own pages allow nothing inline and nothing from elsewhere."""
    assert "unsafe" not in PAGE_POLICY
    assert "default-src 'none'" in PAGE_POLICY
    assert "http" not in PAGE_POLICY


def test_an_exception_outside_datasette_is_answered_with_a_policy() -> None:
    """A 500 that no page made has the headers too, and the exception still reaches the log."""
    sent: list[Message] = []

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("broken")

    async def ask() -> None:
        await with_policy(broken)({"type": "http"}, receive, send)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError, match="broken"):
        asyncio.run(ask())
    assert sent[0]["status"] == 500
    assert dict(sent[0]["headers"])[b"content-security-policy"] == DATASETTE_POLICY.encode()


def test_cells_of_datasette_link_to_the_pages(site: Client) -> None:
    """Ids in tables and queries lead to our pages, escaped; other cells are Datasette's."""
    capture = site.shelf.of("page")[0]
    text = site.get("/provenance/citation?document=page").text
    assert f'href="/capture/{capture.capture_id}"' in text
    assert f'href="/content/{capture.content_id}"' in text
    assert 'href="/document/page"' in text
    query = "/provenance?sql=select+'\"><script>x'+as+document"
    found = Elements(site.get(query, follow_redirects=True).text).found
    assert "/document/%22%3E%3Cscript%3Ex" in [a.get("href") for _, a in found]


@pytest.mark.parametrize("value", ["randomblob(900000000)", "printf('%.*c',500000000,'x')"])
def test_typed_sql_makes_no_value_that_takes_all_memory(site: Client, value: str) -> None:
    """It is refused before it is made; a text of the largest file still comes."""
    query = f"select length({value}) as made"
    answer = site.get(
        "/provenance.json", params={"sql": query, "_shape": "array"}, follow_redirects=True
    )
    # SQLite's printf gives nothing instead of an error.
    assert answer.status_code == 400 or answer.json()[0]["made"] in (None, 0), answer.text
    longest = "/provenance?sql=select+length(zeroblob(67108864))"
    assert "67108864" in site.get(longest, follow_redirects=True).text


def test_what_the_pages_read_may_be_longer_than_typed_sql_makes(site: Client) -> None:
    """Text of one byte each may be three in UTF-8; afterwards the limit stands as before."""
    ours = site_of(site.datasette)
    assert ours is not None
    ask = "select length(zeroblob(?))"

    def read(conn: sqlite3.Connection) -> int:
        return int(conn.execute(ask, (3 << 26,)).fetchone()[0])

    assert site.run(ours.read(read)) == 3 << 26
    with pytest.raises(sqlite3.DataError):
        site.run(site.datasette.get_database("provenance").execute_fn(read))


def test_the_tables_keep_working(site: Client) -> None:
    """Tables, facets, SQL, JSON and CSV of Datasette answer as ever."""
    assert site.get("/provenance/capture?_facet=outcome").status_code == 200
    rows = site.get("/provenance/capture.json?_shape=array&_col=outcome").json()
    assert len(rows) == 6
    csv = site.get("/provenance/document.csv?_col=role").text
    assert csv.startswith("document,role")


def test_our_templates_stay_out_of_datasettes_own() -> None:
    """No folder that Datasette would take for its own stands beside the plugin.

    From Python 3.12 on, Datasette takes `templates` and `static` beside a plugin's module for
    folders of the plugin, and our `base.html` would stand in for Datasette's on every page.
    """
    beside = Path(str(plugin.__file__)).parent
    assert not (beside / "templates").exists()
    assert not (beside / "static").exists()
    assert (beside / "pages" / "base.html").is_file()


def test_the_plugin_is_inert_without_a_site(tmp_path: Path) -> None:
    """A Datasette to which no site is attached is left exactly as it was."""
    path = harbour().write(tmp_path)
    plain = Datasette([str(path)])
    assert plugin.register_routes(datasette=plain) == []
    assert plugin.menu_links(datasette=plain) == []
    assert (
        plugin.render_cell(value="x", column="document", database="provenance", datasette=plain)
        is None
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    assert plugin.asgi_wrapper(datasette=plain)(app) is app
    page = asyncio.run(plain.client.get("/"))
    assert "content-security-policy" not in page.headers
    assert asyncio.run(plain.client.get("/document/page")).status_code == 404
