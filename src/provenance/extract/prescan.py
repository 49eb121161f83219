"""Find the charset that a document declares in its first bytes. Pure.

Source: HTML Standard §13.2.3.2 (prescan a byte stream); XML 1.0 §4.3.3.
"""

from __future__ import annotations

import re

from provenance.extract.labels import name_of

_SKIPPED = re.compile(rb"<!--.*?--\s*>|<[!/?][^>]*>?", re.DOTALL)
_TAG = re.compile(rb"<([A-Za-z][^\s/>]*)")
_ATTRIBUTE = re.compile(
    rb"""[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)))?"""
)
_CHARSET = re.compile(rb"""charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;"']+))""", re.IGNORECASE)
_XML = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")


def html_charset(head: bytes) -> str | None:
    """Return the standard's name for the charset that a meta element in `head` declares.

    As the standard says, UTF-16 declared in bytes that read as ASCII means UTF-8.
    """
    at = 0
    while (at := head.find(b"<", at)) >= 0:
        if skipped := _SKIPPED.match(head, at):
            at = skipped.end()
        elif tag := _TAG.match(head, at):
            fields, at = _attributes(head, tag.end())
            if not head[at:].strip(b"\t\n\f\r /"):
                break  # the bytes end inside the tag
            name = _meta_charset(fields) if tag[1].lower() == b"meta" else None
            if name is not None:
                return "utf-8" if name.startswith("utf-16") else name
        else:
            at += 1
    return xml_charset(head)


def xml_charset(head: bytes) -> str | None:
    """Return the standard's name for the charset of an XML declaration."""
    found = _XML.match(head.lstrip())
    return name_of(found[1].decode("ascii")) if found else None


def _attributes(head: bytes, at: int) -> tuple[dict[bytes, bytes], int]:
    fields: dict[bytes, bytes] = {}
    while match := _ATTRIBUTE.match(head, at):
        value = next((part for part in match.groups()[1:] if part is not None), b"")
        fields.setdefault(match[1].lower(), value)
        at = match.end()
    return fields, at


def _meta_charset(fields: dict[bytes, bytes]) -> str | None:
    label = fields.get(b"charset")
    if label is None and fields.get(b"http-equiv", b"").lower() == b"content-type":
        found = _CHARSET.search(fields.get(b"content", b""))
        label = next((part for part in found.groups() if part is not None), b"") if found else None
    return None if label is None else name_of(label.decode("latin-1"))
