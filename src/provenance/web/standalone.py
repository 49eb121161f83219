"""Make a page of ours stand alone as a file: its headers in its head, its links as far as they go.

Pure. It takes HTML that our own templates made, in which nothing foreign is unescaped; it is no
parser of anybody's HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape

NOT_IN_META = ("frame-ancestors", "sandbox", "report-uri")
"""Directives that a browser passes over in a `meta` element (CSP Level 3, §3.3)."""

_CHARSET = '<meta charset="utf-8">\n'
_ANCHOR = re.compile(r'<a\b([^>]*?) href="([^"]*)"([^>]*)>(.*?)</a>', re.DOTALL)
_ELEMENT = re.compile(r'<link\b[^>]*? href="([^"]*)"[^>]*>\n?')
_SCRIPT = re.compile(r'(<script src=")([^"]*)(")')
_HEADER_LINK = re.compile(r'<([^>]*)>; rel="([^"]+)"(?:; type="([^"]+)")?')

Rewrite = Callable[[str], str | None]
"""Takes an address of a link; gives the one in the copy, or None where there is none."""


def standing_alone(
    text: str, *, policy: str, links: str, rewrite: Rewrite, signpost: Callable[[str], bool]
) -> str:
    """Return a page that needs no headers and leads nowhere in vain.

    `policy` and `links` are the values of the headers Content-Security-Policy and Link, of whose
    targets those that `signpost` lets through become elements. A link
    that leads to nothing is taken away, its words stay; a button that does goes as a whole.
    """

    def anchor(found: re.Match[str]) -> str:
        before, href, after, words = found.groups()
        target = rewrite(unescape(href))
        if target is not None:
            return f'<a{before} href="{escape(target)}"{after}>{words}</a>'
        return "" if 'class="button"' in before + after else f"<span>{words}</span>"

    def element(found: re.Match[str]) -> str:
        target = rewrite(unescape(found[1]))
        return "" if target is None else found[0].replace(found[1], escape(target), 1)

    def script(found: re.Match[str]) -> str:
        return f"{found[1]}{escape(rewrite(unescape(found[2])) or found[2])}{found[3]}"

    text = _SCRIPT.sub(script, _ELEMENT.sub(element, _ANCHOR.sub(anchor, text)))
    head, charset, rest = text.partition(_CHARSET)
    return f"{head}{charset}{head_elements(policy, links, signpost)}{rest}"


def head_elements(policy: str, links: str, signpost: Callable[[str], bool]) -> str:
    """Return what the headers say as elements of the head, one a line."""
    lines = [
        f'<meta http-equiv="Content-Security-Policy" content="{escape(meta_policy(policy))}">',
        '<meta name="referrer" content="no-referrer">',
    ]
    for target, relation, kind in _HEADER_LINK.findall(links):
        if not signpost(target):
            continue
        typed = f' type="{escape(kind)}"' if kind else ""
        lines.append(f'<link rel="{escape(relation)}" href="{escape(target)}"{typed}>')
    return "".join(f"{line}\n" for line in lines)


def meta_policy(policy: str) -> str:
    """Return a policy without what no `meta` element can say.

    >>> meta_policy("default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
    "default-src 'none'; base-uri 'none'"
    """
    directives = (each.strip() for each in policy.split(";"))
    return "; ".join(each for each in directives if each.split(" ")[0] not in NOT_IN_META)
