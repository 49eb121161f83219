"""Have a second program, rfc3161-client with its own OpenSSL, check signature and chain. Pure.

It checks, at the token's own time, that the signature holds and that a chain leads to a self-signed
trusted certificate. What it leaves out is checked in `timestamp`: that the token names the signer's
certificate (it compares nothing with ESSCertID), that time-stamping is the certificate's only
purpose, and trust in a certificate that is not self-signed.

Source: rfc3161-client 1.0.9, `verify.py`.
"""

from __future__ import annotations

from cryptography import x509
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from provenance.log.signature import ED25519, RSA_PSS
from provenance.log.tsp import Token, write_response


def objection(token: Token, anchor: x509.Certificate) -> str | None:
    """Return what the second program holds against a token whose chain ends at `anchor`, or None.

    None too where it cannot tell: it reads fewer forms of tokens, knows neither RSASSA-PSS nor
    Ed25519 (OpenSSL's PKCS #7), and trusts self-signed certificates only.
    """
    algorithm = token.signed.signer.signature_algorithm
    if algorithm in (RSA_PSS, ED25519) or anchor.subject != anchor.issuer:
        return None
    try:
        response = decode_timestamp_response(write_response(token))
    except ValueError:
        return None
    verifier = VerifierBuilder(roots=[anchor]).build()
    try:
        verifier.verify(response, token.info.imprint)
    except (VerificationError, ValueError) as fault:
        return str(fault)
    return None
