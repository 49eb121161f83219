"""Read once which documents each text belongs to, and since when, and keep it in few bytes.

A narrowed search, or one for the newest, looks at every text that has the words; here it can.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress, count
from operator import not_

_BELONGING = """
select t.rowid, d.rowid, c.is_version,
  coalesce(1000000 * cast(strftime('%s', min(c.captured_at)) as integer)
    + cast(substr(min(c.captured_at), 21, 6) as integer), 0)
from text as t join capture as c on c.content_id = t.content_id
  join document as d on d.document = c.document
group by t.rowid, c.document, c.is_version order by 1
"""

_KEPT = 16
"""Filters of which is kept what they leave: one byte for each document and each text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What filters leave: documents and texts by rowid, 1 where one is left and else 0.

    With `everything` also the texts that came to these documents as error pages or the like.
    """

    documents: bytearray
    texts: bytearray
    everything: bool

    def out_of(self, texts: Sequence[int]) -> bytes:
        """Return those of `texts` that are left, in the same form."""
        sought = bytearray(len(self.texts))
        for text in texts:
            sought[text] = 1
        # As two large numbers, for which no line of Python runs for each text.
        both = int.from_bytes(sought, "little") & int.from_bytes(self.texts, "little")
        return both.to_bytes(len(sought), "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """For each text the documents it belongs to, all by rowid.

    What is of text `n` stands in `documents` and `versions` from `starts[n]` on, up to
    `starts[n + 1]`. A document stands there twice where the same content came as a version and as
    an error page. `alone` has for each text the one document it is a version of, or 0 where it is
    not as plain as that. `latest` are the places of all that, the newest first: by the first
    capture that brought the text to the document; `texts` are the texts at these places.
    `kept` is what the last few filters leave.
    """

    starts: array[int]
    documents: array[int]
    versions: bytearray
    alone: array[int]
    latest: array[int]
    texts: array[int]
    kept: dict[object, Left] = field(default_factory=dict, compare=False)

    def left(self, asked: object, read: Callable[[], bytearray], *, everything: bool) -> Left:
        """Return what is left where `read` gives the documents left by what is `asked`."""
        found = self.kept.get((asked, everything))
        if found is None:
            found = self.kept[(asked, everything)] = self._left(read(), everything=everything)
            for old in list(self.kept)[:-_KEPT]:
                self.kept.pop(old, None)
        return found

    def _left(self, documents: bytearray, *, everything: bool) -> Left:
        # Nearly all texts are alone, and for these no line of Python runs for each.
        texts = bytearray(map(documents.__getitem__, self.alone))
        left = Left(documents=documents, texts=texts, everything=everything)
        for text in compress(count(), map(not_, self.alone)):
            texts[text] = any(True for _ in self.of(text, left))
        return left

    def of(self, text: int, left: Left) -> Iterator[int]:
        """Yield those documents that are `left` of which a text is a version, or what else counts.

        A document may come twice.
        """
        return self._at(range(self.starts[text], self.starts[text + 1]), left)

    def newest(self, texts: bytes, left: Left, *, most: int) -> list[int]:
        """Return up to `most` of the documents `left` that have `texts`, the newest text first.

        `texts` are in the form of `Left`.
        """
        found: dict[int, None] = {}
        for document in self._at(compress(self.latest, map(texts.__getitem__, self.texts)), left):
            found[document] = None
            if len(found) == most:
                break
        return list(found)

    def _at(self, places: Iterable[int], left: Left) -> Iterator[int]:
        for at in places:
            document = self.documents[at]
            if (left.everything or self.versions[at]) and left.documents[document]:
                yield document


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
