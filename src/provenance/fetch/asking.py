"""Ask one address: through its host's gate, again where that may help, each attempt recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from provenance.exchange import Client, Exchange
from provenance.fetch.gates import Gates, StoppedError
from provenance.fetch.notes import Fate, GivenUp, Way
from provenance.fetch.recording import Recording
from provenance.fetch.retries import asked_pause_s, is_busy, is_transient, pause_s
from provenance.fetch.robots import host_of
from provenance.fetch.settings import FetchSettings
from provenance.fetch.verdict import rule_of
from provenance.holdings import CaptureKind
from provenance.runtime import Runtime

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds an asking: an instant of the monotonic clock, and seconds between requests.

    `room`: bytes of a body that are taken even where the settings allow fewer.
    """

    deadline: float
    delay_s: float
    room: int = 0


class Asker:
    """Asks for one visit; `stopped` says that the run is being stopped.

    The time in which others have their turn at a host is not the document's: a server that is not
    asked is not late.
    """

    def __init__(  # noqa: PLR0917
        self,
        runtime: Runtime,
        settings: FetchSettings,
        gates: Gates,
        client: Client,
        recording: Recording,
        stopped: Callable[[], bool],
    ) -> None:
        self._runtime = runtime
        self._retries = settings.retries
        self._max_time_s = settings.max_time_s
        self._gates = gates
        self._client = client
        self._recording = recording
        self._stopped = stopped
        self._waited_s = 0.0

    def whole_time(self, limits: Limits) -> Limits:
        """Return the limits of what is asked for once for all: its time is not one document's."""
        asking = self._runtime.monotonic() - self._waited_s
        return replace(limits, deadline=asking + self._max_time_s)

    def is_late(self, limits: Limits) -> bool:
        """Return True when the time is used up, waiting included."""
        return self._runtime.monotonic() >= limits.deadline

    def _left(self, limits: Limits) -> float:
        return limits.deadline + self._waited_s - self._runtime.monotonic()

    def once(self, url: str, limits: Limits, fields: Fields = ()) -> Exchange:
        """Return one exchange, made while the host's gate is held.

        Raises:
            StoppedError: the run is being stopped, and what came is not whole.
        """
        host = host_of(url)
        since = self._runtime.monotonic()
        with self._gates.passing(host, limits.delay_s):
            self._waited_s += self._runtime.monotonic() - since
            left = max(self._left(limits), 0.001)
            exchange = self._client.get(url, max_time_s=left, fields=fields, room=limits.room)
            if is_busy(exchange):
                self._gates.busy(host, asked_pause_s(exchange, self._runtime.now()))
            elif exchange.answer is not None:
                self._gates.served(host)
        cut = exchange.answer is None or exchange.answer.cut is not None
        if cut and self._stopped():
            raise StoppedError
        return exchange

    def until_settled(self, way: Way, limits: Limits, fields: Fields = ()) -> tuple[Way, Exchange]:
        """Ask `way.url` until the fault is gone or the attempts are; return way and last exchange.

        Raises:
            StoppedError: the run is being stopped.
        """
        while True:
            exchange = self.once(way.url, limits, fields)
            pause = self._pause(way, exchange)
            late = pause is not None and pause > self._left(limits)
            if pause is None or late or way.attempt > self._retries:
                return way, exchange
            way = self._give_up(way, exchange)
            self._gates.pause(pause)

    def _pause(self, way: Way, exchange: Exchange) -> float | None:
        """Return the seconds to wait before another attempt, or None if none is called for."""
        if not is_transient(exchange) or rule_of(exchange, asked=way.url) is not None:
            return None
        asked = asked_pause_s(exchange, self._runtime.now())
        return pause_s(attempt=way.attempt, asked=asked, jitter=self._runtime.jitter())

    def _give_up(self, way: Way, exchange: Exchange) -> Way:
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
        return replace(way, attempt=way.attempt + 1, given_up=(*way.given_up, given_up))
