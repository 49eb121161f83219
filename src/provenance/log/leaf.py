"""Write and parse the leaves of our log, each one line of text. Pure: opens no file.

A leaf is the whole line in ASCII with its line end (0x0A), words parted by one space:

    capture DIGEST [request DIGEST]... [metadata DIGEST]...
    file NAME DIGEST RECORDS

A `capture` line has the capture id, then the digest of each concurrent record, requests first and
metadata after them, those of one type in file order. A `file` line is added when a file is sealed:
its name, the digest of its bytes, and the number of its records; so it covers what belongs to no
capture, such as `warcinfo`. A record's digest is that of its canonical bytes, as a capture id is.

Source: DESIGN §5, log root.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from provenance.digest import Digest
from provenance.errors import LogFormatError
from provenance.log.strict import parse_decimal, shown

_DIGEST = r"sha256:[0-9a-f]{64}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}"
_CAPTURE = re.compile(
    rf"capture ({_DIGEST})((?: request {_DIGEST})*)((?: metadata {_DIGEST})*)\n\Z"
)
_FILE = re.compile(rf"file ({_NAME}) ({_DIGEST}) ([0-9]+)\n\Z")
_EACH = re.compile(_DIGEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureLeaf:
    """A capture: its id, and the digests of its concurrent records in file order."""

    capture_id: Digest
    requests: tuple[Digest, ...] = ()
    metadata: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLeaf:
    """A sealed file: its name without folder, the digest of its bytes, its number of records."""

    name: str
    digest: Digest
    records: int


Leaf = CaptureLeaf | FileLeaf


def format_leaf(leaf: Leaf) -> bytes:
    """Return the line of a leaf: the entry that the log holds.

    Raises:
        LogFormatError: the name of the file is not one that leaves hold, or a value is none.

    >>> format_leaf(FileLeaf(name="a.warc.gz", digest=Digest("sha256:" + 64 * "0"), records=3))
    b'file a.warc.gz sha256:0000000000000000000000000000000000000000000000000000000000000000 3\\n'
    """
    match leaf:
        case CaptureLeaf():
            words = ["capture", leaf.capture_id]
            words += [word for each in leaf.requests for word in ("request", each)]
            words += [word for each in leaf.metadata for word in ("metadata", each)]
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
        requests, metadata = (tuple(map(Digest, _EACH.findall(match[part]))) for part in (2, 3))
        return CaptureLeaf(capture_id=Digest(match[1]), requests=requests, metadata=metadata)
    if match := _FILE.match(line):
        records = parse_decimal(match[3])
        if records:
            return FileLeaf(name=match[1], digest=Digest(match[2]), records=records)
    raise LogFormatError(
        "not a leaf",
        where=where,
        expected="a whole line, capture DIGEST ... or file NAME DIGEST RECORDS",
        found=shown(line),
    )
