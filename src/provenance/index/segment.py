"""Make each Han or kana character a word of its own for FTS5, and undo it. Pure.

FTS5's own tokenizers take an unbroken run of Han characters for one word, so that a two-character
word inside a sentence is never found. A zero-width space at each boundary makes single characters
of the run; a word of several characters is then looked for as a phrase.
"""

from __future__ import annotations

import re

BREAK = "\u200b"
"""The zero-width space, which every FTS5 tokenizer takes for a gap between words."""

_HAN_KANA = (
    "\u2e80-\u2fdf"  # radicals
    "\u3005-\u3007"  # iteration mark, closing mark, ideographic zero
    "\u3021-\u3029\u3031-\u3035\u3038-\u303c"  # Hangzhou numerals, kana repeat marks
    "\u3041-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff"  # kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # unified ideographs, extension A, compatibility
    "\uff66-\uff9f"  # half-width kana
    "\U0001aff0-\U0001b16f\U00020000-\U000323af"  # kana supplements, extensions B and later
)
# Source: Unicode 15.1, Blocks.txt.

HAN_KANA = re.compile(f"[{_HAN_KANA}]")
_BOUNDARY = re.compile(rf"(?<=[{_HAN_KANA}])(?=\w)|(?<=\w)(?=[{_HAN_KANA}])")


def segment(text: str) -> str:
    """Return `text` with a zero-width space between a Han or kana character and a neighbour.

    >>> segment("COVID疫情").split(BREAK)
    ['COVID', '疫', '情']
    """
    return _BOUNDARY.sub(BREAK, text) if not text.isascii() else text


def unsegment(text: str) -> str:
    """Return `text` without zero-width spaces."""
    return text.replace(BREAK, "")
