"""What is attached to a Datasette that has the pages: the port, the templates, the words above."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from provenance.reading.belonging import Belonging, read_belonging
from provenance.reading.facts import Home
from provenance.reading.searching import Choices, read_choices
from provenance.reading.standing import Standing, read_home, read_standing
from provenance.web.leafing import Comparison
from provenance.web.offer import LIVE, Offer
from provenance.web.public import PublicAddress
from provenance.web.recent import Recent
from provenance.web.render import STATIC, make_environment, read_static, segment
from provenance.web.sending import Sending
from provenance.web.signposting import FORMS, Form
from provenance.web.source import Assembled, Drawn, SiteSource

READ_LIMIT_MS = 10_000
"""How long the reading for one page may take, so that no search holds a thread for long."""
ONCE_LIMIT_MS = 600_000
"""The same for what is read once for each file."""

STEPS = 100_000
"""Steps of SQLite between looks at the clock, some milliseconds. Each look waits for its turn to
run Python: at every thousand steps, as in Datasette's own limit, most of the time is waiting."""

CHECKS_AT_ONCE = 2
SEEN = 256
"""Contents that were read to see whether they can be shown, and are not read again for that."""

KEPT = 48 << 20
"""Bytes of pages that were put together, and as many of pictures, that are kept for the next."""

COMPARED, PIECES_KEPT = 4, 60_000
"""Comparisons that are kept with their pages for who turns these, and how many rows and pieces of
them, each about a hundred bytes."""

_ANY_LENGTH = (1 << 31) - 1
"""More than SQLite holds in one value, whatever it was built with."""

T = TypeVar("T")
_ATTRIBUTE = "provenance_site"


class Site:
    """One archive's pages on one Datasette.

    `database` is the name of the database with the index. The file is immutable while it is
    served, so the front page and the filters' choices are read once and kept. `address` is that
    under which the public reaches it; without one it goes by what each request names.
    """

    def __init__(
        self,
        datasette: Any,
        source: SiteSource,
        *,
        database: str,
        title: str,
        software: str,
        offer: Offer = LIVE,
        address: PublicAddress | None = None,
        hash_later: Callable[[], str | None] | None = None,
    ) -> None:
        self.datasette = datasette
        self.source = source
        self.database = database
        self.title = title
        self.software = software
        self.offer = offer
        self.address = address
        self._hash_later = hash_later
        self.templates = make_environment()
        self.static = {name: read_static(name) for name in STATIC}
        self.sending = Sending()
        self.checking = asyncio.Semaphore(CHECKS_AT_ONCE)
        self.compared: Recent[Comparison | None] = Recent(
            lambda made: made.size if made else 0,
            number=COMPARED,
            bytes_kept=PIECES_KEPT,
            newest=True,
        )
        self.assembled: Recent[Assembled | None] = Recent(
            lambda made: len(made.page) if made else 0, number=4, bytes_kept=KEPT
        )
        self.drawn: Recent[Drawn] = Recent(lambda made: len(made.png), number=64, bytes_kept=KEPT)
        self.seen: Recent[None] = Recent(lambda _: 0, number=SEEN, bytes_kept=0)
        self._once: dict[str, Any] = {}

    async def read(
        self, ask: Callable[[sqlite3.Connection], T], *, limit_ms: int = READ_LIMIT_MS
    ) -> T:
        """Run `ask` with a connection, in one of Datasette's threads.

        Raises:
            sqlite3.OperationalError: "interrupted", where it takes longer than `limit_ms`.
        """

        clock = asyncio.get_running_loop().time

        def bounded(conn: sqlite3.Connection) -> T:
            until = clock() + limit_ms / 1000
            # A text may be longer than what typed SQL may make; these statements are ours.
            length = conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _ANY_LENGTH)
            conn.set_progress_handler(lambda: clock() >= until, STEPS)
            try:
                return ask(conn)
            finally:
                conn.set_progress_handler(None, STEPS)
                conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, length)

        database = self.datasette.get_database(self.database)
        found: T = await database.execute_fn(bounded)
        return found

    async def home(self) -> Home:
        """Return the front page's facts."""
        standing = await self.standing()
        return await self.once("home", lambda conn: read_home(conn, standing))

    async def standing(self) -> Standing:
        """Return how every document stands."""
        return await self.once("standing", read_standing)

    async def choices(self) -> Choices:
        """Return what searches can be narrowed to."""
        return await self.once("choices", read_choices)

    async def belonging(self) -> Belonging:
        """Return which documents each text belongs to."""
        return await self.once("belonging", read_belonging)

    async def hashed(self) -> str | None:
        """Return the SHA-256 of the index, computed now if it was not before; None if unknown."""
        database, hash_later = self.datasette.get_database(self.database), self._hash_later
        if database.hash is None and hash_later is not None:
            database.cached_hash = await self.once("hash", lambda _conn: hash_later())
        found: str | None = database.hash
        return found

    async def prepare(self) -> None:
        """Read now what is read once, so that nobody who comes later waits for it."""
        for reading in (self.home, self.choices, self.belonging):
            await reading()

    async def once(self, name: str, ask: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `ask` reads, from the first time on as it was then: the file is immutable.

        What is kept so is bounded by what there is to name, not by what is asked for.
        """
        if name not in self._once:
            # Kept at once, so that all who ask meanwhile wait for the same reading.
            self._once[name] = asyncio.ensure_future(self.read(ask, limit_ms=ONCE_LIMIT_MS))
        reading: asyncio.Future[T] = self._once[name]
        try:
            return await asyncio.shield(reading)
        except Exception:
            if self._once.get(name) is reading:
                del self._once[name]
            raise

    def path(self, path: str) -> str:
        """Return a path of this site with Datasette's base URL before it."""
        return str(self.datasette.urls.path(path))

    def absolute(self, request: Any, path: str) -> str:
        """Return the address of a path of this site, as whoever asks can reach it."""
        if self.address is not None:
            return self.address.origin + self.path(path)
        return str(self.datasette.absolute_url(request, self.path(path)))

    def content_path(self, content_id: str) -> str | None:
        """Return the path at which a content's bytes can be had, without the base URL, or None."""
        if not self.offer.contents:
            return None
        return f"/content/{segment(content_id)}{'' if self.offer.live else '.zip'}"

    def forms(self, *, citable: bool) -> tuple[Form, ...]:
        """Return the forms that a page has; what nothing came of cannot be cited.

        A copy that does not know its own address has no JSON-LD, whose ids are addresses.
        """
        nameless = not self.offer.live and self.address is None
        return tuple(
            form
            for form in FORMS
            if (citable or form.citation is None) and not (nameless and form.ending == "jsonld")
        )

    def static_path(self, name: str) -> str:
        """Return a static file's path; its query changes with the file."""
        version = hashlib.sha256(self.static[name]).hexdigest()[:12]
        return self.path(f"/-/provenance/{name}?v={version}")


def attach_site(datasette: Any, site: Site) -> None:
    """Keep `site` on the Datasette instance itself, so that instances never share one."""
    setattr(datasette, _ATTRIBUTE, site)


def site_of(datasette: Any) -> Site | None:
    """Return the site attached to this Datasette, or None."""
    site = getattr(datasette, _ATTRIBUTE, None)
    return site if isinstance(site, Site) else None
