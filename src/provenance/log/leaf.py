"""Write and parse the leaves of our log, each one line of text. Pure: opens no file.

A leaf is the whole line in ASCII with its line end (0x0A), words parted by one space:

    capture DIGEST [TYPE DIGEST]...
    record DIGEST
    file NAME DIGEST RECORDS

A `capture` line has the capture id, then type and digest of each record that stands with it, in
file order: `request` and `metadata` where this tool wrote it. A `record` line is that of a record
which no response, revisit or resource stands with. A `file` line closes the lines of a file: its
name, the digest of its bytes, and the number of its records. A record's digest is that of its
header and block, as a capture id is.

Source: DESIGN §5, log root; docs/adr/0012-transparency-log.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from provenance.digest import Digest
from provenance.errors import LogFormatError
from provenance.log.strict import parse_decimal, shown

TYPES = frozenset({"request", "metadata", "response", "revisit", "resource", "conversion"})
"""Types that stand in a line; any other is `other`."""

_DIGEST = r"sha256:[0-9a-f]{64}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}"
_TYPE = "|".join(sorted(TYPES | {"other"}))
_CAPTURE = re.compile(rf"capture ({_DIGEST})((?: (?:{_TYPE}) {_DIGEST})*)\n\Z")
_RECORD = re.compile(rf"record ({_DIGEST})\n\Z")
_FILE = re.compile(rf"file ({_NAME}) ({_DIGEST}) ([0-9]+)\n\Z")
_EACH = re.compile(rf" ({_TYPE}) ({_DIGEST})")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureLeaf:
    """A capture: its id, and (type, digest) of the other records, in file order."""

    capture_id: Digest
    others: tuple[tuple[str, Digest], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLeaf:
    """A record that belongs to no capture."""

    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLeaf:
    """A sealed file: its name without folder, the digest of its bytes, its number of records."""

    name: str
    digest: Digest
    records: int


Leaf = CaptureLeaf | RecordLeaf | FileLeaf


def format_leaf(leaf: Leaf) -> bytes:
    r"""Return the line of a leaf: the entry that the log holds.

    Raises:
        LogFormatError: the name of the file is not one that leaves hold, or a value is none.

    >>> format_leaf(FileLeaf(name="a.warc.gz", digest=Digest("sha256:" + 64 * "0"), records=3))
    b'file a.warc.gz sha256:0000000000000000000000000000000000000000000000000000000000000000 3\n'
    """
    match leaf:
        case CaptureLeaf():
            words = ["capture", leaf.capture_id]
            words += [word for pair in leaf.others for word in pair]
        case RecordLeaf():
            words = ["record", leaf.digest]
        case FileLeaf():
            words = ["file", leaf.name, leaf.digest, str(leaf.records)]
    raw = (" ".join(words) + "\n").encode("utf-8", "replace")
    if parse_leaf(raw) != leaf:
        raise LogFormatError("the leaf cannot be written", found=shown(" ".join(words)))
    return raw


def parse_leaf(raw: bytes, *, where: str = "leaf") -> Leaf:
    """Return what the line of a leaf says.

    Raises:
        LogFormatError: it is no leaf of ours.
    """
    line = raw.decode("utf-8", "replace")
    if match := _CAPTURE.match(line):
        others = tuple((kind, Digest(digest)) for kind, digest in _EACH.findall(match[2]))
        return CaptureLeaf(capture_id=Digest(match[1]), others=others)
    if match := _RECORD.match(line):
        return RecordLeaf(digest=Digest(match[1]))
    if match := _FILE.match(line):
        records = parse_decimal(match[3])
        if records:
            return FileLeaf(name=match[1], digest=Digest(match[2]), records=records)
    raise LogFormatError(
        "not a leaf",
        where=where,
        expected="a whole line: capture, record or file, and what belongs to it",
        found=shown(line),
    )
