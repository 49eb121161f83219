"""Ending a run early: by a signal, by its own time, by whoever reads the outcomes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.roots import SETTINGS, fetched, findings, notes, root_of
from tests.wire import playing

ROBOTS = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
STALL = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nstall"


def play(head: bytes) -> bytes:
    if head.startswith(b"GET /robots.txt"):
        return ROBOTS
    return STALL if b"/stall" in head else OK


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_a_signal_ends_the_run_with_130_and_the_next_fetch_goes_on(
    tmp_path: Path, number: signal.Signals
) -> None:
    """What was reported is kept and skipped; what was cut is fetched by the next run."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/a", f"{wire.url}/stall", f"{wire.url}/b")
        call = [sys.executable, "-c", "from provenance.cli import main; main()"]
        call += ["-C", str(archive.root), "fetch", "--json", "--allow-private", "--delay", "0"]
        with subprocess.Popen(
            call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout is not None
            assert json.loads(running.stdout.readline())["outcome"] == "captured"
            running.send_signal(number)
            rest, said = running.communicate(timeout=10)
        assert running.returncode == 130, said
        assert "stopping" in said
        summary = json.loads(rest.splitlines()[-1])
        assert (summary["type"], summary["outcomes"]) == ("summary", {"captured": 1})
        assert not list(archive.archive.glob("*.open"))
        again = {str(each.document): each for each in fetched(archive, timeout_s=2)}
    assert (again["doc-0"].outcome, again["doc-0"].reason) == ("skipped", "already_done")
    assert (again["doc-1"].outcome, again["doc-2"].outcome) == ("truncated", "captured")
    assert findings(archive) == []


def test_a_run_whose_time_is_up_reports_every_document_and_is_completed_by_the_next(
    tmp_path: Path,
) -> None:
    """What was not reached is skipped with the reason run_time, and nothing of it is recorded."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/a", f"{wire.url}/stall", f"{wire.url}/b")
        first = fetched(archive, max_run_time_s=2.0)
        told = Counter((each.outcome.value, each.reason) for each in first)
        assert told == {("captured", None): 1, ("skipped", "run_time"): 2}
        second = fetched(archive, timeout_s=2)
    assert (second[0].document, second[0].reason) == ("doc-0", "already_done")
    assert Counter(each.outcome.value for each in second) == {
        "skipped": 1,
        "captured": 1,
        "truncated": 1,
    }
    assert findings(archive) == []


def test_stop_from_another_thread_ends_the_outcomes(tmp_path: Path) -> None:
    """The library's own stop: no record is left half-written, and the run is not complete."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/a", f"{wire.url}/stall")
        fetching = archive.fetch((), SETTINGS)
        found = [next(fetching.outcomes)]
        threading.Thread(target=fetching.stop).start()
        found += fetching.outcomes
    assert [each.document for each in found] == ["doc-0"]
    assert not fetching.complete()
    assert findings(archive) == []


def test_progress_counts_documents_bytes_and_hosts(tmp_path: Path) -> None:
    """At the end every document is done and no host is left."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/a", f"{wire.url}/b")
        fetching = archive.fetch((), SETTINGS)
        assert fetching.progress().documents == 2
        assert fetching.progress().done == 0
        list(fetching.outcomes)
    ended = fetching.progress()
    assert (ended.done, ended.hosts_left, ended.hosts_waiting) == (2, 0, 0)
    assert ended.received >= 2 * len(OK)


def test_a_busy_host_is_asked_more_slowly_and_not_before_it_said(tmp_path: Path) -> None:
    """Retry-After shuts the host for the documents after it too."""
    answers = iter([b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", OK, OK])

    def busy(head: bytes) -> bytes:
        return ROBOTS if head.startswith(b"GET /robots.txt") else next(answers)

    with playing(busy, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/a", f"{wire.url}/b")
        outcomes = fetched(archive)
    assert [each.outcome for each in outcomes] == ["error_status", "captured"]
    dates = [str(note["captured_at"]) for note in notes(archive) if note["profile"]
             == "provenance-capture-1" and note["kind"] == "document"]  # fmt: skip
    first, second = (float(date[17:26]) for date in dates)
    assert (second - first) % 60 >= 1.0


def test_a_run_that_is_still_at_work_is_not_completed_by_another(tmp_path: Path) -> None:
    """Its sealed files lack an end, but it is alive: the second run captures for itself."""

    def large(head: bytes) -> bytes:
        if head.startswith(b"GET /robots.txt"):
            return ROBOTS
        body = random.Random(head.split()[1]).randbytes(1 << 16)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    with playing(large, closes=False) as wire:
        archive = root_of(tmp_path, *(f"{wire.url}/{number}" for number in range(3)))
        first = archive.fetch((), SETTINGS, roll_size=1 << 16).outcomes
        found = [next(first), next(first)]
        assert list(archive.archive.glob("*.warc.gz"))
        second = fetched(archive)
        found += first
    assert {each.outcome for each in found} == {"captured"}
    assert "skipped" not in {each.outcome for each in second}
    assert findings(archive) == []
