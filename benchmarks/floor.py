"""Inflate WARC files and hash what comes, and nothing else: the work that verifying cannot avoid.

    python benchmarks/floor.py FILE …

Each byte of a file is hashed once, and each plain byte three times: as part of its record, of its
block and of its payload, which begin at different places and so have no hash in common. As many
processes as there are processors share the work. Nothing is compared or parsed.
"""

from __future__ import annotations

import mmap
import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import cast

from isal import isal_zlib

_DeflateError = cast(type[Exception], isal_zlib.error)
_MAGIC = b"\x1f\x8b\x08\0"
_SHARE = 8 << 20


def shares(raw: mmap.mmap) -> list[int]:
    """Return where each share of a file begins: at a gzip member, every 8 MiB or so."""
    starts = [0]
    while (at := raw.find(_MAGIC, starts[-1] + _SHARE)) >= 0:
        while at >= 0 and not _opens(raw, at):
            at = raw.find(_MAGIC, at + 1)
        if at < 0:
            break
        starts.append(at)
    return starts


def _opens(raw: mmap.mmap, at: int) -> bool:
    try:
        plain = isal_zlib.decompressobj(wbits=31).decompress(raw[at : at + 4096], 5)
    except _DeflateError:
        return False
    return bytes(plain) == b"WARC/"


def work(raw: mmap.mmap, start: int, end: int) -> int:
    """Inflate and hash one share; return how many plain bytes it has."""
    view = memoryview(raw)
    sha256(view[start:end]).digest()
    size = 0
    while start < end:
        plain, start = _member(raw, view, start, end)
        for _ in ("record", "block", "payload"):
            sha256(plain).digest()
        size += len(plain)
    return size


def _member(raw: mmap.mmap, view: memoryview, start: int, end: int) -> tuple[bytes, int]:
    """Return a member's plain bytes and where it ends: where the next one's header is, mostly."""
    inflate = isal_zlib.decompressobj(wbits=31)
    plain, at = b"", start
    while not inflate.eof and at < end:
        stop = raw.find(_MAGIC, at + 10, end)
        stop = end if stop < 0 else stop
        plain += inflate.decompress(view[at:stop])
        at = stop
    return plain, at - len(inflate.unused_data)


def main() -> None:
    """Do the work on every file, in as many processes as there are processors."""
    tasks = []
    for name in sys.argv[1:]:
        with Path(name).open("rb") as source:
            raw = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
        starts = shares(raw)
        tasks += [
            (raw, start, end) for start, end in zip(starts, [*starts[1:], len(raw)], strict=True)
        ]
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    children = []
    for number in range(workers):
        child = os.fork()
        if child == 0:
            for raw, start, end in tasks[number::workers]:
                work(raw, start, end)
            os._exit(0)
        children.append(child)
    if any(os.waitpid(child, 0)[1] for child in children):
        raise SystemExit("floor: a process failed")


if __name__ == "__main__":
    main()
