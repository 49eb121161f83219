"""Check what records of different files say of each other. Reads a file again only on a fault.

Source: WARC 1.1 §5.2 (ids are unique), §5.11 (WARC-Refers-To), §6.7 (revisit).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from provenance.verify.captures import canonical, groups_in
from provenance.verify.findings import Finding, Note, finding, note
from provenance.verify.header import bare
from provenance.verify.labelled import parse_labelled
from provenance.verify.ledger import NONE, Column, Digests, Ledger, key_of
from provenance.verify.records import Facts

_BUCKETS = 16

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
            for record, offset, group in zip(
                ledger.records, ledger.offsets, ledger.groups, strict=True
            ):
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
        wanted = {target for _, ledger in self._files for target in ledger.revisits.target} - {NONE}
        if not wanted:
            return
        originals: dict[int, tuple[str, Column, int]] = {}
        chained: set[int] = set()
        for name, ledger in self._files:
            chained.update(wanted.intersection(ledger.revisits.record))
            for index, record in enumerate(ledger.originals.record):
                if record in wanted:
                    originals[record] = (name, ledger.originals, index)
        others = wanted - originals.keys() - chained
        if others:
            others = others.intersection(
                record for _, ledger in self._files for record in ledger.records
            )
        for name, ledger in self._files:
            for index, target in enumerate(ledger.revisits.target):
                if target in originals:
                    yield from self._compare(name, ledger, index, originals[target])
                elif target != NONE and target not in others:
                    yield from self._lost(name, ledger, index, chained=target in chained)

    def _lost(
        self, name: str, ledger: Ledger, index: int, *, chained: bool
    ) -> Iterator[Finding | Note]:
        column = ledger.revisits
        facts = self._reread(name, column.offset[index], column.record[index])
        target = bare(facts.header.value("WARC-Refers-To")) if facts is not None else None
        if not (chained or self._complete):
            yield note(
                "revisit_elsewhere",
                warc=name,
                offset=column.offset[index],
                field="WARC-Refers-To",
                expected=target,
                found="not in this file",
            )
            return
        ledger.damaged.add(column.group[index])
        yield finding(
            "revisit_target_is_revisit" if chained else "revisit_target_missing",
            warc=name,
            offset=column.offset[index],
            capture_id=facts.record_digest if facts is not None else None,
            field="WARC-Refers-To",
            expected=target,
            found="a revisit record" if chained else "no such record in the archive",
        )

    def _compare(
        self, name: str, ledger: Ledger, index: int, original: tuple[str, Column, int]
    ) -> Iterator[Finding]:
        its_file, column, at = original
        own = ledger.revisits
        pairs = (
            (own.uri[index], column.uri[at]),
            (own.date[index], column.date[at]),
            (own.payload[index], column.payload[at]),
            (own.content[index], column.content[at]),
        )
        if all(mine in (NONE, its) for mine, its in pairs):
            return
        revisit = self._reread(name, own.offset[index], own.record[index])
        target = self._reread(its_file, column.offset[at], column.record[at])
        if revisit is None or target is None:
            return
        differing = list(_differences(revisit, target))
        if own.content[index] not in (NONE, column.content[at]) and column.content[at] != NONE:
            content = target.digests.content_id if target.digests is not None else None
            differing.append(("content_id (metadata record)", "the original's", str(content)))
        for field, expected, found in differing:
            ledger.damaged.add(own.group[index])
            yield finding(
                "revisit_disagrees",
                warc=name,
                offset=own.offset[index],
                capture_id=revisit.record_digest,
                field=field,
                expected=expected,
                found=f"{found} in {its_file} at byte {column.offset[at]}",
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
    kept: Sequence[array[int]],
    *,
    code: str,
    field: str,
    kind: str,
) -> Iterator[Finding]:
    """Yield a finding for each digest that is named and that no record of the archive has."""
    wanted = {
        key_of(digests.at(index)[0]) for _, _, digests in named for index in range(len(digests))
    }
    for keys in kept if wanted else ():
        wanted.difference_update(keys)
    for name, ledger, digests in named if wanted else ():
        for index in range(len(digests)):
            digest, offset = digests.at(index)
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


def _repeated(columns: Sequence[array[int]]) -> frozenset[int]:
    """Return the keys that stand more than once, sorting a sixteenth of them at a time."""
    buckets = [array("Q") for _ in range(_BUCKETS)]
    for column in columns:
        for key in column:
            if key != NONE:
                buckets[key % _BUCKETS].append(key)
    repeated: set[int] = set()
    for bucket in buckets:
        last = NONE
        for key in sorted(bucket):
            if key == last:
                repeated.add(key)
            last = key
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
