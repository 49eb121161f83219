"""Check single values of a seeds file: texts, ids, addresses, dates, languages. Pure."""

from __future__ import annotations

import datetime
import ipaddress
import re
from enum import StrEnum
from typing import TypeVar
from urllib.parse import quote, urlsplit

from provenance.dates import parse_partial_date
from provenance.errors import UsageError
from provenance.seeds.faults import MisfitError, did_you_mean

LINE_LIMIT = 2_000
PROSE_LIMIT = 20_000
ADDRESS_LIMIT = 8_000

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_DIGEST_LIKE = re.compile(r"[0-9a-f]{8,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_LAYOUT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LANGUAGE = re.compile(r"(?:[A-Za-z]{2,3}|[xi])(?:-[A-Za-z0-9]{1,8}){0,8}")
_MEDIA_TYPE = re.compile(
    r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,126})"
)
_COMMON_MEDIA_TYPES = (
    "text/html",
    "application/pdf",
    "text/plain",
    "application/xhtml+xml",
    "application/json",
    "application/xml",
    "image/jpeg",
    "image/png",
)
_URI_MARKS = "-._~:/?#[]@!$&'()*+,;=%"
_OUTSIDE_ADDRESS = re.compile(rf"[^A-Za-z0-9{re.escape(_URI_MARKS)}]")
_CREDENTIALS = re.compile(r"[^/?#]*//[^/?#]*@")
_AUTHORITY = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:@]+)(?::[0-9]{1,5})?")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_WIDEST = {4: 8, 6: 7}

Word = TypeVar("Word", bound=StrEnum)


def parse_line(value: object) -> str:
    """Return text that stands on one line, without control characters."""
    return _parse_text(value, _CONTROL, LINE_LIMIT)


def parse_prose(value: object) -> str:
    """Return text that may have line breaks and tabs, but no other control characters."""
    return _parse_text(value, _CONTROL_BUT_LAYOUT, PROSE_LIMIT)


def parse_id(value: object) -> str:
    """Return a collection's or document's id: up to 80 of a-z, 0-9 and the hyphen.

    Eight or more characters that are all hexadecimal digits are refused: on the command line they
    would be taken for the beginning of a digest.

    >>> parse_id("harbour-audit-2019")
    'harbour-audit-2019'
    """
    text = parse_line(value)
    if not _ID.fullmatch(text):
        raise MisfitError("an id of 1 to 80 characters a-z, 0-9 and -, not - first", text)
    if _DIGEST_LIKE.fullmatch(text):
        raise MisfitError(
            "an id that cannot be taken for the beginning of a digest",
            text,
            "add a letter after f or a hyphen",
        )
    return text


def parse_word(value: object, words: type[Word]) -> Word:
    """Return the member of `words` that `value` names."""
    known = [word.value for word in words]
    if isinstance(value, str) and value in known:
        return words(value)
    hint = did_you_mean(value, known) if isinstance(value, str) else None
    raise MisfitError(f"one of {', '.join(known)}", value, hint)


def parse_published(value: object) -> str:
    """Return a date as `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; a day may be a bare TOML date."""
    expected = 'a date: 2021-02-22, or "2021-02", or "2021"'
    if isinstance(value, datetime.datetime | datetime.time):
        raise MisfitError(expected, value, "leave out the time of day")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 9999:
        raise MisfitError(expected, value, f'write the year in quotes: "{value:04d}"')
    if not isinstance(value, str) or not value.isascii():
        raise MisfitError(expected, value)
    try:
        return parse_partial_date(value)
    except UsageError as fault:
        raise MisfitError(expected, value) from fault


def parse_language(value: object) -> str:
    """Return a language tag of the form `en`, `zh-Hans` or `pt-BR`.

    Source: BCP 47 (RFC 5646) §2.1; the form is checked, the registry is not asked.
    """
    text = parse_line(value)
    if not _LANGUAGE.fullmatch(text) or text.lower() in {"x", "i"}:
        raise MisfitError('a language tag such as "en" or "zh-Hans"', text)
    return text


def parse_media_type(value: object) -> str:
    """Return `type/subtype` or `type/*` in lower case, without parameters.

    Source: RFC 9110 §8.3.1; RFC 6838 §4.2 for the names.
    """
    text = parse_line(value)
    if not _MEDIA_TYPE.fullmatch(text):
        by_ending = [known for known in _COMMON_MEDIA_TYPES if known.endswith(f"/{text.lower()}")]
        hint = did_you_mean((by_ending or [text])[0], _COMMON_MEDIA_TYPES)
        raise MisfitError('a media type such as "text/html" or "text/*"', text, hint)
    return text


def parse_network(value: object) -> str:
    """Return an address range in CIDR form, no wider than the widest private range.

    Source: RFC 4632 §3.1 for the form; RFC 1918 §3 (10.0.0.0/8) and RFC 4193 §3.1 (fc00::/7) for
    the widths.
    """
    text = parse_line(value)
    expected = 'a network such as "10.1.0.0/16" or "127.0.0.1/32"'
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as fault:
        raise MisfitError(expected, text) from fault
    if "/" not in text or str(network.network_address) != text.partition("/")[0].lower():
        raise MisfitError(expected, text, f'did you mean "{network}"?')
    if network.prefixlen < _WIDEST[network.version]:
        raise MisfitError(f"a network of /{_WIDEST[network.version]} or narrower", text)
    return str(network)


def parse_address(value: object) -> str:
    """Return an absolute http or https URL as it is written.

    The URL has a host, no user name or password, no fragment, and only characters that a URI may
    hold; a fault names the percent-encoded form. Nothing is rewritten.

    Source: RFC 3986 §2 and §3; RFC 9110 §4.2.

    Raises:
        UsageError: `value` is no such URL.
    """
    if not isinstance(value, str):
        raise MisfitError('an address such as "https://example.org/"', value)
    if not value or len(value) > ADDRESS_LIMIT:
        raise MisfitError(f"an address of 1 to {ADDRESS_LIMIT} characters", value)
    if _CREDENTIALS.match(value):
        raise MisfitError("an address without a user name or password", value, secret=True)
    if _OUTSIDE_ADDRESS.search(value):
        raise MisfitError("an address of URI characters only", value, _encoded_hint(value))
    _check_authority(value)
    if "#" in value:
        raise MisfitError(
            "an address without a fragment", value, "the part from # on is never sent; leave it out"
        )
    return value


def _check_authority(value: str) -> None:
    try:
        parts = urlsplit(value)
        port, host = parts.port, parts.hostname or ""
    except ValueError as fault:
        raise MisfitError("an http or https address", value, str(fault)) from fault
    if parts.scheme not in {"http", "https"} or not host:
        raise MisfitError("an absolute http or https address with a host", value)
    labels = host.removesuffix(".").split(".")
    fits = len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    if port == 0 or not _AUTHORITY.fullmatch(parts.netloc) or not (fits or _is_ipv6(host)):
        raise MisfitError("a host of letters, digits, hyphens and dots, or [IPv6]", value)


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _encoded_hint(value: str) -> str | None:
    if _CONTROL.search(value):
        return "take out the control characters"
    scheme, _, rest = value.partition("://")
    host, slash, path = rest.partition("/")
    if not host.isascii():
        return "write the host name in its xn-- form"
    encoded = f"{scheme}://{host}{slash}{quote(path, safe=_URI_MARKS)}"
    return f'percent-encoded it is "{encoded}"' if len(encoded) < 200 else None


def _parse_text(value: object, refused: re.Pattern[str], limit: int) -> str:
    if not isinstance(value, str):
        raise MisfitError("text in quotes", value)
    if not value.strip():
        raise MisfitError("some text", value)
    if len(value) > limit:
        raise MisfitError(f"at most {limit} characters", value)
    if found := refused.search(value):
        place = f"U+{ord(found[0]):04X} is character {found.start() + 1}"
        raise MisfitError("text without control characters", value, place)
    return value
