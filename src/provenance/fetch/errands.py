"""Hold very many errands in little memory: each is a row of text until it is asked for. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

from provenance.fetch.settings import Errand
from provenance.model import CollectionId, DocumentId

_SEPARATOR = "\0"
"""Stands in no id, address, media type or date that the seeds may hold."""


class Errands:
    """Errands by number, from 0; those that are done are ticked off.

    A hundred thousand objects that are made while seeds are read, and kept, would keep the memory
    around them too, which is many times theirs.
    """

    def __init__(self, errands: Iterable[Errand] = ()) -> None:
        self._shared: dict[tuple[CollectionId, tuple[str, ...]], int] = {}
        self._kinds: list[tuple[CollectionId, tuple[str, ...]]] = []
        self._rows = bytearray()
        self._ends = array("Q")
        self._of = array("L")
        self._ticked = bytearray()
        for errand in errands:
            self.add(errand)

    def add(self, errand: Errand) -> None:
        """Take one more errand, behind those that are there."""
        alike = (errand.collection, errand.networks)
        self._of.append(self._shared.setdefault(alike, len(self._shared)))
        if len(self._shared) > len(self._kinds):
            self._kinds.append(alike)
        cells = (errand.document, errand.url, errand.media_type, errand.published)
        self._rows += _SEPARATOR.join(cell or "" for cell in cells).encode("utf-8", "surrogatepass")
        self._ends.append(len(self._rows))
        self._ticked.append(0)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> Errand:
        start = self._ends[number - 1] if number else 0
        row = bytes(self._rows[start : self._ends[number]]).decode("utf-8", "surrogatepass")
        document, url, media_type, published = row.split(_SEPARATOR)
        collection, networks = self._kinds[self._of[number]]
        return Errand(
            collection=collection,
            document=DocumentId(document),
            url=url or None,
            media_type=media_type or None,
            published=published or None,
            networks=networks,
        )

    def __iter__(self) -> Iterator[Errand]:
        return (self[number] for number in range(len(self)))

    def collections(self) -> frozenset[CollectionId]:
        """Return the collections that have errands here."""
        return frozenset(collection for collection, _ in self._kinds)

    def tick_off(self, number: int) -> None:
        """Note that an errand is done."""
        self._ticked[number] = 1

    def left(self) -> Iterable[int]:
        """Yield the numbers of those that are not done."""
        return (number for number in range(len(self)) if not self._ticked[number])
