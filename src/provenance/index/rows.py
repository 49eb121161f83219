"""Turn collections and surveys into the rows of the tables.

Pure: opens no file and no database. A row is a tuple in the column order of `schema`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import urljoin

from provenance.dates import format_instant, parse_instant
from provenance.errors import UsageError
from provenance.holdings import Capture, Run, WarcFile, WarcRecord
from provenance.model import ADHOC, VERSIONS, Collection, Document

Cell: TypeAlias = str | int | None
Row: TypeAlias = tuple[Cell, ...]

_ADHOC_TITLE = "Captures outside the seeds"
_WHOLE_LIMIT = 1 << 63
_INSTANT_LENGTH = len("2021-02-22T09:30:00.000000Z")


def storable(row: Iterable[Cell]) -> Row:
    """Return the row with lone surrogates, which no UTF-8 can hold, replaced by U+FFFD."""
    return tuple(
        [cell if type(cell) is not str or cell.isascii() else _storable_text(cell) for cell in row]
    )


def _whole(number: int | None) -> int | None:
    """Return a number that a note tells; null beyond 64 bits, which only a forged one is."""
    return number if number is None or -_WHOLE_LIMIT <= number < _WHOLE_LIMIT else None


def _storable_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def json_text(value: object) -> str:
    """Return `value` as JSON with sorted keys; what JSON cannot say (NaN) becomes null."""
    try:
        return json.dumps(
            value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        )
    except ValueError:
        return json_text(_finite(value))


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def instant_text(text: str) -> str:
    """Return a time in the one form whose order as text is the order in time, if it is a time."""
    if len(text) == _INSTANT_LENGTH:
        return text
    try:
        return format_instant(parse_instant(text))
    except UsageError:
        return text


def collection_row(collection: Collection) -> Row:
    """Return the `collection` row of a seeds file."""
    return storable(
        (
            collection.id,
            collection.title,
            collection.about,
            collection.seeds_file,
            collection.seeds_digest,
        )
    )


def unlisted_collection_row(collection: str) -> Row:
    """Return the `collection` row of a collection that no seeds file describes."""
    title = _ADHOC_TITLE if collection == ADHOC else collection
    return storable((collection, title, None, None, None))


def document_row(document: Document, position: int) -> Row:
    """Return the `document` row of an entry of a seeds file."""
    return storable(
        (
            document.id,
            document.collection,
            position,
            document.title,
            document.title_original,
            document.title_status and document.title_status.value,
            document.role.value,
            document.publisher,
            document.publisher_kind.value,
            document.author,
            document.published,
            document.language,
            document.url,
            document.url_status and document.url_status.value,
            document.media_type,
            document.note,
            1,
        )
    )


def alternate_rows(document: Document) -> Iterator[Row]:
    """Yield the `alternate` rows of an entry."""
    for position, other in enumerate(document.alternates, start=1):
        status = other.status and other.status.value
        yield storable((document.id, position, other.url, other.role.value, status, other.note))


def relation_rows(document: Document) -> Iterator[Row]:
    """Yield the `relation` rows of an entry."""
    for relation in document.relations:
        yield storable((document.id, relation.kind.value, relation.document, relation.note))


def warc_file_row(file: WarcFile) -> Row:
    """Return the `warc_file` row of a file."""
    return storable((file.warc, file.sha256, file.size, file.records, file.collection, file.run))


def record_row(record: WarcRecord) -> Row:
    """Return the `record` row of a record."""
    return storable(
        (
            record.warc,
            record.offset,
            record.ordinal,
            record.length,
            record.record_id,
            record.type,
            record.date,
            record.target_uri,
            record.content_type,
            record.content_length,
            record.record_digest,
            record.block_digest,
            record.payload_digest,
            json_text(record.concurrent_to) if record.concurrent_to else "[]",
            record.refers_to,
            record.truncated,
        )
    )


def capture_row(capture: Capture) -> Row:
    """Return the `capture` row of a capture, its version number still open."""
    return storable(
        (
            capture.capture_id,
            capture.collection,
            capture.document,
            capture.run,
            capture.url,
            capture.final_url,
            capture.outcome.value,
            capture.reason,
            capture.status,
            instant_text(capture.captured_at),
            capture.content_id,
            capture.payload_digest,
            _whole(capture.size),
            capture.media_type,
            capture.charset,
            capture.undecoded and capture.undecoded.value,
            capture.truncated,
            capture.obtained.value,
            capture.rule,
            json_text(capture.flags) if capture.flags else "[]",
            capture.record_type,
            capture.warc,
            capture.offset,
            capture.ordinal,
            capture.length,
            int(capture.outcome in VERSIONS),
            None,
            json_text(capture.note),
        )
    )


def redirect_rows(capture: Capture) -> Iterator[Row]:
    """Yield the redirect rows of `link`, each led by the place (warc, offset, ordinal)."""
    place = (capture.warc, capture.offset, capture.ordinal)
    for position, hop in enumerate(capture.redirects, start=1):
        link = (position, absolute_url(hop.url, hop.location), hop.location, _whole(hop.status))
        yield storable((*place, "redirect", capture.capture_id, *link))


def absolute_url(base: str | None, url: str) -> str:
    """Resolve a reference against its base; a reference that cannot be resolved stays as it is."""
    try:
        return urljoin(base or "", url)
    except ValueError:
        return url


def run_rows(seen: Iterable[tuple[str, Run]]) -> Iterator[Row]:
    """Yield one `run` row for each run and collection, out of (WARC name, run) pairs.

    A run that fills several files says its start in each and its end only in the last.
    """
    told: dict[tuple[str, str], list[tuple[str, Run]]] = {}
    for warc, run in seen:
        told.setdefault((run.run, run.collection), []).append((warc, run))
    for _, parts in sorted(told.items()):
        parts.sort(key=lambda part: (part[1].ended_at or "", part[0], repr(part[1])))
        yield _run_row([run for _, run in parts])


def _run_row(parts: Sequence[Run]) -> Row:
    first, last = parts[0], parts[-1]
    ended = last.ended_at
    return storable(
        (
            first.run,
            first.collection,
            first.command,
            min(instant_text(part.started_at) for part in parts),
            ended and instant_text(ended),
            "complete" if ended else "interrupted",
            first.software,
            first.operator,
            first.resumes,
            first.seeds_digest,
            json_text(first.targets),
            json_text(dict(last.outcomes)),
        )
    )
