"""Choose the charset of a text and decode it. Pure; the only door to the charset detector.

The order, the first that fits being taken:
(1) a byte order mark;
(2) what HTTP declares; (3) what the document declares;
(4) UTF-8, where the bytes are valid UTF-8;
(5) what the detector says; (6) windows-1252.

A declaration is set aside in two cases only. A single-byte one, when every byte beyond ASCII is
part of valid UTF-8: a text that was meant otherwise is practically never that. And any one, when
more than a tenth of the characters beyond ASCII that it yields are U+FFFD; then the next that
decodes better is taken, and if none does, the declaration stands.
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
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16be"), (b"\xff\xfe", "utf-16le"))
_ESCAPE_JP = re.compile(rb"\x1b(?:\$[@B]|\([BJI])")
_BEYOND_ASCII = re.compile("[^\0-\x7f]+")
# Names of the detector that are no label of the standard, and two that are part of a larger set.
_DETECTED = {
    "euc_jp": "euc-jp",
    "iso2022_jp": "iso-2022-jp",
    "cp949": "euc-kr",
    "mac-cyrillic": "x-mac-cyrillic",
    "koi8-r": "koi8-u",
    "gb2312": "gb18030",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A text and the name of the charset it was decoded by."""

    text: str
    charset: str


def decode_text(
    raw: bytes, *, http: str | None, declared: Callable[[bytes], str | None] = lambda _: None
) -> Decoded:
    """Decode `raw`; `http` is the label HTTP gave, `declared` finds the document's own."""
    for mark, name in _BOMS:
        if raw.startswith(mark):  # (1)
            return Decoded(text=decode(raw[len(mark) :], name), charset=name)
    first: Decoded | None = None
    for name in _candidates(raw, name_of(http), declared(raw[:PRESCAN_BYTES])):
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
    if valid and (not said or (is_single_byte(said[0]) and not raw.isascii())):
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
    lowered = (said or "").lower()
    return name_of(_DETECTED.get(lowered, lowered))
