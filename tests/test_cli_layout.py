"""Lines for a terminal: measured by columns, cut and wrapped without loss, nothing unescaped."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.cli.layout import align, columns_of, cut, fields, is_unseen, safe, width_of, wrap
from tests.cli_program import PROGRAM, assert_plain, run, small_root, text_of

WORDS = st.text(
    st.sampled_from("ab é\u0301港口大桥、。（）「」ﾊﾝ한ᅡ🙂-—\u00a0“”…"), min_size=1, max_size=60
)
COLUMNS = st.integers(4, 40)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("港口大桥", 8),
        ("ﾊﾝ", 2),
        ("ＡＢ", 4),
        ("e\u0301", 1),
        ("한", 2),
        ("🙂", 2),
        ("“”—…", 4),
        ("ئۇيغۇر", 6),
    ],
)
def test_width_is_that_of_a_terminal(text: str, columns: int) -> None:
    """Wide characters take two columns, combining marks none, all others one."""
    assert width_of(text) == columns


@given(st.text())
def test_safe_text_has_nothing_that_acts(text: str) -> None:
    """No control, format or surrogate character is left, and seen ones stay."""
    shown = safe(text)
    assert not any(map(is_unseen, shown))
    assert shown.encode() or not text
    assert safe(shown) == shown
    if not any(map(is_unseen, text)):
        assert shown == text


@given(WORDS, COLUMNS)
def test_a_cut_text_fits_and_is_the_beginning(text: str, columns: int) -> None:
    """What is cut takes its columns at most and says that it is cut."""
    shown = cut(text, columns)
    assert width_of(shown) <= columns
    assert shown == text or (shown.endswith("…") and text.startswith(shown[:-1]))
    assert cut(text, None) == text


@given(WORDS, COLUMNS)
def test_wrapped_lines_lose_nothing(text: str, columns: int) -> None:
    """The lines hold the text but for spaces; none begins or ends with one."""
    lines = wrap(text, columns)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(line == line.strip() for line in lines)


@given(WORDS, COLUMNS)
def test_a_wrapped_line_is_too_long_only_where_one_word_is(text: str, columns: int) -> None:
    """A line beyond the columns has no place to break."""
    for line in wrap(text, columns):
        assert width_of(line) <= columns or len(wrap(line, 1)) == 1


@given(st.text(st.sampled_from("港口大桥、。（）「」"), min_size=1, max_size=40))
def test_no_line_begins_with_a_closing_mark(text: str) -> None:
    """East Asian text breaks beside any character, but not before a comma or after a bracket."""
    lines = wrap(text, 6)
    assert all(line[0] not in "、。）」" for line in lines[1:])
    assert all(line[-1] not in "（「" for line in lines[:-1])


def test_a_long_word_stands_below_its_name_and_whole() -> None:
    """An address or digest can be copied from one line."""
    digest = "sha256:" + "0" * 64
    assert fields([("content_id", digest), ("role", "source")], 80) == [
        "content_id",
        f"    {digest}",
        "role        source",
    ]


def test_a_value_is_wrapped_beside_its_name() -> None:
    """Further lines of a value stand under its first; without a terminal it is one line."""
    pairs = [("note", "one two three four")]
    assert fields(pairs, 15) == ["note  one two", "      three", "      four"]
    assert fields(pairs, None) == ["note  one two three four"]


def test_columns_are_aligned_whatever_the_script() -> None:
    """Each cell begins in its column; numbers end in theirs."""
    rows = [("港口", "7", "x"), ("a", "100", "y")]
    widths = columns_of(rows)
    lines = [align(row, widths, right=(1,)) for row in rows]
    assert lines == ["港口    7  x", "a     100  y"]
    assert len({width_of(line) for line in lines}) == 1


# The commands, in a terminal


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a root whose texts are long, Chinese, and hostile as far as seeds let them be."""
    archive = small_root(tmp_path_factory.mktemp("layout") / "root")
    long = "On the height of the bridge and the waits of ships, with tables and a map " * 4
    more = '[[document]]\nid = "{}"\ntitle = "{}"\nrole = "independent"\npublisher = "P"\n'
    more += 'publisher_kind = "academic"\nnote = """{}"""\n'
    file = archive.root / "seeds" / "harbour.toml"
    text = file.read_text("utf-8")
    text += more.format("study-" + "x" * 60, long.strip(), "关于港口大桥的研究。" * 30)
    file.write_text(text, "utf-8")
    (archive.root / "seeds" / "other.toml").write_text(
        '[collection]\nid = "other"\ntitle = "O"\nabout = "O."\n'
        + more.format("plain", "Right to left: \u202e\u05d0\u05d1\u200b", "A \ufeffnote.")
    )
    hostile = archive.root.parent / "page.html"
    hostile.write_bytes(
        b"<title>\xc2\x9b31m\x1b[2J\xe2\x80\xaewild</title><p>bridge \x1b]0;x\x07 \xe2\x80\xae</p>"
    )
    list(archive.add([hostile]))
    archive.index()
    return archive.root


def in_terminal(root: Path, columns: int, *command: str) -> list[str]:
    """Run a command with a terminal of this width as its stdout; return the lines it drew."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(
        [*PROGRAM, "-C", root, *command],
        env={**environ, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        drawn = b""
        while piece := _read(ours):
            drawn += piece
        assert process.wait(timeout=60) == 0
    os.close(ours)
    lines = text_of(drawn).replace("\r\n", "\n").splitlines()
    assert_plain(*lines)
    return lines


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so at the end of a terminal
        return b""


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("command", [["list"], ["show", "study-" + "x" * 60], ["search", "bridge"]])
def test_what_is_drawn_fits_the_terminal(root: Path, columns: int, command: list[str]) -> None:
    """No line is wider than the terminal, but for one long word and the row of a very long id."""
    lines = in_terminal(root, columns, *command)
    cells = len("study-") + 60 + len("  independent  versions  not asked yet  ")
    bound = max(columns, cells) if command == ["list"] else columns
    assert lines
    assert [line for line in lines if width_of(line) > bound and " " in line.strip()] == []


def test_a_pipe_gets_whole_lines(root: Path) -> None:
    """Without a terminal each document is one line with its whole title."""
    lines = run("-C", root, "list", cwd=root).out.splitlines()
    titles = [line for line in lines if "and a map" in line]
    assert len(titles) == 1
    assert titles[0].count("and a map") == 4
    assert "…" not in titles[0]


def test_the_list_says_which_collection_and_counts(root: Path) -> None:
    """With several collections each has its heading; stderr counts the states."""
    ended = run("-C", root, "list", cwd=root)
    lines = ended.out.splitlines()
    assert [line for line in lines if line.startswith("[")] == ["[adhoc]", "[harbour]", "[other]"]
    assert ended.err.startswith("5 documents: ")


@pytest.mark.parametrize("name", ["page", "plain"])
@pytest.mark.parametrize(
    "command", ["list", "show {id}", "search bridge", "search wild", "links {id}"]
)
def test_nothing_kept_reaches_the_terminal_as_it_is(root: Path, command: str, name: str) -> None:
    """Escapes, controls and directions in seeds and pages are made visible, in JSON too."""
    listed = run("-C", root, "list", cwd=root).out
    whole = next(line.split()[0] for line in listed.splitlines() if line.startswith(name))
    for extra in ([], ["--json"]):
        ended = run("-C", root, *command.format(id=whole).split(), *extra, cwd=root)
        assert ended.status == 0
        assert {each for each in ended.out if is_unseen(each)} <= {"\n"}
