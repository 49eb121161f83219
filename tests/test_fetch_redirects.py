"""Redirects are followed within bounds, and every hop is a record of its own."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.runtime import Address, Resolver, system_runtime
from tests.fetch_rig import (
    SETTINGS,
    Fetched,
    Play,
    asked_for,
    fetched,
    findings,
    in_turn,
    leading_to,
    reply,
    rooted,
    run,
    web,
)
from tests.wire import Wire, playing

PAGE = reply(b"<p>The notice.</p>")


def followed(root: Path, pages: Mapping[str, Play], *urls: str) -> Fetched:
    with web(pages) as wire:
        return fetched(root, wire, *(urls or ("http://a.example/doc",)))


# The chain


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_recorded_and_followed(tmp_path: Path, status: int) -> None:
    """Hop and document are captures of their own; the chain is in the document's note."""
    hop = reply(b"<p>Moved</p>", "Location: http://b.example/new", status=f"{status} x")
    done = followed(tmp_path / "root", {"a.example/doc": hop, "b.example/new": PAGE})
    assert done.outcome.outcome == "captured"
    assert (done.outcome.url, done.outcome.final_url) == (
        "http://a.example/doc",
        "http://b.example/new",
    )
    (recorded,) = done.notes("redirect")
    assert (recorded["target_uri"], recorded["status"], recorded["hop"]) == (
        "http://a.example/doc",
        status,
        0,
    )
    assert (recorded["outcome"], recorded["final_url"]) == (None, None)
    assert done.note["redirects"] == [
        {
            "url": "http://a.example/doc",
            "status": status,
            "location": "http://b.example/new",
            "capture_id": recorded["capture_id"],
        }
    ]
    assert (done.note["hop"], done.note["via"]) == (1, "http://a.example/doc")
    blocks = {record.uri: record.block for record in done.of_type("response")}
    assert (blocks["http://a.example/doc"], blocks["http://b.example/new"]) == (hop, PAGE)
    assert findings(done.archive) == []


@pytest.mark.parametrize("status", [300, 304, 305, 306, 310])
def test_other_3xx_are_no_redirects(tmp_path: Path, status: int) -> None:
    """They are answers, kept with the status as the reason, wherever their Location leads."""
    answer = reply(b"", "Location: /new", status=f"{status} x")
    if status == 304:
        answer = answer.replace(b"Content-Length: 0\r\n", b"")
    done = followed(tmp_path / "root", {"a.example/doc": answer, "a.example/new": PAGE})
    assert (done.outcome.outcome, done.outcome.reason) == ("error_status", f"http_{status}")
    assert done.note["redirects"] == []


def test_a_redirect_without_a_location_is_an_answer(tmp_path: Path) -> None:
    """There is nowhere to go; what came is kept."""
    done = followed(tmp_path / "root", {"a.example/doc": reply(b"<p>Moved</p>", status="301 x")})
    assert (done.outcome.outcome, done.outcome.reason) == ("error_status", "http_301")
    assert done.outcome.content_id is not None


@pytest.mark.parametrize(
    "location",
    [
        "mailto:clerk@a.example",
        "javascript:alert(1)",
        "ftp://a.example/doc",
        "file:///etc/passwd",
        "data:text/html,hi",
        "http://[bad/",
    ],
)
def test_a_location_that_is_no_address_of_the_web_is_not_followed(
    tmp_path: Path, location: str
) -> None:
    """The redirect itself is the answer, and the run goes on."""
    pages: dict[str, Play] = {"a.example/doc": leading_to(location), "a.example/other": PAGE}
    done = followed(tmp_path / "root", pages, "http://a.example/doc", "http://a.example/other")
    said = {each.url: (str(each.outcome), each.reason) for each in done.outcomes}
    assert said == {
        "http://a.example/doc": ("error_status", "http_302"),
        "http://a.example/other": ("captured", None),
    }


@pytest.mark.parametrize("location", ["http://b.example:port/", "http://b.example:99999/"])
def test_a_location_with_an_impossible_port_fails_the_document(
    tmp_path: Path, location: str
) -> None:
    """The hop is recorded, and the address it led to is named in the failure."""
    done = followed(tmp_path / "root", {"a.example/doc": leading_to(location)})
    assert (done.outcome.outcome, done.outcome.reason) == ("failed", "bad_url")
    assert done.note["target_uri"] == location
    assert len(done.notes("redirect")) == 1
    assert findings(done.archive) == []


@pytest.mark.parametrize(("hops", "outcome"), [(1, "captured"), (20, "captured"), (21, "failed")])
def test_twenty_redirects_are_followed(tmp_path: Path, hops: int, outcome: str) -> None:
    """The twenty-first is recorded, and where it leads is not asked for."""
    pages: dict[str, Play] = {f"a.example/{at}": leading_to(f"/{at + 1}") for at in range(hops)}
    pages[f"a.example/{hops}"] = PAGE
    with web(pages) as wire:
        done = fetched(tmp_path / "root", wire, "http://a.example/0")
        assert any(asked_for(head) == f"a.example/{hops}" for head in wire.requests) is (hops < 21)
    assert done.outcome.outcome == outcome
    assert done.outcome.reason == (None if outcome == "captured" else "too_many_redirects")
    assert [note["hop"] for note in done.notes("redirect")] == list(range(hops))
    assert [each["url"] for each in done.note["redirects"]] == [
        f"http://a.example/{at}" for at in range(hops)
    ]
    assert findings(done.archive) == []


@pytest.mark.parametrize(
    "pages",
    [
        {"a.example/doc": leading_to("/doc")},
        {"a.example/doc": leading_to("")},
        {"a.example/doc": leading_to("#part")},
        {"a.example/doc": leading_to("/b"), "a.example/b": leading_to("/doc")},
        {
            "a.example/doc": leading_to("http://b.example/doc"),
            "b.example/doc": leading_to("http://a.example/doc"),
        },
    ],
)
def test_a_circle_ends(tmp_path: Path, pages: dict[str, Play]) -> None:
    """After twenty rounds, with the address it was led to last."""
    done = followed(tmp_path / "root", pages)
    assert (done.outcome.outcome, done.outcome.reason) == ("failed", "too_many_redirects")
    assert "20" in done.note["detail"]
    assert len(done.notes("redirect")) == 21
    assert findings(done.archive) == []


def test_a_redirect_to_itself_that_sets_a_cookie_is_passed(tmp_path: Path) -> None:
    """Some sites send everyone round once; the second time the page comes."""
    pages = {"a.example/doc": in_turn(leading_to("/doc", "Set-Cookie: seen=1"), PAGE)}
    done = followed(tmp_path / "root", pages)
    assert done.outcome.outcome == "captured"
    assert len(done.note["redirects"]) == 1
    assert findings(done.archive) == []


def test_a_fault_behind_a_redirect_keeps_the_chain(tmp_path: Path) -> None:
    """What failed is where it led; the hops before stand."""
    pages: dict[str, Play] = {"a.example/doc": leading_to("/new"), "a.example/new": b"SSH-2.0\r\n"}
    done = followed(tmp_path / "root", pages)
    assert (done.outcome.outcome, done.outcome.reason) == ("failed", "bad_response")
    assert [each["url"] for each in done.note["redirects"]] == ["http://a.example/doc"]
    assert done.note["target_uri"] == "http://a.example/new"
    assert len(done.notes("redirect")) == 1


def test_an_error_page_behind_a_redirect_is_the_outcome(tmp_path: Path) -> None:
    """A 404 at the end is a 404 of the document."""
    done = followed(tmp_path / "root", {"a.example/doc": leading_to("/gone")})
    assert (done.outcome.outcome, done.outcome.reason) == ("error_status", "http_404")
    assert done.outcome.final_url == "http://a.example/gone"


# Where a Location leads


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        ("new", "a.example/x/new"),
        ("./new?q=1", "a.example/x/new?q=1"),
        ("../new", "a.example/new"),
        ("../../../new", "a.example/new"),
        ("?page=2", "a.example/x/doc?page=2"),
        ("/new#part", "a.example/new"),
        ("//b.example/new", "b.example/new"),
        ("http://b.example", "b.example/"),
        ("http://b.example?q", "b.example/?q"),
        ("HTTP://B.Example/New", "b.example/New"),
        ("http://b.example:80/new", "b.example/new"),
        ("http://b.example:8080/new", "b.example:8080/new"),
        ("  /new\t", "a.example/new"),
        ("/two words", "a.example/two%20words"),
        ("/caf%C3%A9", "a.example/caf%C3%A9"),
        ('/"quoted"<x>', "a.example/%22quoted%22%3Cx%3E"),
        ("http:/new", "a.example/new"),
        ("http:\\\\b.example\\new", "b.example/new"),
        ("\\new", "a.example/new"),
    ],
)
def test_a_location_is_resolved_against_the_hop(tmp_path: Path, location: str, asked: str) -> None:
    """Relative forms, other hosts, other spellings; what may stand in no address is escaped."""
    with web({"a.example/x/doc": leading_to(location)}) as wire:
        fetched(tmp_path / "root", wire, "http://a.example/x/doc")
        said = [asked_for(head) for head in wire.requests if b"robots.txt" not in head]
    assert [each.lower() for each in said[:1]] == ["a.example/x/doc"]
    host, slash, path = said[1].partition("/")
    assert f"{host.lower()}{slash}{path}" == asked


@pytest.mark.parametrize(
    "target",
    [
        "/x",
        "/x?a=b;c&d=%20",
        "/a//b",
        "/a'b(c)!*~$,+:@",
        "/x?q=a?b/c",
        "/%C3%A9",
        "/%7euser",
        "/a%2fb",
        "/x?a=%e4%b8%ad",
        "/100%",
        "/x?a=b%20c&d=%zz",
        "/x?a=[1]",
        "/a|b",
    ],
)
def test_the_address_recorded_is_the_address_asked_for(tmp_path: Path, target: str) -> None:
    """WARC-Target-URI and the request line name the same, octet for octet."""
    with web({"a.example/doc": leading_to(target)}) as wire:
        done = fetched(tmp_path / "root", wire, "http://a.example/doc")
        asked = f"http://{asked_for(wire.requests[-1])}"
    assert done.of_type("response")[-1].uri == asked
    assert done.note["target_uri"] == asked
    assert done.outcome.final_url == asked


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/caf\u00e9".encode(), "/caf%C3%A9"),
        ("/\u516c\u544a?q=\u6865".encode(), "/%E5%85%AC%E5%91%8A?q=%E6%A1%A5"),
        (b"/caf\xe9", "/caf%EF%BF%BD"),
    ],
)
def test_bytes_beyond_ascii_are_read_as_utf_8(tmp_path: Path, location: bytes, path: str) -> None:
    """As browsers read them; the field itself is kept as it came."""
    answer = b"HTTP/1.1 302 x\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
    with web({"a.example/doc": answer}) as wire:
        done = fetched(tmp_path / "root", wire, "http://a.example/doc")
        assert asked_for(wire.requests[-1]) == f"a.example{path}"
    assert answer in [record.block for record in done.of_type("response")]


def test_a_name_beyond_ascii_is_asked_for_in_its_ascii_form(tmp_path: Path) -> None:
    """The host of a Location is a name, and is not percent-encoded."""
    location = "http://br\u00fccke.example/new".encode()
    answer = b"HTTP/1.1 302 x\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
    pages: dict[str, Play] = {"a.example/doc": answer, "xn--brcke-lva.example/new": PAGE}
    done = followed(tmp_path / "root", pages)
    assert done.outcome.outcome == "captured"
    assert done.outcome.final_url == "http://xn--brcke-lva.example/new"


def test_the_first_of_two_locations_counts(tmp_path: Path) -> None:
    """Whatever a second one says; both are kept."""
    answer = leading_to("/first", "Location: http://b.example/second")
    done = followed(tmp_path / "root", {"a.example/doc": answer, "a.example/first": PAGE})
    assert done.outcome.final_url == "http://a.example/first"


@pytest.mark.parametrize(
    "location",
    [
        "http://user:secret@b.example/new",
        "http://user:secret@x@b.example/new",
        "//secret@b.example/new",
    ],
)
def test_credentials_in_a_location_are_dropped(tmp_path: Path, location: str) -> None:
    """Nothing is sent for them, and no address that we write has them; the field is kept as is."""
    with web({"a.example/doc": leading_to(location), "b.example/new": PAGE}) as wire:
        done = fetched(tmp_path / "root", wire, "http://a.example/doc")
        assert not any(b"authorization" in head.lower() for head in wire.requests)
        assert not any(b"secret" in head for head in wire.requests)
    assert (done.outcome.outcome, done.outcome.final_url) == ("captured", "http://b.example/new")
    told = [record for record in done.records if record.type != "response"]
    assert not any(b"secret" in record.block for record in told)
    assert not any("secret" in (record.uri or "") for record in done.records)


# Cookies


def test_a_cookie_of_a_hop_is_sent_on_and_redacted(tmp_path: Path) -> None:
    """The server sees it; of the request that is kept, only its name field is left."""
    pages = {
        "a.example/doc": leading_to("/new", "Set-Cookie: session=secret; Path=/"),
        "a.example/new": PAGE,
    }
    with web(pages) as wire:
        done = fetched(tmp_path / "root", wire, "http://a.example/doc")
        assert b"Cookie: session=secret" in wire.requests[-1]
    requests = {record.uri: record.block for record in done.of_type("request")}
    assert b"Cookie: redacted\r\n" in requests["http://a.example/new"]
    assert not any(b"secret" in block for block in requests.values())
    assert done.note["redacted"] == ["cookie"]
    assert done.notes("redirect")[0]["redacted"] == []


def test_a_cookie_stays_with_its_host_and_its_document(tmp_path: Path) -> None:
    """Another host on the way does not get it, nor does the next document of the same host."""
    pages = {
        "a.example/0": leading_to("http://b.example/0", "Set-Cookie: session=secret"),
        "b.example/0": leading_to("http://a.example/end"),
        "a.example/end": PAGE,
        "a.example/1": PAGE,
    }
    with web(pages) as wire:
        fetched(tmp_path / "root", wire, "http://a.example/0", "http://a.example/1")
        with_cookie = {asked_for(head) for head in wire.requests if b"secret" in head}
    assert with_cookie == {"a.example/end"}


def test_a_cookie_for_another_host_is_not_taken(tmp_path: Path) -> None:
    """A host cannot set what another will be sent."""
    pages = {
        "a.example/doc": leading_to("http://b.example/new", "Set-Cookie: x=1; Domain=b.example"),
        "b.example/new": PAGE,
    }
    with web(pages) as wire:
        fetched(tmp_path / "root", wire, "http://a.example/doc")
        assert not any(b"\r\nCookie:" in head for head in wire.requests)


# Private addresses


@contextlib.contextmanager
def neighbour() -> Iterator[Wire]:
    """A server at an address that the seeds do not open."""
    with playing(PAGE, address="127.0.0.2") as wire:
        yield wire


@pytest.mark.parametrize(
    "host",
    ["127.0.0.2", "2130706434", "0x7f000002", "127.2", "[::ffff:127.0.0.2]", "0177.0.0.2"],
)
def test_a_redirect_to_a_private_address_is_refused(tmp_path: Path, host: str) -> None:
    """The seeds open the first host's network alone; however the second is spelled, no byte goes
    there.
    """
    with neighbour() as other:
        answers = {"/doc": leading_to(f"http://{host}:{other.port}/secret")}
        nowhere = b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n"
        with playing(
            lambda head: answers.get(head.split()[1].decode(), nowhere), closes=False
        ) as wire:
            root = rooted(tmp_path / "root", f"{wire.url}/doc", networks="127.0.0.1/32")
            done = run(root, system_runtime(), replace(SETTINGS, allow_private=False))
        assert other.connections == 0
    assert (done.outcome.outcome, done.outcome.reason) == ("failed", "private_address")
    assert [each["status"] for each in done.note["redirects"]] == [302]
    assert findings(done.archive) == []


def names(wire: Wire, table: dict[str, list[str]]) -> Resolver:
    """Return a resolver: each name stands for its addresses in turn, the last one stays."""

    def resolve(host: str, port: int) -> tuple[Address, ...]:
        left = table[host]
        return ((socket.AF_INET, (left.pop(0) if len(left) > 1 else left[0], wire.port)),)

    return resolve


def test_a_redirect_to_a_name_with_a_private_address_is_refused(tmp_path: Path) -> None:
    """What counts is the address that the name stands for."""
    pages: dict[str, Play] = {"a.example/doc": leading_to("http://inner.example/secret")}
    with web(pages) as wire:
        table = {"a.example": ["127.0.0.1"], "inner.example": ["10.0.0.7"]}
        made = replace(system_runtime(), resolve=names(wire, table))
        root = rooted(tmp_path / "root", "http://a.example/doc", networks="127.0.0.1/32")
        done = run(root, made, replace(SETTINGS, allow_private=False))
        assert not any(b"inner.example" in head for head in wire.requests)
    assert (done.outcome.outcome, done.outcome.reason) == ("failed", "private_address")
    (failed,) = [note for note in done.notes("robots") if note["reason"]]
    assert failed["target_uri"] == "http://inner.example/robots.txt"
    assert failed["dns"] == ["10.0.0.7"]


def test_a_name_that_changes_its_address_is_checked_each_time(tmp_path: Path) -> None:
    """A name that was public for robots.txt and is private for the document is refused."""
    nowhere = b"HTTP/1.1 404 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with playing(nowhere) as wire, neighbour() as other:
        table = {"a.example": ["127.0.0.1", "127.0.0.2"]}
        made = replace(system_runtime(), resolve=names(wire, table))
        root = rooted(tmp_path / "root", "http://a.example/doc", networks="127.0.0.1/32")
        done = run(root, made, replace(SETTINGS, allow_private=False))
        assert other.connections == 0
        assert len(wire.requests) == 1
    assert (done.outcome.outcome, done.outcome.reason) == ("failed", "private_address")


def test_a_redirect_within_the_opened_network_is_followed(tmp_path: Path) -> None:
    """`allow_networks` holds for every hop."""
    with playing(PAGE, address="127.0.0.2") as other:
        answer = leading_to(f"{other.url}/new")
        nowhere = b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n"
        with playing(
            lambda head: answer if b"/doc" in head.split(b"\r\n")[0] else nowhere, closes=False
        ) as wire:
            root = rooted(tmp_path / "root", f"{wire.url}/doc", networks="127.0.0.0/8")
            done = run(root, system_runtime(), replace(SETTINGS, allow_private=False))
    assert (done.outcome.outcome, done.outcome.final_url) == ("captured", f"{other.url}/new")
