"""Have checkpoints dated by time-stamping authorities, and keep what they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from provenance.dates import format_instant
from provenance.errors import UsageError
from provenance.exchange.posting import post_bytes
from provenance.log.folder import LogFolder, read_given
from provenance.log.stamps import authority_name, request_stamp, write_stamp
from provenance.log.trusted import NO_ANCHORS, parse_anchors
from provenance.runtime import Runtime
from provenance.warc.manifest import locked

_QUERY = "application/timestamp-query"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """One authority's word on a checkpoint over `size` leaves; `standing` says what was checked."""

    authority: str
    size: int
    gen_time: str
    signer: str
    standing: str


def add_stamp(
    metadata: Path,
    runtime: Runtime,
    url: str,
    *,
    anchors: Path | None = None,
    timeout_s: float = 60,
    post: Callable[[str, bytes], bytes] | None = None,
) -> Dated:
    """Ask the authority at `url` to date the newest checkpoint, check the answer, and keep it.

    `anchors` is a PEM file with the certificates that are trusted.

    Raises:
        UsageError: there is no checkpoint, the URL is none, or this authority has dated it already.
        TimestampError: the answer is refused; nothing is kept.
        ProvenanceError: no answer came.
    """
    authority_name(url)
    trusted = NO_ANCHORS
    if anchors is not None:
        trusted = parse_anchors(read_given(anchors), where=str(anchors))
    with locked(metadata):
        folder = LogFolder(metadata)
        newest = folder.newest()
        if newest is None:
            raise UsageError(
                "there is no checkpoint to date",
                where=str(folder.path),
                hint="`provenance log checkpoint` makes one.",
            )
        stamp, proved = request_stamp(
            newest[1],
            size=newest[0].size,
            url=url,
            nonce=int.from_bytes(runtime.random_bytes(8), "big"),
            now=runtime.now(),
            post=post
            or (lambda at, body: post_bytes(at, body, media_type=_QUERY, timeout_s=timeout_s)),
            anchors=trusted,
        )
        write_stamp(folder, stamp)
    return Dated(
        authority=stamp.authority,
        size=stamp.size,
        gen_time=format_instant(proved.gen_time),
        signer=proved.signer,
        standing=proved.standing,
    )
