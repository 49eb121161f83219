"""Searches for words that are in more texts than can be ranked, over a real index of so many."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from provenance.model import OutcomeKind
from provenance.reading.belonging import read_belonging
from provenance.reading.matching import MOST, matching, rank, rank_among
from provenance.reading.searching import Filters, search, search_catalogue
from provenance.web.site import create_site
from tests.index_builders import Extract, a_capture, a_document, build_index, library
from tests.web_fixture import harbour

CROWD = MOST + 2_500
OFFICES = 200


def name(number: int) -> str:
    return f"paper-{number:05d}"


def at(number: int) -> str:
    """Return an instant of its own; later papers were captured earlier."""
    minutes, second = divmod(86_399 - number, 60)
    return f"2026-01-01T{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.000000Z"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Papers that all speak of the harbour, every thousandth of a crane, each office with its own.

    The first paper has a second version, which speaks of the harbour too, and an error page.
    """
    captures = [a_capture(name(n), f"text {n}", captured_at=at(n)) for n in range(CROWD)]
    captures.append(a_capture(name(0), "newer", captured_at="2026-02-01T00:00:00.000000Z"))
    captures.append(
        a_capture(
            name(1),
            "gone",
            captured_at="2026-03-01T00:00:00.000000Z",
            outcome=OutcomeKind.ERROR_STATUS,
            status=404,
        )
    )
    texts = {
        f"text {n}": Extract(text=f"The harbour in paper {n}." + " A crane." * (n % 1000 == 7))
        for n in range(CROWD)
    }
    texts |= {
        "newer": Extract(text="The harbour, and a lighthouse."),
        "gone": Extract(text="No harbour here: gone."),
    }
    return build_index(
        tmp_path_factory.mktemp("crowd"),
        *captures,
        documents=tuple(
            a_document(name(n), publisher=f"Office {n % OFFICES}", published=f"{2000 + n % 20}")
            for n in range(CROWD)
        ),
        texts=library(**texts),
    )


@pytest.fixture
def conn(index: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{index.as_uri()}?immutable=1", uri=True)) as opened:
        yield opened


def found(conn: sqlite3.Connection, words: str, *, most: int = 40, **filters: Any) -> list[str]:
    """Return the documents of a search, and check that nothing of it depends on a second try."""
    chosen, belonging = Filters(**filters), read_belonging(conn)
    once, again = (
        search(
            conn,
            words,
            chosen,
            belonging if chosen.of_documents or chosen.newest else None,
            limit=most,
            offset=0,
        )
        for _ in range(2)
    )
    assert once == again
    return [hit.document for hit in once.hits]


def test_of_too_many_texts_some_are_ranked_the_same_ones_every_time(
    conn: sqlite3.Connection,
) -> None:
    """About every second one, from the first to the last; the number told is that of all."""
    ranked = rank(conn, "harbour")
    rowids = list(ranked.rowids)
    assert rowids == list(rank(conn, "harbour").rowids)
    assert (ranked.texts, ranked.each) == (CROWD + 2, 2)
    assert abs(len(rowids) - CROWD / 2) < CROWD / 50
    places = [0, *sorted(rowids), CROWD + 3]
    assert max(after - before for before, after in pairwise(places)) < 30
    for step in (2, 3, 5, 7, 20):  # whatever documents alternate in, none of it is passed over
        for rest in range(step):
            share = sum(rowid % step == rest for rowid in rowids)
            assert abs(share - CROWD / 2 / step) < CROWD / 2 / step / 5


def test_where_all_can_be_ranked_all_are(conn: sqlite3.Connection) -> None:
    """However many other texts there are."""
    ranked = rank(conn, "crane")
    assert ranked.each == 1
    rowids = sorted(ranked.rowids)
    assert ranked.texts == len(rowids) == len(range(7, CROWD, 1000))
    assert rowids == matching(conn, "crane")


def test_ranking_some_keeps_their_order_among_all(conn: sqlite3.Connection) -> None:
    """What is left out changes nothing in how the others match."""
    everything = rank(conn, "harbour", most=CROWD + 2).rowids
    place = {text: at for at, text in enumerate(everything)}
    some = rank(conn, "harbour", most=500)
    places = [place[text] for text in some.rowids]
    assert places == sorted(places)
    every = bytes([1] * (CROWD + 3))
    among = rank_among(conn, "harbour", every, most=500)
    assert (among.texts, among.each) == (some.texts, some.each)
    assert list(among.rowids) == list(rank(conn, "harbour", most=500).rowids)


def test_ranking_among_some_leaves_out_all_others(conn: sqlite3.Connection) -> None:
    """Whether all of them are ranked or one in a few; and a row that is not told of is none."""
    for step, most in ((2, 500), (50, MOST)):
        chosen = [1 if rowid % step == 1 else 0 for rowid in range(CROWD - 99)]
        among = rank_among(conn, "harbour", bytes(chosen), most=most)
        assert among.texts == sum(chosen[rowid] for rowid in within(conn, len(chosen)))
        assert among.each == -(-among.texts // most)
        ranked = list(among.rowids)
        those = set(ranked)
        every = rank(conn, "harbour", most=CROWD + 2).rowids
        assert ranked == [rowid for rowid in every if rowid in those]
        assert all(chosen[rowid] for rowid in ranked)
        assert len(ranked) == among.texts or among.each > 1


def within(conn: sqlite3.Connection, bound: int) -> list[int]:
    return [rowid for rowid in matching(conn, "harbour") if rowid < bound]


def test_a_narrowed_search_finds_all_that_fit(conn: sqlite3.Connection) -> None:
    """A filter of few documents is exact, whatever the word."""
    wanted = {name(n) for n in range(7, CROWD, OFFICES)}
    hits = found(conn, "harbour", publisher="Office 7", most=500)
    assert set(hits) == wanted and len(hits) == len(wanted)
    assert set(found(conn, "crane", publisher="Office 7", most=500)) == {
        name(n) for n in range(7, CROWD, 1000)
    }
    assert found(conn, "crane", publisher="Office 8") == []
    dated = found(conn, "harbour", publisher="Office 7", since="2007", until="2007", most=500)
    assert set(dated) == wanted  # 7, 207, 407, … were all published in 2007


def test_a_narrowed_search_of_too_many_finds_none_that_do_not_fit(
    conn: sqlite3.Connection,
) -> None:
    """Where a filter leaves more than can be ranked, every second row is, and only what fits."""
    filters = Filters(since="2001")
    once = search(conn, "harbour", filters, read_belonging(conn), limit=9_999, offset=0)
    fitting = {name(n) for n in range(CROWD) if n % 20}
    assert (once.texts, once.each) == (len(fitting), 2)
    assert {hit.document for hit in once.hits} <= fitting
    assert abs(len(once.hits) - len(fitting) / 2) < len(fitting) / 50


def test_the_newest_come_first_out_of_all(conn: sqlite3.Connection) -> None:
    """By the first capture of the newest version that has the words."""
    assert found(conn, "harbour", newest=True, most=4) == [name(0), *by_time()[:3]]
    assert found(conn, "crane", newest=True) == [
        each for each in by_time() if int(each[-5:]) % 1000 == 7
    ]
    only = [each for each in by_time() if int(each[-5:]) % OFFICES == 7]
    assert found(conn, "harbour", newest=True, publisher="Office 7", most=500) == only


def by_time() -> list[str]:
    return [name(n) for n in range(1, CROWD)]


def test_a_hit_is_the_newest_version_that_has_the_words(conn: sqlite3.Connection) -> None:
    """Also where the best match is the older one, and never an error page unless asked."""
    (hit,) = search(conn, "harbour AND lighthouse", Filters(), None, limit=5, offset=0).hits
    assert (hit.document, hit.version, hit.versions) == (name(0), 2, 2)
    assert found(conn, "gone") == []
    assert found(conn, "gone", everything=True) == [name(1)]
    assert found(conn, "gone", everything=True, newest=True) == [name(1)]


@pytest.mark.parametrize("word", ["cran", "cra", "cr", "a cr", "A CRÂ"])
def test_a_word_with_an_open_end_is_found_like_any_other(
    conn: sqlite3.Connection, word: str
) -> None:
    """Whether or not the index keeps beginnings of words that are so long; snippets mark it."""
    assert set(found(conn, f'"{word}" *')) == set(found(conn, "crane"))
    (first, *_) = search(conn, f'"{word}" *', Filters(), None, limit=1, offset=0).hits
    marked = "a crane" if " " in word else "crane"
    assert [piece.text.lower() for piece in first.snippet if piece.marked] == [marked]


def test_cards_that_match_by_the_thousand_are_found_as_well(conn: sqlite3.Connection) -> None:
    """In the same order every time."""
    hits = search_catalogue(conn, "title", limit=8)
    assert len(hits) == 8
    assert hits == search_catalogue(conn, "title", limit=8)


def ask(index: Path, *paths: str) -> list[Any]:
    async def all_of() -> list[Any]:
        datasette = create_site(index, harbour())
        return [await datasette.client.get(path) for path in paths]

    return asyncio.run(all_of())


def test_the_page_says_that_not_all_are_in_order(index: Path) -> None:
    """With both numbers, and not where the search is exact; the JSON has them too."""
    page, exact, narrowed, newest, answer = ask(
        index,
        "/search?q=harbour",
        "/search?q=crane",
        "/search?q=harbour&publisher=Office+7",
        "/search?q=harbour&order=newest",
        "/search.json?q=harbour",
    )
    said = re.sub(r"\s+", " ", page.text)
    assert f"{CROWD + 2:,} texts have these words, too many" in said
    assert "about one in 2 was, spread evenly over the archive, and only those are" in said
    assert 'href="/search?q=harbour&amp;order=newest">newest first</a>' in said
    for other in (exact, narrowed, newest):
        assert "too many" not in other.text
    told = answer.json()
    assert (told["texts"], told["ranked_one_in"]) == (CROWD + 2, 2)
    assert told["more"] is True
    assert len(told["results"]) == 20


def test_no_page_of_a_common_word_is_said_to_have_nothing(index: Path) -> None:
    """The last pages are empty, and say no more than that."""
    (page,) = ask(index, "/search?q=harbour&page=9999")
    assert "There are no results on page 9999" in page.text
    assert "No archived text" not in page.text
