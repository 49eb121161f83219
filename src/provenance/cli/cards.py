"""Compose what `list` and `show` say to a person: lines of text out of rows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields as fields_of
from itertools import groupby

from provenance.cli.layout import align, columns_of, cut, fields, safe, wrap
from provenance.index import CaptureRow, DocumentRow

_HEADS = ("document", "role", "versions", "last outcome")
_NUMBERS = (2,)
_TITLE_ROOM = 32
_CARD = (
    "document", "collection", "role", "title", "title_original", "title_status", "publisher",
    "publisher_kind", "author", "published", "language", "url", "url_status",
    "media_type_expected", "note", "text_title",
)  # fmt: skip

_OBTAINED = {"added": " (added)", "imported": " (imported)"}


def state_of(row: DocumentRow) -> str:
    """Return the last outcome of a document, or why it has none."""
    if row.last_outcome is not None:
        return row.last_outcome.value
    return "not asked yet" if row.url else "wanted"


def title_of(row: DocumentRow) -> str:
    """Return what a document is called, as far as that is known."""
    return safe(row.title or row.text_title or row.url)


def listing(rows: Sequence[DocumentRow], columns: int | None) -> Iterator[str]:
    """Yield the table of documents, under a heading for each collection where there are several.

    In a terminal a title is cut to its place, and stands below its document where that is narrow;
    without `columns` each document is one whole line.
    """
    if not rows:
        return
    cells = [(row.document, row.role or "", str(row.versions), state_of(row)) for row in rows]
    widths = columns_of([_HEADS, *cells])
    room = None if columns is None else columns - sum(widths) - 2 * len(widths)
    below = room is not None and room < _TITLE_ROOM
    yield f"{align(_HEADS, widths)}{'' if below else '  title'}"
    several = len({row.collection for row in rows}) > 1
    for collection, found in groupby(
        zip(rows, cells, strict=True), key=lambda one: one[0].collection
    ):
        if several:
            yield f"[{collection}]"
        for row, cell in found:
            line = align(cell, widths, right=_NUMBERS)
            if below:
                yield line
                yield f"    {cut(title_of(row), (columns or 0) - 4)}"
            else:
                title = cut(title_of(row), room)
                yield f"{align((*cell, title), [*widths, 0], right=_NUMBERS)}"


def counts_of(rows: Sequence[DocumentRow]) -> str:
    """Return how many documents there are in each state, in one line."""
    counts = Counter(map(state_of, rows))
    states = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    return f"{len(rows)} {'document' if len(rows) == 1 else 'documents'}: {states}"


def hit_lines(document: str, title: str | None, snippet: str, columns: int | None) -> Iterator[str]:
    """Yield one result of a search: the document, and below it the passage that was found."""
    named = f"{document}  {safe(title)}".rstrip()
    passage = safe(" ".join(snippet.split()))
    if columns is None:
        yield named
        yield from [f"    {passage}"] if passage else []
        return
    first, *rest = wrap(named, columns - 2)
    yield from (first, *(f"  {line}" for line in rest))
    yield from (f"    {line}" for line in wrap(passage, columns - 4) if line)


def document_card(row: DocumentRow, columns: int | None) -> Iterator[str]:
    """Yield what the seeds say of a document, and what its newest version is."""
    yield from fields(_named(row, _CARD), columns)
    pairs = [("versions", str(row.versions)), ("last outcome", _with_reason(row))]
    if row.capture_id is not None:
        pairs += [
            ("newest version", f"{row.captured_at}, {row.outcome.value if row.outcome else ''}"),
            ("content_id", row.content_id or ""),
            ("capture_id", row.capture_id),
        ]
    if not row.in_seeds:
        pairs.append(("in_seeds", "no: its entry is in no seeds file"))
    yield ""
    yield from fields([(name, safe(value)) for name, value in pairs], columns)


def _with_reason(row: DocumentRow) -> str:
    return state_of(row) + (f" ({row.last_reason})" if row.last_reason else "")


def timeline(captures: Sequence[CaptureRow]) -> Iterator[str]:
    """Yield the captures of a document, newest first; `show` takes what the last column says."""
    heads = ("captured at", "outcome", "reason", "bytes", "capture")
    cells = [
        (
            f"{each.captured_at[:19]}Z",
            each.outcome.value + _OBTAINED.get(each.obtained, ""),
            safe(each.reason),
            "" if each.size is None else str(each.size),
            each.capture_id.removeprefix("sha256:")[:12],
        )
        for each in captures
    ]
    widths = columns_of([heads, *cells])
    yield align(heads, widths, right=(3,))
    for cell in cells:
        yield align(cell, widths, right=(3,))


def capture_card(row: CaptureRow, columns: int | None) -> Iterator[str]:
    """Yield every column of a capture that holds something, named as in the index."""
    yield from fields(_named(row, [each.name for each in fields_of(row)]), columns)


def _named(row: DocumentRow | CaptureRow, names: Sequence[str]) -> list[tuple[str, str]]:
    values = ((name, getattr(row, name)) for name in names)
    return [(name, _shown(value)) for name, value in values if value not in (None, ())]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return safe(", ".join(map(str, value)) if isinstance(value, tuple) else value)
