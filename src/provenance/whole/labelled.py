"""Read labelled digests in every spelling that writers use, and hash bytes with them. Pure.

Source: WARC 1.1 §5.8; Base16, Base32, Base64 and base64url of RFC 4648, padded or not.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

_ALGORITHMS = {
    "md5": "md5",
    "sha1": "sha1",
    "sha224": "sha224",
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512": "sha512",
    "sha3224": "sha3_224",
    "sha3256": "sha3_256",
    "sha3384": "sha3_384",
    "sha3512": "sha3_512",
    "blake2b": "blake2b",
    "blake2s": "blake2s",
}


_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")
_SIZES = {
    name: hashlib.new(name, usedforsecurity=False).digest_size for name in _ALGORITHMS.values()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A declared digest: `algorithm` is None when unknown, `raw` None when unreadable."""

    text: str
    algorithm: str | None
    raw: bytes | None
    spelling: str = "hex"

    def says(self, raw: bytes) -> str:
        """Spell another digest of the same algorithm as this one is spelled."""
        label = self.text.partition(":")[0]
        return f"{label}:{_SPELL[self.spelling](raw)}"


def _hex(raw: bytes) -> str:
    return raw.hex()


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


_SPELL = {"hex": _hex, "base32": _base32, "base64": _base64}


def parse_labelled(text: str) -> Labelled:
    """Parse `algorithm:value`; what cannot be read is None in the result."""
    label, _, value = text.partition(":")
    algorithm = _ALGORITHMS.get(re.sub(r"[-_]", "", label.strip().lower()))
    if algorithm is None:
        return Labelled(text=text, algorithm=None, raw=None)
    size = _SIZES[algorithm]
    for spelling, raw in _readings(value.strip()):
        if len(raw) == size:
            return Labelled(text=text, algorithm=algorithm, raw=raw, spelling=spelling)
    return Labelled(text=text, algorithm=algorithm, raw=None)


def _readings(value: str) -> Iterator[tuple[str, bytes]]:
    if _HEX.match(value):
        yield "hex", bytes.fromhex(value)
    bare = value.rstrip("=")
    try:
        padded = bare.upper() + "=" * (-len(bare) % 8)
        yield "base32", base64.b32decode(padded)
    except ValueError:  # not Base32, or not even ASCII
        pass
    if re.fullmatch(r"[A-Za-z0-9+/_-]+", bare):
        try:
            padded = bare.translate(str.maketrans("-_", "+/")) + "=" * (-len(bare) % 4)
            yield "base64", base64.b64decode(padded, validate=True)
        except binascii.Error:
            pass
