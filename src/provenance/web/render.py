"""Turn values into HTML through the package's own templates, everything escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from provenance.web import words
from provenance.web.languages import language_words
from provenance.web.originals import in_link
from provenance.web.signposting import coins

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}\Z")
STATIC = {
    "colours.css": "text/css; charset=utf-8",
    "site.css": "text/css; charset=utf-8",
    "tables.css": "text/css; charset=utf-8",
    "site.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


class _Compact(Extension):
    """Leave out the indentation of our own templates, which is a tenth of a page."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return the source of a template without white space at the start of lines."""
        return re.sub(r"^[ \t]+", "", source, flags=re.MULTILINE)


def make_environment() -> Environment:
    """Return the templates, autoescaping and strict about names."""
    environment = Environment(
        loader=PackageLoader("provenance.web", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=[_Compact],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        day=words.day_words,
        when=words.time_words,
        dated=words.partial_date_words,
        size=words.size_words,
        state_label=words.state_label,
        obtained=words.obtained_words,
        robots=words.robots_words,
        state_meaning=words.state_meaning,
        reason=words.reason_words,
        known_reason=words.known_reason,
        language=language_tag,
        language_name=language_words,
        shortened=words.shortened,
        brief=words.brief,
        escaped=escaped,
        segment=segment,
        short=short_digest,
        breakable=breakable,
        number=lambda count: f"{count:,}",
    )
    environment.tests["web_address"] = is_web_address
    environment.globals.update(
        roles=words.ROLES,
        states=words.STATES,
        alternates=words.ALTERNATES,
        relation_words=words.relation_words,
        coins=coins,
    )
    return environment


def read_static(name: str) -> bytes:
    """Return a file of the package's folder `assets`; `name` is a key of STATIC."""
    return files("provenance.web").joinpath("assets", name).read_bytes()


def segment(text: object) -> str:
    """Return any id as one segment of a path; a dot in it is no ending such as `.json`.

    >>> segment("a/b?c.json"), segment("sha256:00")
    ('a%2Fb%3Fc%2Ejson', 'sha256:00')
    """
    return quote(str(text), safe=":").replace(".", "%2E")


def escaped(url: str) -> str:
    """Return an address escaped as a whole, to stand in a path without changing it.

    >>> escaped("https://a.example/..#b")
    'https%3A%2F%2Fa.example%2F..'
    """
    return quote(in_link(url), safe="")


def is_web_address(url: str | None) -> bool:
    """Whether a string may become a link: absolute, http or https, with a host, nothing unseen.

    >>> is_web_address("javascript:alert(1)"), is_web_address("https://gazette.example/")
    (False, True)
    """
    if not url or re.search(r"[\x00-\x20\x7f\\]", url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)


def language_tag(text: str | None) -> str:
    """Return a language tag if it has the shape of one, else the empty string (unknown).

    Source: BCP 47 §2.1, its outer shape.
    """
    return text if text and _LANGUAGE.match(text) else ""


def breakable(url: str) -> Markup:
    """Return an address, escaped, with places to break the line after its own separators."""
    return Markup("<wbr>").join(part for part in re.split(r"(?<=[/?&=._-])(?=[^/])", url) if part)


def short_digest(digest: str | None) -> str:
    """Return the first eight hex digits, for people to tell digests apart."""
    return (digest or "").removeprefix("sha256:")[:8]


def coverage_segments(by_state: Mapping[str, int]) -> list[dict[str, object]]:
    """Return bar segments in the order of states: state, documents, x and width (percent)."""
    total = sum(by_state.values()) or 1
    order = [state for state in words.STATES if by_state.get(state)]
    order += [state for state in by_state if state not in words.STATES]
    segments, start = [], 0.0
    for state in order:
        width = 100 * by_state[state] / total
        segments.append(
            {"state": state, "documents": by_state[state], "x": f"{start:.3f}", "w": f"{width:.3f}"}
        )
        start += width
    return segments
