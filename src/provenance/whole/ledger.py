"""Keep what the checks across records need, a few dozen bytes for each record.

Texts are kept as 64-bit keys; where two keys disagree the records are read again and compared.
With a `Spill` the numbers lie in a temporary file, and memory is the same for any archive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from sys import byteorder
from typing import NamedTuple

from provenance.digest import Digest, from_hex, hex_of
from provenance.whole.rows import Rows, Spill

_MASK = (1 << 64) - 1
_FEW = 16
"""Rows that are not worth a place in the temporary file."""

NONE = 0
"""The key of a text that is not there."""


def key_of(text: str | None) -> int:
    """Return the 64-bit key of a text."""
    return key_of_bytes(text.encode("utf-8", "surrogateescape")) if text else NONE


def key_of_bytes(raw: bytes) -> int:
    """Return the key of the text that these bytes are in UTF-8.

    Another in each run of the program, so that nobody can prepare texts of one key; processes
    forked from one another have the same.
    """
    return hash(raw) & _MASK or 1


class Row(NamedTuple):
    """What an original or a revisit says; all but the offset are keys."""

    record: int
    target: int
    uri: int
    date: int
    payload: int
    content: int
    offset: int
    group: int


class Column:
    """What one kind of record (originals or revisits) says, one row each."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows = Rows(len(Row._fields))

    def add(self, row: Row) -> None:
        """Add a row."""
        self.rows.add(*row)

    def at(self, index: int) -> Row:
        """Return one row."""
        return Row(*self.rows[index])

    def records(self) -> Iterator[int]:
        """Yield the key of each record."""
        return self.rows.column(0)

    def contents(self) -> Iterator[tuple[int, int]]:
        """Yield the key of each record's content, and its group."""
        return zip(self.rows.column(5), self.rows.column(7), strict=True)

    def targets(self) -> Iterator[int]:
        """Yield the key of what each record refers to."""
        return self.rows.column(1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Column) and self.rows == other.rows

    __hash__ = None  # type: ignore[assignment]


class Digests:
    """A list of digests at 32 bytes each, with a number beside each."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows = Rows(5)

    def add(self, digest: Digest, number: int) -> None:
        """Add one."""
        self.add_raw(bytes.fromhex(hex_of(digest)), number)

    def add_raw(self, digest: bytes, number: int) -> None:
        """Add one that is given as bytes."""
        self.rows.add_bytes(digest + number.to_bytes(8, byteorder))

    def numbers(self) -> Iterator[int]:
        """Yield the number of each."""
        return self.rows.column(4)

    def raws(self) -> Iterator[bytes]:
        """Yield each digest as 32 bytes."""
        for row in self.rows:
            yield row[:4].tobytes()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Digest, int]]:
        for row in self.rows:
            yield from_hex(row[:4].tobytes().hex()), row[4]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digests) and self.rows == other.rows

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A run's closing record: its place and the outcomes it counts."""

    run: str
    collection: str
    offset: int
    outcomes: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Ledger:
    """What one file adds to the checks across files.

    `records` holds the key of each record id, its offset, and its group: the key of the id that a
    capture is named after. `outcomes` holds the capture ids that count as captures with their
    groups, `anchors` all capture ids, `hops` those that redirect chains name (with the offset of
    who names them), `certificates` the chains that are kept, `chains` those that captures name,
    `requisites` the captures that pages name as what they need, `damaged` the groups that a finding
    touches. `leaves` holds the hash of each leaf that the file has in the log, with the offset of
    its first record; `unsealed` the groups that the log has not, or not so; `witnessed` those whose
    content another archive holds; `log_heads` the checkpoints (origin, size, root) that its run
    began after. `spill` is where the lists are written to as they grow, None to keep them.
    """

    records: Rows = field(default_factory=lambda: Rows(3))
    originals: Column = field(default_factory=Column)
    revisits: Column = field(default_factory=Column)
    outcomes: Digests = field(default_factory=Digests)
    anchors: Rows = field(default_factory=lambda: Rows(1))
    hops: Digests = field(default_factory=Digests)
    certificates: Rows = field(default_factory=lambda: Rows(1))
    chains: Digests = field(default_factory=Digests)
    requisites: Digests = field(default_factory=Digests)
    leaves: Digests = field(default_factory=Digests)
    unsealed: set[int] = field(default_factory=set)
    witnessed: set[int] = field(default_factory=set)
    damaged: set[int] = field(default_factory=set)
    runs: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    closings: list[Closing] = field(default_factory=list)
    seeds: set[tuple[str, str]] = field(default_factory=set)
    log_heads: set[tuple[str, int, str]] = field(default_factory=set)
    spill: Spill | None = field(default=None, compare=False, repr=False)

    def extend(self, other: Ledger) -> None:
        """Add what a later part of the same file adds."""
        for mine, its in zip(self._lists(), other._lists(), strict=True):
            mine.extend(its)
        self.damaged |= other.damaged
        self.seeds |= other.seeds
        self.log_heads |= other.log_heads
        self.closings += other.closings
        for run, outcomes in other.runs.items():
            self.runs.setdefault(run, Counter()).update(outcomes)
        self.settle()

    def settle(self) -> None:
        """Write the lists to `spill` where they have grown; to be called now and then."""
        if self.spill is not None:
            for rows in self._lists():
                rows.settle(self.spill)

    def put_away(self, spill: Spill) -> None:
        """Write the lists to `spill`: nothing more is added."""
        for rows in self._lists():
            rows.settle(spill, most=_FEW)

    def _lists(self) -> tuple[Rows, ...]:
        return (
            self.records,
            self.anchors,
            self.certificates,
            self.originals.rows,
            self.revisits.rows,
            self.outcomes.rows,
            self.hops.rows,
            self.chains.rows,
            self.requisites.rows,
            self.leaves.rows,
        )
