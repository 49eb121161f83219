"""Searching an index: which documents are found, in which order, with which words shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provenance.errors import IndexMissingError, UsageError
from provenance.index import SearchHit, search
from provenance.model import OutcomeKind, Role
from tests.index_builders import Extract, a_capture, a_document, build_index, instant, library

LONG = (
    "Opening words. " * 60
    + "Here 新疆棉花产业的报告 stands, with a harbour\u200bside. "
    + "End. " * 80
)


def names(hits: tuple[SearchHit, ...]) -> list[str]:
    """Return the documents of hits, in order."""
    return [hit.document for hit in hits]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of a few documents, some with texts and some wanted."""
    return build_index(
        tmp_path_factory.mktemp("shelf"),
        a_capture("article", "first", 1),
        a_capture("article", "second", 2),
        a_capture("minutes", "second", 3),
        a_capture("wall", "wall", 4, outcome=OutcomeKind.CHALLENGE),
        a_capture("long", "long", 5),
        documents=(
            a_document("article", title="Bridge closed", role=Role.SOURCE, language="en"),
            a_document("minutes", title="Minutes", publisher="Archive of Minutes"),
            a_document("wall", title="Walled", author="N. Obody"),
            a_document("long", title="Long paper", language="zh"),
            a_document("wanted", title="Report on cranes", title_original="起重机报告", url=None),
        ),
        texts=library(
            first=Extract(text="The ferry and the crane.", title="Ferry news"),
            second=Extract(text="The bridge and the crane."),
            wall=Extract(text="crane: prove that you are human"),
            long=Extract(text=LONG, language="en"),
        ),
    )


def test_a_hit_is_the_newest_version_with_the_words(shelf: Path) -> None:
    """A document is one hit; words only in an older version show that version."""
    (ferry,) = search(shelf, "ferry")
    assert ferry.capture is not None and ferry.capture.captured_at == instant(1)
    assert ferry.in_text and not ferry.on_card and ferry.text_title == "Ferry news"
    crane = {str(hit.document): hit.capture for hit in search(shelf, "crane")}
    assert crane.keys() == {"article", "minutes"}
    assert crane["article"] is not None and crane["article"].captured_at == instant(2)


def test_pages_that_are_no_version_are_not_found(shelf: Path) -> None:
    """The text of a bot wall answers no search; its document is found by its card."""
    assert search(shelf, "human") == ()
    (hit,) = search(shelf, "walled")
    assert hit.capture is None and hit.on_card


def test_a_wanted_document_is_found_by_its_card(shelf: Path) -> None:
    """Title, original title, publisher and author are looked through, captured or not."""
    for words, document in (
        ("cranes report", "wanted"),
        ("起重", "wanted"),
        ("obody", "wall"),
        ('"archive of"', "minutes"),
    ):
        (hit,) = search(shelf, words)
        assert (hit.document, hit.in_text, hit.snippet) == (document, False, ())


def test_cards_come_before_texts(shelf: Path) -> None:
    """The document whose title has the word is first."""
    assert names(search(shelf, "bridge")) == ["article", "minutes"]
    first = search(shelf, "bridge")[0]
    assert first.on_card and first.in_text and ("bridge", True) in first.snippet


def test_a_snippet_is_original_text(shelf: Path) -> None:
    """Its pieces joined stand in the text, zero-width spaces aside, with the words marked."""
    (hit,) = search(shelf, "棉花")
    assert ("棉花", True) in hit.snippet
    shown = "".join(text for text, _ in hit.snippet).strip(" …")
    assert shown in LONG.replace("\u200b", "")
    assert "新疆棉花产业的报告" in shown
    assert [text for text, match in hit.snippet if match] == ["棉花"]


def test_excluded_words_exclude_documents(shelf: Path) -> None:
    """A document is left out if the version shown, or its card, has an excluded word."""
    assert names(search(shelf, "crane -bridge")) == []
    assert names(search(shelf, "closed -crane")) == []
    assert names(search(shelf, "the -minutes -bridge")) == []
    assert names(search(shelf, "bridge -minutes")) == ["article"]


def test_filters_narrow_by_the_card(shelf: Path) -> None:
    """Role, publisher and language; the text's own language counts where the card has none."""
    assert names(search(shelf, "bridge", role="source")) == ["article"]
    assert names(search(shelf, "crane", publisher="Archive of Minutes")) == ["minutes"]
    assert names(search(shelf, "opening", language="zh")) == ["long"]
    assert names(search(shelf, "opening", language="en")) == []
    assert names(search(shelf, "bridge", role="independent")) == []


def test_pages_of_hits_follow_each_other(shelf: Path) -> None:
    """Limit and offset cut one stable order."""
    whole = search(shelf, "council")
    assert len(whole) == 4
    parts = [search(shelf, "council", limit=1, offset=n) for n in range(5)]
    assert [hit for part in parts for hit in part] == list(whole)


def test_a_text_of_two_documents_is_found_for_both(tmp_path: Path) -> None:
    """A content that two documents share is a hit for each."""
    path = build_index(tmp_path, a_capture("a", "x"), a_capture("b", "x"), texts=library("x"))
    assert names(search(path, "x")) == ["a", "b"]


def test_a_title_weighs_more_than_the_text(tmp_path: Path) -> None:
    """Among texts, one that has the word in its own title is better."""
    path = build_index(
        tmp_path,
        a_capture("a", "one"),
        a_capture("b", "two"),
        a_capture("c", "three"),
        texts=library(
            one=Extract(text="crane crane and other things", title="Other"),
            two=Extract(text="a crane and other things", title="Crane"),
            three=Extract(text="nothing of the sort"),
        ),
    )
    assert names(search(path, "crane")) == ["b", "a"]


def test_marks_in_a_text_stay_text(tmp_path: Path) -> None:
    """Markup and control characters in a text come back as plain text pieces."""
    text = "\ufdd1<b>crane</b>\ufdd0 \x02\x03 <script>"
    path = build_index(tmp_path, a_capture("a", "x"), texts=library(x=Extract(text=text)))
    (hit,) = search(path, "crane")
    assert "".join(piece for piece, _ in hit.snippet) == text.replace("\ufdd0", "").replace(
        "\ufdd1", ""
    )
    assert ("crane", True) in hit.snippet


def test_search_needs_words_and_an_index(tmp_path: Path) -> None:
    """No words is an error of use; no index names the remedy."""
    with pytest.raises(UsageError, match="nothing to look for"):
        search(tmp_path / "i.db", "  ")
    with pytest.raises(IndexMissingError, match="provenance index"):
        search(tmp_path / "i.db", "word")


def test_hits_are_equal_after_a_rebuild(tmp_path: Path) -> None:
    """Order and ranks depend on the rows alone, not on the order they came in."""
    captures = [a_capture(f"d{n}", "crane " * n, n) for n in range(1, 6)]
    documents = tuple(a_document(f"d{n}") for n in range(1, 6))
    texts = library(*("crane " * n for n in range(1, 6)))
    found = []
    for order, folder in ((captures, "one"), (captures[::-1], "two")):
        (tmp_path / folder).mkdir()
        path = build_index(tmp_path / folder, *order, documents=documents, texts=texts)
        found.append([(hit.document, hit.rank) for hit in search(path, "crane")])
    assert found[0] == found[1] and len(found[0]) == 5


def test_an_unlisted_document_is_found_by_its_text(tmp_path: Path) -> None:
    """A capture outside the seeds has no card, and is found all the same."""
    capture = replace(a_capture("stray", "x"), url=None, final_url=None)
    path = build_index(tmp_path, capture, documents=(), texts=library("x"))
    (hit,) = search(path, "x")
    assert (hit.document, hit.title, hit.role) == ("stray", None, None)
