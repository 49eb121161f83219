"""Take credentials out of a request before it is kept. Pure."""

from __future__ import annotations

import re

REDACTED_FIELDS = ("authorization", "cookie", "proxy-authorization")
"""Request fields whose values are never kept."""

_FIELD = re.compile(
    rb"^(authorization|cookie|proxy-authorization)([ \t]*:[ \t]*)([^\r\n]*)",
    re.IGNORECASE | re.MULTILINE,
)


def redact(request: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return the request with the values of credential fields replaced, and the names replaced.

    Only the head is touched; every other byte stays.
    """
    head, gap, body = request.partition(b"\r\n\r\n")
    names = tuple(dict.fromkeys(match[1].decode().lower() for match in _FIELD.finditer(head)))
    return _FIELD.sub(rb"\1\2redacted", head) + gap + body, names
