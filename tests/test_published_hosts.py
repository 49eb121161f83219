"""The ways to publish that the docs show, each with the real program that serves it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import click
import pytest
from datasette.utils import temporary_docker_directory

from provenance.web.policy import PAGE_POLICY
from provenance.web.signposting import FORMS
from tests.cli_program import LETTER, PROGRAM, run, small_root
from tests.web_copies import Elements
from tests.web_nginx import PAGE, nginx, shown_configuration
from tests.web_programs import get, telling

ROOT = Path(__file__).parents[1]
AT = "https://archive.example/bridge/"

PLUGGED = "from provenance.plugged import register_routes\n"
"""A plugin file that has what the entry point names, for an environment installed before it."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one root with a capture and an index; nobody changes it."""
    return small_root(tmp_path_factory.mktemp("kept") / "root").root


@pytest.fixture(scope="module")
def files(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Publish with all that there is, and serve it as the page shows."""
    folder = tmp_path_factory.mktemp("files")
    options = ("--base-url", AT, "--with-contents", "--with-database")
    ended = run("-C", kept, "publish", "bridge", *options, cwd=folder)
    assert ended.status == 0, ended.err
    server = shown_configuration("Files")
    assert server.count("/srv/www") == 1
    with nginx(server.replace("/srv/www", str(folder)), folder / "state") as address:
        yield address


@pytest.fixture(scope="module")
def behind(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the live site behind nginx as the page shows."""
    folder = tmp_path_factory.mktemp("behind")
    server = shown_configuration("Behind nginx")
    command = (*PROGRAM, "-C", kept, "serve", "--port", "0", "--base-url", AT, "--no-sql")
    with telling(command, "Serving at") as site:
        shown = server.replace("http://127.0.0.1:8001", site.removesuffix("/bridge/"))
        assert shown != server and "rate=10r/s" in shown
        with nginx(shown.replace("rate=10r/s", "rate=9999r/s"), folder / "state") as address:
            yield address


def capture_of(address: str) -> str:
    return str(json.loads(get(address, "/bridge/document/letter.json").body)["capture_id"])


def test_files_are_at_the_addresses_of_the_live_site(files: str, behind: str) -> None:
    """Without a redirect, with the media type of the live site, and with its headers."""
    capture = capture_of(files)
    paths = ["/bridge/", "/bridge/collection/harbour", f"/bridge/capture/{capture}"]
    paths += [
        f"/bridge/document/letter{ending}" for ending in ("", *(f".{f.ending}" for f in FORMS))
    ]
    paths += ["/bridge/feed.atom", "/bridge/document/minutes", "/bridge/document/letter/"]
    for path in paths:
        still, live = get(files, path), get(behind, path)
        assert still.status == 200, path
        if path != "/bridge/document/letter/":  # from there the live site leads back
            assert live.status == 200, path
            kind = live.headers["content-type"].partition(";")[0]
            # nginx goes by what stands after the last dot.
            known = {"application/vnd.citationstyles.csl+json": "application/json"}
            assert still.headers["content-type"].partition(";")[0] == known.get(kind, kind), path
        assert still.headers["content-security-policy"] == PAGE_POLICY
        for name in ("x-content-type-options", "x-frame-options", "referrer-policy"):
            assert still.headers[name] == live.headers[name], (path, name)


def test_links_of_the_files_lead_on(files: str) -> None:
    """From the front page to the letter that was kept, as a reader goes."""
    page, found = get(files, "/bridge/"), ""
    for step in ("/document/letter/", "/capture/", "/view/", "/content/"):
        hrefs = [href for _, href in Elements(page.text).links() if step in href]
        assert hrefs, step
        found = hrefs[0]
        page = get(files, found)
        assert page.status == 200
        if step == "/view/":
            assert "大桥" in page.text
    assert found.endswith(".zip")
    assert page.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(BytesIO(page.body))
    assert archive.read(archive.namelist()[0]) == LETTER.encode()
    assert (
        get(files, "/bridge/-/provenance/site.css").headers["content-type"].startswith("text/css")
    )


def test_what_is_not_in_the_files_is_told(files: str) -> None:
    """Search, tables and unknown ids get the copy's own page, with its status and policy."""
    for path in ("/bridge/search?q=x", "/bridge/provenance", "/bridge/document/none"):
        answer = get(files, path)
        assert answer.status == 404
        assert "It has no search and no tables" in answer.text
        assert answer.headers["content-security-policy"] == PAGE_POLICY
    assert get(files, "/bridge/").status == 200
    assert get(files, "/bridge").headers["location"].endswith("/bridge/")
    assert get(files, "/bridge/", method="POST").status == 403


def test_the_folder_without_its_slash_leads_to_the_site(kept: Path) -> None:
    """Asked without nginx, as somebody would who types the address."""
    command = (*PROGRAM, "-C", kept, "serve", "--port", "0", "--base-url", AT)
    with telling(command, "Serving at") as site:
        server = site.removesuffix("/bridge/")
        led = get(server, "/bridge")
        assert (led.status, led.headers["location"]) == (308, "/bridge/")
        assert get(server, "/bridge", method="POST").status == 405
        assert get(server, "/bridges").status == 404


def test_behind_nginx_every_address_is_the_public_one(behind: str) -> None:
    """Pages, feed and links name the public origin and folder, and never this machine."""
    capture = capture_of(behind)
    for path in ("/bridge/", "/bridge/document/letter", f"/bridge/capture/{capture}"):
        page = get(behind, path)
        assert page.status == 200
        for tag, href in Elements(page.text).links():
            local = href.startswith("/")
            assert not local or href.startswith("/bridge/"), (path, tag, href)
            if local and tag == "a":
                assert get(behind, href).status == 200, href
    page = get(behind, "/bridge/document/letter")
    assert f'<{AT}capture/{capture}>; rel="cite-as"' in page.headers["link"]
    feed = get(behind, "/bridge/feed.atom").text
    assert f"<id>{AT}feed.atom</id>" in feed
    assert f'href="{AT}capture/{capture}"' in feed
    for answer in (page.text, page.headers.as_string(), feed):
        assert "127.0.0.1" not in answer and "localhost" not in answer
    assert get(behind, "/bridge").headers["location"].endswith("/bridge/")


def test_behind_nginx_there_is_one_policy_and_nothing_but_reading(behind: str) -> None:
    """Each answer has the site's own policy once; the sandboxed view keeps its stricter one."""
    capture = capture_of(behind)
    page = get(behind, f"/bridge/capture/{capture}")
    assert page.headers.get_all("content-security-policy") == [PAGE_POLICY]
    raw = get(behind, f"/bridge/view/{capture}/raw")
    assert raw.body == LETTER.encode()
    (policy,) = raw.headers.get_all("content-security-policy") or []
    assert policy.startswith("sandbox; default-src 'none'")
    assert get(behind, "/bridge/", method="POST").status == 403
    assert get(behind, "/bridge/", name="other.example").status == 421
    assert len(get(behind, f"/bridge/content/{capture}").body) == len(LETTER.encode())


def test_a_reader_who_asks_too_often_is_told_to_wait(tmp_path: Path) -> None:
    """The limit that the page shows holds, here with other numbers; the site is not asked."""
    server = shown_configuration("Behind nginx")
    shown = server.replace("rate=10r/s", "rate=1r/m").replace("burst=50", "burst=2")
    with nginx(shown.replace("127.0.0.1:8001", "127.0.0.1:1"), tmp_path / "state") as address:
        told = [get(address, "/bridge/").status for _ in range(4)]
    assert told == [502, 502, 502, 429]


def test_a_reader_with_too_many_answers_under_way_is_told_so(tmp_path: Path) -> None:
    """The limit that the page shows holds, here for one; the site behind never answers."""
    server = shown_configuration("Behind nginx")
    assert "limit_conn at_once 16;" in server
    shown = server.replace("limit_conn at_once 16;", "limit_conn at_once 1;")
    with socket.create_server(("127.0.0.1", 0)) as site:
        shown = shown.replace("127.0.0.1:8001", f"127.0.0.1:{site.getsockname()[1]}")
        with nginx(shown, tmp_path / "state") as address:
            parts = urlsplit(address)
            with socket.create_connection((parts.hostname, parts.port), timeout=30) as first:
                first.sendall(b"GET /bridge/ HTTP/1.1\r\nHost: archive.example\r\n\r\n")
                site.settimeout(30)
                with site.accept()[0]:  # nginx has passed it on
                    assert get(address, "/bridge/").status == 429


def test_typed_sql_can_be_switched_off(behind: str, kept: Path) -> None:
    """No way leads to SQL of a reader's own; tables, facets and search stay."""
    for path in (
        "/bridge/provenance?sql=select+1",
        "/bridge/provenance.json?sql=select+1",
        "/bridge/provenance/-/query?sql=select+1",
        "/bridge/provenance/capture?_where=1=1",
        "/bridge/_memory?sql=select+1",
    ):
        answer = get(behind, path)
        if answer.status == 302:  # Datasette 1.0 has a page of its own for what is typed
            led = urljoin(f"{behind}{path}", answer.headers["location"])
            assert led.startswith(f"{behind}/bridge/provenance/-/query"), path
            answer = get(behind, led.removeprefix(behind))
        assert answer.status in (400, 403, 404), path
        assert b"select 1" not in answer.body
    page = get(behind, "/bridge/provenance")
    assert page.status == 200 and "<textarea" not in page.text
    table = get(behind, "/bridge/provenance/capture?_facet=outcome")
    assert table.status == 200 and "/bridge/document/letter" in table.text
    home = get(behind, "/bridge/").text
    assert ">Tables<" in home and "Tables and SQL" not in home
    with telling((*PROGRAM, "-C", kept, "serve", "--port", "0"), "Serving at") as site:
        name = urlsplit(site).netloc
        assert get(site, "/provenance?sql=select+1", name=name).status in (200, 302)
        assert "Tables and SQL" in get(site, "/", name=name).text


def datasette(folder: Path, *words: str | Path) -> contextlib.AbstractContextManager[str]:
    """Start Datasette's own command with the plugins of this environment."""
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "plugins" / "plugged.py").write_text(PLUGGED)
    command = (sys.executable, "-m", "datasette", *words, "--plugins-dir", folder / "plugins")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return telling(command, "Uvicorn running on", cwd=folder, env=environment)


def shown_datasette(page: str) -> list[str]:
    """Return the words of the command line that the page shows for `datasette serve`."""
    found = re.search(r"^datasette (serve .*?[^\\])$", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    return shlex.split(found[1].replace("\\\n", " "))


@pytest.mark.parametrize("option", ["-m", "-c"])
def test_a_plain_datasette_has_the_pages_where_it_is_told_so(
    kept: Path, tmp_path: Path, option: str
) -> None:
    """The page's own command and metadata; contents come from the WARC files beside the index."""
    if option == "-c" and version("datasette").startswith("0."):
        pytest.skip("Datasette 0.65 has no file of configuration; make test-next runs this on 1.0")
    page = PAGE.read_text("utf-8").replace("-m site.json", f"{option} site.json")
    shutil.copytree(kept, tmp_path / "root")
    root = tmp_path / "root"
    (metadata,) = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (root / "site.json").write_text(metadata)
    with datasette(root, *shown_datasette(page), "--port", "0") as site:
        name = urlsplit(site).netloc
        home = get(site, "/", name=name)
        assert "The harbour bridge" in home.text
        assert home.headers["content-security-policy"] == PAGE_POLICY
        said = json.loads(get(site, "/document/letter.json", name=name).body)
        assert get(site, f"/content/{said['content_id']}", name=name).body == LETTER.encode()
        assert "A letter" in get(site, "/search?q=bridge", name=name).text


def test_a_plain_datasette_that_is_not_told_stays_plain(kept: Path, tmp_path: Path) -> None:
    """The package in its environment changes nothing."""
    index = kept / "metadata" / "provenance.db"
    with datasette(tmp_path, "serve", "-i", index, "--port", "0") as site:
        home = get(site, "/", name=urlsplit(site).netloc)
        assert home.status == 200 and "content-security-policy" not in home.headers


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"nam": "x"}, "is not understood"),
        ({"database": "x"}, "there is no database"),
        ({"base_url": "x"}, "no address of a site"),
        ({"base_url": AT}, "setting base_url differ"),
    ],
)
def test_a_configuration_with_a_fault_is_told(
    kept: Path, tmp_path: Path, config: dict[str, str], told: str
) -> None:
    """Datasette does not start with half of it."""
    (tmp_path / "site.json").write_text(json.dumps({"plugins": {"provenance": config}}))
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "plugged.py").write_text(PLUGGED)
    ended = subprocess.run(
        [sys.executable, "-m", "datasette", "serve", "-i", kept / "metadata" / "provenance.db",
         "-m", "site.json", "--plugins-dir", "plugins", "--port", "0", "--get", "/"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode != 0
    assert told in ended.stderr


def test_what_datasette_publish_sends_away_has_the_pages(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its image is laid out by Datasette and started by that image's own line, without WARCs."""
    shutil.copy(kept / "metadata" / "provenance.db", tmp_path)
    (tmp_path / "site.json").write_text('{"plugins": {"provenance": {"title": "Sent away"}}}')
    monkeypatch.chdir(tmp_path)
    with (
        (tmp_path / "site.json").open() as metadata,
        temporary_docker_directory(
            ["provenance.db"], "bridge", metadata, "--setting suggest_facets off", None, None,
            None, [], ["provenance-archive"], False, None, "secret",
        ) as laid_out,
    ):  # fmt: skip
        image = Path(shutil.copytree(laid_out, tmp_path / "image"))
    recipe = (image / "Dockerfile").read_text("utf-8")
    assert "RUN pip install -U datasette provenance-archive" in recipe
    assert "metadata.json" in recipe
    (line,) = re.findall(r"^CMD (.*)$", recipe, re.MULTILINE)
    words = shlex.split(line.replace("$PORT", "0").replace("0.0.0.0", "127.0.0.1"))
    assert words[:2] == ["datasette", "serve"]
    words[words.index("--inspect-file") : words.index("--inspect-file") + 2] = []
    with datasette(image, *words[1:]) as site:
        name = urlsplit(site).netloc
        assert "Sent away" in get(site, "/", name=name).text
        said = json.loads(get(site, "/document/letter.json", name=name).body)
        evidence = get(site, f"/capture/{said['capture_id']}", name=name)
        assert "The WARC file is not at this site" in evidence.text
        for page in (evidence, get(site, "/document/letter", name=name)):
            assert "/content/" not in page.text and "/view/" not in page.text
        refused = get(site, f"/content/{said['content_id']}", name=name)
        assert refused.status == 404
        assert "not on this site" in refused.text
        assert get(site, "/document/letter.bib", name=name).status == 200


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Containerfile with their arguments."""
    text = (ROOT / "Containerfile").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(" ", 1)) for line in lines]  # type: ignore[misc]


def test_the_container_file_copies_what_there_is_and_starts_a_command() -> None:
    """Every source is a committed file or folder; what it starts is a command of the program."""
    from provenance.cli.group import group

    known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "ENTRYPOINT", "CMD"}
    found = instructions()
    assert {name for name, _ in found} == known
    bases = {words.split(" ")[0] for name, words in found if name == "FROM"}
    assert len(bases) == 1
    for name, words in found:
        if name == "COPY" and not words.startswith("--from=build"):
            *sources, _ = words.split(" ")
            for source in sources:
                assert (ROOT / source).exists(), source
    said = dict(found)
    assert json.loads(said["ENTRYPOINT"])[1:] == ["-C", "/archive"]
    command, *options = json.loads(said["CMD"])
    served = group.get_command(click.Context(group), command)
    assert served is not None
    served.make_context(command, options)
    assert said["USER"].split(":")[0] not in ("0", "root")


@pytest.mark.long
def test_the_container_files_own_commands_make_what_it_starts(kept: Path, tmp_path: Path) -> None:
    """Its RUN lines, in a folder with what it copies, make a program that serves the archive."""
    build, target = tmp_path / "build", tmp_path / "made"
    build.mkdir()
    for name, words in instructions():
        if name == "COPY" and not words.startswith("--from=build"):
            *sources, _ = words.split(" ")
            for source in sources:
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, build / source)
                else:
                    shutil.copy(ROOT / source, build)
        elif name == "RUN":
            command = words.replace("/opt/provenance", str(target))
            command = command.replace("python -m venv", f"{sys.executable} -m venv", 1)
            ended = subprocess.run(
                command, shell=True, cwd=build, capture_output=True, text=True, check=False
            )
            assert ended.returncode == 0, ended.stdout + ended.stderr
    said = dict(instructions())
    program = json.loads(said["ENTRYPOINT"])[0].replace("/opt/provenance", str(target))
    start = [*json.loads(said["CMD"]), "--port", "0"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with telling([program, "-C", kept, *start], "Serving at", env=environment) as site:
        port = urlsplit(site).port
        answer = get(f"http://127.0.0.1:{port}", "/document/letter", name="anything.example")
        assert answer.status == 200 and "A letter" in answer.text
    # The package that was installed brings the plugin for a plain Datasette by itself.
    (tmp_path / "site.json").write_text('{"plugins": {"provenance": {"title": "Plugged in"}}}')
    index = kept / "metadata" / "provenance.db"
    plain: list[str | Path] = [
        target / "bin" / "datasette",
        "serve",
        "-i",
        index,
        "-m",
        "site.json",
        "--port",
        "0",
    ]
    environment["PYTHONUNBUFFERED"] = "1"
    with telling(plain, "Uvicorn running on", cwd=tmp_path, env=environment) as site:
        assert "Plugged in" in get(site, "/", name=urlsplit(site).netloc).text


def test_without_nginx_its_tests_are_skipped_or_fail_as_ci_says(tmp_path: Path) -> None:
    """A machine without it passes, and says what is lacking; where it is required it does not."""
    one = f"{Path(__file__).relative_to(ROOT)}::test_what_is_not_in_the_files_is_told"
    for required, status in (("", 0), ("required", 1)):
        ended = subprocess.run(
            [sys.executable, "-c", WITHOUT_NGINX, "-q", "-p", "no:cacheprovider", one],
            cwd=ROOT,
            env={**os.environ, "PATH": str(tmp_path), "PROVENANCE_NGINX": required},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ended.returncode == status, ended.stdout
        assert "there is no nginx on this machine" in ended.stdout


WITHOUT_NGINX = """
import sys
import pytest
import tests.web_nginx
tests.web_nginx.PLACES = ()
sys.exit(pytest.main(sys.argv[1:]))
"""


def test_ci_requires_nginx_before_its_tests_run() -> None:
    """`.ci/run` installs it, and sets the requirement before the step with the tests."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "nginx-light" in script
    assert script.index("export PROVENANCE_NGINX=required") < script.index("make test")
