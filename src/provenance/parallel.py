"""Do independent pieces of work in several processes and give the results in order.

The processes are forked, so that they know what the caller knows and start at once. Where a fork
is not safe, or a process ends before its time, the work is done here.
"""

from __future__ import annotations

import fcntl
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

_AHEAD = 2
"""Results per process that may wait for those before them."""

_PIPE = 1 << 20
_WORD = 8
"""Bytes of a number on a pipe: the item to do, or the size of the result that follows it."""


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def map_in_order(
    work: Callable[[T], R], items: Sequence[T], *, jobs: int, order: Sequence[int] | None = None
) -> Iterator[R]:
    """Return `work(item)` of each item, in the order of the items, done by up to `jobs` processes.

    The processes begin at once, before a result is asked for, and end with the iterator. Results
    must be picklable. What `work` raises is raised where its result would stand. `order` has the
    places of the items in another order, for the results alone: what takes long is begun early,
    and those that come after it need not wait.
    """
    workers = min(jobs, len(items))
    order = range(len(items)) if order is None else order
    if workers < 2 or not _may_fork():
        return (work(items[index]) for index in order)
    return _Results(_Crew(work, items, order, workers))


def apart(work: Callable[[], R]) -> R:
    """Return what `work` returns, done in a process of its own where that can be.

    All memory that the work takes ends with that process, but for the result, which must be
    picklable. What `work` raises is raised here, where it is done once more.
    """
    if not _may_fork():
        return work()
    return next(_Results(_Crew(lambda _: work(), range(1), range(1), 1)))


def _may_fork() -> bool:
    # A fork copies the calling thread alone: locks that others hold would stay locked for ever.
    return hasattr(os, "fork") and threading.active_count() == 1


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


class _Results(Iterator[R], Generic[T, R]):
    """The results of a crew, in order; the crew ends with the last, or when nobody wants more."""

    def __init__(self, crew: _Crew[T, R]) -> None:
        self._crew = crew

    def __next__(self) -> R:
        return self._crew.next_result()

    def __del__(self) -> None:
        self._crew.dismiss()


class _Crew(Generic[T, R]):
    """The processes of one call: which item each is at, and the results that wait.

    A thread takes the results in and gives new orders, so that no process waits for the caller.
    """

    def __init__(
        self, work: Callable[[T], R], items: Sequence[T], order: Sequence[int], size: int
    ) -> None:
        self._work = work
        self._items = items
        self._order = order
        self._workers: list[_Worker] = []
        self._given = 0
        self._taken = 0
        self._wanted = 0
        self._limit = _AHEAD * size
        self._done: dict[int, bytes | None] = {}
        """Pickled results; None for one that is lost."""
        self._changed = threading.Condition()
        for _ in range(size):
            self._hire()
        self._clerk = threading.Thread(target=self._gather, daemon=True)
        self._give()
        self._clerk.start()

    def _hire(self) -> None:
        """Start one more process; where the system refuses, do without."""
        orders_in, orders_out = os.pipe()
        results_in, results_out = os.pipe()
        # A result should fit in, where the system can; else its process waits until it is read.
        with suppress(OSError, AttributeError):
            fcntl.fcntl(results_in, fcntl.F_SETPIPE_SZ, _PIPE)
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

    def next_result(self) -> R:
        """Return the next result; raise `StopIteration` after the last."""
        if self._taken == len(self._items):
            self.dismiss()
            raise StopIteration
        index = self._order[self._taken]
        with self._changed:
            self._wanted = max(self._wanted, index)
            self._give()
            while index not in self._done and self._workers:
                self._changed.wait()
            raw = self._done.pop(index, None)
            self._taken += 1
            self._give()
        if raw is not None:
            answer: tuple[bool, R] = pickle.loads(raw)
            if answer[0]:
                return answer[1]
        # What was lost is done here, so that a fault is raised here too.
        return self._work(self._items[index])

    def _give(self) -> None:
        """Give every process something to do, not too far ahead of what was taken."""
        for worker in list(self._workers):
            limit = max(self._taken + self._limit, self._wanted + 1)
            limit = min(len(self._items), limit)
            if worker.at is None and self._given < limit:
                worker.at, self._given = self._given, self._given + 1
                # Where the process is gone the clerk learns it, and that the item is lost.
                with suppress(OSError):
                    os.write(worker.orders, worker.at.to_bytes(_WORD, "big"))

    def _gather(self) -> None:
        """Take results in, until no process is left."""
        while ends := {each.results.fileno(): each for each in self._workers}:
            ready = select.poll()
            for end in ends:
                ready.register(end, select.POLLIN)
            for end, _ in ready.poll():
                size = int.from_bytes(ends[end].results.read(_WORD), "big")
                raw = ends[end].results.read(size)
                with self._changed:
                    self._settle(ends[end], raw if size and len(raw) == size else None)
                    self._give()
                    self._changed.notify()

    def _settle(self, worker: _Worker, raw: bytes | None) -> None:
        if raw is None or worker.at is None:
            self._bury(worker)
        else:
            self._done[worker.at], worker.at = raw, None

    def _bury(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        if worker.at is not None:
            self._done[worker.at] = None
        worker.end()

    def dismiss(self) -> None:
        """End every process."""
        for worker in list(self._workers):
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)
        if threading.current_thread() is not self._clerk:
            self._clerk.join()


def _serve(work: Callable[[T], R], items: Sequence[T], orders: int, results_end: int) -> None:
    """Do what is asked for until the other end is closed; it decides what Ctrl-C means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What was inherited is not to be walked: each page of it would be copied.
    gc.freeze()
    with os.fdopen(results_end, "wb") as results:
        while order := os.read(orders, _WORD):
            answer: object = None
            try:
                answer = (True, work(items[int.from_bytes(order, "big")]))
                raw = pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
            except Exception:
                raw = pickle.dumps((False, None))
            results.write(len(raw).to_bytes(_WORD, "big"))
            results.write(raw)
            results.flush()
            # What refers to itself would wait for a collection that little else calls for.
            del answer, raw
            gc.collect()
