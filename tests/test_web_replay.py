"""Archived pages with their parts, in a real Datasette and a real Chromium: shown, and inert."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provenance.archive import Archive
from provenance.web.policy import ASSEMBLED_POLICY, NO_CONNECTION
from tests.test_web_axe import faults
from tests.web_beacons import files as beacon_files
from tests.web_browser import WIDTHS, Plain, Reader, Trap, chromium, listening
from tests.web_replay import archived, capture_of, shown, the_files

WAYS = (
    '<img src="{0}"><input type=image src="{0}"><video poster="{0}"></video>',
    '<link rel=stylesheet href="{0}"><style>@import "{0}";</style>',
    '<p style="background:url({0});list-style:url({0});cursor:url({0}),auto">x</p>',
    '<style>@font-face {{ font-family: "F{0}"; src: url({0}) }}</style>'
    "<b style=\"font-family:'F{0}'\">x</b>",
    '<svg width=9 height=9><image href="{0}" width=9 height=9 /></svg>',
    "<p style=\"background:image-set('{0}' 1x)\">x</p>",
    '<p style="mask-image:url({0}#m);clip-path:url({0}#c);filter:url({0}#f)">x</p>',
)
"""Ways in which a part comes into a page; each hostile file comes in by every one of them."""

RUN = "top.pwned=1;parent.pwned=1;window.pwned=1;document.title='taken'"
SHEETS = {
    "breakout.css": '</style><script>{run}</script><img src=x onerror="{run}">',
    "quote.css": 'p {{ background: url("{trap}/q\\"></p><script>{run}</script>") }}',
    "import.css": '@import "{trap}/i.css"; @import url({trap}/j.css); b {{ color: red }}',
    "expression.css": "p {{ width: expression({run}); behavior: url({trap}/b.htc) }}",
    "moz.css": 'p {{ -moz-binding: url("{trap}/x.xml#x"); background: url(javascript:{run}) }}',
    "inner.css": "p {{ background: url(data:text/html,<script>{run}</script>) }}",
    "font.css": "@font-face {{ font-family: Z; src: url({trap}/z.woff) }} b {{ font-family: Z }}",
}
DRAWINGS = {
    "onload.svg": '<svg xmlns="http://www.w3.org/2000/svg" onload="{run}"><script>{run}</script>'
    '<rect width="90" height="90"/></svg>',
    "outside.svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{trap}/i.png"/>'
    '<style>@import url({trap}/s.css);</style><use href="{trap}/u.svg#u"/></svg>',
    "html.svg": '<svg xmlns="http://www.w3.org/2000/svg"><foreignObject width="9" height="9">'
    '<iframe xmlns="http://www.w3.org/1999/xhtml" src="{trap}/f"/></foreignObject></svg>',
    "entity.svg": '<!DOCTYPE svg [<!ENTITY x SYSTEM "{trap}/e">]>'
    '<svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>',
    "link.svg": '<svg xmlns="http://www.w3.org/2000/svg"><a href="javascript:{run}">'
    '<rect width="90" height="90"/></a></svg>',
}


def hostile_files(trap: str) -> dict[str, tuple[str, bytes]]:
    """Return a page that brings every hostile file in, by every way, and those files."""
    files = dict(beacon_files(trap))
    for name, text in SHEETS.items():
        files[name] = ("text/css", text.format(trap=trap, run=RUN).encode())
    for name, text in DRAWINGS.items():
        files[name] = ("image/svg+xml", text.format(trap=trap, run=RUN).encode())
    script = f"GIF89a/*{RUN}*/=1;{RUN}".encode()
    files["polyglot.gif"] = ("image/gif", script)
    files["script.png"] = ("image/png", f"<script>{RUN}</script>".encode())
    files["script.css"] = ("text/javascript", RUN.encode())
    body = "".join(way.format(name) for name in files for way in WAYS)
    head = (
        f'<!DOCTYPE html><meta charset="utf-8"><title>harbour</title><p id="here">harbour</p>{body}'
    )
    return {**files, "page": ("text/html", head.encode())}


def get(address: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, fields and body of an answer."""
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return archived(tmp_path_factory.mktemp("parts"), the_files(), "page", "css/main.css")


@pytest.fixture(scope="module")
def site(archive: Archive) -> Iterator[str]:
    with shown(archive) as address:
        yield address


@pytest.fixture(scope="module")
def lure() -> Iterator[Trap]:
    with listening(Trap()) as server:
        yield server


@pytest.fixture(scope="module")
def evil(lure: Trap, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of the site, and the capture of the hostile page."""
    archive = archived(tmp_path_factory.mktemp("evil"), hostile_files(lure.address), "page")
    with shown(archive) as address:
        yield address, capture_of(archive)


def test_the_banner_says_how_much_is_there(site: str, archive: Archive) -> None:
    """How many parts are named, shown and absent, when they were captured, what was changed."""
    capture = capture_of(archive)
    status, _, body = get(f"{site}/view/{capture}")
    text = body.decode()
    assert status == 200
    assert "of the 17 pictures, style sheets and fonts that the page names, 14 are in" in text
    assert "2 are not in the archive, 1 cannot be shown" in text
    assert "What is shown was captured" in text
    assert "gone.<wbr>png" in text.split("Not in the archive: 2")[1]
    assert f'href="/view/{capture}/raw">the page alone</a> has the bytes as they were kept' in text
    assert f'src="/view/{capture}/assembled"' in text
    assert str(archive.captures_of("doc-0")[0].content_id) in text


def test_what_was_put_together_goes_out_under_a_policy_of_its_own(
    site: str, archive: Archive
) -> None:
    """A sandbox without any allowance, nothing from any server, and no connection at all."""
    status, fields, body = get(f"{site}/view/{capture_of(archive)}/assembled")
    assert status == 200
    assert fields["content-security-policy"] == ASSEMBLED_POLICY
    assert fields["connection-allowlist"] == NO_CONNECTION == "()"
    assert fields["x-content-type-options"] == "nosniff"
    assert fields["cross-origin-resource-policy"] == "same-origin"
    assert fields["content-type"] == "text/html; charset=utf-8"
    assert "memento-datetime" not in fields
    sources = ASSEMBLED_POLICY.split("default-src 'none'")[1].split("frame-ancestors")[0]
    assert ASSEMBLED_POLICY.startswith("sandbox; default-src 'none'")
    assert "allow-" not in ASSEMBLED_POLICY and "script" not in ASSEMBLED_POLICY
    assert "http" not in sources and "'self'" not in sources
    assert b"data:image/png" in body


def test_the_bytes_as_kept_are_still_there(site: str, archive: Archive) -> None:
    """The page alone is not touched, and is what hashes to the content id."""
    raw = get(f"{site}/view/{capture_of(archive)}/raw")[2]
    assert raw == the_files()["page"][1]


def test_only_pages_are_put_together(site: str, archive: Archive) -> None:
    """A style sheet that is a document of its own is shown as text."""
    sheet = capture_of(archive, "doc-1")
    assert get(f"{site}/view/{sheet}/assembled")[0] == 404
    assert get(f"{site}/view/{'0' * 64}/assembled")[0] == 404
    assert "/raw" in get(f"{site}/view/{sheet}")[2].decode()


@pytest.mark.browser
def test_a_page_is_shown_with_its_parts(browser: Any, site: str, archive: Archive) -> None:
    """Pictures, sets, late ones, drawings, sheets, imports, fonts: all that is held is seen."""
    reader = Reader(browser)
    try:
        tab = reader.open(f"{site}/view/{capture_of(archive)}")
        frame = tab.frames[1]
        widths = dict(frame.evaluate("[...document.images].map(i => [i.id, i.naturalWidth])"))
        seen = {name for name, width in widths.items() if width}
        assert seen == {"plain", "lazy", "set", "in-picture", "vector", "moved"}
        assert set(widths) - seen == {"gone", "page"}
        style = "getComputedStyle(document.querySelector('{}')).{}"
        assert frame.evaluate(style.format("#styled", "color")) == "rgb(1, 2, 3)"
        assert frame.evaluate(style.format("h1", "color")) == "rgb(4, 5, 6)"
        for part in ("#styled", "#inline", "#attribute"):
            shown_image = frame.evaluate(style.format(part, "backgroundImage"))
            assert shown_image.startswith('url("data:image/png'), part
        choice = frame.evaluate(style.format("#choice", "backgroundImage"))
        assert choice.startswith('image-set(url("data:image/png')
        drawn = frame.evaluate("document.querySelector('#drawn').getBBox().width")
        assert drawn == widths["plain"]
        assert frame.evaluate("[...document.fonts].map(font => font.status)") == ["loaded"]
        assert [each.evaluate("window.pwned") for each in tab.frames] == [None, None]
        asked = [url for url in reader.answered if not url.startswith((site, "data:"))]
        assert asked == []
    finally:
        reader.close()


@pytest.mark.browser
@pytest.mark.parametrize("place", ["/view/{}", "/view/{}/assembled", "/view/{}/raw"])
@pytest.mark.parametrize("scripts", [True, False])
def test_no_part_runs_or_reaches_out(
    browser: Any, evil: tuple[str, str], lure: Trap, place: str, scripts: bool
) -> None:
    """Every hostile file, brought in by every way, in the frame and by its own address: nothing."""
    site, capture = evil
    lure.connections = 0
    lure.paths.clear()  # the fetch was there
    reader = Reader(browser, java_script_enabled=scripts)
    try:
        tab = reader.open(site + place.format(capture))
        frame = tab.frames[-1]
        assert frame.locator("#here").text_content() == "harbour"
        if scripts:
            assert {each.evaluate("window.pwned") for each in tab.frames} == {None}
        assert "taken" not in tab.title()
        assert tab.url == site + place.format(capture)
        assert reader.dialogs == [] and len(reader.context.pages) == 1
        outside = {url for url in reader.answered if not url.startswith((site, "data:"))}
        assert outside == set()
        assert (lure.paths, lure.connections) == (set(), 0)
    finally:
        reader.close()


@pytest.mark.browser
def test_the_hostile_parts_are_in_the_page(browser: Any, evil: tuple[str, str], lure: Trap) -> None:
    """They do come in, and reach out where no policy forbids it; so the silence means something."""
    site, capture = evil
    body = get(f"{site}/view/{capture}/assembled")[2]
    for kind in (b"image/svg+xml", b"text/css;charset=utf-8", b"image/gif"):
        assert body.count(b"data:" + kind) >= len(WAYS) - 2
    reader = Reader(browser)
    try:
        frame = reader.open(f"{site}/view/{capture}").frames[1]
        loaded = frame.evaluate("[...document.styleSheets].length")
        assert loaded > len(SHEETS)
        lure.paths.clear()
        with listening(Plain({"page": ("text/html", body)})) as plain:
            reader.tab.goto(f"{plain.address}/page", wait_until="commit")
            reader.tab.wait_for_load_state("networkidle")
        assert {"i.css", "j.css"} <= lure.paths
    finally:
        reader.close()


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_the_view_keeps_nobody_out(
    browser: Any, site: str, archive: Archive, width: int, theme: str
) -> None:
    """It fits its window, with the list of what is absent open; axe-core finds nothing."""
    reader = Reader(browser, width=width, theme=theme, bypass_csp=True)
    try:
        tab = reader.open(f"{site}/view/{capture_of(archive)}")
        tab.locator("summary").click()
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        found = [each for each in faults(tab) if "iframe.kept" not in each]
        assert found == []
    finally:
        reader.close()


def test_an_archive_without_its_files_says_so_everywhere(tmp_path: Path) -> None:
    """The index makes pages; what needs the WARC files is a 404 with words, or not offered."""
    archive = archived(tmp_path, the_files(), "page")
    capture = capture_of(archive)
    (row,) = archive.captures_of("doc-0")
    for file in archive.archive.glob("*"):
        file.unlink()
    archive.archive.rmdir()
    with shown(archive) as site:
        for path in (
            f"/content/{row.content_id}",
            f"/content/{capture}",
            f"/view/{capture}/raw",
            f"/view/{capture}/assembled",
            f"/capture/{capture}.warc.gz",
            f"/capture/{capture}?check=1",
            f"/timegate/{row.url}",
        ):
            status, _, body = get(site + path)
            assert status == 404, path
            assert b"The bytes are not at this site" in body, path
            assert f'href="/capture/{capture}"'.encode() in body, path
        evidence = get(f"{site}/capture/{capture}")[2].decode()
        for offer in ("Check it now", "Look at it", "Save the document", f"{capture}.warc.gz"):
            assert offer not in evidence
        assert "The WARC file that holds this capture is not at this site" in evidence
        view = get(f"{site}/view/{capture}")
        assert view[0] == 200 and b"Six documents do not give the same figures." in view[2]
        assert b"<iframe" not in view[2] and b"Save it" not in view[2]
        document = get(f"{site}/document/doc-0")[2].decode()
        assert "The WARC file that holds it is not at this site" in document
        listed = get(f"{site}/timemap/link/{row.url}")
        assert listed[0] == 200 and f"/view/{capture}/raw".encode() in listed[2]
