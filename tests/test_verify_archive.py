"""`verify` compares the archive with its manifest, and leaves alone what is not its own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from provenance.findings.code_page import to_markdown
from provenance.verify import CODES, NOTES, CaptureVerdict, verify_archive, verify_file
from tests.verify_builders import (
    NAME,
    capture,
    good_records,
    packed,
    told,
    warcinfo,
    write_root,
)

ROOT = Path(__file__).parents[1]


def good(tmp_path: Path) -> Path:
    return write_root(tmp_path, {NAME: packed(good_records())})


def listed(root: Path) -> Path:
    return root / "metadata" / "manifest-sha256.txt"


def test_an_empty_archive_is_a_finding(tmp_path: Path) -> None:
    """Nothing to verify is no success."""
    heard = told(write_root(tmp_path, {}))
    assert heard.codes == {"empty_archive"}


def test_an_archive_with_only_an_interrupted_file_is_a_note(tmp_path: Path) -> None:
    """A file of an interrupted run is recovered by the next command; it is no fault."""
    root = write_root(tmp_path, {NAME + ".open": b"\x1f\x8b"}, manifest=b"")
    heard = told(root)
    assert heard.findings == [] and [each.code for each in heard.notes] == ["interrupted"]


def test_a_listed_file_that_waits_for_its_rename_is_no_finding(tmp_path: Path) -> None:
    """The manifest's line is synced before the rename."""
    root = good(tmp_path)
    (root / "archive" / NAME).rename(root / "archive" / f"{NAME}.open")
    assert told(root).findings == []


def test_a_dropped_file_is_a_finding(tmp_path: Path) -> None:
    """Every listed file is there."""
    root = write_root(tmp_path, {NAME: packed(good_records()), "b.warc.gz": warcinfo().member})
    (root / "archive" / "b.warc.gz").unlink()
    assert told(root).only("listed_file_missing").warc == "b.warc.gz"


@pytest.mark.parametrize("name", ["x.warc.gz", "x.warc", "x.arc", "x.arc.gz"])
def test_a_file_that_is_not_listed_is_a_finding(tmp_path: Path, name: str) -> None:
    """Whoever wrote it, and however well it reads."""
    root = good(tmp_path)
    raw = capture(50).anchor.member if name.endswith("gz") else capture(50).anchor.plain
    (root / "archive" / name).write_bytes(b"filedesc://x" if name[-3:] == "arc" else raw)
    heard = told(root)
    assert heard.only("not_in_manifest").warc == name


def test_a_changed_file_is_a_finding_with_both_digests(tmp_path: Path) -> None:
    """`expected` is the manifest's, `found` the file's."""
    root = good(tmp_path)
    path = root / "archive" / NAME
    old, new = path.read_bytes(), packed([*good_records(), capture(60).anchor])
    path.write_bytes(new)
    fault = told(root).only("file_digest")
    assert fault.expected == "sha256:" + hashlib.sha256(old).hexdigest()
    assert fault.found == "sha256:" + hashlib.sha256(new).hexdigest()


def test_a_missing_manifest_is_a_finding(tmp_path: Path) -> None:
    """Without it a dropped file goes unnoticed."""
    root = good(tmp_path)
    listed(root).unlink()
    assert told(root).codes == {"manifest_missing", "not_in_manifest"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw.upper(),
        lambda raw: raw + b"\n",
        lambda raw: raw.rstrip(b"\n"),
        lambda raw: raw.replace(b"  ", b" *"),
        lambda raw: raw.replace(b"  archive/", b"  "),
        lambda raw: raw.replace(b"archive/", b"archive/../archive/"),
        lambda raw: b"# comment\n" + raw,
        lambda raw: raw.replace(b"\n", b"\r\n"),
    ],
)
def test_a_malformed_line_is_a_finding_with_its_number(tmp_path: Path, spoil: object) -> None:
    """Exactly 64 lower-case digits, two spaces, archive/NAME, LF."""
    root = good(tmp_path)
    assert callable(spoil)
    listed(root).write_bytes(spoil(listed(root).read_bytes()))
    faults = [each for each in told(root).findings if each.code == "manifest_line"]
    assert faults and all("line" in str(each.field) for each in faults)


def test_a_line_that_stands_twice_is_a_finding(tmp_path: Path) -> None:
    """Also where both agree with the file."""
    root = good(tmp_path)
    listed(root).write_bytes(listed(root).read_bytes() * 2)
    assert told(root).codes == {"manifest_duplicate"}


def test_a_copied_file_is_one_finding_and_not_one_for_each_record(tmp_path: Path) -> None:
    """The same bytes under another name."""
    raw = packed(good_records())
    heard = told(write_root(tmp_path, {NAME: raw, "z.warc.gz": raw}))
    assert heard.codes == {"file_duplicate"} and heard.report is not None
    assert heard.report.captures == 4


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("notes.txt", b"hello", "foreign_file"),
        ("page.warc.gz", b"<html>", "foreign_file"),
        ("page.warc", b"PK\x03\x04", "foreign_file"),
        ("half.warc.gz", warcinfo().member[:-20], "gzip_cut"),
        ("none.warc.gz", b"", "empty_file"),
    ],
)
def test_a_foreign_or_half_written_file_is_told_and_left_alone(
    tmp_path: Path, name: str, raw: bytes, code: str
) -> None:
    """The rest is verified all the same, and the file stays as it was."""
    root = good(tmp_path)
    (root / "archive" / name).write_bytes(raw)
    heard = told(root)
    fault = next(each for each in heard.findings if each.code == code)
    assert fault.warc == name and heard.report is not None
    assert (heard.report.captures, heard.report.rungs.whole) == (4, 4)
    assert (root / "archive" / name).read_bytes() == raw


def test_a_folder_in_the_archive_is_told_and_its_readme_is_not(tmp_path: Path) -> None:
    """README.md and .gitignore belong there."""
    root = good(tmp_path)
    (root / "archive" / "README.md").write_text("what this is")
    (root / "archive" / ".gitignore").write_text("*")
    assert told(root).findings == []
    (root / "archive" / "old").mkdir()
    assert told(root).only("foreign_file").warc == "old"


def test_an_unreadable_file_is_a_finding(tmp_path: Path) -> None:
    """The system's refusal is told, not raised: here a folder stands for a file."""
    report = verify_file(tmp_path)
    assert [each.code for each in report.findings] == ["unreadable_file"]
    assert report.sha256 is None and report.findings[0].found


def test_changed_seeds_are_a_note(tmp_path: Path) -> None:
    """Curators may edit seeds; the old and the new digest are told, and a lost file."""
    root = good(tmp_path)
    (root / "seeds" / "bridge.toml").write_bytes(b"title = 'new'\n")
    heard = told(root)
    assert heard.findings == [] and [each.code for each in heard.notes] == ["seeds_changed"]
    assert heard.notes[0].found == hashlib.sha256(b"title = 'new'\n").hexdigest()
    (root / "seeds" / "bridge.toml").unlink()
    assert told(root).notes[0].found == "no such file"


def test_each_capture_is_told_with_its_rungs(tmp_path: Path) -> None:
    """One verdict for each document's outcome, named by its capture id."""
    root = good(tmp_path)
    verdicts: list[CaptureVerdict] = []
    verify_archive(root, on_capture=verdicts.append)
    assert [each.rungs for each in verdicts] == [("whole",)] * 4
    records = good_records()
    assert [each.capture_id for each in verdicts] == [
        records[index].digest for index in (2, 5, 8, 10)
    ]


def test_verifying_changes_nothing(tmp_path: Path) -> None:
    """No byte, no name, no time of change."""
    root = good(tmp_path)
    before = {path: path.stat() for path in root.rglob("*")}
    told(root)
    assert {path: path.stat() for path in root.rglob("*")} == before


def test_every_code_is_explained_and_the_page_is_made_from_the_table() -> None:
    """`docs/findings.md` is the table; every code says what it means and what to do."""
    assert (ROOT / "docs" / "findings.md").read_text("utf-8") == to_markdown()
    for row in (*CODES.values(), *NOTES.values()):
        assert row.means.endswith((".", "tells.")) and row.hint
