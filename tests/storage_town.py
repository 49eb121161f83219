"""A small town of servers that give every kind of answer, and fetches of it with all injected."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import socket
import ssl
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from provenance.archive import Archive
from provenance.fetch import FetchSettings
from provenance.model import Outcome
from provenance.runtime import Address, Runtime
from provenance.verify import verify_archive
from tests.roots import root_of
from tests.warc_builders import Member, members_of
from tests.wire import Wire, playing

BEGIN = datetime(2026, 11, 23, 9, 45, tzinfo=UTC)
SETTINGS = FetchSettings(jobs=1, delay_s=1, retries=2, timeout_s=20, allow_private=True)


class StoodClock:
    """A clock that moves only when somebody sleeps, and a wall clock that may tick at each look."""

    def __init__(self, tick: timedelta) -> None:
        self._lock = threading.Lock()
        self._slept = 0.0
        self._looks = itertools.count()
        self._tick = tick

    def now(self) -> datetime:
        with self._lock:
            return BEGIN + timedelta(seconds=self._slept) + next(self._looks) * self._tick

    def monotonic(self) -> float:
        with self._lock:
            return self._slept

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._slept += seconds


def loopback(host: str, port: int) -> tuple[Address, ...]:
    """Resolve every name but one to this machine, as a name server would that always answers so."""
    if host == "nowhere.example":
        raise socket.gaierror("no address")
    return ((socket.AF_INET, ("127.0.0.1", port)),)


def injected(tick: timedelta = timedelta(0), runs: int = 0) -> Runtime:
    """Return a runtime in which everything is given; ids count from `runs`."""
    clock, ids, chance = StoodClock(tick), itertools.count(runs + 1), itertools.cycle((0.1, 0.7))
    return Runtime(
        now=clock.now,
        monotonic=clock.monotonic,
        sleep=clock.sleep,
        new_id=lambda: uuid.UUID(int=next(ids) << 96 | 0x4 << 76 | 0x8 << 60),
        jitter=lambda: next(chance),
        environ={},
        resolve=loopback,
    )


def answer(body: bytes, *fields: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Date: Mon, 23 Nov 2026 09:45:00 GMT", *fields]
    lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


PAGE = b"<!doctype html><title>The bridge</title><p>" + "Die Brücke 这座桥. ".encode() * 40
LARGE = bytes(range(256)) * 8192  # 2 MiB: spooled to disk on its way
HTML = b"Content-Type: text/html; charset=utf-8"
PARTS = (PAGE[:10], PAGE[10:500], PAGE[500:], b"")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
    b"%x\r\n%s\r\n" % (len(part), part) for part in PARTS
)
ANSWERS = {
    b"/robots.txt": answer(b"User-agent: *\nDisallow: /denied\n", b"Content-Type: text/plain"),
    b"/moved": answer(b"moved", b"Location: /page", status=b"302 Found"),
    b"/gone": answer(PAGE, HTML, status=b"404 Not Found"),
    b"/chunked": CHUNKED,
    b"/coded": answer(gzip.compress(PAGE, mtime=0), HTML, b"Content-Encoding: gzip"),
    b"/hinted": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer(PAGE, HTML),
    b"/large": answer(LARGE),
    b"/cookies": answer(PAGE, b"Set-Cookie: a=1", b"Set-Cookie: b=2"),
    b"/tagged": answer(PAGE, HTML, b'ETag: "1"'),
}
PATHS = [path.decode()[1:] for path in ANSWERS if path != b"/robots.txt"]
PATHS += ["page", "abroad", "denied", "busy", "page?again"]


@dataclass
class Town:
    """A server of every kind of answer, each the same whenever it is asked anew."""

    closed_port: int = 0
    wires: list[Wire] = field(default_factory=list)
    busy: int = 0

    def begin(self) -> None:
        """Forget who was turned away before."""
        self.busy = 0

    def play(self, head: bytes) -> bytes:
        path = head.split()[1]
        if path == b"/abroad":
            where = b"Location: %s/page" % self.wires[1].url.encode()
            return answer(b"", where, status=b"301 Moved")
        if path == b"/tagged" and b"If-None-Match" in head:
            return b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
        if path == b"/busy":
            self.busy += 1
            if self.busy % 3:
                return answer(b"later", b"Retry-After: 3", status=b"503 Service Unavailable")
        return ANSWERS.get(path, answer(PAGE, HTML))

    def urls(self, *, busy: bool = True) -> list[str]:
        first, second, cut, secure = (wire.url for wire in self.wires)
        paths = [path for path in PATHS if busy or path != "busy"]
        return [
            *(f"{first}/{path}" for path in paths),
            *(f"{second}/{path}" for path in ("page", "chunked", "large", "tagged")),
            f"{cut}/cut",
            f"{secure}/page",
            f"{secure}/coded",
            f"http://council.example:{self.wires[0].port}/page",
            "http://nowhere.example/page",
            f"http://127.0.0.1:{self.closed_port}/page",
        ]


def cut_short(head: bytes) -> bytes:
    """Promise more than comes, and close."""
    whole = answer(b"", status=b"404 Not Found") if b"/robots.txt" in head else answer(LARGE)
    return whole[:70_000]


@contextlib.contextmanager
def town_at(certificate: Path) -> Iterator[Town]:
    """Serve the town on four ports, one of them with TLS and one that cuts its answers short."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    made = Town()
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            made.wires.append(stack.enter_context(playing(made.play, closes=False)))
        made.wires.append(stack.enter_context(playing(cut_short, closes=True)))
        secure = stack.enter_context(playing(made.play, closes=False, context=context))
        made.wires.append(secure)
        taken = stack.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))  # bound, not listening: it refuses
        made.closed_port = taken.getsockname()[1]
        yield made


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a number of runs told and left."""

    archive: Archive
    outcomes: tuple[tuple[Outcome, ...], ...]

    @property
    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.archive.archive.iterdir())}

    @property
    def members(self) -> list[Member]:
        return [member for raw in self.files.values() for member in members_of(raw)]


def fetch_anew(
    folder: Path,
    town: Town,
    certificate: Path,
    runtime: Runtime,
    *,
    runs: int = 1,
    settings: FetchSettings = SETTINGS,
) -> Kept:
    """Make a root, and fetch so many times into it."""
    folder.mkdir()
    # A host that is busy lets time pass for all others too, of which there is only one at a time.
    urls = town.urls(busy=settings.jobs == 1)
    archive = Archive(root_of(folder, *urls).root, runtime)
    chosen = replace(settings, ca_file=certificate.parent / "cert.pem")
    outcomes = []
    for _ in range(runs):
        town.begin()
        outcomes.append(tuple(archive.fetch((), chosen).outcomes))
    assert verify_archive(archive.root).findings == 0
    return Kept(archive=archive, outcomes=tuple(outcomes))
