"""Make captures of what metadata records tell and of what the records beside them are. Pure.

Digests and sizes come from the bytes; the metadata records say only what bytes cannot: which
document, which run, which outcome.
"""

from __future__ import annotations

from collections.abc import Mapping

from provenance.digest import Digest, from_hex
from provenance.errors import ProvenanceError
from provenance.holdings import Capture, CaptureKind, KeptRequisite, Obtained, Redirect, WarcRecord
from provenance.model import CollectionId, DocumentId, OutcomeKind, RunId
from provenance.warc.reading import Body


def capture_of(record: WarcRecord, note: Mapping[str, object], body: Body | None) -> Capture | None:
    """Return the capture of a metadata record that tells an outcome; None for any other."""
    if note.get("outcome") is None:
        return None
    try:
        return _to_capture(record, note, body)
    except (ValueError, TypeError, KeyError, ProvenanceError):
        return None  # a note that is no note of ours; `verify` reports it


def requisite_of(note: Mapping[str, object], body: Body | None) -> KeptRequisite | None:
    """Return a whole answer that was kept as the requisite of a page; None for any other."""
    if note.get("kind") != CaptureKind.REQUISITE:
        return None
    if body is None or body.digests is None or body.status is None:
        return None
    kept = body.record
    if not 200 <= body.status < 300 or kept.truncated is not None or not kept.target_uri:
        return None
    return KeptRequisite(
        url=kept.target_uri,
        record_id=kept.record_id,
        date=kept.date or "",
        payload_digest=body.digests.payload_digest,
    )


def _to_capture(record: WarcRecord, note: Mapping[str, object], body: Body | None) -> Capture:
    place = body.record if body else record
    told = _Told(note)
    digests = body.digests if body else None
    content_id, payload_digest, size = None, None, None
    if digests is not None:
        content_id, payload_digest = digests.content_id, digests.payload_digest
        size = digests.content_size
    elif place.type == "revisit":
        content_id, payload_digest = told.digest("content_id"), told.digest("payload_digest")
        size = told.number("size")
    return Capture(
        capture_id=place.record_digest,
        collection=CollectionId(told.needed("collection")),
        document=DocumentId(told.needed("document")),
        run=RunId(told.needed("run")),
        url=told.text("url"),
        final_url=told.text("final_url"),
        outcome=OutcomeKind(told.needed("outcome")),
        reason=told.text("reason"),
        status=body.status if body else None,
        captured_at=told.needed("captured_at"),
        content_id=content_id,
        payload_digest=payload_digest,
        size=size,
        media_type=_media_type(body, told),
        charset=body.charset if body else None,
        undecoded=digests.undecoded if digests else None,
        truncated=place.truncated if body else None,
        obtained=Obtained(told.how()),
        rule=told.text("rule"),
        flags=told.words("flags"),
        redirects=told.redirects(),
        record_type=place.type,
        warc=place.warc,
        offset=place.offset,
        ordinal=place.ordinal,
        length=place.length,
        note=note,
    )


def _media_type(body: Body | None, told: _Told) -> str | None:
    if body is None:
        return None
    if body.media_type is None and body.record.type == "revisit":
        return told.text("media_type")  # a 304 need not repeat it (RFC 9110 §15.4.5)
    return body.media_type


class _Told:
    """What a note tells, each value checked for its kind."""

    def __init__(self, note: Mapping[str, object]) -> None:
        self._note = note

    def text(self, key: str) -> str | None:
        value = self._note.get(key)
        return value if isinstance(value, str) else None

    def needed(self, key: str) -> str:
        value = self.text(key)
        if value is None:
            raise ValueError(key)
        return value

    def number(self, key: str) -> int | None:
        value = self._note.get(key)
        return value if isinstance(value, int) else None

    def digest(self, key: str) -> Digest | None:
        value = self.text(key)
        return from_hex(value.removeprefix("sha256:")) if value else None

    def words(self, key: str) -> tuple[str, ...]:
        value = self._note.get(key)
        return tuple(str(each) for each in value) if isinstance(value, list) else ()

    def how(self) -> str:
        obtained = self._note.get("obtained")
        return str(obtained.get("how")) if isinstance(obtained, dict) else Obtained.FETCHED

    def redirects(self) -> tuple[Redirect, ...]:
        value = self._note.get("redirects")
        hops = (
            [_Told(each) for each in value if isinstance(each, dict)]
            if isinstance(value, list)
            else []
        )
        return tuple(
            Redirect(
                url=hop.needed("url"),
                status=hop.number("status") or 0,
                location=hop.text("location") or "",
                capture_id=hop.digest("capture_id"),
            )
            for hop in hops
        )
