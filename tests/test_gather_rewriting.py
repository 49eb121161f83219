"""Addresses of pictures and style sheets are replaced where they stand, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.gather import Kind
from provenance.gather.page_rewriting import rewritten_page
from provenance.gather.requisites import requisites_of_page
from provenance.gather.sheet_rewriting import rewritten_sheet
from provenance.uri import web_address

BASE = "https://example.org/a/"
DEMO = Path(__file__).parents[1] / "src" / "provenance" / "demo" / "pages"

MARKUP = st.lists(
    st.sampled_from(
        [
            *"<>/='\" -!ab\n\\;{})é\0",
            *("<img src=a>", "<img ", "srcset=", "data-src=a", "style=", "integrity=x"),
            *("<link rel=stylesheet href=", "@import ", "url(", "<style>", "</style>"),
            *("<!--", "-->", "/*", "*/", "<script>", "</script>", "<title>", "<svg>", "&amp;"),
            *("image-set(", "(", ")", "'a' 1x"),
            *("<base href=/x/>", "<meta http-equiv=content-security-policy content=x>"),
        ]
    ),
    max_size=40,
).map("".join)


def put(text: str, *, held: bool = True, xml: bool = False) -> str:
    """Return a page in which every address stands after its kind, in brackets."""

    def shown(reference: str, kind: Kind, base: str) -> str | None:
        return f"[{kind}:{reference}]" if held else None

    return rewritten_page(text, url=BASE, put=shown, held=lambda *_: held, xml=xml)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<img src=a.png>", '<img src="[image:a.png]">'),
        ("<IMG\n SRC = 'a.png'  alt>", '<IMG\n SRC = "[image:a.png]"  alt>'),
        ('<img src="a.png?b&amp;c"/>', '<img src="[image:a.png?b&c]"/>'),
        ("<img src=a.png/>", '<img src="[image:a.png/]">'),
        ("<input type=image src=a>", '<input type=image src="[image:a]">'),
        ("<input type=text src=a>", "<input type=text src=a>"),
        ("<video poster=a src=b>", '<video poster="[image:a]" src=b>'),
        ("<td background=a>", '<td background="[image:a]">'),
        ("<svg><image href=a /></svg>", '<svg><image href="[image:a]" /></svg>'),
        ("<svg><image xlink:href=a /></svg>", '<svg><image xlink:href="[image:a]" /></svg>'),
        (
            "<p style='background:image-set(\"a\" 1x)'>",
            '<p style="background:image-set(url(&quot;[image:a]&quot;) 1x)">',
        ),
        ("<link rel=stylesheet href=a>", '<link rel=stylesheet href="[style:a]">'),
        (
            "<link href=a integrity=sha256-x rel='alternate StyleSheet' media=print>",
            '<link href="[style:a]" integrity="" rel=\'alternate StyleSheet\' media=print>',
        ),
        ("<p style='background:url(a)'>", '<p style="background:url(&quot;[image:a]&quot;)">'),
        ("<style>a{b:url(c)}</style>", '<style>a{b:url("[image:c]")}</style>'),
        ("<style>@import 'c';</STYLE >", '<style>@import url("[style:c]");</STYLE >'),
        ("<noscript><img src=a></noscript>", '<noscript><img src="[image:a]"></noscript>'),
        ("<img src=a><img src=b>", '<img src="[image:a]"><img src="[image:b]">'),
    ],
)
def test_an_address_is_replaced_where_it_stands(before: str, after: str) -> None:
    """Tags, order, quotes and case of all else stay as they were written."""
    assert put(before) == after
    assert put(before, held=False) == before


@pytest.mark.parametrize(
    "text",
    [
        "<!-- <img src=a> -->",
        "<!--><a>--><p>",
        "<script>'<img src=a>'</script>",
        "<script src=a></script>",
        "<title><img src=a></title>",
        "<textarea><img src=a></textarea>",
        "<plaintext><img src=a></plaintext><img src=b>",
        "<iframe src=a srcdoc='<img src=b>'></iframe>",
        "<iframe><img src=a></iframe>",
        "<object data=a></object><embed src=a><frame src=a>",
        "<audio src=a></audio><source src=a><track src=a>",
        "<svg><use href=a /><feImage href=a /></svg>",
        "<link rel=icon href=a><link rel=preload as=style href=a><link rel=manifest href=a>",
        "<link rel=preload as=image href=a imagesrcset=b>",
        "<a href=a>",
        "</img src=a>",
        "< img src=a>",
        '<p title="<img src=a>">',
        '<img alt="<img src=a',
        "<img src='a",
        "<img src=a",
        "<img alt= src=",
    ],
)
def test_what_is_not_shown_stays(text: str) -> None:
    """Comments, scripts, frames, sound, what is no tag, and what nothing ends."""
    assert put(text) == text


def test_what_the_policy_of_a_page_forbade_is_about_other_addresses() -> None:
    """Its own policy would keep out what is put in; ours is a header."""
    text = '<meta http-equiv="Content-Security-Policy" content="img-src \'self\'"><img src=a>'
    assert 'http-equiv="left-out"' in put(text)
    assert put("<meta http-equiv=refresh content=1>") == "<meta http-equiv=refresh content=1>"


@pytest.mark.parametrize(
    ("srcset", "chosen"),
    [
        ("a 400w, b 1200w, c 4000w", "[image:b] 1200w"),
        ("a 400w, b 800w", "[image:b] 800w"),
        ("a, b 2x, c 3x", "[image:a]"),
        ("a 0.5x, b 3x", "[image:b] 3x"),
        ("a,b 1x", "[image:a,b] 1x"),
    ],
)
def test_of_a_set_of_images_one_is_kept(srcset: str, chosen: str) -> None:
    """The smallest that suits a common screen, with its descriptor; `src` is for others then."""
    assert put(f'<img srcset="{srcset}">') == f'<img srcset="{chosen}">'
    both = put(f'<img src="x" srcset="{srcset}">')
    assert both == f'<img src="x" srcset="{chosen}">'


def test_of_a_set_of_images_one_that_is_held_is_kept() -> None:
    """What suits best and is not held is of no use."""
    text = '<img src="x" srcset="a 400w, b 1200w">'
    new = rewritten_page(
        text,
        url=BASE,
        put=lambda old, kind, base: old.upper(),
        held=lambda old, base: old == "a",
    )
    assert new == '<img src="x" srcset="A 400w">'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<img data-src=a>", '<img data-src="" src="[image:a]">'),
        ("<img src=x data-src=a>", '<img src="[image:a]" data-src=a>'),
        (
            "<img src=x data-srcset='a 2x'>",
            '<img src="[image:x]" data-srcset="" srcset="[image:a] 2x">',
        ),
        ("<iframe data-src=a></iframe>", "<iframe data-src=a></iframe>"),
    ],
)
def test_what_a_script_would_load_late_is_loaded(before: str, after: str) -> None:
    """There are no scripts, so that the picture would never come."""
    assert put(before) == after
    assert put(before, held=False) == before


def test_addresses_are_relative_to_the_first_base() -> None:
    """As browsers do, wherever it stands, and through to style sheets."""
    seen: list[str | None] = []

    def note(reference: str, kind: Kind, base: str) -> None:
        seen.append(web_address(reference, base=base))

    text = (
        "<img src=a><base href=/b/><base href=/c/><img src=a><p style='x:url(a)'>"
        "<style>@import 'a'</style>"
    )
    rewritten_page(text, url=BASE, put=note, held=lambda *_: True)
    assert seen == ["https://example.org/a/a", *["https://example.org/b/a"] * 3]


def test_xhtml_has_empty_elements_and_prefixes() -> None:
    """What would hide the rest of an HTML page ends at once in an XHTML page."""
    text = '<h:title/><script src="a"/><h:img src="a"/><style/><img src="b"/>'
    made = '<h:title/><script src="a"/><h:img src="[image:a]"/><style/><img src="[image:b]"/>'
    assert put(text, xml=True) == made


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a{b:url(c.png)}", 'a{b:url("[image:c.png]")}'),
        ("a{b:URL( 'c' )}", 'a{b:url("[image:c]")}'),
        ('a{b:url("c\\"d\\29 e")}', 'a{b:url("[image:c"d)e]")}'),
        ("a{b:url(c\\)d)}", 'a{b:url("[image:c)d]")}'),
        ("@import 'c' print;", '@import url("[style:c]") print;'),
        ("@import url(c);", '@import url("[style:c]");'),
        (
            "a{b:image-set('c' 1x, \"d\" 2x type('image/png'),url(e)3x),'f';g:url(h)}",
            'a{b:image-set(url("[image:c]") 1x, url("[image:d]") 2x type(\'image/png\'),'
            'url("[image:e]")3x),\'f\';g:url("[image:h]")}',
        ),
        (
            "a{b:-WEBKIT-Image-Set(/* ' */ 'c' 1x}e{content:'f'}",
            "a{b:-WEBKIT-Image-Set(/* ' */ url(\"[image:c]\") 1x}e{content:'f'}",
        ),
        ("a{b:url(c) format('d'),url(e)}", 'a{b:url("[image:c]") format(\'d\'),url("[image:e]")}'),
    ],
)
def test_addresses_of_a_style_sheet_are_replaced(before: str, after: str) -> None:
    """In every form in which they are written, escapes undone."""
    assert rewritten_sheet(before, lambda old, kind: f"[{kind}:{old}]") == after


@pytest.mark.parametrize(
    "text",
    [
        "/* url(a) */",
        "a{content:'url(a)'}",
        "a{b:my-url(c)}",
        "a{b:my-image-set('c' 1x)}",
        "a{b:image-set(image('c') 1x, linear-gradient(rgb(0 0 0), red) 2x) 'd'}",
        "a{b:image-set(}c{content:'d'}",
        "@namespace url(http://www.w3.org/1999/xhtml);",
        "a{b:url(c d)}",
        "a{b:url(c",
        "a{b:url('c)}",
        "a\\{url",
        "/* url(a)",
    ],
)
def test_what_is_no_address_in_a_style_sheet_stays(text: str) -> None:
    """Comments, strings, other functions, namespaces, and what is broken."""
    assert rewritten_sheet(text, lambda old, kind: f"[{kind}:{old}]") == text


@given(MARKUP)
def test_where_nothing_is_held_nothing_changes(text: str) -> None:
    """But for a policy of its own, a page without parts is the page."""
    plain = re.sub("content-security-policy", "x", text)
    assert put(plain, held=False) == plain
    assert rewritten_sheet(text, lambda old, kind: None) == text


@given(MARKUP)
def test_what_is_put_in_stands_in_quotes(text: str) -> None:
    """No text makes what is put in stand as markup, or twice in one place."""
    made = put(text)
    for place in re.finditer(r"\[(?:image|style):", made):
        before = made[: place.start()]
        assert before.endswith(('"', "&quot;")), made


@given(st.integers(1, 4))
def test_the_work_grows_with_the_text(size: int) -> None:
    """What could be gone through again and again is gone through once, held or not."""
    many = size * 40_000
    for text in (
        "<" * many,
        "<a " * many,
        "<a b='" * many,
        "<!-- " * many,
        "<title>" * many,
        "<style>url(" + "url(" * many,
        "<style>" + "'" * many,
        "<style>" + '"\n' * many,
        "<style>" + "/*" * many,
        "<style>" + "(" * many,
        "<style>" + "a" * many + "(",
        "<style>" + "image-set('a'" * many,
        "<img srcset='" + "a," * many + "'>",
        "<img srcset='a " + "9" * many + "'>",
        "<img srcset='a " + "1x" * many + "'>",
        "<p style='" + "url(a)" * many + "'>",
    ):
        assert len(put(text, held=False)) == len(text)
        assert put(text)


@pytest.mark.parametrize("page", sorted(DEMO.glob("*.html")), ids=lambda path: path.name)
def test_nothing_is_put_in_that_a_fetch_does_not_ask_for(page: Path) -> None:
    """The pages of the demo: each address is one that its requisites list."""
    text = page.read_text("utf-8")
    listed = {each.url for each in requisites_of_page(text, url=BASE).found}
    seen: set[str | None] = set()

    def note(reference: str, kind: Kind, base: str) -> None:
        seen.add(web_address(reference, base=base))

    rewritten_page(text, url=BASE, put=note, held=lambda *_: True)
    assert seen - {None} <= listed
