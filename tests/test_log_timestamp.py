"""Time-stamps by a real authority: what holds, what is refused and why, and what is kept."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from rfc3161_client import VerifierBuilder, decode_timestamp_response

from provenance.errors import UsageError
from provenance.timestamps import der
from provenance.timestamps.chain import without_warnings
from provenance.timestamps.refusals import Reason, TimestampError
from provenance.timestamps.timestamp import (
    Authority,
    Timestamp,
    certificates_of,
    check_response,
    make_request,
)
from provenance.timestamps.trusted import NO_ANCHORS, Anchors, format_pem, parse_anchors, parse_pem
from provenance.timestamps.tsp import parse_request, parse_response, write_request
from tests.time_authority import (
    CA,
    CURVE,
    LONG_AGO,
    RSA,
    TSA,
    Workshop,
    granted,
    tst_info,
    workshop,
)

SHARED = Path(__file__).parents[2] / "shared" / "corpora"
CHECKPOINT = b"archive.example/log\n12\nX1vVdgDbSbt3OAJcDb0y8GXMVYF3wGyXT6AVFXMMbg8=\n"
IMPRINT = hashlib.sha256(CHECKPOINT).digest()
THEN = datetime(2016, 3, 1, 12, 0, 0, tzinfo=UTC)
NONCE = 0xF00D_0000_0000_0001


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """An authority with an intermediate: tsa below mid below root."""
    made = workshop(tmp_path_factory.mktemp("authority"))
    made.issue("root", extensions=CA)
    made.issue("mid", "root", extensions=CA)
    made.issue("tsa", "mid")
    return made


@pytest.fixture(scope="module")
def root(shop: Workshop) -> Anchors:
    return trusted(shop, "root")


@pytest.fixture(scope="module")
def answer(shop: Workshop) -> bytes:
    return shop.reply(make_request(CHECKPOINT, nonce=NONCE), "tsa", "mid")


def trusted(shop: Workshop, *names: str) -> Anchors:
    return parse_anchors(shop.pem(*names), where="anchors.pem")


def refused(reason: Reason, response: bytes, raw: bytes = CHECKPOINT, **how: object) -> str:
    """Check that a response is refused for this reason, and return the message."""
    with pytest.raises(TimestampError) as caught:
        check_response(response, raw, **how)  # type: ignore[arg-type]
    assert caught.value.reason is reason, str(caught.value)
    return str(caught.value)


def facts(found: Timestamp) -> Timestamp:
    """Return what a token says, without who vouches for it."""
    return dataclasses.replace(found, chain=(), authority=Authority.NOT_CHECKED)


def openssl_verify(shop: Workshop, response: bytes, *options: str) -> bool:
    """Say whether `openssl ts -verify` accepts a response over the checkpoint."""
    (shop.folder / "verify.tsr").write_bytes(response)
    (shop.folder / "verify.checkpoint").write_bytes(CHECKPOINT)
    done = shop.openssl(
        "ts", "-verify", "-in", "verify.tsr", "-data", "verify.checkpoint", *options, check=False
    )
    return done.returncode == 0 and b"Verification: OK" in done.stdout


# What holds


def test_a_token_says_when_and_by_whom(shop: Workshop, answer: bytes, root: Anchors) -> None:
    """All that a token says is returned, and the chain that vouches for it."""
    found = check_response(
        answer, CHECKPOINT, request=make_request(CHECKPOINT, nonce=NONCE), anchors=root
    )
    text = shop.openssl("ts", "-reply", "-in", write(shop, "a.tsr", answer), "-text").stdout
    said = re.search(rb"Time stamp: (.*) GMT", text)
    assert said is not None
    moment = datetime.strptime(said[1].decode(), "%b %d %H:%M:%S.%f %Y").replace(tzinfo=UTC)
    assert found.gen_time == moment
    assert found.accuracy == timedelta(seconds=1, milliseconds=500, microseconds=100)
    assert (found.ordering, found.policy, found.nonce) == (True, "1.2.3.4.1", NONCE)
    assert (found.algorithm, found.imprint) == ("sha256", IMPRINT.hex())
    assert (found.signer, found.tsa_name) == ("CN=tsa", "tsa")
    assert found.authority is Authority.CHECKED
    assert found.standing == "token is intact, authority checked"
    assert found.by == moment + found.accuracy
    printed = [
        shop.openssl("x509", "-in", f"{name}.pem", "-noout", "-fingerprint", "-sha256").stdout
        for name in ("tsa", "mid", "root")
    ]
    digests = [line.decode().strip().partition("=")[2].replace(":", "") for line in printed]
    assert list(found.chain) == [f"sha256:{digest.lower()}" for digest in digests]


def write(shop: Workshop, name: str, raw: bytes) -> str:
    (shop.folder / name).write_bytes(raw)
    return name


def test_without_anchors_nobody_is_vouched_for(answer: bytes, root: Anchors) -> None:
    """A token is whole or not, whoever is trusted; without anchors the result says so."""
    alone = check_response(answer, CHECKPOINT)
    assert alone.authority is Authority.NOT_CHECKED
    assert alone.standing == "token is intact, authority not checked"
    assert len(alone.chain) == 1
    assert facts(alone) == facts(check_response(answer, CHECKPOINT, anchors=root))


def test_a_request_is_what_openssl_reads(shop: Workshop) -> None:
    """The request is over SHA-256, has the nonce, and asks for certificates."""
    raw = make_request(CHECKPOINT, nonce=NONCE, policy="1.2.3.4.2")
    text = shop.openssl("ts", "-query", "-in", write(shop, "q.tsq", raw), "-text").stdout.decode()
    assert "Hash Algorithm: sha256" in text
    assert "Nonce: 0xF00D000000000001" in text
    assert "Certificate required: yes" in text
    assert "Policy OID: 1.2.3.4.2" in text
    assert write_request(parse_request(raw)) == raw


@pytest.mark.parametrize("nonce", [-1, 2**64])
def test_a_nonce_out_of_range_is_no_nonce(nonce: int) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        make_request(b"", nonce=nonce)


@given(raw=st.binary(max_size=64), nonce=st.integers(0, 2**64 - 1))
def test_a_request_reads_back(raw: bytes, nonce: int) -> None:
    """parse ∘ write = id."""
    request = parse_request(make_request(raw, nonce=nonce))
    assert (request.imprint, request.nonce) == (hashlib.sha256(raw).digest(), nonce)
    assert write_request(request) == make_request(raw, nonce=nonce)


@pytest.mark.parametrize("section", ["t", "v1"])
def test_both_kinds_of_binding_hold(shop: Workshop, root: Anchors, section: str) -> None:
    """ESSCertIDv2, and ESSCertID with its SHA-1, which authorities still write."""
    answer = shop.reply(make_request(CHECKPOINT, nonce=1), "tsa", "mid", section=section)
    kinds = [name for name, _ in parse_response(answer).signed.signer.certificate_hashes]
    assert kinds == [{"t": "sha256", "v1": "sha1"}[section]]
    assert check_response(answer, CHECKPOINT, anchors=root).authority is Authority.CHECKED


def test_a_token_over_another_hash_holds_where_it_is_expected(
    shop: Workshop, root: Anchors
) -> None:
    """The hash function of the imprint is the caller's choice, and no other passes."""
    imprint = hashlib.sha512(CHECKPOINT).digest()
    info = tst_info(imprint, gen_time=THEN, algorithm="2.16.840.1.101.3.4.2.3")
    answer = shop.sign(info, "tsa", "mid", options=("-cades", "-md", "sha512"))
    found = check_response(answer, CHECKPOINT, anchors=root, algorithm="sha512")
    assert found.imprint == imprint.hex()
    refused(Reason.WRONG_ALGORITHM, answer, anchors=root)


@pytest.mark.parametrize(
    ("key", "options"),
    [(CURVE, ()), (RSA, ()), (RSA, ("-keyopt", "rsa_padding_mode:pss")), (CURVE, ("-keyid",))],
    ids=["ecdsa", "rsa", "rsa-pss", "key-id"],
)
def test_kinds_of_signatures(
    shop: Workshop, root: Anchors, key: tuple[str, ...], options: tuple[str, ...]
) -> None:
    """The usual kinds of keys and signatures hold, and a changed one does not."""
    name = shop.issue(f"kind-{key[0]}-{len(options)}", "root", key=key,
                      extensions=f"{TSA}subjectKeyIdentifier=hash\n")  # fmt: skip
    answer = shop.sign(tst_info(IMPRINT, gen_time=THEN), name, options=("-cades", *options))
    assert check_response(answer, CHECKPOINT, anchors=root).gen_time == THEN
    token = parse_response(answer)
    at = answer.index(token.signed.signer.signature) + 40
    refused(Reason.BAD_SIGNATURE, changed(answer, at, 1), anchors=root)


def test_granted_with_modifications_is_granted(shop: Workshop, root: Anchors) -> None:
    """Status 1 carries a token too (RFC 3161 §2.4.2); rfc3161-client refuses it."""
    answer = shop.sign(tst_info(IMPRINT, gen_time=THEN), "tsa", "mid")
    token = der.children(der.parse(answer), der.SEQUENCE)[1].raw
    assert check_response(granted(token, status=1), CHECKPOINT, anchors=root).gen_time == THEN


@pytest.mark.parametrize(
    ("text", "micros"), [("Z", 0), (".5Z", 500_000), (".691128Z", 691_128), (".6911281Z", 691_129)]
)
def test_fractions_of_a_second_are_kept(
    shop: Workshop, root: Anchors, text: str, micros: int
) -> None:
    """A fraction is never rounded down: nothing is said to have existed before it was dated."""
    info = tst_info(IMPRINT, gen_time=f"20160301120000{text}")
    found = check_response(shop.sign(info, "tsa", "mid"), CHECKPOINT, anchors=root)
    assert found.gen_time == THEN + timedelta(microseconds=micros)


# At genTime, not now


def test_a_token_outlives_its_certificates(shop: Workshop) -> None:
    """Valid at its own time, it holds for ever, though every certificate has since expired."""
    end = "20170101000000Z"
    shop.issue("old-root", extensions=CA, end=end)
    shop.issue("old-mid", "old-root", extensions=CA, end=end)
    shop.issue("old-tsa", "old-mid", end=end)
    answer = shop.sign(tst_info(IMPRINT, gen_time=THEN), "old-tsa", "old-mid")
    found = check_response(answer, CHECKPOINT, anchors=trusted(shop, "old-root"))
    assert (found.gen_time, len(found.chain)) == (THEN, 3)
    assert not openssl_verify(shop, answer, "-CAfile", "old-root.pem")
    at = ("-attime", str(int(THEN.timestamp())))
    assert openssl_verify(shop, answer, "-CAfile", "old-root.pem", *at)


@pytest.mark.parametrize("expired", ["root", "mid", "tsa"])
def test_a_certificate_that_had_expired_by_then_is_refused(shop: Workshop, expired: str) -> None:
    """Each certificate of the chain was valid at the token's time, or the token is refused."""
    names = {name: f"{expired}-{name}" for name in ("root", "mid", "tsa")}
    ends = {expired: "20160301115959Z"}
    for name, issuer in (("root", None), ("mid", "root"), ("tsa", "mid")):
        shop.issue(
            names[name],
            names[issuer] if issuer else None,
            extensions=TSA if name == "tsa" else CA,
            end=ends.get(name, "20990101000000Z"),
        )
    answer = shop.sign(tst_info(IMPRINT, gen_time=THEN), names["tsa"], names["mid"])
    said = refused(Reason.NOT_VALID_THEN, answer, anchors=trusted(shop, names["root"]))
    assert "was not valid at 2016-03-01T12:00:00Z" in said
    # OpenSSL takes the last second for expired, RFC 5280 §4.1.2.5 does not.
    earlier = shop.sign(
        tst_info(IMPRINT, gen_time=THEN - timedelta(seconds=2)), names["tsa"], names["mid"]
    )
    assert check_response(earlier, CHECKPOINT, anchors=trusted(shop, names["root"]))


def test_a_second_program_is_asked(shop: Workshop) -> None:
    """Where it disagrees the token is refused: it takes the last second for expired."""
    shop.issue("ending", extensions=CA, end="20160301120000Z")
    shop.issue("ending-tsa", "ending")
    answer = shop.sign(tst_info(IMPRINT, gen_time=THEN), "ending-tsa")
    said = refused(Reason.OBJECTED, answer, anchors=trusted(shop, "ending"))
    assert "a second program refuses the token" in said
    assert "certificate has expired" in said


def test_a_signer_that_had_expired_is_refused_without_anchors_too(shop: Workshop) -> None:
    """What can be checked without trust is checked without trust: a reply of today, expired."""
    shop.issue("expired", "root", end="20170101000000Z")
    answer = shop.reply(make_request(CHECKPOINT, nonce=1), "expired")
    refused(Reason.NOT_VALID_THEN, answer)
    shop.issue("unborn", "root", start="20900101000000Z")
    refused(Reason.NOT_VALID_THEN, shop.reply(make_request(CHECKPOINT, nonce=1), "unborn"))


# Who is trusted


def test_another_root_vouches_for_nothing(shop: Workshop, answer: bytes) -> None:
    """The same name with another key is another authority."""
    shop.issue("other", extensions=CA, subject="root")
    shop.issue("self", extensions=CA)
    said = refused(Reason.NOT_TRUSTED, answer, anchors=trusted(shop, "other"))
    assert "'CN=root' did not sign the certificate of 'CN=mid'" in said
    said = refused(Reason.NOT_TRUSTED, answer, anchors=trusted(shop, "self"))
    assert "no trusted certificate issued 'CN=mid'" in said


def test_one_of_several_roots_is_enough(shop: Workshop, answer: bytes) -> None:
    shop.issue("twin", extensions=CA, subject="root")
    anchors = trusted(shop, "twin", "root", "tsa")
    assert check_response(answer, CHECKPOINT, anchors=anchors).authority is Authority.CHECKED


@pytest.mark.parametrize("anchor", ["mid", "tsa"])
def test_trust_may_begin_below_the_root(shop: Workshop, answer: bytes, anchor: str) -> None:
    """A trusted certificate ends the chain, also one that another has issued."""
    found = check_response(answer, CHECKPOINT, anchors=trusted(shop, anchor))
    assert len(found.chain) == {"mid": 2, "tsa": 1}[anchor]
    assert openssl_verify(shop, answer, "-partial_chain", "-CAfile", f"{anchor}.pem")
    assert not openssl_verify(shop, answer, "-CAfile", f"{anchor}.pem")


def test_a_missing_intermediate_can_be_trusted(shop: Workshop, root: Anchors) -> None:
    """A token without its intermediate is refused, and holds where that is trusted too."""
    answer = shop.reply(make_request(CHECKPOINT, nonce=1), "tsa")
    refused(Reason.NOT_TRUSTED, answer, anchors=root)
    assert check_response(answer, CHECKPOINT, anchors=trusted(shop, "root", "mid"))


def test_a_self_signed_signer_is_its_own_anchor_or_none(shop: Workshop, root: Anchors) -> None:
    shop.issue("alone")
    answer = shop.reply(make_request(CHECKPOINT, nonce=1), "alone")
    refused(Reason.NOT_TRUSTED, answer, anchors=root)
    assert check_response(answer, CHECKPOINT).authority is Authority.NOT_CHECKED
    own = check_response(answer, CHECKPOINT, anchors=trusted(shop, "alone"))
    assert own.authority is Authority.CHECKED


@pytest.mark.parametrize(
    ("name", "extensions", "says"),
    [
        ("no-ca", "basicConstraints=critical,CA:FALSE\n", "no certificate authority"),
        ("no-basic", "keyUsage=critical,keyCertSign\n", "no certificate authority"),
        ("no-sign", "basicConstraints=critical,CA:TRUE\nkeyUsage=cRLSign\n", "may not sign"),
        ("web", f"{CA}extendedKeyUsage=serverAuth\n", "may not issue for time-stamping"),
        ("odd", f"{CA}1.2.3.4.5=critical,ASN1:NULL\n", "not evaluated here"),
        ("names", f"{CA}nameConstraints=critical,permitted;DNS:a.example\n", "not evaluated"),
    ],
)
def test_an_intermediate_must_be_allowed_to_issue(
    shop: Workshop, root: Anchors, name: str, extensions: str, says: str
) -> None:
    """RFC 5280 §6.1.4: authority, key usage, purposes and unknown critical extensions."""
    shop.issue(f"mid-{name}", "root", extensions=extensions)
    shop.issue(f"tsa-{name}", f"mid-{name}")
    answer = shop.sign(tst_info(IMPRINT, gen_time=THEN), f"tsa-{name}", f"mid-{name}")
    assert says in refused(Reason.NOT_TRUSTED, answer, anchors=root)


def test_a_path_longer_than_allowed_is_refused(shop: Workshop) -> None:
    """pathLenConstraint counts the authorities below, the signer not (RFC 5280 §4.2.1.9)."""
    shop.issue("short", extensions=CA.replace("CA:TRUE", "CA:TRUE,pathlen:0"))
    shop.issue("direct", "short")
    shop.issue("between", "short", extensions=CA)
    shop.issue("far", "between")
    anchors = trusted(shop, "short")
    near = shop.sign(tst_info(IMPRINT, gen_time=THEN), "direct")
    assert check_response(near, CHECKPOINT, anchors=anchors)
    far = shop.sign(tst_info(IMPRINT, gen_time=THEN), "far", "between")
    assert "no more than 0" in refused(Reason.NOT_TRUSTED, far, anchors=anchors)


def test_a_forgeable_signature_in_the_chain_is_refused(shop: Workshop, root: Anchors) -> None:
    """SHA-1 under a certificate, and a key of 1,024 bits, prove nothing today."""
    shop.issue("sha1", "root", digest="sha1")
    weak = shop.sign(tst_info(IMPRINT, gen_time=THEN), "sha1")
    assert "signed with sha1" in refused(Reason.NOT_TRUSTED, weak, anchors=root)
    shop.issue("small", "root", key=("RSA", "-pkeyopt", "rsa_keygen_bits:1024"))
    small = shop.sign(tst_info(IMPRINT, gen_time=THEN), "small")
    assert "too short: 1024 bits" in refused(Reason.NOT_TRUSTED, small, anchors=root)


def test_a_signature_over_sha1_is_refused(shop: Workshop, root: Anchors) -> None:
    info = tst_info(IMPRINT, gen_time=THEN)
    answer = shop.sign(info, "tsa", "mid", options=("-cades", "-md", "sha1"))
    refused(Reason.BAD_SIGNATURE, answer, anchors=root)


def test_a_loop_of_certificates_ends(shop: Workshop, root: Anchors) -> None:
    """Two authorities that issued each other lead nowhere, in bounded time."""
    for name in ("ring-a", "ring-b"):
        shop.issue(name, extensions=CA)
    for name, issuer in (("ring-a", "ring-b"), ("ring-b", "ring-a")):
        certificate = shop.folder / f"{name}.pem"
        shop.openssl("ca", "-batch", "-notext", "-config", "openssl.cnf", "-rand_serial",
                     "-cert", f"{issuer}.pem", "-keyfile", f"{issuer}.key", "-startdate", LONG_AGO,
                     "-enddate", "20990101000000Z", "-extfile", f"{name}.ext",
                     "-in", f"{name}.csr", "-out", f"{name}-crossed.pem")  # fmt: skip
        assert certificate.exists()
    shop.issue("ring-tsa", "ring-a")
    answer = shop.sign(
        tst_info(IMPRINT, gen_time=THEN), "ring-tsa", "ring-a-crossed", "ring-b-crossed"
    )
    refused(Reason.NOT_TRUSTED, answer, anchors=root)
    assert check_response(answer, CHECKPOINT, anchors=trusted(shop, "ring-b"))


# What is refused


def test_a_token_for_other_data_is_foreign(shop: Workshop, answer: bytes, root: Anchors) -> None:
    """A token that dates other bytes is refused, with both hashes in the message."""
    said = refused(Reason.WRONG_IMPRINT, answer, CHECKPOINT + b"\n", anchors=root)
    assert IMPRINT.hex() in said
    assert hashlib.sha256(CHECKPOINT + b"\n").hexdigest() in said


def test_a_nonce_that_is_not_ours_is_refused(shop: Workshop, answer: bytes, root: Anchors) -> None:
    """An old answer sent again is told by its nonce; without the request it cannot be."""
    request = make_request(CHECKPOINT, nonce=NONCE + 1)
    refused(Reason.WRONG_NONCE, answer, request=request, anchors=root)
    without = shop.sign(tst_info(IMPRINT, gen_time=THEN), "tsa", "mid")
    assert "found none" in refused(Reason.WRONG_NONCE, without, request=request, anchors=root)
    assert check_response(answer, CHECKPOINT, anchors=root)


def test_a_policy_that_was_not_asked_for_is_refused(answer: bytes, root: Anchors) -> None:
    request = make_request(CHECKPOINT, nonce=NONCE, policy="1.2.3.4.2")
    refused(Reason.WRONG_POLICY, answer, request=request, anchors=root)


def test_a_request_over_other_bytes_is_refused(answer: bytes, root: Anchors) -> None:
    """A request put in another's place does not pass, even with the nonce."""
    request = make_request(b"other", nonce=NONCE)
    refused(Reason.WRONG_IMPRINT, answer, request=request, anchors=root)
    refused(Reason.NOT_READABLE, answer, request=b"no request", anchors=root)


@pytest.mark.parametrize(
    ("name", "extensions", "says"),
    [
        ("none", "keyUsage=critical,digitalSignature\n", "no purpose"),
        ("soft", "extendedKeyUsage=timeStamping\n", "not marked critical"),
        ("more", "extendedKeyUsage=critical,timeStamping,codeSigning\n", "1.3.6.1.5.5.7.3.3"),
        ("other", "extendedKeyUsage=critical,codeSigning\n", "1.3.6.1.5.5.7.3.3"),
        ("any", "extendedKeyUsage=critical,anyExtendedKeyUsage\n", "2.5.29.37.0"),
        ("crypt", f"{TSA}".replace("digitalSignature", "keyEncipherment"), "may not sign"),
    ],
)
def test_the_signer_is_for_time_stamping_alone(
    shop: Workshop, root: Anchors, name: str, extensions: str, says: str
) -> None:
    """RFC 3161 §2.3: extendedKeyUsage is there, critical, and time-stamping only."""
    signer = f"eku-{name}"
    shop.issue(signer, "root", extensions=extensions)
    answer = shop.sign(tst_info(IMPRINT, gen_time=THEN), signer)
    for anchors in (root, NO_ANCHORS):
        assert says in refused(Reason.WRONG_PURPOSE, answer, anchors=anchors)


def test_a_request_that_is_turned_down_says_why(shop: Workshop, root: Anchors) -> None:
    """The authority's own words come along, escaped."""
    answer = shop.reply(make_request(CHECKPOINT, nonce=1, policy="1.9.9"), "tsa")
    said = refused(Reason.NOT_GRANTED, answer, anchors=root)
    assert "rejected, policy not accepted" in said
    words = der.write(der.SEQUENCE, der.write(der.UTF8_STRING, b"\x1b[2J no"))
    status = der.write(der.SEQUENCE, der.write_integer(2), words)
    said = refused(Reason.NOT_GRANTED, der.write(der.SEQUENCE, status))
    assert r"\x1b[2J no" in said
    bare = der.write(der.SEQUENCE, der.write(der.SEQUENCE, der.write_integer(0)))
    assert "without a token" in refused(Reason.NOT_GRANTED, bare)


def test_a_token_not_bound_to_its_signer_is_refused(shop: Workshop, root: Anchors) -> None:
    """Without ESSCertID, or with another's, the signer could be swapped (RFC 5816)."""
    info = tst_info(IMPRINT, gen_time=THEN)
    loose = shop.sign(info, "tsa", "mid", options=())
    refused(Reason.NOT_BOUND, loose, anchors=root)
    # Another certificate for the same key, name and number, by the same authority.
    first = shop.issue("swap", "root")
    answer = shop.sign(info, first)
    old = shop.pem(first)
    serial = shop.openssl("x509", "-in", "swap.pem", "-noout", "-serial").stdout.decode()
    shop.openssl("x509", "-req", "-in", "swap.csr", "-CA", "root.pem", "-CAkey", "root.key",
                 "-set_serial", f"0x{serial.strip().partition('=')[2]}", "-days", "90000",
                 "-extfile", "swap.ext", "-out", "swap.pem")  # fmt: skip
    swapped = with_certificates(answer, parse_pem(shop.pem(first), where="swap"))
    assert check_response(answer, CHECKPOINT)
    refused(Reason.NOT_BOUND, swapped)
    both = with_certificates(swapped, parse_pem(shop.pem(first) + old, where="swap"))
    assert check_response(both, CHECKPOINT, anchors=root).gen_time == THEN


def with_certificates(answer: bytes, certificates: tuple[bytes, ...]) -> bytes:
    """Return a response with other certificates in its token, in the order given."""
    token = der.children(der.parse(answer), der.SEQUENCE)[1]
    kind, content = der.children(token, der.SEQUENCE)
    (signed,) = der.children(content, der.context(0))
    parts = [
        der.write(der.context(0), *certificates) if each.tag == der.context(0) else each.raw
        for each in der.children(signed, der.SEQUENCE)
    ]
    inner = der.write(der.context(0), der.write(der.SEQUENCE, *parts))
    return granted(der.write(der.SEQUENCE, kind.raw, inner))


def test_the_order_of_certificates_says_nothing(
    shop: Workshop, answer: bytes, root: Anchors
) -> None:
    """CMS asks for no order of certificates; rfc3161-client refuses all but one."""
    ordered = [shop.pem("tsa", "mid", "root"), shop.pem("root", "mid", "tsa")]
    said = []
    for pem in ordered:
        moved = with_certificates(answer, parse_pem(pem, where="moved"))
        assert check_response(moved, CHECKPOINT, anchors=root).authority is Authority.CHECKED
        assert certificates_of(moved) == parse_pem(ordered[0], where="kept")
        try:
            decode_timestamp_response(moved)
        except ValueError as fault:
            said.append(str(fault))
    assert any("InvalidSetOrdering" in each for each in said)


def test_a_token_without_its_signers_certificate_is_refused(
    shop: Workshop, answer: bytes, root: Anchors
) -> None:
    bare = with_certificates(answer, parse_pem(shop.pem("mid"), where="mid"))
    refused(Reason.NO_SIGNER, bare, anchors=root)
    refused(Reason.NO_SIGNER, with_certificates(answer, ()))


def test_content_of_another_kind_is_no_token(shop: Workshop, root: Anchors) -> None:
    """A signature made for something else never dates anything."""
    info = tst_info(IMPRINT, gen_time=THEN)
    answer = shop.sign(info, "tsa", "mid", kind="1.2.3.4.5")
    assert "a time-stamp token expected" in refused(Reason.NOT_READABLE, answer, anchors=root)


def test_an_unknown_critical_extension_is_refused(shop: Workshop, root: Anchors) -> None:
    """An extension that changes the meaning may not be passed over; one that does not may."""
    for critical in (True, False):
        extension = der.write(
            der.SEQUENCE,
            der.write_oid("1.2.3.4.5"),
            der.write(der.BOOLEAN, b"\xff") if critical else b"",
            der.write(der.OCTET_STRING, b"\x05\x00"),
        )
        last = der.write(der.context(1), extension)
        answer = shop.sign(tst_info(IMPRINT, gen_time=THEN, last=last), "tsa", "mid")
        if critical:
            assert "1.2.3.4.5" in refused(Reason.NOT_READABLE, answer, anchors=root)
        else:
            assert check_response(answer, CHECKPOINT, anchors=root)


# Damage


def changed(raw: bytes, at: int, flip: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ flip]) + raw[at + 1 :]


def signed_regions(answer: bytes) -> list[range]:
    """Return where in a response stand what it says, its attributes, signature and signer."""
    token = parse_response(answer)
    signer = certificates_of(answer)[0]
    attributes = der.parse(token.signed.signer.signed).body
    parts = (token.signed.content, attributes, token.signed.signer.signature, signer)
    assert all(answer.count(part) == 1 for part in parts)
    return [range(answer.index(part), answer.index(part) + len(part)) for part in parts]


def test_every_byte_of_the_signed_parts_is_held(answer: bytes) -> None:
    """A flipped bit anywhere in them is refused, though nobody is trusted."""
    for region in signed_regions(answer):
        for at in region:
            with pytest.raises(TimestampError):
                check_response(changed(answer, at, 1 << at % 8), CHECKPOINT)


@settings(max_examples=500, deadline=None)
@given(data=st.data(), flip=st.integers(1, 255))
def test_any_change_of_a_signed_byte_is_refused(
    answer: bytes, data: st.DataObject, flip: int
) -> None:
    """Whatever a signed byte is changed to, the token is refused."""
    region = data.draw(st.sampled_from(signed_regions(answer)))
    at = data.draw(st.integers(region.start, region.stop - 1))
    with pytest.raises(TimestampError):
        check_response(changed(answer, at, flip), CHECKPOINT)


def test_no_changed_byte_changes_what_is_said(answer: bytes, root: Anchors) -> None:
    """Any byte of the response flipped: it is refused, or says the very same."""
    whole = check_response(answer, CHECKPOINT, anchors=root)
    passed = 0
    for at in range(len(answer)):
        try:
            found = check_response(changed(answer, at, 1 << at % 8), CHECKPOINT, anchors=root)
        except TimestampError:
            continue
        passed += 1
        assert found == whole
    # The status alone: granted, or granted with modifications.
    assert passed == 1


def test_a_truncated_response_is_not_readable(answer: bytes) -> None:
    """Cut anywhere, or with something after it, a response is none."""
    for size in range(len(answer)):
        refused(Reason.NOT_READABLE, answer[:size])
    refused(Reason.NOT_READABLE, answer + b"\0")
    refused(Reason.NOT_READABLE, b"0" * 1_000_001)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_garbled_responses_give_no_other_error(answer: bytes, data: st.DataObject) -> None:
    """Bytes written over, cut out and put in: a refusal or the same token, never a traceback."""
    raw = answer
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        size = data.draw(st.integers(0, 6))
        raw = raw[:at] + data.draw(st.binary(max_size=6)) + raw[at + size :]
    try:
        assert facts(check_response(raw, CHECKPOINT)) == facts(check_response(answer, CHECKPOINT))
    except TimestampError:
        pass


@given(raw=st.binary(max_size=200))
def test_noise_is_not_readable(raw: bytes) -> None:
    with pytest.raises(TimestampError):
        check_response(raw, CHECKPOINT)
    with pytest.raises(TimestampError):
        parse_request(raw)


# The second program


def test_the_library_agrees_where_it_can_read(shop: Workshop, root: Anchors) -> None:
    """A token that rfc3161-client reads says the same to it, but for the fraction it drops."""
    answer = shop.reply(make_request(CHECKPOINT, nonce=NONCE), "tsa")
    read = decode_timestamp_response(answer)
    anchor = x509.load_pem_x509_certificate(shop.pem("mid"))
    found = check_response(answer, CHECKPOINT, anchors=trusted(shop, "mid"))
    assert read.tst_info.gen_time == found.gen_time.replace(microsecond=0)
    assert read.tst_info.nonce == found.nonce
    assert read.tst_info.serial_number == found.serial
    assert read.tst_info.policy.dotted_string == found.policy
    # It trusts no certificate that another has issued: that part is ours.
    with pytest.raises(Exception, match="certificate verify error"):
        VerifierBuilder(roots=[anchor]).build().verify_message(read, CHECKPOINT)


# Anchors


def test_anchors_are_read_from_pem(shop: Workshop) -> None:
    """Text around the blocks is passed over, and doubles count once."""
    text = b"The root of our authority:\n" + shop.pem("root") + b"and again\r\n" + shop.pem("root")
    anchors = parse_anchors(text, where="a.pem")
    der_form = x509.load_pem_x509_certificate(shop.pem("root")).public_bytes(Encoding.DER)
    assert anchors.certificates == (der_form,)
    assert format_pem(anchors.certificates) == shop.pem("root")


def test_a_damaged_anchor_is_read_or_refused(shop: Workshop, answer: bytes) -> None:
    """A bit flipped anywhere in a root: it cannot be read, or vouches for nothing it should not."""
    (whole,) = trusted(shop, "root").certificates
    for at in range(len(whole)):
        pem = format_pem((changed(whole, at, 1 << at % 8),))
        try:
            check_response(answer, CHECKPOINT, anchors=parse_anchors(pem, where="a.pem"))
        except (UsageError, TimestampError):
            continue
        # What is changed is none of name, key, dates and rights: number, signature, or the like.
        with without_warnings():
            key = x509.load_der_x509_certificate(parse_pem(pem, where="a.pem")[0]).public_key()
        assert key == x509.load_der_x509_certificate(whole).public_key()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no certificate"),
        (b"\x30\x82", "no certificate"),
        (b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "cannot be read"),
        (b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "cannot be read"),
        (b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "private key"),
        (b" " * 10_000_001, "too large"),
    ],
)
def test_what_is_no_file_of_certificates_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_anchors(raw, where="a.pem")


# Tokens of real authorities


@pytest.mark.shared
@pytest.mark.parametrize("name", ["valid_timestamp", "self_signed"])
def test_real_tokens_say_what_others_read_in_them(name: str) -> None:
    """Two tokens of 2025 agree with what `openssl ts` reads; the shared answers are its words."""
    path = SHARED / "other/rfc3161/EXPECTED.json"
    if not path.exists():
        pytest.skip("the shared corpora are not beside the checkout")
    expected = next(
        each
        for each in json.loads(path.read_text("utf-8"))["vectors"]
        if each["path"].endswith(f"{name}.tsr")
    )
    (response,) = (SHARED / "files/bellingcat__auto-archiver").glob(f"*{name}.tsr")
    dated = b"4b7b4e39f12b8c725e6e603e6d4422500316df94211070682ef10260ff5759ef"
    found = check_response(response.read_bytes(), dated, algorithm="sha512")
    assert found.authority is Authority.NOT_CHECKED
    assert found.imprint == expected["imprint"]
    assert found.policy == expected["policy"]
    assert found.serial == int(expected["serial"], 16)
    assert found.nonce == int(expected["nonce"], 16)
    moment = datetime.strptime(expected["time"], "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    assert found.gen_time == moment
    refused(Reason.WRONG_ALGORITHM, response.read_bytes(), dated)
    refused(Reason.WRONG_IMPRINT, response.read_bytes(), b"other", algorithm="sha512")


@pytest.mark.shared
def test_a_real_authority_is_trusted_by_its_root() -> None:
    """The one leads to a root that browsers know, expired since; the other to none."""
    folder = SHARED / "files/bellingcat__auto-archiver"
    if not folder.exists():
        pytest.skip("the shared corpora are not beside the checkout")
    anchors = parse_anchors(Path(certifi.where()).read_bytes(), where="certifi")
    if not any(b"IdenTrust Commercial Root CA 1" in each for each in anchors.certificates):
        pytest.skip("the root is no longer among those that certifi knows")
    dated = b"4b7b4e39f12b8c725e6e603e6d4422500316df94211070682ef10260ff5759ef"
    (valid,) = folder.glob("*valid_timestamp.tsr")
    (lone,) = folder.glob("*self_signed.tsr")
    found = check_response(valid.read_bytes(), dated, anchors=anchors, algorithm="sha512")
    assert found.authority is Authority.CHECKED
    assert len(found.chain) == 3
    refused(Reason.NOT_TRUSTED, lone.read_bytes(), dated, anchors=anchors, algorithm="sha512")
