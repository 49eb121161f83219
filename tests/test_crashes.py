"""Inputs that broke a reader once are read in bounds, and a fuzzer may look for more."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash_files import FOLDER, content_of, crash_files, readme
from tests.fuzz_mutations import Mutator, words_of
from tests.fuzz_program import Bounds, fuzz
from tests.fuzz_readers import READERS, Reader, words

ROOT = Path(__file__).parents[1]
FILES = tuple(sorted(path for path in FOLDER.iterdir() if path.name != "README.md"))
SEED = int(os.environ.get("PROVENANCE_FUZZ_SEED", "1"))
COUNT = int(os.environ.get("PROVENANCE_FUZZ_COUNT", "500"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_broke_a_reader_once_is_read(path: Path, tmp_path: Path) -> None:
    """One of our own errors at most; a process of its own bounds the memory, a clock the time."""
    code = (
        "import resource, sys; from pathlib import Path; from tests.fuzz_readers import *\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "raw = sys.stdin.buffer.read()\n"
        "print(words(READERS[sys.argv[1]], raw, Path(sys.argv[2])))\n"
        # Not `ru_maxrss`: that of a new program begins at what its parent had.
        "peak = [x for x in open('/proc/self/status') if x.startswith('VmHWM')][0].split()[1]\n"
        "sys.exit(f'{peak} KiB' if int(peak) > 600 << 10 else 0)"
    )
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
    reader = path.name.partition("-")[0]
    done = subprocess.run(
        [sys.executable, "-c", code, reader, str(tmp_path)],
        input=raw, capture_output=True, check=False, timeout=120, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.startswith(b"(")


def test_the_files_are_those_that_their_program_makes() -> None:
    """Each is described in the README, and can be made anew."""
    made = crash_files()
    assert {path.name: content_of(path.read_bytes()) for path in FILES} == {
        name: content_of(each.raw) for name, each in made.items()
    }
    assert (FOLDER / "README.md").read_text("utf-8") == readme(made)
    assert {name.partition("-")[0] for name in made} <= READERS.keys()


def test_a_seed_gives_one_run() -> None:
    """The same changes in the same order, also inside gzip and ZIP."""
    seeds = [path.read_bytes() for path in FILES]
    runs = []
    for _ in range(2):
        mutator = Mutator(random.Random(5), words_of(seeds))
        runs.append([mutator.changed(each, seeds[0]) for each in seeds * 20])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) > len(seeds)


def test_one_of_our_errors_is_a_word_and_no_crash(tmp_path: Path) -> None:
    assert words(READERS["ots"], b"", tmp_path) == (
        "0 TimestampError not an OpenTimestamps proof",
        "1 TimestampError not an OpenTimestamps proof",
        "2 UsageError not the header of a block",
    )


def _raises(raw: bytes, folder: Path) -> list[str]:
    raise KeyError(raw)


def _ends(raw: bytes, folder: Path) -> list[str]:
    os._exit(3)


def _swells(raw: bytes, folder: Path) -> list[str]:
    return [str(bytes(range(256)) * (3 << 20))[:1]]


def _reads(raw: bytes, folder: Path) -> list[str]:
    return []


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (_raises, ["x-KeyError-test_crashes"]),
        (_ends, ["x-ended-3"]),
        (_swells, ["x-TooLargeError-fuzz_program"]),
        (_reads, []),
    ],
)
def test_what_breaks_a_reader_is_told_and_kept(
    tmp_path: Path, read: Callable[[bytes, Path], list[str]], said: list[str]
) -> None:
    """An error, the end of the process, and memory; nothing where nothing breaks."""
    reader = Reader(read=read, rooms=("uri",))
    told = fuzz("x", reader, [b"a"], tmp_path, Bounds(seed=1, count=2, seconds=30))
    assert all(each.startswith(start) for each, start in zip(told["crashes"], said, strict=True))
    assert len(list((tmp_path / "crashes").glob("*.bin"))) == len(said)


@pytest.mark.long
@pytest.mark.parametrize("reader", READERS)
def test_no_changed_file_breaks_a_reader(reader: str, tmp_path: Path) -> None:
    """PROVENANCE_FUZZ_COUNT inputs for each, after PROVENANCE_FUZZ_SEED; see tests.fuzz_program."""
    call = [sys.executable, "-m", "tests.fuzz_program", "--out", str(tmp_path), "--minutes", "60",
            "--seed", str(SEED), "--count", str(COUNT), reader]  # fmt: skip
    corpora = ROOT.parent / "shared" / "corpora" / "files"
    if corpora.is_dir():
        call += ["--corpus", str(corpora)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=ROOT, timeout=4000)
    assert done.returncode == 0, done.stderr or done.stdout
    told = json.loads(done.stdout)
    assert told["inputs"] >= COUNT
    assert told["crashes"] == []
