"""Run the real command line in a process of its own, and make small archive roots for it.

Most calls go to a helper process that has the program's modules loaded and forks for each call: a
real process with its own arguments, directory, streams and status, without the time of loading.
What depends on how Python itself starts (its locale, closed streams, signals) is given an
environment or run by `PROGRAM` and loads everything.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from provenance.archive import Archive

PROGRAM = (sys.executable, "-m", "provenance")
LIMIT_S = 120

SEEDS = """[collection]
id = "harbour"
title = "The harbour"
about = "Two documents on a harbour bridge."

[[document]]
id = "letter"
title = "A letter"
title_original = "大桥来信"
role = "source"
publisher = "The pilots"
publisher_kind = "private"

[[document]]
id = "minutes"
title = "Minutes of a meeting"
role = "official"
publisher = "The council"
publisher_kind = "government"
"""

LETTER = "关于港口大桥的信。\nThe bridge is open.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run of the program ended: its status, and what it wrote."""

    status: int
    out: str
    err: str


def run(
    *arguments: str | bytes | Path, cwd: Path, environ: Mapping[str, str] | None = None
) -> Ended:
    """Run the program to its end; no ending shows a traceback or a defect."""
    words = [os.fsdecode(word) for word in arguments]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        if environ is None:
            status = _fork_and_wait(words, cwd, out, err)
        else:
            status = subprocess.run(
                [*PROGRAM, *words],
                cwd=cwd,
                env={**os.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                check=False,
                timeout=LIMIT_S,
            ).returncode
        ended = Ended(status=status, out=_text(out), err=_text(err))
    assert_plain(ended.out, ended.err)
    return ended


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return text_of(file.read())


def text_of(raw: bytes) -> str:
    """Return what was written; bytes that are no UTF-8 are escaped."""
    return raw.decode("utf-8", "backslashreplace")


def assert_plain(*texts: str) -> None:
    """No text shows a traceback, a defect of the program, or anything a terminal would obey."""
    for text in texts:
        assert "Traceback" not in text, text
        assert "defect of the program" not in text, text
        assert not set(text) & {"\x1b", "\x9b", "\x07", "\x00", "\u202e", "\r"}, text


def small_root(root: Path) -> Archive:
    """Make a root with two documents, one of which has a capture, and an index."""
    archive = Archive.init(root)
    (root / "seeds" / "example.toml").unlink()
    (root / "seeds" / "harbour.toml").write_text(SEEDS, "utf-8")
    letter = root.parent / "letter.txt"
    letter.write_text(LETTER, "utf-8")
    list(archive.add([letter], document="letter"))
    archive.index()
    return archive


def files_of(root: Path) -> dict[str, bytes]:
    """Return every file of `archive/`, by its name."""
    return {path.name: path.read_bytes() for path in (root / "archive").iterdir() if path.is_file()}


# The helper: one side in the tests, one side in its own process


@cache
def _helper() -> socket.socket:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli_program", str(theirs.fileno())],
        cwd=Path(__file__).parents[1],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait(timeout=LIMIT_S)

    atexit.register(end)
    ours.settimeout(LIMIT_S)
    return ours


def _fork_and_wait(words: Sequence[str], cwd: Path, out: IO[bytes], err: IO[bytes]) -> int:
    helper = _helper()
    call = json.dumps({"words": words, "cwd": os.fspath(cwd)}).encode() + b"\n"
    socket.send_fds(helper, [b"!"], [out.fileno(), err.fileno()])
    helper.sendall(call)
    answer = b""
    while not answer.endswith(b"\n"):
        piece = helper.recv(64)
        assert piece, "the helper process has ended"
        answer += piece
    return int(answer)


def _serve(line: socket.socket) -> None:
    """Fork for each call that comes, until the other side closes."""
    while True:
        mark, streams, _, _ = socket.recv_fds(line, 1, 2)
        if not mark:
            return
        raw = b""
        while not raw.endswith(b"\n"):
            raw += line.recv(65_536)
        call = json.loads(raw)
        child = os.fork()
        if child == 0:
            os._exit(_be_the_program(call["words"], call["cwd"], streams))
        for stream in streams:
            os.close(stream)
        line.sendall(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _be_the_program(words: list[str], cwd: str, streams: list[int]) -> int:
    from provenance.cli import main

    for number, stream in enumerate(streams, start=1):
        os.dup2(stream, number)
    os.chdir(cwd)
    sys.argv = ["provenance", *words]
    try:
        main()
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 1
    return 0


def _load() -> None:
    import importlib

    from provenance.cli.group import COMMANDS

    for name in COMMANDS:
        importlib.import_module(f"provenance.cli.{name}_command")


if __name__ == "__main__":
    _load()
    with contextlib.suppress(KeyboardInterrupt), socket.socket(fileno=int(sys.argv[1])) as other:
        _serve(other)
