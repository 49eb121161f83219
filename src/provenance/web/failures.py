"""The page of what could not be had and why, and its JSON twin."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from datasette import Response

from provenance.reading.lacking import Lacking, read_lacking
from provenance.reading.standing import Reason
from provenance.web.answers import page, page_number, twin
from provenance.web.attachment import Site

PAGE_SIZE = 30
LISTED = 20
"""Reasons that the page lists."""


async def failures(site: Site, request: Any) -> Response:
    """Show every document that could not be had, by the reason `?why=` or all."""
    number, why = page_number(request), request.args.get("why") or None
    reasons, documents = await _read(site, why, number)
    chosen = next((reason for reason in reasons if reason.key == why), None)
    more = len(documents) > PAGE_SIZE
    kept = {"why": why} if why else {}

    def at(wanted: int) -> str:
        return f"/failures?{urlencode({**kept, 'page': str(wanted)})}"

    return page(
        site,
        "failures.html",
        reasons=reasons,
        chosen=chosen,
        why=why,
        never=sum(reason.documents - reason.kept for reason in reasons),
        before=sum(reason.kept for reason in reasons),
        total=(await site.home()).documents,
        documents=documents[:PAGE_SIZE],
        listed=LISTED,
        pages={
            "earlier": at(number - 1) if number > 1 else None,
            "later": at(number + 1) if more else None,
        },
    )


async def failures_json(site: Site, request: Any) -> Response:
    """Answer the same as JSON."""
    number, why = page_number(request), request.args.get("why") or None
    reasons, documents = await _read(site, why, number)
    return twin(
        site,
        {
            "type": "failures",
            "reasons": [{"why": reason.key, **asdict(reason)} for reason in reasons],
            "why": why,
            "page": number,
            "more": len(documents) > PAGE_SIZE,
            "documents": [{**asdict(one), "kept": bool(one.kept)} for one in documents[:PAGE_SIZE]],
        },
    )


async def _read(
    site: Site, why: str | None, number: int
) -> tuple[tuple[Reason, ...], tuple[Lacking, ...]]:
    standing = await site.standing()
    chosen = standing.lacking_for(why, limit=PAGE_SIZE + 1, offset=PAGE_SIZE * (number - 1))
    return standing.reasons, await site.read(lambda conn: read_lacking(conn, chosen))
