"""Run extraction in worker processes, in order, with bounded memory, whatever a document does.

How one document is dealt with:
(1) what `refusal` turns away is answered at once;
(2) the rest goes to a worker, in small batches, and each worker answers in order;
(3) when a worker ends, the document it was at is the suspect: it is tried once more, alone, in a
    fresh worker, so that no neighbour and no earlier document bears on the verdict;
(4) a worker that ends on it again gives it the fault `crashed`, or `too_slow` when it used up its
    processor time. Every other document is unaffected.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from types import TracebackType
from typing import Final, Self

from provenance.errors import ProvenanceError
from provenance.extract import Derivative
from provenance.extract.worker import READY, ExtractJob, receive_derivative, run_job, send_jobs

__all__ = ["ExtractJob", "ExtractorPool"]

CPU_LIMIT_S: Final = 120
MEMORY_BYTES: Final = 4 * 2**30
_BATCH_JOBS: Final = 32
_BATCH_BYTES: Final = 2**20
_WINDOW_JOBS: Final = 8 * _BATCH_JOBS
_WINDOW_BYTES: Final = 64 * 2**20

# Unlike the start methods of multiprocessing this imports nothing of the caller's main module,
# and it is the same on every Python version.
_BOOT: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from provenance.extract.worker import main; main(int(sys.argv[2]), int(sys.argv[3]))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    index: int
    job: ExtractJob
    suspect: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    jobs: Connection
    answers: Connection
    ready: bool = False
    answered: int = 0
    tasks: deque[_Task] = field(default_factory=deque)

    def end(self, *, grace_s: float = 0) -> int:
        """End the process, after `grace_s` if it does not by itself; return its exit status."""
        self.jobs.close()
        self.answers.close()
        try:
            return self.process.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class _Run:
    """Which jobs of one `map` are to do, under way and done; keeps the order and the bounds."""

    def __init__(self, jobs: Iterator[ExtractJob]) -> None:
        self._jobs = enumerate(jobs)
        self._again: deque[_Task] = deque()
        self._done: dict[int, Derivative] = {}
        self._exhausted = False
        self._taken = 0
        self._yielded = 0
        self._open_bytes = 0

    @property
    def is_done(self) -> bool:
        return self._exhausted and self._yielded == self._taken

    def take_ready(self) -> Iterator[Derivative]:
        """Yield what is done and next in order."""
        while self._yielded in self._done:
            self._yielded += 1
            yield self._done.pop(self._yielded - 1)

    def next_batch(self) -> list[_Task]:
        """Return what a worker shall do next: a suspect alone, else jobs up to the bounds."""
        if self._again and self._again[0].suspect:
            return [self._again.popleft()]
        batch: list[_Task] = []
        size = 0
        while len(batch) < _BATCH_JOBS and size < _BATCH_BYTES:
            task = self._next_task()
            if task is None:
                break
            batch.append(task)
            size += len(task.job.content)
        return batch

    def again(self, tasks: Iterable[_Task]) -> None:
        """Put tasks back, before all that is still to do."""
        self._again.extendleft(reversed(list(tasks)))

    def settle(self, task: _Task, derivative: Derivative) -> None:
        """Take the derivative of a task."""
        self._open_bytes -= len(task.job.content)
        self._done[task.index] = derivative

    def _next_task(self) -> _Task | None:
        if self._again:
            return None if self._again[0].suspect else self._again.popleft()
        while self._taken - self._yielded < _WINDOW_JOBS and self._open_bytes < _WINDOW_BYTES:
            index, job = next(self._jobs, (-1, None))
            if job is None:
                self._exhausted = True
                return None
            self._taken = index + 1
            self._open_bytes += len(job.content)
            task = _Task(index=index, job=job)
            if job.fault is None:
                return task
            self.settle(task, Derivative(fault=job.fault))  # (1)
        return None


class ExtractorPool:
    """Worker processes that extract text; started when first needed, ended with the context.

    `workers` is how many may run at once; with 0, documents are read in this process.
    `cpu_limit_s` bounds the processor time of one document, `memory_bytes` the address space of
    one worker (where the system can), and `python` runs the workers. For one thread, and one `map`
    at a time.
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        cpu_limit_s: int = CPU_LIMIT_S,
        memory_bytes: int = MEMORY_BYTES,
        python: str = sys.executable,
    ) -> None:
        self._size = workers
        self._limits = (str(cpu_limit_s), str(memory_bytes))
        self._python = python
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every worker."""
        while self._workers:
            self._workers.pop().end()

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The processes that run now."""
        return tuple(worker.process.pid for worker in self._workers)

    def map(self, jobs: Iterable[ExtractJob]) -> Iterator[Derivative]:
        """Yield the derivative of each job, in the order given; `jobs` is read as it is needed.

        Raises:
            ProvenanceError: a worker cannot be started.
        """
        if self._size == 0:
            yield from map(run_job, jobs)
            return
        run = _Run(iter(jobs))
        try:
            while not run.is_done:
                self._feed(run)
                yield from run.take_ready()
                self._collect(run)
        finally:
            # Left half-way: what is under way belongs to nobody.
            for worker in [one for one in self._workers if one.tasks]:
                self._remove(worker)

    def _feed(self, run: _Run) -> None:
        """Give every idle worker a batch (2), starting one where fewer than allowed run."""
        while True:
            idle = next((worker for worker in self._workers if not worker.tasks), None)
            if idle is None and len(self._workers) >= self._size:
                return
            batch = run.next_batch()
            if not batch:
                return
            if idle is not None and batch[0].suspect and idle.answered:
                self._remove(idle)  # (3)
                idle = None
            worker = idle or self._start()
            worker.tasks.extend(batch)
            try:
                send_jobs(worker.jobs, [task.job for task in batch])
            except OSError:
                self._bury(worker, run)

    def _collect(self, run: _Run) -> None:
        """Wait until at least one busy worker says something, and take it."""
        busy: dict[object, _Worker] = {one.answers: one for one in self._workers if one.tasks}
        # With nothing to wait for, `wait` would wait for ever.
        for pipe in wait([one.answers for one in busy.values()]) if busy else ():
            worker = busy[pipe]
            try:
                if worker.ready:
                    run.settle(worker.tasks[0], receive_derivative(worker.answers))
                    worker.tasks.popleft()
                    worker.answered += 1
                else:
                    worker.ready = worker.answers.recv_bytes() == READY
            except (OSError, EOFError, ValueError):
                self._bury(worker, run)

    def _bury(self, worker: _Worker, run: _Run) -> None:
        """Take a worker's end for what it is, and find its tasks a new one."""
        suspect, *others = worker.tasks
        status = self._remove(worker, grace_s=5)
        if not worker.ready:
            raise self._start_error(f"exit status {status}")
        run.again(others)
        if suspect.suspect:  # (4)
            word = "too_slow" if status == -signal.SIGXCPU else "crashed"
            run.settle(suspect, Derivative(fault=word))
        else:
            run.again([_Task(index=suspect.index, job=suspect.job, suspect=True)])

    def _remove(self, worker: _Worker, *, grace_s: float = 0) -> int:
        self._workers.remove(worker)
        return worker.end(grace_s=grace_s)

    def _start(self) -> _Worker:
        jobs_in, jobs_out = Pipe(duplex=False)
        answers_in, answers_out = Pipe(duplex=False)
        with jobs_in, answers_out:
            try:
                process = subprocess.Popen(
                    [self._python, "-I", "-c", _BOOT, json.dumps(sys.path), *self._limits],
                    stdin=jobs_in.fileno(),
                    stdout=answers_out.fileno(),
                    stderr=subprocess.DEVNULL,
                )
            except OSError as fault:
                jobs_out.close()
                answers_in.close()
                raise self._start_error(str(fault)) from fault
        worker = _Worker(process=process, jobs=jobs_out, answers=answers_in)
        self._workers.append(worker)
        return worker

    def _start_error(self, found: str) -> ProvenanceError:
        return ProvenanceError(
            "a worker for text extraction does not start",
            where=self._python,
            found=found,
            hint="Install the package again, with all that it requires.",
        )
