"""What other programs watch and search by: the feed of captures, the site map, OpenSearch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as ET

from datasette import Response

from provenance.digest import Digest, to_ni
from provenance.reading import lookup
from provenance.reading.facts import CaptureLine
from provenance.web import words
from provenance.web.answers import MissingError
from provenance.web.attachment import Site
from provenance.web.finding import named
from provenance.web.places import is_plain
from provenance.web.policy import PAGE_HEADERS
from provenance.web.render import segment

ENTRIES = 50
"""Captures in a feed, the newest first."""

MAP_SIZE = 10_000
"""Documents in one part of the site map; the protocol allows 50,000."""

_ATOM = "http://www.w3.org/2005/Atom"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


async def atom(site: Site, request: Any) -> Response:
    """Answer the newest captures of all collections, or of one, as an Atom feed (RFC 4287)."""
    collection = named(request) if "id" in request.url_vars else None
    title, path = site.title, "/feed.atom"
    if collection is not None:
        cards = (await site.home()).collections
        card = next((one for one in cards if one.collection == collection), None)
        if card is None:
            raise MissingError(f"There is no collection “{collection[:200]}”.")
        title = f"{card.title} · {site.title}"
        path = f"/collection/{segment(collection)}/feed.atom"
    lines = await site.once(
        f"feed of {collection or 'all'}",
        lambda conn: lookup.read_newest(conn, collection, limit=ENTRIES),
    )
    return _xml(_feed(site, request, title, path, lines), "application/atom+xml")


def _feed(
    site: Site, request: Any, title: str, path: str, lines: Iterable[CaptureLine]
) -> ET.Element:
    lines = list(lines)
    here = site.absolute(request, path)
    feed = ET.Element("feed", xmlns=_ATOM)
    _text(feed, "title", title)
    _text(feed, "id", here)
    # A feed needs a date, and an archive without a capture has none of its own.
    _text(feed, "updated", lines[0].came_at if lines else "1970-01-01T00:00:00Z")
    ET.SubElement(feed, "link", rel="self", href=here, type="application/atom+xml")
    ET.SubElement(feed, "link", rel="alternate", href=site.absolute(request, "/"))
    _text(feed, "generator", site.software)
    for line in lines:
        entry = ET.SubElement(feed, "entry")
        label = words.state_label(line.outcome, line.status)
        how = words.obtained_words(line.obtained)
        version = f", version {line.version}" if line.version else ""
        _text(entry, "title", f"{line.label}: {label}{version}{f' ({how})' if how else ''}")
        _text(entry, "id", to_ni(Digest(line.capture_id)))
        _text(entry, "updated", line.came_at)
        target = site.absolute(request, f"/capture/{segment(line.capture_id)}")
        ET.SubElement(entry, "link", rel="alternate", href=target, type="text/html")
        author = ET.SubElement(entry, "author")
        _text(author, "name", site.title)
        _text(entry, "summary", words.state_meaning(line.outcome))
    return feed


async def sitemap(site: Site, request: Any) -> Response:
    """Answer the list of the parts of the site map, each with up to `MAP_SIZE` documents."""
    root = ET.Element("sitemapindex", xmlns=_SITEMAP)
    parts = max(-(-(await site.home()).documents // MAP_SIZE), 1)
    for number in range(1, parts + 1):
        part = ET.SubElement(root, "sitemap")
        location = site.absolute(request, f"/sitemap/{number}.xml")
        ET.SubElement(part, "loc").text = location
    return _xml(root, "application/xml")


async def sitemap_part(site: Site, request: Any) -> Response:
    """Answer one part of the site map: addresses of documents and the dates of their captures."""
    number = int(named(request))
    rows = await site.read(
        lambda conn: lookup.read_map(conn, limit=MAP_SIZE, offset=MAP_SIZE * (number - 1))
    )
    if not rows and number > 1:
        raise MissingError("The site map has no such part.")
    root = ET.Element("urlset", xmlns=_SITEMAP)
    for document, captured_at in rows:
        if not site.offer.live and not is_plain(document):
            continue  # it is in no copy
        url = ET.SubElement(root, "url")
        location = site.absolute(request, f"/document/{segment(document)}")
        ET.SubElement(url, "loc").text = location
        if captured_at:
            ET.SubElement(url, "lastmod").text = captured_at
    return _xml(root, "application/xml")


async def opensearch(site: Site, request: Any) -> Response:
    """Answer how a browser searches here (OpenSearch 1.1)."""
    root = ET.Element("OpenSearchDescription", xmlns=_OPENSEARCH)
    for name, text in (
        ("ShortName", site.title[:16]),
        ("LongName", site.title[:48]),
        ("Description", f"Search the archived texts of {site.title}"[:1024]),
        ("InputEncoding", "UTF-8"),
    ):
        ET.SubElement(root, name).text = _fit(text)
    base = site.absolute(request, "/search")
    for kind, ending in (("text/html", ""), ("application/json", ".json")):
        template = _fit(base) + ending + "?q={searchTerms}&page={startPage?}"
        ET.SubElement(root, "Url", type=kind, template=template)
    return _xml(root, "application/opensearchdescription+xml")


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _fit(text)


def _fit(text: str) -> str:
    """Return the text without the characters that XML 1.0 has no way to write (§2.2)."""
    return _UNFIT.sub("\ufffd", text)


def _xml(root: ET.Element, kind: str) -> Response:
    raw = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(raw, headers=dict(PAGE_HEADERS), content_type=f"{kind}; charset=utf-8")
