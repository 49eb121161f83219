"""Which TimeGate is asked, and for which instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.dates import (
    end_of_partial_date,
    format_http_date,
    parse_http_date,
    parse_stamp,
)
from provenance.errors import UsageError
from provenance.gather.timegate import Basis, parse_timegate, wanted_instant

RUN = datetime(2024, 6, 15, 12, 30, 5, 999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("published", "accept_datetime", "basis"),
    [
        ("2020-03-01", "Sun, 01 Mar 2020 23:59:59 GMT", Basis.PUBLISHED),
        ("2020-02", "Sat, 29 Feb 2020 23:59:59 GMT", Basis.PUBLISHED),
        ("2019", "Tue, 31 Dec 2019 23:59:59 GMT", Basis.PUBLISHED),
        ("2024-06-14", "Fri, 14 Jun 2024 23:59:59 GMT", Basis.PUBLISHED),
        ("2024-06-15", "Sat, 15 Jun 2024 12:30:05 GMT", Basis.RUN),
        ("2024", "Sat, 15 Jun 2024 12:30:05 GMT", Basis.RUN),
        ("2031-01-01", "Sat, 15 Jun 2024 12:30:05 GMT", Basis.RUN),
        (None, "Sat, 15 Jun 2024 12:30:05 GMT", Basis.RUN),
        ("0001-01-01", "Mon, 01 Jan 0001 23:59:59 GMT", Basis.PUBLISHED),
    ],
)
def test_a_document_is_asked_for_as_of_the_end_of_its_date(
    published: str | None, accept_datetime: str, basis: Basis
) -> None:
    """The end of the stated period, or the run's start where that is earlier or none is stated."""
    wanted = wanted_instant(published, started_at=RUN)
    assert (wanted.accept_datetime, wanted.basis) == (accept_datetime, basis)


@pytest.mark.parametrize("published", ["", "2020-13", "2020-02-30", "20200301", "soon"])
def test_what_is_no_date_is_refused(published: str) -> None:
    """A date that names no real days is a usage error."""
    with pytest.raises(UsageError):
        wanted_instant(published, started_at=RUN)


@pytest.mark.parametrize(
    ("timegate", "address"),
    [
        ("https://a.example/web/", "https://a.example/web/http://h.example/x?y=1&z"),
        ("https://a.example/web/{uri}", "https://a.example/web/http://h.example/x?y=1&z"),
        ("https://a.example/{url}/raw", "https://a.example/http://h.example/x?y=1&z/raw"),
        (
            "http://a.example/t?u={uri}&v=1",
            "http://a.example/t?u=http%3A%2F%2Fh.example%2Fx%3Fy%3D1%26z&v=1",
        ),
        ("http://a.example/t?u=", "http://a.example/t?u=http%3A%2F%2Fh.example%2Fx%3Fy%3D1%26z"),
        ("http://a.example/t?u={+uri}", "http://a.example/t?u=http://h.example/x?y=1&z"),
    ],
)
def test_the_original_address_is_put_where_the_timegate_wants_it(
    timegate: str, address: str
) -> None:
    """As it is in a path, percent-encoded in a query; the fragment stays behind."""
    assert parse_timegate(timegate).address_for("http://h.example/x?y=1&z#part") == address


@pytest.mark.parametrize(
    "timegate",
    [
        "",
        "a.example/web/",
        "ftp://a.example/",
        "https://a.example",
        "https://a.example/{uri}/{uri}",
        "https://a.example/{timestamp}/{uri}",
        "https://a.example/{uri",
        "https://user:secret@a.example/web/",
        "https://a.example/we b/",
        "https://a.example/#{uri}",
        "{uri}",
        "https://[::1/",
    ],
)
def test_what_is_no_timegate_is_refused(timegate: str) -> None:
    """One absolute http(s) address with at most one place for the original."""
    with pytest.raises(UsageError, match="TimeGate"):
        parse_timegate(timegate)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        (" Mon, 6 Nov 1994 08:49:37 UTC ", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sat, 31 Dec 2016 23:59:60 GMT", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Sun Nov  6 08:49:37 1994", None),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37 +0100", None),
        ("Sun, 31 Feb 1994 08:49:37 GMT", None),
        ("Sun, 06 Foo 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 0000 08:49:37 GMT", None),
        ("", None),
    ],
)
def test_an_http_date_has_one_form(text: str, instant: datetime | None) -> None:
    """Only the form that HTTP and Memento write is read."""
    assert parse_http_date(text) == instant


@given(st.datetimes(min_value=datetime(1, 1, 3), timezones=st.just(UTC)))
def test_an_http_date_is_read_as_it_was_written(instant: datetime) -> None:
    """What is written comes back, to the second; the zone is always UTC."""
    whole = instant.replace(microsecond=0)
    assert parse_http_date(format_http_date(instant)) == whole
    elsewhere = instant.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    assert format_http_date(elsewhere) == format_http_date(instant)


@pytest.mark.parametrize(
    ("stamp", "instant"),
    [
        ("20200229235958", datetime(2020, 2, 29, 23, 59, 58, tzinfo=UTC)),
        ("202002", datetime(2020, 2, 1, tzinfo=UTC)),
        ("2020", datetime(2020, 1, 1, tzinfo=UTC)),
        ("20200230000000", None),
        ("20200229245958", None),
        ("202", None),
        ("20201", None),
        ("2020022923595800", None),
        ("２０２０", None),
    ],
)
def test_a_stamp_is_the_first_instant_it_covers(stamp: str, instant: datetime | None) -> None:
    """Digits that are left out count as the earliest they could be."""
    assert parse_stamp(stamp) == instant


@given(st.dates())
def test_the_end_of_a_date_is_its_last_second(day: object) -> None:
    """One second later another day, month or year has begun."""
    text = str(day)
    for partial in (text, text[:7], text[:4]):
        end = end_of_partial_date(partial)
        assert end.strftime("%Y-%m-%d").zfill(10).startswith(partial)
        if end.year < 9999:
            assert not str((end + timedelta(seconds=1)).date()).startswith(partial)
