"""Turn what a person types into a query of FTS5 that is always well-formed. Pure.

1. Words are all wanted: `harbour bridge` finds what has both.
2. `"…"` is a phrase: its words side by side, in this order.
3. `*` at the end of a word or phrase stands for any ending.
4. `-` before a word or phrase excludes what has it.
5. Everything else is literal; what is neither letter nor digit only parts words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from provenance.errors import UsageError
from provenance.index.segment import segment

WORDS_LIMIT = 64
LENGTH_LIMIT = 1_000

_TERM = re.compile(r'(-?)(?:"([^"]*)"?(\*?)|([^\s"]+))')
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "＂": '"', "\0": " "})


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word or phrase to look for, or to exclude; `prefix` lets its last word go on."""

    text: str
    prefix: bool
    excluded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is wanted and what is not, each in the language of FTS5."""

    wanted: str
    unwanted: str | None

    @property
    def whole(self) -> str:
        """Both in one query."""
        return f"({self.wanted}) NOT ({self.unwanted})" if self.unwanted else self.wanted


def fts_query(words: str) -> str:
    r"""Return the FTS5 query for what a person typed.

    >>> fts_query('harbour "old bridge" cran* -ferry')
    '("harbour" AND "old bridge" AND "cran" *) NOT ("ferry")'

    Raises:
        UsageError: no word is left to look for, or there are too many.
    """
    return parse_words(words).whole


def parse_words(words: str) -> Query:
    """Return what is wanted and what is not; see `fts_query`."""
    if len(words) > LENGTH_LIMIT:
        raise UsageError(
            "too much to look for",
            expected=f"at most {LENGTH_LIMIT} characters",
            found=str(len(words)),
        )
    terms = tuple(_terms(words))
    if len(terms) > WORDS_LIMIT:
        raise UsageError(
            "too much to look for", expected=f"at most {WORDS_LIMIT} words", found=str(len(terms))
        )
    wanted = [_fts_term(term) for term in terms if not term.excluded]
    unwanted = [_fts_term(term) for term in terms if term.excluded]
    if not wanted:
        raise UsageError("nothing to look for", expected="at least one word that is not excluded")
    return Query(wanted=" AND ".join(wanted), unwanted=" OR ".join(unwanted) or None)


def _terms(words: str) -> Iterator[Term]:
    typed = words.encode("utf-8", "replace").decode().translate(_QUOTES)
    for minus, phrase, star, word in _TERM.findall(typed):
        text = word.rstrip("*") if word else phrase
        if any(letter.isalnum() for letter in text):
            yield Term(text=text, prefix=bool(star) or word.endswith("*"), excluded=bool(minus))


def _fts_term(term: Term) -> str:
    # The same word can be written composed, decomposed or in full width; any of them will do.
    forms = (term.text, *(unicodedata.normalize(form, term.text) for form in ("NFC", "NFKC")))
    ending = " *" if term.prefix else ""
    spelled = [f'"{_plain(segment(form))}"{ending}' for form in dict.fromkeys(forms)]
    return spelled[0] if len(spelled) == 1 else f"({' OR '.join(spelled)})"


def _plain(text: str) -> str:
    return text.replace('"', '""')
