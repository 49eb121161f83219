"""Get what the archive has of an address, as it was nearest to a date. Opens no socket.

How an address is looked up:
(1) records of it are taken by their distance from the date, a few of each side;
(2) bytes that are not those which the index names, cut bodies and error pages do not count;
(3) a revisit leads to the record it refers to, a redirect to what is held of its target;
(4) where nothing counts, the reason is told that is nearest to being shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from provenance.dates import parse_instant
from provenance.digest import digest_of
from provenance.errors import ProvenanceError
from provenance.extract.media import essence_of
from provenance.http_body import CODINGS, CODINGS_LIMIT, BodyMeter, content_start
from provenance.http_message import (
    HEAD_LIMIT,
    ResponseHead,
    Undecoded,
    body_shape,
    media_type_of,
    parse_response_head,
)
from provenance.index import RecordRow, RecordsOf
from provenance.uri import web_address
from provenance.warc.contents import read_block
from provenance.web.source import Lack

LARGEST = 8 << 20
"""Bytes of one requisite, stored and decoded."""

READ_IN_ALL = 128 << 20
"""Bytes that are read and decoded for one page, all its requisites together."""

_REDIRECTS = 5
_LOOKED_AT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Content that is held: where it was found in the end, when, and what it was declared as."""

    url: str
    date: str
    media_type: str
    charset: str | None
    content: bytes


@dataclass(frozen=True, slots=True)
class _Moved:
    """An answer that leads to another address."""

    url: str


class Holdings:
    """What one archive holds of addresses, by its index and its WARC files, around one date."""

    def __init__(self, records: RecordsOf, archive: Path, at: str) -> None:
        self._records = records
        self._archive = archive
        self._left = READ_IN_ALL
        self._date = at
        self._at = _instant(at)

    def has(self, url: str) -> bool:
        """Whether there is any record of an address."""
        return self._records.has(url)

    def find(self, url: str) -> Held | Lack:
        """Return the whole content of an address nearest to the date, or why none is fit."""
        seen: set[str] = set()
        while url not in seen and len(seen) <= _REDIRECTS:
            seen.add(url)
            found = self._answer(url)
            if not isinstance(found, _Moved):
                return found
            url = found.url  # (3)
        return Lack.ERROR

    def _answer(self, url: str) -> Held | _Moved | Lack:
        """Return what the nearest record holds that counts: a content, or where it leads."""
        lacks = []
        for record in self._nearest(url):
            read = self._read(record, url)
            if not isinstance(read, Lack):
                return read
            lacks.append(read)
        if not lacks:
            return Lack.CUT if self.has(url) else Lack.ABSENT
        return min(lacks, key=list(Lack).index)  # (4)

    def _nearest(self, url: str) -> list[RecordRow]:
        rows = self._records.near(url, self._date, limit=_LOOKED_AT)
        return sorted(rows, key=lambda row: abs(_instant(row.date) - self._at))

    def _read(self, record: RecordRow, url: str) -> Held | _Moved | Lack:
        block = self._block(record)
        if isinstance(block, Lack):
            return block
        if not (record.content_type or "").lower().startswith("application/http"):
            return _held(url, record.date, essence_of(record.content_type), None, block)
        head = parse_response_head(block)
        if head is None:
            return Lack.ERROR
        if record.type == "revisit":  # (3)
            named = self._records.named(record.refers_to or "")
            original = self._read(named, url) if named is not None else Lack.UNCHANGED
            return replace(original, date=record.date) if isinstance(original, Held) else original
        if head.status in (301, 302, 303, 307, 308):
            location = (head.value("location") or "").encode("latin-1").decode("utf-8", "replace")
            target = web_address(location, base=url)
            return _Moved(target) if target is not None else Lack.ERROR
        if not 200 <= head.status < 300 or head.status == 206:  # (2)
            return Lack.ERROR
        content = _content(head, block[head.size :])
        self._left -= len(content)
        if len(content) > LARGEST:
            return Lack.LARGE
        media_type, charset = media_type_of(head)
        return _held(url, record.date, media_type or "", charset, content)

    def _block(self, record: RecordRow) -> bytes | Lack:
        size = record.content_length
        path = self._archive / record.warc
        if not path.is_file():
            return Lack.AWAY
        if size > LARGEST + HEAD_LIMIT:
            return Lack.LARGE
        if self._left <= 0:
            return Lack.BEYOND
        self._left -= size
        try:
            block = read_block(path, record.offset, record.ordinal, limit=size + 1)
        except ProvenanceError:
            return Lack.DAMAGED
        return block if digest_of(block) == record.block_digest else Lack.DAMAGED  # (2)


def _content(head: ResponseHead, body: bytes) -> bytes:
    """Return the first bytes of a body's content, one more than the largest that counts."""
    shape = body_shape(head)
    framed = BodyMeter(replace(shape, codings=()))
    framed.feed(body)
    undecoded = framed.finish(cut=False).undecoded
    if not CODINGS.issuperset(shape.codings) or len(shape.codings) > CODINGS_LIMIT:
        undecoded = Undecoded.CODING_UNKNOWN
    return content_start(shape, [body], undecoded=undecoded, limit=LARGEST + 1)


def _held(url: str, date: str, media_type: str, charset: str | None, content: bytes) -> Held:
    return Held(url=url, date=date, media_type=media_type, charset=charset, content=content)


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except (ValueError, ProvenanceError):
        return datetime.max.replace(tzinfo=UTC)  # no date: farther than any other
