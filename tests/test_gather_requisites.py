"""What pages name: each element's addresses, once, in order, whatever the markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree

from provenance.gather.kinds import Kind, Requisite
from provenance.gather.requisites import MAX_TEXT, requisites_of_page

SHARED = Path(__file__).parents[2] / "shared" / "corpora" / "other"
PAGE = "https://news.example/a/page"


def named(source: str, *, xml: bool = False) -> list[str]:
    """Return kind and address of each requisite, the page's directory cut off."""
    found = requisites_of_page(source, url=PAGE, xml=xml).found
    return [f"{'lazy ' * one.lazy}{one.kind} {one.url.removeprefix(PAGE[:-4])}" for one in found]


@pytest.mark.parametrize(
    ("source", "requisites"),
    [
        ("<img src=a>", ["image a"]),
        ("<IMG SRC='a'>", ["image a"]),
        ("<img srcset='a 1x, b 2x' src=c>", ["image a", "image b", "image c"]),
        (
            "<picture><source srcset='a 1x, b 2x'><img src=c></picture>",
            ["image a", "image b", "image c"],
        ),
        ("<input type=IMAGE src=a><input src=b>", ["image a"]),
        ("<image src=a>", ["image a"]),
        ("<body background=a><table><td background=b><p background=c>", ["image a", "image b"]),
        ("<video poster=a src=b></video>", ["image a", "media b"]),
        ("<audio src=a></audio>", ["media a"]),
        ("<video><source src=a><track src=b></video>", ["media a", "media b"]),
        ("<svg><image xlink:href=a /><image href=b /></svg>", ["image a", "image b"]),
        ("<svg><use href=a.svg#x /><use xlink:href='#y'/></svg>", ["image a.svg"]),
        ("<svg><feImage href=a /><rect fill='url(b.svg#x)'/></svg>", ["image a", "image b.svg"]),
        ("<svg><script href=a></script></svg>", ["script a"]),
        ("<link rel=stylesheet href=a>", ["style a"]),
        ("<link rel='alternate  StyleSheet' href=a disabled media=print>", ["style a"]),
        ("<link rel=alternate href=a><link rel=canonical href=b><link href=c>", []),
        ("<style>@import 'a'; p { background: url(b) }</style>", ["style a", "image b"]),
        ("<style type='text/css'>p{mask:url(a)}</style>", ["image a"]),
        ("<style type='text/less'>p{mask:url(a)}</style>", []),
        ("<style>@font-face{src:url(a)}</style>", ["font a"]),
        ("<p style='background: url(&quot;a&quot;)'>", ["image a"]),
        ("<script src=a></script>", ["script a"]),
        ("<link rel=modulepreload href=a>", ["script a"]),
        ("<link rel=preload as=font href=a crossorigin>", ["font a"]),
        ("<link rel=preload as=image imagesrcset='a 1x, b 2x'>", ["image a", "image b"]),
        ("<link rel=preload as=fetch href=a><link rel=preload href=b>", ["other a", "other b"]),
        (
            "<link rel='shortcut icon' href=a><link rel=apple-touch-icon href=b>",
            ["icon a", "icon b"],
        ),
        ("<link rel=manifest href=a>", ["manifest a"]),
        ("<link rel=prefetch href=a><link rel=dns-prefetch href=//b>", []),
        ("<iframe src=a></iframe>", ["frame a"]),
        ("<frameset><frame src=a><frame src=b></frameset>", ["frame a", "frame b"]),
        ("<object data=a><embed src=b></object>", ["frame a", "frame b"]),
        ("<iframe srcdoc='<img src=a>' src=b></iframe>", ["image a", "frame b"]),
        ("<noscript><img src=a></noscript>", ["image a"]),
        ("<head><noscript><link rel=stylesheet href=a></noscript>", ["style a"]),
        ("<template><img src=a></template>", ["image a"]),
        ("<img data-src=a>", ["lazy image a"]),
        ("<img data-srcset='a 1x, b 2x'>", ["lazy image a", "lazy image b"]),
        ("<iframe data-src=a></iframe>", ["lazy frame a"]),
        ("<video data-poster=a><source data-src=b></video>", ["lazy image a", "lazy media b"]),
        ("<div data-src=a>", []),
        ("<img src=a loading=lazy>", ["image a"]),
        ("<a href=a>x</a><area href=b><form action=c>", []),
        ("<!-- <img src=a> --><!--[if IE]><img src=b><![endif]-->", []),
        ("<script>'<img src=a>'</script><textarea><img src=b></textarea>", []),
        ("<title><img src=a></title><xmp><img src=b></xmp>", []),
        ("<img src='data:image/gif;base64,R0'><script src='javascript:1'></script>", []),
        ("<img src=''><img src='#x'><img src=page><img>", []),
        ("<img src=a src=b>", ["image a"]),
        ("<img src=a", []),
        ("\0<img src=a>\0<img src=b>", ["image a", "image b"]),
        ("<img src=/x>", ["image https://news.example/x"]),
        ("<img src=&#97;&amp;b>", ["image a&b"]),
        ("", []),
    ],
)
def test_a_page_names(source: str, requisites: list[str]) -> None:
    """Each element names what browsers load for it, and nothing else is named."""
    assert named(source) == requisites


def test_each_address_is_listed_once_in_document_order() -> None:
    """The first place and kind count; the fragment tells no two addresses apart."""
    source = "<img src=b><img src=a><link rel=icon href=b><svg><use href=a#x /></svg><img src=c>"
    assert named(source) == ["image b", "image a", "image c"]


def test_what_the_page_itself_loads_is_not_lazy() -> None:
    """An address that stands in a lazy attribute and also in a real one is a real one."""
    source = "<img src=dot data-src=a><noscript><img src=a></noscript><img data-src=dot>"
    assert requisites_of_page(source, url=PAGE).found == (
        Requisite(url=PAGE[:-4] + "dot", kind=Kind.IMAGE),
        Requisite(url=PAGE[:-4] + "a", kind=Kind.IMAGE),
    )


def test_the_first_base_element_counts_from_where_it_stands() -> None:
    """A second base, and one that is no web address, changes nothing."""
    source = "<base><base href=/d/><img src=a><base href=/e/><img src=b><style>p{mask:url(c)}"
    assert named(source) == [f"image https://news.example/d/{name}" for name in "abc"]
    assert named("<base href='data:x'><img src=a>") == ["image a"]
    assert named("<img src=a><base href=b/><img src=a>") == ["image a", "image b/a"]


def test_a_page_inside_an_attribute_keeps_its_base_to_itself() -> None:
    """A srcdoc starts with the outer base; what it sets ends with it; nesting has an end."""
    inner = "<base href=/in/><img src=a>"
    assert named(f"<base href=/d/><iframe srcdoc='{inner}'></iframe><img src=b>") == [
        "image https://news.example/in/a",
        "image https://news.example/d/b",
    ]
    nested = "<img src=a>"
    for _ in range(9):
        nested = f'<iframe srcdoc="{nested.replace("&", "&amp;").replace(chr(34), "&quot;")}">'
    assert named(nested) == []


def test_xhtml_and_svg_are_read_as_xml() -> None:
    """Empty elements, CDATA, prefixes and the style sheet instruction count as XML has them."""
    source = (
        "<?xml-stylesheet type='text/css' href='s.css'?>"
        "<x:html xmlns:x='http://www.w3.org/1999/xhtml'><x:script src='a'/><x:img src='b'/>"
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:l='http://www.w3.org/1999/xlink'>"
        "<style><![CDATA[p > q { mask: url(c) }]]></style><use l:href='d.svg#e'/></svg></x:html>"
    )
    assert named(source, xml=True) == [
        "style s.css",
        "script a",
        "image b",
        "image c",
        "image d.svg",
    ]


def test_xml_that_is_not_well_formed_is_read_as_html() -> None:
    """A page that calls itself XHTML and is none loses nothing."""
    assert named("<p><img src=a><br>&nbsp;<img src=b>", xml=True) == ["image a", "image b"]


def test_no_entity_of_a_page_is_expanded() -> None:
    """Entities that a document declares, however many fold into each other, stay as they are."""
    folds = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    source = f'<!DOCTYPE x [<!ENTITY e0 "a">{folds}]><x><img src="b"/><img src="&e9;"/></x>'
    assert named(source, xml=True)[0] == "image b"
    assert all(len(each) < 20 for each in named(source, xml=True))


@pytest.mark.parametrize("kind", ["distinct", "unresolvable"])
def test_the_number_is_bounded_and_said(kind: str) -> None:
    """No more than `limit` addresses are listed, and no endless row of others is looked at."""
    scheme = "/" if kind == "distinct" else "javascript:"
    page = "".join(f"<img src={scheme}{number}>" for number in range(2000))
    found = requisites_of_page(page, url=PAGE, limit=10)
    assert found.limit_reached
    assert len(found.found) == (10 if kind == "distinct" else 0)
    assert not requisites_of_page(page, url=PAGE, limit=2000).limit_reached


def test_a_limit_that_is_just_enough_is_not_reached() -> None:
    """Repeated addresses and the last one that fits are no excess."""
    page = "<img src=a><img src=b><img src=a>"
    assert not requisites_of_page(page, url=PAGE, limit=2).limit_reached
    assert requisites_of_page(page, url=PAGE, limit=1).limit_reached


def test_a_text_beyond_the_bound_says_so() -> None:
    """What is longer than is read counts as more than is listed."""
    assert requisites_of_page("<img src=a>" + " " * MAX_TEXT, url=PAGE).limit_reached


HOSTILE = {
    "elements": "<div>" * 200_000,
    "tables": "<table>" * 200_000,
    "formatting": "<b><p>" * 200_000,
    "attributes": "<img " + " ".join(f"a{number}" for number in range(200_000)) + ">",
    "lower than": "<" * 1_000_000,
    "ampersands": "<img src='" + "&" * 300_000,
    "comments": "<!--" * 200_000,
    "styles": "<style>" * 200_000,
    "style attributes": "<p style='mask:url(about:)'>" * 100_000,
    "candidates": "<img srcset='" + "a 1x, " * 200_000 + "'>",
    "pages in attributes": "<iframe srcdoc='<p>'></iframe>" * 20_000,
    "bases": "<base href=/a/>" * 100_000,
    "nothing": "\0" * 100_000,
    "surrogates": "<img src='\ud800'><style>\udfff p{mask:url(\\dfff)}",
}


@pytest.mark.parametrize("xml", [False, True], ids=["html", "xml"])
@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_markup_is_read_to_its_end(source: str, xml: bool) -> None:
    """Depth, breadth and unfinished markup raise nothing."""
    assert len(requisites_of_page(source + "<img src=a>", url=PAGE, xml=xml).found) <= 2


WORDS = (
    "<img <svg> </svg> <style> </style> <base <iframe <!-- --> > src= srcset= srcdoc= href= "
    "style= ' \" url(a) a / \0 é <?xml-stylesheet ?> <![CDATA[ ]]> &quot; <script> </script>"
)
PIECES = st.sampled_from([" ", *WORDS.split(" ")])


@given(st.lists(PIECES, max_size=30).map("".join), st.booleans())
def test_any_markup_is_read(source: str, xml: bool) -> None:
    """For any text nothing is raised, and no address comes twice."""
    found = requisites_of_page(source, url=PAGE, xml=xml).found
    assert len({one.url for one in found}) == len(found)


STANDARD_TREES = sorted((SHARED / "html5lib-tests" / "tree-construction").glob("*.dat"))


@pytest.mark.shared
@pytest.mark.skipif(not STANDARD_TREES, reason="no shared corpora beside the checkout")
@pytest.mark.parametrize("file", STANDARD_TREES, ids=lambda path: path.stem)
def test_an_image_is_found_where_the_standards_tree_has_one(file: Path) -> None:
    """Images put before every tag of the html5lib tests are found as an HTML5 parser finds them.

    The parser keeps what stands in a template out of its tree; here it counts.
    """
    for case in file.read_text("utf-8").split("#data\n")[1:]:
        if "#document-fragment" in case or "<template" in case:
            continue
        source = case.split("\n#errors")[0]
        probed = re.sub("<|\\Z", lambda at: f'<img src="/{at.start()}">{at[0]}', source)
        tree = HTMLTree.parse(probed).document
        images = tree.query_selector_all("img[src^='/']") if tree else ()
        wanted = {image["src"] for image in images}
        found = {
            one.url.removeprefix("https://news.example")
            for one in requisites_of_page(probed, url=PAGE).found
            if re.search(r"/\d+\Z", one.url)
        }
        assert found == {each for each in wanted if re.fullmatch(r"/\d+", each)}, probed
