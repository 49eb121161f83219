"""Read the image candidates out of a srcset attribute, as browsers do. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPACE = "\t\n\f\r "
_ADDRESS = re.compile(rf"[{_SPACE},]*+([^{_SPACE}]++)")
# A comma inside parentheses ends no candidate; parentheses do not nest.
_DESCRIPTORS = re.compile(r"(?:[^(,]|\([^)]*+\)?)*+")
_WIDTH_OR_HEIGHT = re.compile(r"0*[1-9][0-9]*[wh]\Z", re.ASCII)
_DENSITY = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?x\Z", re.ASCII)


def candidates(srcset: str) -> Iterator[str]:
    """Yield the address of each candidate, as it is written; one with a wrong descriptor is none.

    >>> list(candidates("a.png, b,c.png 2x, d.png 100w (e, f), g.png 1x 1x"))
    ['a.png', 'b,c.png']

    Source: HTML Standard §4.8.4.3.10 (parsing a srcset attribute).
    """
    for address, _ in described_candidates(srcset):
        yield address


def described_candidates(srcset: str) -> Iterator[tuple[str, str]]:
    """Yield the same with each candidate's descriptor, which may be empty.

    >>> list(described_candidates("a.png, b.png 2x"))
    [('a.png', ''), ('b.png', '2x')]
    """
    at = 0
    while match := _ADDRESS.match(srcset, at):
        address, at = match[1], match.end()
        if address.endswith(","):
            yield address.rstrip(","), ""
            continue
        rest = _DESCRIPTORS.match(srcset, at)
        descriptors = rest[0] if rest else ""
        at += len(descriptors)
        if _fit(descriptors.split()):
            yield address, " ".join(descriptors.split())


def _fit(descriptors: list[str]) -> bool:
    if not descriptors:
        return True
    widths = [one for one in descriptors if _WIDTH_OR_HEIGHT.match(one)]
    kinds = "".join(sorted(one[-1] for one in widths))
    if len(widths) == len(descriptors):
        return kinds in ("w", "hw")
    return len(descriptors) == 1 and _DENSITY.match(descriptors[0]) is not None
