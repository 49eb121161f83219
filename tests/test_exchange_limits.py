"""A hostile server gets bounded time, memory and disk, and never an exception out of the client."""

from __future__ import annotations

import gzip
import random
import re
import socket
import subprocess
import sys
import textwrap
import threading
import tracemalloc
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from provenance.digest import digest_of
from provenance.errors import StorageError
from provenance.exchange import Client, ClientSettings, Exchange
from provenance.exchange.bodies import IN_MEMORY
from provenance.exchange.heads import COOKIES_LIMIT, INTERIM_LIMIT, LINE_LIMIT, LINES_LIMIT
from provenance.exchange.pace import Pace
from provenance.http_body import BodyMeter
from provenance.http_message import CHUNKS_LISTED, HEAD_LIMIT, body_shape
from provenance.runtime import system_runtime
from tests.wire import playing
from tests.wire_client import FIELDS as FIELDS_SENT
from tests.wire_client import OPEN, answer_of, block, client, ok, reason
from tests.wire_proxies import Handler, listening

UNPARSED = 1 << 16


def check_nothing_is_lost(played: bytes, exchange: Exchange) -> None:
    """What came is the block, behind the interim heads, or `unparsed`; byte for byte."""
    if exchange.answer is None:
        assert exchange.fault is not None
        assert played[:UNPARSED].startswith(exchange.unparsed)
        if exchange.fault.reason == "bad_response":
            assert exchange.unparsed or not played
        return
    answer = exchange.answer
    kept = answer.spool.read()
    assert exchange.unparsed == b""
    assert played.startswith(b"".join(answer.interim) + kept)
    assert answer.block_digest == digest_of(kept)
    assert answer.block_size == len(kept)
    assert answer.body_digest == digest_of(kept[answer.head.size :])
    meter = BodyMeter(body_shape(answer.head))
    meter.feed(kept[answer.head.size :])
    assert meter.finish(cut=answer.cut is not None) == answer.digests
    rest = played[len(b"".join(answer.interim)) + len(kept) :]
    if answer.surplus is not None:
        assert digest_of(rest[: answer.surplus.size]) == answer.surplus.digest


HEADS = st.sampled_from([
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200\r\n", b"HTTP/1.1 304 \n", b"HTTP/1.1 999 X\r\n",
    b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\n", b"HTTP/2.0 200 OK\r\n", b"ICY 200 OK\r\n",
    b"HTTP/1.1 101 S\r\n", b"HTTP/1.1 204 N\r\n", b"HTTP/1.1 407 P\r\n", b"\r\nHTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 103 E\r\n\r\n" * 3 + b"HTTP/1.1 200 OK\r\n",
])  # fmt: skip
FIELDS = st.sampled_from([
    b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 5, 5\r\n",
    b"Content-Length: 99999999999999999999\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n", b"transfer-encoding:\tChunked \n", b"X: \xff\x00\r\n",
    b"Content-Encoding: gzip\r\n", b"Content-Encoding: br\r\n", b"Content-Encoding: zstd\r\n",
    b"Content-Encoding: deflate, gzip, br, zstd, gzip\r\n", b"Set-Cookie: a=b; Domain=.\r\n",
    b"Set-Cookie: \xff=\x00; Expires=Mon, 99 Xxx 9999\r\n", b" folded\r\n", b"no colon\r\n",
    b"Connection: close\r\n", b"Connection: upgrade\r\n", b"\x00\x00\r\n", b": empty\r\n",
    b"Location: http://[\r\n",
])  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"5\r\nhello\r\n0\r\n\r\n",
            b"5;x=y\r\nhel",
            b"fffffffffffffffff\r\n",
            b"0\r\nT: x\r\n\r\nmore",
            b"hello",
            b"hello more",
            gzip.compress(b"hi"),
            gzip.compress(b"hi")[:-3],
            b"-1\r\n",
            b"",
            b"\x1b\x03\x00",
            b"(\xb5/\xfd\x04\x00\x19\x00\x00abc",
            b"5\r\nhelloXX0\r\n\r\n",
        ]
    ),
)
RESPONSES = st.one_of(
    st.binary(max_size=200),
    st.tuples(HEADS, st.lists(FIELDS, max_size=4).map(b"".join), BODIES).map(
        lambda parts: parts[0] + parts[1] + b"\r\n" + parts[2]
    ),
)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """Draw a response with a piece cut out, doubled or overwritten."""
    raw = draw(RESPONSES)
    start = draw(st.integers(0, len(raw)))
    end = draw(st.integers(start, len(raw)))
    return (
        raw[:start] + draw(st.sampled_from([b"", raw[start:end] * 2, b"\n", b"\x00"])) + raw[end:]
    )


@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(played=st.one_of(RESPONSES, spoiled()), pieces=st.integers(1, 4), resets=st.booleans())
def test_arbitrary_bytes_of_a_server_end_in_a_value(
    played: bytes, pieces: int, resets: bool
) -> None:
    """No exception, no endless wait, and nothing that came is lost or made up."""

    def answer(wire: socket.socket) -> None:
        wire.recv(65536)
        step = max(len(played) // pieces, 1)
        for at in range(0, len(played), step):
            wire.sendall(played[at : at + step])
        if resets:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        else:
            wire.shutdown(socket.SHUT_WR)
            while wire.recv(65536):
                pass

    with listening(answer) as port, client(timeout_s=5, max_time_s=10) as asking:
        exchange = asking.get(f"http://127.0.0.1:{port}/")
        check_nothing_is_lost(played, exchange)
        asking.get(f"http://127.0.0.1:{port}/again")


def dripping(first: bytes, drop: bytes, stop: threading.Event) -> Handler:
    """Answer with `first` at once, then `drop` again and again, for ten seconds at most."""

    def handle(wire: socket.socket) -> None:
        wire.recv(65536)
        wire.sendall(first)
        for _ in range(1000):
            if stop.wait(0.01):
                return
            wire.sendall(drop)

    return handle


@pytest.mark.parametrize(
    ("scheme", "first", "drop"),
    [
        ("", b"HTTP/1.1 200 OK\r\nX: ", b"a"),
        ("", b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
        ("", b"HTTP/1.1 100 Continue\r\nX: ", b"a"),
        ("http", b"HTTP/1.1 200 OK\r\nX: ", b"a"),
        ("socks5h", b"\x05", b""),
        ("socks5h", b"\x05\x00\x05\x00\x00\x03\xff", b"a"),
        ("socks4a", b"\x00", b""),
    ],
)
def test_a_drip_ends_with_the_time_of_the_document(scheme: str, first: bytes, drop: bytes) -> None:
    """In a head, in a proxy's head and in SOCKS handshakes the total bound holds."""
    stop = threading.Event()
    with listening(dripping(first, drop, stop)) as port:
        by = f"{scheme}://127.0.0.1:{port}" if scheme else None
        with client(max_time_s=0.3, timeout_s=5, proxy=by) as asking:
            url = "https://a.example/" if scheme == "http" else f"http://127.0.0.1:{port}/"
            exchange = asking.get(url)
            assert reason(exchange) == "timeout"
            if scheme:
                assert exchange.request == b""
            else:
                assert exchange.unparsed.startswith(first)
        stop.set()


def test_no_wait_is_longer_than_what_is_left() -> None:
    """A wait ends with the time for bytes or the time for the document, whichever is first."""
    pace = Pace(replace(system_runtime(), monotonic=lambda: 100.0))
    pace.begin(idle_s=5, deadline=102)
    assert pace.patience() == 2
    pace.begin(idle_s=5, deadline=200)
    assert pace.patience() == 5
    pace.begin(idle_s=5, deadline=100)
    with pytest.raises(TimeoutError):
        pace.patience()


def test_a_body_that_drips_is_cut_by_time() -> None:
    """The wait for bytes begins anew with each byte; the time of the document does not."""
    stop = threading.Event()
    first = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    with (
        listening(dripping(first, b"a", stop)) as port,
        client(max_time_s=2, timeout_s=5) as asking,
    ):
        exchange = asking.get(f"http://127.0.0.1:{port}/")
        assert answer_of(exchange).cut == "time"
        assert block(exchange).startswith(first + b"aa")
        stop.set()


@pytest.mark.parametrize(
    "head",
    [
        b"X: " + b"a" * (LINE_LIMIT + 1),
        b"a:\n" * (LINES_LIMIT + 1),
        (b"X: " + b"a" * (LINE_LIMIT // 2) + b"\r\n") * 9,
    ],
)
def test_a_head_beyond_a_limit_is_no_response(head: bytes) -> None:
    """A long line, many lines, many bytes: a fault, with the first 64 KiB of what came."""
    played = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n"
    with playing(played) as wire, client() as asking:
        exchange = asking.get(wire.url)
        assert reason(exchange) == "bad_response"
        assert exchange.unparsed == played[:UNPARSED]


def test_a_head_at_the_limits_is_a_response() -> None:
    """Lines and bytes up to the limits are read as they are."""
    for head in (
        b"X: " + b"a" * (LINE_LIMIT - 5) + b"\r\n",
        b"a:\r\n" * (LINES_LIMIT - 3),
    ):
        played = b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: 0\r\n\r\n"
        with playing(played) as wire, client() as asking:
            assert block(asking.get(wire.url)) == played


@pytest.mark.parametrize(
    "interim",
    [b"HTTP/1.1 103 E\r\n\r\n" * (INTERIM_LIMIT + 1),
     (b"HTTP/1.1 103 E\r\nX: " + b"a" * (HEAD_LIMIT // 5) + b"\r\n\r\n") * 6],
)  # fmt: skip
def test_interim_responses_have_a_limit_in_number_and_bytes(interim: bytes) -> None:
    """All heads of one answer share the bytes that a head may have."""
    with playing(interim + ok(b"x")) as wire, client() as asking:
        assert reason(asking.get(wire.url)) == "bad_response"


def test_a_connection_that_changes_its_protocol_is_not_used_again() -> None:
    """What follows a 101 is no HTTP any more."""
    played = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    with playing(played, closes=False) as wire, client() as asking:
        for _ in range(2):
            assert block(asking.get(wire.url)) == played
        assert wire.connections == 2


def test_cookies_have_a_limit_in_number_and_size() -> None:
    """A server cannot make the next request grow without bound."""
    many = [b"Set-Cookie: c%d=%s" % (n, b"x" * 20) for n in range(COOKIES_LIMIT + 40)]
    large = [b"Set-Cookie: large=" + b"x" * 9000]
    with playing(ok(b"x", *large, *many), closes=False) as wire, client() as asking:
        asking.get(wire.url)
        asking.get(wire.url)
        cookie = re.search(rb"Cookie: (.*)\r\n", wire.requests[1])
        assert cookie is not None
        assert cookie[1].count(b"=") == COOKIES_LIMIT
        assert b"large" not in cookie[1]


def test_of_many_chunks_the_first_sizes_are_listed_and_all_are_counted() -> None:
    """A body in chunks of one byte takes no more memory than another."""
    count = CHUNKS_LISTED + 500
    coded = b"1\r\nx\r\n" * count + b"0\r\n\r\n"
    with (
        playing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + coded) as wire,
        client() as asking,
    ):
        answer = answer_of(asking.get(wire.url))
        assert answer.chunk_sizes == (1,) * CHUNKS_LISTED
        assert answer.chunk_count == count + 1
        assert answer.digests.payload_digest == digest_of(b"x" * count)


def test_decoding_ends_with_the_time_of_the_document() -> None:
    """A body that takes long to decode is cut where its time was up, and its digests fit it."""
    member = gzip.compress(bytes(1 << 27), 1)
    body = member * 12
    played = ok(body, b"Content-Encoding: gzip")
    with playing(played) as wire, client(max_time_s=1) as asking:
        exchange = asking.get(wire.url)
        answer = answer_of(exchange)
        assert answer.cut == "time"
        check_nothing_is_lost(played, exchange)


def test_the_time_is_looked_at_between_small_pieces_of_a_coded_body() -> None:
    """Also where all of it has arrived: a clock that goes on by a second at each look."""
    body = gzip.compress(random.Random(1).randbytes(55_000))
    played = ok(body, b"Content-Encoding: gzip")
    seconds = count(1.0)
    runtime = replace(system_runtime(), monotonic=lambda: next(seconds))
    with playing(played) as wire:
        asking = Client(runtime, ClientSettings(fields=FIELDS_SENT, max_time_s=20), OPEN)
        exchange = asking.get(wire.url)
        asking.close()
    assert answer_of(exchange).cut == "time"
    check_nothing_is_lost(played, exchange)


def test_a_small_response_touches_no_file_and_a_large_one_goes_to_the_spool_folder(
    tmp_path: Path,
) -> None:
    """Up to 1 MiB the block is held in memory."""
    small, large = ok(b"x" * 900_000), ok(b"y" * 1_200_000)
    with playing(small) as wire, client(spool_dir=tmp_path / "missing") as asking:
        assert block(asking.get(wire.url)) == small
    with playing(large) as wire, client(spool_dir=tmp_path) as asking:
        answer = answer_of(asking.get(wire.url))
        name = Path(f"/proc/self/fd/{answer.spool.fileno()}").readlink()
        assert name.is_relative_to(tmp_path)
        assert answer.spool.read() == large
        answer.spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_large_body_takes_little_memory(tmp_path: Path) -> None:
    """64 MiB go by in pieces."""
    played = ok(bytes(1 << 26))
    with playing(played) as wire, client(spool_dir=tmp_path) as asking:
        tracemalloc.start()
        try:
            answer = answer_of(asking.get(wire.url))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert answer.block_size == len(played)
        assert peak < 6 << 20
        answer.spool.close()


def test_a_spool_folder_that_is_not_there_is_the_disks_fault(tmp_path: Path) -> None:
    """It ends the run with a message; it is no fault of the document."""
    with (
        playing(ok(b"y" * 1_200_000)) as wire,
        client(spool_dir=tmp_path / "missing") as asking,
        pytest.raises(StorageError, match="missing"),
    ):
        asking.get(wire.url)


FULL = """
    import resource, sys
    from pathlib import Path
    from tests.wire import playing
    from tests.wire_client import client, ok
    from provenance.errors import StorageError

    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))
    folder, played = Path(sys.argv[1]), ok(b"y" * int(sys.argv[2]))
    with playing(played) as wire, client(spool_dir=folder) as asking:
        try:
            print(asking.get(wire.url).answer.block_size)
        except StorageError as fault:
            print(fault)
"""


def test_a_disk_that_refuses_is_the_disks_fault(tmp_path: Path) -> None:
    """A real limit of the file's size, met while writing and, by one byte, at the end."""
    sizes = {len(ok(b"y" * size)): size for size in ((2 << 20) - 60, (2 << 20) - 50, 3 << 20)}
    for whole, size in sizes.items():
        run = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(FULL), str(tmp_path), str(size)],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        if whole <= 2 << 20:
            assert run.stdout.strip() == str(whole)
        else:
            assert "File too large" in run.stdout
            assert str(tmp_path) in run.stdout


def test_a_fault_of_the_disk_leaves_the_client_usable(tmp_path: Path) -> None:
    """The half-read connection is closed; the next document is read from a new one."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n"
    part = head + bytes(IN_MEMORY - len(head) + 1)
    small = ok(b"small")

    def script(asked: bytes) -> bytes:
        return part if b" /large" in asked else small

    with playing(script, closes=False) as wire, client(spool_dir=tmp_path / "no") as asking:
        with pytest.raises(StorageError):
            asking.get(wire.url + "/large")
        assert block(asking.get(wire.url + "/small")) == small
        assert wire.connections == 2
