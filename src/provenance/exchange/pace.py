"""Keep the time of one exchange: how long the next wait may be, and what took how long."""

from __future__ import annotations

from typing import Any

from provenance.runtime import Runtime


class Pace:
    """The time bounds and timings of the exchange under way; `begin` starts it afresh."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.begin(idle_s=60.0, deadline=float("inf"))

    def begin(self, *, idle_s: float, deadline: float) -> None:
        """Forget the last exchange; `deadline` is an instant of the monotonic clock."""
        self.idle_s = idle_s
        self.deadline = deadline
        self.timings: dict[str, float] = {}
        self.started = self.runtime.monotonic()

    def now(self) -> float:
        """Return the injected monotonic clock's reading, in seconds."""
        return self.runtime.monotonic()

    def clocked(self, name: str, since: float) -> float:
        """Note the milliseconds from `since` to now under `name`; return now."""
        now = self.runtime.monotonic()
        self.timings[name] = round((now - since) * 1000, 3)
        return now

    def patience(self) -> float:
        """Return how many seconds the next wait may take.

        Raises:
            TimeoutError: the time for the whole document is used up.
        """
        left = self.deadline - self.runtime.monotonic()
        if left <= 0:
            raise TimeoutError("the time limit for one document is reached")
        return min(self.idle_s, left)


class PacedWire:
    """A connection whose every wait keeps the pace; TLS inside another TLS reads through it."""

    def __init__(self, wire: Any, pace: Pace) -> None:
        self._wire = wire
        self._pace = pace

    def recv(self, size: int) -> bytes:
        """Return what comes next, `size` bytes at most."""
        self._wire.settimeout(self._pace.patience())
        received: bytes = self._wire.recv(size)
        return received

    def sendall(self, raw: bytes) -> None:
        """Send all of `raw`."""
        send_all(self._wire, raw, self._pace)

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()

    def fileno(self) -> int:
        """Return the socket's number, to wait for it."""
        number: int = self._wire.fileno()
        return number

    def settimeout(self, value: float | None) -> None:
        """Do nothing: the pace decides."""


def send_all(wire: Any, raw: bytes, pace: Pace) -> None:
    """Send all of `raw`, however slowly it is taken, within the pace."""
    view = memoryview(raw)
    while view:
        wire.settimeout(pace.patience())
        view = view[wire.send(view) :]
