"""The words of the pages: what outcomes and reasons are called, and what happened in a sentence.

Pure: makes plain text, never markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from unicodedata import east_asian_width

from provenance.dates import parse_instant
from provenance.errors import UsageError
from provenance.reading.facts import CaptureFacts
from provenance.web.evidence import parse_note
from provenance.web.source import Lack

STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "captured": ("captured", "Content that this document did not have before is kept."),
        "unchanged": ("unchanged", "The same content came again; the visit is kept."),
        "truncated": ("cut short", "The answer broke off or met a limit; what came is kept."),
        "error_status": (
            "error page",
            "The server answered with a status that brings no document, most often an error; what "
            "came is kept, not counted as a version.",
        ),
        "challenge": (
            "challenge page",
            "A bot check, consent or login page came instead; kept, not counted as a version.",
        ),
        "failed": ("failed", "The document did not come; the attempt and its reason are kept."),
        "denied": ("not allowed", "robots.txt says no, or did not come and counts as a no."),
        "skipped": ("skipped", "Nothing was asked in this run."),
        "waiting": ("not yet asked", "The address is known; no run has asked for it."),
        "wanted": ("wanted", "No address is known for this document."),
    }
)
"""State → (label, explanation), in the order in which bars and legends show them."""

ROLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "source": ("Source", "What is read and cited"),
        "official": ("Official", "From bodies whose statements are at issue"),
        "independent": ("Independent", "From others, on the same matters"),
        "": ("Without a role", "Captures that no seeds file describes"),
    }
)

RELATIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "cites": ("cites", "is cited by"),
        "responds-to": ("responds to", "is answered by"),
        "reports-on": ("reports on", "is reported on by"),
        "version-of": ("is a version of", "has a version"),
        "translation-of": ("is a translation of", "has a translation"),
        "part-of": ("is part of", "has a part"),
        "related-to": ("is related to", "is related to"),
    }
)
"""Kind → (said of the source, said of the target)."""

ALTERNATES: Mapping[str, str] = MappingProxyType(
    {
        "republication": "republished at",
        "same-document-other-address": "the same document at",
        "record": "a record of it at",
        "report-or-related": "a report on it, or related, at",
    }
)
"""Role of another address → what to say before it."""

LACKS: Mapping[Lack, str] = MappingProxyType(
    {
        Lack.ABSENT: "Not in the archive",
        Lack.ERROR: "An error came instead",
        Lack.CUT: "Only a part of it came",
        Lack.UNCHANGED: "Only known to be unchanged, from a record that is not in the archive",
        Lack.UNFIT: "Of a kind that does not fit its place in the page",
        Lack.DAMAGED: "Damaged in the archive",
        Lack.AWAY: "In a WARC file that is not at this site",
        Lack.LARGE: "Too large to be shown here",
        Lack.BEYOND: "More than one view holds",
    }
)
"""Why a part of a page is not shown → what its list is called."""

_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "dns": "the host name was not found",
        "refused": "the server refused the connection",
        "tls": "the encrypted connection could not be set up",
        "timeout": "no answer came in time",
        "disconnect": "the connection broke off",
        "too_many_redirects": "the redirects did not come to an end",
        "private_address": "the address lies in a private network",
        "bad_response": "the answer was no readable HTTP",
        "robots_unavailable": "the site's robots.txt could not be had, which counts as a no",
        "robots": "the site's robots.txt says no",
        "length": "a size limit was reached",
        "time": "a time limit was reached",
    }
)

_OBTAINED: Mapping[str, str] = MappingProxyType(
    {"added": "added by hand", "imported": "imported from an archive"}
)

_ROBOTS: Mapping[str, str] = MappingProxyType(
    {
        "allowed": "does not forbid it",
        "denied": "says no",
        "ignored": "was not followed",
        "not_asked": "was not asked for",
    }
)

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def state_label(state: str, status: int | None = None) -> str:
    """Return the words for a state; an unknown state is its own label.

    A status below 400 is no error, though it brings no document: RFC 9110 §15.

    >>> state_label("error_status", 404), state_label("error_status", 206)
    ('error page', 'no document')
    """
    if state == "error_status" and status is not None and status < 400:
        return "no document"
    return STATES.get(state, (state, ""))[0]


def obtained_words(obtained: str | None) -> str:
    """Return how a capture came, where it was not asked for from here; else nothing."""
    return _OBTAINED.get(obtained or "", "")


def robots_words(verdict: str | None) -> str:
    """Return what robots.txt said, or was taken to say, in words."""
    return _ROBOTS.get(verdict, verdict.replace("_", " ")) if verdict else ""


def state_meaning(state: str) -> str:
    """Return the one-sentence explanation of a state."""
    return STATES.get(state, ("", ""))[1]


def reason_words(reason: str | None) -> str:
    """Return a reason in words; an unknown reason is shown as it stands."""
    return _REASONS.get(reason, reason.replace("_", " ")) if reason else ""


def known_reason(text: str | None) -> str:
    """Return a reason in words, or whatever else stands in its place as it stands."""
    return _REASONS.get(text, text) if text else ""


def shortened(text: str, length: int) -> str:
    """Return the beginning of a text, cut where a word ends if it has words, with an ellipsis.

    >>> shortened("a harbour bridge", 11), shortened("港口大桥", 2)
    ('a harbour…', '港口…')
    """
    if len(text) <= length:
        return text
    cut = text[:length]
    if not text[length].isspace():
        whole = cut.rsplit(maxsplit=1)[0] if len(cut.split()) > 1 else cut
        cut = whole if len(cut) - len(whole) < 30 else cut
    return f"{cut.rstrip()}…"


def brief(text: str, columns: int) -> str:
    """Return the beginning of a text that finds room in a list; wide characters take two columns.

    >>> brief("a harbour bridge", 11), brief("港口大桥", 4)
    ('a harbour…', '港口…')
    """
    if len(text) * 2 <= columns:
        return text
    room = columns
    for at, sign in enumerate(text):
        room -= 2 if east_asian_width(sign) in "WF" else 1
        if room < 0:
            return shortened(text, at)
    return text


def relation_words(kind: str, *, inward: bool) -> str:
    """Return what to say between the page's document and the other one."""
    plain = kind.replace("-", " ")
    return RELATIONS.get(kind, (plain, f"{plain} (from)"))[int(inward)]


def day_words(text: str | None) -> str:
    """Return `24 November 2026` for an instant; anything unreadable comes back as it is."""
    instant = _instant(text)
    return _day(instant) if instant else text or ""


def time_words(text: str | None) -> str:
    """Return `24 November 2026, 23:49:33 UTC` for an instant."""
    instant = _instant(text)
    return f"{_day(instant)}, {instant:%H:%M:%S} UTC" if instant else text or ""


def partial_date_words(text: str | None) -> str:
    """Return `8 March 2021`, `March 2021` or `2021` for a date of one to three parts.

    >>> partial_date_words("2021-03")
    'March 2021'
    """
    parts = (text or "").split("-")
    if not all(part.isascii() and part.isdigit() for part in parts) or len(parts) > 3:
        return text or ""
    if len(parts) > 1 and not 1 <= int(parts[1]) <= 12:
        return text or ""
    words = [parts[0]]
    if len(parts) > 1:
        words.insert(0, _MONTHS[int(parts[1]) - 1])
    if len(parts) > 2:
        words.insert(0, str(int(parts[2])))
    return " ".join(words)


def size_words(size: int | None) -> str:
    """Return a size for people: exact bytes below 10,000, else three digits and a unit.

    >>> size_words(4973), size_words(1_234_567)
    ('4,973 bytes', '1.23 MB')
    """
    if size is None:
        return ""
    if size < 10_000:
        return f"{size:,} byte{'' if size == 1 else 's'}"
    units = ("kB", "MB", "GB", "TB")
    amount, power = size / 1000, 0
    while amount >= 999.5 and power < len(units) - 1:
        amount, power = amount / 1000, power + 1
    return f"{amount:.3g} {units[power]}"


_THEN = {"is kept": "was kept", "are kept": "were kept", "stands once": "stood once"}
_KEPT = re.compile(r"\b(?:is kept|are kept|stands once)\b")


def what_happened(capture: CaptureFacts, *, is_amiss: bool = False) -> str:
    """Say in one or two sentences what this capture is, claiming nothing more.

    Where something is amiss with what is stored, what is kept is told as what was kept.
    """
    told = _what_happened(capture)
    return _KEPT.sub(lambda kept: _THEN[kept[0]], told) if is_amiss else told


def _what_happened(capture: CaptureFacts) -> str:
    when = time_words(capture.captured_at)
    if capture.obtained not in _OBTAINED:
        return f"On {when} {_answer(capture)}"
    obtained = parse_note(capture.note).get("obtained")
    told = obtained if isinstance(obtained, dict) else {}
    came = _instant(_string(told, "added_at" if capture.obtained == "added" else "retrieved_at"))
    if capture.obtained == "added":
        return _added(capture, when, came, stated=told.get("at_stated") is True)
    archive = _string(told, "archive") or "that it was had from"
    imported = f"It was imported{f' on {_day(came)}' if came else ''}, not observed"
    if capture.size is None:
        ended = state_label(capture.outcome, capture.status)
        return f"The archive {archive} was asked for this, and that ended as “{ended}”."
    kept = "is kept as that archive sent it" if capture.size == 1 else "are kept as it sent them"
    return (
        f"The archive {archive} gave this as what it captured on {when}. {imported}: "
        f"{size_words(capture.size)} of content {kept}.{_short_of(capture)}"
    )


def _short_of(capture: CaptureFacts) -> str:
    """Say what an import is not, where it is not the whole document."""
    if capture.outcome == "truncated":
        why = reason_words(capture.reason or capture.truncated)
        return f" The answer was cut{f': {why}' if why else ''}."
    if capture.outcome in ("error_status", "challenge"):
        label = state_label(capture.outcome, capture.status)
        return f" It counts as “{label}”, not as a version of the document."
    return ""


def _added(capture: CaptureFacts, when: str, came: datetime | None, *, stated: bool) -> str:
    """Say who stated what of a file that was added: the date, the address, or neither."""
    file = f"a file of {size_words(capture.size)} by hand"
    if stated or came is None:
        added = f"On {_day(came)} a person" if came else "A person"
        dated = f"{added} added {file}, and stated that it was obtained on {when}."
    else:
        dated = f"On {when} a person added {file}."
    address = (
        "That it came from the address given is that person’s word."
        if capture.url
        else "No address was given."
    )
    return f"{dated} {address}"


def without_robots(capture: CaptureFacts) -> bool:
    """Whether robots.txt did not come and was taken for a no, so that no more was asked for."""
    robots = parse_note(capture.note).get("robots")
    return (
        capture.outcome == "failed"
        and isinstance(robots, dict)
        and robots.get("verdict") == "denied"
        and bool(robots.get("reason"))
    )


def was_asked(capture: CaptureFacts) -> bool:
    """Whether the document itself was asked for, at the address that was given or further on.

    A redirect was followed by asking; where its robots.txt said no, the first address was asked.
    """
    if capture.outcome == "denied" or without_robots(capture):
        return bool(parse_note(capture.note).get("redirects"))
    return capture.obtained != "added"


def _answer(capture: CaptureFacts) -> str:
    size, status = size_words(capture.size), capture.status
    reason = reason_words(capture.reason or capture.truncated)
    match capture.outcome:
        case "captured":
            return (
                f"the server answered with status {status}. The whole answer, {size} of content, "
                "is kept."
            )
        case "unchanged" if capture.reason == "not_modified":
            return (
                "the server was asked whether the document had changed, and answered that it had "
                f"not (status {status}). The content stands as captured before."
            )
        case "unchanged":
            return (
                f"the server answered with status {status}, and the content is the same as in an "
                "earlier capture. The head of this answer is kept; the content stands once."
            )
        case "truncated":
            return (
                f"the server began to answer with status {status}, then the answer was cut"
                f"{f': {reason}' if reason else ''}. The {size} that came are kept."
            )
        case "error_status":
            return (
                f"the server answered with {'the error ' if (status or 0) >= 400 else ''}status "
                f"{status}{_NO_DOCUMENT.get(status or 0, '')}. What came with it, {size}, is kept "
                "and does not count as a version of the document."
            )
        case "challenge":
            return (
                f"the server answered with status {status} and a page that asks for something "
                "first (a bot check, a consent or a login). It is kept and does not count as a "
                "version of the document."
            )
        case "failed" if without_robots(capture):
            there = ""
            if parse_note(capture.note).get("redirects"):
                there = " at the address that it was redirected to"
            return (
                f"the site’s robots.txt was asked for first{there} and did not come: {reason}. The "
                f"document itself was therefore not asked for{there}. The attempt is "
                "on record."
            )
        case "failed":
            return (
                f"the document was asked for and nothing came{f': {reason}' if reason else ''}. "
                "The attempt itself is on record."
            )
        case "denied":
            redirected = parse_note(capture.note).get("redirects")
            return (
                "the server led on to another address, and that was not asked for"
                if redirected
                else "the document was not asked for"
            ) + (f"{f': {reason}' if reason else ''}. The decision is on record.")
        case other:
            return f"this visit ended as “{state_label(other)}”."


_NO_DOCUMENT: Mapping[int, str] = MappingProxyType(
    {206: " and a part of the document, which was not asked for in parts", 304: " and no document"}
)


def _string(held: Mapping[str, object], key: str) -> str | None:
    value = held.get(key)
    return value if isinstance(value, str) and value else None


def _instant(text: str | None) -> datetime | None:
    try:
        return parse_instant(text) if text else None
    except UsageError:
        return None


def _day(instant: datetime) -> str:
    return f"{instant.day} {_MONTHS[instant.month - 1]} {instant.year}"
