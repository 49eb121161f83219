"""Build the chain from a signer's certificate to a trusted one, valid at an instant. Pure.

The verifier of the cryptography package cannot do this: it knows servers and clients of TLS alone.
What is checked, for the signer and each certificate above it:

1. The issuer's name and signature fit; no certificate comes twice; the chain is short.
2. It was valid at the instant.
3. No critical extension is unknown here.
4. An issuer is an authority (basicConstraints), may sign certificates (keyUsage), and has no more
   authorities below it than it may (pathLenConstraint).
5. An issuer that is limited to purposes (extendedKeyUsage) may issue for time-stamping.
6. Neither a hash function nor a key is one that signatures can be forged with today.

The last certificate is a trusted one, whatever stands above it. Its own signature is not checked:
that it is trusted needs no proof. Constraints on names and mapped policies are not evaluated: a
certificate with either is refused. Revocation is not checked.

Source: RFC 5280 §6.1 and §4.2; RFC 3161 §2.3.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from provenance.dates import format_seconds

MAX_CHAIN = 10
"""Certificates in a chain, both ends included."""

MAX_TRIES = 200
"""Signatures that are verified at most in search of a chain; a token cannot make it a burden."""

MIN_RSA_BITS = 2048
MIN_CURVE_BITS = 224

_FORGEABLE = ("md2", "md4", "md5", "sha1")

_READ_HERE = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.CertificatePolicies,
    x509.SubjectAlternativeName,
    x509.IssuerAlternativeName,
)
"""The extensions that may be critical."""


T = TypeVar("T", bound=x509.ExtensionType)


class ChainError(ValueError):
    """No chain holds; `str()` says what is missing or wrong."""


class NotValidThenError(ChainError):
    """A certificate was not valid at the instant."""


def build_chain(
    signer: x509.Certificate,
    others: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    *,
    at: datetime,
) -> tuple[x509.Certificate, ...]:
    """Return the chain from `signer` to one of `anchors`, both included.

    `others` are certificates that may stand between, trusted in nothing.

    Raises:
        ChainError: there is no such chain, for the reason of the one that came furthest.
    """
    search = _Search(others, anchors, at)
    check_certificate(signer, at)
    if signer in anchors:
        return (signer,)
    found = search.above((signer,))
    if found is None:
        raise search.fault
    return found


class _Search:
    """A search for a chain, depth first; `fault` is what was wrong where it came furthest."""

    def __init__(
        self,
        others: Sequence[x509.Certificate],
        anchors: Sequence[x509.Certificate],
        at: datetime,
    ) -> None:
        self.anchors = anchors
        self.candidates = (*anchors, *(each for each in others if each not in anchors))
        self.at = at
        self.tries = 0
        self.depth = 0
        self.fault = ChainError("no chain")

    def above(self, chain: tuple[x509.Certificate, ...]) -> tuple[x509.Certificate, ...] | None:
        """Return `chain` grown up to an anchor, or None."""
        last = chain[-1]
        self.note(
            len(chain), ChainError(f"no trusted certificate issued {shown_name(last.subject)}")
        )
        for candidate in self.candidates:
            if candidate.subject != last.issuer or candidate in chain:  # (1)
                continue
            self.tries += 1
            if self.tries > MAX_TRIES or len(chain) == MAX_CHAIN:
                self.note(MAX_CHAIN + 1, ChainError("the chain of certificates is too long"))
                return None
            try:
                check_issued(last, candidate)
                check_certificate(candidate, self.at)
                check_issuer(candidate, chain, trusted=candidate in self.anchors)
            except ChainError as fault:
                self.note(len(chain) + 1, fault)
                continue
            grown = (*chain, candidate)
            if candidate in self.anchors:
                return grown
            if found := self.above(grown):
                return found
        return None

    def note(self, depth: int, fault: ChainError) -> None:
        """Keep the fault of the longest chain tried, the first of equals."""
        if depth > self.depth:
            self.depth, self.fault = depth, fault


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep the library from writing to stderr of odd names and numbers in certificates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def load_certificate(raw: bytes) -> x509.Certificate | None:
    """Return a certificate whose names, dates and extensions can be read, or None."""
    try:
        certificate = x509.load_der_x509_certificate(raw)
        shown_name(certificate.subject)
        shown_name(certificate.issuer)
        extensions_of(certificate)
        return certificate if certificate.not_valid_before_utc else None
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        return None


def check_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """Check that `issuer` signed `certificate`, with a hash function that holds today.

    Raises:
        ChainError: it did not.

    Source: RFC 5280 §6.1.3 (a)(1) and (a)(4).
    """
    name = shown_name(certificate.subject)
    try:
        function = certificate.signature_hash_algorithm
        if function is not None and function.name in _FORGEABLE:  # (6)
            raise ChainError(f"the certificate of {name} is signed with {function.name}")
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as fault:
        if isinstance(fault, ChainError):
            raise
        raise ChainError(
            f"{shown_name(issuer.subject)} did not sign the certificate of {name}"
        ) from None


def check_certificate(certificate: x509.Certificate, at: datetime) -> None:
    """Check what holds for each certificate of a chain: validity, extensions, key.

    Raises:
        ChainError: something does not hold.

    Source: RFC 5280 §6.1.3 (a)(2) and §6.1.4 (o).
    """
    name = shown_name(certificate.subject)
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:  # (2)
        raise NotValidThenError(
            f"the certificate of {name} was not valid at {format_seconds(at)}, but from "
            f"{format_seconds(certificate.not_valid_before_utc)} to "
            f"{format_seconds(certificate.not_valid_after_utc)}"
        )
    for extension in extensions_of(certificate):  # (3)
        constrains = isinstance(extension.value, x509.NameConstraints)
        if constrains or (extension.critical and not isinstance(extension.value, _READ_HERE)):
            raise ChainError(
                f"the certificate of {name} has an extension that is not evaluated here: "
                f"{extension.oid.dotted_string}"
            )
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise ChainError(f"the key of {name} is of no known kind") from None
    elliptic = isinstance(key, ec.EllipticCurvePublicKey)
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey | ec.EllipticCurvePublicKey):
        least = MIN_CURVE_BITS if elliptic else MIN_RSA_BITS
        if key.key_size < least:  # (6)
            raise ChainError(f"the key of {name} is too short: {key.key_size} bits")


def check_issuer(
    issuer: x509.Certificate, below: Sequence[x509.Certificate], *, trusted: bool
) -> None:
    """Check that `issuer` may issue the last of `below`, with all that stand there under it.

    A trusted certificate of X.509 version 1, which has no extensions, is taken for an authority.

    Raises:
        ChainError: it may not.

    Source: RFC 5280 §6.1.4 (k) to (n), §4.2.1.9 and §4.2.1.12.
    """
    name = shown_name(issuer.subject)
    basic = extension_of(issuer, x509.BasicConstraints)
    if not (trusted and issuer.version is x509.Version.v1) and not (
        basic and basic.value.ca
    ):  # (4)
        raise ChainError(f"{name} is no certificate authority")
    usage = extension_of(issuer, x509.KeyUsage)
    if usage and not usage.value.key_cert_sign:
        raise ChainError(f"{name} may not sign certificates")
    between = sum(each.subject != each.issuer for each in below[1:])
    if basic and basic.value.path_length is not None and between > basic.value.path_length:
        raise ChainError(
            f"{name} may have no more than {basic.value.path_length} authorities below"
        )
    purposes = extension_of(issuer, x509.ExtendedKeyUsage)
    allowed = {Purpose.TIME_STAMPING, Purpose.ANY_EXTENDED_KEY_USAGE}
    if purposes and allowed.isdisjoint(purposes.value):  # (5)
        raise ChainError(f"{name} may not issue for time-stamping")


def extension_of(certificate: x509.Certificate, kind: type[T]) -> x509.Extension[T] | None:
    """Return the extension of this kind, or None.

    Raises:
        ChainError: the extensions cannot be read.
    """
    try:
        return extensions_of(certificate).get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def extensions_of(certificate: x509.Certificate) -> x509.Extensions:
    """Return the extensions of a certificate.

    Raises:
        ChainError: they cannot be read, or one comes twice.
    """
    try:
        return certificate.extensions
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        raise ChainError(
            f"the extensions in the certificate of {shown_name(certificate.subject)} cannot be read"
        ) from None


def shown_name(name: x509.Name) -> str:
    """Return a certificate's name, short and safe to print whatever it holds."""
    text = name.rfc4514_string()
    return ascii(text if len(text) <= 120 else f"{text[:119]}…")
