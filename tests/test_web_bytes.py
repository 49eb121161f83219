"""Downloads and the sandboxed view: the bytes as they are, whole or not at all."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Iterator
from email.message import Message as Mail
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.digest import digest_of
from provenance.errors import ProvenanceError
from provenance.showing import make_source
from provenance.web.conditions import is_held
from provenance.web.display import (
    SHOWN_BYTES,
    Display,
    attachment,
    display_of,
    known_charset,
    raw_content_type,
)
from provenance.web.policy import Message
from provenance.web.sending import BLOCK
from provenance.web.stream import BrokenContentError, ByteStream
from tests.pdf_builder import build_pdf
from tests.roots import root_of
from tests.web_client import Client
from tests.web_fixture import (
    CHINESE,
    Shelf,
    Visit,
    a_collection,
    a_document,
    an_answer,
    harbour,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(harbour(), tmp_path_factory.mktemp("bytes"))
    yield client
    client.close()


def test_every_content_is_sent_as_it_is(site: Client) -> None:
    """What is saved hashes to the content id, and its length is announced."""
    for content_id, raw in site.shelf.contents.items():
        saved = site.get(f"/content/{content_id}")
        assert saved.status_code == 200
        assert digest_of(saved.content) == content_id
        assert saved.headers["content-length"] == str(len(raw))
        assert saved.headers["etag"] == f'"{content_id}"'
        assert "immutable" in saved.headers["cache-control"]


def test_a_known_content_is_not_sent_again(site: Client) -> None:
    """A client that has the bytes gets a 304."""
    content_id = next(iter(site.shelf.contents))
    known = site.get(f"/content/{content_id}", headers={"if-none-match": f'"{content_id}"'})
    assert known.status_code == 304
    assert known.content == b""
    assert known.headers["etag"] == f'"{content_id}"'


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("*", 304),
        (' W/"{id}" ', 304),
        ('"x", "{id}"', 304),
        (',, "a,b" ,\t"{id}",', 304),
        ('"x"', 200),
        ('"x{id}"', 200),
        ('"x \\"{id}\\""', 200),
        ("{id}", 200),
        ('w/"{id}"', 200),
        ('"{id}" "y"', 200),
        ('"x", *', 200),
        ("", 200),
    ],
)
def test_what_is_known_is_a_list_of_entity_tags(site: Client, said: str, status: int) -> None:
    """Or `*`, which names whatever there is; a field of another form says nothing."""
    content_id = next(iter(site.shelf.contents))
    value = said.replace("{id}", content_id)
    answer = site.get(f"/content/{content_id}", headers={"if-none-match": value})
    assert answer.status_code == status


def test_what_is_known_may_come_in_two_fields(site: Client) -> None:
    """Fields of one name are one list."""
    content_id = next(iter(site.shelf.contents))
    fields = [("if-none-match", f'"{content_id}"'), ("if-none-match", '"x"')]
    assert site.get(f"/content/{content_id}", headers=fields).status_code == 304


@given(st.binary(max_size=60))
def test_any_field_is_read(value: bytes) -> None:
    """Whatever stands there, the answer is yes or no."""
    assert is_held([(b"If-None-Match", value)], '"a"') in (True, False)
    assert is_held([(b"If-None-Match", value), (b"if-none-match", b"*")], '"a"') in (True, False)


@given(st.lists(st.from_regex(r'(W/)?"[!#-~]*"', fullmatch=True), min_size=1))
def test_every_tag_of_a_list_is_found(tags: list[str]) -> None:
    """Commas in a tag are its own."""
    field = (b"if-none-match", " , ".join(tags).encode())
    assert all(is_held([field], tag.removeprefix("W/")) for tag in tags)


def test_head_sends_no_bytes(site: Client) -> None:
    """HEAD gives the length and reads nothing."""
    content_id, raw = next(iter(site.shelf.contents.items()))
    head = site.head(f"/content/{content_id}")
    assert head.headers["content-length"] == str(len(raw))
    assert head.content == b""


def test_nothing_is_saved_where_nothing_came(site: Client) -> None:
    """A failed visit has no content; the answer leads to its evidence."""
    capture_id = site.newest("ferry-users")
    for path in (f"/content/{capture_id}", f"/view/{capture_id}", f"/view/{capture_id}/raw"):
        page = site.get(path)
        assert page.status_code == 404
        assert f'href="/capture/{capture_id}"' in page.text


def test_the_view_keeps_the_declared_charset(site: Client) -> None:
    """GB18030 bytes go out as they are, with their charset."""
    raw = site.get(f"/view/{site.newest('port-statement')}/raw")
    assert raw.headers["content-type"] == "text/html; charset=gb18030"
    assert raw.content == CHINESE.encode("gb18030")


def test_a_pdf_is_shown_page_by_page_as_pictures(site: Client) -> None:
    """Each page is a picture with its text; there is no frame, and raw bytes are never shown."""
    capture_id = site.newest("council-minutes")
    first, second = (site.get(f"/view/{capture_id}?page={number}").text for number in (1, 2))
    assert site.get(f"/view/{capture_id}").text == first
    assert 'alt="Page 1 of 2, as a picture. Its text stands below."' in first
    assert "Present: nine councillors" in first and "48.6 million crowns" not in first
    assert f'rel="next" href="/view/{capture_id}?page=2"' in first and 'rel="prev"' not in first
    assert "48.6 million crowns" in second and 'rel="next"' not in second
    assert "<iframe" not in first
    assert site.get(f"/view/{capture_id}/raw").status_code == 404
    picture = site.get(f"/view/{capture_id}/page-2.png")
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["content-security-policy"].startswith("sandbox;")
    assert picture.content.startswith(b"\x89PNG")


def a_pdf(name: str, content: bytes, media_type: str = "application/pdf") -> Visit:
    """Return a visit that brought a PDF, or what is called one."""
    at, url = "2026-11-23T23:50:00.000000Z", f"https://p.example/{name}"
    head = an_answer(media_type, content)
    return Visit(document=name, at=at, url=url, head=head, content=content, media_type=media_type)


def test_a_pdf_that_cannot_be_drawn_says_why(tmp_path: Path) -> None:
    """Damaged, locked, none at all: the page stands, with the text where there is one."""
    whole = build_pdf([["The harbour bridge"], ["Second"]])
    locked = whole.replace(b"<< /Size", b"<< /Encrypt << /Filter /Nobody /V 1 >> /Size")
    files = {
        "damaged": (whole[:150], "This PDF is damaged, or none"),
        "locked": (locked, "This PDF is locked with a password"),
        "none": (b"<script>alert(1)</script>", "This PDF is damaged, or none"),
    }
    visits = [a_pdf(name, content) for name, (content, _) in files.items()]
    visits.append(a_pdf("empty", build_pdf([[]])))
    visits.append(a_pdf("untyped", whole, "application/octet-stream"))
    shelf = Shelf(a_collection(*(a_document(each.document) for each in visits)), visits)
    client = Client(shelf, tmp_path)
    try:
        for name, (_, words) in files.items():
            capture_id = client.newest(name)
            page = client.get(f"/view/{capture_id}")
            assert page.status_code == 200
            assert words in page.text and "Save it" in page.text
            assert "<img class" not in page.text and "<iframe" not in page.text
            picture = client.get(f"/view/{capture_id}/page-1.png")
            assert picture.status_code == 404
            assert "could not be drawn" in picture.text
        empty = client.get(f"/view/{client.newest('empty')}").text
        assert 'alt="Page 1 of 1, as a picture. No text could be taken out of it."' in empty
        assert 'rel="next"' not in empty and "out of this page." in empty
        untyped = client.get(f"/view/{client.newest('untyped')}?page=2").text
        assert 'alt="Page 2 of 2' in untyped
    finally:
        client.close()


def test_the_pictures_of_a_pdf_are_of_the_bytes_that_the_index_names(tmp_path: Path) -> None:
    """What was changed since is an error page, and no picture."""
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(build_pdf([["To the council"]]))
    archive = root_of(tmp_path, "https://p.example/letter")
    (added,) = archive.add((letter,), document="doc-0")
    archive.index()
    source = make_source(archive.root, archive.index_path)
    assert source.drawn(str(added.capture_id), 1).fault is None
    path = archive.archive / str(added.warc)
    raw = bytearray(path.read_bytes())
    place = slice(added.offset, (added.offset or 0) + (added.length or 0))
    raw[place] = gzip.compress(gzip.decompress(raw[place]).replace(b"council", b"mayor  "))
    path.chmod(0o644)
    path.write_bytes(raw)
    with pytest.raises(ProvenanceError, match="not that which the index names"):
        source.drawn(str(added.capture_id), 1)


@pytest.mark.parametrize("number", ["0", "3", "99999999", "-1", "x", "١"])
def test_a_pdf_has_no_more_pages_than_it_has(site: Client, number: str) -> None:
    """Another number is a 404 that leads back; pictures have the same pages."""
    capture_id = site.newest("council-minutes")
    page = site.get(f"/view/{capture_id}?page={number}")
    assert page.status_code == 404
    assert "There is no page" in page.text and f'href="/view/{capture_id}"' in page.text
    assert site.get(f"/view/{capture_id}/page-{number}.png").status_code != 200
    other = site.newest("gazette-article")
    assert site.get(f"/view/{other}/page-1.png").status_code == 404


def test_a_picture_is_shown_as_a_picture(site: Client) -> None:
    """An image stands in an `img` element, where nothing in it can run."""
    capture_id = site.newest("institute-photo")
    text = site.get(f"/view/{capture_id}").text
    assert f'<img class="kept" src="/view/{capture_id}/raw"' in text
    assert site.get(f"/view/{capture_id}/raw").headers["content-type"] == "image/png"


def test_the_view_names_date_source_and_content(site: Client) -> None:
    """The banner says that this is a copy, of when, from where, with which content id."""
    capture = site.shelf.of("gazette-article")[0]
    text = site.get(f"/view/{capture.capture_id}").text
    assert "not the live page" in text
    assert "1 September 2026" in text
    assert str(capture.content_id) in text
    frame = text.split("<iframe ")[1].split(">")[0]
    assert " sandbox " in frame and "allow" not in frame
    assert f'src="/view/{capture.capture_id}/raw"' in frame


def test_changed_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Bytes that do not hash to the content id are answered with an error, not sent."""
    shelf = harbour()
    client = Client(shelf, tmp_path_factory.mktemp("changed"))
    try:
        content_id = str(shelf.of("pilots-letter")[0].content_id)
        shelf.contents[content_id] = shelf.contents[content_id].replace(b"Ships", b"Boats")
        page = client.get(f"/content/{content_id}")
        assert page.status_code == 500
        assert "is not what the index names" in page.text
        assert "Boats" not in page.text
    finally:
        client.close()


class Wire:
    """What a server would send, and a client that may go away after some messages."""

    def __init__(self, leaves_after: int | None = None) -> None:
        self.messages: list[Message] = []
        self.pulled = 0
        self.ahead = 0
        self._gone = asyncio.Event()
        self._leaves_after = leaves_after

    async def receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        self.ahead = max(self.ahead, self.pulled - len(self.body))
        if self._leaves_after is not None and len(self.messages) > self._leaves_after:
            self._gone.set()
        await asyncio.sleep(0)

    def pieces(self, *pieces: bytes) -> Iterator[bytes]:
        for piece in pieces:
            self.pulled += len(piece)
            yield piece

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


async def sent(wire: Wire, raw: bytes, expected: bytes, piece: int = 60_000) -> None:
    cut = [raw[start : start + piece] for start in range(0, len(raw), piece)]
    stream = ByteStream(
        wire.pieces(*cut),
        size=len(expected),
        content_id=digest_of(expected),
        headers={"content-type": "application/octet-stream"},
        receive=wire.receive,
    )
    await stream.read_ahead()
    await stream.asgi_send(wire.send)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 9 * BLOCK])
def test_a_stream_of_any_size_arrives_whole(size: int) -> None:
    """Whatever the size, all bytes arrive, and few are held at a time."""
    raw = bytes(range(256)) * (size // 256 + 1)
    wire = Wire()
    asyncio.run(sent(wire, raw[:size], raw[:size]))
    assert wire.body == raw[:size]
    assert wire.messages[-1]["more_body"] is False
    assert wire.ahead <= 3 * BLOCK


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda raw: raw[:-1], id="cut"),
        pytest.param(lambda raw: raw + b"x", id="longer"),
        pytest.param(lambda raw: raw[:-1] + b"x", id="last byte changed"),
        pytest.param(lambda raw: b"x" + raw[1:], id="first byte changed"),
    ],
)
@pytest.mark.parametrize("blocks", [3, 3.5])
def test_a_broken_stream_never_ends_well(change: Callable[[bytes], bytes], blocks: float) -> None:
    """A difference anywhere breaks off before the announced length is reached."""
    raw = b"bridge" * (int(blocks * BLOCK) // 6)
    raw += bytes(int(blocks * BLOCK) - len(raw))
    wire = Wire()
    with pytest.raises(BrokenContentError):
        asyncio.run(sent(wire, change(raw), raw))
    assert len(wire.body) < len(raw)
    assert wire.messages[-1].get("more_body") is not False


def test_a_client_that_leaves_stops_the_reading() -> None:
    """When the client has gone, the rest is not read."""
    raw = bytes(40 * BLOCK)
    wire = Wire(leaves_after=3)
    asyncio.run(sent(wire, raw, raw))
    assert wire.pulled < 10 * BLOCK


@pytest.mark.parametrize(
    ("media_type", "undecoded", "size", "display"),
    [
        ("text/html", False, 10, Display.HTML),
        ("application/xhtml+xml", False, 10, Display.HTML),
        ("text/plain", False, 10, Display.TEXT),
        ("text/css", False, 10, Display.TEXT),
        ("application/json", False, 10, Display.TEXT),
        ("image/svg+xml", False, 10, Display.IMAGE),
        ("application/pdf", False, 10, Display.EXTRACTED),
        ("application/x-msdownload", False, 10, Display.EXTRACTED),
        (None, False, 10, Display.EXTRACTED),
        ("text/html", True, 10, Display.EXTRACTED),
        ("text/html", False, SHOWN_BYTES + 1, Display.EXTRACTED),
    ],
)
def test_only_known_kinds_are_shown(
    media_type: str | None, undecoded: bool, size: int, display: Display
) -> None:
    """Pages, text and pictures are shown; all else, and what is undecoded or huge, is not."""
    assert display_of(media_type, undecoded=undecoded, size=size) is display


def test_text_is_never_sent_as_a_page() -> None:
    """Everything shown as text goes as text/plain; a kind that is not shown has no type."""
    assert raw_content_type(Display.TEXT, "text/xml", "utf-8") == "text/plain; charset=utf-8"
    assert raw_content_type(Display.HTML, "text/html", None) == "text/html"
    assert raw_content_type(Display.IMAGE, "text/html", None) == "application/octet-stream"


@pytest.mark.parametrize("charset", ["", "x\r\nSet-Cookie: a", "no-such", "utf-8;x", 'u"8', "ıso"])
def test_a_charset_is_a_known_token_or_nothing(charset: str) -> None:
    """A charset that a server made up does not reach a header."""
    assert known_charset(charset) is None


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ("audit-report", "audit-report-0123abcd.pdf"),
        ("../../etc/passwd", "etc-passwd-0123abcd.pdf"),
        ('x"; filename="y.exe', "x-filename-y.exe-0123abcd.pdf"),
        ("a\r\nSet-Cookie: b", "a-Set-Cookie-b-0123abcd.pdf"),
        ("大桥", "大桥-0123abcd.pdf"),
        ("", "document-0123abcd.pdf"),
    ],
)
def test_a_file_name_is_safe_and_parses_back(document: str, name: str) -> None:
    """The header holds no quote, path or line break, and a client reads the name back."""
    header = attachment(document, "sha256:0123abcd" + "0" * 56, "application/pdf")
    mail = Mail()
    mail["Content-Disposition"] = header
    assert header.isascii() and "\r" not in header and "\n" not in header
    assert mail.get_content_disposition() == "attachment"
    plain, _, extended = header.partition("; filename*=UTF-8''")
    found = unquote(extended) if extended else plain.split('"')[1]
    assert found == name


def test_a_kind_without_an_extension_is_saved_as_bin() -> None:
    """A declared type off the list never chooses an extension."""
    header = attachment("x", "sha256:" + "0" * 64, "application/x-msdownload")
    assert header == 'attachment; filename="x-00000000.bin"'
