"""What a site has to offer: everything while it is served, less as a copy made of files. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What readers can have of a site.

    `live`: a program answers, so there are search, tables, and choices in addresses. `sql`: readers
    may type SQL. `contents`: the documents themselves can be had. `database`: so can the index.
    """

    live: bool = True
    sql: bool = True
    contents: bool = True
    database: bool = True


LIVE: Final = Offer()
