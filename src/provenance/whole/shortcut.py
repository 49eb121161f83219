"""Take captures in which all is as this tool writes it by a short way; leave every other.

It reports nothing: what it takes gives no finding, and adds to the ledger what the full judgement
would. Whatever it does not know, or finds wrong, it leaves to that judgement.

What a capture must be, for this way:
(1) its members are small, whole, and hold one record each, framed as they should be;
(2) each header has the fields this tool writes, in its order, and no other;
(3) each block has the digest its header declares;
(4) request, response (or revisit) and metadata name each other and share date, address and peer,
    or a metadata record stands alone; what follows belongs to another capture;
(5) the HTTP message is as long, and its payload what, the headers say;
(6) the metadata record says of the others what they are.
"""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256

from provenance.holdings import CAPTURE_PROFILE, CaptureKind
from provenance.http_message import HEAD_LIMIT, Framing, parse_response_head
from provenance.whole.fields import legal_address, legal_date
from provenance.whole.inflate import SmallMembers
from provenance.whole.leaves import capture_line, leaf_hash, record_line
from provenance.whole.ledger import NONE, Ledger, Row, key_of, key_of_bytes
from provenance.whole.payload import PayloadGauge
from provenance.whole.records import IDENTICAL
from provenance.whole.statements import (
    Statement,
    captured_at,
    chain_of,
    digest_in,
    hops_of,
    legal_outcomes,
    statement_in,
    word_of,
)
from provenance.whole.window import Window

_URI = rb"[A-Za-z][A-Za-z0-9+.-]*:[!-;=?-~]"
_ID = rb"<(" + _URI + rb"+)>"
_DATE = rb"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{6})?Z)"
_SHA256 = rb"sha256:([0-9a-f]{64})"
_HEADER = re.compile(
    rb"WARC/1\.1\r\n"
    rb"WARC-Type: (request|response|revisit|metadata)\r\n"
    rb"WARC-Record-ID: " + _ID + rb"\r\n"
    rb"WARC-Date: " + _DATE + rb"\r\n"
    rb"WARC-Target-URI: (" + _URI + rb"*)\r\n"
    rb"(?:WARC-IP-Address: ([0-9A-Fa-f.:]+)\r\n)?"
    rb"(?:WARC-Protocol: [!-~]+\r\n)*"
    rb"(?:WARC-Concurrent-To: " + _ID + rb"\r\n)?"
    rb"(?:WARC-Profile: (" + _URI + rb"*)\r\n"
    rb"WARC-Refers-To: " + _ID + rb"\r\n"
    rb"WARC-Refers-To-Target-URI: (" + _URI + rb"*)\r\n"
    rb"WARC-Refers-To-Date: " + _DATE + rb"\r\n)?"
    rb"(?:WARC-Payload-Digest: " + _SHA256 + rb"\r\n)?"
    rb"(?:WARC-Truncated: (length|time|disconnect)\r\n)?"
    rb"WARC-Block-Digest: " + _SHA256 + rb"\r\n"
    rb"Content-Type: ([!-~]+)\r\n"
    rb"Content-Length: ([0-9]{1,18})\r\n\r\n"
)
_TRAILER = b"\r\n\r\n"
_HEAD_END = re.compile(rb"\n\r?\n")
_STATUS = re.compile(rb"HTTP/\d\.\d[ \t]+([2-5]\d\d)(?:[ \t]+[^\n]*)?\r\n")
_BODILESS = (204, 304)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n(?![ \t])")
_TYPES = {
    b"request": b"application/http;msgtype=request",
    b"response": b"application/http;msgtype=response",
    b"revisit": b"application/http;msgtype=response",
    b"metadata": b"application/json",
}
_KINDS = tuple(each.value for each in CaptureKind)
_REMEMBERED = 4096
_DAY = len("2021-02-22")


class _Piece:
    """One record as (1), (2) and (3) want it: the groups of `_HEADER`, its bytes and its place."""

    __slots__ = (
        "anchor", "block", "concurrent", "date", "end", "id", "ip", "kind", "offset", "payload",
        "plain", "profile", "refers_date", "refers_to", "refers_uri", "start", "truncated", "uri",
    )  # fmt: skip

    def __init__(
        self, fields: tuple[bytes, ...], plain: bytes, start: int, offset: int, end: int
    ) -> None:
        (
            self.kind, self.id, self.date, self.uri, self.ip, self.concurrent, self.profile,
            self.refers_to, self.refers_uri, self.refers_date, self.payload, self.truncated,
            _, _, _,
        ) = fields  # fmt: skip
        self.plain = plain
        self.start = start
        self.offset = offset
        self.end = end
        self.block = memoryview(plain)[start:-4]
        self.anchor = self.concurrent or self.id


class Shortcut:
    """The short way through one gzip file; what it takes goes into `ledger`.

    `records` counts what was taken. `met` turns True once a record at byte `until` was seen; at
    the first capture after that byte the way ends.
    """

    def __init__(self, window: Window, ledger: Ledger, until: int | None) -> None:
        self.records = 0
        self.met = False
        self._until = until
        self._window = window
        self._members = SmallMembers(window)
        self._ledger = ledger
        self._days: set[bytes] = set()
        self._addresses: set[bytes | None] = {None}

    def run(self, offset: int) -> int:
        """Take captures from `offset` on, where one begins; return where the first other begins."""
        size = self._window.size
        first = self._read(offset)
        while first is not None and (self._until is None or offset <= self._until):
            pieces = self._capture_from(first)
            if pieces is None:
                return offset
            end = pieces[-1].end
            after = self._read(end) if end < size else None
            if end < size and (after is None or after.anchor == first.anchor):
                return offset
            if not self._take(pieces):
                return offset
            self.records += len(pieces)
            offset, first = end, after
        return offset

    def _read(self, offset: int) -> _Piece | None:
        if offset == self._until:
            self.met = True
        found = self._members.at(offset)  # (1)
        if found is None:
            return None
        plain, end = found
        match = _HEADER.match(plain)  # (2)
        if match is None:
            return None
        start = match.end()
        fields = match.groups()
        whole = len(plain) == start + int(fields[14]) + 4 and plain.endswith(_TRAILER)
        if not whole or fields[13] != _TYPES[fields[0]]:
            return None
        piece = _Piece(fields, plain, start, offset, end)
        return piece if sha256(piece.block).hexdigest().encode() == fields[12] else None  # (3)

    def _legal(self, date: bytes, address: bytes | None) -> bool:
        day = date[:_DAY]  # the form of a header leaves nothing else to be illegal
        if day not in self._days:
            if not legal_date(day.decode(), "WARC/1.1"):
                return False
            if len(self._days) > _REMEMBERED:
                self._days.clear()
            self._days.add(day)
        if address not in self._addresses and address is not None:
            if not legal_address(address.decode()):
                return False
            if len(self._addresses) > _REMEMBERED:
                self._addresses = {None}
            self._addresses.add(address)
        return True

    def _capture_from(self, first: _Piece) -> tuple[_Piece, ...] | None:
        """Return the records of the capture that `first` opens, as far as (4) is of their form."""
        if first.kind == b"metadata":
            alone = first.concurrent is first.ip is first.profile is first.payload is None
            return (first,) if alone and first.truncated is None else None
        answer = self._read(first.end) if first.kind == b"request" else None
        note = self._read(answer.end) if answer is not None else None
        if answer is None or note is None:
            return None
        return (first, answer, note) if _concurrent(first, answer, note) else None

    def _take(self, pieces: tuple[_Piece, ...]) -> bool:
        """Put a capture into the ledger, if its metadata record says what it is."""
        own = pieces[-1]
        said = statement_in(own.block)
        if said is None or said["profile"] != CAPTURE_PROFILE:
            return False
        if not self._legal(own.date, pieces[0].ip):
            return False
        date, uri = own.date.decode(), own.uri.decode()
        truth: dict[str, object] = {"captured_at": captured_at(said, date)}
        if len(pieces) == 1:
            truth["capture_id"] = truth["capture_record"] = None
            digest = sha256(memoryview(own.plain)[:-4]).digest()
        else:
            answer = pieces[1]
            measured = _measure(answer)
            if measured is None:
                return False
            digest = sha256(memoryview(answer.plain)[:-4]).digest()
            truth |= measured
            truth["capture_id"] = f"sha256:{digest.hex()}"
            truth["capture_record"] = answer.id.decode()
            truth["target_uri"] = uri
        kind = answer.kind.decode() if len(pieces) > 1 else None
        # (6) A key that is not there at all is left to the full judgement too.
        if not (truth.items() <= said.items() and _legal_outcome(said, kind)):
            return False
        self._note(pieces, said, digest)
        return True

    def _note(self, pieces: tuple[_Piece, ...], said: Statement, digest: bytes) -> None:
        ledger = self._ledger
        own = pieces[-1]
        group = key_of_bytes(own.anchor)
        for piece in pieces:
            ledger.records.add(key_of_bytes(piece.id), piece.offset, group)
        for hop in hops_of(said) if said.get("redirects") else ():
            ledger.hops.add(hop, own.offset)
        if said.get("tls") is not None and (chain := chain_of(said)) is not None:
            ledger.chains.add(chain, own.offset)
        if said.get("kind") == CaptureKind.DOCUMENT:
            ledger.outcomes.add_raw(digest, group)
            run = (word_of(said.get("run")), word_of(said.get("collection")))
            ledger.runs.setdefault(run, Counter())[word_of(said.get("outcome"))] += 1
        if len(pieces) > 1:
            others = [
                (each.kind.decode(), sha256(memoryview(each.plain)[:-4]).hexdigest())
                for each in pieces[::2]
            ]
            ledger.leaves.add_raw(leaf_hash(capture_line(digest.hex(), others)), pieces[0].offset)
            self._note_anchor(pieces[1], said, digest, group)
        else:
            ledger.leaves.add_raw(leaf_hash(record_line(digest.hex())), own.offset)
        ledger.settle()

    def _note_anchor(self, answer: _Piece, said: Statement, digest: bytes, group: int) -> None:
        self._ledger.anchors.add(key_of_bytes(b"sha256:" + digest.hex().encode()))
        revisit = answer.kind == b"revisit"
        column = self._ledger.revisits if revisit else self._ledger.originals
        # What a response holds was measured; of a revisit it is only told.
        content = digest_in(said, "content_id") if revisit else str(said["content_id"])
        payload = str(said["payload_digest"]) if answer.payload or not revisit else None
        row = Row(
            record=group,
            target=key_of_bytes(answer.refers_to) if revisit else NONE,
            uri=key_of_bytes(answer.refers_uri if revisit else answer.uri),
            date=key_of_bytes(answer.refers_date if revisit else answer.date),
            payload=key_of(payload),
            content=key_of(content),
            offset=answer.offset,
            group=group,
        )
        column.add(row)


def _concurrent(request: _Piece, answer: _Piece, note: _Piece) -> bool:
    """Say whether three records are one visit (4), each with the fields of its type alone (2)."""
    if not (request.concurrent == answer.id == note.concurrent and answer.concurrent is None):
        return False
    if not request.date == answer.date == note.date or not request.uri == answer.uri == note.uri:
        return False
    if request.ip != answer.ip or note.kind != b"metadata" or note.ip is not None:
        return False
    for other in (request, note):
        if not other.profile is other.payload is other.truncated is None:
            return False
    if answer.kind == b"response":
        return answer.profile is None
    if answer.kind != b"revisit" or answer.profile is None or answer.truncated is not None:
        return False
    return answer.payload is not None or not answer.profile.endswith(IDENTICAL.encode())


def _legal_outcome(said: Statement, anchor: str | None) -> bool:
    kind, outcome = said.get("kind"), said.get("outcome")
    if kind != CaptureKind.DOCUMENT:
        return kind in _KINDS and outcome is None
    return outcome in legal_outcomes(anchor)


def _measure(answer: _Piece) -> dict[str, object] | None:
    """Return what the metadata record must say of the answer, None where (5) does not hold."""
    if answer.kind == b"revisit":
        return _measure_revisit(answer)
    found = _HEAD_END.search(answer.plain, answer.start)
    if found is None or found.end() > min(answer.start + HEAD_LIMIT, len(answer.plain) - 4):
        return _measure_coded(answer)
    head = answer.plain[answer.start : found.end()]
    status = _STATUS.match(head)
    lower = head.lower()
    plain = status is not None and int(status[1]) not in _BODILESS
    if not plain or b"transfer-encoding" in lower or b"content-encoding" in lower:
        return _measure_coded(answer)
    body = memoryview(answer.plain)[found.end() : -4]
    named = lower.count(b"content-length")
    length = _LENGTH.search(lower) if named else None
    if named and (named > 1 or length is None):
        return _measure_coded(answer)
    if length is not None and int(length[1]) != len(body) and answer.truncated is None:
        return None
    digest = sha256(body).hexdigest()
    if status is None or answer.payload is None or answer.payload.decode() != digest:
        return None
    return _said_of(answer, int(status[1]), f"sha256:{digest}", len(body))


def _said_of(answer: _Piece, status: int, digest: str, size: int) -> dict[str, object]:
    return {
        "truncated": answer.truncated.decode() if answer.truncated else None,
        "status": status,
        "payload_digest": digest,
        "payload_size": size,
        "content_id": digest,
        "size": size,
        "undecoded": None,
    }


def _measure_coded(answer: _Piece) -> dict[str, object] | None:
    """Measure a body that is coded, or framed in another way than by its length or its end."""
    cut = answer.truncated is not None
    declared = answer.payload
    gauge = PayloadGauge(
        http=True, algorithm="sha256" if declared else None, measured=True, cut=cut
    )
    gauge.feed(bytes(answer.block))
    gauge.finish()
    chunked = gauge.shape.framing is Framing.CHUNKED
    if gauge.head is None or chunked == bool(declared):
        return None
    if declared and gauge.stored != bytes.fromhex(declared.decode()):
        return None
    if gauge.shape.length not in (None, gauge.body_size) and not cut:
        return None
    found = gauge.digests()
    return _said_of(answer, gauge.head.status, found.payload_digest, found.payload_size) | {
        "content_id": found.content_id,
        "size": found.content_size,
        "undecoded": found.undecoded,
    }


def _measure_revisit(answer: _Piece) -> dict[str, object] | None:
    head = parse_response_head(bytes(answer.block))
    if head is None or not legal_date(answer.refers_date.decode(), "WARC/1.1"):
        return None
    # The block is the head alone, so that nothing says whether the body was cut.
    truth: dict[str, object] = {"truncated": None, "status": head.status}
    if answer.payload is not None:
        truth["payload_digest"] = f"sha256:{answer.payload.decode()}"
    return truth
