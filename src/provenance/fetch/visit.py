"""Fetch one document: robots, attempts, redirects, verdict. Every way out is one recorded outcome.

Steps for each hop:
(1) Robots: the host's robots.txt is fetched once, recorded and obeyed.
(2) Attempts: a transient fault or status is tried again, each attempt noted.
(3) Redirect: a hop is recorded and followed, up to the limit.
(4) Verdict: what came is classified and recorded.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from provenance.dates import format_instant
from provenance.exchange import Client, Exchange
from provenance.fetch.challenges import LOOKED_AT, matching_rule
from provenance.fetch.gates import Gates
from provenance.fetch.notes import Fate, GivenUp, Note, Way
from provenance.fetch.recording import Recording
from provenance.fetch.robots import ROBOTS_LIMIT, Robots, read_robots, robots_url
from provenance.fetch.settings import Errand, FetchSettings
from provenance.holdings import CaptureKind, Redirect
from provenance.http_body import content_start
from provenance.http_message import ResponseHead, media_type_of
from provenance.model import Outcome, OutcomeKind
from provenance.runtime import Runtime

MAX_REDIRECTS = 20
_ROBOTS_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_TRANSIENT_STATUSES = (429, 502, 503, 504)
_TRANSIENT_FAULTS = ("timeout", "disconnect", "network")
_LONGEST_PAUSE_S = 120.0

AGENT = "provenance"
"""The product token that robots.txt rules are matched with."""


class RobotsCache:
    """The robots.txt of each host, fetched once for a run whoever asks first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, Robots] = {}

    def get(self, url: str, fetch: Callable[[], Robots]) -> Robots:
        """Return what the robots.txt at `url` says, calling `fetch` the first time."""
        with self._lock:
            lock = self._locks.setdefault(url, threading.Lock())
        with lock:
            if url not in self._known:
                self._known[url] = fetch()
            return self._known[url]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all visits of a run share."""

    run: str
    runtime: Runtime
    settings: FetchSettings
    gates: Gates
    robots: RobotsCache


class Visitor:
    """Makes visits, one after another, with one client and one recording."""

    def __init__(self, shared: Shared, client: Client, recording: Recording) -> None:
        self._shared = shared
        self._settings = shared.settings
        self._client = client
        self._recording = recording

    def visit(self, errand: Errand) -> Outcome:
        """Fetch the document and return its outcome, recorded but not yet synced.

        Raises:
            StorageError: the disk refused.
            StoppedError: the run is being stopped; nothing of this document's end is recorded.
        """
        self._client.forget_cookies()
        if errand.url is None:
            raise ValueError("an errand without an address is skipped before it gets here")
        way = Way(run=self._shared.run, errand=errand, kind=CaptureKind.DOCUMENT, url=errand.url)
        deadline = self._shared.runtime.monotonic() + self._settings.max_time_s
        while True:
            robots, refusal = self._ask_robots(way)  # (1) Robots
            way = replace(way, robots=robots)
            if refusal is not None:
                date = format_instant(self._shared.runtime.now())
                return self._recording.record_denial(way, refusal, date)
            way, exchange = self._attempts(way, deadline)  # (2) Attempts
            if exchange.fault is not None:
                reason, detail = exchange.fault.reason, exchange.fault.detail
                fate = Fate(outcome=OutcomeKind.FAILED, reason=reason, detail=detail)
                return self._recording.record_failure(way, exchange, fate)
            target = redirect_target(exchange)
            if target is None:
                return self._recording.record_answer(way, exchange, self._verdict(way, exchange))
            way = self._follow(way, exchange, target)  # (3) Redirect
            if way.hop > MAX_REDIRECTS:
                detail = f"more than {MAX_REDIRECTS} redirects, the last one to {target}"
                fate = Fate(outcome=OutcomeKind.FAILED, reason="too_many_redirects", detail=detail)
                date = format_instant(self._shared.runtime.now())
                return self._recording.record_denial(way, fate, date)

    def _follow(self, way: Way, exchange: Exchange, target: str) -> Way:
        hop = replace(way, kind=CaptureKind.REDIRECT)
        recorded = self._recording.record_answer(hop, exchange, Fate())
        redirect = Redirect(
            url=way.url,
            status=recorded.status or 0,
            location=target,
            capture_id=recorded.capture_id,
        )
        return replace(
            way,
            url=target,
            hop=way.hop + 1,
            via=way.url,
            attempt=1,
            redirects=(*way.redirects, redirect),
        )

    def _attempts(self, way: Way, deadline: float) -> tuple[Way, Exchange]:
        while True:
            left = deadline - self._shared.runtime.monotonic()
            exchange = self._exchange(way.url, max_time_s=max(left, 0.001))
            pause = self._pause_before_retry(way, exchange)
            late = pause is not None and pause > deadline - self._shared.runtime.monotonic()
            if pause is None or late or way.attempt > self._settings.retries:
                return way, exchange
            status = None
            if exchange.answer is not None:
                status = exchange.answer.head.status
                attempt = replace(way, kind=CaptureKind.ATTEMPT)
                self._recording.record_answer(attempt, exchange, Fate())
            fault = exchange.fault
            given_up = GivenUp(
                attempt=way.attempt,
                url=way.url,
                started_at=exchange.started_at,
                reason=fault.reason if fault else None,
                detail=fault.detail if fault else None,
                status=status,
            )
            way = replace(way, attempt=way.attempt + 1, given_up=(*way.given_up, given_up))
            self._shared.gates.pause(pause)

    def _exchange(self, url: str, *, max_time_s: float, extra_delay_s: float = 0.0) -> Exchange:
        delay = max(self._settings.delay_s, extra_delay_s)
        with self._shared.gates.passing(urlsplit(url).netloc.lower(), delay):
            return self._client.get(url, max_time_s=max_time_s)

    def _pause_before_retry(self, way: Way, exchange: Exchange) -> float | None:
        """Return the seconds to wait before another attempt, or None if none is called for."""
        asked = 0.0
        if exchange.fault is not None:
            if exchange.fault.reason not in _TRANSIENT_FAULTS:
                return None
        elif exchange.answer is not None:
            head = exchange.answer.head
            if head.status not in _TRANSIENT_STATUSES or self._rule(way, exchange):
                return None
            asked = self._retry_after(head.value("retry-after"))
        backoff: float = 2.0 ** (way.attempt - 1) * (0.5 + self._shared.runtime.jitter())
        return min(max(asked, backoff), _LONGEST_PAUSE_S)

    def _retry_after(self, value: str | None) -> float:
        if value is None:
            return 0.0
        if re.fullmatch(r"\d{1,9}", value):
            return float(value)
        try:
            until = parsedate_to_datetime(value)
            return max((until - self._shared.runtime.now()).total_seconds(), 0.0)
        except (ValueError, TypeError, OverflowError):
            return 0.0

    def _rule(self, way: Way, exchange: Exchange) -> str | None:
        answer = exchange.answer
        if answer is None:
            return None
        answer.spool.seek(answer.head.size)
        body = iter(lambda: answer.spool.read(LOOKED_AT), b"")
        content = content_start(
            answer.shape, body, undecoded=answer.digests.undecoded, limit=LOOKED_AT
        )
        answer.spool.seek(0)
        rule = matching_rule(
            answer.head, content, asked=way.errand.url or way.url, final=exchange.url
        )
        return rule.id if rule else None

    def _verdict(self, way: Way, exchange: Exchange) -> Fate:  # (4) Verdict
        answer = exchange.answer
        if answer is None:
            raise ValueError("only an answer can be judged")
        flags: list[str] = []
        media_type, _ = media_type_of(answer.head)
        if way.errand.media_type and media_type and way.errand.media_type != media_type:
            flags.append("unexpected_media_type")
        if answer.digests.undecoded:
            flags.append("undecoded")
        if answer.surplus:
            flags.append("surplus_bytes")
        rule = self._rule(way, exchange)
        if rule is not None:
            return Fate(outcome=OutcomeKind.CHALLENGE, reason=rule, rule=rule, flags=tuple(flags))
        if answer.cut is not None:
            return Fate(outcome=OutcomeKind.TRUNCATED, reason=answer.cut, flags=tuple(flags))
        if not 200 <= answer.head.status < 300:
            reason = f"http_{answer.head.status}"
            return Fate(outcome=OutcomeKind.ERROR_STATUS, reason=reason, flags=tuple(flags))
        return Fate(outcome=OutcomeKind.CAPTURED, flags=tuple(flags))

    def _ask_robots(self, way: Way) -> tuple[Note | None, Fate | None]:
        url = robots_url(way.url)
        if self._settings.ignore_robots is not None:
            reason = self._settings.ignore_robots
            return {"url": url, "verdict": "ignored", "reason": reason}, None
        robots = self._shared.robots.get(url, lambda: self._fetch_robots(way, url))
        note: Note = {"url": url, "verdict": "allowed", "reason": robots.reason}
        if robots.allows(way.url, AGENT):
            return note, None
        note["verdict"] = "denied"
        if robots.failed:
            return note, Fate(
                outcome=OutcomeKind.FAILED, reason=robots.reason, detail="robots.txt did not come"
            )
        return note, Fate(outcome=OutcomeKind.DENIED, reason=robots.reason or "robots")

    def _fetch_robots(self, asking: Way, url: str) -> Robots:
        errand = replace(asking.errand, document=asking.errand.document, url=url)
        way = Way(run=asking.run, errand=errand, kind=CaptureKind.ROBOTS, url=url)
        deadline = self._shared.runtime.monotonic() + self._settings.timeout_s
        while True:
            left = deadline - self._shared.runtime.monotonic()
            exchange = self._exchange(way.url, max_time_s=max(left, 0.001))
            if exchange.fault is not None or exchange.answer is None:
                reason = exchange.fault.reason if exchange.fault else "network"
                fate = Fate(reason=reason, detail=exchange.fault.detail if exchange.fault else None)
                self._recording.record_failure(way, exchange, fate)
                return Robots(url=url, reason=reason, failed=True)
            answer = exchange.answer
            target = redirect_target(exchange)
            answer.spool.seek(answer.head.size)
            body = iter(lambda spool=answer.spool: spool.read(LOOKED_AT), b"")  # type: ignore[misc]
            content = content_start(
                answer.shape, body, undecoded=answer.digests.undecoded, limit=ROBOTS_LIMIT
            )
            answer.spool.seek(0)
            self._recording.record_answer(way, exchange, Fate())
            if target is None or way.hop >= _ROBOTS_REDIRECTS:
                # Source: RFC 9309 §2.3.1.2: past five redirects it counts as not there.
                status = 404 if target is not None else answer.head.status
                return read_robots(url, status, content)
            way = replace(way, url=target, hop=way.hop + 1, via=way.url)


def redirect_target(exchange: Exchange) -> str | None:
    """Return the address that the answer redirects to, or None."""
    answer = exchange.answer
    return redirect_target_of(answer.head, exchange.url) if answer else None


def redirect_target_of(head: ResponseHead, base: str) -> str | None:
    """Return the http(s) address in Location, without fragment or credentials, or None.

    What may not stand in a URI is percent-escaped (RFC 3986 §2.1).
    """
    location = head.value("location")
    if location is None or head.status not in _REDIRECTS:
        return None
    try:
        # The field's bytes are UTF-8 where they are no ASCII, as browsers read them.
        text = location.encode("latin-1").decode("utf-8", "replace")
        target = urljoin(base, text.strip()).partition("#")[0]
        parts = urlsplit(target)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return quote(urlunsplit(bare), safe="%/:=&?~#+!$,;'@()*[]|")
