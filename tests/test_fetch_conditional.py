"""Asking again for what the server says has not changed: conditional requests and their records."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.roots import fetched, findings, notes, records, root_of
from tests.wire import playing

BODY = b"<p>Minutes of the council</p>"
ROBOTS = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
NOT_MODIFIED = b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\nX-Odd:as it came\r\n\r\n'


def full(*fields: bytes, body: bytes = BODY) -> bytes:
    head = b"".join(field + b"\r\n" for field in (b"Content-Type: text/html", *fields))
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body)


class Server:
    """Answers 304 to any condition, else the whole body with validators."""

    def __init__(self, *fields: bytes, body: bytes = BODY) -> None:
        self.fields = fields
        self.body = body

    def __call__(self, head: bytes) -> bytes:
        if head.startswith(b"GET /robots.txt"):
            return ROBOTS
        if b"\r\nIf-None-Match: " in head or b"\r\nIf-Modified-Since: " in head:
            return NOT_MODIFIED
        return full(*self.fields, body=self.body)


def test_a_304_is_a_revisit_of_the_first_full_answer(tmp_path: Path) -> None:
    """It refers to the response, keeps the 304's head as it came, and counts as unchanged."""
    server = Server(b'ETag: "v1"', b"Last-Modified: Mon, 22 Feb 2021 09:30:00 GMT")
    with playing(server, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/minutes")
        (first,) = fetched(archive)
        (second,) = fetched(archive)
        (third,) = fetched(archive)
        asked = wire.requests[-1]
    assert b'\r\nIf-None-Match: "v1"\r\n' in asked
    assert b"\r\nIf-Modified-Since: Mon, 22 Feb 2021 09:30:00 GMT\r\n" in asked
    assert (first.outcome, second.outcome, third.outcome) == ("captured", "unchanged", "unchanged")
    assert (second.status, second.reason) == (304, "not_modified")
    assert second.content_id == first.content_id
    assert (second.size, second.media_type) == (len(BODY), "text/html")
    (original,) = [fields for kind, fields, _ in records(archive) if kind == "response"
                   and fields["WARC-Target-URI"].endswith("/minutes")]  # fmt: skip
    revisits = [(fields, block) for kind, fields, block in records(archive) if kind == "revisit"]
    assert len(revisits) == 2
    for fields, block in revisits:
        assert fields["WARC-Profile"].endswith("/revisit/server-not-modified")
        assert fields["WARC-Refers-To"] == original["WARC-Record-ID"]
        assert fields["WARC-Refers-To-Date"] == original["WARC-Date"]
        assert block == NOT_MODIFIED
    assert findings(archive) == []


def test_the_index_has_the_content_of_what_was_not_modified(tmp_path: Path) -> None:
    """A 304 is a version with the first answer's content id, and its content can be read."""
    with playing(Server(b'ETag: "v1"'), closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/minutes")
        (first,) = fetched(archive)
        (second,) = fetched(archive)
    archive.index()
    rows = archive.captures_of("doc-0")
    assert {row.content_id for row in rows} == {first.content_id}
    newest = archive.resolve("doc-0").capture
    assert newest is not None
    assert newest.capture_id == second.capture_id
    assert newest.media_type == "text/html"


@pytest.mark.parametrize(
    ("fields", "conditional"),
    [((), True), ((b'ETag: "v1"',), False)],
    ids=["no validators", "switched off"],
)
def test_no_condition_is_sent_where_there_is_none_or_none_is_wanted(
    tmp_path: Path, fields: tuple[bytes, ...], conditional: bool
) -> None:
    """The whole body comes again and is an identical-payload revisit."""
    with playing(Server(*fields), closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/minutes")
        fetched(archive, conditional=conditional)
        (second,) = fetched(archive, conditional=conditional)
        assert b"If-" not in wire.requests[-1]
    assert (second.outcome, second.status, second.reason) == ("unchanged", 200, None)


def test_a_304_that_nobody_asked_for_is_an_error_status(tmp_path: Path) -> None:
    """Without a condition there is nothing that it could refer to."""

    def play(head: bytes) -> bytes:
        return ROBOTS if head.startswith(b"GET /robots.txt") else NOT_MODIFIED

    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/minutes")
        (outcome,) = fetched(archive)
    assert (outcome.outcome, outcome.reason) == ("error_status", "http_304")
    assert findings(archive) == []


def test_a_changed_body_is_captured_and_becomes_what_the_next_condition_names(
    tmp_path: Path,
) -> None:
    """The newest validators count."""
    versions = iter([b'"v1"', b'"v2"', b'"v3"'])

    def play(head: bytes) -> bytes:
        if head.startswith(b"GET /robots.txt"):
            return ROBOTS
        tag = next(versions)
        return full(b"ETag: " + tag, body=BODY + tag)

    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/minutes")
        fetched(archive)
        (second,) = fetched(archive)
        assert b'If-None-Match: "v1"' in wire.requests[-1]
        (third,) = fetched(archive)
        assert b'If-None-Match: "v2"' in wire.requests[-1]
    assert (second.outcome, third.outcome) == ("captured", "captured")
    tags = [note["validators"] for note in notes(archive) if note.get("kind") == "document"]
    assert [tag["etag"] for tag in tags if isinstance(tag, dict)] == ['"v1"', '"v2"', '"v3"']


def test_a_page_that_says_it_is_gone_is_read_again_where_an_archive_is_named(
    tmp_path: Path,
) -> None:
    """A 304 would stand for the page that is sought elsewhere because of what it says."""
    server = Server(b'ETag: "v1"', body=b"<title>Page not found</title><h1>Page not found</h1>")
    memento = full(b"Memento-Datetime: Mon, 22 Feb 2021 09:30:00 GMT", body=b"as it was")

    def play(head: bytes) -> bytes:
        return memento if head.startswith(b"GET /archive/") else server(head)

    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/minutes")
        (first,) = fetched(archive)
        (second,) = fetched(archive, memento=f"{wire.url}/archive/")
    assert (first.outcome, first.flags) == ("captured", ("soft_404",))
    assert (second.outcome, second.size) == ("captured", len(b"as it was"))
    assert "imported" in second.flags
    assert findings(archive) == []
