"""Put other addresses in the place of those that a style sheet names. Pure: fetches nothing.

All else stays as it is written. No tree is built: what counts is told apart by its lexical form
alone, in one pass whose work is linear in the length of the text. An address that is missed stands
as it was, so whoever shows the result must have a policy under which nothing is fetched.

Source: CSS Syntax Level 3 §4; CSS Values 4 §4.5; CSS Images 4 §2.4; CSS Cascade 5 §2.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from provenance.gather.kinds import Kind

PutInSheet = Callable[[str, Kind], str | None]
"""Takes a reference as it is written, escapes undone, and what it is for (STYLE for a sheet that is
imported, else IMAGE, which may be a font as well). Gives the address to write instead, which needs
no escape inside double quotes, or None.
"""

_STRING = r"""(?:"(?:[^"\\\n\r\f]|\\.)*+"|'(?:[^'\\\n\r\f]|\\.)*+')"""
_ADDRESS = rf"""url\([ \t\n\r\f]*+(?:{_STRING}|(?:[^"'()\\ \t\n\r\f]|\\.)++)[ \t\n\r\f]*+\)"""
_LEXEME = re.compile(
    rf"""
    /\*.*?(?:\*/|\Z)
    | @namespace\b[^;{{}}]*+
    | (?P<import>@import[ \t\n\r\f]++)(?P<imported>{_STRING}|{_ADDRESS})
    | (?<![\w-])(?P<address>{_ADDRESS})
    | (?P<string>{_STRING})
    | \\.
    | (?P<open>(?<![\w-])[\w-]*+\(|\()
    | (?P<close>\))
    | (?P<end>[{{}};])
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_SETS = ("image-set(", "-webkit-image-set(")
_ESCAPE = re.compile(r"\\(?:([0-9A-Fa-f]{1,6})[ \t\n\r\f]?|\r\n|([\n\r\f])|(.))", re.DOTALL)


def rewritten_sheet(text: str, put: PutInSheet) -> str:
    """Return a style sheet, or the value of a style attribute, with what `put` gives in it.

    >>> rewritten_sheet("@import 'a.css'; p { background: URL(b.png) }", lambda old, _: f"x:{old}")
    '@import url("x:a.css"); p { background: url("x:b.png") }'
    """

    within: list[bool] = []  # whether each bracket that is open is that of a set of images

    def written(found: re.Match[str]) -> str:
        if found["open"]:
            within.append(found["open"].lower() in _SETS)
        elif found["close"]:
            del within[-1:]
        elif found["end"]:
            within.clear()
        is_in_set = bool(within) and within[-1]
        old = found["imported"] or found["address"] or (found["string"] if is_in_set else None)
        if old is None:
            return found[0]
        new = put(_reference(old), Kind.STYLE if found["imported"] else Kind.IMAGE)
        return found[0] if new is None else f'{found["import"] or ""}url("{new}")'

    return _LEXEME.sub(written, text)


def _reference(written: str) -> str:
    if written[0] not in "\"'":
        written = written[4:-1].strip(" \t\n\r\f")
    if written[:1] in ('"', "'"):
        written = written[1:-1]
    return _ESCAPE.sub(_unescaped, written)


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1]:
        code = int(escape[1], 16)
        return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    return escape[3] or ""
