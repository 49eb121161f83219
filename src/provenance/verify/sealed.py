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
from provenance.log.checkpoint import Checkpoint, parse_checkpoint, text_of
from provenance.log.folder import CHECKPOINT, CHECKPOINTS, OPERATOR, WAITING, LogFolder
from provenance.log.merkle import CompactRange
from provenance.log.note import adds_signatures
from provenance.log.strict import to_base64
from provenance.log.tiles import FULL, Tile, parse_bundle, parse_tile_path, partial_tiles
from provenance.verify.captures import groups_in
from provenance.verify.cosigned import WitnessWord
from provenance.verify.files import FileReport
from provenance.verify.findings import Finding, LogState, Note, finding, note
from provenance.verify.leaves import file_line, leaf_hash
from provenance.verify.ledger import Digests
from provenance.verify.levels import Levels, log_finding

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
class Head:
    """A checkpoint that says something of the log: where it is kept, and what it says."""

    where: str
    checkpoint: Checkpoint
    raw: bytes


@dataclass(slots=True)
class SealTally:
    """What the log covers: its newest checkpoint, and the files that agree with it.

    `ends` has the number of leaves up to the end of each such file; `dated` and `signed` are the
    sizes of the largest checkpoints that somebody vouches for, `cosigned` what each witness said;
    `files` the name of
    each file that is covered, in the log's order, whatever became of it.
    """

    checkpoint: Checkpoint | None = None
    sound: bool = True
    ends: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    roots: dict[int, bytes] = field(default_factory=dict)
    dated: int = 0
    signed: int = 0
    cosigned: tuple[WitnessWord, ...] = ()

    @property
    def witnessed(self) -> int:
        """The size of the largest checkpoint that a witness has cosigned."""
        return max((each.size for each in self.cosigned), default=0)

    def rungs_of(self, warc: str) -> tuple[str, ...]:
        """Return the rungs that the log gives to what it covers of a file."""
        if not self.sound or warc not in self.ends:
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
        self._folder = LogFolder(metadata)
        self._reports = reports
        self._leaf_at = leaf_at
        self._covered: set[str] = set()
        self.tally = SealTally()

    def findings(self) -> Iterator[Finding | Note]:
        """Yield what is wrong with the log, and with the files as the log knows them."""
        heads: list[Head] = []
        for each in self._heads():
            if isinstance(each, Head):
                heads.append(each)
            else:
                yield each
        newest = heads[0] if heads and heads[0].where == CHECKPOINT else None
        largest = max(heads, key=lambda each: each.checkpoint.size, default=newest)
        if newest and largest and largest.checkpoint.size > newest.checkpoint.size:
            # A command that is killed between its last two files leaves this; nothing is lost.
            place, found = f"metadata/log/{largest.where}", f"not yet copied to {CHECKPOINT}"
            yield note("log_unfinished", field=place, found=found)
            newest = largest
        if newest is None:
            yield from self._without_checkpoint()
        else:
            self.tally.checkpoint = newest.checkpoint
            for fault in self._tree(newest.checkpoint, heads):
                self.tally.sound = self.tally.sound and not isinstance(fault, Finding)
                yield fault
            yield from self._not_covered()
        yield from self._rolled_back(newest.checkpoint if newest else None)

    # Checkpoints

    def _heads(self) -> Iterator[Head | Finding | Note]:
        """Yield the newest checkpoint, then each kept one, or what is wrong with it."""
        kept = [f"{CHECKPOINTS}/{size}" for size in self._folder.sizes()]
        newest = None
        for name in [CHECKPOINT, *kept]:
            try:
                raw = self._folder.read(name)
                if raw is None:
                    continue
                head = Head(name, parse_checkpoint(text_of(raw)), raw)
            except ProvenanceError as fault:
                yield log_finding("checkpoint_unreadable", name, "a checkpoint", fault)
                continue
            newest = newest or head
            yield from self._surplus(head)
            if newest.checkpoint.origin != head.checkpoint.origin:
                origins = (newest.checkpoint.origin, head.checkpoint.origin)
                yield log_finding("checkpoint_disagrees", f"{name} line 1", *origins)
            elif name not in (CHECKPOINT, f"{CHECKPOINTS}/{head.checkpoint.size}"):
                size = head.checkpoint.size
                yield log_finding("checkpoint_disagrees", f"{name} line 2", name, size)
            else:
                yield head
        if newest is not None:
            copy = f"{CHECKPOINTS}/{newest.checkpoint.size}"
            raw = self._raw(copy)
            if newest.where == CHECKPOINT and raw != newest.raw:
                if raw is not None and adds_signatures(newest.raw, raw):
                    # A command that is killed between these two files leaves this.
                    found = f"more signatures, not yet copied to {CHECKPOINT}"
                    yield note("log_unfinished", field=f"metadata/log/{copy}", found=found)
                    return
                yield log_finding(
                    "checkpoint_disagrees", copy, f"the bytes of {CHECKPOINT}", "others"
                )

    def _raw(self, name: str) -> bytes | None:
        """Return the bytes of a file of the log, None where they cannot be had."""
        try:
            return self._folder.read(name)
        except ProvenanceError:
            return None

    def _surplus(self, head: Head) -> Iterator[Finding]:
        """Report lines that nothing commits to: what a checkpoint of ours has not."""
        extensions = head.checkpoint.extensions
        if extensions:
            place, expected = f"{head.where} line 4", "origin, size and root alone"
            yield log_finding("checkpoint_unreadable", place, expected, extensions[0])

    def _without_checkpoint(self) -> Iterator[Finding | Note]:
        names = [each for each in self._folder.names() if not each.endswith(WAITING)]
        if any(not each.startswith("tile/") for each in names):
            yield log_finding("checkpoint_missing", CHECKPOINT, "the newest checkpoint", "none")
        elif names:
            yield note("log_unfinished", field="metadata/log", found="no checkpoint yet")

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
        for head in heads:
            root = self.tally.roots.get(head.checkpoint.size)
            if root != head.checkpoint.root:
                expected = to_base64(head.checkpoint.root)
                found = to_base64(root) if root is not None else f"{size} leaves in all"
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
            yield from self._compare(name, index, offset)
        for index in lost[paired:][:LISTED]:
            line = self._line(index)
            yield finding(
                "logged_capture_missing",
                warc=name,
                capture_id=_id_in(line),
                expected=line.strip(),
                found="no such records in the file",
            )
        for offset in new[paired:][:LISTED]:
            line = self._leaf_at(name, offset) or ""
            yield finding(
                "unlogged_capture",
                warc=name,
                offset=offset,
                capture_id=_id_in(line),
                expected="records that the log has",
                found=line.strip() or "records that it has not",
            )
        more = max(len(lost), len(new)) - LISTED
        if more > 0:
            yield finding(
                "more_findings", warc=name, expected=f"{LISTED} listed", found=f"{more} more"
            )

    def _compare(self, name: str, index: int, offset: int) -> Iterator[Finding]:
        """Say which records of a capture are others than the log has."""
        before, now = self._line(index), self._leaf_at(name, offset) or ""
        then, found = _named(before), _named(now)
        for kind in [*then, *(each for each in found if each not in then)]:
            if then.get(kind) != found.get(kind):
                yield finding(
                    "logged_capture_changed",
                    warc=name,
                    offset=offset,
                    capture_id=_id_in(before),
                    field=f"{kind} record",
                    expected=then.get(kind, "none"),
                    found=found.get(kind, "none"),
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
        return {size for _, _, (_, size, _) in self._named()}

    def _named(self) -> Iterator[tuple[str | None, str, tuple[str, int, str]]]:
        """Yield the file, the field, and the checkpoint (origin, size, root) that it names."""
        for name, report in self._reports.items():
            for each in sorted(report.ledger.log_heads):
                yield name, "log-checkpoint", each
        for where, head in self._kept:
            yield None, where, (head.origin, head.size, to_base64(head.root))

    def _rolled_back(self, newest: Checkpoint | None) -> Iterator[Finding]:
        """Hold against the log what files that were sealed after a checkpoint say of it."""
        kept = set(self._folder.sizes())
        for name, field_name, (origin, size, root) in self._named():
            known = self.tally.roots.get(size)
            if newest is None:
                found = "no log"
            elif newest.origin != origin:
                found = f"the log {newest.origin}"
            elif size > newest.size:
                found = f"{newest.size} leaves"
            elif known is None or to_base64(known) == root:
                if name and size not in kept:
                    kept.add(size)
                    place, expected = f"{CHECKPOINTS}/{size}", f"the checkpoint that {name} names"
                    yield log_finding("checkpoint_missing", place, expected, "no such file")
                continue
            else:
                found = f"the root {to_base64(known)} at that size"
            yield finding(
                "log_rolled_back",
                warc=name,
                offset=0 if name else None,
                field=field_name,
                expected=f"a log {origin} that begins with {size} leaves of root {root}",
                found=found,
            )


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


def _id_in(line: str) -> str | None:
    match = _CAPTURE.match(line)
    return match[1] if match else None
