"""The docs are what the code is: made from it, linked without gaps, and their commands run."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import importlib.util
import json
import os
import pkgutil
import re
import shutil
import signal
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
    """Yield the text of each fenced block of `language`, in page order."""
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
    "list --json",
    "search --json bridge",
    "index --json",
    "index --check --json",
    "verify --json",
    "cite --json {document}",
    "show --json {document}",
    "links --json {document}",
)


def test_every_key_of_a_json_object_is_documented(demo_root: Path) -> None:
    """`docs/json.md` has a section for each object's type, and names each of its keys."""
    listing = shell("provenance list --json", demo_root)
    rows = [json.loads(line) for line in listing.stdout.splitlines()]
    document = next(row["document"] for row in rows if row.get("content_id"))
    page = (DOCS / "json.md").read_text("utf-8")
    wrong = set()
    for report in REPORTS:
        done = shell(f"provenance {report.format(document=document)}", demo_root)
        assert done.returncode in (0, 3), f"{report}: {done.stderr}"
        for item in map(json.loads, done.stdout.splitlines()):
            section = re.search(rf"^## `{item['type']}`$(.*?)(?=^## |\Z)", page, re.M | re.S)
            keys = set(item) - {"type"}
            named = set(re.findall(r"`(\w+)`", section[1])) if section else set()
            wrong |= {f"{item['type']}.{key}" for key in keys - named}
    assert wrong == set()


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
