"""Two texts compared: nothing is lost, what is the same is not marked, and dates can be masked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.web.difference import CONTEXT, NOISE, Difference, Kind, Piece, Row, compare

WORDS = st.sampled_from(
    ["the ", "bridge ", "12 March 2021", "3,400", "港口", "大桥", "\n", ".", " "]
)
TEXTS = st.lists(WORDS, max_size=40).map("".join) | st.text(max_size=60)
LONG = st.integers(0, 2**32).map(
    lambda seed: "".join(
        f"w{(seed * (n + 3) ** 3 >> 16) % (20 + seed % 400)}{' ' if (n + seed) % 60 else chr(10)}"
        for n in range(300 + seed % 99)
    )
)
"""Some hundred words in long lines; how many of them stand once differs."""


def rows(found: Difference) -> list[Row]:
    return [row for stretch in found.stretches for row in stretch.rows]


def sides(found: Difference) -> tuple[str, str]:
    """Put both texts together again out of the rows."""
    left = ["".join(p.text for p in row.before) for row in rows(found) if row.before_line]
    right = ["".join(p.text for p in row.after) for row in rows(found) if row.after_line]
    return "\n".join(left), "\n".join(right)


@given(before=TEXTS | LONG, after=TEXTS | LONG, mask=st.booleans())
def test_both_texts_come_back_whole(before: str, after: str, mask: bool) -> None:
    """Line by line in order, whatever they are; the numbers of lines go up by one."""
    found = compare(before, after, mask=mask)
    assert sides(found) == (before, after)
    assert [r.before_line for r in rows(found) if r.before_line] == list(
        range(1, before.count("\n") + 2)
    )
    assert [r.after_line for r in rows(found) if r.after_line] == list(
        range(1, after.count("\n") + 2)
    )


@given(before=TEXTS | LONG, after=TEXTS | LONG, mask=st.booleans())
def test_what_is_not_marked_stands_in_both(before: str, after: str, mask: bool) -> None:
    """And texts are the same if, and only if, nothing is marked; masked, but for what is masked."""

    def seen(text: str) -> str:
        return NOISE.sub("\0", text) if mask else text

    def kept(pieces: tuple[Piece, ...]) -> list[str]:
        return [seen(piece.text) for piece in pieces if not piece.marked]

    found = compare(before, after, mask=mask)
    for row in rows(found):
        if row.kind in (Kind.SAME, Kind.CHANGED):
            assert kept(row.before) == kept(row.after)
        marked = any(piece.marked for piece in (*row.before, *row.after))
        if row.kind is Kind.SAME:
            assert not marked
        else:
            assert marked or not (row.before or row.after)
    assert found.same == (seen(before) == seen(after))
    if found.same:
        assert (found.added, found.removed) == (0, 0)


@given(before=TEXTS, after=TEXTS, mask=st.booleans())
def test_one_running_text_has_both(before: str, after: str, mask: bool) -> None:
    """Without what was removed it is the second text's line, without what was added the first's."""
    for row in rows(compare(before, after, mask=mask)):
        told = list(row.inline())
        assert "".join(text for kind, text in told if kind != "removed") == "".join(
            piece.text for piece in row.after
        )
        if not mask:
            assert "".join(text for kind, text in told if kind != "added") == "".join(
                piece.text for piece in row.before
            )


def test_words_are_marked_and_not_lines() -> None:
    """Chinese, which has no spaces, character by character."""
    (row,) = rows(compare("关于大桥的说明。It cost much.", "关于港口的说明。It cost little."))
    assert [p.text for p in row.before if p.marked] == ["大桥", "much"]
    assert [p.text for p in row.after if p.marked] == ["港口", "little"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Read 1,204 times.", "Read 98 times."),
        ("Updated 12 March 2021, 10:31", "Updated 3 April 2022, 09:05"),
        ("On March 12, 2021 they met.", "On December 1st, 1999 they met."),
        ("2021年2月22日", "2022年11月3日"),
        ("2021-02-22T10:00:00Z", "2022-11-03T23:59:59Z"),
    ],
)
def test_dates_and_numbers_can_be_masked(before: str, after: str) -> None:
    """They are the noise of a page that is otherwise the same; unmasked they are told."""
    assert not compare(before, after).same
    masked = compare(before, after, mask=True)
    assert masked.same and (masked.added, masked.removed) == (0, 0)
    assert sides(masked) == (before, after)


def test_a_mask_hides_no_words() -> None:
    """May and march are words too, and words beside a number are compared."""
    assert not compare("They may go.", "They will go.", mask=True).same
    assert not compare("They march on.", "They walk on.", mask=True).same
    assert not compare("cost 3 pounds", "cost 3 euros", mask=True).same


def test_what_is_the_same_is_folded_away_from_changes() -> None:
    """Three lines stand beside each change; a fold of one or two would hide nothing worth it."""
    lines = [f"line {number}" for number in range(40)]
    other = [*lines[:20], "new", *lines[21:]]
    found = compare("\n".join(lines), "\n".join(other))
    assert [(s.folded, len(s.rows)) for s in found.stretches] == [
        (True, 20 - CONTEXT),
        (False, 2 * CONTEXT + 1),
        (True, 19 - CONTEXT),
    ]
    close = compare("\n".join(lines[:9]), "\n".join([*lines[:1], "x", *lines[2:7], "y", lines[8]]))
    assert not any(stretch.folded for stretch in close.stretches)


def test_very_many_lines_that_are_alike_are_not_searched_for_ever() -> None:
    """Each stands in just under a hundredth of the text: the change is then shown whole."""
    before = "\n".join(f"line {number % 101}" for number in range(20_000))
    after = "\n".join(f"line {number % 101}" for number in reversed(range(20_000)))
    found = compare(before, after)
    assert sides(found) == (before, after)
    assert not any(row.kind is Kind.SAME for row in rows(found))


def test_a_line_of_very_many_words_is_marked_by_word() -> None:
    """As a text without line breaks is, whatever its length."""
    words = [f"a{number}" for number in range(6_000)]
    other = [f"b{number}" if number % 3 == 1 else f"a{number}" for number in range(6_000)]
    (row,) = rows(compare(" ".join(words), " ".join(other)))
    assert [p.text for p in row.before if p.marked] == words[1::3]
    assert [p.text for p in row.after if p.marked] == other[1::3]
    none = " ".join(f"b{number}" for number in range(6_000))
    (row,) = rows(compare(" ".join(words), none))
    assert (row.before, row.after) == ((Piece(" ".join(words), True),), (Piece(none, True),))


def test_every_second_line_of_a_long_text_is_found() -> None:
    """Where each line stands once, nothing is too long to search: the changed ones are told."""
    before, after = ("\n".join(f"n{n}\n{u}{n}" for n in range(8_000)) for u in "uv")
    assert [row.kind for row in rows(compare(before, after))] == [Kind.SAME, Kind.CHANGED] * 8_000


def test_words_that_cannot_be_searched_to_the_end_leave_others_as_they_were() -> None:
    """Long lines of few signs use up what there is; in later ones what stands once is found."""
    costly = [
        "".join(chr(0x4E00 + n % 60) + chr(sign + n) for n in range(990))
        for sign in (0x5000, 0x6000)
    ]
    before, after = (
        "\n".join([line] * 40 + [f"the {it} is old"])
        for line, it in zip(costly, ("bridge", "pier"), strict=True)
    )
    found = compare(before, after)
    assert sides(found) == (before, after)
    *_, whole, last = rows(found)
    # But for the sign that both begin with.
    assert [len(p.text) for p in (*whole.before, *whole.after)] == [1, 1_979] * 2
    assert [p.text for p in (*last.before, *last.after) if p.marked] == ["bridge", "pier"]
