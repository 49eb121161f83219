"""Ask a public archive for a document whose live address is gone; keep it as imported.

Steps:
(1) The TimeGate is asked for the capture nearest to the publication date, and followed.
(2) Each exchange on the way is recorded; none of them is the document.
(3) An archived redirect leads on to the archive's capture of where it led.
(4) What is found is recorded as the document: imported from the archive, not observed here.

Source: RFC 7089 §4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from provenance.dates import format_instant
from provenance.exchange import Exchange
from provenance.fetch.asking import Asker, Limits
from provenance.fetch.notes import Fate, Imported, Way
from provenance.fetch.recording import Recording
from provenance.gather.memento import REDIRECTS
from provenance.gather.negotiation import Ask, Found, NotFound, first_step, next_step
from provenance.gather.timegate import TimeGate, wanted_instant
from provenance.gather.wayback import read_wayback
from provenance.holdings import CaptureKind
from provenance.model import OutcomeKind

_LED_ON = 5
_GONE_STATUSES = (404, 410, 451)
_NOT_GONE = ("private_address", "bad_url", "proxy")
_UNASKED = {"verdict": "not_asked", "reason": "the operator named the archive"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeking:
    """Where to ask, and when the run began."""

    timegate: TimeGate
    named: str
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundInArchive:
    """The exchange that gave the memento, and the way to it, as a document's."""

    way: Way
    exchange: Exchange


def is_gone(fate: Fate) -> bool:
    """Return True where the live address no longer gives the document.

    What a site refuses to this client, by robots.txt, status 401, 403 or 429, or a challenge, is
    there; it is not sought elsewhere.
    """
    if fate.outcome is OutcomeKind.FAILED:
        return fate.reason not in _NOT_GONE
    if fate.outcome is OutcomeKind.ERROR_STATUS and fate.reason:
        status = int(fate.reason.removeprefix("http_"))
        return status in _GONE_STATUSES or status >= 500
    return "soft_404" in fate.flags


class ArchivedVisits:
    """Seeks one document after another, with one asker and one recording."""

    def __init__(self, seeking: Seeking, asker: Asker, recording: Recording) -> None:
        self._seeking = seeking
        self._asker = asker
        self._recording = recording

    def seek(self, live: Way, limits: Limits) -> FoundInArchive | NotFound:
        """Return the memento of the document's address, its records on the way written.

        Raises:
            StorageError: the disk refused.
            StoppedError: the run is being stopped.
        """
        original = live.errand.url or live.url
        wanted = wanted_instant(live.errand.published, started_at=self._seeking.started_at)
        ask = first_step(self._seeking.timegate, original, wanted)  # (1)
        way = replace(live, kind=CaptureKind.TIMEGATE, url=ask.url, hop=0, via=None, attempt=1)
        way = replace(way, given_up=(), redirects=(), robots=dict(_UNASKED), requisites=None)
        led_on = 0
        while True:
            way, exchange = self._asker.until_settled(replace(way, url=ask.url), limits, ask.fields)
            if exchange.fault is not None or exchange.answer is None:
                return self._failed(way, exchange)
            step = next_step(ask, exchange.answer.head)
            if isinstance(step, Found) and not self._leads_on(step):
                return self._found(way, exchange, step, wanted.accept_datetime, wanted.basis)
            self._recording.record_answer(way, exchange, Fate())  # (2)
            if isinstance(step, NotFound):
                return step
            if isinstance(step, Found):
                led_on += 1
                if led_on > _LED_ON or step.memento.location is None:
                    return NotFound(reason="too_many_redirects", detail="archived redirects")
                step = self._led_on(step.memento.location, ask, wanted.accept_datetime)  # (3)
            ask = step
            way = replace(way, hop=way.hop + 1, via=way.url, attempt=1)

    @staticmethod
    def _leads_on(found: Found) -> bool:
        return found.memento.status in REDIRECTS

    def _led_on(self, location: str, ask: Ask, accept_datetime: str) -> Ask:
        wayback = read_wayback(location)
        target = wayback.original if wayback else location
        address = self._seeking.timegate.address_for(target)
        return Ask(url=address, original=target, accept_datetime=accept_datetime, hops=ask.hops + 1)

    def _failed(self, way: Way, exchange: Exchange) -> NotFound:
        fault = exchange.fault
        reason = fault.reason if fault else "network"
        detail = fault.detail if fault else ""
        self._recording.record_failure(way, exchange, Fate(reason=reason, detail=detail))
        return NotFound(reason=f"archive_{reason}", detail=detail)

    def _found(
        self, way: Way, exchange: Exchange, found: Found, accept_datetime: str, basis: str
    ) -> FoundInArchive | NotFound:
        memento = found.memento
        if not 200 <= memento.status < 300:
            self._recording.record_answer(way, exchange, Fate())
            reason = f"archived_http_{memento.status}"
            return NotFound(reason=reason, detail=f"of {format_instant(found.instant)}")
        if found.same_original is False:
            # What is archived of another address is no version of this document.
            self._recording.record_answer(way, exchange, Fate())
            return NotFound(reason="archived_other_address", detail=memento.original or "")
        imported = Imported(  # (4)
            archive=memento.archive,
            timegate=self._seeking.named,
            memento=exchange.url,
            memento_datetime=format_instant(found.instant),
            original=memento.original,
            same_original=found.same_original,
            accept_datetime=accept_datetime,
            basis=basis,
            body=memento.rawness.value,
        )
        document = replace(way, kind=CaptureKind.DOCUMENT, imported=imported)
        return FoundInArchive(way=document, exchange=exchange)
