"""Make the documents that the benchmark serves: the same bytes every time, from hashes alone."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

HTML, JPEG, PDF = 1000, 150, 100
"""How many documents there are of each kind: 1,250 in all, 57 MB."""

_TEXT = (
    "harbour bridge council audit minutes report study payment height ship month article "
    "number statement office region winter traffic ferry letter deposit column gazette "
    "institute reading table answer question notice record water wind tide lift road"
)
_WORDS = _TEXT.split()


def write_corpus(folder: Path, scale: int = 1) -> tuple[str, ...]:
    """Write the documents below `folder`; return their names, in the order they are asked for.

    `scale` times as many documents, of the same sizes and no two alike.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for number in range(HTML * scale):
        names.append(_write(folder / f"page-{number:04d}.html", _html(number)))
    for number in range(JPEG * scale):
        names.append(_write(folder / f"picture-{number:04d}.jpg", _jpeg(number)))
    for number in range(PDF * scale):
        names.append(_write(folder / f"paper-{number:04d}.pdf", _pdf(number)))
    # One kind after the other would let a reader of the archive be measured on runs of one kind.
    return tuple(sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest()))


def _write(path: Path, raw: bytes) -> str:
    if not path.exists() or path.stat().st_size != len(raw):
        path.write_bytes(raw)
    return path.name


def _stream(seed: str, size: int) -> bytes:
    """Return `size` bytes that no compressor makes smaller."""
    return hashlib.shake_256(seed.encode()).digest(size)


def _prose(seed: str, words: int) -> str:
    dice = _stream(seed, words)
    return " ".join(_WORDS[die % len(_WORDS)] for die in dice)


def _html(number: int) -> bytes:
    paragraphs = "".join(
        f"<p>{_prose(f'{number}/{part}', 120)}.</p>\n" for part in range(8 + number % 40)
    )
    menu = "".join(f'<li><a href="/page-{each:04d}.html">{each}</a></li>' for each in range(40))
    page = (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>Page {number}</title>"
        f"</head><body><nav><ul>{menu}</ul></nav><main><h1>Page {number}</h1>\n{paragraphs}"
        "</main></body></html>\n"
    )
    return page.encode()


def _jpeg(number: int) -> bytes:
    size = 40_000 + number % JPEG * 1_000
    return b"\xff\xd8\xff\xe0\0\x10JFIF\0" + _stream(f"jpeg {number}", size) + b"\xff\xd9"


def _pdf(number: int) -> bytes:
    """Return a PDF of one page of text, and a picture that no page shows, to give it weight."""
    lines = [_prose(f"pdf {number}/{line}", 12) for line in range(40)]
    drawn = " T* ".join(f"({line}) Tj" for line in lines)
    content = zlib.compress(f"BT /F1 10 Tf 40 800 Td 14 TL {drawn} ET".encode())
    weight = _stream(f"pdf {number}", 60_000 + number % PDF * 1_800)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(weight), weight),
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for index, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (index, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)
