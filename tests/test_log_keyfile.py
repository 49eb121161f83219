"""Operator keys: their lines, and files that nobody else can read."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import StorageError, UsageError
from provenance.log.keyfile import OperatorKey, parse_signer_line, read_key_file, write_key_file

SEED = bytes(range(32))
NAME = "archive.example/log"

# The pair of the Go package's own documentation (golang.org/x/mod/sumdb/note, Example).
GO_NAME = "PeterNeumann"
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

names = st.text(
    st.characters(exclude_characters="+", exclude_categories=("Z", "C")), min_size=1, max_size=40
)


def test_the_lines_are_those_of_the_go_package() -> None:
    """A key made elsewhere reads the same here, and its public line follows from it."""
    key = parse_signer_line(GO_PRIVATE, where="key")
    assert key.name == GO_NAME
    assert key.signer_line == GO_PRIVATE
    assert key.verifier_line == GO_PUBLIC


def test_the_public_key_is_what_openssl_derives(tmp_path: Path) -> None:
    """RFC 8032: the seed is the private key; openssl has the same public key."""
    prefix = bytes.fromhex("302e020100300506032b657004220420")  # RFC 8410 §7
    (tmp_path / "key.der").write_bytes(prefix + SEED)
    done = subprocess.run(
        ["openssl", "pkey", "-inform", "DER", "-in", "key.der", "-pubout", "-outform", "DER"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=60,
    )
    key = OperatorKey(name=NAME, seed=SEED)
    assert key.public == done.stdout[-32:]
    hashed = hashlib.sha256(NAME.encode() + b"\n\x01" + done.stdout[-32:]).hexdigest()
    encoded = base64.b64encode(b"\x01" + done.stdout[-32:]).decode()
    assert key.verifier_line == f"{NAME}+{hashed[:8]}+{encoded}"


@given(name=names, seed=st.binary(min_size=32, max_size=32))
def test_a_line_reads_back(name: str, seed: bytes) -> None:
    """parse ∘ format = id."""
    key = OperatorKey(name=name, seed=seed)
    assert parse_signer_line(key.signer_line, where="key") == key


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "\x1b[2J", "x" * 256])
def test_some_names_are_no_keys(name: str) -> None:
    with pytest.raises(UsageError, match="not the name of a key"):
        OperatorKey(name=name, seed=SEED)


@given(st.data())
def test_no_changed_character_passes(data: st.DataObject) -> None:
    """One character changed anywhere in the line is refused, in a message without the secret."""
    line = OperatorKey(name=NAME, seed=SEED).signer_line
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.characters(exclude_characters=line[at], codec="utf-8"))
    with pytest.raises(UsageError) as caught:
        parse_signer_line(line[:at] + other + line[at + 1 :], where="key")
    assert base64.b64encode(b"\x01" + SEED).decode()[:20] not in str(caught.value)


def test_the_seed_is_in_no_repr() -> None:
    assert "seed" not in repr(OperatorKey(name=NAME, seed=SEED))


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The file has mode 600 and its folders 700, whatever the umask, and reads back."""
    path = tmp_path / "a" / "b" / "operator.key"
    before = os.umask(0)
    try:
        key = write_key_file(path, name=NAME, seed=SEED)
    finally:
        os.umask(before)
    assert path.read_text() == f"{key.signer_line}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path.parent.parent)] == [
        0o700,
        0o700,
    ]
    assert read_key_file(path) == key


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    """Neither a file nor what a link leads to, nor where a link would lead."""
    path = tmp_path / "operator.key"
    path.write_text("mine")
    (tmp_path / "link.key").symlink_to(path)
    (tmp_path / "dangling.key").symlink_to(tmp_path / "new.key")
    for name in ("operator.key", "link.key", "dangling.key"):
        with pytest.raises(UsageError, match="already"):
            write_key_file(tmp_path / name, name=NAME, seed=SEED)
    assert path.read_text() == "mine"
    assert not (tmp_path / "new.key").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """The message says what to do; done, the key is read."""
    path = tmp_path / "operator.key"
    key = write_key_file(path, name=NAME, seed=SEED)
    path.chmod(mode)
    with pytest.raises(UsageError, match=rf"expected a file of mode 600, found mode {mode:o}.*chm"):
        read_key_file(path)
    path.chmod(0o600)
    assert read_key_file(path) == key
    path.chmod(0o400)
    assert read_key_file(path) == key


def test_a_key_does_not_lie_in_an_archive(tmp_path: Path) -> None:
    """Not below the given root, nor below any other, nor through a link."""
    known, other = tmp_path / "known", tmp_path / "other"
    (known / "keys").mkdir(parents=True)
    for name in ("seeds", "archive", "metadata"):
        (other / name).mkdir(parents=True)
    (tmp_path / "way").symlink_to(other / "metadata")
    for place in (known / "keys" / "k", known / "k", other / "metadata" / "k", tmp_path / "way/k"):
        with pytest.raises(UsageError, match="may not lie inside an archive"):
            write_key_file(place, name=NAME, seed=SEED, root=known)
        assert not place.exists()
    key = write_key_file(tmp_path / "k", name=NAME, seed=SEED, root=known)
    (tmp_path / "k").rename(other / "k")
    with pytest.raises(UsageError, match="may not lie inside an archive"):
        read_key_file(other / "k")
    (other / "k").rename(tmp_path / "k")
    assert read_key_file(tmp_path / "k", root=known) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        GO_PUBLIC,
        f"{GO_PRIVATE}\n\n",
        f" {GO_PRIVATE}",
        GO_PRIVATE * 2,
        "x" * 5000,
        "\xff",
    ],
)
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    """Nothing of what stands there is in the message."""
    path = tmp_path / "operator.key"
    path.write_text(text, "latin-1")
    path.chmod(0o600)
    with pytest.raises(UsageError, match="not an operator's key") as caught:
        read_key_file(path)
    assert "AYEKFALV" not in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder and a pipe are told apart from keys, without waiting."""
    with pytest.raises(UsageError, match="no operator's key"):
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
        write_key_file(tmp_path / "file" / "operator.key", name=NAME, seed=SEED)
