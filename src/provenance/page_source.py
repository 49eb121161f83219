"""What the pages get from an archive: bytes, records, exchanges, citations, search expressions."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from provenance.digest import Digest, digest_of
from provenance.errors import ProvenanceError, UsageError
from provenance.extract.drawing import MAX_BYTES, draw_page
from provenance.holdings import CERTIFICATES
from provenance.index import CaptureRow, captures, fts_query, open_index, places, resolve
from provenance.warc.contents import read_block, read_content, read_head_of, read_member
from provenance.web.source import Assembled, AtHand, Checked, Drawn, Exchange, LogHead

_LOOKED_THROUGH = 4 << 20
"""Bytes of a record's block that is read to its end, to see that it is what the index names, before
its head is shown."""

_CHAIN_LIMIT = 1 << 20
_CHAIN = """
SELECT warc, offset, ordinal FROM record WHERE warc IN (
  SELECT f.warc FROM warc_file f JOIN warc_file mine ON mine.warc = ?1
  WHERE f.run = mine.run AND f.collection = mine.collection)
AND type = 'metadata' AND content_type = ?2 AND block_digest = ?3 LIMIT 1"""


LARGEST_PAGE = 8 << 20
"""Bytes of a page that is put together with its parts."""

Assemble = Callable[[CaptureRow, bytes], Assembled | None]


class PageSource:
    """The port of `web.source`, over one index and one folder of WARC files.

    `cite` makes the text of a citation out of a capture id, a form's name and a locator;
    `assemble` puts a page together out of its row and its content; `log`, `prove` and `check` are
    as the port says.
    """

    def __init__(
        self,
        index_path: Path,
        archive: Path,
        *,
        cite: Callable[[str, str, str | None], str],
        log: Callable[[], LogHead | None],
        prove: Callable[[str], bytes | None],
        check: Callable[[str], Checked],
        assemble: Assemble,
    ) -> None:
        self._index_path = index_path
        self._archive = archive
        self._cite = cite
        self._assemble = assemble
        self.log = log
        self.proof = prove
        self.check = check

    def at_hand(self, capture_ids: Sequence[str]) -> Mapping[str, AtHand]:
        """Say of captures whether the files are there that hold their records and contents."""
        with open_index(self._index_path) as connection:
            found = places.files_of(connection, capture_ids)
        names = {name for _, *held in found for name in held}
        here = {name: (self._archive / name).is_file() for name in names}
        return {one: AtHand(record=here[own], content=here[held]) for one, own, held in found}

    def content(self, capture_id: str) -> Iterator[bytes]:
        """Yield the content of a capture; a revisit's is that of the capture it refers to."""
        with open_index(self._index_path) as connection:
            row = resolve(connection, capture_id).capture
        row = self._holder(row) if row else None
        if row is None:
            raise UsageError(f"{capture_id} has no content")
        yield from read_content(self._archive / row.warc, row.offset, row.ordinal)

    def assembled(self, capture_id: str) -> Assembled | None:
        """Return an HTML page with the pictures, style sheets and fonts that are held of it."""
        with open_index(self._index_path) as connection:
            row = resolve(connection, capture_id).capture
        if row is None or row.size is None or row.size > LARGEST_PAGE:
            return None
        return self._assemble(row, self._whole(row, limit=LARGEST_PAGE))

    def drawn(self, capture_id: str, number: int) -> Drawn:
        """Return a page of a PDF as a picture."""
        with open_index(self._index_path) as connection:
            row = resolve(connection, capture_id).capture
        if row is None or (row.size or 0) > MAX_BYTES:
            return Drawn(fault="too_large")
        made = draw_page(self._whole(row, limit=MAX_BYTES), number)
        return Drawn(
            png=made.png,
            width=made.width,
            height=made.height,
            pages=made.pages,
            fault=made.fault,
        )

    def _holder(self, row: CaptureRow) -> CaptureRow:
        """Return the capture whose record holds the content: another's, where it revisits."""
        if row.record_type != "revisit" or row.content_id is None:
            return row
        with open_index(self._index_path) as connection:
            same = captures(connection, content_id=row.content_id)
        return next((one for one in same if one.record_type != "revisit"), row)

    def _whole(self, row: CaptureRow, *, limit: int) -> bytes:
        """Return the content of a capture, which is what the index names or nothing."""
        content = bytearray()
        for piece in self.content(str(row.capture_id)):
            content += piece
            if len(content) > limit:
                break
        if digest_of(bytes(content)) != row.content_id:
            raise ProvenanceError(
                "the content is not that which the index names",
                where=f"archive/{row.warc}",
                expected=row.content_id,
                hint="Run `provenance verify`.",
            )
        return bytes(content)

    def member(self, capture_id: str) -> Iterator[bytes]:
        """Yield the gzip member of a capture's record as it is stored."""
        with open_index(self._index_path) as connection:
            row = resolve(connection, capture_id).capture
        if row is None:
            raise UsageError(f"{capture_id} has no record")
        path = self._archive / row.warc
        yield from read_member(path, row.offset, row.length, row.capture_id)

    def exchange(self, capture_id: str) -> Exchange | None:
        """Return what a capture's records hold beside the content."""
        with open_index(self._index_path) as connection:
            row = resolve(connection, capture_id).capture
            if row is None:
                return None
            note = connection.execute(
                "SELECT note FROM capture WHERE capture_id = ?", (row.capture_id,)
            ).fetchone()[0]
            asked = connection.execute(
                "SELECT offset, ordinal, record_digest, content_length, type FROM record"
                " WHERE warc = ? AND offset < ? ORDER BY offset DESC LIMIT 1",
                (row.warc, row.offset),
            ).fetchone()
            size = connection.execute(
                "SELECT content_length FROM record WHERE warc = ? AND offset = ? AND ordinal = ?",
                (row.warc, row.offset, row.ordinal),
            ).fetchone()[0]
        path = self._archive / row.warc
        if not path.is_file():
            return None
        request = None
        if asked is not None and asked[4] == "request" and row.obtained != "added":
            with contextlib.suppress(ProvenanceError):
                request = _head(path, *asked[:4])
        answer = _head(path, row.offset, row.ordinal, row.capture_id, size)
        return Exchange(
            chain=self._chain(row.warc, note),
            request_head=request if row.record_type in ("response", "revisit") else None,
            response_head=answer,
            note=note,
            command=cut_out_command(row),
        )

    def _chain(self, warc: str, note: str) -> bytes | None:
        """Return the certificate chain that a note names, as PEM, out of a file of its run."""
        tls = json.loads(note).get("tls")
        digest = tls.get("chain") if isinstance(tls, dict) else None
        if not isinstance(digest, str):
            return None
        with open_index(self._index_path) as connection:
            found = connection.execute(_CHAIN, (warc, CERTIFICATES, digest)).fetchone()
        if found is None:
            return None
        with contextlib.suppress(ProvenanceError):
            raw = read_block(self._archive / found[0], found[1], found[2], limit=_CHAIN_LIMIT)
            return raw if digest_of(raw) == digest else None
        return None

    def cite(self, capture_id: str, form: str, locator: str | None) -> str:
        """Return a citation in one of its forms."""
        return self._cite(capture_id, form, locator)

    def fts_query(self, words: str) -> str:
        """Return the FTS5 expression for a person's words."""
        return fts_query(words)


def _head(path: Path, offset: int, ordinal: int, digest: str, size: int) -> bytes | None:
    head = read_head_of(
        path, offset, ordinal, digest=Digest(digest), size=size, limit=_LOOKED_THROUGH
    )
    return head or None


def cut_out_command(row: CaptureRow) -> str:
    """Return the shell line that cuts the capture's record out and prints its capture id."""
    file = shlex.quote(f"archive/{row.warc}")
    cut = f"tail -c +{row.offset + 1} {file} | head -c {row.length}"
    return f"{cut} | gzip -dc | head -c -4 | sha256sum"
