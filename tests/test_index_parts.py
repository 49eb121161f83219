"""What the index is told of a file is the same in one piece and in parts."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.archive import Archive
from provenance.indexing import plan, survey_all
from provenance.warc.members import find_member
from provenance.warc.parts import join_parts, survey_part
from provenance.warc.survey import digest_of_file, survey
from tests.test_verify_shortcut import SHARE, many_records
from tests.test_verify_tamper import spoil
from tests.verify_builders import NAME, capture, packed, warcinfo, write_root


def sealed(folder: Path, raw: bytes) -> Path:
    """Write an archive root of one file; return the file."""
    return write_root(folder, {NAME: raw}) / "archive" / NAME


def agree(path: Path) -> None:
    """Hold a survey in parts to that in one piece."""
    assert list(survey_all(path.parent, jobs=2, smallest=SHARE)) == [survey(path)]


def test_parts_of_a_sound_file_are_joined_to_what_the_whole_is(tmp_path: Path) -> None:
    """Records, captures, runs, and the digest of the file."""
    path = sealed(tmp_path, packed(many_records()))
    tasks = [each for each in plan(path, SHARE) if each.start is not None]
    assert len(tasks) > 4
    parts = [survey_part(path, each.start or 0, each.until) for each in tasks]
    whole = survey(path)
    assert join_parts(path, digest_of_file(path), parts) == whole
    assert whole.captures and whole.runs and not whole.faults
    agree(path)


def test_parts_that_do_not_fit_are_not_joined(tmp_path: Path) -> None:
    """Each must end at the record where the next begins, and the last at the end of the file."""
    path = sealed(tmp_path, packed(many_records()))
    tasks = [each for each in plan(path, SHARE) if each.start is not None]
    parts = [survey_part(path, each.start or 0, each.until) for each in tasks]
    digest = digest_of_file(path)
    assert join_parts(path, digest, [parts[0], *parts[2:]]) is None
    assert join_parts(path, digest, parts[:-1]) is None
    path.write_bytes(path.read_bytes()[:-9])
    parts[-1] = survey_part(path, parts[-1].start, None)
    assert parts[-1].fault is not None
    assert join_parts(path, digest, parts) is None


@given(
    how=st.sampled_from(["changed", "cut", "added", "moved"]),
    at=st.integers(0, 1 << 20),
    to=st.integers(0, 1 << 20),
    value=st.integers(0, 255),
)
@settings(max_examples=40, deadline=None)
def test_a_damaged_file_is_read_as_far_as_in_one_piece(
    tmp_path_factory: pytest.TempPathFactory, how: str, at: int, to: int, value: int
) -> None:
    """What stands before the damage, and the words on it, are the same."""
    folder = tmp_path_factory.getbasetemp() / "parts"
    folder.mkdir(exist_ok=True)
    agree(sealed(folder, spoil(packed(many_records()), how, at, to, value)))


@pytest.mark.parametrize("level", [0, 6])
def test_a_record_inside_a_body_divides_nothing(tmp_path: Path, level: int) -> None:
    """Stored without compression, a body may hold what looks like members."""
    inner = packed([each for number in range(300, 380, 10) for each in capture(number).records])
    holder = b"".join(gzip.compress(each.plain, level) for each in capture(500, inner).records)
    agree(sealed(tmp_path, warcinfo().member + holder + packed(capture(600).records)))


def test_many_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    """However many processes read them."""
    files = {
        f"bridge-20261123094500{number:03d}-00000.warc.gz": packed(
            [warcinfo(), *capture(number * 10).records]
        )
        for number in range(1, 30)
    }
    archive = write_root(tmp_path, files) / "archive"
    found = list(survey_all(archive, jobs=3, smallest=500))
    assert [each.file.warc for each in found] == sorted(files)
    assert found == list(survey_all(archive, jobs=1))


def test_the_index_is_the_same_from_parts_as_from_one_piece(tmp_path: Path) -> None:
    """A large file gives the digest that it gives one process."""
    bodies = [bytes([number]) * 3 + str(number).encode() * 99_000 for number in range(1, 90)]
    records = [
        each for number, body in enumerate(bodies, 1) for each in capture(number * 10, body).records
    ]
    plain = b"".join(gzip.compress(each.plain, 1) for each in [warcinfo(), *records])
    noise = b"".join(gzip.compress(each.plain, 0) for each in capture(5000, bytes(3 << 20)).records)
    path = sealed(tmp_path, plain + noise)
    assert len(plan(path, 1 << 20)) > 1
    (tmp_path / "seeds" / "bridge.toml").unlink()
    made = Archive(tmp_path).index(text=False)
    with_one = list(survey_all(path.parent, jobs=1))
    assert made.captures == len(with_one[0].captures) == 90
    assert list(survey_all(path.parent, jobs=2)) == with_one


def test_a_member_is_found_by_what_it_opens_with(tmp_path: Path) -> None:
    """Bytes that only look like the beginning of a member, and other members, are passed over."""
    path = tmp_path / "file"
    path.write_bytes(b"\x1f\x8b\x08\0junk" + gzip.compress(b"other") + gzip.compress(b"WARC/1.1"))
    with path.open("rb") as source:
        found = find_member(source, 0, b"WARC/", within=1 << 20)
        assert found == 8 + len(gzip.compress(b"other"))
        assert find_member(source, found + 1, b"WARC/", within=1 << 20) is None
        assert find_member(source, 0, b"WARC/", within=20) is None
