"""Write time-stamp requests, and read requests, responses and tokens into values. Pure.

Nothing read here is checked: what a token says means nothing before its signature has been
verified (`timestamp`). The library rfc3161-client (1.0.9) is not the reader, for three reasons: it
drops the fraction of a second, it refuses certificates in an order that RFC 5652 allows, and it
makes up its nonce by itself.

Source: RFC 3161 §2.4 (requests, responses, TSTInfo); RFC 5816.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from provenance.timestamps import der
from provenance.timestamps.cms import (
    HASH_OIDS,
    HASHES,
    SignedData,
    read_algorithm,
    read_signed_data,
    write_signed_data,
)
from provenance.timestamps.der import DerError, Element, Fields, context
from provenance.timestamps.refusals import Reason, TimestampError

MAX_RESPONSE_BYTES = 1_000_000
"""A response is 2 to 10 KB; what is larger is not read."""

TST_INFO = "1.2.840.113549.1.9.16.1.4"
"""The content type of what a token says."""

_STATUS = (
    "granted",
    "granted with modifications",
    "rejected",
    "waiting",
    "revocation warning",
    "revocation notification",
)
_FAILURES = {
    0: "bad algorithm",
    2: "bad request",
    5: "bad data format",
    14: "time not available",
    15: "policy not accepted",
    16: "extension not accepted",
    17: "additional information not available",
    25: "system failure",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an authority is asked: to date a hash; `nonce` and `policy` are None where not given."""

    algorithm: str
    imprint: bytes
    nonce: int | None
    policy: str | None
    wants_certificates: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What a token says (TSTInfo): `algorithm` is a name of `hashlib`, or an object identifier."""

    policy: str
    algorithm: str
    imprint: bytes
    serial: int
    gen_time: datetime
    accuracy: timedelta | None
    ordering: bool
    nonce: int | None
    tsa_name: str | None
    critical_extensions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A time-stamp token: the signed data, and what it says."""

    info: Info
    signed: SignedData


def write_request(request: Request) -> bytes:
    """Return a time-stamp request in DER, as `application/timestamp-query` is sent.

    Source: RFC 3161 §2.4.1.
    """
    oid = HASH_OIDS.get(request.algorithm, request.algorithm)
    algorithm = der.write(der.SEQUENCE, der.write_oid(oid), b"\x05\x00")
    imprint = der.write(der.SEQUENCE, algorithm, der.write(der.OCTET_STRING, request.imprint))
    return der.write(
        der.SEQUENCE,
        der.write_integer(1),
        imprint,
        b"" if request.policy is None else der.write_oid(request.policy),
        b"" if request.nonce is None else der.write_integer(request.nonce),
        der.write(der.BOOLEAN, b"\xff") if request.wants_certificates else b"",
    )


def parse_request(raw: bytes, *, where: str = "request") -> Request:
    """Return a time-stamp request.

    Raises:
        TimestampError: it is none (`NOT_READABLE`).

    Source: RFC 3161 §2.4.1.
    """
    try:
        fields = Fields(der.parse(raw))
        _version(fields, 1)
        algorithm, imprint = _imprint(fields.take())
        policy = fields.maybe(der.OID)
        nonce = fields.maybe(der.INTEGER)
        wants = fields.maybe(der.BOOLEAN)
        fields.maybe(context(0))
        fields.end()
        number = None if nonce is None else der.read_integer(nonce)
        if number is not None and number < 0:
            raise DerError("a negative nonce")
        return Request(
            algorithm=algorithm,
            imprint=imprint,
            nonce=number,
            policy=None if policy is None else der.read_oid(policy),
            wants_certificates=wants is not None and der.read_boolean(wants),
        )
    except DerError as fault:
        raise _unreadable("not a time-stamp request", where, fault) from None


def parse_response(raw: bytes, *, where: str = "response") -> Token:
    """Return the token of a response that grants one.

    Raises:
        TimestampError: it is no response (`NOT_READABLE`), or one without a token
            (`NOT_GRANTED`).

    Source: RFC 3161 §2.4.2.
    """
    if len(raw) > MAX_RESPONSE_BYTES:
        raise _unreadable("the time-stamp response is too large", where, f"{len(raw)} bytes")
    try:
        fields = Fields(der.parse(raw))
        status = fields.take(der.SEQUENCE)
        token = fields.maybe(der.SEQUENCE)
        fields.end()
        granted, why = _status(status)
        if granted and token is not None:
            return _token(token)
    except DerError as fault:
        raise _unreadable("not a time-stamp response", where, fault) from None
    raise TimestampError(
        Reason.NOT_GRANTED,
        "the authority gave no time-stamp",
        where=where,
        expected="status granted, and a token",
        found=why if not granted else f"{why}, without a token",
        hint="Ask again later, or ask another authority.",
    )


def write_response(token: Token, certificates: Iterable[bytes]) -> bytes:
    """Return a response that grants the token, with these certificates instead of its own."""
    status = der.write(der.SEQUENCE, der.write_integer(0))
    return der.write(der.SEQUENCE, status, write_signed_data(token.signed, certificates))


def _status(element: Element) -> tuple[bool, str]:
    fields = Fields(element)
    number = der.read_integer(fields.take())
    words = fields.maybe(der.SEQUENCE)
    failure = fields.maybe(der.BIT_STRING)
    fields.end()
    said = [_STATUS[number] if 0 <= number < len(_STATUS) else f"status {number}"]
    if failure is not None:
        said += [_FAILURES.get(bit, f"failure {bit}") for bit in _bits(failure)]
    texts = () if words is None else der.children(words, der.SEQUENCE)
    said += [ascii(text[:200]) for each in texts if (text := der.read_text(each))]
    return number in (0, 1), ", ".join(said)


def _bits(element: Element) -> list[int]:
    unused, *octets = element.body or (0,)
    bits = "".join(f"{octet:08b}" for octet in octets[:8])
    return [at for at, bit in enumerate(bits[: len(bits) - unused % 8]) if bit == "1"]


def _token(element: Element) -> Token:
    signed = read_signed_data(element)
    if signed.content_type != TST_INFO:
        raise DerError(f"a time-stamp token expected, {signed.content_type} found")
    return Token(info=_info(der.parse(signed.content)), signed=signed)


def _info(element: Element) -> Info:
    fields = Fields(element)
    _version(fields, 1)
    policy = der.read_oid(fields.take())
    algorithm, imprint = _imprint(fields.take())
    serial = der.read_integer(fields.take())
    gen_time = der.read_time(fields.take())
    accuracy = fields.maybe(der.SEQUENCE)
    ordering = fields.maybe(der.BOOLEAN)
    nonce = fields.maybe(der.INTEGER)
    name = fields.maybe(context(0))
    extensions = fields.maybe(context(1))
    fields.end()
    return Info(
        policy=policy,
        algorithm=algorithm,
        imprint=imprint,
        serial=serial,
        gen_time=gen_time,
        accuracy=None if accuracy is None else _accuracy(accuracy),
        ordering=ordering is not None and der.read_boolean(ordering),
        nonce=None if nonce is None else der.read_integer(nonce),
        tsa_name=None if name is None else _name(name),
        critical_extensions=() if extensions is None else _critical(extensions),
    )


def _accuracy(element: Element) -> timedelta:
    fields = Fields(element)
    parts = (
        fields.maybe(der.INTEGER),
        fields.maybe(context(0, constructed=False)),
        fields.maybe(context(1, constructed=False)),
    )
    fields.end()
    seconds, millis, micros = (
        0 if part is None else der.read_integer(part, part.tag) for part in parts
    )
    if not (0 <= seconds < 10**9 and 0 <= millis < 1000 and 0 <= micros < 1000):
        raise DerError("an accuracy out of range")
    return timedelta(seconds=seconds, milliseconds=millis, microseconds=micros)


def _name(element: Element) -> str | None:
    """Return the texts of a directory name, joined by commas; None for any other kind of name."""
    try:
        (choice,) = der.exactly(1, der.children(element, context(0)))
        (name,) = der.exactly(1, der.children(choice, context(4)))
        pairs = [
            der.children(pair, der.SEQUENCE)
            for group in der.children(name, der.SEQUENCE)
            for pair in der.children(group, der.SET)
        ]
        texts = [der.read_text(value) for _, value in pairs]
    except ValueError:
        return None
    return ", ".join(text for text in texts if text) or None


def _critical(element: Element) -> tuple[str, ...]:
    found = []
    for each in der.children(element, context(1)):
        fields = Fields(each)
        name = der.read_oid(fields.take())
        critical = fields.maybe(der.BOOLEAN)
        if critical is not None and der.read_boolean(critical):
            found.append(name)
    return tuple(found)


def _imprint(element: Element) -> tuple[str, bytes]:
    fields = Fields(element)
    algorithm = read_algorithm(fields.take())
    imprint = fields.take(der.OCTET_STRING).body
    fields.end()
    return HASHES.get(algorithm, algorithm), imprint


def _version(fields: Fields, version: int) -> None:
    found = der.read_integer(fields.take())
    if found != version:
        raise DerError(f"version {version} expected, {found} found")


def _unreadable(what: str, where: str, fault: object) -> TimestampError:
    return TimestampError(
        Reason.NOT_READABLE,
        what,
        where=where,
        expected="the form of RFC 3161, in DER",
        found=str(fault),
        hint="It is damaged, or no time-stamp; restore it from a copy.",
    )
