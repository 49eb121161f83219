"""Show an archived document in a page of ours: in a sandboxed frame, as pictures, or as text.

Bytes that go into the frame, and pictures that were drawn of a document, have addresses of their
own here, under policies that let nothing in them act.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from datasette import Response

from provenance.errors import ProvenanceError
from provenance.reading import lookup
from provenance.reading.facts import CaptureFacts, CapturePage, TextPage
from provenance.reading.paging import is_paged, read_page_text
from provenance.web.answers import MissingError, busy, page
from provenance.web.attachment import Site
from provenance.web.display import SHOWN_BYTES, Display, display_of
from provenance.web.evidence import parse_note, read_evidence
from provenance.web.faults import log_fault
from provenance.web.finding import find_capture, named
from provenance.web.machines import capture_address
from provenance.web.policy import ARCHIVED_HEADERS, ASSEMBLED_HEADERS
from provenance.web.presence import (
    at_hand,
    check_content,
    evidence_near,
    with_content,
    with_content_here,
)
from provenance.web.recent import BusyError, Recent
from provenance.web.signposting import part_links
from provenance.web.source import Assembled, Drawn

TEXT_SHOWN = 200_000
"""Characters of extracted text that the view shows of a document without pictures."""

T = TypeVar("T")
_PDF = ("application/pdf", "application/x-pdf")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageShown:
    """One page of a paged document: its number, its picture or why there is none, its text."""

    number: int
    drawn: Drawn
    text: str


async def view(site: Site, request: Any) -> Response:
    """Show the archived document; `?page=` chooses a page of a paged one."""
    found = await find_capture(site, named(request))
    facts = with_content(site, found.capture)
    is_here = site.offer.live and (await at_hand(site, facts.capture_id)).content
    display = "text only" if site.offer.live else "copy"
    assembled, leaf, is_damaged = None, None, False
    if is_here:
        shown = display_of(facts.media_type, undecoded=bool(facts.undecoded), size=facts.size or 0)
        display = shown.value
        try:
            if shown is Display.HTML:
                assembled = await _assembled(site, facts)
            elif shown is Display.EXTRACTED and await _is_pdf(site, facts):
                leaf = await _leaf(site, request, facts)
                display = "pages" if leaf.drawn.fault is None else display
            if shown is not Display.EXTRACTED and assembled is None:
                await _checked(site, facts)
        except ProvenanceError as error:
            log_fault(request.path, error)
            display, is_damaged = "text only", True
    pages: tuple[TextPage, ...] = ()
    if display in ("text only", "copy", Display.EXTRACTED.value):
        pages = await site.read(
            lambda conn: lookup.read_text(conn, str(facts.content_id), limit=TEXT_SHOWN)
        )
    return page(
        site,
        "view.html",
        found=found,
        capture=facts,
        display=display,
        is_here=is_here and not is_damaged,
        is_damaged=is_damaged,
        assembled=assembled,
        leaf=leaf,
        evidence=read_evidence(parse_note(facts.note)),
        text_pages=pages,
        shown=TEXT_SHOWN,
    )


async def assembled_view(site: Site, request: Any) -> Response:
    """Send a page with its parts for the frame, under a policy that lets nothing in it act."""
    found = await find_capture(site, named(request))
    facts = await with_content_here(site, found.capture)
    if display_of(facts.media_type, undecoded=bool(facts.undecoded), size=0) is not Display.HTML:
        raise MissingError("This is no page that is put together.", near=evidence_near(facts))
    made = await _assembled(site, facts)
    if made is None:
        raise MissingError("This page is too large to be put together.", near=evidence_near(facts))
    headers = {**ASSEMBLED_HEADERS, "link": _links(site, request, found)}
    media_type = "application/xhtml+xml" if facts.media_type == "application/xhtml+xml" else None
    return Response(
        made.page, headers=headers, content_type=f"{media_type or 'text/html'}; charset=utf-8"
    )


async def page_picture(site: Site, request: Any) -> Response:
    """Send a page of a PDF as a picture."""
    found = await find_capture(site, named(request))
    facts = await with_content_here(site, found.capture)
    if not await _is_pdf(site, facts):
        raise MissingError("Pictures are made of PDF files only.", near=evidence_near(facts))
    made = await _drawn(site, facts, int(request.url_vars["number"]))
    if made.fault is not None:
        raise MissingError("This page could not be drawn.", near=evidence_near(facts))
    return Response(
        made.png,
        headers={
            **ARCHIVED_HEADERS,
            "link": _links(site, request, found),
            "cache-control": "private, max-age=3600",
        },
        content_type="image/png",
    )


def _links(site: Site, request: Any, found: CapturePage) -> str:
    return part_links(capture_address(site, request, found.capture.capture_id))


async def _assembled(site: Site, facts: CaptureFacts) -> Assembled | None:
    make = functools.partial(asyncio.to_thread, site.source.assembled, facts.capture_id)
    return await _in_turn(site.assembled, facts.capture_id, make)


async def _drawn(site: Site, facts: CaptureFacts, number: int) -> Drawn:
    make = functools.partial(asyncio.to_thread, site.source.drawn, facts.capture_id, number)
    return await _in_turn(site.drawn, (facts.content_id, number), make)


async def _checked(site: Site, facts: CaptureFacts) -> None:
    """See that what the frame is to show as it was kept is what was kept.

    Raises:
        ProvenanceError: it is not, or cannot be read.
    """
    check = functools.partial(asyncio.to_thread, check_content, site.source, facts)
    await _in_turn(site.seen, facts.capture_id, check)


async def _in_turn(recent: Recent[T], key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
    try:
        return await recent.get(key, make)
    except BusyError:
        raise busy("Other documents are being prepared.") from None


async def _is_pdf(site: Site, facts: CaptureFacts) -> bool:
    if facts.undecoded or (facts.size or 0) > SHOWN_BYTES:
        return False
    if facts.media_type in _PDF:
        return True
    return await site.read(lambda conn: is_paged(conn, str(facts.content_id)))


async def _leaf(site: Site, request: Any, facts: CaptureFacts) -> PageShown:
    text = request.args.get("page") or "1"
    number = int(text[:6]) if text.isascii() and text.isdigit() else 0
    made = await _drawn(site, facts, number)
    if made.fault == "no_such_page":
        many = f" This document has {made.pages}." if made.pages else ""
        near = ((f"/view/{facts.capture_id}", "its first page"), *evidence_near(facts))
        raise MissingError(f"There is no page “{text[:6]}”.{many}", near=near)
    words = await site.read(lambda conn: read_page_text(conn, str(facts.content_id), number))
    return PageShown(number=number, drawn=made, text=words)
