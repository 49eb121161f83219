"""The index: tables made out of seeds and WARC files, searched and looked up. Opens no socket."""

from provenance.index.build import Comparison, IndexSummary, build, check, dump_digest
from provenance.index.difference import Difference
from provenance.index.opening import open_index
from provenance.index.sources import ContentSource, Derive, Derived

__all__ = [
    "Comparison",
    "ContentSource",
    "Derive",
    "Derived",
    "Difference",
    "IndexSummary",
    "build",
    "check",
    "dump_digest",
    "open_index",
]
