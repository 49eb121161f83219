"""A site whose index is built anew while it is served: one state on every page, old or new."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import re
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from provenance.errors import ProvenanceError
from provenance.web.policy import Message
from provenance.web.renewal import RenewedSite
from provenance.web.site import create_site
from provenance.web.source import AtHand, LogHead
from tests.web_fixture import Shelf, Visit, a_collection, a_document, an_html_visit
from tests.web_server import running, site_over

PLACES = ("pier", "quay", "lock", "weir", "mole")


def shelf_of(count: int) -> Shelf:
    """Return an archive of so many documents, each with one capture that says how many."""
    names = [f"{PLACES[number % 5]}-{number:02d}" for number in range(count)]
    visits: list[Visit] = [
        an_html_visit(
            name,
            f"2026-11-23T23:50:{number:02d}.000000Z",
            f"https://p.example/{name}",
            f"<title>{name}</title><p>harbour, {count} in all</p>",
        )
        for number, name in enumerate(names)
    ]
    return Shelf(a_collection(*(a_document(name) for name in names)), visits)


class Exchangeable:
    """The port over a shelf that can be exchanged for another, as WARC files come to an archive."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def content(self, capture_id: str) -> Iterator[bytes]:
        return self.shelf.content(capture_id)

    def at_hand(self, capture_ids: Sequence[str]) -> Mapping[str, AtHand]:
        return self.shelf.at_hand(capture_ids)

    def exchange(self, capture_id: str) -> object:
        return self.shelf.exchange(capture_id)

    def cite(self, capture_id: str, form: str, locator: str | None) -> str:
        return self.shelf.cite(capture_id, form, locator)

    def fts_query(self, words: str) -> str:
        return self.shelf.fts_query(words)

    def log(self) -> LogHead | None:
        return self.shelf.log()


def fetched(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as answer:
        raw: bytes = answer.read()
    return raw


def counts(address: str) -> dict[str, int]:
    """Return how many documents or captures each page says there are."""

    def number(path: str, pattern: str) -> int:
        found = re.search(pattern, fetched(address + path).decode())
        assert found, path
        return int(found[1])

    def listed(path: str, key: str) -> int:
        return len(json.loads(fetched(address + path))[key])

    saved = fetched(f"{address}/provenance.db")
    said = json.loads(fetched(f"{address}/-/databases.json"))
    listing = said["databases"] if isinstance(said, dict) else said  # Datasette 1.0, 0.65
    (database,) = (one for one in listing if one["name"] == "provenance")
    assert database["hash"] == hashlib.sha256(saved).hexdigest()
    assert database["size"] == len(saved)
    sql = "/provenance.json?sql=select+count(*)+as+n+from+document&_shape=array"
    return {
        "home": number("/", r"of (\d+) documents"),
        "collection": len(
            re.findall(
                r'class="title" href="/document/',
                fetched(f"{address}/collection/harbour-bridge").decode(),
            )
        ),
        "search": listed("/search.json?q=harbour", "results"),
        "filters": number("/search?q=harbour", r"harbour</mark>, (\d+) in all"),
        "table": number("/provenance/document", r"(\d+) rows?\b"),
        "tables": number("/provenance", r"(?s)/provenance/document\">document<.*?(\d+) rows?\b"),
        "rows": listed("/provenance/document.json?_size=max", "rows"),
        "sql": json.loads(fetched(address + sql))[0]["n"],
    }


def agree(found: dict[str, int], count: int) -> None:
    assert found == dict.fromkeys(found, count)


def test_a_rebuilt_index_is_shown_on_every_page_at_once(tmp_path: Path) -> None:
    """Before, between and after two rebuilds, pages, twins, tables, SQL and download agree."""
    source = Exchangeable(shelf_of(3))
    path = source.shelf.write(tmp_path)
    said: list[str] = []
    site = RenewedSite(lambda: create_site(path, source), path, report=said.append)  # type: ignore[arg-type]
    with running(site) as address:
        agree(counts(address), 3)
        for count in (7, 5):
            source.shelf = shelf_of(count)
            source.shelf.write(tmp_path)
            agree(counts(address), count)
            newest = source.shelf.of("weir-03")[-1]
            page = fetched(f"{address}/capture/{newest.capture_id}").decode()
            assert f"{count} in all" in page
    assert said == ["The index was replaced; the new one is served."] * 2


def test_many_readers_during_rebuilds_never_see_half_a_state(tmp_path: Path) -> None:
    """Four readers read through six rebuilds; each page's count is that of its own rows."""
    shelves = {count: shelf_of(count) for count in (2, 9)}
    path = shelves[2].write(tmp_path)
    ended = threading.Event()

    def read(address: str) -> set[tuple[int, int]]:
        seen = set()
        while not ended.is_set():
            text = fetched(f"{address}/provenance/document").decode()
            said = re.search(r"(\d+) rows?\b", text)
            assert said
            seen.add((int(said[1]), len(re.findall(r"<td class=\"col-document", text))))
            text = fetched(f"{address}/collection/harbour-bridge").decode()
            said = re.search(r'aria-label="(\d+) documents', text)
            assert said
            seen.add((int(said[1]), text.count('class="title" href="/document/')))
        return seen

    with running(site_over(shelves[9], path)) as address, ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, address) for _ in range(4)]
        try:
            for round_ in range(6):
                count = 9 if round_ % 2 == 0 else 2
                shelves[count].write(tmp_path)
                agree(counts(address), count)
        finally:
            ended.set()
        seen = set().union(*(reader.result(timeout=60) for reader in readers))
    assert seen <= {(2, 2), (9, 9)}


async def asked(site: RenewedSite, path: str) -> str:
    """Return the body of the answer to a GET, asked without a socket."""
    body: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        body.append(message.get("body", b""))

    scope = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http"}
    target = {"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": ""}
    await site({**scope, **target, "headers": [(b"host", b"localhost")]}, receive, send)
    return b"".join(body).decode()


def test_a_request_under_way_ends_with_the_index_it_began_with(tmp_path: Path) -> None:
    """A download that is being sent while the index is replaced arrives whole."""

    class Slow(Shelf):
        begun = threading.Event()
        go_on = threading.Event()

        def content(self, capture_id: str) -> Iterator[bytes]:
            first, *rest = super().content(capture_id)
            yield first
            self.begun.set()
            assert self.go_on.wait(60)
            yield from rest

    large = "x" * 2_000_000
    shelf = Slow(
        a_collection(a_document("pier-00")),
        [an_html_visit("pier-00", "2026-11-23T23:50:00.000000Z", "https://p.example/", large)],
    )
    path = shelf.write(tmp_path)
    content_id = shelf.of("pier-00")[0].content_id
    with running(site_over(shelf, path)) as address, ThreadPoolExecutor(1) as pool:
        download = pool.submit(fetched, f"{address}/content/{content_id}")
        try:
            assert Slow.begun.wait(60)
            shelf_of(4).write(tmp_path)
            agree(counts(address), 4)
        finally:
            Slow.go_on.set()
        assert download.result(timeout=60) == large.encode()
        agree(counts(address), 4)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are read from /proc")
def test_old_indexes_are_let_go(tmp_path: Path) -> None:
    """Six rebuilds leave no thread and no open file behind."""

    def open_files() -> list[str]:
        held = []
        for link in Path("/proc/self/fd").iterdir():
            try:
                held.append(str(link.readlink()))
            except OSError:
                continue
        return [name for name in held if str(tmp_path) in name]

    shelves = [shelf_of(2), shelf_of(3)]
    path = shelves[0].write(tmp_path)
    with running(site_over(shelves[0], path)) as address:
        agree(counts(address), 2)
        files, threads = len(open_files()), threading.active_count()
        assert files > 0
        for round_ in range(6):
            shelves[(round_ + 1) % 2].write(tmp_path)
            agree(counts(address), 3 - round_ % 2)
        gc.collect()
        assert not [name for name in open_files() if name.endswith("(deleted)")]
        assert len(open_files()) <= files
        assert threading.active_count() <= threads + 2
    gc.collect()
    assert open_files() == []


def test_every_thread_stays_with_the_file_that_was_opened(tmp_path: Path) -> None:
    """After one request, four reads at once are all of that file, though another has its name."""
    shelf = shelf_of(2)
    path = shelf.write(tmp_path)
    made = []

    def make() -> object:
        made.append(create_site(path, shelf))
        return made[-1]

    together = threading.Barrier(4)

    def read(conn: sqlite3.Connection) -> int:
        together.wait(60)
        return int(conn.execute("select count(*) from document").fetchone()[0])

    async def go() -> list[int]:
        await asked(RenewedSite(make, path), "/")
        shelf_of(9).write(tmp_path)
        database = made[0].get_database("provenance")
        return list(await asyncio.gather(*(database.execute_fn(read) for _ in range(4))))

    assert asyncio.run(go()) == [2, 2, 2, 2]


def test_an_index_that_cannot_be_opened_leaves_the_old_one(tmp_path: Path) -> None:
    """A missing or broken file is told once and changes no page; the next good one is shown."""
    shelf, said = shelf_of(2), list[str]()
    path = shelf.write(tmp_path)

    def make() -> object:
        if path.read_bytes()[:6] != b"SQLite":
            raise ProvenanceError("this is no index", where=path.name)
        return create_site(path, shelf)

    async def go() -> None:
        site = RenewedSite(make, path, report=said.append)

        async def documents() -> int:
            found = re.search(r"of (\d+) documents", await asked(site, "/"))
            assert found
            return int(found[1])

        assert await documents() == 2
        path.unlink()
        assert await documents() == 2
        assert said == []
        path.write_bytes(b"no database")
        assert [await documents() for _ in range(3)] == [2, 2, 2]
        assert said == [
            "The index was replaced, but the old one stays: provenance.db: this is no index"
        ]
        shelf_of(4).write(tmp_path)
        assert await documents() == 4
        assert len(said) == 2

    asyncio.run(go())


def test_a_fault_before_serving_is_the_callers(tmp_path: Path) -> None:
    """What cannot be opened at the start is raised, not served."""

    def make() -> object:
        raise ProvenanceError("there is no index")

    with pytest.raises(ProvenanceError, match="there is no index"):
        RenewedSite(make, tmp_path / "provenance.db")


def run(*arguments: str, root: Path) -> None:
    ended = subprocess.run(
        command(root, *arguments), capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr


def command(root: Path, *arguments: str) -> list[str]:
    program = "from provenance.cli import main; main()"
    return [sys.executable, "-c", program, "-C", str(root), *arguments]


def test_serve_shows_what_index_has_just_built(tmp_path: Path) -> None:
    """`add` and `index` beside a running `serve` are seen at its address without a restart."""
    root = tmp_path / "root"
    run("init", str(root), root=tmp_path)
    letter = tmp_path / "letter.txt"
    letter.write_text("The harbour pilots to the council.\n")
    seeds = root / "seeds" / "example.toml"
    seeds.write_text(
        '[collection]\nid = "example"\ntitle = "Letters"\nabout = "Two letters."\n\n'
        '[[document]]\nid = "letter"\ntitle = "A letter"\nrole = "source"\n'
        'publisher = "Harbour Pilots"\npublisher_kind = "ngo"\n'
    )
    run("index", root=root)
    serving = subprocess.Popen(
        command(root, "serve", "--port", "0"), stderr=subprocess.PIPE, text=True
    )
    try:
        assert serving.stderr is not None
        said = serving.stderr.readline()
        address = said.rpartition(" ")[2].strip().rstrip("/")
        assert "0 of 1 document kept" in fetched(address + "/").decode()
        run("add", str(letter), "--document", "letter", root=root)
        run("index", root=root)
        assert "1 of 1 document kept" in fetched(address + "/").decode()
        (hit,) = json.loads(fetched(f"{address}/search.json?q=pilots"))["results"]
        assert fetched(f"{address}/content/{hit['content_id']}") == letter.read_bytes()
        assert "BibTeX" in fetched(f"{address}/capture/{hit['capture_id']}").decode()
        rows = json.loads(fetched(f"{address}/provenance/capture.json?_shape=array"))
        assert [row["capture_id"] for row in rows] == [hit["capture_id"]]
    finally:
        serving.terminate()
        serving.communicate(timeout=30)
