"""A witness as a program of its own on loopback: what it answers, keeps, and survives.

Source: C2SP tlog-witness, add-checkpoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import queue
import shutil
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from provenance.archive import Archive
from provenance.errors import LogFormatError, UsageError
from provenance.listening import AppServer
from provenance.log.checkpoint import CosigningKey, cosignatures_of
from provenance.log.keyfile import write_key_file
from provenance.log.note import SigningKey, parse_note
from provenance.log.submission import MAX_SUBMISSION_BYTES, SIZE_TYPE, parse_answer
from provenance.runtime import system_runtime
from provenance.witness.folder import MAX_CONFLICTS, WitnessFolder
from provenance.witness.service import Service, application
from tests.cli_program import run
from tests.witness_rig import (
    LIMIT_S,
    LOG,
    WITNESS,
    Answered,
    Desk,
    Log,
    Program,
    desk,
    log_of,
    running,
)

NINE = log_of(9)
FORKED = log_of(9, forked_at=3)


@pytest.fixture
def witness(tmp_path: Path) -> Desk:
    return desk(tmp_path)


@pytest.fixture
def program(witness: Desk) -> Iterator[Program]:
    with witness.serving() as made:
        yield made


def time_in(answer: Answered, log: Log, size: int) -> int:
    """Check a cosignature on a log's tree of this size, and return its time."""
    assert answer.status == 200, answer
    text = parse_note(log.signed(size)).text
    (said,) = cosignatures_of(parse_answer(answer.body, text), [WITNESS.verifier])
    return said.time_s


# Over HTTP


def test_a_growing_log_is_cosigned_at_the_time_of_asking(witness: Desk, program: Program) -> None:
    """From nothing, in steps, and again without a step."""
    before = int(time.time())
    for old, new in ((0, 1), (1, 4), (4, 4), (4, 9)):
        made = time_in(program.send(NINE.request(old, new)), NINE, new)
        assert before <= made <= int(time.time())
        assert witness.seen() == new
    assert program.send(NINE.request(9, 9)).media_type == "text/plain; charset=utf-8"


def test_each_refusal_over_http(witness: Desk, program: Program) -> None:
    """Status, media type and words; what the witness knows stays as it was."""
    time_in(program.send(NINE.request(0, 5)), NINE, 5)
    stranger = replace(NINE, key=SigningKey(name=LOG.name, seed=bytes(32)))
    unknown = replace(
        NINE, origin="else.example", key=SigningKey(name="else.example", seed=bytes(32))
    )
    for raw, status, words in (
        (NINE.request(8, 7), 400, b"the old size is larger"),
        (b"old 5", 400, b"not a request"),
        (stranger.request(5, 7), 403, b"is not signed as it should be"),
        (unknown.request(5, 7), 404, b"does not know the log"),
        (FORKED.request(5, 7), 422, b"does not show that the log goes on"),
        (NINE.request(5, 7, path=NINE.path(4, 7)), 422, b"does not show"),
    ):
        answer = program.send(raw)
        assert (answer.status, answer.media_type) == (status, "text/plain; charset=utf-8"), answer
        assert words in answer.body
        assert "\N{EM DASH} ".encode() not in answer.body
    for raw in (NINE.request(4, 7), NINE.request(0, 7), NINE.request(3, 4), FORKED.request(5, 5)):
        answer = program.send(raw)
        assert (answer.status, answer.media_type, answer.body) == (409, SIZE_TYPE, b"5\n")
    assert witness.seen() == 5
    time_in(program.send(NINE.request(5, 9)), NINE, 9)


def test_a_fork_that_the_log_signed_is_kept_as_evidence(witness: Desk, program: Program) -> None:
    """Each once, as the log signed it, up to a limit; whoever runs the witness is told."""
    time_in(program.send(NINE.request(0, 5)), NINE, 5)
    for _ in range(2):
        assert program.send(FORKED.request(5, 7)).status == 422
        assert program.send(FORKED.request(5, 5)).status == 409
    (kept,) = witness.folder.glob("conflicts/*/*/sent")
    assert kept.read_bytes() == FORKED.signed(5)
    (unproved,) = witness.folder.glob("unproved/*/*/sent")
    assert unproved.read_bytes() == FORKED.signed(7)
    for size in range(6, 10):  # honest ones with a wrong proof crowd out no evidence
        assert program.send(NINE.request(5, size, path=NINE.path(4, 5))).status == 422
    for each in witness.folder.glob("conflicts/*/*/cosigned"):
        assert each.read_bytes() == NINE.signed(5)
    for number in range(MAX_CONFLICTS + 2):
        other = Log(texts=(*NINE.texts[:4], f"other {number}"))
        assert program.send(other.request(5, 5)).status == 409
    assert len(list(witness.folder.glob("conflicts/*/*/sent"))) == MAX_CONFLICTS
    assert len(list(witness.folder.glob("conflicts/*/*/cosigned"))) == MAX_CONFLICTS
    program.process.send_signal(signal.SIGINT)
    program.process.wait(timeout=LIMIT_S)
    assert any("cosigned another tree of this size" in line for line in program.said)


def test_other_paths_and_methods_are_turned_away(program: Program) -> None:
    """There is one call, by POST."""
    assert program.send(b"", path="/").status == 404
    assert program.send(b"", path="/add-checkpoint/").status == 404
    assert program.send(b"", method="GET").status == 405
    assert program.send(NINE.request(0, 4), method="PUT").status == 405


def test_a_body_that_is_too_large_is_not_read(witness: Desk, program: Program) -> None:
    """One byte more than is read, and far more in pieces of unknown number."""
    assert program.send(bytes(MAX_SUBMISSION_BYTES)).status == 400
    assert program.send(bytes(MAX_SUBMISSION_BYTES + 1)).status == 413
    with contextlib.suppress(ConnectionError), raw_line(program) as line:
        line.sendall(
            b"POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(64):
            line.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        assert line.recv(65_536).startswith(b"HTTP/1.1 413 ")
    time_in(program.send(NINE.request(0, 9)), NINE, 9)


@contextlib.contextmanager
def raw_line(program: Program) -> Iterator[socket.socket]:
    place = urlsplit(program.url)
    with socket.create_connection((place.hostname, place.port or 0), timeout=LIMIT_S) as line:
        yield line


def test_a_connection_serves_several_requests(program: Program) -> None:
    """Keep-alive, as the specification asks of witnesses."""
    line = http.client.HTTPConnection(urlsplit(program.url).netloc, timeout=LIMIT_S)
    with contextlib.closing(line):
        line.connect()
        socket_then = line.sock
        for old, new in ((0, 3), (3, 9)):
            line.request("POST", "/add-checkpoint", NINE.request(old, new))
            answer = line.getresponse()
            assert (answer.status, answer.read()[:4]) == (200, "\N{EM DASH} ".encode())
            assert line.sock is socket_then


def test_a_request_that_never_ends_is_left(witness: Desk) -> None:
    """Whoever sends half a body and then nothing is told, and holds nothing up."""
    service = Service(WitnessFolder(witness.folder), WITNESS, system_runtime())
    app = application(service, lambda _: None, body_s=0.01)
    sent: list[MutableMapping[str, Any]] = []

    async def ask() -> None:
        waiting = iter([{"type": "http.request", "body": b"old 0\n", "more_body": True}])
        never = asyncio.Event()

        async def receive() -> MutableMapping[str, Any]:
            for message in waiting:
                return message
            await never.wait()
            raise AssertionError

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/add-checkpoint"}
        await app(scope, receive, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 408


def test_a_connection_on_which_nothing_comes_is_closed(witness: Desk) -> None:
    """Before a request's head has ended, and before it has begun."""
    service = Service(WitnessFolder(witness.folder), WITNESS, system_runtime())
    urls: queue.SimpleQueue[str] = queue.SimpleQueue()
    server = AppServer(
        application(service, lambda _: None),
        host="127.0.0.1",
        port=0,
        announce=urls.put,
        what="the witness",
        lifespan=False,
        connection_s=0.05,
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        place = urlsplit(urls.get(timeout=LIMIT_S))
        for raw in (b"", b"POST /add-checkpoint HTTP/1.1\r\nHost: "):
            with socket.create_connection((place.hostname, place.port or 0), LIMIT_S) as line:
                line.sendall(raw)
                assert line.recv(1) == b""
    finally:
        server.stop()
        thread.join(timeout=LIMIT_S)


def test_half_a_request_cosigns_nothing(witness: Desk, program: Program) -> None:
    """Who goes away in the middle leaves nothing behind."""
    raw = NINE.request(0, 4)
    with raw_line(program) as line:
        head = f"POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: {len(raw) + 1}\r\n\r\n"
        line.sendall(head.encode() + raw)
    assert program.send(FORKED.request(5, 4)).status == 400
    assert witness.seen() == 0


# Many at once


def test_of_requests_at_once_none_takes_another_back(witness: Desk) -> None:
    """Two programs on one folder, and many logs' helpers: each size once from each old size.

    Whoever gets a cosignature from size N gets it alone, and what is known only grows.
    """
    log = log_of(40)
    with witness.serving() as one, witness.serving() as two:
        got: list[tuple[int, int]] = []

        def grow(program: Program, step: int) -> None:
            old = 0
            while old < 40:
                new = min(old + step, 40)
                answer = program.send(log.request(old, new))
                if answer.status == 200:
                    got.append((old, new))
                    old = new
                else:
                    assert (answer.status, answer.media_type) == (409, SIZE_TYPE)
                    old = int(answer.body)

        threads = [
            threading.Thread(target=grow, args=(program, step))
            for step in (1, 2, 3)
            for program in (one, two)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join(timeout=LIMIT_S)
    steps = sorted(pair for pair in got if pair[0] < pair[1])
    assert [old for old, _ in steps] == [0, *(new for _, new in steps[:-1])]
    assert steps[-1][1] == 40 == witness.seen()


def test_two_histories_at_once_get_one_cosignature(witness: Desk, program: Program) -> None:
    """A log and its fork ask from the same size at the same instant: one of them is refused."""
    time_in(program.send(NINE.request(0, 3)), NINE, 3)
    answers: list[Answered] = []
    start = threading.Barrier(8)

    def ask(log: Log) -> None:
        start.wait(timeout=LIMIT_S)
        answers.append(program.send(log.request(3, 9)))

    threads = [threading.Thread(target=ask, args=(log,)) for log in (NINE, FORKED) * 4]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=LIMIT_S)
    assert sorted(each.status for each in answers) == [200, *[409] * 7]
    assert witness.seen() == 9


# Kills and damage


DYING = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from provenance.runtime import system_runtime
from provenance.witness.serving import witness_server
def die():
    os.kill(os.getpid(), signal.SIGKILL)
server = witness_server(
    Path(sys.argv[1]), Path(sys.argv[2]), replace(system_runtime(), now=die), host="127.0.0.1",
    port=0, announce=lambda url: print("Witnessing at", url, file=sys.stderr, flush=True),
    report=print,
)
server.run()
"""
"""A witness whose clock kills it: it is asked for between writing down and signing."""


def test_a_witness_that_is_killed_before_it_answers_has_written_down(witness: Desk) -> None:
    """The size is on disk and no cosignature was given; the log goes on from there, a fork not."""
    call = (sys.executable, "-c", DYING, str(witness.folder), str(witness.key_file))
    with running(*call) as dying:
        with pytest.raises((ConnectionError, OSError)):
            dying.send(NINE.request(0, 5))
        assert dying.process.wait(timeout=LIMIT_S) == -signal.SIGKILL
    assert witness.seen() == 5
    with witness.serving() as program:
        assert program.send(FORKED.request(0, 7)).status == 409
        assert program.send(FORKED.request(5, 7)).status == 422
        assert program.send(NINE.request(0, 5)).body == b"5\n"
        time_in(program.send(NINE.request(5, 5)), NINE, 5)


def test_a_witness_that_is_killed_at_any_time_never_goes_back(witness: Desk) -> None:
    """Killed while it is asked: what was cosigned is known again, and nothing is half written."""
    log = log_of(60)
    cosigned = 0
    for answers in (0, 1, 2, 5):
        with witness.serving() as program:
            killer = threading.Thread(target=program.kill)
            last = cosigned + answers
            with contextlib.suppress(OSError, http.client.HTTPException):
                while True:
                    if cosigned >= last and killer.ident is None:
                        killer.start()
                    answer = program.send(log.request(cosigned, cosigned + 1))
                    cosigned = int(answer.body) if answer.status == 409 else cosigned + 1
            killer.join(timeout=LIMIT_S)
        assert cosigned <= witness.seen() <= cosigned + 1
        cosigned = witness.seen()
    left = [each.name for each in (witness.folder / "logs").iterdir()]
    assert {name.removesuffix(".new") for name in left} == {left[0].removesuffix(".new")}


def state_of(witness: Desk) -> Path:
    (path,) = (each for each in (witness.folder / "logs").iterdir() if not each.suffix)
    return path


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[:-1],
        lambda raw: raw.replace(b"\n5\n", b"\n4\n"),
        lambda raw: raw[: raw.index(b"\n\n") + 2] + b"none\n",
        lambda raw: raw.replace(b"origin archive", b"origin brchive"),
    ],
)
def test_a_witness_with_a_damaged_memory_cosigns_nothing(witness: Desk, damage: object) -> None:
    """While it serves it answers 500 and says so; it does not start on it."""
    assert callable(damage)
    with witness.serving() as program:
        time_in(program.send(NINE.request(0, 5)), NINE, 5)
        state_of(witness).write_bytes(damage(state_of(witness).read_bytes()))
        for raw in (NINE.request(5, 7), NINE.request(0, 7), FORKED.request(0, 9)):
            answer = program.send(raw)
            assert answer.status == 500
            assert str(witness.folder).encode() not in answer.body
    assert any("damaged" in line for line in program.said)
    ended = run("witness", "serve", witness.folder, "--key", witness.key_file, cwd=witness.folder)
    assert ended.status == 1
    assert "is damaged, so nothing is cosigned for it" in ended.err


def _pipe(folder: Path) -> str:
    os.mkfifo(folder / ("1" * 64))
    return "1" * 64


def _damaged(folder: Path) -> str:
    (folder / ("2" * 64)).write_bytes(b"x")
    return "2" * 64


def _of_another(folder: Path) -> str:
    (known,) = folder.iterdir()
    shutil.copy(known, folder / ("3" * 64))
    return "3" * 64


def _stray(folder: Path) -> str:
    (folder / ".DS_Store").write_bytes(b"\x00")
    return ".DS_Store"


def _folder(folder: Path) -> str:
    (folder / "old").mkdir()
    return "old"


@pytest.mark.parametrize("put", [_pipe, _damaged, _of_another, _stray, _folder])
def test_what_is_wrong_with_one_log_keeps_no_other_from_being_witnessed(
    witness: Desk, put: Callable[[Path], str]
) -> None:
    """The file is named, when the witness starts and when its logs are listed."""
    name = put(witness.folder / "logs")
    with witness.serving(warned=True) as program:
        time_in(program.send(NINE.request(0, 5)), NINE, 5)
    assert sum(name in line for line in program.said) == 1
    assert program.said[0].startswith("error: ")
    ended = run("witness", "list", witness.folder, cwd=witness.folder)
    assert ended.status == 1
    assert ended.out.startswith(f"5 {LOG.name} ")
    assert ended.out.count("\n") == 1
    assert name in ended.err


def test_a_log_that_is_lost_is_unknown_and_not_new(witness: Desk) -> None:
    """A file that is gone is no reason to begin again; another log's file is told."""
    with witness.serving() as program:
        time_in(program.send(NINE.request(0, 5)), NINE, 5)
        path = state_of(witness)
        path.rename(witness.folder / "aside")
        assert program.send(FORKED.request(0, 7)).status == 404
        (witness.folder / "aside").rename(path.with_name("0" * 64))
        assert program.send(FORKED.request(0, 7)).status == 404
    with pytest.raises(Exception, match="a file of another log"):
        list(WitnessFolder(witness.folder).logs())


# The command line


def test_keys_of_witnesses_are_made_and_shown(tmp_path: Path) -> None:
    """Signature type 4, for the owner alone, and never inside an archive."""
    path = tmp_path / "keys" / "w.key"
    made = run("key", "new", path, "--name", "witness.example/w1", "--witness", cwd=tmp_path)
    assert made.status == 0
    assert made.out == run("key", "show", path, cwd=tmp_path).out
    assert made.out.startswith("witness.example/w1+")
    assert made.out.split("+", 2)[2].startswith("B")  # a first byte of 4
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("PRIVATE+KEY+witness.example/w1+")
    root = Archive.init(tmp_path / "root").root
    ended = run("key", "new", root / "w.key", "--name", "a", "--witness", cwd=tmp_path)
    assert (ended.status, list(root.glob("*.key"))) == (2, [])


def test_keys_are_not_taken_for_each_other(witness: Desk, tmp_path: Path) -> None:
    """An operator's key does not cosign, a witness' does not sign, nor is it that of a log."""
    operator = tmp_path / "operator.key"
    write_key_file(operator, LOG)
    ended = run("witness", "serve", witness.folder, "--key", operator, cwd=tmp_path)
    assert ended.status == 2
    assert "key new` makes an operator's key, with --witness a witness'" in ended.err
    root = Archive.init(tmp_path / "root").root
    ended = run("log", "checkpoint", "--key", witness.key_file, cwd=root)
    assert (ended.status, "another kind" in ended.err) == (2, True)
    ended = run("witness", "add", witness.folder, WITNESS.verifier.line, cwd=tmp_path)
    assert (ended.status, "another kind" in ended.err) == (2, True)


def test_a_log_is_no_witness_for_itself(tmp_path: Path) -> None:
    """The same key under another type is the same holder."""
    own = desk(tmp_path, key=CosigningKey(name="witness.example/w1", seed=LOG.seed))
    ended = run("witness", "serve", own.folder, "--key", own.key_file, cwd=tmp_path)
    assert (ended.status, "no witness for itself" in ended.err) == (2, True)


def test_logs_are_added_and_listed(witness: Desk, tmp_path: Path) -> None:
    """Under an origin of its own, with a second key, and once more without a change."""
    other = SigningKey(name="b.example", seed=bytes([9]) * 32).verifier
    ended = run("witness", "add", witness.folder, other.line, "--origin", LOG.name, cwd=tmp_path)
    assert (ended.status, ended.err) == (0, f"{LOG.name} is known.\n")
    ended = run("witness", "add", witness.folder, LOG.verifier.line, cwd=tmp_path)
    assert (ended.status, ended.err) == (0, f"{LOG.name} is known already.\n")
    ended = run("witness", "list", witness.folder, cwd=tmp_path)
    assert ended.out == f"0 {LOG.name} {LOG.verifier.line} {other.line}\n"


def test_a_log_that_is_added_while_the_witness_serves_is_known_at_once(
    witness: Desk, program: Program
) -> None:
    """No restart; and what was cosigned for others stays."""
    key = SigningKey(name="b.example", seed=bytes([9]) * 32)
    log = replace(NINE, origin="b.example", key=key)
    assert program.send(log.request(0, 5)).status == 404
    WitnessFolder(witness.folder).add("b.example", key.verifier)
    time_in(program.send(log.request(0, 5)), log, 5)
    time_in(program.send(NINE.request(0, 4)), NINE, 4)


@pytest.mark.parametrize("line", ["", "x", "a+0+b", LOG.verifier.line[:-2], "\x1b[2J"])
def test_what_is_no_key_line_is_refused(witness: Desk, line: str) -> None:
    """With a word on what is wrong; nothing is known that was not."""
    ended = run("witness", "add", witness.folder, "--", line, cwd=witness.folder)
    assert ended.status == 2
    assert len(list(WitnessFolder(witness.folder).logs())) == 1


def test_a_folder_that_is_none_of_a_witness_is_refused(tmp_path: Path) -> None:
    """One that is empty, is not there, or lies in an archive."""
    key = tmp_path / "w.key"
    write_key_file(key, WITNESS)
    ended = run("witness", "serve", tmp_path / "nothing", "--key", key, cwd=tmp_path)
    assert (ended.status, "no folder of a witness" in ended.err) == (2, True)
    root = Archive.init(tmp_path / "root").root
    calls: list[list[str | Path]] = [["add", root / "w", LOG.verifier.line], ["list", root]]
    for words in calls:
        ended = run("witness", *words, cwd=tmp_path)
        assert (ended.status, "may not lie inside an archive" in ended.err) == (2, True)


def test_an_address_that_is_taken_is_told(witness: Desk, program: Program) -> None:
    """As for the site."""
    port = program.url.rpartition(":")[2]
    ended = run(
        "witness", "serve", witness.folder, "--key", witness.key_file, "--port", port,
        cwd=witness.folder,
    )  # fmt: skip
    assert (ended.status, "the witness cannot be served here" in ended.err) == (1, True)


@pytest.mark.parametrize("place", ["lock", "state"])
def test_a_disk_that_refuses_cosigns_nothing(witness: Desk, place: str) -> None:
    """Where the lock or the log cannot be written: 500, and the log is where it was."""
    with witness.serving() as program:
        path = state_of(witness).with_suffix(".new")
        if place == "lock":
            path = witness.folder / ".lock"
            path.unlink()
        path.mkdir()
        assert program.send(NINE.request(0, 4)).status == 500
        path.rmdir()
        assert witness.seen() == 0
        time_in(program.send(NINE.request(0, 5)), NINE, 5)


def test_what_is_known_and_refused_names_the_fault(witness: Desk) -> None:
    """Reading it by the library tells what is damaged."""
    state_of(witness).write_bytes(b"x")
    with pytest.raises(LogFormatError, match="damaged"):
        WitnessFolder(witness.folder).find(LOG.name)
    with pytest.raises(UsageError, match="no folder of a witness"):
        WitnessFolder(witness.folder / "other").find(LOG.name)


def test_ctrl_c_ends_a_witness(witness: Desk) -> None:
    """With the status of an interruption."""
    with witness.serving() as program:
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(timeout=LIMIT_S) == 130
