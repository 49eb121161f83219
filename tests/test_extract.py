"""What format a document is read by, and what any document gives."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from provenance.digest import digest_of, hex_of
from provenance.extract import ENGINES, Derivative, extract, refusal, text_id
from provenance.extract.labels import CHARSETS, decode
from provenance.extract.media import MAX_BYTES, Format, format_of
from tests.pdf_builder import build_pdf

SHARED = Path(__file__).parents[2] / "shared" / "corpora" / "other"
PDF = build_pdf(
    [["Minutes of the council", "The bridge is closed."], [], ["Page three (annex)"]],
    title="Minutes 港口",
    author="Town clerk",
)


@pytest.mark.parametrize(
    ("head", "media_type", "form"),
    [
        (b"<p>x", "text/html", Format.HTML),
        (b"plain", "text/html; charset=utf-8", Format.HTML),
        (b"%PDF-1.4", "text/html", Format.PDF),
        (b"%PDF-1.4", None, Format.PDF),
        (b"junk\n%PDF-1.4", "application/pdf", Format.PDF),
        (b"<!DOCTYPE html><title>Log in", "application/pdf", Format.HTML),
        (b"\x00\x01", "application/pdf", Format.PDF),
        (b"<html><p>x", "text/plain", Format.PLAIN),
        (b"\n <!doctype HTML>", None, Format.HTML),
        (b"\xef\xbb\xbf<html>", "", Format.HTML),
        (b"<head >", "application/octet-stream", Format.HTML),
        (b"<headline>", "*/*", Format.PLAIN),
        (b"<?xml version='1.0'?><rss>", "unknown/unknown", Format.XML),
        (b"words", None, Format.PLAIN),
        (b"<!doctype html>", "text/html charset=utf-8", Format.HTML),
        (b"a\x00b", None, None),
        (b"a\x00b", "text/plain", None),
        (b"\xff\xfea\x00", "text/plain", Format.PLAIN),
        (b"# h", "text/markdown", Format.PLAIN),
        (b"{}", "application/json", Format.PLAIN),
        (b"{}", "application/ld+json", Format.PLAIN),
        (b"<feed/>", "application/atom+xml", Format.XML),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'>", "text/xml", Format.XHTML),
        (b"p{}", "text/css", None),
        (b"\x89PNG\r\n\x1a\n", "text/html", None),
        (b"PK\x03\x04", "application/octet-stream", None),
        (b"GIF89a", "image/gif", None),
        (b"x", "application/msword", None),
    ],
)
def test_the_format_follows_type_and_first_bytes(
    head: bytes, media_type: str | None, form: Format | None
) -> None:
    """A declared text type stands, unless the bytes are plainly of another kind."""
    assert format_of(head, media_type=media_type) is form


def test_a_document_may_be_refused_before_it_is_read() -> None:
    """Nothing, something huge and something foreign are told by their first bytes."""
    assert refusal(b"", media_type="text/html", size=0) == "empty"
    assert refusal(b"x", media_type="image/png", size=1) == "unsupported_media_type"
    assert refusal(b"x", media_type="text/html", size=MAX_BYTES + 1) == "too_large"
    assert refusal(b"%PDF-", media_type="text/html", size=MAX_BYTES + 1) is None
    assert refusal(b"x", media_type="text/html", size=1) is None
    assert extract(b"", media_type="text/html") == Derivative(fault="empty")
    assert extract(b"x", media_type="image/png").fault == "unsupported_media_type"


def test_plain_text_stays_as_it_is() -> None:
    """Markup in plain text is text."""
    found = extract("# Brücke\r\n\r\n  <b>ü</b>\n".encode("latin-1"), media_type="text/plain")
    assert (found.text, found.charset) == ("# Brücke\n\n  <b>ü</b>", "windows-1252")


def test_a_document_without_text_says_so() -> None:
    """White space is no text."""
    assert extract(b" \n ", media_type="text/plain").fault == "no_text"
    assert extract(b"<img src=x>", media_type="text/html").fault == "no_text"


def test_a_pdf_gives_its_pages() -> None:
    """Text in the order of pages, the offset of each page, and its declared title and author."""
    found = extract(PDF, media_type="application/pdf")
    first = "Minutes of the council\nThe bridge is closed."
    assert found.text == f"{first}\nPage three (annex)"
    assert found.pages == (0, len(first), len(first) + 1)
    assert (found.title, found.author, found.published) == ("Minutes 港口", "Town clerk", None)
    assert (found.charset, found.fault) == (None, None)


def test_a_pdf_is_read_whatever_it_is_served_as() -> None:
    """A wrong Content-Type does not hide a PDF."""
    served = extract(PDF, media_type="text/html; charset=utf-8")
    assert served == extract(PDF, media_type="application/pdf")


def test_the_fonts_of_the_machine_do_not_decide_a_pdf_text() -> None:
    """A font that is neither in the file nor known gives the same text as one that is known."""
    lines = [["The bridge", "is closed."]]
    known, unknown = build_pdf(lines), build_pdf(lines, font="DejaVuSansMono")
    assert extract(known, media_type=None).text == extract(unknown, media_type=None).text


@pytest.mark.parametrize("cut", [8, 200, len(PDF) // 2])
def test_a_broken_pdf_is_a_fault_or_what_is_left(cut: int) -> None:
    """A cut file raises nothing."""
    found = extract(PDF[:cut], media_type="application/pdf")
    assert found.fault in {None, "broken_pdf", "no_text"}
    assert (found.fault is None) == bool(found.text)


def test_a_pdf_without_text_says_so() -> None:
    """A scan has pages and no text."""
    blank = io.BytesIO()
    document = pypdfium2.PdfDocument.new()
    document.new_page(100, 100)
    document.save(blank)
    document.close()
    assert extract(blank.getvalue(), media_type=None) == Derivative(fault="no_text")


MEDIA_TYPES = st.sampled_from(
    [
        None,
        "",
        "text/html",
        "text/plain",
        "application/pdf",
        "application/xml",
        "text/xml;charset=x",
        "application/xhtml+xml",
        "application/json",
        "image/png",
        ";",
        "text/html; charset=gb2312",
    ]
)
STARTS = st.sampled_from([b"", b"%PDF-1.7\n", b"<?xml version='1.0'?>", b"<html><p>", b"\xff\xfe"])


@settings(max_examples=150)
@given(STARTS, st.binary(max_size=300), MEDIA_TYPES, st.sampled_from([None, "utf-8", "big5", "?"]))
def test_no_bytes_raise(
    start: bytes, rest: bytes, media_type: str | None, label: str | None
) -> None:
    """Whatever a document holds and declares, it gives a derivative that can be stored."""
    content = start + rest
    found = extract(content, media_type=media_type, charset=label, base_url="http://h.example/")
    assert found == extract(
        content, media_type=media_type, charset=label, base_url="http://h.example/"
    )
    for text in (found.text, found.title or "", found.author or ""):
        text.encode("utf-8")
        assert "\u200b" not in text and "\0" not in text
    assert (found.fault is None) == bool(found.text)
    assert list(found.pages) == sorted(found.pages)


@settings(max_examples=40)
@given(st.integers(0, len(PDF) - 1), st.integers(0, 255))
def test_no_changed_byte_of_a_pdf_raises(at: int, byte: int) -> None:
    """A PDF with any one byte changed gives a text or a fault."""
    found = extract(PDF[:at] + bytes([byte]) + PDF[at + 1 :], media_type="application/pdf")
    assert (found.fault is None) == bool(found.text)


PROGRAM = """
import json, sys
from provenance.extract import extract, text_id
contents = [bytes.fromhex(one) for one in json.load(sys.stdin)]
print(json.dumps([text_id(extract(one, media_type=None)) for one in contents]))
"""


def test_neither_locale_nor_hash_seed_nor_zone_changes_a_text_id() -> None:
    """The same bytes have the same text id in any surroundings."""
    contents = [
        PDF,
        "<html><p>Brücke &hellip; 大桥 İ".encode(),
        "Городской совет сделал заявление о мосте.".encode("cp1251"),
        "市政厅就港口大桥发表声明。".encode("gb18030"),
    ]
    here = [text_id(extract(one, media_type=None)) for one in contents]
    for locale, seed, zone in (("C", "1", "UTC"), ("tr_TR.UTF-8", "2", "Asia/Kathmandu")):
        environ = {**os.environ, "LC_ALL": locale, "PYTHONHASHSEED": seed, "TZ": zone}
        answer = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            input=json.dumps([one.hex() for one in contents]),
            env={**environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(answer.stdout) == here


def test_the_charset_tables_are_those_of_text_v1() -> None:
    """Every pair of bytes decodes as it did when text-v1 was fixed, on every version of Python."""
    raw = b"".join(bytes((a, b)) + b"\n" for a in range(0x80, 0x100) for b in range(0x30, 0x100))
    tables = "".join(decode(raw, name) for name in CHARSETS)
    assert hex_of(digest_of(tables.encode("utf-8"))) == (
        "b4e0bb32d7cc2b2be48b4e93a315b04ec7bf2a823aa7f45a0a1b3acb34f90f14"
    )


@pytest.mark.shared
def test_recorded_pdf_files() -> None:
    """Pages and text of other people's PDF files are found; the encrypted ones say so."""
    if not (SHARED / "pdf").is_dir():
        pytest.skip("the shared corpora are not beside the checkout")
    known = json.loads((SHARED / "pdf" / "EXPECTED.json").read_text("utf-8"))["vectors"]
    seen = 0
    for vector in known:
        path = SHARED / "pdf" / "pypdf" / vector["path"]
        found = extract(path.read_bytes(), media_type="application/pdf")
        head = "".join(vector.get("pypdf_text_head", "").split())[:40]
        if "pypdf_error" in vector:
            assert found.fault == "encrypted_pdf", path.name
        elif head:
            seen += 1
            assert found.fault is None, path.name
            assert len(found.pages) == vector["pages"], path.name
            assert head.replace("\ufb01", "fi")[:20] in "".join(found.text.split()), path.name
    assert seen > 8


def test_the_versions_of_text_v1_are_the_installed_and_the_pinned_ones() -> None:
    """Another parser or detector is another algorithm: code, environment and pins agree."""
    root = Path(__file__).parents[1]
    pins = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    decision = (root / "docs" / "adr" / "0004-text-v1.md").read_text("utf-8")
    for library, version in ENGINES.items():
        assert metadata.version(library) == version
        assert f"{library}=={version}" in pins
        assert f"{library} {version}" in decision
    libxml2 = ".".join(map(str, etree.LIBXML_VERSION))
    assert f"libxml2 {libxml2}" in decision
    pdfium = pypdfium2.PDFIUM_INFO
    assert f"PDFium {pdfium.major}.{pdfium.minor}.{pdfium.build}.{pdfium.patch}" in decision
