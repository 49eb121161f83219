"""What CSS names: addresses in declarations, imports and fonts; nothing that no browser loads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.gather.css import MAX_READ, MAX_STATEMENT, StyleReader, charset_rule
from provenance.gather.kinds import Kind
from provenance.gather.requisites import requisites_of_sheet


def named(css: str) -> list[tuple[str, str]]:
    return [(str(each.kind), each.reference) for each in StyleReader().references(css)]


@pytest.mark.parametrize(
    ("css", "references"),
    [
        ("a { background: url(x) }", ["x"]),
        ("a { background: URL( 'x' ) , url(\"y\")", ["x", "y"]),
        ("color: red; background: url(x y); mask: url(z)", ["z"]),
        ("a { background: url(x\\)y) }", ["x)y"]),
        (r"a { background: u\72 l(e\29 f) }", ["e)f"]),
        ("a { background: url(data:a;b}c), url(x) }", ["x"]),
        ("a { background: url( 'data:a,b(c)' ), URL(DATA:x), url(\"data:y'\" ), url(x) }", ["x"]),
        ('a { background: url("a;b}c") } b { mask: url(d) }', ["a;b}c", "d"]),
        ("a { background: src('x') }", ["x"]),
        ("a { background: image-set('x' 1x, url(y) 2x type('image/png')) }", ["x", "y"]),
        ("a { background: -webkit-image-set('x' 1x) }", ["x"]),
        ("a { background: cross-fade(url(x) 50%, linear-gradient(red, red), url(y)) }", ["x", "y"]),
        ("a { --own: { background: url(x) } }", ["x"]),
        ("a { color: red; &:hover { background: url(x) } }", ["x"]),
        ("@media print { @supports (a: b) { a { background: url(x) } } }", ["x"]),
        ("a { content: 'url(x)' } /* url(y) */ b { mask: url(z) }", ["z"]),
        ("a { content: 'broken\n; background: url(x) }", ["x"]),
        ('a { background: url(bro"ken); mask: url(x) }', ["x"]),
        ("a { background: curl(x) }", []),
        ("@namespace url(x);", []),
        ("@namespace s url(x); a { mask: url(y) }", ["y"]),
        ("@supports (background: url(x)) { a { color: red } }", []),
        ("a[href='url(x)'] { color: red }", []),
        ("@-moz-document url(x) { a { mask: url(y) } }", ["y"]),
        ("} a { mask: url(x) }", ["x"]),
        ("a { mask: url(x", ["x"]),
        ("/* open url(x)", []),
    ],
)
def test_addresses_stand_in_declarations(css: str, references: list[str]) -> None:
    """In any notation, in any block, cut off too; not in comments, strings, selectors, preludes."""
    assert [reference for _, reference in named(css)] == references


@pytest.mark.parametrize(
    "css",
    [
        "@import 'x';",
        '@import "x" screen and (width > 1px);',
        "@import url(x);",
        "@import url('x') layer(a.b) supports(display: grid) print;",
        "@IMPORT/**/url( x )",
        "<!-- @import 'x'; -->",
        "@charset 'utf-8';@import 'x';",
        r"@\69mport 'x';",
    ],
)
def test_an_import_is_a_style(css: str) -> None:
    """Every form of @import names one style sheet, whatever conditions follow."""
    assert named(css) == [("style", "x")]


def test_a_semicolon_in_an_imported_address_ends_nothing() -> None:
    """Addresses may hold semicolons, as web font services' do."""
    css = "@import url(https://f.example/css2?family=A:wght@400;700&display=swap); a{b:url(c)}"
    assert [reference for _, reference in named(css)] == [
        "https://f.example/css2?family=A:wght@400;700&display=swap",
        "c",
    ]


def test_a_font_face_names_fonts_and_nothing_after_it_does() -> None:
    """Within @font-face an address is a font; format() and local() name none."""
    css = (
        "@media all{@font-face{font-family:'F';src:url(f.eot);src:url('f.eot?#iefix')"
        "format('embedded-opentype'),local('G'),url(f.woff2)format('woff2')}a{mask:url(m)}}"
    )
    assert named(css) == [
        ("font", "f.eot"),
        ("font", "f.eot?#iefix"),
        ("font", "f.woff2"),
        ("image", "m"),
    ]


def test_a_comment_before_a_font_face_hides_nothing() -> None:
    """A comment of several lines, as sheets of icons open with, leaves a font a font."""
    assert named("/* icons\n * v1\n */\n@font-face { src: url(f) }") == [("font", "f")]


def test_the_sheets_own_address_is_the_base() -> None:
    """References are resolved against the sheet, whatever page uses it; each is listed once."""
    css = "@import 'b.css'; a { background: url(../i.png) } b { background: url(/i.png#x) }"
    found = requisites_of_sheet(css, url="https://news.example/c/a.css")
    assert [(one.url, one.kind) for one in found.found] == [
        ("https://news.example/c/b.css", Kind.STYLE),
        ("https://news.example/i.png", Kind.IMAGE),
    ]
    assert not found.limit_reached


@pytest.mark.parametrize(
    ("head", "label"),
    [
        (b'@charset "GB2312"; a {}', "GB2312"),
        (b"@charset 'gb2312';", None),
        (b' @charset "gb2312";', None),
        (b'@charset "gb2312"', None),
        (b"", None),
    ],
)
def test_a_charset_rule_has_one_form(head: bytes, label: str | None) -> None:
    """Only the exact bytes that CSS Syntax names are a charset declaration."""
    assert charset_rule(head) == label


def test_a_long_font_inside_the_sheet_hides_no_address_after_it() -> None:
    """A data: address does not count against what is read of a statement."""
    data = "data:font/woff2;base64," + "A" * (2 * MAX_STATEMENT)
    css = f"@font-face{{src:url({data}),url(f.woff)}}"
    reader = StyleReader()
    assert [each.reference for each in reader.references(css)] == ["f.woff"]
    assert not reader.limit_reached


@pytest.mark.parametrize(
    "css",
    [
        "a{mask:url(x) " + "(" * (MAX_STATEMENT + 1) + "}b{mask:url(y)}",
        "a{mask:url(about:)}" * (MAX_READ // 12) + "b{mask:url(y)}",
    ],
    ids=["one statement", "all statements"],
)
def test_what_is_passed_over_is_said(css: str) -> None:
    """A sheet that holds more than is read closely says so."""
    reader = StyleReader()
    list(reader.references(css))
    assert reader.limit_reached


HOSTILE = {
    "braces": "{" * 300_000,
    "blocks": "a{b:url(x) " + "([{" * 50_000,
    "functions": "a{b:url(x) " + "f(" * 100_000,
    "digits": "a{b:url(x) " + "1" * 5000 + "}",
    "backslashes": "\\" * 300_000,
    "quotes": '"\\' * 100_000,
    "comments": "/*" * 200_000,
    "open addresses": "url(" * 100_000,
    "spaces": "a{b:url(" + " " * 300_000,
    "surrogates": "a{b:url(\\d800\ud800 \0)}",
    "imports": "@import" * 50_000,
    "base64": "data:;base64," * 50_000 + "url(",
}


@pytest.mark.parametrize("css", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_css_is_read_to_its_end(css: str) -> None:
    """Nesting, unfinished tokens and endless runs raise nothing and are read in linear time."""
    requisites_of_sheet(css, url="https://news.example/a.css")


WORDS = (
    "url( ' \" ) { } ; /* */ \\ @import @font-face src: x image-set( "
    "\n <!-- --> data: , ( [ ] 1e9 \0 é"
)
PIECES = st.sampled_from([" ", *WORDS.split(" ")])


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_css_is_read(css: str) -> None:
    """For any text nothing is raised, and what is found is listed once."""
    found = requisites_of_sheet(css, url="https://news.example/a.css").found
    assert len({one.url for one in found}) == len(found)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_any_address_survives_the_notation_of_css(address: str) -> None:
    """An address written by the rules of CSS is read back, whatever characters it has."""
    escaped = "".join(f"\\{ord(char):06x}" for char in address)
    string = f"a{{b:url('{escaped}')}}"
    bare = f"a{{b:url({escaped})}}"
    assert [each.reference for each in StyleReader().references(string)] == [address]
    assert [each.reference for each in StyleReader().references(bare)] == [address]
