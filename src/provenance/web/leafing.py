"""Cut a comparison of two texts into pages that load fast. Pure: nothing is lost or marked anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from provenance.web.difference import Difference, Piece, Row, compare

PAGE_BYTES = 24_000
"""Bytes of rows on one page, their markup with them."""

PART = 1_500
"""Characters of a line in one row; a longer line goes on in the next row."""

_TABLE_BYTES, _ROW_BYTES, _MARK_BYTES, _SIGN_BYTES = 450, 200, 11, 4
"""What the markup adds to a block, a row, a marked piece, and a sign that must be escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows that stand together, or a fold of `lines` that are the same; its rows may be left out.

    A row that goes on with a line of the row before has no number on either side.
    """

    rows: tuple[Row, ...]
    folded: bool
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A comparison with all its pages, so that none of it is made again for who turns them.

    `brief` leaves out lines that are the same and far from any change, `whole` shows them;
    `open_rows` are the rows that are not folded; `size` counts rows and their pieces, which is
    what its memory grows with.
    """

    difference: Difference
    brief: tuple[tuple[Block, ...], ...]
    whole: tuple[tuple[Block, ...], ...]
    open_rows: tuple[Row, ...]
    size: int


def comparison(before: str, after: str, *, mask: bool = False) -> Comparison:
    """Compare two texts and cut what comes of it into pages."""
    difference = compare(before, after, mask=mask)
    brief = leaves(difference, everything=False)
    has_all = all(block.rows for blocks in brief for block in blocks)
    rows = [row for stretch in difference.stretches for row in stretch.rows]
    return Comparison(
        difference=difference,
        brief=brief,
        whole=brief if has_all else leaves(difference, everything=True),
        open_rows=tuple(
            row for stretch in difference.stretches if not stretch.folded for row in stretch.rows
        ),
        size=sum(1 + len(row.before) + len(row.after) for row in rows),
    )


def leaves(
    difference: Difference, *, everything: bool, most: int = PAGE_BYTES
) -> tuple[tuple[Block, ...], ...]:
    """Return the pages of a comparison, at least one.

    One page has everything, folds and all, where that fits. Else lines that are the same and far
    from any change are only counted, or with `everything` shown like all others.
    """
    rows = (row for stretch in difference.stretches for row in stretch.rows)
    tables = _TABLE_BYTES * len(difference.stretches)
    if all(held <= most for held in accumulate(map(_bytes, rows), initial=tables)):
        return (
            tuple(
                Block(
                    rows=tuple(chain.from_iterable(map(parts, stretch.rows))),
                    folded=stretch.folded,
                    lines=len(stretch.rows),
                )
                for stretch in difference.stretches
            ),
        )
    found: list[list[Block]] = [[]]
    room = most
    for stretch in difference.stretches:
        if stretch.folded and not everything:
            found[-1].append(Block(rows=(), folded=True, lines=len(stretch.rows)))
            room -= _ROW_BYTES
            continue
        room -= _TABLE_BYTES
        cut = chain.from_iterable(map(parts, stretch.rows))
        for rows_here, left, starts in _filled(cut, room, most):
            if starts:
                found.append([])
            found[-1].append(Block(rows=rows_here, folded=False, lines=len(rows_here)))
            room = left
    return tuple(map(tuple, found))


def _filled(
    rows: Iterable[Row], room: int, most: int
) -> Iterator[tuple[tuple[Row, ...], int, bool]]:
    """Yield (rows that fit in the room there is, the room then left, whether they start a page)."""
    held: list[Row] = []
    starts = False
    for row in rows:
        size = _bytes(row)
        if size > room:
            if held:
                yield tuple(held), room, starts
            held, starts, room = [], True, most
        held.append(row)
        room -= size
    if held:
        yield tuple(held), room, starts


def parts(row: Row) -> Iterator[Row]:
    """Yield a row whose sides have at most `PART` characters each, then others that go on with it.

    What stands beside each other stays so: both sides are cut where they say the same.
    """
    if max(_length(row.before), _length(row.after)) <= PART:
        yield row
        return
    before: list[Piece] = []
    after: list[Piece] = []
    left = right = 0
    numbers: tuple[int | None, int | None] = (row.before_line, row.after_line)
    for ours, theirs in _together(row):
        left += len(ours.text) if ours else 0
        right += len(theirs.text) if theirs else 0
        if (before or after) and max(left, right) > PART:
            yield _row(row, numbers, before, after)
            before, after, numbers = [], [], (None, None)
            left, right = (len(each.text) if each else 0 for each in (ours, theirs))
        before += [ours] if ours else []
        after += [theirs] if theirs else []
    yield _row(row, numbers, before, after)


def _together(row: Row) -> Iterator[tuple[Piece | None, Piece | None]]:
    """Yield the pieces of both sides in order, those that are the same together, none too long."""
    ours, theirs = deque(row.before), deque(row.after)
    while ours or theirs:
        pair: tuple[Piece | None, Piece | None]
        if ours and (ours[0].marked or not theirs):
            pair = (ours.popleft(), None)
        elif theirs and (theirs[0].marked or not ours):
            pair = (None, theirs.popleft())
        else:
            pair = (ours.popleft(), theirs.popleft())
        longest = max(len(each.text) for each in pair if each)
        count = max(-(-longest // PART), 1)
        for number in range(count):
            left, right = (each and _slice(each, number, count) for each in pair)
            yield left, right


def _slice(piece: Piece, number: int, count: int) -> Piece | None:
    start, end = (len(piece.text) * each // count for each in (number, number + 1))
    return Piece(piece.text[start:end], piece.marked) if end > start else None


def _row(
    row: Row,
    numbers: tuple[int | None, int | None],
    before: Sequence[Piece],
    after: Sequence[Piece],
) -> Row:
    return Row(
        kind=row.kind,
        before_line=numbers[0],
        after_line=numbers[1],
        before=tuple(before),
        after=tuple(after),
    )


def _length(pieces: Iterable[Piece]) -> int:
    return sum(len(piece.text) for piece in pieces)


def _bytes(row: Row) -> int:
    pieces = (*row.before, *row.after)
    marked = sum(piece.marked for piece in pieces)
    return (
        _ROW_BYTES
        + _MARK_BYTES * marked
        + sum(len(piece.text.encode("utf-8", "replace")) for piece in pieces)
        + _SIGN_BYTES * sum(piece.text.count(sign) for piece in pieces for sign in "<>&'\"")
    )
