"""Notice where an answer says that the document is elsewhere, or is not there. Pure.

What is noticed is kept with the capture and decides nothing: a refresh that leads to another
address, a canonical address other than the one the answer came from, and a page that says with a
status of success that there is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit, urlunsplit

from provenance.http_message import ResponseHead
from provenance.landing.not_found import not_found_rule
from provenance.landing.not_found_rules import RULES
from provenance.landing.page import LOOKED_AT, Page, read_page

__all__ = ["LOOKED_AT", "Landing", "notice", "to_markdown"]

_LONGEST_ADDRESS = 4096
_LONGEST_FIELD = 1 << 14
_SPACE = "\t\n\f\r "
# Source: HTML Standard, shared declarative refresh steps. `++` and `*+` never give back what they
# took, so that no field costs more than its length.
_REFRESH = re.compile(
    r"[\t\n\f\r ]*+(?:([0-9]++)[0-9.]*+|\.[0-9.]*+)(?:[\t\n\f\r ]++[;,]?+|[;,])[\t\n\f\r ]*+"
    r"(?:url[\t\n\f\r ]*+=[\t\n\f\r ]*+)?+(?:\"([^\"]*+)|'([^']*+)|(.*))",
    re.DOTALL | re.IGNORECASE,
)
# Source: RFC 8288 §3.
_NAME = r"[\w!#$&+.^`|~*-]++"
_VALUE = r"\"[^\"]*+\"|[^\s;,\"]*+"
_LINK = re.compile(rf"<([^<>]*+)>((?:\s*+;\s*+{_NAME}(?:\s*+=\s*+(?:{_VALUE}))?+)*+)")
_PARAMETER = re.compile(rf";\s*+({_NAME})(?:\s*+=\s*+({_VALUE}))?+")
_SAFE = "%/:=&?~+!$,;'@()*"
_UNRESERVED = re.compile(rb"[A-Za-z0-9._~-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What an answer says about its own address.

    `meta_refresh`: the other address that the page, or the field Refresh, leads on to, after
    `refresh_delay_s` seconds. `canonical`: the address that the page or the field Link names as the
    document's own; None where they name several. `soft_404`: the id of the rule that says the
    document is not there. `flags`: which of `meta_refresh`, `canonical_elsewhere` and `soft_404`
    hold, in this order.
    """

    meta_refresh: str | None = None
    refresh_delay_s: int | None = None
    canonical: str | None = None
    soft_404: str | None = None
    flags: tuple[str, ...] = ()


def notice(head: ResponseHead, content: bytes, *, asked: str, final: str) -> Landing:
    """Return what the answer says; never raises.

    `content` is the decoded beginning, of which 64 KiB are looked at; `asked` is the address that
    was asked for first, `final` the one that the answer came from. Addresses are returned absolute,
    without fragment and credentials.
    """
    page = read_page(head, content)
    base = (_address(page.base, final) if page.base else None) or final
    refresh = _refresh(head, page, base, final)
    canonical = _canonical(head, page, base, final)
    rule = None
    if page.is_html and 200 <= head.status < 300:
        rule = not_found_rule(page.said(), asked=asked, final=final)
    noticed = {
        "meta_refresh": refresh is not None,
        "canonical_elsewhere": canonical is not None and _form(canonical) != _form(final),
        "soft_404": rule is not None,
    }
    return Landing(
        meta_refresh=refresh[1] if refresh else None,
        refresh_delay_s=refresh[0] if refresh else None,
        canonical=canonical,
        soft_404=rule.id if rule else None,
        flags=tuple(flag for flag, holds in noticed.items() if holds),
    )


def to_markdown() -> str:
    """Return the part of `docs/challenges.md` that shows the rules for pages that are not there."""
    lines = ["| rule | what it goes by |", "|---|---|"]
    lines += [f"| `{rule.id}` | {rule.why} |" for rule in RULES]
    lines += ["", "The words, as they are compared: without case, punctuation and added marks.", ""]
    lines += [f"- `{rule.id}`: {' · '.join(rule.phrases)}" for rule in RULES if rule.phrases]
    return "\n".join(lines) + "\n"


def _refresh(head: ResponseHead, page: Page, base: str, final: str) -> tuple[int, str] | None:
    # The field comes before the page, and is resolved against the address itself.
    told = [(field, final) for field in head.values("refresh")]
    told += [(content, base) for content in page.refreshes]
    for value, against in told:
        match = _REFRESH.match(value[:_LONGEST_FIELD])
        href = (match[2] or match[3] or match[4] or "").strip(_SPACE) if match else ""
        target = _address(href, against) if href else None
        if match and target is not None and _form(target) != _form(final):
            return int((match[1] or "0")[:9]), target
    return None


def _canonical(head: ResponseHead, page: Page, base: str, final: str) -> str | None:
    named = [_address(href, base) for href in page.canonicals if href.strip(_SPACE)]
    named += [_address(href, final) for href in _canonical_links(head)]
    known = [each for each in named if each is not None]
    return known[0] if len({_form(each) for each in known}) == 1 else None


def _canonical_links(head: ResponseHead) -> Iterator[str]:
    for value in head.values("link"):
        for link in _LINK.finditer(value[:_LONGEST_FIELD]):
            given: dict[str, str] = {}
            for name, said in _PARAMETER.findall(link[2]):
                given.setdefault(name.lower(), said.strip('"'))
            # A link with an anchor speaks of something else than this answer (RFC 8288 §3.2).
            if "canonical" in given.get("rel", "").lower().split() and "anchor" not in given:
                yield link[1]


def _address(href: str, base: str) -> str | None:
    bare = re.sub(r"[\t\n\r]", "", href[: _LONGEST_ADDRESS + 1].strip(_SPACE))
    if len(bare) > _LONGEST_ADDRESS:
        return None
    try:
        parts = urlsplit(urljoin(base, bare.partition("#")[0]))
        host, port = parts.hostname or "", parts.port
        name = host if host.isascii() else host.encode("idna").decode()
        path, query = quote(parts.path or "/", safe=_SAFE), quote(parts.query, safe=_SAFE)
    except ValueError:  # what cannot be encoded is one too
        return None
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[a-z0-9_.:-]+", name):
        return None
    where = f"[{name}]" if ":" in name else name
    return urlunsplit((parts.scheme, where if port is None else f"{where}:{port}", path, query, ""))


def _form(url: str) -> str:
    """Return `url` as two addresses are compared (RFC 3986 §6.2.2, §6.2.3)."""
    scheme, _, rest = url.partition("#")[0].partition("://")
    where = re.split(r"[/?]", rest, maxsplit=1)[0]
    path = rest[len(where) :]
    host = where.rpartition("@")[2].lower()
    default = {"http": ":80", "https": ":443"}.get(scheme.lower(), "\0")
    path = quote(path if path.startswith("/") else f"/{path}", safe=_SAFE, errors="replace")
    plain = re.sub("%[0-9A-Fa-f]{2}", _plain_escape, path)
    return f"{scheme.lower()}://{host.removesuffix(default)}{plain}"


def _plain_escape(found: re.Match[str]) -> str:
    raw = unquote_to_bytes(found[0])
    return raw.decode() if _UNRESERVED.fullmatch(raw) else found[0].upper()
