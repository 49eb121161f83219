"""Bring local files into the archive as resource records, one outcome for each file."""

from __future__ import annotations

import hashlib
import mimetypes
import re
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
from provenance.warc.pack import BlockEndedError
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
        StorageError: the disk refused, or a file changed while it was read; what was yielded is
            kept.
    """
    for each in additions:
        _check(each, runtime.now())
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
            source = _Hashed(file)
            draft = resource_draft(
                visit,
                cast(BinaryIO, source),
                block_size=size,
                digest=digest,
                media_type=media_type,
            )
            try:
                capture_id = group.add(draft)
            except BlockEndedError:
                capture_id = None
            if capture_id is None or source.digest() != digest:
                raise StorageError(
                    "the file changed while it was read",
                    where=str(addition.path),
                    hint="It was not added; add it again once nothing writes to it.",
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


class _Hashed:
    """A file that is hashed as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self._hash.update(piece)
        return piece

    def digest(self) -> Digest:
        return from_hex(self._hash.hexdigest())


def _check(addition: Addition, now: datetime) -> None:
    where, hint = str(addition.path), "Nothing was added."
    if not addition.path.is_file():
        raise UsageError("not a file to add", where=where, hint=hint)
    try:
        addition.path.open("rb").close()
    except OSError as fault:
        raise UsageError(f"cannot read ({fault.strerror})", where=where, hint=hint) from fault
    if addition.obtained_at is not None and addition.obtained_at > now:
        raise UsageError(
            "a file cannot have been obtained after it is added",
            where=where,
            expected=f"an instant up to {format_instant(now)}",
            found=format_instant(addition.obtained_at),
            hint=hint,
        )
    if addition.media_type and not re.fullmatch(r"[\x21-\x7e][\x20-\x7e]*", addition.media_type):
        raise UsageError(
            "not a media type", expected="a form like text/html", found=repr(addition.media_type)
        )


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
