"""Real proxies on loopback: what goes through them is recorded, and their passwords are not."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib import request

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.errors import UsageError
from provenance.exchange import proxy_for
from provenance.exchange.addresses import policy
from provenance.exchange.proxies import parse_proxy
from tests.wire import Wire, playing
from tests.wire_client import block, client, fault_of, ok, reason
from tests.wire_proxies import (
    Handler,
    ProxyPlan,
    basic,
    http_proxy,
    listening,
    proxying,
    socks4_proxy,
    socks5_proxy,
)
from tests.wire_tls import Authority, authority, serving

CLOSED = policy(allow_private=False)
LOGIN = ("ann", "p%40ss")
PLAYED = ok(b"through a proxy", b"X-Odd:  \xe9")
SOCKS: dict[str, Callable[[ProxyPlan], Handler]] = {
    "socks4": socks4_proxy,
    "socks4a": socks4_proxy,
    "socks5": socks5_proxy,
    "socks5h": socks5_proxy,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server_chain(root: Authority) -> Path:
    return root.issue("server", alt="DNS:recorded.example,IP:127.0.0.1")


def here(host: str, port: int) -> tuple[tuple[socket.AddressFamily, tuple[str, int]], ...]:
    return ((socket.AF_INET, ("127.0.0.1", port)),)


def test_a_plain_request_goes_to_the_proxy_in_absolute_form() -> None:
    """The proxy resolves the name; peer and proxy are the proxy's address, without a password."""
    with (
        playing(PLAYED) as wire,
        proxying(http_proxy, hosts={"recorded.example": "127.0.0.1"}, login=("ann", "p@ss")) as by,
        client(allowed=CLOSED, proxy=f"http://ann:p%40ss@127.0.0.1:{by.port}") as asking,
    ):
        exchange = asking.get(f"http://recorded.example:{wire.port}/a?b=1#c")
        assert block(exchange) == PLAYED
        assert by.heads[0].startswith(
            f"GET http://recorded.example:{wire.port}/a?b=1 HTTP/1.1\r\n".encode()
        )
        assert f"Proxy-Authorization: Basic {basic('ann', 'p@ss')}".encode() in by.heads[0]
        assert b"Proxy-Authorization: redacted" in exchange.request
        assert exchange.redacted == ("proxy-authorization",)
        assert exchange.peer == ("127.0.0.1", by.port)
        assert exchange.proxy == f"http://127.0.0.1:{by.port}"
        assert exchange.addresses == ()


def test_https_goes_through_a_tunnel_and_is_recorded_inside_it(
    root: Authority, server_chain: Path
) -> None:
    """CONNECT carries the password, the exchange itself does not, and TLS is the server's."""
    with (
        playing(PLAYED, closes=False, context=serving(server_chain)) as wire,
        proxying(http_proxy, hosts={"recorded.example": "127.0.0.1"}, login=("ann", "p@ss")) as by,
        client(
            allowed=CLOSED, proxy=f"http://ann:p%40ss@127.0.0.1:{by.port}", ca_file=root.pem
        ) as asking,
    ):
        first = asking.get(f"https://recorded.example:{wire.port}/a")
        assert "proxy" in dict(first.timings_ms)
        for _ in range(2):
            exchange = asking.get(f"https://recorded.example:{wire.port}/a")
            assert block(exchange) == PLAYED
            assert exchange.request == wire.requests[-1]
        assert by.asked == [f"recorded.example:{wire.port}"]
        assert by.heads[0].startswith(
            f"CONNECT recorded.example:{wire.port} HTTP/1.1\r\nHost: recorded.example:".encode()
        )
        assert basic("ann", "p@ss").encode() in by.heads[0]
        assert exchange.redacted == ()
        assert exchange.tls is not None
        assert exchange.tls.custom_ca


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_may_itself_speak_tls(root: Authority, server_chain: Path, scheme: str) -> None:
    """With an https proxy, what is recorded as TLS is the server's, never the proxy's."""
    context = serving(server_chain) if scheme == "https" else None
    plan = ProxyPlan(hosts={"recorded.example": "127.0.0.1"})
    with (
        playing(PLAYED, closes=False, context=context) as wire,
        listening(http_proxy(plan, serving(root.issue("proxy")))) as port,
        client(allowed=CLOSED, proxy=f"https://127.0.0.1:{port}", ca_file=root.pem) as asking,
    ):
        exchange = asking.get(f"{scheme}://recorded.example:{wire.port}/a")
        assert block(exchange) == PLAYED
        assert (exchange.tls is not None) == (scheme == "https")
        if exchange.tls is not None:
            assert len(exchange.tls.certificates) == 1
        assert exchange.proxy == f"https://127.0.0.1:{port}"


@pytest.mark.parametrize("scheme", SOCKS)
@pytest.mark.parametrize("encrypted", [False, True])
def test_socks_carries_the_recorded_bytes(
    root: Authority, server_chain: Path, scheme: str, encrypted: bool
) -> None:
    """socks4 and socks5 are asked for an address resolved here, socks4a and socks5h for a name."""
    with (
        playing(PLAYED, closes=False, context=serving(server_chain) if encrypted else None) as wire,
        proxying(SOCKS[scheme], hosts={"recorded.example": "127.0.0.1"}) as by,
        client(proxy=f"{scheme}://127.0.0.1:{by.port}", ca_file=root.pem, resolve=here) as asking,
    ):
        exchange = asking.get(f"{wire.url.replace('127.0.0.1', 'recorded.example')}/x")
        assert block(exchange) == PLAYED
        assert exchange.request == wire.requests[0]
        by_name = scheme in ("socks4a", "socks5h")
        assert by.asked == [f"{'recorded.example' if by_name else '127.0.0.1'}:{wire.port}"]
        assert exchange.addresses == (() if by_name else ("127.0.0.1",))
        assert exchange.peer == ("127.0.0.1", by.port)
        assert exchange.proxy == f"{scheme}://127.0.0.1:{by.port}"
        assert "Host: recorded.example:" in exchange.request.decode()


@pytest.mark.parametrize("scheme", ["socks5", "socks4"])
def test_a_socks_proxy_gets_the_user_name_and_password(scheme: str) -> None:
    """They are percent-decoded; wrong ones are a `proxy` fault."""
    with (
        playing(PLAYED) as wire,
        proxying(SOCKS[scheme], login=("ann", "p@ss")) as by,
    ):
        with client(proxy=f"{scheme}://ann:p%40ss@127.0.0.1:{by.port}") as asking:
            assert block(asking.get(wire.url)) == PLAYED
        for wrong in ("", "bob:x@"):
            with client(proxy=f"{scheme}://{wrong}127.0.0.1:{by.port}") as asking:
                assert reason(asking.get(wire.url)) == "proxy"


@pytest.mark.parametrize(
    ("reply", "word"), [(1, "proxy"), (2, "proxy"), (3, "unreachable"), (5, "refused")]
)
def test_what_a_socks5_proxy_says_of_the_target_is_the_targets_fault(reply: int, word: str) -> None:
    """The replies of RFC 1928 §6 are told apart."""
    with (
        proxying(socks5_proxy, refuses=reply) as by,
        client(proxy=f"socks5h://127.0.0.1:{by.port}") as asking,
    ):
        exchange = asking.get("http://recorded.example/")
        assert reason(exchange) == word
        assert exchange.request == b""


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_demands_a_password_is_a_proxy_fault(scheme: str) -> None:
    """407 is the proxy's word, never the target's answer."""
    with (
        proxying(http_proxy, login=("ann", "x")) as by,
        client(proxy=f"http://127.0.0.1:{by.port}") as asking,
    ):
        exchange = asking.get(f"{scheme}://recorded.example/")
        assert reason(exchange) == "proxy"
        assert by.asked == []


def test_a_tunnel_that_is_refused_and_a_proxy_that_is_not_there_are_proxy_faults() -> None:
    """Neither is taken for a fault of the target, which would be tried again."""
    with (
        proxying(http_proxy, refuses=403) as by,
        client(proxy=f"http://127.0.0.1:{by.port}") as asking,
    ):
        fault = fault_of(asking.get("https://recorded.example/"))
        assert fault.reason == "proxy"
        assert "403" in fault.detail
    for scheme in ("http", "socks5h"):
        with client(proxy=f"{scheme}://127.0.0.1:{by.port}") as asking:
            assert reason(asking.get("http://recorded.example/")) == "proxy"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:7f00:1]", "10.0.0.1", "0", "017700000001"]
)
@pytest.mark.parametrize("scheme", ["http", "socks4a", "socks5h", "socks5"])
def test_a_private_address_is_refused_before_the_proxy_is_asked(scheme: str, host: str) -> None:
    """Whoever resolves, an address that is spelled out is checked here."""
    make = SOCKS.get(scheme, http_proxy)
    with (
        proxying(make) as by,
        client(allowed=CLOSED, proxy=f"{scheme}://127.0.0.1:{by.port}") as asking,
    ):
        for target in ("http", "https"):
            assert reason(asking.get(f"{target}://{host}:9/")) == "private_address"
        assert by.asked == []
        assert by.heads == []


def test_with_socks5_a_name_that_resolves_to_a_private_address_is_refused() -> None:
    """The address is checked and it, not the name, is asked for."""
    with (
        proxying(socks5_proxy) as by,
        client(allowed=CLOSED, proxy=f"socks5://127.0.0.1:{by.port}", resolve=here) as asking,
    ):
        exchange = asking.get("http://recorded.example/")
        assert reason(exchange) == "private_address"
        assert exchange.addresses == ("127.0.0.1",)
        assert by.asked == []


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
        b"SSH-2.0-x\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\n",
    ],
)
def test_a_proxy_that_answers_nonsense_is_a_proxy_fault(said: bytes) -> None:
    """A head without end, another protocol, silence and a cut head all end."""

    def handle(wire: socket.socket) -> None:
        wire.recv(65536)
        wire.sendall(said)
        wire.shutdown(socket.SHUT_WR)
        wire.recv(65536)

    with (
        listening(handle) as port,
        client(proxy=f"http://127.0.0.1:{port}") as asking,
    ):
        assert reason(asking.get("https://recorded.example/")) == "proxy"


def test_a_name_too_long_for_the_socks_library_is_refused_here() -> None:
    """It would be written with a wrong length; nothing is sent."""
    name = ".".join(["a" * 40] * 4) + ".example"
    with (
        proxying(socks5_proxy) as by,
        client(proxy=f"socks5h://127.0.0.1:{by.port}") as asking,
    ):
        assert reason(asking.get(f"http://{name}/")) == "proxy"
        assert by.asked == []


def test_an_ipv6_target_goes_through_connect_in_brackets() -> None:
    """The proxy reads `[::1]:port`."""
    with (
        proxying(http_proxy, refuses=403) as by,
        client(proxy=f"http://127.0.0.1:{by.port}") as asking,
    ):
        asking.get("https://[::1]:8443/")
        assert by.heads[0].startswith(b"CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n")


@pytest.mark.parametrize(
    ("environ", "url", "expected"),
    [
        ({"http_proxy": "a:1"}, "http://x.example/", "a:1"),
        ({"HTTP_PROXY": "b:1"}, "http://x.example/", "b:1"),
        ({"http_proxy": "a:1", "HTTP_PROXY": "b:1"}, "http://x.example/", "a:1"),
        ({"HTTP_PROXY": "b:1", "REQUEST_METHOD": "GET"}, "http://x.example/", None),
        ({"http_proxy": "a:1", "REQUEST_METHOD": "GET"}, "http://x.example/", "a:1"),
        ({"http_proxy": "a:1"}, "https://x.example/", None),
        ({"https_proxy": "a:1"}, "https://x.example/", "a:1"),
        ({"ALL_PROXY": "socks5://c:1"}, "https://x.example/", "socks5://c:1"),
        ({"all_proxy": "c:1", "http_proxy": "a:1"}, "http://x.example/", "a:1"),
        ({"http_proxy": "a:1", "no_proxy": "*"}, "http://x.example/", None),
        ({"http_proxy": "a:1", "no_proxy": "x.example"}, "http://x.example/", None),
        ({"http_proxy": "a:1", "NO_PROXY": " .example , y"}, "http://x.example/", None),
        ({"http_proxy": "a:1", "no_proxy": "example"}, "http://notexample/", "a:1"),
        ({"http_proxy": "a:1", "no_proxy": "x.example:81"}, "http://x.example:81/", None),
        ({"http_proxy": "a:1", "no_proxy": "x.example:81"}, "http://x.example:82/", "a:1"),
        ({"http_proxy": "a:1", "no_proxy": "10.0.0.0/8"}, "http://10.1.2.3/", None),
        ({"http_proxy": "a:1", "no_proxy": "10.0.0.0/8"}, "http://11.1.2.3/", "a:1"),
        ({"http_proxy": "a:1", "no_proxy": "fd00::/8,::1"}, "http://[::1]:8/", None),
        ({"http_proxy": ""}, "http://x.example/", None),
        ({}, "http://x.example/", None),
    ],
)
def test_the_environment_names_proxies_as_requests_reads_it(
    environ: dict[str, str], url: str, expected: str | None
) -> None:
    """Lower case first; all_proxy last; no_proxy takes names, ports, addresses and networks."""
    assert proxy_for(url, named=None, environ=environ) == expected


def test_a_named_proxy_stands_above_the_environment() -> None:
    """no_proxy does not bind it, and an empty name means no proxy at all."""
    environ = {"http_proxy": "http://a:1", "no_proxy": "*"}
    assert proxy_for("http://x.example/", named="http://b:1", environ=environ) == "http://b:1"
    assert proxy_for("http://x.example/", named="", environ={"http_proxy": "http://a:1"}) is None


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["a.example", ".b.example", "example", "c", "*", "d.example:80"])),
    st.sampled_from(
        ["a.example", "x.b.example", "b.example", "c", "ac", "notexample", "d.example"]
    ),
    st.sampled_from([80, 81]),
)
def test_no_proxy_agrees_with_the_standard_library(
    entries: list[str], host: str, port: int
) -> None:
    """Names and ports mean what `urllib.request` takes them to mean."""
    no_proxy = ",".join(entries)
    environ = {"http_proxy": "a:1", "no_proxy": no_proxy}
    found = proxy_for(f"http://{host}:{port}/", named=None, environ=environ)
    bypassed = vars(request)["proxy_bypass_environment"]
    theirs = bypassed(f"{host}:{port}", {"no": no_proxy} if no_proxy else {})
    assert (found is None) == bool(theirs)


def test_the_environments_proxy_is_used_only_where_the_environment_is_trusted() -> None:
    """`trust_env` is off by default."""
    with playing(PLAYED, closes=False) as wire, proxying(http_proxy) as by:
        environ = {"http_proxy": f"127.0.0.1:{by.port}", "no_proxy": "localhost"}
        with client(environ=environ) as asking:
            assert asking.get(wire.url).proxy == f"http://127.0.0.1:{by.port}"
            assert asking.get(wire.url.replace("127.0.0.1", "localhost")).proxy is None
        with client() as asking:
            assert asking.get(wire.url).proxy is None
        assert len(by.heads) == 1


@pytest.mark.parametrize(
    "text", ["ftp://h:1", "http://", "http://h:notaport", "socks5://h:99999", "socks6://h", "::"]
)
def test_what_is_no_proxy_is_a_usage_error(text: str) -> None:
    """It is said before anything is fetched."""
    with pytest.raises(UsageError, match="no address of a proxy"), client(proxy=text):
        pass


def test_a_wrong_proxy_is_told_without_its_password() -> None:
    """The message says where it stands, not what it is."""
    for text in ("ftp://ann:hunter2@h:1", "ann:hunter2@h:x", "socks5://ann:hunter2\x00@h"):
        with pytest.raises(UsageError) as caught:
            parse_proxy(text, where="--proxy")
        assert "hunter2" not in str(caught.value)
        assert "--proxy" in str(caught.value)
    with pytest.raises(UsageError, match="too long"):
        parse_proxy(f"socks5://ann:{'x' * 128}@h", where="--proxy")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def program(*command: str, port: int) -> Iterator[None]:
    """Run a proxy server of the machine until the block ends; wait until it answers."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(2000):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.01)
        yield
    finally:
        process.terminate()
        process.wait(10)


def check_program(wire: Wire, proxy: str, *, secret: str) -> None:
    with client(proxy=proxy) as asking:
        exchange = asking.get(wire.url + "/page")
        assert block(exchange) == PLAYED
        assert wire.requests[-1].startswith(b"GET /page HTTP/1.1\r\n")
        assert secret not in repr(exchange)


@pytest.mark.skipif(shutil.which("microsocks") is None, reason="microsocks is not installed")
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_real_socks5_server(scheme: str) -> None:
    """microsocks, with a user name and a password."""
    port = free_port()
    arguments = ("-i", "127.0.0.1", "-p", str(port), "-u", "ann", "-P", "hunter2")
    with playing(PLAYED) as wire, program("microsocks", *arguments, port=port):
        check_program(wire, f"{scheme}://ann:hunter2@127.0.0.1:{port}", secret="hunter2")


@pytest.mark.skipif(shutil.which("tinyproxy") is None, reason="tinyproxy is not installed")
def test_a_real_http_proxy(tmp_path: Path, root: Authority, server_chain: Path) -> None:
    """tinyproxy forwards a plain request, and a tunnel."""
    port = free_port()
    settings = tmp_path / "tinyproxy.conf"
    settings.write_text(
        f"Port {port}\nListen 127.0.0.1\nTimeout 20\nMaxClients 10\n"
        "Allow 127.0.0.1\nBasicAuth ann hunter2\nDisableViaHeader Yes\n"
    )
    proxy = f"http://ann:hunter2@127.0.0.1:{port}"
    with program("tinyproxy", "-d", "-c", str(settings), port=port):
        with playing(PLAYED) as wire, client(proxy=proxy) as asking:
            exchange = asking.get(wire.url + "/page")
            assert block(exchange).endswith(b"through a proxy")
            assert "hunter2" not in repr(exchange)
        with (
            playing(PLAYED, context=serving(server_chain)) as wire,
            client(proxy=proxy, ca_file=root.pem) as asking,
        ):
            assert block(asking.get(wire.url + "/page")) == PLAYED
