"""The server as a stranger meets it: raw requests, odd names and ids, parts, breaks, big files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from provenance.web.gate import is_own_name
from provenance.web.policy import DATASETTE_POLICY, PAGE_POLICY
from provenance.web.serving import known_names
from tests.web_client import Client
from tests.web_fixture import Shelf, a_collection, a_document, an_html_visit, harbour
from tests.web_server import exchanged, served

LARGE = "<p>" + "bridge " * 300_000


class Answer:
    """Status, header and body of a raw answer; `whole` tells whether the announced bytes came."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0] else 0
        self.headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])
        }
        announced = self.headers.get("content-length")
        self.whole = len(self.body) == int(announced) if announced else raw.endswith(b"0\r\n\r\n")


def ask(address: str, target: str, *fields: str, method: str = "GET") -> Answer:
    host = (
        () if any(field.lower().startswith("host:") for field in fields) else ("Host: localhost",)
    )
    lines = (f"{method} {target} HTTP/1.1", "Connection: close", *host, *fields, "", "")
    return Answer(exchanged(address, "\r\n".join(lines).encode("latin-1")))


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return harbour()


@pytest.fixture(scope="module")
def site(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(shelf, tmp_path_factory.mktemp("wire")) as address:
        yield address


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FETCH"])
@pytest.mark.parametrize("path", ["/", "/search?q=bridge", "/provenance/capture", "/nowhere"])
def test_nothing_but_reading_is_answered(site: str, method: str, path: str) -> None:
    """Any other method gets a 405 that says so, on our pages and on Datasette's."""
    answer = ask(site, path, "Content-Length: 0", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.headers["content-security-policy"] == PAGE_POLICY


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/search?q=bridge",
        "/search.json?q=bridge",
        "/document/gazette-article",
        "/-/provenance/site.css",
        "/provenance/capture",
        "/provenance.db",
        "/nowhere",
    ],
)
def test_head_is_get_without_the_body(site: str, path: str) -> None:
    """HEAD has the status, the type and the policy of GET, and no byte more."""
    head, whole = ask(site, path, method="HEAD"), ask(site, path)
    assert head.body == b"" and whole.body
    assert head.status == whole.status
    for name in ("content-type", "content-security-policy", "x-content-type-options"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8001", "127.0.0.1:1", "[::1]", "x.localhost"]
)
def test_the_site_answers_under_names_of_this_machine(site: str, host: str) -> None:
    """Addresses in digits and `localhost` are names of this site."""
    assert ask(site, "/", f"Host: {host}").status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example:8001",
        "user@localhost",
        "localhost/x",
        "localhost:99999",
        "127.0.0.1\\@evil.example",
        "0x7f.1.evil",
        "<script>",
    ],
)
@pytest.mark.parametrize("path", ["/", "/search.json?q=bridge", "/provenance/capture.json"])
def test_a_foreign_name_is_refused(site: str, host: str, path: str) -> None:
    """A web site whose name was made to stand for this machine reads nothing here."""
    answer = ask(site, path, f"Host: {host}")
    assert answer.status == 421
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"does not go by the name" in answer.body
    assert b"harbour" not in answer.body


def test_names_are_checked_on_this_machine_and_when_they_are_given() -> None:
    """On loopback no name is known but those given; open to a network any is, unless given."""
    assert known_names("127.0.0.1", ()) == frozenset({"127.0.0.1"})
    assert known_names("::1", ("Archive.example.",)) == frozenset({"::1", "archive.example"})
    assert known_names("0.0.0.0", ()) is None
    assert known_names("0.0.0.0", ("a.example",)) == frozenset({"0.0.0.0", "a.example"})
    assert is_own_name("Archive.Example:443", {"archive.example"})
    assert not is_own_name("other.example", {"archive.example"})


def test_a_request_for_another_site_is_refused(site: str) -> None:
    """The server is no proxy, and redirects nobody to the address of a stranger."""
    assert ask(site, "http://evil.example/", "Host: localhost").status == 400
    answer = ask(site, "//evil.example/")
    assert not answer.headers.get("location", "/x").startswith(("//", "http"))


@pytest.mark.parametrize(
    "target",
    [
        "/-/static/../../app.py",
        "/-/static/..%2f..%2fapp.py",
        "/-/static/%2e%2e/%2e%2e/app.py",
        "/-/static//etc/passwd",
        "/-/provenance/..%2fplugin.py",
        "/-/provenance/%2e%2e%2f%2e%2e%2fplugin.py",
        "/-/provenance/site.css%00",
        "/-/static-plugins/provenance-archive/plugin.py",
        "/../../etc/passwd",
        "/content/..%2f..%2fetc%2fpasswd",
        "/view/%2e%2e/raw",
        "/document/..%2f..%2fetc%2fpasswd",
        "/..%2fmetadata%2fprovenance.db",
    ],
)
def test_no_path_leads_to_a_file(site: str, target: str) -> None:
    """Dots, escapes and slashes reach nothing; the answer is a 404 under a policy."""
    answer = ask(site, target)
    while answer.status == 302:
        answer = ask(site, answer.headers["location"])
    assert answer.status == 404
    assert answer.headers["content-security-policy"] in (PAGE_POLICY, DATASETTE_POLICY)
    assert b"root:" not in answer.body and b"import " not in answer.body


@pytest.mark.parametrize("kind", ["document", "collection", "capture", "content", "view"])
@pytest.mark.parametrize(
    "name",
    [
        "%00",
        "%ff%fe",
        "%ed%a0%80",
        "%0d%0aSet-Cookie:%20a",
        "%F0%9F%8C%89",
        "'%20or%201=1--",
        "%22%3E%3Cscript%3E",
        "a" * 6000,
        "sha256:" + "f" * 64,
        "sha256:" + "f" * 65,
        "%",
        "%zz",
        "..",
        "-1",
    ],
)
def test_a_weird_id_is_a_404(site: str, kind: str, name: str) -> None:
    """Whatever stands where an id should, the answer is a page that says there is none."""
    answer = ask(site, f"/{kind}/{name}")
    assert answer.status == 404 and answer.whole
    assert b"<script>" not in answer.body
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "part", ["bytes=0-9", "bytes=5-", "bytes=-5", "bytes=0-1,3-4", "bytes=9-1"]
)
def test_a_part_is_never_sent(site: str, shelf: Shelf, part: str) -> None:
    """A range is answered with the whole, for only the whole can be checked against its id."""
    content_id, raw = next(iter(shelf.contents.items()))
    answer = ask(site, f"/content/{content_id}", f"Range: {part}")
    assert (answer.status, answer.body) == (200, raw)
    assert answer.headers["accept-ranges"] == "none"
    assert "content-range" not in answer.headers


def test_other_sites_may_not_read_the_twins(site: str, shelf: Shelf) -> None:
    """No answer opens itself to a page of another origin."""
    for path in (
        "/search.json?q=bridge",
        "/document/gazette-article.json",
        f"/capture/{shelf.of('audit-report')[0].capture_id}.json",
        "/provenance/capture.json",
    ):
        answer = ask(site, path, "Origin: https://evil.example")
        assert answer.status == 200
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_datasettes_cors_opens_the_twins_too(tmp_path: Path) -> None:
    """Whoever sets Datasette's `cors` means every JSON of the site."""
    client = Client(harbour(), tmp_path)
    try:
        client.datasette.cors = True
        opened = client.get("/search.json?q=bridge").headers["access-control-allow-origin"]
        assert opened == "*"
    finally:
        client.close()


def large_shelf() -> Shelf:
    visit = an_html_visit("one", "2026-11-23T23:50:00.000000Z", "https://p.example/", LARGE)
    return Shelf(a_collection(a_document("one")), [visit])


def test_a_break_late_in_a_download_breaks_the_connection_off(tmp_path: Path) -> None:
    """Bytes that differ at the end leave the client short of what was announced."""
    shelf = large_shelf()
    content_id = str(shelf.of("one")[0].content_id)
    with served(shelf, tmp_path) as address:
        assert ask(address, f"/content/{content_id}").whole
        shelf.contents[content_id] = shelf.contents[content_id][:-1] + b"x"
        answer = ask(address, f"/content/{content_id}")
        assert answer.status == 200
        assert not answer.whole
        assert int(answer.headers["content-length"]) == len(LARGE)
        assert ask(address, "/").status == 200


def test_a_break_before_anything_was_sent_is_told_in_words(tmp_path: Path) -> None:
    """The head waits for the first piece, and the first piece for the second to be read."""
    visit = an_html_visit("one", "2026-11-23T23:50:00.000000Z", "https://p.example/", "x" * 100_000)
    shelf = Shelf(a_collection(a_document("one")), [visit])
    content_id = str(shelf.of("one")[0].content_id)
    shelf.contents[content_id] = shelf.contents[content_id][:-1] + b"y"
    with served(shelf, tmp_path) as address:
        answer = ask(address, f"/content/{content_id}")
    assert answer.status == 500
    assert "the stored content is not what the index names" in answer.body.decode()
    assert "the evidence of this capture" in answer.body.decode()


def test_four_readers_get_four_downloads(tmp_path: Path) -> None:
    """Downloads at once do not mix."""
    shelf = large_shelf()
    content_id = str(shelf.of("one")[0].content_id)
    with served(shelf, tmp_path) as address, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask(address, f"/content/{content_id}"), range(8)))
    assert {hashlib.sha256(answer.body).hexdigest() for answer in answers} == {
        content_id.removeprefix("sha256:")
    }


def command(root: Path, *arguments: str) -> list[str]:
    program = "from provenance.cli import main; main()"
    return [sys.executable, "-c", program, "-C", str(root), *arguments]


def an_archive(folder: Path, file: Path) -> Path:
    """Make an archive root that holds one added file."""
    root = folder / "private-folder"
    subprocess.run(command(folder, "init", str(root)), check=True, capture_output=True, timeout=60)
    (root / "seeds" / "example.toml").write_text(
        '[collection]\nid = "example"\ntitle = "One file"\nabout = "A file."\n\n'
        '[[document]]\nid = "one"\ntitle = "One"\nrole = "source"\n'
        'publisher = "Harbour Pilots"\npublisher_kind = "ngo"\n'
    )
    for arguments in (("add", str(file), "--document", "one"), ("index",)):
        subprocess.run(command(root, *arguments), check=True, capture_output=True, timeout=600)
    return root


class Serving:
    """`provenance serve` in a process of its own."""

    def __init__(self, root: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            command(root, "serve", "--port", "0", *options), stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        self.address = self.process.stderr.readline().rpartition(" ")[2].strip().rstrip("/")

    def __enter__(self) -> Serving:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.terminate()
        self.log = self.process.communicate(timeout=60)[1]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.address + path, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def test_no_page_tells_where_on_the_machine_the_archive_lies(tmp_path: Path) -> None:
    """Whatever is lost or broken, folders stand in the log alone; readers get words and a file."""
    letter = tmp_path / "letter.txt"
    letter.write_text("To the council.\n")
    root = an_archive(tmp_path, letter)
    with Serving(root) as serving:
        (row,) = json.loads(serving.get("/provenance/capture.json?_shape=array")[1])
        paths = [
            f"/content/{row['content_id']}",
            f"/view/{row['capture_id']}/raw",
            f"/capture/{row['capture_id']}",
            f"/view/{row['capture_id']}",
            "/-/databases",
            "/-/databases.json",
            "/-/threads",
            "/-/threads.json",
            "/-/plugins.json",
            "/-/versions.json",
            "/-/metadata.json",
            "/-/settings.json",
            "/provenance",
            "/provenance/none",
            "/provenance/none.json",
            "/provenance?sql=select+nonsense",
            "/provenance.json?sql=select+nonsense",
        ]
        (file,) = (root / "archive").glob("*.warc.gz")
        for broken in ("nothing", "cut", "lost", "index lost"):
            if broken == "cut":
                file.chmod(0o644)
                os.truncate(file, row["offset"] + 20)
            elif broken == "lost":
                file.unlink()
            elif broken == "index lost":
                (root / "metadata" / "provenance.db").unlink()
            for path in paths:
                status, text = serving.get(path)
                assert "private-folder" not in text, (broken, path)
                assert "site-packages" not in text, (broken, path)
                if broken == "lost" and path in paths[:2]:
                    assert status == 404
                    assert "The bytes are not at this site" in text
                elif broken == "index lost" and path in paths[:2]:
                    assert status == 503
                elif broken != "nothing" and path in paths[:2]:
                    assert status == 500
                    assert "What is stored cannot be shown" in text
        status, text = serving.get(paths[0])
    assert "private-folder" in serving.log
    assert "there is no index" in serving.log


def test_a_name_given_on_the_command_line_is_answered_to(tmp_path: Path) -> None:
    """`serve --name` adds a name; others are still refused."""
    letter = tmp_path / "letter.txt"
    letter.write_text("To the council.\n")
    with Serving(an_archive(tmp_path, letter), "--name", "archive.example") as serving:
        assert ask(serving.address, "/", "Host: archive.example").status == 200
        assert ask(serving.address, "/", "Host: evil.example").status == 421


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="memory is read from /proc")
def test_a_large_file_is_sent_in_little_memory(tmp_path: Path) -> None:
    """Four downloads at once of 256 MiB arrive whole; the server stays below 200 MiB."""
    file = tmp_path / "large.bin"
    block = os.urandom(1 << 20)
    with file.open("wb") as stream:
        for number in range(256):
            stream.write(number.to_bytes(8, "big") + block[8:])
    with Serving(an_archive(tmp_path, file)) as serving:
        (row,) = json.loads(serving.get("/provenance/capture.json?_shape=array")[1])

        def download(_: int) -> str:
            digest = hashlib.sha256()
            address = f"{serving.address}/content/{row['content_id']}"
            with urllib.request.urlopen(address, timeout=300) as answer:
                while piece := answer.read(1 << 20):
                    digest.update(piece)
            return f"sha256:{digest.hexdigest()}"

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(download, range(4))) == {row["content_id"]}
        status = Path(f"/proc/{serving.process.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert peak and int(peak[1]) < 200 * 1024
