"""Real recorded pages, and a real browser: nothing that is loaded is missing from the list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from resiliparse.parse.html import HTMLTree
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from provenance.extract import charset_parameter
from provenance.extract.charset import decode_text
from provenance.extract.prescan import html_charset
from provenance.gather.requisites import requisites_of_page, requisites_of_sheet
from provenance.uri import web_address
from tests.web_browser import Reader, chromium
from tests.wire import playing

CORPORA = Path(__file__).parents[2] / "shared" / "corpora" / "files"

PLACES = (
    *(("img[src]", "src"), ("script[src]", "src"), ("iframe[src]", "src"), ("source[src]", "src")),
    *(("link[rel~='stylesheet'][href]", "href"), ("link[rel~='icon'][href]", "href")),
    *(("video[poster]", "poster"), ("embed[src]", "src"), ("object[data]", "data")),
    *(("input[type=image][src]", "src"), ("td[background]", "background")),
)
"""Where an address stands, for a selector engine to look."""


def recorded_pages() -> Iterator[tuple[str, str]]:
    """Yield address and text of each HTML page in the corpora, as far as warcio reads them."""
    for path in sorted(CORPORA.glob("*/*.warc*")):
        with path.open("rb") as file:
            try:
                yield from pages_of(file)
            except (ArchiveLoadFailed, OSError, EOFError, ValueError, AttributeError):
                continue  # some files are there because they are broken


def pages_of(file: Any) -> Iterator[tuple[str, str]]:
    for record in ArchiveIterator(file):
        url = record.rec_headers.get_header("WARC-Target-URI") or ""
        if record.rec_type != "response" or not record.http_headers or not url.startswith("http"):
            continue
        media_type = record.http_headers.get_header("Content-Type") or ""
        if "html" in media_type.lower():
            label = charset_parameter(media_type)
            content = record.content_stream().read()
            yield url, decode_text(content, http=label, declared=html_charset).text


@pytest.mark.shared
@pytest.mark.skipif(not CORPORA.is_dir(), reason="no shared corpora beside the checkout")
@pytest.mark.filterwarnings("ignore")
def test_what_a_selector_engine_sees_in_real_pages_is_listed() -> None:
    """Of the addresses in the tree that another HTML5 parser builds, none is missing."""
    pages = addresses = 0
    for url, text in recorded_pages():
        found = requisites_of_page(text, url=url)
        assert not found.limit_reached
        listed = {one.url for one in found.found}
        wanted = selected(text, url)
        assert wanted <= listed, url
        pages, addresses = pages + 1, addresses + len(wanted)
    assert pages > 140
    assert addresses > 4000


def selected(text: str, url: str) -> set[str]:
    """Return the addresses that stand in the places above, found in a tree."""
    tree = HTMLTree.parse(text).document
    assert tree is not None
    base = tree.query_selector("base[href]")
    at = (web_address(base["href"], base=url) if base else None) or url
    found = {
        web_address(element[name], base=at)
        for selector, name in PLACES
        for element in tree.query_selector_all(selector)
    }
    return {each for each in found if each and each != web_address(url, base=url)}


LOADED = """<!doctype html><html><head><title>t</title><base href="/p/">
<link rel=stylesheet href=a.css><link rel="alternate stylesheet" title=x href=alternate.css>
<link rel=icon href=icon.png><link rel=preload as=image href=early.png>
<link rel=preload as=image imagesrcset="one.png 1x, two.png 2x"><link rel=modulepreload href=m.js>
<style>@import "b;c.css" all; @import url("d.css") supports(display: grid);
@font-face { font-family: F; src: url(f.woff2) format("woff2"), url(f.woff) }
p { font-family: F; background: image-set("is1.png" 1x, "is2.png" 2x), u\\72l( 'es c.png' ) }
p::after { content: url(after.png#x) }</style></head>
<body background=body.png><p style="border-image: url(&quot;border.png&quot;)">text</p>
<img src=" i mg.png
"><img srcset="s1.png 1x, s2,x.png 2x, bad.png 1x 1x"><img src=..\\back.png>
<picture><source srcset="p1.png 9w, p2.png 99w" sizes=1px><img src=p3.png></picture>
<input type=image src=input.png><table><td background=cell.png></table>
<video src=v.mp4 poster=poster.png></video><audio preload=auto><source src=s.mp3></audio>
<svg><image href=svg1.png /><image xlink:href=svg2.png /><use href=use.svg#x />
<rect width=9 height=9 filter="url(filter.svg#f)"/></svg>
<iframe src=frame.html></iframe><iframe srcdoc="<img src=doc.png>"></iframe>
<object data=object.html></object><embed src=embed.html>
<noscript><img src=noscript.png></noscript><script src=s.js></script>
<script type=module src=module.js></script></body></html>"""

SHEET = "@import 'deep.css'; body { list-style: url(list.png); cursor: url(cursor.cur), auto }"


def played(head: bytes) -> bytes:
    """Answer with the page, a sheet, or an empty thing of the type that the name asks for."""
    path = head.split(b" ")[1].decode()
    kinds = {"css": "text/css", "png": "image/png", "svg": "image/svg+xml", "js": "text/javascript"}
    body = LOADED if path == "/" else SHEET if path.endswith("/a.css") else ""
    kind = "text/html" if path == "/" else kinds.get(path.rpartition(".")[2], "text/html")
    head_lines = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head_lines}Connection: close\r\n\r\n{body}".encode()


@pytest.mark.browser
@pytest.mark.parametrize("scripting", [True, False], ids=["scripts on", "scripts off"])
def test_what_chromium_loads_is_listed(scripting: bool) -> None:
    """Each request that a browser makes for a page is in the list, address for address."""
    with chromium() as browser, playing(played) as wire:
        reader = Reader(browser, java_script_enabled=scripting)
        reader.open(wire.url + "/")
        asked = {one for one in reader.answered if one.startswith(wire.url)}
        reader.close()
        page = requisites_of_page(LOADED, url=wire.url + "/")
        sheet = requisites_of_sheet(SHEET, url=wire.url + "/p/a.css")
        listed = {one.url for one in (*page.found, *sheet.found)}
    assert asked - {wire.url + "/"} - listed == set()
    assert len(asked) > 25
    assert not any("bad.png" in one for one in listed)
