"""Archives of pages that were fetched with what they need, and a site over them; for tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from provenance.archive import Archive
from provenance.web.renewal import RenewedSite
from tests.roots import fetched, root_of
from tests.web_fixture import a_png
from tests.web_server import running
from tests.wire import playing

Files = Mapping[str, tuple[str, bytes]]
"""Path without its slash → media type and bytes; an address in the type is where it redirects."""

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>The bridge</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<link rel="stylesheet" href="css/main.css" integrity="sha256-AAAA">
<style>#inline { background-image: url("i/inline.png") }</style>
<script src="site.js"></script></head>
<body><h1>The harbour bridge</h1>
<p><img id="plain" src="i/plain.png" alt="plain">
<img id="lazy" src="i/none.gif" data-src="i/late.png" alt="lazy">
<img id="set" srcset="i/set-400.png 400w, i/set-1200.png 1200w, i/set-4000.png 4000w" alt="set">
<picture><source srcset="i/picture.png" type="image/png"><img id="in-picture" alt="p"></picture>
<img id="vector" src="i/vector.svg" alt="vector"><img id="moved" src="i/moved.png" alt="moved">
<img id="gone" src="i/gone.png" alt="gone"><img id="page" src="page.html" alt="a page"></p>
<p id="styled">Six documents do not give the same figures.</p><p id="inline">Inline</p>
<p id="attribute" style="background: url(i/attribute.png)">Attribute</p>
<p id="choice" style="background-image: image-set('i/choice.png' 1x)">Choice</p>
<svg width="64" height="40"><image id="drawn" href="i/drawn.png" /></svg></body></html>"""

MAIN = (
    "@import 'more.css';\n"
    "@font-face { font-family: Kept; src: url(../f/kept.ttf) format('truetype') }\n"
    "#styled { color: rgb(1, 2, 3); font-family: Kept; background: url(../i/sheet.png) }"
)
MORE = "@import url(main.css); h1 { color: rgb(4, 5, 6) }"
VECTOR = """<svg xmlns="http://www.w3.org/2000/svg" width="64" height="40" onload="top.pwned=1">
<script>top.pwned=1;document.title='taken'</script>
<rect width="64" height="40" fill="teal"/></svg>"""


def a_font() -> bytes:
    """Return the bytes of some font of the machine, or of none."""
    for folder in (Path("/usr/share/fonts"), Path("/Library/Fonts")):
        for path in sorted(folder.rglob("*.ttf")):
            return path.read_bytes()
    return b"\0\1\0\0 no font"


def the_files() -> dict[str, tuple[str, bytes]]:
    """Return a page that names parts in every way there is, and those that there are."""
    pictures = "plain late set-1200 set-4000 picture inline attribute sheet there choice drawn"
    return {
        "page": ("text/html; charset=utf-8", PAGE.encode()),
        "css/main.css": ("text/css", MAIN.encode()),
        "css/more.css": ("text/css", MORE.encode()),
        "f/kept.ttf": ("font/ttf", a_font()),
        **{f"i/{name}.png": ("image/png", a_png()) for name in pictures.split()},
        "i/vector.svg": ("image/svg+xml", VECTOR.encode()),
        "i/moved.png": ("/i/there.png", b""),
        "page.html": ("text/html", b"<script>top.pwned=1</script>"),
        "site.js": ("text/javascript", b"top.pwned=1"),
    }


def archived(folder: Path, files: Files, *pages: str, requisites: bool = True) -> Archive:
    """Return a root in which `pages` of a small web were fetched with what they need, indexed."""

    def play(head: bytes) -> bytes:
        name = head.split()[1].decode().lstrip("/")
        if name not in files:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"
        kind, body = files[name]
        if kind.startswith("/"):
            moved = f"HTTP/1.1 302 Found\r\nLocation: {kind}\r\nContent-Length: 0\r\n\r\n"
            return moved.encode()
        fields = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        return b"HTTP/1.1 200 OK\r\n" + fields.encode() + body

    with playing(play, closes=False) as wire:
        archive = root_of(folder, *(f"{wire.url}/{page}" for page in pages))
        fetched(archive, requisites=requisites)
    archive.index()
    return archive


@contextlib.contextmanager
def shown(archive: Archive) -> Iterator[str]:
    """Serve an archive; give the address without a slash at the end."""
    with running(RenewedSite(archive.site, archive.index_path)) as address:
        yield address


def capture_of(archive: Archive, document: str = "doc-0") -> str:
    """Return the capture id of a document's newest capture."""
    rows = sorted(archive.captures_of(document), key=lambda row: row.captured_at)
    return str(rows[-1].capture_id)
