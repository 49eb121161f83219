"""The lock files are complete, hashed, and agree with what the project declares."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = (*sorted((ROOT / "requirements").glob("*.txt")), ROOT / "benchmarks" / "peers.txt")


def locked(path: Path) -> dict[str, Requirement]:
    """Return the requirements of a lock by name, each with its hashes cut off."""
    logical = path.read_text("utf-8").replace("\\\n", " ").splitlines()
    lines = [line.split(" --hash=")[0].strip() for line in logical if not line.startswith(" ")]
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(one.name): one for one in found}


def declared(path: Path) -> list[Requirement]:
    lines = [line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
    return [Requirement(line) for line in lines if line]


def project() -> dict[str, dict[str, list[str]]]:
    settings: dict[str, dict[str, list[str]]] = tomllib.loads(
        (ROOT / "pyproject.toml").read_text("utf-8")
    )
    return settings


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.parent.name + "/" + path.name)
def test_a_lock_is_pinned_hashed_and_names_no_index(lock: Path) -> None:
    """Each requirement is one exact version with hashes; no option, address or path is there."""
    text = lock.read_text("utf-8").replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line and line[0] not in " #"]
    assert requirements
    for line in requirements:
        assert re.match(
            r"[a-z0-9-]+==[^ ;]+( ; [^-]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*\Z", line
        ), line[:120]
    assert "://" not in text


def test_the_run_lock_holds_what_the_project_and_its_build_need() -> None:
    """Every dependency and every build requirement is locked at a version that it allows."""
    pins = locked(ROOT / "requirements" / "run.txt")
    settings = project()
    for text in settings["project"]["dependencies"] + settings["build-system"]["requires"]:
        wanted = Requirement(text)
        pin = pins[canonicalize_name(wanted.name)]
        version = str(pin.specifier).removeprefix("==")
        assert wanted.specifier.contains(version, prereleases=True), f"{pin} is not {wanted}"


def test_the_build_requirement_is_pinned_once() -> None:
    """`requirements/build.in` says the same as pyproject.toml's build-system table."""
    built = [str(one) for one in declared(ROOT / "requirements" / "build.in")]
    assert built == project()["build-system"]["requires"]


def test_the_locks_agree_with_their_declarations() -> None:
    """What `*.in` asks for is in the lock beside it."""
    for lock in LOCKS:
        source = lock.with_suffix(".in")
        if source.exists():
            missing = {canonicalize_name(one.name) for one in declared(source)} - set(locked(lock))
            assert missing == set(), lock.name


def test_the_two_locks_of_one_environment_agree() -> None:
    """The test lock, installed over the run lock, changes no version of it."""
    run = locked(ROOT / "requirements" / "run.txt")
    dev = locked(ROOT / "requirements" / "dev.txt")
    changed = [
        name for name in run.keys() & dev.keys() if run[name].specifier != dev[name].specifier
    ]
    assert changed == []
