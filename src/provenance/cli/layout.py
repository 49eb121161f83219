"""Lay text out in the columns of a terminal: measure, cut and wrap. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
_NO_COLUMN = ("Mn", "Me")
_CLOSING = "、。，．：；？！）］｝〕〉》」』】〗％…”’"  # never at the beginning of a line
_OPENING = "（［｛〔〈《「『【〖“‘"  # never at its end


def safe(value: object) -> str:
    r"""Return a text without control and format characters (they become `\uXXXX`).

    >>> safe("a\x1b[2J")
    'a\\x1b[2J'
    """
    text = "" if value is None else str(value)
    return "".join(
        each.encode("unicode_escape").decode() if is_unseen(each) else each for each in text
    )


def is_unseen(each: str) -> bool:
    """Return whether a character controls or formats instead of being seen."""
    return unicodedata.category(each) in _UNSEEN


def width_of(text: str) -> int:
    """Return the columns that a text takes: two for wide characters, none for combining marks.

    Source: UAX #11, East Asian Width.

    >>> width_of("港口 e\u0301")
    6
    """
    return sum(map(_columns, text))


def _columns(each: str) -> int:
    if each.isascii():
        return 1
    if unicodedata.category(each) in _NO_COLUMN or "\u1160" <= each <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(each) in "WF" else 1


def cut(text: str, columns: int | None) -> str:
    """Return a text that takes no more than `columns`; what is cut off becomes an ellipsis.

    >>> cut("港口大桥", 6)
    '港口…'
    """
    if columns is None or width_of(text) <= columns:
        return text
    kept, room = "", columns - 1
    for each in text:
        room -= _columns(each)
        if room < 0:
            break
        kept += each
    return f"{kept.rstrip()}…"


def pad(text: str, columns: int) -> str:
    """Return a text with spaces after it, so that it takes at least `columns`."""
    return text + " " * max(0, columns - width_of(text))


def wrap(text: str, columns: int) -> list[str]:
    """Return the lines of a text; a line is longer than `columns` only where one word is.

    Lines break at spaces and, as East Asian text has none, beside wide characters.
    """
    lines, line = [], ""
    for piece in _pieces(" ".join(text.split())):
        if line and width_of(line) + width_of(piece.rstrip()) > columns:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str) -> Iterator[str]:
    piece = ""
    for each in text:
        if piece and _may_break(piece[-1], each):
            yield piece
            piece = ""
        piece += each
    yield piece


def _may_break(before: str, after: str) -> bool:
    if before == " ":
        return True
    if after == " " or after in _CLOSING or before in _OPENING or not _columns(after):
        return False
    return _columns(before) == 2 or _columns(after) == 2


def columns_of(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the width of each column of a table."""
    return [max(width_of(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []


def align(row: Sequence[str], widths: Sequence[int], *, right: Sequence[int] = ()) -> str:
    """Return a row's line, two spaces between its cells; `right` names the columns of numbers."""
    cells = [
        " " * (width - width_of(cell)) + cell if at in right else pad(cell, width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def fields(pairs: Sequence[tuple[str, str]], columns: int | None) -> list[str]:
    """Return the lines of a card: each name, and its value wrapped beside it.

    A value with a word too long for its place stands below its name, so that an address or a
    digest can be copied whole. Without `columns` each value is one line.
    """
    name_width = max((width_of(name) for name, _ in pairs), default=0) + 2
    lines: list[str] = []
    for name, value in pairs:
        if columns is None:
            lines.append(f"{pad(name, name_width)}{value}")
            continue
        beside = wrap(value, columns - name_width)
        if max(map(width_of, beside)) > columns - name_width:
            lines += [name, *(f"    {line}" for line in wrap(value, columns - 4))]
            continue
        heads = [name, *[""] * (len(beside) - 1)]
        lines += [
            f"{pad(head, name_width)}{line}" for head, line in zip(heads, beside, strict=True)
        ]
    return lines
