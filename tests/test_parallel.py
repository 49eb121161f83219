"""Work in several processes, tried in a process without other threads, as a fork asks for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def test_work_in_several_processes_is_whole_and_in_order() -> None:
    """The cases of `parallel_cases.py` hold where nothing else runs beside them."""
    cases = Path(__file__).with_name("parallel_cases.py")
    call = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        str(cases),
    ]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=cases.parents[1])
    assert done.returncode == 0, done.stdout
    assert re.search(r"\b\d\d passed", done.stdout)
