"""Make a large archive without a network: real records, written by our own writer, in processes.

One collection of ten thousand documents is captured in as many runs as it takes. Every run has a
file of its own and finds new content each time; half of the runs are checkpointed before the rest
begins, as an archive grows.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid5

from provenance.dates import format_instant
from provenance.digest import digest_of
from provenance.holdings import CAPTURE_PROFILE, RUN_PROFILE
from provenance.log.folder import log_head
from provenance.runtime import system_runtime
from provenance.warc.draft import (
    Visit,
    metadata_draft,
    request_draft,
    response_draft,
    run_draft,
    warcinfo_draft,
)
from provenance.warc.writer import Group, WarcWriter

DOCUMENTS = 10_000
"""Documents of the collection, and captures of one run."""

COLLECTION = "bench-0"
_HOST = "minutes.example"
_FIRST = datetime(2023, 1, 2, 6, 0, tzinfo=UTC)
_SPACE = UUID("6f0d1a52-3b0f-4a57-9f1e-0c5f2f6f7a11")
_REQUEST = (
    "GET /page-{number} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: provenance/bench\r\n"
    "Accept: */*\r\nAccept-Encoding: identity\r\nConnection: keep-alive\r\n\r\n"
)
_HEAD = (
    "HTTP/1.1 200 OK\r\nDate: {date}\r\nServer: bench\r\nContent-Type: text/html; charset=utf-8\r\n"
    "Content-Length: {size}\r\n\r\n"
)
_BODY = (
    "<!doctype html><html lang=en><title>Minutes {number}</title><h1>Minutes {number}</h1>"
    "<p>As of {date} the council has met {turn} times on item {number}.</p></html>\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """What one run wrote: its file, and the ids of its first, middle and last capture."""

    name: str
    captures: int
    some: tuple[str, ...]


def addresses() -> list[str]:
    """Return the addresses of the collection."""
    return [f"http://{_HOST}/page-{number}" for number in range(DOCUMENTS)]


def write_runs(root: Path, turns: Sequence[int], captures: Sequence[int]) -> list[Wrote]:
    """Write the files of these runs, each with so many captures; as many at once as processors."""
    write = partial(_write_run, root, log_head(root / "metadata"))
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(write, turns, captures))


def _write_run(root: Path, head: str | None, turn: int, captures: int) -> Wrote:
    begun = _FIRST + timedelta(days=turn)
    run, started = str(uuid5(_SPACE, f"run {turn}")), format_instant(begun)
    seeds = digest_of((root / "seeds" / f"{COLLECTION}.toml").read_bytes())
    lines = [
        ("run", run),
        ("collection", COLLECTION),
        ("command", "fetch"),
        ("started-at", started),
        ("seeds-file", f"seeds/{COLLECTION}.toml"),
        ("seeds-sha256", seeds.removeprefix("sha256:")),
        *([("log-checkpoint", head)] if head else []),
    ]
    writer = WarcWriter(
        archive=root / "archive",
        metadata=root / "metadata",
        collection=COLLECTION,
        runtime=replace(system_runtime(), now=lambda: begun),
        first_records=lambda name: (warcinfo_draft(run, name, started, lines, "provenance/bench"),),
    )
    kept = {0, captures // 2, captures - 1}
    some = []
    for number in range(captures):
        date = format_instant(begun + timedelta(milliseconds=200 * number))
        with writer.group() as group:
            capture_id = _write_capture(group, run, turn, number, date)
        if number in kept:
            some.append(capture_id)
    ended = format_instant(begun + timedelta(milliseconds=200 * captures))
    note = {
        "profile": RUN_PROFILE,
        "run": run,
        "collection": COLLECTION,
        "state": "complete",
        "ended_at": ended,
        "outcomes": {"captured": captures},
    }
    with writer.group() as group:
        group.add(run_draft(run, COLLECTION, ended, note))
    writer.close()
    return Wrote(name=writer.sealed[0], captures=captures, some=tuple(some))


def _write_capture(group: Group, run: str, turn: int, number: int, date: str) -> str:
    url, document = f"http://{_HOST}/page-{number}", f"doc-{number}"
    visit = Visit(
        run=run,
        stem=(document, 1, 0, "document"),
        date=date,
        target_uri=url,
        ip="192.0.2.7",
        protocols=("http/1.1",),
    )
    body = _BODY.format(number=number, date=date, turn=turn).encode()
    block = _HEAD.format(date=date, size=len(body)).encode() + body
    content = digest_of(body)
    group.add(request_draft(visit, _REQUEST.format(number=number, host=_HOST).encode()))
    capture_id = group.add(
        response_draft(
            visit,
            io.BytesIO(block),
            block_size=len(block),
            block_digest=digest_of(block),
            payload_digest=content,
            truncated=None,
        )
    )
    note: dict[str, object] = {
        "profile": CAPTURE_PROFILE,
        "kind": "document",
        "run": run,
        "collection": COLLECTION,
        "document": document,
        "url": url,
        "final_url": url,
        "target_uri": url,
        "outcome": "captured",
        "reason": None,
        "status": 200,
        "captured_at": date,
        "capture_id": capture_id,
        "capture_record": visit.urn("response"),
        "content_id": content,
        "size": len(body),
        "payload_digest": content,
        "payload_size": len(body),
        "media_type": "text/html",
        "charset": "utf-8",
        "undecoded": None,
        "truncated": None,
        "flags": [],
        "redirects": [],
        "attempt": 1,
        "attempts": [],
        "peer": {"ip": "192.0.2.7", "port": 80},
        "timings_ms": {"connect": 0.4, "first_byte": 1.1, "resolve": 0.3, "total": 1.4},
        "obtained": {"how": "fetched"},
    }
    group.add(metadata_draft(visit, note, alone=False))
    return str(capture_id)


def spread(wrote: Iterable[Wrote], count: int) -> list[str]:
    """Return the ids of `count` captures, from all over the archive, the same every time."""
    ids = [each for one in wrote for each in one.some]
    return [ids[at * len(ids) // count % len(ids)] for at in range(count)]
