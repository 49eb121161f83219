"""A folder with a copy of the pages is whole or as it was, and nobody else's files are replaced."""

from __future__ import annotations

import fcntl
import json
import subprocess
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from provenance.errors import ProvenanceError, UsageError
from provenance.publishing import MANIFEST, MARK, write_copy
from provenance.web.copying import ContentPart, FilePart
from provenance.web.public import parse_public_address
from tests.cli_program import LETTER, run, small_root
from tests.web_copies import files_in

PARTS = (FilePart(name="index.html", raw=b"page"), FilePart(name="a/b.json", raw=b"{}"))


def content(raw: bytes, *, size: int | None = None, lie: bool = False) -> ContentPart:
    return ContentPart(
        name="content/x.zip",
        saved_as="x.txt",
        content_id=f"sha256:{sha256(b'?' if lie else raw).hexdigest()}",
        size=len(raw) if size is None else size,
        pieces=iter([raw[:3], raw[3:]]),
    )


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_a_copy_is_written_and_replaced(tmp_path: Path) -> None:
    """The second copy has none of the first one's files; nothing is left beside it."""
    target = tmp_path / "deep" / "copy"
    first = write_copy(target, PARTS, database=None)
    assert {"index.html", "a/b.json", MANIFEST, MARK, ".nojekyll"} == set(files_in(target))
    assert first.files == 5
    assert write_copy(target, PARTS, database=None) == first
    write_copy(target, PARTS[:1], database=None)
    assert "a/b.json" not in files_in(target)
    assert hidden(target.parent) == []


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    """As somebody makes one before calling."""
    write_copy(tmp_path, PARTS, database=None)
    assert (tmp_path / "index.html").read_bytes() == b"page"


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    """A web server's folder is often a link to another."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_copy(tmp_path / "link", PARTS, database=None)
    write_copy(tmp_path / "link", PARTS, database=None)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "index.html").is_file()


@pytest.mark.parametrize("name", ["notes.txt", "document/mine.html", ".git/config", "CNAME"])
def test_somebody_elses_file_is_never_replaced(tmp_path: Path, name: str) -> None:
    """Neither in a folder of other things, nor added to a copy."""
    target = tmp_path / "copy"
    (target / name).parent.mkdir(parents=True)
    (target / name).write_text("mine")
    with pytest.raises(UsageError, match="something else is here"):
        write_copy(target, PARTS, database=None)
    assert files_in(target) == {name: b"mine"}
    other = tmp_path / "other"
    write_copy(other, PARTS, database=None)
    (other / name).parent.mkdir(parents=True, exist_ok=True)
    (other / name).write_text("mine")
    before = files_in(other)
    with pytest.raises(UsageError, match="not of the copy"):
        write_copy(other, PARTS, database=None)
    assert files_in(other) == before


def test_a_file_where_the_folder_should_be_stays(tmp_path: Path) -> None:
    """A name that is taken by a file is taken."""
    (tmp_path / "copy").write_text("mine")
    with pytest.raises(UsageError, match="something else is here"):
        write_copy(tmp_path / "copy", PARTS, database=None)


@pytest.mark.parametrize("end", [ProvenanceError("no"), KeyboardInterrupt(), OSError("full")])
def test_what_ends_early_leaves_the_folder_as_it_was(tmp_path: Path, end: BaseException) -> None:
    """A fault, Ctrl-C, a full disk: the former copy stands, and nothing lies beside it."""

    def parts() -> Iterator[FilePart]:
        yield PARTS[0]
        raise end

    target = tmp_path / "copy"
    write_copy(target, PARTS, database=None)
    before = files_in(target)
    with pytest.raises(type(end)):
        write_copy(target, parts(), database=None)
    assert files_in(target) == before
    assert hidden(tmp_path) == []


def test_what_a_killed_command_left_is_cleared(tmp_path: Path) -> None:
    """Its half of a copy is written anew; a folder of that name that is not ours stays."""
    left = tmp_path / ".copy.publishing"
    (left / "document").mkdir(parents=True)
    (left / "document" / "half").write_text("half")
    with pytest.raises(UsageError, match="something else"):
        write_copy(tmp_path / "copy", PARTS, database=None)
    (left / MARK).touch()
    write_copy(tmp_path / "copy", PARTS, database=None)
    assert "document/half" not in files_in(tmp_path / "copy")
    assert hidden(tmp_path) == []


def test_two_commands_do_not_write_one_copy(tmp_path: Path) -> None:
    """The second says so, and takes nothing from the first."""
    left = tmp_path / ".copy.publishing"
    left.mkdir()
    with (left / MARK).open("ab") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        (left / "half").write_text("half")
        with pytest.raises(ProvenanceError, match="another command"):
            write_copy(tmp_path / "copy", PARTS, database=None)
        assert (left / "half").is_file()


def test_a_content_is_stored_as_it_is_and_checked(tmp_path: Path) -> None:
    """One member, with nothing of this machine or day in it; a lie about it stops all."""
    raw = b"<html>archived</html>"
    write_copy(tmp_path / "copy", [content(raw)], database=None)
    (member,) = zipfile.ZipFile(tmp_path / "copy" / "content" / "x.zip").infolist()
    assert (member.date_time, member.create_system) == ((1980, 1, 1, 0, 0, 0), 3)
    assert member.compress_type == zipfile.ZIP_STORED
    for bad in (content(raw, size=5), content(raw, size=99), content(raw, lie=True)):
        with pytest.raises(ProvenanceError, match="not what the index names"):
            write_copy(tmp_path / "other", [bad], database=None)
    assert not (tmp_path / "other").exists()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one root with a capture and an index; nobody changes it."""
    return small_root(tmp_path_factory.mktemp("kept") / "root").root


def test_the_command_publishes_an_archive(kept: Path, tmp_path: Path) -> None:
    """It says what it wrote, `sha256sum` agrees with all of it, and twice gives the same."""
    ended = run("-C", kept, "publish", "copy", "--json", cwd=tmp_path)
    assert ended.status == 0, ended.err
    said = json.loads(ended.out)
    assert said["type"] == "publication"
    assert (said["contents"], said["database"], said["base_url"]) == (False, False, None)
    assert said["files"] == len(files_in(tmp_path / "copy"))
    assert said["pages"] == sum(1 for _ in (tmp_path / "copy").rglob("*.html"))
    assert said["bytes"] == sum(map(len, files_in(tmp_path / "copy").values()))
    subprocess.run(["sha256sum", "--quiet", "-c", MANIFEST], cwd=tmp_path / "copy", check=True)
    again = json.loads(run("-C", kept, "publish", "again", "--json", cwd=tmp_path).out)
    assert again["digest"] == said["digest"]
    page = (tmp_path / "copy" / "document" / "letter" / "index.html").read_text("utf-8")
    assert "A letter" in page and "大桥来信" in page


def test_the_contents_are_in_it_by_choice_alone(kept: Path, tmp_path: Path) -> None:
    """With them the letter can be unpacked; the index comes only with them."""
    run("-C", kept, "publish", "bare", cwd=tmp_path)
    assert not list(tmp_path.rglob("*.zip"))
    ended = run("-C", kept, "publish", "whole", "--with-contents", "--with-database", cwd=tmp_path)
    assert ended.status == 0, ended.err
    (packed,) = (tmp_path / "whole").rglob("*.zip")
    archive = zipfile.ZipFile(packed)
    assert archive.read(archive.namelist()[0]) == LETTER.encode()
    index = (kept / "metadata" / "provenance.db").read_bytes()
    assert (tmp_path / "whole" / "provenance.db").read_bytes() == index
    ended = run("-C", kept, "publish", "more", "--with-database", cwd=tmp_path)
    assert ended.status == 2
    assert "the text of every document" in ended.err
    assert not (tmp_path / "more").exists()


@pytest.mark.parametrize(
    "url",
    [
        "archive.example", "ftp://archive.example/", "https://", "https://u:p@a.example/",
        "https://a.example/?x", "https://a.example/#x", "https://a.example/a b/",
        "https://a.example/../b/", "https://a.example:x/", "https://[::1/", "https://a.example//b",
        "https://a.example/?",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(kept: Path, tmp_path: Path, url: str) -> None:
    """Before anything is written, by publish and by serve."""
    ended = run("-C", kept, "publish", "copy", "--base-url", url, cwd=tmp_path)
    assert (ended.status, "no address of a site" in ended.err) == (2, True)
    assert list(tmp_path.iterdir()) == []
    ended = run("-C", kept, "serve", "--port", "0", "--base-url", url, cwd=tmp_path)
    assert (ended.status, "no address of a site" in ended.err) == (2, True)


def test_what_is_there_stays_when_the_command_refuses(kept: Path, tmp_path: Path) -> None:
    """The archive itself is not taken for a copy of its pages."""
    before = files_in(kept)
    ended = run("-C", kept, "publish", kept, cwd=tmp_path)
    assert ended.status == 2
    assert "something else is here" in ended.err
    assert files_in(kept) == before


@pytest.mark.parametrize("options", [(), ("--with-contents",)])
def test_a_damaged_record_ends_the_command(tmp_path: Path, options: tuple[str, ...]) -> None:
    """With the contents or without: no page of a copy says that a record cannot be read."""
    archive = small_root(tmp_path / "root")
    root = archive.root
    assert run("-C", root, "publish", "copy", *options, cwd=tmp_path).status == 0
    before = files_in(tmp_path / "copy")
    document = archive.document("letter")
    assert document is not None
    (capture,) = archive.newest_of([document])
    assert capture is not None and capture.capture_id is not None
    file = root / "archive" / capture.warc
    file.chmod(0o644)
    with file.open("r+b") as stream:
        stream.seek(capture.offset + 10)
        stream.write(bytes(20))
    ended = run("-C", root, "publish", "copy", *options, cwd=tmp_path)
    assert ended.status == 1
    for told in (capture.capture_id, file.name, "cannot be read", "provenance verify"):
        assert told in ended.err
    assert files_in(tmp_path / "copy") == before
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("folder", ["archive", "archive/copy", "metadata/log/copy"])
def test_a_folder_of_the_archive_takes_no_copy(kept: Path, tmp_path: Path, folder: str) -> None:
    """A file that is not the archive's own would be a finding there."""
    ended = run("-C", kept, "publish", kept / folder, cwd=tmp_path)
    assert (ended.status, "folder of the archive" in ended.err) == (2, True)


def test_a_site_has_the_title_that_it_is_given(kept: Path, tmp_path: Path) -> None:
    """Whatever is in it, it is words."""
    ended = run("-C", kept, "publish", "copy", "--title", "Bridge <b>&", cwd=tmp_path)
    assert ended.status == 0, ended.err
    page = (tmp_path / "copy" / "index.html").read_text("utf-8")
    assert "<title>Bridge &lt;b&gt;&amp;</title>" in page


def test_an_address_is_brought_into_one_form() -> None:
    """Small letters and a slash at the end; what cannot be seen is refused."""
    assert str(parse_public_address("HTTPS://A.Example/B")) == "https://a.example/B/"
    assert str(parse_public_address("http://[::1]:8080")) == "http://[::1]:8080/"
    for url in ("https://a.example/\n", "https://a\t.example/", "https://a.example/\u202e/"):
        with pytest.raises(UsageError):
            parse_public_address(url)


def test_without_an_index_nothing_is_published(tmp_path: Path) -> None:
    """It says what to run."""
    for name in ("seeds", "archive", "metadata"):
        (tmp_path / "root" / name).mkdir(parents=True)
    ended = run("-C", "root", "publish", "copy", cwd=tmp_path)
    assert ended.status == 1
    assert "provenance index" in ended.err
    assert not (tmp_path / "copy").exists()
