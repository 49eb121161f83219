"""Check the log by itself, and the files against it: rung *sealed*. Changes nothing.

What the log says is computed anew from its leaves: every tile, the root, the root of each earlier
checkpoint. The files are compared with it by the leaves that their records give.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provenance.digest import hex_of
from provenance.errors import ProvenanceError
from provenance.findings.finding import DatedBy, Finding, LogState, Note, finding, note
from provenance.log.checkpoint import Checkpoint
from provenance.log.folder import CHECKPOINT, CHECKPOINTS, OPERATOR, WAITING, LogFolder
from provenance.log.merkle import CompactRange
from provenance.log.strict import to_base64
from provenance.log.tiles import FULL, Tile, parse_bundle, parse_tile_path, partial_tiles
from provenance.rungs.cosigned import WitnessWord
from provenance.rungs.heads import NAMED_IN, Head, Heads, Named, named_apart
from provenance.rungs.levels import Levels, log_finding
from provenance.whole.captures import groups_in
from provenance.whole.files import FileReport
from provenance.whole.leaves import file_line, leaf_hash
from provenance.whole.ledger import Digests

LISTED = 100
"""Changed leaves that are listed for one file."""

_WIDTH = 32
_FILE = re.compile(r"file (\S+) sha256:([0-9a-f]{64}) ([1-9][0-9]{0,17})\n\Z")
_CAPTURE = re.compile(r"(?:capture|record) (sha256:[0-9a-f]{64})[ \n]")
_OURS = ("timestamps/",)
"""Other folders of the log, which other checks look at."""

LeafReader = Callable[[str, int], str | None]
"""(file name, offset) → the line of the leaf that the records there give, read anew."""


@dataclass(slots=True)
class SealTally:
    """What the log covers: its newest checkpoint, and the files that agree with it.

    `ends` has the number of leaves up to the end of each such file; `signed` is the size of the
    largest checkpoint that the operator vouches for, `dates` what others dated, and `cosigned` what
    each witness said;
    `files` the name of each file that is covered, in the log's order, whatever became of it.
    `contradicted` is the size of the largest checkpoint that says otherwise of the log than its
    leaves: nothing that it covers is sealed.
    """

    checkpoint: Checkpoint | None = None
    sound: bool = True
    ends: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    roots: dict[int, bytes] = field(default_factory=dict)
    dates: tuple[DatedBy, ...] = ()
    signed: int = 0
    contradicted: int = 0
    cosigned: tuple[WitnessWord, ...] = ()

    @property
    def dated(self) -> int:
        """The size of the largest checkpoint that somebody who is trusted has dated."""
        return max((each.size for each in self.dates), default=0)

    def earliest(self, warc: str) -> DatedBy | None:
        """Return the earliest date of a checkpoint that covers a file; None where none counts."""
        if "dated" not in self.rungs_of(warc):
            return None
        covering = (each for each in self.dates if each.size >= self.ends[warc])
        return min(covering, key=lambda each: each.dated_at, default=None)

    @property
    def witnessed(self) -> int:
        """The size of the largest checkpoint that a witness has cosigned."""
        return max((each.size for each in self.cosigned), default=0)

    def rungs_of(self, warc: str) -> tuple[str, ...]:
        """Return the rungs that the log gives to what it covers of a file."""
        if not self.sound or self.ends.get(warc, 0) <= self.contradicted:
            return ()
        spans = (("dated", self.dated), ("signed", self.signed), ("witnessed", self.witnessed))
        return ("sealed", *(rung for rung, size in spans if self.ends[warc] <= size))

    def state(self) -> LogState | None:
        """Return what the newest checkpoint says."""
        if self.checkpoint is None:
            return None
        root = to_base64(self.checkpoint.root)
        return LogState(origin=self.checkpoint.origin, size=self.checkpoint.size, root=root)


class SealCheck:
    """The log below `metadata`; `tally` is complete once `findings` has been read to its end."""

    def __init__(
        self,
        metadata: Path,
        reports: Mapping[str, FileReport],
        leaf_at: LeafReader,
        kept: Sequence[tuple[str, Checkpoint]] = (),
    ) -> None:
        """`kept` are checkpoints that were kept elsewhere, each with the file it was read from."""
        self._kept = kept
        self._folder = LogFolder(metadata, lenient=True)
        self._reports = reports
        self._leaf_at = leaf_at
        self._covered: set[str] = set()
        self.tally = SealTally()

    def findings(self) -> Iterator[Finding | Note]:
        """Yield what is wrong with the log, and with the files as the log knows them."""
        kept = Heads(self._folder)
        yield from kept.findings()
        newest = kept.newest
        self.tally.sound = kept.sound
        if newest is not None:
            self.tally.checkpoint = newest.checkpoint
            for fault in self._tree(newest.checkpoint, kept.heads):
                # What is wrong with a file is held against its own captures alone.
                of_log = isinstance(fault, Finding) and fault.warc is None
                self.tally.sound = self.tally.sound and not of_log
                yield fault
            yield from self._roots(newest.checkpoint, kept.heads)
            yield from self._not_covered()
        yield from self._rolled_back(newest.checkpoint if newest else None)

    # The tree

    def _tree(self, newest: Checkpoint, heads: list[Head]) -> Iterator[Finding | Note]:
        size = newest.size
        yield from self._strays(size, heads)
        wanted = {head.checkpoint.size for head in heads} | self._named_sizes()
        wanted.update(self._folder.stamped_sizes())
        tree, levels = CompactRange(), Levels(self._folder)
        held = _File()
        for first in range(0, size, FULL):
            tile = Tile(level=None, index=first // FULL, width=min(FULL, size - first))
            try:
                entries = parse_bundle(self._folder.read_tile(tile), tile)
            except ProvenanceError as fault:
                yield log_finding("log_damaged", tile.path, f"{tile.width} leaves", fault)
                return
            for entry in entries:
                if tree.size in wanted:
                    self.tally.roots[tree.size] = tree.root()
                line = entry.decode("utf-8", "replace")
                hashed = leaf_hash(line)
                tree.append(hashed)
                yield from levels.take(hashed)
                held.take(hashed, tree.size - 1)
                if match := _FILE.match(line):
                    yield from self._file(match, held, tree.size)
                    held = _File()
                elif not _CAPTURE.match(line):
                    place = f"{tile.path} leaf {tree.size - 1}"
                    yield log_finding("log_damaged", place, "a leaf", line)
        yield from levels.close()
        if held.hashes:
            yield log_finding("log_damaged", f"leaf {size - 1}", "the leaf of a file", "another")
        self.tally.roots[size] = tree.root()

    def _roots(self, newest: Checkpoint, heads: list[Head]) -> Iterator[Finding]:
        """Hold each checkpoint against the root that the leaves give at its size."""
        if newest.size not in self.tally.roots:
            return  # the leaves could not be read to their end
        for head in heads:
            root, size = self.tally.roots.get(head.checkpoint.size), head.checkpoint.size
            if root != head.checkpoint.root:
                expected = to_base64(head.checkpoint.root)
                found = to_base64(root) if root is not None else f"{newest.size} leaves in all"
                self.tally.contradicted = max(self.tally.contradicted, size)
                yield log_finding("log_root", f"{head.where} line 3", expected, found)

    def _strays(self, size: int, heads: list[Head]) -> Iterator[Finding | Note]:
        known = {head.where for head in heads} | {CHECKPOINT, OPERATOR}
        partial = {tile.path for tile in partial_tiles(size)}
        for name in self._folder.names():
            if name in known or name in partial or name.startswith(_OURS):
                continue
            if name.endswith(WAITING):
                yield note("log_unfinished", field=f"metadata/log/{name}", found="half written")
                continue
            try:
                tile = parse_tile_path(name)
            except ProvenanceError:
                if not name.startswith(f"{CHECKPOINTS}/"):
                    yield log_finding("log_foreign_file", name, "the files of a log", "another")
                elif name.removeprefix(f"{CHECKPOINTS}/") not in map(str, self._folder.sizes()):
                    yield log_finding("log_foreign_file", name, "a checkpoint's size", "another")
                continue
            span = FULL ** (tile.level or 0)
            if not tile.is_full:
                yield note("log_unfinished", field=f"metadata/log/{name}", found="an outgrown part")
            elif (tile.index + 1) * FULL * span > size:
                yield note("log_unfinished", field=f"metadata/log/{name}", found="past the end")

    # Files

    def _file(self, match: re.Match[str], held: _File, end: int) -> Iterator[Finding]:
        name = match[1]
        if name in self._covered:
            place = f"leaf {end - 1}"
            yield log_finding("log_damaged", place, "one leaf for a file", f"another of {name}")
            return
        self._covered.add(name)
        self.tally.files.append(name)
        report = self._reports.get(name)
        if report is None:
            expected = f"archive/{name}, sealed with {match[3]} records"
            yield finding("logged_file_missing", warc=name, expected=expected, found="no such file")
            return
        expected_hashes = bytes(held.hashes[:-_WIDTH])
        if expected_hashes != b"".join(report.ledger.leaves.raws()):
            yield from self._changed(name, report, held)
        line = file_line(name, hex_of(report.sha256), report.records) if report.sha256 else ""
        if line != match[0]:
            yield finding(
                "log_file_changed",
                warc=name,
                field="sha256, records",
                expected=f"sha256:{match[2]}, {match[3]} records",
                found=f"{report.sha256}, {report.records} records",
            )
        self.tally.ends[name] = end

    def _changed(self, name: str, report: FileReport, held: _File) -> Iterator[Finding]:
        """Name the captures that the file has otherwise than the log, and mark them."""
        logged, present = held.places(), _places(report.ledger.leaves)
        lost = [at for hashed, at in logged.items() if hashed not in present]
        new = [at for hashed, at in present.items() if hashed not in logged]
        for offset in new:
            report.ledger.unsealed.update(groups_in(report.ledger, offset))
        if not (lost or new):
            expected = "the order of the log"
            yield finding(
                "log_order", warc=name, field="records", expected=expected, found="another"
            )
            report.ledger.unsealed.update(report.ledger.records.column(2))
            return
        paired = min(len(lost), len(new)) if len(lost) == len(new) else 0
        for index, offset in zip(lost[:paired][:LISTED], new, strict=False):
            line = self._leaf_at(name, offset) or ""
            yield from compare_lines(name, offset, self._line(index), line)
        for index in lost[paired:][:LISTED]:
            line = self._line(index)
            yield finding(
                "logged_capture_missing",
                warc=name,
                capture_id=id_in(line),
                expected=line.strip(),
                found="no such records in the file",
            )
        for offset in new[paired:][:LISTED]:
            line = self._leaf_at(name, offset) or ""
            yield finding(
                "unlogged_capture",
                warc=name,
                offset=offset,
                capture_id=id_in(line),
                expected="records that the log has",
                found=line.strip() or "records that it has not",
            )
        more = max(len(lost), len(new)) - LISTED
        if more > 0:
            yield finding(
                "more_findings", warc=name, expected=f"{LISTED} listed", found=f"{more} more"
            )

    def _line(self, index: int) -> str:
        size = self.tally.checkpoint.size if self.tally.checkpoint else 0
        first = index // FULL * FULL
        tile = Tile(level=None, index=index // FULL, width=min(FULL, size - first))
        return parse_bundle(self._folder.read_tile(tile), tile)[index - first].decode(
            "utf-8", "replace"
        )

    def _not_covered(self) -> Iterator[Note]:
        waiting = sorted(self._reports.keys() - self._covered)
        if waiting:
            found = f"{len(waiting)} files, {waiting[0]} the first"
            yield note("not_in_log", field="metadata/log", found=found)

    # What files say of the log

    def _named_sizes(self) -> set[int]:
        return {each.size for each in self._named()}

    def _named(self) -> Iterator[Named]:
        """Yield what files name, and what was kept elsewhere."""
        for name, report in self._reports.items():
            for origin, size, root in sorted(report.ledger.log_heads):
                yield Named(warc=name, field=NAMED_IN, origin=origin, size=size, root=root)
        for where, head in self._kept:
            yield named_apart(where, head)

    def _rolled_back(self, newest: Checkpoint | None) -> Iterator[Finding]:
        """Hold against the log what files that were sealed after a checkpoint say of it."""
        kept = set(self._folder.sizes())
        for each in self._named():
            fault = each.refused_by(newest, self.tally.roots.get(each.size))
            if fault is not None:
                self.tally.contradicted = max(self.tally.contradicted, each.size)
                yield fault
            elif each.warc and each.size not in kept:
                kept.add(each.size)
                place, expected = (
                    f"{CHECKPOINTS}/{each.size}",
                    f"the checkpoint that {each.warc} names",
                )
                yield log_finding("checkpoint_missing", place, expected, "no such file")


class _File:
    """The leaves of one file as the log has them: their hashes and the index of the first."""

    def __init__(self) -> None:
        self.hashes = bytearray()
        self.first = 0

    def take(self, hashed: bytes, index: int) -> None:
        if not self.hashes:
            self.first = index
        self.hashes += hashed

    def places(self) -> dict[bytes, int]:
        raw = bytes(self.hashes[:-_WIDTH])
        return {
            raw[at : at + _WIDTH]: self.first + at // _WIDTH for at in range(0, len(raw), _WIDTH)
        }


def _places(leaves: Digests) -> dict[bytes, int]:
    return dict(zip(leaves.raws(), leaves.numbers(), strict=True))


def compare_lines(warc: str, offset: int, before: str, now: str) -> Iterator[Finding]:
    """Say which records of a capture are others than the log has, by its line there and now."""
    then, found = _named(before), _named(now)
    for kind in [*then, *(each for each in found if each not in then)]:
        if then.get(kind) != found.get(kind):
            yield finding(
                "logged_capture_changed",
                warc=warc,
                offset=offset,
                capture_id=id_in(before),
                field=f"{kind} record",
                expected=then.get(kind, "none"),
                found=found.get(kind, "none"),
            )


def _named(line: str) -> dict[str, str]:
    """Return the records that a line names: what each is, and its digest."""
    words = line.split()
    names = words[::2]
    if names[:1] == ["capture"]:
        names[0] = "response, revisit or resource"
    return {
        f"{name} ({names[:at].count(name) + 1})" if name in names[:at] else name: digest
        for at, (name, digest) in enumerate(zip(names, words[1::2], strict=False))
    }


def id_in(line: str) -> str | None:
    """Return the digest that the line of a capture or record begins with, None for any other."""
    match = _CAPTURE.match(line)
    return match[1] if match else None
