"""Verify archives: every fault a finding, nothing changed, nothing trusted of the writer's code.

Rung *whole* and the file manifest (DESIGN: the assurance ladder).
"""

from __future__ import annotations

from provenance.findings.codes import CODES
from provenance.findings.finding import (
    CaptureVerdict,
    Finding,
    ManifestTally,
    Note,
    Report,
    Rungs,
)
from provenance.findings.note_codes import NOTES
from provenance.verify.audit import verify_archive
from provenance.whole.files import FileReport
from provenance.whole.progress import Progress
from provenance.whole.relations import verify_file

__all__ = [
    "CODES",
    "NOTES",
    "CaptureVerdict",
    "FileReport",
    "Finding",
    "ManifestTally",
    "Note",
    "Progress",
    "Report",
    "Rungs",
    "verify_archive",
    "verify_file",
]
