"""Read what the head of an archive's answer says about the memento that it is. Pure.

What an archive says is taken as its statement: the instant, the original address and the archived
header fields. Nothing that an archive answers makes this raise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from provenance.dates import parse_http_date
from provenance.gather.linkformat import Link, parse_links
from provenance.gather.wayback import RAW_MODIFIER, archive_host, read_wayback
from provenance.http_message import ResponseHead
from provenance.uri import web_address

REDIRECTS: Final = (301, 302, 303, 307, 308)

_ORIGINAL_FIELD: Final = b"x-archive-orig-"
_RAW_PREFERENCE = re.compile(r"(?:\A|[,\s])(?:raw|original-content)\b")


class Rawness(StrEnum):
    """Whether a memento's body is what was archived, as far as its address and head tell."""

    RAW = "raw"
    REWRITTEN = "rewritten"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class MementoLinks:
    """What an answer's Link field says of an original address and its mementos."""

    original: str | None = None
    timegate: str | None = None
    timemap: str | None = None
    mementos: tuple[tuple[str, datetime], ...] = ()
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MementoHead:
    """What the head of an archive's answer says about the memento that it is.

    `instant` is None where it is none; `fault` is then None or `bad_memento_datetime`. `original`
    is taken from the Link field, else from the path of the address. `original_fields` are those
    that the archive keeps under `X-Archive-Orig-`: where there are any, the head is not the one
    archived, whatever the body is.
    """

    url: str
    archive: str
    status: int
    instant: datetime | None
    rawness: Rawness
    original: str | None = None
    original_from: str | None = None
    location: str | None = None
    content_location: str | None = None
    negotiated: bool = False
    links: MementoLinks = field(default_factory=MementoLinks)
    original_fields: tuple[tuple[bytes, bytes], ...] = ()
    fault: str | None = None


def read_memento_head(head: ResponseHead, *, url: str) -> MementoHead:
    """Return what the head of the answer from `url` says, as values.

    Source: RFC 7089 §2.1 (fields), §2.2 (relation types).
    """
    links = _links(head, url)
    said = head.value("memento-datetime")
    instant = parse_http_date(said) if said is not None else None
    wayback = read_wayback(url)
    original = links.original or (wayback.original if wayback else None)
    prefix = len(_ORIGINAL_FIELD)
    return MementoHead(
        url=url,
        archive=archive_host(url),
        status=head.status,
        instant=instant,
        rawness=_rawness(head, url),
        original=original,
        original_from=("link" if links.original else "path") if original else None,
        location=_field_address(head, "location", url) if head.status in REDIRECTS else None,
        content_location=_field_address(head, "content-location", url),
        negotiated="accept-datetime" in ",".join(head.values("vary")).lower(),
        links=links,
        original_fields=tuple(
            (name[prefix:], value)
            for name, value in head.fields
            if name.lower().startswith(_ORIGINAL_FIELD)
        ),
        fault="bad_memento_datetime" if said is not None and instant is None else None,
    )


def _rawness(head: ResponseHead, url: str) -> Rawness:
    applied = ",".join(head.values("preference-applied")).lower()
    if _RAW_PREFERENCE.search(applied):
        return Rawness.RAW
    wayback = read_wayback(url)
    if wayback is None:
        return Rawness.UNKNOWN
    return Rawness.RAW if wayback.modifier == RAW_MODIFIER else Rawness.REWRITTEN


def _field_address(head: ResponseHead, name: str, url: str) -> str | None:
    value = head.value(name)
    if value is None:
        return None
    # The field's bytes are UTF-8 where they are no ASCII, as browsers read them.
    return web_address(value.encode("latin-1").decode("utf-8", "replace"), base=url)


def _links(head: ResponseHead, url: str) -> MementoLinks:
    links = list(parse_links(", ".join(head.values("link")), base=url))
    dated = [(link, parse_http_date(link.value("datetime") or "")) for link in links]
    mementos = [(link, when) for link, when in dated if when and "memento" in link.rel]
    return MementoLinks(
        original=_target(links, "original"),
        timegate=_target(links, "timegate"),
        timemap=_target(links, "timemap"),
        mementos=tuple((link.target, when) for link, when in mementos),
        first=next((when for link, when in mementos if "first" in link.rel), None),
        last=next((when for link, when in mementos if "last" in link.rel), None),
    )


def _target(links: list[Link], rel: str) -> str | None:
    return next((link.target for link in links if rel in link.rel), None)
