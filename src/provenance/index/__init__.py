"""The index: tables made out of seeds and WARC files, searched and looked up. Opens no socket.

A name is taken from its file when it is first asked for: who looks one thing up needs few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance.index.building import Comparison, IndexSummary, build, check, dump_digest
    from provenance.index.describe import datasette_metadata, schema_markdown
    from provenance.index.difference import Difference
    from provenance.index.found import (
        CaptureRow,
        CitationRow,
        DocumentRow,
        IdKind,
        LinkRow,
        LinkTarget,
        ListedBy,
        Near,
        Resolved,
        SourceRow,
    )
    from provenance.index.ids import resolve
    from provenance.index.links import links_of
    from provenance.index.opening import open_index
    from provenance.index.queries import (
        capture,
        captures,
        captures_of,
        citation,
        document,
        documents,
        note_of,
        source_files,
    )
    from provenance.index.records import RecordRow, RecordsOf
    from provenance.index.searching import SearchHit, search
    from provenance.index.sources import ContentSource, Derive, Derived
    from provenance.index.words import fts_query

__all__ = [
    "CaptureRow",
    "CitationRow",
    "Comparison",
    "ContentSource",
    "Derive",
    "Derived",
    "Difference",
    "DocumentRow",
    "IdKind",
    "IndexSummary",
    "LinkRow",
    "LinkTarget",
    "ListedBy",
    "Near",
    "RecordRow",
    "RecordsOf",
    "Resolved",
    "SearchHit",
    "SourceRow",
    "build",
    "capture",
    "captures",
    "captures_of",
    "check",
    "citation",
    "datasette_metadata",
    "document",
    "documents",
    "dump_digest",
    "fts_query",
    "links_of",
    "note_of",
    "open_index",
    "resolve",
    "schema_markdown",
    "search",
    "source_files",
]

_FILES = {
    "building": (
        "Comparison",
        "IndexSummary",
        "build",
        "check",
        "dump_digest",
    ),
    "describe": (
        "datasette_metadata",
        "schema_markdown",
    ),
    "difference": ("Difference",),
    "found": (
        "CaptureRow",
        "CitationRow",
        "DocumentRow",
        "IdKind",
        "LinkRow",
        "LinkTarget",
        "ListedBy",
        "Near",
        "Resolved",
        "SourceRow",
    ),
    "ids": ("resolve",),
    "links": ("links_of",),
    "opening": ("open_index",),
    "queries": (
        "capture",
        "captures",
        "captures_of",
        "citation",
        "document",
        "documents",
        "note_of",
        "source_files",
    ),
    "records": (
        "RecordRow",
        "RecordsOf",
    ),
    "searching": (
        "SearchHit",
        "search",
    ),
    "sources": (
        "ContentSource",
        "Derive",
        "Derived",
    ),
    "words": ("fts_query",),
}
_FILE_OF = {name: file for file, names in _FILES.items() for name in names}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a name from its file (PEP 562)."""
        if name not in _FILE_OF:
            raise AttributeError(name)
        found = globals()[name] = getattr(import_module(f"{__name__}.{_FILE_OF[name]}"), name)
        return found
