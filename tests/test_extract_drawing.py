"""Pages of PDF files become pictures, within bounds, whatever is in the file."""

from __future__ import annotations

import json
import struct
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.extract.drawing import HEIGHT, WIDTH, Drawing, _believed, draw_page, drawn
from provenance.extract.png import SIGNATURE, to_png
from tests.pdf_builder import build_pdf

PDF = build_pdf([["The harbour bridge", "48.6 million"], ["Item 4"], []])
FAULTS = {"broken_pdf", "encrypted_pdf", "no_such_page", "broken_page", "too_slow", "crashed"}


def pixels_of(png: bytes) -> tuple[int, int, int, bytes]:
    """Return width, height, colour type and the rows, filter bytes left out, of a PNG of ours."""
    assert png.startswith(SIGNATURE)
    chunks, at = {}, len(SIGNATURE)
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        name, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size])[0] == zlib.crc32(
            name + body
        )
        chunks[name] = body
        at += 12 + size
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert depth == 8
    raw = zlib.decompress(chunks[b"IDAT"])
    line = width * {0: 1, 2: 3, 6: 4}[colour] + 1
    assert len(raw) == line * height
    rows = [raw[start : start + line] for start in range(0, len(raw), line)]
    assert {row[0] for row in rows} == {0}
    return width, height, colour, b"".join(row[1:] for row in rows)


def page_of(box: bytes, content: bytes = b"0 0 100 100 re f") -> bytes:
    """Return a PDF of one page with a MediaBox and a content stream; its table is for PDFium."""
    return (
        b"%%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
        b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 4 0 R"
        b" /Resources << /XObject << /A 5 0 R >> >> >>\nendobj\n"
        b"4 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (box, len(content), content)
    )


def end_of(pdf: bytes) -> bytes:
    return pdf + b"trailer\n<< /Root 1 0 R >>\n%%EOF\n"


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([1, 3, 4]),
    st.integers(0, 5),
    st.data(),
)
def test_pixels_come_back_out_of_a_png(
    width: int, height: int, channels: int, more: int, data: st.DataObject
) -> None:
    """Whatever stands between the rows is left out."""
    stride = width * channels + more
    raw = data.draw(st.binary(min_size=stride * height, max_size=stride * height))
    png = to_png(memoryview(raw), width=width, height=height, stride=stride, channels=channels)
    rows = b"".join(raw[row * stride : row * stride + width * channels] for row in range(height))
    assert pixels_of(png) == (width, height, {1: 0, 3: 2, 4: 6}[channels], rows)
    with pytest.raises(ValueError, match="no picture"):
        to_png(memoryview(raw), width=width, height=height + 1, stride=stride, channels=channels)


def test_a_page_is_drawn() -> None:
    """Its size is within the bounds, its words are dark on white, and each page is another."""
    first, second, empty = (draw_page(PDF, number) for number in (1, 2, 3))
    for made in (first, second, empty):
        assert (made.fault, made.pages) == (None, 3)
        assert made.width <= WIDTH and made.height <= HEIGHT
        assert pixels_of(made.png)[:2] == (made.width, made.height)
    assert len({first.png, second.png, empty.png}) == 3
    assert set(pixels_of(empty.png)[3]) == {255}
    assert min(pixels_of(first.png)[3]) < 64


def test_what_is_drawn_stands_where_the_page_says_in_its_colours() -> None:
    """Two rectangles, counted from the lower left: each pixel in and around them, two from an edge.

    Red and blue are not taken for each other, and nothing is upside down or mirrored.
    """
    content = b"1 0 0 rg 20 10 60 30 re f 0 0 1 rg 150 70 50 30 re f"
    made = draw_page(end_of(page_of(b"0 0 200 100", content)), 1)
    width, height, colour, rows = pixels_of(made.png)
    assert (made.fault, colour) == (None, 2)
    assert abs(width - 2 * height) <= 1 and WIDTH - 2 <= width <= WIDTH
    scale = width / 200

    def places(left: float, bottom: float, right: float, top: float) -> tuple[range, range]:
        """Return columns and rows of pixels that lie two within a rectangle of the page."""
        columns = range(max(round(left * scale) + 2, 0), min(round(right * scale) - 2, width))
        lines = range(round((100 - top) * scale) + 2, round((100 - bottom) * scale) - 2)
        return columns, lines

    def seen(columns: range, lines: range) -> set[tuple[int, ...]]:
        return {
            tuple(rows[(line * width + at) * 3 : (line * width + at) * 3 + 3])
            for line in lines
            for at in columns
        }

    assert seen(*places(20, 10, 80, 40)) == {(255, 0, 0)}
    assert seen(*places(150, 70, 200, 100)) == {(0, 0, 255)}
    for white in ((0, 0, 20, 100), (80, 0, 150, 100), (20, 40, 80, 100), (150, 0, 200, 70)):
        assert seen(*places(*white)) == {(255, 255, 255)}
    assert seen(*places(20, 0, 80, 10)) == {(255, 255, 255)}


def test_words_are_drawn_where_they_stand() -> None:
    """Below each other near the upper left, as the page of text has them; else all is white."""
    width, height, _, rows = pixels_of(draw_page(PDF, 1).png)
    size = len(rows) // (width * height)
    dark = [at // size for at, value in enumerate(rows) if value < 64]
    lines = [at // width * 842 / height for at in dark]
    columns = [at % width * 595 / width for at in dark]
    # Two lines of 12 points with their feet at 720 and 706 points, the first 122 from the top.
    assert 842 - 720 - 12 < min(lines) < 842 - 720 < max(lines) < 842 - 706 + 4
    assert not any(842 - 720 + 4 < line < 842 - 706 - 10 for line in lines)
    assert 72 <= min(columns) < 75
    assert max(columns) < 72 + 12 * len("The harbour bridge")


def test_the_process_draws_what_this_one_draws() -> None:
    """What comes through the pipe is whole."""
    assert draw_page(PDF, 1) == drawn(PDF, 1)


@pytest.mark.parametrize("number", [0, -1, 4, 10**9])
def test_there_are_no_more_pages_than_there_are(number: int) -> None:
    """Another number is a fault that tells how many there are, where that was looked at."""
    made = draw_page(PDF, number)
    assert (made.fault, made.png) == ("no_such_page", b"")
    assert made.pages in (0, 3)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "broken_pdf"),
        (b"%PDF-1.7", "broken_pdf"),
        (b"<script>alert(1)</script>", "broken_pdf"),
        (PDF[:200], "broken_pdf"),
        (end_of(b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"), "broken_pdf"),
        (
            end_of(page_of(b"0 0 100 100")).replace(
                b"<< /Root", b"<< /Encrypt << /Filter /Nobody /V 1 >> /Root"
            ),
            "encrypted_pdf",
        ),
    ],
    ids=["empty", "head", "html", "cut", "no pages", "locked"],
)
def test_what_cannot_be_drawn_says_why(content: bytes, fault: str) -> None:
    """A fault, and no picture."""
    assert draw_page(content, 1) == Drawing(fault=fault)


@pytest.mark.parametrize(
    "box",
    [
        b"0 0 1000000000 1000000000",
        b"0 0 1 1000000",
        b"0 0 1000000 1",
        b"0 0 0 0",
        b"0 0 -5 -5",
        b"0 0 0.0001 0.0001",
        b"a b c d",
        b"",
        b"0 0 99999999999999999999 1",
    ],
)
def test_no_size_of_a_page_breaks_the_bounds(box: bytes) -> None:
    """A picture within them, or a fault."""
    made = draw_page(end_of(page_of(box)), 1)
    assert made.fault in FAULTS or (made.width <= WIDTH and made.height <= HEIGHT)
    if made.fault is None:
        assert pixels_of(made.png)[:2] == (made.width, made.height)


def test_a_page_that_takes_too_long_is_ended() -> None:
    """Forms that draw forms, ten times each, would take for ever."""
    forms = b"".join(
        b"%d 0 obj\n<< /Type /XObject /Subtype /Form /BBox [0 0 100 100] /Length %d"
        b" /Resources << /XObject << /A %d 0 R >> >> >>\nstream\n%s\nendstream\nendobj\n"
        % (number, len(b"/A Do " * 10), number + 1, b"/A Do " * 10)
        for number in range(5, 17)
    )
    last = (
        b"17 0 obj\n<< /Type /XObject /Subtype /Form /BBox [0 0 100 100] /Length 16 >>\n"
        b"stream\n0 0 100 100 re f\nendstream\nendobj\n"
    )
    made = draw_page(end_of(page_of(b"0 0 100 100", b"/A Do") + forms + last), 1, cpu_limit_s=1)
    assert made.fault == "too_slow"


def program(folder: Path, body: str) -> str:
    """Return a program that stands in for Python, as one that a file has taken over may act."""
    path = folder / "program"
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    "body",
    [
        "sys.exit(1)",
        "import os; os.abort()",
        "sys.stdin.buffer.read(); print('words')",
        "sys.stdin.buffer.read(); print('[1, 2]')",
        "sys.stdin.buffer.read(); print('{}')",
        'print(\'{"fault": null, "width": 5, "height": 5, "pages": 1}\\n<script>\')',
    ],
)
def test_a_process_that_goes_wrong_is_not_believed(tmp_path: Path, body: str) -> None:
    """Its end, or an answer of another form, is a fault."""
    assert draw_page(PDF * 200, 1, python=program(tmp_path, body)) == Drawing(fault="crashed")


def test_a_process_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """The clock counts too, for a process that waits uses none of the processor's time."""
    waits = program(tmp_path, "import threading; threading.Event().wait()")
    assert draw_page(PDF, 1, python=waits, clock_limit_s=0.2) == Drawing(fault="too_slow")


@given(st.binary(max_size=60), st.sampled_from([b"", SIGNATURE]), st.booleans())
def test_no_answer_but_a_picture_is_taken_for_one(raw: bytes, head: bytes, named: bool) -> None:
    """Bytes of any kind are no drawing, or one whose picture begins as it says."""
    said = json.dumps({"fault": None, "width": 7, "height": 9, "pages": 2}).encode()
    found = _believed((said + b"\n" if named else b"") + head + raw)
    assert found is None or found.png.startswith(SIGNATURE) or found.fault


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(PDF) - 1), st.binary(max_size=8))
def test_a_changed_file_is_drawn_or_says_why(at: int, raw: bytes) -> None:
    """PDFium finds its way or gives up; neither is an error of ours."""
    made = drawn(PDF[:at] + raw + PDF[at + len(raw) :], 1)
    assert made.fault in FAULTS or made.png.startswith(SIGNATURE)
