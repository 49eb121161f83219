"""Go through a site and give each file of a copy of it: what the same application answers.

Only addresses made of ids that the index has are asked for, and those of our own pages' links that
are of such a kind; nothing archived is looked at for links.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from provenance.errors import ProvenanceError
from provenance.web.asking import Answer, LoopApart, ask
from provenance.web.attachment import ONCE_LIMIT_MS, Site, site_of
from provenance.web.display import extension_of, saved_name
from provenance.web.feeds import MAP_SIZE
from provenance.web.places import Known, Place, is_plain, place_of
from provenance.web.policy import App
from provenance.web.renewal import mark_of
from provenance.web.standalone import standing_alone
from provenance.web.versions import close_datasette

MISSING_PAGE = "404.html"
"""The page that many hosts show where there is none."""

_UNANSWERED = ("provenance.db", "manifest-sha256.txt")
"""Files that come from elsewhere than the application."""

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A file of the copy, whole."""

    name: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentPart:
    """A ZIP file of the copy: a content of `size` bytes, in pieces, under the name `saved_as`."""

    name: str
    saved_as: str
    content_id: str
    size: int
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A content with the capture that brought it first."""

    content_id: str
    capture_id: str
    document: str
    media_type: str | None
    size: int


class SiteCopy:
    """A copy of one site, as its offer has it.

    After `parts()` has ended, `left_out` says how many documents and collections have ids that make
    no names of files. `tell` gets the number of files done and of those known of so far.
    """

    def __init__(self, datasette: Any, *, tell: Tell = lambda done, known: None) -> None:
        site = site_of(datasette)
        if site is None:
            raise ProvenanceError("this Datasette has no pages to copy")
        self.left_out = 0
        self.pages = 0
        self._datasette = datasette
        self._site: Site = site
        self._tell = tell
        self._index = Path(datasette.get_database(site.database).path)
        self._mark = mark_of(self._index)
        self._waiting: deque[Place] = deque()
        self._evidence: dict[str, str] = {}
        self._seen: set[str] = set()
        self._known = Known(
            collections=frozenset(),
            documents=frozenset(),
            captures=frozenset(),
            contents=frozenset(),
        )

    def parts(self) -> Iterator[FilePart | ContentPart]:
        """Yield the files; the order is that of ids and links, the same every time.

        Raises:
            ProvenanceError: a page, a record that one shows, or a content that belongs into the
                copy cannot be had, or the index was replaced meanwhile.
        """
        with LoopApart() as loop:
            try:
                app = self._datasette.app()
                contents = self._survey(loop)
                yield FilePart(name=MISSING_PAGE, raw=self._missing_page(loop, app))
                while self._waiting:
                    place = self._waiting.popleft()
                    if place.target in self._evidence:
                        self._check_record(self._evidence[place.target])
                    yield FilePart(name=place.file, raw=self._answered(loop, app, place))
                    self._tell(len(self._seen) - len(self._waiting), len(self._seen))
                for each in contents:
                    yield self._content(each)
                self._check_index()
            finally:
                loop.settle()
                loop.run(close_datasette(self._datasette))

    def _check_index(self) -> None:
        if mark_of(self._index) != self._mark:
            raise ProvenanceError(
                "the index was replaced while its pages were copied",
                where=self._index.name,
                hint="Run the command again.",
            )

    def _check_record(self, capture_id: str) -> None:
        """See that what a page would show of a record can be read, which the page only tells."""
        try:
            self._site.source.exchange(capture_id)
        except ProvenanceError as error:
            raise ProvenanceError(
                f"the record of {capture_id} cannot be read, so the copy would not be whole:"
                f" {error.what}",
                where=error.where,
                hint="Run `provenance verify`.",
            ) from error

    def _survey(self, loop: LoopApart) -> tuple[Content, ...]:
        """Find what there is, and line up the pages of it; return the contents to be given."""
        offer = self._site.offer
        documents, collections, captures, contents = loop.run(
            self._site.read(_read_ids, limit_ms=ONCE_LIMIT_MS)
        )
        plain = [[name for name in names if is_plain(name)] for names in (documents, collections)]
        self.left_out = len(documents) + len(collections) - sum(map(len, plain))
        self._known = Known(
            documents=frozenset(plain[0]),
            collections=frozenset(plain[1]),
            captures=frozenset(captures),
            contents=frozenset(each.content_id for each in contents),
        )
        self._evidence = {f"/capture/{name}": name for name in captures}
        maps = range(1, max(-(-len(documents) // MAP_SIZE), 1) + 1)
        for target in chain(
            ("/",),
            (f"/collection/{name}" for name in plain[1]),
            (f"/document/{name}" for name in plain[0]),
            (f"/capture/{name}" for name in captures),
            ("/failures", "/feed.atom", "/sitemap.xml"),
            (f"/sitemap/{number}.xml" for number in maps),
        ):
            self._link(target)
        if not offer.contents:
            return ()
        for each in contents:  # the page at the address where the live site has the bytes
            self._line_up(
                Place(
                    target=f"/view/{each.capture_id}",
                    address=f"/content/{each.content_id}/",
                    file=f"content/{each.content_id}/index.html",
                )
            )
        return contents

    def _line_up(self, place: Place) -> None:
        if place.file not in self._seen:
            self._seen.add(place.file)
            if not place.file.endswith(".zip") and place.file not in _UNANSWERED:
                self._waiting.append(place)

    def _link(self, target: str) -> str | None:
        """Return where a link leads in the copy, without the base URL, and see that it is there."""
        addressed = self._site.address is not None
        place = place_of(target, self._known, self._site.offer, addressed=addressed)
        if place is None:
            return None
        self._line_up(place)
        return place.address

    def _rewritten(self, href: str) -> str | None:
        base = self._site.path("/")
        if href.startswith("//") or not href.startswith(base):
            return href
        address = self._link(f"/{href.removeprefix(base)}")
        return None if address is None else base + address[1:]

    def _signpost(self, target: str) -> bool:
        """Whether a link of a header leads out of the site, or to something in the copy."""
        address = self._site.address
        if address is None:
            return False
        below = target.removeprefix(str(address))
        return below == target or self._link(f"/{below}") is not None

    def _answered(self, loop: LoopApart, app: App, place: Place) -> bytes:
        answer = self._asked(loop, app, place.target)
        if answer.status != 200:
            raise ProvenanceError(
                "this page cannot be had, so the copy would not be whole",
                where=place.target,
                expected="status 200",
                found=str(answer.status),
                hint="Run `provenance verify`, and look at the page with `provenance serve`.",
            )
        return self._standing(answer) if place.file.endswith(".html") else answer.body

    def _missing_page(self, loop: LoopApart, app: App) -> bytes:
        return self._standing(self._asked(loop, app, f"/{MISSING_PAGE}"))

    def _standing(self, answer: Answer) -> bytes:
        self.pages += 1
        return standing_alone(
            answer.body.decode(),
            policy=answer.header("content-security-policy"),
            links=answer.header("link"),
            signpost=self._signpost,
            rewrite=self._rewritten,
        ).encode()

    def _asked(self, loop: LoopApart, app: App, target: str) -> Answer:
        path = self._site.path(target)
        return loop.run(ask(app, path, host="localhost"))

    def _content(self, content: Content) -> ContentPart:
        return ContentPart(
            name=f"content/{content.content_id}.zip",
            saved_as=saved_name(
                content.document, content.content_id, extension_of(content.media_type)
            ),
            content_id=content.content_id,
            size=content.size,
            pieces=self._site.source.content(content.capture_id),
        )


def _read_ids(
    conn: sqlite3.Connection,
) -> tuple[list[str], list[str], list[str], tuple[Content, ...]]:
    """Return all ids of documents, collections and captures, and the contents, in order."""
    named = [
        [str(row[0]) for row in conn.execute(f"select {kind} from {kind} order by 1")]
        for kind in ("document", "collection")
    ]
    captures = [
        str(row[0]) for row in conn.execute("select capture_id from capture order by capture_id")
    ]
    contents = conn.execute(
        "select k.content_id, c.capture_id, c.document, c.media_type, c.size from content as k"
        " join capture as c on c.capture_id = k.first_capture_id order by 1"
    )
    found = tuple(
        Content(
            content_id=row[0], capture_id=row[1], document=row[2], media_type=row[3], size=row[4]
        )
        for row in contents
    )
    return named[0], named[1], captures, found
