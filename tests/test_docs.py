"""The docs are what the code is: made from it, linked without gaps, and their commands run."""

from __future__ import annotations

import contextlib
import doctest
import gzip
import importlib
import importlib.util
import json
import os
import pkgutil
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

import provenance

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = tuple(sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")]))
BIN = Path(sys.executable).parent


def builder() -> ModuleType:
    """Load `docs/build_docs.py`, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("build_docs", DOCS / "build_docs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(page: Path, language: str) -> Iterator[str]:
    """Yield the text of each fenced block of `language`, a pattern, in page order."""
    fence = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    yield from fence.findall(page.read_text("utf-8"))


def shell(script: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a script in bash, which ends at the first command that fails.

    This environment's commands come first on the path. A failure inside a pipe does not count:
    `tail | head` ends with one.
    """
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-eu", "-c", script],
        cwd=cwd,
        env={**os.environ, "PATH": path, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.mark.parametrize("name", sorted(builder().PAGES))
def test_a_page_made_from_the_code_is_as_committed(name: str) -> None:
    """Making the page anew changes nothing."""
    made = builder().PAGES[name]()
    assert (DOCS / name).read_text("utf-8") == made, "run make docs"


def test_the_builder_tells_a_changed_page(tmp_path: Path) -> None:
    """A page that differs from the code, or is missing, is named."""
    pages = {"same.md": lambda: "a", "other.md": lambda: "b", "missing.md": lambda: "c"}
    (tmp_path / "same.md").write_text("a")
    (tmp_path / "other.md").write_text("B")
    assert builder().differing(tmp_path, pages) == ["other.md", "missing.md"]


def test_the_command_line_page_walks_any_group() -> None:
    """Each command, nested ones too, gets a heading and its help; hidden ones none."""

    @click.group()
    def top() -> None:
        """Top words."""

    @top.command()
    @click.option("--deep", help="How deep.")
    def dig(deep: str) -> None:
        """Dig words."""

    @top.command(hidden=True)
    def hide() -> None:
        """Hide words."""

    page = builder().cli_page(top)
    assert "## provenance\n" in page
    assert "## provenance dig\n" in page
    assert "Usage: provenance dig [OPTIONS]" in page
    assert "How deep." in page
    assert "Hide words" not in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Every link inside the repository names a file, and a heading that the file has."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            wrong.append(target)
    assert wrong == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, formed as the usual renderers do."""
    headings = re.findall(r"^#+ +(.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_entry_page_names_every_page() -> None:
    """`docs/index.md` leads to each page of `docs/`, the records of decisions included."""
    entry = (DOCS / "index.md").read_text("utf-8")
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} - {"index.md"}
    assert {page for page in pages if f"]({page})" not in entry} == set()


def test_records_of_decisions_are_numbered_once() -> None:
    """Each ADR has a number of its own and opens with it."""
    numbers = []
    for page in sorted((DOCS / "adr").glob("*.md")):
        number = page.name[:4]
        numbers.append(number)
        assert page.read_text("utf-8").startswith(f"# {int(number)}. "), page.name
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    "name",
    sorted(
        found.name
        for found in pkgutil.walk_packages(provenance.__path__, "provenance.")
        if not found.name.endswith("__main__")
    ),
)
def test_examples_in_docstrings_hold(name: str) -> None:
    """Every doctest of the module gives what it says."""
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


@pytest.fixture(scope="module")
def demo_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the demo once; return the archive root it leaves."""
    where = tmp_path_factory.mktemp("docs")
    done = shell("provenance demo", where)
    assert done.returncode == 0, done.stderr
    return where / "demo-archive"


def by_hand(root: Path) -> subprocess.CompletedProcess[str]:
    """Run every block of the page in an archive root."""
    tools = ("sqlite3", "gzip", "sha256sum", "openssl")
    if missing := [tool for tool in tools if not shutil.which(tool)]:
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    return shell("\n".join(blocks(DOCS / "verify-by-hand.md", "sh")), root, LC_ALL="C.UTF-8")


def test_the_commands_of_verify_by_hand_run(demo_root: Path) -> None:
    """Each block of the page, run by a shell in the demo's archive, checks what it says."""
    done = by_hand(demo_root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("content id ") == 3


@pytest.mark.parametrize("column", ["capture_id", "content_id"])
def test_the_commands_of_verify_by_hand_see_a_lie(
    demo_root: Path, tmp_path: Path, column: str
) -> None:
    """Where the index names another id than the bytes have, the commands fail."""
    root = shutil.copytree(demo_root, tmp_path / "root")
    with contextlib.closing(sqlite3.connect(root / "metadata" / "provenance.db")) as index:
        index.execute(f"UPDATE capture SET {column} = replace({column}, 'a', 'b')")
        index.commit()
    assert by_hand(root).returncode == 1


REPORTS = (
    "init more --json",
    "list --json",
    "search --json bridge",
    "fetch --json pilots-letter",
    "add --json pilots-letter.txt",
    "index --json",
    "index --check --json",
    "publish site --json",
    "verify --json {document}",
    "log checkpoint --json",
    "log consistency --json metadata/log/checkpoint",
    "verify --json",
    "verify --json",
    "cite --json {document}",
    "show --json {document}",
    "links --json {document}",
)


def keys_of(item: object) -> Iterator[str]:
    """Yield the keys of an object and of the objects in it; counts by outcome word are no keys."""
    if isinstance(item, dict):
        for key, value in item.items():
            yield key
            if key != "outcomes":
                yield from keys_of(value)
    elif isinstance(item, list):
        for each in item:
            yield from keys_of(each)


def test_every_key_of_a_json_object_is_documented(demo_root: Path, tmp_path: Path) -> None:
    """`docs/json.md` has a section for each object's type, and names each of its keys."""
    root = Path(shutil.copytree(demo_root, tmp_path / "root"))
    listing = shell("provenance list --json", root)
    rows = [json.loads(line) for line in listing.stdout.splitlines()]
    document = next(row["document"] for row in rows if row.get("content_id"))
    page = (DOCS / "json.md").read_text("utf-8")
    wrong, kinds = set(), set()
    for report in REPORTS:
        if report == REPORTS[-4]:  # once more, with a finding and a note
            (root / "archive" / "foreign.txt").write_text("foreign")
            (root / "seeds" / "harbour-bridge.toml").open("a").write("# changed\n")
        done = shell(f"provenance {report.format(document=document)}", root)
        assert done.returncode in (0, 3, 4), f"{report}: {done.stderr}"
        for item in map(json.loads, done.stdout.splitlines()):
            kind = item.pop("type")
            section = re.search(rf"^## `{kind}`$(.*?)(?=^## |\Z)", page, re.M | re.S)
            named = set(re.findall(r"`(\w+)`", section[1])) if section else set()
            wrong |= {f"{kind}.{key}" for key in {*keys_of(item)} - named}
            kinds.add(kind)
    assert wrong == set()
    assert kinds == set(re.findall(r"^## `(\w+)`$", page, re.M))


def test_every_field_of_the_demo_is_in_the_profile(demo_root: Path) -> None:
    """`docs/warc-profile.md` names each warcinfo field and each key of each metadata record."""
    page = (DOCS / "warc-profile.md").read_text("utf-8")
    tables = {
        section.partition("\n")[0]: section for section in re.split(r"^#+ ", page, flags=re.M)
    }
    warcinfo = set(re.findall(r"^\| `([\w-]+)`", tables["warcinfo"], re.M))
    capture = set(re.findall(r"`(\w+)`", tables["The metadata record of a capture"]))
    run = set(re.findall(r'"(\w+)"', tables["The closing record"]))
    wrong = set()
    for kind, block in records_of(demo_root / "archive"):
        if kind == "warcinfo":
            names = {line.partition(":")[0] for line in block.decode().splitlines() if line}
            wrong |= {name for name in names if not name.startswith("setting-")} - warcinfo
        elif kind == "metadata" and block.startswith(b"{"):
            said = json.loads(block)
            wrong |= set(said) - (run if said["profile"].endswith("run-1") else capture)
    assert wrong == set()


def records_of(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield type and block of each record, by what the standard says of their form alone."""
    for path in sorted(archive.glob("*.warc.gz")):
        raw = gzip.decompress(path.read_bytes())
        while raw:
            head, _, rest = raw.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            size = int(fields["Content-Length"])
            yield fields["WARC-Type"], rest[:size]
            raw = rest[size + 4 :]


def test_the_table_of_floors_is_that_of_the_house() -> None:
    """`docs/architecture.md` has each floor and each room of it that the tests hold imports to."""
    from tests.test_house import FLOORS

    rows = re.findall(r"^\| ([\w ]*?) ?\| (.*?) \|", (DOCS / "architecture.md").read_text(), re.M)
    found: dict[str, set[str]] = {}
    floor = ""
    for name, rooms in rows:
        floor = name or floor
        found.setdefault(floor, set()).update(re.findall(r"`(\w+)`", rooms))
    assert {name: rooms for name, rooms in found.items() if rooms} == {
        name: set(rooms) for name, rooms in FLOORS
    }


def test_the_commands_of_the_tutorial_run(tmp_path: Path) -> None:
    """Each block of the page, pasted into a shell in order, gives what the page says."""
    if missing := [tool for tool in ("python3", "sha256sum") if not shutil.which(tool)]:
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = "\n".join(blocks(DOCS / "tutorial.md", "sh")).replace("8765", str(port))
    # Where a step fails, the server must not outlive the test.
    done = shell(f"trap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n{script}", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "exit status 3" in done.stdout
    listing = shell("provenance list --json", tmp_path / "bridge")
    rows = [json.loads(line) for line in listing.stdout.splitlines()]
    assert {row["document"]: row["versions"] for row in rows} == {
        "gazette-article": 2,
        "council-minutes": 1,
    }
    assert rows[1]["content_id"].removeprefix("sha256:") in done.stdout
    assert "0 findings" in done.stdout


def commands_shown(page: Path) -> Iterator[list[str]]:
    """Yield the words of each line of a page's blocks that calls the program."""
    for block in blocks(page, r"(?:sh|text|console)"):
        for line in re.sub(r"\\\n", " ", block).splitlines():
            shown = line.removeprefix("$ ")
            if not re.match(r"(?:\S+=\S* )*provenance ", shown):
                continue
            words = [*shlex.split(shown, comments=True)[1:], "&&"]
            yield words[: next(at for at, word in enumerate(words) if word in ("&&", "||", "|"))]


SHOWING = tuple(page for page in PAGES if page.name not in ("cli.md", "CHANGELOG.md"))


def test_every_command_that_a_page_shows_is_one() -> None:
    """README and docs name no command and no option that there is not."""
    from provenance.cli.group import group

    seen = 0
    for page in SHOWING:
        for words in commands_shown(page):
            at = words.index("-C") + 2 if words[:1] == ["-C"] else 0
            if words[at:] and words[at] != "[OPTIONS]":
                command = group.get_command(click.Context(group), words[at])
                assert command is not None, (page.name, words)
                command.make_context(words[at], words[at + 1 :])
                seen += 1
    assert seen > 20


LEFT_OUT = ("make test", "git clone", "cd ", "make clean")
"""README lines that are not run again from inside the tests."""


@pytest.mark.long
def test_the_commands_of_the_readme_work() -> None:
    """Every line in a `sh` block of the README runs in order; a server answers, then is stopped."""
    if not (ROOT / ".venv").is_dir():
        pytest.skip("the environment is not one that make made")
    for line in "\n".join(blocks(ROOT / "README.md", "sh")).splitlines():
        command = line.partition(" #")[0].strip()
        if not command or command.startswith(("#", *LEFT_OUT)):
            continue
        if command.split()[-1] == "serve":
            assert serves(command), command
        else:
            done = shell(command, ROOT)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def serves(command: str) -> bool:
    """Start a server, ask the address it prints for its home page, stop it; True on status 200."""
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if address := re.search(r"http://127\.0\.0\.1:\d+/?", line):
                direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                with direct.open(address[0], timeout=60) as answer:
                    return bool(answer.status == 200)
        return False
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=60)
