"""Hold single captures against the log, by the tiles that their proofs are made of.

Of a log of a million leaves a few tiles are read, and the leaves up to the end of the file. Where a
leaf may stand, index and manifest tell, and neither is believed: what stands there is compared with
what the records give, and where they lead to nothing every leaf hash of the log is looked at.
Changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from provenance.digest import Digest
from provenance.errors import ProofError
from provenance.findings.finding import DatedBy, Finding, LogState, Note, finding, note
from provenance.log.checkpoint import Checkpoint
from provenance.log.damage import damaged_parts
from provenance.log.folder import CHECKPOINT, LogFolder
from provenance.log.merkle import verify_consistency
from provenance.log.strict import to_base64
from provenance.log.tiles import FULL
from provenance.regular_file import open_regular
from provenance.rungs.heads import NAMED_IN, Heads, Named, named_apart
from provenance.rungs.levels import log_finding
from provenance.rungs.sealed import SealTally, compare_lines, id_in
from provenance.rungs.tiled import RefusedError, TiledLog
from provenance.rungs.trust import Trust
from provenance.verify.manifest import MANIFEST, parse_manifest
from provenance.verify.single import LeafAt, warcinfo_at
from provenance.whole.leaves import leaf_hash
from provenance.whole.relations import Reread
from provenance.whole.statements import fields_of_warcinfo, log_head_in

MANIFEST_LIMIT = 1 << 28
"""Bytes of a manifest that are read."""

PlaceOf = Callable[[Digest], tuple[str, int] | None]
"""Says where a record of this digest may stand, its file and its byte: the index does."""

_Order = tuple[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A capture whose leaves are to be in the log, and the file that its records stand in."""

    capture_id: Digest
    warc: str
    leaves: tuple[LeafAt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The rungs that the log gives to a capture, and what was found on the way.

    `dates` are those of the checkpoints that cover it, `earliest` the first of them.
    """

    rungs: tuple[str, ...]
    told: tuple[Finding | Note, ...]
    dates: tuple[DatedBy, ...] = ()
    earliest: DatedBy | None = None


class LogAudit:
    """The log of one root, for captures that are asked for one by one.

    `kept` are checkpoints that were kept elsewhere, each with the file it was read from.
    """

    def __init__(
        self,
        root: Path,
        place_of: PlaceOf,
        trust: Trust,
        kept: Sequence[tuple[str, Checkpoint]] = (),
    ) -> None:
        self._archive = root / "archive"
        self._metadata = root / "metadata"
        self._place_of = place_of
        self._trust = trust
        self._kept = kept

    def verify(self, wanted: Logged) -> Seal:
        """Say which rungs the log gives to a capture.

        Steps:
        (1) The newest checkpoint, and what the checkpoints say of each other.
        (2) Each leaf is found in the log, and after it the line of the file it was sealed with.
        (3) Leaf and tiles give the root of the newest checkpoint, and of each kept one that covers
            the file.
        (4) The log goes on from the checkpoint that the last file of the manifest names, and from
            those that were kept elsewhere.
        (5) Time-stamps and signatures of the checkpoints that cover the file.
        """
        heads, told = self._heads  # (1)
        tally = SealTally(sound=heads.sound)
        more: list[Finding | Note] = []
        if heads.newest is not None:
            tally.checkpoint = heads.newest.checkpoint
            try:
                more += self._prove(wanted, tally)
            except RefusedError as refused:
                more += refused.told
                tally.sound = False
        more += self._named(tally, wanted)  # (4)
        if tally.rungs_of(wanted.warc):  # (5)
            more += self._trust.findings_for(self._metadata, tally, tally.ends[wanted.warc])
        return Seal(
            rungs=tally.rungs_of(wanted.warc),
            told=(*told, *more),
            dates=tally.dates,
            earliest=tally.earliest(wanted.warc),
        )

    @property
    def state(self) -> LogState | None:
        """What the newest checkpoint says, None where there is none."""
        newest = self._heads[0].newest
        return SealTally(checkpoint=newest.checkpoint).state() if newest is not None else None

    @cached_property
    def _heads(self) -> tuple[Heads, tuple[Finding | Note, ...]]:
        heads = Heads(LogFolder(self._metadata, lenient=True))
        return heads, tuple(heads.findings())

    @property
    def _newest_at(self) -> str:
        newest = self._heads[0].newest
        return newest.where if newest is not None else CHECKPOINT

    @cached_property
    def _log(self) -> TiledLog:
        newest = self._heads[0].newest
        return TiledLog(LogFolder(self._metadata), newest.checkpoint.size if newest else 0)

    # The proof

    def _prove(self, wanted: Logged, tally: SealTally) -> list[Finding]:
        """Find the leaves, and compute from them the roots that `tally` then has.

        Raises:
            RefusedError: the log has the capture not, or otherwise, or is damaged on the way.
        """
        log = self._log
        placed = [(each.hashed, *self._find(wanted, each)) for each in wanted.leaves]  # (2)
        end = max(end for _, _, end in placed) + 1
        closing = log.hash_at(end - 1)
        proven = [(hashed, at) for hashed, at, _ in placed]
        for hashed, at in (*proven, (closing, end - 1)):
            log.check_around(at, hashed)
        sizes = {head.checkpoint.size for head in self._heads[0].heads}
        sizes.update(LogFolder(self._metadata, lenient=True).stamped_sizes())
        for size in sorted(size for size in sizes if end <= size <= log.size):
            tally.roots[size] = log.root_with(*proven[0], size)
        tally.ends[wanted.warc] = end
        return list(self._other_roots((*proven, (closing, end - 1)), tally, end))

    def _other_roots(
        self, proven: Sequence[tuple[bytes, int]], tally: SealTally, end: int
    ) -> Iterator[Finding]:
        """Yield where leaves and tiles give another root than a checkpoint that covers them."""
        for head in self._heads[0].heads:
            size = head.checkpoint.size
            roots = {self._log.root_with(*each, size) for each in proven} if size >= end else set()
            other = next((each for each in roots if each != head.checkpoint.root), None)
            if other is not None:
                expected, found = to_base64(head.checkpoint.root), to_base64(other)
                tally.contradicted = max(tally.contradicted, size)
                yield log_finding("log_root", f"{head.where} line 3", expected, found)

    def _find(self, wanted: Logged, leaf: LeafAt) -> tuple[int, int]:
        """Return the place of a leaf in the log, and that of the line of its file.

        Raises:
            RefusedError: it is not there, or not in that file.
        """
        log, guess = self._log, self._guess(wanted.warc, leaf.offset)
        named = log.line(guess) if guess is not None else ""
        if guess is not None and leaf.hashed in (log.hash_at(guess), leaf_hash(named)):
            closing = log.closing(guess)
            if closing is not None and closing[1] == wanted.warc:
                return guess, closing[0]
        for at in log.search(leaf.hashed):
            closing = log.closing(at)
            if closing is not None and closing[1] == wanted.warc:
                return at, closing[0]
            # It is another file's, unless what names its own is damaged.
            last = closing[0] if closing is not None else log.size - 1
            log.check_bundles(at // FULL, last // FULL + 1)
        line = Reread({wanted.warc: self._archive / wanted.warc}).leaf(wanted.warc, leaf.offset)
        if id_in(named) == wanted.capture_id and named != line:
            raise RefusedError(*compare_lines(wanted.warc, leaf.offset, named, line or ""))
        if all(name != wanted.warc for _, name in log.files()):
            raise RefusedError(note("not_in_log", field="metadata/log", found=wanted.warc))
        raise RefusedError(
            finding(
                "unlogged_capture",
                warc=wanted.warc,
                offset=leaf.offset,
                capture_id=wanted.capture_id,
                expected="records that the log has",
                found=(line or "").strip() or "records that it has not",
            )
        )

    def _guess(self, warc: str, offset: int) -> int | None:
        """Return where the leaf of the records at a place should stand, None where nobody knows.

        Leaves stand in the order of the manifest, and then of their records.
        """
        if warc not in self._lines:
            return None
        wanted: _Order = (self._lines[warc], offset)
        first, end = 0, self._log.size
        while first < end:
            middle = (first + end) // 2
            try:
                known = self._order_of(self._log.line(middle))
            except RefusedError:
                return None  # what is damaged there need not be what this proof is made of
            if known is None:
                return None
            if known < wanted:
                first = middle + 1
            else:
                end = middle
        return first if first < self._log.size else None

    def _order_of(self, line: str) -> _Order | None:
        if line.startswith("file "):
            name, offset = line.split(" ")[1], math.inf
        else:
            digest = id_in(line)
            place = self._place_of(Digest(digest)) if digest is not None else None
            if place is None:
                return None
            name, offset = place
        return (self._lines[name], offset) if name in self._lines else None

    @cached_property
    def _lines(self) -> Mapping[str, int]:
        """The line of each file in the manifest."""
        try:
            with open_regular(self._metadata / MANIFEST) as source:
                return parse_manifest(source.read(MANIFEST_LIMIT)).lines
        except OSError:
            return {}

    # What others name

    def _named(self, tally: SealTally, wanted: Logged) -> Iterator[Finding | Note]:
        """Hold against the log what a later file, and who kept a checkpoint, say of it."""
        end = tally.ends.get(wanted.warc, 0)
        apart = [named_apart(where, head) for where, head in self._kept]
        for each in (*self._named_last, *apart):
            fault = each.refused_by(tally.checkpoint, tally.roots.get(each.size))
            if fault is None and tally.checkpoint is not None and each.size not in tally.roots:
                fault = self._goes_on(each, tally.checkpoint)
            if fault is not None:
                tally.contradicted = max(tally.contradicted, each.size)
                yield fault
            elif each.warc is None and each.size < end:
                expected = f"at least {end} leaves, to cover {wanted.capture_id}"
                found = f"{each.size} leaves"
                yield note("checkpoint_older", field=each.field, expected=expected, found=found)

    def _goes_on(self, named: Named, newest: Checkpoint) -> Finding | None:
        """Prove that the log begins with what a checkpoint covers (RFC 9162 §2.1.4.2)."""
        log = self._log
        try:
            root, path = log.root_at(named.size), log.consistency(named.size)
            verify_consistency(named.size, newest.size, path, root, newest.root)
        except RefusedError as refused:
            return next((each for each in refused.told if isinstance(each, Finding)), None)
        except ProofError as fault:
            return self._damaged(newest, fault)
        return named.refused_by(newest, root)

    def _damaged(self, newest: Checkpoint, fault: ProofError) -> Finding:
        """Say which part keeps the log from proving what it should: that is no other history."""
        part = damaged_parts(LogFolder(self._metadata), newest)[:1]
        if not part or part == (CHECKPOINT,):
            place = f"{self._newest_at} line 3"
            return log_finding("log_root", place, to_base64(newest.root), fault)
        return log_finding("log_damaged", part[0], "what its leaves give", fault)

    @cached_property
    def _named_last(self) -> tuple[Named, ...]:
        """The checkpoint that the last file of the manifest names: a later one than its own."""
        last = next(reversed([*self._lines]), None)
        if last is None:
            return ()
        try:
            first = warcinfo_at(self._archive / last, 0)
        except OSError:
            return ()
        head = log_head_in(fields_of_warcinfo(first)) if first is not None else None
        if head is None:
            return ()
        origin, size, root = head
        return (Named(warc=last, field=NAMED_IN, origin=origin, size=size, root=root),)
