#!/usr/bin/env python3
"""Run one program and print what it took as JSON: a small process of its own, to measure memory by.

    stopwatch.py OUTPUT LIMIT_S COMMAND…

On Linux the peak that is reported for a program begins with that of the process it was started
from. Whoever starts programs to measure them must be small.
"""

import json
import os
import subprocess
import sys
import threading
import time


def main(output: str, limit_s: str, *command: str) -> None:
    """Run `command` with its output in the file `output`, for `limit_s` seconds at most."""
    with open(output, "wb") as log:  # noqa: PTH123, for pathlib is not small
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        watch = threading.Timer(float(limit_s), process.kill)
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        watch.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    print(
        json.dumps(
            {
                "exit": process.returncode,
                "wall_s": wall,
                "cpu_s": used.ru_utime + used.ru_stime,
                # Linux counts in KiB, macOS in bytes.
                "peak_mib": used.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
