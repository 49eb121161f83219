"""What an archive holds of a page's parts is found by address and date, and put into the page."""

from __future__ import annotations

import base64
import gzip
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.index import RecordsOf, open_index
from provenance.replay.assembly import Page, assemble
from provenance.replay.holding import LARGEST, Held, Holdings
from provenance.replay.kinds import shown_as
from provenance.showing import make_source
from provenance.warc.contents import read_content
from provenance.web.source import Assembled
from tests.roots import fetched, root_of
from tests.web_fixture import a_png
from tests.web_replay import archived, capture_of, the_files
from tests.wire import playing

SHARED = Path(__file__).parents[2] / "shared"
BASE = "https://example.org/"
GIF = b"GIF89a" + bytes(20)


@dataclass(slots=True)
class Cupboard:
    """An archive in memory: address → media type and content."""

    held: dict[str, tuple[str, bytes]]
    is_spent: bool = False
    looked: list[str] = field(default_factory=list)

    def has(self, url: str) -> bool:
        self.looked.append(url)
        return url in self.held

    def find(self, url: str) -> Held | None:
        media_type, content = self.held[url]
        date = "2026-11-24T10:00:00Z"
        return Held(url=url, date=date, media_type=media_type, charset=None, content=content)


def put_together(page: str, **held: tuple[str, bytes]) -> Assembled:
    """Return a page with what is held below its own address; `__` in a name is a dot."""
    at = {BASE + name.replace("__", "."): each for name, each in held.items()}
    found = Page(content=page.encode(), url=BASE, media_type="text/html", charset="utf-8")
    return assemble(found, Cupboard(at))


def inside(text: bytes | str, kind: str) -> list[bytes]:
    """Return what stands in the `data:` addresses of a media type."""
    found = text.decode() if isinstance(text, bytes) else text
    return [
        base64.b64decode(each)
        for each in re.findall(rf"data:{kind};base64,([A-Za-z0-9+/=]+)", found)
    ]


def test_what_is_held_is_put_in_and_the_rest_is_counted() -> None:
    """Each address counts once, however often it is named."""
    made = put_together(
        "<img src=a.gif><img src=a.gif><img src=b.gif><img src=c.gif>",
        a__gif=("image/gif", GIF),
        b__gif=("text/html", b"<script>"),
    )
    assert inside(made.page, "image/gif") == [GIF, GIF]
    assert (made.named, made.shown, made.absent, made.unfit) == (3, 1, 1, 1)
    assert made.missing == (f"{BASE}c.gif",)
    assert made.first == made.last == "2026-11-24T10:00:00Z"
    assert not made.limited


def test_style_sheets_bring_what_they_name_with_them() -> None:
    """Relative to their own address, through imports, and not in a circle."""
    made = put_together(
        "<link rel=stylesheet href=css/a.css>",
        **{
            "css/a__css": ("text/css", b"@import 'b.css'; p { background: url(../x.gif) }"),
            "css/b__css": ("text/css", b"@import 'a.css'; q { background: url(y.gif) }"),
            "x__gif": ("image/gif", GIF),
            "css/y__gif": ("image/gif", GIF + b"y"),
        },
    )
    (outer,) = inside(made.page, "text/css;charset=utf-8")
    (inner,) = inside(outer, "text/css;charset=utf-8")
    assert inside(outer, "image/gif") == [GIF]
    assert inside(inner, "image/gif") == [GIF + b"y"]
    assert b"'a.css'" in inner
    assert (made.named, made.shown) == (4, 4)


def test_a_style_sheet_goes_in_as_utf8() -> None:
    """Whatever it says of its charset, the address that holds it says another."""
    made = put_together(
        "<link rel=stylesheet href=a.css>",
        a__css=("text/css", '@charset "gb2312"; q::before { content: "港" }'.encode("gb2312")),
    )
    (sheet,) = inside(made.page, "text/css;charset=utf-8")
    assert "港" in sheet.decode()


@pytest.mark.parametrize("declared", ["text/html", "application/javascript", "image/svg+xml"])
def test_what_is_declared_as_something_else_is_no_style_sheet(declared: str) -> None:
    """As in browsers, where a page is in standards mode."""
    made = put_together("<link rel=stylesheet href=a>", a=(declared, b"p { color: red }"))
    assert (made.shown, made.unfit) == (0, 1)
    assert b"data:" not in made.page


def test_a_drawing_is_put_in_as_a_picture_only() -> None:
    """SVG may be an image or a background; nothing takes it for a page or a part of one."""
    svg = ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    made = put_together(
        "<img src=a.svg#icon><svg><use href=a.svg#b /></svg><object data=a.svg></object>"
        "<iframe src=a.svg></iframe><embed src=a.svg>",
        a__svg=svg,
    )
    assert made.page.count(b"data:") == 1
    assert b'<img src="data:image/svg+xml;base64,' in made.page and b"#icon" in made.page


def test_a_fragment_cannot_leave_its_quotes() -> None:
    """It is written by the page, and escaped."""
    made = put_together("<img src='a.gif#\"><script>x'>", a__gif=("image/gif", GIF))
    assert b"<script" not in made.page and b"#%22%3E%3Cscript%3Ex" in made.page


def test_no_more_is_put_in_than_fits() -> None:
    """What goes beyond is left out, and the view says so."""
    large = GIF + bytes(6 << 20)
    made = put_together("<img src=a>" * 9, a=("image/gif", large))
    assert made.limited and made.shown == 1
    assert made.page.count(b"data:") == 3
    assert len(made.page) < 40 << 20


def test_no_more_is_looked_up_than_is_told() -> None:
    """A page may name any number of addresses."""
    page = "".join(f"<img src={number}>" for number in range(3000)).encode()
    cupboard = Cupboard({})
    found = Page(content=page, url=BASE, media_type="text/html", charset=None)
    made = assemble(found, cupboard)
    assert len(cupboard.looked) == 1000
    assert made.limited and made.named == made.absent == 1000 and len(made.missing) == 50


def test_style_sheets_import_each_other_to_a_depth() -> None:
    """A chain of imports ends."""
    sheets = {
        f"s{number}": ("text/css", f"@import 's{number + 1}'".encode()) for number in range(20)
    }
    made = put_together("<style>@import 's0'</style>", **sheets)
    assert made.limited and made.shown == 5


@pytest.mark.parametrize(
    ("content", "declared", "kind"),
    [
        (a_png(), "text/html", "image/png"),
        (b"\xff\xd8\xff\xe0", "", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "", "image/webp"),
        (b"\0\0\0\x1cftypavif", "", "image/avif"),
        (b"wOF2", "application/octet-stream", "font/woff2"),
        (b"\0\1\0\0", "", "font/ttf"),
        (b"<svg/>", "image/svg+xml", "image/svg+xml"),
        (b"<svg/>", "image/png", None),
        (b"<html>", "image/png", None),
        (b"%PDF-1.7", "image/png", None),
        (b"", "image/gif", None),
    ],
)
def test_what_a_part_is_shown_as_is_in_its_bytes(
    content: bytes, declared: str, kind: str | None
) -> None:
    """Only SVG, which has no signature, goes by what is declared."""
    assert shown_as(content, declared) == kind


def source_of(archive: Archive, document: str = "doc-0") -> Assembled:
    """Return a document's newest page, put together as the site does it."""
    made = make_source(archive.root, archive.index_path).assembled(capture_of(archive, document))
    assert made is not None
    return made


def test_a_fetched_page_has_its_parts(tmp_path: Path) -> None:
    """Pictures, sheets, what sheets import, a font; a redirect leads on; what is gone is told."""
    made = source_of(archived(tmp_path, the_files(), "page"))
    assert (made.named, made.shown, made.absent, made.unfit) == (17, 14, 2, 1)
    assert [url.rpartition("/")[2] for url in made.missing] == ["none.gif", "gone.png"]
    assert b"top.pwned" not in b"".join(inside(made.page, "image/png"))


def test_a_page_fetched_alone_has_none(tmp_path: Path) -> None:
    """Nothing is fetched to show it."""
    made = source_of(archived(tmp_path, the_files(), "page", requisites=False))
    assert made.shown == 0 and made.absent == made.named > 10
    assert b"data:" not in made.page


def test_each_version_has_the_parts_of_its_time(tmp_path: Path) -> None:
    """The nearest in time is taken; an unchanged one stands for what it was unchanged from."""
    shade = [b"1"]

    def play(head: bytes) -> bytes:
        if b"/page" in head:
            body = b"<img src=/a.gif><img src=/same.gif>version " + shade[0]
            kind = b"text/html"
        elif b".gif" in head:
            body, kind = GIF + (shade[0] if b"/a.gif" in head else b"same"), b"image/gif"
        else:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        fields = b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body))
        return b"HTTP/1.1 200 OK\r\n" + fields + body

    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/page")
        for version in (b"1", b"2", b"3"):
            shade[0] = version
            fetched(archive, requisites=True)
    archive.index()
    rows = sorted(archive.captures_of("doc-0"), key=lambda row: row.captured_at)
    source = make_source(archive.root, archive.index_path)
    for row, version in zip(rows, (b"1", b"2", b"3"), strict=True):
        made = source.assembled(str(row.capture_id))
        assert made is not None
        assert b"version " + version in made.page
        assert inside(made.page, "image/gif") == [GIF + version, GIF + b"same"]


@pytest.mark.parametrize(
    ("fields", "body", "found"),
    [
        (b"Content-Encoding: gzip\r\n", gzip.compress(GIF), GIF),
        (b"Transfer-Encoding: chunked\r\n", b"1a\r\n" + GIF + b"\r\n0\r\n\r\n", GIF),
        (b"Content-Encoding: gzip\r\n", gzip.compress(GIF + bytes(LARGEST)), None),
        (b"Content-Encoding: gzip\r\n", gzip.compress(bytes(600 << 20), 1), None),
        (b"Content-Encoding: nonsense\r\n", GIF, GIF),
        (b"", GIF + bytes(LARGEST), None),
    ],
    ids=["gzip", "chunked", "large when decoded", "bomb", "coding unknown", "large"],
)
def test_parts_are_decoded_within_bounds(
    tmp_path: Path, fields: bytes, body: bytes, found: bytes | None
) -> None:
    """As content is; what is too large is not shown, however small it is stored."""

    def play(head: bytes) -> bytes:
        if b"/page" in head:
            return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<img src=/a.gif>"
        if b"/a.gif" in head:
            return b"HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\n%s\r\n%s" % (fields, body)
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    with playing(play) as wire:
        archive = root_of(tmp_path, f"{wire.url}/page")
        fetched(archive, requisites=True)
    archive.index()
    assert inside(source_of(archive).page, "image/gif") == ([] if found is None else [found])


def test_changed_bytes_are_not_shown(tmp_path: Path) -> None:
    """A part whose block is not the one that the index names is as good as absent."""
    files = {"page": ("text/html", b"<img src=a.gif>"), "a.gif": ("image/gif", GIF)}
    archive = archived(tmp_path, files, "page")
    assert source_of(archive).shown == 1
    with open_index(archive.index_path) as connection:
        found = connection.execute(
            "SELECT warc, offset, length FROM record WHERE target_uri LIKE '%a.gif'"
            " AND type = 'response'"
        ).fetchone()
    path = archive.archive / found[0]
    raw = bytearray(path.read_bytes())
    member = gzip.decompress(raw[found[1] : found[1] + found[2]]).replace(b"GIF89a", b"GIF87a")
    raw[found[1] : found[1] + found[2]] = gzip.compress(member)
    path.chmod(0o644)
    path.write_bytes(raw)
    made = source_of(archive)
    assert (made.shown, made.absent) == (0, 1)


def test_a_lookup_uses_the_index_on_addresses(tmp_path: Path) -> None:
    """A million records are not gone through for one address."""
    archive = archived(tmp_path, the_files(), "page")
    with open_index(archive.index_path) as connection:
        seen: list[str] = []
        connection.set_trace_callback(seen.append)
        held = Holdings(RecordsOf(connection), archive.archive, "2026-01-01T00:00:00Z")
        url = next(iter(source_of(archive).missing))
        assert held.has(url) and held.find(url) is None
        connection.set_trace_callback(None)
        for sql in {each for each in seen if "target_uri" in each}:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
            assert "record_by_target_uri_date" in plan[0][3], plan


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="no shared corpora beside the checkout")
@pytest.mark.parametrize(
    ("name", "url", "shown", "absent"),
    [
        ("dec1d4a5-parseMe.warc.gz", "http://stringjs.com/", 3, ["icon-github-"]),
        (
            "bb2a23f0-froggie.warc.gz",
            "http://www.cs.odu.edu/~mkelly/semester/2017_spring/remoteFroggie.html",
            1,
            [],
        ),
    ],
)
def test_pages_that_other_programs_recorded_have_their_parts(
    tmp_path: Path, name: str, url: str, shown: int, absent: list[str]
) -> None:
    """A file that was put into the archive will do; redirects of three steps lead to a picture."""
    archive = Archive.init(tmp_path / "root")
    (recorded,) = (SHARED / "corpora" / "files").glob(f"*/{name}")
    shutil.copy(recorded, archive.archive / name)
    archive.index()
    with open_index(archive.index_path) as connection:
        warc, offset, ordinal, date = connection.execute(
            "SELECT warc, offset, ordinal, date FROM record"
            " WHERE type = 'response' AND target_uri = ?",
            (url,),
        ).fetchone()
        content = b"".join(read_content(archive.archive / warc, offset, ordinal))
        held = Holdings(RecordsOf(connection), archive.archive, date)
        made = assemble(Page(content=content, url=url, media_type="text/html", charset=None), held)
    assert (made.shown, made.absent, made.unfit) == (shown, len(absent), 0)
    assert all(part in url for part, url in zip(absent, made.missing, strict=True))
