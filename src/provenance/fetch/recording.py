"""Write the records of exchanges into a collection's WARC file, a group for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from provenance.dates import format_instant
from provenance.digest import Digest
from provenance.exchange import Exchange
from provenance.exchange.values import Answer
from provenance.fetch.chains import Chains
from provenance.fetch.notes import (
    Fate,
    Note,
    Way,
    answer_note,
    framing_note,
    not_modified_note,
    way_note,
    wire_note,
)
from provenance.holdings import REQUISITES_PROFILE, CaptureKind, Known
from provenance.http_message import Framing, media_type_of
from provenance.model import Outcome, OutcomeKind, RunId
from provenance.warc.draft import (
    Draft,
    Original,
    Visit,
    metadata_draft,
    not_modified_draft,
    record_urn,
    request_draft,
    requisites_draft,
    response_draft,
    revisit_draft,
)
from provenance.warc.writer import Group, WarcWriter

Revisit = Callable[[Visit, bytes], Draft]
"""Makes the revisit record out of the visit and the bytes of the answer's head."""


class Recording:
    """Writes exchanges to one WARC writer; `originals` lets an identical payload be a revisit.

    `originals` maps (address, payload digest) to the record of an earlier run that holds the
    payload. This run's own do not count: which of two came first may be chance. `chains` keeps
    certificate chains in the same writer's files.
    """

    def __init__(
        self,
        writer: WarcWriter,
        chains: Chains,
        originals: Mapping[tuple[str, str], Original],
    ) -> None:
        self._writer = writer
        self._chains = chains
        self._originals = originals

    def record_answer(self, way: Way, exchange: Exchange, fate: Fate) -> Outcome:
        """Write request, response (or revisit) and metadata records; return the outcome."""
        answer = _answer(exchange)
        original = self._original(way, exchange, fate)
        if original is not None and fate.outcome is not None:
            fate = replace(fate, outcome=OutcomeKind.UNCHANGED, reason=None)
        note: Note = framing_note(exchange) if original else {"framing": None}
        return self._record(way, exchange, fate, note, revisit=_identical(answer, original))

    def record_not_modified(
        self, way: Way, exchange: Exchange, fate: Fate, known: Known
    ) -> Outcome:
        """Write request, revisit and metadata records of an answer that says: not modified."""
        original = Original(record_id=known.record_id, target_uri=known.url, date=known.date)
        note = not_modified_note(known)

        def revisit(visit: Visit, head: bytes) -> Draft:
            return not_modified_draft(visit, head, original)

        outcome = self._record(way, exchange, fate, note, revisit=revisit)
        return replace(
            outcome,
            content_id=known.content_id,
            size=known.size,
            payload_digest=known.payload_digest,
            media_type=known.media_type,
        )

    def record_requisites(
        self, page: Way, outcome: Outcome, listed: list[Note], *, limited: bool
    ) -> None:
        """Write the record that ties a page's capture to what its replay needs."""
        note: Note = {
            "profile": REQUISITES_PROFILE,
            "run": page.run,
            "collection": page.errand.collection,
            "document": page.errand.document,
            "page": outcome.capture_id,
            "requisites": listed,
            "limit_reached": limited,
        }
        draft = requisites_draft(
            page.run,
            page.errand.document,
            date=outcome.captured_at or "",
            target_uri=page.url,
            page=record_urn(page.run, *page.stem, "response"),
            note=note,
        )
        with self._writer.group() as group:
            group.add(draft)

    def _record(
        self, way: Way, exchange: Exchange, fate: Fate, more: Note, *, revisit: Revisit | None
    ) -> Outcome:
        """Write the records of an answer as one group; `more` goes over what the note says."""
        answer = _answer(exchange)
        visit = self._visit(way, exchange, answer)
        self._chains.keep(exchange.tls, visit.date)
        note = self._note(way, exchange, fate)
        with self._writer.group() as group:
            if exchange.request:
                group.add(request_draft(visit, exchange.request))
            capture_id = _add_capture(group, visit, answer, revisit)
            note |= answer_note(
                exchange,
                capture_id=capture_id,
                capture_record=visit.urn("response"),
                final=way.kind is CaptureKind.DOCUMENT,
            )
            group.add(metadata_draft(visit, note | more, alone=False))
            group.flush()
            placed = next(one for one in group.placed() if one.digest == capture_id)
        media_type, _ = media_type_of(answer.head)
        return replace(
            _asked(way, fate, way.imported.memento_datetime if way.imported else visit.date),
            status=answer.head.status,
            content_id=answer.digests.content_id,
            capture_id=capture_id,
            payload_digest=answer.digests.payload_digest,
            size=answer.digests.content_size,
            media_type=media_type,
            warc=placed.warc,
            offset=placed.offset,
            length=placed.length,
            truncated=answer.cut,
            final_url=exchange.url,
        )

    def record_failure(self, way: Way, exchange: Exchange, fate: Fate) -> Outcome:
        """Write a metadata record alone; its own digest is the capture id."""
        note = self._note(way, exchange, fate)
        note |= {"status": None, "final_url": None, "capture_id": None, "capture_record": None}
        date = format_instant(exchange.started_at)
        self._chains.keep(exchange.tls, date)
        return self._record_alone(way, note, fate, date)

    def record_denial(self, way: Way, fate: Fate, date: str) -> Outcome:
        """Write a metadata record alone for a document that was not asked for."""
        return self._record_alone(way, way_note(way, fate, date), fate, date)

    def _record_alone(self, way: Way, note: Note, fate: Fate, date: str) -> Outcome:
        visit = Visit(run=way.run, stem=way.stem, date=date, target_uri=way.url)
        with self._writer.group() as group:
            digest = group.add(metadata_draft(visit, note, alone=True))
            group.flush()
            placed = group.placed()[0]
        return replace(
            _asked(way, fate, date),
            capture_id=digest,
            warc=placed.warc,
            offset=placed.offset,
            length=placed.length,
        )

    def _note(self, way: Way, exchange: Exchange, fate: Fate) -> Note:
        date = format_instant(exchange.started_at)
        return way_note(way, fate, date) | wire_note(exchange)

    def _visit(self, way: Way, exchange: Exchange, answer: Answer) -> Visit:
        protocols = [f"http/{answer.head.version}"]
        if exchange.tls:
            protocols.append(exchange.tls.version.lower().replace("tlsv", "tls/"))
        return Visit(
            run=way.run,
            stem=way.stem,
            date=format_instant(exchange.started_at),
            target_uri=exchange.url,
            ip=exchange.peer[0] if exchange.peer and exchange.proxy is None else None,
            protocols=tuple(protocols),
        )

    def _original(self, way: Way, exchange: Exchange, fate: Fate) -> Original | None:
        answer = _answer(exchange)
        if not _is_full(way, answer, fate) or not answer.digests.payload_size:
            return None
        return self._originals.get((exchange.url, answer.digests.payload_digest))


def _is_full(way: Way, answer: Answer, fate: Fate) -> bool:
    """Return True for a whole answer with the body that was asked for."""
    if way.kind is CaptureKind.REQUISITE:
        return answer.cut is None and 200 <= answer.head.status < 300
    return way.kind is CaptureKind.DOCUMENT and fate.outcome is OutcomeKind.CAPTURED


def _identical(answer: Answer, original: Original | None) -> Revisit | None:
    if original is None:
        return None
    digest = answer.digests.payload_digest
    return lambda visit, head: revisit_draft(visit, head, original, digest)


def _add_capture(group: Group, visit: Visit, answer: Answer, revisit: Revisit | None) -> Digest:
    with answer.spool:
        if revisit is not None:
            return group.add(revisit(visit, answer.spool.read(answer.head.size)))
        chunked = answer.shape.framing is Framing.CHUNKED
        return group.add(
            response_draft(
                visit,
                answer.spool,
                block_size=answer.block_size,
                block_digest=answer.block_digest,
                # Readers differ on what a chunked response's payload is: see the profile.
                payload_digest=None if chunked else answer.digests.payload_digest,
                truncated=answer.cut,
            )
        )


def _answer(exchange: Exchange) -> Answer:
    if exchange.answer is None:
        raise ValueError("the exchange has no answer")
    return exchange.answer


def _asked(way: Way, fate: Fate, date: str) -> Outcome:
    return Outcome(
        collection=way.errand.collection,
        document=way.errand.document,
        url=way.errand.url,
        outcome=fate.outcome or OutcomeKind.FAILED,
        reason=fate.reason,
        captured_at=date,
        run=RunId(way.run),
        flags=fate.flags,
    )
