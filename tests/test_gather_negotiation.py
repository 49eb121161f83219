"""Negotiation in time, played as archives answer: what to ask next, what is found, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.gather.memento import Rawness, read_memento_head
from provenance.gather.negotiation import (
    MAX_HOPS,
    Ask,
    Found,
    NotFound,
    first_step,
    next_step,
    step_to,
)
from provenance.gather.timegate import parse_timegate, wanted_instant
from provenance.http_message import ResponseHead, parse_response_head
from provenance.uri import same_resource

ORIGINAL = "http://h.example/doc?a=1"
WANTED = wanted_instant("2020-03-05", started_at=datetime(2024, 1, 1, tzinfo=UTC))
INSTANT = datetime(2020, 3, 7, 8, 9, 10, tzinfo=UTC)
DATED = "Memento-Datetime: Sat, 07 Mar 2020 08:09:10 GMT"
GATE = "https://a.example/web/"
MEMENTO = f"{GATE}20200307080910/{ORIGINAL}"
RAW = f"{GATE}20200307080910id_/{ORIGINAL}"


def head(status: int, *fields: str) -> ResponseHead:
    """Return the head of an answer with these field lines."""
    lines = [f"HTTP/1.1 {status} Word", *fields, "", ""]
    parsed = parse_response_head("\r\n".join(lines).encode())
    assert parsed is not None
    return parsed


def played(
    answers: Mapping[str, ResponseHead], *, gate: str = GATE
) -> tuple[list[Ask], Found | NotFound]:
    """Play a whole negotiation; give every question asked, and how it ended."""
    step: Ask | Found | NotFound = first_step(parse_timegate(gate), ORIGINAL, WANTED)
    asked = []
    while isinstance(step, Ask):
        asked.append(step)
        step = next_step(step, answers[step.url])
    return asked, step


def test_a_timegate_that_redirects() -> None:
    """The Wayback Machine's way: 302 with Vary; the raw form is asked for at once, undated."""
    asked, end = played(
        {
            GATE + ORIGINAL: head(302, f"Location: {MEMENTO}", "Vary: accept-datetime"),
            RAW: head(
                200,
                DATED,
                "x-archive-orig-server: nginx",
                "X-Archive-Orig-Set-Cookie: a",
                "X-Archive-Orig-Set-Cookie: b",
                f'Link: <{ORIGINAL}>; rel="original", <{GATE}{ORIGINAL}>; rel="timegate",'
                f' <{GATE}timemap/link/{ORIGINAL}>; rel="timemap"; type="application/link-format"',
                f'Link: <{GATE}20190101000000/{ORIGINAL}>; rel="first memento";'
                ' datetime="Tue, 01 Jan 2019 00:00:00 GMT"',
            ),
        }
    )
    assert [(one.url, one.fields) for one in asked] == [
        (GATE + ORIGINAL, (("Accept-Datetime", "Thu, 05 Mar 2020 23:59:59 GMT"),)),
        (RAW, ()),
    ]
    assert isinstance(end, Found)
    assert (end.instant, end.same_original) == (INSTANT, True)
    memento = end.memento
    assert (memento.url, memento.archive, memento.status) == (RAW, "a.example", 200)
    assert (memento.original, memento.original_from) == (ORIGINAL, "link")
    assert memento.rawness is Rawness.RAW
    assert memento.links.timemap == f"{GATE}timemap/link/{ORIGINAL}"
    assert memento.links.first == datetime(2019, 1, 1, tzinfo=UTC)
    assert memento.original_fields == (
        (b"server", b"nginx"),
        (b"Set-Cookie", b"a"),
        (b"Set-Cookie", b"b"),
    )


@pytest.mark.parametrize(
    "place",
    [
        f"Content-Location: {MEMENTO}",
        f'Link: <{GATE}2019/{ORIGINAL}>; rel="first memento";'
        ' datetime="Tue, 01 Jan 2019 00:00:00 GMT",'
        f' <{MEMENTO}>; rel="memento"; datetime="Sat, 07 Mar 2020 08:09:10 GMT"',
    ],
    ids=["content location", "link"],
)
def test_a_timegate_that_answers_with_the_memento(place: str) -> None:
    """pywb's way: 200 and where the memento is; its raw form is asked for."""
    asked, end = played(
        {GATE + ORIGINAL: head(200, DATED, "Vary: accept-datetime", place), RAW: head(200, DATED)}
    )
    assert [one.url for one in asked] == [GATE + ORIGINAL, RAW]
    assert isinstance(end, Found)
    assert end.memento.rawness is Rawness.RAW
    assert (end.memento.original, end.memento.original_from) == (ORIGINAL, "path")


def test_an_archive_whose_addresses_do_not_tell() -> None:
    """Without a known raw form the memento is found as it is, and its rawness is unknown."""
    place = "https://a.example/AB12-CD34"
    asked, end = played(
        {
            GATE + ORIGINAL: head(302, f"Location: {place}", "Vary: accept-datetime"),
            place: head(200, DATED, f"Link: <{ORIGINAL}>; rel=original"),
        }
    )
    assert [one.fields for one in asked][1] == ()
    assert isinstance(end, Found)
    assert (end.memento.url, end.memento.rawness) == (place, Rawness.UNKNOWN)
    assert end.memento.location is None


def test_a_location_leads_on_from_a_redirect_only() -> None:
    """The Location of any other answer is not followed."""
    answer = head(200, DATED, "Vary: accept-datetime", "Location: https://a.example/else")
    asked, end = played({GATE + ORIGINAL: answer})
    assert isinstance(end, Found)
    assert (len(asked), end.memento.location) == (1, None)


def test_an_archive_that_names_no_original() -> None:
    """Nothing is said of an original that nobody named."""
    _, end = played({GATE + ORIGINAL: head(200, DATED)})
    assert isinstance(end, Found)
    assert (end.memento.original, end.memento.original_from, end.same_original) == (
        None,
        None,
        None,
    )


def test_a_redirect_on_the_way_keeps_on_negotiating() -> None:
    """A move from http to https, or to another gate, still has to be told the instant."""
    other = "https://b.example/timegate/" + ORIGINAL
    asked, end = played(
        {
            GATE + ORIGINAL: head(301, f"Location: {other}"),
            other: head(404),
        }
    )
    assert asked[1].fields == asked[0].fields != ()
    assert end == NotFound(reason="not_archived", detail="b.example answered 404")


def test_an_archived_redirect_is_a_memento() -> None:
    """A 3xx with Memento-Datetime is the record of a redirect; where it led is told."""
    asked, end = played(
        {
            GATE + ORIGINAL: head(
                301,
                DATED,
                "Vary: accept-datetime",
                f"Content-Location: {RAW}",
                "Location: http://h.example/new",
            ),
            RAW: head(301, DATED, "Vary: accept-datetime", "Location: http://h.example/new"),
        }
    )
    assert [one.url for one in asked] == [GATE + ORIGINAL, RAW]
    assert isinstance(end, Found)
    assert (end.memento.status, end.memento.location) == (301, "http://h.example/new")


def test_a_gate_that_dates_its_redirect_is_followed_all_the_same() -> None:
    """The instant on a TimeGate's own redirect makes no memento of it."""
    asked, end = played(
        {
            GATE + ORIGINAL: head(302, DATED, "Vary: Accept-Datetime", f"Location: {MEMENTO}"),
            RAW: head(200, DATED),
        }
    )
    assert [one.url for one in asked] == [GATE + ORIGINAL, RAW]
    assert isinstance(end, Found)


@pytest.mark.parametrize("status", [404, 410, 451, 500])
def test_an_archived_error_page_is_a_memento(status: int) -> None:
    """What was archived may have been an error; it is found, with its status."""
    _, end = played(
        {
            GATE + ORIGINAL: head(302, f"Location: {MEMENTO}", "Vary: accept-datetime"),
            RAW: head(status, DATED),
        }
    )
    assert isinstance(end, Found)
    assert end.memento.status == status


def test_an_archive_that_leads_to_a_nearer_capture() -> None:
    """A redirect between captures is followed to the raw form of the next."""
    other = f"{GATE}20200306000000"
    asked, end = played(
        {
            GATE + ORIGINAL: head(302, f"Location: {MEMENTO}", "Vary: accept-datetime"),
            RAW: head(302, f"Location: {other}/{ORIGINAL}"),
            f"{other}id_/{ORIGINAL}": head(200, DATED),
        }
    )
    assert len(asked) == 3
    assert isinstance(end, Found)
    assert end.memento.rawness is Rawness.RAW


def test_an_archive_that_does_not_give_the_raw_form() -> None:
    """Led away from the raw form, the memento is taken as it is given, and said to be rewritten."""
    asked, end = played(
        {
            GATE + ORIGINAL: head(302, f"Location: {MEMENTO}", "Vary: accept-datetime"),
            RAW: head(302, f"Location: {MEMENTO}"),
            MEMENTO: head(200, DATED),
        }
    )
    assert [one.url for one in asked] == [GATE + ORIGINAL, RAW, MEMENTO]
    assert isinstance(end, Found)
    assert end.memento.rawness is Rawness.REWRITTEN


def test_an_archive_that_applies_a_preference_says_that_it_is_raw() -> None:
    """Preference-Applied tells of a raw memento wherever it stands."""
    _, end = played({GATE + ORIGINAL: head(200, DATED, "Preference-Applied: original-content")})
    assert isinstance(end, Found)
    assert end.memento.rawness is Rawness.RAW


def test_another_address_than_asked_for_is_said() -> None:
    """The archive may stand for another original; that is a statement, and recorded as one."""
    _, end = played(
        {
            GATE + ORIGINAL: head(302, f"Location: {MEMENTO}", "Vary: accept-datetime"),
            RAW: head(200, DATED, "Link: <http://other.example/>; rel=original"),
        }
    )
    assert isinstance(end, Found)
    assert end.same_original is False


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (head(404), "not_archived"),
        (head(406), "not_acceptable"),
        (head(400), "bad_datetime"),
        (head(451), "withheld"),
        (head(403), "withheld"),
        (head(429), "busy"),
        (head(503), "busy"),
        (head(500), "http_500"),
        (head(200), "no_memento_datetime"),
        (head(200, "Memento-Datetime: last year"), "bad_memento_datetime"),
        (head(200, "Memento-Datetime:"), "bad_memento_datetime"),
        (head(302), "bad_location"),
        (head(302, "Location: ftp://h.example/"), "bad_location"),
        (head(302, "Location: http://[::1/"), "bad_location"),
        (head(302, "Location: javascript:alert(1)"), "bad_location"),
        (head(304), "http_304"),
        (head(302, f"Location: {GATE}{ORIGINAL}"), "too_many_redirects"),
    ],
)
def test_what_is_no_memento_has_a_reason(answer: ResponseHead, reason: str) -> None:
    """Every other answer ends the search with a stable word, loops too."""
    asked, end = played({GATE + ORIGINAL: answer})
    assert isinstance(end, NotFound)
    assert end.reason == reason
    assert len(asked) <= MAX_HOPS + 1


def test_a_known_memento_is_asked_for_in_its_raw_form() -> None:
    """A memento from a TimeMap needs no gate."""
    assert step_to(MEMENTO, ORIGINAL).url == RAW
    assert step_to(MEMENTO, ORIGINAL).fields == ()
    assert step_to("https://a.example/AB12", ORIGINAL).url == "https://a.example/AB12"


def test_addresses_in_fields_are_made_whole() -> None:
    """Relative addresses are resolved, and what is not ASCII is read as UTF-8 and escaped."""
    answer = head(
        302, "Location: /web/20200307080910/http://h.example/ä", "Link: </x>; rel=timegate"
    )
    found = read_memento_head(answer, url=GATE + ORIGINAL)
    assert found.location == "https://a.example/web/20200307080910/http://h.example/%C3%A4"
    assert found.links.timegate == "https://a.example/x"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://h.example", "https://www.H.example:443/", True),
        ("http://h.example/a/", "http://h.example/a", True),
        ("http://h.example/%7ea?%c3", "http://h.example/%7Ea?%C3", True),
        ("http://h.example/a", "http://h.example/A", False),
        ("http://h.example/a", "http://h.example/a?b", False),
        ("http://h.example/", "http://i.example/", False),
        ("http://h.example:81/", "http://h.example/", False),
    ],
)
def test_two_addresses_that_archives_file_together_are_the_same(
    one: str, other: str, same: bool
) -> None:
    """Scheme, www and a slash at the end part no two addresses; path, query and host do."""
    assert same_resource(one, other) is same


LINES = st.sampled_from(
    [
        DATED,
        "Memento-Datetime: x",
        "Vary: accept-datetime",
        f"Location: {MEMENTO}",
        f"Location: {RAW}",
        "Location: //",
        "Location: \udcff",
        f"Content-Location: {MEMENTO}",
        'Link: <x>; rel="original',
        f'Link: <{MEMENTO}>; rel="memento"; datetime="Sat, 07 Mar 2020 08:09:10 GMT"',
        "X-Archive-Orig-: x",
        "Preference-Applied: raw",
    ]
)


@given(
    st.lists(st.tuples(st.integers(200, 599), st.lists(LINES, max_size=4)), min_size=1, max_size=4)
)
def test_any_answers_come_to_an_end(script: list[tuple[int, list[str]]]) -> None:
    """Whatever an archive answers, the questions are bounded and nothing is raised."""
    step: Ask | Found | NotFound = first_step(parse_timegate(GATE), ORIGINAL, WANTED)
    asked = 0
    while isinstance(step, Ask):
        status, fields = script[asked % len(script)]
        raw = "\r\n".join([f"HTTP/1.1 {status} x", *fields, "", ""]).encode("utf-8", "replace")
        parsed = parse_response_head(raw)
        assert parsed is not None
        step = next_step(step, parsed)
        asked += 1
    assert asked <= MAX_HOPS + 1
