"""The stages that race our program against others: fetch, verify, index, start."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench import PROGRAM, Bench, expect, responses, size_of
from corpus import write_corpus
from measure import Contestant
from origin import served

from peers import HERE, program


def measure_fetch(bench: Bench) -> None:
    """Fetch the corpus from one host and from eight; wget and warcio's recipe take no hosts."""
    names = write_corpus(bench.corpus)
    with served(bench.corpus, bench.state) as (server, port):
        one = [f"http://127.0.0.1:{port}/{name}" for name in names]
        bench.reporter.circumstances(**_corpus_facts(bench, len(names)), server=server)
        race_fetch(bench, one, f"Fetch, {len(one)} documents, one host", recipe=True)
        eight = [f"http://127.0.0.{1 + n % 8}:{port}/{name}" for n, name in enumerate(names)]
        race_fetch(bench, eight, f"Fetch, {len(one)} documents, eight hosts", recipe=False)


def race_fetch(bench: Bench, addresses: Sequence[str], title: str, *, recipe: bool) -> None:
    """Fetch every address, and compare with what other programs make of the list."""
    contestants = [
        bench.fetch(
            before=lambda: bench.new_root(addresses),
            after=lambda: expect(responses(bench.warcs()), len(addresses), "provenance fetch"),
            wrote=lambda: size_of(bench.warcs()),
        ),
        wget(bench, addresses),
    ]
    if recipe:
        contestants.append(capture_http(bench, addresses))
    bench.race("fetch", title, contestants)


def wget(bench: Bench, addresses: Sequence[str]) -> Contestant:
    """Return wget fetching the addresses, one after the other."""
    folder, listing = bench.folder / "wget", _listing(bench, addresses)
    fixed = ["wget", "--quiet", "--no-proxy", "--tries=1", f"--input-file={listing}"]
    return Contestant(
        name="wget --warc-file",
        command=lambda: [
            *fixed,
            f"--warc-file={folder}/peer",
            f"--directory-prefix={folder}/files",
        ],
        before=lambda: _fresh(folder),
        after=lambda: expect(responses(folder.glob("*.warc.gz")), len(addresses), "wget"),
        wrote=lambda: size_of(folder.glob("*.warc.gz")),
    )


def capture_http(bench: Bench, addresses: Sequence[str]) -> Contestant:
    """Return warcio's own recipe: requests, its connections recorded."""
    folder, listing = bench.folder / "recipe", _listing(bench, addresses)
    output = folder / "peer.warc.gz"
    return Contestant(
        name="warcio capture_http",
        command=lambda: [program("python"), HERE / "capture.py", output, listing],
        before=lambda: _fresh(folder),
        after=lambda: expect(responses([output]), len(addresses), "warcio capture_http"),
        wrote=lambda: size_of([output]),
    )


def _listing(bench: Bench, addresses: Sequence[str]) -> Path:
    listing = bench.folder / "addresses.txt"
    listing.write_text("".join(f"{address}\n" for address in addresses))
    return listing


def _fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def _corpus_facts(bench: Bench, documents: int) -> dict[str, object]:
    return {"documents": documents, "corpus_mb": round(size_of(bench.corpus.iterdir()) / 1e6, 1)}


def _filled(bench: Bench, names: Sequence[str]) -> None:
    """Fetch these files of the corpus into the root."""
    with served(bench.corpus, bench.state) as (_, port):
        bench.fill([f"http://127.0.0.{1 + n % 8}:{port}/{name}" for n, name in enumerate(names)])


def measure_verify(bench: Bench, scale: int, text_scale: int) -> None:
    """Verify what was fetched: text alone, then HTML, JPEG and PDF."""
    texts = [name for name in write_corpus(bench.corpus, text_scale) if name.endswith(".html")]
    names = write_corpus(bench.corpus, scale)
    for words, chosen in (("text alone", texts), ("HTML, JPEG and PDF", names)):
        _filled(bench, chosen)
        size, whole = size_of(bench.warcs()) / 1e6, _as_one(bench)
        bench.race(
            "verify",
            f"Verify, {words}: {3 * len(chosen)} records, {size:.0f} MB",
            [
                bench.ours("provenance verify", "verify"),
                Contestant(
                    name="warcio check",
                    command=lambda: [program("warcio"), "check", *bench.warcs()],
                ),
                Contestant(
                    name="fastwarc check -p",
                    command=partial(_fastwarc, whole),
                ),
                Contestant(
                    name="inflating and hashing alone",
                    command=lambda: [sys.executable, HERE / "floor.py", *bench.warcs()],
                    own=True,
                ),
            ],
        )


def _fastwarc(whole: Path) -> list[str | Path]:
    return [program("fastwarc"), "check", "-p", whole]


def _as_one(bench: Bench) -> Path:
    """Return the records of every file in one: `fastwarc check` takes one file alone."""
    files = bench.warcs()
    if len(files) == 1:
        return files[0]
    whole = bench.folder / "whole.warc.gz"
    with whole.open("wb") as out:
        for file in files:
            with file.open("rb") as records:
                shutil.copyfileobj(records, out)
    return whole


def measure_index(bench: Bench, scale: int) -> None:
    """Build the index without and with text, and compare with cdxj-indexer."""
    names = write_corpus(bench.corpus, scale)
    _filled(bench, names)
    cdxj = bench.folder / "index.cdxj"

    def lines() -> int:
        return sum(b'"status": "200"' in line for line in cdxj.read_bytes().splitlines())

    peer = Contestant(
        name="cdxj-indexer",
        command=lambda: [program("cdxj-indexer"), "-o", cdxj, *bench.warcs()],
        after=lambda: expect(lines(), len(names), "cdxj-indexer"),
        wrote=lambda: size_of([cdxj]),
    )
    for words, more in (("without text", ("--no-text",)), ("with text", ())):
        ours = bench.ours(
            f"provenance index, {words}",
            "index",
            *more,
            before=bench.forget,
            wrote=lambda: size_of([bench.root / "metadata" / "provenance.db"]),
        )
        bench.race("index", f"Index, {words}: {len(names)} documents", [ours, peer])


def measure_start(bench: Bench) -> None:
    """Time `--help`, and compare with Python that does nothing."""
    contestants = [
        Contestant(name="provenance --help", command=lambda: [PROGRAM, "--help"], own=True),
        Contestant(name="python -c pass", command=lambda: [sys.executable, "-c", "pass"], own=True),
    ]
    bench.race("start", "Start", contestants, runs=max(bench.runs, 15))
