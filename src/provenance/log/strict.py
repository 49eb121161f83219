"""Read and write the small parts that all texts of the log share. Pure: opens no file.

Each value has one spelling, and any other is refused, so that no byte of a signed text or of a
proof can be changed without a check failing.
"""

from __future__ import annotations

import base64
import binascii
import re

HASH_BYTES = 32
"""Length of a SHA-256 hash."""

MAX_SIZE = 2**63 - 1
"""The largest number of leaves, and the latest instant of a cosignature (C2SP tlog-cosignature)."""

_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z")


def parse_decimal(text: str) -> int | None:
    """Return the number that ASCII digits without leading zeroes give, or None.

    None for a number above `MAX_SIZE` too.

    Source: C2SP tlog-checkpoint, Note text (2).

    >>> parse_decimal("109482"), parse_decimal("0"), parse_decimal("007"), parse_decimal("+7")
    (109482, 0, None, None)
    """
    if not _DECIMAL.match(text):
        return None
    number = int(text)
    return number if number <= MAX_SIZE else None


def to_base64(raw: bytes) -> str:
    """Return the Base64 of `raw`, padded, in one line.

    Source: RFC 4648 §4.
    """
    return base64.b64encode(raw).decode("ascii")


def parse_base64(text: str) -> bytes | None:
    """Return the bytes that `text` is the Base64 of, or None where it is another spelling.

    Refused are other alphabets, missing padding, white space, and bits set that no byte takes up.

    Source: RFC 4648 §4 and §3.5.

    >>> parse_base64("AQ=="), parse_base64("AQ"), parse_base64("AR==")
    (b'\\x01', None, None)
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if to_base64(raw) == text else None


def shown(text: str, limit: int = 80) -> str:
    """Return `text` quoted and short, safe to print whatever it holds; never a private key."""
    if "PRIVATE+KEY+" in text:
        return "a private key"
    return ascii(text if len(text) <= limit else text[: limit - 1] + "…")
