"""Read once which documents each text belongs to, and since when, and keep it in few bytes.

A narrowed search, or one for the newest, looks at every text that has the words; here it can.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from heapq import nsmallest

_BELONGING = """
select t.rowid, d.rowid, c.is_version,
  coalesce(1000000 * cast(strftime('%s', min(c.captured_at)) as integer)
    + cast(substr(min(c.captured_at), 21, 6) as integer), 0)
from text as t join capture as c on c.content_id = t.content_id
  join document as d on d.document = c.document
group by t.rowid, c.document, c.is_version order by 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """For each text the documents it belongs to, all by rowid.

    What is of text `n` stands in the columns from `starts[n]` on, up to `starts[n + 1]`. A document
    stands there twice where the same content came as a version and as an error page. `moments` are
    microseconds since 1970 of the first capture that brought the text to the document.
    """

    starts: array[int]
    documents: array[int]
    moments: array[int]
    versions: bytearray

    def of(self, text: int, *, everything: bool) -> Iterator[int]:
        """Yield the documents of which a text is a version, or that ever had it (`everything`)."""
        for at in self._places(text):
            if everything or self.versions[at]:
                yield self.documents[at]

    def fitting(
        self, texts: Iterable[int], among: Container[int] | None, *, everything: bool
    ) -> list[int]:
        """Return those of `texts` that belong to a document `among` these (None: any)."""
        documents, versions = self.documents, self.versions
        found = []
        for text in texts:
            for at in self._places(text):
                if (everything or versions[at]) and (among is None or documents[at] in among):
                    found.append(text)
                    break
        return found

    def newest(
        self, texts: Iterable[int], among: Container[int] | None, *, everything: bool, most: int
    ) -> list[int]:
        """Return up to `most` documents `among` these that have `texts`, the newest text first."""
        documents, versions, moments = self.documents, self.versions, self.moments
        last: dict[int, int] = {}
        for text in texts:
            for at in self._places(text):
                document, moment = documents[at], moments[at]
                if (
                    (everything or versions[at])
                    and (among is None or document in among)
                    and last.get(document, moment) <= moment
                ):
                    last[document] = moment
        ordered = nsmallest(most, ((-moment, document) for document, moment in last.items()))
        return [document for _, document in ordered]

    def _places(self, text: int) -> range:
        if not 0 <= text < len(self.starts) - 1:
            return range(0)
        return range(self.starts[text], self.starts[text + 1])


def read_belonging(conn: sqlite3.Connection) -> Belonging:
    """Read which documents each text belongs to; takes time in proportion to the captures."""
    found = Belonging(
        starts=array("L", [0]), documents=array("L"), moments=array("q"), versions=bytearray()
    )
    for text, document, is_version, moment in conn.execute(_BELONGING):
        # Rowids of texts count from 1 without a gap; where one is missing, nothing is of it.
        while len(found.starts) <= text:
            found.starts.append(len(found.documents))
        found.documents.append(document)
        found.moments.append(moment)
        found.versions.append(1 if is_version else 0)
    found.starts.append(len(found.documents))
    return found
