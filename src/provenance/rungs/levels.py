"""Compute the hash tiles of the log from its leaves, and compare them with their files."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from provenance.errors import ProvenanceError
from provenance.findings.finding import Finding, finding
from provenance.log.folder import LogFolder
from provenance.log.merkle import fold
from provenance.log.strict import HASH_BYTES
from provenance.log.tiles import FULL, Tile


class Levels:
    """Compute the hash tiles from the leaves, and compare each with its file."""

    def __init__(self, folder: LogFolder) -> None:
        self._folder = folder
        self._held: list[list[bytes]] = []
        self._counts = array("Q")

    def take(self, hashed: bytes, level: int = 0) -> Iterator[Finding]:
        """Add a hash to a level; a full tile is compared, and its own hash goes one up."""
        if level == len(self._held):
            self._held.append([])
            self._counts.append(0)
        held = self._held[level]
        held.append(hashed)
        if len(held) == FULL:
            yield from self._compare(level)
            up = fold(held)
            held.clear()
            self._counts[level] += 1
            yield from self.take(up, level + 1)

    def close(self) -> Iterator[Finding]:
        """Compare the tiles that are not full."""
        for level, held in enumerate(self._held):
            if held:
                yield from self._compare(level)

    def _compare(self, level: int) -> Iterator[Finding]:
        held = self._held[level]
        tile = Tile(level=level, index=self._counts[level], width=len(held))
        try:
            raw = self._folder.read(tile.path)
        except ProvenanceError as fault:
            yield log_finding("log_damaged", tile.path, "a tile", fault)
            return
        if raw is None or len(raw) != HASH_BYTES * len(held):
            found = "no such file" if raw is None else f"{len(raw)} bytes"
            yield log_finding("log_damaged", tile.path, f"{HASH_BYTES * len(held)} bytes", found)
        elif raw != b"".join(held):
            at = next(at for at in range(len(raw)) if raw[at] != b"".join(held)[at]) // HASH_BYTES
            found = raw[at * HASH_BYTES : (at + 1) * HASH_BYTES].hex()
            yield log_finding("log_damaged", f"{tile.path} hash {at}", held[at].hex(), found)


def log_finding(code: str, name: str, expected: object, found: object) -> Finding:
    """Return a finding on a file of the log, or on a place in it."""
    return finding(code, field=f"metadata/log/{name}", expected=expected, found=found)
