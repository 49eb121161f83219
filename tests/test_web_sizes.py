"""No page loads more than 60 KB before anything archived: its HTML, its stylesheets, its script."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from provenance.archive import Archive
from provenance.demo.run import run_demo
from provenance.index import build
from provenance.model import Alternate, AlternateRole, CollectionId, OutcomeKind, RelationKind, Role
from provenance.web.site import create_site
from tests.index_builders import a_collection as one_of_many
from tests.index_builders import a_document as one_card
from tests.index_builders import library
from tests.web_client import Client
from tests.web_fixture import (
    Shelf,
    a_collection,
    a_document,
    a_relation,
    an_html_visit,
    harbour,
)

MOST = 60_000
LONG = "A statement of the council on the harbour bridge and what it cost, with all annexes, " * 2
WIDE = "关于港口大桥提升设备的说明及其附件" * 4

Get = Callable[[str], Any]


def loaded(get: Get, path: str) -> int:
    """Return the bytes that a first visit loads of ours."""
    page = get(path)
    assert page.status_code == 200, path
    beside = set(re.findall(r'(?:href|src)="(/-/provenance/[^"]+)"', page.text))
    assert {address.partition("?")[0].rsplit(".", 1)[1] for address in beside} == {
        "css",
        "js",
        "svg",
    }
    ours = page.text.partition('<div class="pages"')[0]  # what follows is archived text
    return len(ours.encode()) + sum(len(get(address).content) for address in beside)


def asking(datasette: Any) -> Iterator[Get]:
    with asyncio.Runner() as runner:
        yield lambda path: runner.run(datasette.client.get(path))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Get]:
    """The site of the demo's archive."""
    root = tmp_path_factory.mktemp("demo") / "root"
    run_demo(root)
    yield from asking(Archive(root).site())


def test_every_page_of_the_demo_is_within_its_size(demo: Get) -> None:
    """Followed from link to link: each kind of page is among them."""
    kinds: dict[str, int] = {}
    waiting, seen = ["/", "/search?q=bridge", "/search?q=the+bridge&order=newest", "/search"], set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        size = loaded(demo, path)
        kind = path.partition("?")[0].split("/")[1]
        kinds[kind] = max(kinds.get(kind, 0), size)
        links = (
            unescape(link) for link in re.findall(r'<a\b[^>]* href="(/[^"]*)"', demo(path).text)
        )
        waiting += [
            link
            for link in dict.fromkeys(links)
            if re.fullmatch(
                r"/(|failures|(collection|document|capture|view)/[^/.]+|diff/[^/.]+/[^/.]+)(\?.*)?",
                link,
            )
            and link not in seen
            and link not in waiting
        ]
    assert set(kinds) == {
        "", "collection", "document", "capture", "view", "diff", "failures", "search"
    }  # fmt: skip
    assert {kind: size for kind, size in kinds.items() if size > MOST} == {}


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One collection of a hundred documents with long titles; the first was visited 200 times.

    Its text changes all the time, and it has very many relations and other addresses.
    """
    url = "https://council.example/pier"
    names = [f"pier-{number:03d}" for number in range(100)]
    ends: tuple[dict[str, Any], ...] = (
        {},
        {"outcome": OutcomeKind.UNCHANGED},
        {"outcome": OutcomeKind.ERROR_STATUS, "status": 503},
        {},
    )
    visits = [
        an_html_visit(
            "pier-000",
            f"20{20 + n // 12:02d}-{n % 12 + 1:02d}-01T00:00:00.000000Z",
            url,
            f"<title>{LONG}</title><p>pier {n}</p>" + f"<p>{WIDE} & {n}</p>" * (n % 50),
            **ends[n % 4],
        )
        for n in range(200)
    ]
    visits += [
        an_html_visit(
            one,
            f"2026-02-01T00:00:{n % 60:02d}.{n:06d}Z",
            f"{url}/{one}",
            f"<title>{LONG}</title><p>pier {WIDE}",
            **({} if n % 3 else {"outcome": OutcomeKind.ERROR_STATUS, "status": 400 + n}),
        )
        for n, one in enumerate(names[1:])
    ]
    documents = [
        a_document(
            one,
            title=LONG if n % 2 else WIDE,
            title_original=WIDE,
            language="zh-Hans",
            publisher=f"{LONG[:150]} {n}",
            published=f"{1900 + n}",
            role=(Role.SOURCE, Role.OFFICIAL, Role.INDEPENDENT)[n % 3],
            relations=tuple(a_relation(RelationKind.CITES, other, LONG) for other in names[1:])
            if n == 0
            else (),
            alternates=tuple(
                Alternate(url=f"{url}/{at}", role=AlternateRole.REPUBLICATION, note=LONG)
                for at in range(80)
            )
            if n == 0
            else (),
        )
        for n, one in enumerate(names)
    ]
    client = Client(Shelf(a_collection(*documents), visits), tmp_path_factory.mktemp("crowded"))
    yield client
    client.close()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/collection/harbour-bridge",
        "/collection/harbour-bridge?page=2",
        "/collection/harbour-bridge?state=attention",
        "/document/pier-000",
        "/document/pier-000?page=4",
        "/failures",
        "/search?q=pier",
        "/search?q=pier&order=newest&role=official",
        "/search",
    ],
)
def test_a_crowd_with_long_names_is_within_the_size(crowded: Client, path: str) -> None:
    """Two hundred captures, two hundred publishers, titles of 170 characters."""
    assert loaded(crowded.get, path) <= MOST


@pytest.mark.parametrize("more", ["", "?view=inline", "?all=1", "?all=1&page=2", "?mask=1"])
def test_a_comparison_of_long_texts_is_within_the_size(crowded: Client, more: str) -> None:
    """Whichever way it is shown."""
    captures = [str(one.capture_id) for one in crowded.shelf.of("pier-000")]
    for before, after in ((40, 48), (48, 99), (0, 147)):
        path = f"/diff/{captures[before]}/{captures[after]}{more}"
        assert loaded(crowded.get, path) <= MOST


def test_an_evidence_page_is_within_the_size(crowded: Client) -> None:
    """Its citations hold the long title six times."""
    capture_id = crowded.newest("pier-000")
    assert loaded(crowded.get, f"/capture/{capture_id}") <= MOST


def test_a_front_page_of_many_collections_is_within_the_size(tmp_path: Path) -> None:
    """Each stands on it, up to a limit, and says how many documents it has."""
    for count in (1, 8, 20, 70, 200):
        names = [CollectionId(f"council-{number:03d}") for number in range(count)]
        path = tmp_path / f"{count}" / "provenance.db"
        build(
            path=path,
            collections=[
                one_of_many(
                    *(one_card(f"{name}-{n}", collection=name) for n in range(3)), identifier=name
                )
                for name in names
            ],
            surveys=(),
            derive=library(),
        )
        asked = asking(create_site(path, harbour()))
        get = next(asked)
        page = get("/").text
        assert loaded(get, "/") <= MOST
        shown = re.findall(r'href="/collection/(council-\d+)"', page)
        assert shown == names[: len(shown)]
        assert len(shown) == min(count, 74)
        assert ("All 200 collections as a table" in page) == (count == 200)
