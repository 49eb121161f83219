"""The `Link` header that tells machines what a page is about, and where its parts are. Pure.

Source: RFC 8288; FAIR Signposting Profile, levels 1 and 2; RFC 8574 (cite-as).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from provenance.reading.facts import Description

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80}\Z")

ABOUT_PAGE = "https://schema.org/AboutPage"
CREATIVE_WORK = "https://schema.org/CreativeWork"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form in which a page can be had: the ending of its address, its media type, its label."""

    ending: str
    media_type: str
    label: str
    citation: str | None = None
    """Name of the citation form, where it is one."""


FORMS = (
    Form(ending="json", media_type="application/json", label="JSON"),
    Form(ending="jsonld", media_type="application/ld+json", label="JSON-LD"),
    Form(ending="bib", media_type="application/x-bibtex", label="BibTeX", citation="bibtex"),
    Form(
        ending="ris",
        media_type="application/x-research-info-systems",
        label="RIS",
        citation="ris",
    ),
    Form(
        ending="csl.json",
        media_type="application/vnd.citationstyles.csl+json",
        label="CSL-JSON",
        citation="csl-json",
    ),
)


def link(target: str, relation: str, media_type: str | None = None) -> str:
    """Return one link; a media type that is none is left out.

    >>> link("https://a.example/", "item", "text/html; charset=utf-8")
    '<https://a.example/>; rel="item"; type="text/html"'
    """
    kind = (media_type or "").partition(";")[0].strip()
    typed = f'; type="{kind}"' if _MEDIA_TYPE.match(kind) else ""
    return f'<{target}>; rel="{relation}"{typed}'


def landing_links(
    address: str,
    *,
    cite_as: str | None,
    content: str | None,
    media_type: str | None,
    forms: Iterable[Form] = FORMS,
) -> str:
    """Return the links of a page about a document or capture at `address`, all of them absolute.

    `cite_as` is the address of the capture that does not change, `content` that of its bytes; both
    are None where nothing was kept. `forms` are those in which the page can be had.
    """
    links: list[str] = []
    if cite_as is not None:
        links.append(link(cite_as, "cite-as"))
    links += [link(ABOUT_PAGE, "type"), link(CREATIVE_WORK, "type")]
    links += [link(f"{address}.{form.ending}", "describedby", form.media_type) for form in forms]
    if content is not None:
        links.append(link(content, "item", media_type))
    return ", ".join(links)


def part_links(landing: str) -> str:
    """Return the links of archived bytes, which lead back to the page about them."""
    return ", ".join((link(landing, "collection", "text/html"), link(landing, "cite-as")))


def description_links(landing: str) -> str:
    """Return the links of a page's other forms, which lead back to it."""
    return link(landing, "describes", "text/html")


def coins(described: Description) -> str:
    """Return a document as the title of a COinS span, which reference managers import.

    Source: OpenURL COinS; ANSI/NISO Z39.88-2004, key/encoded-value format for Dublin Core.
    """
    fields = (
        ("ctx_ver", "Z39.88-2004"),
        ("rft_val_fmt", "info:ofi/fmt:kev:mtx:dc"),
        ("rft.type", "webpage"),
        ("rft.title", described.label),
        ("rft.creator", described.author),
        ("rft.publisher", described.publisher),
        ("rft.date", described.published),
        ("rft.language", described.language),
        ("rft.identifier", described.url),
    )
    return urlencode([(name, value) for name, value in fields if value], errors="replace")
