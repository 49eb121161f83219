"""Rows of numbers are the same, whether they are in memory, in a temporary file, or sent on."""

from __future__ import annotations

import pickle
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from provenance.digest import digest_of
from provenance.verify.audit import verify_archive
from provenance.whole.files import read_file
from provenance.whole.ledger import Digests
from provenance.whole.rows import Rows, Spill
from tests.test_verify_shortcut import many_records
from tests.verify_builders import NAME, packed, write_root

NUMBER = st.integers(0, (1 << 64) - 1)


@given(steps=st.lists(st.one_of(st.tuples(NUMBER, NUMBER), st.none()), max_size=60))
def test_rows_come_back_in_order_wherever_they_are(steps: list[tuple[int, int] | None]) -> None:
    """Each None writes what is in memory to the file."""
    spill, rows, expected = Spill(), Rows(2), []
    for step in steps:
        if step is None:
            rows.settle(spill, most=0)
        else:
            rows.add(*step)
            expected.append(step)
    assert [tuple(row) for row in rows] == expected
    assert [tuple(rows[index]) for index in range(len(rows))] == expected
    assert list(rows.column(1)) == [second for _, second in expected]
    sent = pickle.loads(pickle.dumps(rows))
    assert sent == rows and len(sent) == len(expected)
    more = Rows(2)
    more.extend(rows)
    assert more == rows


def test_many_rows_are_not_in_memory() -> None:
    """What stays is less than a block of them, however many there are."""
    spill, rows = Spill(), Rows(1)
    for number in range(100_000):
        rows.add(number)
        rows.settle(spill)
        assert rows.held <= 4096
    assert list(rows.column(0)) == list(range(100_000))
    assert rows[70_000][0] == 70_000


def test_where_the_disk_refuses_the_rows_stay_in_memory(tmp_path: Path) -> None:
    """A check of an archive does not end for it."""
    spill, rows = Spill(tmp_path / "not there"), Rows(1)
    for number in range(10_000):
        rows.add(number)
        rows.settle(spill)
    assert list(rows.column(0)) == list(range(10_000))
    assert rows.held == 10_000


def test_digests_are_what_was_added() -> None:
    """At 32 bytes each, with the number beside them."""
    digests = Digests()
    added = [(digest_of(bytes([number])), number << 60) for number in range(16)]
    for digest, number in added:
        digests.add(digest, number)
    assert list(digests) == added
    assert list(digests.numbers()) == [number for _, number in added]


def test_a_ledger_in_a_file_says_what_one_in_memory_says(tmp_path: Path) -> None:
    """Of a whole file, and once it was put away."""
    root = write_root(tmp_path, {NAME: packed(many_records())})
    path = root / "archive" / NAME
    kept, spill = read_file(path), Spill()
    spilled = read_file(path, spill=spill)
    spilled.ledger.put_away(spill)
    assert spilled == kept and spilled.whole == kept.whole
    assert spilled.ledger.records.held == 0 < kept.ledger.records.held
    assert list(spilled.verdicts()) == list(kept.verdicts())
    assert verify_archive(root, jobs=1).captures == len(kept.ledger.outcomes)
