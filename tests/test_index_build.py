"""The rows that an index holds, and how a build treats the file it replaces."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provenance.digest import digest_of
from provenance.errors import IndexMissingError, ProvenanceError, StorageError, UsageError
from provenance.holdings import Survey
from provenance.index import (
    ContentSource,
    Derived,
    build,
    dump_digest,
    note_of,
    open_index,
)
from provenance.index.rows import capture_row
from provenance.index.sources import capture_of_row
from provenance.model import (
    ADHOC,
    AddressStatus,
    Alternate,
    AlternateRole,
    CollectionId,
    DocumentId,
    OutcomeKind,
    Relation,
    RelationKind,
)
from tests.index_builders import (
    HARBOUR,
    RUN,
    Extract,
    a_capture,
    a_collection,
    a_document,
    a_redirect,
    a_run,
    a_survey,
    build_index,
    instant,
    library,
    with_redirects,
)


def select(path: Path, sql: str, *cells: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with open_index(path) as connection:
        return connection.execute(sql, cells).fetchall()


def test_every_table_keeps_its_keys_and_references(tmp_path: Path) -> None:
    """A full index passes SQLite's own checks of integrity and foreign keys, in plain mode."""
    papers = a_document(
        "papers",
        alternates=(Alternate(url="https://mirror.example/p", role=AlternateRole.SAME_DOCUMENT),),
        relations=(Relation(kind=RelationKind.CITES, document=DocumentId("minutes")),),
    )
    path = build_index(
        tmp_path,
        with_redirects(a_capture("papers", "one"), a_redirect("http://a.example/", "/b")),
        a_capture("elsewhere", "two", collection=CollectionId("gone"), run="another"),
        documents=(papers, a_document("minutes")),
        texts=library(one=Extract(text="one", pages=(0, 2), links=(("https://b.example/", "b"),))),
    )
    assert select(path, "PRAGMA integrity_check") == [("ok",)]
    assert select(path, "PRAGMA foreign_key_check") == []
    assert path.read_bytes()[18:20] == b"\x01\x01", "a rollback journal, not a WAL"
    assert [entry.name for entry in tmp_path.iterdir()] == ["provenance.db"]
    assert select(path, "SELECT page, start FROM page") == [(1, 0), (2, 2)]
    assert select(path, "SELECT kind, url, label, status FROM link ORDER BY kind") == [
        ("hyperlink", "https://b.example/", "b", None),
        ("redirect", "http://a.example/b", "/b", 301),
    ]


def test_a_capture_comes_back_as_it_went_in() -> None:
    """A row of `capture` holds everything of a capture."""
    capture = with_redirects(
        a_capture("a", "text", flags=("unexpected_media_type",), rule="consent"),
        a_redirect("http://a.example/", "https://a.example/"),
    )
    assert capture_of_row(capture_row(capture)) == capture


def test_versions_are_numbered_by_distinct_content(tmp_path: Path) -> None:
    """A content that comes back has its first number; what is no version has none."""
    path = build_index(
        tmp_path,
        a_capture("a", "new", 3),
        a_capture("a", "old", 1),
        a_capture("a", "wall", 2, outcome=OutcomeKind.CHALLENGE),
        a_capture("a", "old", 4, outcome=OutcomeKind.UNCHANGED, record_type="revisit"),
        a_capture("a", None, 5),
        a_capture("a", "half", 6, outcome=OutcomeKind.TRUNCATED),
        a_capture("b", "new", 0),
    )
    versions = select(
        path,
        "SELECT outcome, is_version, version FROM capture WHERE document = 'a' "
        "ORDER BY captured_at",
    )
    assert versions == [
        ("captured", 1, 1),
        ("challenge", 0, None),
        ("captured", 1, 2),
        ("unchanged", 1, 1),
        ("failed", 0, None),
        ("truncated", 1, 3),
    ]


def test_newest_version_is_not_the_last_capture(tmp_path: Path) -> None:
    """`document_latest` shows the newest version beside the last outcome of any kind."""
    path = build_index(tmp_path, a_capture("a", "x", 1), a_capture("a", None, 2))
    assert select(
        path,
        "SELECT captured_at, outcome, versions, captures, last_captured_at, last_outcome, "
        "last_reason FROM document_latest",
    ) == [(instant(1), "captured", 1, 2, instant(2), "failed", "refused")]


def test_text_is_taken_once_from_each_content(tmp_path: Path) -> None:
    """Each distinct content is a source once: error pages too, and bytes before revisits."""
    seen: list[ContentSource] = []

    def derive(sources: Iterable[ContentSource]) -> Iterator[Derived]:
        for source in sources:
            seen.append(source)
            yield Extract(text="read")

    first = a_capture("a", "x", 2, media_type="text/html", final_url=None)
    build(
        path=tmp_path / "i.db",
        collections=(),
        surveys=(
            a_survey(
                a_capture("a", "x", 1, record_type="revisit"),
                a_capture("a", "x", 3),
                first,
                a_capture("b", "gone", 4, outcome=OutcomeKind.ERROR_STATUS),
                a_capture("c", None, 5),
            ),
        ),
        derive=derive,
    )
    told = sorted((each.capture.captured_at, each.media_type, each.base_url) for each in seen)
    assert told == [
        (instant(2), "text/html", "https://council.example/a"),
        (instant(4), "text/plain", "https://council.example/b"),
    ]
    assert {each.content_id for each in seen} == {digest_of(b"x"), digest_of(b"gone")}


def test_texts_must_fit_their_contents(tmp_path: Path) -> None:
    """An extraction that gives too few or too many texts ends the build and leaves nothing."""

    def too_few(sources: Iterable[ContentSource]) -> Iterator[Derived]:
        yield from [Extract(text="") for _ in sources][1:]

    def too_many(sources: Iterable[ContentSource]) -> Iterator[Derived]:
        yield from [Extract(text="") for _ in sources]
        yield Extract(text="")

    for derive in (too_few, too_many):
        with pytest.raises(ProvenanceError, match="text extraction gave"):
            build(
                path=tmp_path / "i.db",
                collections=(),
                surveys=(a_survey(a_capture("a", "x"), a_capture("a", "y")),),
                derive=derive,
            )
    assert list(tmp_path.iterdir()) == []


def test_documents_outside_the_seeds_stand_in_the_index(tmp_path: Path) -> None:
    """A capture of an unlisted document brings its document and collection, told as unlisted."""
    path = build_index(
        tmp_path,
        a_capture("dropped", "x", 1),
        a_capture("dropped", "x", 2, url="https://new.example/"),
        a_capture("page", "y", collection=ADHOC),
        documents=(a_document("listed"),),
    )
    assert select(
        path, "SELECT document, collection, in_seeds, role, title, url FROM document ORDER BY 1"
    ) == [
        ("dropped", "harbour", 0, None, None, "https://new.example/"),
        ("listed", "harbour", 1, "official", "Title of listed", "https://council.example/listed"),
        ("page", "adhoc", 0, None, None, "https://council.example/page"),
    ]
    assert select(path, "SELECT collection, title FROM collection WHERE seeds_file IS NULL") == [
        ("adhoc", "Captures outside the seeds")
    ]


def test_a_capture_in_two_files_is_one_capture(tmp_path: Path) -> None:
    """A copied file adds records and no captures; the smallest place is kept."""
    capture = with_redirects(a_capture("a", "x"), a_redirect("http://a.example/", "/b"))
    digests = set()
    for order in ((0, 1), (1, 0)):
        files = (a_survey(capture, warc="b.warc.gz"), a_survey(capture, warc="a.warc.gz"))
        made = build(
            path=tmp_path / "i.db",
            collections=(),
            surveys=[files[n] for n in order],
            derive=library("x"),
        )
        digests.add(made.digest)
    assert made.captures == 1 and len(digests) == 1
    assert select(made.path, "SELECT warc FROM capture") == [("a.warc.gz",)]
    assert len(select(made.path, "SELECT * FROM record")) == 2
    assert len(select(made.path, "SELECT * FROM link")) == 1


def test_a_revisit_takes_its_content_from_the_record_it_refers_to(tmp_path: Path) -> None:
    """Where a revisit's own metadata does not say its content, the original does."""
    first = a_survey(a_capture("a", "x", 1), warc="a.warc.gz")
    bare = a_capture(
        "a",
        None,
        2,
        outcome=OutcomeKind.UNCHANGED,
        record_type="revisit",
    )
    again = a_survey(bare, warc="b.warc.gz")
    again = replace(
        again, records=(replace(again.records[0], refers_to=first.records[0].record_id),)
    )
    path = tmp_path / "i.db"
    build(path=path, collections=(), surveys=(again, first), derive=library("x"))
    assert select(
        path,
        "SELECT content_id, size, media_type, version FROM capture WHERE record_type = 'revisit'",
    ) == [(digest_of(b"x"), 1, "text/plain", 1)]


def test_a_run_in_several_files_is_one_row(tmp_path: Path) -> None:
    """The end that only the last file tells completes the run; without it, it is interrupted."""
    early, other = a_run(ended_at=None, outcomes=()), a_run(run="other", ended_at=None, outcomes=())
    path = tmp_path / "i.db"
    build(
        path=path,
        collections=(),
        surveys=(
            a_survey(warc="2.warc.gz", runs=(a_run(started_at=instant(30)),)),
            a_survey(warc="1.warc.gz", runs=(early, other)),
        ),
        derive=None,
    )
    assert select(path, "SELECT run, state, started_at, ended_at, outcomes FROM run") == [
        (RUN, "complete", instant(0), instant(59), '{"captured":1}'),
        ("other", "interrupted", instant(0), None, "{}"),
    ]


def test_times_of_other_forms_are_kept_in_order(tmp_path: Path) -> None:
    """A time without a fraction is stored with one, so that text order is the order in time."""
    path = build_index(
        tmp_path,
        a_capture("a", "later", captured_at="2026-01-01T00:00:00.5Z"),
        a_capture("a", "sooner", captured_at="2026-01-01T01:00:00+01:00"),
        a_capture("a", "odd", captured_at="some day"),
    )
    assert select(path, "SELECT captured_at FROM capture ORDER BY version") == [
        ("2026-01-01T00:00:00.000000Z",),
        ("2026-01-01T00:00:00.500000Z",),
        ("some day",),
    ]


def test_forged_notes_do_not_end_a_build(tmp_path: Path) -> None:
    """Surrogates, numbers beyond 64 bits and what is no JSON are stored as near as can be."""
    hop = a_redirect("http://a.example/", "http://[b", 10**30)
    capture = replace(
        with_redirects(a_capture("a", "x", url="https://\ud800.example/", size=10**30), hop),
        note={"deep": [float("nan"), "\udfff", {"n": float("inf")}], "redirects": [7, {"url": 1}]},
    )
    path = build_index(
        tmp_path, capture, texts=library(x=Extract(text="cut \ud83d", title="\ud83d"))
    )
    assert select(path, "SELECT url, size FROM capture") == [("https://\ufffd.example/", None)]
    assert select(path, "SELECT url, status FROM link") == [("http://[b", None)]
    assert select(path, "SELECT title, text FROM text") == [("\ufffd", "cut \ufffd")]
    with open_index(path) as connection:
        note = note_of(connection, capture.capture_id)
    assert note["deep"] == [None, "\ufffd", {"n": None}]


def test_seeds_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    """One document in two seeds files, or a relation that leads nowhere, is an error of use."""
    lost = Relation(kind=RelationKind.CITES, document=DocumentId("nowhere"))
    one = a_collection(a_document("a"))
    other = a_collection(a_document("a"), identifier=CollectionId("b"))
    cases = (
        ((one, other), "same document"),
        ((a_collection(a_document("a", relations=(lost,))),), "nowhere"),
    )
    for collections, message in cases:
        with pytest.raises(UsageError, match=message):
            build(path=tmp_path / "i.db", collections=collections, surveys=(), derive=None)


def test_two_files_of_one_name_are_named(tmp_path: Path) -> None:
    """A WARC file's name is its key."""
    with pytest.raises(UsageError, match=r"a\.warc\.gz: two WARC files"):
        build(path=tmp_path / "i.db", collections=(), surveys=(a_survey(), a_survey()), derive=None)


def test_an_interrupted_build_leaves_the_old_index(tmp_path: Path) -> None:
    """Whatever ends a build, the index stays byte for byte and no other file is left."""
    path = build_index(tmp_path, a_capture("a", "x"))
    before = path.read_bytes()

    def interrupted() -> Iterator[Survey]:
        yield a_survey(a_capture("b", "y"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(path=path, collections=(), surveys=interrupted(), derive=None)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_build_left_is_cleared(tmp_path: Path) -> None:
    """A leftover new file, and journals beside the old index, do no harm to the next build."""
    for name in ("provenance.db.new", "provenance.db-wal", "provenance.db-journal"):
        (tmp_path / name).write_bytes(b"left over")
    path = build_index(tmp_path, a_capture("a", "x"))
    assert select(path, "SELECT count(*) FROM capture") == [(1,)]
    assert list(tmp_path.iterdir()) == [path]


def test_two_builds_do_not_meet(tmp_path: Path) -> None:
    """While one build holds the folder, another one says so and changes nothing."""
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match="another build"):
            build_index(tmp_path, a_capture("a", "x"))
    finally:
        os.close(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A folder in the way of the file is a storage error with the path."""
    (tmp_path / "provenance.db").mkdir()
    with pytest.raises(StorageError, match=r"provenance\.db"):
        build_index(tmp_path, a_capture("a", "x"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["provenance.db"]


def test_without_texts_the_core_is_the_same(tmp_path: Path) -> None:
    """The core digest does not depend on text extraction; the whole digest does."""
    made = [
        build(
            path=tmp_path / "i.db",
            collections=(a_collection(a_document("a")),),
            surveys=(a_survey(a_capture("a", "x")),),
            derive=derive,
        )
        for derive in (None, library("x"), library(x=Extract(text="y")))
    ]
    assert len({each.core_digest for each in made}) == 1
    assert len({each.digest for each in made}) == 3
    assert made[0].digest == made[0].core_digest
    assert dump_digest(tmp_path / "i.db") == (made[2].digest, made[2].core_digest)


def test_rowids_of_texts_survive_vacuum(tmp_path: Path) -> None:
    """A search row still belongs to its text after VACUUM, also where some texts are empty."""
    contents = [f"word{n}" if n % 3 else "" for n in range(40)]
    path = build_index(
        tmp_path,
        *(a_capture(f"d{n}", f"c{n}") for n in range(40)),
        texts=library(**{f"c{n}": Extract(text=text) for n, text in enumerate(contents)}),
    )
    before = dump_digest(path)
    connection = sqlite3.connect(path)
    connection.execute("VACUUM")
    connection.close()
    assert dump_digest(path) == before


def test_a_file_of_another_schema_is_no_index(tmp_path: Path) -> None:
    """A missing file, another database, another version and no database all name the remedy."""
    path = build_index(tmp_path, a_capture("a", "x"))
    older = sqlite3.connect(path)
    older.execute("PRAGMA user_version = 9")
    older.close()
    text = tmp_path / "text.db"
    text.write_text("no database at all, but long enough to have a header to look at " * 20)
    (tmp_path / "empty.db").touch()
    for name in ("provenance.db", "text.db", "empty.db", "missing.db"):
        with (
            pytest.raises(IndexMissingError, match="provenance index"),
            open_index(tmp_path / name),
        ):
            pass


def test_an_open_index_cannot_be_written(tmp_path: Path) -> None:
    """Look-ups have a connection that refuses to write."""
    with (
        open_index(build_index(tmp_path, a_capture("a", "x"))) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM capture")


def test_a_path_with_odd_characters_is_opened(tmp_path: Path) -> None:
    """A question mark or percent sign in the path is part of the name."""
    folder = tmp_path / "50% sure?#1"
    folder.mkdir()
    path = build_index(folder, a_capture("a", "x"))
    assert select(path, "SELECT count(*) FROM capture") == [(1,)]


def test_seeds_cards_are_kept_whole(tmp_path: Path) -> None:
    """Every field of a seeds entry stands in its rows."""
    papers = a_document(
        "a",
        title_original="港口",
        language="zh",
        url_status=AddressStatus.RECALLED,
        alternates=(
            Alternate(
                url="https://m.example/",
                role=AlternateRole.RECORD,
                status=AddressStatus.CONFIRMED,
                note="n",
            ),
        ),
    )
    path = build_index(tmp_path, documents=(papers,))
    assert select(path, "SELECT title_original, language, url_status, in_seeds FROM document") == [
        ("港口", "zh", "recalled", 1)
    ]
    assert select(path, "SELECT * FROM alternate") == [
        ("a", 1, "https://m.example/", "record", "confirmed", "n")
    ]
    assert select(path, "SELECT kind, name FROM source ORDER BY kind") == [
        ("seeds", f"seeds/{HARBOUR}.toml"),
        ("warc", "a.warc.gz"),
    ]
