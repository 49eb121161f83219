"""The stage that serves the pages over very many captures, to four readers at once."""

from __future__ import annotations

import http.client
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import PROGRAM, Bench
from library import COLLECTIONS, OFTEN, capture_of, make_index, name_of, url_of, version_of
from measure import environment

READERS = 4
_ROUNDS = 25
_START_LIMIT_S = 120

_LOADED = re.compile(r'<(?:link|script)\b[^>]* (?:href|src)="([^"]+\.(?:css|js)\b[^"]*)"')
"""Addresses of the stylesheets and scripts that a page loads."""

Path_of = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One page that was asked for: its kind, how long it took, and how large it was."""

    kind: str
    seconds: float
    size: int


def measure_pages(bench: Bench, captures: int, *, documents: int) -> None:
    """Build an index of so many captures, serve it, and time each kind of page."""
    visits = max(captures // documents, 1)
    for name in ("seeds", "archive", "metadata"):
        (bench.root / name).mkdir(parents=True, exist_ok=True)
    path = bench.root / "metadata" / "provenance.db"
    begun = time.perf_counter()
    summary = make_index(path, documents=documents, visits=visits)
    built_s = time.perf_counter() - begun
    command = [str(PROGRAM), "-C", str(bench.root), "serve", "--port", "0"]
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(own=True)
    ) as server:
        try:
            port = _port(server)
            start_s = time.perf_counter() - begun
            kinds = _kinds(documents, visits)
            answers = _read(port, kinds)
            beside = {kind: _beside(port, path(random.Random(0))) for kind, path in kinds.items()}
            peak_mib = _peak_mib(server.pid)
        finally:
            server.terminate()
    bench.reporter.facts(
        "pages",
        f"The pages over {summary.captures:,} captures of {documents:,} documents",
        index_mb=round(path.stat().st_size / 1e6),
        built_s=round(built_s, 1),
        start_s=round(start_s, 2),
        readers=READERS,
        peak_mib=peak_mib,
        rows_per_kind=_ROUNDS * READERS,
    )
    for kind in sorted({answer.kind for answer in answers}):
        times = sorted(1000 * each.seconds for each in answers if each.kind == kind)
        bench.reporter.facts(
            "pages",
            f"Page: {kind}",
            median_ms=round(statistics.median(times), 1),
            p95_ms=round(times[int(0.95 * (len(times) - 1))], 1),
            most_kb=round((size := max(x.size for x in answers if x.kind == kind)) / 1000, 1),
            first_visit_kb=round((size + beside[kind]) / 1000, 1),
        )


def _kinds(documents: int, visits: int) -> dict[str, Path_of]:
    def document(chance: random.Random) -> int:
        return chance.randrange(documents)

    return {
        "home": lambda _: "/",
        "collection": lambda chance: f"/collection/council-{chance.randrange(COLLECTIONS):02d}",
        "collection, page 9": lambda chance: (
            f"/collection/council-{chance.randrange(COLLECTIONS):02d}?page=9"
        ),
        "collection, one state": lambda chance: (
            f"/collection/council-{chance.randrange(COLLECTIONS):02d}?state=attention"
        ),
        f"document, {OFTEN} captures": lambda _: f"/document/{name_of(0)}",
        "document": lambda chance: f"/document/{name_of(document(chance))}",
        "document as JSON-LD": lambda chance: f"/document/{name_of(document(chance))}.jsonld",
        "capture": lambda chance: (
            f"/capture/{capture_of(document(chance), chance.randrange(visits))}"
        ),
        "two captures compared": lambda chance: _compared(document(chance), visits),
        "failures": lambda _: "/failures",
        "failures, one reason": lambda _: "/failures?why=failed:dns&page=9",
        "timemap": lambda chance: f"/timemap/link/{url_of(document(chance))}",
        "search, rare words": lambda chance: f"/search?q=w{chance.randrange(9_000, 20_000)}",
        "search, common word": lambda chance: "/search?q=" + chance.choice(("bridge", "ferry")),
        "search, two words": lambda chance: f"/search?q=bridge+w{chance.randrange(20, 400)}",
        "search, common, narrowed": lambda _: "/search?q=bridge&role=official",
        "search, open end": lambda chance: f"/search?q=w{chance.choice(('', '1', '12', '123'))}*",
        "search, open end, narrowed": lambda _: "/search?q=w1*&role=official",
        "search, common, newest": lambda _: "/search?q=bridge&order=newest",
        "feed": lambda _: "/feed.atom",
        "table": lambda _: "/provenance/capture",
        "table, one row": lambda chance: f"/provenance/capture/{capture_of(document(chance), 0)}",
    }


def _compared(number: int, visits: int) -> str:
    changed = capture_of(number, version_of(number, visits))
    return f"/diff/{capture_of(number, 0)}/{changed}"


def _read(port: int, kinds: dict[str, Path_of]) -> list[Answer]:
    """Let every reader ask for pages of all kinds in an order of its own."""
    answers: list[Answer] = []
    faults: list[str] = []

    def read(number: int) -> None:
        chance = random.Random(number)
        asked = [kind for kind in kinds for _ in range(_ROUNDS)]
        chance.shuffle(asked)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for kind in asked:
            path = kinds[kind](chance)
            begun = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            size = len(answer.read())
            if answer.status != 200:
                faults.append(f"{path}: {answer.status}")
            answers.append(Answer(kind=kind, seconds=time.perf_counter() - begun, size=size))
        connection.close()

    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise SystemExit(f"pages: {len(faults)} not answered with 200: {faults[:3]}")
    return answers


def _beside(port: int, path: str) -> int:
    """Return the bytes of what a first visit to a page loads beside it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def read(asked: str) -> bytes:
        connection.request("GET", asked)
        return connection.getresponse().read()

    size = sum(len(read(each)) for each in set(_LOADED.findall(read(path).decode())))
    connection.close()
    return size


def _port(server: subprocess.Popen[bytes]) -> int:
    assert server.stdout is not None
    watch = threading.Timer(_START_LIMIT_S, server.kill)
    watch.start()
    for line in server.stdout:
        if b"Serving at" in line:
            watch.cancel()
            return int(line.rstrip(b"/\n").rsplit(b":", 1)[1])
    raise SystemExit("pages: the server did not start")


def _peak_mib(pid: int) -> int | None:
    if sys.platform != "linux":
        return None
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return None
