"""Say whether a reader has what it asks for already: the condition of a request. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TAG = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_BETWEEN = re.compile(rb"[ \t]*,[ \t,]*")


def is_held(fields: Sequence[tuple[bytes, bytes]], etag: str) -> bool:
    """Whether `If-None-Match` among the fields names an entity-tag, by the weak comparison.

    A field that is no list of entity-tags and no `*` is as none.

    Source: RFC 9110 §13.1.2; §8.8.3 (entity-tags, which hold commas); §5.6.1 (empty elements).

    >>> is_held([(b"if-none-match", b'"x", W/"a,b"')], '"a,b"')
    True
    >>> is_held([(b"if-none-match", b'"xa"')], '"a"')
    False
    """
    said = [value for name, value in fields if name.lower() == b"if-none-match"]
    value = b",".join(said).strip(b" \t,")
    if value == b"*":
        return True
    tags, at = [], 0
    while found := _TAG.match(value, at):
        tags.append(found[1])
        if found.end() == len(value):
            return etag.encode("latin-1") in tags
        between = _BETWEEN.match(value, found.end())
        if between is None:
            break
        at = between.end()
    return False
