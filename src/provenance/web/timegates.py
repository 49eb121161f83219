"""Answer for an address at a date: the TimeGate, TimeMaps, and mementos by their date.

Source: RFC 7089 §4.2.1 (a TimeGate of its own that redirects), §4.5.3 (bad dates), §5 (TimeMaps).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from datasette import Response

from provenance.dates import format_http_date, parse_http_date, parse_stamp
from provenance.web import byteviews
from provenance.web.answers import MissingError, missing, twin
from provenance.web.attachment import Site
from provenance.web.finding import find_capture
from provenance.web.memento_links import (
    LINK_FORMAT,
    gate_links,
    map_links,
    map_values,
    memento_address,
)
from provenance.web.mementos import Listing, Span, read_listing, read_span
from provenance.web.originals import in_link, spellings
from provenance.web.policy import PAGE_HEADERS, Receive

MAP_SIZE = 5_000
"""Mementos on one page of a TimeMap."""

_NEGOTIATED: Mapping[str, str] = MappingProxyType({"vary": "accept-datetime"})
"""Of every answer of a TimeGate, that there is no memento too. Source: RFC 7089 §2.1.2."""
_NONE: Mapping[str, str] = MappingProxyType({})
_EXPOSED = "link, location, memento-datetime, vary"


async def timegate(site: Site, request: Any) -> Response:
    """Send on to the memento nearest to Accept-Datetime, or to the newest without one."""
    said = request.headers.get("accept-datetime")
    at = parse_http_date(said) if said is not None else None
    span = await _span(site, request, at, headers=_NEGOTIATED)
    headers = {**_NEGOTIATED, "link": gate_links(site, request, span)}
    if said is not None and at is None:
        example = format_http_date(span.chosen.instant)
        what = f"Accept-Datetime is no date such as “{example}”."
        return missing(site, MissingError(what, status=400, headers=headers))
    headers["location"] = memento_address(site, request, span.chosen)
    return Response("", status=302, headers={**PAGE_HEADERS, **_open(site), **headers})


async def timemap_link(site: Site, request: Any) -> Response:
    """List the mementos of an address in link format."""
    listing, page = await _listing(site, request)
    return Response(
        map_links(site, request, listing, page),
        headers={**PAGE_HEADERS, **_open(site)},
        content_type=LINK_FORMAT,
    )


async def timemap_json(site: Site, request: Any) -> Response:
    """List the mementos of an address as JSON."""
    listing, page = await _listing(site, request)
    return twin(site, map_values(site, request, listing, page))


async def dated_memento(site: Site, request: Any, receive: Receive) -> Any:
    """Answer a memento under an address with its date, as replay tools build it.

    A date that no memento has leads on to the nearest that has one.
    """
    at = parse_stamp(request.url_vars["stamp"])
    if at is None:
        raise MissingError("This is no date: the digits YYYYMMDDhhmmss, or the first of them.")
    span = await _span(site, request, at)
    chosen = span.chosen
    if request.url_vars["stamp"] != _stamp(chosen.instant):
        path = f"/timegate/{_stamp(chosen.instant)}id_/{in_link(chosen.original)}"
        exact = site.absolute(request, "/").rstrip("/") + path
        return Response("", status=302, headers={**PAGE_HEADERS, "location": exact})
    found = await find_capture(site, chosen.capture_id)
    answer = await byteviews.memento(site, request, receive, found, chosen)
    answer.headers["content-location"] = memento_address(site, request, chosen)
    return answer


def _stamp(instant: datetime) -> str:
    return f"{instant.year:04d}{instant:%m%d%H%M%S}"


async def _span(
    site: Site, request: Any, at: datetime | None, *, headers: Mapping[str, str] = _NONE
) -> Span:
    wanted = spellings(request.url_vars["url"], request.query_string)
    span = await site.read(lambda conn: read_span(conn, wanted, at))
    if span is None:
        raise _unknown(request, headers)
    return span


async def _listing(site: Site, request: Any) -> tuple[Listing, int]:
    wanted = spellings(request.url_vars["url"], request.query_string)
    page = int(request.url_vars["page"] or 1)
    start = MAP_SIZE * (page - 1)
    listing = await site.read(lambda conn: read_listing(conn, wanted, start=start, limit=MAP_SIZE))
    if listing is None:
        raise _unknown(request)
    return listing, page


def _unknown(request: Any, headers: Mapping[str, str] = _NONE) -> MissingError:
    what = f"No version of “{request.url_vars['url'][:200]}” is kept here."
    return MissingError(what, headers=headers)


def _open(site: Site) -> dict[str, str]:
    if not site.datasette.cors:
        return {}
    return {"access-control-allow-origin": "*", "access-control-expose-headers": _EXPOSED}
