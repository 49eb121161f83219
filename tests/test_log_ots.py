"""OpenTimestamps proofs as bytes: a real one, the form both ways, and what is none."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provenance.errors import UsageError
from provenance.timestamps.block import parse_header
from provenance.timestamps.ots import (
    APPEND,
    BITCOIN,
    MAGIC,
    MAX_BYTES,
    PENDING,
    PREPEND,
    SHA256,
    Attestation,
    Branch,
    Proof,
    Step,
    apply,
    blinding_steps,
    in_block,
    parse_answer,
    parse_proof,
    pending_at,
    write_proof,
)
from provenance.timestamps.refusals import Reason, TimestampError
from tests.ots_calendar import EASY_BITS, mine

HELLO = b"Hello World!\n"
HELLO_PROOF = base64.b64decode(
    "AE9wZW5UaW1lc3RhbXBzAABQcm9vZgC/ieLohOiSlAEIA7ogTlDRJuRnTABeBNguhMITZngK8fQ71Uo3gWtqs0AD8cgB"
    "AQAAAAHkgvnTLsw7ple2nYmAEIV7VEV6kEl5gv9W+XxOxY5vmAEAAABrSDBFAiEAslOt0dHPkIRDOKR1oE/xP8nnvSQr"
    "B3Yt6gf1YIst42cCIACyaMqcM0KzdpzdBiiRMXzc74eqwxC2hV6dk4mOu+jsASECDY5NEH0rM5sAUO/dS0oJJFqgVgSP"
    "ElOWN06moqsHCcb/////AmUz5gUAAAAAGXapFAvwV9QPu6Z0SGJRX1tVojEN5XcviKyghgEAAAAAABl2qRTwBoisAAAA"
    "AAgI8SCph/cWxTORPDFMeONdNYhMrJQ/pCysSdKyxp9AA/hfiAgI8SDexVs0h+Hj9yKkm1WneDIVhieF9KOss5KEYBn3"
    "HcZKnQgI8SCyyhj0heCAR44CXas9RktBbA4ey2Ypya786MghTQQkMggI8CARsOkGYRlv9LCBPD7aFBurXpFgSDe996DJ"
    "3zfbDjoRmAgI8CDDS8GkoQk//RSMAWseZkdCkU6Tnvq+TT01ZRWRSybZ4ggI8CDD5ufDjGn2ryTCvjTrrEglft5h7Aoh"
    "uVNeREMne+MGRggI8SAHmL+GBuAAJOXV1UvwyWD2Kd+52taRV0VbbyZSwOjegQgI8CA/mtptYLqiRABrsKrVFEitL6+5"
    "1LZIegmZz/JrkfD1NggI8SDHAwGelZqN0/rvdIm7MoukhVdHWOcJHwFGTrZYcsl1yAgI8CDL/v/1E/+EuRXj/tb515ln"
    "ZjD4Nk6ipsdVf62UpbXXiAgI8SAL4jcJhZkTur1EYLvd+O0hPnyHc6Sx+s4w+Kz98JO3BQgIAAWIlg1z1xkBA/fvFQ=="
)
"""The first proof that the reference client shows, over the text above."""
BLOCK_358391 = bytes.fromhex(
    "02000000b96394585a281b7e5f438fd1c9ed492645a1fd61cb3802040000000000000000"
    "007ee445d23ad061af4a36b809501fab1ac4f2d7e7a739817dd0cbb7ec661b8a1e376755f58616186272def6"
)
GENESIS = bytes.fromhex(
    "01000000" + 64 * "0" + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"
    "29ab5f49ffff001d1dac2b7c"
)


def has_ripemd160() -> bool:
    try:
        hashlib.new("ripemd160")
    except ValueError:
        return False
    return True


# A proof and a block of the real chain


@pytest.mark.skipif(not has_ripemd160(), reason="OpenSSL without RIPEMD-160")
def test_a_real_proof_leads_to_the_block_that_it_names() -> None:
    """Digest to merkle root by 38 operations; the header's work, hash and time are the chain's."""
    proof = parse_proof(HELLO_PROOF)
    assert proof.digest == hashlib.sha256(HELLO).digest()
    (branch,) = proof.in_blocks
    header = parse_header(BLOCK_358391, where="a header")
    assert branch.attestation.height == 358391
    assert branch.message == header.merkle_root
    assert header.time == datetime(2015, 5, 28, 15, 41, 18, tzinfo=UTC)
    assert header.name == "000000000000000003e892881a8cdcdc117c06d444057c98b6f04a9ee75a2319"
    assert write_proof(proof) == HELLO_PROOF


@pytest.mark.skipif(not has_ripemd160(), reason="OpenSSL without RIPEMD-160")
def test_no_byte_of_a_real_proof_can_be_changed() -> None:
    """A flipped bit anywhere but in the height makes it no proof, or one that leads elsewhere."""
    root = parse_header(BLOCK_358391, where="a header").merkle_root
    height = len(HELLO_PROOF) - 3
    for at in range(len(HELLO_PROOF)):
        flipped = bytearray(HELLO_PROOF)
        flipped[at] ^= 1 << at % 8
        try:
            proof = parse_proof(bytes(flipped))
        except TimestampError:
            continue
        holds = proof.digest == hashlib.sha256(HELLO).digest() and any(
            each.message == root for each in proof.in_blocks
        )
        assert not holds or at >= height, at


# Headers of blocks


def test_a_header_is_taken_as_bytes_or_in_hexadecimal() -> None:
    expected = parse_header(BLOCK_358391, where="x")
    for given_as in (
        BLOCK_358391.hex().encode(),
        b" " + BLOCK_358391.hex().upper().encode() + b"\n",
    ):
        assert parse_header(given_as, where="x") == expected


def test_the_first_block_of_all_is_known_by_its_hash() -> None:
    """Its target asks for 2^32 hashes, which is too few for a block that dates a proof."""
    header = parse_header(GENESIS, where="x", least_work=1)
    assert header.name == "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    assert (header.time, header.work) == (datetime(2009, 1, 3, 18, 15, 5, tzinfo=UTC), 0x100010001)
    with pytest.raises(UsageError, match=r"too little proof of work.*found about 2\^32"):
        parse_header(GENESIS, where="x")


@pytest.mark.parametrize(
    "bits",
    [
        0,
        0x03000000,
        0x1D80FFFF,
        0x01003456,
        0x2300FFFF,
        0xFF00FFFF,
        0x2200FFFF,
        0x21010000,
    ],
)
def test_bits_that_give_no_target_are_no_proof_of_work(bits: int) -> None:
    """Zero, negative and too large ones, as Bitcoin's own rules have it."""
    raw = BLOCK_358391[:72] + bits.to_bytes(4, "little") + BLOCK_358391[76:]
    with pytest.raises(UsageError, match="without its proof of work"):
        parse_header(raw, where="x", least_work=1)


@given(st.integers(0, 79), st.integers(1, 255))
def test_no_byte_of_a_header_can_be_changed(at: int, by: int) -> None:
    """A changed header has another hash, which is not below the target."""
    raw = bytearray(BLOCK_358391)
    raw[at] ^= by
    with pytest.raises(UsageError):
        parse_header(bytes(raw), where="x")


@given(st.binary(max_size=200) | st.binary(min_size=80, max_size=80))
def test_any_bytes_are_a_header_or_refused(raw: bytes) -> None:
    try:
        parse_header(raw, where="x", least_work=1)
    except UsageError as fault:
        assert str(fault).isprintable()


def test_an_easy_header_is_none_of_bitcoin() -> None:
    """What anybody can make in no time is refused, however well it is made."""
    raw = mine(bytes(32), time_s=1_700_000_000)
    assert parse_header(raw, where="x", least_work=1).work == 2
    with pytest.raises(UsageError, match="too little proof of work"):
        parse_header(raw, where="x")
    assert EASY_BITS == 0x207FFFFF


# The form, both ways


steps = st.builds(Step, st.sampled_from([SHA256, 0x02, 0xF2])) | st.builds(
    Step, st.sampled_from([APPEND, PREPEND]), st.binary(min_size=1, max_size=40)
)
addresses = st.text("abz019.-_/:", max_size=30)
other_tags = st.binary(min_size=8, max_size=8).filter(lambda tag: tag not in (PENDING, BITCOIN))
attestations = (
    st.builds(pending_at, addresses)
    | st.builds(in_block, st.integers(0, 2**63 - 1))
    | st.builds(Attestation, other_tags, st.binary(max_size=200))
)


@st.composite
def proofs(draw: st.DrawFn) -> Proof:
    digest = draw(st.binary(min_size=32, max_size=32))
    branches = []
    for way in draw(st.lists(st.lists(steps, max_size=6), min_size=1, max_size=5)):
        said = draw(attestations)
        ending = [Step(SHA256)] if said.height is not None else []
        whole = (*way, *ending)
        branches.append(Branch(whole, apply(whole, digest), said))
    return Proof(digest, ()).having(branches)


@given(proofs())
def test_what_is_written_is_read_again(proof: Proof) -> None:
    """The same branches, whatever their order; what is written has one order alone."""
    raw = write_proof(proof)
    again = parse_proof(raw)
    assert set(again.branches) == set(proof.branches)
    assert again.digest == proof.digest
    assert write_proof(again) == raw
    assert write_proof(Proof(proof.digest, proof.branches[::-1])) == raw


@given(proofs(), st.data())
def test_a_proof_without_its_end_is_none(proof: Proof, data: st.DataObject) -> None:
    raw = write_proof(proof)
    end = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(TimestampError):
        parse_proof(raw[:end])
    with pytest.raises(TimestampError):
        parse_proof(raw + b"\0")


@given(st.binary(max_size=300))
@example(b"\xff" * 300)
@example(b"\xf3" * 20)
@example(b"\xf0" + b"\xff" * 200)
@example(b"\x00" + PENDING + b"\x05\x04a b!")
@example(b"\x00" + BITCOIN + b"\x02\x00\x00")
def test_any_bytes_are_a_proof_or_refused(raw: bytes) -> None:
    """No traceback but the one refusal, with a text that can be printed."""
    begun = MAGIC + b"\x01\x08" + bytes(32)
    for read in (
        lambda: parse_proof(raw),
        lambda: parse_proof(begun + raw),
        lambda: parse_answer(raw, bytes(32)),
    ):
        try:
            read()
        except TimestampError as fault:
            assert fault.reason is Reason.NOT_READABLE
            assert str(fault).isprintable()


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (b"\x08" * 256 + b"\x00" + BITCOIN + b"\x01\x05", "255 operations"),
        (b"\xf3" * 8, "message of more than 4096 bytes"),
        (b"\x67", "operation 0x67"),
        (b"\xff\xff", "operation 0xff"),
        (b"\xf0\x00", "length of 0"),
        (b"\xf0" + b"\xff" * 9, "more than 63 bits"),
        (b"\x00" + PENDING + b"\x03\x02a?", "address"),
        (b"\x00" + PENDING + b"\x04\x02ab!", "address"),
        (b"\xf0\x01a\x00" + BITCOIN + b"\x01\x05", "merkle root of 33 bytes"),
        (b"\x00" + bytes(8) + b"\xff\x7f", "length of 16383"),
    ],
)
def test_what_goes_beyond_a_bound_is_named(rest: bytes, said: str) -> None:
    with pytest.raises(TimestampError, match=said):
        parse_proof(MAGIC + b"\x01\x08" + bytes(32) + rest)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "another beginning"),
        (MAGIC + b"\x02\x08", "version 2"),
        (MAGIC + b"\x01\x02", "hash of the kind 0x02"),
        (MAGIC + b"\x01\x08" + bytes(MAX_BYTES), "bytes, more than"),
    ],
)
def test_what_is_no_proof_is_named(raw: bytes, said: str) -> None:
    with pytest.raises(TimestampError, match=said):
        parse_proof(raw)


def test_the_largest_proof_is_read_in_bounded_work() -> None:
    """As many branches as fit, each as deep as may be."""
    stem = b"\x08" * 254
    leaf = b"\xff\xf0\x01a\x00" + bytes(8) + b"\x00"
    room = MAX_BYTES - 65 - len(stem)
    raw = MAGIC + b"\x01\x08" + bytes(32) + stem + leaf * (room // len(leaf) - 2) + b"\x00" * 10
    assert len(parse_proof(raw).branches) == 2  # equal branches are one


def test_the_digest_is_blinded_before_a_calendar_sees_it() -> None:
    digest, nonce = bytes(32), bytes(range(16))
    assert apply(blinding_steps(nonce), digest) == hashlib.sha256(digest + nonce).digest()


def test_an_address_of_a_calendar_has_few_characters() -> None:
    """As in the reference, so that none leads anywhere else: no query, no user, no escapes."""
    for bad in (
        "http://a/?b",
        "http://u@a/",
        "http://a/%41",
        "http://[::1]/",
        "http://é/",
        "a" * 1001,
    ):
        with pytest.raises(ValueError, match="calendar"):
            pending_at(bad)
