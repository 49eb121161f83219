"""The tables of the index, with a description for each table and column. Pure: opens no database.

This is the one source of the schema: the database, its dump, the schema page and the descriptions
that Datasette shows are all made from it. Views stand in `views`.
"""

from __future__ import annotations

from dataclasses import dataclass

APPLICATION_ID = 0x50726F76
"""`PRAGMA application_id` of an index: the letters `Prov`."""

SCHEMA_VERSION = 1
"""`PRAGMA user_version` of an index; another number is another schema, to be built anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; `type` is `TEXT` or `INTEGER`, `refers_to` the (table, column) it points to."""

    name: str
    type: str
    about: str
    null: bool
    refers_to: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its natural key; `indexes` are tuples of column names, in order.

    `partial` are indexes of some rows only: the columns, and which rows, as SQL.
    """

    name: str
    about: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    partial: tuple[tuple[tuple[str, ...], str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTable:
    """An FTS5 table with its own copy of the words; its rowid is that of a row of `of`."""

    name: str
    about: str
    of: str
    key: str
    columns: tuple[str, ...]


def _text(name: str, about: str, to: str | None = None, *, null: bool = False) -> Column:
    target = (to, _KEY_OF.get(to, to)) if to else None
    return Column(name=name, type="TEXT", about=about, null=null, refers_to=target)


def _maybe(name: str, about: str, to: str | None = None) -> Column:
    return _text(name, about, to, null=True)


def _whole(name: str, about: str, *, null: bool = False) -> Column:
    return Column(name=name, type="INTEGER", about=about, null=null)


_KEY_OF = {"warc_file": "warc", "content": "content_id", "capture": "capture_id"}

COLLECTION = Table(
    name="collection",
    about="One row per seeds file, and one per collection that only WARC files name.",
    key=("collection",),
    columns=(
        _text("collection", "Id of the collection: the name of its seeds file."),
        _text("title", "Title; the id where no seeds file is there to give one."),
        _maybe("about", "What the collection is about, as its seeds file says."),
        _maybe("seeds_file", "Name of the seeds file; null where there is none."),
        _maybe("seeds_digest", "SHA-256 of the seeds file as it was when this index was made."),
    ),
)

DOCUMENT = Table(
    name="document",
    about="One row per document that a seeds file lists or a WARC file names.",
    key=("document",),
    indexes=(("collection", "position"), ("url",)),
    columns=(
        _text("document", "Id of the document, unique in the archive root."),
        _text("collection", "Collection the document belongs to.", "collection"),
        _whole("position", "Place in its seeds file, from 1; null outside the seeds.", null=True),
        _maybe("title", "Title; null outside the seeds."),
        _maybe("title_original", "Title in the language of the document, where that is another."),
        _maybe("title_status", "How well the title is known: confirmed, recalled, …"),
        _maybe("role", "Part it plays around the article: source, official or independent."),
        _maybe("publisher", "Who published it."),
        _maybe("publisher_kind", "What sort of body the publisher is."),
        _maybe("author", "Who wrote it, where the seeds file says so."),
        _maybe("published", "Date of publication: YYYY, YYYY-MM or YYYY-MM-DD."),
        _maybe("language", "Language of the document (BCP 47)."),
        _maybe(
            "url",
            "Address in the seeds file, null while wanted; outside the seeds, the one asked last.",
        ),
        _maybe("url_status", "How well the address is known: confirmed or recalled."),
        _maybe("media_type", "Media type the seeds file expects."),
        _maybe("note", "Note of the seeds file."),
        _whole("in_seeds", "1 where a seeds file lists it, else 0."),
    ),
)

ALTERNATE = Table(
    name="alternate",
    about="Other addresses of, or near, a document. Never a version of it by themselves.",
    key=("document", "position"),
    indexes=(("url",),),
    columns=(
        _text("document", "The document.", "document"),
        _whole("position", "Place in the list, from 1."),
        _text("url", "The address."),
        _text("role", "What it holds: republication, same-document-other-address, record, …"),
        _maybe("status", "How well the address is known: confirmed or recalled."),
        _maybe("note", "Note of the seeds file."),
    ),
)

RELATION = Table(
    name="relation",
    about="How one document stands to another, as the seeds files say.",
    key=("document", "kind", "target"),
    indexes=(("target",),),
    columns=(
        _text("document", "The document the relation starts from.", "document"),
        _text("kind", "cites, responds-to, reports-on, version-of, translation-of, …"),
        _text("target", "The document it leads to.", "document"),
        _maybe("note", "Note of the seeds file."),
    ),
)

RUN = Table(
    name="run",
    about="One row per run of a command and collection it wrote captures for.",
    key=("run", "collection"),
    columns=(
        _text("run", "Id of the run (UUID)."),
        _text("collection", "Collection the captures are for.", "collection"),
        _text("command", "The command that ran."),
        _text("started_at", "When it began (UTC)."),
        _maybe("ended_at", "When it ended (UTC); null where it was interrupted."),
        _text("state", "complete or interrupted."),
        _maybe("software", "Program and version that wrote the records."),
        _maybe("operator", "Who ran it, where that was set."),
        _maybe("resumes", "The interrupted run that this one completes."),
        _maybe("seeds_digest", "SHA-256 of the seeds file the run worked from."),
        _text("targets", "JSON list of what it was asked for."),
        _text("outcomes", "JSON object: number of documents by outcome."),
    ),
)

WARC_FILE = Table(
    name="warc_file",
    about="One row per WARC file in the archive.",
    key=("warc",),
    columns=(
        _text("warc", "Name of the file."),
        _text("sha256", "SHA-256 of the file's bytes; `sha256sum` prints the same digits."),
        _whole("size", "Size in bytes."),
        _whole("records", "Number of records."),
        _maybe("collection", "Collection its warcinfo record names.", "collection"),
        _maybe("run", "Run its warcinfo record names."),
    ),
)

RECORD = Table(
    name="record",
    about="One row per WARC record, with its place in its file.",
    key=("warc", "offset", "ordinal"),
    indexes=(("record_id",), ("record_digest",)),
    partial=((("target_uri", "date"), "type IN ('response', 'revisit', 'resource')"),),
    columns=(
        _text("warc", "The file.", "warc_file"),
        _whole("offset", "Byte at which its gzip member (or the plain record) starts."),
        _whole("ordinal", "Place of the record inside that gzip member, from 0."),
        _whole("length", "Bytes of the gzip member (or the plain record) in the file."),
        _text("record_id", "WARC-Record-ID, without angle brackets."),
        _text("type", "WARC-Type: response, request, metadata, revisit, resource, …"),
        _maybe("date", "WARC-Date, as written."),
        _maybe("target_uri", "WARC-Target-URI, as written."),
        _maybe("content_type", "Content-Type of the record."),
        _whole("content_length", "Bytes of the record's block."),
        _text("record_digest", "SHA-256 of the uncompressed record, header and block."),
        _text("block_digest", "SHA-256 of the block."),
        _maybe("payload_digest", "WARC-Payload-Digest, as written."),
        _text("concurrent_to", "JSON list of the record ids in WARC-Concurrent-To."),
        _maybe("refers_to", "WARC-Refers-To, without angle brackets."),
        _maybe("truncated", "WARC-Truncated: length, time or disconnect."),
    ),
)

CONTENT = Table(
    name="content",
    about="One row per distinct content: the decoded document, as 'save as' gives it.",
    key=("content_id",),
    columns=(
        _text("content_id", "SHA-256 of the content; `sha256sum` of the saved file gives it."),
        _whole("size", "Bytes of the content.", null=True),
        _maybe("media_type", "Media type its first capture declares."),
        _maybe("charset", "Charset its first capture declares."),
        _maybe("undecoded", "Why a coding could not be taken off; null where all were."),
        _text(
            "first_capture_id",
            "The earliest capture that holds the bytes; the earliest revisit where none does.",
        ),
    ),
)

CAPTURE = Table(
    name="capture",
    about="One row per outcome: the fate of one document in one run, failures included.",
    key=("capture_id",),
    indexes=(
        ("document", "captured_at", "capture_id", "is_version", "version", "outcome"),
        ("content_id", "document", "captured_at", "is_version"),
        ("captured_at", "capture_id"),
        ("outcome", "captured_at", "capture_id"),
        ("collection", "captured_at", "capture_id"),
        ("run",),
        ("url",),
        ("final_url",),
    ),
    columns=(
        _text("capture_id", "SHA-256 of the record that carries the capture."),
        _text("collection", "Collection the run asked for.", "collection"),
        _text("document", "Document asked for.", "document"),
        _text("run", "Id of the run."),
        _maybe("url", "Address asked for."),
        _maybe("final_url", "Address that answered, after redirects."),
        _text(
            "outcome",
            "captured, unchanged, truncated, error_status, challenge, failed or denied.",
        ),
        _maybe("reason", "Why nothing, or not everything, came: dns, refused, timeout, …"),
        _whole("status", "HTTP status of the last response.", null=True),
        _text("captured_at", "When it was captured (UTC), YYYY-MM-DDThh:mm:ss.ffffffZ."),
        _maybe("content_id", "The content; null where nothing came.", "content"),
        _maybe("payload_digest", "SHA-256 of the payload (WARC 1.1: transfer coding taken off)."),
        _whole("size", "Bytes of the content.", null=True),
        _maybe("media_type", "Media type the response declares."),
        _maybe("charset", "Charset the response declares."),
        _maybe("undecoded", "Why a coding could not be taken off; null where all were."),
        _maybe("truncated", "Where the body was cut: length, time or disconnect."),
        _text(
            "obtained",
            "fetched, added from a local file, or imported from an archive.",
        ),
        _maybe("rule", "Rule that took the page for a bot, consent or login wall."),
        _text("flags", "JSON list of remarks, such as unexpected_media_type."),
        _text("record_type", "Type of the record that carries the capture."),
        _text("warc", "File of that record.", "warc_file"),
        _whole("offset", "Byte at which its gzip member starts."),
        _whole("ordinal", "Place of the record inside that gzip member, from 0."),
        _whole("length", "Bytes of the gzip member in the file."),
        _whole("is_version", "1 where the outcome is captured, unchanged or truncated, else 0."),
        _whole(
            "version",
            "Number of this content among the document's distinct contents, oldest 1.",
            null=True,
        ),
        _text("note", "The metadata record of the capture, as JSON."),
    ),
)

LINK = Table(
    name="link",
    about="Addresses that captures lead to: redirects, and hyperlinks in contents.",
    key=("kind", "source", "position"),
    indexes=(("url",), ("source",)),
    columns=(
        _text("kind", "redirect or hyperlink."),
        _text("source", "Capture id of a redirect's capture; content id a hyperlink stands in."),
        _whole("position", "Place in the chain or in the text, from 1."),
        _text("url", "The address it leads to, made absolute."),
        _maybe("label", "Text of a hyperlink; the Location field of a redirect, as sent."),
        _whole("status", "HTTP status of a redirect; null for a hyperlink.", null=True),
    ),
)

TEXT = Table(
    name="text",
    about="Text taken out of each content by a named algorithm.",
    key=("content_id",),
    columns=(
        _text("content_id", "The content.", "content"),
        _text("algorithm", "Name and version of the algorithm, such as text-v1."),
        _maybe("text_id", "SHA-256 of the text derivative, as that algorithm defines it."),
        _maybe("title", "Title the document gives itself."),
        _maybe("author", "Author the document gives itself."),
        _maybe("published", "Date of publication the document gives itself."),
        _maybe("language", "Language the document gives itself."),
        _maybe("charset", "Charset the text was read with."),
        _whole("characters", "Number of code points in the text."),
        _maybe("fault", "Why there is no text, or not all of it."),
        _text("text", "The text."),
    ),
)

PAGE = Table(
    name="page",
    about="Where each page of a paged document starts in its text.",
    key=("content_id", "page"),
    columns=(
        _text("content_id", "The content.", "content"),
        _whole("page", "Number of the page, from 1."),
        _whole("start", "Code point of the text at which the page starts, from 0."),
    ),
)

SOURCE = Table(
    name="source",
    about="The files this index was made from; when they change, it is stale.",
    key=("kind", "name"),
    columns=(
        _text("kind", "warc or seeds."),
        _text("name", "Name of the file."),
        _text("sha256", "SHA-256 of the file as it was read."),
    ),
)

CORE: tuple[Table, ...] = (
    COLLECTION,
    DOCUMENT,
    ALTERNATE,
    RELATION,
    RUN,
    WARC_FILE,
    RECORD,
    CONTENT,
    CAPTURE,
    SOURCE,
    LINK,
)
"""Tables in the order of the dump, those of text extraction left out; of LINK the redirects."""

DERIVED: tuple[Table, ...] = (TEXT, PAGE)
"""Tables that text extraction fills."""

TABLES: tuple[Table, ...] = (*CORE, *DERIVED)

DOCUMENT_SEARCH = SearchTable(
    name="document_search",
    about="FTS5 over the cards of documents, so that one is found before it is ever captured.",
    of="document",
    key="document",
    columns=("title", "title_original", "publisher", "author"),
)

TEXT_SEARCH = SearchTable(
    name="text_search",
    about="FTS5 over titles and texts, each Han or kana character a word of its own.",
    of="text",
    key="content_id",
    columns=("title", "text"),
)
