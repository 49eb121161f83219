"""Write small PDF files of plain lines, the same bytes every time. Pure: asks no clock."""

from __future__ import annotations

from collections.abc import Sequence

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 72
_LEADING = 15


def write_pdf(
    pages: Sequence[Sequence[str]], *, title: str, author: str, created: str, language: str
) -> bytes:
    """Return a PDF 1.4 file with one sheet of A4 for each page of lines.

    A line that starts with `# ` is set as a heading. The text must fit Windows-1252; `created` is a
    date in PDF's form, as `D:20200616101500Z`.

    Source: ISO 32000-1 §7.5 (file structure), §9.4 (text objects), §14.3.3 (document information).
    """
    first_page = 6
    numbers = [first_page + 2 * index for index in range(len(pages))]
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects = [
        _ascii(f"<< /Type /Catalog /Pages 2 0 R /Lang ({language}) >>"),
        _ascii(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"),
        _font("Helvetica"),
        _font("Helvetica-Bold"),
        b"<< /Title %s /Author %s /CreationDate %s >>"
        % (_string(title), _string(author), _string(created)),
    ]
    for number, lines in zip(numbers, pages, strict=True):
        objects += [_sheet(number + 1), _stream(_typeset(lines))]
    return _assemble(objects)


def _ascii(text: str) -> bytes:
    return text.encode("ascii")


def _font(name: str) -> bytes:
    return _ascii(f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>")


def _string(text: str) -> bytes:
    raw = text.encode("cp1252")
    for special in (b"\\", b"(", b")"):
        raw = raw.replace(special, b"\\" + special)
    return b"(" + raw + b")"


def _sheet(contents: int) -> bytes:
    return _ascii(
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}]"
        f" /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents {contents} 0 R >>"
    )


def _typeset(lines: Sequence[str]) -> bytes:
    commands = [b"BT", _ascii(f"{_LEADING} TL {_MARGIN} {_HEIGHT - _MARGIN} Td")]
    for line in lines:
        heading = line.startswith("# ")
        commands.append(b"/F2 13 Tf" if heading else b"/F1 11 Tf")
        commands.append(_string(line.removeprefix("# ")) + b" Tj T*")
    return b"\n".join([*commands, b"ET"])


def _stream(raw: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(raw), raw)


def _assemble(objects: Sequence[bytes]) -> bytes:
    """Number the objects from 1, and close with the table of their offsets; object 5 is Info."""
    # A comment of high bytes tells transfer programs that the file is binary.
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    table = [b"0000000000 65535 f \n"]
    for number, body in enumerate(objects, start=1):
        table.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table_at = len(out)
    out += b"xref\n0 %d\n%s" % (len(table), b"".join(table))
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 5 0 R >>\n" % len(table)
    out += b"startxref\n%d\n%%%%EOF\n" % table_at
    return bytes(out)
