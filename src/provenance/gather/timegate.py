"""Say which TimeGate is asked, and for which instant. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote, urlsplit

from provenance.dates import end_of_partial_date, format_http_date
from provenance.errors import UsageError
from provenance.uri import web_address

_PLACEHOLDER = re.compile(r"\{(\+?)(?:uri|url)\}")
_FORBIDDEN = re.compile(r"[{}\s#]|://[^/]*@")


class Basis(StrEnum):
    """What a wanted instant was taken from."""

    PUBLISHED = "published"
    RUN = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The instant to ask for, and why it is that one."""

    instant: datetime
    basis: Basis

    @property
    def accept_datetime(self) -> str:
        """The value of the Accept-Datetime field."""
        return format_http_date(self.instant)


def wanted_instant(published: str | None, *, started_at: datetime) -> Wanted:
    """Return which instant to ask for a document that was `published` on a partial date, or None.

    It is the end of the day, month or year: by then the document was out, whatever moment of it
    brought it. Before, the address may have held nothing, or something else; a memento soon after
    is nearest to what its first readers saw. A period that is not over by `started_at`, when the
    run began, and no date at all, mean `started_at`.

    >>> from datetime import UTC
    >>> wanted_instant("2020-02", started_at=datetime(2024, 1, 1, tzinfo=UTC)).accept_datetime
    'Sat, 29 Feb 2020 23:59:59 GMT'

    Raises:
        UsageError: `published` is no partial date.
    """
    if published is not None:
        end = end_of_partial_date(published)
        if end < started_at:
            return Wanted(instant=end, basis=Basis.PUBLISHED)
    return Wanted(instant=started_at, basis=Basis.RUN)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeGate:
    """Where an archive negotiates in time: the text before the original address, and after it.

    `escaped` is True where the original address stands in a query, percent-encoded.
    """

    before: str
    after: str = ""
    escaped: bool = False

    def address_for(self, url: str) -> str:
        """Return the address that negotiates for the original address `url`."""
        bare = url.partition("#")[0]
        return self.before + (quote(bare, safe="") if self.escaped else bare) + self.after


def parse_timegate(text: str) -> TimeGate:
    """Read the address of a TimeGate: a prefix, or a template with `{uri}` once.

    In the path the original address stands as it is, as archives expect it; in a query it is
    percent-encoded. `{+uri}` leaves it as it is everywhere (RFC 6570 §3.2.3).

    >>> parse_timegate("https://archive.example/web/").address_for("http://h.example/?a")
    'https://archive.example/web/http://h.example/?a'
    >>> parse_timegate("https://archive.example/t?u={uri}").address_for("http://h.example/?a")
    'https://archive.example/t?u=http%3A%2F%2Fh.example%2F%3Fa'

    Raises:
        UsageError: `text` is no http(s) address, or holds another template.
    """
    places = list(_PLACEHOLDER.finditer(text))
    before = text[: places[0].start()] if places else text
    after = text[places[0].end() :] if places else ""
    whole = web_address(before, base="") is not None and urlsplit(before).path != ""
    if not whole or _FORBIDDEN.search(before + after):
        raise UsageError(
            "not the address of a TimeGate",
            expected="https://archive.example/web/ or https://archive.example/timegate?url={uri}",
            found=repr(text),
        )
    escaped = "?" in before and not (places and places[0][1])
    return TimeGate(before=before, after=after, escaped=escaped)
