"""A real Chromium to read the pages with, and a trap for what should not leave them."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn, TypeVar

import pytest

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDTHS = {"phone": 390, "tablet": 820, "desk": 1280}


class Trap(ThreadingHTTPServer):
    """A server that nobody should ask; it counts who connects, and for which paths they ask."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Trapping)
        self.connections = 0
        self.paths: set[str] = set()

    def get_request(self) -> tuple[Any, Any]:
        self.connections += 1
        return super().get_request()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Trapping(BaseHTTPRequestHandler):
    server: Trap

    def parse_request(self) -> bool:
        parsed = super().parse_request()
        if parsed:
            self.server.paths.add(self.path.lstrip("/").partition("?")[0])
        return parsed

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Plain(ThreadingHTTPServer):
    """A server without any policy, which answers `/NAME` with the file of that name."""

    def __init__(self, files: Mapping[str, tuple[str, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), _Plainly)
        self.files = files

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Plainly(BaseHTTPRequestHandler):
    server: Plain

    def do_GET(self) -> None:
        media_type, content = self.server.files.get(self.path[1:], ("text/plain", b""))
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


Server = TypeVar("Server", bound=ThreadingHTTPServer)


@contextlib.contextmanager
def listening(made: Server) -> Iterator[Server]:
    """Let a server answer, in a thread of its own."""
    with made as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()


def lacking(reason: str) -> NoReturn:
    """Skip the test, or let it fail where `PROVENANCE_BROWSER=required` says so, as in CI."""
    if os.environ.get("PROVENANCE_BROWSER") == "required":
        pytest.fail(f"{reason}, and PROVENANCE_BROWSER=required", pytrace=False)
    pytest.skip(f"{reason}; the tests that read the pages in a browser need it")


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium; without one, do what `lacking` says."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        lacking("the package playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        lacking("there is no Chromium on this machine")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Reader:
    """A tab that remembers what the browser complained of."""

    def __init__(
        self, browser: Any, *, width: int = 1280, theme: str = "light", **more: Any
    ) -> None:
        height = 844 if width < 500 else 900
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, **more
        )
        self.tab = self.context.new_page()
        self.complaints: list[str] = []
        self.answered: list[str] = []
        self.dialogs: list[str] = []
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("response", lambda response: self.answered.append(response.url))
        self.tab.on("dialog", self._dismiss)

    def open(self, address: str, *, settled: bool = True) -> Any:
        """Go to an address, wait until it has loaded (or all is quiet), and give the tab."""
        self.tab.goto(address)
        if settled:
            self.tab.wait_for_load_state("networkidle")
        return self.tab

    def close(self) -> None:
        """Close the tab with its cookies and cache."""
        self.context.close()

    def _dismiss(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()
