"""Keep time-stamps of checkpoints: ask an authority, lay the answer out in files, read them back.

For the checkpoint of a log of N leaves, under `metadata/log/timestamps/<N>/`:

    checkpoint            the bytes that are dated, as they were
    <authority>.tsq       the request, in DER: its nonce is checked again later
    <authority>.tsr       the whole response as it was received, in DER
    <authority>.pem       the certificates of the token, the signer's first

Nothing more is needed later but the certificates that a person trusts. The network is an argument;
files are written once, through the folder of the log, the `.tsr` last, so that a time-stamp without
it is an interrupted request. The checkpoint is kept here too, since the one in `checkpoints/` may
get more signatures, and a token is over its very bytes.

Source: RFC 3161 §3 for the names of the files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from provenance.dates import format_seconds
from provenance.digest import digest_of
from provenance.errors import LogFormatError, StorageError, UsageError
from provenance.log.checkpoint import text_of
from provenance.log.folder import STAMPS, LogFolder
from provenance.log.note import Signature, parse_note
from provenance.timestamps.refusals import Reason, TimestampError
from provenance.timestamps.timestamp import Timestamp, certificates_of, check_response, make_request
from provenance.timestamps.trusted import NO_ANCHORS, Anchors, format_pem
from provenance.timestamps.tsp import parse_request, write_request

CLOCKS_APART = timedelta(minutes=10)
"""How far the authority's time may be from the machine's when it is asked."""

Post = Callable[[str, bytes], bytes]
"""Send a body to a URL by HTTP POST, as `application/timestamp-query`, and return the answer's."""

_AUTHORITY = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,78}[a-z0-9])?\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}://")
_ODD = re.compile(r"[^a-z0-9.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """One authority's time-stamp of one checkpoint, as it is kept; nothing of it is checked."""

    size: int
    authority: str
    checkpoint: bytes
    request: bytes
    response: bytes
    certificates: bytes

    def files(self) -> tuple[tuple[str, bytes], ...]:
        """Return the files in writing order: paths below the log's folder, with their bytes."""
        parts = (self.checkpoint, self.request, self.certificates, self.response)
        return tuple(zip(names_of(self.size, self.authority), parts, strict=True))


def bytes_to_date(log: LogFolder, size: int, newest: bytes) -> bytes:
    """Return the bytes by which the checkpoint `newest` over `size` leaves is dated.

    They are those that somebody has dated already, where somebody has: with fewer signatures,
    maybe, since the log's own text is what is to be dated.

    Raises:
        UsageError: another checkpoint of this size has been dated.
    """
    name = f"{STAMPS}/{size}/checkpoint"
    dated = log.read(name)
    if dated is None or dated == newest:
        return newest
    try:
        same = text_of(dated) == text_of(newest) and _signatures(dated) <= _signatures(newest)
    except LogFormatError:
        same = False
    if not same:
        raise UsageError(
            "another checkpoint of this size has been dated",
            where=str(log.path / name),
            hint="`provenance verify` says what is wrong; restore it from a copy.",
        )
    return dated


def _signatures(raw: bytes) -> set[Signature]:
    return set(parse_note(raw).signatures) if b"\n\n" in raw else set()


def refuse_dated(log: LogFolder, size: int, authority: str) -> None:
    """Refuse to have a checkpoint dated by an authority that has done so.

    Raises:
        UsageError: it has.
    """
    response = f"{STAMPS}/{size}/{authority}.tsr"
    if log.read(response) is not None:
        raise UsageError(
            "this authority has dated this checkpoint already",
            where=str(log.path / response),
            hint="A time-stamp is never overwritten; a later checkpoint gets a new one.",
        )


def authority_name(url: str) -> str:
    """Return the name of an authority in file names: its host, with the port where one is given.

    Raises:
        UsageError: the URL is none of HTTP or HTTPS, or names no host.

    >>> authority_name("http://TSA.example:8080/tsr")
    'tsa.example-8080'
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    name = _ODD.sub("-", host if port is None else f"{host}-{port}").strip(".-")[:80].strip(".-")
    escaped = "%" in host and ":" not in host  # but for the zone of an IPv6 address
    if parts.scheme not in ("http", "https") or escaped or not _AUTHORITY.match(name):
        raise UsageError(
            "not the address of a time-stamping authority",
            expected="an http or https URL",
            found=_scheme_of(url),
        )
    return name


def _scheme_of(url: str) -> str:
    """Return what may be told of a refused address: anything after its scheme may be a password."""
    scheme = _SCHEME.match(url)
    return f"{scheme[0]}..." if scheme else "none with a scheme"


def request_stamp(
    checkpoint: bytes,
    *,
    size: int,
    url: str,
    nonce: int,
    now: datetime,
    post: Post,
    anchors: Anchors = NO_ANCHORS,
    policy: str | None = None,
) -> tuple[Stamp, Timestamp]:
    """Ask the authority at `url` to date a checkpoint, and return its answer and what it proves.

    The answer has been checked, so that nothing is kept that would be refused later. `nonce` is a
    random number of 64 bits, and `now` is the machine's time: an authority whose time is far from
    it is refused, since a token with an earlier time than that of its request dates wrongly.

    Raises:
        TimestampError: the answer is refused.
        UsageError: the URL is no authority's.
    """
    authority = authority_name(url)
    request = make_request(checkpoint, nonce=nonce, policy=policy)
    response = post(url, request)
    proved = check_response(
        response, checkpoint, request=request, anchors=anchors, where=f"the answer of {authority}"
    )
    if abs(proved.gen_time - now) > CLOCKS_APART:
        raise TimestampError(
            Reason.WRONG_TIME,
            "the clocks of the authority and of this machine disagree",
            where=f"the answer of {authority}",
            expected=f"within {CLOCKS_APART} of {format_seconds(now)}",
            found=format_seconds(proved.gen_time),
            hint="Set this machine's clock, or ask another authority.",
        )
    certificates = format_pem(certificates_of(response))
    stamp = Stamp(
        size=size,
        authority=authority,
        checkpoint=checkpoint,
        request=request,
        response=response,
        certificates=certificates,
    )
    return stamp, proved


def check_stamp(stamp: Stamp, *, anchors: Anchors = NO_ANCHORS) -> Timestamp:
    """Return what a kept time-stamp proves about its checkpoint, without a network.

    Raises:
        TimestampError: it is refused, or its files are damaged.
    """
    where = f"{STAMPS}/{stamp.size}/{stamp.authority}"
    asked = parse_request(stamp.request, where=f"{where}.tsq")
    for suffix, kept, written in (
        ("tsq", stamp.request, write_request(asked)),
        ("pem", stamp.certificates, format_pem(certificates_of(stamp.response, where=where))),
    ):
        if kept != written:
            raise TimestampError(
                Reason.NOT_READABLE,
                "the file is not as it was written",
                where=f"{where}.{suffix}",
                expected=digest_of(written),
                found=digest_of(kept),
                hint="It was changed or damaged; restore it from a copy.",
            )
    return check_response(
        stamp.response,
        stamp.checkpoint,
        request=stamp.request,
        anchors=anchors,
        where=f"{where}.tsr",
    )


def write_stamp(log: LogFolder, stamp: Stamp) -> None:
    """Write a time-stamp's files into the log's folder, durably, each as a whole.

    Raises:
        UsageError: this authority has dated this checkpoint already, or another checkpoint of this
            size has been dated; nothing is written.
        StorageError: the disk refused; a time-stamp without its `.tsr` counts as none.
    """
    checkpoint = stamp.files()[0]
    refuse_dated(log, stamp.size, stamp.authority)
    if log.read(checkpoint[0]) not in (None, stamp.checkpoint):
        raise UsageError(
            "another checkpoint of this size has been dated",
            where=str(log.path / checkpoint[0]),
            hint="Ask for a time-stamp over that one: its bytes are kept there.",
        )
    for name, raw in stamp.files():
        log.put(name, raw)


def read_stamps(log: LogFolder, *, least: int = 0) -> Iterator[Stamp]:
    """Yield the time-stamps in the log's folder, by size and then by authority.

    Those of checkpoints over fewer than `least` leaves are passed over.

    Raises:
        StorageError, LogFormatError: as for `read_stamp`.
    """
    for size, authority in stamped(log, least=least):
        yield read_stamp(log, size, authority)


def stamped(log: LogFolder, *, least: int = 0) -> Iterator[tuple[int, str]]:
    """Yield size and authority of each time-stamp that is kept, read or not."""
    for size in log.stamped_sizes():
        for name in log.names_in(f"{STAMPS}/{size}") if size >= least else ():
            if name.endswith(".tsr") and _AUTHORITY.match(authority := name.removesuffix(".tsr")):
                yield size, authority


def names_of(size: int, authority: str) -> tuple[str, ...]:
    """Return the files of a time-stamp, below the log's folder."""
    parts = ("checkpoint", *(f"{authority}.{suffix}" for suffix in ("tsq", "pem", "tsr")))
    return tuple(f"{STAMPS}/{size}/{each}" for each in parts)


def read_stamp(log: LogFolder, size: int, authority: str) -> Stamp:
    """Return a time-stamp that is kept.

    Raises:
        StorageError: a file is missing or cannot be read.
        LogFormatError: a file is larger than is read, or none.
    """
    found = []
    for path in names_of(size, authority):
        raw = log.read(path)
        if raw is None:
            raise StorageError(
                "a file of a time-stamp is missing",
                where=str(log.path / path),
                hint="Restore it from a copy.",
            )
        found.append(raw)
    checkpoint, request, certificates, response = found
    return Stamp(
        size=size,
        authority=authority,
        checkpoint=checkpoint,
        request=request,
        response=response,
        certificates=certificates,
    )
