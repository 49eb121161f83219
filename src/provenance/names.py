"""Split an author line into names where it plainly lists several. Pure.

A name is never taken apart into given and family name: that would be a guess.
"""

from __future__ import annotations

import re

from provenance.plain_text import one_line

_OPENING, _CLOSING = "([（", ")]）"
_GROUP_AT_END = re.compile(r"(.*\S)\s*[(（]([^()（）]+)[)）]\Z")
_GROUP = re.compile(r"\s*[(（][^()（）]*[)）]")
_LISTED = re.compile(r"\s*[、,，;；]\s*")
_PARTICLE = re.compile(
    r"(?:al|bin|bint|da|de|del|della|den|der|di|dos|du|e|el|i|ibn|la|le|ten|ter|van|von|y|zu)\Z"
    r"|(?:al|as|ad|an|ar|at|az|el|ul|d|l)[-'’]\w"
)


def split_names(author: str | None) -> tuple[str, ...]:
    """Return the names in `author`, each as written.

    A semicolon always divides. A comma divides only if every part reads as a full name of two to
    six capitalised words; otherwise (`Smith, John`, `Department of Trade, Industry and Labour`)
    the line stays one name. One bracket at the end with as many names as the line has is dealt out.

    >>> split_names("Pan Ying, Sun Zhe (潘莹、孙哲)")
    ('Pan Ying (潘莹)', 'Sun Zhe (孙哲)')
    """
    line = one_line(author or "")
    names = _divide(line, ";；")
    if names == (line,):
        parts = _divide(line, ",，")
        last = parts[-1].removeprefix("and ") if len(parts) > 1 else line
        parts = (*parts[:-1], last)
        names = parts if all(_is_full_name(part) for part in parts) else (line,)
    return _deal_out_bracket(names) if line else ()


def _divide(line: str, dividers: str) -> tuple[str, ...]:
    """Split at the dividers that stand outside all brackets."""
    depth, parts = 0, [""]
    for character in line:
        depth += (character in _OPENING) - (character in _CLOSING)
        if depth <= 0 and character in dividers:
            parts.append("")
        else:
            parts[-1] += character
    return tuple(part.strip() for part in parts if part.strip()) or (line,)


def _is_full_name(part: str) -> bool:
    words = _GROUP.sub("", part).split()
    proper = sum(word[0].isupper() for word in words)
    return (
        2 <= len(words) <= 6
        and proper >= 2
        and all(word[0].isupper() or _PARTICLE.match(word) for word in words)
    )


def _deal_out_bracket(names: tuple[str, ...]) -> tuple[str, ...]:
    match = _GROUP_AT_END.match(names[-1])
    if len(names) == 1 or match is None or any(_GROUP.search(name) for name in names[:-1]):
        return names
    inside = [part for part in _LISTED.split(match[2]) if part]
    if len(inside) != len(names):
        return names
    return tuple(
        f"{name} ({other})" for name, other in zip((*names[:-1], match[1]), inside, strict=True)
    )
