"""Fold white space and drop invisible characters, the part of `text-v1` all formats share.

Pure. Nothing else about the characters is changed: no Unicode normalisation, no case folding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

LINE_BREAK: Final = "\ud800"
CELL_BREAK: Final = "\ud801"
"""Marks between pieces of text. Lone surrogates: no decoder and no parser can yield them."""

# The characters of Unicode's White_Space property, written out so that no library version matters.
_BLANK = " \t-\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_BLANKS = re.compile(f"[{_BLANK}]{{2,}}|[{_BLANK[1:]}]")  # all but a single space
_DROPPED = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls
    "\xad\u200b\u2060-\u2064\ufeff"  # soft hyphen, zero width space, joiners, BOM
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # marks of writing direction
    "\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f]"  # annotations, tags
)
_LINE_END = re.compile("\r\n|[\n\v\f\r\x85\u2028\u2029]")
_WIDE = (
    "\u2e80-\u303e\u3041-\u312f\u31a0-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f"
    "\uff01-\uff60\uffe0-\uffe6\U0001b000-\U0001b16f\U00020000-\U0003fffd"
)
_WIDE_BREAK = re.compile(f"(?<=[{_WIDE}])[{_BLANK}]*\n[{_BLANK}]*(?=[{_WIDE}])")


def fold_flow(pieces: Iterable[str]) -> str:
    """Return running text: one line per block, cells parted by a tab, no empty line.

    A line end of the source between two wide (Chinese, Japanese) characters vanishes; any other
    white space becomes one space.
    Source: CSS Text Level 3 §4.1.1 to §4.1.3.
    """
    joined = _DROPPED.sub("", "".join(pieces))
    joined = _BLANKS.sub(" ", _WIDE_BREAK.sub("", joined.replace("\r", "\n")))
    lines = (_fold_cells(line) for line in joined.split(LINE_BREAK))
    return "\n".join(line for line in lines if line)


def fold_lines(text: str) -> str:
    """Return laid-out text: its own lines, white space inside them folded, no empty line."""
    return fold_flow((_LINE_END.sub(LINE_BREAK, text),))


def fold_one(text: str) -> str:
    """Return `text` as one line, for titles, names and labels."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return _BLANKS.sub(" ", _DROPPED.sub("", text)).strip(" ")


def clean_plain(text: str) -> str:
    """Return plain text as it is, but for line ends (all LF), invisible characters and its edges.

    Source: Unicode Standard Annex #14 (the mandatory breaks).
    """
    return _DROPPED.sub("", _LINE_END.sub("\n", text)).strip("\n\t \xa0\u3000")


def _fold_cells(line: str) -> str:
    if CELL_BREAK not in line:
        return line.strip(" ")
    cells = (cell.strip(" ") for cell in line.split(CELL_BREAK))
    return "\t".join(cell for cell in cells if cell)
