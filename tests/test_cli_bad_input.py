"""Bad input through the real command line: said plainly, with a status, and nothing is changed."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli_program import files_of, run, small_root

HEAD = '[collection]\nid = "c"\ntitle = "T"\nabout = "A."\n'
FULL_WIDTH_2021 = "\uff12\uff10\uff12\uff11"


def entry(name: str, **changes: str) -> str:
    """Return a document's entry; `changes` are TOML values, None leaves a key out."""
    values = {
        "id": f'"{name}"',
        "title": '"T"',
        "role": '"source"',
        "publisher": '"P"',
        "publisher_kind": '"ngo"',
        **changes,
    }
    return "[[document]]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one root with a capture and an index; nobody changes it."""
    return small_root(tmp_path_factory.mktemp("kept") / "root").root


@pytest.fixture
def root(kept: Path, tmp_path: Path) -> Path:
    """Copy that root for a test that changes it."""
    return Path(shutil.copytree(kept, tmp_path / "root"))


# The call


@pytest.mark.parametrize(
    "call",
    [
        ["frobnicate"],
        ["--frobnicate"],
        ["list", "--frobnicate"],
        ["show"],
        ["show", "a", "b"],
        ["cite", "letter", "--format", "word"],
        ["list", "--role", "enemy"],
        ["fetch", "--jobs", "0"],
        ["fetch", "--jobs", "many"],
        ["fetch", "--delay", "-1"],
        ["fetch", "--timeout", "inf"],
        ["fetch", "--delay", "nan"],
        ["fetch", "--max-time", "1e300"],
        ["fetch", "--ca-file", "nowhere.pem"],
        ["fetch", "--operator", "a\r\nsetting-jobs: 9"],
        ["fetch", "--contact", "a\nCookie: b"],
        ["fetch", "--contact", "\u540d"],
        ["fetch", "--contact", "Ł@example.org"],
        ["fetch", "--ignore-robots", "  "],
        ["serve", "--port", "65536"],
        ["search", "--limit", "0", "x"],
        ["-C"],
        ["-C", "seeds/harbour.toml", "list"],
        ["init", "seeds/harbour.toml"],
        ["show", b"\xff\xfe"],
        ["search", b"\xff"],
        ["fetch", b"http://example.org/\xff"],
    ],
    ids=repr,
)
def test_a_call_that_cannot_be_understood_is_a_usage_error(
    kept: Path, call: list[str | bytes]
) -> None:
    """An unknown word, a missing or impossible value: usage on stderr, status 2, no record."""
    before = files_of(kept)
    ended = run(*call, cwd=kept)
    assert (ended.status, ended.out) == (2, "")
    assert "error: " in ended.err
    assert files_of(kept) == before


def test_an_unknown_command_is_named_with_the_way_to_help(kept: Path) -> None:
    """The message names what was not understood and where to read on."""
    ended = run("frobnicate", cwd=kept)
    assert "'frobnicate'" in ended.err
    assert "--help" in ended.err


@pytest.mark.parametrize("command", [["list"], ["fetch"], ["index"], ["verify"], ["serve"]])
def test_a_directory_that_is_no_root_is_said(tmp_path: Path, command: list[str]) -> None:
    """What, where, expected, found and what to do, and nothing is made there."""
    ended = run("-C", tmp_path, *command, cwd=tmp_path)
    assert ended.status == 2
    for part in (str(tmp_path), "expected the folders", "found no seeds", "provenance init"):
        assert part in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_path_in_a_message_is_escaped(kept: Path) -> None:
    """What a terminal would obey in a path is made visible, on one line."""
    wild = "no\x1b[31m\nroot\u202e"
    for call in (["-C", wild, "list"], ["add", wild], ["init", f"seeds/harbour.toml/{wild}"]):
        ended = run(*call, cwd=kept)
        assert ended.status in (1, 2)
        assert len(ended.err.splitlines()) == 1
        assert "no\\x1b[31m\\nroot\\u202e" in ended.err


# Seeds

FAULTS: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "broken TOML": ("[collection\n", ("seeds/bad.toml: line 1, column",)),
    "not UTF-8": (b'[collection]\nid = "\xff"\n', ("seeds/bad.toml: line 2: expected UTF-8",)),
    "empty": ("", ("seeds/bad.toml: ",)),
    "digits of another script": (
        HEAD + entry("d", published=f'"{FULL_WIDTH_2021}"'),
        ("document[1].published: expected a date",),
    ),
    "no such month": (
        HEAD + entry("d", published='"2021-13"'),
        ("document[1].published: expected a date",),
    ),
    "no such day": (HEAD + entry("d", published="2021-02-30"), ("not TOML",)),
    "bad role": (HEAD + entry("d", role='"enemy"'), ("document[1].role: expected one of",)),
    "unknown key": (HEAD + entry("d", colour='"red"'), ("document[1].colour: unknown key",)),
    "wrong types": (
        'document = "x"\ncollection = 3\n',
        ("collection: expected a table", "document: expected tables"),
    ),
    "hostile ids": (
        HEAD + "".join(map(entry, ("../x", "-x", "a b", "deadbeef", "x" * 81, "a\\u001b[31m"))),
        (
            *(f"document[{number}].id: expected an id" for number in range(1, 6)),
            "document[6].id: expected text without control characters",
        ),
    ),
    "a NUL": (HEAD + 'x = "\0"\n', ("seeds/bad.toml: line 5",)),
    "twice the same id": (HEAD + entry("d") + entry("d"), ("document[2].id: ",)),
    "an id that another file has": (
        HEAD + entry("letter"),
        ('seeds/harbour.toml: document[1].id: "letter" is the id of a document in seeds/bad.toml',),
    ),
    "several at once": (
        HEAD
        + entry("d", role='"enemy"', url="3", published="2021-02-03T10:00:00Z")
        + entry("e", language='"?"')
        + '[[document.alternate]]\nurl = "ftp://x/"\nrole = "copy"\n',
        (
            "document[1].role",
            "document[1].url",
            "document[1].published",
            "document[2].language",
            "document[2].alternate[1].url",
            "document[2].alternate[1].role",
        ),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_seeds_are_told_at_once_and_nothing_is_fetched(root: Path, fault: str) -> None:
    """Each fault is a line with its dotted place; the status is 2, and no file is made."""
    text, places = FAULTS[fault]
    (root / "seeds" / "bad.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    before = files_of(root)
    ended = run("-C", root, "fetch", "--json", cwd=root)
    assert (ended.status, ended.out) == (2, "")
    lines = ended.err.splitlines()
    for place in places:
        assert sum(place in line for line in lines) == 1, (place, lines)
    assert lines[-1].startswith(f"error: {len(lines) - 1} fault")
    assert files_of(root) == before


@pytest.mark.parametrize("command", [["index"], ["add", "{letter}"], ["fetch", "letter"]])
def test_faulty_seeds_stop_whatever_writes(root: Path, command: list[str]) -> None:
    """A faulty file beside good ones stops each command that would write by them."""
    (root / "seeds" / "bad.toml").write_text(HEAD + entry("d", role='"enemy"'))
    before = files_of(root)
    letter = str(root.parent / "letter.txt")
    (root.parent / "letter.txt").write_text("x")
    ended = run("-C", root, *(word.format(letter=letter) for word in command), cwd=root)
    assert ended.status == 2
    assert "document[1].role" in ended.err
    assert files_of(root) == before


def test_what_is_no_file_in_seeds_is_a_fault_and_hangs_nothing(root: Path) -> None:
    """A pipe, a folder and a link under seeds/ are faults; reading commands pass them over."""
    os.mkfifo(root / "seeds" / "pipe.toml")
    (root / "seeds" / "folder.toml").mkdir()
    (root / "seeds" / "link.toml").symlink_to("/dev/zero")
    ended = run("-C", root, "fetch", cwd=root)
    assert ended.status == 2
    for name in ("pipe", "folder", "link"):
        assert f"seeds/{name}.toml: expected a regular file" in ended.err
    listed = run("-C", root, "list", cwd=root)
    assert listed.status == 0
    assert "out of date" in listed.err


# Targets and values

HOSTILE = (
    "nothing-of-this-name",
    "../metadata/provenance.db",
    "-x",
    "a\nb",
    "a\x1b[31mb",
    "a\u202eb",
    "x" * 5_000,
    "'; DROP TABLE document; --",
    "%",
    "",
    "05e4",
    "sha256:" + "f" * 64,
    "ni:///sha-256;AAAA",
)


@pytest.mark.parametrize("command", ["show", "fetch"])
@pytest.mark.parametrize("target", HOSTILE, ids=lambda target: ascii(target[:30]))
def test_a_target_that_is_nothing_is_said_escaped(kept: Path, command: str, target: str) -> None:
    """Status 2, the words on one line of bearable length, nothing a terminal would obey."""
    ended = run("-C", kept, command, "--", target, cwd=kept)
    assert (ended.status, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert len(ended.err) < 1_500


@pytest.mark.parametrize(
    "address",
    [
        "http://",
        "http:///path",
        "http://user:secret@example.org/",
        "http://example.org:99999/",
        "http://[::1",
        "http://a..b/",
        "http://例え.example/",
        "http://example.org/caf\u00e9",
        "http://example.org/a b",
        "http://example.org/\x1b[31m",
        "http://example.org/" + "a" * 9_000,
    ],
    ids=lambda address: ascii(address[:40]),
)
def test_an_address_that_seeds_would_refuse_is_refused_on_the_command_line(
    root: Path, address: str
) -> None:
    """`fetch URL` and `add --url` take what a seeds file takes; a secret is not repeated."""
    before = files_of(root)
    fetched = run("-C", root, "fetch", address, cwd=root)
    added = run("-C", root, "add", "seeds/harbour.toml", "--url", address, cwd=root)
    assert (fetched.status, added.status) == (2, 2)
    assert "expected " in fetched.err
    assert "--url" in added.err
    assert "secret" not in fetched.err + added.err
    assert files_of(root) == before


def test_the_fragment_of_a_given_address_is_left_off(root: Path) -> None:
    """A browser's address with `#…` is taken; the fragment is never sent."""
    ended = run(
        "-C", root, "fetch", "--json", "http://127.0.0.1:9/a#part", "--retries", "0", cwd=root
    )
    outcome = json.loads(ended.out.splitlines()[0])
    assert (ended.status, outcome["url"]) == (3, "http://127.0.0.1:9/a")
    assert outcome["reason"] == "private_address"


def test_an_ambiguous_prefix_lists_the_candidates(root: Path) -> None:
    """Two ids that begin alike are both named, and neither is taken."""
    with sqlite3.connect(root / "metadata" / "provenance.db") as index:
        for column, tail in (("capture_id", "a"), ("content_id", "b")):
            index.execute(f"UPDATE capture SET {column} = 'sha256:0123456789ab' || ?", (tail * 52,))
        index.execute("UPDATE content SET content_id = 'sha256:0123456789ab' || ?", ("b" * 52,))
    ended = run("-C", root, "show", "0123456789", cwd=root)
    assert (ended.status, ended.out) == (2, "")
    assert f"capture sha256:0123456789ab{'a' * 52}" in ended.err
    assert f"content sha256:0123456789ab{'b' * 52}" in ended.err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--document", "no-such-document"),
        ("--obtained-at", "yesterday"),
        ("--obtained-at", "2021-02-22T09:30:00"),
        ("--obtained-at", f"{FULL_WIDTH_2021}-02-22"),
        ("--obtained-at", "0001-01-01T00:00:00+14:00"),
        ("--media-type", "html"),
        ("--media-type", "text/html\r\nWARC-Type: response"),
        ("--note", "\x1b[31m"),
        ("--url", ""),
    ],
)
def test_add_refuses_what_cannot_be_recorded(root: Path, option: str, value: str) -> None:
    """The option is named, the status is 2, and nothing was added."""
    before = files_of(root)
    ended = run("-C", root, "add", "seeds/harbour.toml", option, value, cwd=root)
    assert (ended.status, ended.out) == (2, "")
    assert option in ended.err
    assert files_of(root) == before


def test_add_takes_regular_files_with_a_name_that_is_text(root: Path) -> None:
    """A folder, a pipe, a device, nothing, and a name that is no text are refused, all files."""
    os.mkfifo(root / "pipe")
    nameless = root / os.fsdecode(b"\xff.txt")
    nameless.write_text("x")
    before = files_of(root)
    for path in (root, root / "pipe", "/dev/zero", "nowhere.txt", nameless):
        ended = run("-C", root, "add", "seeds/harbour.toml", path, cwd=root)
        assert (ended.status, ended.out) == (2, ""), path
    assert files_of(root) == before


# The index


def damage(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[:8_192] + b"\xff" * (len(raw) - 8_192))


def other_schema(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE document (document)")


INDEXES: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "not SQLite": lambda path: path.write_bytes(b"no database at all\n" * 99),
    "empty": lambda path: path.write_bytes(b""),
    "of another schema": other_schema,
    "damaged inside": damage,
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
}


@pytest.mark.parametrize("state", INDEXES)
def test_an_index_that_cannot_be_read_is_said_and_made_anew(root: Path, state: str) -> None:
    """Each command that reads it ends with 1 and names the way; `index` mends it."""
    INDEXES[state](root / "metadata" / "provenance.db")
    for command in (["list"], ["show", "letter"], ["search", "bridge"], ["cite", "letter"]):
        ended = run("-C", root, *command, cwd=root)
        assert (ended.status, ended.out) == (1, ""), command
        assert "provenance.db" in ended.err
        assert "`provenance index`" in ended.err
    assert run("-C", root, "index", cwd=root).status == 0
    assert run("-C", root, "index", "--check", cwd=root).status == 0


def test_an_index_without_its_folder_or_rights_is_one_line(root: Path) -> None:
    """A folder in the index's place stops `index` with the reason."""
    (root / "metadata" / "provenance.db").unlink()
    (root / "metadata" / "provenance.db").mkdir()
    ended = run("-C", root, "index", cwd=root)
    assert ended.status == 1
    assert "cannot be written" in ended.err


# The archive


def strew(archive: Path) -> None:
    """Put what does not belong there beside the WARC files."""
    whole = next(archive.glob("*.warc.gz")).read_bytes()
    (archive / "empty.warc.gz").write_bytes(b"")
    (archive / "half.warc.gz").write_bytes(whole[: len(whole) // 2])
    (archive / "notes.txt").write_text("notes")
    (archive / "hello.warc.gz").write_bytes(gzip.compress(b"hello"))
    (archive / "noise.warc").write_bytes(bytes(range(256)) * 9)
    (archive / "folder.warc.gz").mkdir()
    (archive / "folder").mkdir()
    (archive / "nowhere.warc.gz").symlink_to("nowhere")
    (archive / "device.warc.gz").symlink_to("/dev/zero")
    (archive / "a\nb\x1b[31m.warc.gz").write_bytes(whole[:300])
    (archive / os.fsdecode(b"\xff.warc.gz")).write_bytes(whole)
    (archive / "junk.warc.gz.open").write_bytes(b"junk")
    (archive / "folder.warc.gz.open").mkdir()
    os.mkfifo(archive / "pipe.warc.gz")


def test_what_does_not_belong_in_the_archive_stops_no_command(root: Path) -> None:
    """Foreign, empty, cut and unreadable things are passed over, and `verify` names each."""
    strew(root / "archive")
    (root.parent / "more.txt").write_text("more")
    for command in (
        ["index"],
        ["list"],
        ["show", "letter"],
        ["cite", "letter"],
        ["add", "../more.txt"],
        ["index", "--check"],
    ):
        ended = run("-C", root, *command, cwd=root)
        assert ended.status == (4 if "--check" in command else 0), (command, ended.err)
    verified = run("-C", root, "verify", "--json", cwd=root)
    assert verified.status == 4
    named = {json.loads(line).get("warc") for line in verified.out.splitlines()}
    here = {path.name for path in (root / "archive").iterdir()}
    sound = {name for name in here if name.startswith(("harbour-", "adhoc-"))}
    assert here - sound <= named


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
@pytest.mark.parametrize("name", ["archive", "metadata", "metadata/manifest-sha256.txt"])
def test_what_may_not_be_read_is_named(root: Path, name: str) -> None:
    """A folder or file without rights is an error with its path, never less than the truth."""
    (root / name).chmod(0)
    try:
        ended = run("-C", root, "verify", cwd=root)
    finally:
        (root / name).chmod(0o700)
    assert ended.status in (1, 4)
    assert name.partition("/")[0] in ended.err + ended.out


# Places and surroundings

PLACES = ("with space", "目录 大桥", "new\nline", "-C", "q'u\"o$t`e", "%41?x#y", "\\b\\", "é")


@pytest.mark.parametrize("name", PLACES, ids=ascii)
def test_a_root_may_have_any_name(kept: Path, tmp_path: Path, name: str) -> None:
    """Spaces, Chinese, line breaks and quotes in the path of a root change nothing."""
    shutil.copytree(kept, tmp_path / name)
    for command in (["list"], ["index"], ["index", "--check"], ["verify"], ["cite", "letter"]):
        ended = run("-C", f"./{name}", *command, cwd=tmp_path)
        assert ended.status == 0, (command, ended.err)


def test_a_root_may_have_a_name_that_is_no_text(kept: Path, tmp_path: Path) -> None:
    """Bytes that are no UTF-8 in the path of a root change nothing either."""
    shutil.copytree(kept, tmp_path / os.fsdecode(b"b\xffd"))
    for command in (["list"], ["index"], ["verify"]):
        assert run("-C", b"b\xffd", *command, cwd=tmp_path).status == 0, command


LOCALES = (
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii"},
)


@pytest.mark.parametrize("locale", LOCALES, ids=str)
def test_json_is_utf_8_in_every_locale(kept: Path, locale: dict[str, str]) -> None:
    """The same bytes come out whatever the terminal's encoding is said to be."""
    here = run("-C", kept, "cite", "letter", "--json", cwd=kept, environ=locale)
    assert (here.status, here.err) == (0, "")
    assert "大桥来信" in here.out
    assert here == run("-C", kept, "cite", "letter", "--json", cwd=kept)


@pytest.mark.parametrize("locale", LOCALES, ids=str)
def test_words_that_the_terminal_lacks_are_escaped(kept: Path, locale: dict[str, str]) -> None:
    """Words come out in every locale, as UTF-8 or with escapes."""
    shown = run("-C", kept, "show", "letter", cwd=kept, environ=locale)
    assert (shown.status, shown.err) == (0, "")
    assert "大桥来信" in shown.out or "\\u5927\\u6865" in shown.out
