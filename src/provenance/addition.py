"""Bring local files into the archive as resource records, one outcome for each file."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from provenance.dates import format_instant
from provenance.digest import Digest, from_hex, to_ni
from provenance.errors import StorageError, UsageError
from provenance.holdings import CAPTURE_PROFILE, CaptureKind
from provenance.model import CollectionId, DocumentId, Outcome, OutcomeKind, RunId
from provenance.runtime import Runtime
from provenance.warc.draft import Visit, metadata_draft, resource_draft
from provenance.warc.writer import WarcWriter

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """One local file to be added, and what is known of how it was obtained.

    `url` is where it came from, None where that is not known; `obtained_at` None means now.
    """

    path: Path
    collection: CollectionId
    document: DocumentId
    url: str | None
    obtained_at: datetime | None
    note: str | None
    media_type: str | None


def add(
    run: RunId,
    additions: tuple[Addition, ...],
    *,
    runtime: Runtime,
    writer_of: Callable[[CollectionId], WarcWriter],
    held: Callable[[DocumentId, Digest], bool],
) -> Iterator[Outcome]:
    """Yield one outcome for each file, once its records are on disk.

    `held(document, content id)` says whether the document has this content already: the outcome is
    then `unchanged`, and the file is kept all the same, for the way it was obtained.

    Raises:
        UsageError: a path is no readable regular file; nothing of the call was added.
        StorageError: the disk refused.
    """
    for each in additions:
        if not each.path.is_file():
            raise UsageError("not a file to add", where=str(each.path), hint="Nothing was added.")
    for number, each in enumerate(additions, start=1):
        writer = writer_of(each.collection)
        outcome = _add_one(run, number, each, runtime, writer, held)
        writer.sync()
        yield outcome


def _add_one(  # noqa: PLR0917
    run: RunId,
    number: int,
    addition: Addition,
    runtime: Runtime,
    writer: WarcWriter,
    held: Callable[[DocumentId, Digest], bool],
) -> Outcome:
    added_at = runtime.now()
    date = format_instant(addition.obtained_at or added_at)
    with closing(_open(addition.path)) as file:
        digest, size = _measure(file)
        unchanged = held(addition.document, digest)
        kind = OutcomeKind.UNCHANGED if unchanged else OutcomeKind.CAPTURED
        media_type = addition.media_type or guess_media_type(addition.path)
        visit = Visit(
            run=run,
            stem=(addition.document, number, 0, "added"),
            date=date,
            target_uri=addition.url or to_ni(digest),
        )
        with writer.group() as group:
            capture_id = group.add(
                resource_draft(visit, file, block_size=size, digest=digest, media_type=media_type)
            )
            note: dict[str, object] = {
                "profile": CAPTURE_PROFILE,
                "kind": CaptureKind.DOCUMENT,
                "run": run,
                "collection": addition.collection,
                "document": addition.document,
                "url": addition.url,
                "target_uri": visit.target_uri,
                "final_url": addition.url,
                "outcome": kind,
                "reason": None,
                "status": None,
                "captured_at": date,
                "capture_id": capture_id,
                "capture_record": visit.urn("response"),
                "media_type": media_type,
                "content_id": digest,
                "size": size,
                "payload_digest": digest,
                "payload_size": size,
                "undecoded": None,
                "truncated": None,
                "flags": [],
                "obtained": {
                    "how": "added",
                    "at": date,
                    "at_stated": addition.obtained_at is not None,
                    "added_at": format_instant(added_at),
                    "note": addition.note,
                    "file_name": addition.path.name,
                },
            }
            group.add(metadata_draft(visit, note, alone=False))
            group.flush()
            placed = group.placed()[0]
    return Outcome(
        collection=addition.collection,
        document=addition.document,
        url=addition.url,
        outcome=kind,
        captured_at=date,
        content_id=digest,
        capture_id=capture_id,
        payload_digest=digest,
        size=size,
        media_type=media_type,
        warc=placed.warc,
        offset=placed.offset,
        length=placed.length,
        final_url=addition.url,
        run=run,
    )


def guess_media_type(path: Path) -> str:
    """Return the media type that the file name suggests, else `application/octet-stream`."""
    table = mimetypes.MimeTypes(filenames=())  # the machine's own tables would differ
    kind, coding = table.guess_type(path.name)
    return kind if kind and coding is None else "application/octet-stream"


def _open(path: Path) -> BinaryIO:
    try:
        return cast(BinaryIO, path.open("rb"))
    except OSError as fault:
        raise StorageError(f"cannot read ({fault.strerror})", where=str(path)) from fault


def _measure(file: BinaryIO) -> tuple[Digest, int]:
    whole, size = hashlib.sha256(), 0
    while piece := file.read(_PIECE):
        whole.update(piece)
        size += len(piece)
    file.seek(0)
    return from_hex(whole.hexdigest()), size
