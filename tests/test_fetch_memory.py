"""A run keeps nothing of a document that it is done with."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.archive import Archive
from provenance.fetch.errands import Errands
from provenance.fetch.settings import Errand
from provenance.model import CollectionId, Document, DocumentId
from tests.roots import SETTINGS, records, root_of
from tests.wire import playing

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
DOCUMENTS = 10
TEXT = st.none() | st.text(min_size=1).filter(lambda text: "\0" not in text)


def alive(kind: type[Errand | Document], addresses: list[str]) -> int:
    """Count the objects of this kind that stand for one of these addresses."""
    gc.collect()
    return sum(type(each) is kind and each.url in addresses for each in gc.get_objects())


def test_what_a_run_is_done_with_is_let_go(tmp_path: Path) -> None:
    """Cards of the seeds before the first request; of the errands only those at hand are there."""
    with playing(lambda _head: OK, closes=False) as wire:
        addresses = [f"{wire.url}/page-{number}" for number in range(DOCUMENTS)]
        fetching = root_of(tmp_path, *addresses).fetch((), SETTINGS)
        assert alive(Document, addresses) == 0
        for _ in fetching.outcomes:
            # One is in the hands of the thread that visits, and one was looked at last.
            assert alive(Errand, addresses) <= 2
    assert fetching.complete()
    assert fetching.progress().documents == fetching.progress().done == DOCUMENTS


def test_visits_wait_for_whoever_reads_the_outcomes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow reader holds up the visits; what is done and not yet told does not pile up."""
    monkeypatch.setattr("provenance.fetch.engine._WAITING", 5)
    monkeypatch.setattr("provenance.fetch.engine._TOGETHER", 3)
    beyond = threading.Event()

    def play(head: bytes) -> bytes:
        # One is told; five wait, up to three are being told, and one is under way.
        if head.startswith(b"GET /page-11 "):
            beyond.set()
        return OK

    with playing(play, closes=False) as wire:
        addresses = [f"{wire.url}/page-{number}" for number in range(60)]
        fetching = root_of(tmp_path, *addresses).fetch((), SETTINGS)
        next(fetching.outcomes)
        assert not beyond.wait(timeout=0.5)
        assert 1 + sum(1 for _ in fetching.outcomes) == 60
    assert fetching.complete()


def test_a_run_that_is_stopped_waits_for_no_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Visits that wait for room give way, and what was kept is told."""
    monkeypatch.setattr("provenance.fetch.engine._WAITING", 2)
    monkeypatch.setattr("provenance.fetch.engine._TOGETHER", 1)
    with playing(lambda _head: OK, closes=False) as wire:
        archive = root_of(tmp_path, *(f"{wire.url}/page-{number}" for number in range(60)))
        fetching = archive.fetch((), SETTINGS)
        next(fetching.outcomes)
        fetching.stop()
        told = 1 + sum(1 for _ in fetching.outcomes)
    assert 1 <= told < 60
    assert not fetching.complete()
    kept = [kind for kind, *_ in records(archive) if kind == "response"]
    assert told <= len(kept) <= told + 1, "robots.txt is one more"


def test_what_is_recorded_is_told_however_late_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is stopped with outcomes waiting tells them, though its moment is long over."""
    monkeypatch.setattr("provenance.fetch.engine._GRACE_S", 0.0)
    monkeypatch.setattr("provenance.fetch.engine._TOGETHER", 1)
    far = threading.Event()

    def play(head: bytes) -> bytes:
        if head.startswith(b"GET /page-40 "):
            far.set()
        return OK

    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, *(f"{wire.url}/page-{number}" for number in range(60)))
        fetching = archive.fetch((), SETTINGS)
        next(fetching.outcomes)
        assert far.wait(timeout=30)
        fetching.stop()
        told = 1 + sum(1 for _ in fetching.outcomes)
    kept = [kind for kind, *_ in records(archive) if kind == "response"]
    # robots.txt is one more, and one visit may have been under way.
    assert 40 <= told <= len(kept) <= told + 2


_SELECT = """
import re, sys
from pathlib import Path
from provenance.archive import Archive
reasons = [each.reason for each in Archive(Path(sys.argv[1])).fetch().outcomes]
assert set(reasons) == {"wanted"}
held = re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())
print(len(reasons), held[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
def test_reading_very_many_seeds_leaves_little_behind(tmp_path: Path) -> None:
    """A seeds entry takes half a KiB and more as it is read, and a seventh of that afterwards."""
    kib: list[int] = []
    for count in (100, 20_100):
        archive = Archive.init(tmp_path / str(count))
        entry = (
            'title = "Minutes"\nrole = "official"\npublisher = "The council"\n'
            'publisher_kind = "government"\n'
        )
        head = '[collection]\nid = "test"\ntitle = "Test"\nabout = "Test."\n'
        entries = (f'[[document]]\nid = "minutes-{n}"\n{entry}' for n in range(count))
        (archive.root / "seeds" / "example.toml").write_text(head + "".join(entries))
        command = [sys.executable, "-c", _SELECT, str(archive.root)]
        told = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
        assert int(told[0]) == count
        kib.append(int(told[1]))
    assert kib[1] - kib[0] < 20_000 * 0.2, kib


@given(
    errands=st.lists(
        st.builds(
            Errand,
            collection=st.sampled_from([CollectionId("one"), CollectionId("two")]),
            document=st.from_regex(r"[a-z0-9-]{1,9}", fullmatch=True).map(DocumentId),
            url=TEXT,
            media_type=TEXT,
            published=TEXT,
            networks=st.sampled_from([(), ("10.0.0.0/8",)]),
        ),
        max_size=9,
    ),
    done=st.sets(st.integers(0, 8)),
)
def test_errands_come_back_as_they_were(errands: list[Errand], done: set[int]) -> None:
    """By number, whatever they ask for; what is ticked off is not left."""
    held = Errands(errands)
    assert [held[number] for number in range(len(held))] == list(held) == errands
    assert held.collections() == {errand.collection for errand in errands}
    for number in done & set(range(len(errands))):
        held.tick_off(number)
    assert list(held.left()) == [number for number in range(len(errands)) if number not in done]
