"""The port through which the pages get what is not in the index. Holds no code of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a capture's records hold beside the content.

    `request_head` and `response_head` are bytes as stored, the empty line included, and None where
    there is no such record. `note` is the metadata record's JSON text. `command` is one shell line
    that cuts the capture's record out of its WARC file and prints the digits of the capture id.
    `chain` is the server's certificate chain as PEM, None where there was none.
    """

    request_head: bytes | None
    response_head: bytes | None
    note: str
    command: str
    chain: bytes | None = None


class SiteSource(Protocol):
    """Bytes, citations and search expressions for the pages; the hall implements it.

    Every method may be called from any thread, several at a time. Ids are whole
    (`sha256:` and 64 hex digits) and stand in the index that the pages read.
    """

    def content(self, capture_id: str) -> Iterator[bytes]:
        """Yield the decoded content in pieces of bounded size.

        Raises:
            ProvenanceError: the record cannot be read.
        """
        ...

    def exchange(self, capture_id: str) -> Exchange | None:
        """Return the exchange, or None where the WARC file is not at hand."""
        ...

    def cite(self, capture_id: str, form: str, locator: str | None) -> str:
        """Return a citation; forms: text, markdown, html, bibtex, ris, csl-json."""
        ...

    def fts_query(self, words: str) -> str:
        """Turn a person's words into an FTS5 expression.

        Raises:
            UsageError: there is no word in it.
        """
        ...
