"""TLS with real certificates: whom the client trusts, what it shows, what it records and says."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from provenance.errors import UsageError
from provenance.exchange.faults import TLS_WORDS, tls_word
from provenance.exchange.trust import peer_chain
from tests.wire import playing
from tests.wire_client import answer_of, block, client, fault_of, ok, reason
from tests.wire_proxies import listening
from tests.wire_tls import Authority, authority, der_of, openssl, serving

PLAYED = ok(b"over tls")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def chain(root: Authority) -> Path:
    """A server's certificate below an intermediate authority, which it sends along."""
    return root.intermediate("middle").issue("server")


def test_the_whole_chain_is_kept_as_it_was_sent(root: Authority, chain: Path) -> None:
    """The server's own first, then the intermediate; version, cipher and a custom authority."""
    with playing(PLAYED, context=serving(chain)) as wire, client(ca_file=root.pem) as asking:
        exchange = asking.get(wire.url)
        assert block(exchange) == PLAYED
        tls = exchange.tls
        assert tls is not None
        assert list(tls.certificates) == der_of(chain)
        assert len(tls.certificates) == 2
        assert tls.version == "TLSv1.3"
        assert tls.cipher.startswith("TLS_")
        assert tls.custom_ca
        assert "tls" in dict(exchange.timings_ms)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_environment_names_authorities(
    root: Authority, chain: Path, variable: str, tmp_path: Path
) -> None:
    """Each of the three variables is read, and the flag stands above them."""
    other = authority(tmp_path, "other").pem
    with playing(PLAYED, context=serving(chain)) as wire:
        with client(environ={variable: str(root.pem)}) as asking:
            assert block(asking.get(wire.url)) == PLAYED
        with client(environ={variable: str(root.pem)}, ca_file=other) as asking:
            assert reason(asking.get(wire.url)) == "tls"
        with client(environ={variable: str(other)}, ca_file=root.pem) as asking:
            assert block(asking.get(wire.url)) == PLAYED


@pytest.mark.parametrize("hashed", [False, True])
def test_a_directory_of_authorities(
    root: Authority, chain: Path, hashed: bool, tmp_path: Path
) -> None:
    """With OpenSSL's hashed names, or plain PEM files."""
    (tmp_path / "root.pem").write_bytes(root.pem.read_bytes())
    if hashed:
        openssl(tmp_path, "rehash", ".")
    with playing(PLAYED, context=serving(chain)) as wire, client(ca_file=tmp_path) as asking:
        assert block(asking.get(wire.url)) == PLAYED


def test_authorities_that_cannot_be_used_are_a_usage_error(tmp_path: Path) -> None:
    """A missing file, an empty directory, and a file of something else are told before a fetch."""
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (tmp_path / "missing.pem", empty, nonsense):
        with pytest.raises(UsageError, match=path.name), client(ca_file=path):
            pass
    with (
        pytest.raises(UsageError, match="CURL_CA_BUNDLE"),
        client(environ={"CURL_CA_BUNDLE": str(nonsense)}),
    ):
        pass


@pytest.mark.parametrize("word", ["expired", "wrong_host", "unknown_authority", "self_signed"])
def test_what_is_wrong_with_a_certificate_is_told(
    root: Authority, tmp_path: Path, word: str
) -> None:
    """The detail opens with a stable word; nothing is sent; the peer is known."""
    trusted = root.pem
    if word == "expired":
        served = root.issue("old", days="-1")
    elif word == "wrong_host":
        served = root.issue("elsewhere", alt="DNS:elsewhere.example,IP:127.0.0.9")
    elif word == "unknown_authority":
        served = root.issue("unvouched")
        trusted = authority(tmp_path, "stranger").pem
    else:
        alone = authority(tmp_path, "alone")
        served = tmp_path / "alone-chain.pem"
        served.write_bytes((tmp_path / "alone.key").read_bytes() + alone.pem.read_bytes())
    with playing(PLAYED, context=serving(served)) as wire, client(ca_file=trusted) as asking:
        exchange = asking.get(wire.url)
        fault = fault_of(exchange)
        assert fault.reason == "tls"
        assert fault.detail.partition(":")[0] == word
        assert word in TLS_WORDS
        assert wire.requests == []
        assert exchange.request == b""
        assert exchange.peer == ("127.0.0.1", wire.port)


def test_a_server_with_old_tls_only_and_one_without_tls_are_protocol_faults(
    root: Authority, chain: Path
) -> None:
    """A version that is not spoken, and plain HTTP on the port."""
    context = serving(chain)
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with playing(PLAYED, context=context) as wire, client(ca_file=root.pem) as asking:
        assert fault_of(asking.get(wire.url)).detail.startswith("protocol: ")

    def plain(wire: socket.socket) -> None:
        wire.recv(65536)
        wire.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        wire.recv(65536)

    with listening(plain) as port, client(ca_file=root.pem) as asking:
        fault = fault_of(asking.get(f"https://127.0.0.1:{port}/"))
        assert (fault.reason, fault.detail.partition(":")[0]) == ("tls", "protocol")


def test_a_handshake_that_the_server_ends_is_told(root: Authority) -> None:
    """The connection closes in the middle: `closed`."""

    def end(wire: socket.socket) -> None:
        wire.recv(65536)

    with listening(end) as port, client(ca_file=root.pem) as asking:
        fault = fault_of(asking.get(f"https://127.0.0.1:{port}/"))
        assert (fault.reason, fault.detail.partition(":")[0]) == ("tls", "closed")


def test_every_verification_code_has_a_word() -> None:
    """What OpenSSL calls 9 is not valid yet; a code that nobody knows is the certificate's."""
    for code, word in ((9, "not_yet_valid"), (10, "expired"), (23, "certificate")):
        fault = ssl.SSLCertVerificationError(1, "certificate verify failed")
        fault.verify_code = code
        assert tls_word(fault) == word
    assert tls_word(ssl.SSLError(1, "something new")) == "other"


@pytest.fixture(scope="module")
def ann(root: Authority) -> Path:
    return root.issue("ann")


def test_a_client_certificate_is_shown_where_it_is_asked_for(
    root: Authority, chain: Path, ann: Path
) -> None:
    """One file with the key, or a pair."""
    context = serving(chain, client_authority=root.pem)
    folder = root.folder
    with playing(PLAYED, context=context) as wire:
        with client(ca_file=root.pem, client_cert=ann) as asking:
            assert block(asking.get(wire.url)) == PLAYED
        with client(
            ca_file=root.pem, client_cert=folder / "ann.pem", client_key=folder / "ann.key"
        ) as asking:
            assert block(asking.get(wire.url)) == PLAYED


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_that_is_missed_or_refused_has_its_own_word(
    root: Authority, chain: Path, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """With TLS 1.3 the server says so only after the handshake."""
    context = serving(chain, client_authority=root.pem)
    context.maximum_version = version
    stranger = authority(tmp_path, "stranger").issue("bob")

    def refuse(raw: socket.socket) -> None:
        wire = context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        with pytest.raises(ssl.SSLError):
            wire.do_handshake()
        wire.shutdown(socket.SHUT_WR)
        with socket.socket(fileno=wire.detach()) as bare:
            while bare.recv(65536):
                pass

    with listening(refuse) as port:
        for shown in (None, stranger):
            with client(ca_file=root.pem, client_cert=shown) as asking:
                fault = fault_of(asking.get(f"https://127.0.0.1:{port}/"))
                assert fault.reason == "tls"
                word = fault.detail.partition(":")[0]
                assert (
                    word in ("client_certificate", "protocol")
                    if shown is None
                    else (word == "client_certificate")
                )


def test_a_key_that_is_locked_and_one_that_does_not_fit_are_usage_errors(
    root: Authority, ann: Path, tmp_path: Path
) -> None:
    """Nobody is asked for a password; each message names the file."""
    folder = root.folder
    locked = tmp_path / "locked.key"
    openssl(folder, "pkcs8", "-topk8", "-in", "ann.key", "-out", str(locked),
            "-passout", "pass:hunter2")  # fmt: skip
    with (
        pytest.raises(UsageError, match=r"locked\.key: the key is protected by a password"),
        client(client_cert=folder / "ann.pem", client_key=locked),
    ):
        pass
    for cert, key in (("ann.pem", "root.key"), ("ann.pem", None), ("nothing.pem", None)):
        with (
            pytest.raises(UsageError, match="cannot be shown as client certificate"),
            client(client_cert=folder / cert, client_key=folder / key if key else None),
        ):
            pass
    with (
        pytest.raises(UsageError, match=r"ann\.key: this is the key of no certificate"),
        client(client_key=folder / "ann.key"),
    ):
        pass


@pytest.mark.parametrize("closes_well", [False, True])
def test_a_body_that_ends_without_a_closing_alert_is_not_whole(
    root: Authority, chain: Path, closes_well: bool
) -> None:
    """Where only the end of the connection ends a body, TLS must say that it is the end."""
    context = serving(chain)
    played = b"HTTP/1.1 200 OK\r\n\r\nup to the end"

    def handle(raw: socket.socket) -> None:
        wire = context.wrap_socket(raw, server_side=True)
        wire.recv(65536)
        wire.sendall(played)
        if closes_well:
            wire.unwrap()
        else:
            wire.shutdown(socket.SHUT_WR)
            wire.recv(1)

    with listening(handle) as port, client(ca_file=root.pem) as asking:
        exchange = asking.get(f"https://127.0.0.1:{port}/")
        assert answer_of(exchange).cut == (None if closes_well else "disconnect")
        assert block(exchange) == played


def test_a_handshake_that_drips_ends_in_time(root: Authority) -> None:
    """The time-out holds for the whole handshake, not for each byte of it."""
    stop = threading.Event()

    def drip(wire: socket.socket) -> None:
        wire.recv(65536)
        wire.sendall(b"\x16\x03\x03\x40\x00")
        for _ in range(1000):
            if stop.wait(0.01):
                return
            wire.sendall(b"\x00")

    with listening(drip) as port, client(ca_file=root.pem, max_time_s=0.3) as asking:
        assert reason(asking.get(f"https://127.0.0.1:{port}/")) == "timeout"
    stop.set()


def test_without_the_chain_the_servers_own_certificate_stands_alone() -> None:
    """A Python that has neither the public nor the private call still gives the leaf."""

    class Bare:
        def getpeercert(self, binary_form: bool = False) -> bytes:
            return b"leaf" if binary_form else b""

    assert peer_chain(Bare()) == (b"leaf",)
