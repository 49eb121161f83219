"""Read the records of a WARC file group by group: a capture, or a record that stands alone.

A group is the longest run of records, one after the other, that are named after the same record: a
response, revisit or resource after itself, any other after the first that its WARC-Concurrent-To
gives, or after itself where it gives none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from provenance.digest import Digest
from provenance.warc.reader import Record, read_records

_ANCHORS = frozenset({"response", "revisit", "resource"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordGroup:
    """A group: where it begins, the digest of the record it is named after, and of the others.

    `anchor` is None where no response, revisit or resource is among them; `others`, in file order,
    have their record types. Digests are of header and block.
    """

    offset: int
    anchor: Digest | None
    others: tuple[tuple[str, Digest], ...]


def read_groups(path: Path) -> Iterator[RecordGroup]:
    """Yield the groups of a file, in file order.

    Raises:
        WarcFormatError, TruncatedRecordError, StorageError: the file cannot be read to its end.
    """
    for _, members in groupby(_measured(path), key=lambda each: each[0]):
        group = list(members)
        offset = group[0][3]
        first = next((at for at, each in enumerate(group) if each[1] in _ANCHORS), None)
        anchor = group.pop(first)[2] if first is not None else None
        others = tuple((kind, digest) for _, kind, digest, _ in group)
        yield RecordGroup(offset=offset, anchor=anchor, others=others)


def _measured(path: Path) -> Iterator[tuple[str, str, Digest, int]]:
    for number, record in enumerate(read_records(path)):
        record.finish()
        if record.digest is None:
            raise AssertionError("a record that is read out has a digest")
        # A record without an id is named after nothing, and stands alone.
        name = _named_after(record) or f"record {number}"
        yield name, record.header.type, record.digest, record.offset


def _named_after(record: Record) -> str:
    header = record.header
    own = _bare(header.value("WARC-Record-ID"))
    if header.type in _ANCHORS:
        return own
    return _bare(header.value("WARC-Concurrent-To")) or own


def _bare(value: str | None) -> str:
    if value is None:
        return ""
    return value[1:-1] if value[:1] == "<" and value[-1:] == ">" else value
