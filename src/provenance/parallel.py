"""Do independent pieces of work in several processes and give the results in order.

The processes are forked, so that they know what the caller knows and start at once. Where a fork
is not safe, or a process ends before its time, the work is done here.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 4
"""Results per process that may wait for those before them."""

_WORD = 8
"""Bytes of a number on a pipe: the item to do, or the size of the result that follows it."""


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def map_in_order(work: Callable[[T], R], items: Sequence[T], *, jobs: int) -> Iterator[R]:
    """Yield `work(item)` for each item, in the order of the items, done by up to `jobs` processes.

    Results must be picklable. What `work` raises is raised here, where its result would stand.
    """
    workers = min(jobs, len(items))
    # A fork copies the calling thread alone: locks that others hold would stay locked for ever.
    if workers < 2 or not hasattr(os, "fork") or threading.active_count() > 1:
        yield from map(work, items)
        return
    crew = _Crew(work, items)
    try:
        for _ in range(workers):
            crew.hire()
        for index in range(len(items)):
            yield crew.result(index)
    finally:
        crew.dismiss()


@dataclass(slots=True, kw_only=True, eq=False)
class _Worker:
    pid: int
    orders: int
    results: BinaryIO
    at: int | None = None

    def end(self) -> None:
        os.close(self.orders)
        self.results.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


class _Crew(Generic[T, R]):
    """The processes of one call: which item each is at, and the results that wait."""

    def __init__(self, work: Callable[[T], R], items: Sequence[T]) -> None:
        self._work = work
        self._items = items
        self._workers: list[_Worker] = []
        self._size = 0
        self._given = 0
        self._lost: set[int] = set()
        self._done: dict[int, R] = {}

    def hire(self) -> None:
        """Start one more process; where the system refuses, do without."""
        orders_in, orders_out = os.pipe()
        results_in, results_out = os.pipe()
        try:
            pid = os.fork()
        except OSError:
            for end in (orders_in, orders_out, results_in, results_out):
                os.close(end)
            return
        if not pid:
            try:
                # The ends of others must close when this caller ends, not when the last child does.
                for other in self._workers:
                    os.close(other.orders)
                    other.results.close()
                os.close(orders_out)
                os.close(results_in)
                _serve(self._work, self._items, orders_in, results_out)
            finally:
                # A copy of a process must not end as that process does: nothing is its own.
                os.kill(os.getpid(), signal.SIGKILL)
        os.close(orders_in)
        os.close(results_out)
        results = os.fdopen(results_in, "rb")
        self._workers.append(_Worker(pid=pid, orders=orders_out, results=results))
        self._size += 1

    def result(self, index: int) -> R:
        """Return the result at `index`; they are asked for in order."""
        while index not in self._done:
            self._give(index)
            if index in self._lost or index >= self._given:
                return self._work(self._items[index])
            self._gather()
        return self._done.pop(index)

    def _give(self, next_out: int) -> None:
        """Give every idle process an item, not too far ahead of what is to be yielded."""
        limit = min(len(self._items), next_out + _AHEAD * self._size)
        for worker in list(self._workers):
            if worker.at is not None or self._given >= limit:
                continue
            worker.at, self._given = self._given, self._given + 1
            try:
                os.write(worker.orders, worker.at.to_bytes(_WORD, "big"))
            except OSError:
                self._bury(worker)

    def _gather(self) -> None:
        """Wait until a process has a result, or has ended, and take what there is."""
        busy = {each.results.fileno(): each for each in self._workers if each.at is not None}
        ready = select.poll()
        for end in busy:
            ready.register(end, select.POLLIN)
        for end, _ in ready.poll():
            worker = busy[end]
            size = int.from_bytes(worker.results.read(_WORD), "big")
            raw = worker.results.read(size)
            if worker.at is None or not size or len(raw) < size:
                self._bury(worker)
                continue
            done, result = pickle.loads(raw)
            if done:
                self._done[worker.at] = result
            else:
                self._lost.add(worker.at)  # done again here, so that its fault is raised here
            worker.at = None

    def _bury(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        if worker.at is not None:
            self._lost.add(worker.at)
        worker.end()

    def dismiss(self) -> None:
        """End every process."""
        while self._workers:
            self._workers.pop().end()


def _serve(work: Callable[[T], R], items: Sequence[T], orders: int, results_end: int) -> None:
    """Do what is asked for until the other end is closed; it decides what Ctrl-C means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What was inherited is not to be walked: each page of it would be copied.
    gc.freeze()
    gc.disable()
    with os.fdopen(results_end, "wb") as results:
        while order := os.read(orders, _WORD):
            try:
                answer = (True, work(items[int.from_bytes(order, "big")]))
                raw = pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
            except Exception:
                raw = pickle.dumps((False, None))
            results.write(len(raw).to_bytes(_WORD, "big"))
            results.write(raw)
            results.flush()
            gc.collect()
