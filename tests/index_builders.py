"""Build collections, surveys and extractions by hand, for the tests of the index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from provenance.digest import Digest, digest_of
from provenance.holdings import Capture, Obtained, Redirect, Run, Survey, WarcFile, WarcRecord
from provenance.index import ContentSource, IndexSummary, build
from provenance.model import (
    Collection,
    CollectionId,
    Document,
    DocumentId,
    OutcomeKind,
    PublisherKind,
    Role,
    RunId,
)

RUN = RunId("5f0c1d1e-0000-4000-8000-000000000001")
HARBOUR = CollectionId("harbour")


def instant(second: int) -> str:
    """Return an instant `second` seconds into a fixed hour."""
    return f"2026-11-23T23:{second // 60:02d}:{second % 60:02d}.123456Z"


def a_document(identifier: str, *, collection: CollectionId = HARBOUR, **more: object) -> Document:
    """Return a document with a plain card."""
    card: dict[str, object] = {
        "title": f"Title of {identifier}",
        "role": Role.OFFICIAL,
        "publisher": "Council of Harbour Town",
        "publisher_kind": PublisherKind.GOVERNMENT,
        "url": f"https://council.example/{identifier}",
        **more,
    }
    return Document(id=DocumentId(identifier), collection=collection, **card)  # type: ignore[arg-type]


def a_collection(*documents: Document, identifier: CollectionId = HARBOUR) -> Collection:
    """Return a collection of these documents."""
    return Collection(
        id=identifier,
        title=f"The {identifier} papers",
        about="Papers on the bridge.",
        seeds_file=f"seeds/{identifier}.toml",
        seeds_digest=digest_of(identifier.encode()),
        documents=documents,
    )


def a_capture(document: str, content: str | None, at: int = 0, **more: object) -> Capture:
    """Return a capture of `content` (None: nothing came) made `at` seconds into the hour."""
    raw = content.encode() if content is not None else None
    content_id = digest_of(raw) if raw is not None else None
    facts: dict[str, object] = {
        "capture_id": digest_of(f"{document} {content} {at}".encode()),
        "collection": HARBOUR,
        "document": DocumentId(document),
        "run": RUN,
        "url": f"https://council.example/{document}",
        "final_url": f"https://council.example/{document}",
        "outcome": OutcomeKind.CAPTURED if raw is not None else OutcomeKind.FAILED,
        "reason": None if raw is not None else "refused",
        "status": 200 if raw is not None else None,
        "captured_at": instant(at),
        "content_id": content_id,
        "payload_digest": content_id,
        "size": len(raw) if raw is not None else None,
        "media_type": "text/plain" if raw is not None else None,
        "charset": "utf-8" if raw is not None else None,
        "undecoded": None,
        "truncated": None,
        "obtained": Obtained.FETCHED,
        "rule": None,
        "flags": (),
        "redirects": (),
        "record_type": "response" if raw is not None else "metadata",
        "warc": "",
        "offset": 0,
        "ordinal": 0,
        "length": 100,
        "note": {"document": document, "profile": "provenance-capture-1"},
        **more,
    }
    return Capture(**facts)  # type: ignore[arg-type]


def a_redirect(url: str, location: str, status: int = 301) -> Redirect:
    """Return a hop that led on."""
    return Redirect(url=url, status=status, location=location, capture_id=None)


def with_redirects(capture: Capture, *hops: Redirect) -> Capture:
    """Return the capture with these hops, in its note too."""
    listed = [
        {"url": hop.url, "status": hop.status, "location": hop.location, "capture_id": None}
        for hop in hops
    ]
    return replace(capture, redirects=hops, note={**capture.note, "redirects": listed})


def a_run(**more: object) -> Run:
    """Return a run that ended."""
    facts: dict[str, object] = {
        "run": RUN,
        "collection": HARBOUR,
        "command": "fetch",
        "started_at": instant(0),
        "ended_at": instant(59),
        "software": "provenance/0.1.0",
        "operator": "A. Reader",
        "seeds_digest": digest_of(b"harbour"),
        "targets": ("harbour",),
        "outcomes": (("captured", 1),),
        **more,
    }
    return Run(**facts)  # type: ignore[arg-type]


def a_survey(*captures: Capture, warc: str = "a.warc.gz", runs: tuple[Run, ...] = ()) -> Survey:
    """Return what a file of these captures holds, each placed after the one before."""
    placed = tuple(
        replace(capture, warc=warc, offset=1000 * (n + 1)) for n, capture in enumerate(captures)
    )
    records = tuple(a_record(capture) for capture in placed)
    return Survey(
        file=WarcFile(
            warc=warc,
            sha256=digest_of(warc.encode()),
            size=1000 * (len(captures) + 1),
            records=len(records),
            collection=HARBOUR,
            run=RUN,
        ),
        records=records,
        captures=placed,
        runs=runs,
    )


def a_record(capture: Capture, **more: object) -> WarcRecord:
    """Return the record that carries a capture."""
    name = hashlib.sha256(capture.capture_id.encode()).hexdigest()[:32]
    facts: dict[str, object] = {
        "warc": capture.warc,
        "offset": capture.offset,
        "ordinal": capture.ordinal,
        "length": capture.length,
        "record_id": f"urn:test:{name}",
        "type": capture.record_type,
        "date": capture.captured_at,
        "target_uri": capture.url,
        "content_type": "application/http; msgtype=response",
        "content_length": 90,
        "record_digest": capture.capture_id,
        "block_digest": capture.capture_id,
        "payload_digest": capture.payload_digest,
        "concurrent_to": (),
        "refers_to": None,
        "truncated": capture.truncated,
        **more,
    }
    return WarcRecord(**facts)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """An extraction given by hand."""

    text: str
    algorithm: str = "text-v1"
    text_id: str | None = None
    title: str | None = None
    author: str | None = None
    published: str | None = None
    language: str | None = None
    charset: str | None = "utf-8"
    fault: str | None = None
    pages: tuple[int, ...] = ()
    links: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """An extraction callable that knows the text of each content by heart."""

    extracts: Mapping[Digest, Extract] = field(default_factory=dict)

    def __call__(self, sources: Iterable[ContentSource]) -> Iterator[Extract]:
        """Give the extract of each source; an empty one where none is known."""
        for source in sources:
            yield self.extracts.get(source.content_id, Extract(text="", fault="unknown"))


def library(*contents: str, **extracts: Extract) -> Library:
    """Return a library: each content is its own text, each keyword a content with its extract."""
    known = {digest_of(content.encode()): Extract(text=content) for content in contents}
    known |= {digest_of(content.encode()): extract for content, extract in extracts.items()}
    return Library(extracts=known)


def build_index(
    folder: Path,
    *captures: Capture,
    documents: tuple[Document, ...] | None = None,
    texts: Library | None = None,
) -> Path:
    """Build an index of one collection and one file; return its path."""
    listed = documents
    if listed is None:
        listed = tuple(a_document(name) for name in sorted({each.document for each in captures}))
    made: IndexSummary = build(
        path=folder / "provenance.db",
        collections=(a_collection(*listed),),
        surveys=(a_survey(*captures, runs=(a_run(),)),),
        derive=texts or library(),
    )
    return made.path
