"""Find what two sequences have in common, in order and within bounded work. Pure.

1. What both begin and end with is taken off.
2. What is left is searched for its longest run in common, and what stands before and after that
   run again, where this is sure to be little work.
3. Else it is cut where an element stands once on each side, and each part goes on from (1).
4. A part that cannot be cut is searched as in (2) for as long as the allowance lasts; what is not
   searched then counts as different from end to end.

Source: Bram Cohen's patience diff for (3); Python's `difflib` for (2).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, pairwise

_LITTLE = 50_000
"""Steps that a part may take without being cut first; a long paragraph takes fewer."""

_DEPTH = 6
"""How often a part of a part is cut again; each time all elements are gone through once."""

Opcode = tuple[str, int, int, int, int]
"""`equal`, `replace`, `delete` or `insert`; from and to on the first side; the same on the other.

As `difflib.SequenceMatcher.get_opcodes` returns them.
"""


@dataclass(slots=True)
class Allowance:
    """Steps that searches may still take: an element looked at, or a pair that is alike."""

    steps: int

    def takes(self, steps: int) -> bool:
        """Whether there is room for so many; they are taken off then."""
        if steps > self.steps:
            return False
        self.steps -= steps
        return True


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of both sides, from and to, that nothing outside of it can match."""

    a: int
    b: int
    c: int
    d: int

    def within(self, start: int, other: int, size: int) -> Iterator[_Part]:
        """Yield what stands before and after a run, if it has something of both sides."""
        if self.a < start and self.c < other:
            yield _Part(self.a, start, self.c, other)
        if start + size < self.b and other + size < self.d:
            yield _Part(start + size, self.b, other + size, self.d)


@dataclass(frozen=True, slots=True, order=True)
class _Run:
    """Elements that are the same on both sides: where they start on each, and how many."""

    start: int
    other: int
    size: int


def opcodes(ours: Sequence[str], theirs: Sequence[str], allowance: Allowance) -> list[Opcode]:
    """Return how the first sequence becomes the second, in order and without a gap.

    Elements of spaces alone are matched with those beside them only.
    """
    found: list[Opcode] = []
    a = c = 0
    for start, other, size in _joined(ours, theirs, allowance):
        if a < start or c < other:
            kind = "replace" if a < start and c < other else "delete" if a < start else "insert"
            found.append((kind, a, start, c, other))
        a, c = start + size, other + size
        if size:
            found.append(("equal", start, a, other, c))
    return found


def _joined(
    ours: Sequence[str], theirs: Sequence[str], allowance: Allowance
) -> Iterator[tuple[int, int, int]]:
    """Yield the runs in order, those that touch as one, and an empty one at the end."""
    start = other = size = 0
    for run in sorted(_runs(ours, theirs, allowance)):
        if (run.start, run.other) == (start + size, other + size):
            size += run.size
        else:
            yield start, other, size
            start, other, size = run.start, run.other, run.size
    yield start, other, size
    yield len(ours), len(theirs), 0


def _runs(ours: Sequence[str], theirs: Sequence[str], allowance: Allowance) -> Iterator[_Run]:
    waiting = [(_Part(0, len(ours), 0, len(theirs)), 0)]
    while waiting:
        whole, depth = waiting.pop()
        head, part, tail = _trimmed(ours, theirs, whole)
        if head:
            yield _Run(whole.a, whole.c, head)
        if tail:
            yield _Run(part.b, part.d, tail)
        if part.a == part.b or part.c == part.d:
            continue
        left, right = ours[part.a : part.b], theirs[part.c : part.d]
        counts = _counts(right)
        most = _most(left, right, counts)
        if not most:
            continue
        if most > min(_LITTLE, allowance.steps) and depth < _DEPTH:
            anchors = _anchors(left, right, counts)
            if anchors:
                cuts = [(part.a + at, part.c + by) for at, by in anchors]
                yield from (_Run(at, by, 1) for at, by in cuts)
                parts = _between(part, cuts)
                # The last is taken first: what there is goes to the beginning of a text.
                waiting += [(each, depth + 1) for each in reversed(list(parts))]
                continue
        for run in _longest(left, right, counts, allowance):
            yield _Run(part.a + run.start, part.c + run.other, run.size)


def _trimmed(ours: Sequence[str], theirs: Sequence[str], part: _Part) -> tuple[int, _Part, int]:
    """Return how many both sides begin with, what is left between, how many they end with."""
    a, b, c, d = part.a, part.b, part.c, part.d
    while a < b and c < d and ours[a] == theirs[c]:
        a, c = a + 1, c + 1
    while a < b and c < d and ours[b - 1] == theirs[d - 1]:
        b, d = b - 1, d - 1
    return a - part.a, _Part(a, b, c, d), part.b - b


def _counts(right: Sequence[str]) -> dict[str, int]:
    """Count what `SequenceMatcher` searches for: no spaces, and nothing it takes for too common."""
    common = len(right) // 100 + 1 if len(right) >= 200 else len(right)
    return {
        each: count
        for each, count in Counter(right).items()
        if count <= common and not each.isspace()
    }


def _most(left: Sequence[str], right: Sequence[str], counts: dict[str, int]) -> int:
    """Return about how many steps `_longest` takes at worst; 0 where it can find nothing.

    Each search goes once through what is left and its pairs that are alike, and comes to an end
    or finds one of them at least. What is not counted is matched beside a run only, and both
    sides neither begin nor end with the same here.
    """
    alike = sum(counts.get(each, 0) for each in left)
    return min(len(left), len(right), alike) * (len(left) + alike)


def _longest(
    left: Sequence[str], right: Sequence[str], counts: dict[str, int], allowance: Allowance
) -> Iterator[_Run]:
    """Yield the longest runs, as `SequenceMatcher` finds them, while the allowance lasts.

    It is charged with what each search goes through before that is made.
    """
    # Spaces go with the words beside them: alone they say nothing, and are most of all pairs.
    matcher = SequenceMatcher(str.isspace, left, right)
    steps = [0, *accumulate(1 + counts.get(each, 0) for each in left)]
    waiting = [_Part(0, len(left), 0, len(right))]
    while waiting:
        part = waiting.pop()
        if not allowance.takes(steps[part.b] - steps[part.a]):
            continue
        start, other, size = matcher.find_longest_match(part.a, part.b, part.c, part.d)
        if size:
            yield _Run(start, other, size)
            waiting += part.within(start, other, size)


def _anchors(
    left: Sequence[str], right: Sequence[str], counts: dict[str, int]
) -> list[tuple[int, int]]:
    """Return where elements stand that each side has once: the most that go up on both sides."""
    ours = Counter(left)
    once = {
        each: at
        for at, each in enumerate(right)
        if each and counts.get(each) == 1 and ours.get(each) == 1
    }
    places = [(at, once[each]) for at, each in enumerate(left) if each in once]
    # The longest increasing subsequence: for each length the lowest place that ends one so long.
    ends: list[int] = []
    lasts: list[int] = []
    before: list[int] = []
    for index, (_, by) in enumerate(places):
        length = bisect_left(ends, by)
        ends[length : length + 1] = [by]
        lasts[length : length + 1] = [index]
        before.append(lasts[length - 1] if length else -1)
    found: list[tuple[int, int]] = []
    index = lasts[-1] if lasts else -1
    while index >= 0:
        found.append(places[index])
        index = before[index]
    return found[::-1]


def _between(part: _Part, cuts: Sequence[tuple[int, int]]) -> Iterator[_Part]:
    """Yield what stands before, between and after the cuts, if it has something of both sides."""
    bounds = [(part.a - 1, part.c - 1), *cuts, (part.b, part.d)]
    for (a, c), (b, d) in pairwise(bounds):
        if a + 1 < b and c + 1 < d:
            yield _Part(a + 1, b, c + 1, d)
