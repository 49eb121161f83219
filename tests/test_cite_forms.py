"""Each form of a citation, read back by a parser that is not ours."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote

import citeproc  # type: ignore[import-untyped]
import jsonschema
import lxml.html  # type: ignore[import-untyped]
import pytest
import rispy  # type: ignore[import-untyped]
from bibtexparser.entrypoint import parse_string as parse_bibtex
from citeproc.source.json import CiteProcJSON  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pybtex.database import parse_string  # type: ignore[import-untyped]
from pylatexenc.latex2text import (  # type: ignore[import-untyped]
    LatexNodes2Text,
    MacroTextSpec,
    get_default_latex_context_db,
)

from provenance.cite import Citation, CitationFormat, parse_ids, render
from provenance.cite.identifiers import citation_key, pwid_of
from provenance.cite.plain import web_address
from provenance.digest import digest_of, to_hash_uri, to_ni
from provenance.errors import UsageError
from provenance.model import CollectionId, DocumentId
from provenance.names import split_names
from provenance.plain_text import one_line

RICH = Citation(
    document=DocumentId("audit-report"),
    collection=CollectionId("harbour-bridge"),
    title="What the bridge cost: 100% & counting, in {two} _parts_",
    title_original="大桥造价：两部分",
    author="Pan Ying, Sun Zhe (潘莹、孙哲)",
    publisher="Audit Office of Harbour Town",
    published="2021-02",
    language="zh-Hans",
    media_type="text/html",
    url="https://audit.example/report?id=7&lang=zh#top",
    final_url="https://audit.example/r/7?x=1",
    captured_at="2026-11-23T23:49:33.123456Z",
    content_id=digest_of(b"content"),
    capture_id=digest_of(b"capture"),
    outcome="captured",
    locator="p. 2",
)

NASTY = (
    '"><script>alert(1)</script>',
    "</cite></p><img src=x onerror=alert(1)>",
    "[x](javascript:alert(1)) ![y](z) <http://e.example> `c` *b* _i_ ~~s~~ &copy; www.e.example",
    "# h",
    "1. one",
    "- two\n- three",
    "    indented\n\n```\nfence\n```\n***",
    "} , author = {Mallory}, x = {",
    "{{{",
    "}}}\\",
    '@misc{x, title="y"}\n@comment{',
    "a # b \\input{/etc/passwd} $x^2$ 50% ~ ^ | < > & _ -- --- '' `` ?`",
    "x\r\nER  - \r\nTY  - JOUR\r\nAU  - Mallory",
    "ER  - ",
    "\x1b[2J\x1b]0;t\x07 \x9b31m \u202egnp.exe \u2066x",
    "تۇرپان 吐鲁番 \u200f(2021)",
    "lone \ud800 surrogate",
    "\u2028\u2029\x85\x0b\x0c",
    '"quoted", “curled”, \'single\' \\" \\\\',
)
TEXTS = st.sampled_from(NASTY) | st.text(max_size=40)
SHOWN = TEXTS.filter(lambda text: bool(one_line(text)))
ADDRESSES = st.none() | st.sampled_from(
    (
        "javascript:alert(1)",
        "JAVASCRIPT://e.example/%0aalert(1)",
        "data:text/html,<script>",
        'https://e.example/"onmouseover="alert(1)',
        "http://e.example/a b\\c{d}e|f`g<h>i",
        "https://e.example/?a=1&copy;=2&amp;b=%20;x#y'z",
        "https://e.example/(a)[b]*c*_d_~e~$f$^g^",
        "https://e.example/路径?q=吐鲁番",
        "ftp://e.example/\r\nER  - ",
    )
)
CITATIONS = st.builds(
    replace,
    st.just(RICH),
    title=SHOWN,
    title_original=st.none() | TEXTS,
    author=st.none() | TEXTS,
    publisher=st.none() | TEXTS,
    published=st.sampled_from((None, "2021", "2021-02", "2021-02-28")),
    language=st.sampled_from((None, "en", '"><x', "zh\nER  - ")),
    url=ADDRESSES,
    final_url=ADDRESSES,
    outcome=st.sampled_from(("captured", "truncated", "challenge", "<b>")),
    imported_from=st.none() | TEXTS,
    obtained_by_hand=st.booleans(),
    locator=st.none() | TEXTS,
)
hostile = settings(max_examples=80, deadline=None)


def clean(text: str | None) -> str | None:
    """Return what a citation shows of a value."""
    return (one_line(text) or None) if text is not None else None


def unlinked(text: str) -> str:
    """Return the plain text form with the brackets around its web addresses taken away."""
    return re.sub(r"<(https?://[^<> ]*)>", r"\1", text.removesuffix("\n"), flags=re.IGNORECASE)


def web_addresses(citation: Citation) -> list[str]:
    """Return the addresses that a citation must link, in order."""
    final = citation.final_url if citation.final_url != citation.url else None
    return [each for each in map(web_address, (citation.url, final)) if each]


@pytest.mark.parametrize("form", CitationFormat)
@hostile
@given(citation=CITATIONS)
def test_every_form_names_both_ids_and_is_fit_for_a_terminal(
    form: CitationFormat, citation: Citation
) -> None:
    """Content id and capture id are found in this order, and no control character is written."""
    text = render(citation, form)
    assert parse_ids(text) == (citation.content_id, citation.capture_id)
    assert text.endswith("\n")
    assert one_line(text).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert text == render(citation, form)


@pytest.mark.parametrize("form", CitationFormat)
def test_every_form_carries_every_part(form: CitationFormat) -> None:
    """Passage, instant, addresses, PWID and each spelling of the content id are in each form."""
    text = render(replace(RICH, title="A bridge", title_original="大桥"), form).replace(
        "&amp;", "&"
    )
    for part in (
        *("A bridge", "大桥", "Pan Ying (潘莹)", "Sun Zhe (孙哲)", "Audit Office of Harbour Town"),
        *("2021", "p. 2", RICH.captured_at, RICH.url, RICH.final_url, "harbour-bridge"),
        *(RICH.content_id, to_hash_uri(RICH.content_id), to_ni(RICH.content_id)),
        *(
            RICH.capture_id,
            pwid_of(RICH).replace("%", r"\%" if form == CitationFormat.BIBTEX else "%"),
        ),
    ):
        assert part is not None and part in text


@pytest.mark.parametrize("form", CitationFormat)
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": "truncated"}, "Incomplete capture"),
        ({"outcome": "error_status"}, "error page"),
        ({"outcome": "challenge"}, "challenge, consent or login page"),
        ({"outcome": "denied"}, "Outcome denied"),
        ({"imported_from": "another archive"}, "Imported from another archive, not observed"),
        ({"obtained_by_hand": True}, "Obtained by hand 2026-11-23T23:49:33.123456Z"),
    ],
)
def test_what_is_not_a_whole_capture_of_ours_says_so(
    form: CitationFormat, changes: dict[str, object], words: str
) -> None:
    """Each form says it for such a capture, and does not for a plain one."""
    plain_html = re.compile(r"</?(?:bdi|time)[^>]*>")
    assert words in plain_html.sub("", render(replace(RICH, **changes), form))  # type: ignore[arg-type]
    assert words not in plain_html.sub("", render(RICH, form))


@pytest.mark.parametrize("form", CitationFormat)
@pytest.mark.parametrize("changes", [{"published": "2021-13"}, {"captured_at": "yesterday"}])
def test_a_date_that_is_none_is_refused(form: CitationFormat, changes: dict[str, str]) -> None:
    """No form is written around a broken date."""
    with pytest.raises(UsageError):
        render(replace(RICH, **changes), form)  # type: ignore[arg-type]


@hostile
@given(citation=CITATIONS)
def test_plain_text_is_one_line_that_shows_each_value(citation: Citation) -> None:
    """Title, passage and source stand in it as cleaned."""
    text = render(citation, CitationFormat.TEXT)
    assert text.count("\n") == 1
    assert f"“{one_line(citation.title)}”" in text
    for shown in (citation.title_original, citation.publisher, citation.locator):
        assert (clean(shown) or "") in text
    for address in web_addresses(citation):
        assert f"<{address}>" in text


@hostile
@given(citation=CITATIONS)
def test_markdown_reads_as_the_plain_text_with_its_web_addresses_linked(citation: Citation) -> None:
    """CommonMark sees one paragraph of text, code spans and those links, and nothing else."""
    tokens = MarkdownIt("commonmark").parse(render(citation, CitationFormat.MARKDOWN))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    pieces, links, in_link = "", [], False
    for token in tokens[1].children or []:
        assert token.type in {"text", "text_special", "code_inline", "link_open", "link_close"}
        if token.type == "link_open":
            links.append(unquote(str(token.attrs["href"])))
            pieces += links[-1]
        in_link = (in_link or token.type == "link_open") and token.type != "link_close"
        pieces += "" if in_link else token.content
    assert links == [unquote(address) for address in web_addresses(citation)]
    expected = render(citation, CitationFormat.TEXT)
    for address in web_addresses(citation):
        expected = expected.replace(f"<{address}>", unquote(address), 1)
    assert pieces == expected.removesuffix("\n")


def test_markdown_leaves_nothing_for_dialects_to_link_or_decode() -> None:
    """Bare addresses in a title are broken up; `&copy;` in an address is no character reference."""
    text = render(
        replace(
            RICH, title="At www.e.example, http://e.example", url="https://e.example/?a&copy;=1"
        ),
        CitationFormat.MARKDOWN,
    )
    assert r"“At www\.e.example, http\://e.example”" in text
    assert r"[https\://e.example/?a\&copy;=1](<https://e.example/?a\&copy;=1>)." in text


class Elements(HTMLParser):
    """Collect elements and text as the standard library's tokenizer sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


@hostile
@given(citation=CITATIONS)
def test_html_reads_as_the_plain_text_with_its_web_addresses_linked(citation: Citation) -> None:
    """Two parsers see only our elements, with Robust Links attributes on the address as asked."""
    page = render(citation, CitationFormat.HTML)
    reader = Elements()
    reader.feed(page)
    reader.close()
    expected = render(citation, CitationFormat.TEXT)
    for address in web_addresses(citation):
        expected = expected.replace(f"<{address}>", address, 1)
    assert reader.text == expected
    assert lxml.html.fragment_fromstring(page.strip()).text_content() == expected.removesuffix("\n")
    assert {tag for tag, _ in reader.elements} <= {"p", "bdi", "cite", "time", "a", "code"}
    links = [attributes for tag, attributes in reader.elements if tag == "a"]
    assert [link["href"] for link in links] == web_addresses(citation)
    if asked := web_address(citation.url):
        assert links[0] == {
            "href": asked,
            "data-originalurl": asked,
            "data-versiondate": "2026-11-23T23:49:33Z",
            "data-versionurl": to_ni(citation.content_id),
        }
    known = {"class", "dir", "lang", "datetime", "href"}
    assert all(set(attrs) <= known for tag, attrs in reader.elements if attrs not in links[:1])


def reader_of_latex() -> LatexNodes2Text:
    """Return pylatexenc's reader, told of the LaTeX commands that its own tables lack."""
    known = get_default_latex_context_db()
    characters = {"less": "<", "greater": ">", "bar": "|", "braceleft": "{", "braceright": "}"}
    characters |= {"backslash": "\\", "asciicircum": "^"}
    commands = [MacroTextSpec(f"text{name}", shown) for name, shown in characters.items()]
    known.add_context_category("text commands", macros=commands, prepend=True)
    return LatexNodes2Text(latex_context=known, strict_latex_spaces=True)


LATEX = reader_of_latex()


def latex_to_text(value: str) -> str:
    """Return what LaTeX would set."""
    return str(LATEX.latex_to_text(value))


@hostile
@given(citation=CITATIONS)
def test_bibtex_is_one_entry_for_two_parsers(citation: Citation) -> None:
    """Each field, unescaped by a LaTeX parser, is the value; names stay whole."""
    text = render(citation, CitationFormat.BIBTEX)
    library = parse_bibtex(text)
    assert not library.failed_blocks
    assert len(library.blocks) == 1
    entry = library.entries[0]
    fields = {field.key: str(field.value) for field in entry.fields}
    address = web_address(citation.url)
    assert (entry.entry_type, entry.key) == (
        "online" if address else "misc",
        citation_key(citation),
    )
    assert latex_to_text(fields["title"]) == one_line(citation.title)
    for key, value in (
        ("origtitle", citation.title_original),
        ("publisher", citation.publisher),
        ("language", citation.language),
    ):
        assert clean(latex_to_text(fields.get(key, ""))) == clean(value)
    assert fields.get("date") == citation.published
    assert fields.get("url") == address
    assert fields.get("urldate") == ("2026-11-23" if address else None)
    assert (clean(citation.locator) or "") in latex_to_text(fields["note"])
    assert pwid_of(citation) in latex_to_text(fields["note"])

    other = parse_string(text, "bibtex").entries[citation_key(citation)]
    assert {key.lower() for key in other.fields} == set(fields) - {"author"}
    names = [person.last_names for person in other.persons.get("author", [])]
    assert [[latex_to_text(part) for part in name] for name in names] == [
        [name] for name in split_names(citation.author)
    ]


def test_bibtex_dates_serve_both_processors() -> None:
    """`date` is whole, `year` and `month` are its parts, the month as the macro."""
    text = render(RICH, CitationFormat.BIBTEX)
    assert "  date = {2021-02},\n  year = {2021},\n  month = feb,\n" in text


@hostile
@given(citation=CITATIONS)
def test_ris_is_one_record_with_one_line_to_a_field(citation: Citation) -> None:
    """Each field is the value; what has no field stands in the notes."""
    text = render(citation, CitationFormat.RIS)
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in text.splitlines())
    records = rispy.loads(text, delimiter_tags_mapping={})
    assert len(records) == 1
    record = records[0]
    published = citation.published
    address = web_address(citation.url)
    assert record["type_of_reference"] == "ELEC"
    assert record["id"] == citation_key(citation)
    assert record["title"] == one_line(citation.title)
    assert tuple(record.get("authors", ())) == split_names(citation.author)
    assert record.get("publisher") == clean(citation.publisher)
    assert record.get("language") == clean(citation.language)
    assert record.get("year") == (published[:4] if published else None)
    assert record.get("date") == (published.replace("-", "/") if published else None)
    assert record.get("urls") == ([address] if address else None)
    assert record["access_date"] == "2026/11/23"
    assert record["name_of_database"] == citation.collection
    assert (record["call_number"], record["accession_number"]) == (
        citation.content_id,
        citation.capture_id,
    )
    notes = " ".join(record["notes"])
    for shown in (citation.title_original, citation.locator, pwid_of(citation)):
        assert (clean(shown) or "") in notes


# The part of the CSL-JSON schema that concerns us: names and types of the fields we write.
TEXT = {"type": "string"}
DATE = {
    "type": "object",
    "required": ["date-parts"],
    "additionalProperties": False,
    "properties": {
        "date-parts": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "array",
                "minItems": 1,
                "maxItems": 3,
                "items": {"type": "integer"},
            },
        }
    },
}
NAMES = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["literal"],
        "additionalProperties": False,
        "properties": {"literal": TEXT},
    },
}
SCHEMA = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1,
    "items": {
        "type": "object",
        "required": ["id", "type"],
        "additionalProperties": False,
        "properties": {
            "type": {"enum": ["webpage", "document"]},
            "author": NAMES,
            "issued": DATE,
            "accessed": DATE,
            "custom": {"type": "object"},
            **dict.fromkeys(
                (
                    *("id", "title", "original-title", "publisher", "URL", "language", "locator"),
                    *("archive", "archive_collection", "archive_location", "note"),
                ),
                TEXT,
            ),
        },
    },
}


@hostile
@given(citation=CITATIONS)
def test_csl_json_is_an_item_of_the_schema(citation: Citation) -> None:
    """Each variable is the value, and the item passes the schema."""
    items = json.loads(render(citation, CitationFormat.CSL_JSON))
    jsonschema.validate(items, SCHEMA)
    item, published = items[0], citation.published
    assert item["title"] == one_line(citation.title)
    assert item.get("original-title") == clean(citation.title_original)
    assert tuple(each["literal"] for each in item.get("author", ())) == split_names(citation.author)
    assert item.get("publisher") == clean(citation.publisher)
    assert item.get("URL") == web_address(citation.url)
    assert item.get("locator") == clean(citation.locator)
    assert ("issued" in item) == bool(published)
    if published:
        assert item["issued"]["date-parts"] == [[int(part) for part in published.split("-")]]
    assert item["accessed"]["date-parts"] == [[2026, 11, 23]]
    assert item["archive_location"] == to_hash_uri(citation.capture_id)
    assert item["custom"]["pwid"] == pwid_of(citation)
    assert item["custom"]["captured_at"] == citation.captured_at


def test_a_csl_processor_sets_the_item() -> None:
    """citeproc-py renders title, literal names, date and address from the item."""
    items = json.loads(render(RICH, CitationFormat.CSL_JSON))
    with warnings.catch_warnings():
        # citeproc-py 0.11.1 names the variables of CSL 1.0.2 that it does not know.
        warnings.filterwarnings("ignore", message="The following arguments for Reference")
        source = CiteProcJSON(items)
    style = citeproc.CitationStylesStyle("harvard-cite-them-right", validate=False)
    bibliography = citeproc.CitationStylesBibliography(style, source, citeproc.formatter.plain)
    bibliography.register(citeproc.Citation([citeproc.CitationItem(items[0]["id"])]))
    (entry,) = bibliography.bibliography()
    for part in ("Pan Ying (潘莹)", "Sun Zhe (孙哲)", "2021", "100% & counting", RICH.url):
        assert part is not None and part in str(entry)
