"""Read and write the few ASN.1 types that time-stamps are made of, in DER alone. Pure.

Strict, so that one value has one spelling: a length in more bytes than needed, an indefinite
length, a padded integer or anything after the end is refused.

Source: X.690 (02/2021) §8 and §10.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OID = 0x06
UTF8_STRING = 0x0C
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

MAX_INTEGER_BYTES = 64
"""RFC 3161 §2.4.2 asks for serial numbers of 160 bits; more than 512 are nobody's."""

_TIME = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d*[1-9]))?Z\Z")
_TEXTS = {UTF8_STRING: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1E: "utf-16-be"}


class DerError(ValueError):
    """Bytes are not the DER that they should be; `str()` says what was expected."""


@dataclass(frozen=True, slots=True)
class Element:
    """One encoded value: its tag byte, its contents, and all its bytes."""

    tag: int
    body: bytes
    raw: bytes


def context(number: int, *, constructed: bool = True) -> int:
    """Return the tag byte of a context-specific tag, 0 to 30."""
    return 0x80 | (0x20 if constructed else 0) | number


def parse(raw: bytes) -> Element:
    """Return the one element that `raw` is.

    Raises:
        DerError: it is none, or more than one.
    """
    element, end = _element(raw, 0)
    if end != len(raw):
        raise DerError(f"{len(raw) - end} bytes after the end")
    return element


def children(element: Element, tag: int) -> tuple[Element, ...]:
    """Return what a constructed element of this tag holds, in order.

    Raises:
        DerError: it has another tag, or its contents are not whole elements.
    """
    found, at = [], 0
    body = expect(element, tag).body
    while at < len(body):
        child, at = _element(body, at)
        found.append(child)
    return tuple(found)


def expect(element: Element, tag: int) -> Element:
    """Return `element`, which has this tag.

    Raises:
        DerError: it has another.
    """
    if element.tag != tag:
        raise DerError(f"tag 0x{tag:02x} expected, 0x{element.tag:02x} found")
    return element


def exactly(count: int, elements: tuple[Element, ...]) -> tuple[Element, ...]:
    """Return `elements`, which are this many; raise `DerError` where they are not."""
    if len(elements) != count:
        raise DerError(f"{count} expected, {len(elements)} found")
    return elements


class Fields:
    """The fields of a SEQUENCE, taken one after another."""

    def __init__(self, element: Element, tag: int = SEQUENCE) -> None:
        self._left = list(children(element, tag))

    def take(self, tag: int | None = None) -> Element:
        """Return the next field, which has this tag where one is given.

        Raises:
            DerError: there is none, or it has another tag.
        """
        if not self._left:
            raise DerError("a field is missing")
        first = self._left.pop(0)
        return first if tag is None else expect(first, tag)

    def maybe(self, tag: int) -> Element | None:
        """Return the next field if it has this tag, or None and leave it."""
        return self._left.pop(0) if self._left and self._left[0].tag == tag else None

    def end(self) -> None:
        """Check that nothing is left.

        Raises:
            DerError: something is.
        """
        if self._left:
            raise DerError(f"{len(self._left)} fields too many")


def read_integer(element: Element, tag: int = INTEGER) -> int:
    """Return a whole number, negative ones too.

    Raises:
        DerError: it is none, or longer than is read.
    """
    body = expect(element, tag).body
    if not 1 <= len(body) <= MAX_INTEGER_BYTES:
        raise DerError(f"an integer of {len(body)} bytes")
    if len(body) > 1 and (body[0], body[1] >> 7) in ((0, 0), (0xFF, 1)):
        raise DerError("an integer with padding")
    return int.from_bytes(body, "big", signed=True)


def read_boolean(element: Element) -> bool:
    """Return TRUE or FALSE; raise `DerError` for anything else."""
    body = expect(element, BOOLEAN).body
    if body not in (b"\x00", b"\xff"):
        raise DerError("neither TRUE nor FALSE")
    return body == b"\xff"


def read_oid(element: Element) -> str:
    """Return an object identifier as dotted digits.

    Raises:
        DerError: it is none.

    >>> read_oid(parse(bytes.fromhex("0603550403")))
    '2.5.4.3'
    """
    body = expect(element, OID).body
    if not body or body[-1] & 0x80 or len(body) > MAX_INTEGER_BYTES:
        raise DerError("not an object identifier")
    arcs, arc, fresh = [], 0, True
    for byte in body:
        if fresh and byte == 0x80:
            raise DerError("an object identifier with padding")
        arc = arc << 7 | byte & 0x7F
        fresh = not byte & 0x80
        if fresh:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read_time(element: Element) -> datetime:
    """Return an instant in UTC; a fraction finer than a microsecond is rounded up.

    Rounded up, since what is dated to an instant existed by then, and not before.

    Raises:
        DerError: it is none, or a leap second.

    Source: RFC 3161 §2.4.2 (GeneralizedTime in Zulu, the fraction without trailing zeroes).
    """
    match = _TIME.match(expect(element, GENERALIZED_TIME).body)
    if match is None:
        raise DerError("not a time as YYYYMMDDhhmmss[.f]Z")
    fraction = (match[7] or b"").decode()
    try:
        year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
        whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        micros = int(fraction[:6].ljust(6, "0")) + (1 if fraction[6:] else 0)
        return whole + timedelta(microseconds=micros)
    except (ValueError, OverflowError):
        raise DerError("a time that no calendar has") from None


def read_text(element: Element) -> str | None:
    """Return the text of a string type, or None where it is none or cannot be decoded."""
    try:
        return element.body.decode(_TEXTS[element.tag])
    except (KeyError, UnicodeDecodeError):
        return None


def write(tag: int, *parts: bytes) -> bytes:
    """Return an element of this tag that holds `parts`, one after another."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def write_integer(number: int) -> bytes:
    """Return a whole number that is not negative.

    >>> write_integer(128).hex()
    '02020080'
    """
    return write(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def write_oid(dotted: str) -> bytes:
    """Return an object identifier.

    >>> write_oid("2.5.4.3").hex()
    '0603550403'
    """
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return write(OID, *(_base128(arc) for arc in (40 * first + second, *rest)))


def _base128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc := arc >> 7:
        digits.append(arc & 0x7F | 0x80)
    return bytes(reversed(digits))


def _element(raw: bytes, start: int) -> tuple[Element, int]:
    head = raw[start : start + 2]
    if len(head) < 2:
        raise DerError("cut short")
    tag, size = head
    at = start + 2
    if tag & 0x1F == 0x1F:
        raise DerError("a tag of more than one byte")
    if size & 0x80:
        count = size & 0x7F
        length = raw[at : at + count]
        if not 1 <= count <= 4 or len(length) < count:
            raise DerError("not a definite length")
        size, at = int.from_bytes(length, "big"), at + count
        if size < 0x80 or not length[0]:
            raise DerError("a length in more bytes than needed")
    end = at + size
    if end > len(raw):
        raise DerError("cut short")
    return Element(tag, raw[at:end], raw[start:end]), end
