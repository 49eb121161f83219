"""A small fictional archive in memory for the tests of the pages: index, bytes and citations.

The index is built by `provenance.index`, the texts by `provenance.extract`, the citations by
`provenance.cite`; only the WARC records are put together here.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provenance.cite import Citation, CitationFormat, render
from provenance.digest import Digest, digest_of, hex_of
from provenance.errors import UnknownIdError, WarcFormatError
from provenance.extract import Derivative, extract, text_id
from provenance.extract.drawing import draw_page
from provenance.holdings import Capture, Obtained, Redirect, Run, Survey, WarcFile, WarcRecord
from provenance.index import ContentSource, build, fts_query
from provenance.model import (
    Alternate,
    AlternateRole,
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
    TitleStatus,
)
from provenance.replay.assembly import Page, assemble
from provenance.web.source import Assembled, AtHand, Checked, Drawn, Exchange, LogHead

RUN = RunId("5f0c1d1e-0000-4000-8000-000000000001")
BRIDGE = CollectionId("harbour-bridge")
WARC = "harbour-bridge-20261123234933123-00000.warc.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit to put into the archive: the answer's head and content, or None where none came."""

    document: str
    at: str
    url: str
    outcome: OutcomeKind = OutcomeKind.CAPTURED
    head: bytes | None = None
    content: bytes | None = None
    media_type: str | None = None
    charset: str | None = None
    status: int | None = 200
    reason: str | None = None
    truncated: str | None = None
    obtained: Obtained = Obtained.FETCHED
    redirects: tuple[Redirect, ...] = ()
    note: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What `extract` yields, in the shape in which the index takes it."""

    derivative: Derivative

    algorithm = property(lambda self: self.derivative.algorithm)
    text = property(lambda self: self.derivative.text)
    text_id = property(lambda self: text_id(self.derivative))
    title = property(lambda self: self.derivative.title)
    author = property(lambda self: self.derivative.author)
    published = property(lambda self: self.derivative.published)
    language = property(lambda self: self.derivative.language)
    charset = property(lambda self: self.derivative.charset)
    fault = property(lambda self: self.derivative.fault)
    pages = property(lambda self: self.derivative.pages)
    links = property(lambda self: [(link.url, link.label) for link in self.derivative.links])


class Nothing:
    """An archive that has nothing of any address."""

    is_spent = False

    def has(self, url: str) -> bool:
        return False

    def find(self, url: str) -> None:
        return None


class Shelf:
    """The port of the pages over what was put together here; keeps everything in memory."""

    def __init__(self, collection: Collection, visits: Iterable[Visit]) -> None:
        self.collection = collection
        self.captures: dict[str, Capture] = {}
        self.records: list[WarcRecord] = []
        self.contents: dict[str, bytes] = {}
        self.heads: dict[str, tuple[bytes | None, bytes | None]] = {}
        self.missing: set[str] = set()
        self.damaged: set[str] = set()
        self.members: dict[str, bytes] = {}
        self.proofs: dict[str, bytes] = {}
        self.checked: dict[str, Checked] = {}
        self._offset = 412
        for visit in visits:
            self._put(visit)

    def at_hand(self, capture_ids: Sequence[str]) -> Mapping[str, AtHand]:
        here = {one: one not in self.missing for one in capture_ids}
        return {one: AtHand(record=held, content=held) for one, held in here.items()}

    def assembled(self, capture_id: str) -> Assembled | None:
        """Put nothing in: nothing but documents is kept here."""
        capture = self.captures[capture_id]
        page = Page(
            content=b"".join(self.content(capture_id)),
            url=capture.final_url or "",
            media_type=capture.media_type or "",
            charset=capture.charset,
        )
        return assemble(page, Nothing())

    def drawn(self, capture_id: str, number: int) -> Drawn:
        made = draw_page(b"".join(self.content(capture_id)), number)
        return Drawn(
            png=made.png, width=made.width, height=made.height, pages=made.pages, fault=made.fault
        )

    def content(self, capture_id: str) -> Iterator[bytes]:
        if capture_id in self.missing:
            raise UnknownIdError("the WARC file is not there", where=f"archive/{WARC}")
        if capture_id in self.damaged:
            raise WarcFormatError("the gzip member is damaged", where=f"archive/{WARC}")
        raw = self.contents[str(self.captures[capture_id].content_id)]
        yield from (raw[start : start + 1000] for start in range(0, len(raw), 1000))

    def member(self, capture_id: str) -> Iterator[bytes]:
        if capture_id in self.missing:
            raise UnknownIdError("the WARC file is not there", where=f"archive/{WARC}")
        if capture_id in self.damaged:
            raise WarcFormatError("the gzip member is damaged", where=f"archive/{WARC}")
        yield self.members[capture_id]

    def log(self) -> LogHead | None:
        root = "pUqHM9F0aQwiAO9uAplSlR2zBMd3MSfCIN3TP+1UKDI="
        head = LogHead(origin="harbour.example/archive", size=len(self.proofs), root=root)
        return head if self.proofs else None

    def proof(self, capture_id: str) -> bytes | None:
        return self.proofs.get(capture_id)

    def check(self, capture_id: str) -> Checked:
        return self.checked[capture_id]

    def exchange(self, capture_id: str) -> Exchange | None:
        if capture_id in self.missing:
            return None
        capture = self.captures[capture_id]
        request_head, response_head = self.heads[capture_id]
        return Exchange(
            request_head=request_head,
            response_head=response_head,
            note=json.dumps(capture.note, indent=1, sort_keys=True, ensure_ascii=False),
            command=(
                f"tail -c +{capture.offset + 1} archive/{capture.warc} | head -c {capture.length}"
                f" | gzip -dc | head -c -4 | sha256sum  # {hex_of(capture.capture_id)}"
            ),
        )

    def cite(self, capture_id: str, form: str, locator: str | None) -> str:
        capture = self.captures[capture_id]
        known = {document.id: document for document in self.collection.documents}
        card = known.get(capture.document)
        citation = Citation(
            document=capture.document,
            collection=capture.collection,
            title=card.title if card else str(capture.document),
            title_original=card.title_original if card else None,
            author=card.author if card else None,
            publisher=card.publisher if card else None,
            published=card.published if card else None,
            language=card.language if card else None,
            url=capture.url,
            captured_at=capture.captured_at,
            content_id=capture.content_id or capture.capture_id,
            capture_id=capture.capture_id,
            outcome=str(capture.outcome),
            locator=locator,
        )
        return render(citation, CitationFormat(form))

    def fts_query(self, words: str) -> str:
        return fts_query(words)

    def derive(self, sources: Iterable[ContentSource]) -> Iterator[Text]:
        for source in sources:
            raw = self.contents[source.content_id]
            yield Text(
                derivative=extract(
                    raw,
                    media_type=source.media_type,
                    charset=source.charset,
                    base_url=source.base_url,
                )
            )

    def write(self, folder: Path) -> Path:
        run = Run(
            run=RUN,
            collection=self.collection.id,
            command="fetch",
            started_at="2026-11-23T23:49:00.000000Z",
            ended_at="2026-11-23T23:52:00.000000Z",
            software="provenance/0.1.0",
            operator="A. Reader",
            seeds_digest=self.collection.seeds_digest,
            targets=(self.collection.id,),
            outcomes=(("captured", 1),),
        )
        file = WarcFile(
            warc=WARC,
            sha256=digest_of(b"".join(self.contents.values())),
            size=self._offset,
            records=len(self.records),
            collection=self.collection.id,
            run=RUN,
        )
        survey = Survey(
            file=file,
            records=tuple(self.records),
            captures=tuple(self.captures.values()),
            runs=(run,),
        )
        folder.mkdir(parents=True, exist_ok=True)
        made = build(
            path=folder / "provenance.db",
            collections=(self.collection,),
            surveys=(survey,),
            derive=self.derive,
        )
        return made.path

    def of(self, document: str) -> list[Capture]:
        """Return a document's captures, oldest first."""
        found = [each for each in self.captures.values() if each.document == document]
        return sorted(found, key=lambda capture: capture.captured_at)

    def _put(self, visit: Visit) -> None:
        content_id = digest_of(visit.content) if visit.content is not None else None
        if content_id is not None and visit.content is not None:
            self.contents[content_id] = visit.content
        kind = _record_type(visit)
        note = _note(visit, content_id)
        block = (visit.head or b"") + (visit.content or b"") or json.dumps(note).encode()
        header = _warc_header(visit, kind, len(block))
        record = header + b"\r\n" + block
        member = gzip.compress(record + b"\r\n\r\n", mtime=0)
        capture_id = digest_of(record)
        self.members[capture_id] = member
        self.captures[capture_id] = Capture(
            capture_id=capture_id,
            collection=self.collection.id,
            document=DocumentId(visit.document),
            run=RUN,
            url=visit.url,
            final_url=visit.redirects[-1].location if visit.redirects else visit.url,
            outcome=visit.outcome,
            reason=visit.reason,
            status=visit.status,
            captured_at=visit.at,
            content_id=content_id,
            payload_digest=content_id,
            size=len(visit.content) if visit.content is not None else None,
            media_type=visit.media_type,
            charset=visit.charset,
            undecoded=None,
            truncated=visit.truncated,
            obtained=visit.obtained,
            rule="js-challenge" if visit.outcome is OutcomeKind.CHALLENGE else None,
            flags=(),
            redirects=visit.redirects,
            record_type=kind,
            warc=WARC,
            offset=self._offset,
            ordinal=0,
            length=len(member),
            note=note,
        )
        self.records.append(
            WarcRecord(
                warc=WARC,
                offset=self._offset,
                ordinal=0,
                length=len(member),
                record_id=_urn(visit),
                type=kind,
                date=visit.at,
                target_uri=visit.url,
                content_type="application/http; msgtype=response",
                content_length=len(block),
                record_digest=capture_id,
                block_digest=digest_of(block),
                payload_digest=content_id,
                concurrent_to=(),
                refers_to=None,
                truncated=visit.truncated,
            )
        )
        self.heads[capture_id] = (_request_head(visit.url) if visit.head else None, visit.head)
        self._offset += len(member) + 700


def _record_type(visit: Visit) -> str:
    if visit.content is None:
        return "metadata"
    if visit.obtained is Obtained.ADDED:
        return "resource"
    return "revisit" if visit.outcome is OutcomeKind.UNCHANGED else "response"


def _urn(visit: Visit) -> str:
    name = hashlib.sha256(f"{visit.document} {visit.at}".encode()).hexdigest()
    return f"urn:uuid:{name[:8]}-{name[8:12]}-5{name[13:16]}-8{name[17:20]}-{name[20:32]}"


def _warc_header(visit: Visit, kind: str, size: int) -> bytes:
    target = visit.url.encode("ascii", "backslashreplace").decode()
    return (
        f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <{_urn(visit)}>\r\n"
        f"WARC-Date: {visit.at}\r\nWARC-Target-URI: {target}\r\nContent-Length: {size}\r\n"
    ).encode()


def _request_head(url: str) -> bytes:
    host, _, rest = url.partition("://")[2].partition("/")
    return (
        f"GET /{rest} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: provenance/0.1.0\r\n"
        "Accept: */*\r\nAccept-Encoding: identity\r\nConnection: keep-alive\r\n\r\n"
    ).encode("utf-8", "replace")


def _note(visit: Visit, content_id: Digest | None) -> dict[str, object]:
    network: dict[str, object] = {}
    if visit.head is not None:
        network = {
            "peer": {"ip": "192.0.2.17", "port": 443 if visit.url.startswith("https") else 80},
            "dns": ["192.0.2.17", "2001:db8::17"],
            "timings_ms": {"resolve": 4, "connect": 21, "tls": 38, "first_byte": 96, "total": 131},
            "clock_offset_s": -0.4,
        }
        if visit.url.startswith("https"):
            network["tls"] = {
                "version": "TLSv1.3",
                "cipher": "TLS_AES_256_GCM_SHA384",
                "certificates": ["TWFkZSB1cCBmb3IgdGVzdHM6IG5vIGNlcnRpZmljYXRl"],
                "verified": True,
            }
    return {
        "profile": "provenance-capture-1",
        "kind": "document",
        "run": RUN,
        "collection": BRIDGE,
        "document": visit.document,
        "url": visit.url,
        "target_uri": visit.url,
        "outcome": str(visit.outcome),
        "reason": visit.reason,
        "status": visit.status,
        "captured_at": visit.at,
        "content_id": content_id,
        "obtained": {"how": str(visit.obtained)},
        "redirects": [
            {"url": hop.url, "status": hop.status, "location": hop.location, "capture_id": None}
            for hop in visit.redirects
        ],
        **network,
        **visit.note,
    }


def an_answer(media_type: str, content: bytes, status: str = "200 OK") -> bytes:
    """Return a response head."""
    return (
        f"HTTP/1.1 {status}\r\nDate: Mon, 23 Nov 2026 23:49:33 GMT\r\nServer: harbourd/2.1\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {len(content)}\r\n"
        'ETag: W/"bridge-7"\r\nX-Odd:nospace\r\n\r\n'
    ).encode()


def a_png() -> bytes:
    """Return a PNG of 64 by 40 pixels, a plain grey-blue."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
        )

    header = (64).to_bytes(4, "big") + (40).to_bytes(4, "big") + bytes((8, 2, 0, 0, 0))
    rows = b"".join(b"\0" + bytes((96, 128, 150)) * 64 for _ in range(40))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def a_document(identifier: str, **more: object) -> Document:
    """Return a card with the council as publisher."""
    card: dict[str, object] = {
        "title": f"Title of {identifier}",
        "role": Role.OFFICIAL,
        "publisher": "Town Council of Vellhaven",
        "publisher_kind": PublisherKind.GOVERNMENT,
        "language": "en",
        "url": f"https://council.example/{identifier}",
        **more,
    }
    return Document(id=DocumentId(identifier), collection=BRIDGE, **card)  # type: ignore[arg-type]


def a_collection(*documents: Document) -> Collection:
    """Return the collection of these documents."""
    return Collection(
        id=BRIDGE,
        title="The harbour bridge at Vellhaven",
        about=(
            "A newspaper article of March 2021 on half a year of the lifting bridge, the documents "
            "it quotes, and what others have written on cost, height and closing of the bridge."
        ),
        seeds_file="seeds/harbour-bridge.toml",
        seeds_digest=digest_of(b"seeds"),
        documents=documents,
    )


def a_relation(kind: RelationKind, document: str, note: str | None = None) -> Relation:
    """Return a tie to another document."""
    return Relation(kind=kind, document=DocumentId(document), note=note)


def harbour() -> Shelf:
    """Return the archive that the pages are shown with."""
    return Shelf(a_collection(*_documents()), _visits())


def _documents() -> Iterator[Document]:
    yield a_document(
        "gazette-article",
        title="Half a year of the harbour bridge: three sums, two heights and one closed month",
        role=Role.SOURCE,
        publisher="The Vellhaven Gazette",
        publisher_kind=PublisherKind.JOURNALISM,
        author="Ida Marrow",
        published="2021-03-08",
        url="https://gazette.example/2021/03/08/harbour-bridge-half-a-year.html",
        media_type="text/html",
        alternates=(
            Alternate(
                url="https://mirror.example/gazette/8-march",
                role=AlternateRole.REPUBLICATION,
                note="shortened by a third",
            ),
        ),
        relations=(
            a_relation(RelationKind.CITES, "council-minutes"),
            a_relation(RelationKind.CITES, "audit-report"),
            a_relation(RelationKind.CITES, "port-statement", "for the waiting times"),
            a_relation(RelationKind.CITES, "ferry-users"),
        ),
        note="Read on the day of publication; the paper edition has one more photograph.",
    )
    yield a_document(
        "council-minutes",
        title="Minutes of the meeting of 9 June 2020",
        published="2020-06-16",
        url="http://council.example/minutes/2020-06-09.pdf",
        media_type="application/pdf",
    )
    yield a_document(
        "audit-report",
        title="Report on the payments for the harbour bridge",
        publisher="Regional Audit Office",
        author="Tomas Verrill",
        published="2021-02-15",
        url="https://audit.example/reports/2021/harbour-bridge",
    )
    yield a_document(
        "port-statement",
        title="Statement on the lifting machinery of the harbour bridge",
        title_original="关于港口大桥提升设备的说明",
        publisher="Lanwan Port Company",
        publisher_kind=PublisherKind.INDUSTRY,
        published="2020-11-05",
        language="zh-Hans",
        url="http://lanwan-port.example/news/20201105.html",
        relations=(a_relation(RelationKind.RESPONDS_TO, "council-minutes"),),
    )
    yield a_document(
        "harbour-notice",
        title="Notice on the closing of the bridge",
        title_original="إشعار بشأن إغلاق جسر الميناء",
        publisher="Harbour Office",
        published="2021-01",
        language="ar",
        url="https://council.example/harbour/notice-2021-03-ar",
    )
    yield a_document(
        "bridge-fund",
        title="Deed of the bridge fund",
        title_status=TitleStatus.DESCRIPTIVE,
        published="2019-10",
        url="https://council.example/go/bridge-fund",
    )
    yield a_document(
        "load-test",
        title="Record of the load test of August 2020",
        title_status=TitleStatus.RECALLED,
        published="2020-08",
        url=None,
        note="Named in the port company’s statement as kept by the main contractor.",
    )
    yield a_document(
        "tender-2018",
        title="Invitation to tender for the lifting bridge",
        published="2018",
        url="https://council.example/tenders/2018/44",
    )
    independent: dict[str, object] = {
        "role": Role.INDEPENDENT,
        "publisher": "Institute for Estuary Structures",
        "publisher_kind": PublisherKind.ACADEMIC,
    }
    yield a_document(
        "institute-study",
        **independent,
        title="Clearance of the Vellhaven lifting bridge: eleven days of measurement",
        published="2021-01-20",
        url="https://institute.example/studies/harbour-bridge/",
    )
    yield a_document(
        "institute-photo",
        **independent,
        title="Photograph of the gauge at the north pier",
        url="https://institute.example/studies/gauge.png",
    )
    yield a_document(
        "gazette-column",
        **{**independent, "publisher": "The Vellhaven Gazette"},
        title="Waiting for the bridge",
        published="2021-01",
        url="https://gazette.example/columns/2021/01/waiting-for-the-bridge.html",
    )
    yield a_document(
        "ferry-users",
        **{**independent, "publisher": "Ferry Users’ Association"},
        title="The bridge and the ferry: a page of the ferry users",
        url="https://ferry-users.example/bridge/",
    )
    yield a_document(
        "harbour-forum",
        **{**independent, "publisher": "Harbour Forum"},
        title="Thread “How long did you wait?”",
        url="https://forum.example/t/1817",
    )
    yield a_document(
        "pilots-letter",
        **{**independent, "publisher": "Harbour Pilots of Vellhaven"},
        title="Letter of the harbour pilots to the council",
        published="2021-02-02",
        url="https://pilots.example/letters/7",
    )


ARTICLE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>Half a year of the harbour bridge</title>
<meta http-equiv="refresh" content="1;url=/search?q=refreshed">
<style>body{{font-family:serif;max-width:38rem;margin:2rem auto;line-height:1.5}}</style>
<script>document.documentElement.setAttribute("data-ran","yes");document.title="ran";</script>
<link rel="stylesheet" href="/-/provenance/site.css">
</head><body onload="document.body.setAttribute('data-ran','yes')">
<h1>Half a year of the harbour bridge: three sums, two heights and one closed month</h1>
<p>By Ida Marrow, 8 March 2021</p>
<img src="/content/none" onerror="document.documentElement.setAttribute('data-ran','yes')" alt="">
<p>VELLHAVEN. The lifting bridge over the harbour mouth has stood for half a year this week. It
opened on 14 September 2020, was closed to road traffic for most of January, and is the subject of
at least six documents that do not give the same figures. The Gazette has read them and sets them
side by side.</p>
<p>{second}</p>
<p>The lifting machinery came from the Lanwan Port Company. The harbour pilots say that ships wait
longer than before: the company gives a mean of 14 minutes, the institute a median of 22.</p>
<form action="/search"><input name="q"><button>Search the Gazette</button></form>
<p><a href="https://council.example/minutes/2020-06-09.pdf">The minutes</a></p>
</body></html>"""

CHINESE = """<!DOCTYPE html><html lang="zh-Hans"><head><meta charset="gb2312">
<title>澜湾港务有限公司关于港口大桥提升设备的说明</title></head><body>
<h1>关于港口大桥提升设备的说明</h1><p>2020年11月5日</p>
<p>近日有媒体询问本公司在维尔港大桥工程中的工作范围。现将有关情况说明如下。</p>
<p>一、本公司承担港口大桥提升设备的设计、制造和安装，合同金额为一千二百三十万克朗。</p>
<p>二、提升设备每次升起用时七分钟，降下用时六分钟。自2020年9月14日大桥通车以来，船舶平均等待时间为14分钟。</p>
</body></html>"""

ARABIC = """<!DOCTYPE html><html lang="ar" dir="rtl"><head><meta charset="utf-8">
<title>إشعار بشأن إغلاق جسر الميناء</title></head><body><h1>إشعار بشأن إغلاق جسر الميناء</h1>
<p>يغلق جسر الميناء أمام حركة السيارات من 12 يناير إلى 3 فبراير، ويبقى مفتوحا أمام السفن.</p>
</body></html>"""


def an_html_visit(document: str, at: str, url: str, text: str, **more: object) -> Visit:
    """Return a visit that brought an HTML page."""
    charset = str(more.pop("encoding", "utf-8"))
    content = text.encode(charset)
    facts: dict[str, object] = {
        "content": content,
        "head": an_answer(f"text/html; charset={charset}", content),
        "media_type": "text/html",
        "charset": charset,
        **more,
    }
    return Visit(document=document, at=at, url=url, **facts)  # type: ignore[arg-type]


def _page(title: str, *paragraphs: str) -> str:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f"<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>{title}</title></head>"
        f"<body><h1>{title}</h1>{body}</body></html>"
    )


def _visits() -> Iterator[Visit]:
    article = "https://gazette.example/2021/03/08/harbour-bridge-half-a-year.html"
    first = ARTICLE.format(
        second="The council’s minutes put the cost of the bridge at 48.6 million crowns."
    )
    second = ARTICLE.format(
        second="The council’s minutes put the cost of the bridge at 48.6 million crowns, without "
        "the approach roads. <em>This sentence was corrected on 9 March.</em>"
    )
    yield an_html_visit("gazette-article", "2026-09-01T08:02:11.400000Z", article, first)
    yield an_html_visit(
        "gazette-article",
        "2026-10-01T08:02:12.100000Z",
        article,
        first,
        outcome=OutcomeKind.UNCHANGED,
    )
    yield Visit(
        document="gazette-article",
        at="2026-11-02T08:02:10.900000Z",
        url=article,
        outcome=OutcomeKind.FAILED,
        status=None,
        reason="timeout",
        note={"detail": "no answer within 30 s"},
    )
    yield an_html_visit("gazette-article", "2026-11-23T23:49:33.123456Z", article, second)
    yield from _official_visits()
    yield from _independent_visits()


def _official_visits() -> Iterator[Visit]:
    from provenance.demo.pdf import write_pdf

    minutes = write_pdf(
        [
            ["# Minutes of the meeting of 9 June 2020", "Present: nine councillors."],
            ["Item 4: the harbour bridge", "The cost stands at 48.6 million crowns."],
        ],
        title="Minutes of the meeting of 9 June 2020",
        author="Town Council of Vellhaven",
        created="D:20200616101500Z",
        language="en",
    )
    yield Visit(
        document="council-minutes",
        at="2026-11-23T23:49:35.004000Z",
        url="http://council.example/minutes/2020-06-09.pdf",
        head=an_answer("application/pdf", minutes),
        content=minutes,
        media_type="application/pdf",
    )
    report = _page(
        "Report on the payments for the harbour bridge",
        "Every payment booked until 31 December 2020, approach roads included, adds up to 52.1 "
        "million crowns.",
    )
    yield an_html_visit(
        "audit-report",
        "2026-11-23T23:49:37.000000Z",
        "https://audit.example/reports/2021/harbour-bridge",
        report[:150],
        outcome=OutcomeKind.TRUNCATED,
        truncated="disconnect",
        redirects=(
            Redirect(
                url="https://audit.example/reports/2021/harbour-bridge",
                status=301,
                location="https://audit.example/en/reports/2021/harbour-bridge/",
                capture_id=None,
            ),
        ),
    )
    yield an_html_visit(
        "port-statement",
        "2026-11-23T23:49:39.000000Z",
        "http://lanwan-port.example/news/20201105.html",
        CHINESE,
        encoding="gb18030",
    )
    yield an_html_visit(
        "harbour-notice",
        "2026-11-23T23:49:41.000000Z",
        "https://council.example/harbour/notice-2021-03-ar",
        ARABIC,
    )
    yield an_html_visit(
        "bridge-fund",
        "2026-11-23T23:49:43.000000Z",
        "https://council.example/go/bridge-fund",
        _page("One moment, please", "Checking that you are a person."),
        outcome=OutcomeKind.CHALLENGE,
        status=200,
    )


def _independent_visits() -> Iterator[Visit]:
    yield an_html_visit(
        "institute-study",
        "2026-11-23T23:49:45.000000Z",
        "https://institute.example/studies/harbour-bridge/",
        _page(
            "Clearance of the Vellhaven lifting bridge",
            "On eleven days the closed harbour bridge left 18.2 metres above mean high water.",
        ),
    )
    picture = a_png()
    yield Visit(
        document="institute-photo",
        at="2026-11-23T23:49:46.000000Z",
        url="https://institute.example/studies/gauge.png",
        head=an_answer("image/png", picture),
        content=picture,
        media_type="image/png",
    )
    yield an_html_visit(
        "gazette-column",
        "2026-11-23T23:49:47.000000Z",
        "https://gazette.example/columns/2021/01/waiting-for-the-bridge.html",
        _page("Gone", "This column has been withdrawn at its author’s wish."),
        outcome=OutcomeKind.ERROR_STATUS,
        status=410,
    )
    yield Visit(
        document="ferry-users",
        at="2026-11-23T23:49:49.000000Z",
        url="https://ferry-users.example/bridge/",
        outcome=OutcomeKind.FAILED,
        status=None,
        reason="dns",
        note={"detail": "Name or service not known: ferry-users.example"},
    )
    yield Visit(
        document="harbour-forum",
        at="2026-11-23T23:49:51.000000Z",
        url="https://forum.example/t/1817",
        outcome=OutcomeKind.DENIED,
        status=None,
        reason="robots",
        note={
            "robots": {
                "url": "https://forum.example/robots.txt",
                "verdict": "denied",
                "reason": "Disallow: /t/",
            }
        },
    )
    letter = b"To the council of Vellhaven\n\nShips wait longer than before the bridge.\n"
    yield Visit(
        document="pilots-letter",
        at="2026-11-23T23:51:00.000000Z",
        url="https://pilots.example/letters/7",
        content=letter,
        media_type="text/plain",
        status=None,
        obtained=Obtained.ADDED,
        note={
            "obtained": {
                "how": "added",
                "at": "2026-11-23T23:51:00.000000Z",
                "at_stated": False,
                "added_at": "2026-11-23T23:51:00.000000Z",
                "note": "Saved from the members’ area in a browser.",
                "file_name": "letter-7.txt",
            }
        },
    )
