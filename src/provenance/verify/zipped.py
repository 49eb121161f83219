"""Read the members of a ZIP that nobody vouches for; every fault is a finding.

Names are only compared and shown, never used as paths; what is unpacked has a limit.

Source: PKWARE APPNOTE 6.3.10.
"""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from provenance.findings.finding import Finding, Note, finding, note
from provenance.whole.stretch import Stretch

DIRECTORY_LIMIT = 16 << 20
"""Bytes of the ZIP's directory that are read, enough for some 150,000 members."""

UNPACK_LIMIT = 1 << 30
"""Bytes that the compressed members of one file may have unpacked, all together."""

_PIECE = 1 << 18
_END = b"PK\x05\x06"
_END64 = b"PK\x06\x06"
_LOCAL = struct.Struct("<4s5H3L2H")
_NAME_SIZE = 26
_DESCRIPTOR = 0x08
_DESCRIPTOR_LIMIT = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file of a ZIP: its name, its size unpacked, and where its bytes stand if they are stored.

    `stored` is None for a member that is compressed.
    """

    name: str
    size: int
    stored: Stretch | None


class ZipReader:
    """The members of one ZIP that may be read.

    `complain` takes what is wrong with the others, `remark` what is worth knowing and no fault.

    `name` is what findings call the file; the field of a finding is the member's name.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        *,
        complain: Callable[[Finding], None],
        remark: Callable[[Note], None],
    ) -> None:
        self._path = path
        self._name = name
        self._complain = complain
        self._remark = remark
        self._left = UNPACK_LIMIT
        self._behind = 0

    def read(
        self, take: Callable[[Member, Iterator[bytes]], None], *, first: Collection[str] = ()
    ) -> tuple[Member, ...] | None:
        """Hand each member with its bytes to `take`, those named `first` before others; return all.

        The order is else the directory's. None where the ZIP has no directory that can be read. A
        member whose bytes prove damaged is reported, and `take` has had what came before.

        Raises:
            OSError: the file cannot be read.
        """
        size = self._directory_size()
        if size is None:
            self._refuse("zip_damaged", None, "the end of a ZIP", "none")
            return None
        if size > DIRECTORY_LIMIT:
            limit = f"at most {DIRECTORY_LIMIT} bytes"
            self._refuse("zip_directory", None, limit, f"{size} bytes")
            return None
        try:
            opened = zipfile.ZipFile(self._path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            self._refuse("zip_damaged", None, "a ZIP", str(error))
            return None
        with opened:
            members = []
            infos = self._sound(opened.infolist())
            self._note_strays(opened.infolist(), opened.start_dir)
            for info in sorted(infos, key=lambda info: info.orig_filename not in first):
                member = self._member(info)
                if member is not None:
                    members.append(member)
                    self._hand(opened, info, member, take)
            return tuple(members)

    def _directory_size(self) -> int | None:
        """Read the size of the directory out of the end of the file; None where there is no end."""
        with self._path.open("rb") as source:
            source.seek(0, 2)
            whole = source.tell()
            source.seek(max(whole - (1 << 16) - 22 - 20 - 56, 0))
            tail = source.read()
        at = tail.rfind(_END)
        if at < 0 or at + 22 > len(tail):
            return None
        size, _, comment = struct.unpack_from("<LLH", tail, at + 12)
        self._behind = max(len(tail) - (at + 22 + comment), 0)
        at64 = tail.rfind(_END64, 0, at)
        if size == 0xFFFFFFFF and 0 <= at64 <= len(tail) - 56:
            size = int(struct.unpack_from("<Q", tail, at64 + 40)[0])
        return int(size)

    def _note_strays(self, infos: list[zipfile.ZipInfo], directory: int) -> None:
        """Note bytes before, between and behind the members."""
        strays = self._behind
        at = 0
        with self._path.open("rb") as source:
            for info in sorted(infos, key=lambda info: info.header_offset):
                strays += max(info.header_offset - at, 0)
                source.seek(max(info.header_offset, 0) + _NAME_SIZE)
                sizes = source.read(4)
                at = info.header_offset + _LOCAL.size + info.compress_size
                at += sum(struct.unpack("<HH", sizes)) if len(sizes) == 4 else 0
                if info.flag_bits & _DESCRIPTOR:
                    source.seek(max(at, 0))
                    at += _descriptor_size(source.read(_DESCRIPTOR_LIMIT), info)
        strays += max(directory - at, 0)
        if strays:
            found = "1 byte" if strays == 1 else f"{strays} bytes"
            self._remark(note("zip_stray", warc=self._name, found=found))

    def _sound(self, infos: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
        """Return the members that are plain files with bytes of their own; report the others."""
        good: list[zipfile.ZipInfo] = []
        names: set[str] = set()
        for info in infos:
            name = info.orig_filename
            fault = _fault_of(info)
            if fault is not None:
                self._refuse(fault[0], name, fault[1], fault[2])
            elif name in names:
                self._refuse("zip_duplicate", name, "one member of the name", "another")
            elif not info.is_dir():
                good.append(info)
            names.add(name)
        # Members that share bytes are how a small file unpacks to a very large one.
        overlapping: set[int] = set()
        for one, other in pairwise(sorted(infos, key=lambda info: info.header_offset)):
            end = one.header_offset + _LOCAL.size + len(one.filename) + one.compress_size
            if end > other.header_offset:
                overlapping |= {id(one), id(other)}
                self._refuse("zip_overlap", other.orig_filename, "bytes of its own", "shared bytes")
        return [info for info in good if id(info) not in overlapping]

    def _member(self, info: zipfile.ZipInfo) -> Member | None:
        name = info.orig_filename
        if info.compress_type == zipfile.ZIP_DEFLATED:
            if info.file_size > self._left:
                limit = f"at most {UNPACK_LIMIT} bytes in all"
                self._refuse("zip_large", name, limit, f"{info.file_size} bytes more")
                return None
            self._left -= info.file_size
        stored = None
        if info.compress_type == zipfile.ZIP_STORED:
            start = self._start_of(info)
            if start is None:
                self._refuse("zip_overlap", name, "its name and size", "others in its own header")
                return None
            stored = Stretch(path=self._path, start=start, size=info.file_size)
        return Member(name=name, size=info.file_size, stored=stored)

    def _start_of(self, info: zipfile.ZipInfo) -> int | None:
        """Return the byte where a stored member's bytes begin; its own header must agree."""
        with self._path.open("rb") as source:
            source.seek(max(info.header_offset, 0))
            raw = source.read(_LOCAL.size)
            if len(raw) < _LOCAL.size or info.compress_size != info.file_size:
                return None
            found = _LOCAL.unpack(raw)
            name = source.read(found[9])
        encoding = "utf-8" if found[2] & 0x800 else "cp437"
        if found[0] != b"PK\x03\x04" or name.decode(encoding, "replace") != info.orig_filename:
            return None
        return int(info.header_offset + _LOCAL.size + found[9] + found[10])

    def _hand(
        self,
        opened: zipfile.ZipFile,
        info: zipfile.ZipInfo,
        member: Member,
        take: Callable[[Member, Iterator[bytes]], None],
    ) -> None:
        reading = _Reading(opened, info)
        take(member, reading.pieces())
        if reading.fault is not None:
            code = "zip_crc" if "CRC-32" in reading.fault else "zip_damaged"
            self._refuse(code, member.name, "the bytes as they were packed", reading.fault)

    def _refuse(self, code: str, name: str | None, expected: str, found: str) -> None:
        self._complain(finding(code, warc=self._name, field=name, expected=expected, found=found))


def _fault_of(info: zipfile.ZipInfo) -> tuple[str, str, str] | None:
    name = info.orig_filename
    mode = info.external_attr >> 16
    if not is_safe(name.removesuffix("/")):
        return "zip_name", "a path inside the package", name
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "zip_link", "a file", f"mode {mode:o}"
    if info.flag_bits & 0x41:
        return "zip_packing", "no encryption", "an encrypted member"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "zip_packing", "stored or deflated", f"method {info.compress_type}"
    return None


def is_safe(name: str) -> bool:
    """Say whether a member's name is a relative path that stays where it is unpacked.

    >>> is_safe("archive/data.warc.gz"), is_safe("archive/../../x")
    (True, False)
    """
    parts = name.split("/")
    drive = len(name) > 1 and name[1] == ":" and name[0].isalpha() and name[0].isascii()
    return not (
        drive
        or "\\" in name
        or any(each in ("", ".", "..") for each in parts)
        or any(each < " " or each == "\x7f" for each in name)
    )


def _descriptor_size(raw: bytes, info: zipfile.ZipInfo) -> int:
    """Return the size of the data descriptor at the beginning of `raw`, 0 where there is none.

    Source: APPNOTE 6.3.10 §4.3.9: its signature is optional, its sizes have four or eight bytes.
    """
    for mark in (b"PK\x07\x08", b""):
        for form in ("<LLL", "<LQQ"):
            whole = mark + struct.pack(form, info.CRC, *_fit(form, info))
            if raw.startswith(whole):
                return len(whole)
    return 0


def _fit(form: str, info: zipfile.ZipInfo) -> tuple[int, int]:
    mask = (1 << 64) - 1 if "Q" in form else (1 << 32) - 1
    return info.compress_size & mask, info.file_size & mask


class _Reading:
    """The bytes of a member; `fault` is why they ended early, None where they are whole."""

    def __init__(self, opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self.fault: str | None = None
        self._opened = opened
        self._info = info

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes as far as they can be read."""
        size = 0
        try:
            with self._opened.open(self._info) as source:
                while piece := source.read(_PIECE):
                    size += len(piece)
                    yield piece
        except OSError:
            raise
        except Exception as error:  # of zipfile, zlib or struct, as damage will have it
            self.fault = str(error) or type(error).__name__
        else:
            if size != self._info.file_size:
                self.fault = f"{size} bytes of {self._info.file_size}"
