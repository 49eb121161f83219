"""Every way a command can end: closed streams, full disks, Ctrl-C. No traceback, state intact."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from provenance.archive import Archive
from tests.cli_program import PROGRAM, assert_plain, files_of, run, small_root, text_of
from tests.wire import playing

PATIENCE_S = 60.0

HEARING = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.argv[1], sys.argv[1:])",
)
"""Runs a command that hears Ctrl-C, as from a terminal; a job in the background does not."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one root with a capture and an index; nobody changes it."""
    return small_root(tmp_path_factory.mktemp("kept") / "root").root


def answer(head: bytes) -> bytes:
    """Play a small page to every request, and never the end of `/stall`."""
    if b" /robots.txt " in head:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    if b" /stall " in head:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nstall"
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\npage"


def collection(*urls: str) -> str:
    """Return a seeds file that asks for these addresses."""
    return '[collection]\nid = "test"\ntitle = "Test"\nabout = "Test."\n' + "".join(
        f'[[document]]\nid = "doc-{number}"\ntitle = "T"\nrole = "official"\n'
        f'publisher = "P"\npublisher_kind = "government"\nurl = "{url}"\n'
        for number, url in enumerate(urls)
    )


def fetching_root(root: Path, *urls: str) -> Archive:
    """Make a root whose seeds ask for these addresses."""
    archive = Archive.init(root)
    (root / "seeds" / "example.toml").write_text(collection(*urls))
    return archive


FETCH = ("fetch", "--json", "--allow-private", "--delay", "0", "--retries", "0")


@contextmanager
def started(
    *arguments: str | Path, cwd: Path, stdout: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the program as a terminal would: in a process group of its own that hears Ctrl-C."""
    with subprocess.Popen(
        [*HEARING, *PROGRAM, *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(process: subprocess.Popen[bytes], holds: Callable[[], object]) -> None:
    """Wait until something holds while the process lives."""
    for _ in range(int(PATIENCE_S / 0.005)):
        if holds():
            return
        try:
            process.wait(timeout=0.005)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"it ended before that: {process.returncode}")
    pytest.fail("that never came")


def interrupt(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Press Ctrl-C: the terminal signals the whole group. Return the status and stderr."""
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert_plain(text_of(err))
    return process.returncode, text_of(err)


def sound(root: Path) -> bool:
    """Return whether nothing is left open and `verify` finds nothing."""
    assert not list((root / "archive").glob("*.open"))
    return run("-C", root, "verify", cwd=root).status == 0


# Streams


@pytest.mark.parametrize(
    "command",
    [["list"], ["list", "--json"], ["show", "letter"], ["cite", "letter"], ["verify"], ["--help"]],
    ids=" ".join,
)
def test_a_reader_that_leaves_ends_the_command_silently(kept: Path, command: list[str]) -> None:
    """With nobody at the other end of the pipe there are no words, and the status is 1."""
    reading, writing = os.pipe()
    os.close(reading)
    with started("-C", kept, *command, cwd=kept, stdout=writing) as process:
        os.close(writing)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (1, b"")


def test_a_reader_that_leaves_a_fetch_costs_no_record(tmp_path: Path) -> None:
    """`fetch --json | head -1`: the run is cut short, and what it saved is whole and sealed."""
    with playing(answer, closes=False) as wire:
        archive = fetching_root(tmp_path / "root", *(f"{wire.url}/{n}" for n in range(30)))
        with started("-C", archive.root, *FETCH, cwd=tmp_path) as process:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            process.stdout.close()
            process.wait(timeout=PATIENCE_S)
    assert process.returncode in (0, 1)
    assert sound(archive.root)
    archive.index()
    assert archive.resolve(first["capture_id"]).document == first["document"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", [["list"], ["cite", "letter"], ["index", "--json"], ["--help"]])
def test_a_full_disk_under_stdout_is_one_line(
    kept: Path, tmp_path: Path, command: list[str]
) -> None:
    """What cannot be written is said once, and the status is 1."""
    root = tmp_path / "root"
    small_root(root)
    with (
        Path("/dev/full").open("wb") as full,
        started("-C", root, *command, cwd=kept, stdout=full.fileno()) as process,
    ):
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert text_of(err).splitlines()[-1].startswith("error: ")
    assert_plain(text_of(err))


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_files_of_the_archive(kept: Path, closed: str) -> None:
    """Where the shell closed streams, no file that is opened gets the number of one."""
    code = "import os; from provenance.cli.endings import ended; "
    code += "ended(lambda: os.open(os.devnull, os.O_RDONLY))"
    call = f"exec '{sys.executable}' -c '{code}' {closed}"
    done = subprocess.run(["sh", "-c", call], cwd=kept, check=False, timeout=PATIENCE_S)
    assert done.returncode >= 3


def test_words_for_closed_streams_go_nowhere(tmp_path: Path) -> None:
    """A command without any stream does its work."""
    root = small_root(tmp_path / "root").root
    call = f"exec '{sys.executable}' -m provenance -C root add letter.txt <&- >&- 2>&-"
    done = subprocess.run(["sh", "-c", call], cwd=tmp_path, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0
    assert len(files_of(root)) == 2
    assert sound(root)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_fetch_needs_no_stream(tmp_path: Path, closed: str) -> None:
    """Whether there is a terminal to show progress on is asked of streams that may be closed."""
    with playing(answer, closes=False) as wire:
        root = fetching_root(tmp_path / "root", f"{wire.url}/a").root
        call = f"exec '{sys.executable}' -m provenance -C root fetch --allow-private {closed}"
        done = subprocess.run(["sh", "-c", call], cwd=tmp_path, check=False, timeout=PATIENCE_S)
        assert [head.split()[1] for head in wire.requests] == [b"/robots.txt", b"/a"]
    assert done.returncode == 0
    assert sound(root)


# Ctrl-C


def test_ctrl_c_twice_while_nobody_reads_seals_what_was_saved(tmp_path: Path) -> None:
    """The key comes while an outcome waits to be written: the files are sealed all the same.

    The first one asks the run to stop, which waits for the reader; the second one ends it.
    """
    with playing(answer, closes=False) as wire:
        archive = fetching_root(tmp_path / "root", *(f"{wire.url}/{n}" for n in range(30)))
        reading, writing = os.pipe()
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4_096)
        with started("-C", archive.root, *FETCH, cwd=tmp_path, stdout=writing) as process:
            os.close(writing)
            until(process, lambda: next((archive.root / "archive").iterdir(), None))
            until(process, lambda: len(wire.requests) >= 12)
            os.killpg(process.pid, signal.SIGINT)
            assert process.stderr is not None
            assert any(line.startswith(b"stopping") for line in process.stderr)
            status, err = interrupt(process)
        os.close(reading)
    assert status == 130
    assert "interrupted" in err
    assert sound(archive.root)


def test_ctrl_c_while_a_server_is_silent_ends_a_fetch(tmp_path: Path) -> None:
    """The stalled document has no outcome; the next run begins with it."""
    with playing(answer, closes=False) as wire:
        archive = fetching_root(tmp_path / "root", f"{wire.url}/a", f"{wire.url}/stall")
        with started("-C", archive.root, *FETCH, cwd=tmp_path) as process:
            until(process, lambda: any(b" /stall " in head for head in wire.requests))
            status, _ = interrupt(process)
        assert status == 130
        assert sound(archive.root)
        again = run("-C", archive.root, *FETCH, "--timeout", "0.2", cwd=tmp_path)
    outcomes = [json.loads(line) for line in again.out.splitlines()]
    assert [one.get("reason") for one in outcomes[:2]] == ["already_done", "time"]


def test_ctrl_c_while_nobody_reads_what_add_says_seals_it(tmp_path: Path) -> None:
    """Nothing is left open, though the key comes outside of the work on the archive."""
    archive = Archive.init(tmp_path / "root")
    files = [tmp_path / f"{number}.txt" for number in range(30)]
    for file in files:
        file.write_text(file.name)
    reading, writing = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4_096)
    sizes: list[int] = []

    def stands_still() -> bool:
        kept = next((archive.root / "archive").glob("*.open"), None)
        sizes.append(kept.stat().st_size if kept else 0)
        return sizes[-1] > 0 and sizes[-100:] == [sizes[-1]] * 100

    with started(
        "-C", archive.root, "add", "--json", *files, cwd=tmp_path, stdout=writing
    ) as adding:
        os.close(writing)
        until(adding, stands_still)
        status, _ = interrupt(adding)
    os.close(reading)
    assert status == 130
    assert sound(archive.root)


def test_ctrl_c_during_add_leaves_a_whole_archive(tmp_path: Path) -> None:
    """A large file that is being added is not in the archive, and nothing is left open."""
    archive = Archive.init(tmp_path / "root")
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(512 << 20)
    with started("-C", archive.root, "add", large, cwd=tmp_path) as process:
        until(process, lambda: list((archive.root / "archive").glob("*.open")))
        status, _ = interrupt(process)
    assert status == 130
    again = run("-C", archive.root, "add", "seeds/example.toml", cwd=archive.root)
    assert again.status == 0
    assert sound(archive.root)


def test_ctrl_c_during_index_keeps_the_index_there_was(tmp_path: Path) -> None:
    """The old index stays in its place until a new one is whole."""
    archive = small_root(tmp_path / "root")
    before = archive.index_path.read_bytes()
    with started("-C", archive.root, "index", cwd=tmp_path) as process:
        until(process, lambda: list((archive.root / "metadata").glob("provenance.db?*")))
        status, _ = interrupt(process)
    assert status == 130
    assert archive.index_path.read_bytes() == before
    assert run("-C", archive.root, "index", cwd=tmp_path).status == 0
    assert [path.name for path in archive.metadata.glob("provenance.db*")] == ["provenance.db"]


def test_ctrl_c_during_verify(tmp_path: Path) -> None:
    """A finding that was printed stays printed; the rest is left."""
    archive = small_root(tmp_path / "root")
    (archive.archive / "0.txt").write_text("foreign")
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(256 << 20)
    list(archive.add([large]))
    with started("-C", archive.root, "verify", "--json", cwd=tmp_path) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["code"] == "foreign_file"
        status, _ = interrupt(process)
    assert status == 130


def test_ctrl_c_ends_serve(kept: Path) -> None:
    """The server ends at once, with the status of an interruption."""
    with started("-C", kept, "serve", "--port", "0", cwd=kept) as process:
        assert process.stderr is not None
        assert re.match(rb"Serving at http://127\.0\.0\.1:\d+/", process.stderr.readline())
        assert interrupt(process) == (130, "stopped.\n")


def test_ctrl_c_ends_publish_and_leaves_the_former_copy(tmp_path: Path) -> None:
    """Half a copy goes; what was published before stands as it was."""
    archive = small_root(tmp_path / "root")
    letters = [tmp_path / f"{number}.txt" for number in range(150)]
    for letter in letters:
        letter.write_text(f"Letter {letter.name}")
    assert run("-C", archive.root, "publish", "copy", cwd=tmp_path).status == 0
    before = (tmp_path / "copy" / "manifest-sha256.txt").read_bytes()
    list(archive.add(letters))
    archive.index()
    with started("-C", archive.root, "publish", "copy", cwd=tmp_path) as process:
        until(process, lambda: list(tmp_path.glob(".copy.publishing/document")))
        status, said = interrupt(process)
    assert (status, said.strip()) == (130, "interrupted; what was reported as saved is kept.")
    assert (tmp_path / "copy" / "manifest-sha256.txt").read_bytes() == before
    assert not (tmp_path / ".copy.publishing").exists()


def test_ctrl_c_during_the_demo_lets_it_run_again(tmp_path: Path) -> None:
    """What an interrupted demo leaves is taken away by the next one."""
    with started("demo", cwd=tmp_path) as process:
        until(process, lambda: list((tmp_path / "demo-archive").glob("archive/*")))
        status, _ = interrupt(process)
    assert status == 130
    assert run("demo", cwd=tmp_path).status == 0


def test_ctrl_c_before_anything_is_loaded_is_silent(kept: Path) -> None:
    """While modules are imported, the key ends the process without a word."""
    code = (
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from provenance.cli import main; main()\n"
    )
    call = [*HEARING, sys.executable, "-c", code, "list"]
    done = subprocess.run(call, cwd=kept, capture_output=True, check=False, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")
