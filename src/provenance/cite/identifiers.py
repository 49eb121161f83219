"""Name a capture as a PWID and as a citation key, and find ids in any text. Pure."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

from provenance.cite.citation import Citation
from provenance.cite.plain import clean
from provenance.dates import format_seconds, parse_instant
from provenance.digest import Digest, from_hex, hex_of, to_base64url, to_ni

_NOT_UNRESERVED = re.compile(r"[^A-Za-z0-9._~-]+")
_NSS_CHARACTERS = "/:@!$&'()*+,;=-._~%"

# LaTeX and some Markdown writers put a backslash before `_` and `-`, so one may stand in a digest.
_SOME_ID = re.compile(
    r"(?:sha256:|hash://sha256/)(?P<hex>[0-9a-f]{64})(?![0-9a-z])"
    r"|(?:ni://[^/\s]*/(?:[^/\s;]*/)?sha-256;|/\.well-known/ni/sha-256/)"
    r"(?P<base64>(?:\\?[A-Za-z0-9_-]){43})(?!\\?[A-Za-z0-9_-])",
    re.IGNORECASE,
)


def citation_key(citation: Citation) -> str:
    """Return the document id and the first 12 hex digits of the capture id, in ASCII."""
    name = _NOT_UNRESERVED.sub("-", citation.document).replace("~", "-").strip("-") or "document"
    return f"{name}-{hex_of(citation.capture_id)[:12]}"


def pwid_of(citation: Citation) -> str:
    """Return the PWID URN of the capture.

    The archive id is `provenance-` and the collection id: no registry knows it, and having no dot
    it cannot be taken for a web archive's domain. Precision is `part`, for one archived response
    without its page's images and scripts. Without an address the item is the content's `ni:` URI.

    Source: URN namespace registration PWID (2022-11-15); RFC 8141 §2 for the characters: `?`, `#`
    and the like are percent-encoded, `%` is left as it is.
    """
    archive = _NOT_UNRESERVED.sub("-", f"provenance-{citation.collection}")
    when = format_seconds(parse_instant(citation.captured_at))
    item = clean(citation.final_url) or clean(citation.url) or to_ni(citation.content_id)
    return f"urn:pwid:{archive}:{when}:part:{quote(item, safe=_NSS_CHARACTERS)}"


def parse_ids(text: str) -> tuple[Digest, ...]:
    """Return each digest that `text` names, once, in the order of first mention.

    Read are `sha256:`, `hash://sha256/`, `ni:` and well-known `ni` forms, in running text and in
    each form `render` writes; there the content id comes before the capture id.
    """
    found = (_digest_in(match) for match in _SOME_ID.finditer(text))
    return tuple(dict.fromkeys(digest for digest in found if digest is not None))


def _digest_in(match: re.Match[str]) -> Digest | None:
    if match["hex"]:
        return from_hex(match["hex"])
    written = match["base64"].replace("\\", "")
    digest = from_hex(base64.urlsafe_b64decode(written + "=").hex())
    # 43 characters hold two bits more than a digest; another spelling is no digest (RFC 4648 §3.5).
    return digest if to_base64url(digest) == written else None
