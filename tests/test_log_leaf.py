"""The leaves of our log: one spelling for each, and no other taken."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.digest import Digest, digest_of
from provenance.errors import LogFormatError
from provenance.log.leaf import CaptureLeaf, FileLeaf, Leaf, RecordLeaf, format_leaf, parse_leaf
from provenance.log.merkle import hash_leaf

A, B, C = (digest_of(each) for each in (b"a", b"b", b"c"))
NAME = "article-20261123234933123-00000.warc.gz"

DIGESTS = st.binary(min_size=32, max_size=32).map(lambda raw: Digest(f"sha256:{raw.hex()}"))
KINDS = st.sampled_from(["request", "metadata", "revisit", "conversion", "other"])
SEVERAL = st.lists(st.tuples(KINDS, DIGESTS), max_size=3).map(tuple)
LEAVES = st.one_of(
    st.builds(CaptureLeaf, capture_id=DIGESTS, others=SEVERAL),
    st.builds(RecordLeaf, digest=DIGESTS),
    st.builds(
        FileLeaf,
        name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", fullmatch=True),
        digest=DIGESTS,
        records=st.integers(1, 2**63 - 1),
    ),
)


@pytest.mark.parametrize(
    ("leaf", "line"),
    [
        (CaptureLeaf(capture_id=A), f"capture {A}\n"),
        (
            CaptureLeaf(capture_id=A, others=(("request", B), ("metadata", C))),
            f"capture {A} request {B} metadata {C}\n",
        ),
        (CaptureLeaf(capture_id=A, others=(("metadata", C),)), f"capture {A} metadata {C}\n"),
        (
            CaptureLeaf(capture_id=A, others=(("other", C), ("request", B), ("metadata", B))),
            f"capture {A} other {C} request {B} metadata {B}\n",
        ),
        (RecordLeaf(digest=C), f"record {C}\n"),
        (FileLeaf(name=NAME, digest=B, records=1200), f"file {NAME} {B} 1200\n"),
    ],
)
def test_the_lines(leaf: Leaf, line: str) -> None:
    """The forms that the documentation gives."""
    assert format_leaf(leaf) == line.encode()
    assert parse_leaf(line.encode()) == leaf


def test_a_leaf_can_be_hashed_by_hand() -> None:
    """A zero byte and the line, as `printf '\\0'; cat leaf.txt` gives them to sha256sum."""
    line = format_leaf(FileLeaf(name=NAME, digest=A, records=3))
    assert hash_leaf(line) == hashlib.sha256(b"\0" + line).digest()


@given(LEAVES)
def test_reading_gives_what_was_written(leaf: Leaf) -> None:
    """parse ∘ format is the identity."""
    raw = format_leaf(leaf)
    assert parse_leaf(raw) == leaf
    assert raw.endswith(b"\n")
    assert raw.count(b"\n") == 1


@given(LEAVES, st.data())
def test_another_line_is_another_leaf_or_none(leaf: Leaf, data: st.DataObject) -> None:
    """No two lines say the same: a changed byte changes what is said, or is refused."""
    raw = format_leaf(leaf)
    at = data.draw(st.integers(0, len(raw)))
    dropped = data.draw(st.integers(0, 2))
    altered = raw[:at] + data.draw(st.binary(max_size=2)) + raw[at + dropped :]
    try:
        read = parse_leaf(altered)
    except LogFormatError:
        return
    assert (read == leaf) == (altered == raw)
    assert format_leaf(read) == altered


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\n",
        "capture\n",
        "capture \n",
        f"capture {A}",
        f"capture {A} \n",
        f"capture {A}\n\n",
        f"capture {A}\r\n",
        f" capture {A}\n",
        f"Capture {A}\n",
        f"capture  {A}\n",
        f"capture\t{A}\n",
        f"capture {A.upper()}\n",
        f"capture {A[:-1]}\n",
        f"capture {A}0\n",
        f"capture {A.removeprefix('sha256:')}\n",
        f"capture {A} {B}\n",
        f"capture {A} request\n",
        f"capture {A} request {B} request\n",
        f"capture {A} Request {B}\n",
        f"capture {A} continuation {B}\n",
        f"record {A} {B}\n",
        f"record {A} request {B}\n",
        f"record {A}",
        f"capture {A} request {B}  metadata {C}\n",
        f"capture {A} request {B} metadata {C}\ncapture {A}\n",
        f"capture\N{NO-BREAK SPACE}{A}\n",
        f"file {NAME} {A}\n",
        f"file {NAME} {A} \n",
        f"file {NAME} {A} 0\n",
        f"file {NAME} {A} 01\n",
        f"file {NAME} {A} -1\n",
        f"file {NAME} {A} ٣\n",
        f"file {NAME} {A} {2**63}\n",
        f"file {NAME} {A} 3",
        f"file {NAME} {A} 3 4\n",
        f"file {A} 3\n",
        f"file  {A} 3\n",
        f"sealed {NAME} {A} 3\n",
    ],
)
def test_any_other_line_is_refused(line: str) -> None:
    """A leaf has one spelling; all else is no leaf."""
    with pytest.raises(LogFormatError, match="not a leaf"):
        parse_leaf(line.encode())


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden.warc.gz",
        "-v.warc.gz",
        "../a.warc.gz",
        "a/b.warc.gz",
        "a\\b.warc.gz",
        "a b.warc.gz",
        "a\tb.warc.gz",
        "a\nb.warc.gz",
        "a\0.warc.gz",
        "a\x1b[31m.warc.gz",
        "é.warc.gz",
        "a\N{RIGHT-TO-LEFT OVERRIDE}.warc.gz",
        "a%20.warc.gz",
        "a'b.warc.gz",
        "a$b.warc.gz",
        "a*.warc.gz",
        "\ud800.warc.gz",
        "a" * 256,
    ],
)
def test_names_with_odd_characters_are_refused(name: str) -> None:
    """Letters, digits, dot, dash and underscore, the first a letter or digit, 255 at most."""
    with pytest.raises(LogFormatError):
        format_leaf(FileLeaf(name=name, digest=A, records=1))
    raw = f"file {name} {A} 1\n".encode("utf-8", "surrogatepass")
    with pytest.raises(LogFormatError):
        parse_leaf(raw)


@pytest.mark.parametrize(
    "leaf",
    [
        CaptureLeaf(capture_id=Digest("sha256:00")),
        CaptureLeaf(capture_id=A, others=(("request", Digest("")),)),
        CaptureLeaf(capture_id=A, others=(("odd", B),)),
        CaptureLeaf(capture_id=A, others=(("metadata", Digest(f"{B} metadata {C}")),)),
        RecordLeaf(digest=Digest(f"{B} metadata {C}")),
        FileLeaf(name=NAME, digest=Digest(A.upper()), records=1),
        FileLeaf(name=NAME, digest=A, records=0),
        FileLeaf(name=NAME, digest=A, records=-1),
        FileLeaf(name=NAME, digest=A, records=2**63),
    ],
)
def test_what_cannot_be_read_is_not_written(leaf: Leaf) -> None:
    """A value that would make another line, or none, is refused."""
    with pytest.raises(LogFormatError):
        format_leaf(leaf)


def test_bytes_that_are_no_text_are_refused() -> None:
    """Also where they stand in place of a character that would be refused."""
    for raw in (b"\xff", b"capture \xff\n", b"file \xff.warc.gz " + A.encode() + b" 1\n"):
        with pytest.raises(LogFormatError, match="entry 7: not a leaf"):
            parse_leaf(raw, where="entry 7")
