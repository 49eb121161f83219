"""The short way and the many processes of `verify` say what the long way in one process says."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.verify import verify_archive
from provenance.warc.reader import read_records
from provenance.whole.files import FileReport, Part, read_file, read_part
from provenance.whole.ledger import Ledger
from provenance.whole.parts import fit, plan, read_files
from provenance.whole.records import Tallies
from provenance.whole.shortcut import Shortcut
from provenance.whole.window import Window
from tests.fetch_rig import leading_to, reply, web
from tests.roots import fetched, root_of
from tests.test_verify_corpora import CORPORA, ENTRIES
from tests.test_verify_tamper import TAMPERINGS, Records, spoil
from tests.verify_builders import (
    IDENTICAL,
    NAME,
    Cap,
    Rec,
    capture,
    failure,
    good_records,
    packed,
    reknown,
    revisit,
    sha256,
    to_json,
    warcinfo,
    write_root,
)

SHARE = 900
"""Compressed bytes of a part: a capture has about as many."""


def in_writing_order(cap: Cap) -> Cap:
    """Return a revisit whose fields stand as the writer has them."""
    fields = dict(cap.anchor.fields)
    names = [
        *("WARC-Type", "WARC-Record-ID", "WARC-Date", "WARC-Target-URI", "WARC-IP-Address"),
        *("WARC-Profile", "WARC-Refers-To", "WARC-Refers-To-Target-URI", "WARC-Refers-To-Date"),
        *("WARC-Payload-Digest", "WARC-Block-Digest", "Content-Type"),
    ]
    fields["WARC-Refers-To"] = f"<{fields['WARC-Refers-To'].strip('<>')}>"
    anchor = Rec(fields=tuple((name, fields[name]) for name in names), block=cap.anchor.block)
    assert fields["WARC-Profile"] == IDENTICAL
    return replace(cap, anchor=anchor).saying(capture_id=anchor.digest)


def many_records() -> Records:
    """Return a file with every kind of capture, good ones and such as give findings."""
    first = capture(100)
    chunked = capture(
        110,
        b"5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    )
    hop = capture(120).saying(kind="redirect", outcome=None)
    led = capture(130).saying(
        redirects=[{"capture_id": hop.anchor.digest}, {"capture_id": "sha256:" + "0" * 64}]
    )
    secure = capture(140).saying(tls={"version": "TLSv1.3", "chain": "sha256:" + "1" * 64})
    cut = capture(150).with_anchor(capture(150).anchor.having(WARC_Truncated="time"))
    return [
        *good_records()[:-1],
        *first.records,
        *chunked.records,
        *hop.records,
        *led.records,
        *in_writing_order(revisit(160, first)).records,
        *secure.records,
        failure(170),
        *cut.records,
        *capture(180).saying(size=1).records,
        *capture(190).records,
        failure(200),
    ]


def reports(path: Path) -> tuple[FileReport, ...]:
    """Return what is said of a file on the long way, the short way, and in parts."""
    in_parts = next(iter(read_files([path], jobs=2, smallest=SHARE)))
    return read_file(path, short=False), read_file(path), in_parts


def check(path: Path, raw: bytes) -> FileReport:
    """Hold the three ways to each other."""
    path.write_bytes(raw)
    full, short, in_parts = reports(path)
    assert short == full
    assert in_parts == full
    return full


def test_the_three_ways_agree_where_nothing_is_damaged(tmp_path: Path) -> None:
    """Findings, notes, counts and all that the checks across files need are the same."""
    full = check(tmp_path / NAME, packed(many_records()))
    assert full.records == len(many_records())
    assert len(full.ledger.outcomes) > 8 and len(full.ledger.hops) and len(full.ledger.chains)


def test_parts_of_a_sound_file_fit(tmp_path: Path) -> None:
    """So that a large file is read by several processes indeed."""
    path = tmp_path / NAME
    path.write_bytes(packed([warcinfo(), *many_records()[1:], *capture(500).records]))
    tasks = [each for each in plan(path, SHARE) if each.start is not None]
    assert len(tasks) > 4
    assert fit([read_part(path, each.start or 0, each.until, ours=each.ours) for each in tasks])


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda each: str(each.__name__))
def test_the_three_ways_agree_on_every_tampering(
    tmp_path: Path, tamper: Callable[[Records], Records]
) -> None:
    """Whichever way is taken, the same findings come in the same order."""
    full = check(tmp_path / NAME, packed([*tamper(good_records())[:-1], *many_records()[11:]]))
    assert full.findings


@given(
    how=st.sampled_from(["changed", "cut", "added", "moved"]),
    at=st.integers(0, 1 << 20),
    to=st.integers(0, 1 << 20),
    value=st.integers(0, 255),
)
@settings(max_examples=40, deadline=None)
def test_the_three_ways_agree_on_any_spoilt_byte(
    tmp_path_factory: pytest.TempPathFactory, how: str, at: int, to: int, value: int
) -> None:
    """In compressed files, where damage breaks the framing too."""
    path = tmp_path_factory.getbasetemp() / NAME
    check(path, spoil(packed(many_records()), how, at, to, value))


@given(
    record=st.integers(1, len(many_records()) - 1),
    how=st.sampled_from(["changed", "cut", "added"]),
    at=st.integers(0, 1 << 12),
    value=st.integers(0, 255),
)
@settings(max_examples=200, deadline=None)
def test_the_two_ways_agree_on_any_byte_spoilt_before_it_was_compressed(
    tmp_path_factory: pytest.TempPathFactory, record: int, how: str, at: int, value: int
) -> None:
    """Here each member is sound, and what is wrong stands in a record."""
    path = tmp_path_factory.getbasetemp() / NAME
    members = [each.member for each in many_records()]
    members[record] = gzip.compress(spoil(many_records()[record].plain, how, at, 0, value))
    path.write_bytes(b"".join(members))
    assert read_file(path) == read_file(path, short=False)


FIELDS: dict[str, tuple[str | None, ...]] = {
    "WARC_Date": ("2026-02-30T09:45:00.000000Z", "2026-11-23T09:45:00Z", "2026", "0000-01-01"),
    "WARC_IP_Address": ("1.2.3", "2001:db8::1", "::", None),
    "WARC_Target_URI": ("http://council.example/\N{SNOWMAN}", "<http://a/>", "nowhere", "a:"),
    "WARC_Payload_Digest": (None, "sha256:" + "0" * 64, "sha1:ABC"),
    "WARC_Block_Digest": (None, "sha256:" + "0" * 64, "sha256:00"),
    "WARC_Truncated": ("length", "time", "unspecified"),
    "WARC_Concurrent_To": ("<urn:x:1>", None),
    "Content_Type": ("text/plain", None, "application/http"),
    "WARC_Record_ID": ("urn:x:2", "<urn:x:2>", "<urn:x: 2>"),
    "WARC_Profile": ("http://x/",),
}


def put(record: Rec, name: str, value: str | None) -> Rec:
    """Return the record with a field set in its place, added before Block-Digest, or left out."""
    fields = dict(record.fields)
    if value is None:
        fields.pop(name, None)
    elif name in fields:
        fields[name] = value
    else:
        tail = {key: fields.pop(key) for key in ("WARC-Block-Digest", "Content-Type")}
        fields |= {name: value} | tail
    return replace(record, fields=tuple(fields.items()))


@pytest.mark.parametrize("where", [(0,), (1,), (2,), (0, 1), (0, 1, 2)])
@pytest.mark.parametrize("field", FIELDS)
def test_the_two_ways_agree_on_any_field(
    tmp_path: Path, field: str, where: tuple[int, ...]
) -> None:
    """A field set to what is legal, illegal or not allowed there, and known to the statement."""
    name = field.replace("_", "-")
    for value in FIELDS[field]:
        cap = capture(300)
        if 1 in where:
            cap = reknown(cap.with_anchor(put(cap.anchor, name, value)))
        if field == "WARC_Date":
            cap = cap.saying(captured_at=value)
        if field == "WARC_Target_URI":
            cap = cap.saying(target_uri=value)
        if field == "WARC_Truncated":
            cap = cap.saying(truncated=value)
        records = [
            put(each, name, value) if number in where and number != 1 else each
            for number, each in enumerate(cap.records)
        ]
        raw = packed([warcinfo(), *capture(10).records, *records, *capture(20).records])
        (tmp_path / NAME).write_bytes(raw)
        short, full = read_file(tmp_path / NAME), read_file(tmp_path / NAME, short=False)
        assert short == full, value


MEMENTO = {
    "retrieved_at": "2026-11-23T09:45:00.000000Z",
    "memento_datetime": "2001-01-01T00:00:00Z",
}
STATEMENTS: tuple[dict[str, object], ...] = (
    {"outcome": "unchanged"},
    {"outcome": "skipped"},
    {"outcome": None},
    {"kind": "robots"},
    {"kind": "robots", "outcome": None},
    {"kind": "another", "outcome": None},
    {"kind": ["document"]},
    {"profile": "provenance-run-1", "outcomes": {"captured": 1}},
    {"profile": "another"},
    {"status": 200.0},
    {"status": True},
    {"redirects": "none"},
    {"redirects": [{"capture_id": "sha256:1"}, 7]},
    {"tls": {"chain": 1}},
    {"tls": []},
    {"content_id": None},
    {"undecoded": "chunking"},
    {"truncated": "time"},
    {"run": None, "collection": 3},
    {"run": "r" * 5000, "collection": ["c"]},
    {"obtained": MEMENTO | {"how": "imported"}},
    {"obtained": MEMENTO | {"how": "fetched"}},
    {"obtained": {"how": "imported", "retrieved_at": "2026-11-23T09:45:00.000000Z"}},
    {"obtained": "imported"},
)


@pytest.mark.parametrize("said", STATEMENTS, ids=str)
def test_the_two_ways_agree_on_any_statement(tmp_path: Path, said: dict[str, object]) -> None:
    """Of a capture that came, of one that nothing came of, and of one that was there before."""
    first = capture(10)
    alone = failure(500)
    block = to_json(json.loads(alone.block) | said)
    alone = put(replace(alone, block=block), "WARC-Block-Digest", sha256(block))
    records = [
        warcinfo(),
        *first.records,
        *capture(300).saying(**said).records,
        *in_writing_order(revisit(400, first)).saying(**said).records,
        alone,
        *capture(20).records,
    ]
    (tmp_path / NAME).write_bytes(packed(records))
    short, full = read_file(tmp_path / NAME), read_file(tmp_path / NAME, short=False)
    assert short == full


SPELLINGS = (
    (b'"redirects": []', b'"redirects": NaN'),
    (b'"redirects": []', b'"redirects": -Infinity'),
    (b'"redirects": []', b'"redirects": 1e999'),
    (b'"redirects": []', b'"redirects": 123456789012345678901234567890'),
    (b'"redirects": []', b'"redirects": "\\ud800"'),
    (b'"redirects": []', b'"redirects": "\\udce9"'),
    (b'"redirects": []', b'"redirects": "\xe9"'),
    (b'"redirects": []', b'"redirects": "\x01"'),
    (b'"redirects": []', b'"redirects": [,]'),
    (b'"redirects": []', b'"redirects": ' + b"[" * 900 + b"]" * 900),
    (b'"redirects": []', b'"redirects": ' + b"[" * 5000 + b"]" * 5000),
    (b'"redirects": []', b'"redirects": [], "status": 404'),
    (b'"status": 200', b'"status": ' + b"[" * 1000 + b"]" * 1000),
    (b'"status": 200', b'"status": ' + b"9" * 5000),
    (b'"outcome": "captured"', b'"outcome": ' + b"[" * 1000 + b"]" * 1000),
    (b'"collection": "bridge"', b'"collection": ' + b"[" * 1000 + b"]" * 1000),
    (b'"status": 200', b'"status": 404, "status": 200'),
    (b'"status": 200', b'"status": 2e2'),
    (b"}\n", b"}\n\n{}"),
    (b"{\n", b"\xef\xbb\xbf{\n"),
)


@pytest.mark.parametrize(("old", "new"), SPELLINGS)
def test_the_two_ways_agree_on_any_spelling_of_a_statement(
    tmp_path: Path, old: bytes, new: bytes
) -> None:
    """What one reader of JSON takes and another refuses is the same to both ways."""
    cap = capture(300)
    *others, note = cap.records
    assert old in note.block
    block = note.block.replace(old, new)
    note = put(replace(note, block=block), "WARC-Block-Digest", sha256(block))
    raw = packed([warcinfo(), *capture(10).records, *others, note, *capture(20).records])
    (tmp_path / NAME).write_bytes(raw)
    short, full = read_file(tmp_path / NAME), read_file(tmp_path / NAME, short=False)
    assert short == full


HEADS = (
    b"HTTP/1.1 200\r\n\r\n",
    b"HTTP/1.1 200 OK\n\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 24\r\nContent-Length: 24\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 24\r\nContent-Length: 25\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n 4\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: y\r\n Content-Length: 3\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\x0cContent-Length: 3\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length:24\r\nX-Content-Length: 1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: unheard-of\r\nContent-Length: 24\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/2 200\r\n\r\n",
    b"ICY 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nno end of the head\r\n",
)


@pytest.mark.parametrize("head", HEADS)
def test_the_two_ways_agree_on_any_http_head(tmp_path: Path, head: bytes) -> None:
    """Framing, codings and lengths are read alike."""
    body = b"<p>The bridge opens.</p>"
    for said in (body, b""):
        cap = capture(10, said, head).saying(status=200)
        (tmp_path / NAME).write_bytes(packed([warcinfo(), *cap.records, *capture(20).records]))
        short, full = read_file(tmp_path / NAME), read_file(tmp_path / NAME, short=False)
        assert short == full


@pytest.mark.parametrize("level", [0, 6])
def test_a_record_inside_a_body_is_no_place_to_divide_a_file(tmp_path: Path, level: int) -> None:
    """Stored without compression, a body may hold what looks like members, and is no beginning."""
    inner = packed([each for number in range(300, 380, 10) for each in capture(number).records])
    members = [each.member for each in good_records()[:-1]]
    holder = capture(500, inner)
    members += [gzip.compress(each.plain, level) for each in holder.records]
    check(tmp_path / NAME, b"".join([*members, *(each.member for each in capture(600).records)]))


def test_members_may_be_packed_at_different_times(tmp_path: Path) -> None:
    """Another tool may have packed the file anew: the short way leads past these members too."""
    records = [warcinfo(), *capture(100).records, *capture(110).records, *capture(120).records]
    members = [gzip.compress(each.plain, mtime=at // 2) for at, each in enumerate(records)]
    path = tmp_path / NAME
    full = check(path, b"".join(members))
    assert not full.findings
    with path.open("rb") as source:
        short = Shortcut(Window(source), Ledger(), None)
        assert short.run(len(members[0])) == path.stat().st_size
    assert short.records == len(records) - 1


def test_several_captures_in_one_member_are_told_once(tmp_path: Path) -> None:
    """A member with many records is a finding, and each of its records is counted once."""
    captures = [each for number in range(300, 340, 10) for each in capture(number).records]
    together = gzip.compress(b"".join(each.plain for each in captures))
    records = packed(good_records()[:-1]) + together + packed(capture(400).records)
    full = check(tmp_path / NAME, records)
    assert [each.code for each in full.findings].count("gzip_many_records") == 1


@pytest.mark.parametrize("junk", [b"\0", b"junk", b"\x1f\x8b\x08", b"\x1f\x8b\x08\0" + bytes(20)])
def test_bytes_between_members_are_seen_on_every_way(tmp_path: Path, junk: bytes) -> None:
    """What looks like the beginning of a member, too."""
    records = many_records()
    for at in (1, 2, 3, 9, 14):
        full = check(tmp_path / NAME, packed(records[:at]) + junk + packed(records[at:]))
        assert {"stray_bytes", "gzip_damaged"} & {each.code for each in full.findings}


def test_parts_that_are_not_proven_to_follow_each_other_do_not_fit() -> None:
    """Each must end where the next begins, having met a record where the next looked for one."""
    good = Part(
        start=0,
        end=100,
        met=True,
        framed=True,
        ours=(False, True),
        records=1,
        findings=(),
        unlisted=0,
        notes=(),
        tallies=Tallies(),
        ledger=Ledger(),
    )
    last = replace(good, start=100, end=200, met=False, ours=(True, True))
    assert fit([good, last])
    assert not fit([replace(good, met=False), last])
    assert not fit([good, replace(last, start=101)])
    assert not fit([good, replace(last, framed=False)])
    assert not fit([good, replace(last, ours=(False, True))])


def test_a_warcinfo_in_the_middle_counts_for_what_follows(tmp_path: Path) -> None:
    """Whose records follow is not guessed from the beginning of the file."""
    foreign = warcinfo().holding(b"software: other/1\r\n").having(WARC_Record_ID="<urn:x:9>")
    again = warcinfo().having(WARC_Record_ID="<urn:x:8>")
    captures = [each for number in range(300, 380, 10) for each in capture(number).records]
    others = [each for number in range(400, 480, 10) for each in capture(number).records]
    check(tmp_path / NAME, packed([warcinfo(), *captures, foreign, *others]))
    check(tmp_path / NAME, packed([foreign, *captures, again, *others]))


def test_records_without_a_warcinfo_are_told_once(tmp_path: Path) -> None:
    """However many parts see them."""
    records = [each for number in range(300, 380, 10) for each in capture(number).records]
    full = check(tmp_path / NAME, packed(records))
    assert [each.code for each in full.findings] == ["warcinfo_missing"]


def test_a_capture_of_many_records_may_lie_across_a_division(tmp_path: Path) -> None:
    """Records that name one capture are judged together."""
    cap = capture(300)
    more = [replace(cap, number=number).metadata for number in range(400, 440)]
    check(tmp_path / NAME, packed([*good_records()[:-1], *cap.records, *more]))


@pytest.mark.shared
@pytest.mark.skipif(not CORPORA.is_dir(), reason="no shared corpora beside the checkout")
def test_the_three_ways_agree_on_the_files_of_other_projects() -> None:
    """Whatever wrote them, and whatever is wrong with them."""
    seen = 0
    for entry in ENTRIES:
        path = CORPORA / entry["file"]
        if ".warc" in path.name:
            full, short, in_parts = reports(path)
            assert short == full and in_parts == full, path
            seen += 1
    assert seen > 50


def test_many_files_are_told_in_the_order_of_their_names(tmp_path: Path) -> None:
    """With one process or several, what is told is the same, and in the same order."""
    files = {
        f"bridge-20261123094500{number:03d}-00000.warc.gz": spoil(
            packed(many_records()), "changed", number * 311, 0, number
        )
        for number in range(12)
    }
    root = write_root(tmp_path, files)

    def heard(jobs: int) -> list[object]:
        told: list[object] = []
        end = verify_archive(
            root, on_finding=told.append, on_note=told.append, on_capture=told.append, jobs=jobs
        )
        return [*told, end]

    assert heard(1) == heard(2)
    paths = [root / "archive" / name for name in files]
    one = [read_file(path, short=False) for path in paths]
    assert list(read_files(paths, jobs=3, smallest=SHARE)) == one


def test_the_short_way_leads_past_everything_a_fetch_writes(tmp_path: Path) -> None:
    """Were the writer's form to change, verify would still be right, but slow: this would fail."""
    coded = gzip.compress(b"<p>coded</p>")
    pages = {
        "a.test/plain": reply(b"<p>plain</p>"),
        "a.test/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n0\r\n\r\n",
        "a.test/coded": reply(coded, "Content-Encoding: gzip"),
        "a.test/hop": leading_to("/plain"),
        "a.test/gone": reply(b"", status="410 Gone"),
        "a.test/nothing": None,
    }
    with web(pages) as wire:
        urls = [f"http://127.0.0.1:{wire.port}/{name.partition('/')[2]}" for name in pages]
        archive = root_of(tmp_path, *urls)
        pages.update(
            {
                f"127.0.0.1:{wire.port}/{key.partition('/')[2]}": page
                for key, page in list(pages.items())
            }
        )
        for _ in range(2):
            assert len(fetched(archive)) == len(urls)
    files = sorted(archive.archive.glob("*.warc.gz"))
    kinds = set()
    for path in files:
        records = [(each.offset, each.header.type) for each in read_records(path)]
        kinds |= {kind for _, kind in records}
        with path.open("rb") as source:
            short = Shortcut(Window(source), Ledger(), None)
            reached = short.run(records[1][0])
        assert reached == records[-1][0], "all but the record that closes the file"
        assert short.records == len(records) - 2
    assert kinds == {"warcinfo", "request", "response", "revisit", "metadata"} and len(files) == 2
