"""Archives whose WARC files were damaged on disk, served: every address of a capture is honest."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.index import CaptureRow
from tests.test_web_replay import get
from tests.web_fixture import a_png
from tests.web_replay import archived, capture_of, shown

WORDS, FORGED = b"The bridge opens in June.", b"The bridge falls in June."
PAGE = b'<!DOCTYPE html><title>Bridge</title><p>%s<p><img src="i.png" alt="bridge">' % WORDS
FILES = {
    "page": ("text/html; charset=utf-8", PAGE),
    "i.png": ("image/png", a_png()),
    "other": ("text/html; charset=utf-8", PAGE.replace(WORDS, FORGED)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """A capture, its neighbour that says something else, and the file that holds both."""

    archive: Archive
    row: CaptureRow
    other: CaptureRow
    path: Path

    def member(self, row: CaptureRow) -> bytes:
        return self.path.read_bytes()[row.offset : row.offset + row.length]

    def replace(self, raw: bytes) -> None:
        """Write the file anew with `raw` where the capture's record stands."""
        end = self.row.offset + self.row.length
        whole = self.path.read_bytes()
        self.path.write_bytes(whole[: self.row.offset] + raw + whole[end:])


def flipped(one: Spoiled) -> None:
    raw = bytearray(one.member(one.row))
    raw[len(raw) // 2] ^= 0x10
    one.replace(bytes(raw))


def flipped_at_the_end(one: Spoiled) -> None:
    raw = bytearray(one.member(one.row))
    raw[-6] ^= 1
    one.replace(bytes(raw))


def cut_in_it(one: Spoiled) -> None:
    one.path.write_bytes(one.path.read_bytes()[: one.row.offset + one.row.length // 2])


def cut_before_it(one: Spoiled) -> None:
    one.path.write_bytes(one.path.read_bytes()[: one.row.offset])


def emptied(one: Spoiled) -> None:
    one.path.write_bytes(b"")


def another_record(one: Spoiled) -> None:
    one.replace(one.member(one.other))


def forged(one: Spoiled) -> None:
    plain = gzip.decompress(one.member(one.row))
    plain = plain.replace(WORDS, FORGED).replace(b"200 OK", b"200 KO")
    one.replace(gzip.compress(plain, mtime=0))


def no_archive_at_all(one: Spoiled) -> None:
    one.path.write_bytes(b"no archive at all\n" * 10_000)  # an error may say how it begins


DAMAGES = (
    flipped,
    flipped_at_the_end,
    cut_in_it,
    cut_before_it,
    emptied,
    another_record,
    forged,
    no_archive_at_all,
)


def held(folder: Path) -> Spoiled:
    """Return a capture that is whole yet, in a file that can be written to."""
    archive = archived(folder, FILES, "page", "other")
    archive.checkpoint()
    archive.index()
    (row,), (other,) = archive.captures_of("doc-0"), archive.captures_of("doc-1")
    path = archive.archive / row.warc
    path.chmod(0o644)
    found = Spoiled(archive=archive, row=row, other=other, path=path)
    assert row.warc == other.warc and WORDS in gzip.decompress(found.member(row))
    return found


@pytest.fixture(params=DAMAGES, ids=lambda damage: damage.__name__)
def spoiled(request: pytest.FixtureRequest, tmp_path: Path) -> Spoiled:
    found = held(tmp_path)
    damage: Callable[[Spoiled], None] = request.param
    damage(found)
    return found


@pytest.fixture
def site(spoiled: Spoiled) -> Iterator[str]:
    with shown(spoiled.archive) as address:
        yield address


def assert_said_first(body: bytes, words: bytes) -> None:
    """Before what happened then; nothing is said to be kept, and nothing of it is for saving."""
    assert 0 < body.index(words) < body.index(b'<p class="lead">')
    lead = body.split(b'<p class="lead">')[1].split(b"</p>")[0]
    assert b"is kept" not in lead and lead.endswith(b"was kept.")
    for offer in (b"Save the document", b"Look at it", b'.warc.gz"', b'href="/content/', b"Sent<"):
        assert offer not in body, offer
    assert b"Read its text" in body and b'.txt"' in body
    assert b"The record in the WARC file cannot be read, or is not the one" in body


def test_every_address_of_a_damaged_capture_is_honest(spoiled: Spoiled, site: str) -> None:
    """What was kept is not sent, nor anything in its place; pages say so and lead to the check."""
    capture, content = spoiled.row.capture_id, str(spoiled.row.content_id)
    assert str(capture) == capture_of(spoiled.archive)
    said: dict[str, bytes] = {}

    def asked(path: str) -> tuple[int, dict[str, str], bytes]:
        status, fields, body = get(site + path)
        said[path] = body
        return status, fields, body

    for path in (
        f"/content/{content}",
        f"/content/{capture}",
        f"/view/{capture}/raw",
        f"/view/{capture}/assembled",
        f"/capture/{capture}.warc.gz",
        f"/timegate/{spoiled.row.url}",
    ):
        status, fields, body = asked(path)
        assert status == 500, path
        assert fields["content-type"] == "text/html; charset=utf-8", path
        assert "content-disposition" not in fields and "etag" not in fields, path
        assert b"What is stored cannot be shown: " in body, path
        assert b"<bdi>the evidence of this capture</bdi>" in body, path
        assert WORDS not in body, path
    status, _, body = asked(f"/view/{capture}")
    assert status == 200
    assert b"What is stored of the document is damaged, so it cannot be shown." in body
    assert WORDS in body and b"<iframe" not in body and b"Save it" not in body
    status, _, body = asked(f"/capture/{capture}")
    assert status == 200 and b"Check it now" in body
    assert_said_first(body, b"<strong>What is stored of this capture is damaged.</strong>")
    status, _, body = asked(f"/capture/{capture}?check=1")
    assert status == 200
    assert_said_first(body, b"<strong>This capture is not whole.</strong>")
    assert b"The capture is not whole" in body and b"<strong>Whole.</strong>" not in body
    assert spoiled.path.name.encode() in body
    status, _, body = asked(f"/capture/{capture}.json")
    assert status == 200
    # What lies elsewhere, in the index and the log, is there as it was.
    status, _, body = asked(f"/capture/{capture}.txt")
    assert status == 200 and WORDS in body
    status, _, body = asked(f"/capture/{capture}.tlog-proof")
    assert (status, body) == (200, spoiled.archive.proof(str(capture)))
    for path in (f"/document/{spoiled.row.document}", "/", f"/timemap/link/{spoiled.row.url}"):
        assert asked(path)[0] == 200, path
    for path, body in said.items():
        for lie in (FORGED, b"200 KO", b"/other HTTP", str(spoiled.archive.root).encode()):
            assert lie not in body, (path, lie)


def test_what_is_damaged_beside_the_document_is_said_and_the_document_can_be_had(
    tmp_path: Path,
) -> None:
    """A forged request is not shown; what is still as the index names it is, and can be saved."""
    one = held(tmp_path)
    with closing(sqlite3.connect(one.archive.index_path)) as conn:
        start, size = conn.execute(
            "select offset, length from record where type = 'request' and offset < ?"
            " order by offset desc limit 1",
            (one.row.offset,),
        ).fetchone()
    raw = one.path.read_bytes()
    plain = gzip.decompress(raw[start : start + size])
    with shown(one.archive) as site:
        before = get(f"{site}/capture/{one.row.capture_id}")[2]
        assert b"GET /page HTTP" in before and b"<h3>Sent</h3>" in before
        assert b"is damaged" not in before and b"Save the document" in before
        forged_request = gzip.compress(plain.replace(b"GET /page", b"GET /pier"), 9, mtime=0)
        forged_request = forged_request.ljust(size, b"\0")[:size]
        one.path.write_bytes(raw[:start] + forged_request + raw[start + size :])
        for query in ("", "?check=1"):
            body = get(f"{site}/capture/{one.row.capture_id}{query}")[2]
            assert b"GET /pier" not in body and b"<h3>Sent</h3>" not in body
            assert b"<h3>Received</h3>" in body and b"200 OK" in body
        assert b"<strong>This capture is not whole.</strong>" in body
        assert b"Save the document" not in body
        assert b"; if its bytes are others now, saving it fails" in body
        status, _, content = get(f"{site}/content/{one.row.content_id}")
        assert (status, content) == (200, PAGE)
