"""Ask for a time-stamp over some bytes, and check what an authority gave. Pure.

What is checked, in this order; each step has its own reasons to refuse:

1. The response has the form of RFC 3161 and grants a token (`NOT_READABLE`, `NOT_GRANTED`).
2. The token is over these bytes, hashed as asked (`WRONG_ALGORITHM`, `WRONG_IMPRINT`).
3. It answers this request, where one is at hand (`WRONG_NONCE`, `WRONG_POLICY`).
4. It has one signer, whose certificate came along (`NO_SIGNER`).
5. The signature holds (`BAD_SIGNATURE`).
6. What is signed names that certificate (`NOT_BOUND`).
7. Time-stamping is that certificate's one purpose (`WRONG_PURPOSE`).
8. It was valid at the token's time, and so was each certificate of a chain from it to a trusted
   one (`NOT_VALID_THEN`, `NOT_TRUSTED`). Today does not come into it: a token that was good stays
   good when its certificates have expired. With nothing trusted, the chain is not checked, and the
   result says so.
9. A second program comes to the same (`OBJECTED`).

Revocation is not checked.

Source: RFC 3161 §2.2, §2.3 and §2.4.2; RFC 5816.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance.digest import Digest, digest_of
from provenance.timestamps import chain, second, signature
from provenance.timestamps.refusals import Reason, TimestampError
from provenance.timestamps.trusted import NO_ANCHORS, Anchors
from provenance.timestamps.tsp import (
    TST_INFO,
    Info,
    Request,
    Token,
    parse_request,
    parse_response,
    write_request,
)

NONCE_BITS = 64


class Authority(Enum):
    """Whether it is known who dated: by a chain to a trusted certificate, or not."""

    CHECKED = "checked"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """A token that holds: the bytes existed by `gen_time`, if the authority is to be believed.

    `accuracy` is how far off `gen_time` may be either way, by the authority's word, None where it
    gives none. `imprint` is the hash of the dated bytes, in hexadecimal, by `algorithm`. `signer`
    is the name in the signer's certificate; `tsa_name` is what the token says of itself. `chain`
    are the SHA-256 of the certificates, the signer's first, up to the trusted one; with
    `NOT_CHECKED`, of the signer's alone.
    """

    gen_time: datetime
    accuracy: timedelta | None
    ordering: bool
    serial: int
    policy: str
    nonce: int | None
    algorithm: str
    imprint: str
    signer: str
    tsa_name: str | None
    authority: Authority
    chain: tuple[Digest, ...]

    @property
    def by(self) -> datetime:
        """The instant by which the bytes existed: the token's time, as late as it may be off."""
        try:
            return self.gen_time + (self.accuracy or timedelta())
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)

    @property
    def standing(self) -> str:
        """What has been checked, in a few words for people."""
        known = "checked" if self.authority is Authority.CHECKED else "not checked"
        return f"token is intact, authority {known}"


def make_request(raw: bytes, *, nonce: int, policy: str | None = None) -> bytes:
    """Return the request to date `raw` by its SHA-256, to be sent to an authority.

    `nonce` is a random number of up to 64 bits; the authority repeats it, so that an old answer
    does not pass for a new one. `policy` is an object identifier. The authority is asked to send
    its certificates along.

    Raises:
        ValueError: the nonce is negative or too large.

    Source: RFC 3161 §2.4.1.
    """
    if not 0 <= nonce < 2**NONCE_BITS:
        raise ValueError(f"a nonce is a number of {NONCE_BITS} bits")
    imprint = hashlib.sha256(raw).digest()
    return write_request(
        Request(
            algorithm="sha256",
            imprint=imprint,
            nonce=nonce,
            policy=policy,
            wants_certificates=True,
        )
    )


def check_response(
    response: bytes,
    raw: bytes,
    *,
    request: bytes | None = None,
    anchors: Anchors = NO_ANCHORS,
    algorithm: str = "sha256",
    where: str = "time-stamp",
) -> Timestamp:
    """Return what a response proves about `raw`, after every check of this module's list.

    `request` is what was asked. `algorithm` is the hash function that the imprint must have.

    Raises:
        TimestampError: a check fails; its `reason` says which.
    """
    token = parse_response(response, where=where)  # (1)
    _check_imprint(token.info, raw, algorithm, where)  # (2)
    if request is not None:
        _check_answer(token.info, parse_request(request, where=where), where)  # (3)
    if token.info.critical_extensions:
        raise TimestampError(
            Reason.NOT_READABLE,
            "the token has a critical extension that is not known here",
            where=where,
            found=", ".join(token.info.critical_extensions),
        )
    with chain.without_warnings():
        signer, others = _find_signer(token, where)  # (4)
        _check_signature(token, signer, where)  # (5), (6)
        _check_purpose(signer, where)  # (7)
        found = _check_chain(token, signer, others, anchors, where)  # (8), (9)
    return _timestamp(token.info, found, checked=bool(anchors.certificates))


def certificates_of(response: bytes, *, where: str = "time-stamp") -> tuple[bytes, ...]:
    """Return the certificates that a token carries, in DER: the signer's first, then its issuer's.

    Those that stand in no line above the signer's come last.

    Raises:
        TimestampError: it is no response that grants a token, or the signer's is not among them.
    """
    token = parse_response(response, where=where)
    with chain.without_warnings():
        signer, others = _find_signer(token, where)
    ordered, left = [signer], list(others)
    while above := next((each for each in left if each.subject == ordered[-1].issuer), None):
        ordered.append(above)
        left.remove(above)
    return tuple(_der(each) for each in (*ordered, *left))


def _check_imprint(info: Info, raw: bytes, algorithm: str, where: str) -> None:
    if info.algorithm != algorithm:
        raise TimestampError(
            Reason.WRONG_ALGORITHM,
            "the token is over another kind of hash",
            where=where,
            expected=algorithm,
            found=info.algorithm,
        )
    expected = hashlib.new(algorithm, raw).digest()
    if not hmac.compare_digest(info.imprint, expected):
        raise TimestampError(
            Reason.WRONG_IMPRINT,
            "the token dates other bytes",
            where=where,
            expected=f"{algorithm}:{expected.hex()}",
            found=f"{algorithm}:{info.imprint.hex()}",
            hint="It belongs to another checkpoint, or one of the two was changed.",
        )


def _check_answer(info: Info, request: Request, where: str) -> None:
    if (request.algorithm, request.imprint) != (info.algorithm, info.imprint):
        raise TimestampError(
            Reason.WRONG_IMPRINT, "the request is over other bytes than the token", where=where
        )
    if request.nonce is not None and info.nonce != request.nonce:
        raise TimestampError(
            Reason.WRONG_NONCE,
            "the token does not answer this request: its nonce is another",
            where=where,
            expected=str(request.nonce),
            found="none" if info.nonce is None else str(info.nonce),
            hint="It may be an old answer sent again; ask anew.",
        )
    if request.policy is not None and info.policy != request.policy:
        raise TimestampError(
            Reason.WRONG_POLICY,
            "the token was given under another policy than asked for",
            where=where,
            expected=request.policy,
            found=info.policy,
        )


def _find_signer(token: Token, where: str) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """Return the signer's certificate, and all other certificates of the token that can be read."""
    loaded = (chain.load_certificate(raw) for raw in token.signed.certificates)
    held = tuple(dict.fromkeys(each for each in loaded if each is not None))
    says = token.signed.signer
    fitting = [each for each in held if signature.is_signer(each, says)]
    # Two may fit by name and number; what is signed tells which is meant.
    named = [each for each in fitting if signature.names_certificate(says, _der(each))]
    if not fitting:
        raise TimestampError(
            Reason.NO_SIGNER, "the signer's certificate is not in the token", where=where
        )
    signer = (named or fitting)[0]
    return signer, tuple(each for each in held if each != signer)


def _check_signature(token: Token, signer: x509.Certificate, where: str) -> None:
    signed_type = token.signed.signer.content_type == TST_INFO
    if not signed_type or not signature.holds(signer, token.signed.signer, token.signed.content):
        raise TimestampError(
            Reason.BAD_SIGNATURE,
            "the token's signature does not hold",
            where=where,
            hint="The token was changed or damaged; restore it from a copy.",
        )
    if not signature.names_certificate(token.signed.signer, _der(signer)):
        raise TimestampError(
            Reason.NOT_BOUND,
            "the token is not bound to its signer's certificate (ESSCertID)",
            where=where,
            hint="The certificate may have been put in another's place.",
        )


def _check_purpose(signer: x509.Certificate, where: str) -> None:
    """Check that the certificate is for time-stamping, marked critical, and for nothing else.

    Source: RFC 3161 §2.3; for keyUsage RFC 5280 §4.2.1.12.
    """
    purposes = chain.extension_of(signer, x509.ExtendedKeyUsage)
    usage = chain.extension_of(signer, x509.KeyUsage)
    if purposes is None:
        found = "no purpose"
    elif list(purposes.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        found = ", ".join(each.dotted_string for each in purposes.value)
    elif not purposes.critical:
        found = "time-stamping, not marked critical"
    elif usage and not (usage.value.digital_signature or usage.value.content_commitment):
        found = "a key that may not sign"
    else:
        return
    raise TimestampError(
        Reason.WRONG_PURPOSE,
        "the signer's certificate is not one for time-stamping",
        where=where,
        expected="extendedKeyUsage: time-stamping alone, critical",
        found=found,
    )


def _check_chain(
    token: Token,
    signer: x509.Certificate,
    others: tuple[x509.Certificate, ...],
    anchors: Anchors,
    where: str,
) -> tuple[x509.Certificate, ...]:
    trusted = [x509.load_der_x509_certificate(raw) for raw in anchors.certificates]
    try:
        if not trusted:
            chain.check_certificate(signer, token.info.gen_time)
            return (signer,)
        found = chain.build_chain(signer, others, trusted, at=token.info.gen_time)
    except chain.ChainError as fault:
        then = isinstance(fault, chain.NotValidThenError)
        raise TimestampError(
            Reason.NOT_VALID_THEN if then else Reason.NOT_TRUSTED,
            str(fault),
            where=where,
            hint=None if then else "Give the authority's root certificate, if you trust it.",
        ) from None
    if objection := second.objection(token, found):
        raise TimestampError(
            Reason.OBJECTED,
            "a second program refuses the token",
            where=where,
            found=ascii(objection[:300]),
        )
    return found


def _timestamp(info: Info, found: tuple[x509.Certificate, ...], *, checked: bool) -> Timestamp:
    return Timestamp(
        gen_time=info.gen_time,
        accuracy=info.accuracy,
        ordering=info.ordering,
        serial=info.serial,
        policy=info.policy,
        nonce=info.nonce,
        algorithm=info.algorithm,
        imprint=info.imprint.hex(),
        signer=found[0].subject.rfc4514_string(),
        tsa_name=info.tsa_name,
        authority=Authority.CHECKED if checked else Authority.NOT_CHECKED,
        chain=tuple(digest_of(_der(each)) for each in found),
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
