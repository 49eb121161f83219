"""Read once which documents each text belongs to, and since when, and keep it in few bytes.

A narrowed search, or one for the newest, looks at every text that has the words; here it can.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import not_

_BELONGING = """
select t.rowid, d.rowid, c.is_version,
  coalesce(1000000 * cast(strftime('%s', min(c.captured_at)) as integer)
    + cast(substr(min(c.captured_at), 21, 6) as integer), 0)
from text as t join capture as c on c.content_id = t.content_id
  join document as d on d.document = c.document
group by t.rowid, c.document, c.is_version order by 1
"""

_MASKS = 16
"""Filters of which is kept what they leave: one byte for each document."""

Among = bytearray | None
"""Documents by rowid, 1 where one is among those looked for; None stands for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """For each text the documents it belongs to, all by rowid.

    What is of text `n` stands in `documents` and `versions` from `starts[n]` on, up to
    `starts[n + 1]`. A document stands there twice where the same content came as a version and as
    an error page. `alone` has for each text the one document it is a version of, or 0 where it is
    not as plain as that. `latest` are the places of all that, the newest first: by the first
    capture that brought the text to the document; `texts` are the texts at these places.
    `masks` are documents that filters leave.
    """

    starts: array[int]
    documents: array[int]
    versions: bytearray
    alone: array[int]
    latest: array[int]
    texts: array[int]
    masks: dict[object, bytearray] = field(default_factory=dict, compare=False)

    def remember(self, asked: object, read: Callable[[], bytearray]) -> bytearray:
        """Return what `read` gives for what is asked; the last few of it are kept."""
        found = self.masks.get(asked)
        if found is None:
            found = self.masks[asked] = read()
            for old in list(self.masks)[:-_MASKS]:
                self.masks.pop(old, None)
        return found

    def of(self, text: int, among: Among, *, everything: bool) -> Iterator[int]:
        """Yield the documents `among` these of which a text is a version.

        With `everything` also those to which it came as an error page or the like.
        """
        for at in range(self.starts[text], self.starts[text + 1]):
            document = self.documents[at]
            if (everything or self.versions[at]) and (among is None or among[document]):
                yield document

    def fitting(self, texts: Sequence[int], among: Among, *, everything: bool) -> list[int]:
        """Return those of `texts`, in order, that belong to a document `among` these."""
        # Nearly all texts are alone, and for these no line of Python runs for each.
        alone = [self.alone[text] for text in texts]
        plain = compress(texts, alone if among is None else map(among.__getitem__, alone))
        others = (
            text
            for text in compress(texts, map(not_, alone))
            if any(True for _ in self.of(text, among, everything=everything))
        )
        return sorted((*plain, *others))

    def newest(
        self, texts: Sequence[int], among: Among, *, everything: bool, most: int
    ) -> list[int]:
        """Return up to `most` documents `among` these that have `texts`, the newest text first."""
        sought = bytearray(len(self.alone))
        for text in texts:
            sought[text] = 1
        found: dict[int, None] = {}
        for at in compress(self.latest, map(sought.__getitem__, self.texts)):
            document = self.documents[at]
            if (everything or self.versions[at]) and (among is None or among[document]):
                found[document] = None
                if len(found) == most:
                    break
        return list(found)


def read_belonging(conn: sqlite3.Connection) -> Belonging:
    """Read which documents each text belongs to; takes time in proportion to the captures."""
    # Rowids of texts count from 1 without a gap; where one is missing, nothing is of it.
    last = conn.execute("select coalesce(max(rowid), 0) from text").fetchone()[0]
    starts, documents, versions = array("L", [0]), array("L"), bytearray()
    moments, texts = array("q"), array("L")
    for text, document, is_version, moment in conn.execute(_BELONGING):
        starts.extend([len(documents)] * (text + 1 - len(starts)))
        texts.append(text)
        documents.append(document)
        versions.append(1 if is_version else 0)
        moments.append(moment)
    starts.extend([len(documents)] * (last + 2 - len(starts)))
    alone = array("L", bytes(array("L").itemsize * (last + 1)))
    for at, text in enumerate(texts):
        if starts[text + 1] - starts[text] == 1 and versions[at]:
            alone[text] = documents[at]
    order = sorted(range(len(documents)), key=lambda at: (-moments[at], documents[at]))
    return Belonging(
        starts=starts,
        documents=documents,
        versions=versions,
        alone=alone,
        latest=array("L", order),
        texts=array("L", (texts[at] for at in order)),
    )
