"""Write time-stamp requests, and read requests, responses and tokens into values. Pure.

Nothing read here is checked: what a token says means nothing before its signature has been
verified (`timestamp`). The library rfc3161-client (1.0.9) is not the reader, for three reasons: it
drops the fraction of a second, it refuses certificates in an order that RFC 5652 allows, and it
makes up its nonce by itself.

Source: RFC 3161 §2.4 (requests, responses, TSTInfo); RFC 5652 §5 (SignedData); RFC 5035 §3 to §5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from provenance.log import der
from provenance.log.der import DerError, Element, Fields, context
from provenance.log.refusals import Reason, TimestampError

MAX_RESPONSE_BYTES = 1_000_000
"""A response is 2 to 10 KB; what is larger is not read."""

HASHES = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
"""The hash functions that signatures and imprints are accepted with, by object identifier."""

_OIDS = {name: oid for oid, name in HASHES.items()}

_SHA1 = "1.3.14.3.2.26"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"

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
class Signer:
    """How a token is signed.

    `signed` is the DER of the signed attributes as a SET, which the signature is over, and
    `certificate_hashes` are those (hash function, digest) by which they name the signer's
    certificate. `serial` and `issuer` (a Name in DER), or else `key_id`, find the certificate.
    """

    issuer: bytes | None
    serial: int | None
    key_id: bytes | None
    digest_algorithm: str
    signature_algorithm: str
    signed: bytes
    content_type: str
    message_digest: bytes
    certificate_hashes: tuple[tuple[str, bytes], ...]
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A time-stamp token in its parts; `content` is the TSTInfo as it was hashed, in DER."""

    content: bytes
    info: Info
    signer: Signer
    certificates: tuple[bytes, ...]
    normal: bytes
    """The token with its certificates in the order of DER, which changes nothing signed."""


def write_request(request: Request) -> bytes:
    """Return a time-stamp request in DER, as `application/timestamp-query` is sent.

    Source: RFC 3161 §2.4.1.
    """
    algorithm = der.write(der.SEQUENCE, der.write_oid(_OIDS[request.algorithm]), b"\x05\x00")
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
        return Request(
            algorithm=algorithm,
            imprint=imprint,
            nonce=None if nonce is None else der.read_integer(nonce),
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


def write_response(token: Token) -> bytes:
    """Return a response that grants the token, with its certificates in the order of DER."""
    status = der.write(der.SEQUENCE, der.write_integer(0))
    return der.write(der.SEQUENCE, status, token.normal)


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
    outer = Fields(element)
    _oid_is(outer.take(), _SIGNED_DATA)
    (signed_data,) = _exactly(1, der.children(outer.take(), context(0)))
    outer.end()
    fields = Fields(signed_data)
    version, hashes = fields.take(der.INTEGER), fields.take(der.SET)
    encapsulated = fields.take(der.SEQUENCE)
    certificates = fields.maybe(context(0))
    lists = fields.maybe(context(1))
    signers = fields.take(der.SET)
    fields.end()
    content = _content(encapsulated)
    held = () if certificates is None else der.children(certificates, context(0))
    (signer,) = _exactly(1, der.children(signers, der.SET))
    parts = (
        version.raw,
        hashes.raw,
        encapsulated.raw,
        der.write(context(0), *sorted(each.raw for each in held)) if held else b"",
        b"" if lists is None else lists.raw,
        signers.raw,
    )
    inner = der.write(context(0), der.write(der.SEQUENCE, *parts))
    return Token(
        content=content,
        info=_info(der.parse(content)),
        signer=_signer(signer),
        certificates=tuple(each.raw for each in held if each.tag == der.SEQUENCE),
        normal=der.write(der.SEQUENCE, der.write_oid(_SIGNED_DATA), inner),
    )


def _content(element: Element) -> bytes:
    fields = Fields(element)
    _oid_is(fields.take(), _TST_INFO)
    (content,) = _exactly(1, der.children(fields.take(), context(0)))
    fields.end()
    return der.expect(content, der.OCTET_STRING).body


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
        (choice,) = _exactly(1, der.children(element, context(0)))
        (name,) = _exactly(1, der.children(choice, context(4)))
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


def _signer(element: Element) -> Signer:
    fields = Fields(element)
    der.read_integer(fields.take())
    issuer, serial, key_id = _identifier(fields.take())
    digest_algorithm = _algorithm(fields.take())
    attributes = fields.take(context(0))
    signature_algorithm = _algorithm(fields.take())
    signature = fields.take(der.OCTET_STRING).body
    fields.maybe(context(1))
    fields.end()
    values = _attributes(attributes)
    if not {_CONTENT_TYPE, _MESSAGE_DIGEST} <= values.keys():
        raise DerError("a signed attribute is missing")
    return Signer(
        issuer=issuer,
        serial=serial,
        key_id=key_id,
        digest_algorithm=digest_algorithm,
        signature_algorithm=signature_algorithm,
        # RFC 5652 §5.4: signed is the SET OF, not the [0] that stands in its place.
        signed=der.write(der.SET, attributes.body),
        content_type=der.read_oid(values[_CONTENT_TYPE]),
        message_digest=der.expect(values[_MESSAGE_DIGEST], der.OCTET_STRING).body,
        certificate_hashes=_certificate_hashes(values),
        signature=signature,
    )


def _identifier(element: Element) -> tuple[bytes | None, int | None, bytes | None]:
    if element.tag == context(0, constructed=False):
        return None, None, element.body
    fields = Fields(element)
    issuer, serial = fields.take(der.SEQUENCE).raw, der.read_integer(fields.take())
    fields.end()
    return issuer, serial, None


def _attributes(element: Element) -> dict[str, Element]:
    """Return the one value of each signed attribute; RFC 5652 §11 allows these no second."""
    found: dict[str, Element] = {}
    for each in der.children(element, context(0)):
        fields = Fields(each)
        name = der.read_oid(fields.take())
        values = der.children(fields.take(), der.SET)
        fields.end()
        if name in found or not values:
            raise DerError("a signed attribute without a value, or twice")
        if name in (
            _CONTENT_TYPE,
            _MESSAGE_DIGEST,
            _SIGNING_CERTIFICATE,
            _SIGNING_CERTIFICATE_V2,
        ):
            _exactly(1, values)
        found[name] = values[0]
    return found


def _certificate_hashes(values: dict[str, Element]) -> tuple[tuple[str, bytes], ...]:
    """Return by which hashes the signer's own certificate, the first of each list, is named.

    Source: RFC 5035 §3 (V2, SHA-256 where no hash function is named) and §5 (V1, SHA-1).
    """
    found = []
    for name, default in (
        (_SIGNING_CERTIFICATE, _SHA1),
        (_SIGNING_CERTIFICATE_V2, _OIDS["sha256"]),
    ):
        if name not in values:
            continue
        listed = Fields(values[name]).take(der.SEQUENCE)
        fields = Fields(Fields(listed).take())
        given = fields.maybe(der.SEQUENCE) if name == _SIGNING_CERTIFICATE_V2 else None
        oid = default if given is None else der.read_oid(Fields(given).take())
        digest = fields.take(der.OCTET_STRING).body
        found.append(("sha1" if oid == _SHA1 else HASHES.get(oid, oid), digest))
    return tuple(found)


def _imprint(element: Element) -> tuple[str, bytes]:
    fields = Fields(element)
    algorithm = _algorithm(fields.take())
    imprint = fields.take(der.OCTET_STRING).body
    fields.end()
    return HASHES.get(algorithm, algorithm), imprint


def _algorithm(element: Element) -> str:
    return der.read_oid(Fields(element).take())


def _version(fields: Fields, version: int) -> None:
    found = der.read_integer(fields.take())
    if found != version:
        raise DerError(f"version {version} expected, {found} found")


def _oid_is(element: Element, oid: str) -> None:
    if der.read_oid(element) != oid:
        raise DerError(f"object identifier {oid} expected, {der.read_oid(element)} found")


def _exactly(count: int, elements: tuple[Element, ...]) -> tuple[Element, ...]:
    if len(elements) != count:
        raise DerError(f"{count} expected, {len(elements)} found")
    return elements


def _unreadable(what: str, where: str, fault: object) -> TimestampError:
    return TimestampError(
        Reason.NOT_READABLE,
        what,
        where=where,
        expected="the form of RFC 3161, in DER",
        found=str(fault),
        hint="It is damaged, or no time-stamp; restore it from a copy.",
    )
