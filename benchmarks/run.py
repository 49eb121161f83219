#!/usr/bin/env python3
"""Measure our program, side by side with others where others do the same, and print the figures.

    .venv/bin/python benchmarks/run.py [STAGE …] [--json] [--runs N]

Nothing is asserted of the figures; they are for people. What a run did is checked, though: a
contestant that fetched or found less than all documents ends the benchmark.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import PROGRAM, Bench
from load import measure_big, measure_latency, measure_many, measure_one
from pages import measure_pages
from report import Reporter
from speed import measure_fetch, measure_index, measure_start, measure_verify
from wild import measure_misbehaving

import peers

RACES = ("fetch", "verify", "index", "start")
LOADS = ("latency", "big", "many", "misbehaving", "one", "pages")


def stages(bench: Bench, chosen: argparse.Namespace) -> dict[str, Callable[[], None]]:
    """Return what each stage does."""
    size, compressible = round(chosen.gib * (1 << 30)), not chosen.incompressible
    return {
        "fetch": lambda: measure_fetch(bench),
        "verify": lambda: measure_verify(bench, chosen.scale, chosen.text_scale or chosen.scale),
        "index": lambda: measure_index(bench, chosen.scale),
        "start": lambda: measure_start(bench),
        "latency": lambda: measure_latency(bench, chosen.documents),
        "big": lambda: measure_big(bench, size, compressible=compressible),
        "many": lambda: measure_many(bench, chosen.many),
        "misbehaving": lambda: measure_misbehaving(bench, chosen.misbehaving),
        "pages": lambda: measure_pages(
            bench, chosen.captures, documents=max(chosen.captures // 10, 1)
        ),
        "one": lambda: measure_one(bench, chosen.captures),
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "stages",
        nargs="*",
        choices=[*RACES, *LOADS, []],
        metavar="STAGE",
        help=f"{', '.join(RACES)} (all four where none is named),\n{', '.join(LOADS)}",
    )
    parser.add_argument("--json", action="store_true", help="JSON Lines instead of tables")
    parser.add_argument("--runs", type=int, default=5, help="runs of each program that count (5)")
    parser.add_argument(
        "--scale", type=int, default=1, help="verify, index: so many times the documents (1)"
    )
    parser.add_argument(
        "--text-scale", type=int, help="verify: the same for text alone (as --scale)"
    )
    parser.add_argument("--gib", type=float, default=4, help="big: size of the body (4)")
    parser.add_argument(
        "--incompressible", action="store_true", help="big: needs twice the size on disk"
    )
    parser.add_argument("--documents", type=int, default=400, help="latency: documents (400)")
    parser.add_argument("--many", type=int, default=100_000, help="many: documents (100000)")
    parser.add_argument("--misbehaving", type=int, default=10_000, help="documents (10000)")
    parser.add_argument(
        "--captures", type=int, default=1_000_000, help="one, pages: captures (1000000)"
    )
    parser.add_argument("--folder", type=Path, help="where to make the temporary folder")
    return parser.parse_args()


def main() -> None:
    """Make the bench, and run the stages that were asked for."""
    chosen = arguments()
    names = chosen.stages or RACES
    if {*names} & {*RACES}:
        peers.install()
    if "fetch" in names:
        peers.install_nginx()
    with tempfile.TemporaryDirectory(prefix="provenance-benchmark-", dir=chosen.folder) as folder:
        # A server that has given up its rights must be able to read the documents.
        Path(folder).chmod(0o755)
        bench = Bench(Path(folder), chosen.runs, Reporter(as_json=chosen.json))
        bench.reporter.circumstances(
            system=f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
            load=", ".join(f"{each:.1f}" for each in os.getloadavg()),
            python=platform.python_version(),
            ours=peers.first_line([PROGRAM, "--version"]),
            peers=f"{peers.first_line(['wget', '--version'])}, {peers.versions()}",
            runs=chosen.runs,
        )
        does = stages(bench, chosen)
        for name in names:
            does[name]()


if __name__ == "__main__":
    main()
