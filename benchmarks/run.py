#!/usr/bin/env python3
"""Measure fetch, verify, index and start-up side by side with other programs, and print ratios.

    .venv/bin/python benchmarks/run.py [--runs N] [--only PART …] [--latency]

Nothing is asserted; figures are for people. What a run did is checked, though: a contestant that
fetched or found less than all documents ends the benchmark.
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from corpus import write_corpus
from measure import Contestant, Result, race, table
from origin import served

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
PROGRAM = Path(sys.executable).with_name("provenance")
PARTS = ("fetch", "verify", "index", "start")
LATENCY_S, LATENCY_HOSTS, LATENCY_DOCUMENTS = 0.25, 40, 400


class Stage:
    """The folder everything happens in, and what the contestants share."""

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder = folder
        self.runs = runs
        self.log = folder / "output.log"
        self.root = folder / "root"
        self.wget = folder / "wget"

    def race(self, title: str, contestants: Sequence[Contestant]) -> tuple[Result, ...]:
        """Race the contestants, ours first, and print the table."""
        ours, *peers = results = race(contestants, runs=self.runs, log=self.log)
        print(table(title, ours, peers), flush=True)
        return results

    def new_root(self, addresses: Sequence[str]) -> None:
        """Make an archive root that asks for these addresses."""
        shutil.rmtree(self.root, ignore_errors=True)
        for name in ("seeds", "archive", "metadata"):
            (self.root / name).mkdir(parents=True)
        (self.root / "seeds" / "bench.toml").write_text(_seeds(addresses))

    def fetch_command(self, *more: str) -> list[str]:
        """Return our fetch of the whole root."""
        fixed = ["fetch", "--allow-private", "--delay", "0", "--retries", "0", *more]
        return [str(PROGRAM), "-C", str(self.root), *fixed]

    def warcs(self) -> list[str]:
        """Return the sealed files of our root."""
        return sorted(map(str, (self.root / "archive").glob("*.warc.gz")))


def _seeds(addresses: Iterable[str]) -> str:
    head = '[collection]\nid = "bench"\ntitle = "Benchmark"\nabout = "Documents on loopback."\n'
    entry = (
        '\n[[document]]\nid = "doc-{number}"\ntitle = "Document {number}"\nrole = "independent"\n'
        'publisher = "Benchmark"\npublisher_kind = "private"\nurl = "{address}"\n'
    )
    return head + "".join(
        entry.format(number=number, address=address) for number, address in enumerate(addresses)
    )


def responses(warcs: Iterable[str | Path]) -> int:
    """Count the response records of status 200 in WARC files, member by member."""
    return sum(map(_responses_of, warcs))


def _responses_of(path: str | Path) -> int:
    found = 0
    with gzip.open(path) as plain:
        # Line by line and length by length: a search over the whole would take minutes.
        while line := plain.readline():
            if not line.startswith(b"WARC/1"):
                continue
            fields = dict(iter(lambda: plain.readline().strip().lower().split(b": ", 1), [b""]))
            block = plain.read(int(fields[b"content-length"]))
            found += fields[b"warc-type"] == b"response" and block.startswith(b"HTTP/1.1 200")
    return found


def expect(count: int, documents: int, who: str) -> None:
    """End the benchmark where a contestant did less than all of the work."""
    if count != documents:
        raise SystemExit(f"{who}: expected {documents} documents, found {count}")


def measure_fetch(stage: Stage, addresses: Sequence[str], title: str) -> None:
    """Fetch every address, and compare with wget writing a WARC file."""
    listing = stage.folder / "addresses.txt"
    listing.write_text("".join(f"{address}\n" for address in addresses))

    def fresh() -> None:
        shutil.rmtree(stage.wget, ignore_errors=True)
        stage.wget.mkdir()

    def wget(*more: str) -> list[str]:
        fixed = ["wget", "--quiet", "--no-proxy", "--tries=1", f"--input-file={listing}", *more]
        return [*fixed, f"--warc-file={stage.wget}/peer", f"--directory-prefix={stage.wget}/files"]

    count = len(addresses)
    stage.race(
        title,
        [
            Contestant(
                name="provenance fetch",
                command=stage.fetch_command,
                before=partial(stage.new_root, addresses),
                after=lambda: expect(responses(stage.warcs()), count, "provenance fetch"),
            ),
            Contestant(
                name="wget --warc-file",
                command=wget,
                before=fresh,
                after=lambda: expect(responses(stage.wget.glob("*.warc.gz")), count, "wget"),
            ),
        ],
    )


def fill(stage: Stage, addresses: Sequence[str]) -> None:
    """Fetch every address once, untimed, so that there is an archive to work on."""
    stage.new_root(addresses)
    done = subprocess.run(stage.fetch_command(), capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.decode("utf-8", "replace")[-2000:])
    expect(responses(stage.warcs()), len(addresses), "provenance fetch")


def measure_verify(stage: Stage, title: str) -> None:
    """Verify the root, and compare with the checks of warcio and FastWARC on its files."""
    stage.race(
        title,
        [
            Contestant(
                name="provenance verify",
                command=lambda: [str(PROGRAM), "-C", str(stage.root), "verify"],
            ),
            Contestant(
                name="warcio check",
                command=lambda: [str(PEERS / "bin/warcio"), "check", *stage.warcs()],
            ),
            Contestant(
                name="fastwarc check -p",
                command=lambda: [str(PEERS / "bin/fastwarc"), "check", "-p", *stage.warcs()],
            ),
        ],
    )


def measure_index(stage: Stage, count: int) -> None:
    """Build the index without and with text, and compare with cdxj-indexer."""
    cdxj = stage.folder / "index.cdxj"

    def fresh() -> None:
        # Every file that can be made again, so that nothing is remembered from the last turn.
        for path in (stage.root / "metadata").iterdir():
            if path.is_file() and not path.name.startswith("manifest"):
                path.unlink()

    def peer() -> list[str]:
        return [str(PEERS / "bin/cdxj-indexer"), "-o", str(cdxj), *stage.warcs()]

    def lines() -> int:
        return sum(b'"status": "200"' in line for line in cdxj.read_bytes().splitlines())

    help_text = subprocess.run([PROGRAM, "index", "--help"], capture_output=True, check=False)
    without = [name for name in (b"--no-text", b"--without-text") if name in help_text.stdout]
    index = [str(PROGRAM), "-C", str(stage.root), "index"]
    forms = [("with text", index)]
    if without:
        forms.insert(0, ("without text", [*index, without[0].decode()]))
    for words, command in forms:
        stage.race(
            f"Index, {words}",
            [
                Contestant(
                    name=f"provenance index, {words}",
                    command=partial(list, command),
                    before=fresh,
                ),
                Contestant(
                    name="cdxj-indexer",
                    command=peer,
                    after=lambda: expect(lines(), count, "cdxj-indexer"),
                ),
            ],
        )


def measure_start(stage: Stage) -> None:
    """Time `--help`, and compare with Python that does nothing."""
    several = Stage(stage.folder, max(stage.runs, 15))
    several.race(
        "Start",
        [
            Contestant(name="provenance --help", command=lambda: [str(PROGRAM), "--help"]),
            Contestant(name="python -c pass", command=lambda: [sys.executable, "-c", "pass"]),
        ],
    )


def peers_pip(*arguments: str) -> list[str]:
    """Return a command of this environment's pip that works on the peers' environment."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    return [*pip, "--python", str(PEERS / "bin/python"), *arguments]


def install_peers() -> None:
    """Install the peers from their lock into an environment of their own."""
    done = PEERS / ".installed"
    lock = HERE / "peers.txt"
    if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    print("installing the peers …", file=sys.stderr)
    shutil.rmtree(PEERS, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", PEERS], check=True)
    install = ["install", "--quiet", "--require-hashes", "--no-deps", "-r", str(lock)]
    subprocess.run(peers_pip(*install), check=True)
    done.touch()


def version(command: Sequence[str | Path]) -> str:
    """Return the first line that a program says of itself."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[0]


def print_circumstances(server: str, documents: int, size: int) -> None:
    """Print what the figures depend on."""
    freeze = subprocess.run(peers_pip("freeze"), capture_output=True, text=True, check=False)
    listed = freeze.stdout.split()
    peers = [line for line in listed if line.startswith(("warcio", "cdxj", "FastWARC", "fastwarc"))]
    print(
        f"- {platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
        f"Python {platform.python_version()}\n"
        f"- {version([PROGRAM, '--version'])}; {version(['wget', '--version'])}; "
        f"{', '.join(peers)}\n"
        f"- {documents} documents of {size / 1e6:.0f} MB, served by {server} on loopback\n"
    )


def latency_addresses(names: Sequence[str], port: int) -> list[str]:
    """Return addresses on forty loopback hosts, ten documents each."""
    return [
        f"http://127.0.0.{1 + number % LATENCY_HOSTS}:{port}/{name}"
        for number, name in enumerate(names[:LATENCY_DOCUMENTS])
    ]


def measure_latency(stage: Stage, corpus: Path, names: Sequence[str]) -> None:
    """Fetch from forty hosts that each take a quarter of a second to answer."""
    state = stage.folder / "state"
    with served(corpus, state, latency_s=LATENCY_S) as (_, port):
        addresses = latency_addresses(names, port)
        several = Stage(stage.folder, 1)
        ideal = (1 + LATENCY_DOCUMENTS / LATENCY_HOSTS) * LATENCY_S
        measure_fetch(
            several,
            addresses,
            f"Fetch, {LATENCY_DOCUMENTS} documents, {LATENCY_HOSTS} hosts, 250 ms to each answer "
            f"(ideal, robots.txt included: {ideal:.2f} s)",
        )


def run(stage: Stage, parts: Sequence[str], *, latency: bool) -> None:
    """Measure the parts that were asked for."""
    corpus = stage.folder / "corpus"
    names = write_corpus(corpus)
    state = stage.folder / "state"
    state.mkdir()
    size = sum(path.stat().st_size for path in corpus.iterdir())
    with served(corpus, state) as (server, port):
        one = [f"http://127.0.0.1:{port}/{name}" for name in names]
        eight = [f"http://127.0.0.{1 + n % 8}:{port}/{name}" for n, name in enumerate(names)]
        print_circumstances(server, len(names), size)
        if "fetch" in parts:
            measure_fetch(stage, one, f"Fetch, {len(one)} documents, one host")
            measure_fetch(stage, eight, f"Fetch, {len(eight)} documents, eight hosts")
        if "verify" in parts:
            fill(stage, [address for address in one if address.endswith(".html")])
            measure_verify(stage, "Verify, text only")
        if "verify" in parts or "index" in parts:
            fill(stage, one)
    later: dict[str, Callable[[], None]] = {
        "verify": partial(measure_verify, stage, "Verify, HTML, JPEG and PDF"),
        "index": partial(measure_index, stage, len(names)),
        "start": partial(measure_start, stage),
    }
    for part in parts:
        if part in later:
            later[part]()
    if latency:
        measure_latency(stage, corpus, names)


def main() -> None:
    """Read the command line, make the stage, and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="runs of each program that count")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--latency", action="store_true", help="the slow servers too (minutes)")
    chosen = parser.parse_args()
    install_peers()
    with tempfile.TemporaryDirectory(prefix="provenance-benchmark-") as folder:
        # A server that has given up its rights must be able to read the documents.
        Path(folder).chmod(0o755)
        run(Stage(Path(folder), chosen.runs), chosen.only, latency=chosen.latency)


if __name__ == "__main__":
    main()
