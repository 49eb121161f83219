"""Kill runs at any instant, and run several at once: what was told is there, nothing is found.

Source: DESIGN, law 4; docs/warc-profile.md, "Recovery".
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from provenance.archive import Archive
from provenance.indexing import survey_all
from provenance.verify import verify_archive
from provenance.warc.history import read_history
from provenance.warc.recovery import recover
from provenance.warc.survey import survey
from tests.roots import make_certificate
from tests.storage_builders import (
    FETCH,
    NOT_FOUND,
    PROGRAM,
    Ran,
    captures_in,
    codes,
    hosts,
    left_open,
    listed,
    make_root,
    objects_in,
    run,
    sealed,
    verify,
)
from tests.storage_town import fetch_anew, injected, town_at
from tests.warc_builders import locked_for_writing, members_of
from tests.wire import Wire, playing

KILLS = 13
"""In each of two archives; thirty in each of ten where there is time."""
HOSTS = 4


@dataclass
class Shop:
    """Several hosts whose documents change with `generation`; one answer may be a trap.

    A trap is sprung by the request of that number: `spring` is called when so large a part of the
    answer was sent.
    """

    sizes: tuple[int, ...]
    generation: int = 0
    wires: list[Wire] = field(default_factory=list)
    requests: int = 0
    trap: tuple[int, float] | None = None
    spring: Callable[[], None] = lambda: None
    served: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def play(self, head: bytes) -> bytes:
        path = head.split()[1]
        self.served.set()
        if path == b"/robots.txt":
            return NOT_FOUND
        size = int(path.rpartition(b"-")[2])
        body = random.Random(f"{self.generation}{path!r}").randbytes(size)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (size, body)
        with self._lock:
            self.requests += 1
            mine = self.trap is not None and self.requests == self.trap[0]
        if mine and self.trap is not None:
            self.spring()
            return answer[: int(len(answer) * self.trap[1])]
        return answer

    def urls(self) -> list[str]:
        return [
            f"{self.wires[at % len(self.wires)].url}/{at}-{size}"
            for at, size in enumerate(self.sizes)
        ]

    def set_trap(self, trap: tuple[int, float] | None, spring: Callable[[], None]) -> None:
        self.requests, self.trap, self.spring = 0, trap, spring
        self.served.clear()


@contextlib.contextmanager
def shop(sizes: tuple[int, ...]) -> Iterator[Shop]:
    made = Shop(sizes)
    with contextlib.ExitStack() as stack:
        for _ in range(HOSTS):
            made.wires.append(stack.enter_context(playing(made.play, closes=False)))
        yield made


def many_sizes(chance: random.Random, small: int, large: tuple[int, ...]) -> tuple[int, ...]:
    sizes = [chance.randrange(1, 20_000) for _ in range(small)] + list(large)
    chance.shuffle(sizes)
    return tuple(sizes)


@dataclass
class Running:
    """A fetch under way, its output going to files, so that a kill loses nothing of it."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds or the process ends."""
        while self.process.poll() is None and not condition():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.0005)

    def after(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def lines(self) -> int:
        return self.out.read_bytes().count(b"\n")

    def ended(self) -> Ran:
        status = self.process.wait(120)
        out, err = self.out.read_text(), self.err.read_text()
        assert "Traceback" not in err, err
        return Ran(status=status, out=out, err=err, objects=objects_in(out))


@contextlib.contextmanager
def fetching(root: Path, *more: str, name: str = "run") -> Iterator[Running]:
    out, err = root.parent / f"{name}.out", root.parent / f"{name}.err"
    call = [*PROGRAM, "-C", str(root), *FETCH, "--jobs", "4", *more]
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(call, stdout=stdout, stderr=stderr)
    running = Running(process, out, err)
    try:
        yield running
    finally:
        running.kill()
        process.wait(30)


def strike(running: Running, root: Path, made: Shop, chance: random.Random, span_s: float) -> None:
    """Kill the run at an instant that chance chooses, by one of several clocks."""
    archive, manifest = root / "archive", root / "metadata" / "manifest-sha256.txt"
    lines = manifest.read_bytes().count(b"\n")
    documents = len(made.sizes)

    def written() -> int:
        sizes = []
        for name in left_open(root):
            with contextlib.suppress(FileNotFoundError):
                sizes.append((archive / name).stat().st_size)
        return sum(sizes, -1 if not sizes else 0)

    clock = chance.choice(["time", "time", "trap", "outcome", "bytes", "born", "sealing"])
    if clock == "trap":  # inside an answer: the server strikes
        made.set_trap((chance.randrange(1, documents + 1), chance.random()), running.kill)
        running.after(60)
        return
    running.until(made.served.is_set)
    if clock == "time":
        running.after(chance.uniform(0, span_s))
    elif clock == "outcome":
        wanted = chance.randrange(0, documents)
        running.until(lambda: running.lines() >= wanted)
    elif clock == "bytes":
        threshold = chance.randrange(0, sum(made.sizes))
        running.until(lambda: written() > threshold)
    elif clock == "born":
        running.until(lambda: written() >= 0)
    else:
        running.until(lambda: manifest.read_bytes().count(b"\n") > lines)
    running.kill()


@dataclass
class Ledger:
    """What was told over many killed runs, and checks that it is there."""

    root: Path
    told: set[str] = field(default_factory=set)
    held: dict[str, set[str]] = field(default_factory=dict)
    recovered: int = 0
    torn: int = 0

    def check(self, ran: Ran) -> None:
        """Recover by `verify`, which finds nothing, and find all that was ever told."""
        self.told |= {each["capture_id"] for each in ran.of_type("outcome") if each["capture_id"]}
        waiting = {
            name.removesuffix(".open"): (self.root / "archive" / name).stat().st_size
            for name in left_open(self.root)
        }
        checked = verify(self.root)
        assert (checked.status, codes(checked)) == (0, []), checked.out
        assert left_open(self.root) == []
        for name, size in waiting.items():
            assert f"recovered {name}: " in checked.err
            self._check_parts(name, size)
        assert checked.err.count("recovered ") == len(waiting)
        assert sorted(listed(self.root)) == sealed(self.root)
        for name in sealed(self.root):
            if name not in self.held:  # a sealed file is never changed
                survey_of = survey(self.root / "archive" / name)
                assert survey_of.faults == ()
                self.held[name] = {str(one.capture_id) for one in survey_of.captures}
        assert self.told <= set().union(*self.held.values())

    def _check_parts(self, name: str, size: int) -> None:
        """What is kept and what is set aside are together what was there."""
        kept = self.root / "archive" / name
        kept_size = kept.stat().st_size if kept.exists() else 0
        tail = self.root / "metadata" / "set-aside" / f"{name}-{kept_size}.tail"
        assert kept_size + (tail.stat().st_size if tail.exists() else 0) == size
        self.recovered += 1
        self.torn += tail.exists()


def chain_of(root: Path) -> Counter[str]:
    """Return how many captures each document has in the newest run and those it completes."""
    history = read_history(root / "archive", root / "metadata")
    fetches = {one.run: one for one in history.runs if one.command == "fetch"}
    newest = max(fetches.values(), key=lambda one: one.started_at)
    chain, at = set(), newest
    while True:
        chain.add(at.run)
        if at.resumes is None or at.resumes not in fetches:
            break
        at = fetches[at.resumes]
    return Counter(one.document for one in history.captures if one.run in chain)


def kill_many(tmp_path: Path, made: Shop, chance: random.Random, kills: int) -> Ledger:
    """Kill so many fetches in one archive; each chain of runs ends with every document once."""
    root = make_root(tmp_path / "root", test=made.urls())
    ledger = Ledger(root)
    documents = {f"test-{at}" for at in range(len(made.sizes))}
    made.set_trap(None, lambda: None)
    with fetching(root) as running:
        running.until(made.served.is_set)
        begun = os.times().elapsed
        whole = running.ended()
    span_s = max(os.times().elapsed - begun, 0.2)
    assert whole.status == 0
    ledger.check(whole)
    made.generation += 1
    killed = 0
    while True:
        _, before = to_go_on_with(root)
        made.set_trap(None, lambda: None)
        with fetching(root) as running:
            if killed < kills:
                strike(running, root, made, chance, span_s)
            ran = running.ended()
        killed += ran.status == -signal.SIGKILL
        assert ran.status in (0, -signal.SIGKILL), ran.err
        skipped = {
            each["document"] for each in ran.of_type("outcome") if each["outcome"] == "skipped"
        }
        assert skipped <= before
        if ran.of_type("summary"):
            assert skipped == before
            assert ran.outcomes().keys() == documents
        ledger.check(ran)
        if to_go_on_with(root)[0] is None:  # the closing record is there: the chain is complete
            assert chain_of(root) == dict.fromkeys(documents, 1)
            made.generation += 1
            if killed >= kills:
                return ledger


def to_go_on_with(root: Path) -> tuple[str | None, frozenset[str]]:
    """Return the run that the next fetch completes, if any, and the documents it finds done."""
    collection = Archive(root).collections()[0]
    history = read_history(root / "archive", root / "metadata")
    return history.interrupted(collection.id, str(collection.seeds_digest), ())


LARGE = (1_300_000, 10_000_000)


@pytest.mark.parametrize("part", range(2))
def test_a_run_killed_at_any_instant_loses_nothing_that_it_told(tmp_path: Path, part: int) -> None:
    """Killed again and again: `verify` finds nothing, every told capture is there, torn tails are
    set aside, and the next fetch does exactly what is left.
    """
    chance = random.Random(part)
    with shop(many_sizes(chance, 40, LARGE)) as made:
        ledger = kill_many(tmp_path, made, chance, KILLS)
    assert ledger.recovered >= KILLS // 3
    assert run(ledger.root, "index", "--no-text").status == 0


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
def test_three_hundred_kills_lose_nothing(tmp_path: Path, part: int) -> None:
    """The same with larger documents, in several archives."""
    chance = random.Random(100 + part)
    with shop(many_sizes(chance, 60, (*LARGE, 3_000_000, 20_000_000))) as made:
        kill_many(tmp_path, made, chance, 30)
    shutil.rmtree(tmp_path)


def test_an_addition_killed_at_any_instant_loses_nothing_that_it_told(tmp_path: Path) -> None:
    """The same law for local files."""
    chance = random.Random(7)
    root = make_root(tmp_path / "root")
    ledger = Ledger(root)
    files = []
    for number in range(40):
        files.append(tmp_path / f"letter-{number}.txt")
        files[-1].write_bytes(chance.randbytes(9_000_000 if number % 20 == 9 else 100 * number))
    assert run(root, "add", "--json", str(files[0])).status == 0
    for _ in range(4):
        out, err = tmp_path / "out", tmp_path / "err"
        call = [*PROGRAM, "-C", str(root), "add", "--json", *map(str, files)]
        with out.open("wb") as stdout, err.open("wb") as stderr:
            running = Running(subprocess.Popen(call, stdout=stdout, stderr=stderr), out, err)
        wanted = chance.randrange(1, len(files))
        running.until(lambda wanted=wanted, at=running: at.lines() >= wanted)  # type: ignore[misc]
        running.kill()
        ledger.check(running.ended())
    assert ledger.recovered >= 1


# What a power cut may leave


def complete_root(tmp_path: Path, made: Shop) -> tuple[Path, Ran]:
    root = make_root(tmp_path / "root", test=made.urls())
    ran = run(root, *FETCH)
    assert ran.status == 0
    return root, ran


def listed_not_renamed(root: Path, name: str) -> None:
    (root / "archive" / name).rename(root / "archive" / f"{name}.open")


def named_but_line_torn(root: Path, name: str) -> None:
    listed_not_renamed(root, name)
    manifest = root / "metadata" / "manifest-sha256.txt"
    manifest.write_bytes(manifest.read_bytes()[:-20])


def manifest_of_zeros(root: Path, name: str) -> None:
    listed_not_renamed(root, name)
    manifest = root / "metadata" / "manifest-sha256.txt"
    manifest.write_bytes(bytes(len(manifest.read_bytes())))


def sidecar_torn(root: Path, name: str) -> None:
    read_history(root / "archive", root / "metadata")
    path = root / "metadata" / "lookup" / f"{name}.jsonl"
    path.write_bytes(path.read_bytes()[:-100])


def sidecar_of_zeros(root: Path, name: str) -> None:
    read_history(root / "archive", root / "metadata")
    path = root / "metadata" / "lookup" / f"{name}.jsonl"
    path.write_bytes(bytes(path.stat().st_size))


def tail_of_zeros(root: Path, name: str) -> None:
    """The file's size was on disk before its last bytes were."""
    named_but_line_torn(root, name)
    path = root / "archive" / f"{name}.open"
    path.write_bytes(path.read_bytes() + bytes(5000))


def index_half_written(root: Path, _name: str) -> None:
    (root / "metadata" / "provenance.db.new").write_bytes(b"SQLite format 3\0" + bytes(500))


STATES = (
    listed_not_renamed,
    named_but_line_torn,
    manifest_of_zeros,
    sidecar_torn,
    sidecar_of_zeros,
    tail_of_zeros,
    index_half_written,
)


@pytest.mark.parametrize("state", STATES, ids=lambda state: str(state.__name__))
def test_what_a_power_cut_leaves_is_finished_by_the_next_command(
    tmp_path: Path, state: Callable[[Path, str], None]
) -> None:
    """No finding, nothing lost, and the run that was complete is complete: a fetch begins anew."""
    with shop((900, 30_000, 5)) as made:
        root, ran = complete_root(tmp_path, made)
        (name,) = sealed(root)
        state(root, name)
        checked = verify(root)
        assert (checked.status, codes(checked)) == (0, [])
        assert (sealed(root), left_open(root)) == ([name], [])
        assert set(captures_in(root)) == {each["capture_id"] for each in ran.of_type("outcome")}
        assert set(run(root, *FETCH).outcomes().values()) == {"unchanged"}
    assert run(root, "index").status == 0
    assert codes(verify(root)) == []


def test_a_run_cut_between_any_two_records_leaves_no_finding(tmp_path: Path) -> None:
    """Redirects, attempts, robots.txt, certificate chains, revisits, failures: wherever the end."""
    certificate = make_certificate(tmp_path)
    with town_at(certificate) as town:
        kept = fetch_anew(tmp_path / "town", town, certificate, injected(), runs=2)
    root = tmp_path / "cut"
    for path in ("archive", "metadata", "seeds"):
        (root / path).mkdir(parents=True)
    manifest = root / "metadata" / "manifest-sha256.txt"
    before = b""
    for name, raw in kept.files.items():
        for member in members_of(raw):
            (root / "archive" / f"{name}.open").write_bytes(raw[: member.offset + member.length])
            manifest.write_bytes(before)
            (told,) = recover(root / "archive", root / "metadata")
            assert (told.fault, told.torn_bytes) == (None, 0)
            found: list[str] = []
            verify_archive(root, on_finding=lambda each: found.append(each.code))  # noqa: B023
            assert found == [], member.header
            (root / "archive" / name).rename(root / "archive" / f"{name}.open")
        recover(root / "archive", root / "metadata")
        before = manifest.read_bytes()
    assert kept.files == {path.name: path.read_bytes() for path in (root / "archive").iterdir()}


def test_a_run_killed_after_its_last_document_is_completed_by_the_next(tmp_path: Path) -> None:
    """Everything is there but the closing record: the next fetch skips all, and ends the run; the
    one after that begins anew.
    """
    with shop((900, 30_000, 5)) as made:
        root, _ = complete_root(tmp_path, made)
        (name,) = sealed(root)
        (held,) = survey_all(root / "archive")
        path = root / "archive" / name
        (root / "archive" / f"{name}.open").write_bytes(
            path.read_bytes()[: held.records[-1].offset]
        )
        path.unlink()
        (root / "metadata" / "manifest-sha256.txt").unlink()
        second = run(root, *FETCH)
        assert set(second.outcomes().values()) == {"skipped"}
        assert {each["reason"] for each in second.of_type("outcome")} == {"already_done"}
        third = run(root, *FETCH)
    assert set(third.outcomes().values()) == {"unchanged"}
    assert codes(verify(root)) == []


# Several at once


def held_back(size: int, gate: threading.Event, begun: threading.Event) -> Callable[[bytes], bytes]:
    """Return a script that answers /robots.txt, and everything else only once the gate opens."""

    def script(head: bytes) -> bytes:
        if b"/robots.txt" in head:
            return NOT_FOUND
        if b"/held" in head:
            begun.set()
            gate.wait(60)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (size, b"x" * size)

    return script


def test_other_commands_leave_a_living_run_alone(tmp_path: Path) -> None:
    """While a run waits for a server, every command works; none recovers or blames its file."""
    gate, begun = threading.Event(), threading.Event()
    with playing(held_back(5000, gate, begun), closes=False) as wire:
        root = make_root(tmp_path / "root", test=[f"{wire.url}/first", f"{wire.url}/held"])
        with fetching(root) as running:
            try:
                begun.wait(60)
                (name,) = left_open(root)
                checked = verify(root)
                assert (checked.status, codes(checked)) == (0, [])
                assert [each["code"] for each in checked.of_type("note")] == ["interrupted"]
                for arguments in (("index",), ("list",), ("verify",), ("index", "--check")):
                    ran = run(root, *arguments)
                    assert (ran.status, "recovered" in ran.err) == (0, False), ran.err
                assert left_open(root) == [name]
            finally:
                gate.set()
            ended = running.ended()
        assert ended.outcomes() == {"test-0": "captured", "test-1": "captured"}
        assert sealed(root) == [name.removesuffix(".open")]
    assert codes(verify(root)) == []


@pytest.mark.parametrize("names", [("one", "two"), ("one", "one")], ids=["apart", "together"])
def test_two_fetches_at_once_lose_nothing_and_recover_nothing(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    """In two collections and in the same; `verify` and `index` beside them find nothing."""
    chance = random.Random(5)
    with shop(many_sizes(chance, 60, (1_000_000, 9_500_000))) as made:
        urls = made.urls()
        root = make_root(tmp_path / "root", **dict.fromkeys(names, urls))
        assert run(root, *FETCH, "one-0").status == 0
        beside: list[Ran] = []
        with (
            fetching(root, names[0], name="a") as first,
            fetching(root, names[1], name="b") as second,
        ):
            while first.process.poll() is None or second.process.poll() is None:
                beside.append(verify(root))
                beside.append(run(root, "index", "--no-text", "--json"))
            ran = [first.ended(), second.ended()]
    assert len(beside) >= 2
    for each in (*beside, *ran):
        assert (each.status, codes(each)) == (0, []), each.out + each.err
        assert "recovered" not in each.err
    told = [each for one in ran for each in one.of_type("outcome")]
    assert len(told) == 2 * len(urls)
    assert {each["capture_id"] for each in told} <= captures_in(root).keys()
    runs = read_history(root / "archive", root / "metadata").runs
    assert [one.ended for one in runs] == [True] * 3
    assert sorted(listed(root)) == sealed(root)
    assert codes(verify(root)) == []


def test_a_locked_file_of_a_dead_looking_run_is_not_touched(tmp_path: Path) -> None:
    """The lock alone tells: a file that nobody writes to for long may still have its writer."""
    with hosts(1) as (wire,):
        root = make_root(tmp_path / "root", test=[f"{wire.url}/0-900"])
        assert run(root, *FETCH).status == 0
        (name,) = sealed(root)
        path = root / "archive" / f"{name}.open"
        (root / "archive" / name).rename(path)
        (root / "metadata" / "manifest-sha256.txt").write_bytes(b"")
        with locked_for_writing(path):
            ran = run(root, *FETCH)
            assert ran.outcomes() == {"test-0": "captured"}
            assert "recovered" not in ran.err
            assert left_open(root) == [path.name]
        assert f"recovered {name}" in run(root, "list").err or left_open(root) == []
    assert codes(verify(root)) == []


def test_a_reader_that_goes_away_ends_the_run_with_its_files_whole(tmp_path: Path) -> None:
    """`provenance fetch --json | head -1`: no finding, and the next run goes on."""
    with shop(many_sizes(random.Random(3), 120, (1_000_000,))) as made:
        root = make_root(tmp_path / "root", test=made.urls())
        call = [*PROGRAM, "-C", str(root), *FETCH]
        with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
            assert running.stdout is not None
            first = running.stdout.readline()
            running.stdout.close()
            running.wait(60)
        told: dict[str, Any] = objects_in(first.decode())[0]
        assert codes(verify(root)) == []
        assert told["capture_id"] in captures_in(root)
        again = run(root, *FETCH)
        assert again.outcomes()[told["document"]] == "skipped"
    assert codes(verify(root)) == []
