"""Run many visits at once, one at a time for each host; report each once it is synced.

The threads visit and write; the caller's thread syncs whatever has come meanwhile, in one go, and
only then yields the outcomes: what was reported as saved is on disk.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from provenance.exchange import Client, ClientSettings
from provenance.exchange.addresses import policy
from provenance.fetch.gates import Gates, StoppedError
from provenance.fetch.recording import Recording
from provenance.fetch.settings import Errand, FetchSettings
from provenance.fetch.visit import RobotsCache, Shared, Visitor
from provenance.model import CollectionId, Outcome, OutcomeKind, RunId
from provenance.runtime import Runtime
from provenance.warc.draft import Original
from provenance.warc.writer import WarcWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPorts:
    """What a fetch needs of the outside: the runtime, a writer for each collection, a spool folder.

    `originals` maps (address, payload digest) to earlier records; `user_agent` is sent as is.
    """

    runtime: Runtime
    writer_of: Callable[[CollectionId], WarcWriter]
    originals: dict[tuple[str, str], Original]
    spool_dir: Path
    user_agent: str


def fetch(
    run: RunId,
    errands: Iterable[Errand],
    done: Mapping[CollectionId, frozenset[str]],
    settings: FetchSettings,
    ports: FetchPorts,
) -> Iterator[Outcome]:
    """Yield exactly one outcome for each errand, once its records are on disk.

    `done` names the documents that an interrupted run has; they and documents without an address
    are `skipped`. Closing the iterator stops the run: records stay whole.

    Raises:
        StorageError: the disk refused; what was yielded is kept.
    """
    todo: list[Errand] = []
    for errand in errands:
        if errand.url is None or errand.document in done.get(errand.collection, frozenset()):
            yield _skipped(run, errand)
        else:
            todo.append(errand)
    engine = _Engine(run, settings, ports)
    try:
        yield from engine.run(todo)
    finally:
        engine.stop()


def _skipped(run: RunId, errand: Errand) -> Outcome:
    return Outcome(
        collection=errand.collection,
        document=errand.document,
        url=errand.url,
        outcome=OutcomeKind.SKIPPED,
        reason="wanted" if errand.url is None else "already_done",
        run=run,
    )


def count_outcomes(outcomes: Iterable[Outcome]) -> Counter[str]:
    """Return how often each outcome occurred."""
    return Counter(outcome.outcome.value for outcome in outcomes)


class _Engine:
    def __init__(self, run: RunId, settings: FetchSettings, ports: FetchPorts) -> None:
        self._settings = settings
        self._ports = ports
        self._stopped = threading.Event()
        self._results: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
        self._hosts: queue.SimpleQueue[tuple[Errand, ...]] = queue.SimpleQueue()
        self._shared = Shared(
            run=run,
            runtime=ports.runtime,
            settings=settings,
            gates=Gates(ports.runtime, self._stopped.is_set),
            robots=RobotsCache(),
        )

    def run(self, errands: list[Errand]) -> Iterator[Outcome]:
        hosts: dict[str, list[Errand]] = {}
        for errand in errands:
            hosts.setdefault(urlsplit(errand.url or "").netloc.lower(), []).append(errand)
        for queued in sorted(hosts.values(), key=len, reverse=True):
            self._hosts.put(tuple(queued))
        for _ in range(min(self._settings.jobs, len(hosts))):
            threading.Thread(target=self._work, daemon=True).start()
        left = len(errands)
        while left:
            ready = self._ready()
            for collection in {outcome.collection for outcome in ready}:
                self._ports.writer_of(collection).sync()
            yield from ready
            left -= len(ready)

    def stop(self) -> None:
        self._stopped.set()

    def _ready(self) -> list[Outcome]:
        """Wait for an outcome; return it with all others that are there by now."""
        found = [self._results.get()]
        while not self._results.empty():
            found.append(self._results.get())
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return [each for each in found if isinstance(each, Outcome)]

    def _work(self) -> None:
        try:
            while not self._stopped.is_set():
                try:
                    errands = self._hosts.get_nowait()
                except queue.Empty:
                    return
                self._visit_all(errands)
        except StoppedError:
            return
        except BaseException as fault:  # it is the caller's: raised where the outcomes are read
            self._results.put(fault)

    def _visit_all(self, errands: tuple[Errand, ...]) -> None:
        clients: dict[tuple[str, ...], Client] = {}
        try:
            for errand in errands:
                if errand.networks not in clients:
                    clients[errand.networks] = self._client(errand.networks)
                visitor = Visitor(
                    self._shared, clients[errand.networks], self._recording(errand.collection)
                )
                self._results.put(visitor.visit(errand))
                if self._stopped.is_set():
                    return
        finally:
            for client in clients.values():
                client.close()

    def _recording(self, collection: CollectionId) -> Recording:
        return Recording(
            self._ports.writer_of(collection),
            self._ports.originals,
            proxied=self._settings.proxy is not None,
        )

    def _client(self, networks: tuple[str, ...]) -> Client:
        settings = self._settings
        return Client(
            self._ports.runtime,
            ClientSettings(
                fields=(
                    ("User-Agent", self._ports.user_agent),
                    ("Accept", "*/*"),
                    ("Accept-Encoding", "identity"),
                    ("Connection", "keep-alive"),
                ),
                timeout_s=settings.timeout_s,
                max_time_s=settings.max_time_s,
                max_bytes=settings.max_bytes,
                proxy=settings.proxy,
                ca_file=settings.ca_file,
                spool_dir=self._ports.spool_dir,
            ),
            policy(allow_private=settings.allow_private, networks=networks),
        )
