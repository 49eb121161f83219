"""Turn a document's bytes into text and declared metadata. Pure: no socket, no clock, no file."""

from __future__ import annotations

from provenance.extract.charset import Decoded, decode_text
from provenance.extract.derivative import ENGINES, TEXT_ALGORITHM, Derivative, Hyperlink, text_id
from provenance.extract.fold import clean_plain
from provenance.extract.media import HEAD_BYTES, Format, format_of, refusal
from provenance.extract.prescan import html_charset, xml_charset

__all__ = [
    "ENGINES",
    "HEAD_BYTES",
    "TEXT_ALGORITHM",
    "Derivative",
    "Hyperlink",
    "extract",
    "refusal",
    "text_id",
]


def extract(
    content: bytes,
    *,
    media_type: str | None,
    charset: str | None = None,
    base_url: str | None = None,
) -> Derivative:
    """Return what `content` says, by the rules of `text-v1`.

    `media_type` is the declared Content-Type, with or without parameters; `charset` is its charset
    parameter, and is read out of `media_type` where it is None. `base_url` is what relative links
    are resolved against. Raises nothing for any content; a fault is a word in the derivative. It
    may end the whole process on a hostile file that a foreign parser fails on: `ExtractorPool`
    guards against that.

    >>> extract(b"<p>The <b>bridge</b> is open.", media_type="text/html").text
    'The bridge is open.'
    """
    fault = refusal(content[:HEAD_BYTES], media_type=media_type, size=len(content))
    form = format_of(content[:HEAD_BYTES], media_type=media_type)
    if fault is not None or form is None:
        return Derivative(fault=fault)
    if form is Format.PDF:
        from provenance.extract.pdf import pdf_derivative

        return pdf_derivative(content)
    label = charset or charset_parameter(media_type)
    if form is Format.PLAIN:
        return _plain(decode_text(content, http=label))
    return _markup(form, content, label, base_url)


def charset_parameter(media_type: str | None) -> str | None:
    """Return the charset parameter of a Content-Type, or None.

    Source: RFC 9110 §8.3.1.
    """
    for parameter in (media_type or "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip():
            return value.strip().strip("\"'")
    return None


def _markup(form: Format, content: bytes, label: str | None, base_url: str | None) -> Derivative:
    from provenance.extract.html import (
        html_derivative,
        xhtml_derivative,
        xml_derivative,
    )

    declared = html_charset if form is Format.HTML else xml_charset
    decoded = decode_text(content, http=label, declared=declared)
    if form is Format.XML:
        return xml_derivative(decoded.text, charset=decoded.charset)
    turn = html_derivative if form is Format.HTML else xhtml_derivative
    return turn(decoded.text, charset=decoded.charset, base_url=base_url)


def _plain(decoded: Decoded) -> Derivative:
    text = clean_plain(decoded.text)
    return Derivative(text=text, charset=decoded.charset, fault=None if text else "no_text")
