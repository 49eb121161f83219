"""Local files come into the archive byte for byte, once they hold still, or not at all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.addition import Addition, add, guess_media_type
from provenance.digest import Digest, to_ni
from provenance.errors import StorageError, UsageError
from provenance.model import ADHOC, DocumentId, Outcome, OutcomeKind, RunId
from tests.storage_builders import make_root as make_archive
from tests.storage_builders import run, without_privileges
from tests.warc_builders import (
    DATE,
    RUN,
    Root,
    documents_in,
    make_root,
    members_of,
    still_runtime,
)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return make_root(tmp_path / "root")


def addition(path: Path, document: str = "letter") -> Addition:
    return Addition(
        path=path,
        collection=ADHOC,
        document=DocumentId(document),
        url=None,
        obtained_at=None,
        note=None,
        media_type=None,
    )


def nothing_held(_document: DocumentId, _digest: Digest) -> bool:
    return False


def added(
    root: Root,
    *additions: Addition,
    held: Callable[[DocumentId, Digest], bool] = nothing_held,
) -> list[Outcome]:
    writer = root.writer(str(ADHOC))
    try:
        return list(
            add(
                RunId(RUN),
                additions,
                runtime=still_runtime(),
                writer_of=lambda _name: writer,
                held=held,
            )
        )
    finally:
        writer.close()


@pytest.mark.parametrize("size", [0, 1, 70_000, 9 << 20], ids=["empty", "byte", "small", "large"])
def test_the_block_is_the_file(root: Root, tmp_path: Path, size: int) -> None:
    """Whatever its size; its digest is that which `sha256sum` prints, its address says the same."""
    path = tmp_path / "letter.bin"
    path.write_bytes(os.urandom(size))
    (told,) = added(root, addition(path))
    digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert (told.outcome, told.content_id, told.size) == (OutcomeKind.CAPTURED, digest, size)
    assert (told.captured_at, told.url) == (DATE, None)
    assert told.warc is not None
    members = {each.offset: each for each in members_of((root.archive / told.warc).read_bytes())}
    member = members[told.offset or 0]
    assert member.block == path.read_bytes()
    assert member.header["WARC-Target-URI"] == to_ni(Digest(digest))
    assert (member.digest, member.length) == (told.capture_id, told.length)


def changing(path: Path, raw: bytes) -> Callable[[DocumentId, Digest], bool]:
    """Return a lookup that, asked between the two readings of the file, changes it."""

    def held(document: DocumentId, _digest: Digest) -> bool:
        if document == "letter":
            path.write_bytes(raw)
        return False

    return held


@pytest.mark.parametrize(
    "raw",
    [b"another letter", b"A letter", b"", b"a lett"],
    ids=["other", "byte", "gone", "shorter"],
)
def test_a_file_that_changes_while_it_is_read_is_not_added(
    root: Root, tmp_path: Path, raw: bytes
) -> None:
    """Hashed and written must be the same bytes; what was added before stays."""
    first, path = tmp_path / "first.txt", tmp_path / "letter.txt"
    first.write_bytes(b"first")
    path.write_bytes(b"a letter")
    with pytest.raises(StorageError, match="the file changed while it was read") as raised:
        added(root, addition(first, "first"), addition(path), held=changing(path, raw))
    assert raised.value.where == str(path)
    assert documents_in(root) == ["first"]
    (name,) = root.files()
    assert b"letter" not in (root.archive / name).read_bytes()


def test_a_file_that_grows_is_kept_as_it_was(root: Root, tmp_path: Path) -> None:
    """What was hashed is there still, and nothing of what came after."""
    path = tmp_path / "letter.txt"
    path.write_bytes(b"a letter")
    (told,) = added(root, addition(path), held=changing(path, b"a letter and more"))
    assert told.content_id == "sha256:" + hashlib.sha256(b"a letter").hexdigest()
    members = list(members_of((root.archive / root.files()[0]).read_bytes()))
    assert members[1].block == b"a letter"


def test_what_is_no_file_is_said_before_anything_is_added(root: Root, tmp_path: Path) -> None:
    """A folder, a pipe, nothing at all: not even the good file before it is there."""
    good = tmp_path / "good.txt"
    good.write_bytes(b"good")
    os.mkfifo(tmp_path / "pipe")
    for bad in (tmp_path, tmp_path / "pipe", tmp_path / "nothing"):
        with pytest.raises(UsageError, match=r"not a file to add\. Nothing was added") as raised:
            added(root, addition(good), addition(bad))
        assert raised.value.where == str(bad)
    assert root.files() == []


@pytest.mark.parametrize("word", ["text/html\r\nWARC-Type: response", " ", "\x00", "té/xt"])
def test_a_media_type_that_no_header_may_hold_is_refused(
    root: Root, tmp_path: Path, word: str
) -> None:
    """It goes into a record header as it is."""
    path = tmp_path / "letter.txt"
    path.write_bytes(b"a letter")
    with pytest.raises(UsageError, match="not a media type"):
        added(root, replace(addition(path), media_type=word))
    assert root.files() == []


ADD = """
import sys
from pathlib import Path
from provenance.archive import Archive
list(Archive(Path(sys.argv[1])).add([Path(each) for each in sys.argv[2:]]))
"""


def test_a_file_that_may_not_be_read_is_said_before_anything_is_added(tmp_path: Path) -> None:
    """Usage, with the place, from the library as from the program; the archive is as it was."""
    under = without_privileges()
    root = make_archive(tmp_path / "root")
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_bytes(b"good")
    bad.write_bytes(b"bad")
    bad.chmod(0)
    ran = run(root, "add", str(good), str(bad), under=under)
    assert (ran.status, str(bad) in ran.err) == (2, True)
    call = [*under, sys.executable, "-c", ADD, str(root), str(good), str(bad)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    says = f"UsageError: {bad}: cannot read (Permission denied). Nothing was added."
    assert done.stderr.splitlines()[-1].endswith(says)
    assert list((root / "archive").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.html", "text/html"),
        ("a.PDF", "application/pdf"),
        ("a.tar.gz", "application/octet-stream"),
        ("a", "application/octet-stream"),
        ("a.unheard-of", "application/octet-stream"),
    ],
)
def test_the_media_type_is_what_the_name_suggests(name: str, kind: str) -> None:
    """By a table of our own, which no machine's settings change."""
    assert guess_media_type(Path(name)) == kind
