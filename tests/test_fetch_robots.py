"""robots.txt is asked for once, recorded, and obeyed as RFC 9309 says."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.fetch.robots import ROBOTS_LIMIT, Robots, read_robots, robots_url
from tests.fetch_rig import (
    NOWHERE,
    SETTINGS,
    Clock,
    Fetched,
    Play,
    fetched,
    findings,
    in_turn,
    leading_to,
    reply,
    rooted,
    run,
    runtime,
    web,
)

CORPORA = Path(__file__).parents[2] / "shared" / "corpora"
VECTORS = CORPORA / "other" / "robots" / "google-robotstxt-vectors.json"
PAGE = reply(b"<p>The notice.</p>")


def text(rules: str | bytes, *fields: str, status: str = "200 OK") -> bytes:
    raw = rules if isinstance(rules, bytes) else rules.encode()
    return reply(raw, *fields, status=status, media="text/plain")


def robots(rules: str | bytes) -> Robots:
    raw = rules if isinstance(rules, bytes) else rules.encode()
    return read_robots("http://a.example/robots.txt", 200, raw)


def allows(rules: str | bytes, path: str, agent: str = "provenance") -> bool:
    return robots(rules).allows(f"http://a.example{path}", agent)


def asked(root: Path, answer: Play, path: str = "/doc", **more: Play) -> Fetched:
    """Fetch one document from a host whose robots.txt answers so."""
    pages: dict[str, Play] = {"a.example/robots.txt": answer, f"a.example{path}": PAGE}
    with web(pages | more) as wire:
        return fetched(root, wire, f"http://a.example{path}")


# What the rules say


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        # Longest match, in octets; Allow among equals (§2.2.2).
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/b/c", True),
        ("User-agent: *\nAllow: /a\nDisallow: /a/b", "/a/b", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: *\nDisallow: /", "/", False),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nAllow: /a\nDisallow: /", "/", False),
        ("", "/a", True),
        # Case (§2.2.2): names of fields and agents do not care, paths do.
        ("USER-AGENT: Provenance\nDISALLOW: /a", "/a", False),
        ("User-agent: *\nDisallow: /A", "/a", True),
        # Wildcards (§2.2.3).
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?page=2", True),
        ("User-agent: *\nDisallow: /*.pdf", "/x/y.pdf?page=2", False),
        ("User-agent: *\nDisallow: /a*b*c", "/a1b2c3", False),
        ("User-agent: *\nDisallow: /a*b*c", "/a1c2b3", True),
        ("User-agent: *\nDisallow: /a$", "/ab", True),
        ("User-agent: *\nDisallow: /a$b", "/a$b", False),
        ("User-agent: *\nDisallow: /*", "/any", False),
        # Queries are part of what is matched.
        ("User-agent: *\nDisallow: /*?print=", "/a?print=1", False),
        ("User-agent: *\nDisallow: /a?", "/a", True),
        # Percent-encoding (§2.2.2): both spellings are one.
        ("User-agent: *\nDisallow: /caf\u00e9", "/caf%C3%A9", False),
        ("User-agent: *\nDisallow: /caf%c3%a9", "/caf%C3%A9", False),
        ("User-agent: *\nDisallow: /%61", "/a", False),
        ("User-agent: *\nDisallow: /a%2Fb", "/a/b", True),
        ("User-agent: *\nDisallow: /\u516c\u544a/", "/%E5%85%AC%E5%91%8A/1", False),
        (b"User-agent: *\nDisallow: /caf\xe9", "/caf%E9", False),
        (b"User-agent: *\nDisallow: /caf\xe9", "/caf%C3%A9", True),
        # Lines: any line end, white space, comments, a byte order mark (§2.2, §2.3).
        (b"\xef\xbb\xbfUser-agent: *\nDisallow: /a", "/a", False),
        ("User-agent: *\rDisallow: /a\r", "/a", False),
        ("User-agent: *\r\nDisallow: /a\r\n", "/a", False),
        ("  User-agent :\t* # all\n\tDisallow\t:  /a  # no\n", "/a", False),
        ("User-agent: *\nDisallow: /a\u2028b", "/a", True),
        (b"User-agent: *\nDisallow: /a\x0bDisallow: /b", "/b", True),
        (b"User-agent: *\n\x00\xff\xfe\nDisallow: /a", "/a", False),
        # Other records end no group and begin none (§2.2.4).
        ("User-agent: x\nSitemap: /s\nUser-agent: *\nDisallow: /a", "/a", False),
        ("User-agent: x\nHost: a.example\nUser-agent: *\nDisallow: /a", "/a", False),
        # Crawl-delay is read, and so is a rule of its group like another.
        ("User-agent: *\nCrawl-delay: 5\n\nUser-agent: x\nDisallow: /", "/a", True),
        ("User-agent: *\nDisallow: /a\n\nSitemap: /s\n\nDisallow: /b", "/b", False),
        ("Disallow: /a", "/a", True),
    ],
)
def test_a_path_is_allowed_or_not(rules: str | bytes, path: str, allowed: bool) -> None:
    """Rules are read as RFC 9309 §2.2 says."""
    assert allows(rules, path) is allowed


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ("User-agent: provenance\nAllow: /\n\nUser-agent: *\nDisallow: /", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: provenance\nAllow: /", True),
        ("User-agent: provenance\nDisallow: /\n\nUser-agent: *\nAllow: /", False),
        ("User-agent: provenance/1.0\nDisallow: /", False),
        ("User-agent: Provenance bot\nDisallow: /", False),
        ("User-agent: prov\nDisallow: /", True),
        ("User-agent: provenance-archive\nDisallow: /", True),
        ("User-agent: p\nDisallow: /\n\nUser-agent: *\nAllow: /", True),
        ("User-agent: other\nUser-agent: provenance\nDisallow: /", False),
        ("User-agent: other\nDisallow: /", True),
        ("User-agent: provenance\nDisallow:\n\nUser-agent: *\nDisallow: /", True),
        # Groups of one name are joined (§2.2.1).
        ("User-agent: provenance\nAllow: /b\n\nUser-agent: provenance\nDisallow: /", False),
        ("User-agent: provenance\n\nUser-agent: *\nDisallow: /", False),
        ("User-agent:\nDisallow: /", True),
    ],
)
def test_the_group_that_names_the_product_counts(rules: str, allowed: bool) -> None:
    """The whole product token must be named, whatever its version; `*` is for all others."""
    assert allows(rules, "/a") is allowed


@pytest.mark.shared
@pytest.mark.skipif(not VECTORS.is_file(), reason="no shared corpora beside the checkout")
def test_the_vectors_of_another_parser_hold() -> None:
    """Every verdict of Google's published tests is ours too."""
    vectors = json.loads(VECTORS.read_text("utf-8"))["vectors"]
    wrong = [
        (each["group"], each["user_agent"], each["url"])
        for each in vectors
        if robots(each["robots_txt"]).allows(each["url"], each["user_agent"]) != each["allowed"]
    ]
    assert len(vectors) > 40
    assert wrong == []


def test_rules_beyond_the_limit_are_not_read_and_half_a_rule_is_none() -> None:
    """A rule within 500 KiB binds, one past it does not, and one that the limit cuts is dropped."""
    start = b"User-agent: *\nDisallow: /near\n"
    comment = b"# %s\n" % (b"x" * (ROBOTS_LIMIT - len(start) - len(b"# \n") - len(b"Disallow: /")))
    long = start + comment + b"Disallow: /far\nDisallow: /farther\n"
    assert long[:ROBOTS_LIMIT].endswith(b"\nDisallow: /")
    assert not allows(long, "/near")
    assert allows(long, "/far")
    assert allows(long, "/other")
    assert not allows(b"User-agent: *\nDisallow: /", "/other")


@given(st.binary(max_size=400), st.text(max_size=40))
def test_any_bytes_are_read_without_an_error(raw: bytes, path: str) -> None:
    """Whatever a server calls robots.txt, it says yes or no."""
    for content in (raw, b"User-agent: *\nDisallow: /" + raw, b"User-agent: provenance\n" + raw):
        said = robots(content)
        assert said.allows(f"http://a.example/{path}", "provenance") in (True, False)
        assert 0.0 <= said.delay_s("provenance") <= 30.0


@pytest.mark.parametrize(
    "hostile",
    [
        b"user-agent: a\n" * 18_000 + b"allow: /\n" * 25_000,
        b"user-agent: *\ndisallow: /" + b"a*" * 240_000,
        b"user-agent: *\n" + b"disallow: /*a*b$\n" * 28_000,
        b"\xff" * ROBOTS_LIMIT,
        b"user-agent: *\n" + b"disallow: /%zz" * 35_000,
    ],
)
def test_a_hostile_robots_txt_costs_no_more_than_its_size(hostile: bytes) -> None:
    """Many agents, many rules, many wildcards: half a megabyte of them is read and answered."""
    assert robots(hostile).allows("http://a.example/x" + "a" * 2000, "other")


@pytest.mark.parametrize(
    ("url", "asked_at"),
    [
        ("http://a.example/b/c?d#e", "http://a.example/robots.txt"),
        ("http://user:secret@a.example/", "http://a.example/robots.txt"),
        ("HTTP://A.Example:80/", "http://a.example/robots.txt"),
        ("https://a.example:443/", "https://a.example/robots.txt"),
        ("https://a.example:80/", "https://a.example:80/robots.txt"),
        ("http://a.example:8080/", "http://a.example:8080/robots.txt"),
        ("http://[2001:DB8::1]/", "http://[2001:db8::1]/robots.txt"),
        ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080/robots.txt"),
    ],
)
def test_a_robots_txt_speaks_for_one_authority(url: str, asked_at: str) -> None:
    """Scheme, host and port are what it speaks for; spelling and credentials are not."""
    assert robots_url(url) == asked_at


@pytest.mark.parametrize(
    ("rules", "delay_s"),
    [
        ("User-agent: *\nCrawl-delay: 2.5", 2.5),
        ("User-agent: *\nCrawl-delay: 900", 30.0),
        ("User-agent: *\nCrawl-delay: soon", 0.0),
        ("User-agent: *\nCrawl-delay: -4", 0.0),
        ("User-agent: *\nCrawl-delay: inf", 0.0),
        ("User-agent: *\nDisallow: /", 0.0),
        ("User-agent: *\nCrawl-delay: 9\n\nUser-agent: provenance\nCrawl-delay: 3", 3.0),
        ("User-agent: *\nCrawl-delay: 9\n\nUser-agent: provenance\nAllow: /", 0.0),
        ("User-agent: provenance\nDisallow: /a\nCrawl-delay: 4\nDisallow: /b", 4.0),
    ],
)
def test_a_crawl_delay_is_read_from_the_group_that_counts(rules: str, delay_s: float) -> None:
    """Seconds, at most half a minute; what is no number is no delay."""
    assert robots(rules).delay_s("provenance") == delay_s


# What a fetch does about it


@pytest.mark.parametrize("status", ["400 x", "401 x", "403 x", "404 x", "410 x", "429 x"])
def test_a_4xx_allows(tmp_path: Path, status: str) -> None:
    """There are no rules, whatever the error page says."""
    done = asked(tmp_path / "root", text("User-agent: *\nDisallow: /", status=status))
    assert done.outcome.outcome == "captured"
    assert done.note["robots"]["verdict"] == "allowed"
    (robots_note,) = done.notes("robots")
    assert robots_note["status"] == int(status[:3])


@pytest.mark.parametrize("status", ["500 x", "502 x", "503 x", "599 x", "206 x"])
def test_a_5xx_and_a_part_deny_as_unavailable(tmp_path: Path, status: str) -> None:
    """The document is not asked for, and the archive says why."""
    pages = {"a.example/robots.txt": text("User-agent: *\nAllow: /", status=status)}
    with web(pages | {"a.example/doc": PAGE}) as wire:
        done = fetched(tmp_path / "root", wire, "http://a.example/doc")
        assert not any(b"/doc" in head for head in wire.requests)
    assert (done.outcome.outcome, done.outcome.reason) == ("denied", "robots_unavailable")
    assert done.note["robots"] == {
        "url": "http://a.example/robots.txt",
        "verdict": "denied",
        "reason": "robots_unavailable",
    }
    assert done.notes("robots")[0]["status"] == int(status[:3])
    assert findings(done.archive) == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(None, "disconnect"), (b"SSH-2.0-OpenSSH\r\n", "bad_response"), (b"", "timeout")],
)
def test_a_robots_txt_that_fails_in_transport_fails_the_document(
    tmp_path: Path, answer: bytes | None, reason: str
) -> None:
    """The document gets the same reason; the failed robots.txt is a record of its own."""
    pages: dict[str, Play] = {"a.example/robots.txt": answer, "a.example/doc": PAGE}
    with web(pages) as wire:
        settings = replace(SETTINGS, timeout_s=1.5)
        done = fetched(tmp_path / "root", wire, "http://a.example/doc", settings=settings)
        assert not any(b"/doc" in head for head in wire.requests)
    assert (done.outcome.outcome, done.outcome.reason) == ("failed", reason)
    (robots_note,) = done.notes("robots")
    assert (robots_note["reason"], robots_note["target_uri"]) == (
        reason,
        "http://a.example/robots.txt",
    )
    assert findings(done.archive) == []


def test_a_denied_path_is_not_asked_for(tmp_path: Path) -> None:
    """The denial is a metadata record alone, and robots.txt stands in the archive as evidence."""
    rules = text("User-agent: *\nDisallow: /doc")
    with web({"a.example/robots.txt": rules, "a.example/doc": PAGE}) as wire:
        done = fetched(tmp_path / "root", wire, "http://a.example/doc")
        assert [head.split()[1] for head in wire.requests] == [b"/robots.txt"]
    assert (done.outcome.outcome, done.outcome.reason) == ("denied", "robots")
    assert done.outcome.capture_id is not None
    assert done.note["robots"]["verdict"] == "denied"
    (response,) = done.of_type("response")
    assert (response.uri, response.block) == ("http://a.example/robots.txt", rules)
    assert findings(done.archive) == []


@pytest.mark.parametrize(("hops", "outcome"), [(1, "denied"), (5, "denied"), (6, "captured")])
def test_five_redirects_of_robots_txt_are_followed(tmp_path: Path, hops: int, outcome: str) -> None:
    """Across hosts; a sixth means that there are no rules (§2.3.1.2). Each hop is recorded."""
    pages: dict[str, Play] = {
        f"r{hop}.example/robots.txt": leading_to(f"http://r{hop + 1}.example/robots.txt")
        for hop in range(1, hops)
    }
    pages["a.example/robots.txt"] = leading_to("http://r1.example/robots.txt")
    pages[f"r{hops}.example/robots.txt"] = text("User-agent: *\nDisallow: /")
    pages["a.example/doc"] = PAGE
    with web(pages) as wire:
        done = fetched(tmp_path / "root", wire, "http://a.example/doc")
    assert done.outcome.outcome == outcome
    assert [note["hop"] for note in done.notes("robots")] == list(range(min(hops, 5) + 1))
    assert findings(done.archive) == []


def test_rules_that_a_redirect_led_to_bind_the_host_that_was_asked(tmp_path: Path) -> None:
    """They are rules for its paths, and not for the host that served them."""
    pages = {
        "a.example/robots.txt": leading_to("http://b.example/rules.txt"),
        "b.example/rules.txt": text("User-agent: *\nDisallow: /doc"),
        "a.example/doc": PAGE,
        "b.example/doc": PAGE,
    }
    with web(pages) as wire:
        done = fetched(tmp_path / "root", wire, "http://a.example/doc", "http://b.example/doc")
    said = {outcome.url: str(outcome.outcome) for outcome in done.outcomes}
    assert said == {"http://a.example/doc": "denied", "http://b.example/doc": "captured"}


def test_a_robots_txt_is_asked_for_once_for_a_host(tmp_path: Path) -> None:
    """Many documents, and two spellings of the host; the answer is recorded once."""
    pages = {f"a.example/{number}": PAGE for number in range(4)} | {"a.example/5": PAGE}
    pages["a.example/robots.txt"] = text("User-agent: *\nAllow: /")
    urls = [f"http://a.example/{number}" for number in range(4)] + ["http://a.example:80/5"]
    with web(pages) as wire:
        done = fetched(tmp_path / "root", wire, *urls)
        assert sum(b"robots.txt" in head for head in wire.requests) == 1
    assert [str(outcome.outcome) for outcome in done.outcomes] == ["captured"] * 5
    assert len(done.notes("robots")) == 1


def test_each_collection_holds_the_robots_txt_of_its_hosts(tmp_path: Path) -> None:
    """Each can be handed on by itself, and no race decides which of them has it."""
    pages: dict[str, Play] = {"a.example/doc": PAGE, "a.example/1": PAGE, "a.example/2": PAGE}
    pages["a.example/robots.txt"] = text("User-agent: *\nAllow: /")
    root = rooted(tmp_path / "root", "http://a.example/doc", "http://a.example/1")
    seeds = root / "seeds" / "example.toml"
    other = seeds.read_text("utf-8").replace('"test"', '"second"').replace('"doc-', '"more-')
    (root / "seeds" / "second.toml").write_text(other, "utf-8")
    with web(pages) as wire:
        done = run(root, runtime(wire))
        assert sum(b"robots.txt" in head for head in wire.requests) == 2
    assert sorted(note["collection"] for note in done.notes("robots")) == ["second", "test"]
    assert len({record.fields["WARC-Record-ID"] for record in done.records}) == len(done.records)
    assert not findings(done.archive)


def test_a_document_whose_time_runs_out_spoils_no_robots_txt_for_others(tmp_path: Path) -> None:
    """robots.txt has a time of its own, for it is asked for all documents of the host."""
    clock = Clock()

    def late() -> bytes:
        clock.slept.append(59.0)
        return leading_to("http://b.example/doc")

    def slow() -> bytes:
        clock.slept.append(2.0)
        return NOWHERE

    pages: dict[str, Play] = {"b.example/robots.txt": slow, "b.example/doc": PAGE}
    pages |= {"a.example/late": late, "a.example/lead": leading_to("http://b.example/doc")}
    urls = ["http://a.example/late", "http://a.example/lead"]
    with web(pages) as wire:
        settings = replace(SETTINGS, max_time_s=60.0, jobs=1)
        done = fetched(tmp_path / "root", wire, *urls, clock=clock, settings=settings)
    said = {each.url: each.outcome for each in done.outcomes}
    assert said["http://a.example/lead"] == "captured"
    assert findings(done.archive) == []


def test_a_small_limit_for_documents_cuts_no_rules_off(tmp_path: Path) -> None:
    """Each robots.txt is read up to its own limit (§2.5), however little of a body is wanted."""
    rules = text("# " + "x" * 1000 + "\nUser-agent: *\nDisallow: /shut")
    with web({"a.example/robots.txt": rules, "a.example/open": PAGE}) as wire:
        urls = ("http://a.example/shut", "http://a.example/open")
        done = fetched(tmp_path / "root", wire, *urls, settings=replace(SETTINGS, max_bytes=5))
    said = [(str(each.outcome), each.reason) for each in done.outcomes]
    assert said == [("denied", "robots"), ("truncated", "length")]
    assert findings(done.archive) == []


def test_a_collection_that_may_not_reach_a_host_shuts_it_for_no_other(tmp_path: Path) -> None:
    """Which of two collections comes first decides nothing."""
    for number, first in enumerate(("0.toml", "z.toml")):
        with web({"a.example/doc": PAGE}) as wire:
            root = rooted(tmp_path / str(number), "http://a.example/doc", networks="127.0.0.0/8")
            opened = (root / "seeds" / "example.toml").read_text("utf-8")
            shut = opened.replace("allow_networks = ['127.0.0.0/8']", "")
            shut = shut.replace('id = "test"', 'id = "shut"').replace("doc-0", "doc-1")
            (root / "seeds" / first).write_text(shut, "utf-8")
            done = run(root, runtime(wire), replace(SETTINGS, allow_private=False))
        said = {each.document: (str(each.outcome), each.reason) for each in done.outcomes}
        assert said == {"doc-0": ("captured", None), "doc-1": ("failed", "private_address")}
        assert findings(done.archive) == []


def test_each_port_has_a_robots_txt_of_its_own(tmp_path: Path) -> None:
    """One port's denial is none for another."""
    pages = {
        "a.example/robots.txt": text("User-agent: *\nDisallow: /"),
        "a.example:8080/robots.txt": text("User-agent: *\nAllow: /"),
        "a.example/doc": PAGE,
        "a.example:8080/doc": PAGE,
    }
    with web(pages) as wire:
        done = fetched(tmp_path / "root", wire, "http://a.example/doc", "http://a.example:8080/doc")
    said = {outcome.url: str(outcome.outcome) for outcome in done.outcomes}
    assert said == {"http://a.example/doc": "denied", "http://a.example:8080/doc": "captured"}


def test_the_robots_txt_of_each_hop_is_obeyed(tmp_path: Path) -> None:
    """A host that is only led to may deny too; the hop before stands in the archive."""
    pages = {
        "a.example/doc": leading_to("http://b.example/doc"),
        "b.example/robots.txt": text("User-agent: provenance\nDisallow: /doc"),
        "b.example/doc": PAGE,
    }
    with web(pages) as wire:
        done = fetched(tmp_path / "root", wire, "http://a.example/doc")
        assert b"GET /doc" not in [head[:8] for head in wire.requests if b"b.example" in head]
    assert (done.outcome.outcome, done.outcome.reason) == ("denied", "robots")
    assert [hop["url"] for hop in done.note["redirects"]] == ["http://a.example/doc"]
    assert done.note["robots"]["url"] == "http://b.example/robots.txt"
    assert findings(done.archive) == []


def test_coded_and_marked_robots_txt_is_read(tmp_path: Path) -> None:
    """A byte order mark, gzip and chunks hide no rule."""
    raw = gzip.compress(b"\xef\xbb\xbfUser-agent: *\nDisallow: /doc\n", mtime=0)
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer += b"%x\r\n%s\r\n0\r\n\r\n" % (len(raw), raw)
    assert asked(tmp_path / "root", answer).outcome.outcome == "denied"


def test_a_long_robots_txt_is_kept_whole_and_read_up_to_the_limit(tmp_path: Path) -> None:
    """What is past 500 KiB binds nobody, and is in the archive all the same."""
    rules = b"User-agent: *\n" + b"# %s\n" % (b"x" * ROBOTS_LIMIT) + b"Disallow: /doc\n"
    done = asked(tmp_path / "root", text(rules))
    assert done.outcome.outcome == "captured"
    assert done.notes("robots")[0]["size"] == len(rules)


def test_a_robots_txt_that_was_cut_short_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    """A rule may stand in the part that did not come; the document is not fetched."""
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nUser-agent: *\n"
    pages: dict[str, Play] = {"a.example/robots.txt": cut, "a.example/doc": PAGE}
    with web(pages) as wire:
        settings = replace(SETTINGS, timeout_s=1.5)
        done = fetched(tmp_path / "root", wire, "http://a.example/doc", settings=settings)
    assert done.notes("robots")[0]["truncated"] == "time"
    assert done.outcome.outcome in ("failed", "denied")


def test_a_page_in_place_of_robots_txt_allows(tmp_path: Path) -> None:
    """A site that answers everything with its front page has no rules."""
    page = b"<!DOCTYPE html><title>Disallow: /</title><p>User-agent: *</p><p>Disallow: /</p>"
    assert asked(tmp_path / "root", reply(page)).outcome.outcome == "captured"


def test_a_crawl_delay_is_kept_between_documents(tmp_path: Path) -> None:
    """Requests to the host are as far apart as it asks, where that is more than the setting."""
    clock = Clock()
    pages = {f"a.example/{number}": PAGE for number in range(3)}
    pages["a.example/robots.txt"] = text("User-agent: *\nCrawl-delay: 7")
    with web(pages) as wire:
        urls = [f"http://a.example/{number}" for number in range(3)]
        done = fetched(tmp_path / "root", wire, *urls, clock=clock)
    assert [str(outcome.outcome) for outcome in done.outcomes] == ["captured"] * 3
    assert sum(clock.slept) >= 14


def test_ignoring_robots_is_recorded_with_its_reason(tmp_path: Path) -> None:
    """robots.txt is not asked for; warcinfo and the document's note carry the reason."""
    pages = {"a.example/robots.txt": text("User-agent: *\nDisallow: /"), "a.example/doc": PAGE}
    with web(pages) as wire:
        settings = replace(SETTINGS, ignore_robots="the publisher agreed by letter of 3 May")
        done = fetched(tmp_path / "root", wire, "http://a.example/doc", settings=settings)
        assert not any(b"robots.txt" in head for head in wire.requests)
    assert done.outcome.outcome == "captured"
    assert "setting-ignore-robots: the publisher agreed by letter of 3 May" in done.information()
    assert done.note["robots"] == {
        "url": "http://a.example/robots.txt",
        "verdict": "ignored",
        "reason": "the publisher agreed by letter of 3 May",
    }


def test_obeying_robots_leaves_no_reason_in_warcinfo(tmp_path: Path) -> None:
    """The setting is named only where it was given."""
    assert "ignore-robots" not in asked(tmp_path / "root", text("")).information()


@pytest.mark.parametrize(("more", "status"), [([], 3), (["--ignore-robots", "by letter"], 0)])
def test_the_command_line_tells_a_denial(tmp_path: Path, more: list[str], status: int) -> None:
    """A denied document has no version: exit 3; with a reason to ignore the rules it is fetched."""
    pages: dict[str, Play] = {}
    with web(pages) as wire:
        host = f"{wire.address}:{wire.port}"
        pages[f"{host}/robots.txt"] = text("User-agent: *\nDisallow: /")
        pages[f"{host}/doc"] = PAGE
        root = rooted(tmp_path / "root", f"{wire.url}/doc")
        call = [sys.executable, "-c", "from provenance.cli import main; main()", "-C", str(root)]
        call += ["fetch", "--allow-private", "--delay", "0", "--json", *more]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    outcome = json.loads(done.stdout.splitlines()[0])
    assert (outcome["outcome"] == "denied") is (status == 3)


def test_ignoring_robots_needs_a_reason(tmp_path: Path) -> None:
    """An empty reason is a usage error, and nothing is fetched."""
    root = rooted(tmp_path / "root")
    call = [sys.executable, "-c", "from provenance.cli import main; main()", "-C", str(root)]
    done = subprocess.run(
        [*call, "fetch", "--ignore-robots", " "], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--ignore-robots" in done.stderr


def test_a_robots_txt_that_recovers_is_asked_again_by_the_next_run(tmp_path: Path) -> None:
    """What a run learned of robots.txt ends with it."""
    pages: dict[str, Play] = {
        "a.example/robots.txt": in_turn(text("", status="503 x"), text("")),
        "a.example/doc": PAGE,
    }
    with web(pages) as wire:
        root = rooted(tmp_path / "root", "http://a.example/doc")
        said = [run(root, runtime(wire)).outcome for _ in range(2)]
    assert [str(outcome.outcome) for outcome in said] == ["denied", "captured"]
