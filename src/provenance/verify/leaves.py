"""Compute the log's leaves for the records of a file. Pure.

A form of its own, so that the writer's faults are not the auditor's. The lines are those of
`docs/adr/0012-transparency-log.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


def capture_line(anchor: str, others: Iterable[str]) -> str:
    """Return the line of a capture: the hex digest of its response, revisit or resource record,
    then those of the other records, in file order.

    >>> capture_line("aa", ["bb", "cc"])
    'capture sha256:aa sha256:bb sha256:cc'
    """
    return " ".join([f"capture sha256:{anchor}", *(f"sha256:{each}" for each in others)])


def record_line(digest: str) -> str:
    """Return the line of a record that belongs to no capture, by its hex digest."""
    return f"record sha256:{digest}"


def file_line(name: str, digest: str, records: int) -> str:
    """Return the line that closes a file: its name, hex digest and number of records."""
    return f"file {name} sha256:{digest} {records}"


def leaf_hash(line: str) -> bytes:
    """Return the 32 bytes that the tree has for a line.

    Source: RFC 6962 §2.1.
    """
    return sha256(b"\0" + line.encode()).digest()
