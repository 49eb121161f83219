"""Web links: quotations, commas, lists of relation types, and what is no link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.gather.linkformat import Link, parse_links

BASE = "http://a.example/web/"


def links(text: str) -> list[Link]:
    return list(parse_links(text, base=BASE))


@pytest.mark.parametrize(
    ("text", "target", "rel", "attributes"),
    [
        ("<http://h.example/>;rel=original", "http://h.example/", ("original",), ()),
        ('<x>; REL="First  Memento"', "http://a.example/web/x", ("first", "memento"), ()),
        (
            '</y> ; rel = "memento" ; datetime="Tue, 20 Jun 2000 18:02:59 GMT"',
            "http://a.example/y",
            ("memento",),
            (("datetime", "Tue, 20 Jun 2000 18:02:59 GMT"),),
        ),
        ('<y>; t="a \\"b\\" \\\\ c, d; e=f <g>"; u', "http://a.example/web/y", (), None),
        ("<y>; rel=a; rel=b", "http://a.example/web/y", ("a",), ()),
        ("<y>;;  ;rel=a;", "http://a.example/web/y", ("a",), ()),
        ('<y>; rel="a', "http://a.example/web/y", ("a",), ()),
        ("<y>; rel=", "http://a.example/web/y", (), ()),
        ("<http://h.example/a,b;c>; rel=a", "http://h.example/a,b;c", ("a",), ()),
        ("junk, <y>; rel=a junk", "http://a.example/web/y", ("a",), ()),
    ],
)
def test_a_link_is_read(
    text: str,
    target: str,
    rel: tuple[str, ...],
    attributes: tuple[tuple[str, str], ...] | None,
) -> None:
    """Target, relation types and attributes come out of any notation that is in use."""
    if attributes is None:
        attributes = (("t", 'a "b" \\ c, d; e=f <g>'), ("u", ""))
    assert links(text) == [Link(target=target, rel=rel, attributes=attributes)]


def test_links_are_parted_by_commas_and_line_ends() -> None:
    """A comma in a quotation or an address parts nothing."""
    text = '<a,1>; rel="x"; d="1, 2",\n<b>; rel=y,<c>,\r\n,<d>; rel=z'
    assert [(each.target.rpartition("/")[2], each.rel) for each in links(text)] == [
        ("a,1", ("x",)),
        ("b", ("y",)),
        ("c", ()),
        ("d", ("z",)),
    ]


@pytest.mark.parametrize("text", ["", "x", "<", "<x", "<>", "<mailto:a@b.example>; rel=a", "<<<"])
def test_what_is_no_web_link_is_passed_over(text: str) -> None:
    """Unfinished targets, empty ones and those that lead elsewhere are none."""
    assert links(text) == []


@pytest.mark.parametrize(
    "piece", ["<", "<x", "<>;", "<x>;a=", '<x>;"', "<x>" + "; a" * 9, "\\", '<x>;a="\\', ",", "= "]
)
def test_hostile_links_are_read_in_linear_time(piece: str) -> None:
    """A hundred thousand of any piece are read to their end."""
    links(piece * 100_000)


WORDS = st.text(alphabet="abc-", min_size=1, max_size=5)
VALUES = st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=20)


@given(
    st.lists(
        st.tuples(WORDS, st.lists(WORDS, max_size=3), st.dictionaries(WORDS, VALUES, max_size=3)),
        max_size=4,
    )
)
def test_links_are_read_as_they_were_written(
    written: list[tuple[str, list[str], dict[str, str]]],
) -> None:
    """Whatever stands in a quotation comes back."""

    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    text = ", ".join(
        "; ".join(
            [f"<{target}>", f"rel={quoted(' '.join(rel))}"]
            + [f"x{name}={quoted(value)}" for name, value in attributes.items()]
        )
        for target, rel, attributes in written
    )
    expected = [
        Link(
            target=BASE + target,
            rel=tuple(dict.fromkeys(rel)),
            attributes=tuple((f"x{name}", value) for name, value in attributes.items()),
        )
        for target, rel, attributes in written
    ]
    assert links(text) == expected


@given(st.text(alphabet='<>;,="\\ \nabr', max_size=60))
def test_any_text_is_read(text: str) -> None:
    """For any text nothing is raised."""
    links(text)
