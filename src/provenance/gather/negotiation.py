"""Find the memento of an address nearest to a date: an answer in, the next step out. Pure.

The steps of a negotiation; each answer is read by `next_step`:
(1) Ask the TimeGate, with the wanted instant in Accept-Datetime.
(2) Follow redirects. Where an address is a Wayback-style memento's, ask for its raw form instead.
(3) An answer with a Memento-Datetime field is a memento, whatever its status: archived redirects
    and error pages are mementos of these (RFC 7089 §4.5.4, §4.5.5). If it is not raw and a raw form
    is known, ask for that once; else it is found.
(4) Any other answer ends the search, with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from provenance.gather.memento import REDIRECTS, MementoHead, Rawness, read_memento_head
from provenance.gather.timegate import TimeGate, Wanted
from provenance.gather.wayback import raw_form, read_wayback
from provenance.http_message import ResponseHead
from provenance.uri import same_resource

MAX_HOPS: Final = 10
"""Redirects and turns to a raw form in one negotiation."""

_REASONS: Final = {
    400: "bad_datetime",
    403: "withheld",
    404: "not_archived",
    406: "not_acceptable",
    410: "not_archived",
    429: "busy",
    451: "withheld",
    503: "busy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """An address to ask next. `accept_datetime` is None once a memento has been chosen."""

    url: str
    original: str
    accept_datetime: str | None
    hops: int = 0
    raw_tried: bool = False

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The request fields that negotiate."""
        return (("Accept-Datetime", self.accept_datetime),) if self.accept_datetime else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A memento: the answer just read is it. `same_original` is None where no original is named."""

    memento: MementoHead
    instant: datetime
    same_original: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """The archive gave no memento; `reason` is a stable word, `detail` is for people."""

    reason: str
    detail: str


Step = Ask | Found | NotFound


def first_step(timegate: TimeGate, url: str, wanted: Wanted) -> Ask:
    """Return the question to begin with."""  # (1)
    address = timegate.address_for(url)
    return Ask(url=address, original=url, accept_datetime=wanted.accept_datetime)


def step_to(memento: str, original: str) -> Ask:
    """Return the question for a memento that is known already, say from a TimeMap."""
    raw = raw_form(memento)
    return Ask(url=raw.url, original=original, accept_datetime=None, raw_tried=raw.known)


def next_step(asked: Ask, head: ResponseHead) -> Step:
    """Return what follows from the answer to `asked`."""
    answer = read_memento_head(head, url=asked.url)
    if answer.location is not None and (answer.instant is None or _chooses(asked, answer)):
        return _follow(asked, answer, answer.location)  # (2)
    if answer.instant is not None:  # (3)
        return _raw_or_found(asked, answer, answer.instant)
    if answer.fault is not None:
        return _not_found(answer, answer.fault)
    if head.status in REDIRECTS:
        return _not_found(answer, "bad_location")
    reason = _REASONS.get(head.status, f"http_{head.status}")  # (4)
    return _not_found(answer, "no_memento_datetime" if 200 <= head.status < 300 else reason)


def _chooses(asked: Ask, answer: MementoHead) -> bool:
    # Some TimeGates state the chosen memento's instant on the redirect to it, against RFC 7089
    # §4.5.4. One that serves an archived redirect itself says where that is in Content-Location.
    return bool(asked.accept_datetime and answer.negotiated and not answer.content_location)


def _raw_or_found(asked: Ask, answer: MementoHead, instant: datetime) -> Step:
    # A TimeGate may serve the memento itself; then Content-Location or a link says where it is.
    linked = next((url for url, when in answer.links.mementos if when == instant), None)
    places = (answer.content_location, linked, asked.url)
    raw = raw_form(next((url for url in places if url and read_wayback(url)), asked.url))
    if answer.rawness is not Rawness.RAW and raw.known and not asked.raw_tried:
        return _ask(asked, answer, raw.url, None, raw_tried=True)
    same = None if answer.original is None else same_resource(answer.original, asked.original)
    return Found(memento=answer, instant=instant, same_original=same)


def _follow(asked: Ask, answer: MementoHead, location: str) -> Step:
    raw = raw_form(location)
    # An archive that leads away from a raw form does not give it.
    url = location if raw.url == asked.url else raw.url
    # An address without the capture's instant, from an answer that did not negotiate, leads to a
    # place that still has to.
    chosen = raw.known or answer.negotiated
    accept_datetime = None if chosen else asked.accept_datetime
    return _ask(asked, answer, url, accept_datetime, raw_tried=asked.raw_tried or raw.known)


def _ask(
    asked: Ask, answer: MementoHead, url: str, accept_datetime: str | None, *, raw_tried: bool
) -> Step:
    if asked.hops >= MAX_HOPS:
        return _not_found(answer, "too_many_redirects")
    return Ask(
        url=url,
        original=asked.original,
        accept_datetime=accept_datetime,
        hops=asked.hops + 1,
        raw_tried=raw_tried,
    )


def _not_found(answer: MementoHead, reason: str) -> NotFound:
    return NotFound(reason=reason, detail=f"{answer.archive} answered {answer.status}")
