"""The archived bytes themselves, whole and unchanged: as a download, and for the sandbox."""

from __future__ import annotations

from typing import Any

from datasette import Response

from provenance.digest import Digest, hex_of, prefix_of
from provenance.reading.facts import CaptureFacts, CapturePage
from provenance.web.answers import MissingError, begin_stream, flag
from provenance.web.attachment import Site
from provenance.web.conditions import is_held
from provenance.web.display import Display, attachment, display_of, raw_content_type
from provenance.web.finding import find_capture, named
from provenance.web.machines import capture_address
from provenance.web.memento_links import memento_fields
from provenance.web.mementos import Memento, memento_of
from provenance.web.policy import ARCHIVED_HEADERS, DOWNLOAD_HEADERS, Receive
from provenance.web.presence import evidence_near, with_content, with_content_here
from provenance.web.signposting import part_links
from provenance.web.stream import ByteStream

_LASTING = "public, max-age=31536000, immutable"


async def content(site: Site, request: Any, receive: Receive) -> Any:
    """Send the content as a file to save: always `application/octet-stream`, never shown."""
    found = await find_capture(site, named(request))
    return await _saved(site, request, receive, found, _as_memento(site, request, found))


async def raw_view(site: Site, request: Any, receive: Receive) -> Any:
    """Send archived bytes for the frame, under a policy that lets nothing in them act."""
    found = await find_capture(site, named(request))
    if _display(with_content(site, found.capture)) is Display.EXTRACTED:
        raise MissingError(
            "This kind of file is not shown; it can be saved instead.",
            near=evidence_near(found.capture),
        )
    return await _shown(site, request, receive, found, _as_memento(site, request, found))


async def memento(
    site: Site, request: Any, receive: Receive, found: CapturePage, dated: Memento
) -> Any:
    """Send archived bytes as a memento: as they are shown, or to save where they are not."""
    send = _shown if dated.shown else _saved
    return await send(site, request, receive, found, dated)


def _as_memento(site: Site, request: Any, found: CapturePage) -> Memento | None:
    """Return what is asked for as a memento, where the address names the whole capture id.

    A content stands for all the captures that have it, and has no date of its own.
    """
    facts = found.capture
    if not facts.is_version or prefix_of(named(request)) != hex_of(Digest(facts.capture_id)):
        return None
    return memento_of(
        facts.capture_id,
        facts.captured_at,
        facts.url,
        facts.final_url,
        asked=flag(request, "asked"),
        shown=_display(with_content(site, facts)) is not Display.EXTRACTED,
    )


def _links(site: Site, request: Any, facts: CaptureFacts, dated: Memento | None) -> dict[str, str]:
    parts = part_links(capture_address(site, request, facts.capture_id))
    return {"link": parts} if dated is None else memento_fields(site, request, dated, parts)


async def _saved(
    site: Site, request: Any, receive: Receive, found: CapturePage, dated: Memento | None
) -> Any:
    facts = await with_content_here(site, found.capture)
    etag = f'"{facts.content_id}"'
    # A beginning of a digest may come to fit another content too.
    asked = request.url_vars.get("id", "")
    whole = (asked, f"sha256:{asked}")
    headers = {
        **DOWNLOAD_HEADERS,
        **_links(site, request, facts, dated),
        "content-type": "application/octet-stream",
        "content-disposition": attachment(facts.document, str(facts.content_id), facts.media_type),
        "etag": etag,
        "cache-control": _LASTING if facts.content_id in whole else "no-cache",
    }
    if is_held(request.scope["headers"], etag):
        return Response(b"", status=304, headers=headers, content_type="application/octet-stream")
    return await _stream(site, request, receive, facts, headers)


async def _shown(
    site: Site, request: Any, receive: Receive, found: CapturePage, dated: Memento | None
) -> Any:
    facts = await with_content_here(site, found.capture)
    headers = {
        **ARCHIVED_HEADERS,
        **_links(site, request, facts, dated),
        "content-type": raw_content_type(_display(facts), facts.media_type, _charset(found)),
        "cache-control": "private, max-age=3600",
    }
    return await _stream(site, request, receive, facts, headers)


async def _stream(
    site: Site, request: Any, receive: Receive, facts: CaptureFacts, headers: dict[str, str]
) -> ByteStream:
    begin_stream(site, request)
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


def _display(facts: CaptureFacts) -> Display:
    return display_of(facts.media_type, undecoded=bool(facts.undecoded), size=facts.size or 0)


def _charset(found: CapturePage) -> str | None:
    return (found.text.charset if found.text else None) or found.capture.charset
