"""Verify archives: every fault a finding, nothing changed, nothing trusted of the writer's code.

Rung *whole* and the file manifest (DESIGN: the assurance ladder).
"""

from __future__ import annotations

from provenance.verify.audit import verify_archive
from provenance.verify.codes import CODES
from provenance.verify.files import FileReport
from provenance.verify.findings import (
    CaptureVerdict,
    Finding,
    ManifestTally,
    Note,
    Report,
    Rungs,
)
from provenance.verify.note_codes import NOTES
from provenance.verify.progress import Progress
from provenance.verify.relations import verify_file

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
