"""The same seeds against the same server give the same records, byte for byte.

Source: DESIGN, law 9. Clock, timer, chance, ids and name resolution are injected; the sockets, the
files and the server are real.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.roots import make_certificate
from tests.storage_town import SETTINGS, Town, fetch_anew, injected, town_at


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def town(certificate: Path) -> Iterator[Town]:
    with town_at(certificate) as made:
        yield made


@pytest.mark.parametrize("tick_ms", [0, 7], ids=["still", "ticking"])
def test_with_one_job_every_byte_of_every_file_is_the_same(
    tmp_path: Path, town: Town, certificate: Path, tick_ms: int
) -> None:
    """Two roots, two runs in each, every kind of answer: names, members, manifest and sidecars."""
    tick = timedelta(milliseconds=tick_ms)
    one, other = (
        fetch_anew(tmp_path / name, town, certificate, injected(tick), runs=2)
        for name in ("one", "other")
    )
    words = {outcome.outcome.value for run in one.outcomes for outcome in run}
    assert words == {"captured", "unchanged", "truncated", "error_status", "failed", "denied"}
    for mine, its in zip(one.members, other.members, strict=True):
        assert mine.plain.decode("latin-1") == its.plain.decode("latin-1")
    assert one.files == other.files
    for name in ("manifest-sha256.txt", *(f"lookup/{file}.jsonl" for file in list(one.files)[:1])):
        raw = (one.archive.metadata / name).read_bytes()
        assert raw == (other.archive.metadata / name).read_bytes()
    assert one.outcomes == other.outcomes


def test_what_is_not_injected_is_not_recorded(
    tmp_path: Path, town: Town, certificate: Path
) -> None:
    """Neither a port of this side, nor the root's place, nor the real date is in any record."""
    kept = fetch_anew(tmp_path / "one", town, certificate, injected())
    ports = {str(wire.port) for wire in town.wires} | {str(town.closed_port)}
    today = datetime.now(UTC).strftime("%Y-%m-%d").encode()
    for member in kept.members:
        assert str(tmp_path).encode() not in member.plain
        assert today not in member.plain
        if member.header["WARC-Type"] == "metadata":
            for word in member.block.split(b'"port": ')[1:]:
                assert word.split(b"\n")[0].rstrip(b",}").decode() in ports


@pytest.mark.parametrize("runs", [1, 2])
def test_with_more_jobs_the_set_of_records_is_the_same(
    tmp_path: Path, town: Town, certificate: Path, runs: int
) -> None:
    """However the hosts take turns: the order in the files alone differs."""
    settings = replace(SETTINGS, jobs=8, delay_s=0)
    kept = [
        fetch_anew(tmp_path / name, town, certificate, injected(), runs=runs, settings=settings)
        for name in ("one", "two", "three")
    ]
    first = Counter(member.plain for member in kept[0].members)
    for other in kept[1:]:
        found = Counter(member.plain for member in other.members)
        assert [raw.decode("latin-1") for raw in (found - first)] == []
        assert found == first
        for mine, its in zip(kept[0].outcomes, other.outcomes, strict=True):
            assert {each.document: each.capture_id for each in mine} == {
                each.document: each.capture_id for each in its
            }


def test_another_run_has_other_ids_and_the_same_blocks(
    tmp_path: Path, town: Town, certificate: Path
) -> None:
    """Record ids derive from the run; what came over the wire does not."""
    one = fetch_anew(tmp_path / "one", town, certificate, injected())
    other = fetch_anew(tmp_path / "other", town, certificate, injected(runs=5))
    ids = [{member.header["WARC-Record-ID"] for member in each.members} for each in (one, other)]
    assert ids[0] & ids[1] == set()
    assert len(ids[0]) == len(one.members)
    blocks = [
        [member.block for member in each.members if member.header["WARC-Type"] == "response"]
        for each in (one, other)
    ]
    assert blocks[0] == blocks[1]
