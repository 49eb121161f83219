"""The negotiation against a real archive: pywb, run as a program of its own over a small WARC."""

from __future__ import annotations

import contextlib
import gzip
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from provenance.gather.memento import Rawness
from provenance.gather.negotiation import Ask, Found, NotFound, first_step, next_step, step_to
from provenance.gather.timegate import Wanted, parse_timegate, wanted_instant
from provenance.gather.timemaps import TimeMap, nearest, read_timemap
from provenance.http_message import (
    Dechunker,
    Framing,
    ResponseHead,
    body_shape,
    parse_response_head,
)

PROGRAMS = Path(__file__).parents[1] / ".venv-peers" / "bin"
RUN = datetime(2024, 1, 1, tzinfo=UTC)

DOCUMENT = "http://doc.example/minutes?year=2019&page=1"
MOVED = "http://doc.example/moved"
GONE = "http://doc.example/gone"
PACKED = "http://doc.example/packed"
ODD = "http://doc.example/%E6%A1%A5/a%20b;c,d?e=%2Ff&&g"

FIRST = "<html><head><title>橋</title></head><body><a href='/b'>one</a>".encode()
SECOND = b"<html><body><a href='http://doc.example/b'>two</a><script>x</script>\0\xff"
ODD_PAYLOAD = bytes(range(256)) * 40
PACKED_PAYLOAD = gzip.compress(FIRST * 50, mtime=0)

HTML = ("Content-Type", "text/html; charset=utf-8")


def write_warc(path: Path) -> None:
    """Write three captures of one address, one of them a revisit, and one of each other."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)

        def add(url: str, date: str, status: str, *fields: tuple[str, str], body: bytes) -> str:
            head = StatusAndHeaders(status, [*fields], protocol="HTTP/1.1")
            record = writer.create_warc_record(
                url,
                "response",
                payload=BytesIO(body),
                http_headers=head,
                warc_headers_dict={"WARC-Date": date},
            )
            writer.write_record(record)
            return str(record.rec_headers.get_header("WARC-Payload-Digest"))

        digest = add(DOCUMENT, "2019-03-01T10:00:00Z", "200 OK", HTML, body=FIRST)
        add(DOCUMENT, "2020-03-01T10:00:00Z", "200 OK", HTML, body=SECOND)
        add(MOVED, "2020-03-01T10:00:00Z", "301 Moved", ("Location", DOCUMENT), body=b"gone on")
        add(GONE, "2020-03-01T10:00:00Z", "404 Not Found", HTML, body=b"<p>not here")
        add(
            PACKED,
            "2020-03-01T10:00:00Z",
            "200 OK",
            HTML,
            ("Content-Encoding", "gzip"),
            body=PACKED_PAYLOAD,
        )
        add(ODD, "2020-03-01T10:00:00Z", "200 OK", ("X-Odd", "yes"), body=ODD_PAYLOAD)
        writer.write_record(
            writer.create_revisit_record(
                DOCUMENT,
                digest,
                DOCUMENT,
                "2019-03-01T10:00:00Z",
                http_headers=StatusAndHeaders("200 OK", [HTML], protocol="HTTP/1.1"),
                warc_headers_dict={"WARC-Date": "2021-03-01T10:00:00Z"},
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A running archive; `prefix` is where its one collection is."""

    prefix: str

    def get(self, url: str, *fields: tuple[str, str]) -> tuple[ResponseHead, bytes]:
        """Ask for an address as it stands; give the head and the payload of the answer."""
        parts = urlsplit(url)
        target = url.partition(parts.netloc)[2]
        lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in fields]
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as wire:
            wire.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
            raw = b"".join(iter(lambda: wire.recv(65536), b""))
        head = parse_response_head(raw)
        assert head is not None
        body = raw[head.size :]
        chunked = body_shape(head).framing is Framing.CHUNKED
        return head, Dechunker().feed(body) if chunked else body

    def negotiate(self, url: str, wanted: Wanted) -> tuple[Found | NotFound, bytes, int]:
        """Play a whole negotiation; give its end, the last payload and the number of questions."""
        return self.play(first_step(parse_timegate(self.prefix), url, wanted))

    def play(self, step: Ask | Found | NotFound) -> tuple[Found | NotFound, bytes, int]:
        """Ask until there is nothing more to ask."""
        payload, count = b"", 0
        while isinstance(step, Ask):
            head, payload = self.get(step.url, *step.fields)
            step, count = next_step(step, head), count + 1
        return step, payload, count


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def has_come_up(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait, for 30 seconds at most, until something listens on `port`."""
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
            return False
    return False


@pytest.fixture(scope="module", params=[False, True], ids=["serves", "redirects"])
def archive(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Archive]:
    """Run pywb: once with a gate that serves the memento itself, once with one that redirects."""
    if not (PROGRAMS / "wayback").is_file():
        pytest.skip("pywb is not in the peers' environment (make test makes it)")
    root = tmp_path_factory.mktemp("pywb")
    for folder in ("archive", "indexes"):
        (root / "collections" / "c" / folder).mkdir(parents=True)
    write_warc(root / "collections" / "c" / "archive" / "c.warc.gz")
    redirect = str(request.param).lower()
    (root / "config.yaml").write_text(
        f"enable_memento: true\nframed_replay: false\nredirect_to_exact: {redirect}\n"
    )
    # What pywb brings would look for a list of domain suffixes on the web: nothing leaves here.
    nowhere = "http://127.0.0.1:9"
    environment = {
        **os.environ,
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), nowhere),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
    }
    index = [str(PROGRAMS / "wb-manager"), "reindex", "c"]
    subprocess.run(index, cwd=root, env=environment, check=True, capture_output=True, timeout=60)
    port = free_port()
    command = [str(PROGRAMS / "wayback"), "--bind", "127.0.0.1", "--port", str(port)]
    with (
        (root / "log.txt").open("wb") as log,
        subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            assert has_come_up(process, port), (root / "log.txt").read_text("utf-8", "replace")
            yield Archive(prefix=f"http://127.0.0.1:{port}/c/")
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.mark.parametrize(
    ("published", "year", "payload"),
    [
        ("2018", 2019, FIRST),
        ("2019-03-01", 2019, FIRST),
        ("2019", 2020, SECOND),
        ("2020-03", 2020, SECOND),
        ("2020-12", 2021, FIRST),
        (None, 2021, FIRST),
    ],
)
def test_the_nearest_capture_comes_as_it_was_archived(
    archive: Archive, published: str | None, year: int, payload: bytes
) -> None:
    """The gate chooses by our date, and the raw payload is the WARC's, byte for byte."""
    found, came, count = archive.negotiate(DOCUMENT, wanted_instant(published, started_at=RUN))
    assert isinstance(found, Found)
    assert found.instant == datetime(year, 3, 1, 10, tzinfo=UTC)
    assert came == payload
    memento = found.memento
    assert (memento.rawness, memento.status, memento.archive) == (Rawness.RAW, 200, "127.0.0.1")
    assert (memento.original, memento.original_from) == (DOCUMENT, "link")
    assert found.same_original
    assert count <= 3


@pytest.mark.parametrize(
    ("url", "status", "payload"),
    [
        (MOVED, 301, b"gone on"),
        (GONE, 404, b"<p>not here"),
        (ODD, 200, ODD_PAYLOAD),
    ],
    ids=["redirect", "error page", "odd"],
)
def test_what_was_archived_comes_back_whatever_it_is(
    archive: Archive, url: str, status: int, payload: bytes
) -> None:
    """Redirects, error pages, binary payloads, odd addresses: status and bytes agree."""
    found, came, _ = archive.negotiate(url, wanted_instant("2020", started_at=RUN))
    assert isinstance(found, Found)
    assert (found.memento.status, found.memento.rawness) == (status, Rawness.RAW)
    assert came == payload
    assert found.memento.location == (DOCUMENT if url == MOVED else None)
    assert found.same_original


def test_a_coded_payload_comes_coded_to_who_takes_the_coding(archive: Archive) -> None:
    """The content is as archived either way; the payload is, where its coding is accepted."""
    step, payload, _ = archive.negotiate(PACKED, wanted_instant("2020", started_at=RUN))
    assert isinstance(step, Found)
    assert payload == gzip.decompress(PACKED_PAYLOAD)
    head, payload = archive.get(step.memento.url, ("Accept-Encoding", "gzip"))
    assert head.value("content-encoding") == "gzip"
    assert payload == PACKED_PAYLOAD


def test_what_was_not_archived_is_not_found(archive: Archive) -> None:
    """The archive's own 404 is told apart from an archived one."""
    found, _, _ = archive.negotiate(
        "http://doc.example/never", wanted_instant(None, started_at=RUN)
    )
    assert isinstance(found, NotFound)
    assert found.reason == "not_archived"


def test_without_the_raw_form_the_bytes_are_others(archive: Archive) -> None:
    """The memento's plain address gives a page rewritten for replay, and that is told."""
    step = Ask(
        url=f"{archive.prefix}20190301100000/{DOCUMENT}",
        original=DOCUMENT,
        accept_datetime=None,
        raw_tried=True,
    )
    found, came, _ = archive.play(step)
    assert isinstance(found, Found)
    assert found.memento.rawness is Rawness.REWRITTEN
    assert came != FIRST


def timemap(archive: Archive, form: str, url: str = DOCUMENT) -> TimeMap:
    address = f"{archive.prefix}timemap/{form}/{url}"
    _, payload = archive.get(address)
    return read_timemap(payload.decode(), url=address)


def test_timemaps_list_every_capture_in_any_form(archive: Archive) -> None:
    """Link format and JSON name the same three mementos; only JSON knows their status."""
    links, lines = timemap(archive, "link"), timemap(archive, "json")
    assert [(one.url, one.instant) for one in links.mementos] == [
        (one.url, one.instant) for one in lines.mementos
    ]
    assert [one.instant.year for one in links.mementos] == [2019, 2020, 2021]
    assert [one.status for one in lines.mementos] == [200, 200, None]
    assert (links.original, lines.original) == (DOCUMENT, DOCUMENT)
    assert links.timegate == lines.timegate == archive.prefix + DOCUMENT
    assert timemap(archive, "link", "http://doc.example/never").fault == "no_mementos"


def test_a_memento_chosen_from_a_timemap_needs_no_gate(archive: Archive) -> None:
    """The nearest one of the list is asked for in its raw form at once."""
    chosen = nearest(timemap(archive, "link").mementos, datetime(2020, 5, 1, tzinfo=UTC))
    assert chosen is not None
    found, came, count = archive.play(step_to(chosen.url, DOCUMENT))
    assert isinstance(found, Found)
    assert (came, count, found.instant.year) == (SECOND, 1, 2020)
