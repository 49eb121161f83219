"""Read a record header strictly: every line that is not as the standard wants it is named. Pure.

Source: WARC 1.1 §4 (grammar), §5.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from provenance.warc.record import unfolded

LIMIT = 1 << 20
"""Bytes a record header may have."""

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_VERSIONS = (b"WARC/1.0", b"WARC/1.1")
_WELL_FORMED = re.compile(
    rb"WARC/1\.[01]\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*\r\n\Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFault:
    """One thing wrong with the lines of a header."""

    code: str
    field: str | None = None
    expected: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header as read: version, fields in order, the bytes, and what is wrong with its lines."""

    version: str
    fields: tuple[tuple[str, str], ...]
    by_name: Mapping[str, tuple[str, ...]]
    raw: bytes
    faults: tuple[HeaderFault, ...]
    folded: bool

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of the field, in order."""
        return self.by_name.get(name.lower(), ())

    def value(self, name: str) -> str | None:
        """Return the first value of the field, or None."""
        values = self.by_name.get(name.lower())
        return values[0] if values else None

    @property
    def content_length(self) -> int | None:
        """The declared block size in bytes, or None when it is missing or no number."""
        value = self.value("Content-Length") or ""
        return int(value) if re.fullmatch(r"[0-9]{1,18}", value, re.ASCII) else None


def bare(value: str | None) -> str:
    """Return a URI without its angle brackets, `""` for None."""
    if value is None:
        return ""
    return value[1:-1] if value[:1] == "<" and value[-1:] == ">" else value


def parse_strict(raw: bytes) -> Header:
    """Parse the header `raw`, from `WARC/` through the empty line, and name its faults."""
    text = _well_formed(raw)
    if text is None:
        return _parse_spoilt(raw)
    version, *lines = text[:-4].split("\r\n")
    fields = tuple((name, value.strip(" \t")) for name, _, value in map(_parted, lines))
    return _header(version, fields, raw)


def _well_formed(raw: bytes) -> str | None:
    if not _WELL_FORMED.match(raw):
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition(":")


def _header(
    version: str,
    fields: tuple[tuple[str, str], ...],
    raw: bytes,
    faults: tuple[HeaderFault, ...] = (),
    *,
    folded: bool = False,
) -> Header:
    by_name: dict[str, list[str]] = {}
    for name, value in fields:
        by_name.setdefault(name.lower(), []).append(value)
    return Header(
        version=version,
        fields=fields,
        by_name={name: tuple(values) for name, values in by_name.items()},
        raw=raw,
        faults=faults,
        folded=folded,
    )


def _parse_spoilt(raw: bytes) -> Header:
    faults: list[HeaderFault] = []
    lines = raw.split(b"\n")[:-1]
    bad_end = next((line for line in lines if not line.endswith(b"\r")), None)
    if bad_end is not None:
        faults.append(
            HeaderFault(
                code="header_line_end", expected="CR LF", found=f"LF after {_text(bad_end)}"
            )
        )
    lines = [line.removesuffix(b"\r") for line in lines]
    if lines[0] not in _VERSIONS:
        faults.append(
            HeaderFault(
                code="version_unknown", expected="WARC/1.0 or WARC/1.1", found=_text(lines[0])
            )
        )
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        found = repr(raw[error.start : error.start + 8])
        faults.append(HeaderFault(code="header_not_utf8", expected="UTF-8", found=found))
    fields, folded = _parse_fields(lines[1:-1], faults)
    return _header(_text(lines[0]), fields, raw, tuple(faults), folded=folded)


def _parse_fields(
    lines: list[bytes], faults: list[HeaderFault]
) -> tuple[tuple[tuple[str, str], ...], bool]:
    fields: list[tuple[str, list[str]]] = []
    folded = False
    for line in lines:
        if line[:1] in (b" ", b"\t") and fields:
            folded = True
            fields[-1][1].append(_text(line.strip()))
            continue
        raw_name, colon, raw_value = line.partition(b":")
        if not colon or not _NAME.match(raw_name) or _CONTROL.search(raw_value):
            faults.append(
                HeaderFault(code="header_line", expected="name: value", found=_text(line))
            )
        if colon:
            fields.append((_text(raw_name.strip()), [_text(raw_value.strip(b" \t\r"))]))
    return tuple((name, unfolded(*values)) for name, values in fields), folded


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
