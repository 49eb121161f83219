"""The index: tables made out of seeds and WARC files, searched and looked up. Opens no socket."""

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
    sources,
)
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
    "sources",
]
