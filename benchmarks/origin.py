"""Serve a folder on loopback for the benchmark: by nginx where it is there, else by asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

HOSTS = tuple(f"127.0.0.{number}" for number in range(1, 41))
"""The loopback addresses that play one host each."""

_WAIT_S = 20
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


@contextlib.contextmanager
def served(folder: Path, state: Path, *, latency_s: float = 0.0) -> Iterator[tuple[str, int]]:
    """Serve `folder` while the block runs; give the server's name and its port.

    `latency_s` passes before each answer; nginx has no such thing, so asyncio then serves.
    """
    port = _free_port()
    nginx = shutil.which("nginx") if not latency_s else None
    if nginx:
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
        return
    pages = {f"/{path.name}": _response(path) for path in folder.iterdir()}
    workers = [
        multiprocessing.get_context("fork").Process(
            target=_work, args=(port, pages, latency_s), daemon=True
        )
        for _ in range(min(2, os.cpu_count() or 1))
    ]
    for worker in workers:
        worker.start()
    try:
        _wait_for(port)
        yield "asyncio", port
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


def _response(path: Path) -> bytes:
    raw = path.read_bytes()
    head = (
        "HTTP/1.1 200 OK\r\nServer: benchmark\r\nDate: Tue, 02 Jan 2024 03:04:05 GMT\r\n"
        f"Content-Type: {_TYPES[path.suffix]}\r\nContent-Length: {len(raw)}\r\n"
        "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: keep-alive\r\n\r\n"
    )
    return head.encode() + raw


_MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nno\n"


class _Answers(asyncio.Protocol):
    def __init__(self, pages: dict[str, bytes], latency_s: float) -> None:
        self._pages = pages
        self._latency_s = latency_s
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while b"\r\n\r\n" in self._pending:
            request, _, self._pending = self._pending.partition(b"\r\n\r\n")
            path = request.split(b" ", 2)[1].decode("latin-1")
            answer = self._pages.get(path, _MISSING)
            if self._latency_s:
                asyncio.get_running_loop().call_later(
                    self._latency_s, self._transport.write, answer
                )
            else:
                self._transport.write(answer)


def _work(port: int, pages: dict[str, bytes], latency_s: float) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(
            lambda: _Answers(pages, latency_s), list(HOSTS), port, reuse_port=True
        )
        await server.serve_forever()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
