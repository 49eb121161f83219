"""Read one `[[document]]` entry into a `Document`, noting every fault. Pure."""

from __future__ import annotations

from functools import partial
from sys import intern

from provenance.model import (
    AddressStatus,
    Alternate,
    AlternateRole,
    CollectionId,
    Document,
    DocumentId,
    PublisherKind,
    Relation,
    RelationKind,
    Role,
    TitleStatus,
)
from provenance.seeds.table import Table
from provenance.seeds.values import (
    parse_address,
    parse_id,
    parse_language,
    parse_line,
    parse_media_type,
    parse_prose,
    parse_published,
    parse_word,
)

DOCUMENT_KEYS = (
    "id",
    "title",
    "title_original",
    "title_status",
    "role",
    "publisher",
    "publisher_kind",
    "author",
    "published",
    "language",
    "url",
    "url_status",
    "media_type",
    "note",
    "alternate",
    "relation",
)
"""The keys of a document, in the order in which `to_toml` writes them."""

ALTERNATE_KEYS = ("url", "role", "status", "note")
RELATION_KEYS = ("kind", "document", "note")


def read_document(table: Table, *, collection: CollectionId) -> Document:
    """Return the document of one entry; empty strings stand in where a fault was noted."""
    identifier = DocumentId(table.required("id", parse_id, ""))
    table.document = identifier or None
    table.refuse_unknown(DOCUMENT_KEYS)
    document = Document(
        id=identifier,
        collection=collection,
        title=table.required("title", parse_line, ""),
        title_original=table.optional("title_original", parse_line),
        title_status=table.optional("title_status", partial(parse_word, words=TitleStatus)),
        role=table.required("role", partial(parse_word, words=Role), Role.SOURCE),
        publisher=intern(table.required("publisher", parse_line, "")),
        publisher_kind=table.required(
            "publisher_kind", partial(parse_word, words=PublisherKind), PublisherKind.PRIVATE
        ),
        author=_once(table.optional("author", parse_line)),
        published=_once(table.optional("published", parse_published)),
        language=_once(table.optional("language", parse_language)),
        url=table.optional("url", parse_address),
        url_status=table.optional("url_status", partial(parse_word, words=AddressStatus)),
        media_type=_once(table.optional("media_type", parse_media_type)),
        note=table.optional("note", parse_prose),
        alternates=tuple(_read_alternate(entry) for entry in table.tables("alternate")),
        relations=tuple(_read_relation(entry) for entry in table.tables("relation")),
    )
    _check_together(document, table)
    return document


def _once(text: str | None) -> str | None:
    """Return the text; one that many documents share is in memory once."""
    return text and intern(text)


def _read_alternate(table: Table) -> Alternate:
    table.refuse_unknown(ALTERNATE_KEYS)
    return Alternate(
        url=table.required("url", parse_address, ""),
        role=table.required(
            "role", partial(parse_word, words=AlternateRole), AlternateRole.RELATED
        ),
        status=table.optional("status", partial(parse_word, words=AddressStatus)),
        note=table.optional("note", parse_prose),
    )


def _read_relation(table: Table) -> Relation:
    table.refuse_unknown(RELATION_KEYS)
    return Relation(
        kind=table.required(
            "kind", partial(parse_word, words=RelationKind), RelationKind.RELATED_TO
        ),
        document=DocumentId(table.required("document", parse_id, "")),
        note=table.optional("note", parse_prose),
    )


def _check_together(document: Document, table: Table) -> None:
    if "url_status" in table and "url" not in table:
        table.fault("url_status", "stands without url; leave it out while the document is wanted")
    addresses = {document.url} if document.url else set()
    for number, alternate in enumerate(document.alternates, start=1):
        if alternate.url in addresses:
            table.fault(f"alternate[{number}].url", f"the document has {alternate.url} already")
        if alternate.url:
            addresses.add(alternate.url)
    ties: set[tuple[RelationKind, DocumentId]] = set()
    for number, relation in enumerate(document.relations, start=1):
        path, tie = f"relation[{number}]", (relation.kind, relation.document)
        if relation.document and relation.document == document.id:
            table.fault(f"{path}.document", "the document points at itself")
        if relation.document and tie in ties:
            table.fault(path, f'says {relation.kind} "{relation.document}" a second time')
        ties.add(tie)
