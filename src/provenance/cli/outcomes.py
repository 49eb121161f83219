"""Report outcomes as they come, and sum them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext

from provenance.cli.printing import safe, say, table, write_object
from provenance.model import VERSIONS, Outcome, OutcomeKind


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
    rows: list[tuple[object, ...]] = []
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
                rows.append(_row(outcome))
    if as_json:
        write_object("summary", {"run": run, "outcomes": dict(sorted(counts.items()))})
    else:
        table([("outcome", "document", "reason", "bytes", "content id"), *sorted(rows)])
        say(", ".join(f"{count} {word}" for word, count in sorted(counts.items())))
    return 3 if bad else 0


def _row(outcome: Outcome) -> tuple[object, ...]:
    shown = outcome.content_id[:23] + "…" if outcome.content_id else ""
    size = "" if outcome.size is None else str(outcome.size)
    kind = outcome.outcome
    reason = outcome.reason if kind is not OutcomeKind.CAPTURED else None
    return kind.value, outcome.document, reason or "", size, shown
