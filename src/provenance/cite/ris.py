"""Write a citation as a RIS record. Pure."""

from __future__ import annotations

from provenance.cite.citation import Citation
from provenance.cite.identifiers import citation_key
from provenance.cite.plain import web_address
from provenance.cite.prose import record_sentences, title_of, unlinked_address
from provenance.cite.running import plain_sentence
from provenance.dates import format_seconds, parse_instant, parse_partial_date
from provenance.names import split_names
from provenance.plain_text import clean, one_line


def to_ris(citation: Citation) -> str:
    """Return one record of type ELEC, one line to a field, lines ending in a line feed.

    The content id is the call number (CN), the capture id the accession number (AN) in the
    database (DB), which is the collection. What has no field of its own stands in notes (N1).

    Source: RIS Format Specifications (2001), tag format; RIS (2011) table of tags, ELEC.
    """
    fields = (
        ("TY", "ELEC"),
        ("ID", citation_key(citation)),
        *(("AU", name) for name in split_names(citation.author)),
        ("TI", title_of(citation)),
        ("PB", clean(citation.publisher)),
        *_date_fields(citation),
        ("LA", clean(citation.language)),
        ("UR", web_address(citation.url)),
        ("Y2", format_seconds(parse_instant(citation.captured_at))[:10].replace("-", "/")),
        ("DB", one_line(citation.collection)),
        ("CN", citation.content_id),
        ("AN", citation.capture_id),
        *(("N1", note) for note in _notes(citation)),
    )
    lines = [f"{tag}  - {value}" for tag, value in fields if value]
    return "\n".join((*lines, "ER  - ", ""))


def _date_fields(citation: Citation) -> tuple[tuple[str, str], ...]:
    if not citation.published:
        return ()
    published = parse_partial_date(citation.published)
    return (("PY", published[:4]), ("DA", published.replace("-", "/")))


def _notes(citation: Citation) -> tuple[str, ...]:
    original = clean(citation.title_original)
    unfielded = (*unlinked_address(citation), *record_sentences(citation))
    return (
        *((f"Original title: {original}",) if original else ()),
        *(plain_sentence(sentence) for sentence in unfielded),
    )
