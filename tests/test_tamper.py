"""Whatever is changed in a sealed archive, `verify` says so: the battery, and the law.

Source: DESIGN §6, rung sealed; docs/tampering.md.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from provenance.archive import Archive
from provenance.checkpointing import add_checkpoint
from provenance.findings.codes import LOG_CODES, MANIFEST_CODES
from provenance.log.note import SigningKey
from provenance.runtime import system_runtime
from provenance.verify.manifest import MANIFEST
from tests.cli_program import run, small_root
from tests.tamper_battery import BATTERY, BODY, Entry, added, change_all_news, roll_back
from tests.tamper_rig import copied, heard, redigested, sealed_archive, small_archive
from tests.warc_builders import members_of

PAGE = Path(__file__).parents[1] / "docs" / "tampering.md"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one archive of three runs; nobody changes it."""
    paths = ("/page", "/moved", "/gone", "/news")
    return sealed_archive(tmp_path_factory.mktemp("kept"), *paths).root


def test_the_archive_as_it_was_gives_no_finding(kept: Path) -> None:
    """All that the log covers is sealed; the run after the last checkpoint is a note."""
    told = heard(kept)
    assert told.findings == []
    assert [each.code for each in told.notes] == ["not_in_log"]
    assert (told.report.captures, told.report.rungs.whole, told.report.rungs.sealed) == (9, 9, 8)


@pytest.mark.parametrize("entry", BATTERY, ids=lambda each: each.name)
def test_each_tampering_is_found_where_it_was_done(
    kept: Path, tmp_path: Path, entry: Entry
) -> None:
    """A finding names the record and the field; where all else agrees, the log alone tells."""
    with copied(kept, tmp_path) as scene:
        place = entry.tamper(scene)
        told = heard(scene.root)
    assert any(place.is_named_in(each) for each in told.findings), (place, told.findings)
    assert all(each.expected and each.found and each.hint for each in told.findings)
    if entry.by_log_alone:
        assert told.codes <= LOG_CODES.keys(), told.codes
    assert told.codes == codes_of_page()[entry.done, entry.remade], sorted(told.codes)


def codes_of_page() -> dict[tuple[str, str], set[str]]:
    """Return what the page's table says: (what was done, what was made to agree) → codes."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ((?:`\w+`(?:, )?)+) \|", PAGE.read_text(), re.M)
    return {(done, remade): set(re.findall(r"`(\w+)`", codes)) for done, remade, codes in rows}


def test_the_page_has_a_row_for_each_tampering_and_no_other() -> None:
    """With the rungs that its codes belong to."""
    text = PAGE.read_text()
    assert list(codes_of_page()) == [(each.done, each.remade) for each in BATTERY] + [INDEX_ROW]
    for line in text.splitlines():
        if line.startswith("| ") and "`" in line:
            codes, rungs = set(re.findall(r"`(\w+)`", line)), line.split(" | ")[-1].rstrip(" |")
            of = {"sealed" if each in SEALED else "whole" for each in codes - {INDEX_CODE}}
            assert rungs == ", ".join(sorted(of, reverse=True) or ["index"]), line


SEALED = MANIFEST_CODES.keys() | LOG_CODES.keys()
INDEX_CODE = "index_differs"
INDEX_ROW = ("a row of the index edited", "nothing")


def test_an_edited_index_row_is_told_by_index_check(kept: Path, tmp_path: Path) -> None:
    """The index is no evidence: `verify` does not look at it, `index --check` exits with 4."""
    with copied(kept, tmp_path) as scene:
        Archive(scene.root).index()
        assert run("index", "--check", cwd=scene.root).status == 0
        with sqlite3.connect(scene.root / "metadata" / "provenance.db") as connection:
            connection.execute("UPDATE capture SET captured_at = '2020-11-23T09:45:00.000000Z'")
        ended = run("index", "--check", "--json", cwd=scene.root)
        assert ended.status == 4
        assert "captured_at" in ended.out or "capture" in ended.out
        assert heard(scene.root).findings == []


# What no archive shows by itself


def test_all_made_anew_is_found_by_a_checkpoint_kept_elsewhere_alone(
    kept: Path, tmp_path: Path
) -> None:
    """Files that name no checkpoint, a log of the old origin: only what is outside contradicts."""
    outside = [kept / f"metadata/log/checkpoints/{size}" for size in sizes_in(kept)]
    origin = outside[0].read_text().partition("\n")[0]
    with copied(kept, tmp_path) as scene:
        change_all_news(scene, BODY)
        for name in scene.files:
            info, *others = scene.records(name)
            block = re.sub(rb"log-checkpoint: [^\r]*\r\n", b"", info.block)
            scene.write(name, [redigested(replace(info, block=block)), *others])
        scene.remake_manifest()
        shutil.rmtree(scene.log)
        Archive(scene.root).checkpoint(origin=origin)
        assert heard(scene.root).findings == []
        for path in outside:
            told = heard(scene.root, path)
            assert told.codes == {"log_rolled_back"}
            assert [each.field for each in told.findings] == [str(path)]


def test_a_file_added_as_a_run_would_add_it_is_sealed_by_nothing(
    kept: Path, tmp_path: Path
) -> None:
    """Nothing tells it from a run of today: it is noted, and none of its captures is sealed."""
    with copied(kept, tmp_path) as scene:
        before = heard(scene.root).report
        name = added(scene)
        scene.remake_manifest()
        told = heard(scene.root)
        assert told.findings == []
        assert [each.code for each in told.notes] == ["not_in_log"]
        assert told.report.captures == before.captures + 1
        assert told.report.rungs.sealed == before.rungs.sealed
        assert name in scene.files


def test_a_rolled_back_log_that_no_later_file_names_is_a_shorter_log(
    kept: Path, tmp_path: Path
) -> None:
    """Without the run that began after it, the second checkpoint is known only to who kept it."""
    outside = kept / f"metadata/log/checkpoints/{sizes_in(kept)[-1]}"
    with copied(kept, tmp_path) as scene:
        roll_back(scene)
        scene.path(scene.files[2]).unlink()
        scene.remake_manifest()
        assert heard(scene.root).findings == []
        assert heard(scene.root, outside).codes == {"log_rolled_back"}


def sizes_in(root: Path) -> list[int]:
    return sorted(int(each.name) for each in (root / "metadata/log/checkpoints").iterdir())


# The law


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one archive all of which the log covers; each test puts back what it spoils."""
    root = small_archive(tmp_path_factory.mktemp("small")).root
    assert heard(root).findings == [] and heard(root).notes == []
    return root


def sealed_files(root: Path) -> list[Path]:
    """Return every file that a sealed archive is made of."""
    log = sorted(each for each in (root / "metadata" / "log").rglob("*") if each.is_file())
    return [*sorted((root / "archive").glob("*.gz")), root / "metadata" / MANIFEST, *log]


def regions_of(path: Path) -> list[tuple[str, int, int]]:
    """Return what a file is made of, part by part: name, begin and end."""
    raw = path.read_bytes()
    if path.suffix != ".gz":
        return [(path.name, 0, len(raw))]
    parts = []
    for each in members_of(raw):
        end = each.offset + each.length
        cuts = (each.offset, each.offset + 10, end - 8, end - 4, end)
        names = ("gzip header", "deflate data", "CRC-32", "ISIZE")
        parts += list(zip(names, cuts, cuts[1:], strict=False))
    return parts


@contextlib.contextmanager
def spoilt(path: Path, raw: bytes) -> Iterator[None]:
    before = path.read_bytes()
    path.write_bytes(raw)
    try:
        yield
    finally:
        path.write_bytes(before)


STRETCHES = st.binary(min_size=1, max_size=40) | st.sampled_from(
    [b"\n", b"\n\n", b"x\n", b" ", b"0", "\n\u2014 a AAAAAAAA\n".encode(), "\u00e9\n".encode()]
)


@st.composite
def damages(draw: st.DrawFn) -> tuple[int, int, Callable[[bytes, int, int], bytes]]:
    """Draw which file and which region of it are damaged, and how."""
    at = draw(st.integers(0, 1 << 16) | st.sampled_from([0, -1]))
    size, other = draw(st.integers(1, 60)), draw(STRETCHES)
    kind = draw(st.sampled_from(["flip", "change", "cut", "add", "move", "lines", "again"]))
    bits = draw(st.integers(1, 255))

    def damage(raw: bytes, begin: int, end: int) -> bytes:
        here = begin + at % max(end - begin, 1)
        if kind == "flip":
            return raw[:here] + bytes([raw[here] ^ bits]) + raw[here + 1 :]
        if kind == "change":
            return raw[:here] + other + raw[here + len(other) :]
        if kind == "cut":
            return raw[:here] + raw[here + size :]
        if kind == "add":
            here = begin + at % (end - begin + 1)  # at its end, too
            return raw[:here] + other + raw[here:]
        if kind == "again":
            return raw[:here] + raw[begin : begin + size] + raw[here:]
        if kind == "lines":
            lines = raw.splitlines(keepends=True)
            one, two = at % len(lines), size % len(lines)
            lines[one], lines[two] = lines[two], lines[one]
            return b"".join(lines)
        middle, last = here + size, here + size + len(other)
        return raw[:here] + raw[middle:last] + raw[here:middle] + raw[last:]

    return draw(st.integers(0, 1 << 10)), draw(st.integers(0, 1 << 10)), damage


def check_damage(root: Path, drawn: tuple[int, int, Callable[[bytes, int, int], bytes]]) -> None:
    which, part, damage = drawn
    files = sealed_files(root)
    path = files[which % len(files)]
    regions = regions_of(path)
    name, begin, end = regions[part % len(regions)]
    raw = path.read_bytes()
    made = damage(raw, begin, end)
    assume(made != raw)
    with spoilt(path, made):
        assert heard(root).findings, (path.relative_to(root), name, made)


@given(drawn=damages())
@settings(max_examples=300)
def test_nothing_is_changed_cut_added_or_moved_without_a_finding(
    small: Path, drawn: tuple[int, int, Callable[[bytes, int, int], bytes]]
) -> None:
    """In any region of any file that belongs to a sealed archive."""
    check_damage(small, drawn)


@pytest.mark.long
@given(drawn=damages())
@settings(max_examples=20_000)
def test_nothing_at_all_is_changed_without_a_finding(
    small: Path, drawn: tuple[int, int, Callable[[bytes, int, int], bytes]]
) -> None:
    """The same, as often as there is time for."""
    check_damage(small, drawn)


def each_byte(root: Path, kinds: Sequence[str], files: Sequence[Path]) -> Iterator[str]:
    """Spoil each byte of each file in turn; yield where nothing is found."""
    for path in files:
        raw = path.read_bytes()
        for at in range(len(raw)):
            made = {
                "changed": raw[:at] + bytes([raw[at] ^ (1 << at % 8)]) + raw[at + 1 :],
                "cut": raw[:at] + raw[at + 1 :],
                "added": raw[:at] + bytes([at % 256]) + raw[at:],
                "moved": raw[:at] + raw[at + 1 : at + 2] + raw[at : at + 1] + raw[at + 2 :],
            }
            for kind in kinds:
                with spoilt(path, made[kind]):
                    if made[kind] != raw and not heard(root).findings:
                        yield f"{path.relative_to(root)} at byte {at}: {kind}"


def small_files(root: Path) -> list[Path]:
    return [each for each in sealed_files(root) if each.suffix != ".gz"]


def test_each_byte_of_manifest_checkpoints_and_tiles_counts(small: Path) -> None:
    """Not one of them can be another without a finding."""
    assert list(each_byte(small, ["changed"], small_files(small))) == []


def test_no_byte_of_manifest_and_checkpoints_can_be_left_out(small: Path) -> None:
    """Nor stand a place further on."""
    files = [each for each in small_files(small) if "tile" not in each.parts]
    assert list(each_byte(small, ["cut", "moved"], files)) == []


@pytest.mark.parametrize("name", ["checkpoint", "checkpoints/5", "operator.pub", "tile/0/000"])
def test_a_folder_in_the_place_of_a_file_of_the_log_is_a_finding(
    small: Path, tmp_path: Path, name: str
) -> None:
    """Not the end of the verification."""
    with copied(small, tmp_path) as scene:
        path = scene.log / name
        if path.is_file():
            path.unlink()
        path.mkdir(exist_ok=True)
        (path / "x").write_text("x")
        assert heard(scene.root).findings


def test_no_byte_of_signed_checkpoints_and_of_the_key_can_be_another(tmp_path: Path) -> None:
    """Signatures on kept checkpoints too, and the line end of the key that lies in the log."""
    archive = small_root(tmp_path / "root")
    letter = tmp_path / "minutes.txt"
    letter.write_bytes(b"Minutes.")
    key = SigningKey(name="example.org/log", seed=bytes(range(32)))
    for _ in range(2):
        add_checkpoint(archive.archive, archive.metadata, system_runtime(), key=key)
        list(archive.add([letter], document="minutes"))
    add_checkpoint(archive.archive, archive.metadata, system_runtime(), key=key)
    assert heard(archive.root).findings == []
    files = [each for each in small_files(archive.root) if "log" in each.parts]
    files = [each for each in files if "tile" not in each.parts]
    assert [each.name for each in files][-1] == "operator.pub"
    assert list(each_byte(archive.root, ["changed", "cut"], files[1:2] + files[-1:])) == []


@pytest.mark.long
def test_each_byte_of_the_whole_archive_counts(small: Path) -> None:
    """The same for all files and all four ways."""
    kinds = ["changed", "cut", "added", "moved"]
    assert list(each_byte(small, kinds, sealed_files(small))) == []
