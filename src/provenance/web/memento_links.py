"""Write what the site says of mementos: the fields of their answers, and their TimeMaps.

Source: RFC 7089 §2 (fields and relations), §5 (TimeMaps in link format). TimeMaps have no standard
in JSON; the form is that of the Memento project's guide.
"""

from __future__ import annotations

from typing import Any

from provenance.web.attachment import Site
from provenance.web.mementos import Listing, Memento, Span
from provenance.web.originals import in_link
from provenance.web.signposting import link

LINK_FORMAT = "application/link-format"
JSON = "application/json"


def gate_address(site: Site, request: Any, original: str) -> str:
    """Return the address of the TimeGate of an original address."""
    return _below(site, request, f"/timegate/{in_link(original)}")


def map_address(site: Site, request: Any, original: str, form: str = "link", page: int = 1) -> str:
    """Return the address of a TimeMap of an original address, or of a later page of it."""
    part = f"{page}/" if page > 1 else ""
    return _below(site, request, f"/timemap/{form}/{part}{in_link(original)}")


def memento_address(site: Site, request: Any, memento: Memento) -> str:
    """Return the address of a memento."""
    return _below(site, request, memento.path)


def memento_fields(site: Site, request: Any, memento: Memento, others: str) -> dict[str, str]:
    """Return the fields of an answer that is a memento; `others` are more links."""
    links = (*_relations(site, request, memento.original), others)
    return {"memento-datetime": memento.http_date, "link": ", ".join(links)}


def gate_links(site: Site, request: Any, span: Span) -> str:
    """Return the links of a TimeGate's answer."""
    original, _, *maps = _relations(site, request, span.chosen.original)
    roles: dict[Memento, list[str]] = {span.first: ["first"]}
    roles.setdefault(span.chosen, [])
    roles.setdefault(span.last, []).append("last")
    mementos = (_memento(site, request, one, *role) for one, role in roles.items())
    return ", ".join((original, *maps, *mementos))


def map_links(site: Site, request: Any, listing: Listing, page: int) -> str:
    """Return one page of a TimeMap in link format."""
    first, last = listing.mementos[0], listing.mementos[-1]
    original = last.original

    def other(number: int, relation: str, bound: str) -> str:
        address = map_address(site, request, original, page=number)
        return f"{link(address, relation, LINK_FORMAT)}; {bound}"

    period = f'from="{first.http_date}"; until="{last.http_date}"'
    lines = [
        link(in_link(original), "original"),
        link(gate_address(site, request, original), "timegate"),
        other(page, "self", period),
    ]
    if listing.before is not None:
        lines.append(other(page - 1, "timemap prev", f'until="{listing.before.http_date}"'))
    if listing.after is not None:
        lines.append(other(page + 1, "timemap next", f'from="{listing.after.http_date}"'))
    for place, one in enumerate(listing.mementos, start=listing.start):
        role = [word for word, at in (("first", 0), ("last", listing.count - 1)) if place == at]
        lines.append(_memento(site, request, one, *role))
    return ",\n".join(lines) + "\n"


def map_values(site: Site, request: Any, listing: Listing, page: int) -> dict[str, object]:
    """Return one page of a TimeMap as JSON has it."""
    original = listing.mementos[-1].original

    def at(form: str, number: int = 1) -> str:
        return map_address(site, request, original, form, number)

    def told(one: Memento) -> dict[str, str]:
        return {"datetime": one.date, "uri": memento_address(site, request, one)}

    near = (("prev", listing.before, page - 1), ("next", listing.after, page + 1))
    return {
        "original_uri": in_link(original),
        "self": at("json", page),
        "timegate_uri": gate_address(site, request, original),
        "timemap_uri": {"link_format": at("link"), "json_format": at("json")},
        "mementos": {"list": [told(one) for one in listing.mementos]},
        "pages": {name: {"uri": at("json", number)} for name, one, number in near if one},
    }


def _relations(site: Site, request: Any, original: str) -> tuple[str, ...]:
    return (
        link(in_link(original), "original"),
        link(gate_address(site, request, original), "timegate"),
        link(map_address(site, request, original), "timemap", LINK_FORMAT),
        link(map_address(site, request, original, "json"), "timemap", JSON),
    )


def _memento(site: Site, request: Any, memento: Memento, *role: str) -> str:
    relation = " ".join((*role, "memento"))
    address = memento_address(site, request, memento)
    return f'{link(address, relation)}; datetime="{memento.http_date}"'


def _below(site: Site, request: Any, path: str) -> str:
    # Joined by hand: to join addresses by their rules would take `..` and `//` out of the original.
    return site.absolute(request, "/").rstrip("/") + path
