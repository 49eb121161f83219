"""Check that a token's signature is by a certificate's key, and that the token names it. Pure."""

from __future__ import annotations

import hashlib
import hmac

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from provenance.timestamps.cms import HASHES, RSA_PSS, Signer

_HASH: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}

_RSA = {
    "1.2.840.113549.1.1.1": None,
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_ECDSA = {
    "1.2.840.10045.2.1": None,
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
"""Signature algorithms, with the hash function that they name, if any."""


def is_signer(certificate: x509.Certificate, signer: Signer) -> bool:
    """Say whether a token's signer says that this is its certificate.

    Source: RFC 5652 §5.3 (SignerIdentifier).
    """
    if signer.key_id is None:
        same = certificate.issuer.public_bytes() == signer.issuer
        return same and certificate.serial_number == signer.serial
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return named.value.digest == signer.key_id


def names_certificate(signer: Signer, certificate: bytes) -> bool:
    """Say whether each signed reference to the signer's certificate is to this one, in DER.

    False where there is none. SHA-1 stands in references of the first version by definition; what
    it protects from is another certificate for the same key.

    Source: RFC 5816 §2.2.1; RFC 5035 §5.4; RFC 3161 §2.4.2.
    """
    return bool(signer.certificate_hashes) and all(
        name in ("sha1", *HASHES.values())
        and hmac.compare_digest(hashlib.new(name, certificate).digest(), digest)
        for name, digest in signer.certificate_hashes
    )


def holds(certificate: x509.Certificate, signer: Signer, content: bytes) -> bool:
    """Say whether the signature is by the certificate's key, over attributes that name `content`.

    False too for a hash function or signature algorithm that is not accepted.

    Source: RFC 5652 §5.4 and §5.6; RFC 5754; RFC 4056.
    """
    name = HASHES.get(signer.digest_algorithm)
    if name is None:
        return False
    if not hmac.compare_digest(hashlib.new(name, content).digest(), signer.message_digest):
        return False
    try:
        return _verify(certificate, signer, name)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False


def _verify(certificate: x509.Certificate, signer: Signer, name: str) -> bool:
    key, algorithm = certificate.public_key(), signer.signature_algorithm
    if isinstance(key, rsa.RSAPublicKey) and _RSA.get(algorithm, "") in (None, name):
        key.verify(signer.signature, signer.signed, padding.PKCS1v15(), _HASH[name])
    elif isinstance(key, rsa.RSAPublicKey) and algorithm == RSA_PSS:
        scheme = padding.PSS(mgf=padding.MGF1(_HASH[name]), salt_length=padding.PSS.AUTO)
        key.verify(signer.signature, signer.signed, scheme, _HASH[name])
    elif isinstance(key, ec.EllipticCurvePublicKey) and _ECDSA.get(algorithm, "") in (None, name):
        key.verify(signer.signature, signer.signed, ec.ECDSA(_HASH[name]))
    else:
        return False
    return True
