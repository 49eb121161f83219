"""What was added by hand or imported is told as such wherever it stands, and whose its date is.

A date that a person stated, or another archive, is never told as this archive's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provenance.archive import Archive
from provenance.errors import UsageError
from provenance.holdings import Obtained
from provenance.model import OutcomeKind
from provenance.reading.facts import CaptureFacts
from provenance.reading.lookup import read_newest
from provenance.web.words import state_label, what_happened
from tests.web_client import Client
from tests.web_fixture import Shelf, a_collection, a_document, an_html_visit

SEEDS = """[collection]
id = "harbour"
title = "The harbour"
about = "A letter on a harbour bridge."

[[document]]
id = "letter"
title = "A letter on the bridge"
role = "independent"
publisher = "The pilots"
publisher_kind = "private"
url = "http://x.example/letter"
url_status = "recalled"
"""

STATED = datetime(2019, 2, 3, 4, 5, 6, tzinfo=UTC)
WORDS = "To the council, on the harbour bridge.\n"

Get = Callable[[str], Any]


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Get, str, str]]:
    """A real archive with one file, added today and said to be of 2019; its get, its ids."""
    folder = tmp_path_factory.mktemp("added")
    archive = Archive.init(folder / "root")
    (archive.root / "seeds" / "example.toml").unlink()
    (archive.root / "seeds" / "harbour.toml").write_text(SEEDS, "utf-8")
    letter = folder / "letter.txt"
    letter.write_text(WORDS, "utf-8")
    (outcome,) = archive.add(
        [letter], document="letter", url="http://x.example/letter", obtained_at=STATED
    )
    archive.index()
    datasette = archive.site()
    with asyncio.Runner() as runner:

        def get(path: str) -> Any:
            return runner.run(datasette.client.get(path))

        note = get(f"/capture/{outcome.capture_id}.json").json()["note"]
        yield get, str(outcome.capture_id), note["obtained"]["added_at"]


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_a_stated_date_is_told_as_stated(added: tuple[Get, str, str]) -> None:
    """The day on which a person added it comes first; nothing says it was kept in 2019."""
    get, capture_id, _ = added
    today = f"{datetime.now(UTC):%B %Y}"
    page = text_of(get(f"/capture/{capture_id}").text)
    said = re.search(r"On \d+ (\w+ \d{4}) a person added a file of 39 bytes by hand, and ", page)
    assert said and said[1] == today
    assert "and stated that it was obtained on 3 February 2019, 04:05:06 UTC." in page
    assert "it is the word of whoever added it" in page
    view = text_of(get(f"/view/{capture_id}").text)
    assert "Obtained, as stated 3 February 2019" in view
    assert re.search(rf"Added by hand \d+ {today}", view)
    assert "From, as stated" in view and "Kept on" not in view


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/collection/harbour",
        "/document/letter",
        "/search?q=council",
        "/feed.atom",
        "/view/{}",
        "/capture/{}",
        "/diff/{}/{}",
    ],
)
def test_a_file_that_was_added_is_marked_wherever_it_stands(
    added: tuple[Get, str, str], path: str
) -> None:
    """From the front page to the feed."""
    get, capture_id, _ = added
    page = get(path.format(capture_id, capture_id))
    assert page.status_code == 200
    assert "added by hand" in page.text.lower()
    assert "asked at" not in page.text and "Address asked" not in page.text


def test_programs_are_told_whose_the_date_is(added: tuple[Get, str, str]) -> None:
    """The visit ended when the file was added; the date stated stands with the content alone."""
    get, capture_id, added_at = added
    graph = get(f"/capture/{capture_id}.jsonld").json()["@graph"]
    visit = next(node for node in graph if node["@type"] == "prov:Activity")
    assert visit["prov:endedAtTime"]["@value"] == added_at
    assert "prov:used" not in visit
    assert "stated that it was obtained on 3 February 2019" in visit["dcterms:description"]
    content = next(node for node in graph if "schema:sha256" in node)
    assert content["prov:generatedAtTime"]["@value"] == added_at
    assert content["dcterms:date"]["@value"] == "2019-02-03T04:05:06.000000Z"


def test_a_feed_has_what_came_last(added: tuple[Get, str, str]) -> None:
    """By the day on which it came, whatever it is dated."""
    get, _, added_at = added
    feed = get("/feed.atom").text
    assert feed.count(f"<updated>{added_at}</updated>") == 2
    assert "2019" not in feed


def imported(at: str, came: str, url: str) -> Any:
    return an_html_visit(
        "notice",
        at,
        url,
        "<title>Notice</title><p>The harbour bridge closes at noon.",
        obtained=Obtained.IMPORTED,
        note={
            "obtained": {
                "how": "imported",
                "archive": "web.archive.example",
                "memento": "https://web.archive.example/1",
                "retrieved_at": came,
            },
            "robots": {"verdict": "not_asked", "reason": "the operator named the archive"},
        },
    )


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """An import of a copy of 2015 among sixty younger captures."""
    url = "https://council.example/notice"
    visits = [
        an_html_visit("minutes", f"2026-11-23T23:{at:02d}:00.000000Z", url, f"<p>minutes {at}")
        for at in range(60)
    ]
    visits.append(
        imported("2015-03-01T00:00:00.000000Z", "2026-11-23T23:30:30.000000Z", f"{url}/2015")
    )
    visits.append(
        an_html_visit(
            "part",
            "2026-11-23T23:59:30.000000Z",
            f"{url}/part",
            "<p>part",
            outcome=OutcomeKind.ERROR_STATUS,
            status=206,
        )
    )
    documents = [a_document(name) for name in ("minutes", "notice", "part")]
    client = Client(Shelf(a_collection(*documents), visits), tmp_path_factory.mktemp("crowd"))
    yield client
    client.close()


def test_an_import_stands_where_it_came(crowd: Client) -> None:
    """Among the newest of the feed, though its date is older than all of these."""
    feed = crowd.get("/feed.atom").text
    assert feed.count("<entry>") == 50
    updated = re.findall(r"<updated>([^<]+)</updated>", feed)[1:]
    assert updated == sorted(updated, reverse=True)
    assert "2026-11-23T23:30:30.000000Z" in updated
    assert "(imported from an archive)" in feed


def test_runs_that_overlap_hide_nothing_from_the_feed(crowd: Client, tmp_path: Path) -> None:
    """A long run that ends last has fifty captures; one that ended before it has a newer one."""
    path = tmp_path / "copy.db"
    path.write_bytes(crowd.path.read_bytes())
    with contextlib.closing(sqlite3.connect(path)) as conn:
        (row,) = conn.execute("select run, collection from run").fetchall()
        columns = "command, state, targets, outcomes"
        conn.execute("update run set ended_at = '2026-11-24T02:00:00.000000Z'")
        conn.execute(
            "insert into run (run, collection, started_at, ended_at, command, state, targets,"
            " outcomes) select 'short', collection, '2026-11-23T23:29:00.000000Z',"
            f" '2026-11-23T23:31:00.000000Z', {columns} from run where run = ?",
            row[:1],
        )
        conn.execute("update capture set run = 'short' where document = 'notice'")
        found = read_newest(conn, None, limit=50)
        assert "notice" in [line.document for line in found]
        assert len(found) == 50
        times = [line.came_at for line in found]
        assert times == sorted(times, reverse=True)
        within = read_newest(conn, row[1], limit=50)
        assert [line.capture_id for line in within] == [line.capture_id for line in found]


def test_an_import_is_told_as_the_word_of_that_archive(crowd: Client) -> None:
    """By its host's name; what kind of archive it is nobody knows."""
    capture_id = crowd.newest("notice")
    page = text_of(crowd.get(f"/capture/{capture_id}").text)
    assert (
        "The archive web.archive.example gave this as what it captured on 1 March 2015, 00:00:00 "
        "UTC. It was imported on 23 November 2026, not observed" in page
    )
    assert "public archive" not in page
    assert "was not asked for: the operator named the archive" in page
    view = text_of(crowd.get(f"/view/{capture_id}").text)
    assert "Captured, by the word of an archive 1 March 2015" in view
    assert re.search(r"Imported 23 November 2026, 23:30:30 UTC from web\.archive\.example", view)
    for path in ("/document/notice", "/search?q=noon", "/collection/harbour-bridge"):
        assert "imported from an archive" in crowd.get(path).text, path


def test_a_status_that_is_no_error_is_called_none(crowd: Client) -> None:
    """A part that nobody asked for, and word that nothing changed, are no errors."""
    capture_id = crowd.newest("part")
    page = text_of(crowd.get(f"/capture/{capture_id}").text)
    assert "the server answered with status 206 and a part of the document" in page
    assert "error" not in page.partition("How to read this page")[0]
    for path in ("/document/part", "/failures", "/collection/harbour-bridge", "/feed.atom"):
        assert "no document" in crowd.get(path).text, path
    assert state_label("error_status", 503) == "error page"


def test_an_import_that_is_not_the_document_says_so(crowd: Client) -> None:
    """One that was cut, an error page, and one that brought nothing."""
    row = crowd.get(f"/capture/{crowd.newest('notice')}.json").json()
    names = {field.name for field in fields(CaptureFacts)}
    kept = {name: value for name, value in row.items() if name in names}

    def told(**more: object) -> str:
        return what_happened(CaptureFacts(**{**kept, "flags": "[]", "note": "{}", **more}))

    assert told(outcome="truncated", truncated="length").endswith(
        "The answer was cut: a size limit was reached."
    )
    assert "It counts as “error page”" in told(outcome="error_status", status=404)
    assert "1 byte of content is kept" in told(size=1)
    nothing = told(outcome="failed", size=None, reason="dns")
    assert "ended as “failed”" in nothing and "kept" not in nothing and "imported" not in nothing


def test_nothing_is_obtained_after_it_is_added(tmp_path: Path) -> None:
    """A date to come would make it the newest copy for years; the file is not added."""
    archive = Archive.init(tmp_path / "root")
    letter = tmp_path / "letter.txt"
    letter.write_text(WORDS, "utf-8")
    with pytest.raises(UsageError, match="cannot have been obtained after it is added"):
        list(archive.add([letter], obtained_at=datetime(2999, 1, 1, tzinfo=UTC)))
    assert not list((archive.root / "archive").glob("*.warc*"))


def test_words_of_a_note_that_is_odd_claim_nothing(crowd: Client) -> None:
    """A note may come from anybody's file."""
    row = crowd.get(f"/capture/{crowd.newest('notice')}.json").json()
    names = {field.name for field in fields(CaptureFacts)}
    kept = {name: value for name, value in row.items() if name in names}

    def found(**more: str) -> CaptureFacts:
        return CaptureFacts(**{**kept, "flags": "[]", **more})

    for note in ("", "[]", '{"obtained": 3}', json.dumps({"obtained": {"archive": 7}})):
        words = what_happened(found(note=note))
        assert words.startswith("The archive that it was had from gave this as what it captured on")
        assert "imported, not observed" in words
    added = what_happened(found(note='{"obtained": {"at_stated": true}}', obtained="added"))
    assert added.startswith("A person added a file of")
    assert "stated that it was obtained on 1 March 2015" in added


def test_what_robots_txt_kept_out_after_a_redirect_is_told_apart(crowd: Client) -> None:
    """The first address was asked; the one that it led on to was not."""
    row = crowd.get(f"/capture/{crowd.newest('minutes')}.json").json()
    names = {field.name for field in fields(CaptureFacts)}
    kept = {name: value for name, value in row.items() if name in names}

    def told(note: str) -> str:
        denied = {"outcome": "denied", "reason": "robots", "flags": "[]", "note": note}
        return what_happened(CaptureFacts(**{**kept, **denied}))

    assert "the document was not asked for: the site's robots.txt says no." in told("{}")
    led = told('{"redirects": [{"url": "https://a.example/"}]}')
    assert "the server led on to another address, and that was not asked for: the site's" in led
