"""Ask an ASGI application for a page inside this process, without a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from provenance.web.policy import App, Message


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
