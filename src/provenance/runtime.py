"""The only door to the real clock, randomness, environment and name resolution."""

from __future__ import annotations

import os
import queue
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

Address = tuple[socket.AddressFamily, tuple[str, int]]
"""An address family with the (IP address, port) to connect to."""

Resolver = Callable[[str, int], tuple[Address, ...]]
"""Name resolution: (host, port) → addresses in the order to try. Raises `OSError`."""


class Lookups:
    """Wait for name look-ups no longer than asked; the machine's resolver knows no time-out.

    One that is given up goes on in its thread until the resolver answers. `limit` bounds the
    threads, those given up included.
    """

    def __init__(self, limit: int = 256) -> None:
        self._places = threading.BoundedSemaphore(limit)

    def within(
        self, seconds: float, look_up: Callable[[], tuple[Address, ...]]
    ) -> tuple[Address, ...]:
        """Return what `look_up` returns, or raise what it raises.

        Raises:
            TimeoutError: it took longer than `seconds`, or all places were taken that long.
        """
        until = time.monotonic() + seconds
        if not self._places.acquire(timeout=seconds):
            raise TimeoutError("too many look-ups without an answer")
        answers: queue.SimpleQueue[tuple[Address, ...] | BaseException] = queue.SimpleQueue()

        def run() -> None:
            try:
                answers.put(look_up())
            except BaseException as fault:  # it is the asker's
                answers.put(fault)
            finally:
                self._places.release()

        threading.Thread(target=run, name="look-up", daemon=True).start()
        try:
            answer = answers.get(timeout=max(until - time.monotonic(), 0.001))
        except queue.Empty:
            raise TimeoutError("the look-up took too long") from None
        if isinstance(answer, BaseException):
            raise answer
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What the rest of the program may not ask the machine for by itself."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    new_id: Callable[[], uuid.UUID]
    jitter: Callable[[], float]
    environ: Mapping[str, str]
    resolve: Resolver
    lookups: Lookups = field(default_factory=Lookups)
    random_bytes: Callable[[int], bytes] = os.urandom


def resolve_by_system(host: str, port: int) -> tuple[Address, ...]:
    """Ask the machine's resolver; raise `socket.gaierror` when it knows no address."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple((family, (str(where[0]), int(where[1]))) for family, _, _, _, where in found)


def system_runtime() -> Runtime:
    """Return the runtime of the real machine."""
    return Runtime(
        now=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        sleep=time.sleep,
        new_id=uuid.uuid4,
        jitter=random.random,
        environ=dict(os.environ),
        resolve=resolve_by_system,
    )
