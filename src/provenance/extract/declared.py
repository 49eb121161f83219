"""Keep what a document declares about itself in its metadata. Pure; believes and weighs nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from provenance.dates import parse_partial_date
from provenance.errors import UsageError
from provenance.extract.fold import fold_one

# Names in order of preference. Sources: Open Graph and its article vocabulary, the Highwire tags
# that scholarly indexes read, Dublin Core, and plain HTML names that news sites and ministries use.
_TITLE = ("og:title", "citation_title", "dc.title", "dcterms.title", "twitter:title")
_AUTHOR = ("citation_author", "author", "article:author", "dc.creator", "dcterms.creator")
_DATE = (
    *("article:published_time", "citation_publication_date", "citation_date", "dcterms.issued"),
    *("dc.date.issued", "datepublished", "dc.date", "dcterms.date", "pubdate", "publishdate"),
    *("publication_date", "date"),
)
_MANY = frozenset({"citation_author", "dc.creator", "dcterms.creator"})
_DATE_FORM = re.compile(
    r"\s*(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2}))?|(\d{2})(\d{2}))?(?=\Z|[T\s])", re.ASCII
)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*\Z", re.ASCII)
_MAX_FIELD = 500


def partial_date(declared: str) -> str | None:
    """Return the date at the start of `declared` as `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, or None.

    >>> partial_date("2021/3/25 10:30"), partial_date("3 March 2021")
    ('2021-03-25', None)
    """
    match = _DATE_FORM.match(declared)
    if not match:
        return None
    parts = (match[1], match[3] or match[5], match[4] or match[6])
    try:
        return parse_partial_date("-".join(part.zfill(2) for part in parts if part))
    except UsageError:
        return None


def language_tag(declared: str) -> str | None:
    """Return a well-formed language tag as declared, or None.

    Source: BCP 47 §2.1, loosely: subtags are not looked up.
    """
    tag = declared.strip()
    return tag if len(tag) <= 35 and _LANGUAGE.match(tag) else None


class DeclaredFields:
    """The metadata fields of one document, as they come by."""

    def __init__(self) -> None:
        self._fields: dict[str, list[str]] = {}
        self.language: str | None = None

    def add_meta(self, attributes: Mapping[str, str]) -> None:
        """Take the attributes of one `meta` element."""
        content = fold_one(attributes.get("content", "")[: 4 * _MAX_FIELD])[:_MAX_FIELD]
        if not content:
            return
        for key in ("name", "property", "itemprop"):
            name = attributes.get(key, "").strip().lower()
            kept = self._fields.setdefault(name, []) if name in _KNOWN else None
            if kept is not None and len(kept) < 50 and content not in kept:
                kept.append(content)
        if attributes.get("http-equiv", "").lower() == "content-language":
            self.add_language(content)

    def add_language(self, declared: str) -> None:
        """Take a language; the first well-formed one stands."""
        self.language = self.language or language_tag(declared)

    @property
    def title(self) -> str | None:
        """The title among the metadata fields, the `title` element aside."""
        return next((self._fields[name][0] for name in _TITLE if name in self._fields), None)

    @property
    def author(self) -> str | None:
        """The author or authors, parted by "; "; an address is no name."""
        for name in _AUTHOR:
            said = [one for one in self._fields.get(name, ()) if "://" not in one]
            if said:
                return "; ".join(said if name in _MANY else said[:1])
        return None

    @property
    def published(self) -> str | None:
        """The date of publication as a partial ISO date."""
        dates = (partial_date(one) for name in _DATE for one in self._fields.get(name, ()))
        return next((date for date in dates if date), None)


_KNOWN = frozenset(_TITLE + _AUTHOR + _DATE)
