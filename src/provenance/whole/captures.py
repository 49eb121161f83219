"""Judge the records of one file as captures, and note in the ledger what other files need.

Opens no file. Records of one capture stand together; each closed group is judged at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from provenance.digest import Digest, digest_of, hex_of
from provenance.holdings import (
    CAPTURE_PROFILE,
    CERTIFICATES,
    REQUISITES_PROFILE,
    RUN_PROFILE,
    CaptureKind,
)
from provenance.whole.header import bare
from provenance.whole.labelled import Labelled
from provenance.whole.leaves import capture_line, leaf_hash, record_line
from provenance.whole.ledger import NONE, Closing, Ledger, Row, key_of
from provenance.whole.records import ANCHORS, Facts
from provenance.whole.statements import (
    WORD_LIMIT,
    Statement,
    chain_of,
    counts_in,
    digest_in,
    disagreements,
    fields_of_warcinfo,
    hops_of,
    log_head_in,
    parse_statement,
    requisites_of,
    word_of,
)

_ADDRESS = "WARC-IP-Address"
_SHARED = ("WARC-Date", "WARC-Target-URI", _ADDRESS)
_ORDER = ("request", "response", "revisit", "resource", "metadata")
_BEGINNINGS = (["request"], ["request", "response"], ["request", "revisit"], ["resource"])
"""Kinds of the records, in file order, that a capture has while it is written."""

Complain = Callable[..., None]
"""Takes a code, the facts of the record, and `field`, `expected`, `found`."""


class CaptureJudge:
    """Gather records into captures, in file order, and judge each.

    `complain` takes each fault, `remark` what is none; `closed` is told the capture id once a
    capture is complete.
    """

    def __init__(
        self,
        ledger: Ledger,
        complain: Complain,
        remark: Complain,
        closed: Callable[[Digest | None], None],
    ) -> None:
        self._ledger = ledger
        self._complain = complain
        self._remark = remark
        self._closed = closed
        self._group: list[Facts] = []
        self._anchor_id = ""
        self._unled = False

    def ends_before(self, anchor: str) -> bool:
        """Say whether there is a capture that a record of this anchor does not belong to."""
        return bool(self._group) and (anchor != self._anchor_id or not anchor)

    def begin(self, anchor: str) -> int:
        """Say which capture the next record belongs to; return the key of its group."""
        if self.ends_before(anchor):
            self.close()
        self._anchor_id = anchor
        return key_of(anchor)

    def take(self, facts: Facts) -> None:
        """Take the record that was begun."""
        self._group.append(facts)
        self._ledger.records.add(key_of(facts.record_id), facts.offset, key_of(self._anchor_id))

    def close(self, *, at_end: bool = False) -> None:
        """Judge the capture whose records came last; `at_end` of the file it may be unfinished."""
        group, self._group = self._group, []
        if not group:
            return
        anchor = next((each for each in group if each.kind in ANCHORS), None)
        ours = any(each.ours for each in group)
        capture_id = anchor.record_digest if anchor is not None else None
        said = None
        if ours and at_end and [each.kind for each in group] in _BEGINNINGS:
            # Recovery keeps every complete record of a killed run, and cuts what follows.
            self._remark("capture_cut", group[0], found=", ".join(each.kind for each in group))
        elif ours:
            own, said = self._statement(group, anchor)
            if said is not None and said["profile"] == CAPTURE_PROFILE and own is not None:
                capture_id = digest_in(said, "capture_id") or capture_id or own.record_digest
                self._note_outcome(said, own, anchor, capture_id)
        else:
            self._check_led(group)
            if anchor is not None and capture_id is not None:
                self._ledger.outcomes.add(capture_id, key_of(self._anchor_id))
        if anchor is not None:
            self._note_anchor(anchor, said)
        self._note_leaves(group)
        self._closed(capture_id)
        self._ledger.settle()

    def _note_leaves(self, group: list[Facts]) -> None:
        for line, offset in leaf_lines(group):
            self._ledger.leaves.add_raw(leaf_hash(line), offset)

    def _check_led(self, group: list[Facts]) -> None:
        """Report, once in a file, records of ours that no warcinfo of ours stands before."""
        if self._unled:
            return
        for facts in group:
            if facts.kind == "metadata" and parse_statement(facts) is not None:
                self._unled = True
                self._complain(
                    "warcinfo_missing", facts, expected="a warcinfo record first", found="none"
                )

    def _statement(
        self, group: list[Facts], anchor: Facts | None
    ) -> tuple[Facts | None, Statement | None]:
        first = group[0]
        if first.kind == "warcinfo":
            self._note_seeds(first)
            return None, None
        own = next((each for each in group if each.kind == "metadata"), None)
        alone = anchor is None and own is not None and own.record_id == self._anchor_id
        if anchor is None and not alone:
            self._complain(
                "concurrent_missing",
                first,
                field="WARC-Concurrent-To",
                expected=self._anchor_id,
                found="no such record beside this one",
            )
        if own is None:
            self._complain("metadata_missing", first, expected="a metadata record", found="none")
            return None, None
        if alone and own.header.value("Content-Type") == CERTIFICATES:
            self._ledger.certificates.add(key_of(digest_of(own.text or b"")))
            return None, None
        said = parse_statement(own)
        if said is None:
            self._complain(
                "metadata_unreadable", own, field="block", expected="JSON", found=own.text
            )
        elif said["profile"] == RUN_PROFILE:
            self._note_closing(said, own)
        elif said["profile"] == REQUISITES_PROFILE and alone:
            for each in requisites_of(said):
                self._ledger.requisites.add(each, own.offset)
        elif anchor is not None or alone:
            self._check_statement(said, own, anchor, group)
        return own, said

    def _check_statement(
        self, said: Statement, own: Facts, anchor: Facts | None, group: list[Facts]
    ) -> None:
        for each in disagreements(said, own, anchor):
            self._complain(
                "metadata_disagrees",
                own,
                field=each.field,
                expected=each.expected,
                found=each.found,
            )
        self._check_alike(group)
        fetched = anchor is not None and anchor.kind != "resource"
        if fetched and not any(each.kind == "request" for each in group):
            self._complain("request_missing", own, expected="a request record", found="none")

    def _check_alike(self, group: list[Facts]) -> None:
        """Check that the records stand in the order we write, and share what one visit gives."""
        kinds = [each.kind for each in group]
        if kinds != sorted(kinds, key=_rank):
            expected, found = ", ".join(sorted(kinds, key=_rank)), ", ".join(kinds)
            self._complain("records_disordered", group[0], expected=expected, found=found)
        for field in _SHARED:
            values = [
                (each, each.header.value(field))
                for each in group
                if field != _ADDRESS or each.kind != "metadata"
            ]
            for facts, value in values[1:]:
                if value != values[0][1]:
                    self._complain(
                        "records_disagree",
                        facts,
                        field=field,
                        expected=values[0][1] or "none",
                        found=value or "none",
                    )

    def _note_outcome(
        self, said: Statement, own: Facts, anchor: Facts | None, capture_id: Digest | None
    ) -> None:
        for hop in hops_of(said):
            self._ledger.hops.add(hop, own.offset)
        if (chain := chain_of(said)) is not None:
            self._ledger.chains.add(chain, own.offset)
        if said.get("kind") != CaptureKind.DOCUMENT:
            return
        if capture_id is not None:
            self._ledger.outcomes.add(capture_id, key_of(self._anchor_id))
        run = (word_of(said.get("run")), word_of(said.get("collection")))
        self._ledger.runs.setdefault(run, Counter())[word_of(said.get("outcome"))] += 1

    def _note_closing(self, said: Statement, own: Facts) -> None:
        self._ledger.closings.append(
            Closing(
                run=word_of(said.get("run")),
                collection=word_of(said.get("collection")),
                offset=own.offset,
                outcomes=tuple(sorted(counts_in(said).items())),
            )
        )

    def _note_seeds(self, facts: Facts) -> None:
        fields = fields_of_warcinfo(facts)
        name, digest = fields.get("seeds-file"), fields.get("seeds-sha256")
        if name and digest:
            own = digest.removeprefix("sha256:").lower()
            self._ledger.seeds.add((name[:WORD_LIMIT], own[:WORD_LIMIT]))
        if (head := log_head_in(fields)) is not None:
            self._ledger.log_heads.add(head)

    def _note_anchor(self, anchor: Facts, said: Statement | None) -> None:
        self._ledger.anchors.add(key_of(anchor.record_digest))
        header = anchor.header
        revisit = anchor.kind == "revisit"
        prefix = "WARC-Refers-To-" if revisit else "WARC-"
        column = self._ledger.revisits if revisit else self._ledger.originals
        content = digest_in(said, "content_id") if revisit and said is not None else None
        if anchor.digests is not None:
            content = anchor.digests.content_id
        row = Row(
            record=key_of(anchor.record_id),
            target=key_of(bare(header.value("WARC-Refers-To"))) if revisit else NONE,
            uri=key_of(bare(header.value(f"{prefix}Target-URI"))),
            date=key_of(header.value(f"{prefix}Date")),
            payload=key_of(_payload_text(anchor)),
            content=key_of(content),
            offset=anchor.offset,
            group=key_of(anchor.record_id),
        )
        column.add(row)


def leaf_lines(group: Sequence[Facts]) -> list[tuple[str, int]]:
    """Return the lines that a group of records has in the log, with the offset of each."""
    anchor = next((each for each in group if each.kind in ANCHORS), None)
    if anchor is None:
        return [(record_line(hex_of(each.digest)), each.offset) for each in group]
    others = [(each.kind, hex_of(each.digest)) for each in group if each is not anchor]
    return [(capture_line(hex_of(anchor.digest), others), group[0].offset)]


def _rank(kind: str) -> int:
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _payload_text(anchor: Facts) -> str | None:
    if anchor.digests is not None:
        return anchor.digests.payload_digest
    return canonical(anchor.payload)


def canonical(declared: Labelled | None) -> str | None:
    """Return a readable digest as `algorithm:hex`, else None."""
    if declared is None or declared.algorithm is None or declared.raw is None:
        return None
    return f"{declared.algorithm}:{declared.raw.hex()}"


def groups_in(ledger: Ledger, offset: int) -> Iterator[int]:
    """Yield the groups of the records at `offset`."""
    for _, at, group in ledger.records:
        if at == offset:
            yield group
