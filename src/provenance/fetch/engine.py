"""Run many visits at once, one at a time for each host; report each once it is synced.

The threads visit and write; the caller's thread syncs whatever has come meanwhile, in one go, and
only then yields the outcomes: what was reported as saved is on disk.
"""

from __future__ import annotations

import queue
import threading
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from provenance.exchange import Client, ClientSettings, Trust, read_cookies
from provenance.exchange.addresses import policy
from provenance.fetch.archived import Seeking
from provenance.fetch.chains import Chains
from provenance.fetch.errands import Errands
from provenance.fetch.gates import Gates, StoppedError
from provenance.fetch.gathering import GotCache
from provenance.fetch.permission import RobotsCache
from provenance.fetch.recording import Recording
from provenance.fetch.robots import host_of
from provenance.fetch.settings import Errand, FetchSettings
from provenance.fetch.visit import Shared, Visitor
from provenance.gather.timegate import parse_timegate
from provenance.holdings import Known
from provenance.model import CollectionId, Outcome, OutcomeKind, RunId
from provenance.runtime import Runtime
from provenance.warc.draft import Original
from provenance.warc.writer import WarcWriter

_TOGETHER = 128
_CLOSE_S = 0.02
"""Outcomes that are synced in one go, and the seconds within which each follows the one before."""

_WAITING = 256
"""Outcomes that may wait to be synced and yielded; beyond them visits wait until some were."""

_GRACE_S = 2.0
"""Seconds that a run which is stopped gives the visits under way to end by themselves."""


_Result: TypeAlias = tuple[int, Outcome]
"""The number of an errand, and what became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPorts:
    """What a fetch needs of the outside: the runtime, a writer for each collection, a spool folder.

    `originals` maps (address, payload digest) to earlier records, `known` an address to the newest
    full answer that gave validators; `user_agent` is sent as is.
    """

    runtime: Runtime
    writer_of: Callable[[CollectionId], WarcWriter]
    originals: Mapping[tuple[str, str], Original]
    known: Mapping[str, Known]
    spool_dir: Path
    user_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: documents, bytes received, and hosts at work, waiting and not yet begun."""

    documents: int
    done: int
    received: int
    hosts_at_work: int
    hosts_waiting: int
    hosts_left: int


class FetchRun:
    """One run over many documents.

    `done` names the documents that an interrupted run has; they and documents without an address
    are `skipped`. Closing the iterator of outcomes stops the run: records stay whole.

    Raises:
        UsageError: proxy, certificates, netrc file or TimeGate cannot be used; nothing was asked
            for.
    """

    def __init__(
        self,
        run: RunId,
        errands: Errands,
        done: Mapping[CollectionId, frozenset[str]],
        settings: FetchSettings,
        ports: FetchPorts,
    ) -> None:
        self._run = run
        self._errands = errands
        self._done = done
        self._settings = settings
        self._ports = ports
        self._stopped = threading.Event()
        self._results: queue.SimpleQueue[_Result | BaseException | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(_WAITING)
        self._hosts: queue.SimpleQueue[array[int]] = queue.SimpleQueue()
        """The numbers of each host's errands."""
        self._gates = Gates(ports.runtime, self._stopped.is_set)
        self._shared = Shared(
            run=run,
            runtime=ports.runtime,
            settings=settings,
            gates=self._gates,
            robots=RobotsCache(),
            got=GotCache(),
            seeking=_seeking(settings, ports.runtime),
            known=ports.known.get,
            stopped=self._stopped.is_set,
        )
        self._client_settings = _client_settings(settings, ports)
        environ = ports.runtime.environ if settings.trust_env else {}
        self._trust = Trust(self._client_settings, environ)
        self._client(()).close()  # proxies and passwords that cannot be used are said at once
        self._chains: dict[CollectionId, Chains] = {}
        self._clients: dict[int, Client] = {}
        self._threads: list[threading.Thread] = []
        self._ends_at = float("inf")
        self._fault: BaseException | None = None
        self._received = 0
        self._count = 0
        self.complete = False
        """True once every document has had its outcome."""

    def stop(self) -> None:
        """Stop the run from another thread or a signal handler: visits under way get a moment."""
        self._stopped.set()
        self._results.put(None)

    def progress(self) -> Progress:
        """Return how far the run is; safe from any thread."""
        clients = list(self._clients.values())
        waiting = self._gates.waiting
        return Progress(
            documents=len(self._errands),
            done=self._count,
            received=self._received + sum(client.received for client in clients),
            hosts_at_work=max(len(clients) - waiting, 0),
            hosts_waiting=waiting,
            hosts_left=self._hosts.qsize(),
        )

    def outcomes(self) -> Iterator[Outcome]:
        """Yield exactly one outcome for each document, once its records are on disk.

        A run that is stopped yields what is done by then, and `complete` stays False. Where the
        run's own time is up, the documents that are left are `skipped` with the reason `run_time`.

        Raises:
            StorageError: the disk refused; what was yielded is kept.
        """
        hosts: dict[str, array[int]] = {}
        for number in range(len(self._errands)):
            errand = self._errands[number]
            if errand.url is None:
                yield self._skipped(number, errand, "wanted")
            elif errand.document in self._done.get(errand.collection, frozenset()):
                yield self._skipped(number, errand, "already_done")
            else:
                hosts.setdefault(host_of(errand.url), array("L")).append(number)
        try:
            yield from self._visited(hosts)
            self.complete = self._count == len(self._errands)
            if not self.complete and self._late():
                for number in self._errands.left():
                    yield self._skipped(number, self._errands[number], "run_time")
        finally:
            self._stopped.set()

    def _skipped(self, number: int, errand: Errand, reason: str) -> Outcome:
        self._tick_off(number)
        return Outcome(
            collection=errand.collection,
            document=errand.document,
            url=errand.url,
            outcome=OutcomeKind.SKIPPED,
            reason=reason,
            run=self._run,
        )

    def _tick_off(self, number: int) -> None:
        self._count += 1
        self._errands.tick_off(number)

    def _visited(self, hosts: Mapping[str, array[int]]) -> Iterator[Outcome]:
        now, limit = self._ports.runtime.monotonic, self._settings.max_run_time_s
        self._ends_at = now() + limit if limit is not None else float("inf")
        left = sum(map(len, hosts.values()))
        self._start(hosts)
        grace_until: float | None = None
        while left:
            ready = self._ready((grace_until or self._ends_at) - now())
            for collection in {outcome.collection for _, outcome in ready}:
                self._ports.writer_of(collection).sync()
            for number, outcome in ready:
                self._tick_off(number)
                yield outcome
            left -= len(ready)
            if self._late():
                self._stopped.set()
            if self._stopped.is_set():
                grace_until = grace_until or now() + _GRACE_S
                idle = not any(thread.is_alive() for thread in self._threads)
                # What is recorded is told, however long that takes whoever reads it.
                if self._results.empty() and (idle or now() >= grace_until):
                    break
        if self._fault:  # after the outcomes of all that is kept beside it
            raise self._fault

    def _late(self) -> bool:
        return self._ports.runtime.monotonic() >= self._ends_at

    def _start(self, hosts: Mapping[str, array[int]]) -> None:
        # The longest queues first: the run is as long as the longest of them.
        for queued in sorted(hosts.values(), key=len, reverse=True):
            self._hosts.put(queued)
        for _ in range(min(self._settings.jobs, len(hosts))):
            self._threads.append(threading.Thread(target=self._work, daemon=True))
        for thread in self._threads:
            thread.start()

    def _ready(self, patience_s: float) -> list[_Result]:
        """Wait for an outcome; return it with all others that are there by now."""
        found: list[_Result | BaseException | None] = []
        try:
            bounded = patience_s != float("inf")
            found.append(self._results.get(timeout=max(patience_s, 0) if bounded else None))
            # Outcomes that come close together are synced in one go: a sync each would take longer
            # than the fetching.
            while len(found) < _TOGETHER:
                found.append(self._results.get(timeout=_CLOSE_S))
        except queue.Empty:
            pass
        for each in found:
            if isinstance(each, BaseException):
                self._fault = self._fault or each
                self._stopped.set()
        ready = [each for each in found if isinstance(each, tuple)]
        if ready:
            self._room.release(len(ready))
        return ready

    def _work(self) -> None:
        try:
            while not self._stopped.is_set():
                try:
                    numbers = self._hosts.get_nowait()
                except queue.Empty:
                    return
                self._visit_all(numbers)
        except StoppedError:
            return
        except BaseException as fault:  # it is the caller's: raised where the outcomes are read
            self._results.put(fault)
        finally:
            self._results.put(None)  # so that whoever waits looks who is still at work

    def _visit_all(self, numbers: array[int]) -> None:
        clients: dict[tuple[str, ...], Client] = {}
        me = threading.get_ident()
        try:
            for number in numbers:
                if not self._has_room():
                    return
                errand = self._errands[number]
                if errand.networks not in clients:
                    clients[errand.networks] = self._client(errand.networks)
                client = self._clients[me] = clients[errand.networks]
                visitor = Visitor(self._shared, client, self._recording(errand.collection))
                self._results.put((number, visitor.visit(errand)))
                if self._stopped.is_set():
                    return
        finally:
            self._clients.pop(me, None)
            for client in clients.values():
                self._received += client.received
                client.close()

    def _has_room(self) -> bool:
        """Wait until one more outcome may wait; False where the run is stopped."""
        while not self._room.acquire(timeout=_GRACE_S / 4):
            if self._stopped.is_set():
                return False
        return True

    def _recording(self, collection: CollectionId) -> Recording:
        writer = self._ports.writer_of(collection)
        chains = self._chains.setdefault(collection, Chains(self._run, collection, writer))
        return Recording(writer, chains, self._ports.originals)

    def _client(self, networks: tuple[str, ...]) -> Client:
        addresses = policy(allow_private=self._settings.allow_private, networks=networks)
        return Client(self._ports.runtime, self._client_settings, addresses, self._trust)


def _seeking(settings: FetchSettings, runtime: Runtime) -> Seeking | None:
    if settings.memento is None:
        return None
    timegate = parse_timegate(settings.memento)
    return Seeking(timegate=timegate, named=settings.memento, started_at=runtime.now())


def _client_settings(settings: FetchSettings, ports: FetchPorts) -> ClientSettings:
    return ClientSettings(
        fields=(
            ("User-Agent", ports.user_agent),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "keep-alive"),
        ),
        timeout_s=settings.timeout_s,
        max_time_s=settings.max_time_s,
        max_bytes=settings.max_bytes,
        proxy=settings.proxy,
        ca_file=settings.ca_file,
        client_cert=settings.client_cert,
        client_key=settings.client_key,
        cookies=read_cookies(settings.cookie_file) if settings.cookie_file else (),
        trust_env=settings.trust_env,
        keep_credentials=settings.keep_credentials,
        spool_dir=ports.spool_dir,
    )
