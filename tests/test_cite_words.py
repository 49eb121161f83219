"""Names, cleaning and ids of citations."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.cite import Citation, parse_ids
from provenance.cite.identifiers import citation_key, pwid_of
from provenance.cite.plain import web_address
from provenance.digest import digest_of, hex_of, to_hash_uri, to_ni
from provenance.model import CollectionId, DocumentId
from provenance.names import split_names
from provenance.plain_text import one_line

A, B = digest_of(b"a"), digest_of(b"b")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (None, ()),
        (" \x00 ", ()),
        ("Wang Yi", ("Wang Yi",)),
        ("Nathan Doe, Ann B. Roe", ("Nathan Doe", "Ann B. Roe")),
        (
            "Nathan Doe, Ann Roe, and Jan van der Berg",
            ("Nathan Doe", "Ann Roe", "Jan van der Berg"),
        ),
        ("Smith, John; Roe, Ann", ("Smith, John", "Roe, Ann")),
        ("Smith, John", ("Smith, John",)),
        ("van Dijk, Ann Roe", ("van Dijk, Ann Roe",)),
        ("Pan Ying, Sun Zhe (潘莹、孙哲)", ("Pan Ying (潘莹)", "Sun Zhe (孙哲)")),
        ("Pan Ying, Sun Zhe (潘莹)", ("Pan Ying", "Sun Zhe (潘莹)")),
        ("Li Xia (李霞), Wu Bo (吴波)", ("Li Xia (李霞)", "Wu Bo (吴波)")),
        ("Ann Roe (lead, Audit Office)", ("Ann Roe (lead, Audit Office)",)),
        ("Ann Roe with Jan Doe, Kim Poe", ("Ann Roe with Jan Doe, Kim Poe",)),
        ("Martin Lee, Jr.", ("Martin Lee, Jr.",)),
        ("Department of Trade, Industry and Labour", ("Department of Trade, Industry and Labour",)),
        (
            "Bureau of Roads, Town Planning, and Ports",
            ("Bureau of Roads, Town Planning, and Ports",),
        ),
        ("Harbour Institute, Town University;", ("Harbour Institute, Town University",)),
    ],
)
def test_an_author_line_is_divided_only_where_it_plainly_lists_names(
    line: str | None, names: tuple[str, ...]
) -> None:
    """Semicolons divide always, commas between full names, and nothing else does."""
    assert split_names(line) == names


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_dividing_names_invents_no_letter(line: str) -> None:
    """Each letter of each name stands in the author line."""
    assert set("".join(split_names(line))) <= set(one_line(line)) | set(" ()")


@settings(max_examples=60, deadline=None)
@given(st.text() | st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zs", "Zl", "Zp"])))
def test_a_clean_line_can_go_to_a_terminal(text: str) -> None:
    """No control, bidi control, surrogate or line end is left; cleaning twice is cleaning once."""
    line = one_line(text)
    assert one_line(line) == line
    assert len(line.splitlines()) <= 1
    assert not any(c < " " or "\x7f" <= c < "\xa0" or "\ud800" <= c <= "\udfff" for c in line)
    assert not set(line) & set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\u00adb\u200bc\u2060d\ufeffe\U000e0041f", "abcdef"),
        ("می\u200cخواهم \u200f(1)", "می\u200cخواهم (1)"),
        ("吐鲁番\u3000市\u2029x\u2007", "吐鲁番 市 x"),
        ("\x1b[2J\x9b31m\x00", "[2J31m"),
        ("a\ud800", "a\ufffd"),
    ],
)
def test_what_does_not_show_goes_and_joiners_stay(text: str, line: str) -> None:
    """Invisible characters are dropped, except the two joiners that spelling needs."""
    assert one_line(text) == line


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        " data:text/html,x",
        "ftp://h/",
        "//h/",
        "https:///x",
        "http:h",
        "mailto:a@b.example",
        "",
        None,
    ],
)
def test_only_web_addresses_become_links(address: str | None) -> None:
    """What is not http or https with a host is no web address."""
    assert web_address(address) is None


def test_a_web_address_holds_only_characters_that_a_uri_may_hold() -> None:
    """Spaces, quotes, brackets, braces and backslashes are percent-encoded, `%` is left alone."""
    address = 'HTTPS://h.example/a b"<>\\^`{|}%20ü?q=[1]#f'
    assert web_address(address) == "HTTPS://h.example/a%20b%22%3C%3E%5C%5E%60%7B%7C%7D%20ü?q=[1]#f"


@pytest.mark.parametrize(
    "text",
    [
        f"{A} {B}",
        f"see {to_hash_uri(A)}, then {to_ni(B)}.",
        f"{to_ni(A).replace('_', chr(92) + '_')} https://x.example/.well-known/ni/sha-256/"
        f"{to_ni(B).partition(';')[2]}",
        f"SHA256:{hex_of(A).upper()}\n{to_hash_uri(A)}\nni://host.example/sha-256;"
        f"{to_ni(B).partition(';')[2]}?ct=text/plain",
    ],
)
def test_ids_are_found_in_any_form_once_and_in_order(text: str) -> None:
    """`sha256:`, `hash://`, `ni:` and well-known forms name the same digest."""
    assert parse_ids(text) == (A, B)


@pytest.mark.parametrize(
    "text",
    [
        hex_of(A),
        A[:-1],
        A + "0",
        to_ni(A) + "x",
        to_ni(A)[:-1],
        to_ni(A)[:-1] + chr(ord(to_ni(A)[-1]) + 1),
    ],
)
def test_what_is_not_exactly_a_digest_is_no_id(text: str) -> None:
    """A bare, short, long or misspelt number is passed over."""
    assert parse_ids(text) == ()


def a_citation(**changes: object) -> Citation:
    """Return a small citation with some fields changed."""
    fields: dict[str, object] = {
        "document": DocumentId("report"),
        "collection": CollectionId("harbour"),
        "title": "Report",
        "captured_at": "2026-11-23T23:49:33.999999Z",
        "content_id": A,
        "capture_id": B,
        "outcome": "captured",
    }
    return Citation(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "final_url", "item"),
    [
        ("https://h.example/a", None, "https://h.example/a"),
        ("https://h.example/a", "https://h.example/b?x=1#y", "https://h.example/b%3Fx=1%23y"),
        ("https://h.example/é%20[1]", None, "https://h.example/%C3%A9%20%5B1%5D"),
        (None, None, to_ni(A)),
    ],
)
def test_a_pwid_names_archive_second_precision_and_item(
    url: str | None, final_url: str | None, item: str
) -> None:
    """The PWID has its registered parts, and only characters that a URN may have."""
    citation = a_citation(url=url, final_url=final_url)
    assert pwid_of(citation) == f"urn:pwid:provenance-harbour:2026-11-23T23:49:33Z:part:{item}"


def test_a_citation_key_is_plain_ascii_and_differs_between_captures() -> None:
    """The key survives a strange document id, and another capture has another key."""
    strange = a_citation(document=DocumentId("ü{},\\ x"))
    assert citation_key(strange) == f"x-{hex_of(B)[:12]}"
    assert citation_key(strange) != citation_key(a_citation(capture_id=A))
