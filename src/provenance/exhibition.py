"""The pages of an archive, served and published: the part of the hall that shows.

A method imports what it needs itself, as in the hall.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provenance.catalogue import Catalogue

if TYPE_CHECKING:
    from provenance.web.offer import Offer
    from provenance.web.public import PublicAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A copy of the pages that was written; `digest` is the SHA-256 of its manifest.

    `left_out` counts the documents and collections whose ids make no names of files.
    """

    path: str
    base_url: str | None
    pages: int
    files: int
    bytes: int
    digest: str
    contents: bool
    database: bool
    left_out: int


class Exhibition(Catalogue):
    """The pages of the archive at `root`."""

    root: Path
    archive: Path

    def site(
        self, *, base_url: str | None = None, title: str | None = None, sql: bool = True
    ) -> Any:
        """Return a Datasette over the index, with the pages.

        `base_url` is the address under which the public reaches it, `title` what it is called;
        without `sql` nobody may type SQL.

        Raises:
            UsageError: the address is none.
        """
        from provenance.web.offer import Offer
        from provenance.web.public import parse_public_address

        address = parse_public_address(base_url) if base_url else None
        return self._site(Offer(sql=sql), address, title)

    def publish(
        self,
        directory: Path,
        *,
        contents: bool = False,
        base_url: str | None = None,
        title: str | None = None,
        database: bool = False,
        tell: Callable[[int, int], None] = lambda done, known: None,
    ) -> Publication:
        """Write a copy of the pages made of files, which any host of files serves.

        `contents` puts the documents and their texts in, `database` the index too; `tell` gets the
        number of files done and of those known of so far.

        Raises:
            UsageError: something else is at `directory`, or it is in a folder of the archive; or
                the index, which has every text, is asked for without the contents.
        """
        from provenance.errors import UsageError
        from provenance.publishing import write_copy
        from provenance.web.copying import SiteCopy
        from provenance.web.offer import Offer
        from provenance.web.public import parse_public_address

        if database and not contents:
            raise UsageError(
                "the index holds the text of every document",
                hint="Publish it with the contents, or leave it out.",
            )
        target = directory.resolve()
        for kept in (self.archive.resolve(), self.index_path.parent.resolve()):
            if target.is_relative_to(kept):
                raise UsageError(
                    "this is a folder of the archive",
                    where=str(directory),
                    hint="Name a folder beside it.",
                )
        address = parse_public_address(base_url) if base_url else None
        offer = Offer(live=False, sql=False, contents=contents, database=database)
        copy = SiteCopy(self._site(offer, address, title), tell=tell)
        written = write_copy(
            directory, copy.parts(), database=self.index_path if database else None
        )
        return Publication(
            path=str(directory),
            base_url=str(address) if address else None,
            pages=copy.pages,
            files=written.files,
            bytes=written.size,
            digest=written.digest,
            contents=contents,
            database=database,
            left_out=copy.left_out,
        )

    def _site(self, offer: Offer, address: PublicAddress | None, title: str | None) -> Any:
        from provenance.showing import make_site

        return make_site(self.root, self.index_path, title=title, offer=offer, address=address)
