"""Dress a citation's sentences as plain text, Markdown or HTML. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

from provenance.cite.citation import Citation
from provenance.cite.prose import Kind, Piece, Sentence, ends_sentence, sentences
from provenance.dates import format_seconds, parse_instant
from provenance.digest import to_ni
from provenance.plain_text import one_line

_MARKDOWN_SPECIAL = re.compile(r"[\\`*_\[\]<>&~|$^]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_MARKDOWN_BLOCK_START = re.compile(r"(?=[-+#%])|[0-9]{1,9}(?=[.)])")
_ENTITY = re.compile(r"&#?\w+;")

Dress = Callable[[Piece], str]


def to_text(citation: Citation) -> str:
    """Return one paragraph of plain text, with a newline at its end."""
    return _paragraph(sentences(citation), text_of) + "\n"


def text_of(piece: Piece) -> str:
    """Return a piece as plain text: titles in quotation marks, addresses in angle brackets.

    Source: RFC 3986 Appendix C (angle brackets around a URI in text).
    """
    match piece.kind:
        case Kind.TITLE:
            return f"“{piece.text}”"
        case Kind.ADDRESS | Kind.FINAL_ADDRESS:
            return f"<{piece.text}>"
    return piece.text


def plain_sentence(sentence: Sentence) -> str:
    """Return one sentence as plain text with its full stop."""
    return _sentence(sentence, text_of)


def to_markdown(citation: Citation) -> str:
    """Return one Markdown paragraph, with a newline at its end.

    Source: CommonMark 0.31.2 §2.4 (backslash escapes), §6.1 (code spans), §6.5 (autolinks).
    """
    paragraph = _paragraph(sentences(citation), _markdown_of)
    # Inside a line a list or heading mark is only text; at its start it would open a block.
    if start := _MARKDOWN_BLOCK_START.match(paragraph):
        paragraph = f"{paragraph[: start.end()]}\\{paragraph[start.end() :]}"
    return paragraph + "\n"


def to_html(citation: Citation) -> str:
    """Return one `<p>` element, with a newline at its end.

    The address as asked is a Robust Link; its version URL is the content's `ni:` URI, since no
    public address of the copy is known. Only http and https addresses become links.

    Source: Robust Links specification §2 (`data-originalurl`, `-versiondate`, `-versionurl`).
    """

    def dress(piece: Piece) -> str:
        return _html_of(piece, citation)

    return f'<p class="provenance-citation">{_paragraph(sentences(citation), dress)}</p>\n'


def _paragraph(all_sentences: tuple[Sentence, ...], dress: Dress) -> str:
    return " ".join(_sentence(sentence, dress) for sentence in all_sentences)


def _sentence(sentence: Sentence, dress: Dress) -> str:
    last = sentence[-1]
    stopped = last.kind not in {Kind.ADDRESS, Kind.FINAL_ADDRESS} and ends_sentence(last.text)
    stop = "" if stopped else "."
    return "".join(dress(piece) for piece in sentence) + stop


def _markdown_of(piece: Piece) -> str:
    match piece.kind:
        case Kind.TITLE:
            return f"“{_markdown_escape(piece.text)}”"
        case Kind.ADDRESS | Kind.FINAL_ADDRESS:
            return _markdown_link(piece.text)
        case Kind.ID | Kind.URN:
            return f"`{piece.text}`"
    return _markdown_escape(piece.text)


def _markdown_link(address: str) -> str:
    # Parsers differ on character references inside an autolink, and agree on `\&` in a link.
    if _ENTITY.search(address):
        target = address.replace("&", "\\&")
        return f"[{_markdown_escape(address)}](<{target}>)"
    return f"<{address}>"


def _markdown_escape(text: str) -> str:
    # The colon of `://` and the dot of `www.` stop the bare links of GitHub's dialect.
    return _MARKDOWN_SPECIAL.sub(lambda match: "\\" + match[0], text)


def _html_of(piece: Piece, citation: Citation) -> str:
    text = escape(piece.text, quote=True)
    language = escape(one_line(citation.language or ""), quote=True)
    match piece.kind:
        case Kind.WORDS:
            return text
        case Kind.TITLE:
            return f'“<cite dir="auto">{text}</cite>”'
        case Kind.ORIGINAL_TITLE:
            lang = f' lang="{language}"' if language else ""
            return f'<cite dir="auto"{lang}>{text}</cite>'
        case Kind.DATE | Kind.INSTANT:
            return f'<time datetime="{text}">{text}</time>'
        case Kind.ADDRESS:
            return f'<a href="{text}"{_robust_attributes(text, citation)}>{text}</a>'
        case Kind.FINAL_ADDRESS:
            return f'<a href="{text}">{text}</a>'
        case Kind.ID | Kind.URN:
            return f"<code>{text}</code>"
    return f"<bdi>{text}</bdi>"


def _robust_attributes(escaped_address: str, citation: Citation) -> str:
    when = format_seconds(parse_instant(citation.captured_at))
    return (
        f' data-originalurl="{escaped_address}" data-versiondate="{when}"'
        f' data-versionurl="{to_ni(citation.content_id)}"'
    )
