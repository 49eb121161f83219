"""Ask each host's robots.txt once, record it, and say whether an address may be fetched.

Once for a run and collection: each collection holds the evidence for its own documents, and which
of two that ask at once comes first decides nothing.

Source: RFC 9309 §2.3.
"""

from __future__ import annotations

from dataclasses import replace

from provenance.exchange import Exchange
from provenance.fetch.asking import Asker, Limits
from provenance.fetch.notes import Fate, Note, Way
from provenance.fetch.once import OnceEach
from provenance.fetch.recording import Recording
from provenance.fetch.redirects import redirect_target
from provenance.fetch.robots import ROBOTS_LIMIT, Robots, read_robots, robots_url
from provenance.fetch.verdict import start_of
from provenance.holdings import CaptureKind
from provenance.model import OutcomeKind

AGENT = "provenance"
"""The product token that robots.txt rules are matched with."""

_REDIRECTS = 5
_CUT_SHORT = {"time": "timeout", "disconnect": "disconnect"}
"""Why half of a robots.txt counts as none, by how it was cut: what it forbids may be missing."""


RobotsCache = OnceEach[tuple[str, str], Robots]


class Permission:
    """Answers for one visit after another; `ignored` is the reason for not asking, or None."""

    def __init__(
        self, cache: RobotsCache, asker: Asker, recording: Recording, *, ignored: str | None
    ) -> None:
        self._cache = cache
        self._asker = asker
        self._recording = recording
        self._ignored = ignored

    def ask(self, way: Way, limits: Limits) -> tuple[Note, Fate | None, float]:
        """Return the note on robots.txt, the fate of a document it refuses, and the crawl delay.

        The delay is in seconds, 0 where none is asked for.
        """
        url = robots_url(way.url)
        if self._ignored is not None:
            return {"url": url, "verdict": "ignored", "reason": self._ignored}, None, 0.0
        key = (str(way.errand.collection), url)
        robots = self._cache.get(key, lambda: self._fetch(way, url, limits))
        note: Note = {"url": url, "verdict": "allowed", "reason": robots.reason}
        if robots.allows(way.url, AGENT):
            return note, None, robots.delay_s(AGENT)
        note["verdict"] = "denied"
        if robots.failed:
            detail = "robots.txt did not come"
            fate = Fate(outcome=OutcomeKind.FAILED, reason=robots.reason, detail=detail)
        else:
            fate = Fate(outcome=OutcomeKind.DENIED, reason=robots.reason or "robots")
        return note, fate, 0.0

    def _fetch(self, asking: Way, url: str, limits: Limits) -> Robots:
        errand = replace(asking.errand, url=url)
        way = Way(run=asking.run, errand=errand, kind=CaptureKind.ROBOTS, url=url)
        # However little of a document is wanted: the rules that are cut off would not be obeyed.
        limits = replace(self._asker.whole_time(limits), room=ROBOTS_LIMIT)
        while True:
            way, exchange = self._asker.until_settled(way, limits)
            answer = exchange.answer
            if exchange.fault is not None or answer is None:
                return self._failed(way, exchange)
            target = redirect_target(exchange)
            content = start_of(answer, ROBOTS_LIMIT)
            self._recording.record_answer(way, exchange, Fate())
            if answer.cut in _CUT_SHORT:
                return Robots(url=url, reason=_CUT_SHORT[answer.cut], failed=True)
            if target is None or way.hop >= _REDIRECTS:
                # Source: RFC 9309 §2.3.1.2: past five redirects it counts as not there.
                status = 404 if target is not None else answer.head.status
                return read_robots(url, status, content)
            way = replace(way, url=target, hop=way.hop + 1, via=way.url, attempt=1)

    def _failed(self, way: Way, exchange: Exchange) -> Robots:
        fault = exchange.fault
        reason = fault.reason if fault else "network"
        fate = Fate(reason=reason, detail=fault.detail if fault else None)
        self._recording.record_failure(way, exchange, fate)
        return Robots(url=robots_url(way.errand.url or way.url), reason=reason, failed=True)
