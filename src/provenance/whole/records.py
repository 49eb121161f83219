"""Judge one record by itself: its fields, its digests, its HTTP length. Opens no file.

What is learned of it is handed on as `Facts`, for the checks across records.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from provenance.digest import Digest, from_hex
from provenance.http_body import BodyDigests
from provenance.http_message import Framing, ResponseHead
from provenance.whole.fields import TYPES, field_faults
from provenance.whole.framing import FramedRecord
from provenance.whole.header import Header, HeaderFault, bare
from provenance.whole.labelled import Labelled, parse_labelled
from provenance.whole.payload import PayloadGauge, decoded_digest

KEPT_LIMIT = 8 << 20
"""Bytes of a metadata or warcinfo block that are read as text."""

ANCHORS = frozenset({"response", "revisit", "resource"})
"""The record types that a capture is named after."""

IDENTICAL = "/revisit/identical-payload-digest"
_FORM = re.compile(r"sha256:[0-9a-f]{64}\Z")
_UNMEASURED = frozenset({"revisit", "continuation", "warcinfo", "metadata"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one record says and what its bytes are.

    `digest` covers header and block; `record_digest` is the same, of records that a capture may be
    named after; `digests` stand for measured payloads; `text` is the
    block of a warcinfo or metadata record.
    """

    offset: int
    ordinal: int
    ours: bool
    whole: bool
    header: Header
    digest: Digest
    record_digest: Digest | None
    head: ResponseHead | None
    digests: BodyDigests | None
    text: bytes | None

    @property
    def kind(self) -> str:
        """The WARC-Type."""
        return self.header.value("WARC-Type") or ""

    @property
    def record_id(self) -> str:
        """The record id without angle brackets."""
        return bare(self.header.value("WARC-Record-ID"))

    @property
    def payload(self) -> Labelled | None:
        """The declared payload digest."""
        value = self.header.value("WARC-Payload-Digest")
        return parse_labelled(value) if value is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The record that is looked for: by the digest of header and block, or by its record id."""

    digest: Digest | None = None
    record_id: str | None = None

    def is_in(self, facts: Facts) -> bool:
        """Say whether this is the record."""
        if self.digest is not None:
            return facts.record_digest == self.digest
        return facts.record_id == self.record_id


def anchor_id(header: Header) -> str:
    """Return the id of the record that this one's capture is named after, itself maybe."""
    own = bare(header.value("WARC-Record-ID"))
    if header.value("WARC-Type") in ANCHORS:
        return own
    return next((bare(each) for each in header.values("WARC-Concurrent-To")), "") or own


@dataclass(frozen=True, slots=True)
class Tallies:
    """What is counted and no fault.

    `readings` counts payload digests that are of other bytes than the standard's; `unknown` the
    algorithms, `types` the record types not known here.
    """

    readings: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)

    def extend(self, other: Tallies) -> None:
        """Add what was counted in another part of the same file."""
        self.readings.update(other.readings)
        self.unknown.update(other.unknown)
        self.types.update(other.types)


_WORD, _WORDS = 100, 100
"""Characters that are kept of a word that is counted, and how many words are."""


def _count(counter: Counter[str], word: str) -> None:
    word = word[:_WORD]
    counter[word if word in counter or len(counter) < _WORDS else "(others)"] += 1


BlockAgain = Callable[[FramedRecord], Iterable[bytes]]
"""Reads a record's block a second time."""


class RecordJudge:
    """Judge the records of one file in order.

    `ours` turns with each warcinfo record: it says whose records follow.
    """

    def __init__(self, report: Callable[[FramedRecord, HeaderFault], None], again: BlockAgain):
        self.ours = False
        self.tallies = Tallies()
        self._report = report
        self._again = again

    def judge(self, record: FramedRecord) -> Facts:
        """Read the block out, report what is wrong with the record, return its facts."""
        facts = self._read(record)
        faults = [*field_faults(facts.header, ours=facts.ours)]
        if facts.kind and facts.kind not in TYPES and not facts.ours:
            _count(self.tallies.types, facts.kind)
        for fault in faults:
            self._report(record, fault)
        return facts

    def _read(self, record: FramedRecord) -> Facts:
        kind = record.header.value("WARC-Type") or ""
        ours = self.ours and kind != "warcinfo"
        block = _declared(record.header, "WARC-Block-Digest")
        block_hash = _hash_for(block)
        whole = hashlib.sha256(record.header.raw)
        gauge = self._gauge(record, kind, ours=ours)
        kept = bytearray() if kind in ("warcinfo", "metadata") else None
        for piece in record.pieces():
            if block_hash is not None:
                block_hash.update(piece)
            whole.update(piece)
            if gauge is not None:
                gauge.feed(piece)
            if kept is not None and len(kept) <= KEPT_LIMIT:
                kept += piece
        if kind == "warcinfo":
            ours = self.ours = _is_ours(bytes(kept or b""))
        digests = None
        if record.whole:
            self._check_block(record, block, block_hash.digest() if block_hash else None)
            if gauge is not None:
                gauge.finish()
                digests = gauge.digests() if gauge.measured else None
                self._check_payload(record, gauge)
            if ours:
                self._check_ours(record, kind, gauge)
        digest = from_hex(whole.hexdigest())
        return Facts(
            offset=record.offset,
            ordinal=record.ordinal,
            ours=ours,
            whole=record.whole,
            header=record.header,
            digest=digest,
            record_digest=digest if kind in ANCHORS | {"metadata"} else None,
            head=gauge.head if gauge is not None else None,
            digests=digests,
            text=bytes(kept) if kept is not None else None,
        )

    def _gauge(self, record: FramedRecord, kind: str, *, ours: bool) -> PayloadGauge | None:
        payload = _declared(record.header, "WARC-Payload-Digest")
        measured = ours and kind in ("response", "resource")
        http = _is_http(record.header, kind)
        revisit_head = kind == "revisit" and http
        algorithm = payload.algorithm if payload is not None else None
        if kind in _UNMEASURED or record.header.value("WARC-Segment-Number") is not None:
            algorithm = None
        if not (measured or algorithm or revisit_head):
            return None
        cut = record.header.value("WARC-Truncated") is not None
        return PayloadGauge(http=http, algorithm=algorithm, measured=measured, cut=cut)

    def _check_block(
        self, record: FramedRecord, declared: Labelled | None, found: bytes | None
    ) -> None:
        if declared is None or not self._usable(record, "WARC-Block-Digest", declared):
            return
        if found is not None and declared.raw != found:
            self._mismatch(record, "block_digest", "WARC-Block-Digest", declared, found)

    def _check_payload(self, record: FramedRecord, gauge: PayloadGauge) -> None:
        declared = _declared(record.header, "WARC-Payload-Digest")
        stored = gauge.stored
        usable = self._usable(record, "WARC-Payload-Digest", declared)
        if not usable or declared is None or declared.algorithm is None or stored is None:
            return
        standard = gauge.dechunked or stored
        if declared.raw == standard:
            return
        if declared.raw == stored:
            self.tallies.readings["as stored"] += 1
            return
        for reading, raw in self._other_readings(record, gauge, declared.algorithm):
            if raw == declared.raw:
                self.tallies.readings[reading] += 1
                return
        self._mismatch(record, "payload_digest", "WARC-Payload-Digest", declared, standard)

    def _other_readings(
        self, record: FramedRecord, gauge: PayloadGauge, algorithm: str
    ) -> Iterator[tuple[str, bytes]]:
        whole = hashlib.new(algorithm, usedforsecurity=False)
        for piece in self._again(record):
            whole.update(piece)
        yield "the whole block", whole.digest()
        if gauge.shape.codings or gauge.shape.framing is Framing.CHUNKED:
            body = _Body(lambda: self._again(record), gauge.head_size)
            yield "decoded", decoded_digest(gauge.shape, body.pieces, algorithm)
        if not gauge.head_size:
            split = PayloadGauge(http=True, algorithm=algorithm, measured=False, cut=False)
            for piece in self._again(record):
                split.feed(piece)
            split.finish()
            if split.stored is not None:
                yield "after an HTTP head", split.dechunked or split.stored

    def _usable(self, record: FramedRecord, field: str, declared: Labelled | None) -> bool:
        if declared is None:
            return False
        if declared.algorithm is None:
            _count(self.tallies.unknown, declared.text.partition(":")[0])
            return False
        if declared.raw is None:
            expected = f"a {declared.algorithm} value"
            self._fault(record, "digest_unreadable", field, expected, declared.text)
            return False
        return True

    def _mismatch(
        self, record: FramedRecord, code: str, field: str, declared: Labelled, found: bytes
    ) -> None:
        self._fault(record, code, field, declared.text, declared.says(found))

    def _fault(
        self, record: FramedRecord, code: str, field: str, expected: str, found: str
    ) -> None:
        self._report(record, HeaderFault(code=code, field=field, expected=expected, found=found))

    def _check_ours(self, record: FramedRecord, kind: str, gauge: PayloadGauge | None) -> None:
        header = record.header
        for name in ("WARC-Block-Digest", "WARC-Payload-Digest"):
            value = header.value(name)
            if value is not None and not _FORM.match(value):
                self._fault(record, "digest_form", name, "sha256: and 64 hex digits", value)
        wanted = kind == "response" or (
            kind == "revisit" and (header.value("WARC-Profile") or "").endswith(IDENTICAL)
        )
        value = header.value("WARC-Payload-Digest")
        if gauge is not None and kind == "response":
            if gauge.shape.framing is Framing.CHUNKED:
                wanted = False
                if value is not None:
                    self._fault(
                        record, "payload_digest_chunked", "WARC-Payload-Digest", "none", value
                    )
            self._check_http(record, gauge)
        if wanted and value is None:
            self._fault(record, "field_missing", "WARC-Payload-Digest", "the field", "none")

    def _check_http(self, record: FramedRecord, gauge: PayloadGauge) -> None:
        if not _is_http(record.header, "response"):
            return
        if gauge.head is None:
            self._fault(record, "http_unreadable", "block", "HTTP/", "other bytes")
        length = gauge.shape.length
        cut = record.header.value("WARC-Truncated") is not None
        if length is not None and length != gauge.body_size and not cut:
            expected, found = f"{length} bytes", f"{gauge.body_size} bytes"
            self._fault(record, "http_length", "Content-Length (HTTP)", expected, found)


class _Body:
    """The block without its first `skip` bytes, as often as it is asked for."""

    def __init__(self, block: Callable[[], Iterable[bytes]], skip: int) -> None:
        self._block = block
        self._skip = skip

    def pieces(self) -> Iterator[bytes]:
        left = self._skip
        for piece in self._block():
            taken = min(left, len(piece))
            left -= taken
            if piece[taken:]:
                yield piece[taken:]


def _declared(header: Header, field: str) -> Labelled | None:
    value = header.value(field)
    return parse_labelled(value) if value is not None else None


def _hash_for(declared: Labelled | None) -> hashlib._Hash | None:
    if declared is None or declared.algorithm is None or declared.raw is None:
        return None
    return hashlib.new(declared.algorithm, usedforsecurity=False)


def _is_http(header: Header, kind: str) -> bool:
    content_type = (header.value("Content-Type") or "").strip().lower()
    return kind in ("request", "response", "revisit") and content_type.startswith(
        "application/http"
    )


def _is_ours(warcinfo: bytes) -> bool:
    return re.search(rb"(?mi)^software:\s*provenance/", warcinfo) is not None
