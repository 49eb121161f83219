"""Cut an ARC file into records, name every fault of its framing, and go on after it.

An ARC record is a line that describes a document, and the document. Nothing in the format guards
the bytes of a document: no digest of it is declared that could be computed again.

Source: M. Burner and B. Kahle, Arc File Format, versions 1 and 2 (1996).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from provenance.whole.fields import legal_address, legal_date
from provenance.whole.framing import ARC, Form, members
from provenance.whole.streams import STEP, FaultSink, PlainSource, Stream
from provenance.whole.window import Window

_LINE_LIMIT = 1 << 16
_RECORD_LINE = re.compile(
    rb"^[A-Za-z][A-Za-z0-9+.-]*:\S{1,8000} [0-9A-Fa-f.:]{1,45} \d{8,20} \S{1,200}"
    rb"(?: \S{1,10} \S{1,100} \S{1,8000} \d{1,20} \S{1,500})? -?\d{1,20}\r?\n",
    re.MULTILINE,
)
"""What a record's line looks like where one is looked for past damage."""

_RECORD_LINE_LENGTH = 1 << 15
_OPENING = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*:")
_DESCRIPTIONS = {
    b"1": b"URL IP-address Archive-date Content-type Archive-length",
    b"2": b"URL IP-address Archive-date Content-type Result-code Checksum Location Offset"
    b" Filename Archive-length",
}
"""The words of each version for the fields of a record's line, in their order."""

_VERSION = re.compile(rb"([12]) \d+ [^\r\n]*\r?\n([^\r\n]*)\r?\n")
_SEPARATOR = re.compile(rb"(?:\r?\n)*")
_SEPARATOR_LIMIT = 64
_OPENINGS = (*ARC, b"http:", b"https:", b"dns:", b"ftp:")
"""How members begin that are looked for past damage."""

_NO_ADDRESS = (b"0", b"0.0.0.0")


@dataclass(frozen=True, slots=True)
class _Line:
    """A record's line: its fields, and the last word; a version block's has no fields."""

    fields: dict[str, bytes]
    said: bytes

    @property
    def length(self) -> int | None:
        """The length of the document in bytes, None where the line says no number."""
        return int(self.said) if self.said.isdigit() and len(self.said) <= 20 else None


def check_arc(window: Window, form: Form, sink: FaultSink) -> int:
    """Check the framing of an ARC file, plain or of gzip members; return how many records it has.

    The block that says which version the file is of counts as a record, as it does elsewhere.
    """
    cutter = _Cutter(sink)
    if form is Form.ARC:
        plain = PlainSource(window)
        cutter.cut(Stream(plain, plain.seek))
        if window.exhausted:
            sink("scan_abandoned", window.size, expected="records", found="damage in many places")
        return cutter.records
    for member in members(window, sink, _OPENINGS, 0):
        stream = Stream(member)
        cutter.cut(stream, member=member.offset)
        if not stream.taken and member.fault is None:
            sink("no_record", member.offset, expected="a record", found="an empty gzip member")
    return cutter.records


class _Cutter:
    """Cuts the streams of one file into records, the first of which is the version block."""

    def __init__(self, sink: FaultSink) -> None:
        self.records = 0
        self._sink = sink
        self._version = b"1"

    def cut(self, stream: Stream, *, member: int | None = None) -> None:
        """Take a gzip member, whose offset `member` is, or a plain file from its beginning."""
        records = 0
        while stream.fill():
            offset = stream.taken if member is None else member
            raw = _line(stream)
            line = self._parse(raw)
            if line is None:
                stream.take(len(raw))
                _, found = stream.skip_to(_RECORD_LINE, _RECORD_LINE_LENGTH)
                if stream.source.fault is None:
                    self._sink("arc_line", offset, expected=self._form(), found=raw[:200])
                if not found:
                    return
                continue
            stream.take(len(raw))
            if records == 1 and member is not None:
                self._sink("gzip_many_records", offset, expected="one record", found="more")
            records += 1
            self._record(stream, line, offset)

    def _form(self) -> str:
        return _DESCRIPTIONS[self._version].decode()

    def _parse(self, raw: bytes) -> _Line | None:
        """Return the fields of a line, None where it is none of a record.

        A version block's has what the version block itself says. In others the fields are counted
        from the date, for addresses and types have been written with spaces in them, too.
        """
        words = raw.rstrip(b"\r\n").split(b" ")
        if not raw.endswith(b"\n") or not _OPENING.match(raw):
            return None
        if raw.startswith(ARC):
            return _Line({}, words[-1]) if len(words) > 2 else None
        names = self._form().split(" ")
        at = len(words) - len(names[4:])
        dates = [place for place in range(2, at - 1) if words[place][:1].isdigit()]
        if at < 4:
            return None
        date = dates[-1] if dates else at - 2
        values = (
            b" ".join(words[: date - 1]),
            words[date - 1],
            words[date],
            b" ".join(words[date + 1 : at]),
            *words[at:],
        )
        return _Line(dict(zip(names, values, strict=True)), words[-1])

    def _record(self, stream: Stream, line: _Line, offset: int) -> None:
        """Judge a record whose line was taken, and take its document and the empty line after."""
        is_version = not line.fields
        if is_version != (not self.records):
            expected = "a document" if is_version else "a version block"
            self._sink("arc_version", offset, expected=expected, found=_kind(is_version))
        self.records += 1
        if is_version:
            self._judge_version(stream.peek(_LINE_LIMIT), offset)
        for name, value in line.fields.items():
            if (legal := _illegal(name, value)) is not None:
                self._sink("arc_field", offset, field=name, expected=legal, found=value[:200])
        length = line.length
        if length is None:
            self._sink(
                "arc_length",
                offset,
                field="Archive-length",
                expected="a number",
                found=line.said[:200],
            )
            self._go_on(stream)
        else:
            self._document(stream, length, offset, is_version=is_version)

    def _judge_version(self, block: bytes, offset: int) -> None:
        found = _VERSION.match(block)
        if found is None:
            self._sink("arc_version", offset, expected="version 1 or 2", found=block[:40])
            return
        self._version = found[1]
        if found[2] != _DESCRIPTIONS[self._version]:
            self._sink("arc_version", offset, expected=self._form(), found=found[2][:200])

    def _document(self, stream: Stream, length: int, offset: int, *, is_version: bool) -> None:
        start, left = stream.taken, length
        while left and (piece := stream.take(min(STEP, left))):
            left -= len(piece)
        if stream.source.fault is not None:
            return
        if not left and self._ends(stream, offset, may_be_blank=is_version):
            return
        ended = not stream.peek(1)
        if stream.go_back(start) or not ended:
            self._go_on(stream)
        if stream.source.fault is not None:
            return
        at_end = not stream.peek(1)
        code = "arc_short" if left and at_end else "arc_length"
        self._sink(
            code,
            offset,
            field="Archive-length",
            expected=f"{length} bytes",
            found=f"{stream.taken - start - (0 if at_end else 1)} bytes",
        )

    def _ends(self, stream: Stream, offset: int, *, may_be_blank: bool) -> bool:
        """Say whether a document ends here: at the file's end, or one line end before a record."""
        near = stream.peek(_SEPARATOR_LIMIT)
        found = _SEPARATOR.match(near)
        between = found[0] if found is not None else b""
        rest = near[len(between) :]
        if rest and not _OPENING.match(rest):
            return False
        if rest and not between:
            return False
        lines = between.count(b"\n")
        stream.take(len(between))
        # The version block's own empty line is counted in its length by some writers only.
        if lines > (2 if may_be_blank else 1):
            self._sink("arc_separator", offset, expected="one line end", found=f"{lines} line ends")
        return True

    def _go_on(self, stream: Stream) -> None:
        stream.skip_to(_RECORD_LINE, _RECORD_LINE_LENGTH)


def _line(stream: Stream) -> bytes:
    """Return the line that comes next, its end included where it has one; nothing is taken."""
    size = 1 << 10
    while True:
        near = stream.peek(size)
        end = near.find(b"\n") + 1
        if end or len(near) < size or size >= _LINE_LIMIT:
            return near[:end] if end else near
        size <<= 2


def _kind(is_version: bool) -> str:
    return "a version block" if is_version else "a document"


def _illegal(name: str, value: bytes) -> str | None:
    """Return what a field should be, None where it is."""
    text = value.decode("utf-8", "replace")
    if name == "URL":
        return "an address without spaces" if b" " in value else None
    if name == "IP-address":
        legal = value in _NO_ADDRESS or legal_address(text)
        return None if legal else "an IP address"
    if name == "Archive-date":
        date = f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:]}Z"
        legal = len(value) == 14 and value.isdigit() and legal_date(date, "WARC/1.0")
        return None if legal else "YYYYMMDDhhmmss"
    if name == "Content-type":
        legal = value == b"no-type" or (b"/" in value and b" " not in value)
        return None if legal else "a media type or no-type"
    if name == "Result-code":
        return None if len(value) == 3 and value.isdigit() else "three digits"
    if name == "Offset":
        return None if value.isdigit() else "a number"
    return None
