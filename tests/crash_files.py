"""The files of `tests/crashes/`: what a reader failed on once, or would fail on without a guard.

    python -m tests.crash_files

writes them and their README. A file is named READER-DEFECT.bin, READER being one of
`fuzz_readers.READERS`. Each is as small as still shows the defect; where that takes many bytes of
one kind, gzip holds them, and the file is named READER-DEFECT.bin.gz.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from provenance.timestamps.ots import MAGIC
from tests.verify_builders import capture, packed, rec, to_json, warcinfo

FOLDER = Path(__file__).parent / "crashes"
_MANY = 100_000
_BOMB = base64.b64decode(
    "H4sIAAAAAAACA+3dMU7CcBQH4JbWhJiAdXBigIFDdCHBxDA76Gw8AGewiWFicWDwAs5M7BAd9ATiYOIBjIMxToRi"
    "ewrz5/umN//GX17e606bUaWRfK7i+G8o7rbzr+ZhBAAAAASueLtNqjIg6pWvo/NLAAAAIHTXR+20LgU2V51TcQAA"
    "AEDwJoM8qzcEvm/GqTgAAAAgeCe/H8O6C3guF8cX8gAAAIDgrR0MAAAAgL3iYAAAAADsl4dB3q+6gOynXLy3fFb4"
    "X5YH90+zs+LxJd4BfubvEghyAAA="
)
"""30,000,000 zero bytes in gzip in gzip; kept as they are, since each zlib packs otherwise."""


@dataclass(frozen=True, slots=True)
class CrashFile:
    """An input, and what it was: one line for the README."""

    raw: bytes
    was: str


def _metadata(block: bytes) -> bytes:
    said = rec("metadata", 99, block, "application/json", ("WARC-Target-URI", "http://a.example/"))
    return packed([warcinfo(), *capture(10).records, said])


def _beyond_ascii() -> bytes:
    anchor = capture(10).anchor.having(WARC_Block_Digest="sha256:\N{SNOWMAN}" + "0" * 63)
    return packed([warcinfo(), *capture(10).with_anchor(anchor).records])


def _files() -> Mapping[str, CrashFile]:
    profile = to_json({"profile": "x"}).replace(b'"x"', b"[" * _MANY)
    return {
        "verify-digest-beyond-ascii": CrashFile(
            _beyond_ascii(),
            "`base64` raised `ValueError`, not its own error, for a digest that is not ASCII.",
        ),
        "verify-header-of-one-name": CrashFile(
            b"WARC/1.1\r\n" + b"a:b\r\n" * 200_000 + b"\r\n",
            "A header of 200,000 lines of one name was made anew at each: most of a minute.",
        ),
        "verify-metadata-nested": CrashFile(
            _metadata(profile), "`json` raises `RecursionError` for a text nested this deeply."
        ),
        "survey-metadata-nested": CrashFile(_metadata(profile), "The same, read for the index."),
        "survey-metadata-long-number": CrashFile(
            _metadata(b'{"profile": %s}' % (b"9" * 5000)),
            "Python refuses to read a number of more than 4,300 digits, with a `ValueError`.",
        ),
        "sidecar-nested": CrashFile(b"[" * _MANY + b"\n", "`RecursionError` again, in a sidecar."),
        "seeds-nested": CrashFile(
            b"a = " + b"[" * _MANY, "`tomllib` raises `RecursionError` for arrays in arrays."
        ),
        "seeds-key-of-many-parts": CrashFile(
            b"a." * 75_000 + b"a = 1",
            "`tomllib` takes time that grows with the square of a key's parts: four minutes here.",
        ),
        "gather-timemap-long-number": CrashFile(
            b'{"timestamp": %s}' % (b"1" * 5000), "A number of 5,000 digits in a TimeMap."
        ),
        "gather-xml-of-faults": CrashFile(
            b"<html><body>" + b"<b]" * 300_000 + b"</body></html>",
            "libxml2, told to go on, looks through all the rest at each fault: over a minute here.",
        ),
        "http-chunk-size-long": CrashFile(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 5000 + b"\r\n",
            "A chunk size of 5,000 digits: no length that can be waited for.",
        ),
        "http-bomb": CrashFile(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n\r\n" + _BOMB,
            "A body that unfolds to a hundred thousand times its size by two codings.",
        ),
        "html-nested": CrashFile(
            b"<b>" * _MANY + b"x", "A tree this deep ends a parser that recurses."
        ),
        "ots-number-endless": CrashFile(
            MAGIC + b"\xff" * 60_000 + b"\x01",
            "The reference library reads such a number in time that grows with its square.",
        ),
        "ots-operations-endless": CrashFile(
            MAGIC + b"\x01\x08" + bytes(32) + b"\x08" * 60_000,
            "Operations without an end: a reader that recurses ends itself.",
        ),
    }


def crash_files() -> dict[str, CrashFile]:
    """Return every file by its name."""
    found = {}
    for stem, each in sorted(_files().items()):
        small = gzip.compress(each.raw, 9, mtime=0)
        if len(small) < len(each.raw) // 4:
            found[f"{stem}.bin.gz"] = CrashFile(small, each.was)
        else:
            found[f"{stem}.bin"] = each
    return found


def content_of(raw: bytes) -> bytes:
    """Return what a file holds, however it was packed."""
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


def readme(files: Mapping[str, CrashFile]) -> str:
    """Return the README: a line for each file."""
    lines = [
        "# Inputs that a reader failed on, or would fail on without a guard",
        "",
        "Made by `python -m tests.crash_files`; `tests/test_crashes.py` feeds each to its reader.",
        "The first word of a name is the reader. Inputs that a long run of `tests.fuzz_program`",
        "finds are made small, mended, and described here.",
        "",
        "| file | what it was |",
        "|---|---|",
        *(f"| `{name}` | {each.was} |" for name, each in files.items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the files and the README."""
    FOLDER.mkdir(exist_ok=True)
    files = crash_files()
    for path in FOLDER.iterdir():
        path.unlink()
    for name, each in files.items():
        (FOLDER / name).write_bytes(each.raw)
    (FOLDER / "README.md").write_text(readme(files), "utf-8")


if __name__ == "__main__":
    main()
