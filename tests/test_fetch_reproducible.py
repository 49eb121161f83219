"""The same seeds against the same server give the same records, byte for byte.

Source: DESIGN, law 9. Clock, timer, chance, ids and name resolution are injected; the sockets, the
files and the server are real.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import socket
import ssl
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.fetch import FetchSettings
from provenance.model import Outcome
from provenance.runtime import Address, Runtime
from provenance.verify import verify_archive
from tests.roots import make_certificate, root_of
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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def town(certificate: Path) -> Iterator[Town]:
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
        taken.bind(
            ("127.0.0.1", 0)
        )  # bound and not listening: it refuses, and stays free of others
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


@pytest.mark.parametrize("tick_ms", [0, 7], ids=["still", "ticking"])
def test_with_one_job_every_byte_of_every_file_is_the_same(
    tmp_path: Path, town: Town, certificate: Path, tick_ms: int
) -> None:
    """Two roots, two runs in each, every kind of answer: names, members, manifest and sidecars."""
    tick = timedelta(milliseconds=tick_ms)
    one, other = (
        fetch_anew(tmp_path / name, town, certificate, injected(tick), runs=2)
        for name in ("one", "other")
    )
    words = {outcome.outcome.value for run in one.outcomes for outcome in run}
    assert words == {"captured", "unchanged", "truncated", "error_status", "failed", "denied"}
    for mine, its in zip(one.members, other.members, strict=True):
        assert mine.plain.decode("latin-1") == its.plain.decode("latin-1")
    assert one.files == other.files
    for name in ("manifest-sha256.txt", *(f"lookup/{file}.jsonl" for file in list(one.files)[:1])):
        raw = (one.archive.metadata / name).read_bytes()
        assert raw == (other.archive.metadata / name).read_bytes()
    assert one.outcomes == other.outcomes


def test_what_is_not_injected_is_not_recorded(
    tmp_path: Path, town: Town, certificate: Path
) -> None:
    """Neither a port of this side, nor the root's place, nor the real date is in any record."""
    kept = fetch_anew(tmp_path / "one", town, certificate, injected())
    ports = {str(wire.port) for wire in town.wires} | {str(town.closed_port)}
    today = datetime.now(UTC).strftime("%Y-%m-%d").encode()
    for member in kept.members:
        assert str(tmp_path).encode() not in member.plain
        assert today not in member.plain
        if member.header["WARC-Type"] == "metadata":
            for word in member.block.split(b'"port": ')[1:]:
                assert word.split(b"\n")[0].rstrip(b",}").decode() in ports


@pytest.mark.parametrize("runs", [1, 2])
def test_with_more_jobs_the_set_of_records_is_the_same(
    tmp_path: Path, town: Town, certificate: Path, runs: int
) -> None:
    """However the hosts take turns: the order in the files alone differs."""
    settings = replace(SETTINGS, jobs=8, delay_s=0)
    kept = [
        fetch_anew(tmp_path / name, town, certificate, injected(), runs=runs, settings=settings)
        for name in ("one", "two", "three")
    ]
    first = Counter(member.plain for member in kept[0].members)
    for other in kept[1:]:
        found = Counter(member.plain for member in other.members)
        assert [raw.decode("latin-1") for raw in (found - first)] == []
        assert found == first
        for mine, its in zip(kept[0].outcomes, other.outcomes, strict=True):
            assert {each.document: each.capture_id for each in mine} == {
                each.document: each.capture_id for each in its
            }


def test_another_run_has_other_ids_and_the_same_blocks(
    tmp_path: Path, town: Town, certificate: Path
) -> None:
    """Record ids derive from the run; what came over the wire does not."""
    one = fetch_anew(tmp_path / "one", town, certificate, injected())
    other = fetch_anew(tmp_path / "other", town, certificate, injected(runs=5))
    ids = [{member.header["WARC-Record-ID"] for member in each.members} for each in (one, other)]
    assert ids[0] & ids[1] == set()
    assert len(ids[0]) == len(one.members)
    blocks = [
        [member.block for member in each.members if member.header["WARC-Type"] == "response"]
        for each in (one, other)
    ]
    assert blocks[0] == blocks[1]
