"""Feed changed files to every reader of ours, and keep what makes one fail.

    python -m tests.fuzz_program --minutes 60 --out DIR [--corpus DIR] [--seed N] [READER]…

A failure is an error that is none of ours, more than 20 seconds of a processor for one input, more
than 500 MiB on top of what the process had, or the end of the process. Its input lies in
DIR/crashes, named for the reader and the fault, with the traceback beside it. An input that makes a
reader say something new is changed further, and so is one that reaches new lines, which is looked
at in each eighth input. With --count every reader gets as many inputs.

Linux alone: the highest memory of one input is read from /proc.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import json
import multiprocessing
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import provenance
from tests.fuzz_mutations import Mutator, words_of
from tests.fuzz_readers import READERS, Reader, words
from tests.fuzz_seeds import others_seeds, own_seeds

SLOW_S = 20
LARGE_BYTES = 500 << 20
_ADDRESS_SPACE = 8 << 30
_WORTH_A_LOOK_S = 1
"""The slowest input of a reader is kept where it takes more than this."""

_HOPELESS_S = 600
_AT_ONCE = 50
"""Inputs for which the watch is set and the memory forgotten once."""

_KEPT = 4000
"""Inputs that are kept for what was said of them."""

_TRACED = 8
"""One of so many inputs is read line by line, which takes some ten times as long."""
_SOURCE = Path(provenance.__file__).parent


class TooSlowError(Exception):
    """An input took longer than any may."""


class TooLargeError(Exception):
    """An input took more memory than any may."""


@dataclass(slots=True)
class Tally:
    """What became of the inputs of one reader."""

    inputs: int = 0
    kept: int = 0
    seconds: float = 0
    slowest_s: float = 0
    largest_bytes: int = 0
    lines: int = 0
    reached: int = 0
    crashes: list[str] = field(default_factory=list)


def _forget_peak() -> None:
    """Let `_peak` begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Return the largest resident size since it was forgotten, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _late(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlowError


@contextlib.contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    signal.signal(signal.SIGPROF, _late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


class Fuzzer:
    """The loop for one reader."""

    def __init__(
        self, name: str, reader: Reader, seeds: list[bytes], out: Path, *, seed: int
    ) -> None:
        self.name, self.reader, self.out = name, reader, out
        self.tally = Tally()
        self._rng = random.Random(f"{seed} {name}")
        self._corpus = list(dict.fromkeys(seeds)) or [b""]
        self._mutator = Mutator(self._rng, words_of(self._corpus))
        self._said: set[tuple[str, ...]] = set()
        self._faults: set[str] = set()
        self._reached: set[tuple[str, int]] = set()
        self._floor = 0
        self._folder = out / "work" / name
        self._folder.mkdir(parents=True, exist_ok=True)
        (out / "crashes").mkdir(exist_ok=True)

    def run(self, *, count: int | None, seconds: float) -> Tally:
        """Read the seeds, then changed inputs, until there were `count` or time is over."""
        since = time.monotonic()
        for raw in list(self._corpus):
            self._take(raw)
        while time.monotonic() - since < seconds and (count is None or self.tally.inputs < count):
            first = self._rng.choice(self._corpus)
            self._take(self._mutator.changed(first, self._rng.choice(self._corpus)), new=True)
        self.tally.seconds = time.monotonic() - since
        faulthandler.cancel_dump_traceback_later()
        paths = [path for room in self.reader.rooms for path in _files(room)]
        lines = {(str(path), line) for path in paths for line in _lines(path)}
        self.tally.lines, self.tally.reached = len(lines), len(lines & self._reached)
        return self.tally

    def _take(self, raw: bytes, *, new: bool = False) -> None:
        (self._folder / "current").write_bytes(raw)
        if self.tally.inputs % _AT_ONCE == 0:  # what costs more than many an input
            faulthandler.dump_traceback_later(_HOPELESS_S, exit=True)
            _forget_peak()
            self._floor = _peak()
        self.tally.inputs += 1
        try:
            said = self._measured(raw)
            more = not new or self._rng.randrange(_TRACED) == 0
            more = more and self._reaches_more(raw)
        except Exception as fault:
            self._keep(raw, fault)
            return
        is_new = said not in self._said and len(self._said) < _KEPT
        if is_new:
            self._said.add(said)
        if new and (is_new or more):
            self._corpus.append(raw)
            self.tally.kept += 1

    def _measured(self, raw: bytes) -> tuple[str, ...]:
        begun = time.process_time()
        try:
            with _bounded(SLOW_S):
                return words(self.reader, raw, self._folder)
        finally:
            taken = time.process_time() - begun
            if taken > max(self.tally.slowest_s, _WORTH_A_LOOK_S):
                (self.out / f"{self.name}-slowest").write_bytes(raw)
            self.tally.slowest_s = max(self.tally.slowest_s, taken)
            more = _peak() - self._floor
            self.tally.largest_bytes = max(self.tally.largest_bytes, more)
            if more > LARGE_BYTES:
                raise TooLargeError(f"{more >> 20} MiB")

    def _reaches_more(self, raw: bytes) -> bool:
        """Read an input again line by line; say whether it reaches a line that none has reached."""
        known = len(self._reached)

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            name = frame.f_code.co_filename
            if not name.startswith(str(_SOURCE)):
                return None
            self._reached.add((name, frame.f_lineno))
            return trace

        with _bounded(10 * SLOW_S):
            sys.settrace(trace)
            try:
                words(self.reader, raw, self._folder)
            finally:
                sys.settrace(None)
        return len(self._reached) > known

    def _keep(self, raw: bytes, fault: Exception) -> None:
        last = traceback.extract_tb(fault.__traceback__)[-1]
        where = f"{type(fault).__name__}-{Path(last.filename).stem}-{last.lineno}"
        if where in self._faults:
            return
        self._faults.add(where)
        stem = f"{self.name}-{where}-{hashlib.sha256(raw).hexdigest()[:8]}"
        (self.out / "crashes" / f"{stem}.bin").write_bytes(raw)
        told = "".join(traceback.format_exception(fault))
        (self.out / "crashes" / f"{stem}.txt").write_text(told, "utf-8")
        self.tally.crashes.append(stem)


def _files(room: str) -> list[Path]:
    if room.endswith("/"):
        return sorted((_SOURCE / room).glob("*.py"))
    return [_SOURCE / f"{room}.py"]


def _lines(path: Path) -> set[int]:
    """Return the lines inside functions that can be reached."""
    found: set[int] = set()
    left: list[tuple[CodeType, bool]] = [(compile(path.read_bytes(), str(path), "exec"), False)]
    while left:
        code, inside = left.pop()
        is_function = bool(code.co_flags & 2)
        if inside or is_function:
            found.update(
                line for *_, line in code.co_lines() if line and line > code.co_firstlineno
            )
        left += [
            (each, inside or is_function) for each in code.co_consts if isinstance(each, CodeType)
        ]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long to go on: `count` inputs, where it is not None, and `seconds` at most."""

    seed: int
    count: int | None
    seconds: float


def _work(name: str, reader: Reader, seeds: list[bytes], out: Path, bounds: Bounds) -> None:
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    fuzzer = Fuzzer(name, reader, seeds, out, seed=bounds.seed)
    tally = fuzzer.run(count=bounds.count, seconds=bounds.seconds)
    (out / f"{name}.json").write_text(json.dumps(asdict(tally)), "utf-8")


def fuzz(
    name: str, reader: Reader, seeds: list[bytes], out: Path, bounds: Bounds
) -> dict[str, Any]:
    """Feed one reader in a process of its own; return its tally, or the input that ended it."""
    result = out / f"{name}.json"
    result.unlink(missing_ok=True)
    process = multiprocessing.get_context("fork").Process(
        target=_work, args=(name, reader, seeds, out, bounds)
    )
    process.start()
    process.join()
    if process.exitcode == 0 and result.exists():
        found: dict[str, Any] = json.loads(result.read_text("utf-8"))
        return found
    raw = (out / "work" / name / "current").read_bytes()
    stem = f"{name}-ended-{process.exitcode}-{hashlib.sha256(raw).hexdigest()[:8]}"
    (out / "crashes" / f"{stem}.bin").write_bytes(raw)
    return {"inputs": 0, "crashes": [stem]}


def main() -> int:
    """Run the program; exit 1 where something failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("readers", nargs="*", help="which readers; all of them by default")
    parser.add_argument("--out", type=Path, required=True, help="a folder for what is found")
    parser.add_argument("--corpus", type=Path, help="a folder with files of other people")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, help="inputs for each reader")
    parser.add_argument("--minutes", type=float, default=60, help="for all readers together")
    chosen = parser.parse_args()
    names = chosen.readers or list(READERS)
    chosen.out.mkdir(parents=True, exist_ok=True)
    own = own_seeds(chosen.out)
    failed = False
    shares = sum(READERS[name].share for name in names)
    for name in names:
        seeds = list(own.get(name, []))
        if chosen.corpus:
            seeds += others_seeds(chosen.corpus, READERS[name].suffixes)
        seconds = chosen.minutes * 60 * READERS[name].share / shares
        bounds = Bounds(seed=chosen.seed, count=chosen.count, seconds=seconds)
        told = fuzz(name, READERS[name], seeds, chosen.out, bounds)
        failed = failed or bool(told["crashes"])
        print(json.dumps({"reader": name, "seeds": len(seeds), **told}), flush=True)  # noqa: T201
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
