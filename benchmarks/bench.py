"""The folder in which everything happens, the archive root in it, and what stages share."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from measure import Contestant, Result, environment, race
from report import Reporter

_COLLECTION = 20_000
"""The most documents of a collection, and so of a WARC file: some peers take one file alone."""
PROGRAM = Path(sys.executable).with_name("provenance")


class Bench:
    """One benchmark: its folder, how often each program runs, and where its figures go."""

    def __init__(self, folder: Path, runs: int, reporter: Reporter) -> None:
        self.folder = folder
        self.runs = runs
        self.reporter = reporter
        self.log = folder / "output.log"
        self.root = folder / "root"
        self.corpus = folder / "corpus"
        self.state = folder / "state"
        self.state.mkdir(exist_ok=True)

    def race(
        self, stage: str, title: str, contestants: Sequence[Contestant], *, runs: int | None = None
    ) -> tuple[Result, ...]:
        """Race the contestants, ours first, and print the table."""
        results = race(contestants, runs=runs or self.runs, log=self.log)
        self.reporter.race(stage, title, results)
        return results

    def new_root(self, addresses: Sequence[str], *, each: int = _COLLECTION) -> None:
        """Make an archive root that asks for these addresses, documents doc-0, doc-1, …

        A seeds file has up to `each` of them.
        """
        shutil.rmtree(self.root, ignore_errors=True)
        for name in ("seeds", "archive", "metadata"):
            (self.root / name).mkdir(parents=True)
        # A seeds file has a bound, so that very many documents are several collections.
        for start in range(0, len(addresses), each):
            name = f"bench-{start // each}"
            text = _seeds(name, start, addresses[start : start + each])
            (self.root / "seeds" / f"{name}.toml").write_text(text)

    def ours(self, name: str, *arguments: str, **more: Any) -> Contestant:
        """Return our program at work on the root."""
        command = [str(PROGRAM), "-C", str(self.root), *arguments]
        return Contestant(name=name, command=lambda: command, own=True, **more)

    def fetch(self, *more: str, **options: Any) -> Contestant:
        """Return our fetch of the whole root."""
        fixed = ("fetch", "--allow-private", "--delay", "0", "--retries", "0", *more)
        return self.ours("provenance fetch", *fixed, **options)

    def fill(self, addresses: Sequence[str]) -> None:
        """Fetch every address once, untimed, so that there is an archive to work on."""
        self.new_root(addresses)
        command = self.fetch().command()
        done = subprocess.run(command, capture_output=True, check=False, env=environment(own=True))
        if done.returncode:
            raise SystemExit(done.stderr.decode("utf-8", "replace")[-2000:])
        expect(responses(self.warcs()), len(addresses), "provenance fetch")

    def warcs(self) -> list[Path]:
        """Return the sealed files of our root."""
        return sorted((self.root / "archive").glob("*.warc.gz"))

    def forget(self) -> None:
        """Remove every file of the root that can be made again."""
        for path in (self.root / "metadata").iterdir():
            if path.is_file() and not path.name.startswith("manifest"):
                path.unlink()

    def told(self) -> Iterator[Mapping[str, Any]]:
        """Yield the JSON objects that the program which ran last has printed."""
        with self.log.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def size_of(paths: Iterable[Path]) -> int:
    """Return the bytes that files have together."""
    return sum(path.stat().st_size for path in paths)


def expect(count: int, documents: int, who: str) -> None:
    """End the benchmark where a contestant did less than all of the work."""
    if count != documents:
        raise SystemExit(f"{who}: expected {documents} documents, found {count}")


def responses(warcs: Iterable[Path]) -> int:
    """Count the response records of status 200 in WARC files, member by member."""
    return sum(map(_responses_of, warcs))


def _responses_of(path: Path) -> int:
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


def _seeds(name: str, start: int, addresses: Iterable[str]) -> str:
    head = f'[collection]\nid = "{name}"\ntitle = "Benchmark"\nabout = "Documents on loopback."\n'
    entry = (
        '\n[[document]]\nid = "doc-{number}"\ntitle = "Document {number}"\nrole = "independent"\n'
        'publisher = "Benchmark"\npublisher_kind = "private"\nurl = "{address}"\n'
    )
    return head + "".join(
        entry.format(number=number, address=address)
        for number, address in enumerate(addresses, start)
    )
