"""Name a capture as a PWID and as a citation key, and find ids in any text. Pure."""

from __future__ import annotations

import base64
import contextlib
import html
import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from provenance.cite.citation import Citation
from provenance.dates import format_seconds, parse_instant
from provenance.digest import Digest, from_hex, hex_of, to_base64url, to_ni
from provenance.errors import UsageError
from provenance.plain_text import clean

_NOT_UNRESERVED = re.compile(r"[^A-Za-z0-9._~-]+")
_NSS_CHARACTERS = "/:@!$&'()*+,;=-._~%"

# LaTeX and some Markdown writers put a backslash before `_` and `-`, so one may stand in a digest.
_SOME_ID = re.compile(
    r"(?:sha256:|hash://sha256/)(?P<hex>[0-9a-f]{64})(?![0-9a-z])"
    r"|(?:ni://[^/\s]*/(?:[^/\s;]*/)?sha-256;|/\.well-known/ni/sha-256/)"
    r"(?P<base64>(?:\\?[A-Za-z0-9_-]){43})(?!\\?[A-Za-z0-9_-])",
    re.IGNORECASE,
)

_SOME_PWID = re.compile(
    r"urn:pwid:[A-Za-z0-9._~-]+:(?P<when>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ):part:[^\s<>\"`{}\\|^]+",
    re.ASCII,
)
_ESCAPE = re.compile(r"\\([#$%&_~*.:@!()'+,;=/-])")
_LATEX_TILDE = re.compile(r"\{\\textasciitilde\}")
_SENTENCE_MARKS = ".,;:!?)]'"


def citation_key(citation: Citation) -> str:
    """Return the document id and the first 12 hex digits of the capture id, in ASCII."""
    name = _NOT_UNRESERVED.sub("-", citation.document).replace("~", "-").strip("-") or "document"
    return f"{name}-{hex_of(citation.capture_id)[:12]}"


def pwid_of(citation: Citation) -> str:
    """Return the PWID URN of the capture that is cited."""
    return to_pwid(
        collection=citation.collection,
        captured_at=citation.captured_at,
        address=clean(citation.final_url) or clean(citation.url),
        content_id=citation.content_id,
    )


def to_pwid(*, collection: str, captured_at: str, address: str | None, content_id: Digest) -> str:
    """Return the PWID URN of a capture; `address` is the one that answered, or the one asked.

    The archive id is `provenance-` and the collection id: no registry knows it, and having no dot
    it cannot be taken for a web archive's domain. Precision is `part`, for one archived response
    without its page's images and scripts. Without an address the item is the content's `ni:` URI.

    Source: URN namespace registration PWID (2022-11-15); RFC 8141 §2 for the characters: `?`, `#`
    and the like are percent-encoded, `%` is left as it is.
    """
    archive = _NOT_UNRESERVED.sub("-", f"provenance-{collection}")
    when = format_seconds(parse_instant(captured_at))
    item = clean(address) or to_ni(content_id)
    return f"urn:pwid:{archive}:{when}:part:{quote(item, safe=_NSS_CHARACTERS)}"


def parse_ids(text: str) -> tuple[Digest, ...]:
    """Return each digest that `text` names, once, in the order of first mention.

    Read are `sha256:`, `hash://sha256/`, `ni:` and well-known `ni` forms, in running text and in
    each form `render` writes; there the content id comes before the capture id.
    """
    found = (_digest_in(match) for match in _SOME_ID.finditer(text))
    return tuple(dict.fromkeys(digest for digest in found if digest is not None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pwid:
    """A PWID as a text has it: its second, and it to the next white space, without escapes.

    Where a sentence goes on behind it, its marks stand at the end of `text`.
    """

    second: datetime
    text: str

    def names(self, urn: str) -> bool:
        """Say whether this is the PWID `urn`, followed by nothing but marks of a sentence."""
        return self.text.startswith(urn) and not self.text[len(urn) :].strip(_SENTENCE_MARKS)


def parse_pwids(text: str) -> tuple[Pwid, ...]:
    """Return each PWID URN that `text` names, once, the escapes of LaTeX and HTML taken off."""
    plain = _LATEX_TILDE.sub("~", _ESCAPE.sub(r"\1", text.replace("{}", "")))
    found = []
    for match in (*_SOME_PWID.finditer(plain), *_SOME_PWID.finditer(html.unescape(plain))):
        with contextlib.suppress(UsageError):
            found.append(Pwid(second=parse_instant(match["when"]), text=match[0]))
    return tuple(dict.fromkeys(found))


def _digest_in(match: re.Match[str]) -> Digest | None:
    if match["hex"]:
        return from_hex(match["hex"])
    written = match["base64"].replace("\\", "")
    digest = from_hex(base64.urlsafe_b64decode(written + "=").hex())
    # 43 characters hold two bits more than a digest; another spelling is no digest (RFC 4648 §3.5).
    return digest if to_base64url(digest) == written else None
