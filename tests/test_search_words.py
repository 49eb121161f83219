"""What a person types becomes a query of FTS5 that is always well-formed and means what it says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.errors import UsageError
from provenance.index import fts_query
from provenance.index.database import TOKENIZER
from provenance.index.segment import BREAK, segment, unsegment

TEXTS = (
    "The harbour bridge was closed. COVID疫情 began; 新疆棉花产业的报告。",
    "The bridge over the old harbour, El Niño and the café; state-of-the-art AND OR NOT",
    "カタカナとひらがなの文章です。港口委员会会议纪要",
    "100 % of 3,5 cranes* at C++ & co.",
)


@pytest.fixture(scope="module")
def shelf() -> Iterator[sqlite3.Connection]:
    """A search table of a few texts, made as the index makes it."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE VIRTUAL TABLE s USING fts5(text, tokenize='{TOKENIZER}')")
    connection.executemany("INSERT INTO s VALUES (?)", [(segment(text),) for text in TEXTS])
    yield connection
    connection.close()


def found(shelf: sqlite3.Connection, words: str) -> list[int]:
    """Return the numbers of the texts that match, from 1."""
    rows = shelf.execute("SELECT rowid FROM s WHERE s MATCH ? ORDER BY 1", (fts_query(words),))
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        ("bridge harbour", [1, 2]),
        ('"harbour bridge"', [1]),
        ("“harbour bridge”", [1]),
        ('"harbour bridge', [1]),
        ("harbour -closed", [2]),
        ('harbour -"harbour bridge"', [2]),
        ("-closed harbour", [2]),
        ("crane*", [4]),
        ("crane", []),
        ('"at C"*', [4]),
        ("HARBOUR", [1, 2]),
        ("nino cafe", [2]),
        ("El NIÑO", [2]),
        ("state-of-the-art", [2]),
        ("bridge NOT harbour", [2]),
        ("and or not", [2]),
        ("疫情", [1]),
        ("covid疫情", [1]),
        ("COVID 疫情", [1]),
        ("ＣＯＶＩＤ", [1]),
        ("棉花", [1]),
        ("花棉", []),
        ("棉花 -报告", []),
        ("港口", [3]),
        ("会议*", [3]),
        ("ひらがな", [3]),
        ("カナ", [3]),
        ("cafe\u0301", [2]),
        ("100%", [4]),
        ("C++", [4]),
    ],
)
def test_words_find_what_they_say(shelf: sqlite3.Connection, words: str, texts: list[int]) -> None:
    """Words, phrases, prefixes, exclusions, folding, and Han words inside sentences."""
    assert found(shelf, words) == texts


@settings(max_examples=300, deadline=None)
@given(
    words=st.one_of(
        st.text(max_size=60),
        st.text(alphabet='"-*() ^:{}+ANDORTE疫情a\0\ud800', max_size=40),
        st.lists(st.sampled_from(["NEAR(a b, 3)", "text:", "^a", "'", '"', "--", "港", "a*b"])).map(
            " ".join
        ),
    )
)
def test_nothing_typed_is_a_syntax_error(shelf: sqlite3.Connection, words: str) -> None:
    """Any text is either a query that FTS5 takes, or an error of use."""
    try:
        query = fts_query(words)
    except UsageError:
        return
    shelf.execute("SELECT rowid FROM s WHERE s MATCH ?", (query,)).fetchall()


@given(word=st.text(alphabet="abcxyz港口疫情é", min_size=1, max_size=6))
def test_a_word_finds_the_text_that_is_that_word(word: str) -> None:
    """Whatever the script, a text is found by itself, and by each beginning of it with a star."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE VIRTUAL TABLE s USING fts5(text, tokenize='{TOKENIZER}')")
    connection.execute("INSERT INTO s VALUES (?)", (segment(f"一{word}一"),))
    for query in (f"一{word}一", *(f"一{word[:end]}*" for end in range(1, len(word) + 1))):
        assert found(connection, query) == [1]
    connection.close()


@pytest.mark.parametrize("words", ["", "   ", '"', '""', "-", "-word", "& — !", "-a -b", "\u200b"])
def test_nothing_to_look_for_is_an_error_of_use(words: str) -> None:
    """An empty query, or exclusions alone, say that there is nothing to look for."""
    with pytest.raises(UsageError, match="nothing to look for"):
        fts_query(words)


@pytest.mark.parametrize("words", ["a " * 65, "a" * 1001])
def test_too_much_is_an_error_of_use(words: str) -> None:
    """A bound keeps a query small; nothing is cut off silently."""
    with pytest.raises(UsageError, match="too much"):
        fts_query(words)


def test_as_many_words_as_are_allowed_are_taken(shelf: sqlite3.Connection) -> None:
    """The bound on words is within what FTS5 can parse."""
    assert found(shelf, " ".join(f'"a{n}" -b{n}' for n in range(32))) == []


@given(text=st.text(alphabet="ab 港口ナか。\u3099\n", max_size=30))
def test_segmenting_loses_nothing(text: str) -> None:
    """Taking the breaks out gives the text back, and no two Han characters stay neighbours."""
    parted = segment(text)
    assert unsegment(parted) == text
    assert segment(unsegment(parted)) == parted
    assert all(pair not in parted for pair in ("港口", "口港", "a港", "港a", "ナか")), parted.split(
        BREAK
    )
