"""Judge the named fields of one record header: present, single, legal, allowed. Pure.

Source: WARC 1.1 §5 (named fields) and §6 (record types).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from provenance.dates import parse_instant
from provenance.errors import UsageError
from provenance.whole.header import Header, HeaderFault

TYPES = frozenset(
    {
        "warcinfo",
        "response",
        "resource",
        "request",
        "metadata",
        "revisit",
        "conversion",
        "continuation",
    }
)
"""The record types of the standard."""

_OURS = frozenset({"warcinfo", "response", "resource", "request", "metadata", "revisit"})

_MANDATORY = ("WARC-Type", "WARC-Record-ID", "WARC-Date", "Content-Length")
_MANDATORY_FOR = {
    "response": ("WARC-Target-URI",),
    "resource": ("WARC-Target-URI",),
    "request": ("WARC-Target-URI",),
    "conversion": ("WARC-Target-URI",),
    "revisit": ("WARC-Target-URI", "WARC-Profile"),
    "continuation": ("WARC-Target-URI", "WARC-Segment-Number", "WARC-Segment-Origin-ID"),
}

_CAPTURED = frozenset({"request", "response", "resource", "metadata", "revisit"})
_POINTERS = frozenset({"metadata", "conversion", "revisit"})
_ALLOWED = {
    "warc-concurrent-to": _CAPTURED,
    "warc-ip-address": _CAPTURED,
    "warc-refers-to": _POINTERS,
    "warc-refers-to-target-uri": frozenset({"revisit"}),
    "warc-refers-to-date": frozenset({"revisit"}),
    "warc-target-uri": TYPES - {"warcinfo"},
    "warc-warcinfo-id": TYPES - {"warcinfo"},
    "warc-filename": frozenset({"warcinfo"}),
    "warc-payload-digest": TYPES - {"warcinfo", "metadata"},
    "warc-identified-payload-type": TYPES - {"warcinfo", "metadata"},
    "warc-segment-origin-id": frozenset({"continuation"}),
    "warc-segment-total-length": frozenset({"continuation"}),
}

_DEFINED = frozenset(_ALLOWED) | {
    "warc-type",
    "warc-record-id",
    "warc-date",
    "content-length",
    "content-type",
    "warc-block-digest",
    "warc-truncated",
    "warc-profile",
    "warc-segment-number",
    "warc-protocol",
    "warc-cipher-suite",
}
_REPEATABLE = frozenset({"warc-concurrent-to", "warc-protocol"})

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\x00-\x20\x7f]*\Z")
_BRACKETED = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*:[^\s<>]+>\Z")
_DATE_10 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)
_DATE_11 = re.compile(
    r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z)?)?)?\Z",
    re.ASCII,
)
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TOKEN_ONLY = re.compile(rf"{_TOKEN}\Z")
_DIGITS = re.compile(r"[0-9]{1,18}\Z")
_LABELLED = re.compile(rf"{_TOKEN}:\S+\Z")
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}(\s*;.*)?\Z")


def field_faults(header: Header, *, ours: bool) -> Iterator[HeaderFault]:
    """Yield what is wrong with the fields; `ours` adds what this tool's own files keep."""
    yield from header.faults
    kind = header.value("WARC-Type") or ""
    for name in (*_MANDATORY, *_MANDATORY_FOR.get(kind, ())):
        if name.lower() not in header.by_name:
            yield HeaderFault(code="field_missing", field=name, expected="the field", found="none")
    for key, values in header.by_name.items():
        if key in _DEFINED:
            yield from _one(header, kind, key, values)
    if ours:
        yield from _ours(header, kind)


def _one(header: Header, kind: str, key: str, values: tuple[str, ...]) -> list[HeaderFault]:
    faults = []
    if len(values) > 1 and key not in _REPEATABLE:
        faults.append(("field_repeated", "one", values[1]))
    if kind in TYPES and kind not in _ALLOWED.get(key, TYPES):
        faults.append(("field_not_allowed", f"none on a {kind} record", values[0]))
    if check := _CHECKS.get(key):
        for value in values:
            if expected := check(value, header.version):
                faults.append(("field_illegal", expected, value))
    if not faults:
        return []
    name = [name for name, _ in header.fields if name.lower() == key][-1]
    return [
        HeaderFault(code=code, field=name, expected=expected, found=found)
        for code, expected, found in faults
    ]


def _ours(header: Header, kind: str) -> Iterator[HeaderFault]:
    if header.folded:
        yield HeaderFault(code="header_folded", expected="one line for a field", found="several")
    if header.version != "WARC/1.1":
        yield HeaderFault(code="version_unknown", expected="WARC/1.1", found=header.version)
    if kind and kind not in _OURS:
        yield HeaderFault(code="type_unknown", field="WARC-Type", expected="ours", found=kind)
    wanted = ["WARC-Block-Digest", "Content-Type"]
    if kind == "revisit":
        wanted += ["WARC-Refers-To", "WARC-Refers-To-Target-URI", "WARC-Refers-To-Date"]
    for name in wanted:
        if header.value(name) is None:
            yield HeaderFault(code="field_missing", field=name, expected="the field", found="none")


def legal_date(value: str, version: str) -> bool:
    """Say whether a field of this version may hold the date."""
    return _date(value, version) is None


def legal_address(value: str) -> bool:
    """Say whether WARC-IP-Address may hold the value."""
    return _ip_address(value, "") is None


def _bracketed(value: str, _version: str) -> str | None:
    return None if _BRACKETED.match(value) else "a URI in angle brackets"


def _pointer(value: str, version: str) -> str | None:
    # The grammar of WARC 1.0 has no brackets here, that of 1.1 has.
    return _bracketed(value, version) if version == "WARC/1.1" else _either(value, version)


def _uri(value: str, version: str) -> str | None:
    if value.startswith("<") and version != "WARC/1.1":
        return _bracketed(value, version)
    return None if _URI.match(value) else "a URI without spaces"


def _either(value: str, _version: str) -> str | None:
    return None if _BRACKETED.match(value) or _URI.match(value) else "a URI"


def _date(value: str, version: str) -> str | None:
    pattern = _DATE_11 if version == "WARC/1.1" else _DATE_10
    expected = "a UTC time of the W3C profile of ISO 8601"
    if not pattern.match(value):
        return expected if version == "WARC/1.1" else "YYYY-MM-DDThh:mm:ssZ"
    if len(value) <= 7:
        value = f"{value}-01-01"[:10] if len(value) == 4 else f"{value}-01"
    try:
        parse_instant(value)
    except UsageError:
        return expected
    return None


def _ip_address(value: str, _version: str) -> str | None:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return "an IP address"
    return None


def _digits(value: str, _version: str) -> str | None:
    return None if _DIGITS.match(value) else "digits"


def _token(value: str, _version: str) -> str | None:
    return None if _TOKEN_ONLY.match(value) else "a token"


def _media_type(value: str, _version: str) -> str | None:
    return None if _MEDIA_TYPE.match(value) else "type/subtype"


def _digest(value: str, _version: str) -> str | None:
    return None if _LABELLED.match(value) else "algorithm:value"


_CHECKS: dict[str, Callable[[str, str], str | None]] = {
    "warc-type": _token,
    "warc-record-id": _bracketed,
    "warc-date": _date,
    "content-type": _media_type,
    "warc-concurrent-to": _pointer,
    "warc-refers-to": _pointer,
    "warc-refers-to-target-uri": _either,
    "warc-refers-to-date": _date,
    "warc-target-uri": _uri,
    "warc-warcinfo-id": _pointer,
    "warc-profile": _either,
    "warc-segment-origin-id": _pointer,
    "warc-segment-number": _digits,
    "warc-segment-total-length": _digits,
    "warc-ip-address": _ip_address,
    "warc-truncated": _token,
    "warc-block-digest": _digest,
    "warc-payload-digest": _digest,
    "warc-identified-payload-type": _media_type,
}
