"""What earlier runs captured is told the same from sidecars and, where they are no good, WARCs."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.digest import digest_of
from provenance.warc.draft import metadata_draft, response_draft
from provenance.warc.history import History, read_history
from provenance.warc.sidecar import KnownCapture, KnownRun, parse_sidecar
from tests.warc_builders import (
    DATE,
    RUN,
    Root,
    end_run,
    http,
    make_root,
    note_of,
    visit_of,
    write_capture,
)

SEEDS = "sha256:" + "5" * 64


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """An archive with two sealed files, the second of an interrupted run."""
    made = make_root(tmp_path)
    first = made.writer()
    for name in ("a", "b"):
        write_capture(first, name, name.encode())
    end_run(first, 2)
    first.close()
    second = made.writer("other", run=RUN[:-1] + "2")
    write_capture(second, "c", b"c", collection="other", run=RUN[:-1] + "2")
    second.close()
    return made


def told(root: Root) -> History:
    return read_history(root.archive, root.metadata)


def sidecars(root: Root) -> dict[str, bytes]:
    folder = root.metadata / "lookup"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def first_sidecar(root: Root) -> Path:
    return next(iter(sorted((root.metadata / "lookup").iterdir())))


def test_the_history_is_what_the_files_hold(root: Root) -> None:
    """Runs with their end, captures with the record that another could refer to."""
    history = told(root)
    assert [(run.collection, run.ended) for run in history.runs] == [
        ("other", False),
        ("test", True),
    ]
    assert [(one.document, one.outcome) for one in history.captures] == [
        ("c", "captured"),
        ("a", "captured"),
        ("b", "captured"),
    ]
    original = history.originals()["http://council.example/a", digest_of(b"a")]
    assert (original.record_id, original.date) == (visit_of("a").urn("response"), DATE)


def test_sidecars_are_made_once_and_then_read(root: Root) -> None:
    """One for each file; the WARC file itself is not needed again."""
    first = told(root)
    assert list(sidecars(root)) == [f"{name}.jsonl" for name in root.files()]
    for name in root.files():
        (root.archive / name).write_bytes(b"")
    assert told(root) == first


def test_a_deleted_sidecar_is_made_again_the_same(root: Root) -> None:
    """Byte for byte; the whole folder may go."""
    first, made = told(root), sidecars(root)
    first_sidecar(root).unlink()
    assert (told(root), sidecars(root)) == (first, made)
    shutil.rmtree(root.metadata / "lookup")
    assert (told(root), sidecars(root)) == (first, made)


def test_a_torn_sidecar_is_made_again_wherever_it_is_torn(root: Root) -> None:
    """At each byte, the ends of lines among them: nothing of it is believed."""
    first, made = told(root), sidecars(root)
    path = first_sidecar(root)
    raw = path.read_bytes()
    for cut in range(len(raw)):
        path.write_bytes(raw[:cut])
        assert told(root) == first
        assert sidecars(root) == made


def with_line(raw: bytes, at: int, change: Callable[[dict[str, object]], object]) -> bytes:
    lines = [json.loads(line) for line in raw.splitlines()]
    lines[at] = change(lines[at])
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _raw: b"",
    "no JSON": lambda _raw: b"\xff\xfe\n",
    "zeros": lambda raw: bytes(len(raw)),
    "a list": lambda _raw: b"[]\n",
    "a number": lambda _raw: b"1\n",
    "nested without end": lambda _raw: b"[" * 100_000 + b"\n",
    "of another file": lambda raw: with_line(raw, -1, lambda line: {**line, "sha256": SEEDS}),
    "without a count": lambda raw: with_line(
        raw, -1, lambda line: {key: line[key] for key in line if key != "lines"}
    ),
    "of an earlier form": lambda raw: with_line(raw, -1, lambda line: {**line, "form": 3}),
    "its last line first": lambda raw: b"".join(
        [*raw.splitlines(keepends=True)[-1:], *raw.splitlines(keepends=True)[:-1]]
    ),
    "with a line more": lambda raw: raw + raw.splitlines(keepends=True)[-1],
    "with a line less": lambda raw: b"".join(raw.splitlines(keepends=True)[:-1]),
    "a run without its id": lambda raw: with_line(
        raw, -2, lambda line: {key: line[key] for key in line if key != "run"}
    ),
    "a capture without its date": lambda raw: with_line(
        raw, 0, lambda line: {key: line[key] for key in line if key != "date"}
    ),
    "a line that is a text": lambda raw: with_line(raw, 0, lambda _line: "text"),
    "a line without a type": lambda raw: with_line(raw, 0, lambda _line: {}),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_sidecar_of_another_form_is_made_again(
    root: Root, form: Callable[[bytes], bytes]
) -> None:
    """Whatever lies there, of another version or no sidecar at all, the history is right."""
    first, made = told(root), sidecars(root)
    path = first_sidecar(root)
    path.write_bytes(form(path.read_bytes()))
    assert told(root) == first
    assert sidecars(root) == made


def test_a_stale_sidecar_is_made_again(root: Root) -> None:
    """Where the manifest lists the file with another digest, the sidecar is of another file."""
    told(root)
    test, other = root.files()[1], root.files()[0]
    shutil.copyfile(root.archive / other, root.archive / test)
    lines = root.manifest.read_text().splitlines()
    by_name = {line[66:].removeprefix("archive/"): line[:64] for line in lines}
    by_name[test] = by_name[other]
    root.manifest.write_text("".join(f"{by_name[one]}  archive/{one}\n" for one in by_name))
    assert [one.document for one in told(root).captures] == ["c", "c"]


def test_an_unlisted_file_is_read_itself(root: Root) -> None:
    """Without a manifest line there is nothing to hold a sidecar against."""
    first = told(root)
    root.manifest.unlink()
    path = first_sidecar(root)
    path.write_bytes(path.read_bytes().replace(b"captured", b"failed"))
    assert told(root) == first


def test_a_sidecar_that_cannot_be_written_is_done_without(root: Root) -> None:
    """A file or a folder stands in its place: the history is right, and no rubbish is left."""
    first = told(root)
    folder = root.metadata / "lookup"
    shutil.rmtree(folder)
    folder.write_bytes(b"")
    assert told(root) == first
    folder.unlink()
    for name in root.files():
        (folder / f"{name}.jsonl").mkdir(parents=True)
        (folder / f"{name}.jsonl" / "full").touch()
    before = sorted(path.name for path in folder.rglob("*"))
    assert told(root) == first
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_other_things_in_the_archive_are_passed_over(root: Root) -> None:
    """Rubbish, a folder, a link to nothing, a pipe: the files that can be read are told."""
    first = told(root)
    (root.archive / "rubbish.warc.gz").write_bytes(b"rubbish")
    (root.archive / "folder.warc.gz").mkdir()
    (root.archive / "link.warc.gz").symlink_to("nothing")
    (root.archive / "failing.warc.gz").symlink_to("/proc/self/mem")
    os.mkfifo(root.archive / "pipe.warc.gz")
    assert told(root) == first


def test_a_damaged_file_tells_what_stands_before_the_damage(root: Root) -> None:
    """A fetch goes on with what can be read."""
    path = root.archive / root.files()[1]
    path.write_bytes(path.read_bytes()[:-700])
    assert [one.document for one in told(root).captures] == ["c", "a"]


def test_any_text_of_a_record_survives_the_sidecar(root: Root) -> None:
    """Line separators and half characters in a document's name do not tear its line."""
    name, body = "x\u2028y\x85z\ud800", b"odd"
    writer = root.writer("odd", run=RUN[:-1] + "3")
    visit = replace(visit_of("odd"), stem=("odd",))
    with writer.group() as group:
        block = http(body)
        capture_id = group.add(
            response_draft(
                visit,
                io.BytesIO(block),
                block_size=len(block),
                block_digest=digest_of(block),
                payload_digest=digest_of(body),
                truncated=None,
            )
        )
        note = note_of("odd", body, capture_id, "odd") | {"document": "DOCUMENT"}
        draft = metadata_draft(visit, note, alone=False)
        assert isinstance(draft.block, bytes)
        text = draft.block.replace(b'"DOCUMENT"', json.dumps(name).encode())
        group.add(replace(draft, block=text, block_size=len(text)))
    writer.close()
    first = told(root)
    assert name in [one.document for one in first.captures]
    assert told(root) == first
    odd = root.metadata / "lookup" / f"{writer.name}.jsonl"
    assert parse_sidecar(
        odd.read_bytes().splitlines(keepends=True),
        digest_of((root.archive / writer.name).read_bytes()),
    )


def run(number: int, **changes: object) -> KnownRun:
    base = KnownRun(
        run=f"run-{number}",
        collection="test",
        command="fetch",
        started_at=f"2026-11-23T09:45:0{number}.000000Z",
        ended=True,
        resumes=None,
        seeds_digest=SEEDS,
        targets=(),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def capture(number: int, document: str, **changes: object) -> KnownCapture:
    base = KnownCapture(
        run=f"run-{number}",
        collection="test",
        document=document,
        outcome="captured",
        url=f"http://council.example/{document}",
        status=200,
        payload_digest=SEEDS,
        record_type="response",
        record_id=f"urn:uuid:{document}",
        date=f"2026-11-23T09:45:0{number}.000000Z",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


CAPTURES = (capture(1, "a"), capture(2, "b"), capture(3, "c"), capture(3, "d", outcome="failed"))


@pytest.mark.parametrize(
    ("runs", "resumed", "had"),
    [
        ((), None, ""),
        ((run(1),), None, ""),
        ((run(1, ended=False),), "run-1", "a"),
        ((run(1, ended=False), run(2)), None, ""),
        ((run(1), run(2, ended=False)), "run-2", "b"),
        ((run(1, ended=False), run(2, ended=False, resumes="run-1")), "run-2", "ab"),
        ((run(1, ended=False), run(2, ended=False)), "run-2", "b"),
        ((run(3, ended=False),), "run-3", "cd"),
        ((run(3, ended=False), run(3, ended=True)), None, ""),
        ((run(1, ended=False, seeds_digest="sha256:other"),), None, ""),
        ((run(1, ended=False, targets=("a",)),), None, ""),
        ((run(1, ended=False, command="add"),), None, ""),
        ((run(1, ended=False, collection="other"),), None, ""),
        ((run(1, ended=False), run(2, command="add")), "run-1", "a"),
        ((run(1, ended=False, resumes="run-1"),), "run-1", "a"),
        (
            (run(1, ended=False, resumes="run-2"), run(2, ended=False, resumes="run-1")),
            "run-2",
            "ab",
        ),
    ],
)
def test_only_the_newest_fetch_of_the_same_seeds_is_gone_on_with(
    runs: tuple[KnownRun, ...], resumed: str | None, had: str
) -> None:
    """What it has, and what the runs that it completes have; a chain without end ends."""
    for order in (runs, runs[::-1]):
        history = History(runs=order, captures=CAPTURES)
        assert history.interrupted("test", SEEDS, ()) == (resumed, frozenset(had))


def test_a_revisit_would_refer_to_the_first_full_answer(root: Root) -> None:
    """Only to a captured response with a payload, of that address, and whatever the order is."""
    captures = (
        capture(3, "a", record_id="later"),
        capture(1, "a", record_id="first"),
        capture(0, "a", record_id="a revisit", record_type="revisit", outcome="unchanged"),
        capture(0, "a", record_id="an error", outcome="error_status"),
        capture(0, "a", record_id="without payload", payload_digest=None),
        capture(0, "a", record_id="without address", url=None),
        capture(0, "a", record_id="a file", record_type="resource"),
    )
    for order in (captures, captures[::-1]):
        originals = History(runs=(), captures=order).originals()
        assert {key: each.record_id for key, each in originals.items()} == {
            ("http://council.example/a", SEEDS): "first"
        }
