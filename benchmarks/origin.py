"""Serve a folder on loopback for the benchmark: by nginx where it is there, else by asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

HOSTS = tuple(f"127.0.0.{number}" for number in range(1, 65))
"""The loopback addresses that play one host each: to `fetch` a host is what stands in the URL."""

Play = Callable[[str, asyncio.StreamWriter], Awaitable[None]]
"""Answers one request: gets the path, writes what it likes. Closes the writer to end the talk."""

_WAIT_S = 20
_TLS_GREETING = b"\x16"
_TYPES = {".html": "text/html; charset=utf-8", ".jpg": "image/jpeg", ".pdf": "application/pdf"}

_NGINX = """daemon off; worker_processes 2; pid {state}/pid; error_log {state}/error crit;
events {{ worker_connections 512; }}
http {{
  types {{ text/html html; image/jpeg jpg; application/pdf pdf; }}
  access_log off; sendfile on; keepalive_requests 100000;
  client_body_temp_path {state}; proxy_temp_path {state}; fastcgi_temp_path {state};
  uwsgi_temp_path {state}; scgi_temp_path {state};
  server {{ {listen} charset utf-8; root {folder}; }}
}}
"""
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nno\n"


@contextlib.contextmanager
def served(folder: Path, state: Path) -> Iterator[tuple[str, int]]:
    """Serve the files of `folder` while the block runs; give the server's name and its port."""
    nginx = shutil.which("nginx")
    if not nginx:
        pages = {f"/{path.name}": response(path) for path in folder.iterdir()}

        async def play(path: str, writer: asyncio.StreamWriter) -> None:
            writer.write(pages.get(path, MISSING))

        with playing(play) as port:
            yield "asyncio", port
        return
    port = _free_port()
    config = state / "nginx.conf"
    listen = " ".join(f"listen {host}:{port};" for host in HOSTS)
    config.write_text(_NGINX.format(state=state, listen=listen, folder=folder))
    command = [nginx, "-p", str(state), "-c", str(config)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield "nginx", port
        finally:
            process.send_signal(signal.SIGQUIT)


@contextlib.contextmanager
def playing(play: Play, *, processes: int = 2, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Answer each request by `play`, in so many processes, while the block runs; give the port."""
    port = _free_port()
    workers = [
        multiprocessing.get_context("fork").Process(
            target=_work, args=(port, play, tls), daemon=True
        )
        for _ in range(min(processes, os.cpu_count() or 1))
    ]
    for worker in workers:
        worker.start()
    try:
        _wait_for(port)
        yield port
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + _WAIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def html_response(body: bytes, media_type: str = "text/html; charset=utf-8") -> bytes:
    """Return a whole response with its length."""
    head = (
        "HTTP/1.1 200 OK\r\nServer: benchmark\r\nDate: Tue, 02 Jan 2024 03:04:05 GMT\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
        "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: keep-alive\r\n\r\n"
    )
    return head.encode() + body


def response(path: Path) -> bytes:
    """Return the whole response with a file of the corpus, its media type by the name's ending."""
    return html_response(path.read_bytes(), _TYPES[path.suffix])


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, play: Play) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        while not writer.is_closing():
            first = await reader.readexactly(1)
            if first == _TLS_GREETING:
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                break
            request = await reader.readuntil(b"\r\n\r\n")
            parts = request.split(b" ", 2)
            await play(parts[1].decode("latin-1"), writer)
            await writer.drain()
    if not writer.is_closing():
        writer.close()


def _work(port: int, play: Play, tls: ssl.SSLContext | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    async def serve() -> None:
        server = await asyncio.start_server(
            lambda reader, writer: _answer(reader, writer, play),
            list(HOSTS),
            port,
            reuse_port=True,
            ssl=tls,
        )
        await server.serve_forever()

    asyncio.run(serve())
