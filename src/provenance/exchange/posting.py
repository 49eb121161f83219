"""Send bytes to a service and return what it answers; nothing of it is recorded."""

from __future__ import annotations

import requests

from provenance.errors import ProvenanceError

ANSWER_LIMIT = 1 << 20
"""Bytes of an answer that are read."""


def post_bytes(url: str, body: bytes, *, media_type: str, timeout_s: float) -> bytes:
    """Return the body of the answer to a POST, at most `ANSWER_LIMIT` bytes.

    Redirects are not followed, and the environment's proxies and certificates count, as for
    requests.

    Raises:
        ProvenanceError: no answer came, it has another status than 200, or it is too large.
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
            status = answer.status_code
    except (requests.RequestException, OSError, ValueError) as fault:
        raise ProvenanceError("no answer came", where=url, found=type(fault).__name__) from fault
    if status != 200:
        raise ProvenanceError("refused", where=url, expected="status 200", found=str(status))
    if len(raw) > ANSWER_LIMIT:
        raise ProvenanceError(
            "the answer is too large", where=url, expected=f"at most {ANSWER_LIMIT} bytes"
        )
    return bytes(raw)
