"""Our pages asked by other programs for what they had when: pywb, and our own fetching."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance.archive import Archive
from provenance.gather.timemaps import read_timemap
from provenance.web.renewal import RenewedSite
from tests.fetch_rig import (
    SETTINGS,
    Clock,
    Play,
    in_turn,
    leading_to,
    reply,
    rooted,
    run,
    runtime,
    web,
)
from tests.peers import PEERS
from tests.roots import fetched, findings, notes, root_of
from tests.test_gather_pywb import Archive as Peer
from tests.test_gather_pywb import free_port, has_come_up
from tests.web_server import running

DAY = datetime(2024, 3, 1, 10, 0, tzinfo=UTC)
NEWS = "http://doc.example/news?day=1&x=%2Fa"
PAPER = "http://doc.example/paper.pdf"
MOVED = "http://doc.example/moved"
LANDED = "http://doc.example/landed"
PAGES = [
    f"<html><body><a href='/b'>day {day} 橋</a><script>x</script>".encode() for day in range(3)
]
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 50
PAYLOADS = {PAPER: PDF, MOVED: b"<p>landed", LANDED: b"<p>landed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A real archive of three days, served; `address` without a slash at the end."""

    archive: Archive
    address: str

    def captures(self, place: int) -> list[Any]:
        return sorted(
            self.archive.captures_of(f"doc-{place}"), key=lambda capture: capture.captured_at
        )


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    """Fetch the same addresses on three days, index and serve them."""
    root = rooted(tmp_path_factory.mktemp("ours") / "root", NEWS, PAPER, MOVED)
    pages: dict[str, Play] = {
        "doc.example/news?day=1&x=%2Fa": in_turn(*map(reply, PAGES)),
        "doc.example/paper.pdf": reply(PDF, media="application/pdf"),
        "doc.example/moved": leading_to(LANDED),
        "doc.example/landed": reply(b"<p>landed"),
    }
    with web(pages) as wire:
        for day in range(3):
            made = run(root, runtime(wire, Clock(at=DAY + timedelta(days=day))), SETTINGS)
    made.archive.index()
    with running(RenewedSite(made.archive.site, made.archive.index_path)) as address:
        yield Ours(archive=made.archive, address=address)


@pytest.mark.parametrize(
    ("document", "published", "day"),
    [
        (NEWS, "2020", 0),
        (NEWS, "2024-03-01", 1),
        (NEWS, "2025", 2),
        (PAPER, "2020", 0),
        (MOVED, "2020", 0),
        (LANDED, "2020", 0),
        (NEWS.replace("http:", "https:"), "2020", 0),
    ],
)
def test_another_archive_imports_from_ours(
    ours: Ours, tmp_path: Path, document: str, published: str, day: int
) -> None:
    """`fetch --memento` with our TimeGate gets the bytes and the date, and says from where."""
    root = root_of(tmp_path, document, more=f'published = "{published}"\n')
    gate = f"{ours.address}/timegate/"
    (outcome,) = fetched(root, memento=gate)
    assert (outcome.outcome, outcome.reason) == ("captured", None)
    assert str(outcome.captured_at)[:10] == f"2024-03-0{1 + day}"
    (note,) = [each for each in notes(root) if each.get("kind") == "document"]
    obtained: Any = note["obtained"]
    assert obtained["how"] == "imported" and obtained["timegate"] == gate
    assert obtained["original"] == document.replace("https:", "http:")
    assert findings(root) == []
    root.index()
    (row,) = root.captures_of("doc-0")
    source = next(
        each
        for place in range(3)
        for each in ours.captures(place)
        if str(each.capture_id) in obtained["memento"]
    )
    assert row.content_id == source.content_id
    # What was imported keeps its own date when it is handed on.
    with running(RenewedSite(root.site, root.index_path)) as address:
        peer = Peer(prefix=f"{address}/timegate/")
        head, _ = peer.get(peer.prefix + document)
        head, body = peer.get(head.value("location") or "")
        assert (head.value("memento-datetime") or "").startswith(
            f"{datetime(2024, 3, 1 + day, tzinfo=UTC):%a, %d %b %Y}"
        )
        assert body == PAYLOADS.get(document, PAGES[day])


@pytest.fixture(scope="module")
def pywb(ours: Ours, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """Run pywb over a remote collection that is our site, by its Memento addresses alone."""
    if not (PEERS / "wayback").is_file():
        pytest.skip("pywb is not in the peers' environment (make test makes it)")
    root = tmp_path_factory.mktemp("pywb")
    (root / "config.yaml").write_text(
        "enable_memento: true\nframed_replay: false\nredirect_to_exact: false\n"
        f"collections:\n  ours: memento+{ours.address}/timegate/\n"
    )
    nowhere = "http://127.0.0.1:9"
    environment = {
        **os.environ,
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), nowhere),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
    }
    port = free_port()
    command = [str(PEERS / "wayback"), "--bind", "127.0.0.1", "--port", str(port)]
    with (
        (root / "log.txt").open("wb") as log,
        subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            assert has_come_up(process, port), (root / "log.txt").read_text("utf-8", "replace")
            yield Peer(prefix=f"http://127.0.0.1:{port}/ours/")
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.mark.parametrize("day", range(3))
def test_pywb_replays_our_mementos_byte_for_byte(pywb: Peer, day: int) -> None:
    """It asks our gate, takes the memento under its date, and passes the bytes on."""
    head, body = pywb.get(f"{pywb.prefix}2024030{1 + day}100000id_/{NEWS}")
    assert head.status == 200
    assert body == PAGES[day]
    assert f"0{1 + day} Mar 2024 10:00:0" in (head.value("memento-datetime") or "")
    assert head.value("content-type") == "text/html; charset=utf-8"


def test_pywb_replays_what_we_only_give_to_save(pywb: Peer) -> None:
    """A PDF comes whole too, and what was redirected under the address asked for."""
    assert pywb.get(f"{pywb.prefix}2024id_/{PAPER}")[1] == PDF
    assert pywb.get(f"{pywb.prefix}2024id_/{MOVED}")[1] == b"<p>landed"
    assert pywb.get(f"{pywb.prefix}2024id_/http://doc.example/never")[0].status == 404


@pytest.mark.parametrize("form", ["link", "json"])
def test_pywb_lists_what_our_timemap_lists(pywb: Peer, ours: Ours, form: str) -> None:
    """Its own TimeMap, made out of ours, has the same instants."""
    address = f"{ours.address}/timemap/{form}/{NEWS}"
    own = read_timemap(pywb.get(address)[1].decode(), url=address)
    theirs = f"{pywb.prefix}timemap/{form}/{NEWS}"
    passed_on = read_timemap(pywb.get(theirs)[1].decode(), url=theirs)
    assert [one.instant for one in passed_on.mementos] == [one.instant for one in own.mementos]
    assert [one.instant.day for one in own.mementos] == [1, 2, 3]
