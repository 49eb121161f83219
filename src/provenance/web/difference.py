"""Compare two texts by line and word, so that a page can show what changed. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from provenance.web.matches import Allowance, opcodes

CONTEXT = 3
"""Lines that are the same and stand beside a change; more of them are folded away."""

_STEPS = 2_000_000
"""Steps in search of lines that fit; see `matches`. What is not searched is shown as changed."""

_STEPS_IN_WORDS = 12_000_000
"""The same in search of words, over all lines that changed."""

_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_NUMBER = r"\d(?:[\d.,:/\u2009\u00a0'’-]*\d)?(?:st|nd|rd|th)?"
NOISE = re.compile(
    rf"(?:{_NUMBER}\W{{1,2}}(?:of )?)?\b(?:{_MONTH})\b\.?(?:\W{{1,2}}{_NUMBER})+"
    rf"|{_NUMBER}\W{{1,2}}(?:of )?(?:{_MONTH})\b|{_NUMBER}",
    re.IGNORECASE,
)
"""Dates and numbers: digits with what joins them, and a month's English name beside digits."""

_TOKEN = re.compile(
    r"\s+|[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]|\w+|[^\w\s]"
)
_SIGN = "\0"
"""Stands for all that is masked."""


class Kind(StrEnum):
    """What a row of a comparison says."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters; `marked` where the other text does not have it there."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of each text, side by side, from 1; a side that has none is None and empty."""

    kind: Kind
    before_line: int | None
    after_line: int | None
    before: tuple[Piece, ...] = ()
    after: tuple[Piece, ...] = ()

    def inline(self) -> Iterator[tuple[str, str]]:
        """Yield (`same`, `removed` or `added`; text): both sides as one running line."""
        ours, theirs = deque(self.before), deque(self.after)
        while ours or theirs:
            if ours and ours[0].marked:
                yield "removed", ours.popleft().text
            elif theirs and theirs[0].marked:
                yield "added", theirs.popleft().text
            else:
                if ours:
                    ours.popleft()
                yield "same", theirs.popleft().text if theirs else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows that stand together; `folded` where they are the same and far from any change."""

    rows: tuple[Row, ...]
    folded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What two texts differ in; `added` and `removed` count words, masked ones left out.

    `same` says that nothing is left that differs.
    """

    stretches: tuple[Stretch, ...]
    added: int
    removed: int
    masked: bool
    same: bool


def compare(before: str, after: str, *, mask: bool = False) -> Difference:
    """Return the lines of two texts side by side, with the words marked that differ.

    `mask` takes any date and number for the same as any other. Lines are those of `str.split`.
    """
    ours, theirs = before.split("\n"), after.split("\n")
    rows: list[Row] = []
    words = Allowance(_STEPS_IN_WORDS)
    lines = [_key(x, mask) for x in ours], [_key(x, mask) for x in theirs]
    for tag, a, b, c, d in opcodes(*lines, Allowance(_STEPS)):
        if tag == "equal":
            rows += [_same(a + at, c + at, ours[a + at], theirs[c + at]) for at in range(b - a)]
        else:
            rows += _changed(ours[a:b], theirs[c:d], a, c, words, mask=mask)
    return Difference(
        stretches=tuple(_folded(rows)),
        added=sum(_words(row.after) for row in rows),
        removed=sum(_words(row.before) for row in rows),
        masked=mask,
        same=all(row.kind is Kind.SAME for row in rows),
    )


def _key(text: str, mask: bool) -> str:
    return NOISE.sub(_SIGN, text) if mask else text


def _same(at: int, other: int, before: str, after: str) -> Row:
    return Row(
        kind=Kind.SAME,
        before_line=at + 1,
        after_line=other + 1,
        before=(Piece(before),) if before else (),
        after=(Piece(after),) if after else (),
    )


def _changed(
    ours: list[str],
    theirs: list[str],
    first: int,
    other: int,
    allowance: Allowance,
    *,
    mask: bool,
) -> Iterator[Row]:
    """Yield the lines of one change, those beside each other that are most alike in order."""
    together = min(len(ours), len(theirs))
    for at in range(max(len(ours), len(theirs))):
        left = ours[at] if at < len(ours) else None
        right = theirs[at] if at < len(theirs) else None
        if at < together and left is not None and right is not None:
            before, after = _by_word(left, right, allowance, mask=mask)
            yield Row(
                kind=Kind.CHANGED,
                before_line=first + at + 1,
                after_line=other + at + 1,
                before=before,
                after=after,
            )
        elif left is not None:
            yield Row(
                kind=Kind.REMOVED,
                before_line=first + at + 1,
                after_line=None,
                before=(Piece(left, marked=True),) if left else (),
            )
        elif right is not None:
            yield Row(
                kind=Kind.ADDED,
                before_line=None,
                after_line=other + at + 1,
                after=(Piece(right, marked=True),) if right else (),
            )


def _by_word(
    before: str, after: str, allowance: Allowance, *, mask: bool
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    ours, theirs = _tokens(before, mask=mask), _tokens(after, mask=mask)
    left: list[Piece] = []
    right: list[Piece] = []
    keys = [key for key, _ in ours], [key for key, _ in theirs]
    for tag, a, b, c, d in opcodes(*keys, allowance):
        marked = tag != "equal"
        if b > a:
            left.append(Piece("".join(text for _, text in ours[a:b]), marked))
        if d > c:
            right.append(Piece("".join(text for _, text in theirs[c:d]), marked))
    return tuple(left), tuple(right)


def _tokens(text: str, *, mask: bool) -> list[tuple[str, str]]:
    """Return (what is compared, what is shown) of each word, sign and space."""
    found: list[tuple[str, str]] = []
    at = 0
    for noise in NOISE.finditer(text) if mask else ():
        found += [(each, each) for each in _TOKEN.findall(text[at : noise.start()])]
        found.append((_SIGN, noise[0]))
        at = noise.end()
    return found + [(each, each) for each in _TOKEN.findall(text[at:])]


def _words(pieces: tuple[Piece, ...]) -> int:
    marked = (_TOKEN.findall(piece.text) for piece in pieces if piece.marked)
    return sum(not token.isspace() for tokens in marked for token in tokens)


def _folded(rows: list[Row]) -> Iterator[Stretch]:
    """Yield the rows in stretches: those near a change open, the others folded."""
    near = [False] * len(rows)
    for at, row in enumerate(rows):
        if row.kind is not Kind.SAME:
            for beside in range(max(at - CONTEXT, 0), min(at + CONTEXT + 1, len(rows))):
                near[beside] = True
    start = 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or near[at] != near[start]:
            # A fold of one or two lines would take more room than they do.
            folded = not near[start] and at - start > 2
            yield Stretch(rows=tuple(rows[start:at]), folded=folded)
            start = at
