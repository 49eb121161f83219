"""Programs that serve, started as people start them, and a client of one request each."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

NAME = "archive.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """A response that was had over a connection of its own."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


def get(
    address: str,
    path: str,
    *,
    name: str = NAME,
    method: str = "GET",
    body: str | None = None,
    **fields: str,
) -> Got:
    """Return what a server at a loopback address says under a host name; follow nothing.

    `fields` are further header fields, their names with `_` for `-`.
    """
    more = {key.replace("_", "-"): value for key, value in fields.items()}
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    try:
        connection.request(method, path, body, headers={"Host": name, **more})
        answer = connection.getresponse()
        return Got(status=answer.status, headers=answer.headers, body=answer.read())
    finally:
        connection.close()


@contextlib.contextmanager
def telling(command: Sequence[str | Path], told: str, **more: object) -> Iterator[str]:
    """Run a server until the end of the block; give the address that it tells on stderr."""
    with subprocess.Popen(
        [os.fspath(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        **more,  # type: ignore[call-overload]
    ) as process:
        try:
            lines = []
            for line in process.stderr:
                lines.append(line)
                if found := re.search(rf"{told} (http://\S+)", line):
                    yield found[1]
                    break
            else:
                pytest.fail("".join(lines))
        finally:
            process.kill()
