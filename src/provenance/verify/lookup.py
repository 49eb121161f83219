"""Look up in the index what an id, a content or a PWID stands for, and where it is. Reads only.

What is found is where to look, and never what is true of it. `cite` is imported where it is used:
one id is to be verified at once.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.dates import format_instant
from provenance.digest import Digest
from provenance.errors import UsageError
from provenance.index import Resolved, open_index, places, resolve

if TYPE_CHECKING:
    from provenance.cite.identifiers import Pwid

_NO_ROOT = "Give -C the archive root it may be in, or the name of a WARC, ARC or WACZ file."


class Lookup:
    """The index of one root, opened when it is first asked; `close` closes it."""

    def __init__(self, index: Path | None) -> None:
        self._index = index
        self._stack = contextlib.ExitStack()
        self._opened = False

    def close(self) -> None:
        """Close the index, if it was opened."""
        self._stack.close()

    def open(self, target: str) -> None:
        """Open the index to look for `target`.

        Raises:
            UsageError: there is no archive root.
            IndexMissingError: there is no index, or it cannot be read.
        """
        if self._opened:
            return
        if self._index is None:
            raise UsageError(
                f"{target!r} is no WARC, ARC or WACZ file, and here is no archive root to look in",
                hint=_NO_ROOT,
            )
        self._connection = self._stack.enter_context(open_index(self._index))
        self._opened = True

    def resolve(self, identifier: str) -> Resolved:
        """Return what an id or the beginning of one stands for.

        Raises:
            AmbiguousIdError, UnknownIdError: as `index.resolve` does.
        """
        return resolve(self._connection, identifier)

    def with_content(self, content_id: Digest) -> tuple[Digest, ...]:
        """Return the captures that have this content, oldest first."""
        return places.captures_with(self._connection, content_id)

    def content_of(self, capture_id: Digest) -> Digest | None:
        """Return the content that the index gives a capture."""
        return places.content_of(self._connection, capture_id)

    def named(self, pwid: Pwid) -> tuple[Digest, ...]:
        """Return the captures that a PWID names: by collection, second and address."""
        from provenance.cite import to_pwid  # only a citation needs it

        first = format_instant(pwid.second)
        end = format_instant(pwid.second + timedelta(seconds=1))
        found = []
        for each in places.captures_between(self._connection, first, end):
            if each.content_id is None:
                continue
            urn = to_pwid(
                collection=each.collection,
                captured_at=each.captured_at,
                address=each.final_url or each.url,
                content_id=each.content_id,
            )
            if pwid.names(urn):
                found.append(each.capture_id)
        return tuple(found)

    # What `single.Places` asks

    def of_capture(self, capture_id: Digest) -> places.Place | None:
        """Return the place of a capture's record, or None."""
        return places.place_of_capture(self._connection, capture_id)

    def of_record(self, record_id: str) -> tuple[places.Place, ...]:
        """Return the places of the records of this id."""
        return places.places_of_record(self._connection, record_id)

    def of_digest(self, record_digest: Digest) -> places.Place | None:
        """Return the place of a record of this digest, or None."""
        return places.place_of_digest(self._connection, record_digest)

    def of_leaf(self, record_digest: Digest) -> tuple[str, int] | None:
        """Return file and byte of a record of this digest, or None."""
        return places.beginning_of(self._connection, record_digest)

    def warcinfo_before(self, warc: str, offset: int) -> int | None:
        """Return the byte of the last warcinfo record of a file before a byte, or None."""
        return places.warcinfo_before(self._connection, warc, offset)
