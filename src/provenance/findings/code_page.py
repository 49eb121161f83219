"""Write the page of finding and note codes, `docs/findings.md`, from their table. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from provenance.findings.codes import (
    ARC_CODES,
    CAPTURE_CODES,
    FILE_CODES,
    FRAMING_CODES,
    LOG_CODES,
    MANIFEST_CODES,
    RECORD_CODES,
    TARGET_CODES,
    WACZ_CODES,
)
from provenance.findings.explanation import Explanation
from provenance.findings.note_codes import NOTES

_PARTS = (
    ("Files", FILE_CODES),
    ("Compression and framing", FRAMING_CODES),
    ("ARC files", ARC_CODES),
    ("Records", RECORD_CODES),
    ("Captures and runs", CAPTURE_CODES),
    ("The manifest", MANIFEST_CODES),
    ("The log", LOG_CODES),
    ("Ids, citations and documents", TARGET_CODES),
    ("WACZ packages", WACZ_CODES),
)


def to_markdown() -> str:
    """Return the page `docs/findings.md`."""
    lines = [
        "# Findings of `verify`",
        "",
        "Made from `provenance.findings.codes`; edit the table there.",
        "",
        "A finding is a fault: it makes `verify` exit with 4. `expected` is what the archive",
        "declares, `found` is what its bytes say. Codes keep their meaning; new ones may be added.",
    ]
    for title, table in _PARTS:
        lines += ["", f"## {title}", "", *_rows(table)]
    lines += ["", "## Notes", "", "A note is no fault and does not change the exit code.", ""]
    lines += _rows(NOTES)
    return "\n".join(lines) + "\n"


def _rows(table: Mapping[str, Explanation]) -> list[str]:
    head = ["| code | means | what to do |", "|---|---|---|"]
    return head + [f"| `{code}` | {row.means} | {row.hint} |" for code, row in table.items()]
