"""`verify TARGET`: ids, citations and saved documents lead to captures, judged at their places."""

from __future__ import annotations

import contextlib
import gzip
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.cite import CitationFormat, parse_pwids
from provenance.digest import Digest, from_hex, hex_of, to_hash_uri, to_ni
from provenance.errors import IndexMissingError, UnknownIdError, UsageError
from provenance.verify import CaptureVerdict
from provenance.verify.lookup import Lookup
from provenance.verify.single import SingleAudit, SingleReport
from tests.cli_program import LETTER, run, small_root
from tests.verify_builders import (
    NAME,
    Cap,
    Rec,
    Told,
    capture,
    closing,
    failure,
    good_records,
    packed,
    reknown,
    revisit,
    warcinfo,
    write_root,
)

FIRST = capture(10)
BODY = b"<p>The bridge opens.</p>"
SECOND = capture(20, b"<p>\xe6\xa1\xa5</p>" * 9)
AGAIN = revisit(30, FIRST)


@dataclass
class Asked(Told):
    """What a verification of targets told."""

    captures: list[CaptureVerdict] = field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        return {each.capture_id for each in self.captures}


def indexed(tmp_path: Path, records: list[Rec], *, raw: bytes | None = None) -> Archive:
    """Make a root of one file with these records, and its index."""
    tmp_path.mkdir(exist_ok=True)
    write_root(tmp_path, {NAME: packed(records) if raw is None else raw})
    (tmp_path / "seeds" / "bridge.toml").unlink()
    archive = Archive(tmp_path)
    archive.index(text=False)
    return archive


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Make a root in which everything agrees; nobody changes it."""
    return indexed(tmp_path_factory.mktemp("bridge"), good_records())


def asked(archive: Archive, *targets: str | Path) -> Asked:
    heard = Asked()
    heard.report = archive.verify(
        [str(each) for each in targets],
        on_finding=heard.findings.append,
        on_note=heard.notes.append,
        on_capture=heard.captures.append,
    )
    return heard


# Ids

FIRST_ID = Digest(FIRST.anchor.digest)
AGAIN_ID = Digest(AGAIN.anchor.digest)
SPELLINGS: dict[str, Callable[[Digest], str]] = {
    "labelled": str,
    "hash URI": to_hash_uri,
    "ni": to_ni,
    "hexadecimal": hex_of,
    "twelve digits": lambda digest: hex_of(digest)[:12],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_capture_id_leads_to_that_capture(bridge: Archive, spelling: str) -> None:
    """In any spelling, and by its first digits; its three records are read and no others."""
    told = asked(bridge, SPELLINGS[spelling](FIRST_ID))
    assert told.captures == [CaptureVerdict(capture_id=FIRST_ID, warc=NAME, rungs=("whole",))]
    assert told.findings == []
    assert told.report is not None
    assert (told.report.captures, told.report.records, told.report.rungs.whole) == (1, 3, 1)


def test_a_document_id_leads_to_its_newest_version(bridge: Archive) -> None:
    """One capture is verified, as `cite` and `show` would take it."""
    told = asked(bridge, "page-20")
    assert told.ids == {SECOND.anchor.digest}


def test_a_content_id_leads_to_every_capture_of_it(bridge: Archive) -> None:
    """The original and the revisit both hold it."""
    told = asked(bridge, str(FIRST.said["content_id"]))
    assert told.ids == {FIRST_ID, AGAIN_ID}
    assert told.findings == []


def test_a_revisit_is_verified_with_its_original(bridge: Archive) -> None:
    """Six records are read: its own and those of the capture that it refers to."""
    told = asked(bridge, AGAIN_ID)
    assert told.report is not None
    assert (told.report.captures, told.report.records) == (1, 6)
    assert told.report.rungs.whole == 1


def test_a_failure_is_a_capture_too(bridge: Archive) -> None:
    """Its metadata record stands alone, and is the capture."""
    told = asked(bridge, failure(40).digest)
    assert [each.rungs for each in told.captures] == [("whole",)]


# Damage, at the place and beside it


class Judged:
    """One root whose only file is changed again and again; its index stays as it was."""

    def __init__(self, archive: Archive) -> None:
        self.path = archive.root / "archive" / NAME
        self.raw = self.path.read_bytes()
        self.lookup = Lookup(archive.index_path)
        self.lookup.open("a test")
        self.audit = SingleAudit(archive.root / "archive", self.lookup)

    def when(self, raw: bytes, capture_id: Digest) -> SingleReport:
        self.path.write_bytes(raw)
        return self.audit.verify(capture_id)


@contextlib.contextmanager
def judged(tmp_path: Path, records: list[Rec], *, raw: bytes | None = None) -> Iterator[Judged]:
    judge = Judged(indexed(tmp_path, records, raw=raw))
    with contextlib.closing(judge.lookup):
        yield judge


def span_of(cap: Cap, records: list[Rec]) -> tuple[int, int]:
    """Return the first byte of a capture's records, and the byte after them."""
    at = 0
    found: list[int] = []
    for each in records:
        end = at + len(each.member)
        if any(each.digest == own.digest for own in cap.records):
            found += [at, end]
        at = end
    return min(found), max(found)


@pytest.mark.parametrize("cap", [FIRST, AGAIN], ids=["response", "revisit"])
def test_any_byte_changed_in_a_capture_is_found(tmp_path: Path, cap: Cap) -> None:
    """Every byte of its records, in each of them; it is then not whole."""
    records = good_records()
    start, end = span_of(cap, records)
    with judged(tmp_path, records) as judge:
        for at in range(start, end):
            raw = bytearray(judge.raw)
            raw[at] ^= 0x24
            told = judge.when(bytes(raw), Digest(cap.anchor.digest))
            if unpacked(bytes(raw[start:end])) == unpacked(judge.raw[start:end]):
                continue  # gzip's time, its name of the system, or a bit that pads the stream
            assert told.findings and told.verdict.rungs == ()


def unpacked(raw: bytes) -> bytes | None:
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error):
        return None


def test_damage_beside_a_capture_does_not_touch_it(tmp_path: Path) -> None:
    """What is wrong with its neighbours is not told, and it stays whole."""
    records = good_records()
    start, end = span_of(SECOND, records)
    with judged(tmp_path, records) as judge:
        for at in (*range(len(warcinfo().member), start, 11), *range(end, len(judge.raw), 11)):
            raw = bytearray(judge.raw)
            raw[at] ^= 0x24
            told = judge.when(bytes(raw), Digest(SECOND.anchor.digest))
            assert (told.findings, told.verdict.rungs) == ((), ("whole",))


def test_a_damaged_original_takes_the_rung_from_its_revisit(tmp_path: Path) -> None:
    """The content that the revisit stands for is no longer there."""
    plain = b"".join(each.plain for each in good_records())
    before, mark, after = plain.partition(b"Host: council.example")
    damaged = before + mark.replace(b"Host", b"Hust") + after
    with judged(tmp_path, [], raw=plain) as judge:
        told = judge.when(damaged, AGAIN_ID)
    assert told.verdict.rungs == ()
    assert [(each.code, each.capture_id) for each in told.findings] == [("block_digest", FIRST_ID)]


def forged(cap: Cap) -> tuple[Rec, ...]:
    return capture(cap.number, b"<p>The bridge closes.</p").records


def dated(cap: Cap) -> tuple[Rec, ...]:
    anchor = cap.anchor.having(WARC_Date="2020-01-01T00:00:00.000000Z")
    return reknown(cap.with_anchor(anchor)).records


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("a forger's new body", forged, "capture_elsewhere"),
        ("another date", dated, "capture_elsewhere"),
        ("no request", lambda cap: cap.records[1:], "request_missing"),
        ("no metadata", lambda cap: cap.records[:-1], "metadata_missing"),
        ("no response", lambda cap: (cap.records[0], cap.records[2]), "capture_elsewhere"),
        ("records in another order", lambda cap: cap.records[::-1], "records_disordered"),
    ],
)
def test_a_capture_that_was_edited_is_found(
    tmp_path: Path, name: str, change: Callable[[Cap], tuple[Rec, ...]], code: str
) -> None:
    """Also where digests and metadata were made anew to fit."""
    records = [warcinfo(), *change(FIRST), *SECOND.records, closing(captured=2)]
    with judged(tmp_path, [warcinfo(), *FIRST.records, *SECOND.records]) as judge:
        told = judge.when(packed(records), FIRST_ID)
    assert told.verdict.rungs == (), name
    assert code in {each.code for each in told.findings}


def test_a_missing_original_is_found(tmp_path: Path) -> None:
    """The index may still place it; what is there is another record."""
    records = [warcinfo(), *AGAIN.records]
    with judged(tmp_path, records) as judge:
        told = judge.audit.verify(AGAIN_ID)
    assert [each.code for each in told.findings] == ["revisit_target_missing"]
    assert told.verdict.rungs == ()


def test_a_missing_hop_is_found(tmp_path: Path) -> None:
    """A capture's redirects name captures; each is looked for at its place."""
    gone = from_hex("ab" * 32)
    hop = {"url": "http://a.example/", "status": 301, "location": "/b", "capture_id": gone}
    cap = FIRST.saying(redirects=[hop])
    with judged(tmp_path, [warcinfo(), *cap.records]) as judge:
        told = judge.audit.verify(FIRST_ID)
    assert [(each.code, each.expected) for each in told.findings] == [("redirect_missing", gone)]


@pytest.mark.parametrize(
    "raw",
    [
        b"".join(each.plain for each in good_records()),
        packed([warcinfo().holding(b"software: other/1\r\n"), *good_records()]),
        packed([*good_records(), warcinfo().holding(b"software: other/1\r\n")]),
    ],
    ids=["uncompressed", "behind another's records", "before another's records"],
)
def test_a_file_may_be_uncompressed_or_put_together(tmp_path: Path, raw: bytes) -> None:
    """Merging and recompressing change no capture."""
    for cap in (FIRST, SECOND, AGAIN):
        with judged(tmp_path, [], raw=raw) as judge:
            told = judge.audit.verify(Digest(cap.anchor.digest))
        assert (told.findings, told.verdict.rungs) == ((), ("whole",))


def test_what_the_index_says_is_not_believed(tmp_path: Path) -> None:
    """An index that places a capture elsewhere, or gives it another content, is found out."""
    archive = indexed(tmp_path, good_records())
    other = str(SECOND.said["content_id"])
    with sqlite3.connect(archive.index_path) as connection:
        connection.execute(
            "UPDATE capture SET content_id = ? WHERE capture_id = ?", (other, FIRST_ID)
        )
        connection.execute(
            "UPDATE capture SET offset = 0, ordinal = 0 WHERE capture_id = ?", (AGAIN_ID,)
        )
    connection.close()
    told = asked(archive, other)
    wrong = told.only("content_other")
    assert (wrong.capture_id, wrong.expected) == (FIRST_ID, other)
    assert wrong.found == FIRST.said["content_id"]
    assert asked(archive, AGAIN_ID).codes == {"capture_elsewhere"}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("warc", "../seeds/bridge.toml"),
        ("warc", ""),
        ("warc", "a\x00b"),
        ("offset", -1),
        ("offset", 1 << 62),
        ("ordinal", 1 << 62),
    ],
)
def test_an_index_that_places_a_capture_nowhere_is_found_out(
    tmp_path: Path, column: str, value: object
) -> None:
    """A name or a byte that no file of the archive has is a finding, and no file beside is read."""
    archive = indexed(tmp_path, good_records())
    with sqlite3.connect(archive.index_path) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(
            f"UPDATE capture SET {column} = ? WHERE capture_id = ?", (value, AGAIN_ID)
        )
        connection.execute("UPDATE record SET concurrent_to = '{' WHERE type = 'request'")
    connection.close()
    told = asked(archive, AGAIN_ID)
    assert told.codes & {"unreadable_file", "capture_elsewhere", "request_missing"}
    assert [each.rungs for each in told.captures] == [()]


def test_a_file_that_is_gone_is_a_finding(tmp_path: Path) -> None:
    """The index knows the capture, and nothing can be read of it."""
    archive = indexed(tmp_path, good_records())
    (tmp_path / "archive" / NAME).unlink()
    told = asked(archive, FIRST_ID)
    assert told.codes == {"unreadable_file"}
    assert [each.rungs for each in told.captures] == [()]


# Citations

SUFFIXES = {
    CitationFormat.TEXT: ".txt",
    CitationFormat.MARKDOWN: ".md",
    CitationFormat.HTML: ".html",
    CitationFormat.BIBTEX: ".bib",
    CitationFormat.RIS: ".ris",
    CitationFormat.CSL_JSON: ".json",
}


@pytest.mark.parametrize("form", CitationFormat)
@pytest.mark.parametrize("identifier", ["page-10", AGAIN_ID], ids=["original", "revisit"])
def test_a_citation_in_any_form_leads_to_its_capture(
    bridge: Archive, tmp_path: Path, form: CitationFormat, identifier: str
) -> None:
    """As an argument and in a file; the content it names is checked too."""
    cited, text = bridge.cite(identifier, form)
    path = tmp_path / f"cited{SUFFIXES[form]}"
    path.write_text(f"As the council says,\n{text}\nand so on.\n", "utf-8")
    for told in (asked(bridge, text), asked(bridge, path)):
        assert told.ids == {cited.capture_id}
        assert told.findings == []


def test_a_manuscript_may_cite_many(bridge: Archive, tmp_path: Path) -> None:
    """Each capture is held against the content that stands before it; each is verified once."""
    path = tmp_path / "article.md"
    forms = (CitationFormat.TEXT, CitationFormat.BIBTEX, CitationFormat.CSL_JSON)
    names = ("page-10", "page-20", AGAIN_ID)
    path.write_text("\n".join(bridge.cite(name, form)[1] for name in names for form in forms))
    told = asked(bridge, path)
    assert told.ids == {FIRST_ID, SECOND.anchor.digest, AGAIN_ID}
    assert len(told.captures) == 3
    assert told.findings == []


@pytest.mark.parametrize("form", CitationFormat)
def test_a_citation_with_another_content_is_found(bridge: Archive, form: CitationFormat) -> None:
    """A capture id beside a content id that is not of it, known or unknown."""
    cited, text = bridge.cite("page-10", form)
    own, other = cited.content_id, Digest(str(SECOND.said["content_id"]))
    for spell in (str, to_ni, to_hash_uri, latex_ni):
        text = text.replace(spell(own), spell(other))
    told = asked(bridge, text)
    wrong = told.only("content_other")
    assert (wrong.capture_id, wrong.expected, wrong.found) == (cited.capture_id, other, own)


def latex_ni(digest: Digest) -> str:
    return to_ni(digest).replace("_", r"\_").replace("--", "-{}-")


def test_a_citation_with_an_id_that_nothing_has_is_found(bridge: Archive) -> None:
    """One digit changed in the content id: the capture is found, and the other id is not."""
    cited, text = bridge.cite("page-10", CitationFormat.RIS)
    wrong = hex_of(cited.content_id)[:-1] + ("0" if cited.content_id[-1] != "0" else "1")
    told = asked(bridge, text.replace(hex_of(cited.content_id), wrong))
    assert told.only("cited_id_missing").expected == f"sha256:{wrong}"
    assert told.ids == {cited.capture_id}


@pytest.mark.parametrize("form", CitationFormat)
def test_a_pwid_alone_leads_to_its_capture(bridge: Archive, form: CitationFormat) -> None:
    """By collection, second and address, out of each form, also at the end of a sentence."""
    cited, text = bridge.cite("page-10", form)
    found = {pwid.text.rstrip(").,'") for pwid in parse_pwids(text)}
    assert len(found) == 1
    told = asked(bridge, f"(see {found.pop()}).")
    assert told.ids == {cited.capture_id}


@pytest.mark.parametrize(
    ("old", "new"),
    [("provenance-bridge", "provenance-other"), ("09:45:00Z", "09:45:01Z"), ("page-10", "page-1")],
)
def test_a_pwid_of_another_capture_leads_nowhere(bridge: Archive, old: str, new: str) -> None:
    """All of it has to agree."""
    _, text = bridge.cite("page-10", CitationFormat.TEXT)
    urn = parse_pwids(text)[0].text.rstrip(").")
    assert old in urn
    with pytest.raises(UsageError):
        asked(bridge, urn.replace(old, new))


# Saved documents


def test_a_saved_document_leads_to_its_captures(bridge: Archive, tmp_path: Path) -> None:
    """By the SHA-256 of its bytes, whatever it is called; also by a name that could be an id."""
    for name in ("saved.html", "saved"):
        path = tmp_path / name
        path.write_bytes(BODY)
        assert asked(bridge, path).ids == {FIRST_ID, AGAIN_ID}


def test_a_word_is_an_id_before_it_is_a_file(
    bridge: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slash or dot shows that the file is meant; a file of another name needs none."""
    monkeypatch.chdir(tmp_path)
    for name in ("page-20", "letter"):
        Path(name).write_bytes(BODY)
    assert asked(bridge, "page-20").ids == {SECOND.anchor.digest}
    assert asked(bridge, "./page-20").ids == {FIRST_ID, AGAIN_ID}
    assert asked(bridge, "letter").ids == {FIRST_ID, AGAIN_ID}


# Files


def test_a_file_of_the_archive_is_held_against_the_manifest(tmp_path: Path) -> None:
    """A file that verifies by itself may still not be the one that was sealed."""
    archive = indexed(tmp_path, good_records())
    path = tmp_path / "archive" / NAME
    told = asked(archive, path)
    assert told.findings == []
    assert told.report is not None
    assert (told.report.captures, told.report.records) == (4, len(good_records()))
    assert told.report.manifest.agreed == told.report.manifest.listed == 1
    path.write_bytes(packed(good_records()[:4]))
    assert asked(archive, path).codes == {"file_digest"}
    copy = tmp_path / "copy.warc.gz"
    copy.write_bytes(path.read_bytes())
    assert asked(archive, copy).findings == []


def test_files_that_are_named_together_are_verified_together(
    bridge: Archive, tmp_path: Path
) -> None:
    """A revisit's original may be in another of them; of equal names each has its own report."""
    one, other = tmp_path / "one.warc.gz", tmp_path / "other.warc.gz"
    one.write_bytes(packed([warcinfo(), *FIRST.records]))
    other.write_bytes(packed([warcinfo().having(WARC_Record_ID="<urn:a:b>"), *AGAIN.records]))
    assert [each.code for each in asked(bridge, other).notes] == ["revisit_elsewhere"]
    told = asked(bridge, one, other)
    assert (told.findings, told.notes) == ([], [])
    assert told.ids == {FIRST_ID, AGAIN_ID}
    (tmp_path / "copy").mkdir()
    copy = tmp_path / "copy" / one.name
    copy.write_bytes(one.read_bytes())
    told = asked(bridge, one, copy)
    assert told.findings == []
    assert told.report is not None and told.report.records == 8


# What is unknown


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("page-99", "page-99"),
        ("sha256:" + "ab" * 32, "abab"),
        ("deadbeef", "deadbeef"),
        ("hash://sha256/" + "ab" * 32 + " p. 3", "cites nothing that is in the archive"),
        ("a letter to the editor", "no such file"),
        ("gone.warc.gz", "no such file"),
        ("seeds", "seeds"),
        ("./seeds/", "a directory"),
        ("", "no such file"),
        ("a\x00b", "no such file"),
        ("x" * 5_000, "no such file"),
        ("\x1b[31m", "no such file"),
    ],
)
def test_what_is_unknown_is_said_before_anything_is_verified(
    bridge: Archive, monkeypatch: pytest.MonkeyPatch, target: str, shown: str
) -> None:
    """What was expected, what was found and what to do; the known target beside it waits."""
    monkeypatch.chdir(bridge.root)
    heard = Asked()
    with pytest.raises(UsageError) as caught:
        bridge.verify(
            ["page-10", target],
            on_finding=heard.findings.append,
            on_note=heard.notes.append,
            on_capture=heard.captures.append,
        )
    assert shown in str(caught.value)
    assert "expected a WARC, ARC or WACZ file, an id, a citation" in str(caught.value)
    assert caught.value.hint
    assert heard.captures == []


def test_a_file_that_is_no_capture_is_said_with_its_digest(bridge: Archive, tmp_path: Path) -> None:
    """So that it can be looked for elsewhere."""
    path = tmp_path / "letter.pdf"
    path.write_bytes(b"%PDF-1.7")
    with pytest.raises(UsageError, match=r"letter\.pdf: no capture has this content.*sha256:"):
        asked(bridge, path)


def test_a_document_without_a_capture_is_said(tmp_path: Path) -> None:
    """Its entry is there, and nothing to verify."""
    archive = small_root(tmp_path / "root")
    with pytest.raises(UsageError, match="minutes has no capture yet"):
        asked(archive, "minutes")


def test_an_id_needs_an_index(tmp_path: Path) -> None:
    """How to make one is said; a file needs none."""
    archive = indexed(tmp_path, good_records())
    archive.index_path.unlink()
    with pytest.raises(IndexMissingError, match="provenance index"):
        asked(archive, "page-10")
    assert asked(archive, tmp_path / "archive" / NAME).findings == []


def test_an_unknown_id_keeps_its_advice(bridge: Archive) -> None:
    """A slip of the pen is met with the ids that are near."""
    with pytest.raises(UnknownIdError, match="page-10"):
        asked(bridge, "page-1")


# The command


def test_the_command_tells_each_capture(tmp_path: Path) -> None:
    """JSON Lines: the captures, then the summary; words for people; status 0."""
    root = small_root(tmp_path / "root").root
    ended = run("verify", "letter", "--json", cwd=root)
    *lines, last = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.status == 0
    assert [(each["type"], each["rungs"]) for each in lines] == [("capture", ["whole"])]
    assert (last["type"], last["captures"], last["findings"]) == ("summary", 1, 0)
    assert last["rungs"]["whole"] == 1
    ended = run("verify", lines[0]["capture_id"], cwd=root)
    assert f"{lines[0]['capture_id']}: whole" in ended.out
    assert "Not looked at" in ended.out and "Not proved" in ended.out
    assert run("verify", root.parent / "letter.txt", cwd=root).out == ended.out


def test_the_command_ends_with_four_on_damage_and_two_on_what_is_unknown(tmp_path: Path) -> None:
    """DESIGN: exit codes."""
    root = small_root(tmp_path / "root").root
    (path,) = (root / "archive").glob("*.warc.gz")
    raw = path.read_bytes()
    assert LETTER.encode() not in raw
    path.write_bytes(raw[: len(raw) // 2])
    ended = run("verify", "letter", cwd=root)
    assert ended.status == 4
    assert "no rung holds" in ended.out
    ended = run("verify", "lettre", cwd=root)
    assert (ended.status, ended.out) == (2, "")
    assert "error: " in ended.err


def test_what_is_for_the_whole_archive_takes_no_target(tmp_path: Path) -> None:
    """A checkpoint, or another archive, is held against all of it."""
    root = small_root(tmp_path / "root").root
    ended = run("verify", "letter", "--against", root, cwd=root)
    assert (ended.status, ended.out) == (2, "")
    assert "for the whole archive" in ended.err


def test_a_file_is_verified_without_an_archive(tmp_path: Path) -> None:
    """WARC files of anybody; an id has nowhere to be looked up, and that is said."""
    (tmp_path / "some.warc.gz").write_bytes(packed(good_records()))
    ended = run("verify", "some.warc.gz", "--json", cwd=tmp_path)
    assert ended.status == 0
    assert json.loads(ended.out.splitlines()[-1])["captures"] == 4
    ended = run("verify", "page-10", cwd=tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert "no archive root" in ended.err and "-C" in ended.err


def test_many_captures_of_a_file_are_counted(tmp_path: Path) -> None:
    """People read the first ones; programs get all."""
    records = [warcinfo(), *(each for n in range(30) for each in capture(10 * n + 10).records)]
    (tmp_path / "some.warc.gz").write_bytes(packed(records))
    ended = run("verify", "some.warc.gz", cwd=tmp_path)
    assert ended.out.count(": whole") == 20
    assert "10 captures more" in ended.out
    ended = run("verify", "some.warc.gz", "--json", cwd=tmp_path)
    assert ended.out.count('"capture"') == 30
