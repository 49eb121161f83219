"""What an answer says of its own address is noticed: refreshes, canonical addresses, soft 404s."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.http_message import ResponseHead, parse_response_head
from provenance.landing.not_found import folded
from provenance.landing.not_found_rules import MARKED, RULES, SAID, NotFoundRule
from provenance.landing.notice import LOOKED_AT, Landing, notice

URL = "http://a.example/news/doc?id=7"
LOREM = "The council met on Tuesday and heard the engineers about the bridge. "


def head(*fields: str, status: int = 200, media: str | None = "text/html") -> ResponseHead:
    lines = [f"HTTP/1.1 {status} x", *([f"Content-Type: {media}"] if media else []), *fields]
    parsed = parse_response_head("\r\n".join(lines).encode("utf-8") + b"\r\n\r\n")
    assert parsed is not None
    return parsed


def landing(
    content: str | bytes,
    *fields: str,
    status: int = 200,
    media: str | None = "text/html; charset=utf-8",
    asked: str = URL,
    final: str | None = None,
) -> Landing:
    raw = content.encode("utf-8") if isinstance(content, str) else content
    answer = head(*fields, status=status, media=media)
    return notice(answer, raw, asked=asked, final=final or asked)


def page(title: str = "", body: str = "", more: str = "") -> str:
    title = f"<title>{title}</title>" if title else ""
    return f"<!DOCTYPE html><html><head>{title}{more}</head><body>{body}</body></html>"


# Refreshes


@pytest.mark.parametrize(
    ("content", "delay_s", "target"),
    [
        ("0; url=/new", 0, "http://a.example/new"),
        ("0;URL=/new", 0, "http://a.example/new"),
        ("5;url='/new'", 5, "http://a.example/new"),
        ('5; url="/new" trailing', 5, "http://a.example/new"),
        ("5;url='/new", 5, "http://a.example/new"),
        (" 10 , url = http://b.example/x ", 10, "http://b.example/x"),
        ("3 /new", 3, "http://a.example/new"),
        ("3;/new", 3, "http://a.example/new"),
        ("3;new", 3, "http://a.example/news/new"),
        ("1.5; url=/new", 1, "http://a.example/new"),
        (".5; url=/new", 0, "http://a.example/new"),
        ("007;url=/new", 7, "http://a.example/new"),
        ("99999999999999;url=/new", 999999999, "http://a.example/new"),
        ("0;url=//b.example/x#part", 0, "http://b.example/x"),
        ("0;url=http://user:secret@b.example/x", 0, "http://b.example/x"),
        ("0;url=/two words/\u516c\u544a", 0, "http://a.example/two%20words/%E5%85%AC%E5%91%8A"),
        ("0;url=http://br\u00fccke.example/", 0, "http://xn--brcke-lva.example/"),
        ("0;url=?id=8", 0, "http://a.example/news/doc?id=8"),
        ("0;url=/a\nb", 0, "http://a.example/ab"),
    ],
)
def test_a_refresh_that_leads_elsewhere_is_noticed(content: str, delay_s: int, target: str) -> None:
    """Every form that browsers follow, in the page or as a field."""
    quote = '"' if '"' not in content else ""
    tag = f"<meta http-equiv=refresh content={quote}{content}{quote}>"
    if not quote:
        tag = f"<meta content='{content}' http-equiv='Refresh'>"
    said = landing(page("Moved", "<p>Please go on.</p>", tag))
    assert (said.meta_refresh, said.refresh_delay_s) == (target, delay_s)
    assert said.flags == ("meta_refresh",)
    if content.isascii() and "\n" not in content:
        said = landing("", f"Refresh: {content}")
        assert (said.meta_refresh, said.refresh_delay_s) == (target, delay_s)


@pytest.mark.parametrize(
    "content",
    [
        "30",
        "30;",
        "30; url=",
        "30; url=/news/doc?id=7",
        "30; url=http://A.EXAMPLE:80/news/doc?id=7#top",
        "30; url=/n%65ws/doc?id=7",
        "30; url=",
        "0url=/new",
        "soon; url=/new",
        "-1; url=/new",
        "0; url=javascript:location='/new'",
        "0; url=mailto:clerk@a.example",
        "0; url=http://[bad/",
        "0; url=http://b.example:99999/",
        "0; url=http://",
        "",
        "0;url=" + "x" * 5000,
    ],
)
def test_a_refresh_that_leads_nowhere_else_is_none(content: str) -> None:
    """A page that reloads itself, a scheme that is not of the web, what browsers do not read."""
    said = landing(page("News", "", f'<meta http-equiv="refresh" content="{content}">'))
    assert said == Landing()


@pytest.mark.parametrize(
    "markup",
    [
        '<!-- <meta http-equiv="refresh" content="0;url=/new"> -->',
        '<script>var a = \'<meta http-equiv="refresh" content="0;url=/new">\';</script>',
        '<noscript><meta http-equiv="refresh" content="0;url=/noscript"></noscript>',
        '<template><meta http-equiv="refresh" content="0;url=/new"></template>',
        '<textarea><meta http-equiv="refresh" content="0;url=/new"></textarea>',
        '<p>&lt;meta http-equiv="refresh" content="0;url=/new"></p>',
        '<meta name="refresh" content="0;url=/new">',
    ],
)
def test_what_no_browser_with_scripts_follows_is_no_refresh(markup: str) -> None:
    """Comments, scripts, text, and what is only for those without scripts."""
    assert landing(page("News", markup)).meta_refresh is None
    assert landing(page("News", "", markup)).meta_refresh is None


def test_a_refresh_is_resolved_against_base_and_the_field_against_the_address() -> None:
    """The first `base` with an address counts, and is itself resolved."""
    refresh = '<meta http-equiv="refresh" content="0;url=new">'
    based = page("", "", '<base target="_top"><base href="/x/"><base href="/y/">' + refresh)
    assert landing(based).meta_refresh == "http://a.example/x/new"
    assert landing(based, "Refresh: 1;url=new").meta_refresh == "http://a.example/news/new"
    broken = page("", "", '<base href="http://[bad/">' + refresh)
    assert landing(broken).meta_refresh == "http://a.example/news/new"


def test_the_first_refresh_that_leads_elsewhere_counts() -> None:
    """The field comes before the page, and a reload before neither."""
    both = page("", "", '<meta http-equiv="refresh" content="9;url=/b">')
    assert landing(both, "Refresh: 0;url=/a").meta_refresh == "http://a.example/a"
    assert landing(both, "Refresh: 60").meta_refresh == "http://a.example/b"


def test_a_refresh_anywhere_in_the_page_counts() -> None:
    """Browsers follow one in the body too."""
    body = '<div><p>Moved<meta http-equiv="refresh" content="0;url=/new"></div>'
    assert landing(page("", body)).meta_refresh == "http://a.example/new"


def test_a_page_in_another_charset_is_read() -> None:
    """UTF-16, GB18030 by declaration, UTF-8 by detection."""
    text = page("公告", "", '<meta http-equiv="refresh" content="0;url=/公告">')
    target = "http://a.example/%E5%85%AC%E5%91%8A"
    for raw, media in (
        (text.encode("utf-8-sig"), "text/html"),
        (b"\xff\xfe" + text.encode("utf-16-le"), "text/html"),
        (text.encode("gb18030"), "text/html; charset=GB2312"),
        (text.replace("<head>", "<head><meta charset=gbk>").encode("gbk"), "text/html"),
    ):
        assert landing(raw, media=media).meta_refresh == target


# Canonical addresses


@pytest.mark.parametrize(
    ("href", "canonical"),
    [
        ("http://a.example/doc", "http://a.example/doc"),
        ("/doc", "http://a.example/doc"),
        ("//www.a.example/doc#x", "http://www.a.example/doc"),
        ("https://a.example/news/doc?id=7", "https://a.example/news/doc?id=7"),
        ("HTTP://B.Example", "http://b.example/"),
        ("/caf\u00e9 1", "http://a.example/caf%C3%A9%201"),
        ("?id=8", "http://a.example/news/doc?id=8"),
        ("http://user:secret@a.example/doc", "http://a.example/doc"),
        ("http://[2001:db8::1]:8080/doc", "http://[2001:db8::1]:8080/doc"),
    ],
)
def test_a_canonical_address_elsewhere_is_noticed(href: str, canonical: str) -> None:
    """Made absolute, without fragment and credentials; from the page or from the field Link."""
    said = landing(page("Doc", "", f'<link rel="canonical" href="{href}">'))
    assert (said.canonical, said.flags) == (canonical, ("canonical_elsewhere",))
    if href.isascii():
        for media in ("text/html", "application/pdf"):
            said = landing(b"%PDF-1.7", f'Link: <{href}>; rel="canonical"', media=media)
            assert (said.canonical, said.flags) == (canonical, ("canonical_elsewhere",))


@pytest.mark.parametrize(
    "href",
    [URL, "/news/doc?id=7", "doc?id=7#top", "HTTP://A.example:80/news/%64oc?id=7", "?id=7"],
)
def test_the_same_address_in_another_spelling_is_not_elsewhere(href: str) -> None:
    """Case of host, default port, needless escapes and fragments make no other address."""
    said = landing(page("Doc", "", f'<link rel="canonical" href="{href}">'))
    assert said.canonical is not None
    assert said.flags == ()


@pytest.mark.parametrize(
    ("final", "href"),
    [
        ("http://a.example", "http://a.example/"),
        ("http://a.example?q=1", "/?q=1"),
        ("http://a.example/a|b", "/a|b"),
        ("http://a.example/%e4%b8%ad", "/\u4e2d"),
        ("http://a.example/x?u=%2F", "/x?u=%2f"),
        ("https://a.example:443/x", "https://a.example/x"),
        ("http://[2001:DB8::1]/x", "http://[2001:db8::1]/x"),
    ],
)
def test_addresses_are_compared_in_one_form(final: str, href: str) -> None:
    """Whatever is escaped on either side."""
    said = landing(page("Doc", "", f'<link rel="canonical" href="{href}">'), asked=final)
    assert said.canonical is not None
    assert said.flags == ()


@pytest.mark.parametrize(
    ("final", "href"),
    [
        ("http://a.example/x", "https://a.example/x"),
        ("http://a.example/x", "http://www.a.example/x"),
        ("http://a.example/x", "/x/"),
        ("http://a.example/x", "/X"),
        ("http://a.example/x?utm_source=y", "/x"),
        ("http://a.example/a%2Fb", "/a/b"),
    ],
)
def test_what_a_server_may_answer_differently_is_elsewhere(final: str, href: str) -> None:
    """Scheme, host, path and query are compared as they stand."""
    said = landing(page("Doc", "", f'<link rel="canonical" href="{href}">'), asked=final)
    assert said.flags == ("canonical_elsewhere",)


@pytest.mark.parametrize(
    "markup",
    [
        '<link rel="alternate" href="/x">',
        '<link rel="canonical">',
        '<link rel="canonical" href="">',
        '<link rel="canonical" href="javascript:x">',
        '<link rel="canonical" href="http://[bad/">',
        '<!-- <link rel="canonical" href="/x"> -->',
        '<noscript><link rel="canonical" href="/x"></noscript>',
        '<link rel="canonical" href="/x"><link rel="canonical" href="/y">',
    ],
)
def test_what_names_no_one_address_is_no_canonical(markup: str) -> None:
    """None, broken, hidden, or two of them."""
    assert landing(page("Doc", "", markup)) == Landing()


def test_a_link_in_the_text_is_no_canonical() -> None:
    """What readers wrote below an article does not speak for it."""
    assert landing(page("Doc", '<p>Nice!</p><link rel="canonical" href="/x">')).canonical is None


def test_a_pixel_in_the_head_hides_no_canonical() -> None:
    """Markup that ends the head early is common there, and no reason to miss the address."""
    pixel = '<noscript><img src="/pixel"></noscript>'
    said = landing(page("Doc", "", pixel + '<link rel="canonical" href="/x">'))
    assert said.canonical == "http://a.example/x"


def test_page_and_field_that_agree_are_one() -> None:
    """And where they disagree there is none: nothing is guessed."""
    with_link = page("Doc", "", '<link rel="Canonical nofollow" href="/x">')
    assert landing(with_link, 'Link: </x>; rel="canonical"').canonical == "http://a.example/x"
    assert landing(with_link, 'Link: </y>; rel="canonical"').canonical is None


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        ('</x>; rel="canonical"', "/x"),
        ("</x>;rel=canonical", "/x"),
        ('</x> ; title="a, b; c" ; REL="start canonical"', "/x"),
        ('</a>; rel="next", </x>; rel="canonical"', "/x"),
        ('</a>; title="<b>; rel=canonical", </x>; rel=canonical', "/x"),
        ('</x>; rel="canonical"; rel="next"', "/x"),
        ('</x>; rel="next"; rel="canonical"', None),
        ('</x>; rel="canonical"; anchor="/other"', None),
        ('</x>; rel="alternate"', None),
        ("/x; rel=canonical", None),
        ("</x; rel=canonical", None),
        ("<", None),
    ],
)
def test_the_field_link_is_read_as_the_standard_says(value: str, canonical: str | None) -> None:
    """Several links in one field, quoted parameters, and anchors that speak of something else."""
    found = landing(b"", f"Link: {value}", media="application/pdf").canonical
    assert found == (f"http://a.example{canonical}" if canonical else None)


# Pages that are not there


def rule_of(content: str | bytes, **more: str | int) -> str | None:
    said = landing(content, **more)  # type: ignore[arg-type]
    assert (said.soft_404 is not None) == ("soft_404" in said.flags)
    return said.soft_404


@pytest.mark.parametrize("rule", SAID, ids=lambda rule: rule.id)
def test_every_phrase_is_known_as_title_and_as_heading(rule: NotFoundRule) -> None:
    """Alone, before or after the site's name, in a heading under the site's title."""
    for phrase in rule.phrases:
        told = phrase[0].upper() + phrase[1:]
        for content in (
            page(told),
            page(f"{told} | The council"),
            page(f"The council - {told}"),
            page(f"{told}!", "<h1>The council</h1><p>Try the search.</p>"),
            page("The council", f"<h1><span>{told}.</span></h1><p>Sorry.</p>"),
        ):
            found = rule_of(content)
            assert found is not None, content
            assert found == rule.id, content


def test_phrases_are_each_one_rules() -> None:
    """No phrase is empty or stands under two rules; ids are unique; each rule says why."""
    phrases = [folded(phrase) for rule in SAID for phrase in rule.phrases]
    assert len(set(phrases)) == len(phrases)
    assert all(phrases)
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.why.endswith(".") for rule in RULES)
    assert {"said-ar", "said-en", "said-es", "said-fr", "said-ru", "said-zh-hans"} <= {
        rule.id for rule in RULES
    }


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (page("404 — Page not found"), "said-en"),
        (page("Error 404 (Not Found)!!1"), None),
        (page("Error 404 (Not Found)"), "said-number"),
        (page("Oops! That page can\u2019t be found. \u2013 Blog"), "said-en"),
        (page("抱歉，您访问的页面不存在！_中国新闻"), "said-zh-hans"),
        (page("404-页面不存在"), "said-zh-hans"),
        (page("頁面不存在 - 部會"), "said-zh-hant"),
        (page("عذراً، الصفحة المطلوبة غير موجودة | الوزارة"), "said-ar"),
        (page("الصـفحة غيـر موجودة"), "said-ar"),
        (page("Erreur 404 : page introuvable - Ministère"), "said-fr"),
        (page("Página no encontrada"), "said-es"),
        (page("Pa\u0301gina no encontrada"), "said-es"),
        (page("СТРАНИЦА НЕ НАЙДЕНА"), "said-ru"),
        (page("Seite\u00a0nicht gefunden"), "said-de"),
        (page("ページが見つかりません｜省"), "said-ja"),
        (page("", "<h1>Page Not Found</h1>"), "said-en"),
        (page("该内容已被发布者删除"), "said-removed-zh-hans"),
    ],
)
def test_titles_of_real_shapes(content: str, rule: str | None) -> None:
    """Punctuation, dashes, marks and separators do not matter; further words do."""
    assert rule_of(content) == rule


@pytest.mark.parametrize(
    "content",
    [
        page("Page not found: a history of the 404", "<h1>Page not found: a history</h1>"),
        page("404 Not Found - how papers lose archives", "<h1>404 Not Found - how papers …</h1>"),
        page("How we made our 404 page", "<h1>How we made our 404 page</h1><p>404 Not Found.</p>"),
        page("Page not found", "<h1>Page not found</h1>" + f"<p>{LOREM * 30}</p>"),
        page("Not Found", f"<p>{LOREM}</p>" * 30),
        page(
            "页面不存在",
            "<h1>页面不存在</h1><p>" + "会议听取了工程师关于大桥的报告。" * 40 + "</p>",
        ),
        page("Page not found", "", '<meta property="article:published_time" content="2026-11-24">'),
        page("Page not found", "", '<meta property="og:type" content="article">'),
        page("页面不存在", "", '<meta name="PubDate" content="2026-11-24">'),
        page("404", "", '<script type="application/ld+json">{"@type": "NewsArticle"}</script>'),
        page("Room 404", "<h1>Room 404</h1>"),
        page("The bridge", "<h2>Page not found</h2><p>The page was not found.</p>"),
        page("The bridge", "<p>404 Not Found</p>"),
        page("The bridge | 4040"),
        page("Lost and not found"),
        page("", "<svg><title>Page not found</title></svg><h1>The bridge</h1>"),
        page("The bridge", "<svg><title>404</title></svg>"),
        page("The bridge", "<!-- <h1>Page not found</h1> -->"),
        page("The bridge", "<script>document.write('<h1>Page not found</h1>')</script>"),
        page(),
        "",
    ],
)
def test_a_page_about_something_else_is_there(content: str) -> None:
    """Articles about such pages, short pages, and words anywhere but where they count."""
    assert rule_of(content) is None


@pytest.mark.parametrize(
    ("rule", "content"),
    [
        ("stated-status", page("A", "", '<meta name="prerender-status-code" content="404">')),
        ("next-not-found", page("A", '<template data-dgst="NEXT_HTTP_ERROR_FALLBACK;404">')),
        (
            "wordpress-404",
            '<html><head><title>A</title></head><body class="x error404 y"><p>A</body></html>',
        ),
        (
            "missing-children-404",
            page(
                "A", '<script src="//qzonestyle.gtimg.cn/qzone/hybrid/app/404/search_children.js">'
            ),
        ),
    ],
)
def test_marks_of_software_count_whatever_the_title(rule: str, content: str) -> None:
    """Each marked rule, in a page that says nothing in words, and in one marked as an article."""
    assert rule_of(content) == rule
    article = content.replace("<head>", '<head><meta property="og:type" content="article">')
    assert rule_of(article) == rule
    assert rule in {each.id for each in MARKED}


@pytest.mark.parametrize(
    "content",
    [
        page("A", "", '<meta name="prerender-status-code" content="200">'),
        page("A", '<template data-dgst="BAILOUT_TO_CLIENT_SIDE_RENDERING"></template>'),
        '<html><head><title>A</title></head><body class="noerror4041"></body></html>',
        page("A", '<p class="error404">A</p><script src="/js/404-tracking.js"></script>'),
    ],
)
def test_marks_like_them_do_not_count(content: str) -> None:
    """Near misses of each marked rule."""
    assert rule_of(content) is None


@pytest.mark.parametrize(
    ("asked", "final", "rule"),
    [
        ("http://a.example/news/2021/doc", "http://a.example/", "led-to-root"),
        ("http://a.example/news/2021/doc", "https://www.a.example", "led-to-root"),
        ("http://a.example/news/2021/doc", "http://a.example/index.html", "led-to-root"),
        ("http://a.example/news/2021/doc", "http://a.example/en/", "led-to-root"),
        ("http://a.example/a-long-name-of-a-notice", "http://a.example/", "led-to-root"),
        ("http://a.example/news/2021/doc", "http://a.example/?p=1", None),
        ("http://a.example/news/2021/doc", "http://b.example/", None),
        ("http://a.example/news/2021/doc", "http://a.example/news/doc", None),
        ("http://a.example/", "http://www.a.example/", None),
        ("http://a.example/en/", "http://a.example/", None),
        ("http://a.example/start", "http://a.example/", None),
        ("http://a.example/index.html", "http://a.example/", None),
        ("http://a.example/x", "http://a.example/404", "led-to-error-page"),
        ("http://a.example/x", "http://a.example/404.html", "led-to-error-page"),
        ("http://a.example/x", "http://a.example/error/404.aspx?p=/x", "led-to-error-page"),
        ("http://a.example/x", "http://a.example/en/page-not-found/", "led-to-error-page"),
        ("http://a.example/x", "http://a.example/NotFound", "led-to-error-page"),
        ("http://a.example/x", "http://a.example/errors/FileNotFound.htm", "led-to-error-page"),
        ("http://a.example/x", "http://a.example/room-404", None),
        ("http://a.example/x", "http://a.example/lost-and-not-found", None),
        ("http://a.example/404", "http://www.a.example/404", None),
        ("http://a.example/404", "http://a.example/404", None),
        ("http://[bad/x/y", "http://a.example/", None),
    ],
)
def test_where_redirects_led_tells(asked: str, final: str, rule: str | None) -> None:
    """From deep in a site to its root, or to an address that names the error."""
    assert rule_of(page("Welcome"), asked=asked, final=final) == rule


@pytest.mark.parametrize(
    "more",
    [
        {"status": 404},
        {"status": 410},
        {"status": 500},
        {"media": "text/plain"},
        {"media": "application/pdf"},
        {"media": "image/svg+xml"},
    ],
)
def test_only_pages_that_claim_success_are_judged(more: dict[str, str | int]) -> None:
    """A 404 says itself what it is, and a text file's first line is no title."""
    said = page("Page not found", "", '<meta http-equiv="refresh" content="0;url=/x">')
    assert rule_of(said, **more) is None


def test_a_page_without_a_media_type_is_read_where_it_looks_like_one() -> None:
    """As browsers sniff."""
    answer = head(media=None)
    for content, rule in ((page("Page not found"), "said-en"), ("Page not found", None)):
        said = notice(answer, content.encode(), asked=URL, final=URL)
        assert said.soft_404 == rule


@pytest.mark.parametrize("mark", [b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"%PDF-1.4\n", b"PK\x03\x04"])
def test_a_picture_declared_as_a_page_is_not_read_as_one(mark: bytes) -> None:
    """Its bytes are no markup, whatever they happen to spell."""
    spelt = page("Page not found", "", '<meta http-equiv="refresh" content="0;url=/x">').encode()
    assert landing(spelt) != Landing()
    assert landing(mark + spelt) == Landing()


# Hostile input

HOSTILE = (
    b"<meta http-equiv=refresh content='" + b"9" * LOOKED_AT,
    b"<meta http-equiv=refresh content='" + b" " * LOOKED_AT + b"'>",
    b"<meta http-equiv=refresh content='0;" + b"url=" * (LOOKED_AT // 4) + b"'>",
    b"<meta http-equiv=refresh content='0;url=\"" + b"x" * LOOKED_AT + b"'>",
    b"<meta http-equiv=refresh content='0;url=x'>" * (LOOKED_AT // 43),
    b"<link rel=canonical href=x>" * (LOOKED_AT // 27),
    b"<base href=x>" * (LOOKED_AT // 13),
    b"<title>" + b"Page not found | " * (LOOKED_AT // 17),
    b"<title>" + b"- " * (LOOKED_AT // 2),
    b"<h1>" * (LOOKED_AT // 4),
    b"<h1>Page not found</h1>" * (LOOKED_AT // 23),
    b"<b>" * (LOOKED_AT // 3),
    b"<b></i>" * (LOOKED_AT // 7),
    b"<a " + b" ".join(b"a%d" % number for number in range(9000)) + b">",
    b"<" * LOOKED_AT,
    b"&#" * (LOOKED_AT // 2),
    b"<!--" * (LOOKED_AT // 4),
    b"<noscript>" * (LOOKED_AT // 10),
    b"<script>" + b'"@type" : "' * (LOOKED_AT // 11),
    b"<body class='" + b"error404" * (LOOKED_AT // 8) + b"'>",
    b"\0" * LOOKED_AT,
    b"\xff" * LOOKED_AT,
    bytes(range(256)) * (LOOKED_AT // 256),
    "\u0301".encode() * (LOOKED_AT // 2),
    ("<title>" + "\ufdfa" * 20000).encode(),
)


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_pages_are_read_to_the_end(content: bytes) -> None:
    """64 KiB of anything are looked at, and no more: what follows changes nothing."""
    looked_at = content[:LOOKED_AT].ljust(LOOKED_AT)
    said = landing(looked_at)
    assert landing(looked_at + b"</script><title>404</title><h1>404</h1>" * 99) == said
    assert set(said.flags) <= {"meta_refresh", "canonical_elsewhere", "soft_404"}


@pytest.mark.parametrize(
    "value",
    [
        "<" * 9000,
        "<>" * 9000,
        "<x>;" * 9000,
        "<x>; a=" + "b" * 90000,
        "<x>" + "; a" * 30000,
        "<x>" + " ;" * 30000,
        '<x>; rel="' + "canonical " * 9000,
        "0" * 90000,
        "0;" + " " * 90000,
    ],
)
def test_hostile_fields_are_read_to_the_end(value: str) -> None:
    """Fields of any length and form."""
    said = landing(b"", f"Link: {value}", f"Refresh: {value}", media="application/pdf")
    assert said.soft_404 is None


PIECES = """<meta |http-equiv=refresh |content='0;url=|<link rel=canonical href=|>|<title>|</title>
<h1>|</h1>|404|Page not found|<base href=|'|<noscript>|<body class=error404>|//|http://|[|]|@|:|#|\\
""".replace("\n", "|").split("|")
MARKUP = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=40).map("".join)


@settings(max_examples=300, deadline=None)
@given(MARKUP, st.text(max_size=30), st.text(max_size=30))
def test_no_markup_and_no_address_is_an_error(markup: str, link: str, final: str) -> None:
    """Whatever comes is a landing, and its addresses are absolute."""
    field = link.encode("utf-8", "replace").decode("latin-1").replace("\n", "").replace("\r", "")
    answer = head(media="text/html")
    fields = (*answer.fields, (b"Link", f"<{field}>; rel=canonical".encode("latin-1")))
    fields = (*fields, (b"Refresh", f"0;url={field}".encode("latin-1")))
    made = ResponseHead(version="1.1", status=200, reason=b"", fields=fields, size=0)
    for last in (URL, final, f"http://a.example/{final}"):
        said = notice(made, markup.encode("utf-8", "replace"), asked=URL, final=last)
        for address in (said.meta_refresh, said.canonical):
            assert address is None or address.startswith(("http://", "https://"))
            assert address is None or (address.isascii() and " " not in address)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600))
def test_no_bytes_are_an_error(raw: bytes) -> None:
    """Whatever the charset."""
    for media in ("text/html", "text/html; charset=utf-16", "text/html; charset=gbk", None):
        landing(raw, media=media)


def test_reading_it_twice_notices_the_same() -> None:
    """Nothing is kept from one page to the next."""
    content = page("Page not found", "", '<meta http-equiv="refresh" content="0;url=/new">')
    first = landing(content)
    landing(page("The bridge"))
    assert landing(content) == first
    assert first.flags == ("meta_refresh", "soft_404")
