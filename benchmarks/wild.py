"""A server that misbehaves in every way, and the stage that fetches from it.

What a path is answered with is drawn once, from a fixed seed, so that every run meets the same.
"""

from __future__ import annotations

import asyncio
import gzip
import random
import shutil
import socket
import ssl
import struct
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from bench import Bench, expect
from measure import once
from origin import HOSTS, MISSING, playing

SEED = 20240102
IDLE_S = 1.0
"""The idle time-out that fetch is given; a slow drip waits longer than that."""

_PAGE = b"<!doctype html><title>Minutes</title><p>" + b"The council met. " * 40
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_CODED = _OK + b"Content-Encoding: gzip\r\n"

Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


def with_length(head: bytes, body: bytes) -> bytes:
    """Return a head completed by the length of the body, and the body."""
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def status(line: bytes, *fields: bytes, body: bytes = _PAGE) -> bytes:
    """Return a response with this status."""
    head = b"HTTP/1.1 %b\r\nContent-Type: text/html\r\n" % line
    return with_length(head + b"".join(field + b"\r\n" for field in fields), body)


def _bomb() -> bytes:
    return gzip.compress(bytes(1 << 26), 9)


_BROKEN = gzip.compress(_PAGE)[:-20] + bytes(20)
_WALL = (
    b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><script>"
    b"window._cf_chl_opt={cType:'managed'};</script></body></html>"
)

WRITTEN: dict[str, bytes] = {
    "good": with_length(_OK, _PAGE),
    "good, no length": _OK + b"Connection: close\r\n\r\n" + _PAGE,
    "good, chunked": _CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(_PAGE), _PAGE),
    "head cut": _OK[:30],
    "body cut": _OK + b"Content-Length: 100000\r\n\r\n" + _PAGE,
    "body longer than its length": _OK + b"Content-Length: 20\r\n\r\n" + _PAGE,
    "two lengths": _OK + b"Content-Length: 5\r\nContent-Length: 700\r\n\r\n" + _PAGE,
    "length no number": _OK + b"Content-Length: many\r\n\r\n" + _PAGE,
    "length below zero": _OK + b"Content-Length: -1\r\n\r\n" + _PAGE,
    "chunked, cut": _CHUNKED + b"ffff\r\n" + _PAGE,
    "chunked, no last chunk": _CHUNKED + b"%x\r\n%b\r\n" % (len(_PAGE), _PAGE),
    "chunked, bad size": _CHUNKED + b"zz\r\n" + _PAGE,
    "chunked, size without end": _CHUNKED + b"0" * 200_000,
    "status 403": status(b"403 Forbidden"),
    "status 404": status(b"404 Not Found"),
    "status 410, empty": status(b"410 Gone", body=b""),
    "status 429": status(b"429 Too Many Requests", b"Retry-After: 1"),
    "status 500": status(b"500 Internal Server Error"),
    "status 503": status(b"503 Service Unavailable"),
    "status 204 with a body": status(b"204 No Content"),
    "status 304 unasked": status(b"304 Not Modified"),
    "status 999": status(b"999 Denied"),
    "redirect": status(b"302 Found", b"Location: /good"),
    "redirect to nowhere": status(b"301 Moved", b"Location: http://127.0.0.1:1/"),
    "redirect without a place": status(b"302 Found"),
    "redirect to another scheme": status(b"302 Found", b"Location: file:///etc/passwd"),
    "redirect to no address": status(b"302 Found", b"Location: http://[::bad/"),
    "redirect onto itself": status(b"302 Found", b"Location: "),
    "bot wall, 403": status(b"403 Forbidden", b"cf-mitigated: challenge", body=_WALL),
    "bot wall, 200": status(b"200 OK", b"Server: cloudflare", body=_WALL),
    "gzip, good": with_length(_CODED, gzip.compress(_PAGE)),
    "gzip, broken": with_length(_CODED, _BROKEN),
    "gzip, no gzip": with_length(_CODED, _PAGE),
    "gzip bomb": with_length(_CODED, _bomb()),
    "coding unknown": with_length(_OK + b"Content-Encoding: rot13\r\n", _PAGE),
    "empty": with_length(_OK, b""),
    "fields, ten thousand": _OK + b"X: y\r\n" * 10_000 + b"\r\n" + _PAGE,
    "fields, two million bytes": _OK + b"X: " + b"y" * 2_000_000 + b"\r\n\r\n" + _PAGE,
    "fields, odd": _OK + b"no colon\r\n folded\r\nNul: \0\r\nLatin: \xe9\r\n\r\n" + _PAGE,
    "HTTP/0.9": _PAGE,
    "noise": random.Random(SEED).randbytes(3000),
    "nothing but line ends": b"\r\n" * 50,
    "status line alone": b"HTTP/1.1 200\r\n\r\n",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + _PAGE,
    "HTTP/7.3": b"HTTP/7.3 200 OK\r\n\r\n" + _PAGE,
    "interim 100 and 103": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
    b"Link: </a>\r\n\r\n" + with_length(_OK, _PAGE),
    "interim without end": b"HTTP/1.1 102 Processing\r\n\r\n" * 2000,
    "101 unasked": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + _PAGE,
    "zip as text": with_length(_OK, b"PK\x03\x04" + bytes(200)),
}
"""What is written, and then the connection closed."""

SLOW = ("drip", "silence", "head drip")
TLS = ("TLS without TLS", "TLS, self-signed")
KINDS = (*WRITTEN, "reset", "reset in the body", "closed at once", "redirects, long", *SLOW, *TLS)
_WEIGHTS = {**dict.fromkeys(KINDS, 10), **dict.fromkeys(SLOW, 2), "gzip bomb": 1, "good": 60}


def kinds_of(count: int) -> list[str]:
    """Return the kind of each document, drawn once."""
    dice = random.Random(SEED)
    return dice.choices(KINDS, weights=[_WEIGHTS[kind] for kind in KINDS], k=count)


def address_of(number: int, kind: str, port: int, tls_port: int) -> str:
    """Return the address of a document; its path says what to do."""
    host = HOSTS[number % len(HOSTS)]
    path = f"{KINDS.index(kind)}/{number}"
    if kind == "TLS, self-signed":
        return f"https://{host}:{tls_port}/{path}"
    return f"{'https' if kind in TLS else 'http'}://{host}:{port}/{path}"


async def play(path: str, writer: asyncio.StreamWriter) -> None:
    """Do what the path says, and close."""
    number = path.strip("/").partition("/")[0]
    if path == "/good" or not number.isdigit():
        writer.write(WRITTEN["good"] if path == "/good" else MISSING)
        return
    kind = KINDS[int(number) % len(KINDS)]
    await _DO.get(kind, partial(_write, kind))(path, writer)
    if not writer.is_closing():
        writer.close()


async def _write(kind: str, path: str, writer: asyncio.StreamWriter) -> None:
    raw = WRITTEN.get(kind, WRITTEN["good"])
    if kind == "redirect onto itself":
        raw = raw.replace(b"Location: ", b"Location: " + path.encode())
    writer.write(raw)
    await writer.drain()


async def _reset(before: bytes, _path: str, writer: asyncio.StreamWriter) -> None:
    writer.write(before)
    await writer.drain()
    plug: socket.socket = writer.get_extra_info("socket")
    # With no time to linger, closing sends a reset instead of an end.
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _close(_path: str, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _drip(before: bytes, _path: str, writer: asyncio.StreamWriter) -> None:
    writer.write(before)
    await writer.drain()
    await asyncio.sleep(3 * IDLE_S)
    writer.write(b"at last")


async def _redirects(path: str, writer: asyncio.StreamWriter) -> None:
    steps = path.count("/x")
    place = b"/good" if steps > 40 else path.encode() + b"/x"
    writer.write(status(b"302 Found", b"Location: " + place))


_DO: dict[str, Answer] = {
    "reset": partial(_reset, b""),
    "reset in the body": partial(_reset, _OK + b"Content-Length: 9000\r\n\r\n" + _PAGE),
    "closed at once": _close,
    "redirects, long": _redirects,
    "drip": partial(_drip, _OK + b"Content-Length: 9000\r\n\r\n" + _PAGE),
    "silence": partial(_drip, b""),
    "head drip": partial(_drip, _OK),
}


def certificate(folder: Path) -> Path | None:
    """Make a self-signed certificate with openssl; None where there is no openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    path = folder / "self-signed.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-keyout", str(path), "-out", str(path) + ".crt"]
    subprocess.run(command, check=True, capture_output=True)
    with path.open("ab") as both:
        both.write(Path(str(path) + ".crt").read_bytes())
    return path


def measure_misbehaving(bench: Bench, count: int) -> None:
    """Fetch from the server; every document must end in one outcome, and verify must be clean."""
    pem = certificate(bench.folder)
    kinds = kinds_of(count)
    with playing(play) as port, playing(play, tls=_tls(pem), processes=1) as tls_port:
        addresses = [
            address_of(number, kind, port, tls_port if pem else port)
            for number, kind in enumerate(kinds)
        ]
        fetch = bench.fetch(
            "--json",
            "--timeout",
            str(IDLE_S),
            before=lambda: bench.new_root(addresses),
            fine=(0, 3),
        )
        result = once(fetch, bench.log)
    came: Counter[tuple[str, str]] = Counter()
    documents = Counter[str]()
    for each in bench.told():
        if each["type"] == "outcome":
            documents[each["document"]] += 1
            kind = kinds[int(each["document"].removeprefix("doc-"))]
            came[kind, " ".join(filter(None, (each["outcome"], each["reason"])))] += 1
    expect(len(documents), count, "misbehaving: documents with an outcome")
    expect(documents.total(), count, "misbehaving: outcomes")
    bench.reporter.race("misbehaving", f"Fetch, {count} documents of all kinds", [result])
    rows = [(kind, word, times) for (kind, word), times in sorted(came.items())]
    bench.reporter.counts("misbehaving", "What came of each kind", rows)
    _check(bench, count, len({kind for kind, _, _ in rows}))


def _check(bench: Bench, count: int, kinds: int) -> None:
    verify = once(bench.ours("provenance verify", "verify", "--json", fine=(0, 4)), bench.log)
    told = list(bench.told())
    findings = [each for each in told if each["type"] == "finding"]
    bench.reporter.race("misbehaving", "Verify of it", [verify])
    bench.reporter.facts(
        "misbehaving",
        "Held to",
        documents=count,
        outcomes=count,
        kinds=f"{kinds} of {len(KINDS)}",
        findings=len(findings),
        finding_codes=dict(Counter(each["code"] for each in findings)),
        verify_clean=not findings,
    )


def _tls(pem: Path | None) -> ssl.SSLContext | None:
    if pem is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
