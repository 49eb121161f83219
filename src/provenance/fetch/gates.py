"""Let one request at a time through to each host; pause between two, longer where it is busy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from provenance.runtime import Runtime

_SLICE_S = 0.25
_FIRST_PENALTY_S = 1.0
_LONGEST_PENALTY_S = 60.0


class StoppedError(Exception):
    """The run is being stopped; whoever waits gives up."""


@dataclass(slots=True)
class Gate:
    """One host's gate: shut until `open_at`; `penalty_s` is added to the delay while it is busy."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    open_at: float = float("-inf")
    penalty_s: float = 0.0


class Gates:
    """The gates of all hosts of a run; `stopped` says that the run is being stopped.

    A host is the authority of a URL, in lower case: name and port.
    """

    def __init__(self, runtime: Runtime, stopped: Callable[[], bool]) -> None:
        self._runtime = runtime
        self._stopped = stopped
        self._gates: dict[str, Gate] = {}
        self._lock = threading.Lock()
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many visits wait at a gate or pause before another attempt."""
        return self._waiting

    @contextmanager
    def passing(self, host: str, delay_s: float) -> Iterator[None]:
        """Hold the host's gate for one request; the next opens `delay_s` after it ends.

        Raises:
            StoppedError: the run is being stopped.
        """
        gate = self._gate(host)
        with gate.lock:
            self.pause(gate.open_at - self._runtime.monotonic())
            try:
                yield
            finally:
                ended = self._runtime.monotonic() + delay_s + gate.penalty_s
                gate.open_at = max(gate.open_at, ended)

    def busy(self, host: str, asked_s: float) -> None:
        """Slow down for a host that says it is asked too much, and shut it for `asked_s`.

        Called while the host's gate is held.
        """
        gate = self._gate(host)
        gate.penalty_s = min(max(gate.penalty_s * 2, _FIRST_PENALTY_S), _LONGEST_PENALTY_S)
        shut_s = min(asked_s, 2 * _LONGEST_PENALTY_S)
        gate.open_at = max(gate.open_at, self._runtime.monotonic() + shut_s)

    def served(self, host: str) -> None:
        """Speed up again, by half of the way, after an answer that is not a busy one."""
        gate = self._gate(host)
        gate.penalty_s = gate.penalty_s / 2 if gate.penalty_s > _FIRST_PENALTY_S / 2 else 0.0

    def _gate(self, host: str) -> Gate:
        with self._lock:
            return self._gates.setdefault(host, Gate())

    def pause(self, seconds: float) -> None:
        """Wait, in short slices so that a stop is noticed.

        Raises:
            StoppedError: the run is being stopped.
        """
        if self._stopped():
            raise StoppedError
        if seconds <= 0:
            return
        with self._lock:
            self._waiting += 1
        try:
            self._wait(seconds)
        finally:
            with self._lock:
                self._waiting -= 1

    def _wait(self, seconds: float) -> None:
        until = self._runtime.monotonic() + seconds
        while (left := until - self._runtime.monotonic()) > 0:
            self._runtime.sleep(min(left, _SLICE_S))
            if self._stopped():
                raise StoppedError
