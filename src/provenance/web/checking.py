"""Verify one capture while a reader waits: two at a time, and none that is too large for that."""

from __future__ import annotations

import asyncio

from provenance.reading.facts import CapturePage
from provenance.web.answers import MissingError, busy
from provenance.web.attachment import Site
from provenance.web.presence import evidence_near, with_record_here
from provenance.web.source import Checked

CHECKED_BYTES = 256 * 1024 * 1024
"""A capture with a larger record or content is for the command line."""


def is_checkable(found: CapturePage) -> bool:
    """Whether a capture is small enough to be read anew for one page."""
    block = found.record.content_length if found.record else 0
    return max(block, found.capture.length, found.capture.size or 0) <= CHECKED_BYTES


async def check_now(site: Site, found: CapturePage) -> Checked:
    """Verify a capture in a thread.

    Raises:
        MissingError: it is too large, its file is not here, or others are being checked.
    """
    capture_id = found.capture.capture_id
    near = evidence_near(found.capture)
    if not is_checkable(found):
        raise MissingError(
            f"This capture is too large to check here: `provenance verify {capture_id}` does.",
            near=near,
            status=403,
        )
    await with_record_here(site, found.capture)
    if site.checking.locked():
        raise busy("Other captures are being checked.", near=near)
    async with site.checking:
        return await asyncio.to_thread(site.source.check, capture_id)
