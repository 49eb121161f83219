"""The pure parts of the pages: words, evidence, snippets, addresses, settings and serving."""

from __future__ import annotations

import base64
import json
import queue
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.digest import digest_of
from provenance.model import OutcomeKind, RelationKind, Role
from provenance.reading.searching import JOINT, MARK, UNMARK, parse_snippet
from provenance.web import words
from provenance.web.evidence import head_text, offset_words, parse_note, read_evidence, visible
from provenance.web.languages import language_words
from provenance.web.render import breakable, coverage_segments, is_web_address, language_tag
from provenance.web.serving import AddressError, SiteServer
from provenance.web.site import SETTINGS, inspect_database
from tests.web_client import Client
from tests.web_fixture import harbour
from tests.web_server import site_over

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)
NOTE_KEYS = (
    *("target_uri", "detail", "peer", "dns", "tls", "timings_ms", "clock_offset_s"),
    *("redirects", "attempts", "redacted", "obtained", "robots", "surplus"),
)


def test_every_outcome_role_and_relation_has_words() -> None:
    """The model's words are all known to the pages, and each is explained."""
    for outcome in OutcomeKind:
        assert words.state_meaning(outcome)
    assert {str(role) for role in Role} < set(words.ROLES)
    assert {str(kind) for kind in RelationKind} == set(words.RELATIONS)


def test_roles_on_the_pages_mean_what_seeds_say() -> None:
    """Official is a body whose statements are at issue, as docs/seeds.md has it; no more."""
    assert words.ROLES["official"][1] == "From bodies whose statements are at issue"
    said = (Path(__file__).parents[1] / "docs" / "seeds.md").read_text("utf-8")
    assert "a document of a body whose statements are at issue" in said


def test_no_words_of_ours_rate_anything() -> None:
    """Neither labels nor explanations claim that something is true, real or trustworthy."""
    said = json.dumps([list(words.STATES.values()), list(words.ROLES.values())]).lower()
    for claim in ("authentic", "genuine", "trust", "true", "false", "verified"):
        assert claim not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2021-03-08", "8 March 2021"),
        ("2021-03", "March 2021"),
        ("2021", "2021"),
        ("2021-13", "2021-13"),
        ("soon", "soon"),
        ("1-2-3-4", "1-2-3-4"),
        (None, ""),
    ],
)
def test_dates_are_as_exact_as_they_are_given(text: str | None, said: str) -> None:
    """A month without a day stays a month; what is no date is shown as it stands."""
    assert words.partial_date_words(text) == said


def test_an_instant_that_is_none_is_shown_as_it_stands() -> None:
    """A foreign date does not break the page."""
    assert words.time_words("2026-11-23T23:49:33.123456Z") == "23 November 2026, 23:49:33 UTC"
    assert words.time_words("yesterday") == "yesterday"
    assert words.day_words(None) == ""


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (9_999, "9,999 bytes"),
        (10_000, "10 kB"),
        (999_499, "999 kB"),
        (999_999, "1 MB"),
        (4 * 1024**3, "4.29 GB"),
        (10**15, "1e+03 TB"),
        (None, ""),
    ],
)
def test_sizes_are_said_in_decimal_units(size: int | None, said: str) -> None:
    """Small sizes are exact, large ones have three digits."""
    assert words.size_words(size) == said


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(NOTE_KEYS), JSON))
def test_any_note_is_read(note: dict[str, object]) -> None:
    """A metadata record of any shape gives evidence, and strings only where strings are due."""
    found = read_evidence(parse_note(json.dumps(note)))
    assert all(isinstance(ip, str) for ip in found.dns)
    assert all(isinstance(hop.url, str) for hop in found.redirects)


@pytest.mark.parametrize("text", [None, "", "no JSON", "[]", "5", "[" * 100_000])
def test_a_note_that_is_no_object_is_empty(text: str | None) -> None:
    """Broken JSON and other values are read as an empty note."""
    assert parse_note(text) == {}


def test_certificates_are_named_by_their_hash() -> None:
    """The fingerprint is the SHA-256 of the DER bytes; what is no Base64 is left out."""
    der = b"certificate" * 9
    frame = b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
    chain = frame % base64.b64encode(der) + frame % b"no=base64"
    (found,) = read_evidence({"tls": {"version": "TLSv1.3"}}, chain).certificates
    assert found.fingerprint == digest_of(der)
    body = found.pem.removeprefix("-----BEGIN CERTIFICATE-----").removesuffix(
        "-----END CERTIFICATE-----"
    )
    assert base64.b64decode(body) == der


@settings(deadline=None)
@given(st.text(max_size=60), st.integers(1, 50))
def test_a_shortened_text_is_the_beginning_of_it(text: str, length: int) -> None:
    """At most `length` characters of the text and an ellipsis; a short text is left alone."""
    short = words.shortened(text, length)
    if len(text) <= length:
        assert short == text
    else:
        assert short.endswith("…")
        assert text.startswith(short[:-1]) and len(short) <= length + 1


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en", "English"),
        ("zh-Hans", "Chinese, simplified characters"),
        ("zh-hant-TW", "Chinese, traditional characters"),
        ("ug-Arab", "Uyghur, Arabic script"),
        ("pt-BR", "Portuguese (BR)"),
        ("tlh", "tlh"),
        ('x"><', 'x"><'),
        (None, ""),
    ],
)
def test_languages_are_called_by_their_names(tag: str | None, name: str) -> None:
    """A known tag has a name in English; an unknown one is shown as it stands."""
    assert language_words(tag) == name


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_head_becomes_text_that_can_be_seen(raw: bytes) -> None:
    """No byte of a head reaches the page as a control or direction-changing character."""
    shown = head_text(raw)
    assert shown.encode("utf-8").decode("utf-8") == visible(shown)


@pytest.mark.parametrize(
    ("offset", "said"),
    [
        (0, "0.0 seconds ahead"),
        (119.9, "119.9 seconds ahead"),
        (-120.0, "2 minutes behind"),
        (7_199, "120 minutes ahead"),
        (177_276_450.9, "2,052 days ahead"),
    ],
)
def test_a_clock_offset_is_said_in_a_unit_of_its_size(offset: float, said: str) -> None:
    """A server whose clock is years off is not told in seconds."""
    assert offset_words(offset) == said


def test_a_long_head_is_cut_and_says_so() -> None:
    """A head of any size gives a page of bounded size."""
    shown = head_text(b"X-Long: " + b"a" * 200_000)
    assert len(shown) < 70_000
    assert shown.endswith("more bytes")


def test_a_latin_1_head_is_read_as_such() -> None:
    """Bytes that are no UTF-8 are read as Latin-1, as HTTP had it."""
    assert head_text(b"X-Name: St\xf8berg\r\n\r\n") == "X-Name: Støberg"


@settings(deadline=None)
@given(st.text(alphabet=f"ab 大{MARK}{UNMARK}{JOINT}<", max_size=40))
def test_a_snippet_keeps_the_text_and_drops_the_marks(marked: str) -> None:
    """Whatever marks a text holds by itself, the pieces are its text without them."""
    pieces = parse_snippet(marked)
    text = "".join(piece.text for piece in pieces)
    plain = "".join(letter for letter in marked if letter not in MARK + UNMARK + JOINT)
    assert text.split() == plain.split()
    assert all(piece.text for piece in pieces)


def test_neighbouring_characters_are_marked_as_one_word() -> None:
    """A word found as single characters is one mark."""
    marked = f"港口{MARK}大{JOINT}桥{UNMARK}提"
    assert [(piece.text, piece.marked) for piece in parse_snippet(marked)] == [
        ("港口", False),
        ("大桥", True),
        ("提", False),
    ]


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("https://gazette.example/", True),
        ("HTTP://gazette.example", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//gazette.example/", False),
        ("https:gazette.example", False),
        ("https:///path", False),
        ("https://a.example/\n", False),
        ("https://a.example\\@b.example/", False),
        ("https://[broken", False),
        (" https://a.example/", False),
        ("", False),
        (None, False),
    ],
)
def test_only_web_addresses_become_links(url: str | None, is_one: bool) -> None:
    """A link is absolute, http or https, with a host and nothing unseen in it."""
    assert is_web_address(url) is is_one


@settings(deadline=None)
@given(st.text(max_size=60))
def test_breakable_addresses_stay_escaped(url: str) -> None:
    """The places to break a line are the only markup, and the address is otherwise the same."""
    marked = breakable(url)
    assert "<" not in marked.replace("<wbr>", "")
    assert marked.replace("<wbr>", "") == type(marked).escape(url)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("zh-Hans", "zh-Hans"),
        ("en", "en"),
        ('en" onclick="x', ""),
        ("e", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_language_tag_has_the_shape_of_one(text: str | None, tag: str) -> None:
    """Anything else is no language."""
    assert language_tag(text) == tag


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*words.STATES, "new"]), st.integers(1, 99)))
def test_the_bar_is_full_and_in_order(by_state: dict[str, int]) -> None:
    """The parts of a coverage bar add up to the whole and keep the order of the states."""
    parts = coverage_segments(by_state)
    assert {part["state"]: part["documents"] for part in parts} == by_state
    widths = [float(str(part["w"])) for part in parts]
    assert not parts or abs(sum(widths) - 100) < 0.1
    known = [part["state"] for part in parts if part["state"] in words.STATES]
    assert known == [state for state in words.STATES if state in by_state]


def test_settings_are_known_to_datasette_and_keep_tables_fast(tmp_path: Path) -> None:
    """Every setting exists; facets are not suggested, tracing is off, the file is immutable."""
    client = Client(harbour(), tmp_path)
    try:
        settings = client.get("/-/settings.json").json()
        assert SETTINGS.items() <= settings.items()
        assert settings["suggest_facets"] is False
        assert settings["trace_debug"] is False
        database = client.datasette.get_database("provenance")
        assert database.is_mutable is False
        assert database.hash == digest_of(client.path.read_bytes()).removeprefix("sha256:")
    finally:
        client.close()


def test_inspection_counts_every_table(tmp_path: Path) -> None:
    """What Datasette need not count while it serves is counted once."""
    counts = inspect_database(harbour().write(tmp_path))["tables"]
    assert counts["document"] == {"count": 14}
    assert counts["capture"] == {"count": 15}


def test_descriptions_are_shown_beside_the_tables(tmp_path: Path) -> None:
    """Metadata handed in reaches Datasette's table page."""
    described = {
        "databases": {
            "provenance": {
                "tables": {
                    "capture": {
                        "description": "One row per outcome.",
                        "columns": {"outcome": "The fate of one document in one run."},
                    }
                }
            }
        }
    }
    client = Client(harbour(), tmp_path, metadata=described)
    try:
        text = client.get("/provenance/capture").text
        assert "One row per outcome." in text
        assert "The fate of one document in one run." in text
    finally:
        client.close()


def test_sql_can_be_switched_off(tmp_path: Path) -> None:
    """For a public site, free SQL can be refused; the tables stay."""
    client = Client(harbour(), tmp_path, settings={"default_allow_sql": False})
    try:
        refused = client.get("/provenance?sql=select+1", follow_redirects=True)
        assert refused.status_code == 403
        assert "<h1>Not available</h1>" in refused.text
        assert client.get("/provenance/capture").status_code == 200
        assert client.get("/search?q=bridge").status_code == 200
    finally:
        client.close()


def test_a_taken_port_is_a_clear_error(tmp_path: Path) -> None:
    """A second server on the same port says where it could not be, and does not end the process."""
    shelf = harbour()
    site = site_over(shelf, shelf.write(tmp_path))
    addresses: queue.Queue[str] = queue.Queue()
    first = SiteServer(site, host="127.0.0.1", port=0, announce=addresses.put)
    thread = threading.Thread(target=first.run, daemon=True)
    thread.start()
    address = addresses.get(timeout=30)
    try:
        assert address.startswith("http://127.0.0.1:") and address.endswith("/")
        port = int(address.rstrip("/").rpartition(":")[2])
        second = SiteServer(site, host="127.0.0.1", port=port, announce=addresses.put)
        with pytest.raises(AddressError, match=f"127.0.0.1 port {port}"):
            second.run()
        assert addresses.empty()
    finally:
        first.stop()
        thread.join(timeout=30)
    assert not thread.is_alive()
