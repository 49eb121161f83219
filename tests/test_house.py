"""Hold the plan of the house, and check every import, door and room of the source against it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"

FLOORS = (
    (
        "ground",
        (
            "errors",
            "runtime",
            "digest",
            "regular_file",
            "uri",
            "dates",
            "plain_text",
            "names",
            "http_message",
            "http_body",
            "parallel",
            "listening",
        ),
    ),
    ("words", ("model", "holdings", "seeds")),
    ("below the wings", ("reading",)),
    ("wings", ("exchange", "warc", "extract", "gather", "index", "cite", "log", "web")),
    ("between", ("landing", "timestamps", "findings")),
    ("first judgement", ("whole",)),
    ("second judgement", ("rungs",)),
    (
        "verbs",
        (
            "fetch",
            "verify",
            "checkpointing",
            "proving",
            "dating",
            "witnessing",
            "witness",
            "addition",
            "indexing",
            "citing",
            "page_source",
            "replay",
            "publishing",
            "run_files",
        ),
    ),
    ("before the hall", ("catalogue", "commitments", "showing")),
    ("antechamber", ("exhibition",)),
    ("hall", ("archive",)),
    ("beside the roof", ("demo", "plugged")),
    ("roof", ("cli",)),
    ("street door", ("__main__",)),
)
"""Each room under its floor, the ground first. Imports go downward.

On the ground and among the words, rooms may also import their neighbours, without a circle; wings
and verbs do not know each other. `landing` reads pages by means of the wings, for
the verbs; `timestamps` dates what `log` commits to. `whole` and `rungs` judge for `verify`, which
asks them.
The package itself (`provenance/__init__.py`) is below the ground.
"""

NEIGHBOURLY = ("ground", "words")

DOORS: dict[str, tuple[str, ...]] = {
    "warcio": ("warc/",),
    "fastwarc": ("warc/",),
    "isal": ("warc/", "whole/inflate.py", "http_body.py"),
    "orjson": ("whole/statements.py",),
    "zlib": ("warc/", "http_body.py", "extract/png.py"),
    "gzip": ("warc/", "http_body.py"),
    "brotli": ("http_body.py",),
    "zstandard": ("http_body.py",),
    "requests": ("exchange/",),
    "urllib3": ("exchange/",),
    "socks": ("exchange/",),
    "http": ("exchange/",),
    "ssl": ("exchange/",),
    "socket": ("runtime.py", "exchange/", "demo/", "listening.py"),
    "protego": ("fetch/",),
    "click": ("cli/",),
    "tqdm": ("cli/progress.py",),
    "sqlite_utils": ("index/",),
    "sqlite3": ("index/", "reading/", "web/"),
    "datasette": ("web/",),
    "jinja2": ("web/",),
    "markupsafe": ("web/",),
    "uvicorn": ("listening.py",),
    "selectolax": ("extract/",),
    "lxml": ("extract/", "gather/markup.py"),
    "tinycss2": ("gather/css.py",),
    "cryptography": ("log/", "timestamps/"),
    "rfc3161_client": ("timestamps/second.py",),
    "idna": ("uri.py",),
    "resiliparse": ("extract/",),
    "trafilatura": ("extract/",),
    "charset_normalizer": ("extract/",),
    "pypdfium2": ("extract/",),
    "pypdf": ("extract/",),
    "tomllib": ("seeds/",),
}
"""The one place that may name each foreign library: a room (`warc/`) or a file (`runtime.py`)."""

DISTRIBUTIONS = {"socks": "pysocks"}
"""What a library is called on the index, where that is another name."""

SINGLE_FILE_DOORS = ("protego", "sqlite_utils", "brotli", "zstandard", "socks")
"""Libraries that one file alone names, wherever in its room that file is."""

WORLD = re.compile(
    r"datetime\.datetime\.(now|utcnow|today)\Z|datetime\.date\.today\Z"
    r"|time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns|sleep|gmtime"
    r"|localtime|tzset)\Z"
    r"|uuid\.(uuid1|uuid4)\Z|os\.(environ|environb|getenv|urandom|getlogin|getcwd)\b"
    r"|random\b|secrets\b|socket\.(getaddrinfo|gethostbyname|gethostname)\Z|platform\b|locale\b"
)
"""What only `runtime.py` may ask the machine for: the clock, chance, the environment, names."""

LINES = 450


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One source file: its dotted name without `provenance.`, its path and its syntax tree."""

    name: str
    path: Path
    tree: ast.Module
    is_package: bool

    @property
    def room(self) -> str:
        return self.name.split(".")[0]

    @property
    def place(self) -> str:
        return self.path.relative_to(SOURCE / "provenance").as_posix()


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted((SOURCE / "provenance").rglob("*.py")):
        parts = path.relative_to(SOURCE / "provenance").with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        tree = ast.parse(path.read_text("utf-8"), str(path))
        found.append(Module(name=name, path=path, tree=tree, is_package=is_package))
    return tuple(found)


def imported(module: Module) -> Iterator[str]:
    """Yield every absolute dotted name that a module imports, wherever the import stands."""
    package = ["provenance", *module.name.split(".")] if module.name else ["provenance"]
    if not module.is_package:
        package = package[:-1]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def own_imports(module: Module) -> set[str]:
    """Return the names of our own modules that `module` imports, without `provenance.`."""
    known = {other.name for other in modules()}
    found = set()
    for name in imported(module):
        parts = name.split(".")
        if parts[0] != "provenance":
            continue
        while ".".join(parts[1:]) not in known:
            parts.pop()
        found.add(".".join(parts[1:]))
    return found


def floor_of(room: str) -> int:
    if room == "":
        return -1
    for number, (_, rooms) in enumerate(FLOORS):
        if room in rooms:
            return number
    pytest.fail(f"{room} stands on no floor: give it one in FLOORS")


def may_import(importer: str, room: str) -> bool:
    here, there = floor_of(importer), floor_of(room)
    if room == "demo":
        return importer in ("demo", "cli")
    if here == there:
        return importer == room or FLOORS[here][0] in NEIGHBOURLY
    return there < here


def test_imports_go_downward() -> None:
    """Every import, inside functions and under TYPE_CHECKING too, leads to a lower floor."""
    wrong = [
        f"{module.place} ({FLOORS[floor_of(module.room)][0]}) imports {name}"
        for module in modules()
        for name in sorted(own_imports(module))
        if not may_import(module.room, name.split(".")[0])
    ]
    assert wrong == []


def test_the_plan_tells_upward_sideways_and_downward_apart() -> None:
    """The plan forbids wing to wing, verb to verb, low to high, and the demo but to the roof."""
    assert may_import("cli", "archive")
    assert may_import("model", "digest")
    assert may_import("holdings", "model")
    assert not may_import("index", "warc")
    assert not may_import("fetch", "verify")
    assert not may_import("digest", "model")
    assert not may_import("archive", "demo")
    assert not may_import("demo", "cli")
    assert not may_import("", "errors")


def test_imports_run_in_no_circle() -> None:
    """No module reaches itself by following imports."""
    graph = {module.name: own_imports(module) - {module.name} for module in modules()}
    finished: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " imports ".join((*path[path.index(name) :], name))
        if name not in finished:
            for other in graph[name]:
                walk(other, (*path, name))
            finished.add(name)

    for name in graph:
        walk(name, ())


def test_each_foreign_library_has_one_door() -> None:
    """A library is named only behind its door, and every library used has a door."""
    wrong = []
    for module in modules():
        for library in {name.split(".")[0] for name in imported(module)}:
            doors = DOORS.get(library)
            if library == "provenance" or (doors is None and library in sys.stdlib_module_names):
                continue
            if doors is None:
                wrong.append(f"{module.place} names {library}, which has no door in DOORS")
            elif not any(
                module.place == door or (door.endswith("/") and module.place.startswith(door))
                for door in doors
            ):
                wrong.append(f"{module.place} names {library}, whose door is {' or '.join(doors)}")
    assert wrong == []


def test_each_foreign_library_is_declared() -> None:
    """What the source names, pyproject.toml asks for; nothing comes by the grace of another."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = {
        re.split(r"[^A-Za-z0-9_-]", line)[0].lower().replace("-", "_")
        for line in settings["project"]["dependencies"]
    }
    named = {name.split(".")[0] for module in modules() for name in imported(module)}
    foreign = named - {"provenance"} - sys.stdlib_module_names
    assert {DISTRIBUTIONS.get(name, name) for name in foreign} - asked == set()


@pytest.mark.parametrize("library", SINGLE_FILE_DOORS)
def test_some_libraries_are_named_by_one_file(library: str) -> None:
    """One file alone knows this library."""
    files = {
        module.place
        for module in modules()
        if library in {name.split(".")[0] for name in imported(module)}
    }
    assert len(files) <= 1, files


def asked_of_the_world(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, name) for each use of a name that WORLD forbids, through any import alias."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name if alias.asname else alias.name.split(".")[0]
                names[alias.asname or root] = root
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        dotted = ast.unparse(node)
        root, _, rest = dotted.partition(".")
        full = ".".join(filter(None, (names.get(root), rest))) if root in names else ""
        if full and WORLD.match(full):
            yield node.lineno, full


def test_only_the_runtime_asks_for_clock_chance_and_environment() -> None:
    """Clock, randomness, environment and name resolution come from `runtime.py` as arguments."""
    wrong = [
        f"{module.place}:{line} asks for {name}"
        for module in modules()
        if module.place != "runtime.py"
        for line, name in asked_of_the_world(module.tree)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "from time import sleep as rest\nrest(1)",
        "from datetime import datetime\ndatetime.now()",
        "import datetime as d\nd.datetime.utcnow()",
        "import os\nos.environ['A']",
        "from os import environ\nenviron.get('A')",
        "import random\nrandom.random()",
        "import uuid\nuuid.uuid4()",
    ],
)
def test_asking_the_world_is_seen_through_aliases(source: str) -> None:
    """No way of importing hides the real clock, chance or environment."""
    assert list(asked_of_the_world(ast.parse(source)))


def test_only_the_roof_ends_the_process() -> None:
    """`sys.exit` and `SystemExit` stand nowhere below `cli/`."""
    wrong = [
        f"{module.place}:{node.lineno}"
        for module in modules()
        if module.room not in ("cli", "__main__")
        for caught in [
            {id(each.type) for each in ast.walk(module.tree) if isinstance(each, ast.ExceptHandler)}
        ]
        for node in ast.walk(module.tree)
        if id(node) not in caught  # to catch another library's exit is not to exit
        if (isinstance(node, ast.Name) and node.id in ("SystemExit", "exit", "quit"))
        or (isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.exit", "os._exit"))
    ]
    assert wrong == []


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.place)
def test_a_module_opens_with_what_it_is_for(module: Module) -> None:
    """A module's docstring opens with one whole sentence on a line of its own."""
    opening = (ast.get_docstring(module.tree) or "").partition("\n\n")[0]
    assert opening.replace("\n", " ").endswith("."), f"{module.place} opens with {opening!r}"


def public_without_docstring(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_"):
            continue
        overload = any("overload" in ast.unparse(mark) for mark in node.decorator_list)
        if not overload and not ast.get_docstring(node):
            yield f"{prefix}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from public_without_docstring(node.body, f"{prefix}{node.name}.")


def test_public_names_say_what_they_do() -> None:
    """Every public class, function and method has a docstring."""
    wrong = [
        f"{module.place}: {name}"
        for module in modules()
        for name in public_without_docstring(module.tree.body)
    ]
    assert wrong == []


def test_no_room_is_a_hall() -> None:
    """A file is short enough to be read in one sitting."""
    long = {
        module.place: lines
        for module in modules()
        if (lines := len(module.path.read_text("utf-8").splitlines())) > LINES
    }
    assert long == {}


@cache
def committed() -> tuple[Path, ...]:
    """Return the files git knows, or nothing outside a checkout."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    names = [name for name in listing.stdout.decode().split("\0") if name]
    return tuple(ROOT / name for name in names if (ROOT / name).is_file())


LEAKS = re.compile(
    r"(?:pypi|pythonhosted|npmjs|anaconda)\.(?:org|com)"
    r"|https?://\S*/simple\b"
    r"|--(?:extra-)?index-url[ =]\S*//|--find-links[ =]\S*/"
    r"|(?<![\w.}/-])/(?:root|home|Users|work)/[A-Za-z]"
)
"""A package index's address, or an absolute path of somebody's machine."""


def test_no_committed_file_names_an_index_or_a_machine() -> None:
    """No package index host and no absolute home path stands in a committed file."""
    if not committed():
        pytest.skip("not a git checkout")
    wrong = []
    for path in committed():
        raw = path.read_bytes()
        if b"\0" in raw or path == Path(__file__):
            continue
        for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
            if LEAKS.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert wrong == []


def test_no_committed_file_is_a_link() -> None:
    """A link names a place on the machine that made it."""
    listing = subprocess.run(
        ["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    if not listing.stdout:
        pytest.skip("not a git checkout")
    assert [line for line in listing.stdout.decode().splitlines() if line.startswith("12")] == []


@pytest.mark.parametrize(
    "line",
    [
        "see https://" + "pypi.org/project/x",
        "--extra-index" + "-url https://example.org/" + "simple",
        "open('/ro" + "ot/x')",
        "cd " + "/home/alice/x",
    ],
)
def test_leaks_are_seen(line: str) -> None:
    """The pattern finds what it is there for."""
    assert LEAKS.search(line)
