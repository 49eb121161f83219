"""Make one exchange at a time and hand it over as a value; knows no redirects and no robots."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from provenance.digest import digest_of
from provenance.errors import ProvenanceError
from provenance.exchange.addresses import AddressPolicy
from provenance.exchange.bodies import BodyReading, Spool
from provenance.exchange.credentials import Login, read_netrc, redact, split_credentials
from provenance.exchange.dialing import Dialer
from provenance.exchange.faults import ExchangeFault, TransportError, fault_of
from provenance.exchange.heads import RecordingResponse
from provenance.exchange.pace import Pace
from provenance.exchange.proxies import Proxy, parse_proxy, proxy_for, proxy_variables
from provenance.exchange.recorder import Recorder
from provenance.exchange.transport import Fields, RecordingSession, normal_url
from provenance.exchange.trust import Trust
from provenance.exchange.values import Answer, ClientSettings, Exchange, Fault, Surplus
from provenance.http_message import Framing
from provenance.runtime import Runtime

_KEPT = frozenset({"authorization", "cookie"})


class Client:
    """An HTTP client for one thread: keep-alive connections, no shared state.

    `trust` is what clients with the same settings may share: reading the authorities takes time.

    Raises:
        UsageError: proxy, certificates or netrc file cannot be used.
    """

    def __init__(
        self,
        runtime: Runtime,
        settings: ClientSettings,
        policy: AddressPolicy,
        trust: Trust | None = None,
    ) -> None:
        self._runtime = runtime
        self._settings = settings
        self._environ = dict(runtime.environ) if settings.trust_env else {}
        self._proxies = self._known_proxies()
        self._logins = read_netrc(self._environ)
        self._pace = Pace(runtime)
        trust = trust or Trust(settings, self._environ)
        self._dialer = Dialer(policy, trust, self._pace)
        self._recorder = Recorder(self._dialer, self._pace)
        self._session = RecordingSession(self._recorder, settings.fields, self._proxies)
        self._received = 0
        self._max_bytes = settings.max_bytes
        self.forget_cookies()

    def _known_proxies(self) -> dict[str, Proxy]:
        named = self._settings.proxy
        if named is not None:
            return {named: parse_proxy(named, where="the proxy")} if named else {}
        return {
            text: parse_proxy(text, where=f"the proxy that the environment names for {scheme}")
            for scheme, text in proxy_variables(self._environ).items()
        }

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def forget_cookies(self) -> None:
        """Drop the cookies that servers set; they live for one document and its redirects."""
        self._session.keep_only(self._settings.cookies)

    @property
    def received(self) -> int:
        """How many bytes have come over all connections so far; safe to ask from any thread."""
        return self._received + self._recorder.received

    def get(
        self, url: str, *, max_time_s: float | None = None, fields: Fields = (), room: int = 0
    ) -> Exchange:
        """GET `url` once and return what happened; never raises for what a server does.

        `max_time_s` bounds this exchange where it is less than the settings' bound, and `room` is
        the bound of its body, in bytes, where it is more than theirs. `fields` are
        further request fields, sent in order and as given, in place of the settings' of the same
        name; one that cannot be sent (with a line break in it, say) is left out. A user name and a
        password in `url` are sent as basic authentication, to this host alone, and not kept.

        A kept connection that the server closed in the meantime is dialled once more, as
        RFC 9112 §9.3.1 lets clients do.

        Raises:
            StorageError: the disk refused to keep what came.
        """
        bare, login = split_credentials(url)
        started_at = self._runtime.now()
        self._max_bytes = max(self._settings.max_bytes, room)
        exchange = self._once(bare, login, started_at, max_time_s, fields)
        recorder, kept = self._recorder, self._session.had_kept
        stale = exchange.fault is not None and exchange.fault.reason == "disconnect"
        if stale and recorder.reused and recorder.received == 0:
            exchange = self._once(bare, login, started_at, max_time_s, fields)
        # Whether the closing was seen before or only after sending is chance, and not recorded.
        return replace(exchange, reconnected=kept and not recorder.reused)

    def post(self, url: str, body: bytes, *, fields: Fields = ()) -> Exchange:
        """POST `body` to `url` once, as `get` asks; nothing is sent twice.

        Raises:
            StorageError: the disk refused to keep what came.
        """
        bare, login = split_credentials(url)
        self._max_bytes = self._settings.max_bytes
        return self._once(bare, login, self._runtime.now(), None, fields, body=body)

    def _once(
        self,
        url: str,
        login: Login | None,
        started_at: datetime,
        max_time_s: float | None,
        fields: Fields,
        *,
        body: bytes | None = None,
    ) -> Exchange:
        bound = self._settings.max_time_s
        bound = bound if max_time_s is None else min(bound, max_time_s)
        deadline = self._runtime.monotonic() + bound
        self._received += self._recorder.received
        self._pace.begin(idle_s=self._settings.timeout_s, deadline=deadline)
        self._recorder.begin()
        self._session.given = ()
        answer: Answer | None = None
        fault: Fault | None = None
        try:
            answer = self._read_answer(self._ask(url, login, fields, body))
        except TransportError as raised:
            fault = fault_of(raised)
            self._session.drop()
        except ProvenanceError:
            self._session.drop()
            raise
        self._pace.clocked("total", self._pace.started)
        return self._exchange(url, started_at, answer, fault)

    def _exchange(
        self,
        url: str,
        started_at: datetime,
        answer: Answer | None,
        fault: Fault | None,
    ) -> Exchange:
        recorder = self._recorder
        keep = _KEPT if self._settings.keep_credentials else frozenset[str]()
        request, redacted, kept = redact(bytes(recorder.sent), keep=keep)
        return Exchange(
            url=url,
            started_at=started_at,
            request=request,
            redacted=redacted,
            credentials_kept=kept,
            credentials_given=self._session.given,
            answer=answer,
            fault=fault,
            peer=recorder.peer,
            proxy=recorder.proxy,
            addresses=recorder.addresses,
            tls=recorder.tls,
            timings_ms=tuple(self._pace.timings.items()),
            unparsed=b"" if answer else bytes(recorder.heard),
            reconnected=False,
        )

    def _ask(
        self, url: str, login: Login | None, fields: Fields, body: bytes | None
    ) -> RecordingResponse:
        normal = normal_url(url)
        host = urlsplit(normal).hostname or ""
        text: str | None = None
        if self._proxies:
            text = proxy_for(normal, named=self._settings.proxy, environ=self._environ)
        proxy = self._proxies[text] if text else None
        if proxy is not None and proxy.resolves:
            self._dialer.check_spelled(host)
        login = login or self._logins.get(host)
        response = self._session.ask(normal, fields, login=login, proxy=text, body=body)
        if response.status == 407 and proxy is not None:
            raise ExchangeFault("proxy", f"{proxy.address} asks for a user name and a password")
        return response

    def _read_answer(self, response: RecordingResponse) -> Answer:
        settings = self._settings
        spool = Spool(settings.spool_dir)
        try:
            body = BodyReading(spool, self._recorder.head_bytes, response.message)
            cut = body.read(response.fp.read1, self._pace.patience, max_bytes=self._max_bytes)
            surplus = self._surplus(body, response, cut)
            whole = cut is None and surplus is None and body.shape.framing is not Framing.CLOSE
            response.close()
            if not (whole and response.keeps):
                self._session.drop()
            return body.answer(cut=cut, interim=tuple(self._recorder.interim), surplus=surplus)
        except BaseException:
            spool.drop()
            raise

    def _surplus(
        self, body: BodyReading, response: RecordingResponse, cut: str | None
    ) -> Surplus | None:
        recorder = self._recorder
        rest = body.rest
        read = sum(map(len, recorder.interim)) + body.taken + len(rest)
        # Only where more has arrived than was read does peek() answer without asking the wire.
        if cut is None and recorder.received > read:
            rest += response.fp.peek(1)
        return Surplus(size=len(rest), digest=digest_of(rest)) if rest else None
