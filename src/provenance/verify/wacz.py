"""Verify one WACZ: the ZIP, the list of what belongs in it, and every WARC file in it.

Nothing is unpacked but a compressed WARC file, into a temporary folder; nothing is changed.

Source: WACZ 1.1.1 (webrecorder, 2021).
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from provenance.errors import StorageError
from provenance.findings.finding import Finding, Note, finding, note
from provenance.verify.package import (
    DIGEST,
    PACKAGE,
    Measured,
    Package,
    check_digest,
    check_resources,
    parse_package,
)
from provenance.verify.zipped import Member, ZipReader
from provenance.whole.files import FileReport, read_stretch
from provenance.whole.relations import with_relations
from provenance.whole.stretch import Stretch

_JSON_LIMIT = 64 << 20
_WARCS = "archive/"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaczReport:
    """What a WACZ shows: of the package, and of each WARC file in it."""

    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]
    files: tuple[FileReport, ...]


def verify_wacz(path: Path) -> WaczReport:
    """Check a WACZ, in bounded memory.

    Steps:
    (1) The ZIP's directory and the names in it; each member's bytes, with CRC-32 and digests.
    (2) datapackage.json: each file that it lists is there as it says, and no other.
    (3) datapackage-digest.json: the digest of that list. A signature is noted and not checked.
    (4) Each file in archive/ as a WARC file; its place is `NAME.wacz/archive/FILE`.

    Raises:
        StorageError: a compressed WARC file cannot be unpacked, for the disk refuses.
    """
    with tempfile.TemporaryDirectory(prefix="provenance-") as spool:
        return _WaczAudit(path, Path(spool)).run()


class _Copy:
    """A file that is unpacked into; a disk that refuses is no fault of the package."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> _Copy:
        # Unbuffered, so that nothing is left to be written, and refused, when it is closed.
        self._file = self._path.open("wb", buffering=0)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, piece: bytes) -> None:
        """Write all of `piece`.

        Raises:
            StorageError: the disk refuses.
        """
        try:
            while piece:
                piece = piece[self._file.write(piece) :]
        except OSError as error:
            raise StorageError(
                f"cannot unpack a compressed WARC file ({error.strerror})",
                where=str(self._path.parent),
                hint="Make room there, or name another folder in TMPDIR.",
            ) from error


class _WaczAudit:
    def __init__(self, path: Path, spool: Path) -> None:
        self._path = path
        self._spool = spool
        self._name = path.name
        self._findings: list[Finding] = []
        self._notes: list[Note] = []
        self._package: Package | None = None
        self._algorithms: dict[str, str] = {}
        self._measured: dict[str, Measured] = {}
        self._kept: dict[str, bytes] = {}
        self._spooled: dict[str, Path] = {}

    def run(self) -> WaczReport:
        try:
            members = ZipReader(
                self._path,
                self._name,
                complain=self._findings.append,
                remark=self._notes.append,
            ).read(self._take, first=(PACKAGE, DIGEST))
        except OSError as error:
            self._complain("unreadable_file", None, "a file", error.strerror or "an error")
            members = None
        if members is None:
            return self._report(())
        self._check_list(members)
        return self._report(self._warcs(members))

    def _report(self, files: tuple[FileReport, ...]) -> WaczReport:
        return WaczReport(findings=tuple(self._findings), notes=tuple(self._notes), files=files)

    def _take(self, member: Member, pieces: Iterator[bytes]) -> None:
        """Hash a member (1); keep the two lists, and unpack a compressed WARC file."""
        hashed = hashlib.new(self._algorithms.get(member.name, "sha256"), usedforsecurity=False)
        keep = member.name in (PACKAGE, DIGEST) and member.size <= _JSON_LIMIT
        kept = bytearray()
        size = 0
        with contextlib.ExitStack() as stack:
            copy = None
            if member.stored is None and member.name.startswith(_WARCS):
                unpacked = self._spooled[member.name] = self._spool / str(len(self._spooled))
                copy = stack.enter_context(_Copy(unpacked))
            for piece in pieces:
                size += len(piece)
                hashed.update(piece)
                if keep:
                    kept += piece
                if copy is not None:
                    copy.write(piece)
        self._measured[member.name] = Measured(size=size, digest=hashed.hexdigest())
        if keep:
            self._kept[member.name] = bytes(kept)
        if member.name == PACKAGE and keep:
            self._package = parse_package(bytes(kept))
            self._algorithms = {
                each.path: each.algorithm for each in self._package.resources if each.algorithm
            }

    def _check_list(self, members: tuple[Member, ...]) -> None:
        names = [member.name for member in members]
        raw = self._kept.get(PACKAGE)
        if raw is None or self._package is None:
            self._complain("wacz_package_missing", PACKAGE, "the file", "none")
        else:
            self._tell(self._package)
            self._findings += self._placed(check_resources(self._package, names, self._measured))
            self._findings += self._placed(self._check_digest(raw))
        if not any(name.startswith(_WARCS) for name in names):
            self._complain("wacz_no_warc", _WARCS, "a WARC file", "none")
        beside = [name for name in names if name.startswith(("indexes/", "pages/"))]
        if beside:
            self._note("wacz_unread", None, ", ".join(beside))
        for part, there in (
            ("indexes/", any(name.startswith("indexes/") for name in names)),
            ("pages/pages.jsonl", "pages/pages.jsonl" in names),
        ):
            if not there:
                self._note("wacz_part_missing", part, "none")

    def _tell(self, package: Package) -> None:
        self._findings += self._placed(package.findings)
        if package.version != "1.1.1" and not package.findings:
            self._note("wacz_version", "wacz_version", package.version or "none")

    def _check_digest(self, package: bytes) -> Iterator[Finding]:
        raw = self._kept.get(DIGEST)
        if raw is None:
            self._note("wacz_digest_missing", DIGEST, "none")
            return
        told = check_digest(raw, package)
        if told.signed:
            self._note("wacz_signature_unchecked", f"{DIGEST} signedData", "a signature")
        yield from told.findings

    def _warcs(self, members: tuple[Member, ...]) -> tuple[FileReport, ...]:
        """Check the files in archive/ (4), and what their records say of each other."""
        sources: dict[str, Path | Stretch] = {}
        reports = []
        for member in members:
            stretch = member.stored
            if member.name in self._spooled:
                stretch = Stretch(path=self._spooled[member.name])
            if stretch is not None and member.name.startswith(_WARCS):
                name = f"{self._name}/{member.name}"
                sources[name] = stretch
                reports.append(read_stretch(stretch, name))
        return with_relations(reports, sources)

    def _placed(self, findings: Iterator[Finding] | tuple[Finding, ...]) -> list[Finding]:
        return [replace(each, warc=self._name) for each in findings]

    def _complain(self, code: str, field: str | None, expected: str, found: str) -> None:
        self._findings.append(
            finding(code, warc=self._name, field=field, expected=expected, found=found)
        )

    def _note(self, code: str, field: str | None, found: str) -> None:
        self._notes.append(note(code, warc=self._name, field=field, found=found))
