"""Services that are asked by POST get bounded time and memory, and no message repeats a secret."""

from __future__ import annotations

import base64
import gzip
import threading
from dataclasses import replace

import pytest

from provenance.errors import ProvenanceError, UsageError
from provenance.exchange.posting import Reply, get_bytes, post, post_bytes
from provenance.runtime import system_runtime
from provenance.witnessing import address_of
from tests.test_exchange_limits import dripping
from tests.wire import playing
from tests.wire_proxies import listening

HERE = replace(system_runtime(), environ={})


def sent(url: str, body: bytes = b"q", *, limit: int = 100, timeout_s: float = 10) -> Reply:
    return post(url, body, HERE, media_type="a/b", timeout_s=timeout_s, limit=limit)


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    ],
)
def test_an_answer_that_drips_ends_with_the_time_of_the_exchange(first: bytes, drop: bytes) -> None:
    """The wait for bytes begins anew with each of them; the time of the exchange does not."""
    stop = threading.Event()
    with listening(dripping(first, drop, stop)) as port:
        for ask in (
            lambda url: sent(url, limit=1 << 20, timeout_s=0.3),
            lambda url: get_bytes(
                url, HERE, accept="*/*", timeout_s=0.3, limit=1 << 20, allow_private=True
            ),
        ):
            with pytest.raises(ProvenanceError, match=r"no answer came: found timeout|too slowly"):
                ask(f"http://127.0.0.1:{port}/")
        assert not stop.is_set()
        stop.set()


def test_the_body_goes_out_as_it_is_and_the_answer_comes_back() -> None:
    """Status, media type without parameters, body; a coded or chunked body is decoded."""
    played = (
        b"HTTP/1.1 404 No\r\nContent-Type: Text/Plain; charset=utf-8\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    )
    bodies: list[bytes] = []

    def handle(wire) -> None:  # type: ignore[no-untyped-def]
        raw = b""
        while not raw.endswith(b"\x00\xff\r\n\r\nend"):
            raw += wire.recv(65536)
        bodies.append(raw)
        wire.sendall(played)

    with listening(handle) as port:
        reply = sent(f"http://127.0.0.1:{port}/a?b", b"\x00\xff\r\n\r\nend")
    assert reply == Reply(status=404, media_type="text/plain", body=b"abc")
    head, _, body = bodies[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /a?b HTTP/1.1"
    assert b"Content-Type: a/b" in lines
    assert b"Content-Length: 9" in lines
    assert body == b"\x00\xff\r\n\r\nend"


@pytest.mark.parametrize("size", [100, 101])
def test_an_answer_has_a_largest_size(size: int) -> None:
    with playing(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (size, bytes(size))) as wire:
        if size <= 100:
            assert sent(wire.url).body == bytes(size)
        else:
            with pytest.raises(ProvenanceError, match="too large"):
                sent(wire.url)


def test_an_answer_that_is_cut_is_none() -> None:
    with (
        playing(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut") as wire,
        pytest.raises(ProvenanceError, match="not whole"),
    ):
        sent(wire.url)


def test_a_redirect_is_not_followed() -> None:
    with playing(b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n") as wire:
        assert sent(wire.url).status == 302
        assert len(wire.requests) == 1


def test_a_login_is_sent_and_never_told() -> None:
    """It goes out as basic authentication; messages have the address without it."""
    with playing(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") as wire:
        url = wire.url.replace("://", "://ann:s3cret@")
        with pytest.raises(ProvenanceError) as refused:
            post_bytes(url, b"q", HERE, media_type="a/b", timeout_s=10)
        with pytest.raises(ProvenanceError) as large:
            get_bytes(url + "/x", HERE, accept="*/*", timeout_s=10, limit=1, allow_private=False)
        basic = base64.b64encode(b"ann:s3cret")
        assert b"Authorization: Basic " + basic in wire.requests[0]
    with pytest.raises(ProvenanceError) as gone:
        sent("http://ann:s3cret@127.0.0.1:9/")
    for fault in (refused, large, gone):
        assert "s3cret" not in str(fault.value)
        assert "ann" not in str(fault.value)
        assert "http://127.0.0.1" in str(fault.value)


def test_a_coded_answer_is_no_larger_when_it_is_decoded() -> None:
    """A megabyte of zeros packs into a thousand bytes; nobody asked for a coding."""
    packed = gzip.compress(bytes(1 << 20))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with (
        playing(head + packed) as wire,
        pytest.raises(ProvenanceError, match="too large"),
    ):
        sent(wire.url, limit=100_000)


def test_the_address_of_a_witness_has_no_login_and_repeats_none() -> None:
    with pytest.raises(UsageError) as refused:
        address_of("http://ann:s3cret@w.example/")
    assert "w.example" in str(refused.value)
    assert "s3cret" not in str(refused.value)
