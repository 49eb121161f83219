"""Fetch one document: robots, attempts, redirects, verdict. Every way out is one recorded outcome.

Steps for each hop:
(1) Robots: the host's robots.txt is fetched once, recorded and obeyed.
(2) Attempts: a transient fault or status is tried again, each attempt noted.
(3) Redirect: a hop is recorded and followed, up to the limit.
(4) Verdict: what came is classified and recorded.
(5) Requisites: where they are wanted, what a page needs for its replay is fetched after it.
(6) Archives: where one is named and the live address is gone, its nearest capture is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from provenance.dates import format_instant
from provenance.exchange import Client, Exchange
from provenance.fetch.archived import ArchivedVisits, Seeking, is_gone
from provenance.fetch.asking import Asker, Limits
from provenance.fetch.gates import Gates
from provenance.fetch.gathering import Gathering, GotCache, named_by
from provenance.fetch.notes import Fate, Note, Way
from provenance.fetch.permission import Permission, RobotsCache
from provenance.fetch.recording import Recording
from provenance.fetch.redirects import MAX_REDIRECTS, redirect_target
from provenance.fetch.settings import Errand, FetchSettings
from provenance.fetch.verdict import judge, not_modified
from provenance.gather.negotiation import NotFound
from provenance.holdings import CaptureKind, Known, Redirect
from provenance.model import VERSIONS, Outcome, OutcomeKind
from provenance.runtime import Runtime
from provenance.uri import with_small_scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all visits of a run share; `known` finds the newest full answer of an address."""

    run: str
    runtime: Runtime
    settings: FetchSettings
    gates: Gates
    robots: RobotsCache
    got: GotCache
    seeking: Seeking | None
    known: Callable[[str], Known | None]
    stopped: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Where a way ended, not yet recorded; `exchange` is None where the last step was not asked.

    `known` is set where the server said that it has not changed since.
    """

    way: Way
    fate: Fate
    exchange: Exchange | None = None
    known: Known | None = None


class Visitor:
    """Makes visits, one after another, with one client and one recording."""

    def __init__(self, shared: Shared, client: Client, recording: Recording) -> None:
        self._shared = shared
        self._settings = shared.settings
        self._client = client
        self._recording = recording
        self._asker = Asker(
            shared.runtime, shared.settings, shared.gates, client, recording, shared.stopped
        )
        self._permission = Permission(
            shared.robots, self._asker, recording, ignored=shared.settings.ignore_robots
        )
        self._gathering = Gathering(shared.got, self._asker, self._permission, recording)
        self._archived: ArchivedVisits | None = None
        if shared.seeking is not None:
            self._archived = ArchivedVisits(shared.seeking, self._asker, recording)

    def visit(self, errand: Errand) -> Outcome:
        """Fetch the document and return its outcome, recorded but not yet synced.

        Raises:
            StorageError: the disk refused.
            StoppedError: the run is being stopped; nothing of this document's end is recorded.
        """
        if errand.url is None:
            raise ValueError("an errand without an address is skipped before it gets here")
        self._client.forget_cookies()
        url = with_small_scheme(errand.url)
        way = Way(run=self._shared.run, errand=errand, kind=CaptureKind.DOCUMENT, url=url)
        ending = self._followed(way)
        if self._archived is not None and is_gone(ending.fate):
            ending = self._sought(ending, self._archived)
        return self._record(ending)

    def _followed(self, way: Way) -> Ending:
        """Go the way to its end, an answer, a failure or a refusal; record what lies before."""
        limits = self._limits()
        while True:
            robots, refusal, crawl_delay_s = self._permission.ask(way, limits)  # (1) Robots
            way = replace(way, robots=robots)
            if refusal is not None:
                return Ending(way=way, fate=refusal)
            paced = replace(limits, delay_s=max(self._settings.delay_s, crawl_delay_s))
            known = self._known(way.url)
            fields = known.condition if known else ()
            way, exchange = self._asker.until_settled(way, paced, fields)  # (2) Attempts
            target = redirect_target(exchange)
            if target is None:
                return _end(way, exchange, known)
            way = self._follow(way, exchange, target)  # (3) Redirect
            if way.hop > MAX_REDIRECTS:
                detail = f"more than {MAX_REDIRECTS} redirects, the last one to {target}"
                fate = Fate(outcome=OutcomeKind.FAILED, reason="too_many_redirects", detail=detail)
                return Ending(way=way, fate=fate)

    def _sought(self, live: Ending, archived: ArchivedVisits) -> Ending:  # (6) Archives
        found = archived.seek(live.way, self._limits())
        if isinstance(found, NotFound):
            memento: Note = {
                "timegate": self._settings.memento,
                "reason": found.reason,
                "detail": found.detail,
            }
            return replace(live, way=replace(live.way, memento=memento))
        fate = replace(live.fate, outcome=None)
        self._record(replace(live, way=replace(live.way, kind=CaptureKind.LIVE), fate=fate))
        return _end(found.way, found.exchange, None)

    def _record(self, ending: Ending) -> Outcome:
        way, exchange, fate = ending.way, ending.exchange, ending.fate
        if exchange is None:
            date = format_instant(self._shared.runtime.now())
            return self._recording.record_denial(way, fate, date)
        if exchange.fault is not None:
            return self._recording.record_failure(way, exchange, fate)
        if ending.known is not None:
            return self._recording.record_not_modified(way, exchange, fate, ending.known)
        wanted = self._settings.requisites and fate.outcome in VERSIONS and way.imported is None
        if not wanted:
            return self._recording.record_answer(way, exchange, fate)
        return self._gather(way, exchange, fate)

    def _gather(self, way: Way, exchange: Exchange, fate: Fate) -> Outcome:
        named = named_by(exchange)  # (5) Requisites
        way = replace(way, requisites=len(named.found) if named is not None else None)
        outcome = self._recording.record_answer(way, exchange, fate)
        if named is not None:
            self._gathering.gather(way, outcome, named, self._limits())
        return outcome

    def _limits(self) -> Limits:
        deadline = self._shared.runtime.monotonic() + self._settings.max_time_s
        return Limits(deadline=deadline, delay_s=self._settings.delay_s)

    def _known(self, url: str) -> Known | None:
        # What a page needs, and that it says it is gone, is read out of its body, which a 304 does
        # not give.
        read = self._settings.requisites or self._settings.memento is not None
        return self._shared.known(url) if self._settings.conditional and not read else None

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


def _end(way: Way, exchange: Exchange, known: Known | None) -> Ending:
    """Return the end of a way that an exchange made: a failure, "not modified", or a verdict."""
    if exchange.fault is not None:
        reason, detail = exchange.fault.reason, exchange.fault.detail
        fate = Fate(outcome=OutcomeKind.FAILED, reason=reason, detail=detail)
        return Ending(way=way, exchange=exchange, fate=fate)
    if known is not None and exchange.answer is not None and exchange.answer.head.status == 304:
        return Ending(way=way, exchange=exchange, fate=not_modified(exchange), known=known)
    return Ending(way=way, exchange=exchange, fate=judge(way, exchange))  # (4) Verdict
