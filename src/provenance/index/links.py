"""Say which addresses a capture leads to, and what of them is archived. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urldefrag, urlsplit, urlunsplit

from provenance.digest import Digest
from provenance.index.found import CaptureRow, LinkRow, LinkTarget, ListedBy, Near
from provenance.model import DocumentId

_AT_ONCE = 400

_NEWEST = """(SELECT capture_id FROM capture n WHERE n.document = {document} AND n.is_version = 1
  ORDER BY n.captured_at DESC, n.capture_id DESC LIMIT 1)"""

_CAPTURED = """SELECT {column}, document, capture_id FROM capture
WHERE is_version = 1 AND {column} IN ({marks}) ORDER BY captured_at DESC, capture_id DESC"""

_LISTED = """SELECT l.url, l.document, {newest} FROM {table} l
WHERE l.url IN ({marks}) ORDER BY l.document"""

_BY_ORDER = tuple(ListedBy)


def links_of(connection: sqlite3.Connection, capture: CaptureRow) -> tuple[LinkRow, ...]:
    """Return the redirects of a capture and the hyperlinks of its content, in order."""
    rows = connection.execute(
        "SELECT kind, position, url, label, status FROM link "
        "WHERE (kind = 'redirect' AND source = ?) OR (kind = 'hyperlink' AND source = ?) "
        "ORDER BY kind DESC, position",
        (capture.capture_id, capture.content_id),
    ).fetchall()
    variants = {str(row[2]): address_variants(str(row[2])) for row in rows}
    known = _known(connection, {each for found in variants.values() for each in found})
    return tuple(
        LinkRow(
            kind=kind,
            position=position,
            url=url,
            label=label,
            status=status,
            archived=_targets(variants[url], known),
        )
        for kind, position, url, label, status in map(tuple, rows)
    )


def address_variants(url: str) -> Mapping[str, Near]:
    """Return the addresses under which what `url` names may be archived, and how near each is.

    >>> list(address_variants("https://a.example/b#c"))[1:]
    ['https://a.example/b', 'https://a.example/b/', 'http://a.example/b', 'http://a.example/b/']
    """
    variants = {url: Near.EXACT}
    try:
        bare = urldefrag(url).url
        scheme, host, path, query, _ = urlsplit(bare)
    except ValueError:
        return variants
    variants.setdefault(bare, Near.EXACT)
    if scheme in ("http", "https"):
        other = "http" if scheme == "https" else "https"
        turned = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        for one in (scheme, other):
            for way in (path, turned):
                variants.setdefault(urlunsplit((one, host, way, query, "")), Near.NEAR)
    return variants


def _known(
    connection: sqlite3.Connection, addresses: Iterable[str]
) -> Mapping[str, Sequence[tuple[ListedBy, str, str | None]]]:
    """Return, for each address the archive has, (where it stands, document, capture id)."""
    known: dict[str, list[tuple[ListedBy, str, str | None]]] = {}
    wanted = sorted(addresses)
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        for by, sql in _lookups(", ".join("?" * len(part))):
            for address, document, capture_id in map(tuple, connection.execute(sql, part)):
                known.setdefault(address, []).append((by, document, capture_id))
    return known


def _lookups(marks: str) -> Iterator[tuple[ListedBy, str]]:
    for column in ("final_url", "url"):
        yield ListedBy.CAPTURE, _CAPTURED.format(column=column, marks=marks)
    newest = _NEWEST.format(document="l.document")
    for by, table in ((ListedBy.SEEDS, "document"), (ListedBy.ALTERNATE, "alternate")):
        yield by, _LISTED.format(table=table, newest=newest, marks=marks)


def _targets(
    variants: Mapping[str, Near],
    known: Mapping[str, Sequence[tuple[ListedBy, str, str | None]]],
) -> tuple[LinkTarget, ...]:
    found = [
        LinkTarget(
            document=DocumentId(document),
            url=address,
            match=match,
            by=by,
            capture_id=Digest(capture_id) if capture_id else None,
        )
        for address, match in variants.items()
        for by, document, capture_id in known.get(address, ())
    ]
    found.sort(key=lambda target: (target.match is Near.NEAR, _BY_ORDER.index(target.by)))
    best: dict[str, LinkTarget] = {}
    for target in found:
        best.setdefault(target.document, target)
    return tuple(best.values())
