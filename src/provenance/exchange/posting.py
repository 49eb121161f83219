"""Ask a service that is no source of documents; nothing of it is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError

from provenance.errors import ProvenanceError
from provenance.exchange.addresses import policy
from provenance.exchange.client import Client
from provenance.exchange.values import ClientSettings
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
    reply = post(url, body, media_type=media_type, timeout_s=timeout_s, accept=accept, limit=limit)
    if reply.status != 200:
        raise ProvenanceError("refused", where=url, expected="status 200", found=str(reply.status))
    return reply.body


def post(
    url: str,
    body: bytes,
    *,
    media_type: str,
    timeout_s: float,
    accept: str | None = None,
    limit: int = ANSWER_LIMIT,
) -> Reply:
    """Return the answer to a POST, whatever its status; its body has at most `limit` bytes.

    Redirects are not followed, and the environment's proxies and certificates count, as for
    requests.

    Raises:
        ProvenanceError: no answer came, or it is too large.
    """
    try:
        with requests.post(
            url,
            data=body,
            headers={"Content-Type": media_type, **({"Accept": accept} if accept else {})},
            timeout=timeout_s,
            allow_redirects=False,
            stream=True,
        ) as answer:
            raw = answer.raw.read(limit + 1, decode_content=True)
            status, kind = answer.status_code, answer.headers.get("Content-Type", "")
    except (requests.RequestException, HTTPError, OSError, ValueError) as fault:
        raise ProvenanceError("no answer came", where=url, found=type(fault).__name__) from fault
    if len(raw) > limit:
        raise ProvenanceError(
            "the answer is too large", where=url, expected=f"at most {limit} bytes"
        )
    media_type = kind.partition(";")[0].strip().lower()
    return Reply(status=status, media_type=media_type, body=bytes(raw))


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
    `allow_private`. Redirects are not followed, and the environment's proxies and certificates
    count.

    Raises:
        ProvenanceError: no answer came, or it is cut or too large.
    """
    settings = ClientSettings(
        fields=(("Accept", accept), ("Accept-Encoding", "identity")),
        timeout_s=timeout_s,
        max_time_s=2 * timeout_s,
        max_bytes=limit,
        trust_env=True,
    )
    client = Client(runtime, settings, policy(allow_private=allow_private))
    try:
        exchange = client.get(url)
    finally:
        client.close()
    answer, fault = exchange.answer, exchange.fault
    if answer is None:
        found = f"{fault.reason}: {fault.detail}" if fault else None
        raise ProvenanceError("no answer came", where=url, found=found)
    with answer.spool as spool:

        def body() -> Iterator[bytes]:
            spool.seek(answer.head.size)
            return iter(lambda: spool.read(_PIECE), b"")

        raw = b"".join(content_pieces(answer.shape, body, cut=answer.cut is not None))
    if answer.cut is not None:
        raise ProvenanceError(
            "the answer is cut or too large", where=url, expected=f"at most {limit} bytes, whole"
        )
    return answer.head.status, raw
