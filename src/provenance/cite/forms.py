"""Choose the writer of a citation's form. Pure."""

from __future__ import annotations

from provenance.cite.bibtex import to_bibtex
from provenance.cite.citation import Citation, CitationFormat
from provenance.cite.csl import to_csl_json
from provenance.cite.ris import to_ris
from provenance.cite.running import to_html, to_markdown, to_text


def render(citation: Citation, form: CitationFormat) -> str:
    """Return `citation` in one form, ending in a newline; the same values give the same text.

    Raises:
        UsageError: `captured_at` is no instant, or `published` is no partial date.
    """
    match form:
        case CitationFormat.TEXT:
            return to_text(citation)
        case CitationFormat.MARKDOWN:
            return to_markdown(citation)
        case CitationFormat.HTML:
            return to_html(citation)
        case CitationFormat.BIBTEX:
            return to_bibtex(citation)
        case CitationFormat.RIS:
            return to_ris(citation)
        case CitationFormat.CSL_JSON:
            return to_csl_json(citation)
