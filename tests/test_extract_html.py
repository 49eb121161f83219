"""Text, metadata and links out of HTML and XML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.extract import Derivative, Hyperlink, extract, text_id

SHARED = Path(__file__).parents[2] / "shared" / "corpora" / "other"


def html(source: str | bytes, base_url: str | None = "https://news.example/a/b") -> Derivative:
    """Extract from HTML in UTF-8."""
    raw = source if isinstance(source, bytes) else source.encode("utf-8")
    return extract(raw, media_type="text/html; charset=utf-8", base_url=base_url)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>one<p>two", "one\ntwo"),
        ("one<br>two<hr>three", "one\ntwo\nthree"),
        ("un<b>bold</b>ly <i>said</i>", "unboldly said"),
        ("<ul><li>a<li>b</ul>c", "a\nb\nc"),
        ("<table><tr><th>a<th>b<tr><td>1<td>2</table>", "a\tb\n1\t2"),
        ("a<img alt=no>b<button>c</button><button>d</button>", "a b c d"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("<textarea>kept\nlines</textarea>", "kept\nlines"),
        ("<select><option>a<option>b</select>", "a\nb"),
        ("caf&eacute; &#x6A4B; &lt;b&gt; &amp;amp; &notit;", "café 橋 <b> &amp; ¬it;"),
        ("bri&shy;dge bri&#8203;dge bri<wbr>dge", "bridge bridge bridge"),
        ("a&nbsp;b\u3000c", "a b c"),
        ("<noscript>shown</noscript>", "shown"),
        ("<details><summary>s</summary>folded</details>", "s\nfolded"),
        ("<p hidden>toggled</p><p style='display:none'>too", "toggled\ntoo"),
        ("a<!-- no -->b<!--[if IE]>no<![endif]-->c", "abc"),
        ("a<script>no</script>b<style>no</style>c<template><p>no</template>d", "abcd"),
        ("a<iframe>no</iframe>b<video>no<p>no</video>c<noembed>no</noembed>d", "a b cd"),
        ("<div><video>no</div>yes", "yes"),
        ("<ruby>橋<rp>(<rt>hashi<rp>)</ruby>", "橋( hashi)"),
        ("<svg><title>no</title><desc>no</desc><text>yes</text></svg>", "yes"),
        ("<math><mi>x</mi><annotation>no</annotation></math>", "x"),
        ("<input type=hidden value=no><input value=no>a", "a"),
        ("a\0b", "ab"),
        ("<p>cut off <b>in the midd", "cut off in the midd"),
        ("<p>cut <a href='http://x.exam", "cut"),
        ("</div></p>stray", "stray"),
        ("no markup at all", "no markup at all"),
    ],
)
def test_the_text_is_what_a_reader_sees(source: str, text: str) -> None:
    """Blocks give lines, cells give tabs, and what is never shown is left out."""
    assert html(source).text == text


def test_a_chinese_statement_in_gb18030() -> None:
    """A page that declares gb2312 and uses a character beyond it is read whole."""
    source = "<meta charset=gb2312><title>声明</title><p>港口\n大桥将于㐂年关闭。"
    found = extract(source.encode("gb18030"), media_type="text/html")
    assert (found.title, found.text, found.charset) == ("声明", "港口大桥将于㐂年关闭。", "gbk")


@pytest.mark.parametrize(
    "source",
    [
        '<p class="a" id=b>The <b>bridge</b> is open.</p><p>It is.</p>',
        "<p>The <b>bridge</b> is open.</p>\n\n   <p>It is.</p>\n",
        "<p>The\n<b\n>bridge</b>\tis   open.<!-- x --></p><script>y()</script><p>It is.",
        "<!doctype html><html lang=en><head><title>t</title><meta name=author content=x></head>"
        "<body onload=x()><div><div>The <em style='x'>bridge</em> is&#32;open.</div></div>"
        "<section>It is.</section><noscript></noscript></body></html>",
    ],
)
def test_markup_does_not_enter_the_text_id(source: str) -> None:
    """Attributes, comments, scripts, metadata and white space of the source change no text id."""
    plain = html("<p>The <b>bridge</b> is open.</p><p>It is.</p>")
    assert text_id(html(source)) == text_id(plain)
    assert html(source).text == "The bridge is open.\nIt is."


def test_another_word_is_another_text_id() -> None:
    """The text id names the text."""
    assert text_id(html("<p>open")) != text_id(html("<p>shut"))


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("<title>The\n page &amp; more</title><h1>h</h1>", "The page & more"),
        ("<meta property=og:title content=' og '><h1>h</h1>", "og"),
        ("<title> </title><h1>The <i>first</i><br>heading</h1><h1>other</h1>", "The first heading"),
        ("<svg><title>tooltip</title></svg><p>x", None),
        ("<title>one</title><title>two</title>", "one"),
    ],
)
def test_the_title_is_the_first_that_is_given(source: str, title: str | None) -> None:
    """The title element, else metadata, else the first heading."""
    assert html(source).title == title


@pytest.mark.parametrize(
    ("meta", "author", "published"),
    [
        ("<meta name=author content='A. Writer'>", "A. Writer", None),
        (
            "<meta name=citation_author content=One><meta name=citation_author content=Two>"
            "<meta name=citation_publication_date content=2021/3/5>",
            "One; Two",
            "2021-03-05",
        ),
        (
            "<meta property=article:author content=https://x.example/me>"
            "<meta property=article:published_time content=2021-02-22T23:30:00+01:00>",
            None,
            "2021-02-22",
        ),
        ("<meta name=PubDate content='2021-03-25 10:30'>", None, "2021-03-25"),
        ("<meta name=DC.Date content=20210325>", None, "2021-03-25"),
        ("<meta name=date content=2021>", None, "2021"),
        ("<meta name=date content=2021-13-01>", None, None),
        ("<meta name=date content='22 March 2021'>", None, None),
        ("<p>By A. Writer, 2021-02-22", None, None),
    ],
)
def test_author_and_date_come_from_metadata_alone(
    meta: str, author: str | None, published: str | None
) -> None:
    """Only what the document declares in its metadata is taken, and only a date that is one."""
    found = html(f"<head>{meta}</head>x")
    assert (found.author, found.published) == (author, published)


@pytest.mark.parametrize(
    ("source", "language"),
    [
        ("<html lang=zh-Hans><p>x", "zh-Hans"),
        ("<meta http-equiv=Content-Language content=de><p>x", "de"),
        ("<html lang='not a tag!'><p>x", None),
        ("<p>x", None),
    ],
)
def test_the_language_is_the_declared_one(source: str, language: str | None) -> None:
    """A well-formed language tag is kept as declared."""
    assert html(source).language == language


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("/x?y=1#z", "https://news.example/x?y=1"),
        ("c", "https://news.example/a/c"),
        ("//other.example", "https://other.example/"),
        ("HTTP://Other.Example/A", "http://other.example/A"),
        (" \n/x\t", "https://news.example/x"),
        ("http://user:secret@h.example/x", "http://h.example/x"),
        ("/报告.pdf", "https://news.example/报告.pdf"),
        ("#part", None),
        ("javascript:alert(1)", None),
        ("mailto:a@b.example", None),
        ("http://", None),
        ("http://[::1/x", None),
        ("/a\u0000b\u001b", None),
        ("http://a b/", None),
        ("/" + "x" * 5000, None),
    ],
)
def test_a_link_is_an_absolute_web_address_or_none(href: str, url: str | None) -> None:
    """Links are resolved, lose fragment and user name, and are refused where they lead nowhere."""
    escaped = "".join(f"&#{ord(char)};" for char in href)
    found = [link.url for link in html(f'<a href="{escaped}">t</a>').links]
    if "\0" in href:
        assert all("\x1b" not in one for one in found)
    else:
        assert found == ([url] if url else [])


def test_links_carry_their_label_once() -> None:
    """Same address and label are one link; other labels are kept, in the order of the source."""
    found = html("<a href=/x> the <b>report</b> </a><a href=/x>the report</a><a href=/x>page 2</a>")
    assert found.links == (
        Hyperlink(url="https://news.example/x", label="the report"),
        Hyperlink(url="https://news.example/x", label="page 2"),
    )


def test_a_base_element_moves_relative_links() -> None:
    """The first base element counts; without any base a relative link is none."""
    source = "<base href=/docs/><base href=/no/><a href=x>t</a>"
    assert html(source).links[0].url == "https://news.example/docs/x"
    assert html("<a href=x>t</a>", base_url=None).links == ()


def test_a_label_is_bounded() -> None:
    """A link that is never closed has a label of at most 200 characters."""
    assert len(html("<a href=/x>" + "word " * 500).links[0].label) <= 200


@pytest.mark.parametrize("element", ["div", "b", "a href=/x", "table", "select", "template", "svg"])
def test_deep_nesting_is_read(element: str) -> None:
    """A hundred thousand open elements cost no more than their length."""
    found = html(f"<p>before<{element}>" + f"<{element}>" * 100_000 + "after")
    assert found.text.startswith("before")


def test_xhtml_is_read_as_xml_and_broken_xhtml_as_html() -> None:
    """An empty script element ends where XML says; what is no XML is read as a browser's HTML."""
    head = (
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><script src="x"/><title>t</title></head>'
    )
    good = extract(f"{head}<body><p>seen</p></body></html>".encode(), media_type="text/xml")
    assert (good.title, good.text) == ("t", "seen")
    broken = extract(b"<html><p>seen &nbsp;<br>too", media_type="application/xhtml+xml")
    assert broken.text == "seen\ntoo"
    # HTML has names for letters that XML has not, and knows that a row ends a row.
    broken = extract(b"<html><p>caf&eacute;<p>two", media_type="application/xhtml+xml")
    assert broken.text == "caf\u00e9\ntwo"


@pytest.mark.parametrize(
    "fault", ["<p>one</div>two", "<p a='1' a='2'>one", "<p>a & b</p>", "<p>one</p>", "\x01"]
)
def test_xhtml_with_any_fault_is_read_as_html(fault: str) -> None:
    """Wherever the fault stands: the text is that of the same bytes under text/html."""
    raw = f"<html><body>before {fault} after &eacute;".encode()
    as_xml = extract(raw, media_type="application/xhtml+xml")
    assert as_xml.text == extract(raw, media_type="text/html").text
    assert as_xml.text.endswith("\u00e9")


@pytest.mark.parametrize(
    "doctype", ["", '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "x.dtd">']
)
def test_letters_named_in_xhtml_are_read(doctype: str) -> None:
    """As browsers read them; not in a comment or where no reference is, and none makes markup."""
    page = (
        f'{doctype}<html xmlns="http://www.w3.org/1999/xhtml"><head><script src="x"/></head><body>'
        "<p>caf&eacute;&nbsp;&amp;eacute; &lt;b&gt; &nvlt;<![CDATA[&eacute;]]><!-- &eacute; -->"
        "</p></body></html>"
    )
    found = extract(page.encode(), media_type="application/xhtml+xml")
    assert found.text == "caf\u00e9 &eacute; <b> <\u20d2&eacute;"
    hostile = page.replace("<p>", "<p>" + "<!--<![CDATA[" * 200_000)
    assert extract(hostile.encode(), media_type="application/xhtml+xml").text == ""
    own = '<!DOCTYPE html [<!ENTITY eacute "E">]><html><body>caf&eacute;</body></html>'
    assert extract(own.encode(), media_type="application/xhtml+xml").text == "cafE"


def test_any_other_xml_gives_a_line_for_each_element() -> None:
    """A feed's titles and descriptions are its text; no entity is resolved from elsewhere."""
    source = (
        b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b"<rss><channel><title>News</title><item><title>One</title>&x;"
        b"<description>Two &amp; <![CDATA[three]]></description></item></channel></rss>"
    )
    found = extract(source, media_type="application/rss+xml")
    assert (found.title, found.text) == ("News", "News\nOne\nTwo & three")


def test_what_is_no_xml_has_a_fault() -> None:
    """XML that yields nothing says so."""
    assert extract(b"<\x01", media_type="application/xml").fault == "broken_xml"


MARKUP = """<p> </p> <a href=/x> </a> <table> <td> </table> <script> </script> <!-- --> <svg> </svg>
    <title> </title> <pre> </pre> <h1> </h1> <template> </template> <br> &amp; &#0; &#xd800;
    <base href=//b> <meta name=author content=x> 中 \u200b \n \0 < > ' " word"""
FRAGMENTS = st.sampled_from(MARKUP.split(" "))


@given(st.lists(FRAGMENTS | st.text(max_size=4), max_size=30))
def test_any_markup_gives_a_clean_text(parts: list[str]) -> None:
    """No markup raises, and the text is one that folds and encodes."""
    found = html("".join(parts).encode("utf-8", "replace"))
    assert re.search("[\0-\x08\x0b-\x1f\u200b\ud800-\udfff]|\n\n|  ", found.text) is None
    for link in found.links:
        assert re.match(r"https?://[^/\s]+/", link.url)
    assert (found.fault is None) == bool(found.text)


def tree_cases() -> list[tuple[str, list[str]]]:
    """Read (markup, text nodes outside what is never shown) out of the html5lib tests."""
    never = re.compile(
        r"(svg |math )?(script|style|template|title|iframe|noframes|noembed|desc|datalist)\Z"
    )
    found = []
    for path in sorted((SHARED / "html5lib-tests" / "tree-construction").glob("*.dat")):
        for case in path.read_text("utf-8").split("#data\n")[1:]:
            source, _, rest = case.partition("#errors")
            source = source.removesuffix("\n")
            if "#document-fragment" in rest or "#script-on" in rest:
                continue
            open_names: list[str] = []
            texts = []
            for line in re.finditer(r'^\| ( *)(?:"([^"]*)"|<([^>]*)>)$', rest, re.MULTILINE):
                depth = len(line[1]) // 2
                open_names = [*open_names[:depth], *[""] * (depth - len(open_names))]
                if line[2] is None:
                    open_names.append(line[3])
                elif not any(never.match(name) for name in open_names):
                    texts.append(line[2])
            found.append((source, texts))
    return found


@pytest.mark.shared
def test_html5lib_trees_hold_the_same_text() -> None:
    """Every visible character of the standard's tree is in the text, and no other.

    Left out: CDATA in drawings, frame sets and plaintext, which the streaming parser reads in
    another way; controls, which are dropped; text that a table moves elsewhere keeps its letters.
    """
    if not (SHARED / "html5lib-tests").is_dir():
        pytest.skip("the shared corpora are not beside the checkout")
    compared = 0
    for source, texts in tree_cases():
        if re.search("CDATA|frameset|plaintext|&#x00|\0|foreignObject", source) or not source:
            continue
        expected = sorted(re.sub(r"\s", "", "".join(texts)))
        assert sorted(re.sub(r"\s", "", html(source).text)) == expected, source
        compared += 1
    assert compared > 500
