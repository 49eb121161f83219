"""The only door to the real clock, randomness, environment and name resolution."""

from __future__ import annotations

import os
import random
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

Address = tuple[socket.AddressFamily, tuple[str, int]]
"""An address family with the (IP address, port) to connect to."""

Resolver = Callable[[str, int], tuple[Address, ...]]
"""Name resolution: (host, port) → addresses in the order to try. Raises `OSError`."""


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
