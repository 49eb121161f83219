"""Turn what a person asked for into errands. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from provenance.digest import digest_of, hex_of
from provenance.errors import UsageError
from provenance.fetch.errands import Errands
from provenance.fetch.settings import Errand
from provenance.model import ADHOC, Collection, Document, DocumentId
from provenance.seeds import parse_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a fetch is to do: errands in the order of the targets, then of the seeds.

    `adhoc` are those that no seeds file has; `collections` are all of the seeds, without documents.
    """

    errands: Errands
    adhoc: tuple[Errand, ...]
    collections: tuple[Collection, ...]


def select(
    collections: Iterable[Collection], targets: Sequence[str], *, alternates: bool
) -> Selection:
    """Return the errands for `targets`: collection ids, document ids, URLs; none means everything.

    Naming a thing twice asks for it once. Of each collection only the errands are kept.

    Raises:
        UsageError: a target names nothing.
        SeedsError: as the collections raise it.
    """
    wanted = [_Wanted(target) for target in targets]
    everything = Errands()
    bare: list[Collection] = []
    known: list[str] = []
    for collection in collections:
        bare.append(replace(collection, documents=()))
        if targets:
            for one in wanted:
                one.look_in(collection, alternates=alternates)
            known += [str(document.id) for document in collection.documents]
        else:
            for errand in _all_errands(collection, alternates=alternates):
                everything.add(errand)
        del collection  # the next is read now
    known = [str(one.id) for one in bare] + known
    adhoc: dict[DocumentId, Errand] = {}
    chosen: dict[DocumentId, Errand] = {}
    for one in wanted:
        if one.found is None and one.is_url:
            errand = adhoc_errand(one.target)
            adhoc[errand.document] = errand
            one.found = [errand]
        elif one.found is None:
            raise _names_nothing(one.target, known)
        chosen.update({errand.document: errand for errand in one.found})
    return Selection(
        errands=Errands(chosen.values()) if targets else everything,
        adhoc=tuple(adhoc.values()),
        collections=tuple(bare),
    )


def adhoc_errand(url: str) -> Errand:
    """Return the errand of a URL outside the seeds; its document id is made from the address.

    The address follows the rules of the seeds, but for a fragment, which is left off.

    Raises:
        UsageError: it is no address that the seeds could hold.
    """
    bare = parse_address(url.partition("#")[0])
    return Errand(collection=ADHOC, document=adhoc_id(bare), url=bare)


def adhoc_id(name: str) -> DocumentId:
    """Return a document id made from an address or file name: readable, with 8 hex digits."""
    words = re.sub(r"^https?://(www\.)?", "", name.lower())
    slug = re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:48].strip("-")
    return DocumentId(f"{slug or 'document'}-{hex_of(digest_of(name.encode()))[:8]}")


class _Wanted:
    """One target, and the errands that it stands for once they are found."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.is_url = bool(re.match(r"https?://", target, re.IGNORECASE))
        self.found: list[Errand] | None = None
        self._address = target.partition("#")[0]

    def look_in(self, collection: Collection, *, alternates: bool) -> None:
        """Take what the collection has, unless one before it had something."""
        if self.found is not None:
            return
        if not self.is_url and collection.id == self.target:
            self.found = list(_all_errands(collection, alternates=alternates))
            return
        for document in collection.documents:
            if self.is_url and document.url == self._address:
                self.found = [_errand(collection, document)]
                return
            if not self.is_url and document.id == self.target:
                self.found = _errands(collection, document, alternates=alternates)
                return


def _names_nothing(target: str, known: Sequence[str]) -> UsageError:
    near = get_close_matches(target, known, n=3)
    return UsageError(
        f"no collection, document or URL {target!r}",
        hint=f"Did you mean {' or '.join(near)}?" if near else "`provenance list` shows them.",
    )


def _all_errands(collection: Collection, *, alternates: bool) -> Iterator[Errand]:
    for document in collection.documents:
        yield from _errands(collection, document, alternates=alternates)


def _errands(collection: Collection, document: Document, *, alternates: bool) -> list[Errand]:
    found = [_errand(collection, document)]
    if alternates:
        found += [
            Errand(
                collection=collection.id,
                document=DocumentId(f"{document.id}.alternate-{number}"),
                url=alternate.url,
                published=document.published,
                networks=collection.allow_networks,
            )
            for number, alternate in enumerate(document.alternates, start=1)
        ]
    return found


def _errand(collection: Collection, document: Document) -> Errand:
    return Errand(
        collection=collection.id,
        document=document.id,
        url=document.url,
        media_type=document.media_type,
        published=document.published,
        networks=collection.allow_networks,
    )
