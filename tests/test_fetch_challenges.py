"""Walls in front of documents are recognised, kept and never versions; pages like them are not."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from provenance.http_message import parse_response_head
from provenance.landing.challenges import LOOKED_AT, RULES, matching_rule
from provenance.landing.rule import Rule, alternatives
from tests.challenge_pages import LONG, NEAR, WALLS, Site, at, page
from tests.fetch_rig import (
    Fetched,
    Play,
    fetched,
    findings,
    reply,
    rooted,
    run,
    runtime,
    web,
)

Told = dict[str, tuple[str, str | None, str | None]]
"""Outcome, reason and rule by a site's name."""


def visited(root: Path, sites: Mapping[str, Site]) -> Told:
    """Fetch all sites in one run, and read of each what its metadata record says."""
    pages = {key: value for site in sites.values() for key, value in site.pages.items()}
    with web(pages) as wire:
        done = fetched(root, wire, *(site.url for site in sites.values()))
    told = {note["url"]: note for note in done.notes()}
    assert findings(done.archive) == []
    return {
        name: (told[site.url]["outcome"], told[site.url]["reason"], told[site.url]["rule"])
        for name, site in sites.items()
    }


@pytest.fixture(scope="module")
def walls(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return visited(tmp_path_factory.mktemp("walls") / "root", WALLS)


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return visited(tmp_path_factory.mktemp("near") / "root", NEAR)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_page_in_the_shape_of_the_wall_is_matched(rule: Rule, walls: Told) -> None:
    """The outcome is `challenge`, and reason and note name this rule and no earlier one."""
    assert walls[rule.id] == ("challenge", rule.id, rule.id)


@pytest.mark.parametrize("name", NEAR)
def test_a_page_that_resembles_a_wall_is_taken_for_what_it_is(name: str, near: Told) -> None:
    """It is captured, or an error page where its status says so; no rule is named."""
    outcome, _, rule = near[name]
    assert rule is None
    assert outcome in ("captured", "error_status")


@pytest.mark.parametrize("rule", [each for each in RULES if each.longest], ids=lambda rule: rule.id)
def test_a_long_page_with_the_same_marks_is_no_wall(rule: Rule) -> None:
    """Where a rule bounds the size, the wall's own page followed by an article is the article."""
    name = f"{WALLS[rule.id].url.partition('://')[2]}"
    answer = WALLS[rule.id].pages[name]
    assert isinstance(answer, bytes)
    head = parse_response_head(answer)
    assert head is not None
    content = answer[head.size :]
    url = WALLS[rule.id].url
    assert matching_rule(head, content, asked=url, final=url) is rule
    assert matching_rule(head, content + LONG.encode(), asked=url, final=url) is not rule


def without_one_part(rule: Rule) -> Iterator[tuple[bytes, str, str]]:
    """Yield the rule's own wall with one thing missing: (answer, address asked, final address)."""
    url, answer = WALLS[rule.id].url, last_answer(WALLS[rule.id])
    final = last_address(WALLS[rule.id])
    head, gap, body = answer.partition(b"\r\n\r\n")
    for mark in rule.marks:
        spoiled = re.sub(mark, lambda found: b"." * len(found[0]), body, flags=re.IGNORECASE)
        assert spoiled != body
        yield head + gap + spoiled, url, final
    if rule.field:
        fields = head.split(b"\r\n")
        left = [each for each in fields if not each.lower().startswith(rule.field[0].encode())]
        assert len(left) < len(fields)
        yield b"\r\n".join(left) + gap + body, url, final
    if rule.statuses:
        yield re.sub(rb"\A(HTTP/1.1) \d+", rb"\1 200", head) + gap + body, url, final
    if rule.led_to:
        yield answer, url, url
        yield answer, final, final


def last_address(site: Site) -> str:
    answer = site.pages[site.url.partition("://")[2]]
    head = parse_response_head(answer) if isinstance(answer, bytes) else None
    return (head.value("location") if head else None) or site.url


def last_answer(site: Site) -> bytes:
    answer = site.pages[last_address(site).partition("://")[2]]
    assert isinstance(answer, bytes)
    return answer


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_wall_that_lacks_any_one_thing_is_not_matched(rule: Rule) -> None:
    """Every mark, field, status and redirect that a rule names is needed."""
    spoiled = list(without_one_part(rule))
    assert spoiled
    for answer, asked, final in spoiled:
        head = parse_response_head(answer)
        assert head is not None
        found = matching_rule(head, answer[head.size :], asked=asked, final=final)
        assert found is not rule


def test_rules_can_be_asked_and_read() -> None:
    """Ids are unique, patterns compile, sizes lie within what is looked at, and each says why."""
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert set(WALLS) == {rule.id for rule in RULES}
    for rule in RULES:
        assert rule.statuses or rule.field or rule.led_to or rule.marks, rule.id
        assert rule.longest is None or rule.longest < LOOKED_AT, rule.id
        assert rule.why.endswith("."), rule.id
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id)
        for mark in rule.marks:
            re.compile(mark)
            # Marks meet lower-case content: an upper-case letter could match nothing.
            assert not re.search(rb"[A-Z]", re.sub(rb"\\[A-Za-z]|\\x..", b"", mark)), rule.id


@pytest.mark.parametrize("rule", [each for each in RULES if each.marks], ids=lambda rule: rule.id)
def test_hostile_pages_are_looked_at_in_bounded_work(rule: Rule) -> None:
    """64 KiB of any mark's beginning, over and over, is looked at without running away."""
    head = parse_response_head(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    assert head is not None
    for start in (
        b"<meta ",
        b"<input ",
        b"<title> ",
        b"<body ",
        b"<form ",
        b"dd = { ",
        b">",
        b"<a ",
    ):
        hostile = start * (LOOKED_AT // len(start))
        matching_rule(head, hostile, asked="http://a.example/", final="http://a.example/")
        for mark in rule.marks:
            re.search(mark, hostile)


def both(root: Path) -> Fetched:
    """Fetch a wall and a page."""
    sites = [WALLS["anubis"], at("page", reply(page("The bridge", "<p>Open</p>")))]
    with web({key: value for site in sites for key, value in site.pages.items()}) as wire:
        return fetched(root, wire, *(site.url for site in sites))


def newest(done: Fetched) -> str | None:
    """Index the archive; return the capture id of the document's newest version."""
    done.archive.index()
    document = done.archive.document("doc-0")
    assert document is not None
    (found,) = done.archive.newest_of([document])
    return found.capture_id if found else None


def test_a_wall_is_kept_byte_for_byte(tmp_path: Path) -> None:
    """The response record holds what the wall sent, and the capture has its ids."""
    done = both(tmp_path / "root")
    wall = done.outcomes[0] if done.outcomes[0].outcome == "challenge" else done.outcomes[1]
    answer = WALLS["anubis"].pages["anubis.example/doc"]
    assert answer in [record.block for record in done.of_type("response")]
    assert wall.content_id is not None
    assert wall.capture_id is not None
    assert (wall.status, wall.reason) == (200, "anubis")


def test_a_wall_is_never_a_version(tmp_path: Path) -> None:
    """The index gives the document no newest version, and a later page is its first."""
    root = rooted(tmp_path / "root", "http://anubis.example/doc")
    wall = WALLS["anubis"].pages["anubis.example/doc"]
    with web({"anubis.example/doc": wall}) as wire:
        first = run(root, runtime(wire))
    assert newest(first) is None
    (capture,) = first.archive.captures_of("doc-0")
    assert (capture.outcome, capture.rule) == ("challenge", "anubis")
    with web({"anubis.example/doc": reply(page("The bridge", "<p>Open</p>"))}) as wire:
        second = run(root, runtime(wire))
    assert newest(second) == second.outcome.capture_id


def test_the_same_wall_twice_is_no_revisit(tmp_path: Path) -> None:
    """`unchanged` would make a version of it."""
    root = rooted(tmp_path / "root", "http://anubis.example/doc")
    with web(WALLS["anubis"].pages) as wire:
        outcomes = [run(root, runtime(wire)).outcome.outcome for _ in range(2)]
        records = run(root, runtime(wire)).of_type("revisit")
    assert outcomes == ["challenge", "challenge"]
    assert records == []


def test_show_says_which_rule_and_why(tmp_path: Path) -> None:
    """The rule's id and its explanation stand beside the capture."""
    done = both(tmp_path / "root")
    done.archive.index()
    call = [sys.executable, "-c", "from provenance.cli import main; main()"]
    call += ["-C", str(done.archive.root), "show", "doc-0"]
    shown = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    why = next(rule.why for rule in RULES if rule.id == "anubis")
    assert re.search(r"rule\s+anubis", shown)
    assert " ".join(why.split()) in " ".join(shown.split())


def test_fetch_ends_with_3_where_only_a_wall_came(tmp_path: Path) -> None:
    """Done, but a document has no version; the table and the JSON name the rule."""
    pages: dict[str, Play] = {}
    with web(pages) as wire:
        pages[f"{wire.address}:{wire.port}/doc"] = WALLS["anubis"].pages["anubis.example/doc"]
        root = rooted(tmp_path / "root", f"{wire.url}/doc")
        call = [sys.executable, "-c", "from provenance.cli import main; main()"]
        call += ["-C", str(root), "fetch", "--allow-private", "--delay", "0", "--json"]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert '"challenge"' in done.stdout
    assert '"anubis"' in done.stdout


def test_the_alternatives_of_a_mark_are_the_mark() -> None:
    """They are searched for one by one, for speed; nothing may be lost by it."""
    marks = [mark for rule in RULES for mark in rule.marks]
    parted = [alternatives(mark) for mark in marks]
    assert [b"|".join(parts) for parts in parted] == marks
    assert sum(re.compile(part).groups for parts in parted for part in parts) == sum(
        re.compile(mark).groups for mark in marks
    )
    assert alternatives(rb"a(b|c)[|]\||d") == [rb"a(b|c)[|]\|", b"d"]
    assert alternatives(rb"[\]|]|x") == [rb"[\]|]", b"x"]
