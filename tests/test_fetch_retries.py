"""Transient faults are tried again, each attempt is recorded, and the last one decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fetch_rig import (
    NOWHERE,
    SETTINGS,
    Clock,
    Fetched,
    Play,
    fetched,
    findings,
    in_turn,
    leading_to,
    reply,
    rooted,
    run,
    runtime,
    web,
)
from tests.wire import Wire

PAGE = reply(b"<p>The notice.</p>")
BUSY = reply(b"<p>Busy</p>", status="503 Service Unavailable")
FRESH = "a connection that robots.txt was not asked on"


def tried(
    root: Path, answer: Play, *, retries: int = 2, clock: Clock | None = None, **more: Any
) -> tuple[Fetched, int]:
    """Fetch one document; return the run and how often it was asked for."""
    settings = replace(SETTINGS, retries=retries, **more)
    with web({"a.example/doc": answer}) as wire:
        done = fetched(
            root, wire, "http://a.example/doc", clock=clock or Clock(), settings=settings
        )
        return done, asked(wire, b"/doc")


def asked(wire: Wire, path: bytes) -> int:
    return sum(head.split()[1] == path for head in wire.requests)


def pauses(clock: Clock) -> float:
    return sum(clock.slept)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_transient_status_is_tried_again(tmp_path: Path, status: int) -> None:
    """The second answer is the document; the first is kept as an attempt, whole."""
    first = reply(b"<p>Come back</p>", status=f"{status} x")
    done, times = tried(tmp_path / "root", in_turn(first, PAGE))
    assert times == 2
    assert done.outcome.outcome == "captured"
    (attempt,) = done.notes("attempt")
    assert (attempt["attempt"], attempt["status"], attempt["outcome"]) == (1, status, None)
    assert done.note["attempt"] == 2
    (given_up,) = done.note["attempts"]
    assert (given_up["attempt"], given_up["status"]) == (1, status)
    assert first in [record.block for record in done.of_type("response")]
    assert findings(done.archive) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 500, 501, 505])
def test_any_other_error_status_is_the_answer(tmp_path: Path, status: int) -> None:
    """It is asked for once, kept, and no version."""
    done, times = tried(tmp_path / "root", reply(b"<p>No</p>", status=f"{status} x"))
    assert times == 1
    assert (done.outcome.outcome, done.outcome.reason) == ("error_status", f"http_{status}")
    assert done.notes("attempt") == []
    assert done.note["attempts"] == []


@pytest.mark.parametrize("retries", [0, 1, 2, 5])
def test_there_are_as_many_attempts_as_retries_and_one(tmp_path: Path, retries: int) -> None:
    """All but the last are attempts; the last is the document's outcome."""
    done, times = tried(tmp_path / "root", BUSY, retries=retries)
    assert times == retries + 1
    assert (done.outcome.outcome, done.outcome.reason) == ("error_status", "http_503")
    assert len(done.notes("attempt")) == retries
    assert [each["attempt"] for each in done.note["attempts"]] == list(range(1, retries + 1))
    assert done.note["attempt"] == retries + 1
    assert len({record.fields["WARC-Record-ID"] for record in done.records}) == len(done.records)
    assert findings(done.archive) == []


def test_what_came_of_an_attempt_may_be_anything(tmp_path: Path) -> None:
    """A disconnect, a busy server, then a 404: the note lists the first two, the third counts."""
    answers = in_turn(None, BUSY, NOWHERE)
    done, times = tried(tmp_path / "root", answers, ignore_robots=FRESH)
    assert times == 3
    assert (done.outcome.outcome, done.outcome.reason) == ("error_status", "http_404")
    assert [(each["reason"], each["status"]) for each in done.note["attempts"]] == [
        ("disconnect", None),
        (None, 503),
    ]


# How long is waited


@pytest.mark.parametrize(
    ("value", "waited"),
    [
        ("30", 30.0),
        ("0", 1.0),
        ("007", 7.0),
        ("Tue, 24 Nov 2026 12:00:45 GMT", 45.0),
        ("Tuesday, 24-Nov-26 12:00:45 GMT", 45.0),
        ("Tue Nov 24 12:00:45 2026", 45.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 1.0),
        ("-5", 1.0),
        ("1.5", 1.0),
        ("soon", 1.0),
        ("", 1.0),
        ("120", 120.0),
    ],
)
@pytest.mark.parametrize("status", ["429 x", "503 x"])
def test_retry_after_is_obeyed_up_to_two_minutes(
    tmp_path: Path, status: str, value: str, waited: float
) -> None:
    """Seconds or any of HTTP's three date forms; what is neither, or past, is an ordinary pause."""
    clock = Clock()
    first = reply(b"", f"Retry-After: {value}", status=status)
    done, times = tried(tmp_path / "root", in_turn(first, PAGE), clock=clock)
    assert (times, str(done.outcome.outcome)) == (2, "captured")
    assert pauses(clock) == pytest.approx(waited)


@pytest.mark.parametrize(
    "value", ["121", "86400", "9" * 20, "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"]
)
def test_a_host_that_asks_for_more_is_not_asked_again(tmp_path: Path, value: str) -> None:
    """Asking before the time it named would be no kindness: its answer is the outcome."""
    first = reply(b"", f"Retry-After: {value}", status="503 x")
    done, times = tried(tmp_path / "root", in_turn(first, PAGE))
    assert (times, done.outcome.outcome) == (1, "error_status")


def test_pauses_double_and_carry_jitter(tmp_path: Path) -> None:
    """The nth pause is 2^(n-1) seconds times 0.5 to 1.5, so that clients do not march in step."""
    for jitter, waited in ((0.0, 0.5 + 1 + 2), (0.5, 1 + 2 + 4), (0.999, 1.499 * 7)):
        clock = Clock()
        with web({"a.example/doc": reply(b"", status="502 Bad Gateway")}) as wire:
            made = runtime(wire, clock, jitter=lambda jitter=jitter: jitter)
            root = rooted(tmp_path / f"root-{jitter}", "http://a.example/doc")
            run(root, made, replace(SETTINGS, retries=3))
        assert pauses(clock) == pytest.approx(waited)


def test_no_attempt_is_begun_after_the_documents_time(tmp_path: Path) -> None:
    """A Retry-After past `max_time_s` is not waited for; the answer at hand is the outcome."""
    clock = Clock()
    first = reply(b"<p>Busy</p>", "Retry-After: 100", status="503 x")
    done, times = tried(tmp_path / "root", in_turn(first, PAGE), clock=clock, max_time_s=60.0)
    assert times == 1
    assert (done.outcome.outcome, done.outcome.reason) == ("error_status", "http_503")
    assert pauses(clock) == 0


def test_waiting_for_ones_turn_is_not_the_documents_time(tmp_path: Path) -> None:
    """What is not asked for because its host is shut is no time-out of the server's."""
    clock = Clock()
    busy = reply(b"", "Retry-After: 100", status="503 x")
    pages: dict[str, Play] = {"a.example/busy": busy, "a.example/doc": leading_to("/next")}
    with web(pages | {"a.example/next": PAGE}) as wire:
        urls = ("http://a.example/busy", "http://a.example/doc")
        settings = replace(SETTINGS, max_time_s=60.0)
        done = fetched(tmp_path / "root", wire, *urls, clock=clock, settings=settings)
    said = [(str(each.outcome), each.reason) for each in done.outcomes]
    assert said == [("error_status", "http_503"), ("captured", None)]
    assert pauses(clock) >= 100


def test_a_slow_host_holds_no_other_host_up(tmp_path: Path) -> None:
    """While one host's pause lasts, documents of others are fetched in the same run."""
    busy = reply(b"", "Retry-After: 30", status="503 x")
    pages: dict[str, Play] = {"a.example/doc": in_turn(busy, PAGE), "b.example/doc": PAGE}
    with web(pages) as wire:
        done = fetched(
            tmp_path / "root",
            wire,
            "http://a.example/doc",
            "http://b.example/doc",
            clock=Clock(),
            settings=replace(SETTINGS, retries=1),
        )
    assert sorted(str(each.outcome) for each in done.outcomes) == ["captured", "captured"]


# Faults of the wire


def test_a_disconnect_is_tried_again(tmp_path: Path) -> None:
    """The attempt that failed is in the note, with its reason and no status."""
    answers = in_turn(None, None, PAGE)
    done, times = tried(tmp_path / "root", answers, retries=2, ignore_robots=FRESH)
    assert (times, str(done.outcome.outcome)) == (3, "captured")
    attempts = done.note["attempts"]
    assert [(each["attempt"], each["reason"], each["status"]) for each in attempts] == [
        (1, "disconnect", None),
        (2, "disconnect", None),
    ]
    assert all(each["detail"] and each["started_at"] for each in attempts)
    assert findings(done.archive) == []


def test_a_kept_connection_that_was_closed_is_no_attempt(tmp_path: Path) -> None:
    """The request is sent again on a new connection at once, and the note says so."""
    clock = Clock()
    done, times = tried(tmp_path / "root", in_turn(None, PAGE), retries=0, clock=clock)
    assert (times, str(done.outcome.outcome)) == (2, "captured")
    assert (done.note["reconnected"], done.note["attempts"]) == (True, [])
    assert pauses(clock) == 0


def test_a_disconnect_to_the_end_is_the_outcome(tmp_path: Path) -> None:
    """`failed`, with the reason, and every attempt noted in the record that stands alone."""
    done, _ = tried(tmp_path / "root", None, retries=2)
    assert (done.outcome.outcome, done.outcome.reason) == ("failed", "disconnect")
    assert done.outcome.status is None
    assert len(done.note["attempts"]) == 2
    assert done.outcome.capture_id is not None
    assert findings(done.archive) == []


def test_a_time_out_is_tried_again(tmp_path: Path) -> None:
    """A server that says nothing, then answers."""
    done, times = tried(tmp_path / "root", in_turn(b"", PAGE), retries=1, timeout_s=1.5)
    assert (times, str(done.outcome.outcome)) == (2, "captured")
    assert [each["reason"] for each in done.note["attempts"]] == ["timeout"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "bad_response"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "bad_response"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 40, "bad_response"),
    ],
)
def test_what_will_not_be_otherwise_is_not_tried_again(
    tmp_path: Path, answer: bytes, reason: str
) -> None:
    """What is no HTTP now is none in a second."""
    done, times = tried(tmp_path / "root", answer, retries=3)
    assert times == 1
    assert (done.outcome.outcome, done.outcome.reason) == ("failed", reason)
    assert done.note["attempts"] == []


@pytest.mark.parametrize("fault", ["dns", "private_address"])
def test_a_name_that_leads_nowhere_is_not_tried_again(tmp_path: Path, fault: str) -> None:
    """No address, or one that is not to be spoken to: one attempt."""
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> Any:
        looked_up.append(host)
        raise OSError("no such name")

    with web({}) as wire:
        made = runtime(wire, Clock())
        if fault == "dns":
            made = replace(made, resolve=resolve)
        settings = replace(SETTINGS, retries=3, allow_private=False, ignore_robots="a test")
        done = run(rooted(tmp_path / "root", "http://a.example/doc"), made, settings)
        assert wire.connections == 0
    assert (done.outcome.outcome, done.outcome.reason) == ("failed", fault)
    assert done.note["attempts"] == []
    assert len(looked_up) == (fault == "dns")


def test_a_body_cut_short_is_kept_and_not_tried_again(tmp_path: Path) -> None:
    """What arrived is a version, marked `truncated`."""
    cut = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n<p>cut"

    done, times = tried(tmp_path / "root", cut, retries=1, timeout_s=1.5)
    assert times == 1
    assert (done.outcome.outcome, done.outcome.truncated) == ("truncated", "time")


def test_a_wall_is_not_tried_again(tmp_path: Path) -> None:
    """A challenge with status 429 or 503 would be the same again."""
    wall = reply(b"", "cf-mitigated: challenge", "Retry-After: 5", status="429 x")
    done, times = tried(tmp_path / "root", wall, retries=3)
    assert (times, str(done.outcome.outcome)) == (1, "challenge")


def test_each_hop_has_attempts_of_its_own(tmp_path: Path) -> None:
    """A busy hop is tried again, and what it leads to again from the first attempt."""
    pages: dict[str, Play] = {
        "a.example/doc": in_turn(BUSY, leading_to("/next")),
        "a.example/next": in_turn(BUSY, BUSY, PAGE),
    }
    with web(pages) as wire:
        settings = replace(SETTINGS, retries=2)
        done = fetched(
            tmp_path / "root", wire, "http://a.example/doc", clock=Clock(), settings=settings
        )
        assert (asked(wire, b"/doc"), asked(wire, b"/next")) == (2, 3)
    assert done.outcome.outcome == "captured"
    assert [(note["target_uri"], note["attempt"]) for note in done.notes("attempt")] == [
        ("http://a.example/doc", 1),
        ("http://a.example/next", 1),
        ("http://a.example/next", 2),
    ]
    assert [each["url"] for each in done.note["attempts"]] == [
        "http://a.example/doc",
        "http://a.example/next",
        "http://a.example/next",
    ]
    assert findings(done.archive) == []


def test_an_attempt_is_no_version_and_no_revisit(tmp_path: Path) -> None:
    """The index knows one capture of the document, the one that counts."""
    done, _ = tried(tmp_path / "root", in_turn(BUSY, BUSY, PAGE))
    done.archive.index()
    captures = done.archive.captures_of("doc-0")
    assert [str(each.outcome) for each in captures] == ["captured"]
    assert done.of_type("revisit") == []


def test_the_delay_between_requests_counts_for_attempts_too(tmp_path: Path) -> None:
    """Retry or not, a host is asked no more often than the delay says."""
    clock = Clock()
    tried(tmp_path / "root", in_turn(BUSY, PAGE), clock=clock, retries=1, delay_s=10.0)
    assert pauses(clock) >= 20  # robots.txt, attempt, attempt: two gaps


def test_the_delay_is_one_hosts_however_it_is_spelled(tmp_path: Path) -> None:
    """Naming the default port opens no second way to the same host."""
    clock = Clock()
    with web({"a.example/1": PAGE, "a.example/2": PAGE}) as wire:
        fetched(
            tmp_path / "root",
            wire,
            "http://a.example/1",
            "http://a.example:80/2",
            clock=clock,
            settings=replace(SETTINGS, delay_s=10.0, jobs=1),
        )
    assert pauses(clock) == pytest.approx(20)  # robots.txt, document, document


def test_the_delay_is_each_hosts_own(tmp_path: Path) -> None:
    """Two documents of two hosts wait for nobody but their own robots.txt."""
    clock = Clock()
    with web({"a.example/doc": PAGE, "b.example/doc": PAGE}) as wire:
        fetched(
            tmp_path / "root",
            wire,
            "http://a.example/doc",
            "http://b.example/doc",
            clock=clock,
            settings=replace(SETTINGS, delay_s=10.0, jobs=1),
        )
    assert pauses(clock) == pytest.approx(20)
