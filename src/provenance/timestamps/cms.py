"""Read what is signed, by whom and how, out of CMS signed data with one signer. Pure.

Nothing is checked here: see `signature`.

Source: RFC 5652 §5 and §11; RFC 5035 §3 to §5.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from provenance.timestamps import der
from provenance.timestamps.der import DerError, Element, Fields, context

HASHES = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
"""The hash functions that signatures and imprints are accepted with, by object identifier."""

HASH_OIDS = {name: oid for oid, name in HASHES.items()}

RSA_PSS = "1.2.840.113549.1.1.10"
"""The signature algorithm RSASSA-PSS (RFC 4056)."""

_SHA1 = "1.3.14.3.2.26"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"


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
class SignedData:
    """Signed data in its parts; `content` is what was hashed, and certificates are in DER.

    `before` and `after` are the fields around the certificates, as they were.
    """

    content_type: str
    content: bytes
    signer: Signer
    certificates: tuple[bytes, ...]
    before: bytes
    after: bytes


def read_signed_data(element: Element) -> SignedData:
    """Return the signed data in a ContentInfo.

    Raises:
        DerError: it is none, has no content, or has not one signer.

    Source: RFC 5652 §3 and §5.1.
    """
    outer = Fields(element)
    if (found := der.read_oid(outer.take())) != _SIGNED_DATA:
        raise DerError(f"signed data expected, {found} found")
    (signed_data,) = der.exactly(1, der.children(outer.take(), context(0)))
    outer.end()
    fields = Fields(signed_data)
    version, hashes = fields.take(der.INTEGER), fields.take(der.SET)
    if not 3 <= der.read_integer(version) <= 5:
        raise DerError(f"version 3 to 5 expected, {der.read_integer(version)} found")
    encapsulated = fields.take(der.SEQUENCE)
    certificates = fields.maybe(context(0))
    lists = fields.maybe(context(1))
    signers = fields.take(der.SET)
    fields.end()
    content_type, content = _content(encapsulated)
    held = () if certificates is None else der.children(certificates, context(0))
    (signer,) = der.exactly(1, der.children(signers, der.SET))
    read = _signer(signer)
    if read.digest_algorithm not in map(read_algorithm, der.children(hashes, der.SET)):
        raise DerError("the signer's hash function is not among those listed")
    return SignedData(
        content_type=content_type,
        content=content,
        signer=read,
        certificates=tuple(each.raw for each in held if each.tag == der.SEQUENCE),
        before=version.raw + hashes.raw + encapsulated.raw,
        after=(b"" if lists is None else lists.raw) + signers.raw,
    )


def write_signed_data(signed: SignedData, certificates: Iterable[bytes]) -> bytes:
    """Return the ContentInfo with these certificates, in the order of DER.

    They are not signed: with others, or in another order, the same signature holds.

    Source: RFC 5652 §5.1; X.690 §11.6.
    """
    held = der.write(context(0), *sorted(set(certificates)))
    whole = der.write(der.SEQUENCE, signed.before, held, signed.after)
    return der.write(der.SEQUENCE, der.write_oid(_SIGNED_DATA), der.write(context(0), whole))


def read_algorithm(element: Element) -> str:
    """Return the object identifier of an AlgorithmIdentifier.

    Raises:
        DerError: it has parameters other than NULL; those of RSASSA-PSS are passed over.

    Source: RFC 5754 §2 and §3; RFC 4056 §2.2.
    """
    fields = Fields(element)
    oid = der.read_oid(fields.take())
    parameters = fields.maybe(der.SEQUENCE if oid == RSA_PSS else der.NULL)
    fields.end()
    if oid != RSA_PSS and parameters is not None and parameters.body:
        raise DerError("a NULL that holds something")
    return oid


def _content(element: Element) -> tuple[str, bytes]:
    fields = Fields(element)
    content_type = der.read_oid(fields.take())
    (content,) = der.exactly(1, der.children(fields.take(), context(0)))
    fields.end()
    return content_type, der.expect(content, der.OCTET_STRING).body


def _signer(element: Element) -> Signer:
    fields = Fields(element)
    version = der.read_integer(fields.take())
    issuer, serial, key_id = _identifier(fields.take())
    if version != (1 if key_id is None else 3):
        raise DerError(f"version {version} of the signer does not fit how it is named")
    digest_algorithm = read_algorithm(fields.take())
    attributes = fields.take(context(0))
    signature_algorithm = read_algorithm(fields.take())
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
            der.exactly(1, values)
        found[name] = values[0]
    return found


def _certificate_hashes(values: dict[str, Element]) -> tuple[tuple[str, bytes], ...]:
    """Return by which hashes the signer's own certificate, the first of each list, is named.

    Source: RFC 5035 §3 (V2, SHA-256 where no hash function is named) and §5 (V1, SHA-1).
    """
    found = []
    for name, default in (
        (_SIGNING_CERTIFICATE, _SHA1),
        (_SIGNING_CERTIFICATE_V2, HASH_OIDS["sha256"]),
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
