"""What a page needs for its replay is fetched with it, once, and tied to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests import fetch_rig as rig
from tests.fetch_rig import SETTINGS, Clock, reply, web
from tests.roots import fetched, findings, notes, records, root_of
from tests.wire import playing

PAGE = b"""<html><head><link rel=stylesheet href=/a.css><script src=/s.js></script></head>
<body><img src=/i.png srcset="/i.png 1x, /big.png 2x"><iframe src=/inner.html></iframe>
<img src=/gone.png><img src=/private/secret.png><a href=/elsewhere.html>no requisite</a></body>"""
FILES: dict[bytes, tuple[bytes, bytes]] = {
    b"/robots.txt": (b"text/plain", b"User-agent: *\nDisallow: /private/\n"),
    b"/page": (b"text/html", PAGE),
    b"/other": (b"text/html", b"<img src=/i.png><link rel=stylesheet href=/a.css>"),
    b"/a.css": (b"text/css", b"@import 'b.css'; body { background: url(/bg.png) }"),
    b"/b.css": (b"text/css", b"@font-face { font-family: f; src: url(/f.woff2) }"),
    b"/s.js": (b"text/javascript", b"1"),
    b"/i.png": (b"image/png", b"small"),
    b"/big.png": (b"image/png", b"big"),
    b"/bg.png": (b"image/png", b"background"),
    b"/f.woff2": (b"font/woff2", b"font"),
    b"/inner.html": (b"text/html", b"<img src=/moved.png>"),
    b"/moved.png": (b"", b""),
}


def play(head: bytes) -> bytes:
    path = head.split()[1]
    if path == b"/moved.png":
        return b"HTTP/1.1 302 Found\r\nLocation: /i.png\r\nContent-Length: 0\r\n\r\n"
    if path not in FILES:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"
    kind, body = FILES[path]
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        kind,
        len(body),
        body,
    )


def lists(found: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return, by document, what each page's list says of each path."""
    return {
        note["document"]: {each["url"].partition("/")[2].partition("/")[2].partition("/")[2]: each
                           for each in note["requisites"]}
        for note in found if note["profile"] == "provenance-requisites-1"
    }  # fmt: skip


def test_a_page_is_fetched_with_all_it_needs_and_only_it_has_an_outcome(tmp_path: Path) -> None:
    """Images, styles, what styles import, fonts, scripts and frames come; links do not."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/page")
        (outcome,) = fetched(archive, requisites=True)
        asked = Counter(head.split()[1].decode() for head in wire.requests)
    assert outcome.outcome == "captured"
    assert asked == dict.fromkeys(
        ["/robots.txt", "/page", "/a.css", "/b.css", "/s.js", "/i.png", "/big.png", "/bg.png",
         "/f.woff2", "/inner.html", "/moved.png", "/gone.png"], 1,
    ) | {"/i.png": 2}  # once for the page, once where /moved.png leads  # fmt: skip
    found = lists(notes(archive))["doc-0"]
    assert set(found) == {
        "a.css", "b.css", "s.js", "i.png", "big.png", "bg.png", "f.woff2", "inner.html",
        "moved.png", "gone.png", "private/secret.png",
    }  # fmt: skip
    assert (found["gone.png"]["status"], found["private/secret.png"]["reason"]) == (404, "robots")
    assert found["moved.png"]["final_url"].endswith("/i.png")
    assert found["f.woff2"]["kind"] == "font"
    assert findings(archive) == []
    assert archive.index().captures == 1


def test_the_list_refers_to_the_page_and_names_captures_of_the_archive(tmp_path: Path) -> None:
    """`verify` misses a requisite whose capture is gone from the list's archive."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/page")
        (outcome,) = fetched(archive, requisites=True)
    fields = next(fields for kind, fields, block in records(archive)
                  if kind == "metadata" and b"provenance-requisites-1" in block)  # fmt: skip
    page = next(fields for kind, fields, _ in records(archive)
                if kind == "response" and fields["WARC-Target-URI"] == outcome.url)  # fmt: skip
    assert fields["WARC-Refers-To"] == page["WARC-Record-ID"]
    assert fields["WARC-Target-URI"] == outcome.url


def test_two_pages_share_what_both_need(tmp_path: Path) -> None:
    """An image that two pages name is asked for once in a run, and is in both lists."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/page", f"{wire.url}/other")
        fetched(archive, requisites=True)
        asked = Counter(head.split()[1].decode() for head in wire.requests)
    assert asked["/a.css"] == 1
    found = lists(notes(archive))
    assert found["doc-0"]["a.css"]["capture_id"] == found["doc-1"]["a.css"]["capture_id"]
    assert findings(archive) == []


def test_the_next_run_keeps_unchanged_requisites_as_revisits(tmp_path: Path) -> None:
    """The bytes are not stored twice, and the pages are asked for whole."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/page")
        fetched(archive, requisites=True)
        (second,) = fetched(archive, requisites=True)
    assert second.outcome == "unchanged"
    kinds = Counter(
        kind for kind, fields, _ in records(archive)
        if fields.get("WARC-Target-URI", "").endswith("/a.css") and kind in ("response", "revisit")
    )  # fmt: skip
    assert kinds == {"response": 1, "revisit": 1}
    assert findings(archive) == []


def test_a_page_whose_requisites_are_not_all_there_is_fetched_again(tmp_path: Path) -> None:
    """A run that is stopped while it gathers does not count the page as had."""
    stalled: list[bytes] = []

    def stalling(head: bytes) -> bytes:
        if head.split()[1] == b"/s.js" and not stalled:
            stalled.append(head)
            return b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nstall"
        return play(head)

    with playing(stalling, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/page")
        first = fetched(archive, requisites=True, max_run_time_s=1.0)
        assert [(each.outcome, each.reason) for each in first] == [("skipped", "run_time")]
        (second,) = fetched(archive, requisites=True)
    assert second.outcome in ("captured", "unchanged")
    assert len(lists(notes(archive))["doc-0"]) == 11
    assert findings(archive) == []


def test_gathering_ends_with_the_documents_time_and_says_so(tmp_path: Path) -> None:
    """However slowly a host is to be asked, a page takes no longer than a document may."""
    page = reply(b"".join(b"<img src=/%d.png>" % number for number in range(50)))
    clock = Clock()
    with web({"a.example/page": page}) as wire:
        settings = replace(SETTINGS, requisites=True, delay_s=10, max_time_s=100)
        done = rig.fetched(
            tmp_path / "root", wire, "http://a.example/page", clock=clock, settings=settings
        )
    assert sum(clock.slept) == pytest.approx(110)
    (listed,) = [note for note in notes(done.archive) if "requisites" in note and "page" in note]
    assert (listed["limit_reached"], len(cast(list[Any], listed["requisites"]))) == (True, 10)
    assert findings(done.archive) == []


def test_without_the_setting_nothing_else_is_fetched(tmp_path: Path) -> None:
    """A page alone is the default."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/page")
        fetched(archive)
        assert {head.split()[1] for head in wire.requests} == {b"/robots.txt", b"/page"}
    assert lists(notes(archive)) == {}


@pytest.mark.parametrize("label", ["gb2312", "latin1", "utf-16", "no-such-charset"])
def test_a_sheet_may_name_its_charset_by_any_label(tmp_path: Path, label: str) -> None:
    """What it names is read and fetched, whether the label is known or not."""
    sheet = b'@charset "%s"; q { content: "\xb8\xdb"; background: url(/i.png) }' % label.encode()

    def labelled(head: bytes) -> bytes:
        path = head.split()[1]
        if path == b"/page":
            return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<link rel=stylesheet href=c>"
        if path == b"/c":
            return b"HTTP/1.1 200 OK\r\nContent-Type: text/css\r\n\r\n" + sheet
        return play(head)

    with playing(labelled) as wire:
        archive = root_of(tmp_path, f"{wire.url}/page")
        (outcome,) = fetched(archive, requisites=True)
    assert outcome.outcome == "captured"
    assert set(lists(notes(archive))["doc-0"]) == {"c", "i.png"}
