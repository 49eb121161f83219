"""Drafts, writers and a reading of their files that shares no code with the project's own."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import socket
import subprocess
import sys
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from provenance.digest import digest_of
from provenance.runtime import Runtime
from provenance.warc.draft import (
    Draft,
    Visit,
    metadata_draft,
    request_draft,
    response_draft,
    run_draft,
    warcinfo_draft,
)
from provenance.warc.writer import ROLL_SIZE, Placed, WarcWriter

RUN = "5b0b8a3e-7c61-4d0e-9a57-0d8f7f0a1c11"
INSTANT = datetime(2026, 11, 23, 9, 45, 0, 123456, tzinfo=UTC)
DATE = "2026-11-23T09:45:00.123456Z"
STAMP = "20261123094500123"
_SPAN = 1 << 16


def nobody(host: str, port: int) -> tuple[()]:
    raise socket.gaierror(f"no address for {host}:{port}")


def still_runtime(now: Callable[[], datetime] = lambda: INSTANT) -> Runtime:
    """Return a runtime in which nothing moves by itself."""
    return Runtime(
        now=now,
        monotonic=lambda: 0.0,
        sleep=lambda _seconds: None,
        new_id=lambda: uuid.UUID(RUN),
        jitter=lambda: 0.5,
        environ={},
        resolve=nobody,
    )


@dataclass(frozen=True, slots=True)
class Root:
    """An archive root; `writer` makes writers into it."""

    path: Path

    @property
    def archive(self) -> Path:
        return self.path / "archive"

    @property
    def metadata(self) -> Path:
        return self.path / "metadata"

    @property
    def manifest(self) -> Path:
        return self.metadata / "manifest-sha256.txt"

    def writer(
        self,
        collection: str = "test",
        *,
        run: str = RUN,
        roll_size: int = ROLL_SIZE,
        runtime: Runtime | None = None,
        first_records: Callable[[str], tuple[Draft, ...]] | None = None,
    ) -> WarcWriter:
        return WarcWriter(
            archive=self.archive,
            metadata=self.metadata,
            collection=collection,
            runtime=runtime or still_runtime(),
            first_records=first_records or (lambda name: (info(name, collection, run),)),
            roll_size=roll_size,
        )

    def files(self) -> list[str]:
        return sorted(path.name for path in self.archive.iterdir())

    def listed(self) -> dict[str, str]:
        """Return the manifest: file name → hexadecimal digest."""
        lines = self.manifest.read_text().splitlines() if self.manifest.exists() else []
        return {line[66:].removeprefix("archive/"): line[:64] for line in lines}


def make_root(path: Path) -> Root:
    for name in ("archive", "metadata", "seeds"):
        (path / name).mkdir(parents=True, exist_ok=True)
    return Root(path)


def info(name: str, collection: str = "test", run: str = RUN) -> Draft:
    lines = [("run", run), ("collection", collection), ("command", "fetch"), ("started-at", DATE)]
    return warcinfo_draft(run, name, DATE, lines, "provenance/test")


def http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nX-A:nospace\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def visit_of(document: str, run: str = RUN) -> Visit:
    return Visit(
        run=run,
        stem=(document, 1, 0, "document"),
        date=DATE,
        target_uri=f"http://council.example/{document}",
        ip="192.0.2.7",
        protocols=("http/1.1",),
    )


def note_of(
    document: str, body: bytes, capture_id: str, collection: str = "test", run: str = RUN
) -> dict[str, object]:
    """Return what our metadata record says of a capture of `body`."""
    digest = digest_of(body)
    uri = visit_of(document, run).target_uri
    return {
        "profile": "provenance-capture-1",
        "kind": "document",
        "run": run,
        "collection": collection,
        "document": document,
        "url": uri,
        "target_uri": uri,
        "final_url": uri,
        "outcome": "captured",
        "reason": None,
        "status": 200,
        "captured_at": DATE,
        "capture_id": capture_id,
        "capture_record": visit_of(document, run).urn("response"),
        "media_type": None,
        "charset": None,
        "content_id": digest,
        "size": len(body),
        "payload_digest": digest,
        "payload_size": len(body),
        "undecoded": None,
        "truncated": None,
        "redirects": [],
        "flags": [],
        "obtained": {"how": "fetched"},
    }


def response_of(document: str, body: bytes, run: str = RUN) -> Draft:
    block = http(body)
    return response_draft(
        visit_of(document, run),
        io.BytesIO(block),
        block_size=len(block),
        block_digest=digest_of(block),
        payload_digest=digest_of(body),
        truncated=None,
    )


def write_capture(
    writer: WarcWriter,
    document: str,
    body: bytes = b"<p>The bridge opens.</p>",
    *,
    collection: str = "test",
    run: str = RUN,
) -> tuple[Placed, ...]:
    """Write request, response and metadata as one group; return their places."""
    visit = visit_of(document, run)
    with writer.group() as group:
        group.add(request_draft(visit, b"GET /%s HTTP/1.1\r\n\r\n" % document.encode()))
        capture_id = group.add(response_of(document, body, run))
        note = note_of(document, body, capture_id, collection, run)
        group.add(metadata_draft(visit, note, alone=False))
        group.flush()
        return group.placed()


def end_run(writer: WarcWriter, captured: int, *, run: str = RUN, collection: str = "test") -> None:
    note: dict[str, object] = {
        "profile": "provenance-run-1",
        "run": run,
        "collection": collection,
        "state": "complete",
        "ended_at": DATE,
        "outcomes": {"captured": captured},
    }
    with writer.group() as group:
        group.add(run_draft(run, writer.name, DATE, note))


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One gzip member as the standard library reads it, cut into a record's parts."""

    offset: int
    length: int
    plain: bytes

    @property
    def canonical(self) -> bytes:
        """Header, empty line and block: what a record's digest is of."""
        assert self.plain.endswith(b"\r\n\r\n")
        return self.plain[:-4]

    @property
    def header(self) -> dict[str, str]:
        head = self.plain.partition(b"\r\n\r\n")[0].decode()
        pairs = (line.partition(": ") for line in head.split("\r\n")[1:])
        return {name: value for name, _, value in pairs}

    @property
    def block(self) -> bytes:
        return self.canonical.partition(b"\r\n\r\n")[2]

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(self.canonical).hexdigest()


def members_of(raw: bytes) -> Iterator[Member]:
    """Yield the gzip members of a file; raise `zlib.error` where the bytes are none."""
    at = 0
    while at < len(raw):
        inflate = zlib.decompressobj(wbits=31)
        plain, fed = b"", at
        while not inflate.eof:
            if fed >= len(raw):
                raise zlib.error("the file ends inside a member")
            plain += inflate.decompress(raw[fed : fed + _SPAN])
            fed = min(fed + _SPAN, len(raw))
        length = fed - at - len(inflate.unused_data)
        yield Member(offset=at, length=length, plain=plain)
        at += length


def documents_in(root: Root) -> list[str]:
    """Return the documents of the metadata records in all sealed files."""
    found = []
    for path in sorted(root.archive.glob("*.warc.gz")):
        for member in members_of(path.read_bytes()):
            if member.header["WARC-Type"] == "metadata":
                found.append(str(json.loads(member.block).get("document", "")))
    return sorted(filter(None, found))


def sums_agree(root: Root) -> bool:
    """Say whether `sha256sum -c` finds every listed file as listed."""
    call = ["sha256sum", "--check", "--strict", "--quiet", "metadata/manifest-sha256.txt"]
    return subprocess.run(call, cwd=root.path, check=False, capture_output=True).returncode == 0


@contextmanager
def locked_for_writing(path: Path) -> Iterator[None]:
    """Hold the lock that a living writer holds."""
    with path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def calls_seen(note: Callable[[str, str], None]) -> Iterator[None]:
    """Tell `note` of each call into C: the calling function's name, the called one's."""

    def hook(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call":
            note(frame.f_code.co_name, getattr(called, "__name__", ""))

    sys.setprofile(hook)
    try:
        yield
    finally:
        sys.setprofile(None)
