"""Write a citation as CSL-JSON, for Zotero, Pandoc and other CSL processors. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from provenance.cite.citation import Citation
from provenance.cite.identifiers import citation_key, pwid_of
from provenance.cite.plain import other_address, web_address
from provenance.cite.prose import record_sentences, title_of, unlinked_address
from provenance.cite.running import plain_sentence
from provenance.dates import format_seconds, parse_instant, parse_partial_date
from provenance.digest import to_hash_uri, to_ni
from provenance.names import split_names
from provenance.plain_text import clean, one_line

JsonValue = str | bool | list["JsonValue"] | Mapping[str, "JsonValue"] | int


def to_csl_json(citation: Citation) -> str:
    """Return an array of one item, indented, in UTF-8, with a newline at its end.

    Names are `literal`, dates are `date-parts` of the length that is known.

    Source: citation-style-language/schema, csl-data.json (CSL 1.0.2).
    """
    address = web_address(citation.url)
    unfielded = (*unlinked_address(citation), *record_sentences(citation))
    item: dict[str, JsonValue | None] = {
        "id": citation_key(citation),
        "type": "webpage" if address else "document",
        "title": title_of(citation),
        "original-title": clean(citation.title_original),
        "author": [{"literal": name} for name in split_names(citation.author)] or None,
        "publisher": clean(citation.publisher),
        "issued": _date(parse_partial_date(citation.published)) if citation.published else None,
        "accessed": _date(format_seconds(parse_instant(citation.captured_at))[:10]),
        "URL": address,
        "language": clean(citation.language),
        "locator": clean(citation.locator),
        "note": " ".join(plain_sentence(each) for each in unfielded),
        "custom": _custom(citation),
        "archive": "provenance archive",
        "archive_collection": one_line(citation.collection),
        "archive_location": to_hash_uri(citation.capture_id),
    }
    return json.dumps([_known(item)], ensure_ascii=False, indent=2) + "\n"


def _custom(citation: Citation) -> Mapping[str, JsonValue]:
    return _known(
        {
            "document": one_line(citation.document),
            "content_id": citation.content_id,
            "content_hash_uri": to_hash_uri(citation.content_id),
            "content_ni": to_ni(citation.content_id),
            "capture_id": citation.capture_id,
            "pwid": pwid_of(citation),
            "captured_at": one_line(citation.captured_at),
            "outcome": one_line(citation.outcome),
            "media_type": clean(citation.media_type),
            "final_url": clean(citation.final_url),
            "other_address": other_address(citation.url),
            "imported_from": clean(citation.imported_from),
            "obtained_by_hand": citation.obtained_by_hand or None,
        }
    )


def _date(text: str) -> Mapping[str, JsonValue]:
    return {"date-parts": [[int(part) for part in text.split("-")]]}


def _known(fields: Mapping[str, JsonValue | None]) -> Mapping[str, JsonValue]:
    return {name: value for name, value in fields.items() if value is not None}
