"""The page that compares the texts of two captures, and its JSON twin."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from datasette import Response

from provenance.reading import lookup
from provenance.reading.facts import CapturePage
from provenance.web.answers import MissingError, busy, flag, page, page_number, twin
from provenance.web.attachment import Site
from provenance.web.finding import find_capture, named
from provenance.web.leafing import Block, Comparison, comparison
from provenance.web.recent import BusyError
from provenance.web.render import segment

TEXT_COMPARED = 300_000
"""Characters of each text that are compared."""

ROWS = 1_000
"""Rows in one answer of JSON."""


async def diff(site: Site, request: Any) -> Response:
    """Show what the text of `/diff/A/B` has of A that B has not, and the other way round."""
    before, after = await _both(site, request)
    mask, everything = flag(request, "mask"), flag(request, "all")
    view = "inline" if request.args.get("view") == "inline" else "side"
    compared = await _compared(site, before, after, mask=mask)
    blocks: tuple[tuple[Block, ...], ...] = ((),)
    if compared is not None:
        blocks = compared.whole if everything else compared.brief
    number = min(page_number(request), len(blocks))
    here = f"/diff/{segment(before.capture.capture_id)}/{segment(after.capture.capture_id)}"

    def at(**more: object) -> str:
        chosen = {"view": view, "mask": mask, "all": everything, **more}
        kept = {
            name: 1 if value is True else value
            for name, value in chosen.items()
            if value and (name, value) not in (("view", "side"), ("page", 1))
        }
        return f"{here}?{urlencode(kept)}" if kept else here

    return page(
        site,
        "diff.html",
        before=before,
        after=after,
        difference=compared.difference if compared else None,
        blocks=blocks[number - 1],
        number=number,
        count=len(blocks),
        view=view,
        mask=mask,
        everything=everything,
        here=here,
        other=f"/diff/{segment(after.capture.capture_id)}/{segment(before.capture.capture_id)}",
        at=at,
        pages={
            "earlier": at(page=number - 1) if number > 1 else None,
            "later": at(page=number + 1) if number < len(blocks) else None,
        },
        cut=TEXT_COMPARED,
    )


async def diff_json(site: Site, request: Any) -> Response:
    """Answer the comparison as JSON: rows of lines, each side a list of [text, marked]."""
    before, after = await _both(site, request)
    compared = await _compared(site, before, after, mask=flag(request, "mask"))
    number = page_number(request)
    rows = compared.open_rows if compared else ()
    texts = [one.text.characters or 0 for one in (before, after) if one.text]
    return twin(
        site,
        {
            "type": "diff",
            "before": _side(before),
            "after": _side(after),
            "same_content": _same_content(before, after),
            "masked": flag(request, "mask"),
            "added": compared.difference.added if compared else None,
            "removed": compared.difference.removed if compared else None,
            "compared_to": TEXT_COMPARED if max(texts, default=0) > TEXT_COMPARED else None,
            "page": number,
            "cut": len(rows) > ROWS * number,
            "rows": [
                {
                    "kind": row.kind,
                    "before_line": row.before_line,
                    "after_line": row.after_line,
                    "before": [[piece.text, piece.marked] for piece in row.before],
                    "after": [[piece.text, piece.marked] for piece in row.after],
                }
                for row in rows[ROWS * (number - 1) : ROWS * number]
            ],
        },
    )


async def _both(site: Site, request: Any) -> tuple[CapturePage, CapturePage]:
    return (
        await find_capture(site, named(request, "before")),
        await find_capture(site, named(request, "after")),
    )


async def _compared(
    site: Site, before: CapturePage, after: CapturePage, *, mask: bool
) -> Comparison | None:
    """Return the comparison, or None where one of the two has no text.

    Texts are read, compared and cut into pages once for all who ask for any of these pages.
    """
    ids = [_content_id(one) for one in (before, after)]

    async def make() -> Comparison | None:
        ours, theirs = [await _text(site, one) for one in ids]
        if ours is None or theirs is None:
            return None
        return await asyncio.to_thread(comparison, ours, theirs, mask=mask)

    try:
        return await site.compared.get((*ids, mask), make)
    except BusyError:
        raise busy("Other comparisons are being made.") from None


async def _text(site: Site, content_id: str) -> str | None:
    return await site.read(lambda conn: lookup.read_plain(conn, content_id, limit=TEXT_COMPARED))


def _content_id(one: CapturePage) -> str:
    content_id = one.capture.content_id
    if content_id is None:
        raise MissingError(
            "Nothing came in one of these captures, so there is nothing to compare.",
            near=((f"/capture/{one.capture.capture_id}", "the evidence of the attempt"),),
        )
    return content_id


def _same_content(before: CapturePage, after: CapturePage) -> bool:
    return before.capture.content_id == after.capture.content_id


def _side(one: CapturePage) -> dict[str, object]:
    return {
        "capture_id": one.capture.capture_id,
        "content_id": one.capture.content_id,
        "text_id": one.text.text_id if one.text else None,
        "document": one.capture.document,
        "captured_at": one.capture.captured_at,
    }
