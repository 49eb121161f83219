"""What an answer says of its own address is kept with the capture and shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.roots import fetched, findings, notes, root_of
from tests.wire import playing

PAGES = {
    b"/refresh": b"<meta http-equiv=refresh content='5; url=/next'><p>Moved</p>",
    b"/canonical": b"<link rel=canonical href=https://example.org/own><p>The text</p>",
    b"/nothing": b"<title>Page not found</title><h1>Page not found</h1><p>Sorry.</p>",
    b"/plain": b"<title>The bridge</title><p>The text</p>",
}


def play(head: bytes) -> bytes:
    body = PAGES.get(head.split()[1])
    if body is None:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )


def test_a_part_that_nobody_asked_for_is_no_version(tmp_path: Path) -> None:
    """Four bytes of a thousand are not the document, nor what a later run refers to."""
    part = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/1000\r\n"
    part += b'ETag: "a"\r\nContent-Length: 4\r\n\r\npart'
    with playing(part, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/doc")
        outcomes = fetched(archive, ignore_robots="test") + fetched(archive, ignore_robots="test")
        assert not any(b"If-None-Match" in head for head in wire.requests)
    assert [(str(each.outcome), each.reason) for each in outcomes] == [
        ("error_status", "http_206")
    ] * 2
    assert findings(archive) == []


def test_refresh_canonical_and_soft_404_are_flagged_noted_and_shown(tmp_path: Path) -> None:
    """They decide nothing: each of these is captured."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, *(wire.url + path.decode() for path in PAGES))
        outcomes = {str(each.document): each for each in fetched(archive)}
    assert {str(each.outcome) for each in outcomes.values()} == {"captured"}
    assert [outcomes[f"doc-{at}"].flags for at in range(4)] == [
        ("meta_refresh",), ("canonical_elsewhere",), ("soft_404",), (),
    ]  # fmt: skip
    landings = {str(note["document"]): note["landing"] for note in notes(archive)
                if note.get("kind") == "document"}  # fmt: skip
    assert landings["doc-0"]["meta_refresh"] == f"{wire.url}/next"  # type: ignore[index]
    assert landings["doc-1"]["canonical"] == "https://example.org/own"  # type: ignore[index]
    assert landings["doc-2"]["soft_404"] == "said-en"  # type: ignore[index]
    assert findings(archive) == []
    archive.index()
    call = [sys.executable, "-c", "from provenance.cli import main; main()"]
    call += ["-C", str(archive.root), "show", str(outcomes["doc-2"].capture_id)]
    shown = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    assert "said-en" in shown
    assert "says in English that the page is not there" in " ".join(shown.split())
