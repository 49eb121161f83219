"""Fetch what a page needs for its later replay, and tie it to the page in one record.

Each address is fetched once for a run and collection, whichever page names it first: what is
recorded of it is the same in any order. Style sheets and frames are read for what they name.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from provenance.exchange import Exchange
from provenance.exchange.values import Answer
from provenance.extract.charset import decode_text
from provenance.extract.media import Format, essence_of, format_of
from provenance.extract.prescan import html_charset, xml_charset
from provenance.fetch.asking import Asker, Limits
from provenance.fetch.notes import Fate, Note, Way
from provenance.fetch.once import OnceEach
from provenance.fetch.permission import Permission
from provenance.fetch.recording import Recording
from provenance.fetch.redirects import redirect_target
from provenance.fetch.verdict import start_of
from provenance.gather import Kind, Requisite, Requisites, charset_rule
from provenance.gather.requisites import requisites_of_page, requisites_of_sheet
from provenance.holdings import CaptureKind
from provenance.http_message import media_type_of
from provenance.model import Outcome

MAX_REQUISITES = 1000
"""Addresses that are fetched for one page."""

_DEPTH = 5
_REDIRECTS = 10
_READ = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """What came of one address, and what it names in turn where it is a style sheet or a frame."""

    url: str
    final_url: str | None
    status: int | None
    reason: str | None
    capture_id: str | None
    named: Requisites | None


GotCache = OnceEach[tuple[str, str], Got]
"""What came of each (collection, address)."""


def named_by(exchange: Exchange, kind: Kind | None = None) -> Requisites | None:
    """Return what the answer's page or style sheet names; None where it is neither.

    `kind` is what the naming page takes it for, None for the page itself.
    """
    answer = exchange.answer
    if answer is None or not 200 <= answer.head.status < 300:
        return None
    media_type, charset = media_type_of(answer.head)
    if essence_of(media_type) == "text/css":
        return _of_sheet(answer, charset, exchange.url)
    if kind not in (None, Kind.FRAME):
        return None
    content = start_of(answer, _READ)
    form = format_of(content[:1445], media_type=media_type)
    if form is Format.HTML:
        text = decode_text(content, http=charset, declared=html_charset).text
        return requisites_of_page(text, url=exchange.url, limit=MAX_REQUISITES)
    if form in (Format.XHTML, Format.XML):
        text = decode_text(content, http=charset, declared=xml_charset).text
        return requisites_of_page(text, url=exchange.url, xml=True, limit=MAX_REQUISITES)
    return None


def _of_sheet(answer: Answer, charset: str | None, url: str) -> Requisites:
    content = start_of(answer, _READ)
    text = decode_text(content, http=charset, declared=charset_rule).text
    return requisites_of_sheet(text, url=url, limit=MAX_REQUISITES)


class Gathering:
    """Gathers for one page after another, with one asker and one recording."""

    def __init__(
        self, cache: GotCache, asker: Asker, permission: Permission, recording: Recording
    ) -> None:
        self._cache = cache
        self._asker = asker
        self._permission = permission
        self._recording = recording

    def gather(self, page: Way, outcome: Outcome, named: Requisites, limits: Limits) -> None:
        """Fetch what the page names, and write the record that lists it.

        Raises:
            StorageError: the disk refused.
            StoppedError: the run is being stopped; the list is not written.
        """
        waiting = deque((each, 1) for each in named.found)
        seen = {page.url} | {each.url for each in named.found}
        listed: list[Note] = []
        limited = named.limit_reached
        while waiting:
            requisite, depth = waiting.popleft()
            if len(listed) >= MAX_REQUISITES or self._asker.is_late(limits):
                limited = True
                break
            got = self._get(page, requisite, limits)
            listed.append(_line(requisite, got))
            more = got.named.found if got.named else ()
            limited = limited or (got.named is not None and got.named.limit_reached)
            for each in more if depth < _DEPTH else ():
                if each.url not in seen:
                    seen.add(each.url)
                    waiting.append((each, depth + 1))
        self._recording.record_requisites(page, outcome, listed, limited=limited)

    def _get(self, page: Way, requisite: Requisite, limits: Limits) -> Got:
        key = (str(page.errand.collection), requisite.url)
        return self._cache.get(
            key, lambda: self._fetch(page, requisite, self._asker.whole_time(limits))
        )

    def _fetch(self, page: Way, requisite: Requisite, limits: Limits) -> Got:
        errand = replace(page.errand, url=requisite.url, media_type=None)
        way = Way(run=page.run, errand=errand, kind=CaptureKind.REQUISITE, url=requisite.url)
        while True:
            robots, refusal, delay_s = self._permission.ask(way, limits)
            if refusal is not None:
                return _none(requisite, refusal.reason)
            way = replace(way, robots=robots)
            slowed = replace(limits, delay_s=max(limits.delay_s, delay_s))
            way, exchange = self._asker.until_settled(way, slowed)
            if exchange.fault is not None:
                fault = exchange.fault
                fate = Fate(reason=fault.reason, detail=fault.detail)
                self._recording.record_failure(way, exchange, fate)
                return _none(requisite, fault.reason)
            target = redirect_target(exchange)
            named = named_by(exchange, requisite.kind) if target is None else None
            outcome = self._recording.record_answer(way, exchange, Fate())
            if target is None:
                return _got(requisite, outcome, named)
            if way.hop >= _REDIRECTS:
                return _none(requisite, "too_many_redirects")
            way = replace(way, url=target, hop=way.hop + 1, via=way.url, attempt=1)


def _none(requisite: Requisite, reason: str | None) -> Got:
    return Got(
        url=requisite.url, final_url=None, status=None, reason=reason, capture_id=None, named=None
    )


def _got(requisite: Requisite, outcome: Outcome, named: Requisites | None) -> Got:
    return Got(
        url=requisite.url,
        final_url=outcome.final_url,
        status=outcome.status,
        reason=None,
        capture_id=outcome.capture_id,
        named=named,
    )


def _line(requisite: Requisite, got: Got) -> Note:
    return {
        "url": requisite.url,
        "kind": requisite.kind,
        "lazy": requisite.lazy,
        "final_url": got.final_url,
        "status": got.status,
        "reason": got.reason,
        "capture_id": got.capture_id,
    }
