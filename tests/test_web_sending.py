"""Readers who take nothing of what they are sent: it is bounded, and in the end they are let go."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import select
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from provenance.archive import Archive
from provenance.listening import _impatient
from provenance.web.attachment import site_of
from provenance.web.policy import Message, Receive, Scope, Send
from provenance.web.renewal import RenewedSite
from provenance.web.sending import BLOCK, STREAMS, Sending, paced
from tests.test_web_wire import LARGE, Serving, an_archive, large_shelf
from tests.web_client import Client
from tests.web_server import running

SIZE = 16 << 20
"""More than a system keeps for one connection on its way."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an archive with one large file that no coding makes smaller."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "large.bin").write_bytes(os.urandom(SIZE))
    return an_archive(folder, folder / "large.bin")


class Reader:
    """A connection that asks, and takes what it is told to take alone."""

    def __init__(self, address: str, path: str) -> None:
        parts = urlsplit(address)
        self._socket = socket.socket()
        self._socket.settimeout(60)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect((parts.hostname, parts.port))
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def status(self) -> int:
        """Wait for the status; nothing is taken."""
        seen = b""
        while len(seen) < 12:
            seen = self._socket.recv(12, socket.MSG_PEEK)
        return int(seen[9:])

    def head(self) -> str:
        """Take the head, and what came with it."""
        return self._socket.recv(4096).partition(b"\r\n\r\n")[0].decode("latin-1").lower()

    def rest(self) -> int:
        """Take all that comes; return how many bytes these are."""
        size = 0
        with contextlib.suppress(ConnectionResetError):
            while piece := self._socket.recv(1 << 20):
                size += len(piece)
        return size

    def close(self) -> None:
        self._socket.close()


def memory(process: int) -> int:
    """Return the most memory that a process has had, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) << 10


def content_of(serving: Serving) -> str:
    (row,) = json.loads(serving.get("/provenance/capture.json?_shape=array")[1])
    return f"/content/{row['content_id']}"


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="memory is read from /proc")
def test_readers_who_take_nothing_are_few_and_cost_little(root: Path) -> None:
    """Those beyond are told when to come again, pages still answer, and memory has a bound."""
    with Serving(root) as serving:
        path = content_of(serving)
        before = memory(serving.process.pid)
        readers = [Reader(serving.address, path) for _ in range(200)]
        told = Counter(reader.status() for reader in readers)
        assert told == {200: STREAMS, 503: 200 - STREAMS}
        assert memory(serving.process.pid) - before < 160 << 20
        turned_away = next(reader for reader in readers if reader.status() == 503)
        assert "\r\nretry-after: 10" in turned_away.head()
        assert serving.get("/")[0] == 200
        status, words = serving.get(path)
        assert status == 503 and "Much is being sent to others at this moment" in words
        for reader in readers:
            reader.close()


def test_who_takes_nothing_is_let_go_and_another_is_served(root: Path) -> None:
    """The place of the first is free again without its doing anything."""
    archive = Archive(root)
    document = archive.document("one")
    assert document is not None
    (capture,) = archive.newest_of([document])
    assert capture is not None
    path = f"/content/{capture.content_id}"

    def make() -> Any:
        datasette = archive.site()
        site = site_of(datasette)
        assert site is not None
        site.sending.most_streams = 1
        return datasette

    with running(RenewedSite(make, archive.index_path, report=print), stalled_s=0.5) as address:
        first = Reader(address, path)
        assert first.status() == 200
        for _ in range(100_000):
            second = Reader(address, path)
            if second.status() == 200:
                break
            second.close()
        assert second.rest() > SIZE
        assert first.rest() < SIZE
        first.close()
        second.close()


@pytest.mark.parametrize("size", [40_000, 400_000])
def test_a_connection_ends_though_nobody_takes_what_waits_on_it(size: int) -> None:
    """Whether the answer waits to be written, or is written and waits in the server's memory."""
    if not hasattr(select, "poll"):
        pytest.skip("the other end is watched with poll")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        head = {"status": 200, "headers": [(b"connection", b"close")]}
        await send({"type": "http.response.start", **head})
        await send({"type": "http.response.body", "body": bytes(size)})

    async def serve() -> int:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        config = Config(app, lifespan="off", log_level="error")
        protocol = _impatient(None, 0.1)
        with theirs:
            await loop.connect_accepted_socket(
                lambda: protocol(config=config, server_state=ServerState(), app_state={}), ours
            )
            theirs.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            watched = select.poll()
            watched.register(theirs, 0)
            ended = await asyncio.to_thread(watched.poll, 30_000)
            assert ended and ended[0][1] & select.POLLHUP
            theirs.setblocking(False)
            taken = 0
            while piece := theirs.recv(1 << 16):
                taken += len(piece)
            return taken

    assert asyncio.run(serve()) < size


def test_what_is_held_whole_is_sent_in_pieces() -> None:
    """Every byte once, in order, and none copied before its turn comes."""
    body = os.urandom(3 * BLOCK + 5)
    heard = asyncio.run(answered(paced(an_app(body), Sending(), nothing_is_busy)))
    assert [message["type"] for message in heard] == [
        "http.response.start",
        *["http.response.body"] * 4,
    ]
    assert b"".join(message.get("body", b"") for message in heard) == body
    assert [message.get("more_body") for message in heard[1:]] == [True, True, True, False]


def test_a_reader_who_takes_no_piece_ends_the_answer() -> None:
    """Without an end, so that nobody takes it for whole; the app lets go of what it holds."""
    ended = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            with contextlib.suppress(Exception):
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await send({"type": "http.response.body", "body": b"y"})
        finally:
            ended.append(True)

    async def never(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()
        heard.append(message)

    heard: list[Message] = []

    async def ask() -> None:
        wrapped = paced(app, Sending(), nothing_is_busy, stalled_s=0.01)
        await wrapped({"type": "http", "method": "GET"}, nothing_comes, never)

    asyncio.run(ask())
    assert [message["type"] for message in heard] == ["http.response.start"]
    assert ended == [True]


def test_one_answer_kept_for_many_is_held_once() -> None:
    """Many readers of the same bytes are no more than a few of others."""
    sending, kept = Sending(held=20 * BLOCK), bytes(10 * BLOCK)
    with contextlib.ExitStack() as readers:
        assert [readers.enter_context(sending.whole(kept)) for _ in range(5)] == [True] * 5
        assert not readers.enter_context(sending.whole(kept))
        assert not readers.enter_context(sending.whole(bytes(2 * BLOCK)))
    with sending.whole(bytes(100 * BLOCK)) as alone:
        assert alone  # else what is larger than the bound could never be had
        with sending.whole(bytes(2 * BLOCK)) as another:
            assert not another
    with sending.whole(bytes(2 * BLOCK)) as later:
        assert later


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/capture/{id}.txt", "text/html"),
        ("/provenance/text.json?_shape=array&_size=max", "application/json"),
        ("/content/{id}", "text/html"),
        ("/view/{id}/raw", "text/html"),
        ("/capture/{id}.warc.gz", "text/html"),
    ],
)
def test_while_much_is_sent_the_next_is_told_so_in_the_form_asked_for(
    tmp_path: Path, path: str, kind: str
) -> None:
    """Ours and Datasette's; HEAD has no bytes that could wait for anybody."""
    client = Client(large_shelf(), tmp_path)
    try:
        site = site_of(client.datasette)
        assert site is not None
        site.sending.most_streams = site.sending.most_held = 0
        path = path.format(id=client.newest("one"))
        with site.sending.whole(LARGE.encode()):
            answer = client.get(path)
            assert answer.status_code == 503
            assert answer.headers["content-type"].startswith(kind)
            assert answer.headers["retry-after"] == "10"
            assert "Much is being sent to others" in answer.text
            assert client.head(path).status_code == 200
            assert client.get("/").status_code == 200
    finally:
        client.close()


def an_app(body: bytes) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


async def answered(app: Any) -> list[Message]:
    heard: list[Message] = []

    async def send(message: Message) -> None:
        heard.append(message)

    await app({"type": "http", "method": "GET"}, nothing_comes, send)
    return heard


async def nothing_comes() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def nothing_is_busy(scope: Scope, receive: Receive) -> Iterator[None]:
    raise AssertionError("nobody is turned away here")
