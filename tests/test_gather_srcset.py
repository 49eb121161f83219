"""The candidates of a srcset attribute, by the standard's own algorithm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.gather.srcset import candidates


@pytest.mark.parametrize(
    ("srcset", "addresses"),
    [
        ("a", ["a"]),
        ("a, b 2x, c 3x", ["a", "b", "c"]),
        ("a 100w, b 200w 50h", ["a", "b"]),
        ("a 50h 100w", ["a"]),
        ("a,b", ["a,b"]),
        ("a 1x,b 2x", ["a", "b"]),
        ("a,, b", ["a", "b"]),
        (" ,\n, a 1x ,\t", ["a"]),
        ("/w_1,h_2/a.jpg 1x, /w_2,h_4/a.jpg 2x", ["/w_1,h_2/a.jpg", "/w_2,h_4/a.jpg"]),
        ("data:image/png;base64,AA== 1x, a 2x", ["data:image/png;base64,AA==", "a"]),
        ("a (x, y) 1x, b", ["b"]),
        ("a (x, y", []),
        ("a .5x, b 1.5e1x, c 0x", ["a", "b", "c"]),
        ("a 1., b -1x, c +1x, d 1.x, e x", []),
        ("a 0w, b 1.5w, c -1w, d w", []),
        ("a 100h, b 1x 1x, c 1w 1x, d 1w 1w, e 1x 1h, f 1X", []),
        ("a 1w junk, b", ["b"]),
        ("", []),
        (" , ", []),
    ],
)
def test_candidates_are_those_a_browser_would_choose_from(
    srcset: str, addresses: list[str]
) -> None:
    """Commas belong to addresses unless they end one; a wrong descriptor drops its candidate."""
    assert list(candidates(srcset)) == addresses


SPACE = "\t\n\f\r "


def by_the_letter(srcset: str) -> list[str]:
    """Return the candidates by the standard's steps, one character at a time."""
    at = 0
    found: list[str] = []
    while True:
        while at < len(srcset) and srcset[at] in SPACE + ",":
            at += 1
        if at >= len(srcset):
            return found
        start = at
        while at < len(srcset) and srcset[at] not in SPACE:
            at += 1
        address = srcset[start:at]
        descriptors: list[str] = []
        if address.endswith(","):
            address = address.rstrip(",")
        else:
            descriptors, at = tokenized(srcset, at)
        if are_valid(descriptors):
            found.append(address)


def tokenized(srcset: str, at: int) -> tuple[list[str], int]:
    """Return the descriptors from `at` on, and where the next candidate begins."""
    descriptors, current, state = [""], "", "in"
    while at < len(srcset):
        char = srcset[at]
        at += 1
        if state == "in" and char in SPACE:
            descriptors, current, state = [*descriptors, current], "", "after"
        elif state == "in" and char == ",":
            break
        elif state == "in":
            current, state = current + char, "parens" if char == "(" else "in"
        elif state == "parens":
            current, state = current + char, "in" if char == ")" else "parens"
        elif char not in SPACE:
            state, at = "in", at - 1
    return [each for each in [*descriptors, current] if each], at


def are_valid(descriptors: list[str]) -> bool:
    """Return whether the standard's descriptor parser ends without an error."""
    width = density = height = None
    for each in descriptors:
        if re.fullmatch(r"[0-9]+w", each) and int(each[:-1]) and width is density is None:
            width = each
        elif re.fullmatch(r"([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?x", each) and (
            width is density is height is None
        ):
            density = each
        elif re.fullmatch(r"[0-9]+h", each) and int(each[:-1]) and height is density is None:
            height = each
        else:
            return False
    return height is None or width is not None


@given(st.text(alphabet="ab,( )\t\n0123.wxhe-", max_size=40))
def test_the_standards_steps_give_the_same(srcset: str) -> None:
    """The expressions agree with the standard's state machine, on any text."""
    assert list(candidates(srcset)) == by_the_letter(srcset)


@pytest.mark.parametrize("piece", [",", "(", "a (", "a,", "a 1x,", " ", "1", "a 1e"])
def test_hostile_sets_are_read_in_linear_time(piece: str) -> None:
    """A hundred thousand of any piece are read to their end."""
    list(candidates(piece * 100_000))
