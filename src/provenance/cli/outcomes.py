"""Report outcomes as they come, and sum them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext

from provenance.cli.layout import align, columns_of, width_of
from provenance.cli.printing import put, safe, say, write_object
from provenance.model import VERSIONS, Outcome, OutcomeKind

_SEPARATOR = "\0"
"""Stands in no cell that is safe to print, and sorts before whatever does."""


def report_outcomes(
    outcomes: Iterable[Outcome],
    run: str | None,
    *,
    as_json: bool,
    showing: AbstractContextManager[Callable[[str], None]] | None = None,
) -> int:
    """Write each outcome once it is saved, then the summary; return the exit status (0 or 3).

    `showing` is open while the outcomes come, and gives what writes a line for people.
    """
    counts: Counter[str] = Counter()
    rows = _Table(("outcome", "document", "reason", "bytes", "content id"))
    bad = False
    with showing or nullcontext(say) as tell:
        for outcome in outcomes:
            counts[outcome.outcome.value] += 1
            run = run or outcome.run
            done_before = outcome.reason == "already_done"
            bad = bad or not (outcome.outcome in VERSIONS or done_before)
            if as_json:
                write_object("outcome", outcome)
            else:
                tell(f"{outcome.outcome.value:<12} {safe(outcome.document)}")
                rows.add(_row(outcome))
    if as_json:
        write_object("summary", {"run": run, "outcomes": dict(sorted(counts.items()))})
    else:
        put(rows.lines())
        say(", ".join(f"{count} {word}" for word, count in sorted(counts.items())))
    return 3 if bad else 0


class _Table:
    """Rows to be sorted and aligned once all are there: each is one short text until then."""

    def __init__(self, heads: tuple[str, ...]) -> None:
        self._heads = heads
        self._widths = columns_of([heads])
        self._rows: list[str] = []

    def add(self, row: tuple[str, ...]) -> None:
        cells = [safe(cell) for cell in row]
        self._widths = [
            max(width, width_of(cell)) for width, cell in zip(self._widths, cells, strict=True)
        ]
        self._rows.append(_SEPARATOR.join(cells))

    def lines(self) -> Iterator[str]:
        self._rows.sort()
        yield align(self._heads, self._widths)
        for row in self._rows:
            yield align(row.split(_SEPARATOR), self._widths)


def _row(outcome: Outcome) -> tuple[str, ...]:
    shown = outcome.content_id[:23] + "…" if outcome.content_id else ""
    size = "" if outcome.size is None else str(outcome.size)
    kind = outcome.outcome
    reason = outcome.reason if kind is not OutcomeKind.CAPTURED else None
    return kind.value, outcome.document, reason or "", size, shown
