"""The exchange wing against raw sockets: what is recorded is what went over the wire."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.digest import digest_of
from provenance.exchange.addresses import policy
from provenance.exchange.credentials import redact
from provenance.http_message import Undecoded
from tests.wire import playing
from tests.wire_client import block, client, ok, reason
from tests.wire_proxies import listening

ODD_FIELDS = (
    b"X-A:nospace",
    b"x-lower:  two spaces ",
    b"Set-Cookie: a=1",
    b"Set-Cookie: b=2",
    b"X-Latin: caf\xe9",
    b"X-Tab:\tv",
    b"X-Nul: a\x00b",
    b"X-Sep: \x0b\x0c\x1c\x85 z",
    b"no colon",
    b"X-Fold: one\r\n two",
    b"X-Utf: \xe4\xb8\xad",
)


def test_the_block_is_what_arrived_odd_fields_included() -> None:
    """No field is re-cased, re-folded, re-encoded or dropped."""
    played = ok(b"body\x00\xff", *ODD_FIELDS)
    with playing(played) as wire, client() as asking:
        exchange = asking.get(wire.url + "/a")
        assert block(exchange) == played
        assert exchange.request == wire.requests[0]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"").replace(b"\r", b""))),
    st.binary(max_size=3000),
    st.sampled_from(["length", "close", "chunked"]),
)
def test_arbitrary_field_and_body_bytes_are_recorded_as_they_came(
    values: list[bytes], body: bytes, framing: str
) -> None:
    """Whatever bytes a server puts into fields and body, the block is the same bytes."""
    fields = [b"X-%d: %s" % (at, value) for at, value in enumerate(values)]
    head = b"\r\n".join([b"HTTP/1.1 200 OK", *fields]) + b"\r\n"
    if framing == "length":
        played = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    elif framing == "close":
        played = head + b"\r\n" + body
    else:
        coded = b"".join(
            b"%x\r\n%s\r\n" % (len(body[at : at + 700]), body[at : at + 700])
            for at in range(0, len(body), 700)
        )
        played = head + b"Transfer-Encoding: chunked\r\n\r\n" + coded + b"0\r\n\r\n"
    with playing(played) as wire, client() as asking:
        exchange = asking.get(wire.url)
        assert block(exchange) == played
        assert exchange.answer is not None
        assert exchange.answer.block_digest == digest_of(played)
        assert exchange.answer.digests.content_id == digest_of(body)
        assert exchange.answer.cut is None


def test_chunked_payload_is_the_body_without_its_framing() -> None:
    """Extensions and trailers stay in the block and out of the payload."""
    coded = b"5;ext=1\r\nhello\r\n6 \r\n world\r\n0\r\nTrailer: x\r\n\r\n"
    played = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + coded
    with playing(played, closes=False) as wire, client() as asking:
        exchange = asking.get(wire.url)
        assert block(exchange) == played
        assert exchange.answer is not None
        assert exchange.answer.digests.payload_digest == digest_of(b"hello world")
        assert exchange.answer.chunk_sizes == (5, 6, 0)


def test_gzip_content_is_decoded_and_payload_is_not() -> None:
    """Payload keeps the content coding; content does not."""
    coded = gzip.compress(b"text" * 1000, mtime=0)
    with playing(ok(coded, b"Content-Encoding: gzip")) as wire, client() as asking:
        answer = asking.get(wire.url).answer
        assert answer is not None
        assert answer.digests.payload_digest == digest_of(coded)
        assert answer.digests.content_id == digest_of(b"text" * 1000)


@pytest.mark.parametrize(
    ("fields", "body", "flag"),
    [
        (b"Content-Encoding: gzip", b"no gzip", Undecoded.CODING_BROKEN),
        (b"Content-Encoding: rot13", b"uryyb", Undecoded.CODING_UNKNOWN),
    ],
)
def test_a_broken_or_unknown_coding_leaves_content_as_payload(
    fields: bytes, body: bytes, flag: Undecoded
) -> None:
    """The flag says that content is undecoded."""
    with playing(ok(body, fields)) as wire, client() as asking:
        answer = asking.get(wire.url).answer
        assert answer is not None
        assert (answer.digests.undecoded, answer.digests.content_id) == (flag, digest_of(body))


def test_a_body_cut_short_is_kept_and_marked() -> None:
    """Content-Length says 10, four bytes come."""
    played = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour"
    with playing(played) as wire, client() as asking:
        exchange = asking.get(wire.url)
        assert block(exchange) == played
        assert exchange.answer is not None
        assert exchange.answer.cut == "disconnect"
        assert exchange.answer.digests.content_id == digest_of(b"four")


def test_a_body_over_the_limit_is_cut_at_the_limit() -> None:
    """Exactly `max_bytes` of the body are kept."""
    with playing(ok(b"x" * 1000)) as wire, client(max_bytes=100) as asking:
        exchange = asking.get(wire.url)
        assert exchange.answer is not None
        assert exchange.answer.cut == "length"
        assert block(exchange).endswith(b"\r\n\r\n" + b"x" * 100)


def test_a_silent_server_is_a_time_out_and_a_stalled_body_is_cut_by_time() -> None:
    """Nothing at all: a fault; a stall after the head: what came is kept."""
    with playing(b"", closes=False) as wire, client(timeout_s=0.2) as asking:
        assert reason(asking.get(wire.url)) == "timeout"
    stalled = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
    with playing(stalled, closes=False) as wire, client(timeout_s=0.2) as asking:
        answer = asking.get(wire.url).answer
        assert answer is not None
        assert answer.cut == "time"


def test_interim_responses_are_set_aside_and_the_final_one_is_the_block() -> None:
    """103 and 100 are no answer; their bytes are kept beside it."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    final = ok(b"final")
    played = hints + b"HTTP/1.1 100 Continue\r\n\r\n" + final
    with playing(played, closes=False) as wire, client() as asking:
        exchange = asking.get(wire.url)
        assert block(exchange) == final
        assert exchange.answer is not None
        assert exchange.answer.interim == (hints, b"HTTP/1.1 100 Continue\r\n\r\n")
        assert exchange.answer.surplus is None
        assert block(asking.get(wire.url)) == final


def test_bytes_after_the_end_are_noted_and_no_part_of_the_next_answer() -> None:
    """Surplus is counted and hashed, and the connection is given up."""
    played = ok(b"abc") + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nBAD"
    with playing(played, closes=False) as wire, client() as asking:
        first = asking.get(wire.url)
        assert first.answer is not None
        assert first.answer.surplus is not None
        assert first.answer.surplus.size == len(played) - len(ok(b"abc"))
        assert block(first) == ok(b"abc")
        assert block(asking.get(wire.url)) == ok(b"abc")
        assert wire.connections == 2


def test_what_a_server_sends_unasked_is_no_answer_to_the_next_request() -> None:
    """A connection on which something waits is not used again."""
    asked, sent = threading.Event(), threading.Event()

    def handle(wire: socket.socket) -> None:
        wire.recv(65536)
        wire.sendall(ok(b"abc"))
        if asked.wait(10) and not sent.is_set():
            wire.sendall(ok(b"BAD"))
            sent.set()
            wire.recv(65536)

    with listening(handle) as port, client() as asking:
        url = f"http://127.0.0.1:{port}/"
        assert block(asking.get(url)) == ok(b"abc")
        asked.set()
        assert sent.wait(10)
        second = asking.get(url)
        assert block(second) == ok(b"abc")
        assert second.reconnected


def test_a_connection_is_kept_between_requests() -> None:
    """Three documents from one host use one connection."""
    with playing(ok(b"abc"), closes=False) as wire, client() as asking:
        for _ in range(3):
            assert block(asking.get(wire.url)) == ok(b"abc")
        assert wire.connections == 1


def test_a_stale_connection_is_dialled_again() -> None:
    """A server that closes after each answer without saying so costs no document."""
    with playing(ok(b"abc"), closes=True) as wire, client() as asking:
        assert [block(asking.get(wire.url)) for _ in range(3)] == [ok(b"abc")] * 3


@pytest.mark.parametrize(
    ("played", "word"),
    [
        (b"", "disconnect"),
        (b"SSH-2.0-OpenSSH\r\n", "bad_response"),
        (b"HTTP/1.1 20", "disconnect"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "bad_response"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * (2 << 20), "bad_response"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 40, "bad_response"),
    ],
)
def test_what_is_no_http_is_a_fault_with_a_reason(played: bytes, word: str) -> None:
    """Nothing, garbage and endless heads end in a stable word."""
    with playing(played) as wire, client() as asking:
        assert reason(asking.get(wire.url)) == word


def test_a_refused_port_and_an_unknown_name_have_their_own_reasons() -> None:
    """`refused` and `dns` are told apart."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with client() as asking:
        assert reason(asking.get(f"http://127.0.0.1:{port}/")) == "refused"
        assert reason(asking.get("http://no-such-host.invalid/")) == "dns"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_private_addresses_are_refused_before_a_byte_is_sent(host: str) -> None:
    """Every spelling of loopback is caught after resolution."""
    with playing(ok(b"secret")) as wire, client(allowed=policy(allow_private=False)) as asking:
        word = reason(asking.get(f"http://{host}:{wire.port}/"))
        assert word in ("private_address", "dns")
        assert wire.connections == 0


def test_a_network_named_in_the_seeds_is_open() -> None:
    """`allow_networks` opens just that network."""
    named = policy(allow_private=False, networks=["127.0.0.0/8"])
    with playing(ok(b"x")) as wire, client(allowed=named) as asking:
        assert block(asking.get(wire.url)) == ok(b"x")
    assert not named.allows("10.0.0.1")


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "169.254.1.1", "100.64.0.1", "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1",
     "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "0.0.0.0", "192.168.1.1"],
)  # fmt: skip
def test_addresses_that_are_not_public_are_closed(address: str) -> None:
    """IPv4 inside IPv6 counts as the IPv4 address it is."""
    assert not policy(allow_private=False).allows(address)


def test_public_addresses_are_open() -> None:
    """Ordinary addresses pass."""
    assert all(policy(allow_private=False).allows(ip) for ip in ("93.184.216.34", "2606:4700::1"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    both = folder / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem",
         "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return both


def test_tls_is_recorded_below_the_encryption(certificate: Path) -> None:
    """https gives the same plain block, and what TLS agreed on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    played = ok(b"over tls", *ODD_FIELDS)
    with (
        playing(played, closes=False, context=context) as wire,
        client(ca_file=certificate) as asking,
    ):
        exchange = asking.get(wire.url)
        assert block(exchange) == played
        assert exchange.request == wire.requests[0]
        assert exchange.tls is not None
        assert exchange.tls.version.startswith("TLSv1.")
        pem = ssl.DER_cert_to_PEM_cert(exchange.tls.certificates[0])
        assert pem.split() == certificate.read_text().split("-----END PRIVATE KEY-----")[1].split()
        assert block(asking.get(wire.url)) == played
        assert wire.connections == 1


def test_a_certificate_that_nobody_vouches_for_is_a_tls_fault(certificate: Path) -> None:
    """Nothing is sent to such a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with playing(ok(b"x"), context=context) as wire, client() as asking:
        assert reason(asking.get(wire.url)) == "tls"
        assert wire.requests == []


def test_a_proxy_gets_the_absolute_address_and_is_exempt_from_the_address_check() -> None:
    """The proxy is the user's own choice."""
    played = ok(b"from the proxy")
    closed = policy(allow_private=False)
    with playing(played, closes=False) as wire, client(allowed=closed, proxy=wire.url) as asking:
        exchange = asking.get("http://recorded.example/page?q=1")
        assert block(exchange) == played
        assert wire.requests[0].startswith(b"GET http://recorded.example/page?q=1 HTTP/1.1\r\n")
        assert reason(asking.get("http://127.0.0.1/")) == "private_address"


def test_credentials_are_redacted_and_nothing_else() -> None:
    """Values go, names and every other byte stay."""
    raw = b"GET / HTTP/1.1\r\nauthorization: Basic abc\r\nCookie:  x=y\r\nA: Cookie: z\r\n\r\n"
    kept, names, _ = redact(raw)
    assert kept == raw.replace(b"Basic abc", b"redacted").replace(b"x=y", b"redacted")
    assert names == ("authorization", "cookie")


def test_cookies_of_a_server_are_sent_back_and_redacted() -> None:
    """A cookie set on the way is used for the next hop, and its value is not kept."""
    with playing(ok(b"x", b"Set-Cookie: s=secret"), closes=False) as wire, client() as asking:
        asking.get(wire.url)
        exchange = asking.get(wire.url)
        assert b"Cookie: s=secret" in wire.requests[1]
        assert b"secret" not in exchange.request
        assert exchange.redacted == ("cookie",)
        asking.forget_cookies()
        assert asking.get(wire.url).redacted == ()
