"""Serve the index that stands on disk now: open a replaced file anew, then let go of the old one.

SQLite stays with the file it opened when another takes its name. A Datasette left alone would show
the old index from threads that had opened it and the new one from threads that had not, with counts
of the old. Here every request belongs to one opening of the file, whole.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provenance.errors import ProvenanceError
from provenance.web.attachment import site_of
from provenance.web.policy import App, Receive, Scope, Send
from provenance.web.versions import close_datasette

_TRIES = 5
_ALL_OPEN_S = 30.0

Mark = tuple[int, int, int, int]
"""What tells one file from the next of the same name: device, inode, size, time of change."""


def mark_of(path: Path) -> Mark | None:
    """Return the mark of the file that has this name now, or None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(slots=True, kw_only=True)
class Opening:
    """One Datasette over one file.

    `held`: each of its threads has the file open. `requests` are those under way; `left`: no more
    will follow.
    """

    datasette: Any
    app: App
    mark: Mark | None
    requests: int = 0
    held: bool = False
    left: bool = False


class RenewedSite:
    """An ASGI app that stays with the file `database`, however often it is replaced.

    `make` returns a Datasette with the pages over that file. A request that finds the file
    replaced waits until the new one is open; requests under way end with the old one. Where the
    file is missing or cannot be opened, the old one stays, and `report` says so once.
    """

    def __init__(
        self,
        make: Callable[[], Any],
        database: Path,
        *,
        report: Callable[[str], None] = lambda message: None,
    ) -> None:
        """Open the file for the first time; whatever `make` raises is raised here."""
        self._make = make
        self._database = database
        self._report = report
        self._renewing = asyncio.Lock()
        self._refused: Mark | None = None
        self._shown = self._opened()

    @property
    def base(self) -> str:
        """The path below which the site lies."""
        return str(self._shown.datasette.urls.path("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the index that is there now."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        opening = await self._current()
        opening.requests += 1
        try:
            await opening.app(scope, receive, send)
        finally:
            opening.requests -= 1
            if opening.left:
                await _leave(opening)

    async def _live(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await close_datasette(self._shown.datasette)
        await send({"type": "lifespan.shutdown.complete"})

    async def _current(self) -> Opening:
        if self._shown.held and not self._replaced():
            return self._shown
        async with self._renewing:
            if not self._shown.held:
                await _hold(self._shown)
            if self._replaced():
                await self._renew()
        return self._shown

    def _replaced(self) -> bool:
        return mark_of(self._database) not in (None, self._shown.mark, self._refused)

    async def _renew(self) -> None:
        mark, fresh = mark_of(self._database), None
        try:
            fresh = await asyncio.to_thread(self._opened)
            await _hold(fresh)
        except (ProvenanceError, OSError, sqlite3.Error, threading.BrokenBarrierError) as error:
            self._refused = mark
            self._report(f"The index was replaced, but the old one stays: {error}")
            await _leave(fresh)
            return
        old, self._shown, self._refused = self._shown, fresh, None
        self._report("The index was replaced; the new one is served.")
        await _leave(old)

    def _opened(self) -> Opening:
        for _ in range(_TRIES):
            mark = mark_of(self._database)
            datasette = self._make()
            if mark == mark_of(self._database):
                break  # else it was replaced meanwhile, and what was counted may be of another
        return Opening(datasette=datasette, app=datasette.app(), mark=mark)


async def _hold(opening: Opening) -> None:
    """Open the file in each of Datasette's threads now; opened later, it might be another file.

    Datasette is started first, so that requests that come at once never find it half-way there.
    """
    await opening.datasette.invoke_startup()
    site, threads = site_of(opening.datasette), opening.datasette.setting("num_sql_threads") or 1
    if site is not None:
        together = threading.Barrier(threads)

        def opened(conn: sqlite3.Connection) -> None:
            conn.execute("select count(*) from sqlite_master").fetchone()
            together.wait(_ALL_OPEN_S)

        await asyncio.gather(*(site.read(opened) for _ in range(threads)))
    opening.held = True


async def _leave(opening: Opening | None) -> None:
    """Close an opening that no request will follow in, after the last one in it."""
    if opening is not None:
        opening.left = True
        if not opening.requests:
            await close_datasette(opening.datasette)
