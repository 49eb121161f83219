"""The views of the index: documents with their newest version, and all that a citation needs.

Pure: opens no database.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view; `columns` are (name, SQL expression, description), `source` is what follows FROM."""

    name: str
    about: str
    columns: tuple[tuple[str, str, str], ...]
    source: str

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(name for name, _, _ in self.columns)

    @property
    def select(self) -> str:
        """The SELECT statement of the view."""
        listed = ",\n  ".join(f'{sql} AS "{name}"' for name, sql, _ in self.columns)
        return f"SELECT\n  {listed}\nFROM {self.source}"


DOCUMENT_LATEST = View(
    name="document_latest",
    about="Each document with its newest version, and with the last outcome of any kind.",
    columns=(
        ("document", "d.document", "Id of the document."),
        ("collection", "d.collection", "Collection it belongs to."),
        ("position", "d.position", "Place in its seeds file, from 1."),
        ("title", "d.title", "Title in the seeds file."),
        ("title_original", "d.title_original", "Title in the language of the document."),
        ("title_status", "d.title_status", "How well the title is known."),
        ("role", "d.role", "source, official or independent."),
        ("publisher", "d.publisher", "Who published it."),
        ("publisher_kind", "d.publisher_kind", "What sort of body the publisher is."),
        ("author", "d.author", "Who wrote it, where the seeds file says so."),
        ("published", "d.published", "Date of publication."),
        ("language", "d.language", "Language of the document."),
        ("url", "d.url", "Its address; null while wanted."),
        ("url_status", "d.url_status", "How well the address is known."),
        ("media_type_expected", "d.media_type", "Media type the seeds file expects."),
        ("note", "d.note", "Note of the seeds file."),
        ("in_seeds", "d.in_seeds", "1 where a seeds file lists it, else 0."),
        ("text_title", "t.title", "Title the newest version gives itself."),
        ("capture_id", "v.capture_id", "Capture id of the newest version."),
        ("content_id", "v.content_id", "Content id of the newest version."),
        ("captured_at", "v.captured_at", "When the newest version was captured."),
        ("final_url", "v.final_url", "Address that answered, after redirects."),
        ("outcome", "v.outcome", "Outcome of the newest version."),
        ("status", "v.status", "HTTP status of the newest version."),
        ("size", "v.size", "Bytes of the newest version's content."),
        ("media_type", "v.media_type", "Media type the newest version declares."),
        ("version", "v.version", "Number of the newest version's content."),
        (
            "versions",
            "(SELECT count(DISTINCT version) FROM capture c WHERE c.document = d.document)",
            "Number of distinct contents among its versions.",
        ),
        (
            "captures",
            "(SELECT count(*) FROM capture c WHERE c.document = d.document)",
            "Number of captures, failures included.",
        ),
        ("last_capture_id", "l.capture_id", "Capture id of the last capture of any kind."),
        ("last_captured_at", "l.captured_at", "When the last capture of any kind was made."),
        ("last_outcome", "l.outcome", "Outcome of the last capture; null where there is none."),
        ("last_reason", "l.reason", "Reason of the last capture's outcome."),
        ("last_status", "l.status", "HTTP status of the last capture."),
    ),
    source="""document d
LEFT JOIN capture v ON v.capture_id = (
  SELECT capture_id FROM capture WHERE document = d.document AND is_version = 1
  ORDER BY captured_at DESC, capture_id DESC LIMIT 1)
LEFT JOIN capture l ON l.capture_id = (
  SELECT capture_id FROM capture WHERE document = d.document
  ORDER BY captured_at DESC, capture_id DESC LIMIT 1)
LEFT JOIN text t ON t.content_id = v.content_id""",
)

CITATION = View(
    name="citation",
    about="Each capture with all that a citation of it needs.",
    columns=(
        ("capture_id", "c.capture_id", "The capture."),
        ("content_id", "c.content_id", "Its content."),
        ("collection", "c.collection", "Collection it was captured for."),
        ("document", "c.document", "The document."),
        ("title", "d.title", "Title in the seeds file; null outside the seeds."),
        ("title_original", "d.title_original", "Title in the language of the document."),
        ("title_status", "d.title_status", "How well the title is known."),
        ("text_title", "t.title", "Title the content gives itself."),
        ("author", "d.author", "Author in the seeds file."),
        ("text_author", "t.author", "Author the content gives itself."),
        ("published", "d.published", "Date of publication in the seeds file."),
        ("text_published", "t.published", "Date of publication the content gives itself."),
        ("language", "d.language", "Language in the seeds file."),
        ("text_language", "t.language", "Language the content gives itself."),
        ("publisher", "d.publisher", "Who published it."),
        ("publisher_kind", "d.publisher_kind", "What sort of body the publisher is."),
        ("role", "d.role", "source, official or independent."),
        ("in_seeds", "d.in_seeds", "1 where a seeds file lists the document, else 0."),
        ("url", "c.url", "Address asked for."),
        ("final_url", "c.final_url", "Address that answered, after redirects."),
        ("captured_at", "c.captured_at", "When it was captured (UTC)."),
        ("outcome", "c.outcome", "Outcome of the capture."),
        ("status", "c.status", "HTTP status."),
        ("is_version", "c.is_version", "1 where the capture is a version of the document."),
        ("version", "c.version", "Number of its content among the document's contents."),
        ("size", "c.size", "Bytes of the content."),
        ("media_type", "c.media_type", "Media type the response declares."),
        ("undecoded", "c.undecoded", "Why a coding could not be taken off."),
        ("truncated", "c.truncated", "Where the body was cut."),
        ("obtained", "c.obtained", "fetched, added or imported."),
        ("run", "c.run", "The run that made it."),
        ("software", "r.software", "Program that wrote the records."),
        ("operator", "r.operator", "Who ran it."),
    ),
    source="""capture c
JOIN document d ON d.document = c.document
LEFT JOIN run r ON r.run = c.run AND r.collection = c.collection
LEFT JOIN text t ON t.content_id = c.content_id""",
)

VIEWS: tuple[View, ...] = (DOCUMENT_LATEST, CITATION)
