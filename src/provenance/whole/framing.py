"""Cut a WARC file into records, name every fault of the framing, and go on after it.

Reads only the bytes; what a record says is for others to judge.

Source: WARC 1.1 §4 and annex D (one record per gzip member).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from provenance.whole.header import LIMIT, Header, parse_strict
from provenance.whole.inflate import MAGIC, Member, find_member, member_header_size, opening
from provenance.whole.streams import STEP, FaultSink, PlainSource, Stream
from provenance.whole.window import Window

_TRAILER = b"\r\n\r\n"
_HEAD_END = re.compile(rb"\n\r?\n")
_RECORD_LINE = re.compile(rb"WARC/\d\.\d{1,2}\r?\n")
_RECORD_LINE_LENGTH = 12
WARC = (b"WARC/",)
"""How the plain bytes of a member with a record begin."""

ARC = (b"filedesc:",)
"""How an ARC file begins, unpacked."""

_OTHER_PACKINGS = (b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
"""Zip (and so WACZ), Zstandard, LZ4: their insides are not searched for records."""


class Form(Enum):
    """What the bytes of a file look like."""

    GZIP = "gzip"
    PLAIN = "plain"
    ARC_GZIP = "arc.gz"
    ARC = "arc"
    EMPTY = "empty"
    FOREIGN = "foreign"


def form_of(window: Window) -> Form:
    """Return what the file is, also where its first bytes are damaged."""
    start = bytes(window.at(0, 1 << 16))
    if not start:
        return Form.EMPTY
    if start[:2] == MAGIC[:2]:
        first = opening(window, 0)
        if first.startswith(ARC):
            return Form.ARC_GZIP
        if first.startswith(WARC):
            return Form.GZIP
    elif start.startswith(WARC):
        return Form.PLAIN
    elif start.startswith(ARC):
        return Form.ARC
    elif start.startswith(_OTHER_PACKINGS):
        return Form.FOREIGN
    if find_member(window, 0, WARC) is not None:
        return Form.GZIP
    return Form.PLAIN if _RECORD_LINE.search(start) else Form.FOREIGN


def skip_to_record(stream: Stream) -> tuple[int, bool]:
    """Take bytes up to the next line `WARC/1.x`; return how many, and whether there is one."""
    return stream.skip_to(_RECORD_LINE, _RECORD_LINE_LENGTH)


def _head(stream: Stream) -> bytes | None:
    return stream.take_through(_HEAD_END, overlap=3, limit=LIMIT)


class FramedRecord:
    """One record: where it starts, its header, its block as a stream.

    `size` is the declared Content-Length, None where there is none; `found` counts the bytes of
    the block that came, `tail` holds the last four. `whole` is True when the block came in full.
    """

    def __init__(self, offset: int, ordinal: int, header: Header, stream: Stream) -> None:
        self.offset = offset
        self.ordinal = ordinal
        self.header = header
        self.size = header.content_length
        self.found = 0
        self.tail = b""
        self._stream = stream

    @property
    def whole(self) -> bool:
        """Whether as many bytes came as Content-Length says."""
        return self.found == self.size

    def pieces(self) -> Iterator[bytes]:
        """Yield the rest of the block."""
        while self.size is not None and self.found < self.size:
            piece = self._stream.take(min(STEP, self.size - self.found))
            if not piece:
                return
            self.found += len(piece)
            self.tail = (self.tail + piece[-4:])[-4:]
            yield piece


def framed_records(
    window: Window, form: Form, sink: FaultSink, *, start: int = 0
) -> Iterator[FramedRecord]:
    """Yield every record of a GZIP or PLAIN file, in file order, reporting faults on the way.

    `start` is the byte at which a gzip member, or a record of a plain file, begins.
    """
    if form is Form.PLAIN:
        yield from _plain_records(window, sink, start)
    else:
        yield from _gzip_records(window, sink, start)


def members(
    window: Window, sink: FaultSink, openings: tuple[bytes, ...], start: int
) -> Iterator[Member]:
    """Yield the gzip members from byte `start` on, and report what is wrong with them.

    Past damage the next is looked for that opens as one of `openings`.
    """
    offset: int | None = start
    while offset is not None and offset < window.size:
        header_size = member_header_size(window, offset)
        if header_size is None:
            after = find_member(window, offset + 1, openings)
            length = (window.size if after is None else after) - offset
            sink("stray_bytes", offset, expected="a gzip member", found=f"{length} bytes")
            offset = after
            continue
        member = Member(window, offset, header_size)
        yield member
        while member.read(STEP):
            pass
        if member.fault is not None:
            code, expected, found = member.fault
            sink(code, member.offset, expected=expected, found=found)
        offset = member.end
        if offset is None:
            offset = find_member(window, member.offset + 1, openings)
            window.spent += window.size - member.offset if offset is not None else 0
        elif member.fault is not None:
            # Damage to its last codes makes a member go on into those after it.
            within = offset - member.offset - 1
            swallowed = find_member(window, member.offset + 1, openings, within=within)
            window.spent += within
            offset = offset if swallowed is None else swallowed
    if window.exhausted:
        sink("scan_abandoned", window.size, expected="records", found="damage in many places")


def _gzip_records(window: Window, sink: FaultSink, start: int) -> Iterator[FramedRecord]:
    for member in members(window, sink, WARC, start):
        stream = Stream(member)
        empty = True
        for record in _Cutter(stream, sink, member=member.offset).records():
            empty = False
            yield record
        if empty and member.fault is None and not stream.taken:
            sink("no_record", member.offset, expected="a record", found="an empty gzip member")


def _plain_records(window: Window, sink: FaultSink, start: int) -> Iterator[FramedRecord]:
    plain = PlainSource(window)
    plain.at = start
    yield from _Cutter(Stream(plain, plain.seek, taken=start), sink).records()
    if window.exhausted:
        sink("scan_abandoned", window.size, expected="records", found="damage in many places")


class _Cutter:
    """Cut one stream into records: a gzip member's (`member` is its offset) or a plain file's.

    A plain file is read again from a record's block where its length proves wrong.
    """

    def __init__(self, stream: Stream, sink: FaultSink, *, member: int | None = None) -> None:
        self._stream = stream
        self._sink = sink
        self._member = member
        self._ordinal = 0

    def records(self) -> Iterator[FramedRecord]:
        while self._stream.fill():
            offset = self._stream.taken if self._member is None else self._member
            if not self._stream.peek(5).startswith(b"WARC/"):
                if not self._skip_stray(offset):
                    return
                continue
            if self._member is not None and self._ordinal == 1:
                self._sink("gzip_many_records", offset, expected="one record", found="more")
            header = self._header(offset)
            if header is None:
                continue
            record = FramedRecord(offset, self._ordinal, header, self._stream)
            block_start = self._stream.taken
            yield record
            for _ in record.pieces():
                pass
            self._ordinal += 1
            self._end(record, block_start)

    def _skip_stray(self, offset: int) -> bool:
        skipped, found = skip_to_record(self._stream)
        if self._stream.source.fault is None:
            self._sink("stray_bytes", offset, expected="a record", found=f"{skipped} bytes")
        return found

    def _header(self, offset: int) -> Header | None:
        raw = _head(self._stream)
        if raw is not None:
            return parse_strict(raw)
        if self._stream.source.fault is None:
            start = self._stream.peek(40)
            self._sink("header_unending", offset, expected="an empty line", found=start)
        self._stream.take(5)
        skip_to_record(self._stream)
        return None

    def _end(self, record: FramedRecord, block_start: int) -> None:
        """Check what follows the block, and take it; after a fault go on at the next record."""
        if self._stream.source.fault is not None:
            return
        if self._stream.peek(4) == _TRAILER and record.whole:
            self._stream.take(4)
        elif record.size is None:
            found = record.header.value("Content-Length") or "none"
            self._report("content_length_illegal", record, expected="digits", found=found)
            skip_to_record(self._stream)
        else:
            self._bad_end(record, block_start)

    def _bad_end(self, record: FramedRecord, block_start: int) -> None:
        """Name what is wrong with the end: the length, the trailer, or both."""
        near = self._stream.peek(32)
        at = near.find(b"WARC/") if b"WARC/" in near else len(near)
        if record.whole and at <= 16 and not near[:at].endswith(_TRAILER):
            found = self._stream.take(at)
            self._sink("record_trailer", record.offset, expected=_TRAILER, found=found)
            return
        found_next = False
        if self._stream.go_back(block_start) or record.whole:
            _, found_next = skip_to_record(self._stream)
        if self._stream.source.fault is not None:
            return
        length = self._stream.taken - block_start
        if record.whole or found_next or record.tail == _TRAILER:
            code, length = "content_length", length - len(_TRAILER)
        else:
            code = "block_short"
        self._report(code, record, expected=f"{record.size} bytes", found=f"{length} bytes")

    def _report(self, code: str, record: FramedRecord, *, expected: str, found: str) -> None:
        self._sink(code, record.offset, field="Content-Length", expected=expected, found=found)


def record_at(window: Window, offset: int, ordinal: int | None) -> Iterator[FramedRecord]:
    """Yield the record at `offset` again; of a gzip member the one `ordinal`, or all for None."""
    header_size = member_header_size(window, offset)
    if header_size is None:
        plain = PlainSource(window)
        plain.at = offset
        for record in _Cutter(Stream(plain), _no_fault).records():
            yield record
            return
        return
    stream = Stream(Member(window, offset, header_size))
    for record in _Cutter(stream, _no_fault, member=offset).records():
        if ordinal in (None, record.ordinal):
            yield record
        if record.ordinal == ordinal:
            return


def _no_fault(
    code: str,
    offset: int,
    *,
    field: str | None = None,
    expected: object = None,
    found: object = None,
) -> None:
    pass
