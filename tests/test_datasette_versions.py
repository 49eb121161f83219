"""On either Datasette the pages keep to its rules, and one file knows what the two do otherwise.

`make test-next` runs this, with every other test of the pages, on the Datasette to come.
"""

from __future__ import annotations

import ast
import fnmatch
import re
import sqlite3
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from datasette import Response, hookimpl
from datasette.plugins import pm
from packaging.requirements import Requirement
from packaging.version import Version

from provenance.web.policy import DATASETTE_POLICY, PAGE_POLICY
from tests.web_client import Client
from tests.web_fixture import harbour

ROOT = Path(__file__).parents[1]
WEB = ROOT / "src" / "provenance" / "web"
READING = WEB.parent / "reading"
RUNNING = Version(version("datasette"))

ONLY_HERE = re.compile(
    r"allowed|allowed_resources|ensure_permissions?|permission_allowed|invoke_shutdown|executor"
    r"|get_internal_database|default_deny|execute_write_fn|datasette\.(resources|permissions)"
)
"""What one version alone has, or has otherwise; `web/versions.py` is the one file to name it."""


def pinned(lock: str) -> Version:
    """Return the version of Datasette that a lock holds."""
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    found = re.search(r"^datasette==(\S+)", text, re.MULTILINE)
    assert found is not None
    return Version(found[1])


def addresses(client: Client) -> list[str]:
    """Return one address of each kind that the pages have."""
    capture = client.shelf.of("gazette-article")[-1]
    name = capture.capture_id
    return [
        "/",
        "/search?q=bridge",
        "/search.json?q=bridge",
        "/collection/harbour-bridge",
        "/document/gazette-article",
        "/document/gazette-article.json",
        "/document/gazette-article.bib",
        "/failures",
        "/failures.json",
        "/feed.atom",
        "/sitemap.xml",
        "/opensearch.xml",
        f"/capture/{name}",
        f"/capture/{name}.json",
        f"/capture/{name}.txt",
        f"/capture/{name}.warc.gz",
        f"/view/{name}",
        f"/view/{name}/raw",
        f"/content/{capture.content_id}",
        f"/timegate/{capture.url}",
        f"/timemap/link/{capture.url}",
        "/-/databases.json",
    ]


@pytest.fixture(
    params=[
        {"allow": {"id": "reader"}},
        {"databases": {"provenance": {"allow": {"id": "reader"}}}},
    ],
    ids=["for the instance", "for the database"],
)
def closed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Client]:
    """A site whose Datasette lets one reader in."""
    client = Client(harbour(), tmp_path, metadata=request.param)
    yield client
    client.close()


def by(client: Client, actor: str) -> dict[str, Any]:
    return {"cookies": {"ds_actor": client.datasette.sign({"a": {"id": actor}}, "actor")}}


def test_who_may_not_see_the_database_sees_no_page(closed: Client) -> None:
    """Neither a stranger nor another reader gets a word of it, in no form; looks are for all."""
    for path in [*addresses(closed), "/provenance", "/provenance/capture.json"]:
        for more in ({}, by(closed, "another")):
            answer = closed.get(path, **more)
            assert answer.status_code == 403, path
            assert "gazette" not in answer.text.lower(), path
    assert closed.get("/").headers["content-security-policy"] == PAGE_POLICY
    assert closed.get("/document/gazette-article.json").json()["ok"] is False
    assert closed.get("/-/provenance/site.css").status_code == 200
    assert closed.get("/favicon.ico").status_code == 200


def test_who_may_see_it_sees_every_page_and_leaves_none_behind(closed: Client) -> None:
    """What a reader is shown by name stays in no cache, also what would be kept for a year."""
    for path in addresses(closed):
        answer = closed.get(path, **by(closed, "reader"))
        assert answer.status_code in (200, 302), path
        assert answer.headers["cache-control"] == "private, no-store", path


def test_a_site_for_nobody_is_for_nobody(tmp_path: Path) -> None:
    """`allow: false` holds for the pages too."""
    client = Client(harbour(), tmp_path, metadata={"databases": {"provenance": {"allow": False}}})
    try:
        assert client.get("/").status_code == 403
        assert client.get("/document/gazette-article", **by(client, "reader")).status_code == 403
    finally:
        client.close()


def test_where_all_is_denied_but_what_is_allowed_the_pages_are_too(tmp_path: Path) -> None:
    """`--default-deny` of Datasette 1.0, with and without a rule for the database."""
    if RUNNING.release < (1,):
        pytest.skip("Datasette 0.65 denies nothing by default; make test-next runs this on 1.0")
    for metadata, status in (
        ({}, 403),
        ({"databases": {"provenance": {"allow": True}}}, 200),
    ):
        client = Client(harbour(), tmp_path / str(status), metadata=metadata)
        try:
            client.datasette.default_deny = True
            assert client.get("/").status_code == status
            assert client.get("/document/gazette-article.json").status_code == status
        finally:
            client.close()


class Login:
    """A plugin as there are some: a page that takes a form, and a way there for strangers."""

    __name__ = "login"  # Datasette 0.65 takes every plugin for a module

    @hookimpl  # type: ignore[untyped-decorator]
    def register_routes(self) -> list[Any]:
        async def login(request: Any) -> Response:
            return Response.text(f"{request.method} to the login")

        return [(r"^/-/login$", login)]

    @hookimpl  # type: ignore[untyped-decorator]
    def forbidden(self, datasette: Any, request: Any, message: str) -> Response:
        return Response.redirect(datasette.urls.path("/-/login"))


@pytest.fixture
def login() -> Iterator[None]:
    plugin = Login()
    pm.register(plugin, name="a login")
    yield
    pm.unregister(plugin)


@pytest.mark.usefixtures("login")
def test_a_plugin_that_lets_people_in_leads_them_to_its_login(closed: Client) -> None:
    """From our pages as from Datasette's; its form is sent, ours have none that is."""
    for path in ("/", "/document/gazette-article", "/provenance/capture"):
        answer = closed.get(path)
        assert (answer.status_code, answer.headers["location"]) == (302, "/-/login"), path
    form = closed.run(closed.datasette.client.post("/-/login"))
    assert (form.status_code, form.text) == (200, "POST to the login")
    assert form.headers["content-security-policy"] == DATASETTE_POLICY
    sent = closed.run(closed.datasette.client.post("/document/gazette-article"))
    assert (sent.status_code, sent.headers["allow"]) == (405, "GET, HEAD")
    assert sent.headers["content-security-policy"] == PAGE_POLICY


@pytest.mark.parametrize(
    "sql",
    [
        "select * from pragma_database_list",
        "select file from main.PRAGMA_DATABASE_LIST()",
        "select hex(f.file) as h from pragma_database_list as f",
        "with t(a, b, c) as (select * from pragma_database_list) select c from t",
        "select group_concat(file) as all_of_them from (select file from pragma_database_list)",
        "select substr(file, 1, 9) as x from pragma_database_list order by file",
    ],
)
def test_typed_sql_does_not_say_in_which_folder_the_index_lies(tmp_path: Path, sql: str) -> None:
    """SQLite would name the file; here that column is empty, and the others are as they were."""
    client = Client(harbour(), tmp_path / "somebodys-folder")
    try:
        for ending in ("", ".json"):
            answer = client.get(f"/provenance{ending}", params={"sql": sql}, follow_redirects=True)
            assert answer.status_code == 200
            assert "somebodys" not in answer.text and b"somebodys".hex() not in answer.text
            assert str(tmp_path)[:9] not in answer.text
        listed = {"sql": "select seq, name, file from pragma_database_list", "_shape": "array"}
        rows = client.get("/provenance.json", params=listed, follow_redirects=True).json()
        assert rows == [{"seq": 0, "name": "main", "file": None}]
        assert client.get("/provenance").status_code == 200
        read = client.datasette.get_database("provenance").execute("select 1 as one")
        assert [tuple(row) for row in client.run(read).rows] == [(1,)]
    finally:
        client.close()


def test_pages_and_tables_that_need_no_folder_read_as_ever(tmp_path: Path) -> None:
    """A column that is called `file` elsewhere is not taken for SQLite's."""
    from provenance.web import plugin

    client = Client(harbour(), tmp_path)
    conn = sqlite3.connect(":memory:")
    try:
        plugin.prepare_connection(conn=conn, database="provenance", datasette=client.datasette)
        conn.execute("create table other (file text)")
        conn.execute("insert into other values ('kept')")
        assert conn.execute("select file from other").fetchall() == [("kept",)]
    finally:
        conn.close()
        client.close()


def test_what_is_declared_takes_both_and_gives_the_release_to_who_asks_for_none() -> None:
    """A pre-release is within the bounds for who has one; by itself pip takes none (PEP 440)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (wanted,) = (
        found.specifier
        for found in map(Requirement, project["dependencies"])
        if found.name == "datasette"
    )
    release, coming = pinned("run.txt"), pinned("datasette-next.txt")
    assert not release.is_prerelease and coming.is_prerelease and coming.release[0] == 1
    for each in (release, coming):
        assert wanted.contains(each, prereleases=True), each
    offered = [release, coming]
    assert list(wanted.filter(offered)) == [release]
    assert RUNNING in (release, coming)


def test_one_file_knows_what_versions_do_otherwise() -> None:
    """No other module of the pages names what one Datasette alone has, or asks for its version."""
    seen = set()
    for path in sorted([*WEB.glob("*.py"), *READING.glob("*.py"), WEB.parent / "plugged.py"]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name: object = None
            if isinstance(node, ast.Attribute):
                name = node.attr
            elif isinstance(node, ast.Constant):
                name = node.value
            elif isinstance(node, ast.ImportFrom):
                name = node.module
            if isinstance(name, str) and ONLY_HERE.fullmatch(name):
                seen.add((path.name, name))
    others = {each for each in seen if each[0] != "versions.py"}
    assert others == {("words.py", "allowed")}  # what a record says of robots.txt
    assert seen - others


def test_every_test_that_starts_a_datasette_runs_on_the_one_to_come() -> None:
    """`make test-next` names them by patterns, and CI runs it."""
    made = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
    named = re.search(r"^PAGE_TESTS := (.*)$", made, re.MULTILINE)
    assert named is not None
    patterns = re.findall(r"tests/[\w*]+\.py", named[1])
    about = {"tests/test_house.py", "tests/test_docs.py", "tests/test_packaging.py"}
    starting = re.compile(
        r"\bdatasette\.|import Datasette|tests\.web_(client|server|copies|programs)"
    )
    left = [
        name
        for path in sorted((ROOT / "tests").glob("test_*.py"))
        if starting.search(path.read_text("utf-8"))
        and not any(fnmatch.fnmatch(name := f"tests/{path.name}", pattern) for pattern in patterns)
        and name not in about
    ]
    assert left == []
    assert re.search(r"^make test-next$", (ROOT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)
