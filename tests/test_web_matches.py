"""What two sequences have in common: opcodes are whole and true, and the work has a bound."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from difflib import SequenceMatcher
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.web.matches import Allowance, Opcode, opcodes

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", " ", "  ", "", "\0"]), max_size=40)
LONG = st.integers(0, 2**32).map(
    lambda seed: [
        (seed * (number + 7) ** 3 // 2**16) % (60 + seed % 900) for number in range(300 + seed % 99)
    ]
)
"""Some hundred numbers, so that parts are cut; how many of them stand once differs."""

ALLOWANCES = st.sampled_from([0, 1, 50, 1_000, 60_000, 10**9])


def check(ours: Sequence[str], theirs: Sequence[str], found: list[Opcode]) -> None:
    """Hold opcodes to what `difflib` says of its own."""
    a = c = 0
    last = ""
    for tag, start, end, other, stop in found:
        assert (start, other) == (a, c)
        assert {
            "equal": ours[start:end] == theirs[other:stop] and end > start,
            "replace": end > start and stop > other,
            "delete": end > start and stop == other,
            "insert": end == start and stop > other,
        }[tag]
        assert (tag == "equal") != (last == "equal") or not last
        a, c, last = end, stop, tag
    assert (a, c) == (len(ours), len(theirs))


@given(ours=WORDS, theirs=WORDS, steps=ALLOWANCES)
def test_opcodes_tell_how_one_becomes_the_other(
    ours: list[str], theirs: list[str], steps: int
) -> None:
    """Whole, in order, equal where they say so, and by turns equal and not; with any allowance."""
    allowance = Allowance(steps)
    check(ours, theirs, opcodes(ours, theirs, allowance))
    assert 0 <= allowance.steps <= steps


@given(ours=LONG, theirs=LONG, steps=ALLOWANCES)
def test_long_ones_that_are_cut_too(ours: list[int], theirs: list[int], steps: int) -> None:
    """Where an element stands once on both sides, part by part."""
    left, right = ([*map(str, each)] for each in (ours, theirs))
    check(left, right, opcodes(left, right, Allowance(steps)))


@given(words=WORDS | LONG.map(lambda each: [*map(str, each)]), steps=ALLOWANCES)
def test_the_same_is_the_same(words: list[str], steps: int) -> None:
    """In one piece and without a step."""
    allowance = Allowance(steps)
    found = opcodes(words, list(words), allowance)
    assert found == ([("equal", 0, len(words), 0, len(words))] if words else [])
    assert allowance.steps == steps


def test_a_paragraph_is_compared_as_difflib_compares_it() -> None:
    """Nothing is cut before its longest run is found: what was moved to its other end is short."""
    ours = ["X", *"abcabdabeabf"]
    theirs = [*ours[1:], "X"]
    expected = SequenceMatcher(str.isspace, ours, theirs).get_opcodes()
    assert opcodes(ours, theirs, Allowance(10**6)) == expected


def every_second(count: int, other: str) -> list[str]:
    return [each for n in range(count) for each in (f"n{n}", f"{other}{n}")]


@pytest.mark.parametrize("steps", [0, 10**6])
def test_every_second_of_very_many_is_found_without_a_step(steps: int) -> None:
    """Those that stay stand once each: nothing else is searched."""
    allowance = Allowance(steps)
    found = opcodes(every_second(9_000, "u"), every_second(9_000, "v"), allowance)
    assert [tag for tag, *_ in found] == ["equal", "replace"] * 9_000
    assert allowance.steps == steps


def test_the_most_that_go_up_on_both_sides_are_kept() -> None:
    """A few that moved to the other end do not hide the many that stayed."""
    few, many = ([f"{kind}{n}" for n in range(count)] for kind, count in (("f", 40), ("m", 400)))
    found = opcodes(few + many, many + few, Allowance(0))
    assert found == [
        ("delete", 0, 40, 0, 0),
        ("equal", 40, 440, 0, 400),
        ("insert", 440, 440, 400, 440),
    ]


def test_parts_are_cut_again_where_something_stands_once_in_them() -> None:
    """What stands twice in the whole may stand once on either side of a cut."""
    half = [f"w{n}" for n in range(50)]
    left = [each for n in half for each in (n, f"{n}?")]
    right = [each for n in half for each in (n, f"{n}!")]
    found = opcodes([*left, "cut", *left], [*right, "cut", *right], Allowance(0))
    assert sum(end - start for tag, start, end, *_ in found if tag == "equal") == 101


def of_sixty_signs(count: int, other: str) -> list[str]:
    """Return signs that come again and again, each with one beside it that never does."""
    return [each for n in range(count) for each in (f"s{n % 60}", f"{other}{n}")]


def shuffled(count: int, seed: int) -> list[str]:
    return random.Random(seed).choices([f"s{n}" for n in range(count // 9)], k=count)


def lines_run(ours: list[str], theirs: list[str], steps: int) -> int:
    """Count the lines of Python that a comparison runs through, those of `difflib` with them."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        opcodes(ours, theirs, Allowance(steps))
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (of_sixty_signs(300, "u"), of_sixty_signs(300, "v")),
        (shuffled(600, 1), shuffled(600, 2)),
        ([*"ab "] * 200, [*"b a"] * 200),
        (every_second(300, "u"), every_second(300, "v")),
        (every_second(300, "u"), every_second(300, "v")[::-1]),
        ([" "] * 600, ["  "] * 600),
    ],
)
def test_the_work_is_bounded_by_the_allowance_and_the_length(
    ours: list[str], theirs: list[str]
) -> None:
    """Whatever the sequences are; nothing that is not charged grows faster than they do."""
    length = len(ours) + len(theirs)
    for steps in (0, 5_000, 40_000):
        assert lines_run(ours, theirs, steps) < 8 * steps + 60 * length


def test_without_a_bound_the_work_would_be_many_times_that() -> None:
    """So the count above tells something."""
    ours, theirs = of_sixty_signs(300, "u"), of_sixty_signs(300, "v")
    assert lines_run(ours, theirs, 10**9) > 10 * lines_run(ours, theirs, 5_000)
