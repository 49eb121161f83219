"""The stages that load our program: slow hosts, a huge body, many documents, a large archive."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import math
import random
import time
from collections.abc import Sequence

from bench import PROGRAM, Bench, expect, responses, size_of
from corpus import write_corpus
from large import DOCUMENTS, Wrote, addresses, spread, write_runs
from measure import Contestant, Result, once
from origin import HOSTS, MISSING, Play, html_response, playing, response
from speed import wget

LATENCY_HOSTS, LATENCY_S, LATENCY_SIGMA = 40, 0.25, 0.5
_BLOCK = 1 << 18
_WORDS = b"the council published the minutes of its meeting on the bridge and the ferry. "


def latency_of(path: str) -> float:
    """Return the seconds that the answer to a document takes: log-normal, the same every time."""
    return random.Random(path).lognormvariate(math.log(LATENCY_S), LATENCY_SIGMA)


def measure_latency(bench: Bench, documents: int) -> None:
    """Fetch from forty hosts that take their time; the ideal is the slowest host's own sum."""
    names = write_corpus(bench.corpus, scale=documents // 1250 + 1)[:documents]
    pages = {f"/{name}": response(bench.corpus / name) for name in names}

    async def play(path: str, writer: asyncio.StreamWriter) -> None:
        if path in pages:
            await asyncio.sleep(latency_of(path))
        writer.write(pages.get(path, MISSING))

    sums = [0.0] * LATENCY_HOSTS
    for number, name in enumerate(names):
        sums[number % LATENCY_HOSTS] += latency_of(f"/{name}")
    ideal = max(sums)
    with playing(play, processes=1) as port:
        addresses = [
            f"http://{HOSTS[number % LATENCY_HOSTS]}:{port}/{name}"
            for number, name in enumerate(names)
        ]
        ours = bench.fetch(
            before=lambda: bench.new_root(addresses),
            after=lambda: expect(responses(bench.warcs()), len(names), "provenance fetch"),
            wrote=lambda: size_of(bench.warcs()),
        )
        title = f"Fetch, {len(names)} documents, {LATENCY_HOSTS} hosts, slow to answer"
        (result,) = bench.race("latency", title, [ours])
        peer = once(wget(bench, addresses), bench.log)
    bench.reporter.race("latency", "The same, wget run once", [result, peer])
    bench.reporter.facts(
        "latency",
        "Against the ideal",
        latency="log-normal, median 250 ms, sigma 0.5, before each document; robots.txt at once",
        hosts_are="forty addresses 127.0.0.x, one port: a host is what stands in the URL",
        ideal_s=round(ideal, 3),
        all_in_a_row_s=round(sum(sums), 1),
        all_in_a_row_over_ideal=round(sum(sums) / ideal, 1),
        ours_s=round(result.median_s, 3),
        ideal_over_ours=round(ideal / result.median_s, 3),
        wget_over_ours=round(peer.median_s / result.median_s, 1),
    )


def blocks_of(size: int, *, compressible: bool) -> list[bytes]:
    """Return the one block that a body is made of, over and over, with its number before it."""
    if compressible:
        return [(_WORDS * (_BLOCK // len(_WORDS) + 1))[: _BLOCK - 8]]
    return [hashlib.shake_256(b"big").digest(_BLOCK - 8)] if size else []


def measure_big(bench: Bench, size: int, *, compressible: bool) -> None:
    """Fetch, verify, index and read a body of `size` bytes; note the peak memory of each."""
    (block,) = blocks_of(size, compressible=compressible)
    count = size // _BLOCK
    size = count * _BLOCK
    expected = hashlib.sha256()
    for number in range(count):
        expected.update(number.to_bytes(8, "big") + block)

    async def play(path: str, writer: asyncio.StreamWriter) -> None:
        if path != "/big":
            writer.write(MISSING)
            return
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: "
        writer.write(f"{head}{size}\r\n\r\n".encode())
        for number in range(count):
            writer.write(number.to_bytes(8, "big"))
            writer.write(block)
            await writer.drain()

    with playing(play, processes=1) as port:
        address = f"http://127.0.0.1:{port}/big"
        fetched = once(bench.fetch("--json", before=lambda: bench.new_root([address])), bench.log)
    outcome = next(each for each in bench.told() if each["type"] == "outcome")
    whole = outcome["size"] == size and outcome["truncated"] is None
    same = outcome["content_id"] == f"sha256:{expected.hexdigest()}"
    if not (whole and same and outcome["outcome"] == "captured"):
        raise SystemExit(f"big: not whole: {outcome}")
    place = [str(bench.root / "archive" / outcome["warc"]), str(outcome["offset"])]
    results = [
        fetched,
        once(bench.ours("provenance verify", "verify"), bench.log),
        once(bench.ours("provenance index --no-text", "index", "--no-text"), bench.log),
        once(_reading(place), bench.log),
    ]
    if bench.log.read_text().split() != [str(size), expected.hexdigest()]:
        raise SystemExit("big: what was read is not what was sent")
    title = f"One body of {size / (1 << 30):.2f} GiB, {_kind(compressible=compressible)}"
    for result in results:
        bench.reporter.race("big", f"{title}: {result.name}", [result])
    bench.reporter.facts(
        "big",
        title,
        whole="size, SHA-256 and outcome are as sent; nothing is truncated",
        written_mb=round(size_of(bench.warcs()) / 1e6, 1),
        peak_mib={each.name: round(each.samples[0].peak_mib) for each in results},
        within_250_mib=all(each.samples[0].peak_mib < 250 for each in results),
    )


def _kind(*, compressible: bool) -> str:
    return "compressible (prose, over and over)" if compressible else "incompressible"


def _reading(place: Sequence[str]) -> Contestant:
    code = (
        "import hashlib, sys\nfrom pathlib import Path\n"
        "from provenance.warc.contents import read_content\n"
        "size, digest = 0, hashlib.sha256()\n"
        "for piece in read_content(Path(sys.argv[1]), int(sys.argv[2])):\n"
        "    size += len(piece); digest.update(piece)\n"
        "print(size, digest.hexdigest())\n"
    )
    command = [str(PROGRAM.with_name("python")), "-c", code, *place]
    return Contestant(name="content read", command=lambda: command, own=True)


def measure_many(bench: Bench, most: int) -> None:
    """Fetch, verify and index a tenth of the documents and all: does memory grow with them?"""
    peaks: dict[str, list[int]] = {}
    with playing(_small_pages()) as port:
        for count in (most // 10, most):
            results = _go_through(bench, port, count)
            for result in results:
                peaks.setdefault(result.name, []).append(round(result.samples[0].peak_mib))
                title = f"{count} small documents: {result.name}"
                bench.reporter.race("many", title, [result])
    bench.reporter.facts(
        "many",
        "Peak memory, MiB",
        documents=[most // 10, most],
        peak_mib=peaks,
        grown={name: round(two / one, 2) for name, (one, two) in peaks.items()},
    )


def _small_pages() -> Play:
    async def play(path: str, writer: asyncio.StreamWriter) -> None:
        if path == "/robots.txt":
            writer.write(MISSING)
            return
        text = f"<!doctype html><title>{path}</title><p>Minutes of the meeting {path}.</p>"
        writer.write(html_response(text.encode()))

    return play


_SEEDS = 5_000
"""Documents of a seeds file, which is read whole: 1 KiB of memory for each."""


def _go_through(bench: Bench, port: int, count: int) -> list[Result]:
    addresses = [f"http://{HOSTS[n % len(HOSTS)]}:{port}/minutes-{n}" for n in range(count)]
    limit_s = 3600
    fetched = once(
        bench.fetch("--json", before=lambda: bench.new_root(addresses, each=_SEEDS)),
        bench.log,
        limit_s=limit_s,
    )
    outcomes = sum(each["type"] == "outcome" for each in bench.told())
    expect(outcomes, count, "provenance fetch")
    more = [
        once(bench.ours("provenance verify", "verify"), bench.log, limit_s=limit_s),
        once(
            bench.ours("provenance index --no-text", "index", "--no-text"),
            bench.log,
            limit_s=limit_s,
        ),
    ]
    return [fetched, *more]


def measure_one(bench: Bench, captures: int) -> None:
    """Verify single captures of a large archive, each in a process of its own."""
    bench.new_root(addresses())
    most = [min(DOCUMENTS, captures - at) for at in range(0, captures, DOCUMENTS)]
    half = -(-len(most) // 2)
    wrote: list[Wrote] = []
    checkpoints: list[Result] = []
    writing = 0.0
    for turns in (range(half), range(half, len(most))):
        begun = time.perf_counter()
        wrote += write_runs(bench.root, turns, [most[turn] for turn in turns])
        writing += time.perf_counter() - begun
        committing = bench.ours("provenance log checkpoint", "log", "checkpoint", "--json")
        checkpoints.append(once(committing, bench.log, limit_s=3600))
    (log,) = bench.told()
    indexing = bench.ours("provenance index --no-text", "index", "--no-text", "--json")
    indexed = once(indexing, bench.log, limit_s=3600)
    expect(sum(each["captures"] for each in bench.told()), captures, "provenance index")
    ids = itertools.cycle(spread(wrote, bench.runs + 1))

    def check() -> None:
        _, last = bench.told()
        rungs = last["rungs"]
        if (rungs["whole"], rungs["sealed"], last["findings"]) != (1, 1, 0):
            raise SystemExit(f"one: not whole and sealed: {last}")

    command = [str(PROGRAM), "-C", str(bench.root), "verify", "--json"]
    one = Contestant(
        name="provenance verify ID", command=lambda: [*command, next(ids)], after=check, own=True
    )
    (result,) = bench.race("one", f"Verify one of {captures} captures", [one])
    bench.reporter.facts(
        "one",
        f"The archive of {captures} captures",
        files=len(wrote),
        archive_mb=round(size_of(bench.warcs()) / 1e6),
        index_mb=round(size_of([bench.root / "metadata" / "provenance.db"]) / 1e6),
        log_leaves=log["size"],
        written_per_s=round(captures / writing),
        indexed_per_s=round(captures / indexed.median_s),
        logged_per_s=round(captures / sum(each.median_s for each in checkpoints)),
        peak_mib={
            "index --no-text": round(indexed.samples[0].peak_mib),
            "log checkpoint": round(max(each.samples[0].peak_mib for each in checkpoints)),
            "verify ID": round(max(each.peak_mib for each in result.samples)),
        },
        median_ms=round(1000 * result.median_s),
        within_300_ms=result.median_s < 0.3,
    )
