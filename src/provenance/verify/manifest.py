"""Read the manifest of files and compare it with the files there are. Pure: opens no file.

A reading of its own, so that the writer's faults are not the auditor's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from provenance.digest import Digest, from_hex
from provenance.findings.finding import Finding, ManifestTally, finding

MANIFEST = "manifest-sha256.txt"
_LINE = re.compile(rb"([0-9a-f]{64})  archive/([^/\x00-\x1f\x7f]+)\Z")
_NAMES = frozenset({b".", b".."})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The lines of a manifest: file name → digest, → line, and what is wrong with lines."""

    files: Mapping[str, Digest]
    lines: Mapping[str, int]
    findings: tuple[Finding, ...]


def parse_manifest(raw: bytes) -> Listing:
    """Parse lines `<64 lower-case hex digits>  archive/NAME`, each ended by LF."""
    files: dict[str, Digest] = {}
    numbers: dict[str, int] = {}
    findings: list[Finding] = []
    *lines, rest = raw.split(b"\n")
    if rest:
        findings.append(_bad_line(len(lines) + 1, rest + b" without a line end"))
    for number, line in enumerate(lines, start=1):
        match = _LINE.match(line)
        name = _name(match[2]) if match else None
        if match is None or name is None:
            findings.append(_bad_line(number, line))
        elif name in files:
            findings.append(
                finding(
                    "manifest_duplicate",
                    warc=name,
                    field=f"{MANIFEST} line {number}",
                    expected="one line for the file",
                    found="another",
                )
            )
        else:
            files[name] = from_hex(match[1].decode())
            numbers[name] = number
    return Listing(files=files, lines=numbers, findings=tuple(findings))


def _name(raw: bytes) -> str | None:
    try:
        return None if raw in _NAMES else raw.decode()
    except UnicodeDecodeError:
        return None


def _bad_line(number: int, line: bytes) -> Finding:
    return finding(
        "manifest_line",
        field=f"{MANIFEST} line {number}",
        expected="<sha256>  archive/NAME",
        found=line,
    )


class ManifestCheck:
    """Compare a listing with the files as they are read; `tally` counts what agrees.

    `raw` is None where there is no manifest. `waiting` holds the final names of interrupted files:
    a line may precede the rename.
    """

    def __init__(self, raw: bytes | None, *, present: Set[str], waiting: Set[str]) -> None:
        self._listing = parse_manifest(raw or b"")
        self._absent = raw is None
        self._present = present
        self._waiting = waiting
        self._agreed = 0

    def opening(self) -> Iterator[Finding]:
        """Yield what can be said before any file is read."""
        if self._absent and self._present:
            yield finding(
                "manifest_missing",
                field=f"metadata/{MANIFEST}",
                expected=f"a line for each of {len(self._present)} files",
                found="no such file",
            )
        yield from self._listing.findings
        for name in sorted(self._listing.files.keys() - self._present - self._waiting):
            yield finding(
                "listed_file_missing", warc=name, expected=f"archive/{name}", found="no such file"
            )

    def compare(self, name: str, digest: Digest) -> Iterator[Finding]:
        """Yield what the manifest says otherwise of one file."""
        listed = self._listing.files.get(name)
        if listed is None:
            yield finding(
                "not_in_manifest", warc=name, expected=f"a line for archive/{name}", found="none"
            )
        elif listed != digest:
            yield finding("file_digest", warc=name, field="sha256", expected=listed, found=digest)
        else:
            self._agreed += 1

    def compare_order(self, logged: Sequence[str]) -> Iterator[Finding]:
        """Yield where the lines stand otherwise than the files in the log.

        Lines are only ever added, and the log takes files in their order: those it has come first.
        """
        lines = self._listing.lines
        for expected, found in zip((each for each in logged if each in lines), lines, strict=False):
            if expected != found:
                yield finding(
                    "manifest_order",
                    warc=found,
                    field=f"{MANIFEST} line {lines[found]}",
                    expected=f"archive/{expected}",
                    found=f"archive/{found}",
                )
                return

    @property
    def tally(self) -> ManifestTally:
        """How many lines there are, and how many agreed so far."""
        return ManifestTally(listed=len(self._listing.files), agreed=self._agreed)
