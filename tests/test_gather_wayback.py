"""Addresses of Wayback-style archives, and the raw form of a memento."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.gather.wayback import WaybackAddress, archive_host, raw_form, read_wayback


@pytest.mark.parametrize(
    ("address", "original", "raw"),
    [
        (
            "https://web.a.example/web/20200301100000/http://h.example/a?b=c&d",
            "http://h.example/a?b=c&d",
            "https://web.a.example/web/20200301100000id_/http://h.example/a?b=c&d",
        ),
        (
            "https://web.a.example/web/20200301100000if_/https:/h.example/",
            "https://h.example/",
            "https://web.a.example/web/20200301100000id_/https:/h.example/",
        ),
        (
            "https://web.a.example/web/20200301100000/HTTPS://H.example/A",
            "https://H.example/A",
            "https://web.a.example/web/20200301100000id_/HTTPS://H.example/A",
        ),
        (
            "http://127.0.0.1:8080/c/20200301100000mp_/http://h.example",
            "http://h.example",
            "http://127.0.0.1:8080/c/20200301100000id_/http://h.example",
        ),
        (
            "https://swap.a.example/20200301100000/h.example/x",
            "http://h.example/x",
            "https://swap.a.example/20200301100000id_/h.example/x",
        ),
        (
            "https://a.example/all/2020/https://h.example/2019/x",
            "https://h.example/2019/x",
            "https://a.example/all/2020id_/https://h.example/2019/x",
        ),
        (
            "https://a.example/web/20200301100000wkrf_/http://h.example/",
            "http://h.example/",
            "https://a.example/web/20200301100000id_/http://h.example/",
        ),
        (
            "https://a.example/web/20200301100000/https://b.example/web/20190101000000/http://c.example/",
            "https://b.example/web/20190101000000/http://c.example/",
            "https://a.example/web/20200301100000id_/https://b.example/web/20190101000000/http://c.example/",
        ),
    ],
)
def test_a_wayback_address_has_a_raw_form(address: str, original: str, raw: str) -> None:
    """OpenWayback's and pywb's paths are read, with any modifier, and only the modifier changes."""
    parts = read_wayback(address)
    assert parts is not None
    assert parts.original == original
    assert raw_form(address).url == raw
    assert raw_form(address).known
    assert raw_form(raw).url == raw


@pytest.mark.parametrize(
    "address",
    [
        "https://perma.example/AB12-CD34",
        "https://archive.example/abcde",
        "https://news.example/2020/03/01/article",
        "https://news.example/2020/article?u=/20200301100000/http://h.example/",
        "https://a.example/web/*/http://h.example/",
        "https://a.example/web/http://h.example/20200301100000/x",
        "https://a.example/web/2020030110000x/http://h.example/",
        "https://a.example/20200301100000/",
        "https://a.example/timemap/link/http://h.example/",
        "not an address",
        "",
    ],
)
def test_another_address_stays_as_it_is_and_says_so(address: str) -> None:
    """Where the path does not tell capture and original, no raw form is made up."""
    assert read_wayback(address) is None
    raw = raw_form(address)
    assert (raw.url, raw.known) == (address, False)


def test_the_instant_of_an_address_is_in_its_digits() -> None:
    """Digits that name no instant name none."""
    parts = read_wayback("https://a.example/20200301100000/http://h.example/")
    assert parts is not None
    assert parts.instant == datetime(2020, 3, 1, 10, tzinfo=UTC)
    parts = read_wayback("https://a.example/20209901100000/http://h.example/")
    assert parts is not None
    assert parts.instant is None


@given(
    st.from_regex(r"https?://a\.example/([a-z]{1,5}/){0,3}", fullmatch=True),
    st.from_regex(r"[0-9]{14}", fullmatch=True),
    st.sampled_from(["", "id_", "im_", "mp_", "wkrf_"]),
    st.from_regex(r"https?://h\.example/[!-~]*", fullmatch=True),
)
def test_parts_are_read_as_they_were_written(
    prefix: str, stamp: str, modifier: str, original: str
) -> None:
    """Writing and reading an address are inverse to each other."""
    parts = WaybackAddress(prefix=prefix, stamp=stamp, modifier=modifier, written=original)
    assert read_wayback(parts.text()) == parts
    assert parts.original == original


@pytest.mark.parametrize(
    ("address", "host"),
    [("https://Web.A.example:8080/x", "web.a.example"), ("http://[::1/", ""), ("x", "")],
)
def test_the_archive_is_named_by_its_host(address: str, host: str) -> None:
    """The host in lower case, or nothing where there is none."""
    assert archive_host(address) == host


@pytest.mark.parametrize(
    "piece", ["/", "/2020", "/20200301100000", "/a.", "1", "/20200301100000id_/"]
)
def test_hostile_addresses_are_read_in_linear_time(piece: str) -> None:
    """Long paths, as long as addresses may be, raise nothing."""
    raw_form("http://a.example" + piece * (8000 // len(piece)))
