"""The collection that the repository carries: its facts, its gaps and its neutral words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from provenance.model import Collection, Document, Role, TitleStatus
from provenance.seeds import parse_collection, read_collections

ROOT = Path(__file__).parents[1]
FACTS = ROOT.parent / "shared" / "facts" / "documents.json"
CORE, RESERVE = "xinjiang-briefing-2021", "xinjiang-briefing-2021-reserve"

MEDIA_TYPES = {"html": "text/html", "pdf": "application/pdf"}
OWN_TITLES = {TitleStatus.DESCRIPTIVE, TitleStatus.NOT_RECOVERED}

JUDGING_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
        absurd accurate admit admits alleged allegedly baseless biased bogus brutal claim
        claimed claims concede concedes confess controversial correctly credible debunk
        debunked debunks discredit discredited disinformation dubious expose exposes
        fabricated fact-checked fake false falsehood falsely groundless hoax horrific
        illegitimate incorrect inaccurate infamous insists ironically justified legitimate
        lie lies mislead misleading myth notorious objective oppressive propaganda prove
        proven proves refute refuted refutes regime reliable reveal reveals rightly
        slander smear so-called supposed supposedly true truth truthful unfounded
        unjustified unreliable untrue whitewash wrongly
        """,
    )
)


@pytest.fixture(scope="module")
def collections() -> dict[str, Collection]:
    return {str(one.id): one for one in read_collections(ROOT / "seeds")}


@pytest.fixture(scope="module")
def documents(collections: dict[str, Collection]) -> dict[str, Document]:
    return {doc.id: doc for name in (CORE, RESERVE) for doc in collections[name].documents}


@pytest.fixture(scope="module")
def facts() -> dict[str, dict[str, Any]]:
    if not FACTS.is_file():
        pytest.skip("the shared facts are not beside the checkout")
    entries = json.loads(FACTS.read_text(encoding="utf-8"))["documents"]
    return {entry["id"]: entry for entry in entries}


def own_words(collections: dict[str, Collection]) -> list[tuple[str, str]]:
    """Every sentence in the two files that is ours, with the place it stands at."""
    found: list[tuple[str, str | None]] = []
    for collection in (collections[CORE], collections[RESERVE]):
        found += [(collection.id, collection.title), (collection.id, collection.about)]
        for doc in collection.documents:
            found += [(doc.id, doc.note)]
            found += [(doc.id, alternate.note) for alternate in doc.alternates]
            found += [(doc.id, relation.note) for relation in doc.relations]
    return [(place, text) for place, text in found if text]


def test_the_files_hold_sixty_core_documents_and_twenty_three_in_reserve(
    collections: dict[str, Collection],
) -> None:
    """Both files are read without fault and are complete."""
    assert len(collections[CORE].documents) == 60
    assert len(collections[RESERVE].documents) == 23


def test_the_core_file_stands_without_the_reserve() -> None:
    """No document of the core points at one in reserve, so either set can be used alone."""
    core = parse_collection((ROOT / f"seeds/{CORE}.toml").read_bytes(), name="seeds/core.toml")
    ids = {doc.id for doc in core.documents}
    assert {tie.document for doc in core.documents for tie in doc.relations} <= ids


def test_one_document_is_the_source(documents: dict[str, Document]) -> None:
    """The article is the only source, and it comes first."""
    assert [doc.id for doc in documents.values() if doc.role is Role.SOURCE] == ["gt-event-article"]
    assert next(iter(documents)) == "gt-event-article"


def test_every_document_has_a_note_and_an_honest_status(documents: dict[str, Document]) -> None:
    """A title and an address always say how well they are known."""
    for doc in documents.values():
        assert doc.note, doc.id
        assert doc.title_status, doc.id
        assert (doc.url is None) == (doc.url_status is None), doc.id
        assert all(alternate.status for alternate in doc.alternates), doc.id


def test_remarks_stay_out_of_titles(documents: dict[str, Document]) -> None:
    """That a headline is unknown is said by `title_status` and the note."""
    for doc in documents.values():
        both = f"{doc.title} {doc.title_original or ''}"
        assert not re.search(r"not known|not recovered|未取得", both), doc.id


@pytest.mark.shared
def test_every_fact_is_carried_over(
    documents: dict[str, Document], facts: dict[str, dict[str, Any]]
) -> None:
    """Names, dates, languages and addresses equal the gathered facts; gaps stay gaps."""
    assert documents.keys() == facts.keys()
    for identifier, fact in facts.items():
        doc = documents[identifier]
        tier = CORE if fact["tier"] == "core" else RESERVE
        missing = fact["url_status"] == "missing"
        expected = {
            "collection": tier,
            "role": fact["role"],
            "publisher": fact["publisher"],
            "publisher_kind": fact["publisher_kind"],
            "author": fact["author"],
            "published": fact["published"],
            "language": fact["language"],
            "url": None if missing else fact["url"],
            "url_status": None if missing else fact["url_status"],
            "media_type": MEDIA_TYPES[fact["media_type"]],
            "title_status": fact["title_status"].partition(" (")[0].replace(" ", "-"),
        }
        assert {key: getattr(doc, key) for key in expected} == expected
        assert [(one.url, one.role, one.status) for one in doc.alternates] == [
            (one["url"], one["role"], one["confidence"]) for one in fact["alternates"]
        ]


@pytest.mark.shared
def test_printed_titles_are_kept_as_printed(
    documents: dict[str, Document], facts: dict[str, dict[str, Any]]
) -> None:
    """Only a title that is ours may differ from the gathered one."""
    for identifier, fact in facts.items():
        doc = documents[identifier]
        if doc.title_status not in OWN_TITLES:
            assert doc.title == fact["title"]
            assert doc.title_original == fact["title_original"]


@pytest.mark.shared
def test_notes_are_our_own_words(
    collections: dict[str, Collection], facts: dict[str, dict[str, Any]]
) -> None:
    """No six words in a row of a note stand in the working notes or in the article."""
    article = FACTS.with_name("article.txt").read_text(encoding="utf-8")
    theirs = [article, *(f"{one['bears_on']} | {one['note']}" for one in facts.values())]
    taken = {run for text in theirs for run in runs_of_words(text)}
    for place, text in own_words(collections):
        assert not runs_of_words(text) & taken, place


def runs_of_words(text: str, length: int = 6) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


def test_our_own_words_judge_nothing(
    collections: dict[str, Collection], documents: dict[str, Document]
) -> None:
    """Notes, descriptions and titles of ours hold no word that rates a statement."""
    titles = [(doc.id, doc.title) for doc in documents.values() if doc.title_status in OWN_TITLES]
    for place, text in [*own_words(collections), *titles]:
        found = JUDGING_WORDS & set(re.findall(r"[a-z]+(?:-[a-z]+)*", text.lower()))
        assert not found, (place, found)
