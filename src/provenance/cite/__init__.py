"""Turn one capture into a citation in six forms, and find ids in text. Pure: no clock, no file."""

from __future__ import annotations

from provenance.cite.citation import Citation, CitationFormat
from provenance.cite.forms import render
from provenance.cite.identifiers import parse_ids, parse_pwids, to_pwid

__all__ = ["Citation", "CitationFormat", "parse_ids", "parse_pwids", "render", "to_pwid"]
