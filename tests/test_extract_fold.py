"""White space and invisible characters, the shared part of text-v1."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.extract.fold import (
    CELL_BREAK,
    LINE_BREAK,
    clean_plain,
    fold_flow,
    fold_lines,
    fold_one,
)

# Surrogates are the marks between pieces; no decoder yields them.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def test_flow_has_one_line_per_block_and_none_empty() -> None:
    """Runs of breaks make one line end, and blanks at the edges vanish."""
    pieces = ("  one\n two ", LINE_BREAK, " \t", LINE_BREAK, "\u00a0three\u3000four ")
    assert fold_flow(pieces) == "one two\nthree four"


def test_cells_are_parted_by_one_tab() -> None:
    """Cells of a row stand on one line; an empty cell leaves no tab."""
    pieces = (CELL_BREAK, " a ", CELL_BREAK, CELL_BREAK, CELL_BREAK, "b c", CELL_BREAK)
    assert fold_flow(pieces) == "a\tb c"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("港口\n  大桥", "港口大桥"),
        ("関係、\r\nアジア", "関係、アジア"),
        ("港口 大桥", "港口 大桥"),
        ("port\nbridge", "port bridge"),
        ("港口\nbridge", "港口 bridge"),
        ("항만\n다리", "항만 다리"),
    ],
)
def test_a_source_line_end_inside_chinese_parts_no_word(source: str, expected: str) -> None:
    """Between wide characters a line end vanishes; Korean and Latin words stay apart."""
    assert fold_flow((source,)) == expected


@pytest.mark.parametrize("character", ["\u200b", "\ufeff", "\u2060", "\u00ad", "\u202e", "\0"])
def test_invisible_characters_do_not_part_a_word(character: str) -> None:
    """What no reader sees does not hide a word from a search."""
    word = f"bri{character}dge"
    assert fold_flow((word,)) == fold_one(word) == clean_plain(word) == "bridge"


@pytest.mark.parametrize("word", ["می\u200cخواهم", "क्\u200dष", "e\u0301", "\u212b", "ﬁn", "Ⅷ"])
def test_letters_are_not_normalised(word: str) -> None:
    """Joiners that spell, combining marks, ligatures and compatibility letters stay."""
    assert fold_flow((word,)) == fold_one(word) == clean_plain(word) == word


def test_plain_text_keeps_its_layout() -> None:
    """Only line ends and edges of a plain text change."""
    assert clean_plain("\ufeff a  b\r\n\r\n  c\td\x0ce\r") == "a  b\n\n  c\td\ne"


@given(st.lists(TEXTS | st.sampled_from([LINE_BREAK, CELL_BREAK]), max_size=12))
def test_flow_is_clean_and_a_fixed_point(pieces: list[str]) -> None:
    """Folding twice is folding once; no control, zero width space or double blank is left."""
    text = fold_flow(pieces)
    assert not re.search("  |\n\n| \n|\n |\u200b", text)
    assert all(char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"} for char in text)
    assert fold_lines(text).replace("\t", " ") == text.replace("\t", " ")
    text.encode("utf-8")


@given(TEXTS)
def test_nothing_visible_is_lost(text: str) -> None:
    """Every character but blanks, controls and format characters comes through, in order."""

    def visible(one: str) -> str:
        return "".join(c for c in one if unicodedata.category(c)[0] not in "ZC")

    for fold in (lambda one: fold_flow((one,)), fold_lines, fold_one, clean_plain):
        assert visible(fold(text)) == visible(text)
