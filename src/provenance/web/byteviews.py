"""The archived bytes themselves: as a download, and shown inside a sandbox."""

from __future__ import annotations

from typing import Any

from datasette import Response

from provenance.web import reading
from provenance.web.answers import MissingError, page
from provenance.web.attachment import Site
from provenance.web.display import Display, attachment, display_of, raw_content_type
from provenance.web.facts import CaptureFacts, CapturePage
from provenance.web.finding import find_capture, named
from provenance.web.machines import capture_address
from provenance.web.policy import ARCHIVED_HEADERS, DOWNLOAD_HEADERS, Receive
from provenance.web.signposting import part_links
from provenance.web.stream import ByteStream

TEXT_SHOWN = 200_000
"""Characters of extracted text that the view of a PDF or the like shows."""


async def content(site: Site, request: Any, receive: Receive) -> Any:
    """Send the content as a file to save: always `application/octet-stream`, never shown."""
    facts = _with_content(site, (await find_capture(site, named(request))).capture)
    etag = f'"{facts.content_id}"'
    headers = {
        **DOWNLOAD_HEADERS,
        "link": part_links(capture_address(site, request, facts.capture_id)),
        "content-type": "application/octet-stream",
        "content-disposition": attachment(facts.document, str(facts.content_id), facts.media_type),
        "etag": etag,
        "cache-control": "public, max-age=31536000, immutable",
    }
    if etag in (request.headers.get("if-none-match") or ""):
        return Response(b"", status=304, headers=headers, content_type="application/octet-stream")
    return await _stream(site, request, receive, facts, headers)


async def view(site: Site, request: Any) -> Response:
    """Show the archived document in a frame without scripts, network or the site's origin."""
    found = await find_capture(site, named(request))
    facts = _with_content(site, found.capture)
    # A frame needs headers that no host of files sends, so there the text is shown.
    display = _display(facts) if site.offer.live else Display.EXTRACTED
    pages: tuple[object, ...] = ()
    if display is Display.EXTRACTED:
        pages = await site.read(
            lambda conn: reading.read_text(conn, str(facts.content_id), limit=TEXT_SHOWN)
        )
    return page(
        site,
        "view.html",
        found=found,
        capture=facts,
        display=display.value,
        text_pages=pages,
        shown=TEXT_SHOWN,
    )


async def raw_view(site: Site, request: Any, receive: Receive) -> Any:
    """Send archived bytes for the frame, under a policy that lets nothing in them act."""
    found = await find_capture(site, named(request))
    facts = _with_content(site, found.capture)
    display = _display(facts)
    if display is Display.EXTRACTED:
        raise MissingError("This kind of file is not shown; it can be saved instead.", status=404)
    headers = {
        **ARCHIVED_HEADERS,
        "link": part_links(capture_address(site, request, facts.capture_id)),
        "content-type": raw_content_type(display, facts.media_type, _charset(found)),
        "cache-control": "private, max-age=3600",
    }
    return await _stream(site, request, receive, facts, headers)


async def _stream(
    site: Site, request: Any, receive: Receive, facts: CaptureFacts, headers: dict[str, str]
) -> ByteStream:
    stream = ByteStream(
        site.source.content(facts.capture_id),
        size=facts.size or 0,
        content_id=str(facts.content_id),
        headers=headers,
        receive=receive,
        head_only=request.method == "HEAD",
    )
    await stream.read_ahead()
    return stream


def _with_content(site: Site, facts: CaptureFacts) -> CaptureFacts:
    if not site.offer.contents:
        raise MissingError(
            "The documents themselves are not on this site.",
            near=((f"/capture/{facts.capture_id}", "the evidence of this capture"),),
        )
    if facts.content_id is None or facts.size is None:
        raise MissingError(
            "Nothing came in this capture, so there is nothing to show or save.",
            near=((f"/capture/{facts.capture_id}", "the evidence of the attempt"),),
        )
    return facts


def _display(facts: CaptureFacts) -> Display:
    return display_of(facts.media_type, undecoded=bool(facts.undecoded), size=facts.size or 0)


def _charset(found: CapturePage) -> str | None:
    return (found.text.charset if found.text else None) or found.capture.charset
