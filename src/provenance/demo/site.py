"""The demo's web: which host answers which path with which bytes. Pure but for its own page files.

The fields carry oddities that real servers send (repeated fields, odd case and spacing, a folded
line, a Latin-1 byte), because an archive keeps them as they are. No byte depends on the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from provenance.demo.bundle import read_page
from provenance.demo.pdf import write_pdf
from provenance.demo.wire import Page, chunk, lay_out, with_validator

_DATE = b"Date: Mon, 12 Apr 2021 07:00:00 GMT"
_OK = b"HTTP/1.1 200 OK"
_HTML = b"Content-Type: text/html; charset=utf-8"
_TEXT = b"Content-Type: text/plain; charset=utf-8"
_LENGTH = b"Content-Length: {length}"

Paths = Mapping[str, Page]


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """Hosts with their paths; `second` holds what the hosts answer after the second release."""

    first: Mapping[str, Paths]
    second: Mapping[str, Paths]
    not_found: Page
    bad_request: Page
    not_allowed: Page

    def page(self, host: str, path: str, *, second: bool) -> Page:
        """Return what `host` answers at `path`, the not-found page included."""
        releases = (self.second, self.first) if second else (self.first,)
        answers = (release.get(host, {}).get(path) for release in releases)
        return next((page for page in answers if page is not None), self.not_found)


def harbour_web() -> Web:
    """Return the small web around the harbour bridge of Vellhaven."""
    return Web(
        first={
            "gazette.example": _gazette(),
            "council.example": _council(),
            "audit.example": {"/reports/2021/harbour-bridge": _audit_report(version=1)},
            "institute.example": _institute(),
            "lanwan-port.example": {"/news/20201105.html": _port_statement()},
            "stoberg.example": {"/presse/havnebroen.htm": _steel_statement()},
            "deposit.example": _deposit(),
            "estuary-post.example": {"/2021/02/bridge-traffic": _challenge()},
        },
        second={"audit.example": {"/reports/2021/harbour-bridge": _audit_report(version=2)}},
        not_found=_plain_page(b"HTTP/1.1 404 Not Found", "not-found.html"),
        bad_request=_refusal(b"HTTP/1.1 400 Bad Request"),
        not_allowed=_refusal(b"HTTP/1.1 405 Method Not Allowed", b"Allow: GET, HEAD"),
    )


def _plain_page(status: bytes, name: str) -> Page:
    return lay_out(status, _DATE, _HTML, _LENGTH, body=read_page(name))


def _refusal(status: bytes, *fields: bytes) -> Page:
    lines = (status, _DATE, *fields, _LENGTH, b"Connection: close")
    return lay_out(*lines, body=b"", closes=True)


def _robots(text: bytes) -> Page:
    return lay_out(_OK, _DATE, b"Content-Type: text/plain", _LENGTH, body=text)


def _gazette() -> Paths:
    article = lay_out(
        _OK,
        _DATE,
        b"SERVER: gazette/2",
        b"content-type: text/html; charset=UTF-8",
        b"content-LENGTH: {length}",
        b"Set-Cookie: reader=new; Path=/; HttpOnly",
        b"X-A:nospace",
        b"X-Padded:    four spaces before, two after  ",
        b"Set-Cookie: edition=morning; Path=/; Max-Age=86400",
        b"vary:Accept-Encoding,Cookie",
        body=read_page("gazette-article.html"),
    )
    return {
        "/2021/03/08/harbour-bridge-half-a-year.html": article,
        "/columns/2021/01/waiting-for-the-bridge.html": _plain_page(
            b"HTTP/1.1 410 Gone", "gazette-column-gone.html"
        ),
    }


def _council() -> Paths:
    fund = lay_out(
        b"HTTP/1.1 301 Moved Permanently",
        _DATE,
        b"Location: http://deposit.example/number/2019-10-0417",
        _HTML,
        _LENGTH,
        body=b"<p>The deed is kept by the Estuary Deposit.</p>\n",
    )
    return {
        "/robots.txt": _robots(b"User-agent: *\nDisallow: /internal/\n"),
        "/minutes/2020-06-09.pdf": _minutes(),
        "/consultation/2019/answers": _consultation(),
        "/harbour/notice-2021-03.txt": _notice(),
        "/internal/2020/winter-service.html": _plain_page(_OK, "council-internal-note.html"),
        "/go/bridge-fund": fund,
    }


def _minutes() -> Page:
    text = read_page("council-minutes.txt").decode("utf-8")
    pdf = write_pdf(
        [sheet.splitlines() for sheet in text.split("\f")],
        title="Town Council of Vellhaven: Minutes of the meeting of 9 June 2020",
        author="Petra Lowe",
        created="D:20200616101500Z",
        language="en",
    )
    return lay_out(
        _OK,
        _DATE,
        b"Content-Type: application/pdf",
        b'Content-Disposition: inline; filename="minutes-2020-06-09.pdf"',
        b"Last-Modified: Tue, 16 Jun 2020 10:15:00 GMT",
        _LENGTH,
        body=pdf,
    )


def _consultation() -> Page:
    answers = read_page("council-consultation.html")
    body = chunk(answers, sizes=(512, 300), extension=b";part=head", trailer=(b"X-Answers: 1287",))
    return lay_out(
        _OK, _DATE, _HTML, b"Transfer-Encoding: chunked", b"Trailer: X-Answers", body=body
    )


def _notice() -> Page:
    return lay_out(
        _OK,
        _DATE,
        _TEXT,
        b"X-Office: Harbour Office,\r\n\tCustom House, Vellhaven",
        b"X-Empty:",
        _LENGTH,
        body=read_page("council-notice.txt"),
    )


def _audit_report(*, version: int) -> Page:
    etag = b'"rao-2021-4-v%d"' % version
    changed = {1: b"Mon, 15 Feb 2021 08:00:00 GMT", 2: b"Mon, 29 Mar 2021 08:00:00 GMT"}[version]
    page = lay_out(
        _OK,
        _DATE,
        _HTML,
        b"ETag: " + etag,
        b"Last-Modified: " + changed,
        _LENGTH,
        body=read_page(f"audit-report-{version}.html"),
    )
    return with_validator(page, etag=etag, fields=(_DATE,))


def _institute() -> Paths:
    etag = b'"ies-2021-02"'
    study = lay_out(
        _OK, _DATE, _HTML, b"ETag: " + etag, _LENGTH, body=read_page("institute-study.html")
    )
    # Packed once and shipped: what a compressor makes differs from one zlib to the next.
    readings = lay_out(
        _OK,
        _DATE,
        _HTML,
        b"Content-Encoding: gzip",
        _LENGTH,
        body=read_page("institute-readings.html.gz"),
    )
    return {
        "/robots.txt": _robots(b"# Everybody is welcome.\nUser-agent: *\nDisallow:\n"),
        "/studies/harbour-bridge/": with_validator(study, etag=etag, fields=(_DATE,)),
        "/studies/harbour-bridge/readings.html": readings,
    }


def _port_statement() -> Page:
    text = read_page("port-statement.html").decode("utf-8")
    return lay_out(
        b"HTTP/1.1 200 ",
        _DATE,
        b"Content-Type: text/html;charset=GB18030",
        b"Content-Language: zh-CN",
        _LENGTH,
        body=text.encode("gb18030"),
    )


def _steel_statement() -> Page:
    text = read_page("steel-statement.html").decode("utf-8")
    return lay_out(
        b"HTTP/1.0 200 OK",
        _DATE,
        b"Server: St\xf8berg Web 1.3",
        b"Content-type: text/html",
        body=text.encode("latin-1"),
        closes=True,
    )


def _deposit() -> Paths:
    second_hop = lay_out(
        b"HTTP/1.1 302 Found", _DATE, b"Location: /files/bridge-fund-2019.html", _LENGTH, body=b""
    )
    return {
        "/robots.txt": _robots(b""),
        "/number/2019-10-0417": second_hop,
        "/files/bridge-fund-2019.html": _plain_page(_OK, "bridge-fund.html"),
        "/keepers/openings-2020.html": _cut_short("bridge-openings.html"),
        "/reprints/harbour-bridge-half-a-year.html": _plain_page(_OK, "reprint.html"),
        "/reports/rao-2021-4.html": _plain_page(_OK, "audit-report-1.html"),
    }


def _cut_short(name: str) -> Page:
    """Return a page that announces all its bytes and sends the first half."""
    whole = _plain_page(_OK, name)
    return replace(whole, body=whole.body[: len(whole.body) // 2], closes=True)


def _challenge() -> Page:
    return lay_out(
        _OK,
        _DATE,
        b"Content-Type: text/html; charset=UTF-8",
        b"cf-mitigated: challenge",
        b"CF-RAY: 61d2f0a9be0c0f00-XXX",
        b"Cache-Control: private, max-age=0, no-store",
        _LENGTH,
        body=read_page("challenge.html"),
    )
