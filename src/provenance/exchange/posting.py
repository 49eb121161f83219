"""Send bytes to a service and return what it answers; nothing of it is recorded."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from provenance.errors import ProvenanceError

ANSWER_LIMIT = 1 << 20
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a service answers: the status, the media type without parameters, and the body."""

    status: int
    media_type: str
    body: bytes


def post_bytes(url: str, body: bytes, *, media_type: str, timeout_s: float) -> bytes:
    """Return the body of the answer to a POST, at most `ANSWER_LIMIT` bytes.

    Raises:
        ProvenanceError: no answer came, it has another status than 200, or it is too large.
    """
    reply = post(url, body, media_type=media_type, timeout_s=timeout_s)
    if reply.status != 200:
        raise ProvenanceError("refused", where=url, expected="status 200", found=str(reply.status))
    return reply.body


def post(url: str, body: bytes, *, media_type: str, timeout_s: float) -> Reply:
    """Return the answer to a POST, whatever its status; its body has at most `ANSWER_LIMIT` bytes.

    Redirects are not followed, and the environment's proxies and certificates count, as for
    requests.

    Raises:
        ProvenanceError: no answer came, or it is too large.
    """
    try:
        with requests.post(
            url,
            data=body,
            headers={"Content-Type": media_type},
            timeout=timeout_s,
            allow_redirects=False,
            stream=True,
        ) as answer:
            raw = answer.raw.read(ANSWER_LIMIT + 1, decode_content=True)
            status, kind = answer.status_code, answer.headers.get("Content-Type", "")
    except (requests.RequestException, OSError, ValueError) as fault:
        raise ProvenanceError("no answer came", where=url, found=type(fault).__name__) from fault
    if len(raw) > ANSWER_LIMIT:
        raise ProvenanceError(
            "the answer is too large", where=url, expected=f"at most {ANSWER_LIMIT} bytes"
        )
    media_type = kind.partition(";")[0].strip().lower()
    return Reply(status=status, media_type=media_type, body=bytes(raw))
