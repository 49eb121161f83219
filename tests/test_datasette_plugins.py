"""With the plugins that people install our pages stay ours, and theirs work as far as the docs say.

They are in an environment of their own, lent here to the Datasette that the tests run on.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote_plus, urlencode

import pytest

from provenance.web.policy import DATASETTE_POLICY, PAGE_POLICY
from tests.cli_program import small_root
from tests.web_browser import Reader, chromium
from tests.web_programs import get, telling

pytestmark = [pytest.mark.long, pytest.mark.plugins]

ROOT = Path(__file__).parents[1]
LENT = ROOT / ".venv-plugins"
NEXT = not version("datasette").startswith("0.")
BROKEN_ON_NEXT = ("datasette-dashboards", "datasette-search-all")
"""What asks Datasette 1.0 for things that it no longer has, by the versions that are locked."""

AROUND = """import site, sys
site.addsitedir(sys.argv.pop(1))
from {module} import {name}
{name}()
"""
"""Start a program with more packages at the end of the path: its own go before those lent."""

PLUGGED = "from provenance.plugged import register_routes\n"
SALT, ROUNDS = "salt", 10


def lent() -> Path:
    """Return the folder of the plugins' packages; skip where nobody has installed them."""
    for folder in LENT.glob("lib/python3*/site-packages"):
        if folder.parent.name == "python{}.{}".format(*sys.version_info):
            return folder
    pytest.skip("the environment of other people's plugins is not there (make test-next makes it)")


def plugins() -> list[str]:
    lines = (ROOT / "requirements" / "datasette-plugins.in").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def loading(*, broken: bool = False) -> dict[str, str]:
    """Return the environment in which Datasette loads them and ours, those that run here or all."""
    left_out = BROKEN_ON_NEXT if NEXT and not broken else ()
    names = [name for name in plugins() if name not in left_out]
    more = ["datasette-leaflet", "provenance-archive"]
    return {
        **os.environ,
        "DATASETTE_LOAD_PLUGINS": ",".join([*names, *more]),
        "PYTHONUNBUFFERED": "1",
    }


def program(module: str, name: str) -> tuple[str | Path, ...]:
    return (sys.executable, "-c", AROUND.format(module=module, name=name), lent())


def ours(root: Path, *words: str, **more: bool) -> contextlib.AbstractContextManager[str]:
    """Serve a root with the plugins."""
    command = (*program("provenance.cli", "main"), "-C", root, "serve", "--port", "0", *words)
    return telling(command, "Serving at", env=loading(**more))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one root with a capture and an index; nobody changes it."""
    return small_root(tmp_path_factory.mktemp("kept") / "root").root


@pytest.fixture(scope="module")
def with_them(kept: Path) -> Iterator[str]:
    with ours(kept) as site:
        yield site


@pytest.fixture(scope="module")
def without(kept: Path) -> Iterator[str]:
    """Serve the root as if nobody had installed anything beside it."""
    environment = {**os.environ, "DATASETTE_LOAD_PLUGINS": "provenance-archive"}
    command = (sys.executable, "-m", "provenance", "-C", kept, "serve", "--port", "0")
    with telling(command, "Serving at", env=environment) as site:
        yield site


def addresses(site: str) -> list[str]:
    """Return every kind of address that our pages have."""
    said = json.loads(get(site, "/document/letter.json", name="localhost").body)
    capture, content = said["capture_id"], said["content_id"]
    return [
        "/",
        "/search?q=bridge",
        "/search.json?q=bridge",
        "/collection/harbour",
        "/document/letter",
        "/document/letter.json",
        "/document/letter.bib",
        "/document/minutes",
        "/failures",
        "/feed.atom",
        "/sitemap.xml",
        f"/capture/{capture}",
        f"/capture/{capture}?check=1",
        f"/capture/{capture}.txt",
        f"/capture/{capture}.warc.gz",
        f"/view/{capture}",
        f"/view/{capture}/raw",
        f"/content/{content}",
        "/document/nobody",
        "/capture/none",
        "/nowhere",
        "/-/provenance/site.js",
        "/-/databases.json",
        "/-/threads",
    ]


def test_our_pages_are_the_same_byte_for_byte(with_them: str, without: str) -> None:
    """Every page, twin, download and error, and every header but what says that it may be coded."""
    for path in addresses(without):
        found, wanted = (get(site, path, name="localhost") for site in (with_them, without))
        assert (found.status, found.body) == (wanted.status, wanted.body), path
        told = [
            {key.lower(): value for key, value in answer.headers.items()}
            for answer in (found, wanted)
        ]
        for headers in told:
            for name in ("date", "vary", "server", "content-length", "transfer-encoding"):
                headers.pop(name, None)
        assert told[0] == told[1], path


def test_what_is_compressed_on_its_way_is_the_same(with_them: str, without: str) -> None:
    """`datasette-gzip` codes pages and downloads; decoded they are what they were."""
    for path in addresses(without):
        coded = get(with_them, path, name="localhost", Accept_Encoding="gzip")
        raw = coded.body
        if coded.headers["content-encoding"] == "gzip":
            raw = gzip.decompress(raw)
        assert raw == get(without, path, name="localhost").body, path
    assert (
        get(with_them, "/", name="localhost", Accept_Encoding="gzip").headers["content-encoding"]
        == "gzip"
    )


def test_datasettes_pages_and_theirs_work(with_them: str) -> None:
    """Tables, rows, SQL and what the plugins add, all under the policy for Datasette's pages."""
    query = quote_plus(
        """select '{"href": "https://a.example/", "label": "shown"}' as a, '{"b": 1}' as b"""
    )
    where = "/provenance/-/query" if NEXT else "/provenance"
    wanted = {
        "/provenance": "capture",
        "/provenance/capture?_facet=outcome": "/document/letter",
        "/provenance/document/letter": "letter",
        "/provenance/document.csv": "document,",
        "/provenance/document.json?_shape=array": '"letter"',
        "/provenance/document.copyable": "Copy to clipboard",
        f"{where}?sql={query}": 'href="https://a.example/"',
        "/robots.txt": "Disallow: /",
        "/-/login": "password",
        "/-/plugins.json": "datasette-vega",
    }
    if not NEXT:
        wanted |= {"/-/search": "Search all tables", "/-/dashboards": "Dashboards"}
    for path, words in wanted.items():
        answer = get(with_them, path, name="localhost")
        assert answer.status == 200, path
        assert words in answer.text, path
        assert answer.headers["content-security-policy"] == DATASETTE_POLICY, path
    told = get(with_them, "/-/plugins.json", name="localhost").body
    loaded = {each["name"] for each in json.loads(told)}
    assert set(plugins()) - (set(BROKEN_ON_NEXT) if NEXT else set()) <= loaded


def test_a_plugin_that_breaks_datasettes_pages_leaves_ours_whole(kept: Path, without: str) -> None:
    """Two of them do not run on 1.0 yet, and say so on every page of Datasette's."""
    with ours(kept, broken=True) as site:
        for path in ("/", "/search?q=bridge", "/document/letter", "/nowhere"):
            found, wanted = (get(each, path, name="localhost") for each in (site, without))
            assert (found.status, found.body) == (wanted.status, wanted.body), path
            assert found.headers["content-security-policy"] == PAGE_POLICY
        for path in ("/provenance", "/-/dashboards"):
            answer = get(site, path, name="localhost")
            assert answer.status == (500 if NEXT else 200), path
            assert "Traceback" not in answer.text and str(kept) not in answer.text


def test_what_is_published_is_the_same(kept: Path, tmp_path: Path) -> None:
    """A copy made with them installed has the bytes of one that was made without."""
    manifests = []
    for name, command, environment in (
        ("with", program("provenance.cli", "main"), loading()),
        ("without", (sys.executable, "-m", "provenance"), None),
    ):
        words = ("-C", kept, "publish", tmp_path / name, "--with-contents", "--base-url")
        subprocess.run(
            [*command, *words, "https://archive.example/"],
            env=environment,
            capture_output=True,
            check=True,
            timeout=120,
        )
        manifests.append((tmp_path / name / "manifest-sha256.txt").read_bytes())
    assert manifests[0] == manifests[1]


def hashed(password: str) -> str:
    """Return a password as `datasette hash-password` would, with fewer rounds."""
    raw = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT.encode(), ROUNDS)
    return f"pbkdf2_sha256${ROUNDS}${SALT}${base64.b64encode(raw).decode()}"


@pytest.fixture(scope="module")
def guarded(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Datasette of somebody's own that lets in who has a password or a token."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "plugged.py").write_text(PLUGGED)
    says = {
        "databases": {"provenance": {"allow": {"id": ["reader", "machine"]}}},
        "plugins": {
            "provenance": {"title": "For some", "root": str(kept)},
            "datasette-auth-passwords": {"reader_password_hash": hashed("open")},
            "datasette-auth-tokens": {"tokens": [{"token": "sesame", "actor": {"id": "machine"}}]},
        },
    }
    (folder / "site.json").write_text(json.dumps(says))
    index = kept / "metadata" / "provenance.db"
    serve = ("serve", "-i", index, "-m", "site.json", "--plugins-dir", "plugins", "--port", "0")
    command = (*program("datasette.cli", "cli"), *serve)
    with telling(command, "Uvicorn running on", cwd=folder, env=loading()) as site:
        yield site


def test_a_password_or_a_token_opens_the_pages_too(guarded: str) -> None:
    """Strangers see none of it, nor does who says a wrong one; the form can be sent."""
    name = "localhost"
    for path in ("/", "/document/letter", "/provenance/document", "/provenance.json"):
        assert get(guarded, path, name=name).status == 403, path
        wrong = get(guarded, path, name=name, Authorization="Bearer other")
        assert wrong.status == 403, path
        right = get(guarded, path, name=name, Authorization="Bearer sesame")
        assert right.status == 200, path
    closed = get(guarded, "/document/letter", name=name)
    assert "Readers of this site cannot use this." in closed.text
    assert '<a class="digest" href="/-/login"><bdi>Log in</bdi></a>' in closed.text
    assert closed.text.count("Search archived texts</bdi>") == 0
    form = get(guarded, "/-/login", name=name)
    secret = re.search(r'name="csrftoken" value="([^"]*)"', form.text)
    fields = {"username": "reader", "csrftoken": secret[1] if secret else ""}
    cookie = (form.headers["set-cookie"] or "").partition(";")[0]
    for password, status in (("shut", 200), ("open", 302)):
        sent = get(
            guarded,
            "/-/login",
            name=name,
            method="POST",
            body=urlencode({**fields, "password": password}),
            Cookie=cookie,
            Content_Type="application/x-www-form-urlencoded",
        )
        assert sent.status == status
    actor = sent.headers["set-cookie"].partition(";")[0]
    page = get(guarded, "/document/letter", name=name, Cookie=actor)
    assert page.status == 200 and "For some" in page.text
    assert page.headers["cache-control"] == "private, no-store"
    assert page.headers["content-security-policy"] == PAGE_POLICY
    assert get(guarded, "/document/letter", name=name, method="POST").status in (403, 405)


def test_what_the_policy_keeps_from_plugins_is_what_the_docs_say(with_them: str) -> None:
    """No code out of text, so no charts; nothing from elsewhere, so no maps or foreign pictures."""
    where = "/provenance/-/query?sql=" if NEXT else "/provenance?sql="
    site = with_them.rstrip("/")
    with chromium() as browser:
        reader = Reader(browser)
        try:
            for path in ("/", "/search?q=bridge", "/document/letter", "/failures"):
                reader.open(site + path)
            assert reader.complaints == []
            sql = """select '{"img_src": "https://img.example/a.png"}' as picture"""
            reader.open(site + where + quote_plus(sql))
            assert [said for said in reader.complaints if "unsafe-eval" in said]
            assert [said for said in reader.complaints if "https://img.example/a.png" in said]
            if not NEXT:
                sql = "select 51.5 as latitude, -0.1 as longitude"
                reader.open(site + where + quote_plus(sql))
                assert [said for said in reader.complaints if ".tile.openstreetmap.org" in said]
            assert {url.split("/")[2] for url in reader.answered} == {site.split("/")[2]}
        finally:
            reader.close()
