"""Name the parts of a WARC record and parse its header. Pure: opens no file.

Source: WARC 1.1 (ISO 28500:2017) §4 (file and record model), §5 (named fields), §6 (record types).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from provenance.errors import WarcFormatError

HEADER_LIMIT = 1 << 20
"""Bytes a record header may have."""

PROFILE_IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
PROFILE_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
CONFORMS_TO = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"

_PLAIN = re.compile(rb"WARC/(\d+\.\d+)\r\n((?:[!-9;-~]+: [!-~](?:[ -~]*[!-~])?\r\n)*)\r\n\Z")
_VERSION = re.compile(rb"WARC/(\d+\.\d+)\r?\n\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHeader:
    """The version and named fields of a record, in file order; `raw` is the header as stored.

    `raw` runs from `WARC/` through the empty line.
    """

    version: str
    fields: tuple[tuple[str, str], ...]
    raw: bytes
    _first: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A field is asked for by name a dozen times for each record.
        first = {name.lower(): value for name, value in reversed(self.fields)}
        object.__setattr__(self, "_first", first)

    def value(self, name: str) -> str | None:
        """Return the first value of the field, or None."""
        return self._first.get(name.lower())

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of the field, in order."""
        wanted = name.lower()
        if wanted not in self._first:
            return ()
        return tuple(value for key, value in self.fields if key.lower() == wanted)

    @property
    def type(self) -> str:
        """The WARC-Type, `""` when it is missing."""
        return self.value("WARC-Type") or ""

    @property
    def record_id(self) -> str:
        """The WARC-Record-ID without its angle brackets, `""` when it is missing."""
        return strip_brackets(self.value("WARC-Record-ID") or "")

    @property
    def date(self) -> str | None:
        """The WARC-Date as written."""
        return self.value("WARC-Date")

    @property
    def target_uri(self) -> str | None:
        """The WARC-Target-URI, without the angle brackets that some writers add."""
        uri = self.value("WARC-Target-URI")
        return strip_brackets(uri) if uri is not None else None

    @property
    def content_length(self) -> int | None:
        """The block's size in bytes, or None when the field is missing or no number."""
        value = self.value("Content-Length") or ""
        return int(value) if re.fullmatch(r"[0-9]{1,18}", value) else None

    @property
    def concurrent_to(self) -> tuple[str, ...]:
        """The record ids of WARC-Concurrent-To, without angle brackets."""
        return tuple(strip_brackets(value) for value in self.values("WARC-Concurrent-To"))


def strip_brackets(value: str) -> str:
    """Return `value` without one pair of surrounding angle brackets."""
    return value[1:-1] if value.startswith("<") and value.endswith(">") else value


def parse_header(
    raw: bytes, *, where: str | None = None, offset: int | None = None
) -> RecordHeader:
    """Parse a record header, from `WARC/` through the empty line.

    Bare LF line ends and folded lines are read, as other tools do; strictness is `verify`'s matter.
    Field text that is no UTF-8 is read as Latin-1.

    Raises:
        WarcFormatError: the first line is no WARC version.

    Source: WARC 1.1 §4.
    """
    if (plain := _parse_plain(raw)) is not None:
        return plain
    lines = raw.splitlines(keepends=True) if b"\r" not in raw else raw.split(b"\n")
    lines = [line.rstrip(b"\r\n") for line in lines]
    match = _VERSION.match(lines[0] + b"\n") if lines else None
    if not match:
        raise WarcFormatError(
            "not a WARC record",
            where=where,
            offset=offset,
            expected="a line WARC/1.0 or WARC/1.1",
            found=repr(raw[:40]),
        )
    return RecordHeader(version=match[1].decode(), fields=_fields(lines[1:]), raw=raw)


def _parse_plain(raw: bytes) -> RecordHeader | None:
    """Parse a header in the form that nearly all have: ASCII, CR LF, a space after each colon."""
    match = _PLAIN.match(raw)
    if match is None:
        return None
    lines = match[2].decode("ascii").split("\r\n")[:-1]
    fields = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
    return RecordHeader(version=match[1].decode(), fields=fields, raw=raw)


def _fields(lines: Iterable[bytes]) -> tuple[tuple[str, str], ...]:
    fields: list[tuple[str, list[str]]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1][1].append(_text(line.strip()))
        elif b":" in line:
            name_raw, value_raw = line.split(b":", 1)
            fields.append((_text(name_raw.strip()), [_text(value_raw.strip())]))
    return tuple((name, unfolded(*values)) for name, values in fields)


def unfolded(value: str, *more: str) -> str:
    """Join a value and the lines that go on with it by a space each; empty ones add none.

    Done at once, since a header may have a hundred thousand such lines.
    """
    if not more:
        return value
    parts = [f"{value} {more[0]}".strip()]
    for line in more[1:]:
        if parts == [""]:
            parts = [line.strip()]
        elif line := line.rstrip():
            parts.append(line)
    return " ".join(parts)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
