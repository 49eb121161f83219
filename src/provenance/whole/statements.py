"""Compare what our metadata records say with what the records' bytes are. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import orjson

from provenance.digest import Digest, parse_digest
from provenance.errors import UsageError
from provenance.holdings import (
    CAPTURE_PROFILE,
    REQUISITES_PROFILE,
    RUN_PROFILE,
    CaptureKind,
    Obtained,
)
from provenance.model import OutcomeKind
from provenance.whole.header import bare
from provenance.whole.records import KEPT_LIMIT, Facts

PROFILES = (CAPTURE_PROFILE, RUN_PROFILE, REQUISITES_PROFILE)

_KINDS = tuple(each.value for each in CaptureKind)
_WITHOUT_ANCHOR = (OutcomeKind.FAILED.value, OutcomeKind.DENIED.value)
_OF_OTHERS = tuple(
    each.value for each in OutcomeKind if each not in (OutcomeKind.SKIPPED, OutcomeKind.DENIED)
)
_OF_RESPONSE = tuple(each for each in _OF_OTHERS if each != OutcomeKind.UNCHANGED)

WORD_LIMIT = 300
"""Characters that are kept of a word in a record, so that no file makes memory grow with it."""
_WORDS = 100

Statement = Mapping[str, object]
"""The JSON object of a metadata record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One thing the metadata record says (`expected`) and what the bytes say (`found`)."""

    field: str
    expected: object
    found: object


def parse_statement(facts: Facts) -> Statement | None:
    """Return the JSON object of a metadata record of a profile of ours, or None."""
    return None if facts.text is None or not facts.whole else statement_in(facts.text)


def statement_in(text: bytes | memoryview) -> Statement | None:
    """Return the JSON object that is the block of a metadata record of ours, or None."""
    if len(text) > KEPT_LIMIT:
        return None
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        # Half surrogates, which stand for bytes that were no UTF-8, are not for everybody to read.
        try:
            said = json.loads(bytes(text).decode("utf-8", "surrogatepass"))
        except (ValueError, RecursionError):
            return None
    if not isinstance(said, dict) or said.get("profile") not in PROFILES:
        return None
    return said


def digest_in(said: Statement, key: str) -> Digest | None:
    """Return the digest under `key`, None where there is none."""
    value = said.get(key)
    try:
        return parse_digest(value) if isinstance(value, str) else None
    except UsageError:
        return None


def hops_of(said: Statement) -> tuple[Digest, ...]:
    """Return the capture ids of the redirect chain."""
    redirects = said.get("redirects")
    hops = redirects if isinstance(redirects, list) else []
    found = (digest_in(each, "capture_id") for each in hops if isinstance(each, dict))
    return tuple(each for each in found if each is not None)


def requisites_of(said: Statement) -> tuple[Digest, ...]:
    """Return the capture ids that a page's list of requisites names, the page's own first."""
    listed = said.get("requisites")
    lines = listed if isinstance(listed, list) else []
    found = [digest_in(said, "page")]
    found += [digest_in(each, "capture_id") for each in lines if isinstance(each, dict)]
    return tuple(each for each in found if each is not None)


def chain_of(said: Statement) -> Digest | None:
    """Return the digest of the certificate chain that the statement names."""
    tls = said.get("tls")
    return digest_in(tls, "chain") if isinstance(tls, dict) else None


def disagreements(said: Statement, own: Facts, anchor: Facts | None) -> Iterator[Disagreement]:
    """Yield where a capture's statement is not what its records are.

    `own` is the metadata record, `anchor` the response, revisit or resource it speaks of.
    """
    yield from _outcome(said, anchor)
    told = anchor or own
    truth: dict[str, object] = {
        "captured_at": captured_at(said, told.header.value("WARC-Date")),
        "capture_id": anchor.record_digest if anchor is not None else None,
        "capture_record": anchor.record_id if anchor is not None else None,
    }
    if anchor is not None:
        truth["target_uri"] = bare(anchor.header.value("WARC-Target-URI"))
        truth["truncated"] = _truncated(anchor)
        truth.update(_body_truth(anchor))
    for field, found in truth.items():
        expected = said.get(field)
        if expected != found:
            yield Disagreement(field=field, expected=_text(expected), found=_text(found))


def captured_at(said: Statement, date: str | None) -> str | None:
    """Return the instant of the capture: an archive's own where it was imported from one."""
    obtained = said.get("obtained")
    if not isinstance(obtained, dict) or obtained.get("how") != Obtained.IMPORTED:
        return date
    if obtained.get("retrieved_at") != date:
        return date
    stated = obtained.get("memento_datetime")
    return stated if isinstance(stated, str) else None


def _truncated(anchor: Facts) -> object:
    value = anchor.header.value("WARC-Truncated")
    # A revisit is cut by design (WARC 1.1 §6.7.2), which says nothing of the transfer.
    return None if anchor.kind == "revisit" and value == "length" else value


def _body_truth(anchor: Facts) -> dict[str, object]:
    truth: dict[str, object] = {}
    if anchor.kind != "resource":
        truth["status"] = anchor.head.status if anchor.head is not None else None
    if anchor.digests is not None:
        truth["payload_digest"] = anchor.digests.payload_digest
        truth["payload_size"] = anchor.digests.payload_size
        truth["content_id"] = anchor.digests.content_id
        truth["size"] = anchor.digests.content_size
        truth["undecoded"] = anchor.digests.undecoded
    if anchor.kind == "revisit" and (payload := anchor.header.value("WARC-Payload-Digest")):
        truth["payload_digest"] = payload
    return truth


def _outcome(said: Statement, anchor: Facts | None) -> Iterator[Disagreement]:
    kind, outcome = said.get("kind"), said.get("outcome")
    if kind not in _KINDS:
        yield Disagreement(field="kind", expected="a kind of capture", found=_text(kind))
        return
    if kind != CaptureKind.DOCUMENT:
        if outcome is not None:
            yield Disagreement(field="outcome", expected="none", found=_text(outcome))
        return
    legal = legal_outcomes(anchor.kind if anchor is not None else None)
    if outcome not in legal:
        yield Disagreement(field="outcome", expected=" | ".join(legal), found=_text(outcome))


def legal_outcomes(anchor: str | None) -> tuple[str, ...]:
    """Return the outcomes that a document may have whose capture record is of this type."""
    if anchor is None:
        return _WITHOUT_ANCHOR
    return _OF_RESPONSE if anchor == "response" else _OF_OTHERS


def _text(value: object) -> str:
    return "null" if value is None else word_of(value)


def word_of(value: object) -> str:
    """Return a value of JSON as a short text, a list or an object by what it is alone."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    # A number of a million digits has no text (CPython's limit), and is none that is compared.
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return "a number beyond 64 bits"
    return str(value)[:WORD_LIMIT]


def counts_in(said: Statement) -> dict[str, int]:
    """Return the outcome counts of a run's closing record, `skipped` left out: it has no record."""
    outcomes = said.get("outcomes")
    if not isinstance(outcomes, dict):
        return {}
    counts = {
        word[:WORD_LIMIT]: count
        for word, count in outcomes.items()
        if isinstance(count, int) and 0 < abs(count) < 1 << 63 and word != OutcomeKind.SKIPPED
    }
    return dict(islice(counts.items(), _WORDS))


def fields_of_warcinfo(facts: Facts) -> dict[str, str]:
    """Return the `name: value` lines of a warcinfo block, names in lower case."""
    text = (facts.text or b"").decode("utf-8", "replace")
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def log_head_in(fields: Mapping[str, str]) -> tuple[str, int, str] | None:
    """Return the checkpoint that a warcinfo's lines name: origin, size, and root in Base64."""
    origin, _, rest = fields.get("log-checkpoint", "").partition(" ")
    size, _, root = rest.partition(" ")
    if size.isascii() and size.isdigit() and len(size) < 19:
        return origin[:WORD_LIMIT], int(size), root[:WORD_LIMIT]
    return None
