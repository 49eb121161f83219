"""Read web links, as in the Link field of HTTP and in application/link-format. Pure.

Read leniently: what is no link is passed over, and a quotation that is never closed ends with the
text. Source: RFC 8288 §3 and appendix B.2; RFC 6690 §2 for the same in a document of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from provenance.uri import web_address

MAX_LINKS: Final = 200_000

_TARGET = re.compile(r"<([^<>]*)>")
_ATTRIBUTE = re.compile(
    r"""[\s;]*+([^\s=;,"<>]++)(?:\s*+=\s*+(?:"((?:[^"\\]++|\\.)*+)(?:"|\\?\Z)|([^\s;,"<>]*+)))?""",
    re.DOTALL,
)
_PAIR = re.compile(r"\\(.)", re.DOTALL)
_BETWEEN = re.compile(r"\s*+(;?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link: an absolute http(s) address, its relation types and its other attributes.

    Names and relation types are in lower case; of attributes of one name the first counts.
    """

    target: str
    rel: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...] = ()

    def value(self, name: str) -> str | None:
        """Return the value of the attribute `name`, or None."""
        return next((value for key, value in self.attributes if key == name), None)


def parse_links(text: str, *, base: str) -> Iterator[Link]:
    """Yield the links of `text`, up to 200,000, relative targets resolved against `base`.

    >>> [(a.target, a.rel) for a in parse_links('</a>; rel="next Last"', base="http://h.example/")]
    [('http://h.example/a', ('next', 'last'))]
    """
    at = 0
    for _ in range(MAX_LINKS):
        target = _TARGET.search(text, at)
        if target is None:
            return
        attributes, at = _attributes(text, target.end())
        address = web_address(target[1], base=base)
        if address is not None:
            rel = tuple(dict.fromkeys(attributes.pop("rel", "").lower().split()))
            yield Link(target=address, rel=rel, attributes=tuple(attributes.items()))


def _attributes(text: str, at: int) -> tuple[dict[str, str], int]:
    found: dict[str, str] = {}
    while (between := _BETWEEN.match(text, at)) and between[1]:
        match = _ATTRIBUTE.match(text, at)
        if match is None:
            return found, between.end()
        quoted, plain = match[2], match[3]
        value = _PAIR.sub(r"\1", quoted) if quoted is not None else plain or ""
        found.setdefault(match[1].lower(), value)
        at = match.end()
    return found, at
