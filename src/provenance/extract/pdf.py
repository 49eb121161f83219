"""Turn a PDF into text by the rules of `text-v1`; the only door to pypdfium2. Opens no file.

The text is what the document's text objects say, page by page in their order; nothing is
recognised from images, and form fields and annotations are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pypdfium2
import pypdfium2.raw as pdfium

from provenance.extract.derivative import Derivative
from provenance.extract.fold import fold_lines, fold_one

MAX_PAGES: Final = 10_000
MAX_CHARACTERS: Final = 2**25
"""Pages beyond either bound are not read."""

_MAX_FIELD = 1000
# What PDFium writes for a hyphen at a line's end where the word goes on in the next line.
_JOINTS = ("\x02", "\ufffe")


def pdf_derivative(content: bytes) -> Derivative:
    """Return the derivative of a PDF; a fault where it is broken, encrypted or without text."""
    _forbid_system_fonts()
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        locked = error.err_code in {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}
        return Derivative(fault="encrypted_pdf" if locked else "broken_pdf")
    try:
        text, pages = _joined(_page_texts(document))
        return Derivative(
            text=text,
            title=_field(document, "Title"),
            author=_field(document, "Author"),
            pages=pages if text else (),
            fault=None if text else "no_text",
        )
    finally:
        document.close()


def _page_texts(document: pypdfium2.PdfDocument) -> Iterator[str]:
    for number in range(min(len(document), MAX_PAGES)):
        try:
            page = document[number]
            words = page.get_textpage()
            raw = str(words.get_text_bounded())
            words.close()
            page.close()
        except pypdfium2.PdfiumError:
            # One broken page is an empty page; the others keep their numbers.
            raw = ""
        for joint in _JOINTS:
            raw = raw.replace(f"{joint}\r\n", "").replace(joint, "")
        yield fold_lines(raw)


def _joined(texts: Iterator[str]) -> tuple[str, tuple[int, ...]]:
    parts: list[str] = []
    starts: list[int] = []
    at = 0
    for text in texts:
        if text and at:
            parts.append("\n")
            at += 1
        starts.append(at)
        parts.append(text)
        at += len(text)
        if at > MAX_CHARACTERS:
            break
    return "".join(parts), tuple(starts)


def _field(document: pypdfium2.PdfDocument, key: str) -> str | None:
    return fold_one(document.get_metadata_value(key))[:_MAX_FIELD] or None


@cache
def _forbid_system_fonts() -> Any:
    """Keep PDFium from the machine's fonts, whose widths would decide where words part.

    The result must stay alive as long as PDFium does; the cache holds it.
    """
    fonts = pdfium.FPDF_SYSFONTINFO(version=1)
    pdfium.FPDF_SetSystemFontInfo(fonts)
    return fonts
