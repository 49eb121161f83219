"""An archive in which every archived or described string tries to run in the pages' origin."""

from __future__ import annotations

from dataclasses import replace

from provenance.holdings import Obtained, Redirect
from provenance.model import (
    Alternate,
    AlternateRole,
    OutcomeKind,
    RelationKind,
    TitleStatus,
)
from tests.web_fixture import (
    Shelf,
    Visit,
    a_collection,
    a_document,
    a_relation,
    an_answer,
    an_html_visit,
)

TRAP = "http://trap.example"
"""Where the archived page wants to load things from; `hostile` puts a real address here."""

RUN = "window.pwned=(window.pwned||0)+1"
TAG = f'"\'><script>{RUN}</script><img src=x onerror="{RUN}"><svg onload="{RUN}">'
BIDI = "\u202egnp.exe\u202c"
ADDRESS = f'https://evil.example/?q="><script>{RUN}</script>'
SCHEME = f"javascript:{RUN}//https://x.example/"

SVG = f"""<svg xmlns="http://www.w3.org/2000/svg" width="80" height="60" onload="{RUN}">
<script>{RUN}</script><rect width="80" height="60" fill="teal"/></svg>"""

PAGE = f"""<html><head><title>{TAG}</title><base href="/">
<script src="/-/provenance/site.js"></script></head>
<body onload="{RUN}"><p>harbour &lt;script&gt;{RUN}&lt;/script&gt; harbour</p>
<iframe src="/"></iframe><object data="/"></object><a href="{SCHEME}" target="_top">go</a>
<form action="/search" target="_top"><button id="submit">x</button></form>
<style>@import url({TRAP}/x.css); body {{ background: url({TRAP}/x.png) }}
</style><link rel="prefetch" href="{TRAP}/p"><link rel="preconnect" href="{TRAP}">
<video src="{TRAP}/v"></video>
<script>top.location = "/search?q=taken"; parent.document.title = "taken"; {RUN}</script>
</body></html>"""


def hostile(trap: str = TRAP) -> Shelf:
    """Return the archive; its first document has everything, the others one kind of file each."""
    bait = PAGE.replace(TRAP, trap)
    card = a_document(
        "every-string",
        title=TAG,
        title_original=f"{BIDI}{TAG}",
        title_status=TitleStatus.DESCRIPTIVE,
        publisher=TAG,
        author=f"{BIDI}{TAG}",
        language=f'en" onclick="{RUN}',
        url=ADDRESS,
        note=TAG,
        alternates=(
            Alternate(url=SCHEME, role=AlternateRole.REPUBLICATION, note=TAG),
            Alternate(url="data:text/html,<script>1</script>", role=AlternateRole.RELATED),
        ),
        relations=(a_relation(RelationKind.CITES, "picture", TAG),),
    )
    others = [
        a_document(name, url=f"https://e.example/{name}") for name in ("picture", "page", "saved")
    ]
    collection = replace(a_collection(card, *others), title=TAG, about=TAG)
    svg = SVG.encode()
    visits = (
        an_html_visit(
            "every-string",
            "2026-11-23T23:49:30.000000Z",
            ADDRESS,
            bait,
            redirects=(Redirect(url=SCHEME, status=302, location=ADDRESS, capture_id=None),),
            head=an_answer("text/html", bait.encode(), f"200 {TAG}").replace(
                b"\r\n\r\n", f"\r\nX-Evil: {TAG}{BIDI}\x00\x1b[2J\r\n\r\n".encode()
            ),
            note={
                "detail": TAG,
                "dns": [TAG, 5, None],
                "tls": {"version": TAG, "cipher": TAG, "certificates": [TAG, "AAAA"]},
                "peer": {"ip": TAG, "port": TAG},
                "timings_ms": {"resolve": TAG, "total": [1]},
                "redacted": [TAG],
                "attempts": [{"url": TAG, "reason": TAG, "started_at": TAG}, TAG],
                "clock_offset_s": TAG,
                "robots": [TAG],
                "lone": "\ud800",
            },
        ),
        Visit(
            document="every-string",
            at="2026-11-23T23:49:31.000000Z",
            url=SCHEME,
            outcome=OutcomeKind.FAILED,
            status=None,
            reason=TAG,
        ),
        Visit(
            document="picture",
            at="2026-11-23T23:49:32.000000Z",
            url="https://e.example/picture",
            head=an_answer("image/svg+xml", svg),
            content=svg,
            media_type="image/svg+xml",
        ),
        an_html_visit("page", "2026-11-23T23:49:33.000000Z", "https://e.example/page", bait),
        Visit(
            document="saved",
            at="2026-11-23T23:49:34.000000Z",
            url=ADDRESS,
            content=f"harbour {TAG}{BIDI}\x02\x03\x1b[2J".encode(),
            media_type="text/plain",
            charset=f'utf-8"{TAG}',
            status=None,
            obtained=Obtained.ADDED,
            note={"obtained": {"how": "added", "at": TAG, "note": TAG, "file_name": BIDI + TAG}},
        ),
        Visit(
            document="saved",
            at="2026-11-23T23:49:35.000000Z",
            url=ADDRESS,
            content=f'{{"harbour": "{RUN}"}}'.encode(),
            media_type=f"text/html{TAG}",
            outcome=OutcomeKind.CHALLENGE,
            head=an_answer("application/json", b"{}"),
        ),
    )
    return Shelf(collection, visits)
