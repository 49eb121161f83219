"""Read the checkpoints of a log and tell which one is the newest. Computes no root.

What they say of each other is told here; what the leaves say of them is others' matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from provenance.errors import ProvenanceError
from provenance.findings.finding import Finding, Note, finding, note
from provenance.log.checkpoint import Checkpoint, parse_checkpoint, text_of
from provenance.log.folder import CHECKPOINT, CHECKPOINTS, WAITING, LogFolder, read_given
from provenance.log.note import adds_signatures
from provenance.log.strict import to_base64
from provenance.rungs.levels import log_finding

NAMED_IN = "log-checkpoint"
"""The field of a `warcinfo` that names the newest checkpoint that its run found."""


@dataclass(slots=True)
class Head:
    """A checkpoint that says something of the log: where it is kept, and what it says."""

    where: str
    checkpoint: Checkpoint
    raw: bytes


class Heads:
    """The checkpoints of a log; its attributes are complete once `findings` was read to its end.

    `heads` are those that can be held against the log. `newest` is the largest of them, None where
    none can be had. `sound` says that nothing is wrong with the newest and its kept copy.
    """

    def __init__(self, folder: LogFolder) -> None:
        self._folder = folder
        self.heads: list[Head] = []
        self.newest: Head | None = None
        self.sound = True

    def findings(self) -> Iterator[Finding | Note]:
        """Yield what is wrong with checkpoints by themselves, and what a killed command left."""
        wrong: set[str] = set()
        for name, reason in self._folder.unreadable():
            # What lies there may be any of the checkpoints.
            self.sound = False
            yield log_finding("log_damaged", name, "a folder that can be read", reason)
        for name, told in self._read():
            if isinstance(told, Finding):
                wrong.add(name)
            yield told
        heads = self.heads
        newest = heads[0] if heads and heads[0].where == CHECKPOINT else None
        largest = max(heads, key=lambda each: each.checkpoint.size, default=newest)
        if newest and largest and largest.checkpoint.size > newest.checkpoint.size:
            # A command that is killed between its last two files leaves this; nothing is lost.
            place, found = f"metadata/log/{largest.where}", f"not yet copied to {CHECKPOINT}"
            yield note("log_unfinished", field=place, found=found)
            newest = largest
        self.newest = newest
        if newest is None:
            yield from self._without_checkpoint()
        else:
            copy = f"{CHECKPOINTS}/{newest.checkpoint.size}"
            self.sound = self.sound and not wrong & {CHECKPOINT, newest.where, copy}

    def _read(self) -> Iterator[tuple[str, Finding | Note]]:
        """Read the newest checkpoint, then each kept one; yield what is wrong, and with which."""
        kept = [f"{CHECKPOINTS}/{size}" for size in self._folder.sizes()]
        newest = None
        for name in [CHECKPOINT, *kept]:
            try:
                raw = self._folder.read(name)
                if raw is None:
                    continue
                head = Head(name, parse_checkpoint(text_of(raw)), raw)
            except ProvenanceError as fault:
                yield name, log_finding("checkpoint_unreadable", name, "a checkpoint", fault)
                continue
            newest = newest or head
            if head.checkpoint.extensions:  # lines that no checkpoint of ours has
                place, expected = f"{name} line 4", "origin, size and root alone"
                surplus = head.checkpoint.extensions[0]
                yield name, log_finding("checkpoint_unreadable", place, expected, surplus)
            if newest.checkpoint.origin != head.checkpoint.origin:
                origins = (newest.checkpoint.origin, head.checkpoint.origin)
                yield name, log_finding("checkpoint_disagrees", f"{name} line 1", *origins)
            elif name not in (CHECKPOINT, f"{CHECKPOINTS}/{head.checkpoint.size}"):
                size = head.checkpoint.size
                yield name, log_finding("checkpoint_disagrees", f"{name} line 2", name, size)
            else:
                self.heads.append(head)
        if newest is not None:
            copy = f"{CHECKPOINTS}/{newest.checkpoint.size}"
            raw, why = self._copy(copy)
            if newest.where != CHECKPOINT or raw == newest.raw:
                return
            if raw is not None and adds_signatures(newest.raw, raw):
                # A command that is killed between these two files leaves this.
                found = f"more signatures, not yet copied to {CHECKPOINT}"
                yield copy, note("log_unfinished", field=f"metadata/log/{copy}", found=found)
            else:
                expected = f"the bytes of {CHECKPOINT}"
                yield copy, log_finding("checkpoint_disagrees", copy, expected, why or "others")

    def _copy(self, name: str) -> tuple[bytes | None, str | None]:
        """Return the bytes of a file of the log, or why they cannot be had."""
        try:
            raw = self._folder.read(name)
        except ProvenanceError as fault:
            return None, str(fault)
        return raw, "no such file" if raw is None else None

    def _without_checkpoint(self) -> Iterator[Finding | Note]:
        names = [each for each in self._folder.names() if not each.endswith(WAITING)]
        if any(not each.startswith("tile/") for each in names):
            yield log_finding("checkpoint_missing", CHECKPOINT, "the newest checkpoint", "none")
        elif names:
            yield note("log_unfinished", field="metadata/log", found="no checkpoint yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A checkpoint that something outside the log names: a file of the archive, or one kept apart.

    `warc` is the file, None where it is none of the archive's; `field` says where in it, or which
    file else. `root` is in Base64, as it stands there.
    """

    warc: str | None
    field: str
    origin: str
    size: int
    root: str

    def refused_by(self, newest: Checkpoint | None, root: bytes | None) -> Finding | None:
        """Return the finding where the log does not go on from it, None where that is not known.

        `root` is what the log's leaves give at its size, None where nobody has computed it.
        """
        if newest is None:
            return self.refused("no log")
        if newest.origin != self.origin:
            return self.refused(f"the log {newest.origin}")
        if self.size > newest.size:
            return self.refused(f"{newest.size} leaves")
        if root is not None and to_base64(root) != self.root:
            return self.refused(f"the root {to_base64(root)} at that size")
        return None

    def refused(self, found: str) -> Finding:
        """Return the finding that says what there is instead."""
        begins = f"that begins with {self.size} leaves of root {self.root}"
        return finding(
            "log_rolled_back",
            warc=self.warc,
            offset=0 if self.warc else None,
            field=self.field,
            expected=f"a log {self.origin} {begins}",
            found=found,
        )


def named_apart(where: str, head: Checkpoint) -> Named:
    """Return a checkpoint that was kept elsewhere, in the file `where`."""
    root = to_base64(head.root)
    return Named(warc=None, field=where, origin=head.origin, size=head.size, root=root)


def read_kept(paths: Sequence[Path]) -> list[tuple[str, Checkpoint]]:
    """Return the checkpoints in files that a person named, each with its file.

    Raises:
        StorageError: a file cannot be read.
        LogFormatError: it holds no checkpoint.
    """
    return [
        (str(path), parse_checkpoint(text_of(read_given(path), where=str(path)), where=str(path)))
        for path in paths
    ]
