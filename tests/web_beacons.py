"""An archive whose files try every way there is to reach a server from a page, without scripts too.

Each way asks the trap for a path of its own, so that a control without our policy can tell which
ways a browser follows at all.
"""

from __future__ import annotations

from provenance.model import OutcomeKind
from tests.web_fixture import Shelf, Visit, a_collection, a_document, an_answer, an_html_visit

IN_HTML = {
    "img": '<img src="{to}">',
    "srcset": '<img srcset="{to} 1x">',
    "picture": '<picture><source srcset="{to}"><img alt=""></picture>',
    "input": '<input type="image" src="{to}">',
    "background": '<table background="{to}"><tr><td>x</td></tr></table>',
    "video": '<video src="{to}" autoplay></video>',
    "poster": '<video poster="{to}"></video>',
    "audio": '<audio src="{to}" autoplay></audio>',
    "track": '<video><track default src="{to}"></video>',
    "iframe": '<iframe src="{to}"></iframe>',
    "srcdoc": "<iframe srcdoc=\"<img src='{to}'>\"></iframe>",
    "data-frame": "<iframe src=\"data:text/html,<img src='{to}'>\"></iframe>",
    "object": '<object data="{to}"></object>',
    "embed": '<embed src="{to}">',
    "stylesheet": '<link rel="stylesheet" href="{to}">',
    "preload": '<link rel="preload" as="image" href="{to}">',
    "modulepreload": '<link rel="modulepreload" href="{to}">',
    "prefetch": '<link rel="prefetch" href="{to}">',
    "preconnect": '<link rel="preconnect" href="{to}">',
    "icon": '<link rel="icon" href="{to}">',
    "manifest": '<link rel="manifest" href="{to}">',
    "import": "<style>@import url({to});</style>",
    "css-image": '<p style="background:url({to})">x</p>',
    "css-set": '<p style="background:image-set(url({to}) 1x)">x</p>',
    "css-list": '<ul><li style="list-style-image:url({to})">x</li></ul>',
    "css-cursor": '<p style="cursor:url({to}),auto">x</p>',
    "css-content": '<style>#c::before {{ content: url({to}) }}</style><p id="c">x</p>',
    "css-font": "<style>@font-face {{ font-family: F; src: url({to}) }} p {{ font-family: F }}"
    "</style><p>harbour</p>",
    "css-mask": '<p style="mask-image:url({to}#m);-webkit-mask-image:url({to})">x</p>',
    "svg-image": '<svg width="9" height="9"><image href="{to}" width="9" height="9"/></svg>',
    "svg-use": '<svg><use href="{to}#u"/></svg>',
    "svg-filter": '<svg width="9" height="9"><filter id="f"><feImage href="{to}"/></filter>'
    '<rect width="9" height="9" filter="url(#f)"/></svg>',
    "script": '<script src="{to}"></script>',
    "fetch": '<script>fetch("{to}", {{mode: "no-cors"}})</script>',
    "beacon": '<script>navigator.sendBeacon("{to}")</script>',
    "socket": '<script>new WebSocket("{to}".replace("http", "ws"))</script>',
    "worker": "<script>new Worker(\"data:text/javascript,fetch('{to}')\")</script>",
    "speculation": '<script type="speculationrules">{{"prefetch":[{{"urls":["{to}"]}}]}}</script>',
}
"""Ways that stand in the body of one page; `{to}` is where they lead."""

FORM = '<form id="f" action="{to}"><input name="a"></form><script>f.submit()</script>'
REFRESH = '<meta http-equiv="refresh" content="0;url={to}"><p>harbour</p>'

XHTML = """<?xml version="1.0"?>
<?xml-stylesheet type="text/css" href="{css}"?>
<!DOCTYPE html [<!ENTITY out SYSTEM "{entity}">]>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>harbour</title></head>
<body><p>harbour &out;</p><img src="{img}" alt=""/></body></html>"""

XSLT = """<?xml version="1.0"?>
<?xml-stylesheet type="text/xsl" href="{sheet}"?>
<html xmlns="http://www.w3.org/1999/xhtml"><body><p>harbour</p></body></html>"""

SHEET = (
    "data:text/xml,%3Cxsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'"
    "%3E%3Cxsl:template match='/'%3E%3Chtml%3E%3Cbody%3E%3Cimg src='{to}'/%3E%3Cscript%3E"
    "document.title='taken'%3C/script%3E%3C/body%3E%3C/html%3E%3C/xsl:template%3E%3C/xsl:stylesheet%3E"
)

SVG = """<?xml version="1.0"?><?xml-stylesheet type="text/css" href="{css}"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="80"
 height="60"><style>@import url({style});</style><image href="{image}" width="9" height="9"/>
<image xlink:href="{xlink}" width="9" height="9"/><use href="{use}#u"/>
<foreignObject width="9" height="9"><iframe xmlns="http://www.w3.org/1999/xhtml" src="{frame}"/>
<img xmlns="http://www.w3.org/1999/xhtml" src="{img}"/></foreignObject>
<script href="{script}"/><script>document.title='taken'</script>
</svg>"""

MHTML = (
    "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\n"
    "Content-Type: text/html\r\n\r\n<img src='{to}'><script>1</script>\r\n--b--\r\n"
)

XML = '<?xml version="1.0"?><?xml-stylesheet type="text/css" href="{to}"?><x>harbour</x>'
JSON = "{{\"<img src='{to}'>\": \"<script src='{to}'></script>\"}}"


def files(trap: str) -> dict[str, tuple[str, bytes]]:
    """Return name → (media type, bytes) of every file; all of them lead to `trap`."""

    def to(name: str) -> str:
        return f"{trap}/{name}"

    body = "".join(way.format(to=to(name)) for name, way in IN_HTML.items())
    svg = {key: to(f"svg-{key}") for key in ("css", "style", "image", "xlink", "use", "frame")}
    texts = {
        "html": ("text/html", f"<!DOCTYPE html><title>harbour</title><p>harbour</p>{body}"),
        "refresh": ("text/html", REFRESH.format(to=to("refresh"))),
        "form": ("text/html", FORM.format(to=to("form"))),
        "xhtml": (
            "application/xhtml+xml",
            XHTML.format(css=to("x-css"), entity=to("x-entity"), img=to("x-img")),
        ),
        "xslt": ("application/xhtml+xml", XSLT.format(sheet=SHEET.format(to=to("xslt")))),
        "xslt-far": ("application/xhtml+xml", XSLT.format(sheet=to("xslt-far"))),
        "svg": (
            "image/svg+xml",
            SVG.format(**svg, img=to("svg-img"), script=to("svg-script")),
        ),
        "xml": ("text/xml", XML.format(to=to("xml"))),
        "json": ("application/json", JSON.format(to=to("json"))),
        "mhtml": ("multipart/related", MHTML.format(to=to("mhtml"))),
        "message": ("message/rfc822", MHTML.format(to=to("message"))),
        "plain": ("text/plain", f"<!DOCTYPE html><img src='{to('plain')}'>"),
        "untyped": ("application/x-unknown", f"<!DOCTYPE html><img src='{to('untyped')}'>"),
    }
    return {name: (media_type, text.encode()) for name, (media_type, text) in texts.items()}


def beacons(trap: str) -> Shelf:
    """Return the archive: one document for each file, named after it."""
    visits = []
    for number, (name, (media_type, content)) in enumerate(files(trap).items()):
        at, url = f"2026-11-23T23:50:{number:02d}.000000Z", f"https://e.example/{name}"
        visits.append(
            Visit(
                document=name,
                at=at,
                url=url,
                head=an_answer(media_type, content),
                content=content,
                media_type=media_type,
                charset="utf-8",
            )
        )
    links = f'<a id="away" href="{trap}/link">away</a> <a id="in" href="/search?q=x">in</a>'
    popup = f'<a id="popup" target="_blank" href="{trap}/popup" ping="{trap}/ping">new</a>'
    top = f'<a id="top" target="_top" href="{trap}/top">top</a>'
    visits.append(
        an_html_visit(
            "links",
            "2026-11-23T23:51:00.000000Z",
            "https://e.example/links",
            f"<p>harbour {links} {popup} {top}</p>",
            outcome=OutcomeKind.CAPTURED,
        )
    )
    return Shelf(a_collection(*(a_document(visit.document) for visit in visits)), visits)
