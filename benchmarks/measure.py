"""Run programs side by side and note what they took: wall clock, processor, memory, bytes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STOPWATCH = Path(__file__).with_name("stopwatch.py")
LIMIT_S = 900
"""Seconds after which a single program is stopped and the benchmark fails."""

_NOT_INHERITED = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPROFILEIMPORTTIME")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A program to be timed; `before` makes things ready and `after` checks, neither is timed.

    `fine` lists the exit codes that count as done. `wrote` says how many bytes it left. `own` keeps
    PYTHONPATH, which a peer must not see.
    """

    name: str
    command: Callable[[], Sequence[str | Path]]
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None
    wrote: Callable[[], int] | None = None
    fine: tuple[int, ...] = (0,)
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run: seconds of wall clock and of processor, peak memory of all its processes."""

    wall_s: float
    cpu_s: float
    peak_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All runs of one contestant, and the bytes that the last one left."""

    name: str
    samples: tuple[Sample, ...]
    written: int | None = None

    @property
    def median_s(self) -> float:
        return statistics.median(sample.wall_s for sample in self.samples)

    def row(self, ours: Result) -> dict[str, object]:
        """Return the figures by name; a ratio above 1 says that ours is faster."""
        walls = [sample.wall_s for sample in self.samples]
        return {
            "program": self.name,
            "median_s": round(self.median_s, 4),
            "least_s": round(min(walls), 4),
            "most_s": round(max(walls), 4),
            "cpu_s": round(statistics.median(sample.cpu_s for sample in self.samples), 3),
            "peak_mib": round(max(sample.peak_mib for sample in self.samples)),
            "written": self.written,
            "ratio": round(self.median_s / ours.median_s, 2),
        }


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
        Result(name=one.name, samples=tuple(kept), written=one.wrote() if one.wrote else None)
        for one, kept in zip(contestants, samples, strict=True)
    )


def once(one: Contestant, log: Path, *, limit_s: int = LIMIT_S) -> Result:
    """Run a contestant a single time."""
    one.before()
    sample = timed(one, log, limit_s=limit_s)
    one.after()
    return Result(name=one.name, samples=(sample,), written=one.wrote() if one.wrote else None)


def timed(one: Contestant, log: Path, *, limit_s: int = LIMIT_S) -> Sample:
    """Run a contestant; its output is then in `log`, its errors beside it.

    Raises:
        SystemExit: it failed, or took longer than the limit.
    """
    command = [str(part) for part in one.command()]
    errors = log.with_suffix(".errors")
    watch = [sys.executable, "-I", "-S", str(STOPWATCH), str(log), str(errors), str(limit_s)]
    done = subprocess.run(
        [*watch, *command], capture_output=True, check=True, env=environment(own=one.own)
    )
    taken = json.loads(done.stdout)
    if taken["exit"] not in one.fine:
        tail = (log.read_bytes()[-1000:] + errors.read_bytes()[-1000:]).decode("utf-8", "replace")
        raise SystemExit(f"{one.name}: exit {taken['exit']}: {' '.join(command)[:300]}\n{tail}")
    return Sample(wall_s=taken["wall_s"], cpu_s=taken["cpu_s"], peak_mib=taken["peak_mib"])


def environment(*, own: bool) -> Mapping[str, str]:
    """Return the environment of a program: Python caches what it compiles, as it does for users."""
    barred = _NOT_INHERITED if own else (*_NOT_INHERITED, "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if name not in barred}
