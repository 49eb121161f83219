"""Other programs read an archive with every kind of record of ours, and find nothing."""

from __future__ import annotations

from pathlib import Path

from provenance.archive import Archive
from tests.peers import assert_peers_agree
from tests.roots import SETTINGS, fetched, findings, records, root_of
from tests.wire import playing


def play(head: bytes) -> bytes:
    path = head.split()[1]
    if path == b"/chunked":
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    if path == b"/tagged":
        if b"If-None-Match" in head:
            return b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'
        return b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 3\r\n\r\ntag'
    if path == b"/cut":
        return b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\ncut"
    if path == b"/moved":
        return b"HTTP/1.1 302 Found\r\nLocation: /plain\r\nContent-Length: 0\r\n\r\n"
    if path == b"/plain":
        return b"HTTP/1.1 200 OK\r\nX-Odd:no space\r\nContent-Length: 5\r\n\r\nplain"
    return b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"


def test_warcio_and_fastwarc_pass_every_kind_of_record(tmp_path: Path) -> None:
    """Payload digests are written only where all readers agree on what the payload is."""
    paths = ("chunked", "tagged", "cut", "moved", "plain", "gone")
    with playing(play) as wire:
        archive = root_of(tmp_path, *(f"{wire.url}/{path}" for path in paths))
        fetched(archive)
        fetched(archive)
        list(Archive(archive.root).fetch([f"{wire.url}/elsewhere"], SETTINGS).outcomes)
    letter = tmp_path / "letter.txt"
    letter.write_text("A letter")
    list(archive.add([letter], document="doc-0"))
    kinds = {kind for kind, _, _ in records(archive)}
    assert kinds == {"warcinfo", "request", "response", "revisit", "metadata", "resource"}
    assert findings(archive) == []
    assert_peers_agree(archive)
