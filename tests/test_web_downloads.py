"""What can be saved of a capture, and the check of one capture while a reader waits."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.digest import digest_of, from_hex
from provenance.index import CaptureRow
from provenance.proving import check_proof
from provenance.web.checking import CHECKED_BYTES
from provenance.web.policy import DOWNLOAD_HEADERS
from provenance.web.renewal import RenewedSite
from provenance.web.source import Checked, Fault
from tests.roots import fetched, root_of
from tests.tamper_rig import Town, sealed_archive
from tests.test_gather_pywb import Archive as Asker
from tests.web_client import Client
from tests.web_fixture import Shelf, a_collection, a_document, an_html_visit, harbour
from tests.web_server import running
from tests.wire import playing


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(harbour(), tmp_path_factory.mktemp("downloads"))
    yield client
    client.close()


class Served:
    """A real archive of three runs, the last of them after the newest checkpoint, served."""

    def __init__(self, archive: Archive, address: str) -> None:
        self.archive = archive
        self._asker = Asker(prefix=address)

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        head, body = self._asker.get(self._asker.prefix + path)
        fields = {name.decode().lower(): value.decode("latin-1") for name, value in head.fields}
        return head.status, fields, body

    def captures(self, document: str = "doc-0") -> list[CaptureRow]:
        found = self.archive.captures_of(document)
        return sorted(found, key=lambda capture: capture.captured_at)

    def path_of(self, row: CaptureRow) -> Path:
        return self.archive.archive / row.warc


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    archive = sealed_archive(tmp_path_factory.mktemp("served"), "/news", "/moved", "/gone")
    archive.index()
    with running(RenewedSite(archive.site, archive.index_path)) as address:
        yield Served(archive, address)


def test_the_record_is_sent_as_it_lies_in_its_file(site: Served, tmp_path: Path) -> None:
    """One gzip member, byte for byte; what the page says to run prints the capture id."""
    for document in ("doc-0", "doc-1", "doc-2"):
        for row in site.captures(document):
            status, fields, body = site.get(f"/capture/{row.capture_id}.warc.gz")
            assert status == 200
            stored = site.path_of(row).read_bytes()[row.offset : row.offset + row.length]
            assert body == stored
            assert fields["content-length"] == str(row.length)
            assert fields["content-type"] == "application/octet-stream"
            digits = str(row.capture_id).removeprefix("sha256:")
            assert f'{document}-{digits[:8]}.warc.gz"' in fields["content-disposition"]
            for name, value in DOWNLOAD_HEADERS.items():
                assert fields[name] == value
            saved = tmp_path / "saved.warc.gz"
            saved.write_bytes(body)
            line = f"gzip -dc {saved} | head -c -4 | sha256sum"
            told = subprocess.run(line, shell=True, capture_output=True, text=True, check=True)
            assert told.stdout.split()[0] == digits


def test_record_and_proof_are_enough_without_the_archive(site: Served, tmp_path: Path) -> None:
    """The two downloads together hold, checked by the program with nothing else at hand."""
    row = site.captures()[0]
    record, proof = tmp_path / "record.warc.gz", tmp_path / "proof.tlog-proof"
    record.write_bytes(site.get(f"/capture/{row.capture_id}.warc.gz")[2])
    status, fields, raw = site.get(f"/capture/{row.capture_id}.tlog-proof")
    assert status == 200 and "attachment" in fields["content-disposition"]
    assert raw == site.archive.proof(str(row.capture_id))
    proof.write_bytes(raw)
    proven = check_proof(raw, where="proof", capture=record)
    assert (proven.capture_id, proven.records) == (row.capture_id, ("capture",))


def test_a_capture_after_the_checkpoint_has_no_proof_yet(site: Served) -> None:
    """404, in plain words; so says the check."""
    newest = site.captures()[-1]
    status, _, body = site.get(f"/capture/{newest.capture_id}.tlog-proof")
    assert status == 404 and b"does not cover this capture yet" in body
    status, _, body = site.get(f"/capture/{newest.capture_id}?check=1")
    assert status == 200 and b"it does not cover this capture yet" in body


def test_without_a_log_there_is_no_proof_and_no_link(shelf: Client) -> None:
    """The page offers what there is."""
    capture_id = shelf.newest("gazette-article")
    answer = shelf.get(f"/capture/{capture_id}.tlog-proof")
    assert answer.status_code == 404 and "no log yet" in answer.text
    page = shelf.get(f"/capture/{capture_id}").text
    assert ".tlog-proof" not in page and ".warc.gz" in page and f"{capture_id}.txt" in page


def test_the_whole_text_is_sent(shelf: Client) -> None:
    """In UTF-8, the bytes whose hash the text id is, whatever the script."""
    for document in ("gazette-article", "port-statement", "harbour-notice", "council-minutes"):
        capture_id = shelf.newest(document)
        answer = shelf.get(f"/capture/{capture_id}.txt")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert digest_of(answer.content) in shelf.get(f"/capture/{capture_id}").text
        for name, value in DOWNLOAD_HEADERS.items():
            assert answer.headers[name] == value
        assert '.txt"' in answer.headers["content-disposition"]
    assert "港口大桥" in shelf.get(f"/capture/{shelf.newest('port-statement')}.txt").text


def test_what_has_no_text_says_so(shelf: Client) -> None:
    """A picture and a failed visit have none."""
    failed = next(c for c in shelf.shelf.of("gazette-article") if not c.content_id)
    for capture_id in (shelf.newest("institute-photo"), failed.capture_id):
        answer = shelf.get(f"/capture/{capture_id}.txt")
        assert answer.status_code == 404 and "No text" in answer.text
        assert f"{capture_id}.txt" not in shelf.get(f"/capture/{capture_id}").text


@pytest.mark.parametrize("ending", ["warc.gz", "txt", "tlog-proof"])
def test_unknown_captures_have_no_files(shelf: Client, ending: str) -> None:
    """As everywhere: a 404; HEAD sends no body; a prefix will do."""
    assert shelf.get(f"/capture/{'0' * 64}.{ending}").status_code == 404
    assert shelf.get(f"/capture/none.{ending}").status_code == 404
    capture_id = shelf.newest("gazette-article")
    if ending != "tlog-proof":
        short = capture_id.removeprefix("sha256:")[:12]
        assert shelf.get(f"/capture/{short}.{ending}").status_code == 200
        assert shelf.head(f"/capture/{capture_id}.{ending}").content == b""


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[Served]:
    """A small served archive of one's own, to be damaged."""
    with playing(Town().play) as wire:
        archive = root_of(tmp_path, f"{wire.url}/news")
        fetched(archive)
    archive.checkpoint()
    archive.index()
    for path in archive.archive.glob("*.warc.gz"):
        path.chmod(0o644)
    with running(RenewedSite(archive.site, archive.index_path)) as address:
        yield Served(archive, address)


@pytest.mark.parametrize("damage", ["byte", "crc", "other record", "cut"])
def test_a_damaged_record_is_never_sent_whole(changed: Served, damage: str) -> None:
    """What does not hash to the capture id breaks off or is an error page, without a folder."""
    (row,) = changed.captures()
    path = changed.path_of(row)
    raw = bytearray(path.read_bytes())
    end = row.offset + row.length
    if damage == "byte":
        raw[row.offset + row.length // 2] ^= 1
    elif damage == "crc":
        raw[end - 6] ^= 1
    elif damage == "other record":
        plain = gzip.decompress(raw[row.offset : end]).replace(b"bridge opens", b"bridge is up")
        other = gzip.compress(plain)
        raw[row.offset : end] = other.ljust(row.length, b"\0")[: row.length]
    elif damage == "cut":
        del raw[end - 10 :]
    path.write_bytes(raw)
    status, _, body = changed.get(f"/capture/{row.capture_id}.warc.gz")
    assert status == 500
    assert b"What is stored cannot be shown" in body
    assert str(changed.archive.root).encode() not in body


def test_a_check_reads_the_files_anew(changed: Served) -> None:
    """Whole and in the log at first; after one byte of its record changed, neither."""
    (row,) = changed.captures()
    page = f"/capture/{row.capture_id}"
    assert b"Checked just now" not in changed.get(page)[2]
    status, fields, body = changed.get(f"{page}?check=1")
    assert status == 200
    assert b"<strong>Whole.</strong> 3 records read" in body
    assert b"<strong>Sealed.</strong> The log has" in body and b"finding" not in body
    assert fields["x-robots-tag"] == "noindex" and fields["cache-control"] == "no-store"
    path = changed.path_of(row)
    raw = bytearray(path.read_bytes())
    raw[row.offset + row.length // 2] ^= 1
    path.write_bytes(raw)
    status, _, body = changed.get(f"{page}?check=1")
    assert status == 200
    assert b"<strong>Whole.</strong>" not in body and b"<strong>Sealed." not in body
    assert b"finding" in body and b"The capture is not whole" in body
    assert path.name.encode() in body
    assert str(changed.archive.root).encode() not in body


def test_a_check_against_a_lost_log_is_a_finding(changed: Served) -> None:
    """A broken log is told on the page, and is not an error of it."""
    (row,) = changed.captures()
    for path in (changed.archive.metadata / "log" / "tile" / "0").glob("*/*"):
        path.unlink()
    status, _, body = changed.get(f"/capture/{row.capture_id}?check=1")
    assert status == 200
    assert b"The capture is whole" in body
    assert b"cover this capture yet" not in body
    assert b"log_damaged" in body
    assert str(changed.archive.root).encode() not in body


def test_findings_are_shown_with_what_they_say_escaped(shelf: Client) -> None:
    """Each has its code, place, expectation and advice; nothing in them becomes markup."""
    capture_id = shelf.newest("gazette-article")
    fault = Fault(
        code="digest_mismatch",
        warc="a.warc.gz",
        offset=1234,
        field="WARC-Block-Digest",
        expected="<script>",
        found=None,
        hint="Restore it.",
    )
    shelf.shelf.checked[capture_id] = Checked(rungs=(), records=3, faults=(fault,))
    page = shelf.get(f"/capture/{capture_id}?check=1").text
    checked = page.split('id="checked"')[1].split("</section>")[0]
    for words in ("1 finding", "from byte 1,234", "WARC-Block-Digest", "&lt;script&gt;", "nothing"):
        assert words in checked
    assert "Restore it." in checked and "<script>" not in checked


class Waiting(Shelf):
    """A shelf whose checks wait until they are let go."""

    def __init__(self) -> None:
        visit = an_html_visit("one", "2026-11-23T23:50:00.000000Z", "https://p.example/", "<p>a")
        super().__init__(a_collection(a_document("one")), [visit])
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()

    def check(self, capture_id: str) -> Checked:
        self.begun.release()
        assert self.go.wait(60)
        return Checked(rungs=("whole",), records=3, faults=())


def test_only_so_many_checks_run_at_once(tmp_path: Path) -> None:
    """A third reader is asked to come again; the first two get their answers."""
    waiting = Waiting()
    client = Client(waiting, tmp_path)
    path = f"/capture/{waiting.of('one')[0].capture_id}?check=1"

    async def three() -> list[int]:
        asked = [asyncio.ensure_future(client.datasette.client.get(path)) for _ in range(2)]
        for _ in asked:
            await asyncio.to_thread(waiting.begun.acquire)
        third = await client.datasette.client.get(path)
        waiting.go.set()
        return [third.status_code, *[(await one).status_code for one in asked]]

    try:
        assert client._runner.run(three()) == [503, 200, 200]
    finally:
        client.close()


def test_what_is_too_large_is_left_to_the_command_line(tmp_path: Path) -> None:
    """The page offers no button, and the address no check."""
    shelf = harbour()
    capture_id = shelf.of("audit-report")[0].capture_id
    (record,) = [
        place for place, one in enumerate(shelf.records) if one.record_digest == capture_id
    ]
    shelf.records[record] = replace(shelf.records[record], content_length=CHECKED_BYTES + 1)
    client = Client(shelf, tmp_path)
    try:
        assert "Check it now" not in client.get(f"/capture/{capture_id}").text
        answer = client.get(f"/capture/{capture_id}?check=1")
        assert answer.status_code == 403 and "provenance verify sha256:" in answer.text
    finally:
        client.close()


def test_a_large_record_is_sent_piece_by_piece(tmp_path: Path) -> None:
    """As it is stored; where its end is wrong the connection breaks off before that."""
    content = tmp_path / "large.bin"
    content.write_bytes(os.urandom(3 << 20) + bytes(9 << 20))
    archive = Archive.init(tmp_path / "root")
    (outcome,) = archive.add([content])
    archive.index()
    with running(RenewedSite(archive.site, archive.index_path)) as address:
        site = Served(archive, address)
        (row,) = site.captures(str(outcome.document))
        page = f"/capture/{row.capture_id}.warc.gz"
        _, fields, body = site.get(page)
        plain = gzip.decompress(body)
        assert from_hex(hashlib.sha256(plain[:-4]).hexdigest()) == row.capture_id
        path = site.path_of(row)
        raw = bytearray(path.read_bytes())
        raw[row.offset + row.length - 6] ^= 1
        path.chmod(0o644)
        path.write_bytes(raw)
        status, again, cut = site.get(page)
        assert (status, again["content-length"]) == (200, fields["content-length"])
        assert 0 < len(cut) < row.length
