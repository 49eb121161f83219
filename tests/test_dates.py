"""Instants and partial dates: one written form, ASCII digits alone, nothing outside the years."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.dates import (
    format_instant,
    format_seconds,
    format_stamp17,
    parse_instant,
    parse_partial_date,
)
from provenance.errors import UsageError

INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(INSTANTS)
def test_what_is_written_is_read_back(instant: datetime) -> None:
    """Every instant from year 1 to 9999 comes back as it was, in text of one length."""
    text = format_instant(instant)
    assert parse_instant(text) == instant
    assert len(text) == 27
    assert parse_instant(format_seconds(instant)) == instant.replace(microsecond=0)
    assert len(format_stamp17(instant)) == 17


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2021-02-22T09:30:00",
        "2021-02-30",
        "２０２１-02-22",
        "2021-02-22T09:30:00.1234567٣Z",
        "2021-02-22T09:30:00Z\x00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
    ids=ascii,
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """A time without a zone, digits of another script and times outside the years are refused."""
    with pytest.raises(UsageError):
        parse_instant(text)


@pytest.mark.parametrize(
    "text", ["２０２１", "2021-０２", "2021-02-٢٢", "0000", "2021-2", "2021-02-30", ""]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    """Digits of another script, days that do not exist and short forms are refused."""
    with pytest.raises(UsageError):
        parse_partial_date(text)


@pytest.mark.parametrize("text", ["2021", "2021-02", "2024-02-29"])
def test_a_date_comes_back_as_it_is(text: str) -> None:
    """A year, a month and a day are dates."""
    assert parse_partial_date(text) == text
