"""Extraction in worker processes: in order, bounded, and unharmed by what a document does."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Iterator

import pytest

from provenance.errors import ProvenanceError
from provenance.extract import Derivative
from provenance.extract.pool import ExtractJob, ExtractorPool
from tests.pdf_builder import build_pdf


def page(number: int, size: int = 0) -> ExtractJob:
    """Make a job for an HTML page that is at least `size` bytes long."""
    source = f"<title>{number}</title><p>Page {number} <a href=/{number}>link</a>"
    return ExtractJob(
        content=(source + "<!--" + "x" * size + "-->").encode("ascii"),
        media_type="text/html",
        base_url="https://h.example/",
    )


MIXED = [
    *(page(number) for number in range(70)),
    ExtractJob(content=b"", media_type="text/html"),
    ExtractJob(content=b"\x89PNG\r\n\x1a\n", media_type="image/png"),
    ExtractJob(content=build_pdf([["one"], ["two"]], title="Two"), media_type="application/pdf"),
    ExtractJob(content="大桥".encode("gb18030"), media_type="text/plain", charset="gbk"),
    ExtractJob(content=b"begin", media_type="text/html", size=2**40),
    page(71, size=2**20),
]


def test_workers_answer_in_order_what_this_process_would() -> None:
    """Text, links, pages, titles and faults come back whole, each in its place."""
    with ExtractorPool(workers=0) as pool:
        here = list(pool.map(MIXED))
        assert pool.process_ids == ()
    with ExtractorPool(workers=2) as pool:
        assert list(pool.map(MIXED)) == here
        assert list(pool.map(reversed(MIXED))) == here[::-1]
    assert [one.fault for one in here[70:]] == [
        "empty",
        "unsupported_media_type",
        None,
        None,
        "too_large",
        None,
    ]
    assert here[5].links[0].url == "https://h.example/5"
    assert here[72].pages == (0, 4)


def test_what_is_turned_away_starts_no_process() -> None:
    """An archive of images needs no worker; a few pages need one."""
    with ExtractorPool(workers=2) as pool:
        images = [ExtractJob(content=b"GIF89a", media_type="image/gif")] * 1000
        assert {one.fault for one in pool.map(images)} == {"unsupported_media_type"}
        assert pool.process_ids == ()
        list(pool.map([page(1), page(2)]))
        assert len(pool.process_ids) == 1


def test_jobs_are_read_as_they_are_needed() -> None:
    """Results of an endless row of jobs can be taken, and the pool used again after leaving it."""
    with ExtractorPool(workers=2) as pool:
        endless = pool.map(page(number) for number in itertools.count())
        assert [one.title for one in itertools.islice(endless, 300)] == [str(n) for n in range(300)]
        endless.close()  # type: ignore[attr-defined]
        assert [one.title for one in pool.map([page(7)])] == ["7"]


def test_a_worker_that_is_killed_costs_no_document() -> None:
    """When a worker vanishes, what it had is read again by another."""
    with ExtractorPool(workers=1) as pool:

        def jobs() -> Iterator[ExtractJob]:
            yield page(0, size=2**20)
            for process in pool.process_ids:
                os.kill(process, signal.SIGKILL)
            yield from (page(1), page(2))

        assert [one.title for one in pool.map(jobs())] == ["0", "1", "2"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the address space")
def test_a_document_that_ends_its_worker_is_a_fault_of_its_own() -> None:
    """A document that eats all memory is `crashed`; its neighbours are read."""
    bomb = ExtractJob(content=b"word " * 8_000_000, media_type="text/html")
    jobs = [page(0), bomb, page(1), page(2, size=2**20), page(3)]
    with ExtractorPool(workers=2, memory_bytes=200 * 2**20) as pool:
        found = list(pool.map(jobs))
    assert found[1] == Derivative(fault="crashed")
    assert [one.title for one in found if one.fault is None] == ["0", "1", "2", "3"]


def test_a_document_that_takes_too_long_is_a_fault_of_its_own() -> None:
    """A document that uses up its processor time is `too_slow`; its neighbours are read."""
    slow = ExtractJob(
        content=b"<a href=/x>y" * 5_000_000, media_type="text/html", base_url="http://h.example"
    )
    with ExtractorPool(workers=2, cpu_limit_s=0) as pool:
        found = list(pool.map([page(0), slow, page(1)]))
    assert [one.fault for one in found] == [None, "too_slow", None]


@pytest.mark.parametrize("python", ["/bin/false", "/no/such/python"])
def test_a_worker_that_cannot_start_ends_the_command(python: str) -> None:
    """No document is blamed for a broken installation."""
    with ExtractorPool(python=python) as pool, pytest.raises(ProvenanceError, match="start"):
        list(pool.map([page(0)]))


def test_no_process_is_left_behind() -> None:
    """Leaving the context ends the workers."""
    with ExtractorPool() as pool:
        list(pool.map([page(0)]))
        (process,) = pool.process_ids
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
