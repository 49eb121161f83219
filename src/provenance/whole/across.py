"""Check what records of different files say of each other. Reads a file again only on a fault.

Source: WARC 1.1 §5.2 (ids are unique), §5.11 (WARC-Refers-To), §6.7 (revisit).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from provenance.findings.finding import Finding, Note, finding, note
from provenance.whole.captures import canonical, groups_in
from provenance.whole.header import bare
from provenance.whole.labelled import parse_labelled
from provenance.whole.ledger import NONE, Column, Digests, Ledger, Row, key_of
from provenance.whole.records import Facts
from provenance.whole.rows import Rows, Spill

_AT_ONCE = 1 << 14
"""About how many keys are compared, or divided, at a time."""

_BUCKET_ROWS = 512
_ROW_BITS = 40

Reread = Callable[[str, int, int], Facts | None]
"""(file name, offset, key of a record id) → the facts of that record, measured afresh."""


class Across:
    """The checks across files; `files` are (name, ledger) in the order they were read.

    `complete` says that the files are a whole archive: what is not found is then not there.
    """

    def __init__(
        self, files: Sequence[tuple[str, Ledger]], reread: Reread, *, complete: bool
    ) -> None:
        self._files = files
        self._reread = reread
        self._complete = complete

    def findings(self) -> Iterator[Finding | Note]:
        """Yield every fault; the groups they touch are marked as damaged."""
        yield from self._duplicates()
        yield from self._revisits()
        if self._complete:
            yield from self._hops()
            yield from self._chains()
            yield from self._requisites()
            yield from self._runs()

    # Record ids

    def _duplicates(self) -> Iterator[Finding]:
        repeated = _repeated([ledger.records for _, ledger in self._files])
        first: dict[int, tuple[str, int]] = {}
        for name, ledger in self._files if repeated else ():
            for record, offset, group in ledger.records:
                if record not in repeated:
                    continue
                if record not in first:
                    first[record] = (name, offset)
                    continue
                ledger.damaged.add(group)
                facts = self._reread(name, offset, record)
                yield finding(
                    "record_id_duplicate",
                    warc=name,
                    offset=offset,
                    capture_id=facts.record_digest if facts is not None else None,
                    field="WARC-Record-ID",
                    expected="an id of its own",
                    found=f"{facts.record_id if facts else 'the id'}, as in "
                    f"{first[record][0]} at byte {first[record][1]}",
                )

    # Revisits

    def _revisits(self) -> Iterator[Finding | Note]:
        lost: dict[int, int] = {}
        doubtful = dict(self._doubtful(lost))
        unknown = set(lost.values())
        chained = self._among(unknown, lambda ledger: ledger.revisits.records())
        others = self._among(unknown - chained, lambda ledger: ledger.records.column(0))
        for place in sorted([*doubtful, *(at for at in lost if lost[at] not in others)]):
            name, ledger, own = self._row(place, lambda ledger: ledger.revisits)
            if place in doubtful:
                its_file, _, its = self._row(doubtful[place], lambda ledger: ledger.originals)
                yield from self._compare(name, ledger, own, its_file, its)
            else:
                yield from self._lost(name, ledger, own, chained=lost[place] in chained)

    def _doubtful(self, lost: dict[int, int]) -> Iterator[tuple[int, int]]:
        """Yield the places of each revisit that does not tell what its original is, and of that.

        Put into `lost` the place of each whose original is not there, and the key of that.
        """
        buckets = sum(len(ledger.revisits.rows) for _, ledger in self._files) // _AT_ONCE + 1
        spill = Spill()
        revisits = _divided(self._places(lambda each: each.revisits.targets()), buckets, spill)
        if not any(map(len, revisits)):
            return
        originals = _divided(self._places(lambda each: each.originals.records()), buckets, spill)
        for some, others in zip(revisits, originals, strict=True):
            wanted = set(some.column(0))
            found = {record: place for record, place in others if record in wanted}
            for target, place in some:
                if target not in found:
                    lost[place] = target
                elif not self._same(place, found[target]):
                    yield place, found[target]

    def _places(self, keys: Callable[[Ledger], Iterator[int]]) -> Iterator[tuple[int, int]]:
        """Yield each key and its place: the number of the file, and of the row in it."""
        for number, (_, ledger) in enumerate(self._files):
            for index, key in enumerate(keys(ledger)):
                if key != NONE:
                    yield key, number << _ROW_BITS | index

    def _row(self, place: int, column: Callable[[Ledger], Column]) -> tuple[str, Ledger, Row]:
        name, ledger = self._files[place >> _ROW_BITS]
        return name, ledger, column(ledger).at(place & (1 << _ROW_BITS) - 1)

    def _among(self, wanted: set[int], keys: Callable[[Ledger], Iterator[int]]) -> set[int]:
        """Return those of the wanted keys that some file has."""
        if not wanted:
            return wanted
        return wanted.intersection(key for _, ledger in self._files for key in keys(ledger))

    def _same(self, revisit: int, original: int) -> bool:
        _, ledger, own = self._row(revisit, lambda ledger: ledger.revisits)
        _, its_ledger, its = self._row(original, lambda ledger: ledger.originals)
        if its.group in its_ledger.damaged:
            ledger.damaged.add(own.group)  # what it refers to is not whole: neither is it
        # Address, date, payload and content, as far as the revisit tells them.
        return all(mine in (NONE, other) for mine, other in zip(own[2:6], its[2:6], strict=True))

    def _lost(
        self, name: str, ledger: Ledger, own: Row, *, chained: bool
    ) -> Iterator[Finding | Note]:
        facts = self._reread(name, own.offset, own.record)
        target = bare(facts.header.value("WARC-Refers-To")) if facts is not None else None
        if not (chained or self._complete):
            yield note(
                "revisit_elsewhere",
                warc=name,
                offset=own.offset,
                field="WARC-Refers-To",
                expected=target,
                found="not in this file",
            )
            return
        ledger.damaged.add(own.group)
        yield finding(
            "revisit_target_is_revisit" if chained else "revisit_target_missing",
            warc=name,
            offset=own.offset,
            capture_id=facts.record_digest if facts is not None else None,
            field="WARC-Refers-To",
            expected=target,
            found="a revisit record" if chained else "no such record in the archive",
        )

    def _compare(
        self, name: str, ledger: Ledger, own: Row, its_file: str, its: Row
    ) -> Iterator[Finding]:
        revisit = self._reread(name, own.offset, own.record)
        target = self._reread(its_file, its.offset, its.record)
        if revisit is None or target is None:
            return
        differing = list(_differences(revisit, target))
        if own.content not in (NONE, its.content) and its.content != NONE:
            content = target.digests.content_id if target.digests is not None else None
            differing.append(("content_id (metadata record)", "the original's", str(content)))
        for field, expected, found in differing:
            ledger.damaged.add(own.group)
            yield finding(
                "revisit_disagrees",
                warc=name,
                offset=own.offset,
                capture_id=revisit.record_digest,
                field=field,
                expected=expected,
                found=f"{found} in {its_file} at byte {its.offset}",
            )

    # What captures and pages name: redirect chains, certificate chains, requisites

    def _hops(self) -> Iterator[Finding]:
        named = [(name, ledger, ledger.hops) for name, ledger in self._files]
        kept = [ledger.anchors for _, ledger in self._files]
        yield from _missing(
            named, kept, code="redirect_missing", field="redirects[].capture_id", kind="capture"
        )

    def _chains(self) -> Iterator[Finding]:
        named = [(name, ledger, ledger.chains) for name, ledger in self._files]
        kept = [ledger.certificates for _, ledger in self._files]
        yield from _missing(
            named, kept, code="chain_missing", field="tls.chain", kind="certificate chain"
        )

    def _requisites(self) -> Iterator[Finding]:
        named = [(name, ledger, ledger.requisites) for name, ledger in self._files]
        kept = [ledger.anchors for _, ledger in self._files]
        yield from _missing(
            named, kept, code="requisite_missing", field="requisites[].capture_id", kind="capture"
        )

    # Runs

    def _runs(self) -> Iterator[Finding]:
        seen: dict[tuple[str, str], Counter[str]] = {}
        for _, ledger in self._files:
            for run, outcomes in ledger.runs.items():
                seen.setdefault(run, Counter()).update(outcomes)
        for name, ledger in self._files:
            for closing in ledger.closings:
                found = dict(seen.get((closing.run, closing.collection), {}))
                if found != dict(closing.outcomes):
                    yield finding(
                        "outcomes_disagree",
                        warc=name,
                        offset=closing.offset,
                        field="outcomes",
                        expected=_counts(dict(closing.outcomes)),
                        found=_counts(found),
                    )


def _missing(
    named: Sequence[tuple[str, Ledger, Digests]],
    kept: Sequence[Rows],
    *,
    code: str,
    field: str,
    kind: str,
) -> Iterator[Finding]:
    """Yield a finding for each digest that is named and that no record of the archive has."""
    wanted = {key_of(digest) for _, _, digests in named for digest, _ in digests}
    for keys in kept if wanted else ():
        wanted.difference_update(keys.column(0))
    for name, ledger, digests in named if wanted else ():
        for digest, offset in digests:
            if key_of(digest) in wanted:
                ledger.damaged.update(groups_in(ledger, offset))
                yield finding(
                    code,
                    warc=name,
                    offset=offset,
                    field=field,
                    expected=digest,
                    found=f"no such {kind} in the archive",
                )


def _counts(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{word} {count}" for word, count in sorted(outcomes.items())) or "none"


def _divided(rows: Iterable[tuple[int, ...]], buckets: int, spill: Spill) -> list[Rows]:
    """Return rows in so many lists, those of one key in one; each keeps the order."""
    divided: list[Rows] = []
    rows = iter(rows)
    while some := list(islice(rows, _AT_ONCE)):
        divided = divided or [Rows(len(some[0])) for _ in range(buckets)]
        numbers: list[list[int]] = [[] for _ in divided]
        for row in some:
            numbers[row[0] % buckets].extend(row)
        for bucket, more in zip(divided, numbers, strict=True):
            bucket.add(*more)
            bucket.settle(spill, most=_BUCKET_ROWS)
    return divided or [Rows(1) for _ in range(buckets)]


def _repeated(lists: Sequence[Rows]) -> frozenset[int]:
    """Return the keys that stand more than once, comparing a part of them at a time."""
    keys = ((key,) for rows in lists for key in rows.column(0) if key != NONE)
    repeated: set[int] = set()
    for bucket in _divided(keys, sum(map(len, lists)) // _AT_ONCE + 1, Spill()):
        if len(set(bucket.column(0))) < len(bucket):
            counts = Counter(bucket.column(0))
            repeated.update(key for key, count in counts.items() if count > 1)
    return frozenset(repeated)


def _differences(revisit: Facts, target: Facts) -> Iterator[tuple[str, str, str]]:
    """Yield (field, what the revisit says, what the original is)."""
    uri = revisit.header.value("WARC-Refers-To-Target-URI")
    its_uri = target.header.value("WARC-Target-URI")
    if uri is not None and bare(uri) != bare(its_uri):
        yield "WARC-Refers-To-Target-URI", uri, str(its_uri)
    date = revisit.header.value("WARC-Refers-To-Date")
    its_date = target.header.value("WARC-Date") or ""
    if date is not None and date != its_date and (revisit.ours or date[:19] != its_date[:19]):
        yield "WARC-Refers-To-Date", date, its_date
    payload, its_payload = revisit.payload, target.payload
    if payload is None or payload.algorithm is None or payload.raw is None:
        return
    known = {canonical(its_payload)}
    if target.digests is not None:
        measured = parse_labelled(target.digests.payload_digest)
        known = {canonical(measured)} if revisit.ours else {*known, canonical(measured)}
    comparable = {each for each in known if each and each.startswith(f"{payload.algorithm}:")}
    if comparable and canonical(payload) not in comparable:
        yield "WARC-Payload-Digest", payload.text, " or ".join(sorted(comparable))
