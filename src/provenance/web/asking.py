"""Ask an ASGI application for a page inside this process, without a network."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote

from provenance.web.policy import App, Message

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole response; the names of its header fields are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the values of a field, joined as one, or the empty string."""
        return ", ".join(value for field, value in self.headers if field == name)


async def ask(app: App, target: str, *, host: str) -> Answer:
    """Return what `app` answers to a GET of `target`, a path with its query, under the name `host`.

    Source: ASGI HTTP Connection Scope 2.4.
    """
    path, _, query = target.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", host.encode())],
        "client": None,
        "server": None,
    }
    begun: dict[str, Any] = {}
    body = bytearray()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            begun.update(message)
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, send)
    headers = tuple(
        (bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1"))
        for name, value in begun["headers"]
    )
    return Answer(status=begun["status"], headers=headers, body=bytes(body))


class LoopApart:
    """An event loop in a thread of its own, for callers that may have one in theirs; a context."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> LoopApart:
        self._thread.start()
        return self

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` gives, or raise what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def settle(self) -> None:
        """Cancel what is still under way, as after Ctrl-C while `run` waits, and see it end."""
        self.run(_settled())

    def __exit__(self, *_: object) -> None:
        self.run(self._loop.shutdown_asyncgens())
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _settled() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
