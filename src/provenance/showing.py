"""Put the pages of one archive root together: the site, and what it cites, proves and checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provenance.cite import CitationFormat
from provenance.citing import cite
from provenance.digest import Digest
from provenance.errors import ProvenanceError, UsageError
from provenance.index import datasette_metadata, open_index
from provenance.log.folder import log_head
from provenance.page_source import PageSource
from provenance.proving import check_proof, proof_of
from provenance.verify import Finding
from provenance.verify.asked import verify_targets
from provenance.verify.findings import finding
from provenance.web.site import create_site
from provenance.web.source import Checked, Fault


def make_site(root: Path, index_path: Path) -> Any:
    """Return a Datasette over the index, with the pages.

    Raises:
        IndexMissingError: there is no index.
    """
    with open_index(index_path):
        pass
    metadata = root / "metadata"
    source = PageSource(
        index_path,
        root / "archive",
        cite=lambda name, form, locator: cite(index_path, name, CitationFormat(form), locator)[1],
        has_log=lambda: log_head(metadata) is not None,
        prove=lambda name: _proof(metadata, name),
        check=lambda name: _checked(root, index_path, name),
    )
    return create_site(index_path, source, metadata=datasette_metadata())


def _proof(metadata: Path, capture_id: str) -> bytes | None:
    try:
        return proof_of(metadata, Digest(capture_id))
    except UsageError:  # no log, or it does not cover this capture yet
        return None


def _checked(root: Path, index_path: Path, capture_id: str) -> Checked:
    """Verify one capture, and that the log's newest checkpoint covers it."""
    faults: list[Fault] = []
    rungs: list[str] = []
    report = verify_targets(
        (capture_id,),
        root=root,
        index=index_path,
        on_finding=lambda each: faults.append(_fault(each)),
        on_note=lambda _note: None,
        on_capture=lambda verdict: rungs.extend(verdict.rungs),
        jobs=1,
    )
    proven = None
    try:
        proof = _proof(root / "metadata", capture_id)
        proven = check_proof(proof, where="metadata/log") if proof is not None else None
    except ProvenanceError as fault:
        faults.append(_fault(finding("log_damaged", found=fault.what)))
    return Checked(
        rungs=tuple(rungs),
        records=report.records,
        faults=tuple(faults),
        leaf=proven.index if proven else None,
        log_size=proven.size if proven else None,
    )


def _fault(found: Finding) -> Fault:
    return Fault(
        code=found.code,
        warc=found.warc,
        offset=found.offset,
        field=found.field,
        expected=found.expected,
        found=found.found,
        hint=found.hint,
    )
