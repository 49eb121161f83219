"""Lay out a collection's years as bars: when its documents were published, when captured. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SIDE = 48
"""Pixels of the highest bar of each side."""

MOST_BARS = 25
"""Bars that find room in a page's width; more years than that share bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The years that one bar stands for, with documents published and captures made in them.

    `x`, `width` and `bar` are percent of the whole; `top`, `up` and `down` are pixels, of which
    each side has `SIDE`.
    """

    first: int
    last: int
    published: int
    captured: int
    x: str
    width: str
    bar: str
    top: str
    up: str
    down: str

    @property
    def label(self) -> str:
        """The year, or the first and the last."""
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


def spans(published: Mapping[int, int], captured: Mapping[int, int]) -> tuple[Span, ...]:
    """Return the spans from the first year that has anything to the last, gaps included.

    >>> [one.label for one in spans({2019: 2}, {2021: 5})]
    ['2019', '2020', '2021']
    """
    years = sorted({*published, *captured})
    if not years:
        return ()
    step = -(-(years[-1] - years[0] + 1) // MOST_BARS)
    starts = range(years[0], years[-1] + 1, step)
    sums = [
        (
            start,
            sum(count for year, count in published.items() if start <= year < start + step),
            sum(count for year, count in captured.items() if start <= year < start + step),
        )
        for start in starts
    ]
    tallest = max(made for _, made, _ in sums) or 1
    deepest = max(seen for _, _, seen in sums) or 1
    width = 100 / len(sums)
    return tuple(
        Span(
            first=start,
            last=min(start + step - 1, years[-1]),
            published=made,
            captured=seen,
            x=f"{at * width:.3f}",
            width=f"{width:.3f}",
            bar=f"{0.8 * width:.3f}",
            top=f"{SIDE - _height(made, tallest):.1f}",
            up=f"{_height(made, tallest):.1f}",
            down=f"{_height(seen, deepest):.1f}",
        )
        for at, (start, made, seen) in enumerate(sums)
    )


def _height(count: int, most: int) -> float:
    # One among thousands is still to be seen.
    return max(SIDE * count / most, 2) if count else 0
