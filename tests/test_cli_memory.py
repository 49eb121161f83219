"""What the command line keeps in memory is bounded, however many threads and outcomes there are."""

from __future__ import annotations

import platform
import re
import subprocess
import sys

import pytest

_THREADS = """
import ctypes, threading
from provenance.cli.heaps import share_heaps
share_heaps(2)
barrier = threading.Barrier(17)
def work():
    ctypes.CDLL(None).malloc(5000)
    barrier.wait(); barrier.wait()
for _ in range(16):
    threading.Thread(target=work).start()
barrier.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out); libc.fflush(out)
barrier.wait()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is another")
def test_many_threads_share_two_heaps() -> None:
    """As the C library itself counts them."""
    done = subprocess.run([sys.executable, "-c", _THREADS], capture_output=True, check=True)
    heaps = re.findall(rb'<heap nr="(\d+)">', done.stdout)
    assert 1 <= len(heaps) <= 2
    more = _THREADS.replace("share_heaps(2)", "")
    done = subprocess.run([sys.executable, "-c", more], capture_output=True, check=True)
    assert len(re.findall(rb'<heap nr="(\d+)">', done.stdout)) > 2
