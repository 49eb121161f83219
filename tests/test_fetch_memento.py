"""Documents whose address is gone, imported from a real archive: pywb, a program of its own."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provenance.cite import CitationFormat
from provenance.digest import digest_of
from provenance.errors import UsageError
from tests.fetch_rig import SETTINGS, Play, reply, rooted, run, runtime, web
from tests.fetch_rig import findings as findings_of
from tests.roots import fetched, findings, notes, records, root_of
from tests.test_gather_pywb import DOCUMENT, FIRST, MOVED, SECOND, Archive, archive

__all__ = ["archive"]  # the fixture


def note_of_document(found: list[dict[str, Any]]) -> dict[str, Any]:
    (note,) = [note for note in found if note.get("kind") == "document"]
    return note


@pytest.mark.parametrize(
    ("published", "captured_at", "payload"),
    [
        ("2018", "2019-03-01T10:00:00.000000Z", FIRST),
        ("2020-03", "2020-03-01T10:00:00.000000Z", SECOND),
    ],
)
def test_a_document_that_is_gone_is_imported_as_the_archive_has_it(
    tmp_path: Path, archive: Archive, published: str, captured_at: str, payload: bytes
) -> None:
    """The nearest capture, raw, with the archive's own date, marked as not observed."""
    root = root_of(tmp_path, DOCUMENT, more=f'published = "{published}"\n')
    (outcome,) = fetched(root, memento=archive.prefix)
    assert (outcome.outcome, outcome.reason) == ("captured", None)
    assert outcome.captured_at == captured_at
    assert outcome.content_id == digest_of(payload)
    assert "imported" in outcome.flags
    note = note_of_document(notes(root))
    assert note["url"] == DOCUMENT
    assert note["obtained"]["how"] == "imported"
    assert note["obtained"]["memento_datetime"] == captured_at
    assert note["obtained"]["timegate"] == archive.prefix
    assert note["obtained"]["body"] == "raw"
    assert note["obtained"]["original"] == DOCUMENT
    # The exchange is told as it was: with the archive, at its address, now.
    told = f"<{note['capture_record']}>"
    (fields,) = [each for _, each, _ in records(root) if each["WARC-Record-ID"] == told]
    assert fields["WARC-Target-URI"].startswith(archive.prefix)
    assert fields["WARC-Date"] == note["obtained"]["retrieved_at"] != captured_at
    kinds = {str(each.get("kind")) for each in notes(root)}
    assert {"live", "document"} <= kinds
    assert findings(root) == []


def test_index_citation_and_command_line_say_that_it_was_imported(
    tmp_path: Path, archive: Archive
) -> None:
    """What the archive says is never taken for what this program saw."""
    root = root_of(tmp_path, DOCUMENT, more='published = "2020-03"\n')
    fetched(root, memento=archive.prefix)
    root.index()
    (row,) = root.captures_of("doc-0")
    assert (row.obtained, row.captured_at) == ("imported", "2020-03-01T10:00:00.000000Z")
    _, text = root.cite("doc-0", CitationFormat.TEXT)
    assert "Imported from" in text
    assert "not observed" in text
    call = [str(Path(__file__).parents[1] / ".venv" / "bin" / "provenance"), "-C", str(root.root)]
    shown = subprocess.run([*call, "show", "doc-0"], capture_output=True, text=True, check=True)
    assert "imported" in shown.stdout


def test_what_the_archive_has_not_stays_a_failure_that_says_so(
    tmp_path: Path, archive: Archive
) -> None:
    """The live outcome stands, with what the archive answered beside it."""
    root = root_of(tmp_path, "http://doc.example/never-archived")
    (outcome,) = fetched(root, memento=archive.prefix)
    assert (outcome.outcome, outcome.reason) == ("failed", "dns")
    note = note_of_document(notes(root))
    assert note["memento"]["reason"] == "not_archived"
    assert note["memento"]["timegate"] == archive.prefix
    assert findings(root) == []


def test_an_archived_redirect_leads_to_the_archived_document(
    tmp_path: Path, archive: Archive
) -> None:
    """It is followed inside the archive, each step recorded."""
    root = root_of(tmp_path, MOVED, more='published = "2020-03"\n')
    (outcome,) = fetched(root, memento=archive.prefix)
    assert (outcome.outcome, outcome.content_id) == ("captured", digest_of(SECOND))
    assert sum(note.get("kind") == "timegate" for note in notes(root)) >= 1
    assert findings(root) == []


def test_importing_again_is_unchanged_and_a_refusal_is_not_sought_elsewhere(
    tmp_path: Path, archive: Archive
) -> None:
    """The same memento is a revisit."""
    root = root_of(tmp_path, DOCUMENT, more='published = "2020-03"\n')
    (first,) = fetched(root, memento=archive.prefix)
    (second,) = fetched(root, memento=archive.prefix)
    assert (first.outcome, second.outcome) == ("captured", "unchanged")
    assert second.content_id == first.content_id
    assert findings(root) == []


def test_a_timegate_that_is_no_address_is_a_usage_error(tmp_path: Path) -> None:
    """It is said before anything is fetched."""
    root = root_of(tmp_path, DOCUMENT)
    with pytest.raises(UsageError, match="TimeGate"):
        fetched(root, memento="ftp://archive.example/")
    assert list(root.archive.iterdir()) == []


def test_a_memento_of_another_address_is_no_version(tmp_path: Path) -> None:
    """The archive says what it stands for; another original is kept, and not believed."""
    gate = "http://archive.example/gate/"
    pages: dict[str, Play] = {
        "gone.example/doc": reply(b"<p>Gone.</p>", status="410 Gone"),
        "archive.example/gate/http://gone.example/doc": reply(
            b"<p>Another page.</p>",
            "Memento-Datetime: Sun, 01 Mar 2020 10:00:00 GMT",
            'Link: <http://other.example/>; rel="original"',
        ),
    }
    with web(pages) as wire:
        settings = replace(SETTINGS, memento=gate)
        root = rooted(tmp_path / "root", "http://gone.example/doc")
        done = run(root, runtime(wire), settings)
    assert (done.outcome.outcome, done.outcome.reason) == ("error_status", "http_410")
    assert done.note["memento"] == {
        "timegate": gate,
        "reason": "archived_other_address",
        "detail": "http://other.example/",
    }
    assert len(done.notes("timegate")) == 1
    assert not findings_of(done.archive)
