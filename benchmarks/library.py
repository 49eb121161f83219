"""Make an index of very many captures out of nothing, with the project's own builder.

No WARC file stands behind it: what the pages read of one, they find missing. All else is as after
`provenance index`: three records a capture, versions and visits without change, failures of all
kinds, texts with words as rare and as common as words are.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from provenance.digest import Digest, digest_of
from provenance.holdings import Capture, Obtained, Run, Survey, WarcFile, WarcRecord
from provenance.index import ContentSource, IndexSummary, build
from provenance.model import (
    Collection,
    CollectionId,
    Document,
    DocumentId,
    OutcomeKind,
    PublisherKind,
    Relation,
    RelationKind,
    Role,
    RunId,
)

COLLECTIONS = 20
OFTEN = 200
"""Visits to the first document, at the least: one that is watched from day to day."""

_WORDS_IN_TEXT = 120
_VOCABULARY = 20_000
_COMMON = ("council", "bridge", "minutes", "report", "statement", "ferry", "harbour", "payment")
_START = datetime(2021, 3, 1, tzinfo=UTC)
_ROLES = (Role.OFFICIAL, Role.OFFICIAL, Role.INDEPENDENT)
_ENDINGS = (
    *[OutcomeKind.UNCHANGED] * 14,
    *[OutcomeKind.CAPTURED] * 3,
    OutcomeKind.FAILED,
    OutcomeKind.ERROR_STATUS,
    OutcomeKind.CHALLENGE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """The visit to one document, by their numbers, and where its records stand."""

    number: int
    visit: int
    collection: CollectionId
    run: RunId
    warc: str
    offset: int
    instant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    algorithm: str
    text: str
    text_id: str
    title: str
    author: None = None
    published: None = None
    language: str = "en"
    charset: str = "utf-8"
    fault: None = None
    pages: tuple[int, ...] = ()
    links: tuple[tuple[str, str | None], ...] = ()


def make_index(path: Path, *, documents: int, visits: int) -> IndexSummary:
    """Build the index at `path`: so many documents, each visited so many times."""
    return build(
        path=path,
        collections=_collections(documents),
        surveys=_surveys(documents, visits),
        derive=_texts,
    )


def name_of(number: int) -> DocumentId:
    """Return the id of a document by its number."""
    return DocumentId(f"minutes-{number:06d}")


def version_of(number: int, visits: int) -> int:
    """Return the visit that first brought a document another content, or 0."""
    return next((n for n in range(1, visits) if _outcome(number, n) is OutcomeKind.CAPTURED), 0)


def capture_of(number: int, visit: int) -> Digest:
    """Return the capture id of a visit to a document; visit 0 always brought content."""
    return digest_of(f"capture {number} {visit}".encode())


def _collection_of(number: int) -> CollectionId:
    return CollectionId(f"council-{number % COLLECTIONS:02d}")


def _collections(documents: int) -> Iterator[Collection]:
    for at in range(COLLECTIONS):
        name = _collection_of(at)
        yield Collection(
            id=name,
            title=f"Papers of council {at}",
            about="Minutes, reports and statements, and what others wrote of them.",
            seeds_file=f"seeds/{name}.toml",
            seeds_digest=digest_of(name.encode()),
            documents=tuple(_document(n, documents) for n in range(at, documents, COLLECTIONS)),
        )


def _document(number: int, documents: int) -> Document:
    chance = random.Random(f"document {number}")
    related = chance.randrange(documents)
    return Document(
        id=name_of(number),
        collection=_collection_of(number),
        title=f"{chance.choice(_COMMON).title()} paper {number}: {' '.join(_words(chance, 6))}",
        role=chance.choice(_ROLES),
        publisher=f"Office {chance.randrange(400)}",
        publisher_kind=PublisherKind.GOVERNMENT,
        published=f"{chance.randint(2010, 2025)}-{chance.randint(1, 12):02d}",
        language=chance.choice(("en", "en", "zh-Hans", "fr")),
        url=url_of(number),
        relations=(
            (Relation(kind=RelationKind.CITES, document=name_of(related)),)
            if related != number
            else ()
        ),
    )


def url_of(number: int) -> str:
    """Return the address of a document by its number."""
    return f"https://host-{number % 997}.example/papers/{number}"


def _words(chance: random.Random, count: int) -> list[str]:
    """Return words of which a few are in nearly every text and most are in nearly none."""
    return [
        chance.choice(_COMMON)
        if chance.random() < 0.05
        else f"w{int(_VOCABULARY ** chance.random())}"
        for _ in range(count)
    ]


def _texts(sources: Iterable[ContentSource]) -> Iterator[_Text]:
    for source in sources:
        chance = random.Random(str(source.content_id))
        lines = [" ".join(_words(chance, 12)) + "." for _ in range(_WORDS_IN_TEXT // 12)]
        text = "\n".join(lines)
        yield _Text(
            algorithm="text-v1",
            text=text,
            text_id=str(digest_of(text.encode())),
            title=f"A {chance.choice(_COMMON)} paper",
        )


def _surveys(documents: int, visits: int) -> Iterator[Survey]:
    """Yield one file for each collection and visit."""
    versions: dict[int, int] = {}
    for visit in range(visits):
        for at in range(COLLECTIONS):
            begun = _START + timedelta(days=30 * visit, minutes=at)
            yield _file(range(at, documents, COLLECTIONS), at, visit, begun, versions)
    for visit in range(visits, OFTEN):
        begun = _START + timedelta(days=30 * visits + visit)
        yield _file((0,), 0, visit, begun, versions)


def _file(
    numbers: Iterable[int], at: int, visit: int, begun: datetime, versions: dict[int, int]
) -> Survey:
    collection, run = _collection_of(at), RunId(f"00000000-0000-4000-8000-{visit:06d}{at:06d}")
    warc = f"{collection}-{begun:%Y%m%d%H%M%S}000-00000.warc.gz"
    captures: list[Capture] = []
    records: list[WarcRecord] = []
    offset = 400
    for place, number in enumerate(numbers):
        instant = f"{begun + timedelta(seconds=place):%Y-%m-%dT%H:%M:%S}.{number % 10**6:06d}Z"
        of = _Visit(
            number=number,
            visit=visit,
            collection=collection,
            run=run,
            warc=warc,
            offset=offset,
            instant=instant,
        )
        capture = _capture(of, versions)
        captures.append(capture)
        records += _records(capture)
        offset += 3_000
    return Survey(
        file=WarcFile(
            warc=warc,
            sha256=digest_of(warc.encode()),
            size=offset,
            records=len(records),
            collection=collection,
            run=run,
        ),
        records=tuple(records),
        captures=tuple(captures),
        runs=(
            Run(
                run=run,
                collection=collection,
                command="fetch",
                started_at=captures[0].captured_at,
                ended_at=captures[-1].captured_at,
                software="provenance/benchmark",
                operator=None,
                seeds_digest=digest_of(collection.encode()),
                targets=(),
                outcomes=(("captured", len(captures)),),
            ),
        ),
        faults=(),
    )


def _capture(of: _Visit, versions: dict[int, int]) -> Capture:
    number, visit = of.number, of.visit
    draw, outcome = _draw(number, visit), _outcome(number, visit)
    if outcome is OutcomeKind.CAPTURED:
        versions[number] = versions.get(number, 0) + 1
    content = None
    if outcome in (OutcomeKind.CAPTURED, OutcomeKind.UNCHANGED):
        content = digest_of(f"content {number} {versions[number]}".encode())
    elif outcome is not OutcomeKind.FAILED:
        content = digest_of(f"page {outcome} {number % 997}".encode())
    status = {OutcomeKind.FAILED: None, OutcomeKind.ERROR_STATUS: 404}.get(outcome, 200)
    return Capture(
        capture_id=capture_of(number, visit),
        collection=of.collection,
        document=name_of(number),
        run=of.run,
        url=url_of(number),
        final_url=url_of(number) if content else None,
        outcome=outcome,
        reason=None if content else ("dns", "timeout", "refused")[draw % 3],
        status=status,
        captured_at=of.instant,
        content_id=content,
        payload_digest=content,
        size=2_000 + draw % 50_000 if content else None,
        media_type="text/html" if content else None,
        charset="utf-8" if content else None,
        undecoded=None,
        truncated=None,
        obtained=Obtained.FETCHED,
        rule=None,
        flags=(),
        redirects=(),
        record_type=_record_type(outcome),
        warc=of.warc,
        offset=of.offset + 900 if content else of.offset,
        ordinal=0,
        length=1_500,
        note={
            "profile": "provenance-capture-1",
            "collection": of.collection,
            "document": name_of(number),
            "run": of.run,
            "outcome": outcome.value,
            "attempt": 1,
            "peer": {"ip": f"192.0.2.{number % 250}", "port": 443},
            "timings_ms": {"dns": 3.1, "connect": 20.4, "first_byte": 88.0, "total": 140.2},
        },
    )


def _draw(number: int, visit: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{number} {visit}".encode()).digest()[:4], "big")


def _outcome(number: int, visit: int) -> OutcomeKind:
    return _ENDINGS[_draw(number, visit) % len(_ENDINGS)] if visit else OutcomeKind.CAPTURED


def _record_type(outcome: OutcomeKind) -> str:
    return {OutcomeKind.UNCHANGED: "revisit", OutcomeKind.FAILED: "metadata"}.get(
        outcome, "response"
    )


def _records(capture: Capture) -> Iterator[WarcRecord]:
    """Yield the request, the answer and the metadata; the metadata alone where nothing came."""
    kinds = (
        (("request", -900), (capture.record_type, 0), ("metadata", 1_500))
        if capture.content_id
        else (("metadata", 0),)
    )
    for kind, offset in kinds:
        own = kind == capture.record_type
        digest = capture.capture_id if own else digest_of(f"{capture.capture_id} {kind}".encode())
        yield WarcRecord(
            warc=capture.warc,
            offset=capture.offset + offset,
            ordinal=0,
            length=600,
            record_id=f"urn:uuid:{digest[7:15]}-{digest[15:19]}-4{digest[20:23]}-8{digest[24:27]}"
            f"-{digest[27:39]}",
            type=kind,
            date=capture.captured_at,
            target_uri=capture.url,
            content_type="application/json" if kind == "metadata" else "application/http",
            content_length=1_200,
            record_digest=Digest(digest),
            block_digest=digest_of(f"block {digest}".encode()),
            payload_digest=str(capture.payload_digest) if kind == "response" else None,
            concurrent_to=(),
            refers_to=None,
            truncated=None,
        )
