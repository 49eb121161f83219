"""Let one request at a time through to each host, with a pause between two."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from provenance.runtime import Runtime

_SLICE_S = 0.25


class StoppedError(Exception):
    """The run is being stopped; whoever waits gives up."""


@dataclass(slots=True)
class _Gate:
    lock: threading.Lock = field(default_factory=threading.Lock)
    open_at: float = float("-inf")


class Gates:
    """The gates of all hosts of a run; `stopped` says that the run is being stopped."""

    def __init__(self, runtime: Runtime, stopped: Callable[[], bool]) -> None:
        self._runtime = runtime
        self._stopped = stopped
        self._gates: dict[str, _Gate] = {}
        self._lock = threading.Lock()

    @contextmanager
    def passing(self, host: str, delay_s: float) -> Iterator[None]:
        """Hold the host's gate for one request; the next opens `delay_s` after it ends.

        Raises:
            StoppedError: the run is being stopped.
        """
        with self._lock:
            gate = self._gates.setdefault(host, _Gate())
        with gate.lock:
            self.pause(gate.open_at - self._runtime.monotonic())
            try:
                yield
            finally:
                gate.open_at = self._runtime.monotonic() + delay_s

    def pause(self, seconds: float) -> None:
        """Wait, in short slices so that a stop is noticed.

        Raises:
            StoppedError: the run is being stopped.
        """
        until = self._runtime.monotonic() + seconds
        while (left := until - self._runtime.monotonic()) > 0:
            if self._stopped():
                raise StoppedError
            self._runtime.sleep(min(left, _SLICE_S))
        if self._stopped():
            raise StoppedError
