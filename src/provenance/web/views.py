"""The pages for people and their JSON twins: home, collection, document, capture, search."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from datasette import Response

from provenance.dates import parse_partial_date
from provenance.digest import Digest, to_hash_uri, to_ni
from provenance.errors import ProvenanceError, UsageError
from provenance.reading import lookup, searching
from provenance.reading.facts import TROUBLE_OUTCOMES, CaptureFacts, DocumentPage, RecordFacts
from provenance.reading.searching import Filters
from provenance.web import machines, words
from provenance.web.answers import FORMS, MissingError, flag, page, page_number, twin
from provenance.web.attachment import Site
from provenance.web.checking import check_now, is_checkable
from provenance.web.evidence import HEAD_SHOWN, head_text, parse_note, read_evidence, visible
from provenance.web.finding import find_capture, find_document, named
from provenance.web.presence import at_hand, contents_here
from provenance.web.render import segment
from provenance.web.signposting import description_links
from provenance.web.source import Exchange
from provenance.web.years import spans

PAGE_SIZE = 30
HITS = 20
VISITS = 14
"""Captures on one page of a document's timeline."""

WHOLE, SHOWN, NAMED = 8, 24, 50
"""Up to so many collections the front page shows whole; so many it shows in brief, so many more by
name."""

LISTED = 8
"""Entries shown of a document's lists, which may be of any length."""


async def home(site: Site, request: Any) -> Response:
    """Show what there is: collections, coverage, newest captures, what needs attention."""
    log = await asyncio.to_thread(site.source.log)
    return page(
        site,
        "home.html",
        home=await site.home(),
        log=log,
        whole=WHOLE,
        shown=SHOWN,
        listed=NAMED,
    )


async def collection(site: Site, request: Any) -> Response:
    """Show one collection's documents by role, narrowed by `?role=` and `?state=`."""
    name, number = named(request), page_number(request)
    state, role = request.args.get("state") or None, request.args.get("role")
    card = next((one for one in (await site.home()).collections if one.collection == name), None)
    if card is None:
        known = (await site.home()).collections
        near = tuple((f"/collection/{segment(one.collection)}", one.title) for one in known[:20])
        raise MissingError(f"There is no collection “{name[:200]}”.", near=near)
    states = TROUBLE_OUTCOMES if state == "attention" else (state,) if state else ()
    shelf = (await site.standing()).shelves.get(name)
    chosen = (
        shelf.chosen(role=role, states=states, limit=PAGE_SIZE + 1, offset=PAGE_SIZE * (number - 1))
        if shelf
        else []
    )
    documents = await site.read(lambda conn: lookup.read_documents(conn, chosen))
    years = await site.once(f"years of {name}", lambda conn: lookup.read_years(conn, name))
    kept = {key: value for key, value in (("role", role), ("state", state)) if value is not None}
    return page(
        site,
        "collection.html",
        card=card,
        documents=documents[:PAGE_SIZE],
        state=state,
        role=role,
        years=spans(*years),
        pages=_pages(
            f"/collection/{segment(name)}",
            kept,
            number,
            more=len(documents) > PAGE_SIZE,
            last=number if documents else 1,
        ),
    )


async def document(site: Site, request: Any) -> Response:
    """Show the bibliographic card, the captures, relations and citations of a document."""
    number = page_number(request)
    first = VISITS * (number - 1)
    found = await find_document(site, named(request), limit=VISITS, offset=first)
    newest = found.newest
    citations = await _citations(site, newest.capture_id) if newest else ()
    kept = await find_capture(site, newest.capture_id) if newest else None
    is_here = newest is not None and (await at_hand(site, newest.capture_id)).content
    return page(
        site,
        "document.html",
        found=found,
        newest=newest,
        number=number,
        first=first,
        listed=LISTED,
        pages=_pages(
            f"/document/{segment(found.description.document)}",
            {},
            number,
            more=found.capture_count > first + VISITS,
            last=max(1, -(-found.capture_count // VISITS)),
        ),
        is_here=is_here,
        kept_here=await contents_here(
            site, [line.capture_id for line in found.captures if line.content_id]
        ),
        citations=citations,
        changed=_changed(found),
        formats=site.forms(citable=newest is not None),
        headers=machines.document_links(site, request, found.description, kept, is_here=is_here),
    )


async def document_json(site: Site, request: Any) -> Response:
    """Answer the document page as JSON."""
    found = await find_document(site, named(request))
    landing = machines.document_address(site, request, found.description.document)
    return twin(site, _document_twin(found), headers={"link": description_links(landing)})


async def capture(site: Site, request: Any) -> Response:
    """Show the evidence of one capture; with `?check=1` also what verifying it now finds."""
    found = await find_capture(site, named(request))
    facts = found.capture
    checked = await check_now(site, found) if flag(request, "check") else None
    here = await at_hand(site, facts.capture_id)
    exchange = await asyncio.to_thread(_exchange, site, facts.capture_id)
    note = exchange.note if exchange else facts.note
    is_spoiled = here.record and exchange is None
    is_amiss = is_spoiled or (checked is not None and "whole" not in checked.rungs)
    return page(
        site,
        "capture.html",
        found=found,
        capture=facts,
        happened=words.what_happened(facts, is_amiss=is_amiss),
        is_spoiled=is_spoiled,
        is_amiss=is_amiss,
        without_robots=words.without_robots(facts),
        was_asked=words.was_asked(facts),
        exchange=exchange,
        request_head=_head(exchange.request_head if exchange else None),
        response_head=_head(exchange.response_head if exchange else None),
        evidence=read_evidence(
            parse_note(facts.note or note), exchange.chain if exchange else None
        ),
        note=visible((note or "")[:HEAD_SHOWN]),
        forms=_digest_forms(facts),
        citations=await _citations(site, facts.capture_id),
        payload_check=_payload_check(facts, found.record),
        formats=site.forms(citable=facts.content_id is not None),
        checked=checked,
        here=here,
        is_checkable=here.record and is_checkable(found),
        has_log=await asyncio.to_thread(site.source.log) is not None,
        headers={
            **machines.capture_links(site, request, found, is_here=here.content),
            **({"x-robots-tag": "noindex", "cache-control": "no-store"} if checked else {}),
        },
    )


async def capture_json(site: Site, request: Any) -> Response:
    """Answer the evidence page as JSON: the index row, its record, and where the bytes are."""
    found = await find_capture(site, named(request))
    facts = found.capture
    row = {**asdict(facts), "note": parse_note(facts.note), "flags": _json_list(facts.flags)}
    landing = machines.capture_address(site, request, facts.capture_id)
    is_here = facts.content_id is not None and (await at_hand(site, facts.capture_id)).content
    content = site.content_path(str(facts.content_id)) if is_here else None
    return twin(
        site,
        headers={"link": description_links(landing)},
        answer={
            "type": "capture",
            **row,
            "record": asdict(found.record) if found.record else None,
            "links": {
                "document": site.path(f"/document/{segment(facts.document)}"),
                "content": site.path(content) if content else None,
            },
        },
    )


async def search(site: Site, request: Any) -> Response:
    """Show what archived texts and the catalogue have for `?q=`."""
    query = (request.args.get("q") or "").strip()[:400]
    filters, fault = _filters(request)
    number = page_number(request)
    found = searching.Found()
    catalogue: tuple[searching.CatalogueHit, ...] = ()
    if query and fault is None:
        try:
            found = await _found(site, query, filters, number)
            catalogue = await _catalogue(site, query, found.hits) if number == 1 else ()
        except UsageError as error:
            fault = str(error)
    asked = _filter_query(query, filters)
    return page(
        site,
        "search.html",
        query=query,
        filters=filters,
        choices=await site.choices(),
        found=found,
        hits=found.hits[:HITS],
        kept_here=await contents_here(site, [hit.capture_id for hit in found.hits[:HITS]]),
        catalogue=catalogue,
        fault=fault,
        number=number,
        newest=f"/search?{urlencode({**asked, 'order': 'newest'})}",
        pages=_pages(
            "/search", asked, number, more=len(found.hits) > HITS, last=number if found.hits else 1
        ),
    )


async def search_json(site: Site, request: Any) -> Response:
    """Answer a search as JSON; snippets are lists of [text, marked]."""
    query, number = (request.args.get("q") or "").strip()[:400], page_number(request)
    filters, fault = _filters(request)
    found = searching.Found()
    try:
        found = found if fault else await _found(site, query, filters, number)
    except UsageError as error:
        fault = str(error)
    if fault:
        return twin(site, {"ok": False, "error": fault, "results": []}, status=400)
    results = [
        {
            "type": "capture",
            **asdict(hit),
            "snippet": [[piece.text, piece.marked] for piece in hit.snippet],
        }
        for hit in found.hits[:HITS]
    ]
    return twin(
        site,
        {
            "query": query,
            "page": number,
            "more": len(found.hits) > HITS,
            "texts": found.texts,
            "ranked_one_in": found.each,
            "results": results,
        },
    )


async def _found(site: Site, query: str, filters: Filters, number: int) -> searching.Found:
    expression = site.source.fts_query(query)
    belonging = await site.belonging() if filters.of_documents or filters.newest else None
    return await site.read(
        lambda conn: searching.search(
            conn, expression, filters, belonging, limit=HITS + 1, offset=HITS * (number - 1)
        )
    )


async def _catalogue(
    site: Site, query: str, hits: tuple[searching.Hit, ...]
) -> tuple[searching.CatalogueHit, ...]:
    """Return up to eight documents described with the words that are not among `hits`."""
    expression = site.source.fts_query(query)
    found = await site.read(
        lambda conn: searching.search_catalogue(conn, expression, limit=len(hits) + 8)
    )
    shown = {hit.document for hit in hits}
    return tuple(one for one in found if one.document not in shown)[:8]


def _filters(request: Any) -> tuple[Filters, str | None]:
    """Return what a search is narrowed to, and what is wrong with it, if anything."""
    dates: dict[str, str | None] = {"since": None, "until": None}
    fault = None
    for name in dates:
        text = (request.args.get(name) or "").strip()
        try:
            dates[name] = parse_partial_date(text) if text else None
        except UsageError as error:
            fault = str(error)
    filters = Filters(
        role=request.args.get("role") or None,
        publisher=request.args.get("publisher") or None,
        language=request.args.get("language") or None,
        newest=request.args.get("order") == "newest",
        everything=flag(request, "all"),
        **dates,
    )
    return filters, fault


def _filter_query(query: str, filters: Filters) -> dict[str, str]:
    chosen = {
        "q": query,
        "role": filters.role,
        "publisher": filters.publisher,
        "language": filters.language,
        "since": filters.since,
        "until": filters.until,
        "order": "newest" if filters.newest else None,
        "all": "1" if filters.everything else None,
    }
    return {key: value for key, value in chosen.items() if value}


def _pages(
    path: str, kept: dict[str, str], number: int, *, more: bool, last: int
) -> dict[str, str | None]:
    """Return the ways to the pages before and after; before one beyond the end comes the last."""

    def at(wanted: int) -> str:
        return f"{path}?{urlencode({**kept, 'page': str(wanted)})}"

    return {
        "earlier": at(min(number - 1, last)) if number > 1 else None,
        "later": at(number + 1) if more else None,
    }


async def _citations(site: Site, capture_id: str) -> tuple[tuple[str, str, str], ...]:
    def cite_all() -> tuple[tuple[str, str, str], ...]:
        return tuple(
            (form, label, site.source.cite(capture_id, form, None)) for form, label in FORMS
        )

    try:
        return await asyncio.to_thread(cite_all)
    except ProvenanceError:
        return ()


def _exchange(site: Site, capture_id: str) -> Exchange | None:
    try:
        return site.source.exchange(capture_id)
    except ProvenanceError:
        return None


def _head(raw: bytes | None) -> str | None:
    return None if raw is None else head_text(raw)


def _changed(found: DocumentPage) -> dict[str, str]:
    """Return, by its capture id, the version before each capture that brought another content."""
    before: dict[str, str] = {}
    lines = found.captures if found.before is None else (*found.captures, found.before)
    kept = [line for line in lines if line.is_version and line.content_id]
    for newer, older in pairwise(kept):
        if newer.content_id != older.content_id:
            before[newer.capture_id] = older.capture_id
    return before


def _json_list(text: str | None) -> list[object]:
    found = json.loads(text or "[]")
    return found if isinstance(found, list) else []


def _digest_forms(capture: CaptureFacts) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Return (name, what it covers, labelled digest, other forms) for each digest there is."""
    held = (
        (
            "Content id",
            "Covers the document as a browser saves it. `sha256sum` of the download gives it.",
            capture.content_id,
        ),
        (
            "Capture id",
            "Covers the whole record as stored: address, date and all that came.",
            capture.capture_id,
        ),
        (
            "Payload digest",
            "Covers the body as sent, before any compression is taken off.",
            capture.payload_digest,
        ),
    )
    return [
        (name, covers, digest, (to_hash_uri(Digest(digest)), to_ni(Digest(digest))))
        for name, covers, digest in held
        if digest
    ]


def _payload_check(capture: CaptureFacts, record: RecordFacts | None) -> str | None:
    declared = record.declared_payload_digest if record else None
    if not declared or not capture.payload_digest:
        return None
    return "agrees" if declared == capture.payload_digest else "differs"


def _document_twin(found: DocumentPage) -> dict[str, object]:
    newest = found.newest
    return {
        "type": "document",
        **asdict(found.description),
        "capture_id": newest.capture_id if newest else None,
        "content_id": newest.content_id if newest else None,
        "captured_at": newest.captured_at if newest else None,
        "captures": [asdict(line) for line in found.captures],
        "capture_count": found.capture_count,
        "alternates": [asdict(line) for line in found.alternates],
        "relations": [
            {"kind": line.kind, "inward": bool(line.inward), "document": line.other}
            for line in found.relations
        ],
    }
