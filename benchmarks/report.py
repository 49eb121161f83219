"""Print what was measured: tables for people, or one JSON object on each line."""

from __future__ import annotations

import json
from collections.abc import Sequence

from measure import Result

_HEAD = (
    "| program | median s | least | most | processor s | peak MiB | MB written | its time ÷ ours |"
)


class Reporter:
    """Takes results as they come; `as_json` chooses the form."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def circumstances(self, **facts: object) -> None:
        """Say what the figures depend on."""
        self._say("circumstances", facts, [f"- {key}: {value}" for key, value in facts.items()])

    def race(self, stage: str, title: str, results: Sequence[Result]) -> None:
        """Print the results of one race, ours first."""
        ours = results[0]
        rows = [each.row(ours) for each in results]
        if self._as_json:
            for row in rows:
                self._write({"type": "result", "stage": stage, "title": title} | row)
            return
        print(f"### {title}\n\n{_HEAD}\n|---|---:|---:|---:|---:|---:|---:|---:|")
        for row in rows:
            written = row["written"]
            size = f"{written / 1e6:.2f}" if isinstance(written, int) else "–"
            print(
                f"| {row['program']} | {row['median_s']:.3f} | {row['least_s']:.3f} "
                f"| {row['most_s']:.3f} | {row['cpu_s']:.2f} | {row['peak_mib']} | {size} "
                f"| {row['ratio']:.2f} |"
            )
        print(flush=True)

    def facts(self, stage: str, title: str, **facts: object) -> None:
        """Print single figures."""
        lines = [f"### {title}\n", *(f"- {key}: {value}" for key, value in facts.items())]
        self._say("facts", {"stage": stage, "title": title} | facts, lines)

    def counts(self, stage: str, title: str, rows: Sequence[tuple[str, str, int]]) -> None:
        """Print how often what came of what."""
        if self._as_json:
            for kind, came, count in rows:
                self._write(
                    {"type": "count", "stage": stage, "kind": kind, "came": came, "count": count}
                )
            return
        print(f"### {title}\n\n| kind | came of it | documents |\n|---|---|---:|")
        for kind, came, count in rows:
            print(f"| {kind} | {came} | {count} |")
        print(flush=True)

    def _say(self, kind: str, facts: dict[str, object], lines: Sequence[str]) -> None:
        if self._as_json:
            self._write({"type": kind} | facts)
        else:
            print("\n".join(lines) + "\n", flush=True)

    def _write(self, row: dict[str, object]) -> None:
        print(json.dumps(row, ensure_ascii=False), flush=True)
