"""What the index is told of a file is the same in one piece and in parts."""

from __future__ import annotations

import gzip
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.archive import Archive
from provenance.indexing import plan, survey_all
from provenance.warc.members import find_member
from provenance.warc.parts import Part, join_parts, survey_part
from provenance.warc.reader import read_records
from provenance.warc.reading import Reading, digest_of_file
from provenance.warc.survey import joined, stretches, survey
from tests.test_verify_shortcut import SHARE, many_records
from tests.test_verify_tamper import spoil
from tests.verify_builders import NAME, capture, packed, warcinfo, write_root


def sealed(folder: Path, raw: bytes) -> Path:
    """Write an archive root of one file; return the file."""
    return write_root(folder, {NAME: raw}) / "archive" / NAME


def agree(path: Path) -> None:
    """Hold a survey in parts to that in one piece."""
    assert list(joined(survey_all(path.parent, jobs=2, share=SHARE))) == [survey(path)]


def parts_of(path: Path) -> list[Part]:
    """Read a file in parts, one after the other."""
    tasks = [each for each in plan(path, SHARE) if each.start is not None]
    return [survey_part(path, each.start or 0, each.until) for each in tasks]


def test_parts_of_a_sound_file_are_joined_to_what_the_whole_is(tmp_path: Path) -> None:
    """Records, captures, runs, and the digest of the file."""
    path = sealed(tmp_path, packed(many_records()))
    parts = parts_of(path)
    assert len(parts) > 4
    whole = survey(path)
    assert list(joined(join_parts(path, digest_of_file(path), parts))) == [whole]
    assert whole.captures and whole.runs and not whole.faults
    agree(path)


@pytest.mark.parametrize("lost", [0, 1, 3, -1])
def test_from_a_part_that_does_not_fit_on_the_file_is_read_in_one_piece(
    tmp_path: Path, lost: int
) -> None:
    """Each must begin at the record that the one before met; what stands is not told twice."""
    path = sealed(tmp_path, packed(many_records()))
    parts, digest = parts_of(path), digest_of_file(path)
    assert list(joined(join_parts(path, digest, [*parts[:lost], None, *parts[lost:][1:]]))) == [
        survey(path)
    ]
    del parts[lost]
    assert list(joined(join_parts(path, digest, parts))) == [survey(path)]


def test_a_part_is_let_go_before_the_next_is_asked_for(tmp_path: Path) -> None:
    """What is in memory of a file is a part of it, whatever the file's size."""
    path = sealed(tmp_path, packed(many_records()))
    alive: list[weakref.ref[Reading]] = []

    def asked_for() -> Iterator[Part]:
        for task in plan(path, SHARE):
            if task.start is not None:
                assert not any(each() for each in alive[:-1])
                part = survey_part(path, task.start, task.until)
                alive.append(weakref.ref(part.reading))
                yield part
                del part

    pieces = join_parts(path, digest_of_file(path), asked_for())
    assert sum(len(piece.captures) for piece in pieces) == len(survey(path).captures)
    assert len(alive) > 4


def test_a_file_is_told_in_stretches_however_many_records_it_has(tmp_path: Path) -> None:
    """None of them has more than about a thousand records, and nothing is lost between them."""
    members = [each for number in range(700) for each in capture(number * 10).records]
    path = sealed(tmp_path, packed([warcinfo(), *members]))
    pieces = list(stretches(path))
    assert len(pieces) > 2
    assert max(len(piece.records) for piece in pieces) < 1100
    whole = survey(path)
    assert [each.record_id for each in whole.records] == [
        each.header.record_id for each in read_records(path)
    ]
    assert len({each.capture_id for each in whole.captures}) == 700


@pytest.mark.parametrize("count", [3, 700])
def test_a_metadata_record_finds_its_capture_wherever_it_stands(tmp_path: Path, count: int) -> None:
    """Other tools may sort a file; the metadata records may then come first, or far behind."""
    groups = [capture(number * 10).records for number in range(count)]
    ordered = [record for group in groups for record in group]
    usual = survey(sealed(tmp_path, packed([warcinfo(), *ordered])))
    wanted = {(one.document, one.capture_id, one.content_id, one.status) for one in usual.captures}
    assert len(wanted) == count and None not in {one.status for one in usual.captures}
    notes = [group[-1] for group in groups]
    others = [record for group in groups for record in group[:-1]]
    for records in ([*notes, *others], [*others, *notes]):
        path = sealed(tmp_path, packed([warcinfo(), *records]))
        found = survey(path).captures
        assert {
            (one.document, one.capture_id, one.content_id, one.status) for one in found
        } == wanted
        assert len(found) == count
        agree(path)


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
    found = list(joined(survey_all(archive, jobs=3, share=500)))
    assert [each.file.warc for each in found] == sorted(files)
    assert found == list(joined(survey_all(archive, jobs=1)))


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
    with_one = list(joined(survey_all(path.parent, jobs=1)))
    assert made.captures == len(with_one[0].captures) == 90
    assert list(joined(survey_all(path.parent, jobs=2))) == with_one


def test_a_member_is_found_by_what_it_opens_with(tmp_path: Path) -> None:
    """Bytes that only look like the beginning of a member, and other members, are passed over."""
    path = tmp_path / "file"
    path.write_bytes(b"\x1f\x8b\x08\0junk" + gzip.compress(b"other") + gzip.compress(b"WARC/1.1"))
    with path.open("rb") as source:
        found = find_member(source, 0, b"WARC/", within=1 << 20)
        assert found == 8 + len(gzip.compress(b"other"))
        assert find_member(source, found + 1, b"WARC/", within=1 << 20) is None
        assert find_member(source, 0, b"WARC/", within=20) is None
