"""Addresses in pages and style sheets: what a browser would ask for, or none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.uri import MAX_ADDRESS, web_address

VECTORS = Path(__file__).parents[2] / "shared/corpora/other/url/wpt-urltestdata.json"
BASE = "https://news.example/a/b?q"

OTHERWISE = {
    "http://%30%78%63%30%2e%30%32%35%30.01",  # IPv4 addresses in other forms are left out
    "http://０Ｘｃ０．０２５０．０１",
    "http://256",
    "http://999999999.",
    "https://0x.0x.0",
    "http://foo.09..",  # a name with an empty label, which no resolver takes
    "http://10.0.0.xn--pokxncvks",  # Punycode that stands for nothing is left to the resolver
    "http://a.b.c.XN--pokxncvks",
    "https://xn--/",
}
"""Inputs of the URL Standard's own tests that are meant to come out otherwise."""


@pytest.mark.parametrize(
    ("reference", "address"),
    [
        ("c.png", "https://news.example/a/c.png"),
        ("/c.png#part", "https://news.example/c.png"),
        ("?x", "https://news.example/a/b?x"),
        ("https:", "https://news.example/a/b?q"),
        ("../../..//c/./d/..", "https://news.example//c/"),
        ("/%2e%2E/c", "https://news.example/c"),
        ("//cdn.example", "https://cdn.example/"),
        ("HTTP://CDN.Example:80/A", "http://cdn.example/A"),
        ("https:c.png", "https://news.example/a/c.png"),
        ("http:\\\\cdn.example\\a\\b?c\\d", "http://cdn.example/a/b?c%5Cd"),
        (" \n/a\tb\r\n.png ", "https://news.example/ab.png"),
        ("https://user:secret@h.example/x", "https://h.example/x"),
        ("https://bücher.example/ä?ö", "https://xn--bcher-kva.example/%C3%A4?%C3%B6"),
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        ("https://ｃｄｎ.example/", "https://cdn.example/"),
        ('/a b"<>`{}^', "https://news.example/a%20b%22%3C%3E%60%7B%7D%5E"),
        ("/100%", "https://news.example/100%"),
        ("/%e4%b8", "https://news.example/%e4%b8"),
        ("/\ud800", "https://news.example/%EF%BF%BD"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://192.0.2.1/x", "http://192.0.2.1/x"),
        ("http://0x7f.1/x", None),
        ("http://127.1/x", None),
        ("http://[::1/x", None),
        ("http://[fe80::1%25eth0]/x", None),
        ("http://h.example:99999/x", None),
        ("http://a b/", None),
        ("http://a%00b/", None),
        ("http://" + "a" * 64 + ".example/", None),
        ("http://", None),
        ("#part", None),
        ("", None),
        ("data:image/png;base64,AAAA", None),
        ("javascript:void(0)", None),
        ("blob:https://news.example/1", None),
        ("about:blank", None),
        ("mailto:a@b.example", None),
        ("ftp://h.example/x", None),
        ("/" + "x" * MAX_ADDRESS, None),
        ("/" + "é" * (MAX_ADDRESS // 2), None),
    ],
)
def test_an_address_is_the_one_a_browser_would_ask_for(reference: str, address: str | None) -> None:
    """Resolved, escaped, in ASCII, without fragment or credentials; or none."""
    assert web_address(reference, base=BASE) == address


def test_a_base_that_is_no_web_address_resolves_nothing() -> None:
    """Without a base only an absolute address is one."""
    assert web_address("c.png", base="file:///c") is None
    assert web_address("http://h.example/c", base="") == "http://h.example/c"


@pytest.mark.shared
@pytest.mark.skipif(not VECTORS.is_file(), reason="no shared corpora beside the checkout")
def test_the_url_standards_own_tests_hold() -> None:
    """Every http(s) result of the Web Platform Tests comes out, but where named otherwise."""
    wrong = {}
    listed = json.loads(VECTORS.read_text())["vectors"]
    vectors = [each for each in listed if isinstance(each, dict)]
    for vector in vectors:
        wanted = expected(vector)
        found = web_address(vector["input"], base=vector.get("base") or "")
        if found != wanted:
            wrong[vector["input"]] = (found, wanted)
    assert len(vectors) > 300
    assert wrong.keys() == OTHERWISE


def expected(vector: dict[str, str]) -> str | None:
    """Return what a vector says, in our escapes, without what is never sent."""
    if vector.get("failure") or vector["input"].startswith("#"):
        return None
    href = vector["href"].partition("#")[0]
    parts = urlsplit(href)
    if parts.scheme not in ("http", "https"):
        return None
    rest = href.split(parts.netloc, 1)[1]
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" + quote(rest, safe="%/:=&?~#+!$,;'@()*[]|")


WORDS = "http: https: // / \\ a .. . ? # @ : % %2e [ ] é xn-- 0 \ud800 \t \0 h.example data: ß 。"
PIECES = st.sampled_from([" ", *WORDS.split(" ")])


@given(st.lists(PIECES, max_size=12).map("".join) | st.text())
def test_an_address_is_whole_and_stays_what_it_is(reference: str) -> None:
    """For any text: nothing is raised, and an address is ASCII, absolute, and its own address."""
    address = web_address(reference, base=BASE)
    if address is not None:
        assert re.fullmatch(r"https?://[a-z0-9_.:\[\]-]+/[!-~]*", address)
        assert "#" not in address and "@" not in address.split("/")[2]
        assert web_address(address, base="http://other.example/x") == address
