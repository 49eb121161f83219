"""Say what text is to be taken out of, and what an extraction gives back. Pure: opens nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from provenance.digest import Digest
from provenance.holdings import Capture, Obtained, Redirect
from provenance.http_message import Undecoded
from provenance.index.rows import Cell
from provenance.index.schema import CAPTURE
from provenance.model import CollectionId, DocumentId, OutcomeKind, RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSource:
    """One distinct content: what it is declared to be, and the capture its bytes are read from.

    `base_url` is the address that answered that capture, or else the one asked for.
    """

    content_id: Digest
    media_type: str | None
    charset: str | None
    base_url: str | None
    capture: Capture


class Derived(Protocol):
    """What text extraction gives for one content.

    `pages` are the code points of `text` at which pages start; `links` are (absolute address,
    label) pairs in the order of the text; `fault` says why there is no text, or not all of it.
    """

    @property
    def algorithm(self) -> str:
        """Name and version, such as `text-v1`."""

    @property
    def text(self) -> str:
        """The text, empty where there is none."""

    @property
    def text_id(self) -> str | None:
        """The digest of the text derivative."""

    @property
    def title(self) -> str | None:
        """The title the content gives itself."""

    @property
    def author(self) -> str | None:
        """The author the content gives itself."""

    @property
    def published(self) -> str | None:
        """The date the content gives itself."""

    @property
    def language(self) -> str | None:
        """The language the content gives itself."""

    @property
    def charset(self) -> str | None:
        """The charset the bytes were read with."""

    @property
    def fault(self) -> str | None:
        """Why the text is missing or incomplete."""

    @property
    def pages(self) -> Sequence[int]:
        """Where pages start, in code points."""

    @property
    def links(self) -> Sequence[tuple[str, str | None]]:
        """Hyperlinks, as (absolute address, label)."""


Derive: TypeAlias = Callable[[Iterable[ContentSource]], Iterator[Derived]]
"""One extraction for each source, in the same order.

It takes sources from the thread that takes its results, and may take some ahead.
"""


def source_of_row(row: Sequence[Cell]) -> ContentSource:
    """Return the source that a `capture` row with a content stands for."""
    capture = capture_of_row(row)
    if capture.content_id is None:
        raise ValueError(f"capture {capture.capture_id} has no content")
    return ContentSource(
        content_id=capture.content_id,
        media_type=capture.media_type,
        charset=capture.charset,
        base_url=capture.final_url or capture.url,
        capture=capture,
    )


def capture_of_row(row: Sequence[Cell]) -> Capture:
    """Return the capture that a `capture` row holds; the inverse of `rows.capture_row`."""
    cells = dict(zip(CAPTURE.names, row, strict=True))
    note = json.loads(str(cells["note"]))
    undecoded, content_id, payload = (
        _text(cells[name]) for name in ("undecoded", "content_id", "payload_digest")
    )
    return Capture(
        capture_id=Digest(str(cells["capture_id"])),
        collection=CollectionId(str(cells["collection"])),
        document=DocumentId(str(cells["document"])),
        run=RunId(str(cells["run"])),
        url=_text(cells["url"]),
        final_url=_text(cells["final_url"]),
        outcome=OutcomeKind(str(cells["outcome"])),
        reason=_text(cells["reason"]),
        status=_whole(cells["status"]),
        captured_at=str(cells["captured_at"]),
        content_id=Digest(content_id) if content_id else None,
        payload_digest=Digest(payload) if payload else None,
        size=_whole(cells["size"]),
        media_type=_text(cells["media_type"]),
        charset=_text(cells["charset"]),
        undecoded=Undecoded(undecoded) if undecoded else None,
        truncated=_text(cells["truncated"]),
        obtained=Obtained(str(cells["obtained"])),
        rule=_text(cells["rule"]),
        flags=tuple(json.loads(str(cells["flags"]))),
        redirects=tuple(_redirects(note)),
        record_type=str(cells["record_type"]),
        warc=str(cells["warc"]),
        offset=int(cells["offset"] or 0),
        ordinal=int(cells["ordinal"] or 0),
        length=int(cells["length"] or 0),
        note=note,
    )


def _redirects(note: object) -> Iterator[Redirect]:
    """Read the hops of a note, which have been read once before to make the capture."""
    hops = note.get("redirects") if isinstance(note, Mapping) else None
    for hop in hops if isinstance(hops, list) else []:
        if isinstance(hop, Mapping) and isinstance(hop.get("url"), str):
            status, location, capture_id = (
                hop.get(key) for key in ("status", "location", "capture_id")
            )
            yield Redirect(
                url=str(hop["url"]),
                status=status if isinstance(status, int) else 0,
                location=location if isinstance(location, str) else "",
                capture_id=Digest(capture_id) if isinstance(capture_id, str) else None,
            )


def _text(cell: Cell) -> str | None:
    return cell if isinstance(cell, str) else None


def _whole(cell: Cell) -> int | None:
    return cell if isinstance(cell, int) else None
