"""Work is divided among processes, and comes back whole and in order whatever they do."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from itertools import islice

import pytest

from provenance.parallel import apart, map_in_order, processors


def ours(_: int) -> int:
    return os.getpid()


def test_results_come_in_the_order_of_the_items_from_other_processes() -> None:
    """However long each takes."""
    found = list(map_in_order(lambda item: (item * item, os.getpid()), range(50), jobs=3))
    assert [square for square, _ in found] == [item * item for item in range(50)]
    assert os.getpid() not in {pid for _, pid in found}
    assert len({pid for _, pid in found}) <= 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_another_order_where_one_is_given(jobs: int) -> None:
    """Also where it wants the last item first."""
    order = [*range(99, 49, -1), *range(1, 50), 0]
    results = map_in_order(lambda item: item * item, range(100), jobs=jobs, order=order)
    assert list(results) == [item * item for item in order]


@pytest.mark.parametrize(("items", "jobs"), [(range(0), 4), (range(1), 4), (range(5), 1)])
def test_little_work_is_done_here(items: range, jobs: int) -> None:
    """One item, or one process, is no reason to start others."""
    assert set(map_in_order(ours, items, jobs=jobs)) <= {os.getpid()}


def test_beside_another_thread_the_work_is_done_here() -> None:
    """A fork would copy the locks that the other thread holds, and nobody to open them."""
    enough = threading.Event()
    thread = threading.Thread(target=enough.wait)
    thread.start()
    try:
        assert set(map_in_order(ours, range(4), jobs=2)) == {os.getpid()}
    finally:
        enough.set()
        thread.join()


def test_what_a_process_that_ends_had_to_do_is_done_here() -> None:
    """Not a result is lost when the system kills a process."""
    home = os.getpid()

    def work(item: int) -> int:
        if item % 7 == 3 and os.getpid() != home:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert list(map_in_order(work, range(40), jobs=2)) == list(range(40))


def test_a_fault_is_raised_where_its_result_would_stand() -> None:
    """The results before it are yielded."""

    def work(item: int) -> int:
        if item == 3:
            raise ValueError("three")
        return item

    results = map_in_order(work, range(6), jobs=2)
    assert list(islice(results, 3)) == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_leaving_early_ends_every_process() -> None:
    """No process outlives the iteration."""

    def pids(results: Iterator[int]) -> set[int]:
        return set(islice(results, 2))

    results = map_in_order(ours, range(1000), jobs=2)
    seen = pids(results)
    del results
    for pid in seen:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_results_do_not_run_far_ahead() -> None:
    """A slow reader holds the workers back: what waits is bounded."""
    results = map_in_order(lambda item: item, range(10_000), jobs=2)
    assert next(results) == 0
    del results


def test_there_is_a_processor() -> None:
    """Of those that this process may use."""
    assert 1 <= processors() <= (os.cpu_count() or 1)


def test_work_done_apart_comes_back_from_a_process_of_its_own() -> None:
    """Its result does, and what it raises is raised here."""
    home = os.getpid()
    assert apart(os.getpid) != home
    with pytest.raises(ZeroDivisionError):
        apart(lambda: 1 // 0)


def test_work_apart_is_done_here_beside_another_thread_and_where_its_process_ends() -> None:
    """Nothing is lost."""
    home = os.getpid()

    def work() -> int:
        if os.getpid() != home:
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()

    assert apart(work) == home
    enough = threading.Event()
    thread = threading.Thread(target=enough.wait)
    thread.start()
    try:
        assert apart(os.getpid) == home
    finally:
        enough.set()
        thread.join()
