"""Find the document or capture that an address of the site names, or say what is near it."""

from __future__ import annotations

import difflib
from typing import Any
from urllib.parse import unquote

from provenance.digest import prefix_of
from provenance.reading import lookup
from provenance.reading.facts import CapturePage, DocumentPage
from provenance.web.answers import MissingError
from provenance.web.attachment import Site
from provenance.web.render import segment, short_digest


def named(request: Any, variable: str = "id") -> str:
    """Return a path variable with its percent-escapes undone."""
    return unquote(request.url_vars[variable])


async def find_document(
    site: Site, document: str, *, limit: int = lookup.TIMELINE, offset: int = 0
) -> DocumentPage:
    """Return the document's page, with so many captures from `offset` on, the newest first.

    Raises:
        MissingError: there is none; ids spelled alike are near.
    """
    found = await site.read(
        lambda conn: lookup.read_document(conn, document, limit=limit, offset=offset)
    )
    if found is not None:
        return found
    known = await site.read(lambda conn: lookup.near_documents(conn, document[:200]))
    alike = difflib.get_close_matches(document[:200], known, n=5, cutoff=0.5)
    raise MissingError(
        f"No document has the id “{document[:200]}”.",
        near=tuple((f"/document/{segment(name)}", name) for name in alike),
    )


async def find_capture_id(site: Site, text: str) -> str:
    """Return the capture id for a digest or prefix; a content id means its first capture.

    Raises:
        MissingError: nothing fits, or several do (then they are near).
    """
    prefix = prefix_of(text)
    if prefix is None:
        raise MissingError(
            f"“{text[:200]}” is no digest. A digest is 64 hex digits; the first 8 or more will do."
        )
    found = await site.read(lambda conn: lookup.find_ids(conn, prefix))
    if len(found) == 1:
        return found[0]
    if found:
        near = tuple((f"/capture/{one}", one) for one in found)
        raise MissingError(f"“{text[:200]}” fits several captures.", near=near, status=300)
    alike = await site.read(lambda conn: lookup.find_ids(conn, prefix[:4], limit=5))
    raise MissingError(
        f"No capture or content has the digest “{text[:200]}”.",
        near=tuple((f"/capture/{one}", f"{short_digest(one)}…") for one in alike),
    )


async def find_capture(site: Site, text: str) -> CapturePage:
    """Return the capture's page; `text` as in `find_capture_id`, which also says what is raised."""
    capture_id = await find_capture_id(site, text)
    found = await site.read(lambda conn: lookup.read_capture(conn, capture_id))
    if found is None:
        raise MissingError(f"The index has no capture {capture_id}.")
    return found
