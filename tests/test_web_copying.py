"""A copy of the site made of files: what is in it, where its links lead, and what it cannot do."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from provenance.errors import ProvenanceError
from provenance.publishing import write_copy
from provenance.web.copying import SiteCopy
from provenance.web.offer import Offer
from provenance.web.places import Known, place_of
from provenance.web.policy import PAGE_POLICY
from provenance.web.site import create_site
from provenance.web.standalone import meta_policy, standing_alone
from provenance.web.views import PAGE_SIZE
from tests.web_client import Client
from tests.web_copies import AT, Elements, Published, files_in, published, resolved
from tests.web_fixture import Shelf, a_document, an_html_visit, harbour
from tests.web_hostile import RUN, hostile

KINDS = {
    "bare": {},
    "addressed": {"base_url": AT},
    "whole": {"base_url": AT, "contents": True, "database": True},
    "hostile": {"contents": True},
}


@pytest.fixture(scope="module", params=KINDS)
def copy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Each kind of copy once."""
    shelf = hostile() if request.param == "hostile" else harbour()
    folder = tmp_path_factory.mktemp(request.param)
    return published(shelf, folder, **KINDS[request.param])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The copy that is made without any option."""
    return published(harbour(), tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The copy with all that there is."""
    return published(
        harbour(), tmp_path_factory.mktemp("all"), base_url=AT, contents=True, database=True
    )


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(harbour(), tmp_path_factory.mktemp("live"))
    yield client
    client.close()


def base_of(copy: Published) -> str:
    address = copy.copy._site.address
    return address.base if address else "/"


def pages_of(folder: Path) -> Iterator[tuple[Path, Elements]]:
    for path in sorted(folder.rglob("*.html")):
        yield path, Elements(path.read_text("utf-8"))


def test_every_link_of_every_page_leads_to_a_file_of_the_copy(copy: Published) -> None:
    """No link within the site is relative, has choices in it, or leads to what is not there."""
    wrong, seen = [], 0
    for path, page in pages_of(copy.folder):
        for tag, href in page.links():
            if href.startswith(("http://", "https://")) and not href.startswith(AT):
                assert tag in ("a", "link"), (path, tag, href)
                continue
            seen += 1
            parts = urlsplit(href.removeprefix("https://archive.example"))
            versioned = parts.query == "" or "/-/provenance/" in parts.path
            inside = href.startswith("#") and href[1:] in page.ids()
            rooted = parts.path.startswith("/") or inside
            there = inside or resolved(copy.folder, parts.path, base=base_of(copy))
            if not (versioned and rooted and there):
                wrong.append((path.relative_to(copy.folder), tag, href))
    assert wrong == []
    assert seen > 100


def test_every_address_of_the_copy_that_programs_read_is_there(copy: Published) -> None:
    """Feed, site map, JSON-LD and JSON name their own site's addresses; all of them resolve."""
    origin = re.compile(rb"https://archive\.example(/[^\"<>\s]*)")
    wrong, seen = [], 0
    for name, raw in files_in(copy.folder).items():
        if name.endswith((".db", ".zip", ".html")):
            continue
        paths = [found.decode() for found in origin.findall(raw)]
        if name.startswith("capture/") and name.endswith(".json") and "csl" not in name:
            paths += [path for path in json.loads(raw)["links"].values() if path]
        for path in paths:
            seen += 1
            if resolved(copy.folder, path, base=base_of(copy)) is None:
                wrong.append((name, path))
    assert wrong == []
    assert seen > 10


def test_every_file_is_reached_from_the_front_page_or_the_site_map(copy: Published) -> None:
    """Nothing lies in the copy that nobody finds, but for what hosts and checkers look for."""
    base = base_of(copy)
    found, left = {copy.folder / "index.html"}, [copy.folder / "index.html"]
    while left:
        path = left.pop()
        if path.suffix != ".html":
            continue
        for _, href in Elements(path.read_text("utf-8")).links():
            target = href.removeprefix("https://archive.example")
            file = resolved(copy.folder, target, base=base) if target.startswith(base) else None
            if file is not None and file not in found:
                found.add(file)
                left.append(file)
    names = {path.relative_to(copy.folder).as_posix() for path in found}
    alone = {".nojekyll", ".provenance-published", "404.html", "sitemap.xml", "sitemap/1.xml"}
    rest = {name for name in set(files_in(copy.folder)) - names - alone if "content/" not in name}
    assert rest == set()


def test_a_page_carries_its_headers_in_its_head(copy: Published) -> None:
    """The policy is the live page's but for what no meta element can say; it comes first."""
    for path, page in pages_of(copy.folder):
        metas = [attributes for tag, attributes in page.found if tag == "meta"]
        assert metas[0] == {"charset": "utf-8"}, path
        assert metas[1] == {
            "http-equiv": "Content-Security-Policy",
            "content": PAGE_POLICY.replace("; frame-ancestors 'none'", ""),
        }
        assert metas[2] == {"name": "referrer", "content": "no-referrer"}
        before = [tag for tag, _ in page.found[: page.found.index(("meta", metas[1]))]]
        assert before == ["html", "head", "meta"]


def test_nothing_in_a_copy_asks_for_a_program(copy: Published) -> None:
    """No form, no frame, no archived picture; one script, ours; no handler and no inline style."""
    for path, page in pages_of(copy.folder):
        tags = {tag for tag, _ in page.found}
        assert not tags & {"form", "iframe", "img", "object", "embed", "base", "style"}, path
        scripts = [attributes for tag, attributes in page.found if tag == "script"]
        assert [urlsplit(one["src"]).path for one in scripts] == [
            f"{base_of(copy)}-/provenance/site.js"
        ]
        for _, attributes in page.found:
            assert not [name for name in attributes if name.startswith("on") or name == "style"]


def test_archived_bytes_stand_in_zip_files_alone(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """No file of a hostile copy begins like a page unless it is ours, whatever its name is."""
    shelf = hostile()
    copy = published(shelf, tmp_path_factory.mktemp("zip"), contents=True)
    files = files_in(copy.folder)
    held = {f"content/{name}.zip" for name in shelf.contents}
    assert held == {name for name in files if name.endswith(".zip")}
    for content_id, raw in shelf.contents.items():
        packed = files[f"content/{content_id}.zip"]
        assert packed.startswith(b"PK\x03\x04")
        archive = zipfile.ZipFile(io.BytesIO(packed))
        (member,) = archive.infolist()
        assert archive.read(member) == raw
        assert f"sha256:{hashlib.sha256(archive.read(member)).hexdigest()}" == content_id
        assert re.fullmatch(r"[a-z-]+-[0-9a-f]{8}\.(html|svg|txt|bin)", member.filename)
    for name, raw in files.items():
        if not name.endswith((".html", ".zip")):
            assert raw.lstrip()[:1] != b"<" or name.endswith((".svg", ".xml")), name
            assert not (name.endswith(".svg") and RUN.encode() in raw)


def test_without_contents_no_text_of_a_document_is_in_it_but_excerpts(bare: Published) -> None:
    """No view, no content, no index; a comparison shows what differs, not the lines between."""
    names = files_in(bare.folder)
    assert not [name for name in names if name.startswith(("view/", "content/"))]
    assert "provenance.db" not in names
    assert "feed.atom" not in names and "sitemap.xml" not in names
    diffs = [name for name in names if name.startswith("diff/") and name.endswith(".html")]
    assert diffs
    for name in diffs:
        assert b'<details class="fold"' not in names[name]


def test_the_addresses_are_those_of_the_live_site(live: Client, whole: Published) -> None:
    """What the copy has at an address, the live site answers there, with or without the slash."""
    for path in sorted(whole.folder.rglob("index.html")):
        name = path.parent.relative_to(whole.folder).as_posix()
        if re.search(r"/(state|role|why)/", f"/{name}") or name == ".":
            continue
        assert live.get(f"/{name}").status_code == 200, name
        again = live.get(f"/{name}/")
        assert (again.status_code, again.headers["location"]) == (302, f"/{name}")


def test_a_copy_says_the_same_as_the_live_site(live: Client, bare: Published) -> None:
    """The citations and the JSON of documents are the same bytes; pages have the same words."""
    for ending in ("bib", "ris", "csl.json", "json"):
        path = f"document/gazette-article.{ending}"
        assert (bare.folder / path).read_bytes() == live.get(f"/{path}").content
    page = (bare.folder / "document/gazette-article/index.html").read_text("utf-8")
    assert "Half a year of the harbour bridge" in page
    assert page.count('class="moment"') == live.get("/document/gazette-article").text.count(
        'class="moment"'
    )


def test_the_headers_for_programs_become_elements(live: Client, whole: Published) -> None:
    """Signposting stands in the head, where its second way has it; content is a ZIP."""
    page = Elements((whole.folder / "document/gazette-article/index.html").read_text("utf-8"))
    links = [(a["rel"], a["href"], a.get("type")) for tag, a in page.found if tag == "link"]
    capture = next(c for c in reversed(live.shelf.of("gazette-article")) if c.content_id)
    assert ("cite-as", f"{AT}capture/{capture.capture_id}", None) in links
    assert ("item", f"{AT}content/{capture.content_id}.zip", "application/zip") in links
    assert ("describedby", f"{AT}document/gazette-article.jsonld", "application/ld+json") in links


def test_the_same_archive_gives_the_same_bytes(whole: Published, tmp_path: Path) -> None:
    """A second copy of the same index, in another place, has the same manifest."""
    path = whole.folder.parent / "index" / "provenance.db"
    again = published(
        harbour(), tmp_path, base_url=AT, contents=True, database=False, directory=tmp_path / "x"
    )
    once_more = published(
        harbour(), tmp_path, base_url=AT, contents=True, database=False, directory=tmp_path / "y"
    )
    assert again.written == once_more.written
    assert files_in(again.folder) == files_in(once_more.folder)
    assert (whole.folder / "provenance.db").read_bytes() == path.read_bytes()


def test_the_manifest_names_every_file(copy: Published) -> None:
    """`sha256sum -c` needs nothing else; its own digest is that of the copy."""
    files = files_in(copy.folder)
    raw = files.pop("manifest-sha256.txt")
    lines = {line[66:]: line[:64] for line in raw.decode().splitlines()}
    assert lines == {name: hashlib.sha256(held).hexdigest() for name, held in files.items()}
    assert copy.written.digest == f"sha256:{hashlib.sha256(raw).hexdigest()}"
    assert copy.written.files == len(files) + 1


def test_a_collection_that_is_narrowed_or_long_has_folders_for_it(tmp_path: Path) -> None:
    """A host of files passes over what follows a question mark, so a choice is a folder."""
    shelf = harbour()
    cards = [a_document(f"page-{number:03}", url=None) for number in range(230)]
    shelf.collection = replace(shelf.collection, documents=(*shelf.collection.documents, *cards))
    copy = published(shelf, tmp_path)
    folder = copy.folder / "collection" / "harbour-bridge"
    last = -(-len(shelf.collection.documents) // PAGE_SIZE)
    for number in range(2, last + 1):
        assert (folder / "page" / str(number) / "index.html").is_file()
    assert last > 2 and not (folder / "page" / str(last + 1)).exists()
    narrowed = (folder / "state" / "failed" / "index.html").read_text("utf-8")
    assert "Only documents" in narrowed and "ferry-users" in narrowed
    assert "/document/institute-study/" not in narrowed
    assert (folder / "state" / "wanted" / "page" / "2" / "index.html").is_file()


def test_ids_that_make_no_names_of_files_are_left_out(tmp_path: Path) -> None:
    """A forged id writes nothing outside the copy, takes no other's place, and is counted."""
    shelf = Shelf(harbour().collection, [])
    for number, name in enumerate(("../../up", "a.json", "UPPER", "nul\x00", "x/y", "ü")):
        shelf._put(
            an_html_visit(name, f"2026-11-23T23:49:3{number}.000000Z", "https://e.example/", "<p>x")
        )
    copy = published(shelf, tmp_path, base_url=AT)
    assert copy.copy.left_out == 6
    assert not (tmp_path.parent / "up").exists()
    names = {path.name for path in (copy.folder / "document").iterdir()}
    assert names & {"a.json", "UPPER", "x", "ü"} == set()
    for _, page in pages_of(copy.folder):
        for _, href in page.links():
            assert not re.search(r"UPPER|a%2Ejson|%2E%2E|x%2Fy", href)
    assert b"UPPER" not in (copy.folder / "sitemap" / "1.xml").read_bytes()


def test_a_content_that_is_not_what_the_index_names_stops_it(tmp_path: Path) -> None:
    """Nothing is published of an archive whose bytes have changed."""
    shelf = harbour()
    path = tmp_path / "copy"
    name = next(iter(shelf.contents))
    published(shelf, tmp_path / "a", contents=True, directory=path)
    before = files_in(path)
    raw = shelf.contents[name]

    class Lying(Shelf):
        def content(self, capture_id: str) -> Iterator[bytes]:
            if self.captures[capture_id].content_id == name:
                yield raw[:-1] + b"!"
            else:
                yield from super().content(capture_id)

    shelf.__class__ = Lying
    with pytest.raises(ProvenanceError, match="not what the index names"):
        published(shelf, tmp_path / "b", contents=True, directory=path)
    assert files_in(path) == before
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_an_index_that_is_replaced_meanwhile_stops_it(tmp_path: Path) -> None:
    """No copy is half of one index and half of the next."""
    shelf = harbour()
    path = shelf.write(tmp_path)
    copy = SiteCopy(create_site(path, shelf, offer=Offer(live=False, contents=False)))
    parts = copy.parts()
    next(parts)
    path.with_name("new.db").write_bytes(path.read_bytes())
    path.with_name("new.db").replace(path)
    with pytest.raises(ProvenanceError, match="was replaced"):
        write_copy(tmp_path / "copy", parts, database=None)
    assert not (tmp_path / "copy").exists()


def known() -> Known:
    digest = "sha256:" + "0" * 64
    return Known(
        collections=frozenset({"k"}),
        documents=frozenset({"d"}),
        captures=frozenset({digest}),
        contents=frozenset({digest}),
    )


@pytest.mark.parametrize(
    "target",
    [
        "/search", "/search?q=x", "/provenance", "/provenance/capture", "/document/x",
        "/document/d?x=1", "/document/d.exe", "/document/d.", "/document//d", "/document/d/",
        "/collection/k?sort=1", "/collection/k?page=0", "/collection/k?state=../../x",
        "/collection/k?role=%2E%2E", "/failures?why=../x:y", "/failures?why=failed",
        "/failures?state=x", "/failures?why=failed:../x", "/collection/x?page=2",
        "/-/provenance/../x",
        "/-/provenance/secret", "/-/settings", "/diff/x/y", "/capture/sha256:00", "/view/d",
        "/document/%2E%2E/d", "/document/d%2F..%2Fx", "/opensearch.xml", "/feed.atom", "",
    ],
)  # fmt: skip
def test_what_is_not_of_the_copy_has_no_place(target: str) -> None:
    """Only addresses of a known kind, with known ids, become files."""
    offer = Offer(live=False, contents=False, database=False)
    assert place_of(target, known(), offer, addressed=False) is None


def test_a_policy_in_a_page_says_what_it_can() -> None:
    """Browsers pass over three directives there; the others stay as they are."""
    assert meta_policy("sandbox; default-src 'none'; frame-ancestors 'self'; report-uri /x") == (
        "default-src 'none'"
    )


def test_links_go_and_words_stay() -> None:
    """A link to nothing leaves its words, a button goes as a whole, others are rewritten."""
    page = (
        '<meta charset="utf-8">\n<link rel="x" href="/gone">\n<a class="url" href="/gone"><b>w</b>'
        '</a><a class="button" href="/gone">Look</a><a href="/a?b=1&amp;c=2" rel="next">n</a>'
    )
    found = standing_alone(
        page,
        policy="",
        links='<https://a.example/>; rel="x", <https://b.example/>; rel="y"; type="t/t"',
        rewrite=lambda to: None if to == "/gone" else f"{to}&d",
        signpost=lambda to: "b" in to[:9],
    )
    assert '<link rel="y" href="https://b.example/" type="t/t">' in found
    assert "https://a.example/" not in found
    assert "gone" not in found and "Look" not in found and "<span><b>w</b></span>" in found
    assert '<a href="/a?b=1&amp;c=2&amp;d" rel="next">n</a>' in found


def test_what_could_not_be_had_is_in_the_copy_by_reason(bare: Published) -> None:
    """Every reason of the live page has a folder, with its documents alone."""
    page = Elements((bare.folder / "failures" / "index.html").read_text("utf-8"))
    folders = [href for _, href in page.links() if href.startswith("/failures/why/")]
    assert "/failures/why/failed/dns/" in folders and "/failures/why/wanted/-/" in folders
    text = (bare.folder / "failures/why/failed/dns/index.html").read_text("utf-8")
    assert "/document/ferry-users/" in text and "/document/load-test/" not in text
    assert json.loads((bare.folder / "failures.json").read_bytes())["type"] == "failures"
