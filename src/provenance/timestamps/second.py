"""Have a second program, rfc3161-client with its own OpenSSL, check signature and chain. Pure.

It checks, at the token's own time, that the signature holds and that a chain leads to a self-signed
trusted certificate. What it leaves out is checked in `timestamp`: that the token names the signer's
certificate (it compares nothing with ESSCertID), that time-stamping is the certificate's only
purpose, and trust in a certificate that is not self-signed.

Source: rfc3161-client 1.0.9, `verify.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from provenance.timestamps.cms import RSA_PSS
from provenance.timestamps.tsp import Token, write_response


def objection(token: Token, chain: Sequence[x509.Certificate]) -> str | None:
    """Return what the second program holds against a token and its chain, or None.

    `chain` leads from the signer's certificate to a trusted one, which is trusted here too.

    None too where it cannot tell: it reads fewer forms of tokens, does not know
    RSASSA-PSS (OpenSSL's PKCS #7), and trusts self-signed certificates only.
    """
    unknown = token.signed.signer.signature_algorithm == RSA_PSS
    if unknown or chain[-1].subject != chain[-1].issuer:
        return None
    held = [each.public_bytes(Encoding.DER) for each in chain]
    try:
        response = decode_timestamp_response(write_response(token, held))
    except ValueError:
        return None
    verifier = VerifierBuilder(roots=[chain[-1]]).build()
    try:
        verifier.verify(response, token.info.imprint)
    except (VerificationError, ValueError) as fault:
        return str(fault)
    return None
