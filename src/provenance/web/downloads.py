"""What can be saved of a capture beside its content: its record, its text, the proof of it."""

from __future__ import annotations

import asyncio
from typing import Any

from datasette import Response

from provenance.reading import lookup
from provenance.reading.facts import CaptureFacts
from provenance.web.answers import MissingError, begin_stream
from provenance.web.attachment import Site
from provenance.web.display import saved_as
from provenance.web.finding import find_capture, named
from provenance.web.machines import capture_address
from provenance.web.policy import DOWNLOAD_HEADERS, Receive
from provenance.web.presence import evidence_near, with_record_here
from provenance.web.signposting import part_links
from provenance.web.stream import ByteStream


async def record(site: Site, request: Any, receive: Receive) -> ByteStream:
    """Send the gzip member of the capture's record as it is stored.

    Its type says nothing of gzip: some browsers would unpack it while they save it.
    """
    facts = await with_record_here(site, (await find_capture(site, named(request))).capture)
    begin_stream(site, request)
    stream = ByteStream(
        site.source.member(facts.capture_id),
        size=facts.length,
        content_id=None,
        headers={
            **_headers(site, request, facts, "warc.gz"),
            "content-type": "application/octet-stream",
        },
        receive=receive,
        head_only=request.method == "HEAD",
    )
    await stream.read_ahead()
    return stream


async def text(site: Site, request: Any) -> Response:
    """Send the whole text that was taken out of the content, in UTF-8."""
    facts = (await find_capture(site, named(request))).capture
    raw = await site.read(lambda conn: lookup.read_text_bytes(conn, str(facts.content_id)))
    if not raw:
        raise MissingError(
            "No text was taken out of this capture.",
            near=evidence_near(facts),
        )
    return Response(
        raw,
        headers=_headers(site, request, facts, "txt"),
        content_type="text/plain; charset=utf-8",
    )


async def log_proof(site: Site, request: Any) -> Response:
    """Send the proof that the log covers the capture."""
    facts = (await find_capture(site, named(request))).capture
    raw = await asyncio.to_thread(site.source.proof, facts.capture_id)
    if raw is None:
        raise MissingError(
            "The log does not cover this capture yet: a checkpoint adds what was sealed before it."
            if await asyncio.to_thread(site.source.log)
            else "This archive has no log yet, so there is no proof from it.",
            near=evidence_near(facts),
        )
    return Response(
        raw,
        headers=_headers(site, request, facts, "tlog-proof"),
        content_type="application/octet-stream",
    )


def _headers(site: Site, request: Any, facts: CaptureFacts, extension: str) -> dict[str, str]:
    return {
        **DOWNLOAD_HEADERS,
        "link": part_links(capture_address(site, request, facts.capture_id)),
        "content-disposition": saved_as(facts.document, facts.capture_id, extension),
        "cache-control": "no-cache",
    }
