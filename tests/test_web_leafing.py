"""A comparison in pages: both texts come back whole, and no page is large."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provenance.web.difference import Kind, Row, compare
from provenance.web.leafing import PAGE_BYTES, PART, Block, comparison, leaves, parts

LINES = st.sampled_from(["the bridge", "the ferry", "", "12 March 2021", "大桥" * 4, "x" * 40])
TEXTS = st.lists(LINES, max_size=60).map("\n".join)


def sides(rows: list[Row]) -> tuple[str, str]:
    """Put both texts together again; a row without numbers goes on with the line before."""
    left: list[str] = []
    right: list[str] = []
    for row in rows:
        goes_on = row.before_line is None and row.after_line is None
        for text, number, pieces in (
            (left, row.before_line, row.before),
            (right, row.after_line, row.after),
        ):
            if number is not None:
                text.append("")
            if number is not None or goes_on:
                text[-1:] = [(text[-1] if text else "") + "".join(p.text for p in pieces)]
    return "\n".join(left), "\n".join(right)


def rows_of(pages: tuple[tuple[Block, ...], ...]) -> list[Row]:
    return [row for page in pages for block in page for row in block.rows]


@given(before=TEXTS, after=TEXTS, mask=st.booleans(), most=st.sampled_from([1_000, 3_000, 10**6]))
def test_all_pages_together_are_both_texts(before: str, after: str, mask: bool, most: int) -> None:
    """However small a page is; nothing is lost at the ends of pages."""
    pages = leaves(compare(before, after, mask=mask), everything=True, most=most)
    assert sides(rows_of(pages)) == (before, after)
    assert all(pages[1:])


@given(before=TEXTS, after=TEXTS, most=st.sampled_from([1_000, 3_000]))
def test_what_is_left_out_is_the_same_in_both_and_counted(
    before: str, after: str, most: int
) -> None:
    """Every line of the first text is shown or counted, and every change is shown."""
    found = compare(before, after)
    pages = leaves(found, everything=False, most=most)
    counted = sum(b.lines for page in pages for b in page if b.folded and not b.rows)
    shown = rows_of(pages)
    assert counted + sum(row.before_line is not None for row in shown) == before.count("\n") + 1
    wanted = [r for s in found.stretches for r in s.rows if r.kind is not Kind.SAME]
    assert [r for r in shown if r.kind is not Kind.SAME] == wanted


def test_a_small_comparison_is_one_page_with_its_folds() -> None:
    """They open in place, as nothing more need be fetched."""
    lines = [f"line {number}" for number in range(40)]
    (page,) = leaves(
        compare("\n".join(lines), "\n".join([*lines[:20], "new", *lines[21:]])), everything=False
    )
    assert [(block.folded, bool(block.rows)) for block in page] == [
        (True, True),
        (False, True),
        (True, True),
    ]


@given(
    words=st.lists(st.sampled_from(["bridge ", "ferry ", "12 ", "大桥"]), max_size=1200),
    other=st.lists(st.sampled_from(["bridge ", "ferry ", "1,300 ", "大桥"]), max_size=1200),
    mask=st.booleans(),
)
def test_a_long_line_goes_on_in_further_rows(
    words: list[str], other: list[str], mask: bool
) -> None:
    """Each short; together they are the line, on both sides and as one running text."""
    before, after = "".join(words), "".join(other)
    (row,) = (r for s in compare(before, after, mask=mask).stretches for r in s.rows)
    found = list(parts(row))
    for one in found:
        assert max(sum(len(p.text) for p in side) for side in (one.before, one.after)) <= PART
        assert one.kind is row.kind
    assert sides(found) == (before, after)
    told = [piece for one in found for piece in one.inline()]
    for kind in ("added", "removed", "same"):
        assert "".join(t for k, t in told if k == kind) == "".join(
            t for k, t in row.inline() if k == kind
        )


def test_two_texts_without_a_line_in_common_make_many_pages() -> None:
    """None larger than it may be, whatever their lines are."""
    before = "\n".join(f"<a> & {number} " * 30 for number in range(400))
    after = "港口大桥" * 20_000
    pages = leaves(compare(before, after), everything=False)
    assert len(pages) > 10
    assert sides(rows_of(pages)) == (before, after)
    for page in pages:
        assert (
            sum(len(p.text.encode()) for b in page for r in b.rows for p in r.before + r.after)
            < PAGE_BYTES
        )


@given(before=TEXTS, after=TEXTS, mask=st.booleans(), times=st.sampled_from([1, 40]))
def test_a_comparison_has_the_pages_of_both_ways_to_leaf(
    before: str, after: str, mask: bool, times: int
) -> None:
    """As `leaves` cuts them; what is open is all that is not folded."""
    ours, theirs = ("\n".join([text] * times) for text in (before, after))
    made = comparison(ours, theirs, mask=mask)
    assert made.difference == compare(ours, theirs, mask=mask)
    assert made.brief == leaves(made.difference, everything=False)
    assert made.whole == leaves(made.difference, everything=True)
    folded = sum(len(s.rows) for s in made.difference.stretches if s.folded)
    rows = [row for stretch in made.difference.stretches for row in stretch.rows]
    assert len(made.open_rows) == len(rows) - folded
    assert made.difference.same == (not any(row.kind is not Kind.SAME for row in rows))
    assert made.size >= len(rows)


def test_a_line_of_very_many_marks_is_cut_where_its_parts_are_full() -> None:
    """Each row is as long as it may be, and both texts come back."""
    before, after = (
        "".join(chr(0x4E00 + n) + chr(sign + n) for n in range(4_000)) for sign in (0x6000, 0x8000)
    )
    (row,) = (r for s in compare(before, after).stretches for r in s.rows)
    found = list(parts(row))
    assert sides(found) == (before, after)
    assert {sum(len(p.text) for p in one.before) for one in found[:-1]} == {PART}
    assert sum(len(p.text) for one in found for p in one.after if p.marked) == 4_000
