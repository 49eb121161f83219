#!/usr/bin/env python3
"""Run one program and print what it took as JSON: a small process of its own, to measure memory by.

    stopwatch.py OUTPUT ERRORS LIMIT_S COMMAND…

On Linux the peak that is reported for a program begins with that of the process it was started
from: whoever starts programs to measure them must be small. The memory of a program with several
processes is the sum of their shares (PSS), looked at ten times a second.
"""

import json
import os
import subprocess
import sys
import threading
import time

_EVERY_S = 0.1


def main(output: str, errors: str, limit_s: str, *command: str) -> None:
    """Run `command` with its output in files, for `limit_s` seconds at most."""
    with open(output, "wb") as out, open(errors, "wb") as err:  # noqa: PTH123, pathlib is not small
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        watch = threading.Timer(float(limit_s), process.kill)
        watch.start()
        sampler = Sampler(process.pid)
        sampler.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        sampler.enough.set()
        watch.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts in KiB, macOS in bytes.
    largest = used.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)
    print(
        json.dumps(
            {
                "exit": process.returncode,
                "wall_s": wall,
                "cpu_s": used.ru_utime + used.ru_stime,
                "peak_mib": max(largest, sampler.peak_kib / 1024),
            }
        )
    )


class Sampler(threading.Thread):
    """Note the largest sum of the memory that a process and all below it have."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.enough = threading.Event()
        self.peak_kib = 0
        self._pid = pid

    def run(self) -> None:
        """Look until it is enough."""
        while not self.enough.wait(_EVERY_S):
            family = family_of(self._pid)
            if len(family) > 1:
                self.peak_kib = max(self.peak_kib, sum(map(share_kib, family)))


def family_of(pid: int) -> list[int]:
    """Return a process and all that it started, as far as the system tells."""
    found = [pid]
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            with open(f"/proc/{pid}/task/{thread}/children") as listing:  # noqa: PTH123
                for child in listing.read().split():
                    found += family_of(int(child))
    except OSError:
        pass  # it has ended, or this is not Linux
    return found


def share_kib(pid: int) -> int:
    """Return the proportional share of memory of a process, 0 once it has ended."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as listing:  # noqa: PTH123
            return next((int(line.split()[1]) for line in listing if line.startswith("Pss:")), 0)
    except OSError:
        return 0


if __name__ == "__main__":
    main(*sys.argv[1:])
