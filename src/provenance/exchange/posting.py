"""Ask a service that is no source of documents; nothing of it is recorded.

An exchange as a whole has a time to end in, and an answer a largest size. A user name and a
password in an address are sent, and stand in no message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provenance import __version__
from provenance.errors import ProvenanceError
from provenance.exchange.addresses import policy
from provenance.exchange.client import Client
from provenance.exchange.credentials import without_credentials
from provenance.exchange.transport import Fields
from provenance.exchange.values import Answer, ClientSettings, Exchange
from provenance.http_body import content_pieces
from provenance.runtime import Runtime

_PIECE = 1 << 16

ANSWER_LIMIT = 1 << 20
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a service answers: the status, the media type without parameters, and the body."""

    status: int
    media_type: str
    body: bytes


def post_bytes(
    url: str,
    body: bytes,
    runtime: Runtime,
    *,
    media_type: str,
    timeout_s: float,
    accept: str | None = None,
    limit: int = ANSWER_LIMIT,
) -> bytes:
    """Return the body of the answer to a POST, at most `limit` bytes.

    Raises:
        ProvenanceError: no answer came, it has another status than 200, or it is too large.
    """
    reply = post(
        url,
        body,
        runtime,
        media_type=media_type,
        timeout_s=timeout_s,
        accept=accept,
        limit=limit,
    )
    if reply.status != 200:
        raise ProvenanceError(
            "refused",
            where=without_credentials(url),
            expected="status 200",
            found=str(reply.status),
        )
    return reply.body


def post(
    url: str,
    body: bytes,
    runtime: Runtime,
    *,
    media_type: str,
    timeout_s: float,
    accept: str | None = None,
    limit: int = ANSWER_LIMIT,
) -> Reply:
    """Return the answer to a POST, whatever its status; its body has at most `limit` bytes.

    For addresses that the user names, whichever they are. All of it, from looking up the name to
    the last byte, has `timeout_s` seconds. Redirects are not followed, and the environment's
    proxies and certificates count.

    Raises:
        ProvenanceError: no whole answer came, or it is too large.
    """
    fields = (("Content-Type", media_type), ("Accept", accept or "*/*"))
    client = _client(runtime, timeout_s, limit, allow_private=True)
    try:
        answer = _answered(client.post(url, body, fields=fields))
    finally:
        client.close()
    raw = _whole(answer, url, limit)
    kind = (answer.head.value("Content-Type") or "").partition(";")[0].strip().lower()
    return Reply(status=answer.head.status, media_type=kind, body=raw)


def get_bytes(
    url: str,
    runtime: Runtime,
    *,
    accept: str,
    timeout_s: float,
    limit: int,
    allow_private: bool,
) -> tuple[int, bytes]:
    """Return the status and the body of the answer to a GET, at most `limit` bytes.

    For addresses that a file names, which may be another's: only public ones are spoken to, unless
    `allow_private`. Time, redirects and the environment are as with `post`.

    Raises:
        ProvenanceError: no whole answer came, or it is too large.
    """
    client = _client(runtime, timeout_s, limit, allow_private=allow_private)
    try:
        answer = _answered(client.get(url, fields=(("Accept", accept),)))
    finally:
        client.close()
    return answer.head.status, _whole(answer, url, limit)


def _client(runtime: Runtime, timeout_s: float, limit: int, *, allow_private: bool) -> Client:
    fields: Fields = (
        ("User-Agent", f"provenance/{__version__}"),
        ("Accept-Encoding", "identity"),
    )
    settings = ClientSettings(
        fields=fields,
        timeout_s=timeout_s,
        max_time_s=timeout_s,
        max_bytes=limit,
        trust_env=True,
    )
    return Client(runtime, settings, policy(allow_private=allow_private))


def _answered(exchange: Exchange) -> Answer:
    answer, fault = exchange.answer, exchange.fault
    if answer is None:
        found = f"{fault.reason}: {fault.detail}" if fault else None
        raise ProvenanceError("no answer came", where=exchange.url, found=found)
    return answer


def _whole(answer: Answer, url: str, limit: int) -> bytes:
    with answer.spool as spool:

        def body() -> Iterator[bytes]:
            spool.seek(answer.head.size)
            return iter(lambda: spool.read(_PIECE), b"")

        raw = bytearray()
        for piece in content_pieces(answer.shape, body, cut=answer.cut is not None):
            raw += piece
            if len(raw) > limit:
                break
    if answer.cut is None and len(raw) <= limit:
        return bytes(raw)
    large = answer.cut in (None, "length")
    raise ProvenanceError(
        "the answer is too large" if large else "the answer is not whole, or comes too slowly",
        where=without_credentials(url),
        expected=f"at most {limit} bytes",
        found=None if large else f"one that is cut ({answer.cut})",
    )
