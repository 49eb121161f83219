"""Read which certificates a person trusts, from the PEM file that the person gives. Pure.

There is no list of one's own: without a file nothing is trusted, and what is checked against
nothing says so (`timestamp.Authority.NOT_CHECKED`).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from provenance.errors import UsageError
from provenance.timestamps.chain import load_certificate, without_warnings

MAX_PEM_BYTES = 10_000_000

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----\s(.*?)-----END \1-----", re.DOTALL)
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """The certificates that are trusted without proof, each in DER; none of them is checked."""

    certificates: tuple[bytes, ...]


NO_ANCHORS = Anchors(certificates=())


def parse_anchors(raw: bytes, *, where: str) -> Anchors:
    """Return the certificates of a PEM file, at least one; text around the blocks is passed over.

    Raises:
        UsageError: there is none, one cannot be read, or the file holds something else too.

    Source: RFC 7468 §5.
    """
    found = parse_pem(raw, where=where)
    if not found:
        raise UsageError(
            "no certificate",
            where=where,
            expected="PEM: -----BEGIN CERTIFICATE-----",
            hint="Get the authority's root certificate from the authority, in PEM.",
        )
    return Anchors(certificates=tuple(dict.fromkeys(found)))


def parse_pem(raw: bytes, *, where: str) -> tuple[bytes, ...]:
    """Return each certificate of a PEM text in DER, in order.

    Raises:
        UsageError: one cannot be read, or the text holds something else too.
    """
    if len(raw) > MAX_PEM_BYTES:
        raise UsageError(
            "too large for a file of certificates",
            where=where,
            expected=f"at most {MAX_PEM_BYTES} bytes",
            found=f"{len(raw)} bytes",
        )
    found = []
    for number, (label, text) in enumerate(_BLOCK.findall(raw), 1):
        if label not in _CERTIFICATES:
            raise UsageError(
                f"block {number} is no certificate", where=where, found=label.decode().lower()
            )
        try:
            certificate = base64.b64decode(b"".join(text.split()), validate=True)
        except binascii.Error:
            certificate = b""
        with without_warnings():
            readable = load_certificate(certificate) is not None
        if not readable:
            raise UsageError(f"certificate {number} cannot be read", where=where)
        found.append(certificate)
    return tuple(found)


def format_pem(certificates: tuple[bytes, ...]) -> bytes:
    """Return certificates, each in DER, as PEM.

    Source: RFC 7468 §5.1.
    """
    lines = []
    for certificate in certificates:
        text = base64.b64encode(certificate).decode()
        lines += ["-----BEGIN CERTIFICATE-----"]
        lines += [text[at : at + 64] for at in range(0, len(text), 64)]
        lines += ["-----END CERTIFICATE-----"]
    return "".join(f"{line}\n" for line in lines).encode()
