"""Say in JSON-LD what a document is and how a copy of it came about. Pure.

Source: W3C PROV-O; schema.org; JSON-LD 1.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from provenance.digest import Digest, hex_of, to_hash_uri, to_ni
from provenance.reading.facts import CaptureFacts, Description, RecordFacts
from provenance.web.render import is_web_address

_CONTEXT = {
    "prov": "http://www.w3.org/ns/prov#",
    "schema": "https://schema.org/",
    "dcterms": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

Value = object


def document_node(described: Description, address: str) -> dict[str, Value]:
    """Return the document as its publisher made it; `address` is that of its page here."""
    return _known(
        {
            "@id": address,
            "@type": ["schema:CreativeWork", "prov:Entity"],
            "schema:identifier": described.document,
            "schema:name": described.title,
            "schema:alternateName": described.title_original,
            "schema:author": _named("schema:Person", described.author),
            "schema:publisher": _named("schema:Organization", described.publisher),
            "schema:datePublished": described.published,
            "schema:inLanguage": described.language,
            "schema:url": _reference(described.url),
            "schema:isPartOf": {"@type": "schema:Collection", "schema:name": described.collection},
        }
    )


def capture_graph(
    capture: CaptureFacts,
    described: Description,
    record: RecordFacts | None,
    *,
    happened: str,
    page: str,
    document: str,
    content: str | None,
    came_at: str | None,
    was_asked: bool,
) -> dict[str, Value]:
    """Return the graph of one capture: its document, the visit, and the content if any came.

    `page`, `document` and `content` are absolute addresses of this site; `happened` is the visit
    in a sentence. `came_at` is when the archive got it, None where that is not known; `was_asked`
    is False where the address is only a person's word, or robots.txt kept it from being asked.
    """
    software = record.software if record else None
    operator = record.operator if record else None
    visit: dict[str, Value] = {
        "@id": page,
        "@type": "prov:Activity",
        "dcterms:description": happened,
        "dcterms:identifier": to_hash_uri(Digest(capture.capture_id)),
        "prov:endedAtTime": _instant(came_at),
        "prov:used": _reference(capture.final_url or capture.url) if was_asked else None,
        "prov:wasAssociatedWith": [
            {"@type": kind, "schema:name": name}
            for kind, name in (("prov:SoftwareAgent", software), ("prov:Agent", operator))
            if name
        ]
        or None,
    }
    dated = capture.captured_at
    nodes = [document_node(described, document), _known(visit)]
    if capture.content_id is not None:
        digest = Digest(capture.content_id)
        nodes.append(
            _known(
                {
                    "@id": to_ni(digest),
                    "@type": ["schema:MediaObject", "prov:Entity"],
                    "schema:encodesCreativeWork": {"@id": document} if capture.is_version else None,
                    "schema:sha256": hex_of(digest),
                    "schema:contentSize": f"{capture.size} B" if capture.size is not None else None,
                    "schema:encodingFormat": capture.media_type,
                    "schema:contentUrl": {"@id": content} if content else None,
                    "prov:alternateOf": {"@id": to_hash_uri(digest)},
                    "prov:wasGeneratedBy": {"@id": page},
                    "prov:generatedAtTime": _instant(came_at),
                    "dcterms:date": _instant(None if came_at == dated else dated),
                }
            )
        )
    return {"@context": _CONTEXT, "@graph": nodes}


def document_graph(described: Description, address: str) -> dict[str, Value]:
    """Return the graph of a document of which nothing is kept."""
    return {"@context": _CONTEXT, "@graph": [document_node(described, address)]}


def _named(kind: str, name: str | None) -> dict[str, Value] | None:
    return {"@type": kind, "schema:name": name} if name else None


def _instant(instant: str | None) -> dict[str, Value] | None:
    return {"@value": instant, "@type": "xsd:dateTime"} if instant else None


def _reference(url: str | None) -> dict[str, Value] | None:
    return {"@id": url} if is_web_address(url) else None


def _known(fields: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in fields.items() if value is not None}
