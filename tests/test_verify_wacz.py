"""`verify` on a WACZ: the ZIP, the list of its files, the records in it; all damage is found."""

from __future__ import annotations

import hashlib
import json
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from provenance.verify.wacz import WaczReport, verify_wacz
from provenance.verify.zipped import DIRECTORY_LIMIT, UNPACK_LIMIT, is_safe
from tests.cli_program import run
from tests.verify_builders import capture, good_records, packed, revisit, warcinfo

WARC = "archive/data.warc.gz"
PAGES = "pages/pages.jsonl"
INDEX = "indexes/index.cdx"
PACKAGE = "datapackage.json"
DIGEST = "datapackage-digest.json"

Files = dict[str, bytes]


def listed(files: Mapping[str, bytes], **more: object) -> bytes:
    """Return the datapackage.json of these files."""
    resources = [
        {
            "name": name.rpartition("/")[2],
            "path": name,
            "hash": f"sha256:{hashlib.sha256(raw).hexdigest()}",
            "bytes": len(raw),
        }
        for name, raw in files.items()
    ]
    said = {"profile": "data-package", "wacz_version": "1.1.1", "resources": resources, **more}
    return json.dumps(said, indent=1).encode()


def digest_of(package: bytes, **more: object) -> bytes:
    said = {"path": PACKAGE, "hash": f"sha256:{hashlib.sha256(package).hexdigest()}", **more}
    return json.dumps(said).encode()


def good() -> Files:
    """Return the files of a package in which everything agrees: four captures."""
    files = {
        WARC: packed(good_records()),
        INDEX: b"example,council)/ 20261123 {}\n",
        PAGES: b'{"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}\n',
    }
    package = listed(files)
    return {**files, PACKAGE: package, DIGEST: digest_of(package)}


def relisted(files: Files, **more: object) -> Files:
    """Return the files with both lists made anew, as a forger would."""
    rest = {name: raw for name, raw in files.items() if name not in (PACKAGE, DIGEST)}
    package = listed(rest, **more)
    return {**rest, PACKAGE: package, DIGEST: digest_of(package)}


def member(name: str, method: int = zipfile.ZIP_STORED, mode: int = 0o100644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (2026, 11, 23, 9, 45, 0))
    info.compress_type = method
    info.external_attr = mode << 16
    return info


def write(path: Path, files: Mapping[str, bytes], *, deflated: Sequence[str] = ()) -> Path:
    with zipfile.ZipFile(path, "w") as package:
        for name, raw in files.items():
            method = zipfile.ZIP_DEFLATED if name in deflated else zipfile.ZIP_STORED
            package.writestr(member(name, method), raw)
    return path


@dataclass
class Told:
    """What a verification of one package told."""

    report: WaczReport
    codes: set[str] = field(default_factory=set)

    @property
    def notes(self) -> set[str]:
        return {each.code for each in self.report.notes}

    def only(self, code: str) -> Any:
        (found,) = [each for each in self.report.findings if each.code == code]
        return found


def told(path: Path) -> Told:
    report = verify_wacz(path)
    found = [*report.findings, *(each for file in report.files for each in file.findings)]
    assert all(each.warc and each.warc.startswith(path.name) for each in found)
    assert all(each.expected and each.found and each.hint for each in found)
    return Told(report=report, codes={each.code for each in found})


def told_of(tmp_path: Path, files: Mapping[str, bytes], *, deflated: Sequence[str] = ()) -> Told:
    return told(write(tmp_path / "a.wacz", files, deflated=deflated))


@pytest.mark.parametrize(
    "deflated", [(), (PACKAGE, DIGEST, PAGES, INDEX), tuple(good())], ids=["stored", "usual", "all"]
)
def test_a_good_package_has_no_finding(tmp_path: Path, deflated: Sequence[str]) -> None:
    """However its members are packed; what is not looked into is said."""
    heard = told_of(tmp_path, good(), deflated=deflated)
    assert heard.codes == set()
    assert heard.notes == {"wacz_unread"}
    (file,) = heard.report.files
    assert file.warc == f"a.wacz/{WARC}"
    assert (file.records, len(list(file.verdicts())), file.whole) == (len(good_records()), 4, 4)


def test_files_of_one_package_belong_together(tmp_path: Path) -> None:
    """A revisit's original may be in another of its files; a second id is found."""
    first = capture(10)
    again = warcinfo().having(WARC_Record_ID="<urn:a:b>")
    files = {
        "archive/a.warc.gz": packed([warcinfo(), *first.records]),
        "archive/b.warc": b"".join(each.plain for each in [again, *revisit(30, first).records]),
    }
    heard = told_of(tmp_path, relisted({**good(), **files, WARC: b""}))
    assert heard.codes == {"empty_file"}
    files["archive/b.warc"] += first.records[1].plain
    assert "record_id_duplicate" in told_of(tmp_path, relisted({**good(), **files})).codes


# Damage


def without(name: str) -> Callable[[Files], Files]:
    return lambda files: {each: raw for each, raw in files.items() if each != name}


def having(name: str, raw: bytes) -> Callable[[Files], Files]:
    return lambda files: {**files, name: raw}


def edited(**more: object) -> Callable[[Files], Files]:
    def edit(files: Files) -> Files:
        return {**files, PACKAGE: listed(without_lists(files), **more)}

    return edit


def without_lists(files: Files) -> Files:
    return without(PACKAGE)(without(DIGEST)(files))


OTHER = packed([warcinfo(), *capture(10, b"<p>Forged.</p>").records])
ENTRY = {"name": "x", "path": PAGES}

DAMAGE: dict[str, tuple[Callable[[Files], Files], str, str]] = {
    "a page list edited": (having(PAGES, b"{}\n"), "wacz_resource_digest", PAGES),
    "an index edited": (having(INDEX, b"x" * 30), "wacz_resource_digest", INDEX),
    "an index cut": (having(INDEX, b"example"), "wacz_resource_size", INDEX),
    "a WARC exchanged": (having(WARC, OTHER), "wacz_resource_digest", WARC),
    "a WARC removed": (without(WARC), "wacz_resource_missing", WARC),
    "the pages removed": (without(PAGES), "wacz_resource_missing", PAGES),
    "a WARC added": (having("archive/b.warc.gz", OTHER), "wacz_resource_unlisted", "archive/b"),
    "a file added": (having("notes.txt", b"x"), "wacz_resource_unlisted", "notes.txt"),
    "the list removed": (without(PACKAGE), "wacz_package_missing", PACKAGE),
    "the list edited": (edited(title="Another"), "wacz_digest", DIGEST),
    "the list no JSON": (having(PACKAGE, b"{"), "wacz_package_illegal", PACKAGE),
    "the list nested deeply": (having(PACKAGE, b"[" * 200_000), "wacz_package_illegal", PACKAGE),
    "the list no object": (having(PACKAGE, b"[]"), "wacz_package_illegal", PACKAGE),
    "no resources": (edited(resources=None), "wacz_package_illegal", PACKAGE),
    "a resource without a path": (edited(resources=[{}]), "wacz_package_illegal", "resources[0]"),
    "a resource that is none": (edited(resources=[7]), "wacz_package_illegal", "resources[0]"),
    "a resource twice": (edited(resources=[ENTRY, ENTRY]), "wacz_package_illegal", "resources[1]"),
    "no digest": (edited(resources=[ENTRY]), "wacz_resource_unhashed", PAGES),
    "an unknown digest": (
        edited(resources=[{**ENTRY, "hash": "crc32:00"}]),
        "wacz_resource_unhashed",
        PAGES,
    ),
    "the digest edited": (having(DIGEST, digest_of(b"")), "wacz_digest", DIGEST),
    "the digest no JSON": (having(DIGEST, b"\xff"), "wacz_digest_illegal", DIGEST),
    "the digest of another": (
        having(DIGEST, b'{"path": "x", "hash": "sha256:00"}'),
        "wacz_digest_illegal",
        DIGEST,
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_each_damage_is_found_and_named(tmp_path: Path, damage: str) -> None:
    """The finding names the file that it is about."""
    change, code, where = DAMAGE[damage]
    heard = told_of(tmp_path, change(good()))
    assert any(
        each.code == code and where in (each.field or "") for each in heard.report.findings
    ), heard.report.findings


def test_a_signature_for_another_list_is_found(tmp_path: Path) -> None:
    """A signature is not checked, and that is said; what it is said to be of is."""
    files = good()
    inner = f"sha256:{hashlib.sha256(files[PACKAGE]).hexdigest()}"
    files[DIGEST] = digest_of(files[PACKAGE], signedData={"hash": inner, "signature": "eA=="})
    heard = told_of(tmp_path, files)
    assert (heard.codes, heard.notes) == (set(), {"wacz_unread", "wacz_signature_unchecked"})
    files[DIGEST] = digest_of(files[PACKAGE], signedData={"hash": "sha256:00"})
    assert told_of(tmp_path, files).only("wacz_digest").field == f"{DIGEST} signedData.hash"


def test_a_forger_of_both_lists_does_not_hide_an_edited_record(tmp_path: Path) -> None:
    """What the records say of each other is checked by itself."""
    records = good_records()
    records[2] = records[2].having(WARC_Date="2020-01-01T00:00:00.000000Z")
    heard = told_of(tmp_path, relisted({**good(), WARC: packed(records)}))
    assert heard.report.findings == ()
    assert "metadata_disagrees" in heard.codes
    assert heard.report.files[0].whole < 4


@pytest.mark.parametrize("deflated", [(), (WARC,)], ids=["stored", "deflated"])
def test_any_byte_changed_in_a_member_is_found(tmp_path: Path, deflated: Sequence[str]) -> None:
    """By the ZIP's own CRC-32, by the list, or by both."""
    path = write(tmp_path / "a.wacz", good(), deflated=deflated)
    raw = path.read_bytes()
    with zipfile.ZipFile(path) as package:
        spans = [
            (info.filename, info.header_offset + 30 + len(info.filename), info.compress_size)
            for info in package.infolist()
        ]
    for name, start, size in spans:
        for at in range(start, start + size, max(size // 40, 1)):
            changed = bytearray(raw)
            changed[at] ^= 0x24
            path.write_bytes(changed)
            heard = told(path)
            fields = {each.field for each in heard.report.findings}
            assert name in fields or any(name in (each or "") for each in fields), (name, at)


def test_a_package_cut_anywhere_is_found(tmp_path: Path) -> None:
    """A ZIP's directory stands at its end."""
    path = write(tmp_path / "a.wacz", good())
    raw = path.read_bytes()
    for end in (0, 1, 40, len(raw) // 2, len(raw) - 30, len(raw) - 1):
        path.write_bytes(raw[:end])
        assert told(path).codes == {"zip_damaged"}


def test_any_byte_of_the_directory_may_be_damaged(tmp_path: Path) -> None:
    """No byte makes the program fail."""
    path = write(tmp_path / "a.wacz", good())
    raw = path.read_bytes()
    for at in range(raw.index(b"PK\x01\x02"), len(raw)):
        for mask in (0x01, 0xFF):
            changed = bytearray(raw)
            changed[at] ^= mask
            path.write_bytes(changed)
            told(path)


def test_no_zip_at_all_is_found(tmp_path: Path) -> None:
    """A WARC that is called so, or anything else."""
    path = tmp_path / "a.wacz"
    for raw in (packed(good_records()), b"x" * 100_000, b"PK\x05\x06"):
        path.write_bytes(raw)
        assert told(path).codes == {"zip_damaged"}


# Hostile ZIPs


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "archive/../../x",
        "/etc/x",
        "C:/x",
        "archive\\..\\x",
        "archive//x",
        "./x",
        "a\x01b",
        "archive/..",
    ],
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    """It is named and never used; nothing is written beside the package."""
    assert not is_safe(name)
    path = write(tmp_path / "a.wacz", {**good(), name: OTHER})
    heard = told(path)
    assert heard.only("zip_name").field is not None
    assert list(tmp_path.iterdir()) == [path]
    assert len(heard.report.files) == 1


def test_names_as_other_writers_have_them_are_read(tmp_path: Path) -> None:
    """Colons and letters of any script; a directory is no file."""
    extra = {"raw/request_2023-02-19T00:49:59.837Z": b"x", "pages/桥.jsonl": b"y"}
    path = write(tmp_path / "a.wacz", relisted({**good(), **extra}))
    with zipfile.ZipFile(path, "a") as package:
        package.writestr(member("archive/", mode=0o40755), b"")
    assert told(path).codes == set()


def test_two_members_of_one_name_are_found(tmp_path: Path) -> None:
    """Readers differ on which of them they show."""
    path = write(tmp_path / "a.wacz", good())
    with zipfile.ZipFile(path, "a") as package, pytest.warns(UserWarning):
        package.writestr(member(WARC), OTHER)
    assert told(path).only("zip_duplicate").field == WARC


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_link_or_device_is_refused(tmp_path: Path, kind: int) -> None:
    """What a tool would unpack as one is not read as a file."""
    path = write(tmp_path / "a.wacz", good())
    with zipfile.ZipFile(path, "a") as package:
        package.writestr(member("archive/x.warc.gz", mode=kind | 0o777), b"/etc/passwd")
    heard = told(path)
    assert heard.only("zip_link").field == "archive/x.warc.gz"
    assert len(heard.report.files) == 1


def patched(path: Path, name: str, at: int, form: str, value: int) -> None:
    """Change a field of a member's entry in the directory."""
    raw = bytearray(path.read_bytes())
    entry = raw.index(b"PK\x01\x02")
    while raw[entry + 46 : entry + 46 + len(name)] != name.encode():
        entry = raw.index(b"PK\x01\x02", entry + 4)
    struct.pack_into(form, raw, entry + at, value)
    path.write_bytes(raw)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    """There is no password to ask for."""
    path = write(tmp_path / "a.wacz", good())
    patched(path, WARC, 8, "<H", 1)
    assert told(path).only("zip_packing").field == WARC


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99])
def test_another_compression_is_refused(tmp_path: Path, method: int) -> None:
    """WACZ knows stored and deflated members."""
    path = write(tmp_path / "a.wacz", good())
    patched(path, WARC, 10, "<H", method)
    assert told(path).only("zip_packing").field == WARC


def test_a_member_that_unpacks_to_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    """By what it declares; more than that is never unpacked."""
    path = write(tmp_path / "a.wacz", good(), deflated=[WARC])
    patched(path, WARC, 24, "<L", UNPACK_LIMIT + 1)
    heard = told(path)
    assert heard.only("zip_large").field == WARC
    assert heard.report.files == ()


def test_a_member_that_unpacks_to_more_than_it_declares_is_found(tmp_path: Path) -> None:
    """Zeros by the megabyte, declared as ten bytes."""
    path = write(tmp_path / "a.wacz", {**good(), WARC: bytes(1 << 24)}, deflated=[WARC])
    patched(path, WARC, 24, "<L", 10)
    heard = told(path)
    assert "zip_crc" in heard.codes
    assert all(file.size <= 10 for file in heard.report.files)


def test_members_that_share_bytes_are_found(tmp_path: Path) -> None:
    """The way in which a small ZIP unpacks to a very large one."""
    path = write(tmp_path / "a.wacz", good())
    with zipfile.ZipFile(path) as package:
        first = package.getinfo(WARC).header_offset
    patched(path, INDEX, 42, "<L", first)
    assert "zip_overlap" in told(path).codes


def test_a_member_whose_own_header_has_another_name_is_found(tmp_path: Path) -> None:
    """Readers that go from front to back would see another file."""
    path = write(tmp_path / "a.wacz", good())
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"archive/data", b"archive/DATA", 1))
    assert told(path).only("zip_overlap").field == WARC


def test_a_directory_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    """It would be held in memory."""
    path = write(tmp_path / "a.wacz", good())
    raw = bytearray(path.read_bytes())
    struct.pack_into("<L", raw, raw.rindex(b"PK\x05\x06") + 12, DIRECTORY_LIMIT + 1)
    path.write_bytes(raw)
    assert told(path).codes == {"zip_directory"}


def test_a_full_disk_is_no_fault_of_the_package(tmp_path: Path) -> None:
    """The command cannot go on, says where there is no room, and leaves nothing behind."""
    path = write(tmp_path / "a.wacz", good(), deflated=[WARC])
    spool = tmp_path / "spool"
    spool.mkdir()
    script = (
        "import resource, sys, tempfile\n"
        "from pathlib import Path\n"
        "from provenance.errors import StorageError\n"
        "from provenance.verify.wacz import verify_wacz\n"
        "tempfile.tempdir = sys.argv[2]\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try:\n"
        "    verify_wacz(Path(sys.argv[1]))\n"
        "except StorageError as fault:\n"
        "    print(fault)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(path), str(spool)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert str(spool) in ended.stdout
    assert "Make room there" in ended.stdout
    assert list(spool.iterdir()) == []


# The command


def test_the_command_reads_a_package(tmp_path: Path) -> None:
    """Captures and summary as for any file; a place is NAME.wacz/archive/FILE; status 4."""
    write(tmp_path / "a.wacz", good())
    ended = run("verify", "a.wacz", "--json", cwd=tmp_path)
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.status == 0
    assert [each["type"] for each in lines] == ["note", *["capture"] * 4, "summary"]
    assert (lines[-1]["captures"], lines[-1]["rungs"]["whole"]) == (4, 4)
    write(tmp_path / "a.wacz", {**good(), WARC: packed(good_records())[:-9]})
    ended = run("verify", "a.wacz", "--json", cwd=tmp_path)
    places = [json.loads(line).get("warc") for line in ended.out.splitlines()]
    assert ended.status == 4
    assert {"a.wacz", f"a.wacz/{WARC}"} <= set(places)
