"""Turn seeds files into collections and back, all faults at once; fetches nothing."""

from provenance.seeds.directory import each_collection, read_collections
from provenance.seeds.document import DOCUMENT_KEYS
from provenance.seeds.entry import to_complete, to_toml
from provenance.seeds.example import EXAMPLE_COLLECTION
from provenance.seeds.file import parse_collection
from provenance.seeds.values import parse_address, parse_id

__all__ = [
    "DOCUMENT_KEYS",
    "EXAMPLE_COLLECTION",
    "each_collection",
    "parse_address",
    "parse_collection",
    "parse_id",
    "read_collections",
    "to_complete",
    "to_toml",
]
