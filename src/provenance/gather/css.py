"""Read the addresses out of CSS; the only door to tinycss2. Pure.

A style sheet is cut into statements (at braces and semicolons outside comments, strings and
addresses), and a statement that can hold an address is read with tinycss2. So memory is bounded by
one statement, and a sheet of many rules costs little more than the few that name something.

What is taken: url(), src(), image-set() and its strings in declarations, and @import. What is not,
because no browser loads it: @namespace, and what stands in selectors and other at-rules' preludes.

Source: CSS Syntax Level 3; CSS Values 4 §4.5; CSS Images 4 §2.4; CSS Cascade 5 §2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from provenance.gather.kinds import Kind

MAX_STATEMENT: Final = 2**18
"""Characters of one statement that are read; data: addresses do not count."""

MAX_READ: Final = 2**20
"""Characters read with tinycss2, all statements of a page or style sheet together."""

_LEXEME = re.compile(
    r"""
    /\*.*?(?:\*/|\Z)
    | "[^"\\\n\r\f]*+(?:\\.[^"\\\n\r\f]*+)*+"?
    | '[^'\\\n\r\f]*+(?:\\.[^'\\\n\r\f]*+)*+'?
    | url\([ \t\n\r\f]*+(?!["'])[^)\\]*+(?:\\.[^)\\]*+)*+\)?
    | \\.
    | (?P<end>[{};])
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_CAN_NAME = re.compile(r"url\(|src\(|image-set\(|@import|\\", re.IGNORECASE)
_AT_RULE = re.compile(r"(?:\s++|/\*.*?\*/|<!--|-->)*+@([\w-]+)", re.DOTALL)
_DATA = re.compile(
    r"""url\(\s*+(?:"data:[^"\\\n]*+"|'data:[^'\\\n]*+'|data:[^)\\"'(\s]*+)\s*+\)""", re.IGNORECASE
)
_CHARSET_RULE = re.compile(rb'@charset "([^"]*)";')
_IMAGE_SETS: Final = ("image-set", "-webkit-image-set")

Token = Any  # tinycss2 has no types


@dataclass(frozen=True, slots=True, kw_only=True)
class CssReference:
    """An address as a style sheet writes it, escapes undone."""

    kind: Kind
    reference: str


def charset_rule(head: bytes) -> str | None:
    """Return the label that a style sheet's own @charset gives, or None.

    For whoever decodes the sheet: it counts after a byte order mark and after HTTP.

    >>> charset_rule(b'@charset "gb2312"; a {}')
    'gb2312'

    Source: CSS Syntax Level 3 §3.2.
    """
    match = _CHARSET_RULE.match(head[:1024])
    return match[1].decode("latin-1") if match else None


class StyleReader:
    """Reads the style sheets and style attributes of one page, or one style sheet.

    It reads no more than `MAX_READ` characters closely; `limit_reached` says that it passed over
    something.
    """

    def __init__(self) -> None:
        self.limit_reached = False
        self._left = MAX_READ

    def references(self, text: str) -> Iterator[CssReference]:
        """Yield every address that a style sheet, or the value of a style attribute, names."""
        if self._left < 0 or not _CAN_NAME.search(text):
            return
        start = depth = 0
        font_depth: int | None = None
        for lexeme in _LEXEME.finditer(text):
            end = lexeme["end"]
            if end is None:
                continue
            statement, start = text[start : lexeme.start()], lexeme.end()
            if end == "{":
                depth += 1
                if _at_rule(statement) == "font-face":
                    font_depth = depth
                continue
            yield from self._statement(statement, in_font=font_depth is not None)
            if self._left < 0:
                return
            if end == "}":
                depth = max(0, depth - 1)
                font_depth = font_depth if font_depth and depth >= font_depth else None
        yield from self._statement(text[start:], in_font=font_depth is not None)

    def _statement(self, text: str, *, in_font: bool) -> Iterator[CssReference]:
        if not _CAN_NAME.search(text):
            return
        text = _DATA.sub("none", text)
        if len(text) > MAX_STATEMENT or self._spent(len(text)):
            self.limit_reached = True
            return
        tokens = _tokens(text)
        if tokens and tokens[0].type == "at-keyword":
            if _name(tokens[0].value) == "import":
                yield from _found(Kind.STYLE, _imported(tokens[1:]))
        else:
            yield from _found(Kind.FONT if in_font else Kind.IMAGE, _named(tokens))

    def _spent(self, size: int) -> bool:
        self._left = max(self._left - size, -1)
        return self._left < 0


def _at_rule(prelude: str) -> str | None:
    match = _AT_RULE.match(prelude)
    return match[1].lower() if match else None


def _tokens(text: str) -> list[Token]:
    import tinycss2

    try:
        tokens = tinycss2.parse_component_value_list(text, skip_comments=True)
    except ValueError:
        return []  # a number with more digits than Python reads
    first = 0
    while first < len(tokens) and tokens[first].type in ("whitespace", "literal"):
        first += 1  # what stands before an at-rule may be no more than <!-- and -->
    return list(tokens[first:])


def _found(kind: Kind, references: Iterable[str]) -> Iterator[CssReference]:
    return (CssReference(kind=kind, reference=reference) for reference in references)


def _imported(tokens: list[Token]) -> Iterator[str]:
    first = next((token for token in tokens if token.type != "whitespace"), None)
    if first is not None and first.type in ("string", "url"):
        yield first.value
    elif first is not None and first.type == "function":
        yield from _address_function(first)


def _named(tokens: list[Token]) -> Iterator[str]:
    # Without recursion: blocks may be nested a hundred thousand deep.
    stack = [(iter(tokens), False)]
    while stack:
        inside, takes_strings = stack[-1]
        token = next(inside, None)
        if token is None:
            stack.pop()
        elif token.type == "url" or (token.type == "string" and takes_strings):
            yield token.value
        elif token.type == "function":
            yield from _address_function(token)
            stack.append((iter(token.arguments), _name(token.name) in _IMAGE_SETS))
        elif token.type in ("() block", "[] block", "{} block"):
            stack.append((iter(token.content), False))


def _address_function(token: Token) -> Iterator[str]:
    if _name(token.name) in ("url", "src"):
        yield from [each.value for each in token.arguments if each.type == "string"][:1]


def _name(text: str) -> str:
    return text.lower() if text.isascii() else text
