"""See that the bytes of a capture can be had before they are promised, or say why not."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable

from provenance.reading.facts import CaptureFacts
from provenance.web.answers import MissingError
from provenance.web.attachment import Site
from provenance.web.source import AtHand, SiteSource
from provenance.web.stream import BrokenContentError

_ELSEWHERE = (
    "The bytes are not at this site. It has the index, which says what they are and where they"
    " stand; the WARC file that holds them is not here."
)
_NOT_OFFERED = "The documents themselves are not on this site."
_NOWHERE = AtHand(record=False, content=False)
_NOTHING = "Nothing came in this capture, so there is nothing to show or save."


def evidence_near(facts: CaptureFacts) -> tuple[tuple[str, str], ...]:
    """Return the way to the evidence page, for an error page."""
    return ((f"/capture/{facts.capture_id}", "the evidence of this capture"),)


def with_content(site: Site, facts: CaptureFacts) -> CaptureFacts:
    """Return a capture that has content which the site gives.

    Raises:
        MissingError: it has none, or the site does not give it.
    """
    if not site.offer.contents:
        raise MissingError(_NOT_OFFERED, near=evidence_near(facts))
    if facts.content_id is None or facts.size is None:
        raise MissingError(_NOTHING, near=evidence_near(facts))
    return facts


async def at_hand(site: Site, capture_id: str) -> AtHand:
    """Say which of a capture's bytes can be had."""
    found = await asyncio.to_thread(site.source.at_hand, (capture_id,))
    return found.get(capture_id, _NOWHERE)


async def contents_here(site: Site, capture_ids: Iterable[str]) -> frozenset[str]:
    """Return those of some captures whose content can be had."""
    found = await asyncio.to_thread(site.source.at_hand, tuple(capture_ids))
    return frozenset(one for one, held in found.items() if held.content)


def check_content(source: SiteSource, facts: CaptureFacts) -> None:
    """Read a content to its end, and no further than its size, to see that it can be shown.

    Raises:
        ProvenanceError: it cannot be read, or is not what the index names.
    """
    digest, read = hashlib.sha256(), 0
    for piece in source.content(facts.capture_id):
        digest.update(piece)
        read += len(piece)
        if read > (facts.size or 0):
            break
    found = f"sha256:{digest.hexdigest()}"
    if found != facts.content_id:
        raise BrokenContentError(
            "the stored content is not what the index names",
            where=facts.capture_id,
            expected=facts.content_id,
            found=found,
            hint="Run `provenance verify`.",
        )


async def with_content_here(site: Site, facts: CaptureFacts) -> CaptureFacts:
    """Return a capture whose content is at hand.

    Raises:
        MissingError: it has none, the site does not give it, or the WARC file is not here.
    """
    with_content(site, facts)
    if not (await at_hand(site, facts.capture_id)).content:
        raise MissingError(_ELSEWHERE, near=evidence_near(facts))
    return facts


async def with_record_here(site: Site, facts: CaptureFacts) -> CaptureFacts:
    """Return a capture whose record is at hand.

    Raises:
        MissingError: the WARC file is not here.
    """
    if not (await at_hand(site, facts.capture_id)).record:
        raise MissingError(_ELSEWHERE, near=evidence_near(facts))
    return facts
