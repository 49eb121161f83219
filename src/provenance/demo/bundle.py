"""Read the files that ship with the demo, and lay its collection into a directory."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

COLLECTION = "harbour-bridge"
LOCAL_DOCUMENT = "pilots-letter"
"""The document that is added from a local file, not fetched."""

_SEEDS = f"{COLLECTION}.toml"
_LOCAL = f"{LOCAL_DOCUMENT}.txt"


def read_page(name: str) -> bytes:
    """Return the bytes of one file of the demo's pages."""
    return _read("pages", name)


def write_seeds(directory: Path) -> Path:
    """Write the demo's seeds file into `directory`, which must exist, and return its path."""
    return _copy("seeds", _SEEDS, directory)


def write_local_file(directory: Path) -> Path:
    """Write the letter to be added into `directory`, which must exist, and return its path."""
    return _copy("local", _LOCAL, directory)


def _read(folder: str, name: str) -> bytes:
    return files("provenance.demo").joinpath(folder, name).read_bytes()


def _copy(folder: str, name: str, directory: Path) -> Path:
    path = directory / name
    path.write_bytes(_read(folder, name))
    return path
