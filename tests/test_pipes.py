"""What cannot be read to an end, or not at all, is told: a pipe, a device, a folder, a copy."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.errors import StorageError
from provenance.log.folder import LogFolder
from provenance.regular_file import open_regular
from tests.cli_program import run
from tests.verify_builders import NAME, good_records, packed, rec, told, write_root
from tests.witness_roots import codes, signed_root, verified


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = signed_root(tmp_path)
    assert run("index", cwd=made).status == 0
    return made


def into_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def into_zeros(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


ENDLESS = pytest.mark.parametrize("change", [into_pipe, into_zeros])


@ENDLESS
def test_seeds_without_an_end_are_not_read(tmp_path: Path, change: object) -> None:
    root = write_root(tmp_path, {NAME: packed(good_records())})
    assert callable(change)
    change(root / "seeds" / "bridge.toml")
    heard = told(root)
    assert [each.code for each in heard.notes] == ["seeds_changed"]
    assert heard.notes[0].found == "cannot read (not a regular file)"


def test_seeds_larger_than_any_are_not_read_to_their_end(tmp_path: Path) -> None:
    root = write_root(tmp_path, {NAME: packed(good_records())})
    os.truncate(root / "seeds" / "bridge.toml", 1 << 40)
    assert "over " in str(told(root).notes[0].found)


def test_a_name_of_seeds_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    first, *others = good_records()
    block = first.block.replace(b"bridge.toml", b"br\0dge.toml")
    changed = rec("warcinfo", 1, block, "application/warc-fields", ("WARC-Filename", NAME))
    root = write_root(tmp_path, {NAME: packed([changed, *others])})
    assert "seeds_changed" in [each.code for each in told(root).notes]


@ENDLESS
def test_a_manifest_without_an_end_is_not_read(root: Path, change: object) -> None:
    assert callable(change)
    change(root / "metadata" / "manifest-sha256.txt")
    ended = run("verify", cwd=root)
    assert ended.status == 1
    assert "manifest-sha256.txt: cannot read (not a regular file)" in ended.err
    assert "Traceback" not in ended.err
    assert "Traceback" not in run("verify", "letter", cwd=root).err


@ENDLESS
def test_a_file_of_the_archive_without_an_end_is_a_finding(root: Path, change: object) -> None:
    assert callable(change)
    (path,) = (root / "archive").glob("*.warc.gz")
    change(path)
    status, said, _ = verified(root, "letter")
    assert status == 4
    (fault,) = (each for each in said if each.get("code") == "unreadable_file")
    assert fault["found"] == "not a regular file"


def test_only_a_regular_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"all of it")
    (tmp_path / "link").symlink_to("file")
    with open_regular(tmp_path / "link") as source:
        assert source.read() == b"all of it"
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    for name in ("pipe", "none", "a\0b", "\ud800"):
        with pytest.raises(OSError):
            open_regular(tmp_path / name)


def into_loop(path: Path) -> None:
    """Put a link to itself in the place of a folder: no rights make it readable."""
    path.rename(path.with_name("away"))
    path.symlink_to(path.name)


@pytest.mark.parametrize("name", ["checkpoints", "timestamps", "timestamps/3"])
def test_a_folder_of_the_log_that_cannot_be_read_is_a_finding(root: Path, name: str) -> None:
    folder = root / "metadata" / "log" / name
    folder.mkdir(exist_ok=True, parents=True)
    into_loop(folder)
    assert LogFolder(root / "metadata", lenient=True).names_in(name) == ()
    with pytest.raises(StorageError, match=r"cannot read \("):
        LogFolder(root / "metadata").names_in(name)
    status, said, _ = verified(root)
    assert status == 4
    (fault,) = (each for each in said if each.get("expected") == "a folder that can be read")
    assert fault["code"] == "log_damaged"
    assert fault["field"] == f"metadata/log/{name}"
    assert fault["found"].startswith("cannot read (")
    assert run("verify", "letter", cwd=root).status == 4
    if name == "checkpoints":
        ended = run("log", "checkpoint", "--key", root.parent / "operator.key", cwd=root)
        assert ended.status == 1 and "cannot read (" in ended.err
        with pytest.raises(StorageError):
            LogFolder(root / "metadata").newest()


def test_a_kept_checkpoint_that_cannot_be_read_says_why(root: Path) -> None:
    (size,) = LogFolder(root / "metadata").sizes()
    into_pipe(root / "metadata" / "log" / "checkpoints" / str(size))
    findings = [each for each in verified(root)[1] if each["type"] == "finding"]
    assert "checkpoint_disagrees" in codes(findings)
    assert "'others'" not in json.dumps(findings) and '"others"' not in json.dumps(findings)
    assert Archive(root)
