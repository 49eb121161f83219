"""Do independent pieces of work in several processes and give the results in order.

The processes are forked, so that they know what the caller knows and start at once. Where a fork
is not safe, or a process ends before its time, the work is done here.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 4
"""Results per process that may wait for those before them."""


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
    process: ForkProcess
    pipe: Connection
    at: int | None = None


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
        from multiprocessing import Pipe, get_context

        ours, theirs = Pipe()
        ends = [worker.pipe for worker in self._workers] + [ours]
        process = get_context("fork").Process(
            target=_serve, args=(self._work, self._items, theirs, ends), daemon=True
        )
        try:
            process.start()
        except OSError:
            ours.close()
            return
        finally:
            theirs.close()
        self._workers.append(_Worker(process=process, pipe=ours))
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
                worker.pipe.send(worker.at)
            except OSError:
                self._bury(worker)

    def _gather(self) -> None:
        from multiprocessing.connection import wait

        busy = {worker.pipe: worker for worker in self._workers if worker.at is not None}
        for pipe in wait(list(busy)):
            worker = busy[pipe]  # type: ignore[index]
            try:
                done, result = worker.pipe.recv()
            except (OSError, EOFError):
                self._bury(worker)
                continue
            index, worker.at = worker.at, None
            if index is None:
                continue
            if done:
                self._done[index] = result
            else:
                self._lost.add(index)  # done again here, so that its fault is raised here

    def _bury(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        if worker.at is not None:
            self._lost.add(worker.at)
        _end(worker)

    def dismiss(self) -> None:
        """End every process."""
        while self._workers:
            _end(self._workers.pop())


def _end(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join()


def _serve(
    work: Callable[[T], R], items: Sequence[T], pipe: Connection, ends: list[Connection]
) -> None:
    """Do what is asked for until the other end is closed; it decides what Ctrl-C means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()  # what was inherited is not to be walked, or each page of it would be copied
    for end in ends:
        end.close()
    while True:
        try:
            index = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((True, work(items[index])))
        except Exception:
            pipe.send((False, None))
