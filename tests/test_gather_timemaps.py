"""TimeMaps in link format and in the JSON forms in use, and the memento nearest to a date."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.gather.timemaps import Memento, TimeMap, TimeMapPage, nearest, read_timemap

URL = "https://a.example/web/timemap/link/http://h.example/"
FIRST = datetime(2019, 3, 1, 10, tzinfo=UTC)
SECOND = datetime(2020, 3, 1, 10, tzinfo=UTC)
THIRD = datetime(2021, 3, 1, 10, 5, 7, tzinfo=UTC)

LINK_FORMAT = """
 <https://a.example/another/name/of/this>; rel="self timemap",
 <https://a.example/web/timemap/link/http://h.example/>; rel="timemap",
 <http://h.example/>;rel="original",
 <https://a.example/web/timemap/link/http://h.example/>; rel="self";
   type="application/link-format"; from="Fri, 01 Mar 2019 10:00:00 GMT",
 <https://a.example/web/http://h.example/>; rel="timegate",
 </web/20210301100507/http://h.example/>; rel="last memento";
   datetime="Mon, 01 Mar 2021 10:05:07 GMT",
 <https://a.example/web/20190301100000/http://h.example/>; rel="first memento";
   datetime="Fri, 01 Mar 2019 10:00:00 GMT",
 <https://a.example/web/20200301100000/http://h.example/>
 ; rel="memento"; datetime="Sun, 01 Mar 2020 10:00:00 GMT"; license="http://l.example/",
 <https://a.example/web/bad/http://h.example/>; rel="memento"; datetime="yesterday",
 <https://a.example/web/timemap/link/2/http://h.example/>; rel="timemap"
   ; from="Mon, 01 Mar 2021 10:05:08 GMT"; until="Tue, 01 Mar 2022 00:00:00 GMT"
"""


def memento(stamp: str, instant: datetime, status: int | None = None) -> Memento:
    return Memento(
        url=f"https://a.example/web/{stamp}/http://h.example/", instant=instant, status=status
    )


MEMENTOS = (
    memento("20190301100000", FIRST),
    memento("20200301100000", SECOND),
    memento("20210301100507", THIRD),
)


def test_link_format_is_read() -> None:
    """Original, TimeGate, mementos in order of time, and the further pages; no memento undated."""
    assert read_timemap(LINK_FORMAT, url=URL) == TimeMap(
        original="http://h.example/",
        timegate="https://a.example/web/http://h.example/",
        mementos=MEMENTOS,
        pages=(
            TimeMapPage(
                url="https://a.example/web/timemap/link/2/http://h.example/",
                since=datetime(2021, 3, 1, 10, 5, 8, tzinfo=UTC),
                until=datetime(2022, 3, 1, tzinfo=UTC),
            ),
        ),
    )


def test_the_json_of_the_memento_guide_is_read() -> None:
    """A list of mementos, first and last beside it, and the pages before and after."""
    uris = [one.url for one in MEMENTOS]
    source = {
        "original_uri": "http://h.example/",
        "timegate_uri": "https://a.example/web/http://h.example/",
        "timemap_uri": {"json_format": "https://a.example/timemap/json/1/http://h.example/"},
        "mementos": {
            "last": {"datetime": "2021-03-01T10:05:07Z", "uri": [uris[2]]},
            "first": {"datetime": "2019-03-01T10:00:00Z", "uri": uris[0]},
            "list": [
                {"datetime": "2020-03-01T10:00:00Z", "uri": uris[1]},
                {"datetime": "2019-03-01T11:00:00+01:00", "uri": uris[0]},
                {"datetime": "soon", "uri": uris[0]},
                {"uri": uris[0]},
                "junk",
            ],
        },
        "pages": {"next": {"uri": "https://a.example/timemap/json/2/http://h.example/"}},
    }
    found = read_timemap(json.dumps(source), url=URL)
    assert found.original == "http://h.example/"
    assert found.timegate == "https://a.example/web/http://h.example/"
    assert found.mementos == MEMENTOS
    assert [page.url for page in found.pages] == [
        "https://a.example/timemap/json/2/http://h.example/"
    ]


def test_a_timemap_of_timemaps_names_its_pages() -> None:
    """An index holds no memento, and that is no fault."""
    source = {
        "timemap_index": [
            {"uri": "/tm/1/http://h.example/", "from": "2019-03-01T10:00:00Z"},
            {"uri": "/tm/2/http://h.example/", "until": "2021-03-01T10:05:07Z"},
        ]
    }
    found = read_timemap(json.dumps(source), url=URL)
    assert found == TimeMap(
        pages=(
            TimeMapPage(url="https://a.example/tm/1/http://h.example/", since=FIRST),
            TimeMapPage(url="https://a.example/tm/2/http://h.example/", until=THIRD),
        )
    )


ROWS: list[list[object] | str] = [
    ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest"],
    ["example,h)/", "20190301100000", "http://h.example/", "text/html", "200", "AAAA"],
    ["example,h)/", "20200301100000", "http://h.example/", "text/html", "301", "AAAB"],
    ["example,h)/", "20210301100507", "http://h.example/", "warc/revisit", "-", "AAAA"],
    ["example,h)/", "2021", 5],
    "junk",
]
NAMES = ("urlkey", "timestamp", "url", "mime", "status", "digest")
LINES = "\n".join(json.dumps(dict(zip(NAMES, list(row), strict=False))) for row in ROWS[1:5])


@pytest.mark.parametrize(
    "text", [json.dumps(ROWS), LINES, "\ufeff" + LINES + "\nbroken {"], ids=["rows", "lines", "cut"]
)
def test_the_json_of_index_servers_is_read(text: str) -> None:
    """Rows and lines name capture and status; the addresses follow from the TimeMap's own."""
    url = "https://a.example/web/timemap/json/http://h.example/"
    assert read_timemap(text, url=url) == TimeMap(
        original="http://h.example/",
        timegate="https://a.example/web/http://h.example/",
        mementos=(
            memento("20190301100000", FIRST, 200),
            memento("20200301100000", SECOND, 301),
            memento("20210301100507", THIRD),
        ),
    )


def test_rows_from_an_address_that_tells_no_prefix_name_no_memento() -> None:
    """No address is made up."""
    assert read_timemap(LINES, url="https://a.example/cdx?u=x").fault == "no_mementos"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no_mementos"),
        ("<html><p>Not found</p>", "no_mementos"),
        ("{", "bad_json"),
        ("[1, [2], {}]", "no_mementos"),
        ("{}", "no_mementos"),
        ("[" * 100_000, "bad_json"),
        ('{"mementos": {"list": ' + "[" * 100_000, "bad_json"),
        ('{"mementos": {"list": {"a": 1}, "first": 5}, "pages": 5}', "no_mementos"),
        ('{"timestamp": ' + "1" * 5000 + "}", "bad_json"),
        ('{"timestamp": "20200301", "url": {}}', "no_mementos"),
        ('[["timestamp", 5, null], [[], {}, 1]]', "no_mementos"),
        ('{"mementos": [{"datetime": "0001-01-01T00:00:00+23:00", "uri": "/x"}]}', "no_mementos"),
    ],
    ids=range(12),
)
def test_what_is_no_timemap_is_a_fault(text: str, fault: str) -> None:
    """Error pages, broken and hostile JSON give a word, no exception."""
    assert read_timemap(text, url=URL) == TimeMap(fault=fault)


def test_the_nearest_memento_is_chosen() -> None:
    """By distance in time; of two equally near the earlier one."""
    assert nearest(MEMENTOS, datetime(2020, 8, 1, tzinfo=UTC)) == MEMENTOS[1]
    assert nearest(MEMENTOS, datetime(1999, 1, 1, tzinfo=UTC)) == MEMENTOS[0]
    assert nearest(MEMENTOS, datetime(2031, 1, 1, tzinfo=UTC)) == MEMENTOS[2]
    middle = FIRST + (SECOND - FIRST) / 2
    assert nearest(reversed(MEMENTOS), middle) == MEMENTOS[0]
    assert nearest((), middle) is None


def test_a_memento_of_an_error_page_is_the_last_choice() -> None:
    """What is known to be no success counts only where there is nothing else."""
    gone, moved = memento("1", SECOND, 404), memento("2", THIRD, 301)
    good, unknown = memento("3", FIRST, 200), memento("4", FIRST)
    assert nearest([gone, moved, good], SECOND) == good
    assert nearest([gone, moved, unknown], SECOND) == unknown
    assert nearest([gone, moved], SECOND) == gone


WORDS = (
    "mementos list first last uri datetime timemap_index pages from until url original timestamp "
    "status original_uri timegate_uri"
)
KEYS = WORDS.split()

JSON = st.recursive(
    st.none()
    | st.integers()
    | st.sampled_from(["20200301100000", "http://h.example/", "2020-03-01T10:00:00Z", "200", "x"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read(source: object) -> None:
    """Whatever shape JSON has, nothing is raised, and mementos are in order of time."""
    found = read_timemap(json.dumps(source), url=URL)
    assert list(found.mementos) == sorted(found.mementos, key=lambda one: one.instant)
