"""Documents and captures in the forms that other programs read, and ids resolved to addresses."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from datasette import Response

from provenance.digest import from_hex
from provenance.reading.facts import CapturePage, Description
from provenance.web import words
from provenance.web.answers import MissingError
from provenance.web.attachment import Site
from provenance.web.evidence import came_at
from provenance.web.finding import find_capture, find_document, named
from provenance.web.linked import capture_graph, document_graph
from provenance.web.policy import PAGE_HEADERS
from provenance.web.presence import at_hand
from provenance.web.render import segment
from provenance.web.signposting import FORMS, Form, description_links, landing_links

_FORMS = {form.ending: form for form in FORMS}


async def document_form(site: Site, request: Any) -> Response:
    """Answer a document as JSON-LD, or a citation of its newest version in a form for programs."""
    form = _FORMS[request.url_vars["form"]]
    found = await find_document(site, named(request))
    landing = document_address(site, request, found.description.document)
    if found.newest is None:
        if form.citation is None:
            graph = document_graph(found.description, landing)
            return _answer(site, _json(graph), form, landing)
        raise MissingError("No version of this document is kept, so there is none to cite.")
    kept = await find_capture(site, found.newest.capture_id)
    return await _formed(site, request, kept, form, landing)


async def capture_form(site: Site, request: Any) -> Response:
    """Answer a capture as JSON-LD, or a citation of it in a form for programs."""
    form = _FORMS[request.url_vars["form"]]
    found = await find_capture(site, named(request))
    landing = capture_address(site, request, found.capture.capture_id)
    return await _formed(site, request, found, form, landing)


async def named_information(site: Site, request: Any) -> Response:
    """Send on from a digest: to the content that has it, else to the capture.

    Source: RFC 6920 §4 (`.well-known/ni`) and §5 (base64url without padding).
    """
    value = named(request, "value")
    try:
        raw = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise MissingError("This is no SHA-256 in base64url: 43 letters, digits, - and _.")
    digest = str(from_hex(raw.hex()))
    found = (await find_capture(site, digest)).capture
    if found.content_id == digest and found.size is not None:
        target = site.path(f"/content/{digest}")
    else:
        target = site.path(f"/capture/{found.capture_id}")
    headers = {**PAGE_HEADERS, "location": target}
    return Response("", status=307, headers=headers, content_type="text/plain; charset=utf-8")


def document_links(
    site: Site,
    request: Any,
    described: Description,
    newest: CapturePage | None,
    *,
    is_here: bool,
) -> Mapping[str, str]:
    """Return the `Link` header of a document's page; `newest` is the version that it cites.

    It names the content where its bytes are at hand.
    """
    address = document_address(site, request, described.document)
    return _landing(site, request, address, newest, is_here=is_here)


def capture_links(
    site: Site, request: Any, found: CapturePage, *, is_here: bool
) -> Mapping[str, str]:
    """Return the `Link` header of a capture's page; it names the content where it is at hand."""
    address = capture_address(site, request, found.capture.capture_id)
    return _landing(site, request, address, found, is_here=is_here)


def document_address(site: Site, request: Any, document: str) -> str:
    """Return the absolute address of a document's page."""
    return site.absolute(request, f"/document/{segment(document)}")


def capture_address(site: Site, request: Any, capture_id: str) -> str:
    """Return the absolute address of a capture's page."""
    return site.absolute(request, f"/capture/{segment(capture_id)}")


def _landing(
    site: Site, request: Any, address: str, cited: CapturePage | None, *, is_here: bool
) -> Mapping[str, str]:
    capture = cited.capture if cited else None
    content = _content_address(site, request, cited) if cited and is_here else None
    return {
        "link": landing_links(
            address,
            cite_as=capture_address(site, request, capture.capture_id) if capture else None,
            content=content,
            media_type=_content_type(site, capture.media_type) if capture else None,
            forms=site.forms(citable=capture is not None and capture.content_id is not None),
        )
    }


def _content_address(site: Site, request: Any, found: CapturePage) -> str | None:
    capture = found.capture
    if capture.content_id is None or capture.size is None:
        return None
    path = site.content_path(capture.content_id)
    return None if path is None else site.absolute(request, path)


def _content_type(site: Site, media_type: str | None) -> str | None:
    return media_type if site.offer.live else "application/zip"


async def _formed(
    site: Site, request: Any, found: CapturePage, form: Form, landing: str
) -> Response:
    capture = found.capture
    if form.citation is not None and capture.content_id is None:
        raise MissingError("Nothing came in this capture, so there is nothing to cite.")
    if form.citation is None:
        is_here = site.offer.live and (await at_hand(site, capture.capture_id)).content
        text = _json(
            capture_graph(
                capture,
                found.description,
                found.record,
                happened=words.what_happened(capture),
                page=capture_address(site, request, capture.capture_id),
                document=document_address(site, request, capture.document),
                content=_content_address(site, request, found) if is_here else None,
                came_at=came_at(capture),
                was_asked=words.was_asked(capture),
            )
        )
    else:
        text = await asyncio.to_thread(site.source.cite, capture.capture_id, form.citation, None)
    return _answer(site, text, form, landing)


def _answer(site: Site, text: str, form: Form, landing: str) -> Response:
    foreign = {"access-control-allow-origin": "*"} if site.datasette.cors else {}
    return Response(
        text.encode("utf-8", "replace"),
        headers={**PAGE_HEADERS, **foreign, "link": description_links(landing)},
        content_type=f"{form.media_type}; charset=utf-8",
    )


def _json(graph: Mapping[str, object]) -> str:
    return json.dumps(graph, ensure_ascii=False, indent=1) + "\n"
