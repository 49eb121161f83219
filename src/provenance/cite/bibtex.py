"""Write a citation as a BibTeX entry, for classic BibTeX, biber and what imports them. Pure."""

from __future__ import annotations

import re

from provenance.cite.citation import Citation
from provenance.cite.identifiers import citation_key
from provenance.cite.plain import web_address
from provenance.cite.prose import record_sentences, title_of, unlinked_address
from provenance.cite.running import plain_sentence
from provenance.dates import format_seconds, parse_instant, parse_partial_date
from provenance.names import split_names
from provenance.plain_text import clean

# BibTeX counts braces even behind a backslash, so a brace in a value is written as a command.
_LATEX = {
    "\\": r"{\textbackslash}",
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "~": r"{\textasciitilde}",
    "^": r"{\textasciicircum}",
    "<": r"{\textless}",
    ">": r"{\textgreater}",
    "|": r"{\textbar}",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
}
_LATEX_SPECIAL = re.compile(r"[\\{}~^<>|#$%&_]")
_LIGATURE = re.compile(r"([-'`,])(?=\1)|[?!](?=`)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def to_bibtex(citation: Citation) -> str:
    """Return one entry in UTF-8: `@online` with a web address, `@misc` without.

    Each name stands in braces of its own, so that no program takes it apart. `date` serves biber,
    `year` and `month` classic BibTeX; what has no field of its own stands in `note`.

    Source: biblatex manual §2.1.1 (entry types), §2.2.2 (fields), §2.3.8 (dates).
    """
    fields = (*_text_fields(citation), *_date_fields(citation), *_address_fields(citation))
    unfielded = (*unlinked_address(citation), *record_sentences(citation))
    note = " ".join(plain_sentence(sentence) for sentence in unfielded)
    lines = [f"  {name} = {value}," for name, value in (*fields, ("note", _braced(note)))]
    kind = "online" if web_address(citation.url) else "misc"
    return "\n".join((f"@{kind}{{{citation_key(citation)},", *lines, "}", ""))


def latex_escape(text: str) -> str:
    """Return `text` with the characters that LaTeX or BibTeX would act on written as commands."""
    # An empty group keeps TeX from drawing `--` as a dash, or `''` as a quotation mark.
    apart = _LATEX_SPECIAL.sub(lambda match: _LATEX[match[0]], text)
    return _LIGATURE.sub(lambda match: match[0] + "{}", apart)


def _text_fields(citation: Citation) -> tuple[tuple[str, str], ...]:
    names = " and ".join(f"{{{latex_escape(name)}}}" for name in split_names(citation.author))
    fields = (
        ("title", title_of(citation)),
        ("origtitle", clean(citation.title_original)),
        ("publisher", clean(citation.publisher)),
        ("language", clean(citation.language)),
    )
    return (
        *((("author", f"{{{names}}}"),) if names else ()),
        *((name, _braced(value)) for name, value in fields if value),
    )


def _date_fields(citation: Citation) -> tuple[tuple[str, str], ...]:
    if not citation.published:
        return ()
    year, *rest = parse_partial_date(citation.published).split("-")
    month = (("month", _MONTHS[int(rest[0]) - 1]),) if rest else ()
    return (("date", f"{{{citation.published}}}"), ("year", f"{{{year}}}"), *month)


def _address_fields(citation: Citation) -> tuple[tuple[str, str], ...]:
    # A url is read verbatim: its braces and backslashes are already percent-encoded.
    address = web_address(citation.url)
    if address is None:
        return ()
    seen = format_seconds(parse_instant(citation.captured_at))[:10]
    return (("url", f"{{{address}}}"), ("urldate", f"{{{seen}}}"))


def _braced(text: str) -> str:
    return f"{{{latex_escape(text)}}}"
