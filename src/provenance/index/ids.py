"""Say what an id, or the beginning of one, stands for in an open index. Reads only."""

from __future__ import annotations

import difflib
import sqlite3

from provenance.digest import prefix_of
from provenance.errors import AmbiguousIdError, UnknownIdError
from provenance.index.found import CaptureRow, IdKind, Resolved
from provenance.index.queries import capture, captures
from provenance.model import DocumentId

_CANDIDATES = 1_000
_NEIGHBOURS = 20_000


def resolve(connection: sqlite3.Connection, identifier: str) -> Resolved:
    """Return what `identifier` names: a document id, or a digest (or 8 or more digits of one).

    A document id wins over digits. Digests are taken in every form that `digest.prefix_of` reads.

    Raises:
        AmbiguousIdError: the digits fit several captures and contents.
        UnknownIdError: nothing has this id.
    """
    wanted = identifier.strip()
    if _has_document(connection, wanted):
        return _as_document(connection, wanted)
    prefix = prefix_of(wanted)
    candidates = _candidates(connection, prefix) if prefix else ()
    if len(candidates) > 1:
        raise AmbiguousIdError(wanted, [f"{kind} {name}" for kind, name in candidates])
    if not candidates:
        raise _unknown(connection, wanted, is_digest=prefix is not None)
    kind, name = candidates[0]
    found = capture(connection, name) if kind is IdKind.CAPTURE else _with(connection, content=name)
    if found is None:
        raise _unknown(connection, wanted, is_digest=True)
    return Resolved(kind=kind, id=name, document=found.document, capture=found)


def _has_document(connection: sqlite3.Connection, wanted: str) -> bool:
    found = connection.execute("SELECT 1 FROM document WHERE document = ?", (wanted,))
    return found.fetchone() is not None


def _as_document(connection: sqlite3.Connection, name: str) -> Resolved:
    return Resolved(
        kind=IdKind.DOCUMENT,
        id=name,
        document=DocumentId(name),
        capture=_with(connection, document=name),
    )


def _with(
    connection: sqlite3.Connection, *, document: str | None = None, content: str | None = None
) -> CaptureRow | None:
    """Return the newest version, or else the newest capture, of a document or content."""
    for is_version in (True, None):
        found = captures(
            connection, document=document, content_id=content, is_version=is_version, limit=1
        )
        if found:
            return found[0]
    return None


def _candidates(connection: sqlite3.Connection, prefix: str) -> tuple[tuple[IdKind, str], ...]:
    # `g` follows every hexadecimal digit, so the span holds just the ids that begin so.
    span = (f"sha256:{prefix}", f"sha256:{prefix}g", _CANDIDATES)
    found: list[tuple[IdKind, str]] = []
    for kind in (IdKind.CAPTURE, IdKind.CONTENT):
        column = f"{kind.value}_id"
        rows = connection.execute(
            f"SELECT {column} FROM {kind.value} WHERE {column} >= ? AND {column} < ? "
            "ORDER BY 1 LIMIT ?",
            span,
        )
        found.extend((kind, str(name)) for (name,) in map(tuple, rows))
    return tuple(found)


def _unknown(connection: sqlite3.Connection, wanted: str, *, is_digest: bool) -> UnknownIdError:
    if is_digest:
        return UnknownIdError(
            f"no capture or content begins with {wanted!r}",
            hint="`provenance list` shows what there is; `provenance index` brings it up to date.",
        )
    known = connection.execute("SELECT document FROM document ORDER BY 1 LIMIT ?", (_NEIGHBOURS,))
    near = difflib.get_close_matches(wanted, [str(row[0]) for row in known], n=3)
    return UnknownIdError(
        f"no document, capture or content is called {wanted!r}",
        hint=f"Did you mean {', '.join(near)}?" if near else "`provenance list` shows the ids.",
    )
