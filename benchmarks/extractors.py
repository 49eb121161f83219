#!/usr/bin/env python3
"""Compare the ways to get text out of HTML and PDF, and to find an undeclared charset.

    .venv/bin/python benchmarks/extractors.py [--pdf FILE …] WARC…

The pages are the HTML responses in the WARC files. Candidates that are not installed are left out
and named; `pip install selectolax trafilatura pypdf chardet charset-normalizer` brings them all.
Text for the charset part are the message catalogues below /usr/share/locale, where there are any.

Speed is the best of three rounds. Recall is the share of the visible words of a page that a
candidate gives (each as often as it stands there); the visible words are those of the tree that
lexbor builds by the HTML Standard, without elements that are never shown. "Same" counts the pages
whose text is that tree's text exactly, white space aside.
"""

from __future__ import annotations

import argparse
import gettext
import importlib
import io
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastwarc.warc import ArchiveIterator, WarcRecordType

from provenance.extract import charset_parameter, extract
from provenance.extract.charset import decode_text
from provenance.extract.media import HEAD_BYTES, Format, format_of
from provenance.extract.prescan import html_charset

ROUNDS = 3
NEVER_SHOWN = frozenset(
    "audio datalist head iframe noembed noframes script style template title video".split()  # noqa: SIM905
)
INVISIBLE = re.compile("[\0-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u2060\ufeff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One recorded HTML page, and its text once decoded."""

    content: bytes
    media_type: str
    source: str


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("warcs", nargs="*", type=Path)
    parser.add_argument("--pdf", nargs="*", type=Path, default=[])
    asked = parser.parse_args()
    print(f"Python {sys.version.split()[0]}")
    if pages := list(recorded_pages(asked.warcs)):
        compare_html(pages)
    if asked.pdf:
        compare_pdf([path.read_bytes() for path in asked.pdf])
    if cases := list(charset_cases()):
        compare_detectors(cases)


def recorded_pages(paths: Iterable[Path]) -> Iterator[Page]:
    """Yield each HTML response of the files that has a body."""
    for path in paths:
        with path.open("rb") as file:
            for record in ArchiveIterator(file, record_types=WarcRecordType.response):
                content = record.reader.read()
                head = record.http_headers
                declared = str(head.get("Content-Type", "")) if head is not None else ""
                form = format_of(content[:HEAD_BYTES], media_type=declared)
                if form is Format.HTML and content.strip():
                    label = charset_parameter(declared)
                    decoded = decode_text(content, http=label, declared=html_charset)
                    yield Page(content=content, media_type=declared, source=decoded.text)


# --- HTML ---------------------------------------------------------------------------------------


def compare_html(pages: Sequence[Page]) -> None:
    """Print speed and recall of each way to read HTML."""
    size = sum(len(page.content) for page in pages) / 1e6
    print(f"\nHTML: {len(pages)} recorded pages, {size:.1f} MB")
    truth = [visible(lexbor_text(page)) for page in pages] if installed("selectolax") else None
    print(f"{'':38}{'pages/s':>9}{'MB/s':>7}{'recall':>8}{'same':>6}")
    candidates: dict[str, tuple[str, Callable[[Page], str]]] = {
        "text-v1 (lxml, streamed)": ("lxml", ours),
        "lxml, tree and itertext": ("lxml", lxml_text),
        "selectolax (lexbor), body.text": ("selectolax", selectolax_text),
        "resiliparse, all text": ("resiliparse", resiliparse_text(main_content=False)),
        "resiliparse, main content": ("resiliparse", resiliparse_text(main_content=True)),
        "trafilatura, fast, recall": ("trafilatura", trafilatura_text),
    }
    for name, (library, turn) in candidates.items():
        if installed(library):
            texts, seconds = timed(turn, pages)
            found = scored(texts, truth) if truth else ("", "")
            rates = f"{len(pages) / seconds:>9.0f}{size / seconds:>7.1f}"
            print(f"{name:38}{rates}{found[0]:>8}{found[1]:>6}")


def ours(page: Page) -> str:
    """Read a page as text-v1 does, charset, links and metadata included."""
    return extract(page.content, media_type=page.media_type, base_url="https://page.example/").text


def lexbor_text(page: Page) -> str:
    """Return the text of the standard's tree, without what is never shown."""
    parse = importlib.import_module("selectolax.lexbor").LexborHTMLParser

    pieces: list[str] = []
    pending: list[Any] = [parse(page.source).root]
    while pending:
        node = pending.pop()
        if node.tag == "-text":
            pieces.append(node.text_content or "")
        children = []
        child = node.first_child if node.tag not in NEVER_SHOWN else None
        while child is not None:
            children.append(child)
            child = child.next
        pending.extend(reversed(children))
        pieces.append("" if node.tag in {"-text", "b", "i", "em", "strong", "a", "span"} else " ")
    return "".join(pieces)


def lxml_text(page: Page) -> str:
    """Build lxml's tree and join its text, scripts included."""
    html = importlib.import_module("lxml.html")

    return " ".join(html.document_fromstring(page.source.encode()).itertext())


def selectolax_text(page: Page) -> str:
    """Take selectolax's own text of the body."""
    parse = importlib.import_module("selectolax.lexbor").LexborHTMLParser

    tree = parse(page.source)
    tree.strip_tags(["script", "style", "template", "noscript"])
    return str(tree.body.text(separator=" ")) if tree.body else ""


def resiliparse_text(*, main_content: bool) -> Callable[[Page], str]:
    """Return resiliparse's extraction, of all or of the main content."""

    def turn(page: Page) -> str:
        extract_plain_text = importlib.import_module(
            "resiliparse.extract.html2text"
        ).extract_plain_text

        return str(extract_plain_text(page.source, main_content=main_content, alt_texts=False))

    return turn


def trafilatura_text(page: Page) -> str:
    """Extract with trafilatura, tuned for speed and recall."""
    main_text = importlib.import_module("trafilatura").extract

    return str(main_text(page.source, fast=True, favor_recall=True) or "")


def scored(texts: Sequence[str], truth: Sequence[str]) -> tuple[str, str]:
    """Return the share of words found, and how many pages have exactly the same text."""
    wanted = got = same = 0
    for text, true in zip(texts, truth, strict=True):
        words, found = Counter(true.split()), Counter(visible(text).split())
        wanted += words.total()
        got += (words & found).total()
        same += "".join(true.split()) == "".join(visible(text).split())
    return f"{got / wanted:.3f}", str(same)


def visible(text: str) -> str:
    """Return `text` without the characters no reader sees."""
    return INVISIBLE.sub("", text)


# --- PDF ----------------------------------------------------------------------------------------


def compare_pdf(files: Sequence[bytes]) -> None:
    """Print how many pages a second each PDF library reads."""
    counts = [len(extract(raw, media_type=None).pages) for raw in files]
    pages = sum(counts)
    print(f"\nPDF: {len(files)} files, {pages} pages with text")
    for name, library, turn in (
        ("text-v1 (pypdfium2)", "pypdfium2", pdfium_text),
        ("pypdf", "pypdf", pypdf_text),
    ):
        if installed(library):
            texts, seconds = timed(turn, files)
            letters = sum(len("".join(text.split())) for text in texts)
            print(f"{name:38}{pages / seconds:>9.0f} pages/s{letters:>10} letters")


def pdfium_text(raw: bytes) -> str:
    """Read a PDF as text-v1 does."""
    return extract(raw, media_type="application/pdf").text


def pypdf_text(raw: bytes) -> str:
    """Read a PDF with pypdf; one it fails on is empty."""
    pypdf = importlib.import_module("pypdf")

    try:
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(raw)).pages)
    except Exception:
        return ""


# --- charsets -----------------------------------------------------------------------------------

CHARSETS = {
    "ar": ("cp1256",),
    "bg": ("cp1251",),
    "cs": ("cp1250",),
    "de": ("cp1252",),
    "el": ("cp1253", "iso8859_7"),
    "es": ("cp1252",),
    "fr": ("cp1252",),
    "he": ("cp1255",),
    "hu": ("iso8859_2",),
    "ja": ("cp932", "euc_jp", "iso2022_jp"),
    "ko": ("cp949",),
    "pl": ("cp1250", "iso8859_2"),
    "pt_BR": ("cp1252",),
    "ru": ("cp1251", "koi8_r", "iso8859_5"),
    "th": ("cp874",),
    "tr": ("cp1254",),
    "uk": ("cp1251", "koi8_u"),
    "zh_CN": ("gb18030",),
    "zh_TW": ("big5",),
}
SIZES = ((60, 30), (300, 20), (3000, 8))
SAME_CODEC = {
    "gb2312": "gb18030",
    "euc-kr": "cp949",
    "uhc": "cp949",
    "shift_jis": "cp932",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "big5": "big5hkscs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A text and its bytes in a charset that nothing declares."""

    size: int
    text: str
    raw: bytes


def charset_cases() -> Iterator[Case]:
    """Yield texts of about 60, 300 and 3,000 bytes in each charset."""
    for language, codecs in CHARSETS.items():
        messages = catalogue(language)
        for codec in codecs:
            fit = [one for one in messages if is_told_by(one, codec)]
            for size, number in SIZES:
                rest = iter(fit)
                for _ in range(number):
                    text = ""
                    for message in rest:
                        text += message + "\n"
                        if len(text.encode(codec)) >= size:
                            yield Case(size=size, text=text, raw=text.encode(codec))
                            break


def catalogue(language: str) -> list[str]:
    """Return the longer messages of a language, in a fixed order."""
    found: set[str] = set()
    for path in sorted(Path("/usr/share/locale", language, "LC_MESSAGES").glob("[!ix]*.mo")):
        try:
            with path.open("rb") as file:
                catalog: dict[Any, str] = getattr(gettext.GNUTranslations(file), "_catalog", {})
        except (OSError, ValueError):
            continue
        for key, text in catalog.items():
            if isinstance(key, str) and len(text) > 25 and text != key and "%" not in text:
                found.add(text.replace("\n", " "))
    messages = sorted(found)
    random.Random(1).shuffle(messages)
    return messages


def is_told_by(text: str, codec: str) -> bool:
    """Return whether `text` can be written in a charset, with more than ASCII."""
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return not text.isascii()


def compare_detectors(cases: Sequence[Case]) -> None:
    """Print the share of texts that each detector makes readable."""
    sizes = [size for size, _ in SIZES]
    print(f"\nUndeclared charsets: {len(cases)} texts of about {sizes} bytes, read without a fault")
    candidates: dict[str, tuple[str, Callable[[bytes], str]]] = {
        "text-v1 (resiliparse's uchardet)": ("resiliparse", decoded_by_us),
        "resiliparse alone": ("resiliparse", decoded_by_resiliparse),
        "charset-normalizer": ("charset_normalizer", decoded_by_normalizer),
        "chardet": ("chardet", decoded_by_chardet),
    }
    for name, (library, turn) in candidates.items():
        if installed(library):
            texts, seconds = timed(turn, [case.raw for case in cases])
            right = [
                [text == case.text for text, case in zip(texts, cases, strict=True)
                 if case.size == size]
                for size in sizes
            ]  # fmt: skip
            shares = "".join(f"{sum(one) / len(one):>8.3f}" for one in right)
            print(f"{name:38}{len(cases) / seconds:>9.0f} texts/s{shares}")


def decoded_by_us(raw: bytes) -> str:
    """Decode as text-v1 does."""
    return decode_text(raw, http=None).text


def decoded_by_resiliparse(raw: bytes) -> str:
    """Decode by resiliparse's word."""
    encoding = importlib.import_module("resiliparse.parse.encoding")

    return _decoded(raw, encoding.detect_encoding(raw))


def decoded_by_normalizer(raw: bytes) -> str:
    """Decode by charset-normalizer's word."""
    from_bytes = importlib.import_module("charset_normalizer").from_bytes

    best = from_bytes(raw).best()
    return _decoded(raw, best.encoding if best else None)


def decoded_by_chardet(raw: bytes) -> str:
    """Decode by chardet's word."""
    chardet = importlib.import_module("chardet")

    return _decoded(raw, chardet.detect(raw)["encoding"])


def _decoded(raw: bytes, said: str | None) -> str:
    name = (said or "ascii").lower()
    return raw.decode(SAME_CODEC.get(name, name), "replace")


# --- shared -------------------------------------------------------------------------------------


def installed(library: str) -> bool:
    """Return whether a candidate can be measured; name it where it cannot."""
    try:
        importlib.import_module(library)
    except ImportError:
        print(f"({library} is not installed)")
        return False
    return True


def timed(turn: Callable[[Any], str], inputs: Sequence[Any]) -> tuple[list[str], float]:
    """Return the texts of all inputs and the seconds of the fastest round."""
    best = float("inf")
    texts: list[str] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        texts = [turn(one) for one in inputs]
        best = min(best, time.perf_counter() - start)
    return texts, best


if __name__ == "__main__":
    main()
