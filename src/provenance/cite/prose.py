"""Say a citation in sentences of marked pieces, for each form to dress. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from provenance.cite.citation import Citation
from provenance.cite.identifiers import pwid_of
from provenance.cite.plain import other_address, web_address
from provenance.dates import parse_partial_date
from provenance.digest import to_hash_uri, to_ni
from provenance.names import split_names
from provenance.plain_text import clean, one_line


class Kind(Enum):
    """What a piece is, so that a form knows how to write it."""

    WORDS = auto()
    FOREIGN = auto()
    TITLE = auto()
    ORIGINAL_TITLE = auto()
    DATE = auto()
    INSTANT = auto()
    ADDRESS = auto()
    FINAL_ADDRESS = auto()
    ID = auto()
    URN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of one kind. `text` is clean and on one line, and not yet escaped."""

    kind: Kind
    text: str


Sentence = tuple[Piece, ...]

_OUTCOME_WORDS = {
    "captured": None,
    "unchanged": None,
    "truncated": "Incomplete capture: the content id covers only what arrived",
    "error_status": "Capture of an error page",
    "challenge": "Capture of a challenge, consent or login page",
}


def sentences(citation: Citation) -> tuple[Sentence, ...]:
    """Return the whole citation: who, what, where, when, then the ids."""
    address = _address(citation)
    return (
        *_authorship(citation),
        _titles(citation),
        *_publication(citation),
        *(((address,),) if address else unlinked_address(citation)),
        *record_sentences(citation),
    )


def record_sentences(citation: Citation) -> tuple[Sentence, ...]:
    """Return what a bibliographic record has no field for: passage, capture and ids."""
    locator, final = clean(citation.locator), _final_address(citation)
    return (
        *(((_words("Cited at "), _foreign(locator)),) if locator else ()),
        *(((_words("Served from "), final),) if final else ()),
        *_capture(citation),
        (
            _words("Content id "),
            _id(citation.content_id),
            _words(" ("),
            _id(to_hash_uri(citation.content_id)),
            _words(", "),
            _id(to_ni(citation.content_id)),
            _words(")"),
        ),
        (
            _words("Capture id "),
            _id(citation.capture_id),
            _words(" ("),
            Piece(kind=Kind.URN, text=pwid_of(citation)),
            _words(")"),
        ),
    )


def unlinked_address(citation: Citation) -> tuple[Sentence, ...]:
    """Return a sentence with the address as asked, if it is none that a link may have."""
    other = other_address(citation.url)
    return ((_words("Address "), _foreign(other)),) if other else ()


def title_of(citation: Citation) -> str:
    """Return the title on one line, or the document id where it holds nothing that shows."""
    return one_line(citation.title) or citation.document


def _address(citation: Citation) -> Piece | None:
    """Return the address as asked, if it is one that a link may have."""
    web = web_address(citation.url)
    return Piece(kind=Kind.ADDRESS, text=web) if web else None


def ends_sentence(text: str) -> bool:
    """Say whether `text` brings its own full stop."""
    return text.endswith((".", "?", "!", "…", "。", "？", "！"))


def _authorship(citation: Citation) -> tuple[Sentence, ...]:
    names = split_names(citation.author)
    pieces: list[Piece] = []
    for name in names:
        pieces += [_words(", ")] if pieces else []
        pieces.append(_foreign(name))
    return (tuple(pieces),) if pieces else ()


def _titles(citation: Citation) -> Sentence:
    title = Piece(kind=Kind.TITLE, text=title_of(citation))
    original = clean(citation.title_original)
    if original is None:
        return (title,)
    piece = Piece(kind=Kind.ORIGINAL_TITLE, text=original)
    return (title, _words(" ["), piece, _words("]"))


def _publication(citation: Citation) -> tuple[Sentence, ...]:
    publisher = clean(citation.publisher)
    published = parse_partial_date(citation.published) if citation.published else None
    pieces = [_foreign(publisher)] if publisher else []
    if published:
        pieces += [_words(", ")] if pieces else []
        pieces.append(Piece(kind=Kind.DATE, text=published))
    return (tuple(pieces),) if pieces else ()


def _final_address(citation: Citation) -> Piece | None:
    final = clean(citation.final_url)
    if final is None or final == clean(citation.url):
        return None
    web = web_address(final)
    return Piece(kind=Kind.FINAL_ADDRESS, text=web) if web else _foreign(final)


def _capture(citation: Citation) -> tuple[Sentence, ...]:
    verb = "Obtained by hand " if citation.obtained_by_hand else "Captured "
    when = Piece(kind=Kind.INSTANT, text=one_line(citation.captured_at))
    place = f", collection {one_line(citation.collection)}, document {one_line(citation.document)}"
    state = _OUTCOME_WORDS.get(citation.outcome, f"Outcome {one_line(citation.outcome)}")
    source = clean(citation.imported_from)
    origin = (
        (_words("Imported from "), _foreign(source), _words(", not observed")) if source else ()
    )
    return (
        (_words(verb), when, _words(place)),
        *(((_words(state),),) if state else ()),
        *((origin,) if origin else ()),
    )


def _words(text: str) -> Piece:
    return Piece(kind=Kind.WORDS, text=text)


def _foreign(text: str) -> Piece:
    return Piece(kind=Kind.FOREIGN, text=text)


def _id(text: str) -> Piece:
    return Piece(kind=Kind.ID, text=text)
