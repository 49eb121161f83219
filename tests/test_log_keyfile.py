"""Operator keys in files that nobody else can read, outside any archive."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest

from provenance.errors import StorageError, UsageError
from provenance.log.keyfile import read_key_file, write_key_file
from provenance.log.note import SigningKey

SEED = bytes(range(32))
NAME = "archive.example/log"

KEY = SigningKey(name=NAME, seed=SEED)


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The file has mode 600 and its folders 700, whatever the umask, and reads back."""
    path = tmp_path / "a" / "b" / "operator.key"
    before = os.umask(0)
    try:
        write_key_file(path, KEY)
    finally:
        os.umask(before)
    assert path.read_text() == f"{KEY.line}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path.parent.parent)] == [
        0o700,
        0o700,
    ]
    assert read_key_file(path) == KEY


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    """Neither a file nor what a link leads to, nor where a link would lead."""
    path = tmp_path / "operator.key"
    path.write_text("mine")
    (tmp_path / "link.key").symlink_to(path)
    (tmp_path / "dangling.key").symlink_to(tmp_path / "new.key")
    for name in ("operator.key", "link.key", "dangling.key"):
        with pytest.raises(UsageError, match="already"):
            write_key_file(tmp_path / name, KEY)
    assert path.read_text() == "mine"
    assert not (tmp_path / "new.key").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """The message says what to do; done, the key is read."""
    path = tmp_path / "operator.key"
    write_key_file(path, KEY)
    path.chmod(mode)
    with pytest.raises(UsageError, match=rf"expected a file of mode 600, found mode {mode:o}.*chm"):
        read_key_file(path)
    path.chmod(0o600)
    assert read_key_file(path) == KEY
    path.chmod(0o400)
    assert read_key_file(path) == KEY


def test_a_key_does_not_lie_in_an_archive(tmp_path: Path) -> None:
    """Not below the given root, nor below any other, nor through a link."""
    known, other = tmp_path / "known", tmp_path / "other"
    (known / "keys").mkdir(parents=True)
    for name in ("seeds", "archive", "metadata"):
        (other / name).mkdir(parents=True)
    (tmp_path / "way").symlink_to(other / "metadata")
    for place in (known / "keys" / "k", known / "k", other / "metadata" / "k", tmp_path / "way/k"):
        with pytest.raises(UsageError, match="may not lie inside an archive"):
            write_key_file(place, KEY, root=known)
        assert not place.exists()
    write_key_file(tmp_path / "k", KEY, root=known)
    (tmp_path / "k").rename(other / "k")
    with pytest.raises(UsageError, match="may not lie inside an archive"):
        read_key_file(other / "k")
    (other / "k").rename(tmp_path / "k")
    assert read_key_file(tmp_path / "k", root=known) == KEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        KEY.verifier.line,
        f"{KEY.line}\n\n",
        f" {KEY.line}",
        KEY.line * 2,
        "x" * 5000,
        "\xff",
    ],
)
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    """Nothing of what stands there is in the message."""
    path = tmp_path / "operator.key"
    path.write_text(text, "latin-1")
    path.chmod(0o600)
    with pytest.raises(UsageError, match="sign") as caught:
        read_key_file(path)
    assert str(path) in str(caught.value)
    assert base64.b64encode(b"\x01" + SEED).decode()[:12] not in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder and a pipe are told apart from keys, without waiting."""
    with pytest.raises(UsageError, match="no key"):
        read_key_file(tmp_path / "missing")
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("folder", "pipe"):
        with pytest.raises(UsageError, match="expected a plain file"):
            read_key_file(tmp_path / name)


def test_a_disk_that_refuses_leaves_no_file(tmp_path: Path) -> None:
    """A folder that cannot be made is told, and nothing is left."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="No key was made"):
        write_key_file(tmp_path / "file" / "operator.key", KEY)
