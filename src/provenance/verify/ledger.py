"""Keep what the checks across records need, a few dozen bytes for each record. Opens no file.

Texts are kept as 64-bit keys; where two keys disagree the records are read again and compared.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

from provenance.digest import Digest, from_hex, hex_of

_MASK = (1 << 64) - 1
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


def _longs() -> array[int]:
    return array("Q")


@dataclass(slots=True)
class Column:
    """What one kind of record (originals or revisits) says, one row each."""

    record: array[int] = field(default_factory=_longs)
    target: array[int] = field(default_factory=_longs)
    uri: array[int] = field(default_factory=_longs)
    date: array[int] = field(default_factory=_longs)
    payload: array[int] = field(default_factory=_longs)
    content: array[int] = field(default_factory=_longs)
    offset: array[int] = field(default_factory=_longs)
    group: array[int] = field(default_factory=_longs)

    def add(
        self,
        *,
        record: int,
        target: int,
        uri: int,
        date: int,
        payload: int,
        content: int,
        offset: int,
        group: int,
    ) -> None:
        """Add a row."""
        self.record.append(record)
        self.target.append(target)
        self.uri.append(uri)
        self.date.append(date)
        self.payload.append(payload)
        self.content.append(content)
        self.offset.append(offset)
        self.group.append(group)

    def extend(self, other: Column) -> None:
        """Add the rows of another column."""
        for name in self.__slots__:
            getattr(self, name).extend(getattr(other, name))


@dataclass(slots=True)
class Digests:
    """A list of digests at 32 bytes each, with a number beside each."""

    numbers: array[int] = field(default_factory=_longs)
    raw: bytearray = field(default_factory=bytearray)

    def add(self, digest: Digest, number: int) -> None:
        """Add one."""
        self.raw += bytes.fromhex(hex_of(digest))
        self.numbers.append(number)

    def add_raw(self, raw: bytes, number: int) -> None:
        """Add one, as 32 bytes."""
        self.raw += raw
        self.numbers.append(number)

    def extend(self, other: Digests) -> None:
        """Add all of another list."""
        self.raw += other.raw
        self.numbers.extend(other.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def at(self, index: int) -> tuple[Digest, int]:
        """Return the digest and the number at `index`."""
        return from_hex(self.raw[32 * index : 32 * index + 32].hex()), self.numbers[index]


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

    `records` holds the key of each record id, `offsets` and `groups` stand beside it: a group is
    the key of the id that a capture is named after. `outcomes` holds the capture ids that count as
    captures with their groups, `anchors` all capture ids, `hops` those that redirect chains name
    (with the offset of who names them), `certificates` the chains that are kept, `chains` those
    that captures name, `requisites` the captures that pages name as what they need, `damaged` the
    groups that a finding touches. `leaves` holds the hash of each leaf that the file has in the
    log, with the offset of its first record; `unsealed` the groups that the log has not, or not so;
    `witnessed` those whose content another archive holds; `log_heads` the checkpoints (origin,
    size, root) that its run began after.
    """

    records: array[int] = field(default_factory=_longs)
    offsets: array[int] = field(default_factory=_longs)
    groups: array[int] = field(default_factory=_longs)
    originals: Column = field(default_factory=Column)
    revisits: Column = field(default_factory=Column)
    outcomes: Digests = field(default_factory=Digests)
    anchors: array[int] = field(default_factory=_longs)
    hops: Digests = field(default_factory=Digests)
    certificates: array[int] = field(default_factory=_longs)
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

    def extend(self, other: Ledger) -> None:
        """Add what a later part of the same file adds."""
        for name in ("records", "offsets", "groups", "anchors", "certificates", "closings"):
            getattr(self, name).extend(getattr(other, name))
        for name in ("originals", "revisits", "outcomes", "hops", "chains", "requisites", "leaves"):
            getattr(self, name).extend(getattr(other, name))
        self.damaged |= other.damaged
        self.seeds |= other.seeds
        self.log_heads |= other.log_heads
        for run, outcomes in other.runs.items():
            self.runs.setdefault(run, Counter()).update(outcomes)
