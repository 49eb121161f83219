"""Put what goes wrong on the way to an answer into a stable word and a detail for people."""

from __future__ import annotations

import ssl
from http.client import HTTPException

import requests
from urllib3.exceptions import HTTPError

from provenance.exchange.values import Fault


class ExchangeFault(OSError):
    """The exchange cannot go on; carries the `Fault`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(reason=reason, detail=detail)


TransportError = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)
"""What an exchange may raise for what a server does; `fault_of` puts it into words."""

TLS_WORDS = (
    "expired",
    "not_yet_valid",
    "self_signed",
    "unknown_authority",
    "wrong_host",
    "certificate",
    "protocol",
    "client_certificate",
    "closed",
    "other",
)
"""The words that the detail of a `tls` fault opens with.

`certificate` is any other fault of the server's chain; `protocol` a version, cipher or message that
the two sides do not share (or, up to TLS 1.2, a client certificate that the server misses);
`client_certificate` one that it misses or refuses; `closed` a connection that ended during the
handshake.
"""

_VERIFY_WORDS = {
    2: "unknown_authority",
    9: "not_yet_valid",
    10: "expired",
    18: "self_signed",
    19: "unknown_authority",
    20: "unknown_authority",
    21: "unknown_authority",
    62: "wrong_host",
    64: "wrong_host",
}
"""X.509 verification codes of OpenSSL (x509_vfy.h)."""

_ALERT_WORDS = (
    ("CERTIFICATE_REQUIRED", "client_certificate"),
    ("ALERT_BAD_CERTIFICATE", "client_certificate"),
    ("ALERT_UNKNOWN_CA", "client_certificate"),
    ("ALERT_CERTIFICATE", "client_certificate"),
    ("UNRECOGNIZED_NAME", "wrong_host"),
    ("UNEXPECTED_EOF", "closed"),
    ("VERSION", "protocol"),
    ("PROTOCOL", "protocol"),
    ("HANDSHAKE", "protocol"),
    ("CIPHER", "protocol"),
    ("HTTP_REQUEST", "protocol"),
    ("UNEXPECTED_MESSAGE", "protocol"),
    ("RECORD", "protocol"),
    ("KEY_TOO_SMALL", "protocol"),
)


def tls_word(fault: ssl.SSLError) -> str:
    """Return the word of `TLS_WORDS` that tells this fault from others."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return _VERIFY_WORDS.get(getattr(fault, "verify_code", 0), "certificate")
    if isinstance(fault, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "closed"
    reason = getattr(fault, "reason", None) or ""
    return next((word for part, word in _ALERT_WORDS if part in reason), "other")


def tls_fault(fault: OSError, *, host: str) -> Fault:
    """Return the fault of a TLS handshake with `host`."""
    if isinstance(fault, TimeoutError):
        return Fault(reason="timeout", detail=f"the TLS handshake with {host} took too long")
    if not isinstance(fault, ssl.SSLError):
        return Fault(reason="tls", detail=f"closed: {host} ended the handshake ({fault})")
    said = getattr(fault, "verify_message", None) or getattr(fault, "reason", None) or str(fault)
    return Fault(reason="tls", detail=f"{tls_word(fault)}: {said} ({host})")


def fault_of(raised: BaseException) -> Fault:
    """Put whatever an exchange raised into a reason and a detail."""
    if isinstance(raised, ExchangeFault):
        return raised.fault
    if isinstance(raised, TimeoutError):
        return Fault(reason="timeout", detail=str(raised))
    if isinstance(raised, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionError):
        return Fault(reason="disconnect", detail=str(raised) or type(raised).__name__)
    if isinstance(raised, ssl.SSLError):
        said = getattr(raised, "reason", None) or type(raised).__name__
        return Fault(reason="tls", detail=f"{tls_word(raised)}: {said}")
    if isinstance(raised, requests.RequestException | HTTPError | HTTPException | ValueError):
        # What requests says of an address repeats the address.
        return Fault(reason="bad_url", detail=f"no address to ask ({type(raised).__name__})")
    return Fault(reason="network", detail=str(raised) or type(raised).__name__)
