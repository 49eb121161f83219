"""Read the head of a response off the wire, within bounds and by our own rules."""

from __future__ import annotations

import re
from http.client import HTTPMessage, HTTPResponse

from provenance.exchange.faults import ExchangeFault
from provenance.exchange.recorder import Recorder
from provenance.http_message import HEAD_LIMIT, ResponseHead, parse_response_head

INTERIM_LIMIT = 16
"""Responses with a status from 100 to 199 that may come before the real one."""

LINES_LIMIT = 2000
"""Lines that one head may have."""

LINE_LIMIT = 1 << 18
"""Bytes that one line of a head may have."""

COOKIES_LIMIT = 64
"""Set-Cookie fields of one response that are heeded, of 8 KiB each at most."""

_COOKIE_LIMIT = 1 << 13
_END = re.compile(rb"\n\r?\n")


class RecordingResponse(HTTPResponse):
    """A response whose head is read by our own rules; the body is read from `fp` by the client.

    Steps of `begin`:
    (1) Head: read up to the empty line, within the limits.
    (2) Interim: a 1xx other than 101 is set aside, and the next head is read.
    (3) Words: fill in what http.client and requests expect to find.

    Source: RFC 9112 §2.2, §4; RFC 9110 §15.2.
    """

    recorder: Recorder
    message: ResponseHead
    keeps: bool
    """Whether the server leaves the connection open for another request."""

    def begin(self) -> None:
        """Read the head of the final response.

        Raises:
            ExchangeFault: disconnect or bad_response.
        """
        recorder = self.recorder
        room = HEAD_LIMIT
        while True:
            raw = self._read_head(room)  # (1) Head
            room -= len(raw)
            head = parse_response_head(raw)
            if head is None:
                raise ExchangeFault("bad_response", f"not HTTP: {raw[:40]!r}")
            if not 100 <= head.status < 200 or head.status == 101:
                break
            recorder.interim.append(raw)  # (2) Interim
            if len(recorder.interim) > INTERIM_LIMIT:
                raise ExchangeFault("bad_response", "no end of interim responses")
        recorder.head_bytes = raw
        recorder.answered = True
        self.message = head
        self._fill_in(head)  # (3) Words

    def _read_head(self, room: int) -> bytes:
        raw = bytearray()
        lines = 0
        last = 0
        while True:
            seen = self.fp.peek(1)
            if not seen:
                silent = self.recorder.received == 0
                where = "before" if silent else "inside"
                raise ExchangeFault("disconnect", f"the connection ended {where} a response head")
            start = len(raw)
            raw += seen
            match = _END.search(raw, max(start - 2, 0))
            end = match.end() if match else len(raw)
            if raw[:5] != b"HTTP/"[: len(raw)]:
                raise ExchangeFault("bad_response", f"not HTTP: {bytes(raw[:40])!r}")
            lines += raw.count(b"\n", start, end)
            last = self._check(raw, last, end, lines, room)
            self.fp.read(end - start)
            if match:
                return bytes(raw[:end])

    @staticmethod
    def _check(raw: bytearray, last: int, end: int, lines: int, room: int) -> int:
        """Hold the limits of a head of which `raw[:end]` came; return where its last line begins.

        Raises:
            ExchangeFault: bad_response.
        """
        if end > room:
            raise ExchangeFault("bad_response", f"heads of more than {HEAD_LIMIT} bytes")
        if lines > LINES_LIMIT:
            raise ExchangeFault("bad_response", f"a head of more than {LINES_LIMIT} lines")
        while (line_end := raw.find(b"\n", last, end)) >= 0 and line_end - last <= LINE_LIMIT:
            last = line_end + 1
        if line_end - last > LINE_LIMIT or (line_end < 0 and end - last > LINE_LIMIT):
            raise ExchangeFault("bad_response", f"a line of more than {LINE_LIMIT} bytes in a head")
        return last

    def _fill_in(self, head: ResponseHead) -> None:
        self.code = self.status = head.status
        self.reason = head.reason.decode("latin-1")
        self.version = 10 if head.version == "1.0" else 11
        self.headers = self.msg = HTTPMessage()
        cookies = [value for value in head.values("set-cookie") if len(value) <= _COOKIE_LIMIT]
        for value in cookies[:COOKIES_LIMIT]:
            self.headers["Set-Cookie"] = value
        self.chunked = False
        self.length = None
        self.will_close = False  # the client closes, once the body is read
        said = {
            token.strip().lower()
            for value in head.values("connection")
            for token in value.split(",")
        }
        kept = "keep-alive" in said if head.version == "1.0" else "close" not in said
        self.keeps = kept and head.status != 101

    @property
    def _original_response(self) -> RecordingResponse:
        """The name under which requests looks for the fields that set cookies."""
        return self
