"""DER as time-stamps use it: one spelling for each value, and every other refused."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.timestamps import der
from provenance.timestamps.der import DerError


@given(st.integers(0, 2**500))
def test_an_integer_reads_back(number: int) -> None:
    assert der.read_integer(der.parse(der.write_integer(number))) == number


@given(first=st.integers(0, 2), second=st.integers(0, 39), rest=st.lists(st.integers(0, 2**64)))
def test_an_object_identifier_reads_back(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, (first, second, *rest[:5])))
    assert der.read_oid(der.parse(der.write_oid(dotted))) == dotted


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_every_length_reads_back(size: int) -> None:
    """Also where the length takes one, two, three or four bytes."""
    element = der.parse(der.write(der.OCTET_STRING, bytes(size)))
    assert (element.tag, len(element.body)) == (der.OCTET_STRING, size)
    assert der.parse(element.raw) == element


@given(st.binary(max_size=40))
def test_what_is_read_is_what_is_written(raw: bytes) -> None:
    """Any bytes that read as an element are those that its value is written as."""
    try:
        element = der.parse(raw)
    except DerError:
        return
    assert der.write(element.tag, element.body) == raw


@pytest.mark.parametrize(
    "spelling",
    [
        "",
        "02",
        "0201",
        "020101ff",  # something after the end
        "02810101",  # a length in more bytes than needed
        "0282000101",
        "3080020101 0000",  # an indefinite length
        "3085000000000102",
        "1f0101",  # a tag of more than one byte
    ],
)
def test_other_encodings_are_refused(spelling: str) -> None:
    with pytest.raises(DerError):
        der.parse(bytes.fromhex(spelling))


@pytest.mark.parametrize("spelling", ["0200", "02020001", "0202ff80", "020080", "0141" + "00" * 65])
def test_other_integers_are_refused(spelling: str) -> None:
    with pytest.raises(DerError):
        der.read_integer(der.parse(bytes.fromhex(spelling)))


@pytest.mark.parametrize("spelling", ["0600", "060180", "06022a80", "0603558004", "020155"])
def test_other_object_identifiers_are_refused(spelling: str) -> None:
    with pytest.raises(DerError):
        der.read_oid(der.parse(bytes.fromhex(spelling)))


@pytest.mark.parametrize("spelling", ["010101", "0100", "0102ffff", "0201ff"])
def test_other_truth_values_are_refused(spelling: str) -> None:
    with pytest.raises(DerError):
        der.read_boolean(der.parse(bytes.fromhex(spelling)))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        (b"20160301120000Z", datetime(2016, 3, 1, 12, tzinfo=UTC)),
        (b"20160301120000.25Z", datetime(2016, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)),
        (b"20161231235959.9999999Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_and_never_rounded_down(text: bytes, instant: datetime) -> None:
    assert der.read_time(der.parse(der.write(der.GENERALIZED_TIME, text))) == instant


@pytest.mark.parametrize(
    "text",
    [
        b"20160301120000",
        b"20160301120000+0100",
        b"201603011200Z",
        b"20160301120000.Z",
        b"20160301120000.50Z",
        b"20160230120000Z",
        b"20161231235960Z",
        b"00000301120000Z",
        b"99991231235959.9999999Z",
        b"2016030112000\xd9\xa0Z",
    ],
)
def test_other_times_are_refused(text: bytes) -> None:
    with pytest.raises(DerError):
        der.read_time(der.parse(der.write(der.GENERALIZED_TIME, text)))


def test_openssl_reads_what_is_written() -> None:
    """`openssl asn1parse` sees the same values."""
    raw = der.write(
        der.SEQUENCE,
        der.write_integer(2**64),
        der.write_oid("1.2.840.113549.1.9.16.1.4"),
        der.write(der.context(3), der.write(der.OCTET_STRING, b"x" * 200)),
    )
    done = subprocess.run(
        ["openssl", "asn1parse", "-inform", "DER"],
        input=raw,
        capture_output=True,
        check=True,
        timeout=60,
    )
    said = done.stdout.decode()
    assert ":010000000000000000" in said
    assert ":id-smime-ct-TSTInfo" in said
    assert "cont [ 3 ]" in said
    assert "l= 200 prim: OCTET STRING" in said
