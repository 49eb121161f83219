"""Other programs that read our files, run from an environment of their own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.warc.reader import read_records

PEERS = Path(__file__).parents[1] / ".venv-peers" / "bin"

_URN = re.compile(r"<(urn:uuid:[0-9a-f-]{36})>")


def peer(name: str) -> str:
    """Return the path of a peer program; skip the test where the environment is not there."""
    program = PEERS / name
    if not program.exists():
        pytest.skip("the peers' environment is not there (make test makes it)")
    return str(program)


def assert_peers_agree(archive: Archive) -> None:
    """Check every file with warcio and FastWARC.

    Of FastWARC's payload check, identical-payload revisits are the one thing it reports: their
    block has no payload (WARC 1.1 §6.7).
    """
    paths = sorted(archive.archive.glob("*.warc.gz"))
    assert paths
    for path in paths:
        call = [peer("warcio"), "check", str(path)]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        call = [peer("fastwarc"), "check", "-p", "-q", str(path)]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        revisits = set()
        for record in read_records(path):
            if record.header.type == "revisit":
                revisits.add(record.header.record_id)
            record.finish()
        assert set(_URN.findall(done.stdout + done.stderr)) <= revisits, done.stdout
        assert done.returncode == 0 or revisits
