"""Turn what a person asked for into errands. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from provenance.digest import digest_of, hex_of
from provenance.errors import UsageError
from provenance.fetch.settings import Errand
from provenance.model import ADHOC, Collection, Document, DocumentId
from provenance.seeds import parse_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a fetch is to do: errands in seeds order; `adhoc` are those that no seeds file has."""

    errands: tuple[Errand, ...]
    adhoc: tuple[Errand, ...]


def select(
    collections: Sequence[Collection], targets: Sequence[str], *, alternates: bool
) -> Selection:
    """Return the errands for `targets`: collection ids, document ids, URLs; none means everything.

    Naming a thing twice asks for it once.

    Raises:
        UsageError: a target names nothing.
    """
    chosen: dict[DocumentId, Errand] = {}
    adhoc: dict[DocumentId, Errand] = {}
    for target in targets or [collection.id for collection in collections]:
        if re.match(r"https?://", target, re.IGNORECASE):
            found = _by_url(collections, target)
            errands = [_errand(*found)] if found else []
            if not found:
                errand = adhoc_errand(target)
                adhoc[errand.document] = errand
                errands = [errand]
        else:
            errands = _by_id(collections, target, alternates=alternates)
        chosen.update({errand.document: errand for errand in errands})
    return Selection(errands=tuple(chosen.values()), adhoc=tuple(adhoc.values()))


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


def _by_url(collections: Iterable[Collection], url: str) -> tuple[Collection, Document] | None:
    bare = url.partition("#")[0]
    for collection in collections:
        for document in collection.documents:
            if document.url == bare:
                return collection, document
    return None


def _by_id(collections: Sequence[Collection], target: str, *, alternates: bool) -> list[Errand]:
    for collection in collections:
        if collection.id == target:
            pairs = [(collection, document) for document in collection.documents]
            return [each for pair in pairs for each in _errands(*pair, alternates=alternates)]
        for document in collection.documents:
            if document.id == target:
                return _errands(collection, document, alternates=alternates)
    known = [str(one.id) for one in collections]
    known += [str(document.id) for one in collections for document in one.documents]
    near = get_close_matches(target, known, n=3)
    raise UsageError(
        f"no collection, document or URL {target!r}",
        hint=f"Did you mean {' or '.join(near)}?" if near else "`provenance list` shows them.",
    )


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
