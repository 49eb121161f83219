"""The years of a collection: every document and capture is in one bar, and in the table."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.web.years import MOST_BARS, SIDE, spans
from tests.web_client import Client
from tests.web_fixture import harbour

COUNTS = st.dictionaries(st.integers(1000, 3000), st.integers(1, 10**6), max_size=30)


@given(published=COUNTS, captured=COUNTS)
def test_every_year_is_in_one_bar(published: dict[int, int], captured: dict[int, int]) -> None:
    """Bars follow each other without a gap, never more than find room, and add up."""
    found = spans(published, captured)
    assert len(found) <= MOST_BARS
    assert sum(one.published for one in found) == sum(published.values())
    assert sum(one.captured for one in found) == sum(captured.values())
    for one, after in pairwise(found):
        assert after.first == one.last + 1
    if found:
        years = {*published, *captured}
        assert (found[0].first, found[-1].last) == (min(years), max(years))
    for one in found:
        assert (float(one.up) > 0) == bool(one.published)
        assert (float(one.down) > 0) == bool(one.captured)
        assert float(one.up) <= SIDE and float(one.down) <= SIDE


def test_nothing_has_no_years() -> None:
    """Where no date is known and nothing was captured."""
    assert spans({}, {}) == ()


def test_a_collection_shows_its_years(tmp_path_factory: pytest.TempPathFactory) -> None:
    """As bars and, for those who do not see them, as a table."""
    client = Client(harbour(), tmp_path_factory.mktemp("years"))
    try:
        text = client.get("/collection/harbour-bridge").text
        table = text.split('class="years"')[1].split("<table")[1].split("</table>")[0]
        rows = re.findall(
            r'<tr><td>([^<]+)</td><td class="count">([^<]+)</td><td class="count">([^<]+)', table
        )
        published = Counter(
            str(card.published)[:4] for card in client.shelf.collection.documents if card.published
        )
        captured = Counter(one.captured_at[:4] for one in client.shelf.captures.values())
        assert {year: int(count) for year, count, _ in rows if count != "0"} == published
        assert {year: int(count) for year, _, count in rows if count != "0"} == captured
    finally:
        client.close()
