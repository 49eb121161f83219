"""Hold what `text-v1` yields: text, declared metadata and links of one document. Reads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from provenance.digest import Digest, digest_of

TEXT_ALGORITHM: Final = "text-v1"
"""The name that stands beside every text id; a change of rules or pinned versions renames it."""


ENGINES: Final = {"lxml": "6.1.3", "resiliparse": "2.0.1", "pypdfium2": "5.15.2"}
"""The parsers and the charset detector that `text-v1` names, with their exact versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperlink:
    """An address that a document cites: absolute, http or https, without fragment.

    `label` is the visible text of the link, at most 200 characters.
    """

    url: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivative:
    """What a document says as text, and what it declares about itself.

    `published` is a partial ISO date. `charset` is the Encoding Standard's name of the charset the
    text was decoded by, None where the format brings its own (PDF). `pages` holds, for a PDF, the
    code point offset in `text` where each page starts. `fault` is a stable word, set when nothing
    could be read: `empty`, `unsupported_media_type`, `too_large`, `no_text`, `broken_xml`,
    `broken_pdf`, `encrypted_pdf`, and from the pool `crashed` or `too_slow`.
    """

    algorithm: str = TEXT_ALGORITHM
    text: str = ""
    title: str | None = None
    author: str | None = None
    published: str | None = None
    language: str | None = None
    charset: str | None = None
    links: tuple[Hyperlink, ...] = ()
    pages: tuple[int, ...] = ()
    fault: str | None = None


def text_id(derivative: Derivative) -> Digest:
    """Return the SHA-256 of the text's UTF-8 bytes.

    >>> text_id(Derivative(text="bridge"))
    'sha256:17f29b073143d8cd97b5bbe492bdeffec1c5fee55cc1fe2112c8b9335f8b6121'
    """
    return digest_of(derivative.text.encode("utf-8"))
