"""Run programs side by side and time them: wall clock, processor time, peak memory."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

STOPWATCH = Path(__file__).with_name("stopwatch.py")
LIMIT_S = 900
"""Seconds after which a single program is stopped and the benchmark fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A program to be timed; `before` makes things ready and is not timed.

    `fine` lists the exit codes that count as done.
    """

    name: str
    command: Callable[[], Sequence[str]]
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None
    fine: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run: seconds of wall clock and of processor, and the peak of the largest process."""

    wall_s: float
    cpu_s: float
    peak_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All runs of one contestant."""

    name: str
    samples: tuple[Sample, ...]

    @property
    def median_s(self) -> float:
        return statistics.median(sample.wall_s for sample in self.samples)


def race(contestants: Sequence[Contestant], *, runs: int, log: Path) -> tuple[Result, ...]:
    """Run the contestants in turn, `runs` times over, after one run each that does not count."""
    samples: list[list[Sample]] = [[] for _ in contestants]
    for turn in range(runs + 1):
        for one, kept in zip(contestants, samples, strict=True):
            one.before()
            sample = timed(one, log)
            one.after()
            if turn:
                kept.append(sample)
    return tuple(
        Result(name=one.name, samples=tuple(kept))
        for one, kept in zip(contestants, samples, strict=True)
    )


def timed(one: Contestant, log: Path) -> Sample:
    """Run a contestant once.

    Raises:
        SystemExit: it failed, or took longer than the limit; its output is in `log`.
    """
    command = [str(part) for part in one.command()]
    watch = [sys.executable, "-I", "-S", str(STOPWATCH), str(log), str(LIMIT_S), *command]
    taken = json.loads(subprocess.run(watch, capture_output=True, check=True).stdout)
    if taken["exit"] not in one.fine:
        tail = log.read_bytes()[-2000:].decode("utf-8", "replace")
        raise SystemExit(f"{one.name}: exit {taken['exit']}: {' '.join(command)[:300]}\n{tail}")
    return Sample(wall_s=taken["wall_s"], cpu_s=taken["cpu_s"], peak_mib=taken["peak_mib"])


def table(title: str, ours: Result, peers: Sequence[Result]) -> str:
    """Return a Markdown table; a ratio above 1 says that ours is faster."""
    lines = [
        f"### {title}\n",
        "| program | median s | least | most | processor s | peak MiB | its time ÷ ours |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for each in (ours, *peers):
        walls = [sample.wall_s for sample in each.samples]
        cpu = statistics.median(sample.cpu_s for sample in each.samples)
        peak = max(sample.peak_mib for sample in each.samples)
        ratio = each.median_s / ours.median_s
        lines.append(
            f"| {each.name} | {each.median_s:.3f} | {min(walls):.3f} | {max(walls):.3f} "
            f"| {cpu:.2f} | {peak:.0f} | {ratio:.2f} |"
        )
    return "\n".join(lines) + "\n"
