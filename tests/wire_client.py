"""A real client for the tests of the exchange wing, and words to ask about what it brought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from provenance.exchange import Client, ClientSettings, Exchange
from provenance.exchange.addresses import AddressPolicy
from provenance.exchange.values import Answer, Fault
from provenance.runtime import Resolver, system_runtime

FIELDS = (("User-Agent", "test"), ("Accept-Encoding", "identity"), ("Accept", "*/*"))
OPEN = AddressPolicy(allow_private=True)


@contextmanager
def client(
    *,
    allowed: AddressPolicy = OPEN,
    timeout_s: float = 20,
    max_time_s: float = 60,
    max_bytes: int = 1 << 30,
    proxy: str | None = None,
    ca_file: Path | None = None,
    client_cert: Path | None = None,
    client_key: Path | None = None,
    environ: Mapping[str, str] | None = None,
    keep_credentials: bool = False,
    spool_dir: Path | None = None,
    resolve: Resolver | None = None,
) -> Iterator[Client]:
    """Yield a client; `environ` is trusted where it is given."""
    runtime = replace(system_runtime(), environ=environ or {})
    made = Client(
        replace(runtime, resolve=resolve) if resolve else runtime,
        ClientSettings(
            fields=FIELDS,
            timeout_s=timeout_s,
            max_time_s=max_time_s,
            max_bytes=max_bytes,
            proxy=proxy,
            ca_file=ca_file,
            client_cert=client_cert,
            client_key=client_key,
            trust_env=environ is not None,
            keep_credentials=keep_credentials,
            spool_dir=spool_dir,
        ),
        allowed,
    )
    try:
        yield made
    finally:
        made.close()


def answer_of(exchange: Exchange) -> Answer:
    assert exchange.answer is not None, exchange.fault
    return exchange.answer


def block(exchange: Exchange) -> bytes:
    return answer_of(exchange).spool.read()


def fault_of(exchange: Exchange) -> Fault:
    assert exchange.fault is not None, exchange.answer
    return exchange.fault


def reason(exchange: Exchange) -> str:
    return fault_of(exchange).reason


def ok(body: bytes, *fields: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", *fields, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
