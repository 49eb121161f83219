"""Looking up captures, documents, ids and links in an index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from provenance import index
from provenance.digest import Digest, digest_of, from_hex, hex_of, to_hash_uri, to_ni
from provenance.errors import AmbiguousIdError, UnknownIdError
from provenance.index import (
    CaptureRow,
    CitationRow,
    DocumentRow,
    IdKind,
    LinkTarget,
    ListedBy,
    Near,
    capture,
    captures,
    captures_of,
    citation,
    document,
    documents,
    links_of,
    note_of,
    open_index,
    resolve,
    source_files,
)
from provenance.index.schema import CAPTURE
from provenance.index.views import CITATION, DOCUMENT_LATEST
from provenance.model import Alternate, AlternateRole, Outcome, OutcomeKind
from tests.index_builders import (
    Extract,
    a_capture,
    a_document,
    a_redirect,
    build_index,
    instant,
    library,
    with_redirects,
)


def named(hexadecimal: str) -> Digest:
    """Return a digest that begins with these digits."""
    return from_hex(hexadecimal.ljust(64, "0"))


OLD = a_capture("papers", "old", 1, capture_id=named("aaaaaaaa11"))
NEW = a_capture("papers", "new", 2, capture_id=named("aaaaaaaa22"), content_id=named("bbbbbbbb"))
WALL = a_capture(
    "papers",
    "wall",
    3,
    capture_id=named("cccccccc"),
    content_id=named("aaaaaaaa22ff"),
    outcome=OutcomeKind.CHALLENGE,
)
LOST = a_capture("deadbeef", None, 4, capture_id=named("dddddddd"))


@contextmanager
def shelf(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open an index of a document with three captures, one that failed, and one never fetched."""
    names = ("papers", "deadbeef", "wanted")
    path = build_index(
        folder, OLD, NEW, WALL, LOST, documents=tuple(a_document(name) for name in names)
    )
    with open_index(path) as connection:
        yield connection


@pytest.mark.parametrize(
    ("wanted", "kind", "identifier", "shown"),
    [
        ("papers", IdKind.DOCUMENT, "papers", NEW.capture_id),
        (" papers\n", IdKind.DOCUMENT, "papers", NEW.capture_id),
        ("deadbeef", IdKind.DOCUMENT, "deadbeef", LOST.capture_id),
        ("wanted", IdKind.DOCUMENT, "wanted", None),
        ("aaaaaaaa11", IdKind.CAPTURE, OLD.capture_id, OLD.capture_id),
        ("CCCCCCCC", IdKind.CAPTURE, WALL.capture_id, WALL.capture_id),
        (NEW.capture_id, IdKind.CAPTURE, NEW.capture_id, NEW.capture_id),
        (hex_of(OLD.capture_id), IdKind.CAPTURE, OLD.capture_id, OLD.capture_id),
        (to_ni(OLD.capture_id), IdKind.CAPTURE, OLD.capture_id, OLD.capture_id),
        ("sha256:bbbbbbbb", IdKind.CONTENT, named("bbbbbbbb"), NEW.capture_id),
        (to_hash_uri(named("bbbbbbbb")), IdKind.CONTENT, named("bbbbbbbb"), NEW.capture_id),
        ("aaaaaaaa22ff", IdKind.CONTENT, named("aaaaaaaa22ff"), WALL.capture_id),
    ],
)
def test_an_id_names_one_thing(
    tmp_path: Path, wanted: str, kind: IdKind, identifier: str, shown: str | None
) -> None:
    """Documents, captures and contents are found by id, in every form, and by a unique prefix."""
    with shelf(tmp_path) as connection:
        found = resolve(connection, wanted)
    assert (found.kind, found.id) == (kind, identifier)
    assert (found.capture and found.capture.capture_id) == shown
    assert found.document == ("papers" if kind is not IdKind.DOCUMENT else identifier)


def test_an_ambiguous_prefix_lists_captures_and_contents(tmp_path: Path) -> None:
    """A prefix that fits a capture and a content is as ambiguous as one that fits two captures."""
    with shelf(tmp_path) as connection:
        with pytest.raises(AmbiguousIdError) as several:
            resolve(connection, "aaaaaaaa")
        with pytest.raises(AmbiguousIdError) as two:
            resolve(connection, "sha256:aaaaaaaa22")
    assert several.value.candidates == (
        f"capture {OLD.capture_id}",
        f"capture {NEW.capture_id}",
        f"content {WALL.content_id}",
    )
    assert len(two.value.candidates) == 2


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("paper", "Did you mean papers?"),
        ("eeeeeeee", "no capture or content begins with 'eeeeeeee'"),
        ("zzz", "provenance list"),
        ("aaaa", "no document, capture or content"),
        ("", "no document"),
        ("100%_'\"", "no document"),
    ],
)
def test_an_unknown_id_is_told_with_near_ones(tmp_path: Path, wanted: str, told: str) -> None:
    """An id that is nowhere is an error of use that helps."""
    with shelf(tmp_path) as connection, pytest.raises(UnknownIdError, match=told[:40]) as error:
        resolve(connection, wanted)
    assert told in str(error.value)


def test_captures_come_newest_first_and_filtered(tmp_path: Path) -> None:
    """Filters are all applied; limit and offset cut the order."""
    with shelf(tmp_path) as connection:
        every = [row.capture_id for row in captures(connection)]
        versions = captures(connection, document="papers", is_version=True)
        failed = captures(connection, outcome="failed")
        part = captures(connection, limit=1, offset=1)
        same = captures(connection, content_id=str(OLD.content_id))
        of = captures_of(connection, "papers")
        none = captures(connection, collection="other")
    assert every == [each.capture_id for each in (LOST, WALL, NEW, OLD)]
    assert [row.version for row in versions] == [2, 1]
    assert [row.reason for row in failed] == ["refused"]
    assert [row.capture_id for row in part] == [WALL.capture_id]
    assert [row.capture_id for row in same] == [OLD.capture_id]
    assert [row.capture_id for row in of] == every[1:]
    assert none == ()


def test_a_capture_row_has_the_keys_of_an_outcome() -> None:
    """Every key of an outcome is a field of the row, and every field but the note a column."""
    names = {each.name for each in fields(CaptureRow)}
    assert {each.name for each in fields(Outcome)} <= names
    assert names == set(CAPTURE.names) - {"note"}
    assert {each.name for each in fields(DocumentRow)} == set(DOCUMENT_LATEST.names)
    assert {each.name for each in fields(CitationRow)} == set(CITATION.names)


def test_a_capture_row_holds_what_was_captured(tmp_path: Path) -> None:
    """Flags are a tuple, truths are truths, outcomes are outcome words."""
    flagged = a_capture("a", "x", flags=("unexpected_media_type",))
    with open_index(build_index(tmp_path, flagged)) as connection:
        row = capture(connection, flagged.capture_id)
        note = note_of(connection, flagged.capture_id)
        cited = citation(connection, flagged.capture_id)
        nothing = (
            capture(connection, "sha256:0"),
            citation(connection, "sha256:0"),
            document(connection, "nobody"),
            note_of(connection, "sha256:0"),
        )
    assert row is not None and cited is not None
    assert (row.flags, row.is_version, row.outcome) == (
        ("unexpected_media_type",),
        True,
        OutcomeKind.CAPTURED,
    )
    assert (row.warc, row.offset, row.length) == ("a.warc.gz", 1000, 100)
    assert note == flagged.note
    assert (cited.title, cited.publisher, cited.operator, cited.in_seeds) == (
        "Title of a",
        "Council of Harbour Town",
        "A. Reader",
        True,
    )
    assert nothing == (None, None, None, {})


def test_documents_come_in_the_order_of_the_seeds(tmp_path: Path) -> None:
    """Those outside the seeds are last; filters and limits apply to the whole list."""
    path = build_index(
        tmp_path,
        a_capture("stray", "x"),
        documents=(a_document("z"), a_document("b", language="zh"), a_document("m")),
    )
    with open_index(path) as connection:
        assert [row.document for row in documents(connection)] == ["z", "b", "m", "stray"]
        assert [row.document for row in documents(connection, limit=2, offset=1)] == ["b", "m"]
        assert [row.document for row in documents(connection, in_seeds=False)] == ["stray"]
        assert [row.document for row in documents(connection, language="zh")] == ["b"]
        assert documents(connection, role="independent") == ()
        wanted = document(connection, "z")
    assert wanted is not None
    assert (wanted.captures, wanted.versions, wanted.last_outcome) == (0, 0, None)


def test_sources_are_what_the_index_was_made_from(tmp_path: Path) -> None:
    """Each WARC and seeds file with its digest."""
    with shelf(tmp_path) as connection:
        found = [(row.kind, row.name, row.sha256) for row in source_files(connection)]
    assert found == [
        ("seeds", "seeds/harbour.toml", digest_of(b"harbour")),
        ("warc", "a.warc.gz", digest_of(b"a.warc.gz")),
    ]


def linked(folder: Path, *urls: str) -> dict[str, tuple[LinkTarget, ...]]:
    """Return what is archived of each address that one document links to."""
    page = a_capture("page", "page", 1)
    path = build_index(
        folder,
        page,
        a_capture("study", "s", 2, url="http://a.example/study", final_url="https://a.example/s/"),
        a_capture("study", "s2", 3, url="http://a.example/study", final_url="https://a.example/s/"),
        a_capture("lost", None, 4, url="https://a.example/lost", final_url=None),
        documents=(
            a_document("page"),
            a_document("study", url="http://a.example/study"),
            a_document("lost", url="https://a.example/lost"),
            a_document(
                "other",
                url=None,
                alternates=(
                    Alternate(url="https://m.example/o", role=AlternateRole.REPUBLICATION),
                ),
            ),
        ),
        texts=library(page=Extract(text="", links=tuple((url, "label") for url in urls))),
    )
    with open_index(path) as connection:
        row = capture(connection, page.capture_id)
        assert row is not None
        return {link.url: link.archived for link in links_of(connection, row)}


def test_links_say_what_of_them_is_archived(tmp_path: Path) -> None:
    """Exact but for the fragment; near but for scheme or a last slash; or only in the seeds."""
    study = "https://a.example/s/"
    found = linked(
        tmp_path,
        "http://a.example/study#p2",
        "https://a.example/s",
        "https://a.example/lost",
        "https://m.example/o",
        "https://a.example/unknown",
        "mailto:a@example.org",
        "http://[broken",
    )
    newest = a_capture("study", "s2", 3).capture_id

    def told(url: str) -> list[tuple[str, str, Near, ListedBy, str | None]]:
        return [(t.document, t.url, t.match, t.by, t.capture_id) for t in found[url]]

    assert told("http://a.example/study#p2") == [
        ("study", "http://a.example/study", Near.EXACT, ListedBy.CAPTURE, newest)
    ]
    assert told("https://a.example/s") == [("study", study, Near.NEAR, ListedBy.CAPTURE, newest)]
    assert told("https://a.example/lost") == [
        ("lost", "https://a.example/lost", Near.EXACT, ListedBy.SEEDS, None)
    ]
    assert told("https://m.example/o") == [
        ("other", "https://m.example/o", Near.EXACT, ListedBy.ALTERNATE, None)
    ]
    assert found["https://a.example/unknown"] == found["mailto:a@example.org"] == ()
    assert found["http://[broken"] == ()


def test_more_links_than_one_query_holds(tmp_path: Path) -> None:
    """A page of a thousand links loses none."""
    urls = [f"https://x.example/{n}" for n in range(1000)] + ["http://a.example/study"]
    found = linked(tmp_path, *urls)
    assert list(found) == urls
    assert [target.document for target in found["http://a.example/study"]] == ["study"]


def test_redirects_come_before_hyperlinks(tmp_path: Path) -> None:
    """The way to the page first, then what the page cites; a failed capture has only the way."""
    way = with_redirects(
        a_capture("a", "x", 1),
        a_redirect("http://a.example/1", "/2"),
        a_redirect("http://a.example/2", "https://b.example/", 302),
    )
    failed = with_redirects(a_capture("a", None, 2), a_redirect("http://a.example/1", "/2"))
    texts = library(x=Extract(text="", links=(("https://c.example/", None),)))
    with open_index(build_index(tmp_path, way, failed, texts=texts)) as connection:
        rows = {row.captured_at: links_of(connection, row) for row in captures(connection)}
    assert [(row.kind, row.position, row.url, row.status) for row in rows[instant(1)]] == [
        ("redirect", 1, "http://a.example/2", 301),
        ("redirect", 2, "https://b.example/", 302),
        ("hyperlink", 1, "https://c.example/", None),
    ]
    assert [row.url for row in rows[instant(2)]] == ["http://a.example/2"]


def test_lookups_use_indexes(tmp_path: Path) -> None:
    """No look-up of pages scans the table of captures."""
    with shelf(tmp_path) as connection:
        for where in (
            "document = ? ORDER BY captured_at DESC, capture_id DESC",
            "collection = ? ORDER BY captured_at DESC, capture_id DESC",
            "outcome = ? ORDER BY captured_at DESC, capture_id DESC",
            "content_id = ?",
            "url = ?",
            "final_url = ?",
            "run = ?",
            "capture_id >= ?",
        ):
            plan = connection.execute(
                f"EXPLAIN QUERY PLAN SELECT * FROM capture WHERE {where}", ("x",)
            ).fetchall()
            steps = " ".join(step[3] for step in plan)
            assert "SEARCH capture" in steps and "TEMP B-TREE" not in steps, (where, steps)


def test_each_name_of_the_room_is_there_and_none_is_also_a_files() -> None:
    """Names come when they are asked for; a file of the same name would take the place of one."""
    room = Path(index.__file__).parent
    files = {path.stem for path in room.glob("*.py")}
    for name in index.__all__:
        assert not isinstance(getattr(index, name), ModuleType)
    assert files & set(index.__all__) == set()
    assert not hasattr(index, "nothing_of_this_name")
