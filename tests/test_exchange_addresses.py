"""Which addresses are spoken to: every spelling, every resolution, every reconnection."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Iterator

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.exchange.addresses import policy, spelled_addresses
from provenance.exchange.dialing import in_turn
from provenance.exchange.faults import ExchangeFault
from provenance.exchange.transport import normal_url
from provenance.runtime import Address, Lookups
from tests.wire import playing
from tests.wire_client import block, client, fault_of, ok, reason
from tests.wire_proxies import listening

CLOSED = policy(allow_private=False)
V4 = socket.AF_INET
V6 = socket.AF_INET6

PRIVATE = [
    "10.1.2.3", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "192.168.1.1",
    "100.64.0.1", "0.0.0.0", "0.1.2.3", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1",
]  # fmt: skip


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_ipv4_is_open_where_the_registry_says_global(ip: ipaddress.IPv4Address) -> None:
    """The table agrees with the standard library's, whose versions differ on two networks."""
    if str(ip).startswith(("192.0.0.", "192.88.99.")):
        return
    assert CLOSED.allows(str(ip)) == (ip.is_global and not ip.is_multicast)


def inside(ip: ipaddress.IPv4Address) -> list[str]:
    """Return IPv6 addresses that lead to an IPv4 address."""
    number = int(ip)
    forms = [
        number,  # IPv4-compatible
        0xFFFF << 32 | number,  # IPv4-mapped
        0xFFFF << 48 | number,  # IPv4-translated
        0x64FF9B << 96 | number,  # NAT64
        0x2002 << 112 | number << 80 | 0x1234,  # 6to4
        0x2606 << 112 | 0x5EFE << 32 | number,  # ISATAP
        0x2606 << 112 | 0x02005EFE << 32 | number,  # ISATAP, universal
    ]
    return [str(ipaddress.IPv6Address(form)) for form in forms]


@pytest.mark.parametrize("text", PRIVATE)
def test_a_private_address_is_closed_in_every_form(text: str) -> None:
    """Bare, and inside each kind of IPv6 address; a zone id changes nothing."""
    ip = ipaddress.IPv4Address(text)
    assert not CLOSED.allows(text)
    for form in inside(ip):
        assert not CLOSED.allows(form), form
        assert not CLOSED.allows(f"{form}%eth0")


@pytest.mark.parametrize(
    "text",
    ["::", "::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "3fff::1",
     "2001::1", "2001:0:4136:e378::1", "100::1", "5f00::1", "64:ff9b:1::808:808", "4000::1",
     "::ffff:0:0", "fec0::1"],
)  # fmt: skip
def test_ipv6_is_closed_but_for_global_unicast(text: str) -> None:
    """Teredo and local NAT64 are closed altogether."""
    assert not CLOSED.allows(text)


def test_public_addresses_are_open_also_inside_transition_forms() -> None:
    """6to4, NAT64 and mapped forms of a public address lead to a public address."""
    for text in ("8.8.8.8", "2606:4700::1111", "2a00::1", "192.0.1.1", "172.32.0.1"):
        assert CLOSED.allows(text)
    public = inside(ipaddress.IPv4Address("8.8.8.8"))
    assert [CLOSED.allows(form) for form in public] == [False, True, False, True, True, True, True]


def spellings(ip: ipaddress.IPv4Address) -> list[str]:
    a, b, c, d = ip.packed
    number = int(ip)
    forms = [
        f"{a}.{b}.{c}.{d}",
        f"{number}",
        f"0x{number:x}",
        f"0{number:o}",
        f"{a}.{number & 0xFFFFFF}",
        f"0x{a:X}.0{b:o}.{c << 8 | d}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
    ]
    wide = str.maketrans("0123456789.", "０１２３４５６７８９。")
    forms += [forms[0].translate(wide), forms[1].translate(wide)]
    forms += [f"{forms[0]}.", forms[0].replace("1", "%31"), f"[::ffff:{forms[0]}]"]
    return forms


@settings(deadline=None)
@given(st.sampled_from(PRIVATE).map(ipaddress.IPv4Address))
def test_every_spelling_of_a_private_address_is_seen(ip: ipaddress.IPv4Address) -> None:
    """Decimal, octal, hexadecimal, short, full-width, escaped, mapped, with a trailing dot."""
    for form in spellings(ip):
        found = spelled_addresses(form)
        assert any(not CLOSED.allows(each) for each in found), form


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "a.b.localhost", "ip6-localhost",
                                  "localhost.localdomain"])  # fmt: skip
def test_names_of_this_machine_count_as_loopback(name: str) -> None:
    """RFC 6761 §6.3, and what hosts files call it."""
    assert spelled_addresses(name) == ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    "name",
    ["example.org", "1.example", "0x7f.org", "127.0.0.1.example", "a", "1.2.3.4.5", "1.2.3.256",
     "4294967296", "0x100000000", "xn--e1afmkfd.example", "notlocalhost", "08a", ""],
)  # fmt: skip
def test_a_mere_name_spells_no_address(name: str) -> None:
    """Numbers that are none, or too large, are names."""
    assert spelled_addresses(name) == ()


@pytest.mark.parametrize("spelled", spellings(ipaddress.IPv4Address("127.0.0.1")))
def test_no_spelling_gets_a_byte_to_a_private_server(spelled: str) -> None:
    """Also where this program resolves: what the resolver makes of it is checked."""
    with playing(ok(b"secret")) as wire, client(allowed=CLOSED) as asking:
        exchange = asking.get(f"http://{spelled}:{wire.port}/")
        assert reason(exchange) in ("private_address", "dns", "bad_url")
        assert wire.connections == 0


def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """A name that leads elsewhere at each look-up is looked up once for each connection."""
    opened = policy(allow_private=False, networks=["127.0.0.1/32"])
    answers = iter(["127.0.0.1", "127.0.0.2", "127.0.0.1"])
    asked: list[str] = []

    def rebinding(host: str, port: int) -> tuple[Address, ...]:
        asked.append(host)
        return ((V4, (next(answers), port)),)

    with (
        playing(ok(b"x"), closes=True) as wire,
        client(allowed=opened, resolve=rebinding) as asking,
    ):
        url = f"http://rebinds.example:{wire.port}/"
        first, second, third = asking.get(url), asking.get(url), asking.get(url)
        assert block(first) == ok(b"x")
        assert first.peer == ("127.0.0.1", wire.port)
        assert first.addresses == ("127.0.0.1",)
        assert reason(second) == "private_address"
        assert second.addresses == ("127.0.0.2",)
        assert block(third) == ok(b"x")
        assert len(asked) == 3


def test_of_several_addresses_only_the_open_ones_are_tried() -> None:
    """The private ones are passed over, and recorded as the resolver's answer."""
    opened = policy(allow_private=False, networks=["127.0.0.1/32"])

    def both(host: str, port: int) -> tuple[Address, ...]:
        return ((V4, ("127.0.0.2", port)), (V4, ("127.0.0.1", port)))

    with playing(ok(b"x")) as wire, client(allowed=opened, resolve=both) as asking:
        exchange = asking.get(f"http://two.example:{wire.port}/")
        assert exchange.peer == ("127.0.0.1", wire.port)
        assert exchange.addresses == ("127.0.0.2", "127.0.0.1")


def test_an_ipv6_target_is_reached_and_named_in_brackets() -> None:
    """`http://[::1]:port/`."""

    def answer(wire: socket.socket) -> None:
        heads.append(wire.recv(65536))
        wire.sendall(ok(b"six"))

    heads: list[bytes] = []
    with listening(answer, host="::1") as port, client() as asking:
        exchange = asking.get(f"http://[::1]:{port}/a")
        assert block(exchange) == ok(b"six")
        assert exchange.peer == ("::1", port)
        assert f"Host: [::1]:{port}\r\n".encode() in heads[0]


def test_without_a_port_an_ipv6_target_has_the_default_one() -> None:
    """The last group of the address is not taken for a port."""
    asked: list[tuple[str, int]] = []

    def nowhere(host: str, port: int) -> tuple[Address, ...]:
        asked.append((host, port))
        return ()

    with client(resolve=nowhere) as asking:
        for scheme in ("http", "https"):
            assert reason(asking.get(f"{scheme}://[2001:db8::1]/")) == "dns"
    assert asked == [("2001:db8::1", 80), ("2001:db8::1", 443)]


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """A port of 127.0.0.2 that lets nobody connect any more, and does not say so."""
    with socket.create_server(("127.0.0.2", 0), backlog=0) as listener, contextlib.ExitStack() as s:
        where = listener.getsockname()
        for _ in range(4):
            waiting = s.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(where)
        yield where[1]


def test_an_address_that_does_not_answer_leaves_time_for_the_next() -> None:
    """It gets its share of the time-out only; the next one is connected to."""
    with silent_port() as port, playing(ok(b"x")) as wire:

        def two(host: str, _: int) -> tuple[Address, ...]:
            return ((V4, ("127.0.0.2", port)), (V4, ("127.0.0.1", wire.port)))

        with client(resolve=two, timeout_s=8) as asking:
            exchange = asking.get("http://two.example/")
            assert exchange.peer == ("127.0.0.1", wire.port)


def test_when_no_address_answers_the_detail_names_each() -> None:
    """The reason is the most telling one: what may pass is worth another attempt."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    with silent_port() as port:

        def two(host: str, _: int) -> tuple[Address, ...]:
            return ((V4, ("127.0.0.2", port)), (V4, ("127.0.0.1", closed)))

        with client(resolve=two, timeout_s=0.4) as asking:
            fault = fault_of(asking.get("http://two.example/"))
    assert fault.reason == "timeout"
    assert "127.0.0.2" in fault.detail
    assert "127.0.0.1" in fault.detail


def test_families_take_turns_and_no_more_than_sixteen_addresses_are_tried() -> None:
    """A host with many addresses of a broken family is reached at the second try."""
    six: list[Address] = [(V6, (f"2001:db8::{n}", 80)) for n in range(30)]
    four: list[Address] = [(V4, ("192.0.2.1", 80))]
    tries = in_turn((*six, *four))
    assert tries[1] == four[0]
    assert len(tries) == 16
    assert in_turn((four[0], four[0])) == (four[0],)


def test_a_resolver_that_hangs_is_waited_for_in_bounds() -> None:
    """The time-out holds for the look-up, whatever the resolver does."""
    answer = threading.Event()

    def hanging(host: str, port: int) -> tuple[Address, ...]:
        answer.wait(10)
        return ()

    with client(resolve=hanging, timeout_s=0.2) as asking:
        fault = fault_of(asking.get("http://slow.example/"))
        assert fault.reason == "timeout"
        assert "slow.example" in fault.detail
    answer.set()


def test_look_ups_that_hang_do_not_pile_up() -> None:
    """No more than the limit run at once, those given up included; then a place is free again."""
    answer, lookups = threading.Event(), Lookups(limit=2)
    running: list[int] = []

    def hanging() -> tuple[Address, ...]:
        running.append(1)
        answer.wait(10)
        return ()

    for _ in range(4):
        with pytest.raises(TimeoutError):
            lookups.within(0.05, hanging)
    assert len(running) == 2
    answer.set()
    assert lookups.within(5, lambda: ((V4, ("192.0.2.1", 1)),)) == ((V4, ("192.0.2.1", 1)),)


@pytest.mark.parametrize(
    "url", ["http://no-such.invalid/", "http://a..b/", f"http://{'a' * 64}.b/"]
)
def test_a_name_that_resolves_to_nothing_or_cannot_be_one(url: str) -> None:
    """`dns` or `bad_url`, and no address."""
    with client() as asking:
        exchange = asking.get(url)
        assert reason(exchange) in ("dns", "bad_url")
        assert exchange.addresses == ()


@pytest.mark.parametrize(
    "url",
    ["", "/", "example.org", "ftp://example.org/", "http:", "http://", "http:///path", "https://:80/",
     "http://a b/", "http://a\\b/", "http://a:0/", "http://a:99999/", "http://a:x/", "http://[::1/",
     "http://[::g]/", "mailto:a@b", "http://\u2100/", "http://*.example/\x00", "javascript:1"],
)  # fmt: skip
def test_what_is_no_address_is_a_fault_and_nothing_is_asked(url: str) -> None:
    """The reason is `bad_url` (or `dns` where it is well-formed); no exception."""
    with client() as asking:
        exchange = asking.get(url)
        assert reason(exchange) in ("bad_url", "dns")
        assert exchange.request == b""


URL_TEXT = st.text("abzA09-._~%2f:/?#[]@!$&'()*+,;= é\"<>^`{|}\\", max_size=25)
PLAIN = set("abzA09-._~%2f:/?[]@!$&'()*+,;=|")


@settings(deadline=None)
@given(st.sampled_from(["http", "https"]), URL_TEXT, URL_TEXT)
def test_an_address_goes_out_as_it_stands_or_as_requests_writes_it(
    scheme: str, host: str, rest: str
) -> None:
    """What may stand on the wire is left alone, escapes too; the rest is requests' to escape."""
    for url in (f"{scheme}://example.org/{rest}", f"{scheme}://{host}/{rest}"):
        try:
            found = normal_url(url)
        except ExchangeFault:
            continue
        request = requests.PreparedRequest()
        request.prepare_url(url, None)
        assert found == request.url or (found == url and set(rest) <= PLAIN)
