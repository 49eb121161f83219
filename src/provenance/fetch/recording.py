"""Write the records of exchanges into a collection's WARC file, a group for each."""

from __future__ import annotations

from dataclasses import replace

from provenance.dates import format_instant
from provenance.digest import Digest
from provenance.exchange import Exchange
from provenance.exchange.values import Answer
from provenance.fetch.notes import Fate, Note, Way, answer_note, framing_note, way_note, wire_note
from provenance.holdings import CaptureKind
from provenance.http_message import Framing, media_type_of
from provenance.model import Outcome, OutcomeKind, RunId
from provenance.warc.draft import (
    Original,
    Visit,
    metadata_draft,
    request_draft,
    response_draft,
    revisit_draft,
)
from provenance.warc.writer import Group, WarcWriter


class Recording:
    """Writes exchanges to one WARC writer; `originals` lets an identical payload be a revisit.

    `originals` maps (address, payload digest) to the record that holds the payload; it grows with
    what this run captures.
    """

    def __init__(
        self, writer: WarcWriter, originals: dict[tuple[str, str], Original], *, proxied: bool
    ) -> None:
        self._writer = writer
        self._originals = originals
        self._proxied = proxied

    def record_answer(self, way: Way, exchange: Exchange, fate: Fate) -> Outcome:
        """Write request, response (or revisit) and metadata records; return the outcome."""
        answer = _answer(exchange)
        original = self._original(exchange, fate)
        if original is not None:
            fate = Fate(outcome=OutcomeKind.UNCHANGED, flags=fate.flags)
        visit = self._visit(way, exchange, answer)
        note = self._note(way, exchange, fate)
        with self._writer.group() as group:
            if exchange.request:
                group.add(request_draft(visit, exchange.request))
            capture_id = self._add_capture(group, visit, answer, original)
            note |= answer_note(
                exchange,
                capture_id=capture_id,
                capture_record=visit.urn("response"),
                final=way.kind is CaptureKind.DOCUMENT,
            )
            note |= framing_note(exchange) if original else {"framing": None}
            group.add(metadata_draft(visit, note, alone=False))
            group.flush()
            placed = next(one for one in group.placed() if one.digest == capture_id)
        self._remember(way, exchange, visit, fate)
        media_type, _ = media_type_of(answer.head)
        return replace(
            _asked(way, fate, visit.date),
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
        return self._record_alone(way, note, fate, format_instant(exchange.started_at))

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
        return way_note(way, fate, date) | wire_note(exchange, proxied=self._proxied)

    def _visit(self, way: Way, exchange: Exchange, answer: Answer) -> Visit:
        protocols = [f"http/{answer.head.version}"]
        if exchange.tls:
            protocols.append(exchange.tls.version.lower().replace("tlsv", "tls/"))
        return Visit(
            run=way.run,
            stem=way.stem,
            date=format_instant(exchange.started_at),
            target_uri=exchange.url,
            ip=exchange.peer[0] if exchange.peer and not self._proxied else None,
            protocols=tuple(protocols),
        )

    def _add_capture(
        self, group: Group, visit: Visit, answer: Answer, original: Original | None
    ) -> Digest:
        payload_digest = answer.digests.payload_digest
        with answer.spool:
            if original is not None:
                head = answer.spool.read(answer.head.size)
                return group.add(revisit_draft(visit, head, original, payload_digest))
            return group.add(
                response_draft(
                    visit,
                    answer.spool,
                    block_size=answer.block_size,
                    block_digest=answer.block_digest,
                    # Readers differ on what a chunked response's payload is: see the profile.
                    payload_digest=None
                    if answer.shape.framing is Framing.CHUNKED
                    else payload_digest,
                    truncated=answer.cut,
                )
            )

    def _original(self, exchange: Exchange, fate: Fate) -> Original | None:
        answer = _answer(exchange)
        if fate.outcome is not OutcomeKind.CAPTURED or not answer.digests.payload_size:
            return None
        return self._originals.get((exchange.url, answer.digests.payload_digest))

    def _remember(self, way: Way, exchange: Exchange, visit: Visit, fate: Fate) -> None:
        if way.kind is CaptureKind.DOCUMENT and fate.outcome is OutcomeKind.CAPTURED:
            original = Original(
                record_id=visit.urn("response"), target_uri=exchange.url, date=visit.date
            )
            key = (exchange.url, _answer(exchange).digests.payload_digest)
            self._originals.setdefault(key, original)


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
