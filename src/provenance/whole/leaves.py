"""Compute the log's leaves for the records of a file. Pure.

A form of its own, so that the writer's faults are not the auditor's. The lines are those of
`docs/adr/0012-transparency-log.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

_NAMED = frozenset({"request", "metadata", "response", "revisit", "resource", "conversion"})


def capture_line(anchor: str, others: Iterable[tuple[str, str]]) -> str:
    r"""Return the line of a capture: the hex digest of its response, revisit or resource record,
    then (type, hex digest) of each other record, in file order.

    >>> capture_line("aa", [("request", "bb"), ("metadata", "cc"), ("odd type", "dd")])
    'capture sha256:aa request sha256:bb metadata sha256:cc other sha256:dd\n'
    """
    words = [f"capture sha256:{anchor}"]
    words += [f"{kind if kind in _NAMED else 'other'} sha256:{each}" for kind, each in others]
    return " ".join(words) + "\n"


def record_line(digest: str) -> str:
    """Return the line of a record that belongs to no capture, by its hex digest."""
    return f"record sha256:{digest}\n"


def file_line(name: str, digest: str, records: int) -> str:
    """Return the line that closes a file: its name, hex digest and number of records."""
    return f"file {name} sha256:{digest} {records}\n"


def leaf_hash(line: str) -> bytes:
    """Return the 32 bytes that the tree has for a line.

    Source: RFC 6962 §2.1.
    """
    return sha256(b"\0" + line.encode()).digest()
