"""Put the pages of one archive root together: the site, and what it cites, proves and checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provenance.cite import CitationFormat
from provenance.citing import cite
from provenance.digest import Digest
from provenance.errors import UsageError
from provenance.index import CaptureRow, RecordsOf, datasette_metadata, open_index
from provenance.log.folder import log_head
from provenance.page_source import PageSource
from provenance.proving import proof_of
from provenance.replay.assembly import Page, assemble
from provenance.replay.holding import Holdings
from provenance.verify import Finding
from provenance.verify.asked import verify_targets
from provenance.web.offer import LIVE, Offer
from provenance.web.public import PublicAddress
from provenance.web.site import create_site
from provenance.web.source import Assembled, Checked, Fault, LogHead

_LONG = 100
"""Findings cut their texts short; of a root that is longer, so many characters are looked for."""


def make_site(
    root: Path,
    index_path: Path,
    *,
    title: str | None = None,
    offer: Offer = LIVE,
    address: PublicAddress | None = None,
) -> Any:
    """Return a Datasette over the index, with the pages as `offer` has them, at `address`.

    Raises:
        IndexMissingError: there is no index.
    """
    with open_index(index_path):
        pass
    return create_site(
        index_path,
        make_source(root, index_path),
        title=title or "Provenance",
        metadata=datasette_metadata(),
        offer=offer,
        address=address,
    )


def make_source(root: Path, index_path: Path) -> PageSource:
    """Return what pages take from WARC files, log, citations and words."""
    metadata = root / "metadata"
    return PageSource(
        index_path,
        root / "archive",
        cite=lambda name, form, locator: cite(index_path, name, CitationFormat(form), locator)[1],
        log=lambda: _log(metadata),
        prove=lambda name: _proof(metadata, name),
        check=lambda name: _checked(root, index_path, name),
        assemble=lambda row, content: _assembled(root, index_path, row, content),
    )


def _assembled(root: Path, index_path: Path, row: CaptureRow, content: bytes) -> Assembled | None:
    url = row.final_url or row.url
    if url is None:
        return None
    page = Page(
        content=content, url=url, media_type=row.media_type or "text/html", charset=row.charset
    )
    with open_index(index_path) as connection:
        held = Holdings(RecordsOf(connection), root / "archive", row.captured_at)
        return assemble(page, held)


def _log(metadata: Path) -> LogHead | None:
    named = log_head(metadata)
    if named is None:
        return None
    origin, size, root = named.rsplit(" ", 2)
    return LogHead(origin=origin, size=int(size), root=root)


def _proof(metadata: Path, capture_id: str) -> bytes | None:
    try:
        return proof_of(metadata, Digest(capture_id))
    except UsageError:  # no log, or it does not cover this capture yet
        return None


def _checked(root: Path, index_path: Path, capture_id: str) -> Checked:
    """Verify one capture, and hold it against the log."""
    faults: list[Fault] = []
    rungs: list[str] = []
    report = verify_targets(
        (capture_id,),
        root=root,
        index=index_path,
        on_finding=lambda each: faults.append(_fault(each, str(root))),
        on_note=lambda _note: None,
        on_capture=lambda verdict: rungs.extend(verdict.rungs),
        jobs=1,
    )
    head = report.log
    return Checked(
        rungs=tuple(rungs),
        records=report.records,
        faults=tuple(faults),
        log=LogHead(origin=head.origin, size=head.size, root=head.root) if head else None,
    )


def _fault(found: Finding, root: str) -> Fault:
    return Fault(
        code=found.code,
        warc=found.warc,
        offset=found.offset,
        field=found.field,
        expected=_below(found.expected, root),
        found=_below(found.found, root),
        hint=found.hint,
    )


def _below(text: str | None, root: str) -> str | None:
    """Return a text without the folder that the archive lies in, which may name a person.

    >>> _below("/some/where/metadata/log/tile: it is missing", "/some/where")
    'metadata/log/tile: it is missing'
    """
    if text is None or root == ".":
        return text
    short = text.replace(f"{root}/", "")
    return "…" if len(root) > _LONG and root[:_LONG] in short else short
