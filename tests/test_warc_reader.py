"""The reader yields what stands in a file, ours or another's, and stops with an error at damage."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tracemalloc
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.errors import StorageError, WarcFormatError
from provenance.warc.contents import read_content, read_head
from provenance.warc.members import read_members
from provenance.warc.reader import Record, read_record_at, read_records
from provenance.warc.record import HEADER_LIMIT
from provenance.warc.survey import survey
from tests.verify_builders import good_records, packed
from tests.warc_builders import end_run, http, make_root, members_of, write_capture

CORPORA = Path(__file__).parents[1].parent / "shared" / "corpora"
HEADER = b"WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: %d\r\n\r\n"


def record(block: bytes) -> bytes:
    return HEADER % len(block) + block + b"\r\n\r\n"


def read_all(path: Path) -> list[Record]:
    return list(read_records(path))


def kept_before_error(path: Path) -> tuple[list[Record], WarcFormatError | None]:
    """Return the records that were read through, and the error that ended the reading."""
    seen: list[Record] = []
    try:
        for each in read_records(path):
            seen.append(each)
    except WarcFormatError as fault:
        return [each for each in seen if each.length is not None], fault
    return seen, None


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A sealed file of two captures and a closing record."""
    root = make_root(tmp_path)
    writer = root.writer()
    write_capture(writer, "a", b"<p>caf\xc3\xa9</p>")
    write_capture(writer, "b", b"")
    end_run(writer, 2)
    writer.close()
    return root.archive / writer.name


def test_places_and_digests_are_those_that_another_reading_finds(ours: Path) -> None:
    """Offset, length, header, block and both digests, record by record."""
    expected = list(members_of(ours.read_bytes()))
    blocks = []
    for found, member in zip(read_records(ours), expected, strict=True):
        blocks.append(b"".join(found.pieces()))
        assert (found.offset, found.block_size) == (member.offset, len(member.block))
        assert found.digest == member.digest
        assert found.block_digest == "sha256:" + hashlib.sha256(member.block).hexdigest()
        assert found.header.record_id == member.header["WARC-Record-ID"][1:-1]
    assert blocks == [member.block for member in expected]
    assert [each.length for each in read_all(ours)] == [member.length for member in expected]


def test_a_record_may_be_left_unread_or_half_read(ours: Path) -> None:
    """The next record follows all the same, and the digests stand."""
    expected = [member.digest for member in members_of(ours.read_bytes())]
    found = []
    for number, each in enumerate(read_records(ours)):
        if number % 2:
            each.read(3)
        found.append(each)
    assert [each.digest for each in found] == expected


def test_one_record_is_read_by_its_place(ours: Path) -> None:
    """From its offset alone, without what stands before it."""
    for member in members_of(ours.read_bytes()):
        (found,) = read_record_at(ours, member.offset)
        found.finish()
        assert found.digest == member.digest


@settings(deadline=None)
@given(
    blocks=st.lists(st.binary(max_size=300), min_size=1, max_size=6),
    together=st.integers(1, 4),
    compressed=st.booleans(),
)
def test_records_come_back_however_they_are_packed(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[bytes], together: int, compressed: bool
) -> None:
    """One to a member, several to a member, or no gzip at all: the same records, each placed."""
    path = tmp_path_factory.mktemp("packed") / "a.warc.gz"
    groups = [blocks[at : at + together] for at in range(0, len(blocks), together)]
    parts = [b"".join(map(record, group)) for group in groups]
    path.write_bytes(b"".join(gzip.compress(part) if compressed else part for part in parts))
    found = [(each.offset, b"".join(each.pieces())) for each in read_records(path)]
    assert [block for _, block in found] == blocks
    assert [each.digest for each in read_all(path)] == [
        "sha256:" + hashlib.sha256(record(block)[:-4]).hexdigest() for block in blocks
    ]
    raw = path.read_bytes()
    for each in read_all(path):
        assert each.length is not None
        cut = raw[each.offset : each.offset + each.length]
        plain = gzip.decompress(cut) if compressed else cut
        assert plain in (parts if compressed else map(record, blocks))


@pytest.mark.parametrize(
    "head",
    [
        b"WARC/1.0\nWARC-Type: response\nContent-Length: %d\n\n",
        b"WARC/1.0\r\nwarc-type:response\r\nCONTENT-LENGTH:   %d\r\n\r\n",
        b"WARC/1.0\r\nWARC-Type: response\r\nX: a\r\n\tb\r\nContent-Length: %d\r\n\r\n",
    ],
    ids=["bare line feeds", "odd case and spacing", "folded"],
)
def test_header_forms_of_other_writers_are_read(tmp_path: Path, head: bytes) -> None:
    """The block begins after the header's own empty line, whatever marks the block has inside."""
    block = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nbody\n\nmore\r\n\r\n"
    path = tmp_path / "a.warc"
    path.write_bytes(head % len(block) + block + b"\r\n\r\n" + record(b"next"))
    first, second = ((each.header.type, b"".join(each.pieces())) for each in read_records(path))
    assert first == ("response", block)
    assert second == ("resource", b"next")


def test_every_cut_is_seen_and_what_stands_before_it_is_kept(ours: Path) -> None:
    """At each byte: the whole records, then an error that names file and byte; none at a seam."""
    raw = b"".join(gzip.compress(record(bytes([each]) * each)) for each in (0, 9, 200, 1))
    ends = [member.offset + member.length for member in members_of(raw)]
    cut_path = ours.with_name("cut.warc.gz")
    for cut in range(len(raw)):
        cut_path.write_bytes(raw[:cut])
        kept, fault = kept_before_error(cut_path)
        whole = [end for end in ends if end <= cut]
        assert [each.offset + (each.length or 0) for each in kept] == whole
        if cut in (0, *ends):
            assert fault is None
        else:
            assert fault is not None
            assert fault.where == f"cut.warc.gz at byte {max(whole, default=0)}"


def test_a_damaged_checksum_or_stream_is_seen(ours: Path) -> None:
    """Any byte of a member changed: the records before it stand, and its own is not vouched for."""
    raw = ours.read_bytes()
    members = list(members_of(raw))
    third = members[2]
    path = ours.with_name("damaged.warc.gz")
    for at in range(third.offset, third.offset + third.length):
        changed = bytearray(raw)
        changed[at] ^= 0x01
        path.write_bytes(changed)
        kept, fault = kept_before_error(path)
        assert [each.digest for each in kept[:2]] == [member.digest for member in members[:2]]
        if fault is None:  # in the gzip header alone: name, time and system are no content
            assert at < third.offset + 10
            assert kept[2].digest == third.digest


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    """No record and no error: whether that is a fault is for others to say."""
    path = tmp_path / "a.warc.gz"
    path.write_bytes(b"")
    assert read_all(path) == []
    path.write_bytes(gzip.compress(b""))
    assert read_all(path) == []


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"<html>", "not a WARC record"),
        (b"\x1f", "not a WARC record"),
        (b"WARC/1.1", "the file ends inside a record header"),
        (b"WARC/1.1\r\nWARC-Type: x\r\n", "the file ends inside a record header"),
        (b"WARC/1.1\r\nWARC-Type: x\r\n\r\n", "no usable Content-Length"),
        (b"WARC/1.1\r\nContent-Length: -1\r\n\r\n", "no usable Content-Length"),
        (b"WARC/1.1\r\nContent-Length: 9\r\n\r\nshort", "the block ends 4 bytes early"),
        (b"WARC/1.1\r\n" + b"a: b\r\n" * (HEADER_LIMIT // 5), "the record header has no end"),
        (record(b"a") + b"rubbish", "not a WARC record"),
        (b"\0" * 4096, "not a WARC record"),
    ],
)
@pytest.mark.parametrize("packer", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_what_is_no_record_is_named(tmp_path: Path, raw: bytes, says: str, packer: Any) -> None:
    """The error says what is wrong, in which file and where."""
    path = tmp_path / "a.warc"
    path.write_bytes(packer(raw))
    _, fault = kept_before_error(path)
    assert fault is not None
    assert says in str(fault)
    assert str(fault).startswith("a.warc at byte ")


def test_a_member_that_swells_is_read_in_small_pieces(tmp_path: Path) -> None:
    """128 MiB of zeros in 128 KiB, at the end of a file, take no memory to read."""
    size = 128 << 20
    path = tmp_path / "a.warc.gz"
    deflate = zlib.compressobj(9, wbits=31)
    with path.open("wb") as file:
        file.write(deflate.compress(HEADER % size))
        for _ in range(size >> 20):
            file.write(deflate.compress(bytes(1 << 20)))
        file.write(deflate.compress(b"\r\n\r\n") + deflate.flush())
    tracemalloc.start()
    try:
        (found,) = read_all(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.block_size == size
    assert found.length == path.stat().st_size
    assert peak < 8 << 20


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(0, 2_000_000), min_size=1, max_size=4),
    step=st.sampled_from([1 << 10, 65536, 1 << 18]),
)
def test_members_of_any_size_end_where_they_end(sizes: list[int], step: int) -> None:
    """What compresses to almost nothing neither loses its end nor takes from the next member."""
    parts = [gzip.compress(bytes(size), mtime=0) for size in sizes]
    source = io.BytesIO(b"".join(parts))
    found = []
    for member in read_members(source, where="a"):
        plain = 0
        while piece := member.read(step):
            assert len(piece) <= step
            plain += len(piece)
        found.append((plain, member.length))
    assert found == [(size, len(part)) for size, part in zip(sizes, parts, strict=True)]


def test_what_the_system_refuses_is_told_as_such(tmp_path: Path) -> None:
    """A file that is not there, a folder, and a disk that fails in the middle of reading."""
    failing = tmp_path / "failing.warc.gz"
    failing.symlink_to("/proc/self/mem")  # opens, and answers the first read with EIO
    for path, says in (
        (tmp_path / "gone.warc.gz", "No such file"),
        (tmp_path, "Is a directory"),
        (failing, os.strerror(5)),
    ):
        with pytest.raises(StorageError, match=says) as raised:
            read_all(path)
        assert raised.value.where == str(path)
        with pytest.raises(StorageError):
            survey(path)


def test_content_is_read_by_place_and_decoded(tmp_path: Path) -> None:
    """The record's own content, also the second of two in one member; a request has none."""
    path = tmp_path / "a.warc.gz"
    lead = b"WARC/1.1\r\nWARC-Type: response\r\nContent-Type: application/http\r\n"
    body = gzip.compress(b"<p>the bridge</p>", mtime=0)
    coded = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    blocks = [http(b"first"), coded + body]
    path.write_bytes(
        gzip.compress(
            b"".join(
                lead + b"Content-Length: %d\r\n\r\n" % len(block) + block + b"\r\n\r\n"
                for block in blocks
            )
        )
    )
    assert b"".join(read_content(path, 0, 0)) == b"first"
    assert b"".join(read_content(path, 0, 1)) == b"<p>the bridge</p>"
    assert read_head(path, 0, 1)[1] == coded
    with pytest.raises(WarcFormatError, match="no record here"):
        list(read_content(path, 0, 2))
    with pytest.raises(WarcFormatError, match="no record here"):
        list(read_content(path, path.stat().st_size))


def test_a_record_without_content_says_so(ours: Path) -> None:
    """A request is no answer."""
    request = list(members_of(ours.read_bytes()))[1]
    with pytest.raises(WarcFormatError, match="a request record"):
        list(read_content(ours, request.offset))


def test_a_survey_keeps_what_stands_before_damage(ours: Path) -> None:
    """Whole records and their captures are there; the fault is told, and no exception raised."""
    raw = ours.read_bytes()
    members = list(members_of(raw))
    ours.write_bytes(raw[: members[5].offset + 20])
    held = survey(ours)
    assert [one.record_digest for one in held.records] == [each.digest for each in members[:5]]
    assert [one.document for one in held.captures] == ["a"]
    assert len(held.faults) == 1
    assert held.faults[0].startswith(f"{ours.name} at byte {members[5].offset}")
    assert held.file.sha256 == "sha256:" + hashlib.sha256(ours.read_bytes()).hexdigest()


def test_a_survey_tells_every_record_of_a_member_that_holds_several(tmp_path: Path) -> None:
    """A file that is one gzip member holds the same captures; ordinals count in the member."""
    records = good_records()
    apart, whole = tmp_path / "a.warc.gz", tmp_path / "b.warc.gz"
    apart.write_bytes(packed(records))
    whole.write_bytes(gzip.compress(b"".join(each.plain for each in records)))
    one, other = survey(apart), survey(whole)
    assert [each.record_digest for each in other.records] == [each.digest for each in records]
    assert [each.ordinal for each in other.records] == list(range(len(records)))
    assert {each.length for each in other.records} == {whole.stat().st_size}
    assert [each.capture_id for each in other.captures] == [
        each.capture_id for each in one.captures
    ]
    assert other.runs == one.runs


def test_a_survey_ends_for_no_note_that_a_stranger_wrote(tmp_path: Path) -> None:
    """Notes of ours with values of other kinds are passed over; the rest of the file is told."""
    records = good_records()
    path = tmp_path / "a.warc.gz"
    path.write_bytes(packed(records))
    captures = len(survey(path).captures)
    assert captures == 4
    for at, each in enumerate(records):
        if each.value("WARC-Type") != "metadata":
            continue
        said = json.loads(each.block)
        for key in said:
            for value in ("nonsense", 7, None, [{"url": 1}], {"how": "stolen"}, -1.5, "\ud800"):
                block = json.dumps({**said, key: value}).encode()
                changed = [*records[:at], each.holding(block), *records[at + 1 :]]
                path.write_bytes(packed(changed))
                held = survey(path)
                assert len(held.records) == len(records)
                assert captures - 1 <= len(held.captures) <= captures
                assert held.faults == ()


def corpus() -> list[Mapping[str, Any]]:
    if not CORPORA.is_dir():
        return []
    listed: list[Mapping[str, Any]] = json.loads((CORPORA / "MANIFEST.json").read_bytes())["files"]
    return [
        each
        for each in listed
        if each["kind"] in ("warc", "malformed-warc") and each.get("compression") in ("none", "gz")
    ]


NEEDS_CORPORA = pytest.mark.skipif(not CORPORA.is_dir(), reason="no shared corpora")
AGREED = [
    each for each in corpus() if each.get("agreed_record_count") and each.get("expected_detail")
]


@NEEDS_CORPORA
@pytest.mark.shared
@pytest.mark.parametrize("entry", AGREED, ids=lambda each: str(each["file"]))
def test_records_of_other_writers_are_those_that_other_readers_found(
    entry: Mapping[str, Any],
) -> None:
    """Place, type, size and digest of each block, as three other readers agree on them."""
    detail = json.loads((CORPORA / entry["expected_detail"]).read_bytes())["records"]
    path = CORPORA / entry["file"]
    found, fault = kept_before_error(path)
    seen = [(one.offset, one.header.type, one.block_size, one.block_digest) for one in found]
    wanted = [
        (one["offset"], one["type"], one["content_length"], f"sha256:{one['block_sha256']}")
        for one in detail
    ]
    assert seen == wanted[: len(seen)]
    # Where others count a record without a usable length as an empty one, we stop and say so.
    assert (fault is not None) == any(one["content_length"] == 0 for one in detail[len(seen) :])
    assert len(seen) == len(wanted) or fault is not None


@NEEDS_CORPORA
@pytest.mark.shared
@pytest.mark.parametrize("entry", corpus(), ids=lambda each: str(each["file"]))
def test_any_file_is_surveyed_without_a_traceback(entry: Mapping[str, Any]) -> None:
    """Whatever stands in it, the file's digest is right and each record's place reads again."""
    path = CORPORA / entry["file"]
    held = survey(path)
    assert held.file.sha256 == "sha256:" + entry["sha256"]
    for one in held.records:
        nth = next(
            each
            for number, each in enumerate(read_records(path, start=one.offset))
            if number == one.ordinal
        )
        assert nth.header.record_id == one.record_id
