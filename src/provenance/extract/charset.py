"""Choose the charset of a text and decode it. Pure; the only door to the charset detector.

The order, the first that fits being taken:
(1) a byte order mark;
(2) what HTTP declares; (3) what the document declares;
(4) UTF-8, where the bytes are valid UTF-8;
(5) what the detector says; (6) windows-1252.

A declaration is set aside in two cases only. Where every byte beyond ASCII is part of valid UTF-8,
at least sixteen characters of it under a multi-byte declaration: a text that was meant otherwise is
practically never that. And where more than a tenth of the characters beyond ASCII that it yields
are U+FFFD; then the next that decodes better is taken, and if none does, the declaration stands.
Source: HTML Standard §13.2.3.2 (1 to 3); 4 to 6 and the exceptions are ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from provenance.extract.labels import decode, is_single_byte, name_of

PRESCAN_BYTES: Final = 1024
_SAMPLE_BYTES: Final = 2**17
_UTF8_LEADS: Final = bytes(range(0xC0, 0x100))
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16be"), (b"\xff\xfe", "utf-16le"))
_ESCAPE_JP = re.compile(rb"\x1b(?:\$[@B]|\([BJI])")
_BEYOND_ASCII = re.compile("[^\0-\x7f]+")
# What the detector is believed in, and the standard's name for it. KOI8-U and GB18030 hold the
# sets it names; its "mac-cyrillic" is in practice short Windows-1251. Its further answers are rare
# charsets, right less often than windows-1252 is.
_DETECTED: Final = {
    "big5": "big5",
    "cp1250": "windows-1250",
    "cp1251": "windows-1251",
    "cp1252": "windows-1252",
    "cp1253": "windows-1253",
    "cp1255": "windows-1255",
    "cp1256": "windows-1256",
    "cp1257": "windows-1257",
    "cp1258": "windows-1258",
    "cp949": "euc-kr",
    "euc_jp": "euc-jp",
    "gb18030": "gb18030",
    "gb2312": "gb18030",
    "ibm866": "ibm866",
    "iso2022_jp": "iso-2022-jp",
    "iso8859-1": "windows-1252",
    "iso8859-2": "iso-8859-2",
    "iso8859-4": "iso-8859-4",
    "iso8859-5": "iso-8859-5",
    "iso8859-6": "iso-8859-6",
    "iso8859-7": "iso-8859-7",
    "iso8859-8": "iso-8859-8",
    "iso8859-9": "windows-1254",
    "iso8859-11": "windows-874",
    "iso8859-13": "iso-8859-13",
    "iso8859-15": "iso-8859-15",
    "koi8-r": "koi8-u",
    "mac-cyrillic": "windows-1251",
    "shift_jis": "shift_jis",
    "tis-620": "windows-874",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A text and the name of the charset it was decoded by."""

    text: str
    charset: str


def decode_text(
    raw: bytes, *, http: str | None, declared: Callable[[bytes], str | None] = lambda _: None
) -> Decoded:
    """Decode `raw`; `http` is the label HTTP gave, `declared` finds the document's own.

    Either may be a label of any spelling; one that the standard does not know counts for nothing.
    """
    for mark, name in _BOMS:
        if raw.startswith(mark):  # (1)
            return Decoded(text=decode(raw[len(mark) :], name), charset=name)
    first: Decoded | None = None
    for name in _candidates(raw, name_of(http), name_of(declared(raw[:PRESCAN_BYTES]))):
        if name in {"utf-16be", "utf-16le"}:
            name = _utf16_or_utf8(raw, name)
        found = Decoded(text=decode(raw, name), charset=name)
        if _is_sound(found.text):
            return found
        first = first or found
    return first or Decoded(text=decode(raw, "windows-1252"), charset="windows-1252")


def _candidates(raw: bytes, http: str | None, own: str | None) -> Iterator[str]:
    said = [name for name in (http, own) if name]  # (2) (3)
    valid = _is_utf8(raw)
    if valid and (not said or _is_utf8_all_the_same(raw, said[0])):
        yield "utf-8"
    yield from said
    if valid:
        yield "utf-8"  # (4)
    detected = _detect(raw)
    if detected is not None:
        yield detected  # (5)
    if not said:
        yield "windows-1252"  # (6)


def _is_utf8(raw: bytes) -> bool:
    if raw.isascii():
        return _ESCAPE_JP.search(raw) is None
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        # A body cut inside its last character is still UTF-8.
        return fault.reason == "unexpected end of data" and fault.start > 0
    return True


def _is_utf8_all_the_same(raw: bytes, declared: str) -> bool:
    if raw.isascii() or declared.startswith("utf-"):
        return False
    if is_single_byte(declared):
        return True
    # One character of GBK in five or so is valid UTF-8 as well; sixteen in a row are not.
    sample = raw[:_SAMPLE_BYTES]
    return len(sample) - len(sample.translate(None, _UTF8_LEADS)) >= 16


def _is_sound(text: str) -> bool:
    broken = text.count("\ufffd")
    if not broken:
        return True
    return broken * 10 <= sum(map(len, _BEYOND_ASCII.findall(text)))


def _utf16_or_utf8(raw: bytes, name: str) -> str:
    # A text that is UTF-16 in truth has a zero byte beside each character of markup.
    return name if b"\0" in raw[:PRESCAN_BYTES] else "utf-8"


def _detect(raw: bytes) -> str | None:
    from resiliparse.parse.encoding import detect_encoding

    said = detect_encoding(raw, max_len=_SAMPLE_BYTES, html5_compatible=False)
    return _DETECTED.get((said or "").lower())
