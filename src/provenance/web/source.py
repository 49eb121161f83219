"""The port through which the pages get what is not in the index. Holds no code of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One finding of a verification: its code, its place, what was expected and found, a hint."""

    code: str
    warc: str | None
    offset: int | None
    field: str | None
    expected: str | None
    found: str | None
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """The newest checkpoint of the log: its origin, its leaves, and the root in Base64."""

    origin: str
    size: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of verifying one capture now: the rungs that hold, records read, what is wrong.

    `log` is None where there is no checkpoint that can be read.
    """

    rungs: tuple[str, ...]
    records: int
    faults: tuple[Fault, ...]
    log: LogHead | None = None


class Lack(StrEnum):
    """Why a part of a page is not shown.

    Of an address that has several records it is the first that holds of any of them.
    """

    BEYOND = "beyond"
    LARGE = "large"
    AWAY = "away"
    DAMAGED = "damaged"
    UNFIT = "unfit"
    UNCHANGED = "unchanged"
    CUT = "cut"
    ERROR = "error"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """How many parts of a page are not shown for one reason, and the first of their addresses."""

    why: Lack
    count: int
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """An archived page, in UTF-8, with what the archive has of the parts that it names.

    Parts are pictures, style sheets and fonts. Of the `named` addresses `shown` are in the page,
    all others in `lacking`; `first` and `last` are the dates of what is shown. Those that are
    `repeated` are shown, but not in all their places. Where `limited`, more is named than was
    looked up, and than `named` counts.
    """

    page: bytes
    named: int
    shown: int
    lacking: tuple[Lacking, ...]
    repeated: int
    first: str | None
    last: str | None
    limited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A page of a paged document as a PNG, with its size in pixels; `pages` is how many there are.

    Where it could not be drawn, `fault` says why in one word, and `png` is empty.
    """

    png: bytes = b""
    width: int = 0
    height: int = 0
    pages: int = 0
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHand:
    """Whether the WARC files are there that hold a capture's record, and its content."""

    record: bool
    content: bool


class SiteSource(Protocol):
    """Bytes, citations, proofs and checks for the pages; the hall implements it.

    Every method may be called from any thread, several at a time. Ids are whole
    (`sha256:` and 64 hex digits) and stand in the index that the pages read.
    """

    def at_hand(self, capture_ids: Sequence[str]) -> Mapping[str, AtHand]:
        """Say of each capture which of its bytes can be had at all; reads none of them."""
        ...

    def assembled(self, capture_id: str) -> Assembled | None:
        """Return an HTML page with its parts, None where it is too large or has no address.

        Raises:
            ProvenanceError: the record cannot be read, or is not what the index names.
        """
        ...

    def drawn(self, capture_id: str, number: int) -> Drawn:
        """Return page `number`, from 1, of a PDF as a picture.

        Raises:
            ProvenanceError: the record cannot be read, or is not what the index names.
        """
        ...

    def content(self, capture_id: str) -> Iterator[bytes]:
        """Yield the decoded content in pieces of bounded size.

        Raises:
            ProvenanceError: the record cannot be read.
        """
        ...

    def member(self, capture_id: str) -> Iterator[bytes]:
        """Yield the gzip member of the capture's record as stored, in pieces of bounded size.

        The last piece comes only if the record inside has the capture id.

        Raises:
            ProvenanceError: it has not, or cannot be read.
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

    def log(self) -> LogHead | None:
        """Return the newest checkpoint of the archive's log, None where there is none."""
        ...

    def proof(self, capture_id: str) -> bytes | None:
        """Return the proof that the log covers a capture, None where it does not, or is not there.

        Takes time that grows with the log.
        """
        ...

    def check(self, capture_id: str) -> Checked:
        """Verify one capture now: its records, and the log's word on it. Reads all of it."""
        ...
