"""Archives with a signed log for tests of witnessing, and what is asked of them.

A test file makes its own fixtures of these.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from provenance.archive import Archive
from provenance.exchange.posting import Reply
from provenance.log.checkpoint import CosigningKey
from provenance.log.folder import LogFolder
from provenance.log.keyfile import write_key_file
from provenance.runtime import system_runtime
from provenance.witness.folder import WitnessFolder
from provenance.witness.service import Service
from provenance.witnessing import Witnessed, add_cosignature
from tests.cli_program import Ended, run, small_root
from tests.witness_rig import LOG, WITNESS, Desk, Program

OTHER = CosigningKey(name="second.example/w2", seed=bytes([8]) * 32)


def signed_root(folder: Path) -> Path:
    """Make a root with a capture and a signed checkpoint; the operator's key lies beside it."""
    archive = small_root(folder / "root")
    write_key_file(folder / "operator.key", LOG)
    archive.checkpoint(key_file=folder / "operator.key")
    return archive.root


def copy_of(signed: Path, folder: Path) -> Path:
    """Copy such a root, with its key."""
    shutil.copy(signed.parent / "operator.key", folder / "operator.key")
    return Path(shutil.copytree(signed, folder / "root"))


def grow(root: Path, text: str, document: str = "minutes") -> int:
    """Seal one more file, commit to it, and return the size of the log."""
    path = root.parent / "minutes.txt"
    path.write_text(text)
    archive = Archive(root)
    assert len(list(archive.add([path], document=document))) == 1
    return archive.checkpoint(key_file=root.parent / "operator.key").size


def ask(root: Path, program: Program, *more: str, key: str = WITNESS.verifier.line) -> Ended:
    return run("log", "witness", program.url, "--witness-key", key, *more, cwd=root)


def log_files(root: Path) -> dict[str, bytes]:
    folder = root / "metadata" / "log"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def verified(root: Path, *words: str | Path) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """Return the status of `verify`, what it told, and its summary."""
    ended = run("verify", "--json", *words, cwd=root)
    told = [json.loads(line) for line in ended.out.splitlines()]
    return ended.status, told[:-1], told[-1]


def codes(told: list[dict[str, Any]], kind: str = "finding") -> list[str]:
    return [each["code"] for each in told if each["type"] == kind]


def sizes(root: Path) -> tuple[int, ...]:
    return LogFolder(root / "metadata").sizes()


def served(witness: Desk, change: Callable[[bytes, Reply], Reply]) -> Callable[[str, bytes], Reply]:
    """Return a way to a real witness service that changes what it answers."""
    service = Service(WitnessFolder(witness.folder), WITNESS, system_runtime())

    def ask_it(_address: str, body: bytes) -> Reply:
        said = service.add_checkpoint(body)
        whole = Reply(
            status=said.status, media_type=said.media_type.partition(";")[0], body=said.body
        )
        return change(body, whole)

    return ask_it


def asked(root: Path, way: Callable[[str, bytes], Reply]) -> Witnessed:
    return add_cosignature(
        root / "metadata", system_runtime(), "http://w.example", WITNESS.verifier, ask=way
    )
