"""Name bytes by SHA-256 in the forms the tool reads and writes. Pure: opens no file."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import NewType

from provenance.errors import UsageError

Digest = NewType("Digest", str)
"""A labelled digest, `sha256:` and 64 lower-case hexadecimal digits."""

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}\Z")
_HEX_PREFIX = re.compile(r"[0-9a-f]{8,64}\Z")
_NI = re.compile(r"ni:///?(?:[^/]*/)?sha-256;([A-Za-z0-9_-]{43})\Z")
_WELL_KNOWN = re.compile(r".*/\.well-known/ni/sha-256/([A-Za-z0-9_-]{43})\Z")


def digest_of(raw: bytes) -> Digest:
    """Return the digest of `raw`.

    >>> digest_of(b"")
    'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    """
    return from_hex(hashlib.sha256(raw).hexdigest())


def from_hex(hexadecimal: str) -> Digest:
    """Label 64 hexadecimal digits; raise `UsageError` for anything else."""
    return parse_digest(f"sha256:{hexadecimal.lower()}")


def parse_digest(text: str) -> Digest:
    """Return `text` as a `Digest`, or raise `UsageError`."""
    if not _SHA256.match(text):
        raise UsageError(
            "not a digest", expected="sha256: and 64 lower-case hex digits", found=repr(text)
        )
    return Digest(text)


def hex_of(digest: Digest) -> str:
    """Return the 64 hexadecimal digits, as `sha256sum` prints them."""
    return digest.removeprefix("sha256:")


def to_hash_uri(digest: Digest) -> str:
    """Return the `hash://sha256/…` form."""
    return f"hash://sha256/{hex_of(digest)}"


def to_ni(digest: Digest) -> str:
    """Return the `ni:` form.

    Source: RFC 6920 §3 (base64url without padding).
    """
    return f"ni:///sha-256;{to_base64url(digest)}"


def to_base64url(digest: Digest) -> str:
    """Return the digest's 32 bytes as unpadded base64url, 43 characters."""
    return base64.urlsafe_b64encode(bytes.fromhex(hex_of(digest))).rstrip(b"=").decode()


def prefix_of(text: str) -> str | None:
    """Return the hex prefix (8 to 64 digits) that `text` gives in any known form, or None.

    Accepted: plain hex, `sha256:…`, `hash://sha256/…`, `ni:///sha-256;…` and a well-known `ni` URL.
    """
    for pattern in (_NI, _WELL_KNOWN):
        if match := pattern.match(text):
            return base64.urlsafe_b64decode(match[1] + "=").hex()
    bare = text.removeprefix("hash://sha256/").removeprefix("sha256:").lower()
    return bare if _HEX_PREFIX.match(bare) else None
