"""What is handed out: sdist and wheel hold all that the program needs, and install offline."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="the locked build backend is not installed")

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "provenance"

pytestmark = pytest.mark.long


def run(*command: str, cwd: Path, **environment: str) -> None:
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def kept_files() -> set[str]:
    """Return every file of the package as it stands in the source, caches left out."""
    found = (path for path in SOURCE.rglob("*") if path.is_file())
    return {
        path.relative_to(SOURCE.parent).as_posix()
        for path in found
        if "__pycache__" not in str(path)
    }


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run("-m", "hatchling", "build", "-t", "sdist", "-d", str(folder), cwd=ROOT)
    (made,) = folder.glob("*.tar.gz")
    return made


@pytest.fixture(scope="module")
def unpacked(sdist: Path) -> Path:
    with tarfile.open(sdist) as archive:
        archive.extractall(sdist.parent, filter="data")
    return sdist.parent / sdist.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def installed(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install from the unpacked sdist, without a network, by the backend that is locked."""
    target = tmp_path_factory.mktemp("installed")
    offline = ("--no-index", "--no-deps", "--no-build-isolation")
    run("-m", "pip", "install", *offline, "--target", str(target), ".", cwd=unpacked)
    return target


def test_the_sdist_holds_the_package_its_tests_and_its_locks(unpacked: Path) -> None:
    """Every file of the source is in it, and what a packager needs to test and to build it."""
    missing = {name for name in kept_files() if not (unpacked / "src" / name).is_file()}
    assert missing == set()
    for name in ("LICENSE", "README.md", "pyproject.toml", "requirements/run.txt", "tests/wire.py"):
        assert (unpacked / name).is_file(), name
    strays = [path.name for path in unpacked.iterdir() if path.name.startswith(".venv")]
    assert strays == []


def test_the_wheel_from_the_sdist_is_the_wheel_from_the_checkout(
    unpacked: Path, tmp_path: Path
) -> None:
    """Both hold every file of the package, byte for byte the same."""
    contents = []
    for source in (ROOT, unpacked):
        folder = tmp_path / source.name
        run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=source)
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            contents.append({name: archive.read(name) for name in archive.namelist()})
    assert contents[0] == contents[1]
    assert kept_files() - contents[0].keys() == set()


def test_what_is_installed_runs_the_demo_and_serves_its_pages(
    installed: Path, tmp_path: Path
) -> None:
    """Demo site, templates and stylesheets are found where they were installed."""
    where = {"PYTHONPATH": str(installed)}
    program = ("-c", "from provenance.cli import main; main()")
    run(
        "-c",
        f"import provenance; assert {str(installed)!r} in provenance.__file__",
        cwd=tmp_path,
        **where,
    )
    run(*program, "demo", cwd=tmp_path, **where)
    serving = subprocess.Popen(
        [sys.executable, *program, "-C", "demo-archive", "serve", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, **where},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stderr is not None
        address = serving.stderr.readline().rpartition(" ")[2].strip().rstrip("/")
        for path, words in (
            ("/", "The harbour bridge at Vellhaven"),
            ("/-/provenance/site.css", ".timeline"),
            ("/-/provenance/tables.css", ".rows-and-columns"),
            ("/provenance/capture", "tables.css"),
        ):
            with urllib.request.urlopen(address + path, timeout=60) as answer:
                assert words in answer.read().decode(), path
    finally:
        serving.terminate()
        serving.communicate(timeout=60)
