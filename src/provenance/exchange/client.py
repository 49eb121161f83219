"""Make one exchange at a time and hand it over as a value; knows no redirects and no robots."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from provenance.digest import digest_of, from_hex
from provenance.errors import StorageError
from provenance.exchange.addresses import AddressPolicy, literal_address
from provenance.exchange.recorder import ExchangeFault, Recorder
from provenance.exchange.redaction import redact
from provenance.exchange.transport import Held, RecordingSession, TransportError, fault_of
from provenance.exchange.values import Answer, Exchange, Fault, Surplus
from provenance.http_body import BodyMeter
from provenance.http_message import Framing, MessageEnd, ResponseHead, body_shape
from provenance.runtime import Runtime

_PIECE = 1 << 16
_IN_MEMORY = 1 << 20
_UNPARSED_LIMIT = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """How to ask: `timeout_s` bounds connecting and each wait for bytes, `max_time_s` one exchange,
    `max_bytes` the body as it comes over the wire. `fields` are request fields in order.
    """

    fields: tuple[tuple[str, str], ...]
    timeout_s: float = 60.0
    max_time_s: float = 3600.0
    max_bytes: int = 8 << 30
    proxy: str | None = None
    ca_file: Path | None = None
    spool_dir: Path | None = None


class Client:
    """An HTTP client for one thread: keep-alive connections, no shared state."""

    def __init__(self, runtime: Runtime, settings: ClientSettings, policy: AddressPolicy) -> None:
        self._runtime = runtime
        self._settings = settings
        self._policy = policy
        self._recorder = Recorder(runtime, policy)
        self._session = RecordingSession(self._recorder, dict(settings.fields))
        self._received = 0
        self._kept_to: set[str] = set()
        """The authorities to which a connection was kept for a further request."""

    def close(self) -> None:
        """Close every connection."""
        self._session.close()
        self._kept_to.clear()

    def forget_cookies(self) -> None:
        """Drop the cookies that servers set; they live for one document and its redirects."""
        self._session.cookies.clear()

    @property
    def received(self) -> int:
        """How many bytes have come over all connections so far; safe to ask from any thread."""
        return self._received + self._recorder.received

    def get(
        self,
        url: str,
        *,
        max_time_s: float | None = None,
        fields: tuple[tuple[str, str], ...] = (),
    ) -> Exchange:
        """GET `url` once and return what happened; never raises for what a server does.

        `max_time_s` bounds this exchange where it is less than the settings' bound.

        A kept connection that the server closed in the meantime is dialled once more, as
        RFC 9112 §9.3.1 lets clients do.
        """
        started_at = self._runtime.now()
        kept = self._connection_of(url) in self._kept_to
        exchange = self._once(url, started_at, max_time_s, fields)
        recorder = self._recorder
        stale = exchange.fault is not None and exchange.fault.reason == "disconnect"
        if stale and recorder.reused and recorder.received == 0:
            exchange = self._once(url, started_at, max_time_s, fields)
        # Whether the closing was seen before or only after sending is chance, and not recorded.
        return replace(exchange, reconnected=kept and not recorder.reused)

    def _connection_of(self, url: str) -> str:
        parts = urlsplit(url)
        proxy = self._settings.proxy if parts.scheme == "http" else None
        return proxy or f"{parts.scheme}://{parts.netloc}".lower()

    def _once(
        self,
        url: str,
        started_at: datetime,
        max_time_s: float | None,
        fields: tuple[tuple[str, str], ...],
    ) -> Exchange:
        bound = self._settings.max_time_s
        bound = bound if max_time_s is None else min(bound, max_time_s)
        deadline = self._runtime.monotonic() + bound
        self._received += self._recorder.received
        self._recorder.begin(idle_s=self._settings.timeout_s, deadline=deadline)
        answer: Answer | None = None
        fault: Fault | None = None
        try:
            self._check_literal(url)
            held = self._send(url, fields)
            answer = self._read_answer(url)
            held.close()
        except TransportError as raised:
            fault = fault_of(raised)
            self.close()
        recorder = self._recorder
        recorder.clocked("total", recorder.started)
        request, redacted = redact(bytes(recorder.sent))
        return Exchange(
            url=url,
            started_at=started_at,
            request=request,
            redacted=redacted,
            answer=answer,
            fault=fault,
            peer=recorder.peer,
            addresses=recorder.addresses,
            tls=recorder.tls,
            timings_ms=tuple(recorder.timings.items()),
            unparsed=b"" if answer else recorder.head_bytes[:_UNPARSED_LIMIT],
            reconnected=False,
        )

    def _check_literal(self, url: str) -> None:
        # A proxy resolves names itself; an address that is spelled out can still be checked here.
        if self._settings.proxy is None:
            return
        address = literal_address(urlsplit(url).hostname or "")
        if address is not None and not self._policy.allows(address):
            raise ExchangeFault("private_address", f"{address} is not a public address")

    def _send(self, url: str, fields: tuple[tuple[str, str], ...]) -> Held:
        settings = self._settings
        return self._session.ask(
            url,
            fields=dict(fields),
            timeout_s=settings.timeout_s,
            proxy=settings.proxy,
            ca_file=settings.ca_file,
        )

    def _read_answer(self, url: str) -> Answer:
        response = self._recorder.response
        if response is None:
            raise ExchangeFault("bad_response", "no response was read")
        spool_dir = str(self._settings.spool_dir) if self._settings.spool_dir else None
        spool = cast(
            BinaryIO,
            tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=spool_dir),  # noqa: SIM115
        )
        body = _BodyReading(spool, spool_dir, self._recorder.head_bytes, response.message)
        reader = response.fp
        cut = body.read(lambda: reader.read1(_PIECE), max_bytes=self._settings.max_bytes)
        surplus = self._surplus(body, cut)
        whole = cut is None and surplus is None and body.shape.framing is not Framing.CLOSE
        response._close_conn()  # type: ignore[attr-defined]
        if not whole or response.will_close:
            self.close()
        else:
            self._kept_to.add(self._connection_of(url))
        return body.answer(cut=cut, interim=tuple(self._recorder.interim), surplus=surplus)

    def _surplus(self, body: _BodyReading, cut: str | None) -> Surplus | None:
        recorder = self._recorder
        rest = body.rest
        read = sum(map(len, recorder.interim)) + body.taken + len(rest)
        # Only where more has arrived than was read does peek() answer without asking the wire.
        if cut is None and recorder.received > read and recorder.response is not None:
            rest += recorder.response.fp.peek(1)
        return Surplus(size=len(rest), digest=digest_of(rest)) if rest else None


@contextmanager
def _disk_faults(spool: BinaryIO, where: str | None) -> Iterator[None]:
    """Tell the disk's faults from the server's: they end the run, and no document failed."""
    try:
        yield
    except OSError as fault:
        with suppress(OSError):  # closing tries once more to write what did not fit
            spool.close()
        raise StorageError(
            f"cannot keep what arrives while it is read ({fault.strerror})",
            where=where,
            hint="What was reported as saved is kept; make room or mend the disk, and run again.",
        ) from fault


class _BodyReading:
    """The state of reading one body: spool, hashes, and where the message ends."""

    def __init__(
        self, spool: BinaryIO, where: str | None, head_bytes: bytes, head: ResponseHead
    ) -> None:
        self.head = head
        self.shape = body_shape(head)
        self.end = MessageEnd(self.shape)
        self.meter = BodyMeter(self.shape)
        self.rest = b""
        self.taken = len(head_bytes)
        self._spool = spool
        self._where = where
        self._block = hashlib.sha256(head_bytes)
        self._body = hashlib.sha256()
        spool.write(head_bytes)

    def read(self, next_piece: Callable[[], bytes], *, max_bytes: int) -> str | None:
        """Read to the message's end; return why it was cut, or None."""
        while not self.end.done:
            try:
                piece = next_piece()
            except TimeoutError:
                return "time"
            except OSError:
                return "disconnect"
            if not piece:
                ended = self.shape.framing is Framing.CLOSE
                return None if ended else "disconnect"
            room = max_bytes - self.end.size
            belongs = self.end.feed(piece[:room])
            self._keep(piece[:belongs])
            self.rest = piece[belongs:]
            if not self.end.done and self.end.size >= max_bytes:
                self.rest = b""
                return "length"
        return None

    def _keep(self, piece: bytes) -> None:
        with _disk_faults(self._spool, self._where):
            self._spool.write(piece)
        self._block.update(piece)
        self._body.update(piece)
        self.meter.feed(piece)
        self.taken += len(piece)

    def answer(
        self, *, cut: str | None, interim: tuple[bytes, ...], surplus: Surplus | None
    ) -> Answer:
        """Return the finished answer, its spool wound back."""
        with _disk_faults(self._spool, self._where):
            self._spool.seek(0)  # what is buffered is written only now
        dechunker = self.end.dechunker
        return Answer(
            spool=self._spool,
            block_size=self.taken,
            block_digest=from_hex(self._block.hexdigest()),
            body_digest=from_hex(self._body.hexdigest()),
            head=self.head,
            shape=self.shape,
            digests=self.meter.finish(cut=cut is not None),
            chunk_sizes=tuple(dechunker.sizes) if dechunker else (),
            cut=cut,
            interim=interim,
            surplus=surplus,
        )
