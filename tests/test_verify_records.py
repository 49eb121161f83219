"""`verify` holds each record to the standard, to its digests, and ours to the profile."""

from __future__ import annotations

import base64
import gzip
import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.findings.finding import shown
from provenance.verify import FileReport, Finding, verify_file
from provenance.whole.labelled import parse_labelled
from tests.verify_builders import (
    HEAD,
    Rec,
    capture,
    changed,
    good_records,
    packed,
    rec,
    reknown,
    told_of,
    warcinfo,
)


def foreign(tmp_path: Path, *records: Rec) -> FileReport:
    """Judge a file that no warcinfo of ours opens."""
    path = tmp_path / "foreign.warc.gz"
    path.write_bytes(packed(records))
    return verify_file(path)


def one(report: FileReport, code: str) -> Finding:
    found = [each for each in report.findings if each.code == code]
    assert len(found) == 1, report.findings
    return found[0]


# Fields


@pytest.mark.parametrize(
    "name", ["WARC-Type", "WARC-Record-ID", "WARC-Date", "WARC-Target-URI", "Content-Type"]
)
def test_a_missing_field_is_named(tmp_path: Path, name: str) -> None:
    """Mandatory fields of a response of ours, Content-Type among them."""
    records = changed(good_records(), 2, lambda each: each.having(**{name.replace("-", "_"): None}))
    heard = told_of(tmp_path, records)
    assert name in {each.field for each in heard.findings if each.code == "field_missing"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WARC-Date", "2026-11-23"),
        ("WARC-Target-URI", "http://other.example/"),
        ("WARC-Record-ID", "<urn:x:2>"),
        ("Content-Type", "text/html"),
        ("warc-block-digest", "sha256:00"),
    ],
)
def test_a_repeated_field_is_a_finding(tmp_path: Path, name: str, value: str) -> None:
    """Only WARC-Concurrent-To may stand twice (WARC 1.1 §5.1)."""
    anchor = capture(10).anchor
    twice = Rec(fields=(*anchor.fields, (name, value)), block=anchor.block)
    assert one(foreign(tmp_path, twice), "field_repeated").field == name


def test_concurrent_to_may_be_repeated(tmp_path: Path) -> None:
    """The standard's one exception, and WARC-Protocol, which has one value for each layer."""
    anchor = capture(10).anchor
    extra = (
        ("WARC-Concurrent-To", "<urn:x:1>"),
        ("WARC-Concurrent-To", "<urn:x:2>"),
        ("WARC-Protocol", "http/1.1"),
        ("WARC-Protocol", "tls/1.3"),
    )
    twice = Rec(fields=(*anchor.fields, *extra), block=anchor.block)
    assert foreign(tmp_path, twice).findings == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WARC-Record-ID", "urn:uuid:1"),
        ("WARC-Record-ID", "<no uri>"),
        ("WARC-Date", "yesterday"),
        ("WARC-Date", "2026-13-01T00:00:00Z"),
        ("WARC-Date", "2026-11-23T09:45:00"),
        ("WARC-Date", "2026-11-23T09:45:00+01:00"),
        ("WARC-Target-URI", "http://spaced.example/a b"),
        ("WARC-Target-URI", "<http://bracketed.example/>"),
        ("WARC-Target-URI", "no-scheme"),
        ("WARC-IP-Address", "999.0.0.1"),
        ("Content-Type", "html"),
        ("WARC-Block-Digest", "sha256"),
        ("WARC-Concurrent-To", "urn:uuid:1"),
    ],
)
def test_an_illegal_value_is_named_with_what_is_legal(
    tmp_path: Path, name: str, value: str
) -> None:
    """`found` is the value, `expected` the form it should have."""
    record = capture(10).anchor.having(**{name.replace("-", "_"): value})
    fault = one(foreign(tmp_path, record), "field_illegal")
    assert (fault.field, fault.found) == (name, value) and fault.expected


@pytest.mark.parametrize(
    "date",
    ["2026", "2026-11", "2026-11-23", "2026-11-23T09:45Z", "2026-11-23T09:45:00.123456789Z"],
)
def test_every_precision_of_a_date_is_legal(tmp_path: Path, date: str) -> None:
    """WARC 1.1 §5.4 allows the granularities of the W3C profile."""
    assert foreign(tmp_path, capture(10).anchor.having(WARC_Date=date)).findings == ()


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("warcinfo", "WARC-Target-URI", "http://x.example/"),
        ("warcinfo", "WARC-Refers-To", "<urn:x:1>"),
        ("response", "WARC-Refers-To", "<urn:x:1>"),
        ("response", "WARC-Refers-To-Target-URI", "http://x.example/"),
        ("metadata", "WARC-Refers-To-Date", "2026-11-23"),
        ("response", "WARC-Filename", "a.warc"),
        ("response", "WARC-Segment-Origin-ID", "<urn:x:1>"),
        ("conversion", "WARC-IP-Address", "192.0.2.1"),
        ("continuation", "WARC-Concurrent-To", "<urn:x:1>"),
    ],
)
def test_a_field_on_a_type_that_may_not_have_it_is_a_finding(
    tmp_path: Path, kind: str, name: str, value: str
) -> None:
    """WARC 1.1 §5 says of each field which types carry it."""
    record = rec(kind, 5, b"text", "text/plain", (name, value))
    fault = one(foreign(tmp_path, record), "field_not_allowed")
    assert (fault.field, fault.found) == (name, value)


def test_an_unknown_type_is_a_note(tmp_path: Path) -> None:
    """The standard lets other types be; they are no fault in a foreign file."""
    report = foreign(tmp_path, rec("screenshot", 5, b"x", "image/png"))
    assert report.findings == () and [each.code for each in report.notes] == ["type_unknown"]


# Digests


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize(
    "spell",
    [
        bytes.hex,
        lambda raw: raw.hex().upper(),
        lambda raw: base64.b32encode(raw).decode(),
        lambda raw: base64.b32encode(raw).decode().rstrip("=").lower(),
        lambda raw: base64.b64encode(raw).decode(),
        lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="),
    ],
)
def test_digests_are_read_in_every_spelling(
    tmp_path: Path, algorithm: str, spell: Callable[[bytes], str]
) -> None:
    """Base16, Base32, Base64 and base64url, padded or not, of foreign writers."""
    anchor = capture(10).anchor
    body = anchor.block.partition(b"\r\n\r\n")[2]
    right = anchor.having(
        WARC_Block_Digest=f"{algorithm}:{spell(hashlib.new(algorithm, anchor.block).digest())}",
        WARC_Payload_Digest=f"{algorithm}:{spell(hashlib.new(algorithm, body).digest())}",
    )
    assert foreign(tmp_path, right).findings == ()
    wrong = right.having(
        WARC_Block_Digest=f"{algorithm}:{spell(hashlib.new(algorithm, b'other').digest())}"
    )
    assert one(foreign(tmp_path, wrong), "block_digest").found


@given(raw=st.binary(min_size=20, max_size=20), case=st.sampled_from(["SHA-1", "sha1", "Sha1"]))
@settings(max_examples=50)
def test_the_found_digest_is_spelled_as_the_declared_one(raw: bytes, case: str) -> None:
    """Parsing what `says` returns gives the bytes back."""
    for value in (raw.hex(), base64.b32encode(raw).decode()):
        declared = parse_labelled(f"{case}:{value}")
        assert declared.raw == raw and parse_labelled(declared.says(raw)).raw == raw


def test_an_unreadable_digest_is_a_finding_and_an_unknown_algorithm_a_note(tmp_path: Path) -> None:
    """No value of SHA-1 has five characters; of an unknown algorithm nothing can be said."""
    short = capture(10).anchor.having(WARC_Block_Digest="sha1:ABCDE")
    assert one(foreign(tmp_path, short), "digest_unreadable").found == "sha1:ABCDE"
    unknown = foreign(tmp_path, capture(10).anchor.having(WARC_Block_Digest="crc64:00"))
    assert unknown.findings == () and unknown.notes[0].code == "algorithm_unknown"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
GZIPPED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "body", "digested", "note"),
    [
        (CHUNKED, CHUNKS, b"hello", None),
        (CHUNKED, CHUNKS, CHUNKS, "as stored 1"),
        (CHUNKED, CHUNKS, CHUNKED + CHUNKS, "the whole block 1"),
        (CHUNKED, b"hello", b"hello", "as stored 1"),
        (GZIPPED, gzip.compress(b"hello", mtime=0), gzip.compress(b"hello", mtime=0), None),
        (GZIPPED, gzip.compress(b"hello", mtime=0), b"hello", "decoded 1"),
    ],
)
def test_a_payload_digest_may_be_of_any_reading_which_is_told(
    tmp_path: Path, head: bytes, body: bytes, digested: bytes, note: str | None
) -> None:
    """The standard's reading needs no note; the readings of other writers are accepted with one."""
    declared = "sha256:" + hashlib.sha256(digested).hexdigest()
    anchor = capture(10).anchor.holding(head + body).having(WARC_Payload_Digest=declared)
    report = foreign(tmp_path, anchor)
    assert report.findings == ()
    assert [each.found for each in report.notes] == ([note] if note else [])


def test_a_payload_digest_of_nothing_is_a_finding(tmp_path: Path) -> None:
    """A digest that agrees with no reading is a fault, told with the standard's."""
    anchor = capture(10).anchor
    wrong = anchor.having(WARC_Payload_Digest="sha256:" + "0" * 64)
    fault = one(foreign(tmp_path, wrong), "payload_digest")
    assert fault.found == anchor.value("WARC-Payload-Digest")


# Our own files


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda each: each.having(WARC_Block_Digest=None), "field_missing"),
        (lambda each: each.having(WARC_Payload_Digest=None), "field_missing"),
        (
            lambda each: each.having(
                WARC_Block_Digest="sha1:" + hashlib.sha1(each.block).hexdigest()
            ),
            "digest_form",
        ),
        (lambda each: each.holding(b"no HTTP"), "http_unreadable"),
        (lambda each: each.having(WARC_Type="conversion"), "type_unknown"),
    ],
)
def test_our_own_records_are_held_to_the_profile(
    tmp_path: Path, change: Callable[[Rec], Rec], code: str
) -> None:
    """Digests in one form on every record, and an HTTP head in each response."""
    heard = told_of(tmp_path, changed(good_records(), 2, change))
    assert code in heard.codes


def test_a_chunked_response_of_ours_has_no_payload_digest(tmp_path: Path) -> None:
    """Readers disagree on what it would be of; the metadata record has the standard's value."""
    cap = capture(10, CHUNKS, CHUNKED).saying(
        content_id="sha256:" + hashlib.sha256(b"hello").hexdigest(),
        payload_digest="sha256:" + hashlib.sha256(b"hello").hexdigest(),
        size=5,
        payload_size=5,
    )
    assert told_of(tmp_path, [warcinfo(), *cap.records]).findings == []
    declared = cap.anchor.having(WARC_Payload_Digest=str(cap.said["payload_digest"]))
    wrong = reknown(cap.with_anchor(declared))
    heard = told_of(tmp_path, [warcinfo(), *wrong.records])
    assert heard.codes == {"payload_digest_chunked"}


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_content_of_a_coded_response_is_measured(tmp_path: Path, coding: str) -> None:
    """The content id is of the decoded bytes, the payload digest of the coded ones."""
    text = b"<p>The bridge is shut.</p>" * 40
    body = gzip.compress(text, mtime=0) if coding == "gzip" else zlib.compress(text)
    head = HEAD.replace(b"\r\n", b"\r\nContent-Encoding: " + coding.encode() + b"\r\n", 1)
    cap = capture(10, body, head % len(body))
    heard = told_of(tmp_path, [warcinfo(), *cap.records])
    assert {each.field for each in heard.findings} == {"content_id", "size"}
    right = cap.saying(content_id="sha256:" + hashlib.sha256(text).hexdigest(), size=len(text))
    assert told_of(tmp_path, [warcinfo(), *right.records]).findings == []


def test_a_body_of_another_length_than_its_content_length_is_a_finding(tmp_path: Path) -> None:
    """Unless the record says that it was cut."""
    cap = capture(10, b"short", HEAD % 500)
    heard = told_of(tmp_path, [warcinfo(), *cap.records])
    assert (heard.only("http_length").expected, heard.only("http_length").found) == (
        "500 bytes",
        "5 bytes",
    )
    cut = reknown(cap.with_anchor(cap.anchor.having(WARC_Truncated="disconnect")))
    cut = cut.saying(truncated="disconnect", outcome="truncated")
    assert told_of(tmp_path, [warcinfo(), *cut.records]).findings == []


def test_what_a_hostile_archive_says_is_shown_escaped_and_short(tmp_path: Path) -> None:
    """No control character of an archived byte reaches a finding's text."""
    assert shown("\x1b[31m\x9b\u202e") == "\\x1b[31m\\x9b\\u202e"
    assert len(shown(b"x" * 10_000) or "") <= 300
    record = capture(10).anchor.having(WARC_Target_URI="http://x.example/ \x1b]0;t\x07")
    for each in foreign(tmp_path, record).findings:
        assert (each.found or "").isprintable()


def test_findings_of_one_file_are_bounded(tmp_path: Path) -> None:
    """Beyond 10,000 findings are counted, not kept."""
    path = tmp_path / "foreign.warc"
    path.write_bytes(capture(10).anchor.plain.replace(b"\r\n", b"\r\n" + b"x\r\n" * 10_020, 1))
    report = verify_file(path)
    assert len(report.findings) == 10_001
    assert one(report, "more_findings").found == "20 more"


def test_a_digest_that_is_not_even_ascii_is_a_finding(tmp_path: Path) -> None:
    """Whatever bytes stand in a digest field, they are told, and verification goes on."""
    anchor = capture(10).anchor.having(WARC_Block_Digest="sha256:\N{SNOWMAN}" + "0" * 63)
    heard = told_of(tmp_path, [warcinfo(), *capture(10).with_anchor(anchor).records])
    assert "digest_unreadable" in heard.codes
