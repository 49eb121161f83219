"""Tell what a target of `verify` is: a file, an id, a citation or a saved document. Checks nothing.

Everything is told before anything is verified, so that an unknown target stops the command.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from provenance.digest import Digest, from_hex, prefix_of
from provenance.errors import UnknownIdError, UsageError
from provenance.findings.finding import Finding, finding
from provenance.index import IdKind, Resolved
from provenance.verify.lookup import Lookup
from provenance.whole.framing import ARC, WARC
from provenance.whole.inflate import MAGIC, opening
from provenance.whole.stretch import Stretch

CITATION_SUFFIXES = frozenset(
    {".txt", ".md", ".markdown", ".html", ".htm", ".bib", ".tex", ".ris", ".json"}
)
"""How the names of files end that may hold citations."""

CITATION_LIMIT = 16 << 20
"""Bytes of a file that is searched for citations."""

_DOCUMENT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_WARC_NAME = re.compile(r".+\.w?arc(?:\.(?:gz|bz2|lz4|xz|zst))?(?:\.open)?", re.IGNORECASE)
_EXPECTED = "a WARC, ARC or WACZ file, an id, a citation, or a file with the content of a capture"
_LIST = "`provenance list` shows what there is; `provenance index` brings it up to date."


class FileKind(Enum):
    """What a file is taken for."""

    WARC = "warc"
    WACZ = "wacz"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTarget:
    """A WARC, ARC or WACZ file."""

    path: Path
    kind: FileKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureTarget:
    """A capture of the archive, and the content it is looked up by or cited with, if any."""

    capture_id: Digest
    content_id: Digest | None = None


Target = FileTarget | CaptureTarget | Finding
"""What is to be verified, or what is wrong with what was asked."""


def kind_of(path: Path) -> FileKind:
    """Tell a file by its first bytes, and where these may be damaged by its name.

    Raises:
        OSError: the file cannot be read.
    """
    name = path.name.lower()
    if name.endswith(".wacz"):
        return FileKind.WACZ
    if _WARC_NAME.fullmatch(name):
        return FileKind.WARC
    with Stretch(path=path).window(hashing=False) as window:
        start = bytes(window.at(0, 16))
        if start.startswith(MAGIC):
            start = opening(window, 0)
    return FileKind.WARC if start.startswith((*WARC, *ARC)) else FileKind.DOCUMENT


def targets_in(text: str, lookup: Lookup) -> Iterator[Target]:
    """Yield what `text`, an argument of the command line, stands for.

    Steps:
    (1) A file is a WARC, ARC or WACZ file by its bytes or its name.
    (2) A word is an id: a document's, or (the beginning of) a capture's or content's. So is one
        that is also the name of a file, unless a dot or slash shows that the file is meant.
    (3) Any other file is the content of captures, or else holds citations.
    (4) Any other text is a citation.

    Raises:
        UsageError: it is none of these, or nothing in the archive has such an id or content.
        OSError: the file cannot be read.
    """
    path = Path(text) if os.path.isfile(text) else None  # noqa: PTH113  # any text may come
    if path is not None and (kind := kind_of(path)) is not FileKind.DOCUMENT:  # (1)
        yield FileTarget(path=path, kind=kind)
        return
    lookup.open(text)
    if path is None or not {".", os.sep} & set(text):  # (2)
        found = _resolved(text, lookup, required=path is None)
        if found is not None:
            yield from _of_id(found, lookup)
            return
    if path is not None:  # (3)
        yield from _of_file(path, lookup)
    else:  # (4)
        yield from _of_citation(text, None, lookup)


def _resolved(text: str, lookup: Lookup, *, required: bool) -> Resolved | None:
    word = text.strip()
    if not (_DOCUMENT_ID.fullmatch(word) or prefix_of(word)):
        return None
    try:
        return lookup.resolve(word)
    except UnknownIdError as fault:
        if required:
            raise UnknownIdError(fault.what, expected=_EXPECTED, hint=fault.hint) from fault
        return None


def _of_id(found: Resolved, lookup: Lookup) -> Iterator[Target]:
    if found.kind is IdKind.CONTENT:
        yield from _with_content(Digest(found.id), lookup)
    elif found.capture is not None:
        yield CaptureTarget(capture_id=found.capture.capture_id)
    else:
        raise UsageError(
            f"document {found.document} has no capture yet", hint="`provenance fetch` makes one."
        )


def _with_content(content_id: Digest, lookup: Lookup) -> Iterator[CaptureTarget]:
    for capture_id in lookup.with_content(content_id):
        yield CaptureTarget(capture_id=capture_id, content_id=content_id)


def _of_file(path: Path, lookup: Lookup) -> Iterator[Target]:
    with path.open("rb") as source:
        digest = from_hex(hashlib.file_digest(source, "sha256").hexdigest())
    from provenance.cite import parse_ids, parse_pwids

    targets = tuple(_with_content(digest, lookup))
    if targets:
        yield from targets
        return
    if path.suffix.lower() in CITATION_SUFFIXES and path.stat().st_size <= CITATION_LIMIT:
        text = path.read_text("utf-8", "replace")
        if parse_ids(text) or parse_pwids(text):
            yield from _of_citation(text, str(path), lookup)
            return
    raise UsageError(
        "no capture has this content",
        where=str(path),
        expected=_EXPECTED,
        found=f"a file with {digest}",
        hint=_LIST,
    )


def _of_citation(text: str, where: str | None, lookup: Lookup) -> Iterator[Target]:
    """Yield the captures that a text cites; in each form a content id precedes its capture id.

    A capture is to have one of the contents that are named since the capture before it. What is
    named otherwise, or has no capture beside it, is looked up by its content.
    """
    from provenance.cite import parse_ids, parse_pwids

    contents: list[Digest] = []
    targets: list[Target] = []
    missing: list[Digest] = []
    for digest in parse_ids(text):
        if lookup.of_capture(digest) is not None:
            targets += _cited(digest, contents, lookup)
            contents = []
        elif lookup.with_content(digest):
            contents.append(digest)
        else:
            missing.append(digest)
    held = {
        lookup.content_of(each.capture_id) for each in targets if isinstance(each, CaptureTarget)
    }
    for digest in contents:
        if digest not in held:
            targets += _with_content(digest, lookup)
    if not targets:
        named = (each for pwid in parse_pwids(text) for each in lookup.named(pwid))
        targets += [CaptureTarget(capture_id=each) for each in dict.fromkeys(named)]
    if not targets:
        raise UsageError(
            "this cites nothing that is in the archive" if missing else "this is no known target",
            where=where,
            expected=_EXPECTED,
            found=missing[0] if missing else _shown(text),
            hint=_LIST,
        )
    yield from targets
    for digest in missing:
        yield finding(
            "cited_id_missing",
            field=where or "the citation",
            expected=digest,
            found="no capture or content with this id",
        )


def _shown(text: str) -> str:
    kind = "a directory" if os.path.isdir(text) else "no such file"  # noqa: PTH112
    return f"{text[:80]!r}, {kind}"


def _cited(capture_id: Digest, contents: list[Digest], lookup: Lookup) -> Iterator[Target]:
    if not contents:
        yield CaptureTarget(capture_id=capture_id)
        return
    known = lookup.content_of(capture_id)
    own = known if known in contents else contents[-1]
    yield CaptureTarget(capture_id=capture_id, content_id=own)
    for other in contents:
        if other != own:
            yield from _with_content(other, lookup)
